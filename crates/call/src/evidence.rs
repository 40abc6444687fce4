//! Evidence of a decision (GDPR Art. 7(1)): what was heard, what was pressed, when, under which
//! policy.

use crate::{
    CallId, Digest, Ground, Key, Language, LineId, PolicyId, Private, Purposes, RecordingId,
    TenantId, Time, encoding::Encoder, policy::PromptId, prompt::Prompt,
};

/// By which way a key press arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Telephone-event packets (RFC 4733).
    Rfc4733,
    /// SIP INFO.
    Info,
    /// Tones in the audio.
    Inband,
}

impl Transport {
    /// The name used in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc4733 => "rfc4733",
            Self::Info => "info",
            Self::Inband => "inband",
        }
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
        let mut text = Encoder::new("jawoord/evidence/v1");
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
            text.field(
                "press",
                format_args!(
                    "{} at={} transport={}",
                    press.key.reveal().reveal(),
                    press.at.as_micros(),
                    press.transport.as_str()
                ),
            );
        }
        text.field("decided-at", self.decided_at.as_micros());
        text.finish()
    }
}
