//! Calls that the PBX starts (flow F3): the customer is called first and asked afterwards, if the
//! policy or the agent wants it.

use crate::{
    Connection, Key, Party, Time,
    machine::{
        io::{Action, Kept, NotReady},
        outgoing::Outgoing,
        state::{Call, EarlyMedia, Far, Stage},
        timer::Timer,
    },
    verdict::{Choice, Unasked},
};

impl Call {
    /// The customer, whom the PBX called, has answered.
    pub(super) fn customer_answered(&mut self, now: Time, early: EarlyMedia, how: Outgoing) {
        match how {
            Outgoing::Wanted { key, .. } => {
                self.choice = Choice::Unasked(Unasked::PolicyOff);
                self.bring_together(now);
                if key.is_some() {
                    self.keep_of_the_agent();
                }
            }
            Outgoing::Joined => {
                self.bring_together(now);
                self.ask(now, how);
            }
            Outgoing::HeldBack => {
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
        } else if let Some(Outgoing::Wanted { key: Some(key), .. }) = self.outgoing
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
        let left = matches!(self.outgoing, Some(Outgoing::Wanted { left: 1.., .. }));
        let open = matches!(self.choice, Choice::Unasked(_) | Choice::NotGiven);
        left && open && self.dialogue.is_none() && self.far == Far::Bridged
    }

    /// Whether the parties talk and nobody is being asked: only then may a party be replaced (flows
    /// row T-14).
    #[must_use]
    pub fn is_talking(&self) -> bool {
        self.stage == Stage::Open && self.far == Far::Bridged && self.dialogue.is_none()
    }

    /// Somebody wants the customer to be asked.
    pub(super) fn wanted(&mut self) {
        if self.may_be_asked()
            && let Some(Outgoing::Wanted { preparing, .. }) = &mut self.outgoing
            && !*preparing
        {
            *preparing = true;
            self.out.push_back(Action::Prepare);
        }
    }

    /// Everything is ready for the question, or something is not: then nobody is asked (invariant
    /// 4).
    pub(super) fn prepared(&mut self, now: Time, ready: Result<(), NotReady>) {
        let Some(Outgoing::Wanted { key, left, preparing: true }) = self.outgoing else { return };
        let asks = self.may_be_asked() && ready.is_ok();
        let left = left.saturating_sub(u8::from(asks));
        let how = Outgoing::Wanted { key, left, preparing: false };
        self.outgoing = Some(how);
        if asks {
            self.ask(now, how);
        } else if matches!(self.choice, Choice::Unasked(_)) && ready.is_err() {
            self.choice = Choice::Unasked(Unasked::Blocked);
        }
    }

    /// Begins the question, whose answer is waited for as long as an inbound caller is asked.
    fn ask(&mut self, now: Time, how: Outgoing) {
        let Some(terms) = self.terms else { return };
        let mut dialogue = terms.dialogue(how.opening());
        let turn = dialogue.begin();
        self.dialogue = Some(dialogue);
        self.choice = Choice::NotGiven;
        if self.far == Far::Bridged {
            self.sound.share();
            self.keep(Party::Customer, Kept::All);
        }
        self.timers.set(Timer::Limit, now + terms.until_dial);
        self.take(now, turn);
    }

    /// The question is over, and the parties talk on: keys are theirs again and no clock runs. The
    /// agent's key is given back when it can begin nothing any more.
    pub(super) fn talk_on(&mut self) {
        self.stop_clocks();
        self.keep(Party::Customer, Kept::Nothing);
        if let Some(Outgoing::Wanted { key: Some(_), .. }) = self.outgoing
            && !self.may_be_asked()
        {
            self.keep_of_the_agent();
        }
    }

    /// Keeps from the customer the key of the agent's that means something to us now. One that asks and
    /// one that pauses never do at once: there is a recording only after the yes.
    pub(super) fn keep_of_the_agent(&mut self) {
        let kept = self.keys_of_the_agent();
        self.keep(Party::Agent, kept);
    }

    /// Lets the agent's side have a key that means nothing to us any more.
    pub(super) fn give_back_to_the_agent(&mut self) {
        if self.keys_of_the_agent() != self.kept_of_the_agent {
            self.keep_of_the_agent();
        }
    }

    fn keys_of_the_agent(&self) -> Kept {
        let asks = match self.outgoing {
            Some(Outgoing::Wanted { key, .. }) if self.may_be_asked() => key,
            Some(Outgoing::Wanted { .. } | Outgoing::Joined | Outgoing::HeldBack) | None => None,
        };
        self.pause_key().or(asks).map_or(Kept::Nothing, Kept::One)
    }

    pub(super) fn keep(&mut self, party: Party, kept: Kept) {
        if party == Party::Agent {
            self.kept_of_the_agent = kept;
        }
        self.out.push_back(Action::Keep(party, kept));
    }
}
