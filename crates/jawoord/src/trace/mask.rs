//! SIP without the people in it: numbers, names and digits become `x`, the length stays.

/// Headers whose values name no person: they are shown as they are.
const SHOWN: [&[u8]; 38] = [
    b"via",
    b"v",
    b"call-id",
    b"i",
    b"cseq",
    b"max-forwards",
    b"content-length",
    b"l",
    b"content-type",
    b"c",
    b"content-encoding",
    b"e",
    b"content-disposition",
    b"allow",
    b"allow-events",
    b"u",
    b"supported",
    b"k",
    b"require",
    b"proxy-require",
    b"unsupported",
    b"accept",
    b"accept-encoding",
    b"accept-language",
    b"expires",
    b"min-expires",
    b"session-expires",
    b"x",
    b"min-se",
    b"rseq",
    b"rack",
    b"retry-after",
    b"date",
    b"event",
    b"subscription-state",
    b"session-id",
    b"privacy",
    b"x-jawoord-call",
];

/// Headers made of addresses: scheme, host and well-known parameters are shown.
const ADDRESSES: [&[u8]; 18] = [
    b"from",
    b"f",
    b"to",
    b"t",
    b"contact",
    b"m",
    b"route",
    b"record-route",
    b"service-route",
    b"path",
    b"p-asserted-identity",
    b"p-preferred-identity",
    b"remote-party-id",
    b"diversion",
    b"history-info",
    b"refer-to",
    b"r",
    b"referred-by",
];

/// Parameters whose values name no person.
const PARAMETERS: [&[u8]; 17] = [
    b"tag",
    b"transport",
    b"lr",
    b"user",
    b"ttl",
    b"maddr",
    b"method",
    b"expires",
    b"q",
    b"cause",
    b"reason",
    b"index",
    b"counter",
    b"privacy",
    b"screen",
    b"party",
    b"ob",
];

/// Lines of a session description that may hold a name, a number or a key.
const DESCRIPTIONS_HIDDEN: [&[u8]; 6] = [b"s=", b"i=", b"u=", b"e=", b"p=", b"k="];

/// The message with every number, name and digit masked, octet for octet. What is not known to be
/// harmless is masked.
#[must_use]
pub fn masked(message: &[u8]) -> Vec<u8> {
    let mut page = Page { source: message, text: message.iter().copied().map(veil).collect() };
    let mut at = 0;
    let mut rule = Rule::Hide;
    let mut is_description = false;
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        let bare = line.trim_ascii_end().len();
        if bare == 0 {
            page.body(at + line.len(), is_description);
            break;
        }
        let folded = line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
        if at == 0 {
            page.first_line(bare);
        } else if folded {
            page.apply(rule, at, at + bare);
        } else if let Some(colon) = line.iter().position(|octet| *octet == b':') {
            let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
            page.show(at, at + colon);
            rule = Rule::of(name);
            page.apply(rule, at + colon + 1, at + bare);
            let value = line.get(colon + 1..bare).unwrap_or_default().trim_ascii();
            if is_one(name, &[b"content-type", b"c"]) {
                is_description = value.to_ascii_lowercase().starts_with(b"application/sdp");
            }
        }
        at += line.len();
    }
    page.text
}

/// Call-ID and CSeq of a message, as written; `None` without a Call-ID.
#[must_use]
pub fn transaction(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut call_id, mut cseq) = (None, None);
    for line in message.split(|octet| *octet == b'\n').skip(1) {
        if line.trim_ascii().is_empty() || (call_id.is_some() && cseq.is_some()) {
            break;
        }
        let Some(colon) = line.iter().position(|octet| *octet == b':') else { continue };
        let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii();
        if is_one(name, &[b"call-id", b"i"]) {
            call_id.get_or_insert(value);
        } else if is_one(name, &[b"cseq"]) {
            cseq.get_or_insert(value);
        }
    }
    Some((call_id?, cseq.unwrap_or_default()))
}

#[derive(Clone, Copy)]
enum Rule {
    Show,
    Address,
    Hide,
}

impl Rule {
    fn of(name: &[u8]) -> Self {
        if is_one(name, &SHOWN) {
            Self::Show
        } else if is_one(name, &ADDRESSES) {
            Self::Address
        } else {
            Self::Hide
        }
    }
}

/// A message, and the same message veiled; pieces of it are shown again one by one.
struct Page<'a> {
    source: &'a [u8],
    text: Vec<u8>,
}

impl<'a> Page<'a> {
    fn show(&mut self, from: usize, to: usize) {
        if let (Some(veiled), Some(plain)) =
            (self.text.get_mut(from..to), self.source.get(from..to))
        {
            veiled.copy_from_slice(plain);
        }
    }

