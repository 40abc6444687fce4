//! A trial call by a trunk: it rings, plays a tone, presses a key, listens and hangs up.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use media::TOKEN_LEN;
use ring::rand::{SecureRandom, SystemRandom};
use sip::{Description, Event, LegId, Local, Message, Negotiated, Own, Sdp, SipUri, Why};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time,
};

use super::{
    ask::{Ask, Placing, Told, Way, Word},
    finding::Finding,
    subject::Subject,
    talk::{Chance, Talk},
    told::{Course, Outcome},
    tries::{self, Tries},
    wanted::{Judged, Wanted, is_urgent},
};
use crate::{clock::Clock, config::media::Range, port::Ports};

/// How long it may ring.
const RING: Duration = Duration::from_secs(45);
/// How long the far end may take to let go of it.
const CLOSE: Duration = Duration::from_secs(4);

/// Places the call that is wanted. `trunks` are the addresses of each trunk and whether they answer.
pub async fn call(
    subject: &Arc<Subject>,
    trunks: &[Vec<(Way, bool)>],
    wanted: &Wanted,
) -> Vec<Finding> {
    let judged = match wanted.judge(&subject.settings) {
        Ok(judged) => judged,
        Err(finding) => return vec![finding],
    };
    let Some(trunk) = subject.settings.trunks.get(judged.trunk) else { return Vec::new() };
    let place = format!("call by trunk \"{}\"", trunk.name);
    let ways = trunks.get(judged.trunk).map(Vec::as_slice).unwrap_or_default();
    if ways.is_empty() {
        let mend = "look at what is said of its targets";
        return vec![Finding::fail(place, "the trunk leads to no address", mend)];
    }
    let tries = Tries::new((judged.trunk, trunk), ways);
    let ranges = &subject.settings.media.ranges;
    let named = ranges.iter().find(|range| range.name == trunk.reach.exit.media);
    let Some(range) = named.or_else(|| ranges.first()) else { return Vec::new() };
    let conversation = match Conversation::new(subject, tries, judged, range) {
        Ok(conversation) => conversation,
        Err(error) => {
            let found = format!("no media ports can be bound ({})", error.kind());
            let mend = "look at what is said of the media ports";
            return vec![Finding::fail(place, found, mend)];
        }
    };
    let listening = Duration::from_secs(wanted.seconds.into());
    let (course, tries) = conversation.run(listening).await;
    let mut findings = tries.findings(&place);
    findings.extend(course.findings(&place, range));
    if trunk.register.is_some() && !subject.registers {
        let found = "the trunk wants to be registered with, and only a running node is";
        findings.push(Finding::warn(place, found, "start the node and try the call again"));
    }
    findings
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Ringing,
    Talking,
    Closing,
}

/// One call.
struct Conversation {
    subject: Arc<Subject>,
    judged: Judged,
    tries: Tries,
    clock: Clock,
    talk: Talk,
    own: Own,
    local: Local,
    offer: Vec<u8>,
    /// What is heard of the attempt that is under way, and of no other.
    told: mpsc::UnboundedReceiver<Told>,
    leg: Option<LegId>,
    phase: Phase,
    started: Instant,
    until: Instant,
    listening: Duration,
    course: Course,
}

impl Conversation {
    /// Binds the ports of a call.
    fn new(
        subject: &Arc<Subject>,
        tries: Tries,
        judged: Judged,
        range: &Range,
    ) -> io::Result<Self> {
        let mut random = [0; 34];
        let drawn = SystemRandom::new().fill(&mut random);
        drawn.map_err(|_| io::Error::other("no random number"))?;
        let (session, at, chance) = drawn_parts(random);
        let pair = Ports::new(range.bind, range.ports, at).bind()?;
        let mut own = Own::new(session);
        let local = Local::new((range.advertised, pair.port).into());
        let offer = own.offer(&local);
        let (clock, started) = (Clock::start(), Instant::now());
        let talk = Talk::new(pair, clock, chance)?;
        // Nothing is heard before the first attempt.
        let (_, told) = mpsc::unbounded_channel();
        Ok(Self {
            subject: Arc::clone(subject),
            judged,
            tries,
            clock,
            talk,
            own,
            local,
            offer,
            told,
            leg: None,
            phase: Phase::Ringing,
            started,
            until: started + RING,
            listening: Duration::ZERO,
            course: Course::default(),
        })
    }

