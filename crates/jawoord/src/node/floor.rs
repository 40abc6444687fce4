//! What the page shows of calls that run: how each stands, and what is wrong.

use std::cmp::Reverse;

use portal::{Ailment, Incident, Now, Running, Taping, Trouble};
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

    /// The calls with which something is wrong, then the others, the newest first.
    fn floor(&self) -> Now {
        let mut sessions: Vec<&Session> = self.sessions.values().map(|it| &**it).collect();
        sessions.sort_unstable_by_key(|it| (it.alarms.now().is_empty(), Reverse(it.since)));
        let calls = sessions.iter().take(SHOWN).map(|session| self.running(session));
        Now { running: sessions.len(), calls: calls.collect(), troubles: self.troubles() }
    }

    fn running(&self, session: &Session) -> Running {
        let alarms = session.alarms.now().iter();
        let taping = match (session.call.may_be_paused(), session.call.is_paused()) {
            (false, _) => Taping::Off,
            (true, false) => Taping::On,
            (true, true) => Taping::Paused,
        };
        Running {
            call: session.id(),
            started_at: self.clock.at(session.since),
            line: session.offer.line.as_ref().map(|line| line.id.clone()),
            direction: session.direction(),
            taping,
            alarms: alarms
                .map(|it| Incident { alarm: it.alarm, since: it.since, until: None })
                .collect(),
        }
    }

    /// What is wrong with the node, whoever calls.
    fn troubles(&self) -> Vec<Trouble> {
        let gone = self.recorder_gone.map(|since| Trouble { what: Ailment::Recorder, since });
        let disk = self.recorder.failing().map(|since| Trouble { what: Ailment::Disk, since });
        let dead = self.unanswered.dead(self.settings.alarms.unanswered);
        let trunks = dead.map(|(trunk, questions, since)| Trouble {
            what: Ailment::Unanswered { trunk: trunk.to_owned(), questions },
            since,
        });
        let mut trunks: Vec<_> = trunks.collect();
        trunks.sort_unstable_by_key(|trouble| trouble.since);
        gone.into_iter().chain(disk).chain(trunks).collect()
    }
}
