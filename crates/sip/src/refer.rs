//! What a REFER asks for, and the dialog that a Replaces names (RFC 3515, RFC 3891, RFC 4488).

use std::fmt;
use std::time::Duration;

use crate::uri::{Uri, unescape};
use crate::wire::address::NameAddr;
use crate::wire::header::{Header, Params};
use crate::wire::message::Message;

/// A dialog named by somebody else: to be taken over by a new call (RFC 3891 §3). `Debug` shows
/// nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Its Call-ID.
    pub call_id: Vec<u8>,
    /// The tag of whoever is to be replaced at: for an INVITE to us, ours.
    pub to_tag: Vec<u8>,
    /// The tag of the other end.
    pub from_tag: Vec<u8>,
    /// Only while it rings (RFC 3891 §3).
    pub early_only: bool,
}

impl fmt::Debug for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replaces(early only: {})", self.early_only)
    }
}

impl Replaces {
    /// Reads the value of a Replaces header; `None` without both tags.
    pub fn parse(value: &[u8]) -> Option<Replaces> {
        let end = value.iter().position(|octet| *octet == b';')?;
        let (call_id, params) = value.split_at(end);
        let params = Params::parse(params);
        let call_id = call_id.trim_ascii().to_vec();
        let (to_tag, from_tag) = (params.value("to-tag")?, params.value("from-tag")?);
        let early_only = params.has("early-only");
        let (to_tag, from_tag) = (to_tag.to_vec(), from_tag.to_vec());
        let whole = !call_id.is_empty() && !to_tag.is_empty() && !from_tag.is_empty();
        whole.then_some(Replaces { call_id, to_tag, from_tag, early_only })
    }

    /// The dialog that the INVITE of this message wants to take over, if it says one; `Err` when it
    /// cannot be read or there are two (RFC 3891 §3: 400).
    ///
    /// # Errors
    /// [`ReferError::Replaces`].
    pub fn of(message: &Message) -> Result<Option<Replaces>, ReferError> {
        let mut values = message.all("Replaces");
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Replaces::parse(value).map(Some).ok_or(ReferError::Replaces),
            (Some(_), Some(_)) => Err(ReferError::Replaces),
        }
    }

    /// The header of an INVITE that takes this dialog over.
    pub fn header(&self) -> Option<Header> {
        let mut value = self.call_id.clone();
        for (name, tag) in [("to-tag", &self.to_tag), ("from-tag", &self.from_tag)] {
            value.extend_from_slice(format!(";{name}=").as_bytes());
            value.extend_from_slice(tag);
        }
        if self.early_only {
            value.extend_from_slice(b";early-only");
        }
        Header::new("Replaces", value).ok()
    }
}

/// The Refer-To of a REFER of ours, with the dialog that the call is to take over.
pub fn refer_to(target: &Uri, replaces: Option<&Replaces>) -> Option<Header> {
    let mut value = format!("<{}", target.to_wire());
    if let Some(replaces) = replaces.and_then(Replaces::header) {
        value.push_str("?Replaces=");
        for octet in replaces.value() {
            match octet {
                // RFC 3261 §25.1: what stands for itself in a header of a URI.
                b'-' | b'_' | b'.' | b'!' | b'~' | b'*' => value.push(char::from(*octet)),
                octet if octet.is_ascii_alphanumeric() => value.push(char::from(*octet)),
                octet => value.push_str(&format!("%{octet:02X}")),
            }
        }
    }
    value.push('>');
    Header::new("Refer-To", value).ok()
}

/// What a NOTIFY says about a transfer (RFC 3515 §2.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is under way: 100 to 199.
    Under(u16),
    /// It has come to its end: 200 to 699.
    Done(u16),
    /// It will not be spoken of again, and its end is not known.
    Unknown,
}

impl Progress {
    /// Reads the first line of the body, and whether there will be another NOTIFY. What cannot be read
    /// is a sign of life.
    pub fn read(message: &Message) -> Progress {
        let line = message.body().split(|octet| *octet == b'\r' || *octet == b'\n').next();
        let status = line
            .and_then(|line| std::str::from_utf8(line).ok()?.strip_prefix("SIP/2.0 "))
            .and_then(|rest| rest.split(' ').next()?.parse::<u16>().ok())
            .filter(|status| (100..700).contains(status));
        let over = message.first("Subscription-State").is_some_and(|state| {
            let word = state.split(|octet| *octet == b';').next().unwrap_or_default();
            word.trim_ascii().eq_ignore_ascii_case(b"terminated")
        });
        match (status, over) {
            (Some(status @ 200..), _) => Progress::Done(status),
            (_, true) => Progress::Unknown,
            (status, false) => Progress::Under(status.unwrap_or(100)),
        }
    }

    /// For how long more there will be news at most, if a NOTIFY says so (RFC 3515 §2.4.4).
    pub fn lasts(message: &Message) -> Option<Duration> {
        let state = message.first("Subscription-State")?;
        let seconds = state.split(|octet| *octet == b';').skip(1).find_map(|parameter| {
            let (name, value) = std::str::from_utf8(parameter).ok()?.split_once('=')?;
            name.trim().eq_ignore_ascii_case("expires").then(|| value.trim().parse::<u32>().ok())?
        })?;
        Some(Duration::from_secs(u64::from(seconds)))
    }
}

/// Why a REFER cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferError {
    /// It has no Refer-To, more than one, or one that cannot be read (RFC 3515 §2.4.2: 400).
    Target,
    /// It asks for another method than INVITE.
    Method,
    /// The dialog to be replaced cannot be read.
    Replaces,
}

impl ReferError {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        match self {
            ReferError::Target | ReferError::Replaces => 400,
            ReferError::Method => 501,
        }
    }
}