    /// Sends the INVITE to the next target; `false` when none is left. What becomes of it comes from
    /// a channel of its own: an attempt that was left is heard of no more, and ends.
    fn advances(&mut self, before: Outcome) -> bool {
        let Some((way, contact)) = self.tries.next(self.clock.now(), before) else { return false };
        self.course = Course { target: tries::at(&way), ..Course::default() };
        let (tells, told) = mpsc::unbounded_channel();
        (self.told, self.leg) = (told, None);
        let trunk = self.subject.settings.trunks.get(self.judged.trunk);
        let placing = Placing {
            way,
            trunk: trunk.map(|trunk| (&*trunk.name).into()).unwrap_or_default(),
            from: self.judged.from.clone(),
            number: self.judged.number.clone(),
            contact,
            offer: self.offer.clone(),
        };
        // An owner that is gone drops the sender, which ends the call before it begins.
        let _gone = self.subject.ask(Ask::Call(Box::new(placing), tells));
        self.until = Instant::now() + RING;
        true
    }

    /// Goes on after an attempt that came to nothing, as a call of the node's does.
    fn goes_on(&mut self, outcome: Outcome, response: Option<&Message>) -> bool {
        let settings = &self.subject.settings;
        let trunk = settings.trunks.get(self.judged.trunk);
        // Not even a carrier sends a trial to an emergency.
        let may = |uri: &SipUri| {
            let user = uri.user.as_deref().unwrap_or_default();
            trunk.is_some_and(|trunk| !is_urgent(settings, trunk, user))
        };
        self.phase == Phase::Ringing
            && self.tries.goes_on(outcome, response, may)
            && self.advances(outcome)
    }

    /// Lives through the call.
    async fn run(mut self, listening: Duration) -> (Course, Tries) {
        self.listening = listening;
        let mut goes = self.advances(Outcome::Broken);
        // Whoever stops the command or the node must not leave a telephone ringing.
        let mut stops = signal(SignalKind::interrupt()).ok();
        while goes {
            let stopped = async {
                match &mut stops {
                    Some(stops) => stops.recv().await,
                    None => std::future::pending().await,
                }
            };
            let due = self.due();
            goes = tokio::select! {
                told = self.told.recv() => told.is_some_and(|told| self.hears(told)),
                () = self.talk.step() => true,
                _ = stopped => self.expires(),
                () = time::sleep_until(due.unwrap_or(self.until).into()) => match due {
                    Some(_) => self.lingers(),
                    None => self.expires(),
                },
            };
        }
        self.course.heard = self.talk.heard();
        self.course.reported = self.talk.reported();
        self.course.sent = self.talk.sent();
        (self.course, self.tries)
    }

    /// When the target has had its time, if that is before the end of it all.
    fn due(&self) -> Option<Instant> {
        let due = self.tries.due().map(|due| self.clock.instant(due));
        due.filter(|due| self.phase == Phase::Ringing && *due < self.until)
    }

    /// A target has had its time, and another one is left.
    fn lingers(&mut self) -> bool {
        if self.tries.is_silent(self.clock.now()) {
            // Whether there was a 100 at least, only the owner knows; it says so if there was none.
            self.tries.heard();
            self.say(Word::CancelUnheard);
            return true;
        }
        self.say(Word::Cancel);
        self.goes_on(Outcome::Unanswered, None) || self.expires()
    }

    fn say(&self, word: Word) {
        if let Some(leg) = self.leg {
            // An owner that is gone has ended the call.
            let _gone = self.subject.ask(Ask::Say(leg, word));
        }
    }

    /// Its time is over; whether there is something to wait for.
    fn expires(&mut self) -> bool {
        let word = match self.phase {
            Phase::Ringing => {
                self.course.outcome = Outcome::Unanswered;
                Word::Cancel
            }
            Phase::Talking => {
                self.talk.end();
                Word::HangUp
            }
            Phase::Closing => return false,
        };
        self.say(word);
        self.close();
        self.leg.is_some()
    }

    fn close(&mut self) {
        self.phase = Phase::Closing;
        self.until = Instant::now() + CLOSE;
    }

