//! The script's talk: the parties are together, and the house or the customer may want a question.

use call::*;

use crate::{
    choice::Choice,
    depth::depth,
    exhaustive::{BRIDGED, RECORDED, bridged, search, search_worlds},
    log::Entry::{NextRecording, Said},
    outbound::{AGAIN, DIALOGUE, MAIN, RINGING, recorded},
    reference::Script,
    support::{
        Seen::{Connect, Keep, Prepare},
        asking, key, ms,
    },
    word::{Stop, Word},
    world::{Class, World},
};

impl Script<'_> {
    /// Whether the parties are brought together before anybody is asked.
    pub(super) fn is_put_through_first(&self) -> bool {
        let left_alone = self.aside.is_some();
        left_alone || self.direction == Direction::Outbound || self.agents_way().is_some()
    }

    /// The key with which the agent begins the question, and how often, where the agent does.
    pub(super) fn agents_way(&self) -> Option<(Option<Key>, u8)> {
        match (self.direction, self.asking.inbound, self.asking.outbound) {
            _ if self.aside.is_some() => None,
            (Direction::Inbound, Inbound::AgentAsks { key, times }, _)
            | (Direction::Outbound, _, Outbound::AgentAsks { key, times }) => Some((key, times)),
            _ => None,
        }
    }

    /// Whether a key of the agent begins the question.
    pub(super) fn begins(&self, pressed: Key) -> bool {
        self.agents_way().is_some_and(|(key, _)| key == Some(pressed))
    }

    fn is_talking(&self) -> bool {
        let together = self.log.has_said(Connect(Connection::Bridged));
        together && !self.is_apart() && !self.house_is_out && !self.asks
    }

    /// Whether the house may want the customer to be asked: nobody has said yes or no.
    fn may_be_wanted(&self) -> bool {
        let open = matches!(self.log.choice(), None | Some(Choice::Open));
        self.left > 0 && open && self.is_talking()
    }

    /// Whether the customer may want it: they were asked, and do not say yes any more.
    pub(super) fn may_come_back(&self) -> bool {
        let said = [Choice::MayNot, Choice::Open, Choice::NoMore];
        let denied = self.log.choice().is_some_and(|choice| said.contains(&choice));
        self.needs_a_yes() && denied && self.changes > 0 && self.is_talking()
    }

    /// Whether their key says so now: not while they are told that it has ended the recording.
    pub(super) fn comes_back_now(&self) -> bool {
        let withdrawn = self.log.choice() == Some(Choice::NoMore);
        self.may_come_back() && !(withdrawn && self.log.prompt_sounds())
    }

    /// Keeps from a party the other's keys, if they are not kept so already.
    pub(super) fn keep(&mut self, party: Party, kept: Kept) {
        let before = self.log.entries().rev().find_map(|entry| match entry {
            Said(Keep(whose, kept)) if *whose == party => Some(*kept),
            _ => None,
        });
        if before.unwrap_or(Kept::Nothing) != kept {
            self.say(Keep(party, kept));
        }
    }

    /// Keeps the keys that mean something, now that nobody is being asked.
    pub(super) fn keep_what_is_ours(&mut self) {
        let withdraw = self.asking.keys.withdraw;
        let comes_back = self.may_come_back();
        self.keep(Party::Customer, if comes_back { Kept::One(withdraw) } else { Kept::Nothing });
        let recording = self.log.chapter().is_recording();
        let pauses = self.asking.pausing.key.filter(|_| recording);
        let asks = self.agents_way().and_then(|(key, _)| key).filter(|_| self.may_be_wanted());
        self.keep(Party::Agent, pauses.or(asks).map_or(Kept::Nothing, Kept::One));
    }

    /// The parties talk, until somebody leaves.
    pub(super) fn talk(&mut self) -> Result<(), Stop> {
        let mut wants = None;
        if !self.asks {
            self.keep_what_is_ours();
        }
        loop {
            if self.asks && self.log.is_acknowledged() {
                self.ask_at_last()?;
            }
            let asker = match self.next(None)? {
                // Who is gone wants nothing, and was not waited for.
                _ if self.house_is_out => None,
                Word::Key(key) => {
                    self.decide_before_the_question(key);
                    None
                }
                Word::Fax => {
                    self.conclude(Choice::Fax, Confirm::Off);
                    None
                }
                Word::Wanted => Some(Party::Agent).filter(|_| self.may_be_wanted()),
                Word::ComesBack => Some(Party::Customer),
                Word::Prepared(ready) => {
                    match (wants.take(), ready) {
                        // Who withdrew and hears nothing now has been asked nothing.
                        (Some(Party::Customer), Ok(_))
                            if self.log.choice() == Some(Choice::NoMore)
                                && self.log.holds(Party::Customer) => {}
                        (Some(who), Ok(recording)) => self.ask_for(who, recording)?,
                        (Some(_), Err(_)) => self.blocked = true,
                        (None, _) => {}
                    }
                    None
                }
                _ => None,
            };
            if asker.is_some() && wants.is_none() {
                wants = asker;
                self.say(Prepare);
            }
        }
    }

    /// Asks because this party wants it.
    fn ask_for(&mut self, who: Party, recording: RecordingId) -> Result<(), Stop> {
        let resumes = who == Party::Customer && self.log.choice() == Some(Choice::NoMore);
        match who {
            Party::Agent => self.left -= 1,
            Party::Customer => {
                self.changes -= 1;
                self.comes_back = true;
                if self.log.chapter().commits() {
                    self.log.write(self.step, self.now, NextRecording(recording));
                }
            }
        }
        self.ask_in_the_call(if resumes { Prompt::Resume } else { Prompt::AgentAsk })
    }
}

