//! Who of the house talks to the customer of a call, as programs and managers of PBXs say (law row L03).

use std::sync::Arc;

use call::{Agent, AgentNews, AgentSource, CallId, Party, Private, Queue};
use ledger::Station;
use portal::Seated;
use sip::{Event, Message};
use tokio::sync::oneshot;

use super::Node;
use crate::{
    ami::word::{Said, Word},
    bridge,
    identity::{self, Present},
    note::Seating,
    session::Session,
    wires::Side,
};

impl Node {
    /// A program of the house says who talks to the customer, or that nobody does.
    pub(crate) fn told_of_agent(
        &mut self,
        name: &Private<String>,
        seated: Option<Seated>,
        answer: oneshot::Sender<Seating>,
    ) {
        let _nobody_waits = answer.send(self.takes_seat(name, seated));
    }

    fn takes_seat(&mut self, name: &Private<String>, seated: Option<Seated>) -> Seating {
        let Some(session) = self.named(name.reveal()) else { return Seating::Unknown };
        let (call, source) = (session.id(), AgentSource::Api);
        let news = match seated {
            Some(seated) => self.connected(session, &seated.agent, seated.queue, source),
            None => Some(AgentNews::Left(source)),
        };
        self.hears_of_agents(call, None, news);
        Seating::Known
    }

    /// The manager of a PBX says who talks to whom, that it is heard, or nothing any more.
    pub(crate) fn manager_says(&mut self, word: Word) {
        let Word { pbx, said } = word;
        let source = AgentSource::Ami;
        match said {
            Said::Here => {
                self.unheard.remove(&pbx);
            }
            Said::Gone => {
                if self.settings.managers().any(|manager| manager.pbx == pbx) {
                    let now = self.now();
                    self.unheard.entry(Arc::clone(&pbx)).or_insert(now);
                } else {
                    self.unheard.remove(&pbx);
                }
                self.knows_no_more(&pbx);
            }
            Said::Talks { call_id, agent, queue } => {
                let Some(session) = self.named(call_id.reveal()) else { return };
                // A queue whose name could be a number has none.
                let queue = queue.and_then(|name| Queue::new(name.reveal()).ok());
                let (call, news) = (session.id(), self.connected(session, &agent, queue, source));
                self.hears_of_agents(call, Some(&pbx), news);
            }
            Said::Waits { call_id } => {
                let Some(session) = self.named(call_id.reveal()) else { return };
                self.hears_of_agents(session.id(), Some(&pbx), Some(AgentNews::Left(source)));
            }
        }
        self.metrics.managers_unheard.set(i64::try_from(self.unheard.len()).unwrap_or(i64::MAX));
    }

    /// What this manager said last of any call is not known to be so any more.
    fn knows_no_more(&mut self, pbx: &Arc<str>) {
        let its = self.sessions.values().filter(|it| it.manager.as_ref() == Some(pbx));
        let calls: Vec<CallId> = its.map(|it| it.id()).collect();
        for call in calls {
            self.hears_of_agents(call, None, Some(AgentNews::Lost(AgentSource::Ami)));
        }
    }

    /// Who is there, by the pseudonym that the line's tenant has for them. A call without a line is never
    /// recorded, and nobody wants to know.
    fn connected(
        &self,
        session: &Session,
        name: &Private<String>,
        queue: Option<Queue>,
        source: AgentSource,
    ) -> Option<AgentNews> {
        let line = session.offer.line.as_ref()?;
        let id = self.office.agent(&line.tenant, name);
        Some(AgentNews::Connected(Agent { id, queue, source }))
    }

    /// What the PBX says of its agent in a message of the call itself: its answer, or one that changes the call or
    /// tells who is there now (RFC 5876).
    pub(crate) fn reads_agent(&mut self, session: &mut Session, side: Side, event: &Event) {
        match event {
            Event::Answered { response, .. } => self.reads_present(session, side, response),
            Event::Reinvite { request, .. } | Event::Noted { request, .. } => {
                self.reads_present(session, side, request.message());
            }
            Event::IncomingInvite { .. }
            | Event::Acked { .. }
            | Event::Pracked { .. }
            | Event::Cancelled { .. }
            | Event::Provisional { .. }
            | Event::ForkEnded { .. }
            | Event::Rejected { .. }
            | Event::Reanswered { .. }
            | Event::ReinviteRefused { .. }
            | Event::Info { .. }
            | Event::Asked { .. }
            | Event::Told { .. }
            | Event::Bye { .. }
            | Event::Ended { .. }
            | Event::Registration { .. }
            | Event::Pong { .. } => {}
        }
    }

    /// The same of a call that the PBX starts.
    pub(crate) fn reads_first_agent(&mut self, session: &mut Session) {
        if let Some(request) = session.wires.request() {
            self.reads_present(session, Side::Near, request.message());
        }
    }

    fn reads_present(&mut self, session: &mut Session, side: Side, message: &Message) {
        let [near, far] = &session.rules;
        let rules = if side == Side::Near { near } else { far };
        if session.party(side) != Party::Agent || !rules.trusted {
            return;
        }
        let source = AgentSource::Sip;
        let news = match identity::present(message, rules.asserts_agents) {
            Some(Present::Agent(name, queue)) => self.connected(session, &name, queue, source),
            Some(Present::Nobody) => Some(AgentNews::Left(source)),
            None => None,
        };
        if let Some(news) = news {
            self.is_heard_of(session, None, news);
        }
    }

    /// Tells a call.
    fn hears_of_agents(&mut self, call: CallId, by: Option<&Arc<str>>, news: Option<AgentNews>) {
        let (Some(news), Some(mut session)) = (news, self.sessions.remove(&call)) else { return };
        self.is_heard_of(&mut session, by, news);
        self.put_back(session);
    }

    /// The same, on its ladder, too, and there without a name.
    fn is_heard_of(&mut self, session: &mut Session, by: Option<&Arc<str>>, news: AgentNews) {
        let now = self.now();
        let (what, source) = match news {
            AgentNews::Connected(agent) => ("an agent is there", agent.source),
            AgentNews::Left(source) => ("no agent is there", source),
            AgentNews::Lost(source) => ("whether an agent is there is not known", source),
        };
        session.manager = by.cloned();
        session.ladder.add(now, Station::Pbx, Station::Node, &format!("{what} ({source})"));
        self.tell(session, bridge::attended(news));
    }
}
