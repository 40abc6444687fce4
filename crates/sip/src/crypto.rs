//! The keys of SRTP in session descriptions: `a=crypto` lines (RFC 4568), read, judged and written.

use std::fmt;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ring::hmac;
use zeroize::Zeroizing;

use crate::sdp::{Media, number};

/// Whether a side has SRTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Srtp {
    /// Never: neither offered nor taken.
    #[default]
    Off,
    /// Taken when it is offered; offered as keys in an `RTP/AVP` line, which the other side may pass
    /// over (RFC 8643).
    Offer,
    /// Always: offered as `RTP/SAVP`, and nothing else is taken.
    Require,
}

/// A crypto suite: how packets are encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES-128 in counter mode, 80 bits of HMAC-SHA1 (RFC 4568 §6.2.1): what everybody has.
    AesCm128Sha1_80,
    /// The same with 32 bits of HMAC-SHA1 (RFC 4568 §6.2.2).
    AesCm128Sha1_32,
    /// AES-256 in counter mode, 80 bits of HMAC-SHA1 (RFC 6188).
    AesCm256Sha1_80,
    /// The same with 32 bits of HMAC-SHA1 (RFC 6188).
    AesCm256Sha1_32,
    /// AES-128 in Galois/counter mode (RFC 7714).
    AesGcm128,
    /// AES-256 in Galois/counter mode (RFC 7714).
    AesGcm256,
}

/// Octets of the longest master key and salt: AES-256 in counter mode, 32 and 14.
const LONGEST: usize = 46;
/// Most octets of a master key identifier that we can tell from another.
const LONGEST_MKI: usize = 16;
/// Packets that one key may protect at most (RFC 3711 §9.2).
const LONGEST_LIFE: u64 = 1 << 48;

impl Suite {
    /// All of them, in the order in which they are offered: the strongest first, short tags last.
    pub const ALL: [Suite; 6] = [
        Suite::AesGcm256,
        Suite::AesGcm128,
        Suite::AesCm256Sha1_80,
        Suite::AesCm128Sha1_80,
        Suite::AesCm256Sha1_32,
        Suite::AesCm128Sha1_32,
    ];

    /// Its registered name.
    pub fn name(self) -> &'static str {
        match self {
            Suite::AesCm128Sha1_80 => "AES_CM_128_HMAC_SHA1_80",
            Suite::AesCm128Sha1_32 => "AES_CM_128_HMAC_SHA1_32",
            Suite::AesCm256Sha1_80 => "AES_256_CM_HMAC_SHA1_80",
            Suite::AesCm256Sha1_32 => "AES_256_CM_HMAC_SHA1_32",
            Suite::AesGcm128 => "AEAD_AES_128_GCM",
            Suite::AesGcm256 => "AEAD_AES_256_GCM",
        }
    }

    /// Octets of its master key with its master salt, which a line does not tell apart.
    pub fn length(self) -> usize {
        match self {
            Suite::AesCm128Sha1_80 | Suite::AesCm128Sha1_32 => 30,
            Suite::AesCm256Sha1_80 | Suite::AesCm256Sha1_32 => LONGEST,
            Suite::AesGcm128 => 28,
            Suite::AesGcm256 => 44,
        }
    }

    /// Names are compared as ABNF does, without regard to case.
    fn named(name: &str) -> Option<Suite> {
        Suite::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }
}

/// A master key with its salt, and the suite that it is for. Nothing prints it, and it is wiped when
/// it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    octets: Zeroizing<[u8; LONGEST]>,
    mki: Vec<u8>,
}