    /// Veils every octet: of a key even the punctuation is a part.
    fn blacken(&mut self, from: usize, to: usize) {
        let octets = self.text.get_mut(from..to).unwrap_or_default().iter_mut();
        octets.filter(|octet| !octet.is_ascii_whitespace()).for_each(|octet| *octet = b'x');
    }

    fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.source.get(from..to).unwrap_or_default()
    }

    fn apply(&mut self, rule: Rule, from: usize, to: usize) {
        match rule {
            Rule::Show => self.show(from, to),
            Rule::Address => self.addresses(from, to),
            Rule::Hide => {}
        }
    }

    /// A status line keeps its status, and its phrase when no number is in it; a request line its method, its host and its version.
    fn first_line(&mut self, end: usize) {
        let line = self.slice(0, end);
        if line.starts_with(b"SIP/2.0 ") {
            let phrase = line.get(11..).unwrap_or_default();
            let harmless = phrase.iter().all(|octet| !octet.is_ascii_digit() && octet.is_ascii());
            return self.show(0, if harmless { end } else { end.min(11) });
        }
        let method = line.iter().position(|octet| *octet == b' ').unwrap_or(end);
        let version = line.iter().rposition(|octet| *octet == b' ').unwrap_or(end);
        self.show(0, method);
        self.show(version, end);
        self.addresses(method, version);
    }

    /// Shows what names no person in a list of addresses.
    fn addresses(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let rest = self.slice(at, to);
            if rest.first() == Some(&b'"') {
                at += quoted(rest);
            } else if let Some(scheme) = scheme(rest) {
                self.show(at, at + scheme);
                let calls = rest.get(..scheme).unwrap_or_default();
                let telephone = calls.eq_ignore_ascii_case(b"tel:");
                let service = calls.eq_ignore_ascii_case(b"urn:");
                at += scheme;
                let span = self.slice(at, to);
                let length = span.iter().position(|octet| b">, \t\"".contains(octet));
                let end = at + length.unwrap_or(span.len());
                if service {
                    self.show(at, end);
                } else {
                    self.uri(at, end, telephone);
                }
                at = end;
            } else if rest.first() == Some(&b';') {
                at = self.parameter(at, to);
            } else {
                at += 1;
            }
        }
    }

    /// After `sip:` or `tel:`: the user stays veiled, the host is shown, then the parameters.
    fn uri(&mut self, from: usize, to: usize, telephone: bool) {
        let span = self.slice(from, to);
        let host = span.iter().position(|octet| *octet == b'@').map_or(0, |at| at + 1);
        let rest = span.get(host..).unwrap_or_default();
        let length = rest.iter().position(|octet| b";?".contains(octet)).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        // A number may stand where a host belongs.
        let is_host = name.iter().any(|octet| b".[".contains(octet) || octet.is_ascii_alphabetic());
        if is_host && !telephone {
            self.show(from + host, from + host + length);
        }
        let mut at = from + host + length;
        while at < to && self.slice(at, to).first() == Some(&b';') {
            at = self.parameter(at, to);
        }
    }

    /// `;name=value`; returns where it ends.
    fn parameter(&mut self, from: usize, to: usize) -> usize {
        let span = self.slice(from + 1, to);
        let length = span.iter().position(|octet| b";>,? \t\"".contains(octet));
        let end = from + 1 + length.unwrap_or(span.len());
        let text = self.slice(from + 1, end);
        let name = text.iter().position(|octet| *octet == b'=').unwrap_or(text.len());
        let harmless = is_one(text.get(..name).unwrap_or_default(), &PARAMETERS);
        self.show(from, if harmless { end } else { from + 1 + name });
        end
    }

    /// A session description without names and keys; any other body stays veiled.
    fn body(&mut self, from: usize, is_description: bool) {
        if !is_description {
            return;
        }
        let mut at = from;
        while at < self.source.len() {
            let rest = self.slice(at, self.source.len());
            let next = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |n| n + 1);
            let line = self.slice(at, at + next);
            let shown = if DESCRIPTIONS_HIDDEN.iter().any(|start| line.starts_with(start)) {
                2..2
            } else if line.starts_with(b"o=") {
                line.iter().position(|octet| *octet == b' ').unwrap_or(next)..next
            } else if let Some(secret) = secret(line) {
                self.blacken(at + secret, at + line.trim_ascii_end().len());
                0..secret
            } else {
                0..next
            };
            self.show(at, (at + 2).min(at + next));
            self.show(at + shown.start, at + shown.end);
            at += next;
        }
    }
}