impl fmt::Display for ReferError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReferError::Target => "a REFER has no readable Refer-To; send exactly one URI",
            ReferError::Method => "a REFER asks for something else than a call; use INVITE",
            ReferError::Replaces => {
                "a Replaces cannot be read; write call-id;to-tag=…;from-tag=…, once"
            }
        })
    }
}

impl std::error::Error for ReferError {}

/// What a REFER asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refer {
    /// Whom to call, with every parameter as written (row T-05) and without its `?headers`.
    pub target: Uri,
    /// The dialog that the call takes over, when the transfer is attended.
    pub replaces: Option<Replaces>,
    /// Whether the referrer wants to hear what becomes of it: not with `Refer-Sub: false`.
    pub tells: bool,
}

impl Refer {
    /// Reads a REFER.
    ///
    /// # Errors
    /// [`ReferError`] with the status to answer.
    pub fn read(message: &Message) -> Result<Refer, ReferError> {
        let mut values = message.all("Refer-To");
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(ReferError::Target);
        };
        let target = NameAddr::parse(value).ok_or(ReferError::Target)?;
        let mut target = target.uri;
        let mut replaces = None;
        if let Uri::Sip(uri) = &mut target {
            let method = uri.params.value("method");
            if method.is_some_and(|method| !method.eq_ignore_ascii_case(b"INVITE")) {
                return Err(ReferError::Method);
            }
            uri.params.remove("method");
            for header in uri.headers.take().iter().flat_map(|headers| headers.split('&')) {
                let (name, value) = header.split_once('=').unwrap_or((header, ""));
                if unescape(name).eq_ignore_ascii_case("Replaces") {
                    let value = unescape(value);
                    let named = Replaces::parse(value.as_bytes()).ok_or(ReferError::Replaces)?;
                    if replaces.replace(named).is_some() {
                        return Err(ReferError::Replaces);
                    }
                }
            }
        }
        let silent = message.first("Refer-Sub").is_some_and(|value| {
            let word = value.split(|octet| *octet == b';').next().unwrap_or_default();
            word.trim_ascii().eq_ignore_ascii_case(b"false")
        });
        Ok(Refer { target, replaces, tells: !silent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse::parse;

    fn refer(headers: &str) -> Result<Refer, ReferError> {
        let text = format!("REFER sip:a@b SIP/2.0\r\n{headers}\r\n\r\n");
        Refer::read(&parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn t_05_a_target_keeps_its_parameters_and_may_have_no_user() {
        let refer = refer(
            "Refer-To: <sip:sbc.example:5061;transport=tls;x-m=0f-9a;x-t=8e>\r\nReferred-By: <sip:x@y>",
        );
        let refer = refer.unwrap();
        assert_eq!(refer.target.to_wire(), "sip:sbc.example:5061;transport=tls;x-m=0f-9a;x-t=8e");
        assert_eq!((refer.target.user(), refer.replaces, refer.tells), (None, None, true));
    }

    #[test]
    fn t_04_the_dialog_of_an_attended_transfer_is_read_from_the_target() {
        let refer = refer(
            "r: \"B\" <sip:102@pbx.example?Replaces=12345%40192.0.2.7%3Bfrom-tag%3Daa%3Bto-tag%3Dbb&Subject=x%0D%0AX-Evil:1>\r\nRefer-Sub: False",
        );
        let refer = refer.unwrap();
        assert_eq!(refer.target.to_wire(), "sip:102@pbx.example");
        let replaces = refer.replaces.unwrap();
        assert_eq!(
            (&replaces.call_id[..], &replaces.to_tag[..]),
            (&b"12345@192.0.2.7"[..], &b"bb"[..])
        );
        assert!(replaces.from_tag == b"aa" && !replaces.early_only && !refer.tells);
        let header = replaces.header().unwrap();
        assert_eq!(header.value(), b"12345@192.0.2.7;to-tag=bb;from-tag=aa");
        assert_eq!(Replaces::parse(header.value()), Some(replaces));
    }

    #[test]
    fn what_is_no_refer_says_which_status_it_gets() {
        for (headers, error, status) in [
            ("Subject: a", ReferError::Target, 400),
            ("Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>", ReferError::Target, 400),
            ("Refer-To: <<>", ReferError::Target, 400),
            ("Refer-To: <sip:a@b;method=BYE>", ReferError::Method, 501),
            ("Refer-To: <sip:a@b?Replaces=a>", ReferError::Replaces, 400),
            (
                "Refer-To: <sip:a@b?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>",
                ReferError::Replaces,
                400,
            ),
        ] {
            assert_eq!(refer(headers), Err(error), "{headers}");
            assert_eq!(error.status(), status);
            assert!(error.to_string().contains("; "));
        }
    }

    #[test]
    fn a_replaces_header_stands_once_and_has_both_tags() {
        let of = |headers: &str| {
            let text = format!("INVITE sip:a@b SIP/2.0\r\n{headers}\r\n\r\n");
            Replaces::of(&parse(text.as_bytes()).unwrap())
        };
        assert_eq!(of("Subject: a"), Ok(None));
        let read = of("Replaces: a@b;to-tag=1;from-tag=2;early-only").unwrap().unwrap();
        assert!(read.early_only && read.call_id == b"a@b");
        assert!(read.header().unwrap().value().ends_with(b";early-only"));
        for bad in [
            "Replaces: a@b",
            "Replaces: ;to-tag=1;from-tag=2",
            "Replaces: a;to-tag=1;from-tag=2\r\nReplaces: a;to-tag=1;from-tag=2",
        ] {
            assert_eq!(of(bad), Err(ReferError::Replaces), "{bad}");
        }
    }
}