impl MasterKey {
    /// What it is for.
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// The master key and, behind it, the master salt; as long as [`Suite::length`] says.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.suite.length()).unwrap_or_default()
    }

    /// The identifier that its owner writes into every packet (RFC 3711 §3.1); mostly empty.
    pub fn mki(&self) -> &[u8] {
        &self.mki
    }

    /// Reads `base64[|lifetime][|MKI:length]` (RFC 4568 §6.1).
    fn parse(suite: Suite, text: &str) -> Option<MasterKey> {
        let mut parts = text.split('|');
        let mut octets = Zeroizing::new([0; LONGEST]);
        // A decoder may write a last group of three octets before it knows how many there are.
        let mut room = Zeroizing::new([0; LONGEST + 2]);
        let length = BASE64.decode_slice(parts.next()?, &mut *room).ok()?;
        if length != suite.length() {
            return None;
        }
        octets.iter_mut().zip(room.iter()).take(length).for_each(|(to, from)| *to = *from);
        let mut mki = Vec::new();
        let mut last = parts.next();
        if let Some(lifetime) = last.filter(|part| !part.contains(':')) {
            is_lifetime(lifetime).then_some(())?;
            last = parts.next();
        }
        if let Some(identifier) = last {
            mki = identifier_of(identifier)?;
        }
        parts.next().is_none().then_some(MasterKey { suite, octets, mki })
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, …)", self.suite.name())
    }
}

/// Some write the padding of base64 and some do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `2^31` or `1048576`: how many packets a key is good for, from 1 to 2^48. Its owner renews it in
/// time; we read it to know that the line is whole.
fn is_lifetime(text: &str) -> bool {
    let packets = match text.strip_prefix("2^") {
        Some(power) => number(power.as_bytes()).and_then(|power| 1_u64.checked_shl(power)),
        None if text.bytes().all(|octet| octet.is_ascii_digit()) => text.parse().ok(),
        None => None,
    };
    packets.is_some_and(|packets| (1..=LONGEST_LIFE).contains(&packets))
}

/// `1:4`: the number, in so many octets.
fn identifier_of(text: &str) -> Option<Vec<u8>> {
    let (value, length) = text.split_once(':')?;
    let length = usize::try_from(number(length.as_bytes())?).ok()?;
    let digits = !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit());
    let value: u128 = digits.then(|| value.parse().ok())??;
    let octets = value.to_be_bytes();
    let start = LONGEST_MKI.checked_sub(length).filter(|start| *start < LONGEST_MKI)?;
    let (before, shown) = octets.split_at_checked(start)?;
    before.iter().all(|octet| *octet == 0).then(|| shown.to_vec())
}

/// The line of a key of ours.
pub(crate) fn line(tag: u32, key: &MasterKey) -> Zeroizing<String> {
    let key_and_salt = Zeroizing::new(BASE64.encode(key.octets()));
    Zeroizing::new(format!("a=crypto:{tag} {} inline:{}\r\n", key.suite.name(), *key_and_salt))
}

/// A line that we can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, which an answer repeats.
    pub(crate) tag: u32,
    /// The key of whoever wrote it.
    pub(crate) key: MasterKey,
}

impl Line {
    /// Reads `tag suite inline:… [parameters]` (RFC 4568 §9.2). `None`: it cannot be read, or asks for
    /// something that we do not do: F8, two keys at a time, key derivation rates, packets without
    /// encryption or without authentication. Such a line is passed over (§5.1.2).
    fn parse(value: &[u8]) -> Option<Line> {
        let text = std::str::from_utf8(value).ok()?;
        let mut words = text.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9)?;
        let tag = number(tag.as_bytes())?;
        let suite = Suite::named(words.next()?)?;
        let (method, info) = words.next()?.split_once(':')?;
        let inline = method.eq_ignore_ascii_case("inline");
        let key = MasterKey::parse(suite, info).filter(|_| inline)?;
        words.all(is_harmless).then_some(Line { tag, key })
    }
}

/// Whether a session parameter changes nothing: a window size is a hint (RFC 4568 §6.3.6), and what
/// begins with `-` may be passed over (§6.3.7).
fn is_harmless(parameter: &str) -> bool {
    let window = parameter.strip_prefix("WSH=").and_then(|size| number(size.as_bytes()));
    parameter.starts_with('-') || window.is_some_and(|size| size >= 64)
}

