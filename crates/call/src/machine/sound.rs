//! What the customer hears from us, and what was heard of it.

use std::collections::VecDeque;

use crate::{
    Audience, Party, Prompt, Time,
    machine::io::{Action, Tone},
};

/// What sounds at this moment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Silence,
    Prompt,
    RingBack,
    Tone,
}

/// A prompt that was played, as the media layer reported it.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    pub(super) prompt: Prompt,
    pub(super) from: Time,
    pub(super) until: Time,
    pub(super) samples: u32,
    pub(super) whole: bool,
}

/// The customer's ear: at most one source sounds, and every prompt is reported once, in the order
/// in which the prompts were played.
pub(super) struct Sound {
    source: Source,
    /// Whether the agent hears the prompts too.
    shared: bool,
    /// Prompts without a report yet, oldest first; while a prompt sounds it is the last.
    unreported: VecDeque<(Prompt, Time)>,
    heard: Vec<Heard>,
}

impl Sound {
    pub(super) const fn new() -> Self {
        Self {
            source: Source::Silence,
            shared: false,
            unreported: VecDeque::new(),
            heard: Vec::new(),
        }
    }

    /// The parties are connected: who hears the prompts from here on.
    pub(super) fn address(&mut self, audience: Audience) {
        self.shared = audience == Audience::Both;
    }

    pub(super) fn play(&mut self, now: Time, prompt: Prompt, out: &mut VecDeque<Action>) {
        self.source = Source::Prompt;
        self.unreported.push_back((prompt, now));
        out.push_back(match self.shared {
            true => Action::Announce(prompt),
            false => Action::Play(prompt),
        });
    }

    /// Ring-back, unless it sounds already.
    pub(super) fn ring_back(&mut self, out: &mut VecDeque<Action>) {
        if self.source != Source::RingBack {
            self.source = Source::RingBack;
            out.push_back(Action::RingBack(Party::Customer));
        }
    }

    pub(super) fn tone(&mut self, tone: Tone, out: &mut VecDeque<Action>) {
        self.source = Source::Tone;
        out.push_back(Action::Tone(tone));
    }

    /// Ends what sounds, if anything does.
    pub(super) fn hush(&mut self, out: &mut VecDeque<Action>) {
        if self.source != Source::Silence {
            self.source = Source::Silence;
            out.push_back(Action::Hush);
        }
    }

    /// Ends a prompt, if one sounds; ring-back goes on.
    pub(super) fn cut(&mut self, out: &mut VecDeque<Action>) {
        if self.speaks() {
            self.hush(out);
        }
    }

    /// Whether a prompt sounds.
    pub(super) fn speaks(&self) -> bool {
        self.source == Source::Prompt
    }

    /// Takes the report of a prompt. Whether that prompt was what sounds now, so that silence
    /// follows; a prompt that something else has cut is only written down.
    ///
    /// Reports come in the order of the plays, so an earlier prompt without one has lost it.
    pub(super) fn ended(&mut self, now: Time, prompt: Prompt, samples: u32, whole: bool) -> bool {
        let Some(place) = self.unreported.iter().position(|(played, _)| *played == prompt) else {
            return false;
        };
        for (lost, from) in self.unreported.drain(..place) {
            self.heard.push(unheard(lost, from));
        }
        if let Some((prompt, from)) = self.unreported.pop_front() {
            self.heard.push(Heard { prompt, from, until: now, samples, whole });
        }
        let was_sounding = self.speaks() && self.unreported.is_empty();
        if was_sounding {
            self.source = Source::Silence;
        }
        was_sounding
    }

    /// Whether a prompt that was cut has not been reported yet.
    pub(super) fn awaits_report(&self) -> bool {
        self.unreported.len() > usize::from(self.speaks())
    }

    /// What was heard, in order. A prompt that was cut and never reported counts as not heard.
    pub(super) fn heard(&self) -> impl Iterator<Item = Heard> {
        let cut = self.unreported.len() - usize::from(self.speaks());
        let lost = self.unreported.iter().take(cut).map(|(prompt, from)| unheard(*prompt, *from));
        self.heard.iter().copied().chain(lost)
    }
}

/// A prompt of whose sound nothing is known to have reached the customer.
const fn unheard(prompt: Prompt, from: Time) -> Heard {
    Heard { prompt, from, until: from, samples: 0, whole: false }
}
