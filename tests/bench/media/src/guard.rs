//! SRTP of a call's parties, by another implementation than the one under test.

use base64::{Engine, prelude::BASE64_STANDARD};
use rtc_srtp::{context::Context, protection_profile::ProtectionProfile};

/// One party's two directions.
pub(crate) struct Guard {
    /// What it sends goes out under this.
    pub(crate) send: Context,
    /// What it hears came under this.
    pub(crate) hear: Context,
}

impl Guard {
    /// From the registered name of a suite, and both master keys with their salts as `a=crypto` lines
    /// have them. `None`: that is no suite, or no key of it.
    pub(crate) fn new(suite: &str, own: &str, theirs: &str) -> Option<Self> {
        Some(Self { send: context(suite, own)?, hear: context(suite, theirs)? })
    }
}

fn context(suite: &str, key: &str) -> Option<Context> {
    let (profile, length) = match suite {
        "AES_CM_128_HMAC_SHA1_80" => (ProtectionProfile::Aes128CmHmacSha1_80, 16),
        "AEAD_AES_128_GCM" => (ProtectionProfile::AeadAes128Gcm, 16),
        _ => return None,
    };
    let octets = BASE64_STANDARD.decode(key).ok()?;
    let (key, salt) = octets.split_at_checked(length)?;
    let provider = rtc_crypto::default_provider().ok()?;
    Context::new(key, salt, profile, None, None, provider.crypto()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic;

    #[test]
    fn what_one_party_seals_the_other_hears_and_nobody_else() {
        for (suite, octets) in [("AES_CM_128_HMAC_SHA1_80", 30), ("AEAD_AES_128_GCM", 28)] {
            let [one, two] = [1, 2].map(|octet| BASE64_STANDARD.encode(vec![octet; octets]));
            let mut caller = Guard::new(suite, &one, &two).expect("keys");
            let mut callee = Guard::new(suite, &two, &one).expect("keys");
            let packet = traffic::noise();
            let packet = [&[0x80, 8][..], &packet[2..]].concat();
            let sealed = caller.send.encrypt_rtp(&packet).expect("a packet");
            assert_ne!(sealed[12..packet.len()], packet[12..]);
            assert!(caller.hear.decrypt_rtp(&sealed).is_err());
            assert_eq!(callee.hear.decrypt_rtp(&sealed).expect("authentic")[..], packet[..]);
        }
        assert!(Guard::new("F8_128_HMAC_SHA1_80", "", "").is_none());
        assert!(Guard::new("AEAD_AES_128_GCM", "AAAA", "AAAA").is_none());
    }
}
