//! A packet of speech on its way through a call: to the ear, to the tap, and to the other party.

use call::{Connection, Party, Time};

use crate::{
    codec::Codec,
    digit::blank::Piece,
    leg::{Dropped, Format, Transmit},
    opus::packet,
    packing::{Late, Way},
    relay::Relay,
    rtp::Packet,
    stream::Covers,
    tap::TapEnd,
};

/// What a packet of speech was when it had been heard.
#[derive(Clone, Copy)]
struct Heard {
    codec: Codec,
    /// How long it lasts, in ticks of 8,000 Hz.
    ticks: usize,
    /// Whether its stream began anew with it.
    anchored: bool,
    /// Whether it is the sound of a key that the other party is not given.
    is_withheld: bool,
}

impl Relay {
    /// A packet of speech: its keys are heard, the tap has its copy, and the other party gets it. `None` when
    /// it leaves in packets of another length.
    pub(crate) fn sound(
        &mut self,
        now: Time,
        party: Party,
        packet: &Packet,
        codec: Codec,
        bytes: &mut [u8],
    ) -> Result<Option<Transmit>, Dropped> {
        let arrival = self.clock.position(now);
        let leg = self.leg(party);
        let ends_a_key = leg.digits.audio(packet.ssrc, packet.timestamp);
        if packet.marker {
            leg.timeline.begin_sound();
        }
        let placed = leg.timeline.place(packet.ssrc, packet.timestamp, arrival);
        self.sooner |= ends_a_key;
        let payload = bytes.get_mut(packet.payload.clone()).ok_or(Dropped::Malformed)?;
        let ticks = codec.ticks(payload).ok_or(Dropped::Malformed)?;
        let heard = (placed.position, packet.timestamp, codec);
        let is_withheld = self.listen(now, party, heard, payload);
        match self.connection {
            Connection::Apart => return Err(Dropped::NotConnected),
            Connection::Early => {}
            Connection::Bridged => {
                let sound = Piece { party, codec, position: placed.position, payload };
                self.tap(now, &sound);
                self.rest(now, &sound, ticks);
            }
        }
        let heard = Heard { codec, ticks, anchored: placed.anchored, is_withheld };
        self.forward(now, party.other(), packet, heard, bytes)
    }

    /// What has been heard goes on to a party.
    fn forward(
        &mut self,
        now: Time,
        to: Party,
        packet: &Packet,
        Heard { codec, ticks, anchored, is_withheld }: Heard,
        bytes: &mut [u8],
    ) -> Result<Option<Transmit>, Dropped> {
        let leg = self.leg(to);
        let Some(remote) = leg.hearer() else {
            leg.withhold(packet);
            return Err(Dropped::NotHeard);
        };
        if leg.dialler.is_pressing() {
            leg.withhold(packet);
            return Err(Dropped::Withheld);
        }
        let Format { codec: own, payload_type, .. } = remote.send;
        if codec == Codec::Opus || own == Codec::Opus {
            // It is neither decoded nor laid under a prompt here: it passes as it is, or not.
            if codec != own || is_withheld || leg.playout.has_prompt() {
                leg.withhold(packet);
                return Err(if is_withheld { Dropped::Withheld } else { Dropped::NotHeard });
            }
            return leg.pass(now, packet, (anchored, ticks), (&remote, bytes)).map(Some);
        }
        let payload = bytes.get_mut(packet.payload.clone()).ok_or(Dropped::Malformed)?;
        if is_withheld {
            payload.fill(codec.silence());
        }
        let length = payload.len();
        let Way::InPlace { anew } = leg.packing.way(length, remote.packet_ticks()) else {
            leg.playout.yield_to_relay(now);
            let end = leg.voice(codec, own, payload);
            let packed = leg.packing.push(now, packet, payload, own.silence());
            self.prompt_ended(to, end);
            return packed.map(|()| None).map_err(|Late| Dropped::Late);
        };
        let (anchored, covers) = (anchored || anew, Covers::Sound(length as u32));
        let header =
            leg.stream.relay(now, packet, anchored, payload_type, covers).ok_or(Dropped::Late)?;
        leg.playout.yield_to_relay(now);
        let end = leg.voice(codec, own, payload);
        let place = header.write_before(bytes, &packet.payload);
        let transmit = leg.transmit(&remote, length, place, bytes).ok_or(Dropped::Late);
        self.prompt_ended(to, end);
        transmit.map(Some)
    }

    /// A packet of Opus may be the last one for a while: what is missing then is no loss.
    fn rest(&mut self, now: Time, sound: &Piece<'_>, ticks: usize) {
        if sound.codec == Codec::Opus
            && packet::is_pause(sound.payload)
            && let Some(tap) = self.taps.first_mut()
        {
            tap.rest(now, sound.party, sound.codec, sound.position + ticks as i64);
        }
    }

    fn tap(&mut self, now: Time, sound: &Piece<'_>) {
        for place in (0..self.taps.len()).rev() {
            let Some(tap) = self.taps.get_mut(place) else {
                continue;
            };
            self.sooner |= tap.flush_at().is_none();
            if tap.take(now, self.clock, sound).is_err() {
                self.taps.remove(place).close(now, TapEnd::LeashDropped);
            }
        }
    }
}
