//! Alarms of calls that are up, and what ended calls say about their trunk.

use std::time::Duration;

use call::{Alarm, CallId, Connection, DeadKeys, HeardAgain, Party, Prompt, Unheard, Words};
use ledger::Station;
use tokio::sync::oneshot;

use super::Node;
use crate::{
    alarm::Streak,
    books::Compared,
    note::{Standing, Tape},
    session::Session,
};

impl Node {
    /// What a worker has noticed of a running call.
    pub(crate) fn noticed(&mut self, call: CallId, event: &media::Event) {
        match event {
            media::Event::Unheard { party, cause, missing } => {
                self.unheard(call, *party, *cause, *missing);
            }
            media::Event::HeardAgain { party, after } => self.heard_again(call, *party, *after),
            media::Event::IgnoredTones(Party::Customer) => self.dead_keys(call, DeadKeys::Tones),
            media::Event::StrayEvents { party: Party::Customer, taken: false } => {
                self.dead_keys(call, DeadKeys::StrayEvents);
            }
            media::Event::Digit(Party::Customer, _) => {
                if let Some(session) = self.sessions.get_mut(&call) {
                    session.alarms.pressed();
                }
            }
            media::Event::TapOverrun { .. } => self.late(call),
            media::Event::IgnoredTones(Party::Agent)
            | media::Event::StrayEvents { party: Party::Customer | Party::Agent, taken: _ }
            | media::Event::Digit(Party::Agent, _)
            | media::Event::PromptEnded(_)
            | media::Event::Retell { .. }
            | media::Event::TapCut
            | media::Event::Fax
            | media::Event::Quiet(_)
            | media::Event::Fault
            | media::Event::Counted(_)
            | media::Event::Closed(_) => {}
        }
    }

    fn unheard(&mut self, call: CallId, party: Party, cause: Unheard, missing: Duration) {
        let now = self.now();
        let Some(session) = self.sessions.get_mut(&call) else { return };
        session.alarms.misses(now, party, cause);
        let label = Alarm::Unheard(party, cause).to_string();
        session.ladder.add(now, Station::Node, Station::Node, &label);
        let missing_s = missing.as_secs();
        tracing::warn!(
            %call, party = party.as_str(), cause = cause.as_str(), missing_s,
            "one side of a call is not heard"
        );
        self.metrics.hearing.unheard(party, cause);
        self.count_unheard();
    }

    fn heard_again(&mut self, call: CallId, party: Party, after: Duration) {
        let now = self.now();
        let Some(session) = self.sessions.get_mut(&call) else { return };
        session.alarms.hears(party);
        let missing_s = after.as_secs();
        let label = HeardAgain { party, after_s: missing_s }.to_string();
        session.ladder.add(now, Station::Node, Station::Node, &label);
        tracing::info!(%call, party = party.as_str(), missing_s, "it is heard again");
        self.count_unheard();
    }

    /// How many legs are not heard now.
    pub(crate) fn count_unheard(&self) {
        let legs: usize = self.sessions.values().map(|session| session.alarms.unheard()).sum();
        self.metrics.hearing.unheard_now.set(i64::try_from(legs).unwrap_or(i64::MAX));
    }

    /// The customer's keys do not come through. Where nobody is asked, nobody cares.
    fn dead_keys(&mut self, call: CallId, cause: DeadKeys) {
        let now = self.now();
        let Some(session) = self.sessions.get_mut(&call) else { return };
        if !session.call.may_be_recorded() || !session.alarms.dead_keys(now, cause) {
            return;
        }
        let label = Alarm::DeadKeys(cause).to_string();
        session.ladder.add(now, Station::Node, Station::Node, &label);
        let trunk = session.alarms.carrier().map_or("-", AsRef::as_ref);
        let mend = match cause {
            DeadKeys::Tones => {
                "have the trunk send telephone events (RFC 4733), or set media.tones_beside_events"
            }
            DeadKeys::StrayEvents | DeadKeys::Unanswered => {
                "have the trunk send telephone events of the payload type that is agreed on"
            }
        };
        tracing::warn!(%call, trunk, cause = cause.as_str(), mend, "keys do not come through");
        self.metrics.hearing.dead_keys(cause);
    }

