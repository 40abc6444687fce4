//! What a relay does with comfort noise (RFC 3389): a peer that knows it is told, and a recording has
//! silence.

use call::{Connection, Party, Time};

use crate::{
    codec::Codec,
    leg::{Dropped, Transmit},
    relay::Relay,
    rtp::Packet,
    stream::Covers,
};

impl Relay {
    /// Comfort noise is told to a peer that knows it, and is silence to the tap (row B-29).
    pub(crate) fn noise(
        &mut self,
        now: Time,
        party: Party,
        packet: &Packet,
        bytes: &mut [u8],
    ) -> Result<Transmit, Dropped> {
        let arrival = self.clock.position(now);
        let leg = self.leg(party);
        let placed = leg.timeline.place(packet.ssrc, packet.timestamp, arrival);
        let codec = leg.remote.map_or(Codec::Pcma, |remote| remote.receive.codec);
        if self.is_bridged()
            && let Some(tap) = self.taps.first_mut()
        {
            tap.rest(now, party, codec, placed.position);
        }
        let connected = self.connection != Connection::Apart;
        let leg = self.leg(party.other());
        let agreed = leg.hearer().filter(|_| connected);
        let Some((remote, (payload_type, _))) = agreed.and_then(|r| Some((r, r.noise?))) else {
            leg.withhold(packet);
            return Err(if connected { Dropped::NotHeard } else { Dropped::NotConnected });
        };
        let covers = Covers::Sound(0);
        let header = leg.relay_whole(now, packet, payload_type, covers).ok_or(Dropped::Late)?;
        leg.playout.yield_to_relay(now);
        let place = header.write_before(bytes, &packet.payload);
        leg.transmit(&remote, packet.payload.len(), place, bytes).ok_or(Dropped::Late)
    }
}
