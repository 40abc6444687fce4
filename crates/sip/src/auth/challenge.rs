//! A challenge of theirs: what has to be proved, and how it may be (RFC 7616 §3.3).

use super::algorithm::Algorithm;
use super::text::Scheme;

/// The longest realm, nonce or opaque that is answered: what they send, we send back.
const MAX_VALUE: usize = 512;

/// A Digest challenge that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) realm: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
    pub(crate) opaque: Option<Vec<u8>>,
    pub(crate) stale: bool,
    pub(crate) algorithm: Algorithm,
    /// As they wrote it, to be sent back; `None` when they wrote none, which means MD5.
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) session: bool,
    /// `qop=auth`, or none as before RFC 2617.
    pub(crate) counted: bool,
}

impl Challenge {
    /// The challenges of one header value that we can answer. Other schemes, unknown algorithms and
    /// `auth-int` alone are left out (row B-23).
    pub(crate) fn read(value: &[u8]) -> Vec<Challenge> {
        Scheme::read(value).iter().filter_map(Challenge::of).collect()
    }

    fn of(scheme: &Scheme<'_>) -> Option<Challenge> {
        if !scheme.is_digest() {
            return None;
        }
        let short = |name| scheme.get(name).filter(|value| value.len() <= MAX_VALUE);
        let realm = short("realm")?.to_vec();
        let nonce = short("nonce").filter(|nonce| !nonce.is_empty())?.to_vec();
        let opaque = match scheme.has("opaque") {
            true => Some(short("opaque")?.to_vec()),
            false => None,
        };
        let name = match scheme.has("algorithm") {
            true => Some(scheme.get("algorithm")?),
            false => None,
        };
        let (algorithm, session) = Algorithm::parse(name.unwrap_or(b"MD5"))?;
        let counted = match scheme.has("qop") {
            true => {
                let mut ways = scheme.get("qop")?.split(|&octet| octet == b',');
                let plain = ways.any(|way| way.trim_ascii().eq_ignore_ascii_case(b"auth"));
                plain.then_some(true)?
            }
            false => false,
        };
        // A session key needs the client's nonce, which only `qop` carries.
        (counted || !session).then(|| Challenge {
            realm,
            nonce,
            opaque,
            stale: scheme.get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true")),
            algorithm,
            name: name.map(<[u8]>::to_vec),
            session,
            counted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_23_what_we_cannot_answer_is_ignored() {
        for value in [
            &b"Basic realm=\"a\""[..],
            b"Digest realm=\"a\"",
            b"Digest nonce=\"b\"",
            b"Digest realm=\"a\", nonce=\"\"",
            b"Digest realm=\"a\", nonce=\"b\", algorithm=SHA-1",
            b"Digest realm=\"a\", nonce=\"b\", qop=\"auth-int\"",
            b"Digest realm=\"a\", nonce=\"b\", algorithm=MD5-sess",
            b"Digest realm=\"a\", nonce=\"b\", nonce=\"c\"",
            b"Digest realm=\"a\", nonce=\"b\", opaque=c, opaque=d",
            b"",
            b"Digest",
            b",,=,",
        ] {
            assert_eq!(Challenge::read(value), [], "{}", String::from_utf8_lossy(value));
        }
        let long = format!("Digest realm=\"a\", nonce=\"{}\"", "n".repeat(513));
        assert_eq!(Challenge::read(long.as_bytes()), []);
    }

    #[test]
    fn b_22_a_challenge_is_read_with_all_it_says() {
        let value = b"DIGEST Realm=\"atlanta\",nonce=\"n\", opaque=\"\" , stale=\"True\", \
            algorithm=sha-256, qop=\"auth-int , AUTH\", domain=\"sip:a sip:b\"";
        let read = Challenge::read(value);
        assert_eq!(
            read,
            [Challenge {
                realm: b"atlanta".to_vec(),
                nonce: b"n".to_vec(),
                opaque: Some(Vec::new()),
                stale: true,
                algorithm: Algorithm::Sha256,
                name: Some(b"sha-256".to_vec()),
                session: false,
                counted: true,
            }]
        );
        let old = &Challenge::read(b"Digest realm=a, nonce=b")[0];
        assert_eq!((old.algorithm, old.counted, &old.name), (Algorithm::Md5, false, &None));
    }
}
