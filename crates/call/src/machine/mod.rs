//! The call machine: pure, told the time, one door in and one door out.

mod agent;
mod asking;
mod away;
mod bridge;
mod connecting;
mod cue;
mod dialogue;
mod early;
mod ending;
mod failing;
mod fax;
mod former;
pub(crate) mod io;
mod later;
mod mind;
mod pausing;
mod permitting;
mod recording;
mod route;
mod sound;
pub(crate) mod state;
mod timer;
mod trail;
mod way;

use crate::{Fact, Hand, Party, Time};
use dialogue::{Dialogue, Turn};
use io::{Action, CallOffer, Failure, Input};
use route::Route;
use state::{Call, Stage};
use timer::Timer;

impl Call {
    /// A call that has just arrived. Its first actions are ready to be polled.
    ///
    /// A call of a line begins with [`Fact::CallOpened`] and ends with [`Fact::CallEnded`]; the
    /// ledger must hold the first before a customer who may be asked is answered or called
    /// (invariant 4a, [`Call::may_be_recorded`]). Any other call is called meanwhile and
    /// answered afterwards; an emergency waits for no ledger.
    #[must_use]
    pub fn new(now: Time, offer: CallOffer) -> Self {
        let route = Route::of(&offer);
        let mut call = Self::at_rest(offer, &route);
        call.await_an_agent(now);
        call.open(now, &route);
        call.settle();
        call
    }

    /// Takes one input. Whatever was due at `now` or before happens first.
    pub fn handle(&mut self, now: Time, input: Input) {
        self.handle_timeout(now);
        if self.stage == Stage::Finished {
            return;
        }
        match input {
            Input::Confirmed => self.confirmed(now),
            Input::Progressed => self.progressed(now),
            Input::PromptEnded { prompt, samples, whole } => {
                self.prompt_ended(now, prompt, samples, whole);
            }
            Input::Digit(Party::Customer, press) => self.pressed(now, press),
            // Only the person whose voice it is can decide or withdraw (flows row C-14).
            Input::Digit(Party::Agent, press) => self.agent_pressed(now, *press.key.reveal()),
            Input::Committed { recording, evidence } => self.committed(now, recording, evidence),
            Input::CommitFailed { recording } => self.commit_failed(now, recording),
            Input::Ringing { early_media } => self.ringing(early_media),
            Input::Answered => self.answered(now),
            Input::Failed(failure) => self.far_failed(now, failure),
            Input::HungUp(party) => self.hung_up(now, party),
            Input::Fax => self.fax_calls(now),
            Input::Held(party, on) => self.held(now, party, on),
            Input::TapCut if self.recording.was_permitted() => self.withdraw(now),
            Input::TapCut => {}
            Input::Degraded => {
                self.recording.degrade();
                self.former.degrade();
            }
            Input::RecorderFailed => self.recorder_failed(now),
            Input::RecordingClosed { recording, done, millis } => {
                self.closed(recording, done, millis);
            }
            Input::SentAway(within) => self.sent_away(now, within),
            Input::HouseLeft => self.house_left(now),
            Input::Agent(news) => self.hears_of_agents(now, news),
            Input::Urgent => self.urgent = true,
            Input::Ask => self.wanted(),
            Input::Withdraw => self.withdraw_as_told(now, Hand::Operator),
            Input::Pause => self.pause(now, Hand::Operator),
            Input::Resume => self.resume(now, Hand::Operator),
            Input::Prepared(ready) => self.prepared(now, ready),
            Input::Stop(cause) => self.stop(now, cause),
        }
        self.settle();
    }

    /// Lets everything happen that is due at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Answer => {
                    let turn = self.dialogue.as_mut().map_or(Turn::Stay, Dialogue::silence);
                    self.take(now, turn);
                }
                Timer::Limit | Timer::Explanation => self.limit_reached(now),
                Timer::Report => self.commit(),
                Timer::Ring => self.rung_out(now),
                Timer::Early => self.answer(),
                Timer::Pause => self.left_paused(now),
                Timer::News => self.without_news(now),
                Timer::Farewell => self.farewell_ended(now),
                Timer::Closing => {
                    self.recording.give_up();
                    self.former.give_up();
                    self.finish();
                }
            }
            self.settle();
        }
    }

    fn open(&mut self, now: Time, route: &Route) {
        if let Some(line) = self.line.as_deref() {
            self.out.push_back(Action::Audit(Fact::CallOpened {
                call: self.call,
                tenant: line.tenant.clone(),
                line: line.id.clone(),
                policy: line.policy.id.clone(),
                policy_version: line.policy.version,
                policy_hash: line.policy.hash,
            }));
        }
        match route {
            Route::Asked(terms) => self.turn_to_the_caller(now, terms),
            Route::Later(..) | Route::Transparent(_) => self.dial(now),
            Route::Refused(_) => self.unconnected(now, Failure::Unreachable),
        }
    }
}