/// The lines of a description that can be used, in their order. Of two with the same tag only the
/// first can be answered.
pub(crate) fn usable(media: &Media) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for line in media.section.attributes("crypto").filter_map(Line::parse) {
        if lines.iter().all(|known| known.tag != line.tag) {
            lines.push(line);
        }
    }
    lines
}

/// Whether there are any such lines, good or bad.
pub(crate) fn has_lines(media: &Media) -> bool {
    media.section.attributes("crypto").next().is_some()
}

/// The one line of an answer; `None` when there is another number of them, or it cannot be read.
pub(crate) fn answered(media: &Media) -> Option<Line> {
    let mut all = media.section.attributes("crypto");
    let line = Line::parse(all.next()?)?;
    all.next().is_none().then_some(line)
}

/// How an audio line carries sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// `RTP/AVP`: plain, or with keys beside it (RFC 8643).
    Avp,
    /// `RTP/SAVP`: SRTP.
    Savp,
}

impl Profile {
    pub(crate) fn of(media: &Media) -> Option<Profile> {
        [Profile::Avp, Profile::Savp]
            .into_iter()
            .find(|profile| media.protocol.eq_ignore_ascii_case(profile.name().as_bytes()))
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Profile::Avp => "RTP/AVP",
            Profile::Savp => "RTP/SAVP",
        }
    }
}

/// Our own keys in one dialog, all drawn from one secret.
///
/// Every suite has its own, so that a key never serves two ciphers; and [`Keyring::renew`] takes fresh
/// ones, because who moves its sound elsewhere may not know how far the old ones have counted
/// (RFC 4568 §7.1.4).
#[derive(Clone)]
pub struct Keyring {
    seed: Zeroizing<[u8; 32]>,
    generation: u32,
}

impl Keyring {
    /// Keys from 32 octets that nobody can guess and that nothing else uses.
    pub fn new(seed: [u8; 32]) -> Keyring {
        Keyring { seed: Zeroizing::new(seed), generation: 0 }
    }

    pub(crate) fn renew(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }

