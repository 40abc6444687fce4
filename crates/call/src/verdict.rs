//! The three words with which every call ends: consent, outcome and verdict (invariant 7).

use std::fmt;

use crate::{Aside, named};

named!(
    /// What the customer decided.
    Consent {
        /// The grant key was pressed and the notice was heard in full.
        Granted = "granted",
        /// The refusal key was pressed.
        Refused = "refused",
        /// Silence, wrong keys or lost digits: never consent (Art. 4(11), recital 32).
        NotGiven = "not-given",
        /// The caller hung up before deciding.
        Abandoned = "abandoned",
        /// Granted first, taken back later (Art. 7(3)).
        Withdrawn = "withdrawn",
        /// No question was asked.
        NotAsked = "not-asked",
    }
);

named!(
    /// What became of the call itself.
    Outcome {
        /// Both parties were connected.
        Bridged = "bridged",
        /// The PBX said busy (486, 600).
        Busy = "busy",
        /// Nobody answered in time (408, 480, or the no-answer timer).
        NoAnswer = "no-answer",
        /// No PBX could be reached, or it refused the call for another reason.
        Unreachable = "unreachable",
        /// The caller hung up before both parties were connected.
        CallerGone = "caller-gone",
    }
);

named!(
    /// What became of the recording.
    Verdict {
        /// A complete recording is stored.
        Recorded = "recorded",
        /// A recording is stored and parts of it are missing; its gaps are listed.
        Degraded = "degraded",
        /// The customer withdrew; policy says what happened to the audio.
        Withdrawn = "withdrawn",
        /// Not recorded: refused.
        Refused = "refused",
        /// Not recorded: no decision was given.
        NotGiven = "not-given",
        /// Not recorded: the caller hung up before deciding.
        Abandoned = "abandoned",
        /// Consent was given and the parties were never connected.
        Unconnected = "unconnected",
        /// The line is never recorded.
        PolicyOff = "policy-off",
        /// An emergency call: nothing was asked or recorded.
        Emergency = "emergency",
        /// Something the evidence needs was not ready, so nothing was asked.
        Blocked = "blocked",
        /// Recording was permitted and could not be made or kept.
        Failed = "failed",
        /// A line for machines, such as a lift's or an alarm's: nothing was asked or recorded.
        Transparent = "transparent",
        /// With a confidential helpline: nothing was asked or recorded.
        Confidential = "confidential",
        /// It came outside the line's opening hours: nothing was asked or recorded.
        Closed = "closed",
        /// A fax called: nothing more was asked, and nothing recorded.
        Fax = "fax",
    }
);

/// Why nobody was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// The line is never recorded, or the number has no line.
    PolicyOff,
    /// An emergency call.
    Emergency,
    /// Something the evidence needs was not ready, or the ground has no flow yet.
    Blocked,
    /// No PBX could be called, so the question would have been for nothing.
    Unreachable,
    /// It is none of ours.
    Aside(Aside),
    /// A fax calls.
    Fax,
}

/// What became of the audio that consent was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audio {
    /// The parties were never connected, or for too short to be heard.
    Unheard,
    /// All of it is stored.
    Complete,
    /// It is stored with gaps.
    Incomplete,
    /// It could not be recorded, or not be kept.
    Missing,
}

/// What the customer decided, or why nobody was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Unasked(Unasked),
    Granted,
    /// They heard the notice, and nothing was to be asked: the ground is no consent.
    Informed,
    Refused,
    NotGiven,
    Abandoned,
    Withdrawn,
    /// They objected before anything was recorded (Art. 21).
    Opposed,
    /// They objected to a recording that was made.
    Objected,
}

impl Choice {
    /// Whether it lets a recording be made.
    pub(crate) const fn permits(self) -> bool {
        matches!(self, Self::Granted | Self::Informed)
    }

    /// Whether it says that they objected.
    pub(crate) const fn is_objection(self) -> bool {
        matches!(self, Self::Opposed | Self::Objected)
    }

    /// What it becomes when the customer ends the recording.
    pub(crate) const fn ended(self) -> Self {
        match self {
            Self::Informed => Self::Objected,
            Self::Granted
            | Self::Unasked(_)
            | Self::Refused
            | Self::NotGiven
            | Self::Abandoned
            | Self::Withdrawn
            | Self::Opposed
            | Self::Objected => Self::Withdrawn,
        }
    }

