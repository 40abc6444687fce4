//! The loop: one input at a time, then everything that follows from it.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use call::CallId;
use sip::Remote;
use tokio::{sync::mpsc, time};

use super::Node;
use crate::{
    bridge,
    config::judge::Settings,
    descriptors::Descriptors,
    live::ask::Ask,
    net::{
        Heard,
        sign::{Outlet, Sign},
    },
    note::Note,
};

/// How long a call waits for its row before it goes on unrecorded.
pub(crate) const ROW_PATIENCE: Duration = Duration::from_secs(2);

/// How long a stopping node waits for its calls.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// The loop's receiving ends.
pub struct Inbox {
    /// What sockets and connections have to tell.
    pub signs: Outlet,
    /// Notes.
    pub notes: mpsc::UnboundedReceiver<Note>,
}

/// Runs the node until it is told to stop and its calls have ended.
///
/// # Errors
/// None today; a loop that cannot go on would say so here.
pub async fn run(mut node: Node, inbox: Inbox) -> io::Result<()> {
    let Inbox { mut signs, mut notes } = inbox;
    let mut stop_by: Option<Instant> = None;
    loop {
        let wake = [node.wake(), stop_by].into_iter().flatten().min();
        let sleep = wake.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        tokio::select! {
            Some(sign) = signs.next() => {
                node.instant = Instant::now();
                node.sign(sign);
            }
            Some(note) = notes.recv() => {
                node.instant = Instant::now();
                if matches!(note, Note::Stop) {
                    stop_by = Some(node.instant + STOP_PATIENCE);
                }
                node.note(note);
            }
            () = time::sleep_until(sleep.into()) => {
                node.instant = Instant::now();
                node.timeouts();
            }
        }
        if node.has_left() {
            stop_by = Some(node.instant + STOP_PATIENCE);
            node.note(Note::Stop);
        }
        node.settle();
        let now = Instant::now();
        if stop_by.is_some_and(|by| now >= by || node.quiet()) {
            return Ok(());
        }
    }
}

impl Node {
    /// When the loop must wake even if nothing happens.
    fn wake(&self) -> Option<Instant> {
        let calls = self.due.first().map(|(at, _)| self.clock.instant(*at));
        let parked = self.parked.front().map(|(at, _)| *at);
        let targets = self.targets.wakes();
        let enrols = self.registry.wakes(self.instant);
        [self.endpoint.poll_timeout(), calls, targets, parked, self.leaving, enrols]
            .into_iter()
            .flatten()
            .min()
    }

    /// A message has come, or somebody cannot be reached any more.
    fn sign(&mut self, sign: Sign) {
        let known = matches!(&sign, Sign::Knock { remote, .. } if self.is_known(*remote));
        match self.net.take(sign, known) {
            Some(Heard::Message { source, octets }) => self.reads(source, &octets),
            Some(Heard::Gone(asked)) => {
                for remote in asked {
                    self.endpoint.unreachable(self.instant, remote);
                }
            }
            Some(Heard::Severed { connection, asked }) => {
                self.endpoint.severed(self.instant, connection, &asked);
            }
            None => {}
        }
    }

    /// The operator tries something out. It has no part in the calls.
    fn tries(&mut self, ask: Ask) {
        let leaves = ask.way().cloned().and_then(|way| {
            let to = (way.host.as_deref(), way.address);
            self.leaves(&way.reach.exit, to, way.transport.on_the_wire())
        });
        let routes = ask.trunk().map(|trunk| self.registry.routes(trunk)).unwrap_or_default();
        self.trials.take(self.instant, ask, &mut self.endpoint, leaves, routes);
    }