    /// Our key for a suite: HMAC-SHA512 over which one it is, under the secret.
    pub(crate) fn key(&self, suite: Suite) -> MasterKey {
        let mut drawn = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, &*self.seed));
        drawn.update(b"SDES ");
        drawn.update(&self.generation.to_be_bytes());
        drawn.update(suite.name().as_bytes());
        let mut octets = Zeroizing::new([0; LONGEST]);
        let drawn = drawn.sign();
        octets
            .iter_mut()
            .zip(drawn.as_ref())
            .take(suite.length())
            .for_each(|(to, from)| *to = *from);
        MasterKey { suite, octets, mki: Vec::new() }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(generation {})", self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Description;

    /// 30 octets in base64.
    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    fn read(value: &str) -> Option<Line> {
        Line::parse(value.as_bytes())
    }

    fn cm(key: &str) -> Option<Line> {
        read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{key}"))
    }

    #[test]
    fn s_03_the_line_of_the_rfc_is_read() {
        // RFC 4568 §4.1 and §9.1.
        let line =
            read(&format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4 -EXTENSION=7 WSH=128"))
                .unwrap();
        assert_eq!((line.tag, line.key.suite()), (1, Suite::AesCm128Sha1_80));
        assert_eq!(line.key.octets(), b"YS___semctl () {\t220;}\n}\nunles");
        assert_eq!(line.key.mki(), [0, 0, 0, 1]);
    }

    #[test]
    fn s_03_every_suite_is_read_with_a_key_of_its_length_and_no_other() {
        for suite in Suite::ALL {
            for octets in [15, 28, 29, 30, 31, 44, 45, 46, 47, 64] {
                let key = BASE64.encode(vec![7_u8; octets]);
                let name = suite.name().to_lowercase();
                let line = read(&format!("007 {name} INLINE:{key}"));
                assert_eq!(line.is_some(), octets == suite.length(), "{suite:?} {octets}");
                let bare = key.trim_end_matches('=');
                let unpadded = read(&format!("7 {name} inline:{bare}"));
                assert_eq!(unpadded.map(|line| line.key), line.map(|line| line.key));
            }
        }
    }

    #[test]
    fn s_03_lifetime_and_identifier_are_read_in_all_their_forms() {
        for good in ["", "|2^31", "|1048576", "|2^48", "|1:1", "|2^31|1:1", "|255:16", "|256:2"] {
            assert!(cm(&format!("{KEY}{good}")).is_some(), "{good}");
        }
        let bad = [
            "|",
            "|2^49",
            "|2^64",
            "|0",
            "|2^",
            "|x",
            "|-1",
            "|1:0",
            "|1:17",
            "|256:1",
            "|:1",
            "|1:",
            "|2^31|",
            "|1:1|2^31",
            "|2^31|1:1|",
            "|2^20|2^20",
            ";inline:x",
        ];
        for bad in bad {
            assert_eq!(cm(&format!("{KEY}{bad}")), None, "{bad}");
        }
    }

    #[test]
    fn s_03_faults_of_syntax_and_what_would_weaken_the_call_are_passed_over() {
        let faulty = [
            String::new(),
            "1".to_owned(),
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("-1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 NULL inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline {KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 http:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", &KEY[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}*", &KEY[1..]),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTCP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNAUTHENTICATED_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} FEC_ORDER=FEC_SRTP"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} WSH=63"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} unheard-of"),
        ];
        for line in faulty {
            assert_eq!(read(&line), None, "{line}");
        }
        assert_eq!(Line::parse(b"1 AES_CM_128_HMAC_SHA1_80 inline:\xff"), None);
    }

    #[test]
    fn s_03_the_good_lines_are_taken_in_their_order_and_a_tag_counts_once() {
        let text = format!(
            "v=0\r\nm=audio 4000 RTP/SAVP 8\r\na=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}\r\n\
             a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}\r\na=crypto:2 \
             AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\na=Crypto: 3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}\r\n"
        );
        let audio = Description::parse(text.as_bytes()).unwrap().media.remove(0);
        let found: Vec<_> =
            usable(&audio).into_iter().map(|line| (line.tag, line.key.suite())).collect();
        assert_eq!(found, [(2, Suite::AesCm128Sha1_32), (3, Suite::AesCm128Sha1_80)]);
        assert_eq!(answered(&audio), None, "an answer has one line");
    }

    #[test]
    fn s_03_what_we_write_is_read_back() {
        let keys = Keyring::new([9; 32]);
        for suite in Suite::ALL {
            let key = keys.key(suite);
            let text = line(4, &key);
            let value = text.strip_prefix("a=crypto:").unwrap().trim_end();
            assert_eq!(read(value), Some(Line { tag: 4, key }));
        }
    }

    #[test]
    fn every_suite_and_every_generation_has_a_key_of_its_own() {
        let mut ring = Keyring::new([1; 32]);
        let mut seen = Vec::new();
        for _ in 0..3 {
            for suite in Suite::ALL {
                let key = ring.key(suite);
                assert_eq!(key, ring.key(suite), "it stands still");
                assert!(key.octets().iter().any(|octet| *octet != 0));
                let first = key.octets()[..16].to_vec();
                assert!(!seen.contains(&first));
                seen.push(first);
            }
            ring.renew();
        }
        let other = Keyring::new([2; 32]).key(Suite::AesGcm128);
        assert_ne!(other, Keyring::new([1; 32]).key(Suite::AesGcm128));
    }

    #[test]
    fn s_06_nothing_prints_a_key() {
        let ring = Keyring::new([0x41; 32]);
        let line = cm(KEY).unwrap();
        let shown = format!("{ring:?} {line:?} {:?}", ring.key(Suite::AesGcm256));
        assert!(!shown.contains("41") && !shown.contains("65") && !shown.contains("89"), "{shown}");
        assert!(!shown.contains(KEY), "{shown}");
    }
}