    /// The first of the three words.
    pub(crate) const fn consent(self) -> Consent {
        match self {
            // Without a question there is no consent, whatever else permits or forbids.
            Self::Unasked(_) | Self::Informed | Self::Opposed | Self::Objected => Consent::NotAsked,
            Self::Granted => Consent::Granted,
            Self::Refused => Consent::Refused,
            Self::NotGiven => Consent::NotGiven,
            Self::Abandoned => Consent::Abandoned,
            Self::Withdrawn => Consent::Withdrawn,
        }
    }
}

impl Verdict {
    /// The last of the three words: what was decided rules, then what became of the audio.
    pub(crate) const fn of(choice: Choice, audio: Audio) -> Self {
        match choice {
            Choice::Unasked(Unasked::PolicyOff) => Self::PolicyOff,
            Choice::Unasked(Unasked::Emergency) => Self::Emergency,
            Choice::Unasked(Unasked::Blocked) => Self::Blocked,
            Choice::Unasked(Unasked::Unreachable) => Self::Unconnected,
            Choice::Unasked(Unasked::Aside(Aside::Transparent)) => Self::Transparent,
            Choice::Unasked(Unasked::Aside(Aside::Confidential)) => Self::Confidential,
            Choice::Unasked(Unasked::Aside(Aside::Closed)) => Self::Closed,
            Choice::Unasked(Unasked::Fax) => Self::Fax,
            Choice::Refused | Choice::Opposed => Self::Refused,
            Choice::NotGiven => Self::NotGiven,
            Choice::Abandoned => Self::Abandoned,
            Choice::Withdrawn | Choice::Objected => Self::Withdrawn,
            Choice::Granted | Choice::Informed => match audio {
                Audio::Unheard => Self::Unconnected,
                Audio::Complete => Self::Recorded,
                Audio::Incomplete => Self::Degraded,
                Audio::Missing => Self::Failed,
            },
        }
    }
}

/// The three words of a finished call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Words {
    /// What the customer decided.
    pub consent: Consent,
    /// What became of the call.
    pub outcome: Outcome,
    /// What became of the recording.
    pub verdict: Verdict,
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.consent, self.outcome, self.verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decision_rules_and_only_consent_asks_after_the_audio() {
        let audio = [Audio::Unheard, Audio::Complete, Audio::Incomplete, Audio::Missing];
        let aside = |why| Choice::Unasked(Unasked::Aside(why));
        for (choice, consent, verdict) in [
            (Choice::Unasked(Unasked::PolicyOff), Consent::NotAsked, Verdict::PolicyOff),
            (Choice::Unasked(Unasked::Emergency), Consent::NotAsked, Verdict::Emergency),
            (Choice::Unasked(Unasked::Blocked), Consent::NotAsked, Verdict::Blocked),
            (Choice::Unasked(Unasked::Unreachable), Consent::NotAsked, Verdict::Unconnected),
            (aside(Aside::Transparent), Consent::NotAsked, Verdict::Transparent),
            (aside(Aside::Confidential), Consent::NotAsked, Verdict::Confidential),
            (aside(Aside::Closed), Consent::NotAsked, Verdict::Closed),
            (Choice::Unasked(Unasked::Fax), Consent::NotAsked, Verdict::Fax),
            (Choice::Refused, Consent::Refused, Verdict::Refused),
            (Choice::NotGiven, Consent::NotGiven, Verdict::NotGiven),
            (Choice::Abandoned, Consent::Abandoned, Verdict::Abandoned),
            (Choice::Withdrawn, Consent::Withdrawn, Verdict::Withdrawn),
        ] {
            assert_eq!(choice.consent(), consent);
            assert_eq!(audio.map(|audio| Verdict::of(choice, audio)), [verdict; 4]);
        }
        assert_eq!(Choice::Granted.consent(), Consent::Granted);
        assert_eq!(
            audio.map(|audio| Verdict::of(Choice::Granted, audio)),
            [Verdict::Unconnected, Verdict::Recorded, Verdict::Degraded, Verdict::Failed]
        );
    }

    #[test]
    fn the_words_print_in_their_order() {
        let words = Words {
            consent: Consent::Granted,
            outcome: Outcome::Bridged,
            verdict: Verdict::Recorded,
        };
        assert_eq!(words.to_string(), "granted bridged recorded");
    }
}