/// Where the secret of an attribute begins. Of `a=crypto` the tag and the suite are none (RFC 4568
/// §9.1); who reads descriptions reads names in any case, and with blanks around them.
fn secret(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(b"a=")?;
    let colon = rest.iter().position(|octet| *octet == b':')?;
    let name = rest.get(..colon).unwrap_or_default().trim_ascii();
    let value = colon + 3;
    if is_one(name, &[b"ice-pwd", b"key-mgmt"]) {
        return Some(value);
    }
    is_one(name, &[b"crypto"]).then(|| value + harmless(line.get(value..).unwrap_or_default()))
}

/// How much of the value of `a=crypto` is a number and the name of a suite: no key has a `_` (RFC 4648
/// §4), and no name a `:`.
fn harmless(value: &[u8]) -> usize {
    let blank = |octet: &u8| octet.is_ascii_whitespace();
    let skip = |from: usize, blanks: bool| {
        let rest = value.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|octet| blank(octet) == blanks).count()
    };
    let number = skip(0, true)..skip(skip(0, true), false);
    let start = skip(number.end, true);
    let suite = value.get(start..skip(start, false)).unwrap_or_default();
    let is_number = value.get(number).unwrap_or_default().iter().all(u8::is_ascii_digit);
    let is_name = suite.contains(&b'_')
        && suite.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'_');
    if is_number && is_name { start + suite.len() } else { 0 }
}

fn veil(octet: u8) -> u8 {
    if octet.is_ascii_alphanumeric() || !octet.is_ascii() { b'x' } else { octet }
}

