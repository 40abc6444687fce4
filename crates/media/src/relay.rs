//! A call in a worker: two legs, what each of them hears, and the tap between them.

use std::{net::SocketAddr, time::Duration};

use arrayvec::ArrayVec;
use call::{Connection, Kept, Key, Party, Pause, Prompt, Time, Tone};

use crate::{
    beep::Beeps,
    digit::fax::Fax,
    leg::{Dropped, Kind, Leg, Remote, Transmit},
    playout::PromptEnd,
    prompt::PromptAudio,
    quiet::Quiet,
    report::{CallStats, Event, LegStats},
    srtp::{cipher::LONGEST_TAG, key::Keys},
    start::LegStart,
    tap::{Tap, TapEnd},
    timeline::CallClock,
    tone::Tones,
    watch::Watch,
};

/// Events that can wait to be taken; one packet or timeout makes three at most.
const EVENTS: usize = 8;

/// Most bytes that SRTP adds to a packet.
pub const TRAILER: usize = LONGEST_TAG;

/// What becomes of a received packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was rewritten in place: send it.
    Forward(Transmit),
    /// Its sound leaves in packets of another length: [`Relay::poll_transmit`] has them.
    Packed,
    /// It goes nowhere.
    Drop(Dropped),
}

/// Two legs and what is between them. It is told the time, holds no socket, and allocates nothing
/// while packets pass.
///
/// After every call of a method, take [`poll_event`](Self::poll_event) until `None`; the answer of
/// [`poll_timeout`](Self::poll_timeout) may have changed. Nearly every packet only passes: of those
/// [`has_news`](Self::has_news) says so, and what is not asked costs nothing.
pub struct Relay {
    pub(crate) clock: CallClock,
    tones: Tones,
    pub(crate) customer: Leg,
    pub(crate) agent: Leg,
    pub(crate) connection: Connection,
    pub(crate) taps: ArrayVec<Tap, 1>,
    paused: Option<Pause>,
    /// What both hear while the tap listens.
    beeps: Option<Box<Beeps>>,
    pub(crate) armed: Option<Key>,
    /// The agent's key that makes the tap keep silence.
    pub(crate) pauses: Option<Key>,
    /// A prompt has been played to the customer: an answer is awaited until the bridge.
    pub(crate) asks: bool,
    /// The customer hears that the other party rings: what they were asked is over.
    pub(crate) rings: bool,
    /// Hears whether the customer who is asked is a fax.
    pub(crate) fax: Fax,
    /// Tones are keys beside telephone events, too.
    pub(crate) beside: bool,
    pub(crate) quiet: Quiet,
    pub(crate) watch: Watch,
    events: ArrayVec<Event, EVENTS>,
    /// Something may be due sooner than it was before the packet received last.
    pub(crate) sooner: bool,
    goodbyes: ArrayVec<Party, 2>,
    faults: u64,
}

impl Relay {
    /// A call without peers: nothing is received, nothing is sent.
    #[must_use]
    pub fn new(now: Time, customer: &LegStart, agent: &LegStart, tones: Tones) -> Self {
        Self {
            clock: CallClock::start(now),
            tones,
            customer: Leg::new(now, Party::Customer, customer),
            agent: Leg::new(now, Party::Agent, agent),
            connection: Connection::Apart,
            taps: ArrayVec::new(),
            paused: None,
            beeps: None,
            armed: None,
            pauses: None,
            asks: false,
            rings: false,
            fax: Fax::default(),
            beside: false,
            quiet: Quiet::new(now),
            watch: Watch::new(now),
            events: ArrayVec::new(),
            sooner: true,
            goodbyes: ArrayVec::new(),
            faults: 0,
        }
    }

    pub(crate) const fn leg(&mut self, party: Party) -> &mut Leg {
        match party {
            Party::Customer => &mut self.customer,
            Party::Agent => &mut self.agent,
        }
    }

    pub(crate) fn report(&mut self, event: Event) {
        // A caller that never takes its events loses the newest; the worker takes them each time.
        let _full = self.events.try_push(event);
    }

    /// A prompt ended on a leg. Only the customer's ear counts.
    pub(crate) fn prompt_ended(&mut self, party: Party, end: Option<PromptEnd>) {
        if let Some(end) = end.filter(|_| party == Party::Customer) {
            self.report(Event::PromptEnded(end));
        }
    }