    /// What happened; whether the call goes on.
    fn hears(&mut self, told: Told) -> bool {
        match told {
            Told::Placed(leg) => {
                self.leg = Some(leg);
                true
            }
            Told::Unsent(error) => {
                self.course.outcome = Outcome::Unsent(error);
                self.goes_on(Outcome::Unsent(error), None)
            }
            Told::Unheard => {
                self.course.outcome = Outcome::Unheard;
                self.goes_on(Outcome::Unheard, None)
            }
            Told::Event(at, event) => {
                let (over, response) = (event.ends_leg().is_some(), rejection(&event));
                self.happens(at.duration_since(self.started), *event);
                !over || self.goes_on(self.course.outcome, response.as_deref())
            }
        }
    }

    fn happens(&mut self, after: Duration, event: Event) {
        match event {
            Event::Provisional { sdp, .. } => {
                self.tries.heard();
                self.course.rang.get_or_insert(after);
                self.course.early |= sdp.is_some();
            }
            Event::Answered { sdp, response, .. } => {
                self.course.info = response.lists("Allow", "INFO");
                self.answered(after, &sdp);
            }
            Event::Reinvite { offer, .. } => self.reinvited(offer.as_ref()),
            Event::Rejected { status, .. } => self.course.outcome = Outcome::Rejected(status),
            Event::Bye { .. } if self.phase == Phase::Talking => {
                self.course.left = Some(after);
                self.talk.end();
            }
            Event::Ended { why, .. } if self.phase == Phase::Ringing => {
                let unheard = why == Why::NoResponse;
                self.course.outcome = if unheard { Outcome::Unheard } else { Outcome::Broken };
            }
            Event::Ended { .. }
            | Event::Bye { .. }
            | Event::IncomingInvite { .. }
            | Event::Pracked { .. }
            | Event::Acked { .. }
            | Event::Cancelled { .. }
            | Event::ForkEnded { .. }
            | Event::Reanswered { .. }
            | Event::ReinviteRefused { .. }
            | Event::Info { .. }
            | Event::Noted { .. }
            | Event::Asked { .. }
            | Event::Told { .. }
            | Event::Registration { .. }
            | Event::Pong { .. } => {}
        }
    }

    fn answered(&mut self, after: Duration, sdp: &Sdp) {
        if self.phase != Phase::Ringing {
            // It crosses with our CANCEL; the endpoint hangs up.
            return;
        }
        self.tries.settle();
        self.course.answered = Some(after);
        match self.own.read_answer(&self.local, sdp) {
            Ok(agreed) => {
                self.agree(agreed);
                self.course.outcome = Outcome::Talked;
                self.phase = Phase::Talking;
                self.until = Instant::now() + self.listening;
            }
            Err(refusal) => {
                self.course.outcome = Outcome::Disagreed(refusal);
                self.say(Word::HangUp);
                self.close();
            }
        }
    }

    fn agree(&mut self, agreed: Negotiated) {
        self.talk.agree(&agreed);
        self.course.agreed = Some(agreed);
    }

    fn reinvited(&mut self, offer: Option<&Sdp>) {
        let answer = match offer {
            None => Some(self.own.offer(&self.local)),
            Some(offer) => Description::parse(offer)
                .ok()
                .and_then(|offer| self.own.answer(&offer, &self.local).ok())
                .map(|(octets, agreed)| {
                    self.agree(agreed);
                    octets
                }),
        };
        self.say(Word::Agree(answer));
    }
}

/// The response that refuses a call.
fn rejection(event: &Event) -> Option<Arc<Message>> {
    if let Event::Rejected { response, .. } = event { Some(Arc::clone(response)) } else { None }
}

/// A session's number, where the ports begin, and the parts of a stream.
fn drawn_parts(random: [u8; 34]) -> (u64, u16, Chance) {
    let number = |from: usize| {
        let octets = random.get(from..from + 8).and_then(|octets| octets.first_chunk::<8>());
        octets.map_or(0, |octets| u64::from_be_bytes(*octets))
    };
    let token = random.first_chunk::<TOKEN_LEN>().copied().unwrap_or_default();
    let (session, mixed, seed) = (number(12) >> 1, number(20), number(26));
    let chance = Chance { ssrc: mixed as u32, token, seed };
    (session, (mixed >> 48) as u16, chance)
}
