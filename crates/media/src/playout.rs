//! What a leg hears when nobody is relayed to it: silence, prompts, ring-back and tones, in frames
//! of the length that the leg asks for, paced by absolute deadlines.

use std::time::Duration;

use call::{Prompt, Time, Tone};

use crate::{
    codec::Codec,
    g711::Law,
    opus::{encoder::TICKS, packet::SILENCE},
    prompt::PromptAudio,
    tone::Tones,
};

/// Ring-back sounds only after this much silence, so that a PBX that answers at once is not
/// preceded by a blip of tone: 300 ms.
const RING_BACK_WAIT: u32 = 2_400;
/// After a stall longer than this the frames missed are left out instead of sent in a burst.
const STALL: Duration = Duration::from_millis(100);
/// Who is connected without having heard anything from us gets silence after so long without sound
/// of the other party: the network is waiting for something then.
const FIRST_SOUND: Duration = Duration::from_millis(300);
/// When nothing has been relayed for so long, or for two packets, the clock goes on with a prompt
/// alone.
const TAKE_OVER: Duration = Duration::from_millis(60);

/// A prompt that came to its end or was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptEnd {
    /// Which prompt.
    pub prompt: Prompt,
    /// How many samples at 8,000 Hz were sent.
    pub samples: u32,
    /// Whether that was all of it.
    pub whole: bool,
}

#[derive(Debug)]
struct Playing {
    /// Which prompt, or none where it is a cue.
    prompt: Option<Prompt>,
    audio: PromptAudio,
    at: u32,
}

impl Playing {
    fn cue(audio: PromptAudio) -> Self {
        Self { prompt: None, audio, at: 0 }
    }

    fn is_whole(&self) -> bool {
        self.at >= self.audio.len_samples()
    }

    fn end(&self) -> Option<PromptEnd> {
        let whole = self.is_whole();
        self.prompt.map(|prompt| PromptEnd { prompt, samples: self.at, whole })
    }
}

#[derive(Debug)]
enum Source {
    /// Nothing is sent, or what is relayed is all there is.
    Off,
    Silence,
    Prompt(Playing),
    RingBack {
        waited: u32,
        at: u32,
    },
    Tone(Tone, u32),
}

/// What a leg plays and when its next frame is due.
#[derive(Debug)]
pub(crate) struct Playout {
    source: Source,
    due: Option<Time>,
    /// When a packet was last relayed to the leg.
    relayed: Option<Time>,
    /// How long nothing may be relayed before the clock goes on alone.
    take_over: Duration,
    /// The cue that follows the prompt that plays.
    next: Option<Box<PromptAudio>>,
}

impl Playout {
    /// Nothing plays.
    pub(crate) const fn new() -> Self {
        Self { source: Source::Off, due: None, relayed: None, take_over: TAKE_OVER, next: None }
    }

    /// When the next frame is due.
    pub(crate) const fn due(&self) -> Option<Time> {
        self.due
    }

    /// Sees to it that a frame is due: now, or when what is relayed at present should have ceased.
    fn start(&mut self, now: Time) {
        let flows =
            self.relayed.map(|relayed| relayed + self.take_over).filter(|until| *until > now);
        self.due.get_or_insert(flows.unwrap_or(now));
    }

    fn change(&mut self, now: Time, source: Source) -> Option<PromptEnd> {
        self.start(now);
        self.next = None;
        end_of(&std::mem::replace(&mut self.source, source))
    }

    /// Plays a prompt from its first sample; what played is cut and returned.
    pub(crate) fn play(
        &mut self,
        now: Time,
        prompt: Prompt,
        audio: PromptAudio,
    ) -> Option<PromptEnd> {
        self.change(now, Source::Prompt(Playing { prompt: Some(prompt), audio, at: 0 }))
    }

    /// Plays a cue: after the prompt, if one plays, and in the place of an earlier cue.
    pub(crate) fn cue(&mut self, now: Time, audio: PromptAudio) {
        if matches!(&self.source, Source::Prompt(playing) if playing.prompt.is_some()) {
            self.next = Some(Box::new(audio));
        } else {
            let _a_cue_has_no_end = self.change(now, Source::Prompt(Playing::cue(audio)));
        }
    }

    /// Cuts a prompt, if one plays; anything else plays on.
    pub(crate) fn cut_prompt(&mut self, now: Time) {
        if matches!(&self.source, Source::Prompt(playing) if playing.prompt.is_some()) {
            self.start(now);
            let _heard_by_nobody_who_counts = self.follow(Source::Silence);
        }
    }

