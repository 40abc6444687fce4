//! The life of one recording: committed, permitted, ended, closed.

use std::{collections::VecDeque, time::Duration};

use crate::{
    Evidence, Key, Leash, Permit, Reason, RecordingId,
    machine::io::{Action, Fate},
    permit::Decision,
    verdict::Audio,
};

/// How long a bridge may be without audio before something must have gone wrong: in a shorter one
/// there was nothing to record, and a tap that opens later than this misses the beginning.
const UNHEARD: Duration = Duration::from_secs(1);

enum State {
    /// Nothing is permitted.
    Idle,
    /// The ledger is asked; with a reason, the recording is unwanted before it exists.
    Committing { unwanted: Option<Reason> },
    /// A permit lives as long as this leash. `from`: how long the bridge had been audible then;
    /// `unused`: the permit itself, while no tap is to listen yet.
    Live { _leash: Leash, from: Duration, unused: Option<Box<Permit>> },
    /// The tap is gone; whether what was recorded is kept.
    Over { kept: bool },
}

/// One recording, from the commit to its close.
pub(super) struct Recording {
    id: RecordingId,
    state: State,
    /// For how long the parties had heard each other when the recording was allowed: what was
    /// said before is missed by nobody.
    wanted_from: Duration,
    /// How many ended recordings the recorder has not reported: one for each `EndRecording`.
    unclosed: u8,
    /// How much a kept recording holds, once it is closed.
    millis: u64,
    degraded: bool,
    /// The recorder could not go on; what it had sealed by then is kept.
    cut: bool,
    failed: bool,
}

impl Recording {
    pub(super) const fn new(id: RecordingId) -> Self {
        Self {
            id,
            state: State::Idle,
            wanted_from: Duration::ZERO,
            unclosed: 0,
            millis: 0,
            degraded: false,
            cut: false,
            failed: false,
        }
    }

    /// The recording's id.
    pub(super) const fn id(&self) -> RecordingId {
        self.id
    }

    /// Whether it was ever wanted, so that another yes needs another recording.
    pub(super) const fn is_used(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Whether all is there of one that was to be kept.
    pub(super) const fn is_whole(&self) -> bool {
        let kept = matches!(self.state, State::Over { kept: true });
        !kept || !(self.failed || self.degraded || self.cut)
    }

    /// It is allowed, after the parties have heard each other for `audible`.
    pub(super) const fn want(&mut self, audible: Duration) {
        self.wanted_from = audible;
    }

    /// Asks the ledger for evidence, slip and row.
    pub(super) fn commit(&mut self, evidence: Evidence, out: &mut VecDeque<Action>) {
        self.state = State::Committing { unwanted: None };
        out.push_back(Action::Commit(Box::new(evidence)));
    }

    /// The ledger has committed: the only transition that mints a permit (invariant 4c).
    ///
    /// `audible` is how long both parties have already been connected and off hold, `ending` the
    /// customer's key that ends it, where there is one. Where `waits`, no tap listens until
    /// [`Recording::open`].
    pub(super) fn committed(
        &mut self,
        decision: Decision,
        ending: Option<Key>,
        (audible, waits): (Duration, bool),
        out: &mut VecDeque<Action>,
    ) -> bool {
        if !matches!(self.state, State::Committing { unwanted: None }) {
            return false;
        }
        let (permit, leash) = Permit::grant(decision);
        let unused = if waits {
            Some(Box::new(permit))
        } else {
            out.push_back(Action::Record(permit));
            None
        };
        self.state = State::Live { _leash: leash, from: audible, unused };
        self.degraded |= audible.saturating_sub(self.wanted_from) >= UNHEARD;
        out.extend(ending.map(Action::ArmWithdrawal));
        true
    }

    /// Lets a tap listen that was not to yet. Whether there was one.
    pub(super) fn open(&mut self, out: &mut VecDeque<Action>) -> bool {
        let State::Live { unused, .. } = &mut self.state else { return false };
        let opened = unused.take().map(|permit| Action::Record(*permit));
        let is_new = opened.is_some();
        out.extend(opened);
        is_new
    }

    /// The ledger has committed: if nobody wants it any more, it is over before it began.
    pub(super) fn committed_in_vain(&mut self, out: &mut VecDeque<Action>) {
        if let State::Committing { unwanted: Some(reason) } = self.state {
            self.state = State::Over { kept: false };
            self.end(Fate::Erase(reason), out);
        }
    }

    /// The ledger could not commit: nothing exists. Whether it was still wanted.
    pub(super) fn commit_failed(&mut self) -> bool {
        let State::Committing { unwanted } = self.state else { return false };
        self.state = State::Over { kept: false };
        self.failed = true;
        unwanted.is_none()
    }

    /// Whether a tap is in place.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Live { unused: None, .. })
    }

