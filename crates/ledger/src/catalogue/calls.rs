//! A call in the catalogue, and its ladder: what was sent and decided, step by step.

use std::fmt::{self, Write as _};

use call::{CallId, Digest, Direction, LineId, PolicyId, TenantId, Time, Words, named};

use super::quality::CallQuality;

named!(
    /// Who stands at one side of a step of the ladder.
    Station {
        /// The carrier's side, where the customer is.
        Trunk = "trunk",
        /// This node.
        Node = "node",
        /// The PBX, where the agent is.
        Pbx = "pbx",
        /// The recorder of this node.
        Recorder = "recorder",
    }
);

/// Why a text cannot stand in a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelError {
    /// It is empty or longer than [`LadderStep::LABEL_MAX`] bytes. The number is its length.
    Length(usize),
    /// It could hold an address or a number: an `@`, or five digits in a row, at this byte.
    Personal(usize),
    /// It is more than one line: a control character stands at this byte.
    Line(usize),
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(length) => {
                write!(f, "a ladder label has {length} bytes; use 1 to {}", LadderStep::LABEL_MAX)
            }
            Self::Personal(place) => write!(
                f,
                "a ladder label could hold an address or number at byte {place}; name the message \
                 and its status only"
            ),
            Self::Line(place) => {
                write!(f, "a ladder label breaks its line at byte {place}; write it on one")
            }
        }
    }
}

impl std::error::Error for LabelError {}

/// One step of a call: a message with its status, or an event of the dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderStep {
    /// When.
    pub at: Time,
    /// From whom.
    pub from: Station,
    /// To whom; the same station for something it did by itself.
    pub to: Station,
    label: Box<str>,
}

impl LadderStep {
    /// The longest label, in bytes.
    pub const LABEL_MAX: usize = 80;

    /// A step labelled, for example, `INVITE`, `180 Ringing` or `notice heard`.
    ///
    /// # Errors
    /// [`LabelError`] when the label is too long or could hold an address or a number: a ladder
    /// outlives the recording and holds no personal data.
    pub fn new(at: Time, from: Station, to: Station, label: &str) -> Result<Self, LabelError> {
        if label.is_empty() || label.len() > Self::LABEL_MAX {
            return Err(LabelError::Length(label.len()));
        }
        let mut digits = 0;
        for (place, byte) in label.bytes().enumerate() {
            digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
            if byte == b'@' || digits == 5 {
                return Err(LabelError::Personal(place));
            }
            if byte.is_ascii_control() {
                return Err(LabelError::Line(place));
            }
        }
        Ok(Self { at, from, to, label: label.into() })
    }

    /// What happened.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// A ladder as it is stored: a line for each step, with its moment in microseconds.
    pub(crate) fn write(steps: &[Self]) -> String {
        let mut text = String::with_capacity(steps.len() * 40);
        for Self { at, from, to, label } in steps {
            let _infallible = writeln!(text, "{} {from} {to} {label}", at.as_micros());
        }
        text
    }

    /// Reads what [`LadderStep::write`] wrote; `None` when a line of it is damaged.
    pub(crate) fn read(text: &str) -> Option<Vec<Self>> {
        text.lines().map(Self::read_line).collect()
    }

    fn read_line(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        let at = Time::from_micros(words.next()?.parse().ok()?);
        let from = Station::from_name(words.next()?)?;
        let to = Station::from_name(words.next()?)?;
        Self::new(at, from, to, words.next()?).ok()
    }
}

/// The configured line of a call and the policy it began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLine {
    /// Whose line it is.
    pub tenant: TenantId,
    /// The line.
    pub line: LineId,
    /// The policy's name.
    pub policy: PolicyId,
    /// Its version.
    pub policy_version: u32,
    /// Its hash.
    pub policy_hash: Digest,
}

/// A call that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    /// The call.
    pub call: CallId,
    /// Who called whom.
    pub direction: Direction,
    /// Its line; `None` for a number that no line wants.
    pub line: Option<CallLine>,
}

/// By what other systems know a call (flows rows R-14, O-08). Nothing here is personal: the Call-ID
/// of the side that called may hold an address, so that only its keyed hash is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallNames {
    /// Keyed hash of the Call-ID of the side that called.
    pub near_key: Option<Digest>,
    /// The Call-ID of the side that was called, which is ours and random.
    pub far_call_id: Option<Box<str>>,
    /// The ends of the Session-ID (RFC 7989): of the side that called and of the other one.
    pub session: Option<[Box<str>; 2]>,
}

/// What a call leaves in the catalogue when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallEnd {
    /// The call.
    pub call: CallId,
    /// The three words.
    pub words: Words,
    /// Who sent what to whom.
    pub ladder: Vec<LadderStep>,
    /// By what other systems know it.
    pub names: CallNames,
    /// How its sound was, if that is known.
    pub quality: Option<CallQuality>,
}

/// A call as the catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// What was known when it began.
    pub call: NewCall,
    /// When it began.
    pub opened_at: Time,
    /// When it ended; `None` while it runs, or after a crash until it is reconciled.
    pub closed_at: Option<Time>,
    /// The three words it ended with.
    pub words: Option<Words>,
    /// By what other systems know it; empty until it has ended.
    pub names: CallNames,
    /// How its sound was, once it has ended and if that is known.
    pub quality: Option<CallQuality>,
}

/// Which calls to list. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only those opened at or after this moment.
    pub since: Option<Time>,
    /// Only those opened before this moment.
    pub before: Option<Time>,
    /// At most this many; 0 means 1,000, which is also the most.
    pub limit: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(label: &str) -> Result<LadderStep, LabelError> {
        LadderStep::new(Time::default(), Station::Trunk, Station::Node, label)
    }

    #[test]
    fn a_ladder_takes_messages_and_events() {
        for label in ["INVITE", "503 Service Unavailable", "Reason: Q.850;cause=17", "notice 8000"]
        {
            assert_eq!(step(label).map(|step| step.label().to_owned()), Ok(label.to_owned()));
        }
    }

    #[test]
    fn a_ladder_takes_no_number_and_no_address() {
        assert_eq!(step("INVITE +31201234567"), Err(LabelError::Personal(12)));
        assert_eq!(step("From: alice@example.nl"), Err(LabelError::Personal(11)));
        assert_eq!(step(""), Err(LabelError::Length(0)));
        assert_eq!(step(&"x".repeat(81)), Err(LabelError::Length(81)));
        assert_eq!(step("BYE\n1 node"), Err(LabelError::Line(3)));
    }

    #[test]
    fn a_ladder_reads_back_as_it_was_written() {
        let steps = ["INVITE", "200 OK", "notice  8000 "].map(|label| step(label).unwrap());
        assert_eq!(LadderStep::read(&LadderStep::write(&steps)).as_deref(), Some(&steps[..]));
        assert_eq!(LadderStep::read(""), Some(Vec::new()));
        for damaged in ["0 trunk node", "x trunk node BYE", "0 moon node BYE", "0 trunk node "] {
            assert_eq!(LadderStep::read(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn names_read_back() {
        assert!(Station::ALL.iter().all(|s| Station::from_name(s.as_str()) == Some(*s)));
        assert_eq!(Station::from_name("elsewhere"), None);
    }
}
