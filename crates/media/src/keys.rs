//! What a relay does with keys: each is counted once, whichever way it came, cuts the tap if it is the
//! withdrawal key, and goes to the other party in that party's way.

use std::time::Duration;

use call::{Connection, Kept, Key, Party, Pause, Press, Private, Raw, Time, Transport};

use crate::{
    codec::Codec,
    digit::{
        dial::{Piece, Sent},
        event,
    },
    leg::{Dropped, Leg, Remote, Transmit},
    relay::Relay,
    report::Event,
    rtp::{HEADER_LEN, Packet},
    stream::Covers,
    tap::TapEnd,
    timeline::{duration, samples},
    tone::Tones,
};

/// The volume of a key that we press: -10 dBm0 (RFC 4733 §2.3.3).
const VOLUME: u8 = 10;
/// Samples of one packet of a key that sounds.
const FRAME: usize = 160;

impl Relay {
    /// A key came by SIP INFO, in this body, and was held for so long. It is reported, counted once
    /// and passed on like one that came with the sound.
    pub fn press(&mut self, now: Time, party: Party, key: Key, held: Duration, body: Raw) {
        if self.counts(now, party, key, (Transport::Info, body)) {
            let held = u32::try_from(samples(held)).unwrap_or(u32::MAX);
            self.pass_on(now, party.other(), key, held);
        }
    }

    /// From now on keys for `party` are told to the caller of the relay ([`Event::Retell`]) where the
    /// peer has not agreed on telephone events; otherwise they sound there as tones.
    pub const fn retell(&mut self, party: Party, retells: bool) {
        self.leg(party).retells = retells;
    }

    /// From now on tones in the sound are keys also where telephone events are agreed (row D-18): a key
    /// that comes by both is counted once.
    pub const fn hear_beside(&mut self) {
        self.beside = true;
    }

    /// From now on telephone events are keys on payload types that were not agreed, too (row D-12): what
    /// some peers send although they have offered none.
    pub const fn take_stray(&mut self) {
        self.leg(Party::Customer).takes_stray = true;
        self.leg(Party::Agent).takes_stray = true;
    }

    /// The first event on a payload type that was not agreed is told of, whatever becomes of it.
    pub(crate) fn warn_of_stray(&mut self, party: Party, taken: bool) {
        if self.leg(party).stats.stray_events == 1 {
            self.report(Event::StrayEvents { party, taken });
        }
    }

    /// A packet of a telephone event.
    pub(crate) fn event(
        &mut self,
        now: Time,
        party: Party,
        packet: &Packet,
        bytes: &mut [u8],
    ) -> Result<Transmit, Dropped> {
        let raw = raw(bytes, packet);
        let payload = bytes.get_mut(packet.payload.clone()).ok_or(Dropped::Malformed)?;
        // Here all clocks are one.
        let ratio = self.leg(party).remote.map_or(1, |remote| remote.event_ratio.max(1));
        event::retime(payload, |told| told / ratio);
        let read = event::Payload::parse(payload).ok_or(Dropped::Malformed)?;
        let digits = &mut self.leg(party).digits;
        let heard = digits.packet(now, packet.ssrc, packet.timestamp, payload);
        let (first, key) =
            heard.map(|(first, event)| (first, event.key())).ok_or(Dropped::Malformed)?;
        let to = party.other();
        if first {
            let came = (Transport::Rfc4733, raw);
            let passes = key.is_some_and(|key| self.counts(now, party, key, came));
            let retold = passes && !self.leg(to).takes_events();
            if let Some(event) = self.leg(party).digits.newest() {
                (event.passes, event.retold) = (passes, retold);
            }
        } else if let Some(key) = key {
            self.leg(party).presses.held(now, key);
        }
        let connected = self.connection != Connection::Apart;
        let digits = &mut self.leg(party).digits;
        let event = digits.find(packet.ssrc, packet.timestamp).ok_or(Dropped::Malformed)?;
        let passes = event.passes;
        // The marker stands on the first packet of the event that is relayed, once (row D-19).
        let marker = passes && !std::mem::replace(&mut event.passed, passes);
        if !passes {
            self.leg(to).withhold(packet);
            return Err(if connected { Dropped::Withheld } else { Dropped::NotConnected });
        }
        let leg = self.leg(to);
        let hearer = leg.hearer();
        let agreed = hearer.and_then(|remote| Some((remote, remote.send.event_payload_type?)));
        let Some((remote, payload_type)) = agreed else {
            leg.withhold(packet);
            return Err(Dropped::NotHeard);
        };
        let covers = Covers::Key(u32::from(read.duration));
        let mut header = leg.relay_whole(now, packet, payload_type, covers).ok_or(Dropped::Late)?;
        header.marker = marker;
        if let Some(payload) = bytes.get_mut(packet.payload.clone()) {
            event::retime(payload, |ticks| ticks.saturating_mul(remote.event_ratio));
        }
        leg.playout.yield_to_relay(now);
        let place = header.write_before(bytes, &packet.payload);
        leg.transmit(&remote, packet.payload.len(), place, bytes).ok_or(Dropped::Late)
    }