    fn reads(&mut self, source: Remote, octets: &[u8]) {
        if self.admits(source, octets) {
            self.traced(&source, octets, true);
            self.endpoint.receive(self.instant, source, octets);
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Media(report) => self.heard(&report),
            Note::Paper(paper) => self.papered(paper),
            Note::Tape(tape) => self.taped(&tape),
            Note::RecorderGone => self.recorder_gone(),
            Note::Reconciled(compared) => self.reconciled(compared),
            Note::Settings(settings) => self.settles_for(settings),
            Note::Ask(call, answer) => {
                let _nobody_waits = answer.send(self.ask(&call));
            }
            Note::Agent(call, seated, answer) => self.told_of_agent(&call, seated, answer),
            Note::Agents(word) => self.manager_says(word),
            Note::Pause(call, on, answer) => {
                let _nobody_waits = answer.send(self.pauses(&call, on));
            }
            Note::Withdraw(call, answer) => {
                let _nobody_waits = answer.send(self.withdraws(&call));
            }
            Note::Count => self.counts(),
            Note::Floor(answer) => self.shows(answer),
            Note::Resolved(question, found) => {
                self.targets.resolved(&question, &found, self.instant);
            }
            Note::HangUp(call, answer) => {
                let known = self.sessions.contains_key(&call);
                self.with(call, bridge::stop(false));
                let _nobody_waits = answer.send(known);
            }
            Note::Trace(call, answer) => {
                let _nobody_waits = answer.send(self.traces.of(call));
            }
            Note::Stand(call, answer) => self.stands_at(call, answer),
            Note::Look(answer) => {
                let _nobody_waits = answer.send(Arc::clone(&self.settings));
            }
            Note::Try(ask) => self.tries(ask),
            Note::Drain(on, answer) => {
                self.drains(on);
                let _nobody_waits = answer.send(self.sessions.len());
            }
            Note::Leave => {
                self.drains(true);
                self.leaving = Some(self.instant + self.settings.drain.limit);
            }
            Note::Stop => {
                self.leaving = None;
                self.drains(true);
                self.withdraw_all();
                self.trials.end(self.instant, &mut self.endpoint);
                self.ends_all();
            }
        }
    }

    /// New settings take effect; running calls keep theirs.
    fn settles_for(&mut self, settings: Arc<Settings>) {
        self.targets.renew(&settings.pbxs, &settings.trunks, self.instant);
        self.follows(&settings);
        self.sound.renew(&settings);
        let (limit, workers) = (self.descriptors.limit, self.sound.crew().len());
        self.descriptors = Descriptors::new(limit, &settings, workers);
        self.metrics.load.carries(self.descriptors.calls());
        self.renew_listeners(&settings);
        self.settings = settings;
        self.registry.unsettle();
    }

    /// Names of targets and managers of PBXs are followed as the settings say.
    fn follows(&mut self, settings: &Settings) {
        self.resolver.follow(&self.targets.questions());
        self.managers.follow(settings.managers());
    }

    fn ends_all(&mut self) {
        let calls: Vec<CallId> = self.sessions.keys().copied().collect();
        for call in calls {
            self.with(call, bridge::stop(true));
        }
    }

    /// Everything that follows from the last input: events, then messages, and the events that
    /// follow when one of these cannot be sent.
    fn settle(&mut self) {
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                let ours = self.trials.heard(self.instant, event, &mut self.endpoint);
                if let Some(event) = ours {
                    self.signalled(event);
                }
            }
            self.enrol();
            let Some(transmit) = self.endpoint.poll_transmit() else { return };
            self.traced(&transmit.remote, &transmit.octets, false);
            let remote = transmit.remote;
            if self.net.send(transmit).is_err() {
                tracing::debug!("a SIP message could not be sent");
                self.endpoint.unreachable(self.instant, remote);
            }
        }
    }

    /// Keeps a message for whoever looks at the call later.
    fn traced(&mut self, remote: &Remote, octets: &[u8], received: bool) {
        let at = self.now();
        let own =
            self.listener(remote.listener).map_or(remote.address, |listener| listener.advertised);
        let (from, to) = if received { (remote.address, own) } else { (own, remote.address) };
        self.traces.add(at, from, to, octets);
    }

    /// Whether a node that leaves has nothing to wait for any more.
    fn has_left(&self) -> bool {
        let late = |by: Instant| self.sessions.is_empty() || self.instant >= by;
        self.leaving.is_some_and(late)
    }

    fn quiet(&self) -> bool {
        let over = self.sessions.is_empty() && self.closing.is_empty();
        over && self.endpoint.legs() == 0 && self.endpoint.registrations() == 0
    }
}
