//! A recording that the operator pauses, one that somebody left paused (row D-25), and one that the operator
//! ends because its customer said so (law row L08).

use call::{CallId, Cue, Pause, Private};
use ledger::Station;

use super::Node;
use crate::{
    bridge,
    note::{Paused, Withdrawal},
    session::Session,
};

impl Node {
    /// The operator wants silence in a call's recording, or sound again.
    pub(crate) fn pauses(&mut self, name: &Private<String>, on: bool) -> Paused {
        let Some(session) = self.named(name.reveal()) else { return Paused::Unknown };
        let call = session.id();
        if !session.call.may_be_paused() {
            return Paused::NotRecorded;
        }
        self.with(call, bridge::pauses(on));
        Paused::Done
    }

    /// The operator passes on that the customer of a call wants no recording any more.
    pub(crate) fn withdraws(&mut self, name: &Private<String>) -> Withdrawal {
        let Some(session) = self.named(name.reveal()) else { return Withdrawal::Unknown };
        let call = session.id();
        if !session.call.may_be_withdrawn() {
            return Withdrawal::Nothing;
        }
        self.with(call, bridge::WITHDRAW);
        Withdrawal::Done
    }

    /// The running call of this name: its id, as `X-Jawoord-Call` tells it, or the Call-ID of either leg.
    pub(super) fn named(&self, name: &str) -> Option<&Session> {
        let by_id = name.parse().ok().and_then(|call: CallId| self.sessions.get(&call));
        let is_leg = |session: &&Session| {
            session.called.as_deref() == Some(name) || session.wires.call_id() == name.as_bytes()
        };
        by_id.map(|it| &**it).or_else(|| self.sessions.values().map(|it| &**it).find(is_leg))
    }

    /// The recording is silent from here on for a reason, or for none any more.
    pub(crate) fn silences(&mut self, session: &mut Session, why: Option<Pause>) {
        let label = if why.is_some() { "recording pauses" } else { "recording goes on" };
        session.ladder.add(self.now(), Station::Node, Station::Node, label);
        match why {
            Some(why) => self.sound.pause(session, why),
            None => self.sound.resume(session),
        }
    }

    /// The agent hears that the recording has begun or ended.
    pub(crate) fn beeps(&mut self, session: &mut Session, cue: Cue) {
        let label = match cue {
            Cue::Begins => "beeps to the agent: recorded",
            Cue::Ends => "beeps to the agent: not recorded",
        };
        session.ladder.add(self.now(), Station::Node, Station::Node, label);
        self.sound.cue(session, cue);
    }

    /// Nobody ended a pause in its time: somebody ought to know.
    pub(crate) fn left_paused(&self, session: &Session) {
        self.metrics.left_paused.inc();
        tracing::warn!(
            call = %session.id(),
            "the recording was left paused and goes on, as `pause_max_s` says"
        );
    }
}
