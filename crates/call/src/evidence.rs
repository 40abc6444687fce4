//! Evidence of a decision (GDPR Art. 7(1)): what was heard, what was pressed, when, under which
//! policy.

use std::fmt;

use crate::{
    CallId, Digest, Ground, Key, Language, LineId, PolicyId, Private, Purposes, RecordingId,
    TenantId, Time, encoding::Encoder, named, policy::PromptId, prompt::Prompt,
};

/// The first line of the text, which names its form.
const TITLE: &str = "jawoord/evidence/v1";

named!(
    /// By which way a key press arrived. The names are those used in evidence.
    Transport {
        /// Telephone-event packets (RFC 4733).
        Rfc4733 = "rfc4733",
        /// SIP INFO.
        Info = "info",
        /// Tones in the audio.
        Inband = "inband",
    }
);

/// The bytes by which a key press came, as they were received (deciphered, under SRTP): the fixed
/// RTP header and the event of the first packet (RFC 3550 §5.1, RFC 4733 §2.3), or the beginning of
/// the body of a SIP INFO. Of a tone there are none: it is heard, not sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Raw {
    bytes: [u8; Self::MAX],
    length: u8,
}

impl Raw {
    /// How many bytes are kept at most: more than a body of `application/dtmf-relay` needs.
    pub const MAX: usize = 48;
    /// No bytes.
    pub const NONE: Self = Self { bytes: [0; Self::MAX], length: 0 };

    /// Keeps the first [`Raw::MAX`] of these bytes.
    #[must_use]
    pub fn new(from: &[u8]) -> Self {
        let mut raw = Self::NONE;
        for (to, from) in raw.bytes.iter_mut().zip(from) {
            *to = *from;
            raw.length += 1;
        }
        raw
    }

    /// The bytes. They tell the key: reveal them only where they are sealed or proved.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.length == 0
    }
}

/// One key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// Which key.
    pub key: Private<Key>,
    /// When its first packet arrived.
    pub at: Time,
    /// How it arrived.
    pub transport: Transport,
    /// What arrived.
    pub raw: Private<Raw>,
}

/// A prompt and how much of it was sent to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptHeard {
    /// Which prompt.
    pub prompt: Prompt,
    /// Which audio.
    pub id: PromptId,
    /// When its first sample was sent.
    pub from: Time,
    /// When its last sample was sent.
    pub until: Time,
    /// How many samples at 8,000 Hz were sent.
    pub samples: u32,
    /// Whether that was all of it.
    pub whole: bool,
}

/// Everything that proves one decision. It exists before the permit does and is committed first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The call.
    pub call: CallId,
    /// The recording that the decision allows.
    pub recording: RecordingId,
    /// Whose line it is.
    pub tenant: TenantId,
    /// The line.
    pub line: LineId,
    /// The policy's name.
    pub policy: PolicyId,
    /// The policy's version.
    pub policy_version: u32,
    /// The policy's hash.
    pub policy_hash: Digest,
    /// The ground.
    pub ground: Ground,
    /// The purposes that were named and granted.
    pub purposes: Purposes,
    /// The language in which the customer was asked.
    pub language: Language,
    /// What was played, in order.
    pub prompts: Vec<PromptHeard>,
    /// What was pressed, in order.
    pub presses: Vec<Press>,
    /// When the decision counted.
    pub decided_at: Time,
}

impl Evidence {
    /// The stable text whose SHA-256 is the evidence hash. It holds the keys that were pressed, so
    /// it is stored as personal data and never logged.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut text = Encoder::new(TITLE);
        text.field("call", self.call);
        text.field("recording", self.recording);
        text.field("tenant", &self.tenant);
        text.field("line", &self.line);
        text.field("policy", &self.policy);
        text.field("policy-version", self.policy_version);
        text.field("policy-hash", self.policy_hash);
        text.field("ground", self.ground);
        text.field("purposes", self.purposes);
        text.field("language", self.language);
        for heard in &self.prompts {
            text.field(
                "prompt",
                format_args!(
                    "{} version={} sha256={} from={} until={} samples={} whole={}",
                    heard.prompt,
                    heard.id.version,
                    heard.id.sha256,
                    heard.from.as_micros(),
                    heard.until.as_micros(),
                    heard.samples,
                    heard.whole
                ),
            );
        }
        for press in &self.presses {
            text.field("press", Written(press));
        }
        text.field("decided-at", self.decided_at.as_micros());
        text.finish()
    }

    /// Reads the text back; `None` unless it is, byte for byte, what [`Evidence::encode`] writes.
    #[must_use]
    pub fn decode(text: &[u8]) -> Option<Self> {
        let lines = str::from_utf8(text).ok()?.strip_prefix(TITLE)?.strip_prefix('\n')?;
        let one = |name: &'static str| values(lines, name).next();
        let evidence = Self {
            call: one("call")?.parse().ok()?,
            recording: one("recording")?.parse().ok()?,
            tenant: TenantId::new(one("tenant")?).ok()?,
            line: LineId::new(one("line")?).ok()?,
            policy: PolicyId::new(one("policy")?).ok()?,
            policy_version: one("policy-version")?.parse().ok()?,
            policy_hash: one("policy-hash")?.parse().ok()?,
            ground: Ground::from_name(one("ground")?)?,
            purposes: Purposes::from_names(one("purposes")?)?,
            language: Language::new(one("language")?)?,
            prompts: values(lines, "prompt").map(prompt).collect::<Option<_>>()?,
            presses: values(lines, "press").map(press).collect::<Option<_>>()?,
            decided_at: moment(one("decided-at")?)?,
        };
        (evidence.encode() == text).then_some(evidence)
    }
}

