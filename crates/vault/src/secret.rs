//! Thirty-two secret bytes that are wiped when dropped, and the two derivations made from them.

use std::fmt;

use call::Digest;
use ring::{aead, hmac};
use zeroize::Zeroize;

/// The cipher refused. With keys and lengths of this crate it cannot happen; callers stop the
/// recording rather than go on with a cipher that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherError;

impl fmt::Display for CipherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the cipher refused to seal; nothing was written in clear. Restart the node and, if \
             it happens again, check the machine",
        )
    }
}

impl std::error::Error for CipherError {}

/// 32 bytes that nobody prints and that are zero after use. What this cannot reach: `ring` does not
/// wipe its own key schedules, and a moved value may leave a copy on the stack. Both live only in
/// the locked, non-dumpable memory of the process and are overwritten by what is done next.
pub(crate) struct Secret([u8; 32]);

impl Secret {
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// `HMAC-SHA256(self, parts…)` (RFC 2104).
    pub(crate) fn hmac(&self, parts: &[&[u8]]) -> Self {
        hmac_sha256(&self.0, parts)
    }

    /// `HKDF-SHA256(ikm = self, salt, info, L = 32)` (RFC 5869): with L equal to the hash length
    /// the expansion is one block, `HMAC(PRK, info ‖ 01)`.
    pub(crate) fn hkdf(&self, salt: &[u8], info: &[&[u8]]) -> Self {
        let extracted = hmac_sha256(salt, &[&self.0]);
        let key = hmac::Key::new(hmac::HMAC_SHA256, extracted.bytes());
        let mut context = hmac::Context::with_key(&key);
        info.iter().for_each(|part| context.update(part));
        context.update(&[1]);
        take(&context.sign())
    }

    /// The AES-256-GCM key made of these bytes (NIST SP 800-38D).
    pub(crate) fn aes(&self) -> Result<aead::LessSafeKey, CipherError> {
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, &self.0).map_err(|_| CipherError)?;
        Ok(aead::LessSafeKey::new(key))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Secret {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    parts.iter().for_each(|part| context.update(part));
    take(&context.sign())
}

fn take(tag: &hmac::Tag) -> Secret {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    Secret(bytes)
}

/// SHA-256 over the parts.
pub(crate) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finish()
}

/// A running SHA-256.
pub(crate) struct Sha256(ring::digest::Context);

impl Sha256 {
    pub(crate) fn new() -> Self {
        Self(ring::digest::Context::new(&ring::digest::SHA256))
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        let mut bytes = [0; 32];
        let hash = self.0.finish();
        bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
        Digest::from_bytes(bytes)
    }
}

/// The seed at the root of one recording's key tree. Whoever holds it can open everything.
pub struct RootSeed(Secret);

impl RootSeed {
    /// Takes 32 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Draws a seed from the system's random source.
    ///
    /// # Errors
    /// [`CipherError`] when the system has no random numbers; no recording may begin then.
    #[cfg(feature = "storage")]
    pub fn random() -> Result<Self, CipherError> {
        Ok(Self(Secret::random()?))
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0
    }
}

#[cfg(feature = "storage")]
impl Secret {
    /// 32 bytes from the system's random source.
    pub(crate) fn random() -> Result<Self, CipherError> {
        let mut secret = Self([0; 32]);
        let random = ring::rand::SystemRandom::new();
        ring::rand::SecureRandom::fill(&random, &mut secret.0).map_err(|_| CipherError)?;
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_gives_the_first_block_of_rfc_5869_test_case_1() {
        // The test case has a 22-byte key, which a Secret is not; its PRK and OKM follow from the
        // same two HMAC calls.
        let prk = hmac_sha256(&(0..13).collect::<Vec<u8>>(), &[&[0x0b; 22]]);
        assert_eq!(prk.bytes()[..4], [0x07, 0x77, 0x09, 0x36]);
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let okm = prk.hmac(&[&info, &[1]]);
        assert_eq!(okm.bytes()[..4], [0x3c, 0xb2, 0x5f, 0x25]);
    }
}
