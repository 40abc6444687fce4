//! What came of the dialogue in the script's own words, and what each ground makes of it.

use call::*;

use crate::{
    log::Entry::Settled,
    reference::Script,
    support::Seen::{self, Connect, Decided, Objected},
    word::Stop,
};

/// What the customer's part in the recording has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// They said yes, or have heard all and did not object.
    May,
    /// They said no, or objected before anything was recorded.
    MayNot,
    /// They said nothing that counts, or have not heard all.
    Open,
    /// They left before it was decided.
    Gone,
    /// They took it back, or objected to what was recorded.
    NoMore,
    /// A fax called, which says nothing and hears nothing.
    Fax,
}

/// How a dialogue ends.
pub(super) enum Decision {
    Of(Choice),
    /// The time for it is over.
    TooLate,
    /// The notice was heard, and the question waits until the parties are connected.
    Postponed,
}

/// Whether only a yes permits a recording (Art. 6(1)(a), 9(2)(a)).
pub(super) fn needs_a_yes(ground: Ground) -> bool {
    matches!(ground, Ground::Consent | Ground::ExplicitConsent)
}

/// The fact that says what came of the dialogue.
fn fact(ground: Ground, choice: Choice) -> Seen {
    let asked = needs_a_yes(ground);
    match choice {
        Choice::Gone => Decided(Consent::Abandoned),
        Choice::Fax => Decided(Consent::NotAsked),
        Choice::MayNot | Choice::NoMore if !asked => Objected,
        Choice::May | Choice::Open if !asked => Decided(Consent::NotAsked),
        Choice::May => Decided(Consent::Granted),
        Choice::MayNot => Decided(Consent::Refused),
        Choice::Open => Decided(Consent::NotGiven),
        Choice::NoMore => Decided(Consent::Withdrawn),
    }
}

/// The first word of a call in which this came of the dialogue, if there was one.
pub(super) fn consent(ground: Ground, choice: Option<Choice>) -> Consent {
    match choice.map(|choice| fact(ground, choice)) {
        Some(Decided(consent)) => consent,
        _ => Consent::NotAsked,
    }
}

impl Script<'_> {
    /// Whether a yes has two steps (Art. 9(2)(a), law row L13).
    pub(super) fn asks_twice(&self) -> bool {
        self.asking.ground == Ground::ExplicitConsent
    }

    pub(super) fn needs_a_yes(&self) -> bool {
        needs_a_yes(self.asking.ground)
    }

    /// Whether the customer can end the recording: not where a law demands it (law row L54).
    pub(super) fn can_be_ended(&self) -> bool {
        self.asking.ground != Ground::LegalObligation
    }

    /// Why a recording is erased that the customer has ended.
    pub(super) fn why_erased(&self) -> Reason {
        if self.needs_a_yes() { Reason::Withdrawal } else { Reason::Objection }
    }

    /// Writes down what came of the dialogue.
    pub(super) fn settle(&mut self, choice: Choice) {
        self.asks = false;
        // Who comes back to a question and says nothing has said what they had said before.
        let before = self.log.choice().filter(|_| self.comes_back);
        let choice = match (before, choice) {
            (Some(Choice::MayNot), Choice::Open | Choice::Gone) => Choice::MayNot,
            (Some(Choice::NoMore), Choice::Open | Choice::Gone | Choice::MayNot) => Choice::NoMore,
            _ => choice,
        };
        self.comes_back = false;
        self.log.write(self.step, self.now, Settled(choice));
        self.say(fact(self.asking.ground, choice));
    }

    /// What the customer hears of what was understood. Where nothing is asked, only an objection is.
    pub(super) fn confirmation(&self, choice: Choice) -> Option<Prompt> {
        let together = self.log.has_said(Connect(Connection::Bridged));
        match choice {
            Choice::MayNot => Some(Prompt::Refused),
            Choice::May if self.needs_a_yes() => Some(Prompt::Granted),
            Choice::Open if self.needs_a_yes() && together => Some(Prompt::Refused),
            Choice::Open if self.needs_a_yes() => Some(Prompt::NotGiven),
            Choice::May | Choice::Open | Choice::Gone | Choice::NoMore | Choice::Fax => None,
        }
    }

    /// Ends a call that will not be recorded and that a law lets nobody lead so (law row L54).
    pub(super) fn keep_to_the_law(&mut self, choice: Choice) -> Result<(), Stop> {
        let strict = self.asking.when_recording_fails == WhenRecordingFails::EndCall;
        let urgent = self.log.has_read(Input::Urgent);
        if choice == Choice::May || self.can_be_ended() || !strict || urgent {
            return Ok(());
        }
        self.end_unrecorded().map(|_| ())
    }
}
