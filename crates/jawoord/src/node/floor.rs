//! What the page shows of calls that run: how each stands, and what is wrong.

use std::cmp::Reverse;

use call::{CallId, Party};
use media::CallStats;
use portal::{Ailment, Hearing, Incident, Now, Running, Taping, Trouble, Way};
use tokio::sync::oneshot;

use super::Node;
use crate::session::Session;

/// How many calls are shown; the page says how many run.
const SHOWN: usize = 200;

impl Node {
    /// Somebody looks at the page.
    pub(crate) fn shows(&self, answer: oneshot::Sender<Now>) {
        let _nobody_waits = answer.send(self.floor());
    }

    /// Somebody is about to: the media threads are asked how the calls sound that will be shown. So
    /// nothing is counted for the page while nobody looks at it.
    pub(crate) fn counts(&self) {
        self.shown().for_each(|session| self.sound.count(session));
    }

    /// A media thread has answered.
    pub(crate) fn sounds(&mut self, call: CallId, stats: &CallStats) {
        if let Some(session) = self.sessions.get_mut(&call) {
            session.sound = Some(Box::new(*stats));
        }
    }

    /// The calls with which something is wrong, then the others, the newest first.
    fn shown(&self) -> impl Iterator<Item = &Session> {
        let mut sessions: Vec<&Session> = self.sessions.values().map(|it| &**it).collect();
        sessions.sort_unstable_by_key(|it| (it.alarms.now().is_empty(), Reverse(it.since)));
        sessions.into_iter().take(SHOWN)
    }

    fn floor(&self) -> Now {
        let calls = self.shown().map(|session| self.running(session)).collect();
        Now { running: self.sessions.len(), calls, troubles: self.troubles() }
    }

    fn running(&self, session: &Session) -> Running {
        let alarms = session.alarms.now().iter();
        let taping = match (session.call.may_be_paused(), session.call.is_paused()) {
            (false, _) if session.call.is_being_asked() => Taping::Asked,
            (false, _) => Taping::Off,
            (true, false) if session.call.lacks_an_agent() => Taping::NoAgent,
            (true, false) => Taping::On,
            (true, true) => Taping::Paused,
        };
        Running {
            call: session.id(),
            started_at: self.clock.at(session.since),
            line: session.offer.line.as_ref().map(|line| line.id.clone()),
            direction: session.direction(),
            taping,
            askable: session.call.may_be_asked(),
            alarms: alarms
                .map(|it| Incident { alarm: it.alarm, since: it.since, until: None })
                .collect(),
            sound: session.sound.as_deref().map(ways).unwrap_or_default(),
        }
    }

    /// What is wrong with the node, whoever calls.
    fn troubles(&self) -> Vec<Trouble> {
        let gone = self.recorder_gone.map(|since| Trouble { what: Ailment::Recorder, since });
        let disk = self.recorder.failing().map(|since| Trouble { what: Ailment::Disk, since });
        let managers = self.unheard.iter().map(|(pbx, since)| Trouble {
            what: Ailment::Manager { pbx: pbx.to_string() },
            since: *since,
        });
        let dead = self.unanswered.dead(self.settings.alarms.unanswered);
        let trunks = dead.map(|(trunk, questions, since)| Trouble {
            what: Ailment::Unanswered { trunk: trunk.to_owned(), questions },
            since,
        });
        let mut trunks: Vec<_> = trunks.collect();
        trunks.sort_unstable_by_key(|trouble| trouble.since);
        gone.into_iter()
            .chain(disk)
            .chain(self.books.troubles())
            .chain(managers)
            .chain(trunks)
            .collect()
    }
}

/// How each leg sounds, as far as that can be said of it.
fn ways(stats: &CallStats) -> Vec<Hearing> {
    let legs = [(Party::Customer, &stats.customer), (Party::Agent, &stats.agent)];
    let ways = legs.into_iter().flat_map(|(leg, counted)| {
        [(leg, Way::Received, counted.heard), (leg, Way::Sent, counted.told)]
    });
    let hearing = |(leg, way, quality): (Party, Way, Option<media::Quality>)| {
        let media::Quality { lost_of_10000, jitter_us, mos_hundredths } = quality?;
        Some(Hearing { leg, way, lost_of_10000, jitter_us, mos_hundredths })
    };
    ways.filter_map(hearing).collect()
}
