//! The hashes of RFC 8760 §2.1 and the digest that is made with them (RFC 7616 §3.4).

use md5::{Digest, Md5};
use ring::digest;

use super::secret::Secret;

/// A hash, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// MD5: broken, and all that many trunks offer.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256.
    Sha512Trunc256,
}

impl Algorithm {
    /// Reads `algorithm`; `true` beside it for the `-sess` variant. `None` for one that we do not
    /// know, whose challenge is ignored (RFC 7616 §3.3).
    pub(crate) fn parse(name: &[u8]) -> Option<(Algorithm, bool)> {
        let (stem, session) = match name.len().checked_sub(5).map(|at| name.split_at(at)) {
            Some((stem, tail)) if tail.eq_ignore_ascii_case(b"-sess") => (stem, true),
            Some(_) | None => (name, false),
        };
        let all = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512Trunc256];
        let found = all.into_iter().find(|one| one.name().as_bytes().eq_ignore_ascii_case(stem));
        found.map(|algorithm| (algorithm, session))
    }

    /// As it stands in a header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512Trunc256 => "SHA-512-256",
        }
    }

    /// The hash of the parts with colons between them, in small hexadecimal digits.
    fn hex(self, parts: &[&[u8]]) -> String {
        let colons = (0..parts.len()).map(|at| if at == 0 { &b""[..] } else { b":" });
        let pieces = colons.zip(parts).flat_map(|(colon, part)| [colon, part]);
        match self {
            Algorithm::Md5 => {
                let hash = pieces.fold(Md5::new(), |hash, piece| hash.chain_update(piece));
                hex(&hash.finalize())
            }
            Algorithm::Sha256 => ring_hex(&digest::SHA256, pieces),
            Algorithm::Sha512Trunc256 => ring_hex(&digest::SHA512_256, pieces),
        }
    }
}

fn ring_hex<'a>(
    algorithm: &'static digest::Algorithm,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> String {
    let mut context = digest::Context::new(algorithm);
    pieces.for_each(|piece| context.update(piece));
    hex(context.finish().as_ref())
}

/// Small hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What both sides put into the digest. Realm and nonces are taken as they stand between their
/// quotes, escapes and all: that is what RFC 7616 §3.4 calls `unq`, and what other peers do.
pub(crate) struct Proof<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) session: bool,
    pub(crate) user: &'a [u8],
    pub(crate) realm: &'a [u8],
    pub(crate) nonce: &'a [u8],
    /// The client's nonce and the count as written, with `qop=auth`; without it RFC 2069's way.
    pub(crate) counted: Option<(&'a [u8], &'a [u8])>,
    pub(crate) method: &'a [u8],
    pub(crate) uri: &'a [u8],
}

impl Proof<'_> {
    /// The response in hexadecimal digits (RFC 7616 §3.4.1 to §3.4.3).
    pub(crate) fn response(&self, secret: &Secret) -> String {
        let hash = self.algorithm;
        let mut first = hash.hex(&[self.user, self.realm, secret.octets()]);
        if let Some((cnonce, _)) = self.counted.filter(|_| self.session) {
            first = hash.hex(&[first.as_bytes(), self.nonce, cnonce]);
        }
        let second = hash.hex(&[self.method, self.uri]);
        let (first, second) = (first.as_bytes(), second.as_bytes());
        match self.counted {
            Some((cnonce, count)) => hash.hex(&[first, self.nonce, count, cnonce, b"auth", second]),
            None => hash.hex(&[first, self.nonce, second]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(algorithm: Algorithm) -> Proof<'static> {
        Proof {
            algorithm,
            session: false,
            user: b"Mufasa",
            realm: b"http-auth@example.org",
            nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            counted: Some((b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", b"00000001")),
            method: b"GET",
            uri: b"/dir/index.html",
        }
    }

    #[test]
    fn b_22_the_examples_of_rfc_7616_come_out_right() {
        // RFC 7616 §3.9.1.
        let secret = Secret::new("Circle of Life");
        assert_eq!(proof(Algorithm::Md5).response(&secret), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            proof(Algorithm::Sha256).response(&secret),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    #[test]
    fn b_22_the_example_of_rfc_2617_and_a_digest_without_qop_come_out_right() {
        let mut proof = Proof {
            realm: b"testrealm@host.com",
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            counted: Some((b"0a4f113b", b"00000001")),
            ..proof(Algorithm::Md5)
        };
        let secret = Secret::new("Circle Of Life");
        // RFC 2617 §3.5.
        assert_eq!(proof.response(&secret), "6629fae49393a05397450978507c4ef1");
        proof.counted = None;
        assert_eq!(proof.response(&secret), "670fd8c2df070c60b045671b8b24ff02");
    }

    #[test]
    fn the_three_hashes_and_their_session_variants_are_known_by_name() {
        assert_eq!(Algorithm::parse(b"md5"), Some((Algorithm::Md5, false)));
        assert_eq!(Algorithm::parse(b"MD5-sess"), Some((Algorithm::Md5, true)));
        assert_eq!(Algorithm::parse(b"SHA-512-256"), Some((Algorithm::Sha512Trunc256, false)));
        assert_eq!(Algorithm::parse(b"sha-256-SESS"), Some((Algorithm::Sha256, true)));
        for other in [&b""[..], b"SHA-1", b"-sess", b"AKAv1-MD5"] {
            assert_eq!(Algorithm::parse(other), None);
        }
        assert!(Algorithm::Md5 < Algorithm::Sha256);
        assert_eq!(
            Algorithm::Sha512Trunc256.hex(&[b"abc"]),
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
            "FIPS 180-4's example"
        );
    }

    #[test]
    fn nothing_prints_a_secret() {
        assert_eq!(format!("{:?}", Secret::new("swordfish")), "Secret(…)");
    }
}