    /// The session description of a leg was agreed or changed. Whoever is held by it hears the music of
    /// the holder, and silence until there is any: a network that hears nothing may hang up.
    pub fn set_remote(&mut self, now: Time, party: Party, remote: Remote) {
        self.leg(party).set_remote(now, remote);
        self.rewatch(now, false);
        if self.is_bridged() && !remote.hears {
            self.leg(party.other()).playout.connect(now);
        }
    }

    /// What a leg sends and receives is under these keys from now on, or plain without any. It takes
    /// effect at once; a key that stays goes on counting where it is.
    pub fn secure(&mut self, party: Party, keys: Option<&Keys>) {
        self.leg(party).secure(keys);
    }

    /// Plays a prompt to the customer; in a bridged call over the agent, who is lowered by 12 dB.
    pub fn play(&mut self, now: Time, prompt: Prompt, audio: PromptAudio) {
        if !std::mem::replace(&mut self.asks, true) && !self.is_bridged() {
            self.rewatch(now, false);
        }
        self.agent.playout.cut_prompt(now);
        let cut = self.customer.playout.play(now, prompt, audio);
        self.prompt_ended(Party::Customer, cut);
    }

    /// Plays a prompt to both parties, each of whom hears it over the other. What the customer
    /// heard of it is reported.
    pub fn announce(&mut self, now: Time, prompt: Prompt, audio: PromptAudio) {
        self.play(now, prompt, audio.clone());
        let _not_the_customers = self.agent.playout.play(now, prompt, audio);
    }

    /// Plays a cue to the agent, over the customer, who does not hear it; after a prompt that both hear.
    pub fn cue(&mut self, now: Time, audio: PromptAudio) {
        self.agent.playout.cue(now, audio);
    }

    /// From now on a tap that listens is heard by both parties, as often as this, over the other: where
    /// none does, because nothing may be recorded, somebody holds or the house pauses, there is no beep.
    pub fn beep(&mut self, now: Time, every: Duration, audio: PromptAudio) {
        self.beeps = Some(Box::new(Beeps::new(now, every, audio)));
    }

    fn next_beep(&self) -> Option<Time> {
        self.taps.first()?;
        self.beeps.as_ref().map(|beeps| beeps.due())
    }

    fn beep_on(&mut self, now: Time) {
        let listens = self.taps.first().is_some_and(Tap::is_live) && self.paused.is_none();
        let due = self.beeps.as_mut().and_then(|beeps| beeps.take(now));
        if let Some(audio) = due.filter(|_| listens) {
            self.customer.playout.cue(now, audio.clone());
            self.agent.playout.cue(now, audio);
        }
    }

    /// Ends what plays to the customer, and an announcement to both; silence follows.
    pub fn hush(&mut self, now: Time) {
        self.agent.playout.cut_prompt(now);
        let cut = self.customer.playout.hush(now);
        self.prompt_ended(Party::Customer, cut);
    }

    /// Plays ring-back to a party after 300 ms of silence.
    pub fn ring_back(&mut self, now: Time, party: Party) {
        self.rings |= party == Party::Customer;
        let cut = self.leg(party).playout.ring_back(now);
        self.prompt_ended(party, cut);
    }

    /// Plays a tone to the customer.
    pub fn tone(&mut self, now: Time, tone: Tone) {
        let cut = self.customer.playout.tone(now, tone);
        self.prompt_ended(Party::Customer, cut);
    }

    /// Connects the legs. With [`Connection::Early`] what plays goes on until the called party
    /// sends something; with [`Connection::Bridged`] tones end now and the tap may listen. With
    /// [`Connection::Apart`] nothing is relayed any more.
    pub fn connect(&mut self, now: Time, connection: Connection) {
        self.connection = connection;
        match connection {
            Connection::Apart => {
                self.customer.packing.clear();
                self.agent.packing.clear();
            }
            Connection::Early => {}
            Connection::Bridged => {
                self.quiet.heard(now);
                self.customer.playout.connect(now);
                self.agent.playout.connect(now);
            }
        }
        self.rewatch(now, connection == Connection::Apart);
    }

    /// From now on, so much of what `party` presses does not reach the other; each press is
    /// reported all the same. A key that is down already keeps its way.
    pub const fn keep(&mut self, party: Party, kept: Kept) {
        self.leg(party).kept = kept;
    }