fn is_one(name: &[u8], known: &[&[u8]]) -> bool {
    known.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The length of a quoted string with its quotes.
fn quoted(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, octet) in text.iter().enumerate().skip(1) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn scheme(text: &[u8]) -> Option<usize> {
    [&b"sip:"[..], b"sips:", b"tel:", b"urn:"].into_iter().map(<[u8]>::len).find(|length| {
        let start = text.get(..*length).unwrap_or_default();
        is_one(start, &[b"sip:", b"sips:", b"tel:", b"urn:"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(header: &str) -> String {
        let message = format!("BYE sip:pbx.example SIP/2.0\r\n{header}\r\n\r\n");
        let text = String::from_utf8(masked(message.as_bytes())).unwrap();
        assert_eq!(text.len(), message.len());
        text.lines().nth(1).unwrap().to_owned()
    }

    #[test]
    fn numbers_and_names_are_veiled_and_hosts_tags_and_transports_are_not() {
        for (header, shown) in [
            (
                "From: \"Jan de Vries\" <sip:+31201234567@10.0.0.1:5060;user=phone>;tag=a1b2",
                "From: \"xxx xx xxxxx\" <sip:+xxxxxxxxxxx@10.0.0.1:5060;user=phone>;tag=a1b2",
            ),
            ("f: Jan <sip:jan@pbx.example>", "f: xxx <sip:xxx@pbx.example>"),
            ("To: <tel:+31201234567;rn=+3188;isub=9>", "To: <tel:+xxxxxxxxxxx;rn=+xxxx;isub=x>"),
            ("To: sip:0201234567", "To: sip:xxxxxxxxxx"),
            (
                "Contact: <sip:0612@[2001:db8::1];transport=tcp>",
                "Contact: <sip:xxxx@[2001:db8::1];transport=tcp>",
            ),
            (
                "Refer-To: <sip:06@h.example?Replaces=a%3Bto-tag%3D1>",
                "Refer-To: <sip:xx@h.example?xxxxxxxx=x%xxxx-xxx%xxx>",
            ),
            (
                "P-Asserted-Identity: \"a\\\"1\" <sip:1@h.example>, <tel:112>",
                "P-Asserted-Identity: \"x\\\"x\" <sip:x@h.example>, <tel:xxx>",
            ),
            ("X-Customer: Jan 0612345678", "X-Customer: xxx xxxxxxxxxx"),
            ("Authorization: Digest username=\"jan\"", "Authorization: xxxxxx xxxxxxxx=\"xxx\""),
            (
                "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
                "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1",
            ),
            ("Subject: caf\u{e9} 3", "Subject: xxxxx x"),
        ] {
            assert_eq!(line(header), shown);
        }
    }

    #[test]
    fn a_request_line_keeps_its_method_and_host_and_a_status_line_its_status() {
        let first = |message: &str| {
            let text = String::from_utf8(masked(message.as_bytes())).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(
            first("INVITE sip:0201@a.example SIP/2.0\r\n\r\n"),
            "INVITE sip:xxxx@a.example SIP/2.0"
        );
        assert_eq!(
            first("INVITE urn:service:sos SIP/2.0\r\n\r\n"),
            "INVITE urn:service:sos SIP/2.0"
        );
        assert_eq!(first("SIP/2.0 486 Busy Here\r\n\r\n"), "SIP/2.0 486 Busy Here");
        assert_eq!(first("SIP/2.0 404 No 0612\r\n\r\n"), "SIP/2.0 404 xx xxxx");
    }

    #[test]
    fn a_folded_header_is_veiled_to_its_last_line() {
        let text = masked(b"BYE sip:a.example SIP/2.0\r\nTo: Jan\r\n <sip:06@a.example>\r\nSubject: a\r\n b 1\r\n\r\n");
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("To: xxx\r\n <sip:xx@a.example>\r\nSubject: x\r\n x x\r\n"),
            "{text}"
        );
    }

    #[test]
    fn d_24_digits_in_a_body_are_veiled_and_a_description_shows_no_name_and_no_key() {
        let info = masked(b"INFO sip:a.example SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160");
        assert!(info.ends_with(b"\r\n\r\nxxxxxx=x\r\nxxxxxxxx=xxx"));
        let sdp = "v=0\r\no=jan 1 2 IN IP4 10.0.0.1\r\ns=Jan\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\na=sendrecv\r\n";
        let message = format!("ACK sip:a.example SIP/2.0\r\nc: application/sdp\r\n\r\n{sdp}");
        let text = String::from_utf8(masked(message.as_bytes())).unwrap();
        assert!(
            text.contains("o=xxx 1 2 IN IP4 10.0.0.1\r\ns=xxx\r\nc=IN IP4 10.0.0.1\r\n"),
            "{text}"
        );
        assert!(text.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 xxxxxxxxxxxxxxx\r\n"), "{text}");
        assert!(text.ends_with("a=sendrecv\r\n"));
    }

    #[test]
    fn s_06_no_octet_of_a_key_is_shown_however_its_line_is_written() {
        let key = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4;inline:+/+/==";
        for line in [
            format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {key} UNENCRYPTED_SRTP"),
            format!("a=crypto: 1  AES_CM_128_HMAC_SHA1_80\t{key}"),
            format!("a=Crypto :1 AES_CM_128_HMAC_SHA1_80 {key}"),
            format!("a= CRYPTO:1 {key}"),
            format!("a=crypto:1 {key} UNENCRYPTED_SRTP"),
            format!("a=crypto:{key}"),
            format!("a=key-mgmt:mikey {key}"),
            format!("k=base64:{key}"),
            "a=ice-pwd:+/+/==".to_owned(),
        ] {
            let message =
                format!("ACK sip:a.example SIP/2.0\r\nc: application/sdp\r\n\r\n{line}\r\n");
            let shown = masked(message.as_bytes());
            assert_eq!(shown.len(), message.len());
            let text = String::from_utf8(shown).unwrap();
            for part in ["d0Rm", "dmcm", "JSoj", "inline", "+/", "==", "|", "2^20"] {
                assert!(!text.contains(part) || line.starts_with("k="), "{part} in {text}");
            }
            assert!(!text.contains("d0Rm"), "{text}");
        }
    }

    #[test]
    fn the_length_stays_whatever_comes() {
        for message in [
            &b""[..],
            b"\r\n",
            b"x",
            b"\xff\xfe\r\n\"",
            b"A\r\n:\r\n;\r\nTo:\"\r\nf:sip:\r\n\r\n",
            b"INVITE \r\nTo: <sip:;;@;?>;=\r\n\r\nv",
        ] {
            assert_eq!(masked(message).len(), message.len());
            for end in 0..message.len() {
                assert_eq!(masked(&message[..end]).len(), end);
            }
        }
    }

    #[test]
    fn a_transaction_is_named_by_either_form_of_its_headers() {
        let message = b"BYE sip:a SIP/2.0\r\nI : one@two\r\nCSeq: 1 BYE\r\n\r\nCall-ID: body";
        assert_eq!(transaction(message), Some((&b"one@two"[..], &b"1 BYE"[..])));
        let message = b"BYE sip:a SIP/2.0\ncall-id:a\n\nCSeq: 1 BYE";
        assert_eq!(transaction(message), Some((&b"a"[..], &b""[..])));
        assert_eq!(transaction(b"BYE sip:a SIP/2.0\r\nCSeq: 1 BYE\r\n\r\nCall-ID: body"), None);
    }
}
