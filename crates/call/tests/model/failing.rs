//! The slow, obvious recording that fails, and what the policy makes of its call (row O-05).

use call::*;

use crate::{
    choice::Choice,
    depth::depth,
    exhaustive::{BRIDGED, search},
    reference::Script,
    support::*,
    word::{Stop, Word},
    world::Class,
};

impl Script<'_> {
    /// Whether the customer's yes is being committed or recorded at this moment.
    pub(super) fn is_wanted(&self) -> bool {
        let one = self.log.chapter();
        let committing = one.commits() && one.acknowledgement().is_none();
        let granted = self.log.choice() == Some(Choice::May);
        one.is_recording() || (committing && granted && !self.is_apart() && !self.house_is_out)
    }

    /// The ledger or the recorder has failed while a recording was wanted.
    pub(super) fn fails(&mut self) -> Result<Word, Stop> {
        let one = self.log.chapter();
        let lost = one.recorder_failed() || one.acknowledgement() == Some(false);
        let urgent = self.log.has_read(Input::Urgent);
        if !lost || urgent || self.asking.when_recording_fails == WhenRecordingFails::GoOn {
            return Ok(Word::Other);
        }
        self.end_unrecorded()
    }

    /// Ends a call that may not go on without a record.
    pub(super) fn end_unrecorded(&mut self) -> Result<Word, Stop> {
        match self.is_put_through_first() {
            false => self.ended(Input::Stop(Cause::NotRecorded)),
            true => self.stopped(Cause::NotRecorded),
        }
    }
}

/// From the commit on: what can fail, and what keeps a failure from being one.
const FAILING: [Class; 10] = [
    Class::RecorderFailed,
    Class::CommitFailed,
    Class::Committed,
    Class::Answered,
    Class::Key('*'),
    Class::Urgent,
    Class::HouseLeft,
    Class::Deadline,
    Class::Closed { done: true, millis: 700 },
    Class::HungUp(Party::Customer),
];

#[test]
fn o_05_every_history_of_a_recording_that_may_fail() {
    let asked = [Class::Confirmed, Class::Reported, Class::Key('1'), Class::Reported];
    for when_recording_fails in [WhenRecordingFails::GoOn, WhenRecordingFails::EndCall] {
        let asking = Asking { when_recording_fails, agent_cue: true, ..asking() };
        search((Direction::Inbound, &asking), &asked, &FAILING, depth() - 2);
        search((Direction::Inbound, &asking), &BRIDGED, &FAILING, depth() - 2);
    }
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_a_recording_that_may_fail() {
        deeper(super::o_05_every_history_of_a_recording_that_may_fail);
    }
}
