//! The grammar that challenges and credentials share: a scheme and its parameters (RFC 7616 §3.3).

use crate::wire::header::{is_token, split_outside, trim};

/// One scheme of a header line and its parameters. Values stand as they do between their quotes.
pub(crate) struct Scheme<'a> {
    pub(crate) name: &'a [u8],
    params: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Scheme<'a> {
    /// Every scheme of one header value: SIP puts one on a line (RFC 3261 §7.3.1), HTTP several.
    pub(crate) fn read(value: &'a [u8]) -> Vec<Scheme<'a>> {
        let mut found: Vec<Scheme<'a>> = Vec::new();
        for piece in split_outside(value, b',') {
            let gap = piece.iter().position(u8::is_ascii_whitespace);
            let (head, tail) = gap.map_or((piece, &b""[..]), |gap| piece.split_at(gap));
            let tail = trim(tail);
            let piece = if is_token(head) && !tail.starts_with(b"=") {
                found.push(Scheme { name: head, params: Vec::new() });
                tail
            } else {
                piece
            };
            if let (Some(scheme), Some(param)) = (found.last_mut(), parameter(piece)) {
                scheme.params.push(param);
            }
        }
        found
    }

    /// The value of a parameter; `None` when it is not there or there twice, which nobody means.
    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        let mut found =
            self.params.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        let first = found.next();
        first.filter(|_| found.next().is_none()).map(|(_, value)| *value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.params.iter().any(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
    }

    pub(crate) fn is_digest(&self) -> bool {
        self.name.eq_ignore_ascii_case(b"Digest")
    }
}

/// `name=value` or `name="value"`.
fn parameter(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = piece.iter().position(|&octet| octet == b'=')?;
    let name = trim(piece.get(..equals)?);
    let value = trim(piece.get(equals + 1..)?);
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    is_token(name).then_some((name, inner.unwrap_or(value)))
}

/// With a backslash before quotes and backslashes, as a quoted string wants them.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
        out
    })
}

/// With the backslashes of a quoted string taken away.
pub(crate) fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut out, mut escape) = (Vec::with_capacity(text.len()), false);
    for &octet in text {
        escape = octet == b'\\' && !escape;
        if !escape {
            out.push(octet);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_22_commas_quotes_and_escapes_stay_inside_their_values() {
        let value = br#"Digest realm="a, \"b\"", nonce = n1 ,qop="auth,auth-int", stale=TRUE"#;
        let schemes = Scheme::read(value);
        assert_eq!(schemes.len(), 1);
        assert_eq!(schemes[0].get("REALM"), Some(&br#"a, \"b\""#[..]));
        assert_eq!(schemes[0].get("nonce"), Some(&b"n1"[..]));
        assert_eq!(schemes[0].get("qop"), Some(&b"auth,auth-int"[..]));
        assert_eq!(schemes[0].get("opaque"), None);
        assert_eq!(unescaped(br#"a, \"b\\"#), br#"a, "b\"#);
        assert_eq!(escaped(r#"a"b\"#), r#"a\"b\\"#);
    }

    #[test]
    fn several_schemes_on_a_line_are_told_apart_and_doubled_parameters_are_none() {
        let schemes = Scheme::read(b"Basic realm=\"x\", Digest realm=y, realm=z, Bearer");
        let names: Vec<&[u8]> = schemes.iter().map(|scheme| scheme.name).collect();
        assert_eq!(names, [&b"Basic"[..], b"Digest", b"Bearer"]);
        assert_eq!(schemes[1].get("realm"), None);
        assert!(schemes[1].has("realm") && schemes[1].is_digest());
    }
}