    /// Puts a tap in. A dead one, or one too many, is closed at once.
    pub fn insert_tap(&mut self, now: Time, mut tap: Tap) {
        if !tap.is_live() {
            return tap.close(now, TapEnd::LeashDropped);
        }
        tap.pause(now, self.clock, self.paused);
        if let Err(refused) = self.taps.try_push(tap) {
            refused.element().close(now, TapEnd::Removed);
        }
    }

    /// The tap keeps silence from here, for this reason from now on.
    pub fn pause(&mut self, now: Time, why: Pause) {
        self.set_pause(now, Some(why));
    }

    /// The tap listens again.
    pub fn resume(&mut self, now: Time) {
        self.set_pause(now, None);
    }

    fn set_pause(&mut self, now: Time, why: Option<Pause>) {
        self.paused = why;
        for tap in &mut self.taps {
            tap.pause(now, self.clock, why);
        }
    }

    /// From now on the first packet of `key` on the customer's leg cuts the tap; neither it nor
    /// its tail reaches the PBX.
    pub const fn arm_withdrawal(&mut self, key: Key) {
        self.armed = Some(key);
    }

    /// From now on the first packet of `key` on the agent's leg makes the tap keep silence; that it
    /// listens again takes [`Relay::resume`].
    pub const fn arm_pause(&mut self, key: Key) {
        self.pauses = Some(key);
    }

    /// Takes the tap out.
    pub fn remove_tap(&mut self, now: Time) {
        self.end_taps(now, TapEnd::Removed);
    }

    pub(crate) fn end_taps(&mut self, now: Time, end: TapEnd) {
        while let Some(tap) = self.taps.pop() {
            tap.close(now, end);
        }
    }

    /// Handling this call failed inside: the recording goes first, the speech goes on.
    pub fn fault(&mut self, now: Time) {
        self.faults += 1;
        self.end_taps(now, TapEnd::Fault);
        self.report(Event::Fault);
    }

    /// Ends the call's media. [`poll_transmit`](Self::poll_transmit) still gives the goodbyes.
    pub fn close(&mut self, now: Time) {
        self.end_taps(now, TapEnd::Closed);
        for party in [Party::Customer, Party::Agent] {
            let cut = self.leg(party).playout.stop(now);
            self.prompt_ended(party, cut);
        }
        self.connect(now, Connection::Apart);
        self.goodbyes = [Party::Customer, Party::Agent].into();
        let stats = Box::new(self.stats());
        self.report(Event::Closed(stats));
    }

    /// Reports what has been counted so far.
    pub fn tell_counts(&mut self) {
        let stats = Box::new(self.stats());
        self.report(Event::Counted(stats));
    }

    /// What has been counted so far.
    #[must_use]
    pub fn stats(&self) -> CallStats {
        let of = |leg: &Leg| LegStats { unheard: self.watch.total(leg.party), ..leg.stats() };
        let (customer, agent) = (of(&self.customer), of(&self.agent));
        CallStats { customer, agent, faults: self.faults }
    }

    /// Whether the packet received last left an event, or something that is due sooner than was said before.
    #[must_use]
    pub const fn has_news(&self) -> bool {
        self.sooner || !self.events.is_empty()
    }