const IN: Direction = Direction::Inbound;
const OUT: Direction = Direction::Outbound;

/// A customer who comes back to the question, and what else may happen.
const BACK: [Class; 10] = [
    Class::Key('*'),
    Class::Prepared,
    Class::NotPrepared,
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Deadline,
    Class::Committed,
    Class::HouseLeft,
    Class::HungUp(Party::Customer),
];

/// A customer who has withdrawn and comes back to it, and what is still to be said of both recordings.
const AGAIN_AND_AGAIN: [Class; 10] = [
    Class::Key('*'),
    Class::Prepared,
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Deadline,
    Class::Committed,
    Class::Closed { done: true, millis: 0 },
    Class::ClosedLast { done: true, millis: 700 },
    Class::HungUp(Party::Customer),
];

/// The second recording of a call, and what may come between.
const SECOND: [Class; 10] = [
    Class::Withdraw,
    Class::Key('*'),
    Class::Held(Party::Agent, true),
    Class::Wait(1_000),
    Class::Degraded,
    Class::RecorderFailed,
    Class::Closed { done: true, millis: 0 },
    Class::Closed { done: false, millis: 700 },
    Class::ClosedLast { done: true, millis: 700 },
    Class::HungUp(Party::Agent),
];

/// From the bridge on: withdrawn, and agreed to again.
const WITHDRAWN: [Class; 3] = [Class::Wait(1_000), Class::Key('*'), Class::Reported];
const AGREED_AGAIN: [Class; 5] =
    [Class::Key('*'), Class::Prepared, Class::Key('1'), Class::Faulted, Class::Committed];

/// The agent asks callers, too.
fn agent_asks(times: u8) -> Asking {
    Asking { inbound: Inbound::AgentAsks { key: Some(key('#')), times }, ..asking() }
}

#[test]
fn every_history_of_a_caller_who_comes_back_to_the_question() {
    for ground in [Ground::Consent, Ground::ExplicitConsent] {
        let asking = Asking { ground, ..asking() };
        let refused = [Class::Confirmed, Class::Key('2'), Class::Reported, Class::Answered];
        search((IN, &asking), &refused, &BACK, depth() - 1);
        let asked = [&refused[..], &[Class::Key('*'), Class::Prepared]].concat();
        search((IN, &asking), &asked, &DIALOGUE, depth() - 2);
        let silent = [Class::Confirmed, Class::Deadline, Class::Answered];
        search((IN, &asking), &silent, &BACK, depth() - 2);
    }
    let alone = Asking { audience: Audience::Customer, agent_cue: true, ..asking() };
    let refused = [Class::Confirmed, Class::Key('2'), Class::Reported, Class::Answered];
    search((IN, &alone), &refused, &BACK, depth() - 2);
    let early = EarlyNotice { question: QuestionAt::AfterAnswer, limit: ms(60_000) };
    let world = || World::early(early, asking());
    let told = [Class::Progressed, Class::Reported, Class::Key('2'), Class::Answered];
    search_worlds(&world, &told, &BACK, depth() - 2);
}

#[test]
fn every_history_of_a_caller_who_withdraws_and_comes_back() {
    for on_withdraw in [OnWithdraw::Erase, OnWithdraw::Stop] {
        for ground in [Ground::Consent, Ground::ExplicitConsent] {
            let asking = Asking { ground, on_withdraw, ..asking() };
            let withdrawn = [bridged(ground), &WITHDRAWN].concat();
            search((IN, &asking), &withdrawn, &AGAIN_AND_AGAIN, depth() - 2);
        }
        let asking = Asking { on_withdraw, agent_cue: true, ..asking() };
        let again = [&BRIDGED[..], &WITHDRAWN, &AGREED_AGAIN].concat();
        search((IN, &asking), &again, &SECOND, depth() - 2);
        search((IN, &asking), &again, &RECORDED, depth() - 3);
    }
}

#[test]
fn every_history_of_a_customer_who_was_called_and_comes_back_to_the_question() {
    let asked = [Class::Answered, Class::Ask, Class::Prepared];
    for decided in [&[Class::Deadline][..], &[Class::Key('2'), Class::Reported]] {
        search((OUT, &asking()), &[&asked[..], decided].concat(), &BACK, depth() - 2);
        search((IN, &agent_asks(2)), &[&asked[..], decided].concat(), &BACK, depth() - 2);
    }
    let alone = Asking { outbound: Outbound::HoldBack, ..asking() };
    let refused = [Class::Answered, Class::Key('2'), Class::Reported];
    search((OUT, &alone), &refused, &BACK, depth() - 2);
}

#[test]
fn every_history_of_a_caller_whom_the_agent_asks() {
    search((IN, &agent_asks(1)), &[Class::Answered], &MAIN, depth() - 1);
    search((IN, &agent_asks(1)), &[], &RINGING, depth() - 2);
    let silent = [Class::Answered, Class::Ask, Class::Prepared, Class::Deadline];
    search((IN, &agent_asks(2)), &silent, &AGAIN, depth() - 2);
    for ground in [Ground::Consent, Ground::LegitimateInterest] {
        let asking = Asking { ground, ..agent_asks(1) };
        search((IN, &asking), recorded(ground), &RECORDED, depth() - 2);
    }
}

/// The same in the long lane, one input deeper.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_a_customer_who_comes_back_to_the_question() {
        deeper(super::every_history_of_a_caller_who_comes_back_to_the_question);
        deeper(super::every_history_of_a_customer_who_was_called_and_comes_back_to_the_question);
        deeper(super::every_history_of_a_caller_who_withdraws_and_comes_back);
        deeper(super::every_history_of_a_caller_whom_the_agent_asks);
    }
}
