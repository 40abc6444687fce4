//! The manifest: what a recording is and for how long it may exist, as signed, readable text.
//!
//! It holds no number, name or digit: parties appear as keyed hashes only. It never names the key
//! slip, which changes with every erasure and rotation while the manifest does not.

use std::{fmt, fmt::Write};

use call::{
    CallId, Consent, Digest, Direction, Ground, LineId, Outcome, PolicyId, Purpose, Purposes,
    RecordingId, TenantId, Time, Verdict, Words,
};

use crate::{codec::Codec, residency::Country, secret::sha256};

const TITLE: &str = "jawoord/manifest/v1";
/// What the signature is made over begins with this, so that no other signed text can stand in.
const DOMAIN: &[u8] = b"jawoord/v1/manifest\0";

/// The retention tags of a recording (GDPR Art. 5(1)(e), 5(2), 30): why it exists and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The recording.
    pub recording: RecordingId,
    /// The call it belongs to.
    pub call: CallId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The line.
    pub line: LineId,
    /// Who called whom.
    pub direction: Direction,
    /// What it may be used for.
    pub purposes: Purposes,
    /// The legal ground.
    pub ground: Ground,
    /// SHA-256 of the evidence of the decision.
    pub evidence: Digest,
    /// The policy's name.
    pub policy: PolicyId,
    /// The policy's version.
    pub policy_version: u32,
    /// The policy's hash.
    pub policy_hash: Digest,
    /// The retention class.
    pub retention_class: Box<str>,
    /// When it is to be deleted.
    pub delete_after: Time,
    /// Whether a hold stood on it when it was sealed.
    pub hold: bool,
    /// Where its store is.
    pub storage_country: Country,
    /// Whose store it is.
    pub storage_provider: Box<str>,
    /// When its first sample was heard.
    pub started_at: Time,
    /// The three words, as known when it was sealed.
    pub words: Words,
    /// Keyed hash of the customer's number.
    pub customer_key: Option<Digest>,
    /// Keyed hash of the agent's number.
    pub agent_key: Option<Digest>,
}

/// The manifest: the tags and what binds them to the sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The retention tags.
    pub tags: Tags,
    /// Coding of the customer's and the agent's channel at the start, or with 16,000 samples a second if
    /// any second of it has them; `None` without any sound.
    pub codecs: Option<[Codec; 2]>,
    /// Length in samples at 8,000 Hz.
    pub samples: u64,
    /// Samples known to be missing, over both channels.
    pub missing_samples: u64,
    /// Rows of the chunk table.
    pub rows: u32,
    /// RFC 6962 root of the rows.
    pub root: Digest,
}

/// Why a text is no manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// It does not begin as one, is not UTF-8, or goes on where it should end.
    Form,
    /// This field is missing, out of place or unreadable.
    Field(&'static str),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("the manifest is damaged"),
            Self::Field(name) => write!(f, "the manifest's field {name} is damaged"),
        }?;
        f.write_str("; compare the object with another copy of it")
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// The text: one `name value` line per field, always in this order.
    #[must_use]
    pub fn encode(&self) -> String {
        let tags = &self.tags;
        let mut text = format!("{TITLE}\n");
        let mut line = |name: &str, value: &dyn fmt::Display| put(&mut text, name, value);
        line("recording", &tags.recording);
        line("call", &tags.call);
        line("tenant", &tags.tenant);
        line("line", &tags.line);
        line("direction", &tags.direction.as_str());
        line("purposes", &tags.purposes);
        line("ground", &tags.ground);
        line("evidence", &tags.evidence);
        line("policy", &tags.policy);
        line("policy-version", &tags.policy_version);
        line("policy-hash", &tags.policy_hash);
        line("retention-class", &tags.retention_class);
        line("delete-after", &tags.delete_after.as_micros());
        line("hold", &tags.hold);
        line("storage-country", &tags.storage_country);
        line("storage-provider", &tags.storage_provider);
        line("started-at", &tags.started_at.as_micros());
        line("consent", &tags.words.consent);
        line("outcome", &tags.words.outcome);
        line("verdict", &tags.words.verdict);
        line("customer-key", &Maybe(tags.customer_key));
        line("agent-key", &Maybe(tags.agent_key));
        let [customer, agent] = match self.codecs {
            Some(codecs) => codecs.map(|codec| Maybe(Some(codec))),
            None => [Maybe(None), Maybe(None)],
        };
        line("customer-codec", &customer);
        line("agent-codec", &agent);
        line("samples", &self.samples);
        line("missing-samples", &self.missing_samples);
        line("rows", &self.rows);
        line("root", &self.root);
        text
    }

    /// Reads a manifest. There is one text for each manifest: what is read encodes to the same.
    ///
    /// # Errors
    /// [`ManifestError`] names the first field that does not fit.
    pub fn decode(text: &[u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(text).map_err(|_| ManifestError::Form)?;
        let mut lines = Lines(text);
        if lines.next() != Some(TITLE) {
            return Err(ManifestError::Form);
        }
        let tags = lines.tags()?;
        let customer = lines.maybe("customer-codec", Codec::from_name)?;
        let agent = lines.maybe("agent-codec", Codec::from_name)?;
        let manifest = Self {
            tags,
            codecs: customer.zip(agent).map(|(customer, agent)| [customer, agent]),
            samples: lines.parsed("samples")?,
            missing_samples: lines.parsed("missing-samples")?,
            rows: lines.parsed("rows")?,
            root: lines.parsed("root")?,
        };
        if manifest.encode() == text { Ok(manifest) } else { Err(ManifestError::Form) }
    }

    /// What is signed: a domain prefix and the text.
    #[must_use]
    pub fn signed_message(text: &[u8]) -> Vec<u8> {
        [DOMAIN, text].concat()
    }

    /// SHA-256 of what is signed: the manifest's hash in facts.
    #[must_use]
    pub fn hash(&self) -> Digest {
        sha256(&[DOMAIN, self.encode().as_bytes()])
    }
}