    /// What plays is over: the cue that waited follows, or this.
    fn follow(&mut self, otherwise: Source) -> Option<PromptEnd> {
        let cue = self.next.take().map(|audio| Source::Prompt(Playing::cue(*audio)));
        end_of(&std::mem::replace(&mut self.source, cue.unwrap_or(otherwise)))
    }

    /// Plays silence; what played is cut and returned.
    pub(crate) fn hush(&mut self, now: Time) -> Option<PromptEnd> {
        self.change(now, Source::Silence)
    }

    /// Nothing is played any more; what played is cut and returned.
    pub(crate) fn stop(&mut self, now: Time) -> Option<PromptEnd> {
        let cut = self.change(now, Source::Off);
        self.due = None;
        cut
    }

    /// Plays ring-back after its wait; one that already plays goes on.
    pub(crate) fn ring_back(&mut self, now: Time) -> Option<PromptEnd> {
        match self.source {
            Source::RingBack { .. } => None,
            Source::Off | Source::Silence | Source::Prompt(_) | Source::Tone(..) => {
                self.change(now, Source::RingBack { waited: 0, at: 0 })
            }
        }
    }

    /// Plays a tone until something else is played.
    pub(crate) fn tone(&mut self, now: Time, tone: Tone) -> Option<PromptEnd> {
        self.change(now, Source::Tone(tone, 0))
    }

    /// The parties are connected: tones end, a prompt plays on, and silence bridges the time until
    /// the first relayed packet. Who has heard nothing so far misses nothing for a moment.
    pub(crate) fn connect(&mut self, now: Time) {
        match self.source {
            Source::Off if self.relayed.is_none() => {
                self.start(now + FIRST_SOUND);
                self.source = Source::Silence;
            }
            Source::Off | Source::RingBack { .. } | Source::Tone(..) => {
                self.start(now);
                self.source = Source::Silence;
            }
            Source::Silence | Source::Prompt(_) => self.start(now),
        }
    }

    /// The packets that are relayed to the leg last so long.
    pub(crate) fn relayed_in(&mut self, packets: Duration) {
        self.take_over = TAKE_OVER.max(packets * 2);
    }

    /// A packet is relayed to the leg now: it drives a prompt, and ends everything else.
    pub(crate) fn yield_to_relay(&mut self, now: Time) {
        self.relayed = Some(now);
        match self.source {
            Source::Prompt(_) => self.due = Some(now + self.take_over),
            Source::Off | Source::Silence | Source::RingBack { .. } | Source::Tone(..) => {
                (self.source, self.due) = (Source::Off, None);
            }
        }
    }

    /// Lays the prompt, if one plays, over a payload that is relayed now.
    pub(crate) fn overlay(&mut self, law: Law, payload: &mut [u8]) -> Option<PromptEnd> {
        let Source::Prompt(playing) = &mut self.source else {
            return None;
        };
        let piece = playing.audio.piece(law.into(), playing.at, payload.len());
        law.mix(payload, piece);
        let played = piece.len();
        self.overlaid(played)
    }

    /// The same over linear samples.
    pub(crate) fn overlay_linear(&mut self, samples: &mut [i16]) -> Option<PromptEnd> {
        let Source::Prompt(playing) = &mut self.source else {
            return None;
        };
        let piece = playing.audio.piece(Codec::Pcma, playing.at, samples.len());
        for (sample, over) in samples.iter_mut().zip(piece) {
            *sample = (*sample / 4).saturating_add(Law::A.decode(*over));
        }
        let played = piece.len();
        self.overlaid(played)
    }

    fn overlaid(&mut self, played: usize) -> Option<PromptEnd> {
        let Source::Prompt(playing) = &mut self.source else {
            return None;
        };
        playing.at += played as u32;
        if !playing.is_whole() {
            return None;
        }
        let end = self.follow(Source::Off);
        if !self.has_prompt() {
            self.due = None;
        }
        end
    }

    /// Whether a prompt or a cue plays.
    pub(crate) const fn has_prompt(&self) -> bool {
        matches!(self.source, Source::Prompt(_))
    }

    /// Whether a frame of this length is due now. When the leg cannot `hear`, the frame waits: what
    /// is not sent was not heard.
    pub(crate) fn is_due(&mut self, now: Time, hears: bool, length: Duration) -> Option<Time> {
        let due = self.due.filter(|due| *due <= now)?;
        if !hears {
            self.due = Some(now + length);
            return None;
        }
        let at = if now.since(due) > STALL { now } else { due };
        self.due = Some(at + length);
        Some(at)
    }

