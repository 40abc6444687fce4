//! The headers of the extensions: RSeq and RAck (RFC 3262), Session-Expires and Min-SE (RFC 4028).

use super::header::{Params, trim};
use super::message::Message;
use crate::sdp::number;

/// What a PRACK acknowledges: the RSeq of the provisional response and the CSeq of the INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rack {
    pub(crate) rseq: u32,
    pub(crate) cseq: u32,
}

impl Rack {
    /// Reads `776656 1 INVITE`; only an INVITE has provisional responses that are acknowledged.
    pub(crate) fn parse(value: &[u8]) -> Option<Rack> {
        let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (rseq, cseq) = (number(words.next()?)?, number(words.next()?)?);
        (words.next()? == b"INVITE" && words.next().is_none()).then_some(Rack { rseq, cseq })
    }

    pub(crate) fn to_wire(self) -> Vec<u8> {
        format!("{} {} INVITE", self.rseq, self.cseq).into_bytes()
    }
}

/// The RSeq of a provisional response that wants to be acknowledged.
pub(crate) fn rseq(response: &Message) -> Option<u32> {
    let wanted = response.lists("Require", "100rel");
    number(response.first("RSeq")?).filter(|rseq| wanted && *rseq > 0)
}

/// Who sends the refreshes, in the words of the transaction that agreed on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresher {
    /// Who sent the request.
    Uac,
    /// Who answered it.
    Uas,
}

/// `Session-Expires: 1800;refresher=uac`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionExpires {
    pub(crate) seconds: u32,
    pub(crate) refresher: Option<Refresher>,
}

impl SessionExpires {
    pub(crate) fn of(message: &Message) -> Option<SessionExpires> {
        let value = message.first("Session-Expires")?;
        let end = value.iter().position(|&octet| octet == b';').unwrap_or(value.len());
        let params = Params::parse(value.get(end..)?);
        let refresher = match params.value("refresher") {
            Some(who) if who.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(who) if who.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            Some(_) | None => None,
        };
        Some(SessionExpires { seconds: number(trim(value.get(..end)?))?, refresher })
    }

    pub(crate) fn to_wire(self) -> Vec<u8> {
        let who = match self.refresher {
            Some(Refresher::Uac) => ";refresher=uac",
            Some(Refresher::Uas) => ";refresher=uas",
            None => "",
        };
        format!("{}{who}", self.seconds).into_bytes()
    }
}

/// Min-SE in seconds.
pub(crate) fn min_se(message: &Message) -> Option<u32> {
    let value = message.first("Min-SE")?;
    let end = value.iter().position(|&octet| octet == b';').unwrap_or(value.len());
    number(trim(value.get(..end)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse::parse;

    fn response(headers: &str) -> Message {
        parse(format!("SIP/2.0 183 x\r\n{headers}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn an_acknowledgement_is_read_as_it_is_written() {
        let rack = Rack { rseq: 776_656, cseq: 1 };
        assert_eq!(Rack::parse(&rack.to_wire()), Some(rack));
        assert_eq!(Rack::parse(b" 1\t2  INVITE "), Some(Rack { rseq: 1, cseq: 2 }));
        for bad in [&b"1 INVITE"[..], b"1 2 invite", b"1 2 INVITE x", b"-1 2 INVITE", b""] {
            assert_eq!(Rack::parse(bad), None);
        }
    }

    #[test]
    fn a_response_wants_to_be_acknowledged_when_it_says_both() {
        assert_eq!(rseq(&response("Require: timer, 100REL\r\nRSeq: 7\r\n")), Some(7));
        assert_eq!(rseq(&response("RSeq: 7\r\n")), None);
        assert_eq!(rseq(&response("Require: 100rel\r\n")), None);
        assert_eq!(rseq(&response("Require: 100rel\r\nRSeq: 0\r\n")), None);
    }

    #[test]
    fn a_session_interval_is_read_with_and_without_its_refresher() {
        let read = |text: &str| SessionExpires::of(&response(text));
        let uas = SessionExpires { seconds: 1800, refresher: Some(Refresher::Uas) };
        assert_eq!(read("x: 1800 ; refresher=UAS\r\n"), Some(uas));
        assert_eq!(uas.to_wire(), b"1800;refresher=uas");
        let open = SessionExpires { seconds: 90, refresher: None };
        assert_eq!(read("Session-Expires: 90;x=y\r\n"), Some(open));
        assert_eq!(read("Session-Expires: soon\r\n"), None);
        assert_eq!(min_se(&response("Min-SE: 120;x\r\n")), Some(120));
    }
}