    /// Whether a tap can be in place.
    pub(super) const fn is_live(&self) -> bool {
        matches!(self.state, State::Live { .. })
    }

    /// Whether a tap is in place or was.
    pub(super) const fn was_permitted(&self) -> bool {
        matches!(self.state, State::Live { .. } | State::Over { .. })
    }

    /// Ends the recording at the end of the call: what was heard is kept.
    pub(super) fn finish(&mut self, audible: Duration, out: &mut VecDeque<Action>) {
        match self.state {
            State::Idle | State::Over { .. } => {}
            State::Committing { unwanted } => {
                let unwanted = unwanted.or(Some(Reason::Empty));
                self.state = State::Committing { unwanted };
            }
            State::Live { from, .. } => {
                let kept = audible > from;
                self.state = State::Over { kept };
                self.end(if kept { Fate::Keep } else { Fate::Erase(Reason::Empty) }, out);
            }
        }
    }

    /// Ends the recording at a withdrawal. `keep`: what was heard until now stays by policy; what
    /// was never heard is removed all the same.
    pub(super) fn withdraw(
        &mut self,
        why: Reason,
        keep: bool,
        audible: Duration,
        out: &mut VecDeque<Action>,
    ) {
        let erase = match self.state {
            State::Idle => false,
            State::Committing { .. } => {
                self.state = State::Committing { unwanted: Some(why) };
                false
            }
            State::Live { from, .. } if keep && audible > from => {
                self.state = State::Over { kept: true };
                self.end(Fate::Keep, out);
                false
            }
            State::Live { .. } => true,
            // The recorder failed earlier; what it had sealed is withdrawn as well.
            State::Over { kept } => kept && !keep,
        };
        if erase {
            self.state = State::Over { kept: false };
            self.end(Fate::Erase(why), out);
        }
    }

    /// The recorder lost audio.
    pub(super) const fn degrade(&mut self) {
        self.degraded |= self.is_live() || self.unclosed > 0;
    }

    /// The recorder cannot go on, and the recording is to finish. Whether there is any.
    pub(super) const fn fail(&mut self) -> bool {
        self.cut |= self.is_live();
        self.is_live()
    }

    /// The recorder is done with what [`Action::EndRecording`] ended.
    pub(super) fn closed(&mut self, done: bool, millis: u64, out: &mut VecDeque<Action>) {
        if self.unclosed == 0 {
            return;
        }
        self.unclosed -= 1;
        if !matches!(self.state, State::Over { kept: true }) {
            return;
        }
        self.millis = millis;
        if !done {
            self.failed = true;
        } else if millis == 0 {
            // A kept recording without audio would be a stored object that no verdict names.
            self.state = State::Over { kept: false };
            self.end(Fate::Erase(Reason::Empty), out);
        }
    }

    /// Whether the ledger or the recorder still owes an answer.
    pub(super) const fn is_outstanding(&self) -> bool {
        matches!(self.state, State::Committing { .. }) || self.unclosed > 0
    }

    /// An answer is not waited for any longer.
    pub(super) fn give_up(&mut self) {
        self.failed |= self.is_outstanding();
    }

    /// What became of the audio of a call whose parties were connected and off hold for as long
    /// as `heard`, or never.
    pub(super) fn audio(&self, heard: Option<Duration>) -> Audio {
        let heard = heard.map(|heard| heard.saturating_sub(self.wanted_from));
        match heard {
            None => Audio::Unheard,
            Some(_) if self.failed => Audio::Missing,
            Some(_) if self.millis > 0 && (self.degraded || self.cut) => Audio::Incomplete,
            Some(_) if self.millis > 0 => Audio::Complete,
            Some(_) if self.cut => Audio::Missing,
            Some(heard) if heard < UNHEARD => Audio::Unheard,
            Some(_) => Audio::Missing,
        }
    }

    fn end(&mut self, fate: Fate, out: &mut VecDeque<Action>) {
        self.unclosed += 1;
        out.push_back(Action::EndRecording { recording: self.id, fate });
    }
}