    /// Writes the next frame and says how many bytes it has: of Opus at most as many as there is room for,
    /// of anything else all of them. A prompt that ends with it is returned, and silence follows.
    pub(crate) fn frame(
        &mut self,
        tones: &Tones,
        codec: Codec,
        out: &mut [u8],
    ) -> (usize, Option<PromptEnd>) {
        match codec {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => {
                (out.len(), self.bytewise(tones, codec, out))
            }
            Codec::Opus => {
                let (packet, end) = self.packet(tones);
                let put = out.iter_mut().zip(packet).map(|(place, byte)| *place = *byte);
                (put.count(), end.then(|| self.follow(Source::Silence)).flatten())
            }
        }
    }

    /// The next packet of Opus of what plays, and whether a prompt ends with it.
    fn packet<'a>(&'a mut self, tones: &'a Tones) -> (&'a [u8], bool) {
        const STEP: u32 = TICKS as u32;
        let turn = |audio: &'a PromptAudio, at: &mut u32| {
            let packet = audio.packet(*at);
            *at = if *at + STEP < audio.len_samples() { *at + STEP } else { 0 };
            packet
        };
        match &mut self.source {
            Source::Off | Source::Silence => (&SILENCE, false),
            Source::RingBack { waited, .. } if *waited < RING_BACK_WAIT => {
                *waited += STEP;
                (&SILENCE, false)
            }
            Source::RingBack { at, .. } => (turn(tones.ring_back(), at), false),
            Source::Tone(tone, at) => (turn(tones.tone(*tone), at), false),
            Source::Prompt(playing) => {
                let packet = playing.audio.packet(playing.at);
                playing.at = (playing.at + STEP).min(playing.audio.len_samples());
                (packet, playing.at == playing.audio.len_samples())
            }
        }
    }

    fn bytewise(&mut self, tones: &Tones, codec: Codec, out: &mut [u8]) -> Option<PromptEnd> {
        out.fill(codec.silence());
        match &mut self.source {
            Source::Off | Source::Silence => None,
            Source::RingBack { waited, at } => {
                if *waited < RING_BACK_WAIT {
                    *waited += out.len() as u32;
                } else {
                    turn(tones.ring_back(), codec, at, out);
                }
                None
            }
            Source::Tone(tone, at) => {
                turn(tones.tone(*tone), codec, at, out);
                None
            }
            Source::Prompt(playing) => {
                let piece = playing.audio.piece(codec, playing.at, out.len());
                for (place, byte) in out.iter_mut().zip(piece) {
                    *place = *byte;
                }
                playing.at += piece.len() as u32;
                let is_over = playing.is_whole();
                is_over.then(|| self.follow(Source::Silence)).flatten()
            }
        }
    }
}

/// How far a prompt has come, if that is what it is.
fn end_of(source: &Source) -> Option<PromptEnd> {
    match source {
        Source::Prompt(playing) => playing.end(),
        Source::Off | Source::Silence | Source::RingBack { .. } | Source::Tone(..) => None,
    }
}

/// Plays the next piece of a tone that begins again at its end.
fn turn(audio: &PromptAudio, codec: Codec, at: &mut u32, out: &mut [u8]) {
    let mut rest = out;
    while !rest.is_empty() {
        let piece = audio.piece(codec, *at, rest.len());
        if piece.is_empty() && *at == 0 {
            return;
        }
        let (place, after) = rest.split_at_mut(piece.len());
        place.copy_from_slice(piece);
        rest = after;
        *at += piece.len() as u32;
        if *at >= audio.len_samples() {
            *at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_micros(millis * 1_000)
    }

    #[test]
    fn who_has_heard_nothing_gets_silence_in_a_moment_and_who_was_relayed_to_at_once() {
        let mut fresh = Playout::new();
        fresh.connect(at(1_000));
        assert_eq!(fresh.due(), Some(at(1_300)));
        fresh.yield_to_relay(at(1_020));
        assert_eq!(fresh.due(), None, "the other party speaks");
        fresh.connect(at(5_000));
        assert_eq!(fresh.due(), Some(at(5_000)), "a network that was fed hears on");
        let mut ringing = Playout::new();
        let _nothing_played = ringing.ring_back(at(1_000));
        ringing.connect(at(1_500));
        assert_eq!(ringing.due(), Some(at(1_000)), "its clock goes on");
    }
}
