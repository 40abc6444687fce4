//! Calls that are put through before anybody is asked (flow F3, and inbound where the policy says so): the
//! customer is asked afterwards, if the policy or the agent wants it.

use crate::{
    Connection, Key, Party, RecordingId, Time,
    machine::{
        io::{Action, NotReady},
        state::{Call, EarlyMedia, Far, Stage},
        timer::Timer,
        way::Later,
    },
    verdict::{Choice, Unasked},
};

impl Call {
    /// The called party of a call in which nobody has been asked has answered.
    pub(super) fn answered_unasked(&mut self, now: Time, early: EarlyMedia, how: Later) {
        match how {
            Later::Wanted { .. } => {
                self.choice = Choice::Unasked(Unasked::PolicyOff);
                self.bring_together(now);
            }
            Later::Joined => {
                self.bring_together(now);
                self.ask(now, how);
            }
            Later::HeldBack => {
                self.far = Far::Answered;
                self.timers.clear(Timer::Ring);
                self.ring_on(early);
                self.ask(now, how);
            }
        }
    }

    /// The agent, whose leg is not answered yet, goes on hearing that it rings.
    fn ring_on(&mut self, early: EarlyMedia) {
        match early {
            EarlyMedia::Connected => {
                self.out.push_back(Action::Connect(Connection::Apart));
                self.out.push_back(Action::RingBack(Party::Agent));
            }
            EarlyMedia::None | EarlyMedia::Waiting => {
                if !self.rang {
                    self.out.push_back(Action::Ring { early_media: false });
                }
            }
        }
    }

    /// The agent pressed a key: it begins the question, or it is the agent's own affair (flows row
    /// C-14).
    pub(super) fn agent_pressed(&mut self, now: Time, pressed: Key) {
        if self.pause_key() == Some(pressed) {
            self.pause_or_resume(now);
        } else if let Some(Later::Wanted { key: Some(key), .. }) = self.later
            && key == pressed
        {
            self.wanted();
        }
    }

    /// Whether [`Input::Ask`](crate::Input::Ask) begins the question now: in a connected call of a
    /// policy by which the agent asks, while nobody has been asked too often, and never again after
    /// a yes or a no.
    #[must_use]
    pub fn may_be_asked(&self) -> bool {
        let left = matches!(self.later, Some(Later::Wanted { left: 1.., .. }));
        let open = matches!(self.choice, Choice::Unasked(_) | Choice::NotGiven);
        left && open && self.is_talking()
    }

    /// Whether the parties talk and nobody is being asked: only then may a party be replaced (flows
    /// row T-14).
    #[must_use]
    pub fn is_talking(&self) -> bool {
        self.stage == Stage::Open && self.far == Far::Bridged && self.dialogue.is_none()
    }

    /// Whether the customer is being asked, or told, at this moment.
    #[must_use]
    pub const fn is_being_asked(&self) -> bool {
        self.dialogue.is_some()
    }

    /// Somebody of the house wants the customer to be asked.
    pub(super) fn wanted(&mut self) {
        if self.may_be_asked() {
            self.prepare(Party::Agent);
        }
    }

    /// Asks whether everything is ready for a question that this party wants.
    pub(super) fn prepare(&mut self, by: Party) {
        if self.preparing.is_none() {
            self.preparing = Some(by);
            self.out.push_back(Action::Prepare);
        }
    }

    /// Everything is ready for the question, or something is not: then nobody is asked (invariant
    /// 4). Nothing but the end of the call, or of the house in it, can have come between the wish and this,
    /// and with either the wish is gone.
    pub(super) fn prepared(&mut self, now: Time, ready: Result<RecordingId, NotReady>) {
        match (self.preparing.take(), ready) {
            (Some(Party::Agent), Ok(_)) => {
                if let Some(how @ Later::Wanted { key, left }) = self.later {
                    let left = left.saturating_sub(1);
                    self.later = Some(Later::Wanted { key, left });
                    self.ask(now, how);
                }
            }
            // The short question is no question to somebody who holds: a yes counts while it sounds.
            (Some(Party::Customer), Ok(_))
                if self.choice == Choice::Withdrawn && self.bridge.customer_holds() => {}
            (Some(Party::Customer), Ok(recording)) => {
                self.renew(recording);
                self.ask_anew(now);
            }
            (Some(_), Err(_)) if matches!(self.choice, Choice::Unasked(_)) => {
                self.choice = Choice::Unasked(Unasked::Blocked);
            }
            (Some(_), Err(_)) | (None, Ok(_) | Err(_)) => {}
        }
    }

    /// Begins the question, whose answer is waited for as long as an inbound caller is asked.
    fn ask(&mut self, now: Time, how: Later) {
        if let Some(terms) = self.terms {
            self.begin(now, terms.dialogue(how.opening()));
        }
    }
}
