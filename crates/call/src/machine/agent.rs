//! Who of the house talks to the customer: on a line that is recorded only then, a tap listens from the first
//! agent on and keeps silence while none is known (law row L03).
//!
//! A hold that no re-INVITE tells of, a queue and a menu sound like an agent to whoever sees the trunk alone. So
//! somebody who knows says when there is one; and when nobody says so any more, it is not known, and nothing is
//! recorded.

use crate::{
    Agent, AgentNews, AgentSource, Fact, Queue, RecordFrom, RecordingId, Time,
    machine::{io::Action, state::Call},
};

impl Call {
    /// Whether the recording waits for an agent: it is allowed, and none is known to be there.
    #[must_use]
    pub const fn lacks_an_agent(&self) -> bool {
        self.recording.is_live() && self.bridge.is_unattended()
    }

    /// Who said last that an agent is there, if one is.
    #[must_use]
    pub fn agent_by(&self) -> Option<AgentSource> {
        self.agent.map(|agent| agent.source)
    }

    /// Nobody is known to be there at the beginning.
    pub(super) fn await_an_agent(&mut self, now: Time) {
        self.bridge.attend(now, self.wants_an_agent());
    }

    fn wants_an_agent(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.record_from == RecordFrom::Agent)
    }

    /// Somebody says who talks to the customer. The latest word counts, whoever says it; but that a source
    /// has gone means nothing when another one has spoken since.
    pub(super) fn hears_of_agents(&mut self, now: Time, news: AgentNews) {
        match news {
            AgentNews::Connected(agent) => self.meets(now, agent),
            AgentNews::Left(by) => {
                self.misses(now, |recording| Fact::AgentLeft { recording, by });
            }
            AgentNews::Lost(by) if self.agent_by() == Some(by) => {
                self.misses(now, |recording| Fact::AgentUnknown { recording, by });
            }
            AgentNews::Lost(_) => {}
        }
    }

    fn meets(&mut self, now: Time, agent: Agent) {
        if self.agent.replace(agent) == Some(agent) {
            return;
        }
        let before = self.bridge.silence();
        self.bridge.attend(now, false);
        // A tap that opens listens, unless something else keeps it silent.
        let before = if self.recording.open(&mut self.out) { None } else { before };
        self.keep_silence(before);
        self.name_the_agent();
    }

    /// The agent is gone, or is not known to be there.
    fn misses(&mut self, now: Time, fact: impl FnOnce(RecordingId) -> Fact) {
        if self.agent.take().is_none() {
            return;
        }
        let before = self.bridge.silence();
        self.bridge.attend(now, self.wants_an_agent());
        self.keep_silence(before);
        if self.recording.is_live() {
            self.out.push_back(Action::Audit(fact(self.recording.id())));
        }
    }

    /// The time line of a recording begins with whoever is there, and says who comes. Of calls that are not
    /// recorded it says nothing (Art. 5(1)(c)).
    pub(super) fn name_the_agent(&mut self) {
        let Some(Agent { id: agent, queue, source: by }) = self.agent else { return };
        if self.recording.is_live() {
            let recording = self.recording.id();
            let queue = queue.as_ref().map_or("", Queue::as_str).into();
            let fact = Fact::AgentConnected { recording, agent, queue, by };
            self.out.push_back(Action::Audit(fact));
        }
    }
}