/// A press as it stands in evidence. What has no raw bytes has no word about them.
struct Written<'a>(&'a Press);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Press { key, at, transport, raw } = self.0;
        write!(f, "{} at={} transport={transport}", key.reveal().reveal(), at.as_micros())?;
        if raw.reveal().is_none() {
            return Ok(());
        }
        f.write_str(" raw=")?;
        raw.reveal().reveal().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn values<'a>(lines: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    lines.split('\n').filter_map(move |line| line.strip_prefix(name)?.strip_prefix(' '))
}

/// The value of `name=value` among the words of a line.
fn part<'a>(words: &'a str, name: &str) -> Option<&'a str> {
    words.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

fn moment(text: &str) -> Option<Time> {
    text.parse().ok().map(Time::from_micros)
}

fn prompt(words: &str) -> Option<PromptHeard> {
    Some(PromptHeard {
        prompt: Prompt::from_name(words.split(' ').next()?)?,
        id: PromptId {
            version: part(words, "version")?.parse().ok()?,
            sha256: part(words, "sha256")?.parse().ok()?,
        },
        from: moment(part(words, "from")?)?,
        until: moment(part(words, "until")?)?,
        samples: part(words, "samples")?.parse().ok()?,
        whole: part(words, "whole")?.parse().ok()?,
    })
}

fn press(words: &str) -> Option<Press> {
    let hex = part(words, "raw").unwrap_or_default();
    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let raw = (0..hex.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
    Some(Press {
        key: Private::new(Key::new(words.chars().next()?).ok()?),
        at: moment(part(words, "at")?)?,
        transport: Transport::from_name(part(words, "transport")?)?,
        raw: Private::new(Raw::new(&raw)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        let prompt = |prompt, whole| PromptHeard {
            prompt,
            id: PromptId { version: 3, sha256: Digest::from_bytes([7; 32]) },
            from: Time::from_micros(10),
            until: Time::from_micros(20),
            samples: 80,
            whole,
        };
        let press = |key, transport, raw: &[u8]| Press {
            key: Private::new(Key::new(key).unwrap()),
            at: Time::from_micros(30),
            transport,
            raw: Private::new(Raw::new(raw)),
        };
        Evidence {
            call: CallId::from_bytes([1; 16]),
            recording: RecordingId::from_bytes([2; 16]),
            tenant: TenantId::new("acme").unwrap(),
            line: LineId::new("sales").unwrap(),
            policy: PolicyId::new("ask").unwrap(),
            policy_version: 4,
            policy_hash: Digest::from_bytes([9; 32]),
            ground: Ground::Consent,
            purposes: [crate::Purpose::Quality, crate::Purpose::Training].into_iter().collect(),
            language: Language::new("nl").unwrap(),
            prompts: vec![prompt(Prompt::Notice, true), prompt(Prompt::WrongKey, false)],
            presses: vec![
                press('*', Transport::Inband, b""),
                press('#', Transport::Info, b"Signal=#\r\nDuration=160\r\n"),
                press('1', Transport::Rfc4733, &[0x80, 0xe5, 0, 1, 0xff]),
            ],
            decided_at: Time::from_micros(40),
        }
    }

    #[test]
    fn l_07_evidence_reads_back_with_every_press_as_it_came() {
        let evidence = evidence();
        let text = evidence.encode();
        assert_eq!(Evidence::decode(&text), Some(evidence));
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("\npress * at=30 transport=inband\n"), "{text}");
        assert!(text.contains("\npress 1 at=30 transport=rfc4733 raw=80e50001ff\n"), "{text}");
    }

    #[test]
    fn evidence_that_nobody_would_write_so_is_not_read() {
        let text = String::from_utf8(evidence().encode()).unwrap();
        for (from, to) in [
            ("samples=80", "samples=080"),
            ("raw=80", "raw=8"),
            ("raw=80e5", "raw=80E5"),
            ("evidence/v1", "evidence/v2"),
            ("whole=true", "whole=yes"),
            ("language nl", "language NL"),
            ("decided-at 40\n", "decided-at 40\nremark none\n"),
            ("line sales\n", ""),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text, "{from}");
            assert_eq!(Evidence::decode(other.as_bytes()), None, "{to}");
        }
    }

    #[test]
    fn what_came_is_kept_to_its_limit_and_never_shown() {
        let long = Raw::new(&[b'x'; 60]);
        assert_eq!((long.reveal().len(), long.is_none()), (Raw::MAX, false));
        assert!(Raw::new(b"").is_none() && Raw::new(b"").reveal().is_empty());
        assert!(!format!("{:?}", evidence()).contains("229"), "the bytes of a press are shown");
    }
}
