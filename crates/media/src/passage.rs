//! Relayed sound on its way to a leg's peer: in the peer's codec, in packets of its length, under the
//! numbers of the leg's one stream.

use call::Time;

use crate::{
    codec::Codec,
    leg::{Dropped, Format, Leg, Remote, Transmit},
    packing::Leaving,
    playout::PromptEnd,
    rtp::{HEADER_LEN, Header, Packet},
    stream::Covers,
    timeline::duration,
    transcode::Transcoder,
};

impl Leg {
    /// Writes the packet of another length that is due, if one is.
    pub(crate) fn poll_packed(&mut self, now: Time, scratch: &mut [u8]) -> Option<Transmit> {
        self.packing.due().filter(|due| *due <= now)?;
        let Some(remote) = self.hearer() else {
            self.packing.clear();
            return None;
        };
        let Format { codec, payload_type, .. } = remote.send;
        let (head, rest) = scratch.split_first_chunk_mut::<HEADER_LEN>()?;
        let Leaving { packet, anew } = self.packing.take(now, codec.silence(), rest)?;
        let length = packet.payload.len();
        let covers = Covers::Sound(length as u32);
        *head = self.stream.relay(now, &packet, anew, payload_type, covers)?.encode();
        self.transmit(&remote, length, 0..HEADER_LEN + length, scratch)
    }

    /// Makes what the peer is to hear of a relayed payload: its codec, with the prompt that plays.
    pub(crate) fn voice(
        &mut self,
        from: Codec,
        to: Codec,
        payload: &mut [u8],
    ) -> Option<PromptEnd> {
        self.playout.relayed_in(duration(payload.len() as u64));
        if let (Some(law), Some(own)) = (from.law(), to.law()) {
            law.translate(own, payload);
            return self.playout.overlay(own, payload);
        }
        if from == to && !self.playout.has_prompt() {
            return None;
        }
        let known = self.transcoder.take().filter(|known| known.joins(from, to));
        let mut transcoder = known.unwrap_or_else(|| Box::new(Transcoder::new(from, to)));
        let (playout, mut end) = (&mut self.playout, None);
        transcoder.rewrite(payload, |samples| {
            end = end.or(playout.overlay_linear(samples));
        });
        self.transcoder = Some(transcoder);
        end
    }

    /// Passes a packet of Opus on as it is, whatever its length, to a peer that speaks it, too.
    pub(crate) fn pass(
        &mut self,
        now: Time,
        packet: &Packet,
        (anchored, ticks): (bool, usize),
        (remote, bytes): (&Remote, &mut [u8]),
    ) -> Result<Transmit, Dropped> {
        let (payload_type, covers) = (remote.send.payload_type, Covers::Sound(ticks as u32));
        let header = self.stream.relay(now, packet, anchored, payload_type, covers);
        let header = header.ok_or(Dropped::Late)?;
        self.playout.relayed_in(duration(ticks as u64));
        self.playout.yield_to_relay(now);
        let place = header.write_before(bytes, &packet.payload);
        self.transmit(remote, packet.payload.len(), place, bytes).ok_or(Dropped::Late)
    }

    /// Numbers a packet that is never packed: that of a key, or comfort noise.
    pub(crate) fn relay_whole(
        &mut self,
        now: Time,
        packet: &Packet,
        payload_type: u8,
        covers: Covers,
    ) -> Option<Header> {
        match self.packing.between(packet) {
            Some(Leaving { packet, anew }) => {
                self.stream.relay(now, &packet, anew, payload_type, covers)
            }
            None => self.stream.relay(now, packet, false, payload_type, covers),
        }
    }

    /// Notes that a packet is kept back on purpose. What is packed has numbers of its own.
    pub(crate) fn withhold(&mut self, packet: &Packet) {
        if !self.packing.withhold(packet) {
            self.stream.withhold(packet);
        }
    }
}
