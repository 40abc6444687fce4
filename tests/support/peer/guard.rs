//! SRTP of a peer, by another implementation than the node's (`rtc-srtp`).

use base64::{Engine, prelude::BASE64_STANDARD};
use rtc_srtp::{context::Context, protection_profile::ProtectionProfile};

use super::seen::Seen;

/// A crypto suite as its name in a description, and a master key of its length with salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The number of its line.
    pub tag: u32,
    /// The suite.
    pub suite: String,
    /// Key and salt.
    pub octets: Vec<u8>,
}

/// Every suite with the octets of its key and of its salt.
pub const SUITES: [(&str, usize, usize); 6] = [
    ("AES_CM_128_HMAC_SHA1_80", 16, 14),
    ("AES_CM_128_HMAC_SHA1_32", 16, 14),
    ("AES_256_CM_HMAC_SHA1_80", 32, 14),
    ("AES_256_CM_HMAC_SHA1_32", 32, 14),
    ("AEAD_AES_128_GCM", 16, 12),
    ("AEAD_AES_256_GCM", 32, 12),
];

fn lengths(suite: &str) -> (usize, usize) {
    let found = SUITES.iter().find(|(name, ..)| *name == suite);
    found.map_or_else(|| panic!("no suite is called {suite}"), |(_, key, salt)| (*key, *salt))
}

impl Key {
    /// A key for a suite, always the same for the same seed.
    #[must_use]
    pub fn new(tag: u32, suite: &str, seed: u8) -> Self {
        let (key, salt) = lengths(suite);
        let octets = (0..key + salt).map(|n| (n as u8).wrapping_mul(37) ^ seed).collect();
        Self { tag, suite: suite.to_owned(), octets }
    }

    /// As its line has it.
    #[must_use]
    pub fn text(&self) -> String {
        BASE64_STANDARD.encode(&self.octets)
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("a=crypto:{} {} inline:{}\r\n", self.tag, self.suite, self.text())
    }

    /// The keys of a message's description.
    ///
    /// # Panics
    /// One of them is none.
    #[must_use]
    pub fn of(seen: &Seen) -> Vec<Self> {
        let lines = seen.body().lines().filter_map(|line| line.strip_prefix("a=crypto:"));
        let read = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let [tag, suite, key] = words.as_slice() else { panic!("no key: {line}") };
            let key = key.strip_prefix("inline:").expect("a key");
            let octets = BASE64_STANDARD.decode(key).expect("base64");
            let (length, salt) = lengths(suite);
            assert_eq!(octets.len(), length + salt, "{line}");
            Self { tag: tag.parse().expect("a number"), suite: (*suite).to_owned(), octets }
        };
        lines.map(read).collect()
    }

    fn context(&self) -> Context {
        let profile = match self.suite.as_str() {
            "AES_CM_128_HMAC_SHA1_80" => ProtectionProfile::Aes128CmHmacSha1_80,
            "AES_CM_128_HMAC_SHA1_32" => ProtectionProfile::Aes128CmHmacSha1_32,
            "AES_256_CM_HMAC_SHA1_80" => ProtectionProfile::Aes256CmHmacSha1_80,
            "AES_256_CM_HMAC_SHA1_32" => ProtectionProfile::Aes256CmHmacSha1_32,
            "AEAD_AES_128_GCM" => ProtectionProfile::AeadAes128Gcm,
            "AEAD_AES_256_GCM" => ProtectionProfile::AeadAes256Gcm,
            other => panic!("no suite is called {other}"),
        };
        let provider = rtc_crypto::default_provider().expect("ciphers");
        let (key, salt) = self.octets.split_at(lengths(&self.suite).0);
        Context::new(key, salt, profile, None, None, provider.crypto()).expect("a key")
    }
}

/// Both directions of a peer under SRTP.
pub struct Guard {
    send: Context,
    receive: Context,
}

impl Guard {
    /// Sends under one key and receives under the other.
    #[must_use]
    pub fn new(send: &Key, receive: &Key) -> Self {
        Self { send: send.context(), receive: receive.context() }
    }

    /// Encrypts a packet.
    ///
    /// # Panics
    /// It is none.
    pub fn seal(&mut self, packet: &[u8]) -> Vec<u8> {
        self.send.encrypt_rtp(packet).expect("a packet").to_vec()
    }

    /// Decrypts a packet, if it is authentic.
    pub fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.receive.decrypt_rtp(packet).ok().map(|plain| plain.to_vec())
    }

    /// Encrypts a report.
    ///
    /// # Panics
    /// It is none.
    pub fn seal_report(&mut self, report: &[u8]) -> Vec<u8> {
        self.send.encrypt_rtcp(report).expect("a report").to_vec()
    }

    /// Decrypts a report, if it is authentic.
    pub fn open_report(&mut self, report: &[u8]) -> Option<Vec<u8>> {
        self.receive.decrypt_rtcp(report).ok().map(|plain| plain.to_vec())
    }
}