struct Maybe<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Maybe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("none"),
        }
    }
}

/// Control characters and `%` in a value are written `%XX`, so that no value can pretend to be a
/// field.
fn put(text: &mut String, name: &str, value: &dyn fmt::Display) {
    text.push_str(name);
    text.push(' ');
    for c in value.to_string().chars() {
        if c == '%' || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                let _never_fails = write!(text, "%{byte:02X}");
            }
        } else {
            text.push(c);
        }
    }
    text.push('\n');
}

struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.0.split_once('\n')?;
        self.0 = rest;
        Some(line)
    }

    fn value(&mut self, name: &'static str) -> Result<&'a str, ManifestError> {
        self.next()
            .and_then(|line| line.strip_prefix(name)?.strip_prefix(' '))
            .ok_or(ManifestError::Field(name))
    }

    fn with<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ManifestError> {
        read(self.value(name)?).ok_or(ManifestError::Field(name))
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &'static str) -> Result<T, ManifestError> {
        self.with(name, |value| value.parse().ok())
    }

    fn maybe<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ManifestError> {
        self.with(name, |value| match value {
            "none" => Some(None),
            value => read(value).map(Some),
        })
    }

    fn time(&mut self, name: &'static str) -> Result<Time, ManifestError> {
        self.parsed(name).map(Time::from_micros)
    }

    fn tags(&mut self) -> Result<Tags, ManifestError> {
        Ok(Tags {
            recording: self.parsed("recording")?,
            call: self.parsed("call")?,
            tenant: self.parsed("tenant")?,
            line: self.parsed("line")?,
            direction: self.with("direction", Direction::from_name)?,
            purposes: self.with("purposes", purposes)?,
            ground: self.with("ground", Ground::from_name)?,
            evidence: self.parsed("evidence")?,
            policy: self.parsed("policy")?,
            policy_version: self.parsed("policy-version")?,
            policy_hash: self.parsed("policy-hash")?,
            retention_class: self.with("retention-class", unescape)?,
            delete_after: self.time("delete-after")?,
            hold: self.parsed("hold")?,
            storage_country: self.with("storage-country", Country::new)?,
            storage_provider: self.with("storage-provider", unescape)?,
            started_at: self.time("started-at")?,
            words: Words {
                consent: self.with("consent", Consent::from_name)?,
                outcome: self.with("outcome", Outcome::from_name)?,
                verdict: self.with("verdict", Verdict::from_name)?,
            },
            customer_key: self.maybe("customer-key", |value| value.parse().ok())?,
            agent_key: self.maybe("agent-key", |value| value.parse().ok())?,
        })
    }
}

fn purposes(value: &str) -> Option<Purposes> {
    value.split(',').filter(|name| !name.is_empty()).map(Purpose::from_name).collect()
}

fn unescape(value: &str) -> Option<Box<str>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok().map(String::into_boxed_str)
}