    /// The recorder was late with a call, and some of its sound is lost (row O-05).
    fn late(&mut self, call: CallId) {
        let now = self.now();
        let Some(session) = self.sessions.get_mut(&call) else { return };
        if session.alarms.is_late(now) {
            session.ladder.add(now, Station::Node, Station::Node, &Alarm::Late.to_string());
        }
    }

    /// The recorder cannot go on with a call (row O-05): what was sealed is kept, and the recording is
    /// degraded. The call itself goes on, or its policy ends it.
    pub(crate) fn cut_short(&mut self, call: CallId) {
        let now = self.now();
        let Some(session) = self.sessions.get_mut(&call) else { return };
        if !session.alarms.cuts_short(now) {
            return;
        }
        session.ladder.add(now, Station::Node, Station::Node, &Alarm::CutShort.to_string());
        let then = if session.call.ends_unrecorded() { "ends" } else { "goes on" };
        tracing::warn!(%call, then, "the call is recorded no further");
        self.metrics.cut_short.inc();
    }

    /// The books were held against each other, or could not be.
    pub(crate) fn reconciled(&mut self, compared: Compared) {
        self.books.compared(compared);
        let mismatches = self.books.mismatches();
        self.metrics.mismatches.set(i64::try_from(mismatches).unwrap_or(i64::MAX));
        if compared.mismatches.is_some() {
            let second = compared.at.as_micros() / 1_000_000;
            self.metrics.reconciled_at.set(i64::try_from(second).unwrap_or(i64::MAX));
        }
    }

    /// The recorder is gone: every recorded call goes on without it or ends, as its policy says, and
    /// nobody else is asked.
    pub(crate) fn recorder_gone(&mut self) {
        tracing::error!("the recorder has ended; nothing is recorded until the node is restarted");
        self.recorder_gone = Some(self.now());
        let failed: Vec<Tape> = self
            .sessions
            .iter()
            .filter_map(|(&call, session)| {
                session.recording.map(|recording| Tape::Failed { call, recording })
            })
            .collect();
        for tape in failed {
            self.taped(&tape);
        }
    }

    /// A prompt plays to the customer; a question awaits a key.
    pub(crate) fn plays(&self, session: &mut Session, prompt: Prompt) {
        if matches!(prompt, Prompt::Question | Prompt::AgentAsk) {
            session.alarms.asks();
        }
    }

    /// The parties are connected, or are not any more: nobody need be heard then.
    pub(crate) fn connects(&self, session: &mut Session, connection: Connection) {
        if connection == Connection::Apart {
            session.alarms.parted();
        }
        self.sound.connect(session, connection);
    }

    /// What an ended call says about the keys of its trunk. Where no key has come through for long, it
    /// is not the callers who do not want to answer.
    pub(crate) fn answered(&mut self, session: &Session, words: Words) {
        let alarms = &session.alarms;
        let (Some(trunk), Some(answered)) = (alarms.carrier(), alarms.answered(words)) else {
            return;
        };
        let (now, limit) = (self.now(), session.settings.alarms.unanswered);
        let (streak, unanswered) = self.unanswered.note(now, trunk, answered, limit);
        self.metrics.hearing.unanswered(trunk, unanswered);
        match streak {
            Streak::Quiet => {}
            Streak::Dead(questions) => {
                tracing::warn!(
                    %trunk,
                    questions,
                    "the last questions on this trunk were answered by no key: consent does not work \
                     there; try its keys with `jawoord check --live --call` or look at a call's trace"
                );
                self.metrics.hearing.dead_keys(DeadKeys::Unanswered);
            }
            Streak::Alive(questions) => {
                tracing::info!(%trunk, questions, "a key has come through on this trunk again");
            }
        }
    }

    /// The operator looks at a running call; one that is over runs until its words are on their way.
    pub(crate) fn stands_at(&self, call: CallId, answer: oneshot::Sender<Option<Standing>>) {
        let closing = || self.closing.get(&call).map(|(session, _)| session);
        let standing = self.sessions.get(&call).or_else(closing).map(|session| Standing {
            steps: session.ladder.steps().to_vec(),
            alarms: session.alarms.now().to_vec(),
        });
        let _nobody_waits = answer.send(standing);
    }
}