    /// Hears the keys in a party's sound where that is its only way to press one, and says whether the
    /// sound is a key's that the other party is not to be given.
    pub(crate) fn listen(
        &mut self,
        now: Time,
        party: Party,
        (position, timestamp, codec): (i64, u32, Codec),
        payload: &[u8],
    ) -> bool {
        if codec == Codec::Opus {
            // Nobody decodes it here; who speaks it has agreed on telephone events.
            return self.leg(party).digits.withholds(now);
        }
        // The sender's own clock says what goes on: positions follow it sample by sample, and sometimes jump.
        let said = i64::from(timestamp);
        if self.asks_somebody(party) && self.fax.hear(said, codec, payload) {
            self.sooner = true;
            self.report(Event::Fax);
        }
        if !self.listens(party) {
            self.overhear(now, party, (said, codec, payload));
            let _no_longer_needed = self.leg(party).ear.take_if(|ear| ear.is_past(said));
            return self.leg(party).digits.withholds(now);
        }
        let to = self.leg(party.other());
        let is_retold = to.takes_events() || to.retells;
        for key in self.leg(party).ear.get_or_insert_default().hear(said, codec, payload) {
            self.sooner = true;
            self.sounded(now, party, position, None);
            let passes = self.counts(now, party, key, (Transport::Inband, Raw::NONE));
            let leg = self.leg(party);
            leg.swallows = !passes || is_retold;
            leg.sounding = (passes && is_retold).then_some((key, position));
        }
        let on = self.leg(party).key_on();
        self.sounded(now, party, position, on);
        let armed = self.armed.filter(|_| party == Party::Customer);
        let leg = self.leg(party);
        match (on, leg.ear.as_ref().and_then(|ear| ear.suspects())) {
            (Some(_), _) => leg.swallows,
            // It may be the beginning of a key that the other party must not even begin to hear.
            (None, Some(key)) => armed == Some(key) || leg.kept.holds(key),
            (None, None) => leg.digits.withholds(now),
        }
    }

    /// Hears tones of keys that the customer gives for an answer although events are agreed on: nobody
    /// would ever know why nobody answers.
    fn overhear(&mut self, now: Time, party: Party, (said, codec, payload): (i64, Codec, &[u8])) {
        let asks = self.asks && self.connection == Connection::Apart;
        let leg = self.leg(party);
        let awaited = party == Party::Customer && (asks || leg.kept == Kept::All);
        // Who has pressed a key by another way gives keys that way.
        if awaited && leg.stats.presses == 0 && leg.overheard.listens() {
            let tones = leg.ear.get_or_insert_default().hear(said, codec, payload);
            if !tones.is_empty() {
                leg.overheard.heard(now);
                self.sooner = true;
            }
        }
    }

    /// Passes on a key that sounded and does no longer, as what the other party takes for one: it is
    /// not given the tone.
    fn sounded(&mut self, now: Time, party: Party, position: i64, on: Option<Key>) {
        let over = |(key, _): &mut (Key, i64)| on != Some(*key);
        if let Some((key, from)) = self.leg(party).sounding.take_if(over)
            && self.connection != Connection::Apart
        {
            self.sooner = true;
            let held = u32::try_from(position - from).unwrap_or(0);
            self.pass_on(now, party.other(), key, held);
        }
    }

    /// Whether a party hears notice or question now, for all that is known here, and may be a fax.
    fn asks_somebody(&self, party: Party) -> bool {
        let alone = self.asks && !self.rings && self.connection == Connection::Apart;
        party == Party::Customer && (alone || self.customer.kept == Kept::All)
    }

    /// Whether keys are looked for in a party's sound: while one is needed, and there is no better
    /// way (row D-11).
    fn listens(&mut self, party: Party) -> bool {
        let (asks, armed) = (self.asks && self.connection == Connection::Apart, self.armed);
        let beside = self.beside;
        let leg = self.leg(party);
        let needed = match party {
            Party::Customer => asks || armed.is_some() || leg.kept == Kept::All,
            Party::Agent => leg.kept != Kept::Nothing,
        };
        // A key that the other party is not given is heard to its end.
        let goes_on = leg.swallows && leg.key_on().is_some();
        let is_only_way = |remote: Remote| remote.receive.event_payload_type.is_none();
        (needed || goes_on) && leg.remote.is_some_and(|remote| beside || is_only_way(remote))
    }

    /// Counts a press unless it has been told of another way, and says whether it goes to the other
    /// party.
    fn counts(&mut self, now: Time, party: Party, key: Key, (by, raw): (Transport, Raw)) -> bool {
        let (connected, armed) = (self.connection != Connection::Apart, self.armed);
        let leg = self.leg(party);
        if !leg.presses.is_new(now, key, by) {
            return false;
        }
        let free = !leg.kept.holds(key);
        let withdraws = party == Party::Customer && armed == Some(key);
        let raw = Private::new(raw);
        let press = Press { key: Private::new(key), at: now, transport: by, raw };
        self.pressed(party, press, withdraws);
        connected && free && !withdraws
    }