    /// The oldest event not yet taken.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_at(0)
    }

    /// When [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit)
    /// have something to do. It may change after every call of another method.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let tap = self.taps.first().and_then(Tap::flush_at);
        let legs = [self.customer.poll_timeout(), self.agent.poll_timeout()];
        let quiet = self.is_bridged().then(|| self.quiet.due());
        let keys = [self.customer.digits.over_at(), self.agent.digits.over_at()];
        let watch = [self.watch.due(), self.customer.overheard.due()];
        let own = [tap, quiet, self.next_beep()];
        legs.into_iter().chain(keys).chain(watch).chain(own).flatten().min()
    }

    pub(crate) fn is_bridged(&self) -> bool {
        self.connection == Connection::Bridged
    }

    /// Hands on what the tap has held long enough, lets a tap go whose leash has dropped, and
    /// tells when nobody sends.
    pub fn handle_timeout(&mut self, now: Time) {
        self.keys_over(now);
        self.beep_on(now);
        if self.is_bridged()
            && let Some(quiet) = self.quiet.take(now)
        {
            self.report(Event::Quiet(quiet));
        }
        while let Some((party, cause, missing)) = self.watch.take(now) {
            self.report(Event::Unheard { party, cause, missing });
        }
        if self.customer.overheard.take(now) {
            self.report(Event::IgnoredTones(Party::Customer));
        }
        let Some(tap) = self.taps.first_mut() else {
            return;
        };
        if !tap.is_live() {
            return self.end_taps(now, TapEnd::LeashDropped);
        }
        tap.handle_timeout(now, self.clock);
        match tap.take_missing_ms() {
            0 => {}
            missing_ms => self.report(Event::TapOverrun { missing_ms }),
        }
    }

    /// Writes the next packet that is due into `scratch` (at least 576 bytes, for packets of 60 ms).
    pub fn poll_transmit(&mut self, now: Time, scratch: &mut [u8]) -> Option<Transmit> {
        for party in [Party::Customer, Party::Agent] {
            let leg = match party {
                Party::Customer => &mut self.customer,
                Party::Agent => &mut self.agent,
            };
            let (transmit, end) = leg.poll_transmit(now, &self.tones, scratch);
            self.prompt_ended(party, end);
            if transmit.is_some() {
                return transmit;
            }
        }
        while let Some(party) = self.goodbyes.pop() {
            let goodbye = self.leg(party).report(now, true, scratch);
            if goodbye.is_some() {
                return goodbye;
            }
        }
        None
    }

    /// Handles a datagram that came to the RTCP socket of a leg.
    pub fn receive_report(&mut self, now: Time, party: Party, from: SocketAddr, bytes: &mut [u8]) {
        if self.leg(party).accept_report(now, from, bytes) {
            self.quiet.heard(now);
        }
    }

    /// Handles a datagram that came to the RTP socket of `party`'s leg. The packet is rewritten in
    /// place: source, sequence, timestamp and payload type are the other leg's, and the sound is
    /// transcoded if the legs differ. The tap, if there is one, has copied the sound before.
    ///
    /// The datagram is the first `length` bytes of `buffer`; [`TRAILER`] more are room for what SRTP adds
    /// behind them. Without that room nothing goes to a leg under SRTP.
    pub fn receive(
        &mut self,
        now: Time,
        party: Party,
        from: SocketAddr,
        (buffer, length): (&mut [u8], usize),
    ) -> Verdict {
        let length = length.min(buffer.len());
        let (bytes, _) = buffer.split_at_mut(length);
        if self.leg(party).is_report(bytes) {
            self.receive_report(now, party, from, bytes);
            return Verdict::Drop(Dropped::Report);
        }
        self.sooner = true;
        let sent = match self.leg(party).accept(now, from, bytes) {
            Ok((packet, Kind::Audio(codec))) => {
                self.sooner = false;
                self.alive(now, party, false);
                self.sound(now, party, &packet, codec, buffer)
            }
            Ok((packet, Kind::Event)) => {
                self.alive(now, party, false);
                self.event(now, party, &packet, buffer).map(Some)
            }
            Ok((packet, Kind::StrayEvent)) => {
                self.alive(now, party, false);
                self.warn_of_stray(party, true);
                self.event(now, party, &packet, buffer).map(Some)
            }
            Ok((packet, Kind::Noise)) => {
                self.alive(now, party, true);
                self.noise(now, party, &packet, buffer).map(Some)
            }
            Ok((packet, Kind::Unagreed(dropped))) => {
                self.leg(party.other()).withhold(&packet);
                Err(dropped)
            }
            Err(dropped) => Err(dropped),
        };
        match sent {
            Ok(Some(transmit)) => Verdict::Forward(transmit),
            Ok(None) => Verdict::Packed,
            Err(dropped) => {
                self.count(party, dropped);
                Verdict::Drop(dropped)
            }
        }
    }

    fn count(&mut self, party: Party, dropped: Dropped) {
        self.watch.dropped(party, dropped);
        match dropped {
            Dropped::StrayEvent => self.warn_of_stray(party, false),
            Dropped::Late => self.leg(party).stats.late += 1,
            Dropped::NoRemote
            | Dropped::Foreign
            | Dropped::Malformed
            | Dropped::Unauthentic
            | Dropped::Replayed
            | Dropped::Report
            | Dropped::UnknownFormat
            | Dropped::NotConnected
            | Dropped::Withheld
            | Dropped::NotHeard => {}
        }
    }
}
