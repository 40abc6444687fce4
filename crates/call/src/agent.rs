//! Who of the house talks to the customer, as far as anybody says so: what a queue, a menu or a hold that
//! no re-INVITE tells of is known by (law row L03).

use std::fmt;

use crate::{AgentId, named};

named!(
    /// From when on a line's calls are recorded.
    RecordFrom {
        /// From the answer on. What a queue, a menu or a hold plays is recorded where the PBX does not
        /// tell of it.
        Answer = "answer",
        /// While an agent is known to talk to the customer, and never otherwise.
        Agent = "agent",
    }
);

named!(
    /// Who says that an agent is there, or is not.
    AgentSource {
        /// A program of the house, by HTTP or on the command line.
        Api = "api",
        /// The manager of an Asterisk.
        Ami = "ami",
        /// The PBX, in a message of the call.
        Sip = "sip",
    }
);

/// Why a text is not the name of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueError;

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this is not the name of a queue; use 1 to 32 letters, digits, '-', '_' and '.', and at most \
             four digits in a row",
        )
    }
}

impl std::error::Error for QueueError {}

/// The name of a queue: 1 to 32 letters, digits, `-`, `_` and `.`, and no number of anybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Queue {
    length: u8,
    letters: [u8; Self::LONGEST],
}

impl Queue {
    /// The longest name, in bytes.
    pub const LONGEST: usize = 32;
    /// A longer row of digits could be somebody's number.
    const DIGITS: usize = 4;

    /// Reads a name.
    ///
    /// # Errors
    /// [`QueueError`] for any other text.
    pub fn new(text: &str) -> Result<Self, QueueError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let mut rows = text.split(|letter: char| !letter.is_ascii_digit());
        if text.is_empty() || !text.bytes().all(fits) || rows.any(|row| row.len() > Self::DIGITS) {
            return Err(QueueError);
        }
        let mut letters = [0; Self::LONGEST];
        let place = letters.get_mut(..text.len()).ok_or(QueueError)?;
        place.copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).map_err(|_| QueueError)?;
        Ok(Self { length, letters })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let letters = self.letters.get(..self.length.into()).unwrap_or_default();
        str::from_utf8(letters).unwrap_or_default()
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An agent who talks to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Who, by a pseudonym.
    pub id: AgentId,
    /// By which queue the customer came to them, where that is known.
    pub queue: Option<Queue>,
    /// Who says so.
    pub source: AgentSource,
}

/// What is heard of the agent of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentNews {
    /// This one talks to the customer from now on, and nobody else.
    Connected(Agent),
    /// Nobody does, says this source: the customer waits, holds, or hears a menu.
    Left(AgentSource),
    /// This source says nothing any more: what it said last is not known to be so.
    Lost(AgentSource),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_queue_is_short_and_nobodys_number() {
        for name in ["support", "Sales_2.nl", "q-1234-5678", &"a".repeat(32)] {
            assert_eq!(Queue::new(name).map(|queue| queue.to_string()).as_deref(), Ok(name));
        }
        for text in ["", "a b", "a@b", "queue\n", "12345", "q31201234567", &"a".repeat(33), "é"] {
            assert_eq!(Queue::new(text), Err(QueueError), "{text}");
        }
        assert!(QueueError.to_string().contains("; use"));
    }

    #[test]
    fn every_source_is_read_back_by_its_name() {
        for source in AgentSource::ALL {
            assert_eq!(AgentSource::from_name(source.as_str()), Some(*source));
        }
        assert_eq!(RecordFrom::from_name("agent"), Some(RecordFrom::Agent));
        assert_eq!(RecordFrom::from_name("queue"), None);
    }
}