    /// A key was pressed. The withdrawal key cuts the tap before anybody is told (DESIGN §3.2).
    fn pressed(&mut self, party: Party, press: Press, withdraws: bool) {
        let (now, key) = (press.at, *press.key.reveal());
        if withdraws {
            self.armed = None;
            if !self.taps.is_empty() {
                self.end_taps(now, TapEnd::Withdrawn);
                self.report(Event::TapCut);
            }
        }
        // What the agent's key begins is silent from this packet on, whenever the machine hears of it.
        if party == Party::Agent && self.pauses == Some(key) && !self.taps.is_empty() {
            self.pause(now, Pause::Wanted);
        }
        let leg = self.leg(party);
        leg.stats.presses += 1;
        leg.overheard.over();
        self.report(Event::Digit(party, press));
    }

    /// Gives a key to a party in the party's own way. Who does not hear now is not given it later.
    fn pass_on(&mut self, now: Time, to: Party, key: Key, held: u32) {
        let leg = self.leg(to);
        if leg.hearer().is_none() {
            return;
        }
        if leg.retells && !leg.takes_events() {
            let held = duration(u64::from(held));
            self.report(Event::Retell { to, key: Private::new(key), held });
        } else {
            leg.dialler.press(now, key, held);
        }
    }

    /// Passes on, in the other party's way, the keys that are over.
    pub(crate) fn keys_over(&mut self, now: Time) {
        for party in [Party::Customer, Party::Agent] {
            while let Some((key, held)) = self.leg(party).digits.take_over(now) {
                self.pass_on(now, party.other(), key, held);
            }
        }
    }
}

impl Leg {
    /// The key whose tones sound.
    fn key_on(&self) -> Option<Key> {
        self.ear.as_ref().and_then(|ear| ear.on())
    }

    /// Whether the peer takes telephone events.
    fn takes_events(&self) -> bool {
        self.remote.is_some_and(|remote| remote.send.event_payload_type.is_some())
    }

    /// Writes the next packet of a key that is pressed anew for the peer.
    pub(crate) fn dial(
        &mut self,
        now: Time,
        tones: &Tones,
        scratch: &mut [u8],
    ) -> Option<Transmit> {
        if self.dialler.due().is_none_or(|due| due > now) {
            return None;
        }
        let Some(remote) = self.hearer() else {
            self.dialler.drop_all();
            return None;
        };
        let events = remote.send.event_payload_type;
        let (at, Sent { key, first, piece }) = self.dialler.next(now, events.is_none())?;
        let (head, rest) = scratch.split_first_chunk_mut::<HEADER_LEN>()?;
        let (header, length) = match piece {
            Piece::Event { held, end } => {
                let mut header = self.stream.own(at, events?, 0);
                if first {
                    self.dialled = header.timestamp;
                }
                // All packets of an event have its beginning's timestamp (RFC 4733 §2.5.1.2).
                (header.timestamp, header.marker) = (self.dialled, first);
                let payload = rest.first_chunk_mut::<{ event::PAYLOAD_LEN }>()?;
                let [high, low] = held.saturating_mul(remote.event_ratio).to_be_bytes();
                *payload = [key.event(), (u8::from(end) << 7) | VOLUME, high, low];
                (header, event::PAYLOAD_LEN)
            }
            Piece::Tone { from, length } => {
                let codec = remote.send.codec;
                let frame = rest.first_chunk_mut::<FRAME>()?;
                frame.fill(codec.silence());
                let (sound, bytes) = match codec {
                    Codec::Pcma | Codec::Pcmu | Codec::G722 => {
                        (tones.key(key, codec, from, length), FRAME)
                    }
                    Codec::Opus => {
                        let packet = tones.key_packet(key, from);
                        (packet, packet.len())
                    }
                };
                for (place, byte) in frame.iter_mut().zip(sound) {
                    *place = *byte;
                }
                (self.stream.own(at, remote.send.payload_type, FRAME as u32), bytes)
            }
        };
        *head = header.encode();
        self.transmit(&remote, length, 0..HEADER_LEN + length, scratch)
    }
}

/// The fixed header and the event of a packet as it came, before it is put into another clock.
fn raw(bytes: &[u8], packet: &Packet) -> Raw {
    let header = bytes.get(..HEADER_LEN).unwrap_or_default();
    let event = bytes.get(packet.payload.clone()).unwrap_or_default();
    let mut came = [0; HEADER_LEN + event::PAYLOAD_LEN];
    came.iter_mut().zip(header.iter().chain(event)).for_each(|(to, from)| *to = *from);
    Raw::new(&came)
}
