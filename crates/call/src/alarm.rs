//! What is wrong with a call while it is up: why somebody is not heard, why keys do not come through,
//! and what the recorder could not keep.

use std::fmt;

use crate::{Party, named};

named!(
    /// Why a party is not heard: what comes instead of its sound, most of all.
    Unheard {
        /// Nothing comes.
        Silent = "silent",
        /// Packets from another address than the session description's (NAT, or the wrong address in it).
        Elsewhere = "elsewhere",
        /// Packets of a payload type that was not agreed.
        UnknownFormat = "unknown-format",
        /// Packets under SRTP that the agreed key does not open, or that have been before.
        Unauthentic = "unauthentic",
        /// Packets that are no RTP, or empty.
        Malformed = "malformed",
    }
);

named!(
    /// Why the customer's keys do not come through.
    DeadKeys {
        /// They sound as tones, although telephone events are agreed on.
        Tones = "tones",
        /// They come as telephone events of a payload type that was not agreed on.
        StrayEvents = "stray-events",
        /// A trunk's questions have been answered by no key for a long time.
        Unanswered = "unanswered",
    }
);

/// Something that is wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alarm {
    /// A party is not heard while the other one is, or cannot be while it is asked.
    Unheard(Party, Unheard),
    /// The customer's keys do not come through.
    DeadKeys(DeadKeys),
    /// The recorder could not go on.
    CutShort,
    /// The recorder was late, and sound was lost to the recording.
    Late,
}

const CUT_SHORT: &str = "the recorder cannot go on: recorded no further";
const LATE: &str = "the recorder is late: sound is missing";

impl Alarm {
    /// The alarm that reads so, as its `Display` writes it on a ladder.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        match text {
            CUT_SHORT => return Some(Self::CutShort),
            LATE => return Some(Self::Late),
            _ => {}
        }
        let (what, why) = text.split_once(": ")?;
        if what == "keys do not come through" {
            return DeadKeys::from_name(why).map(Self::DeadKeys);
        }
        let party = Party::from_name(what.strip_prefix("no sound of the ")?)?;
        Unheard::from_name(why).map(|why| Self::Unheard(party, why))
    }
}

impl fmt::Display for Alarm {
    /// As it stands on the ladder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unheard(party, why) => write!(f, "no sound of the {party}: {why}"),
            Self::DeadKeys(why) => write!(f, "keys do not come through: {why}"),
            Self::CutShort => f.write_str(CUT_SHORT),
            Self::Late => f.write_str(LATE),
        }
    }
}

/// A party that was not heard is heard again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeardAgain {
    /// Which.
    pub party: Party,
    /// After so many seconds.
    pub after_s: u64,
}

impl HeardAgain {
    /// What reads so on a ladder.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (who, after) = text.strip_prefix("sound of the ")?.split_once(" again after ")?;
        let after_s = after.strip_suffix(" s")?.parse().ok()?;
        Party::from_name(who).map(|party| Self { party, after_s })
    }
}

impl fmt::Display for HeardAgain {
    /// As it stands on the ladder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sound of the {} again after {} s", self.party, self.after_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_reads_back_from_a_ladder_and_nothing_else_is_one() {
        let unheard = [Party::Customer, Party::Agent]
            .into_iter()
            .flat_map(|party| Unheard::ALL.iter().map(move |why| Alarm::Unheard(party, *why)));
        let keys = DeadKeys::ALL.iter().map(|why| Alarm::DeadKeys(*why));
        let alarms: Vec<_> = unheard.chain(keys).chain([Alarm::CutShort, Alarm::Late]).collect();
        assert_eq!(alarms.len(), 15);
        for alarm in alarms {
            assert_eq!(Alarm::read(&alarm.to_string()), Some(alarm), "{alarm}");
        }
        for other in [
            "",
            "INVITE",
            "no sound of the customer",
            "no sound of the trunk: silent",
            "no sound of the customer: shy",
            "keys do not come through: shy",
            "sound of the customer again after 3 s",
        ] {
            assert_eq!(Alarm::read(other), None, "{other}");
        }
    }

    #[test]
    fn who_is_heard_again_reads_back_from_a_ladder() {
        let again = HeardAgain { party: Party::Agent, after_s: 73 };
        assert_eq!(again.to_string(), "sound of the agent again after 73 s");
        assert_eq!(HeardAgain::read(&again.to_string()), Some(again));
        for other in ["sound of the agent again after x s", "no sound of the agent: silent", ""] {
            assert_eq!(HeardAgain::read(other), None, "{other}");
        }
    }
}
