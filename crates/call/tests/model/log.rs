//! What the script has read and said, and every question that can be asked about it.

use std::time::Duration;

use call::*;

use crate::{
    chapter::Chapter,
    choice::{self, Choice},
    support::{
        RECORDING,
        Seen::{self, *},
    },
};

#[derive(Clone, Copy)]
pub(super) enum Entry {
    Read(Input),
    Said(Seen),
    /// What has come of the dialogue, whatever is said of it.
    Settled(Choice),
    /// From here on, a yes is for a recording of this id.
    NextRecording(RecordingId),
    /// The line is recorded while an agent is there, and never otherwise.
    WantsAgent,
    /// The recording may begin.
    Permitted,
}

use Entry::{NextRecording, Permitted, Read, Said, Settled, WantsAgent};

/// One page: which line of history it answers, when, and what.
pub(super) type Page = (usize, Time, Entry);

/// The log of a script. Every question is answered by leafing through it from one end.
pub(super) struct Log(Vec<Page>);

impl Log {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(64))
    }

    pub(super) fn write(&mut self, step: usize, at: Time, entry: Entry) {
        self.0.push((step, at, entry));
    }

    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.0.iter().map(|(_, _, entry)| entry)
    }

    /// All that was said, with the line of history that it answers.
    pub(super) fn said(&self) -> Vec<(usize, Seen)> {
        let said = self.0.iter().filter_map(|(step, _, entry)| match entry {
            Said(seen) => Some((*step, *seen)),
            Read(_) | Settled(_) | NextRecording(_) | WantsAgent | Permitted => None,
        });
        said.collect()
    }

    pub(super) fn has_said(&self, wanted: Seen) -> bool {
        self.0.iter().any(|(_, _, entry)| matches!(entry, Said(seen) if *seen == wanted))
    }

    pub(super) fn has_read(&self, wanted: Input) -> bool {
        self.count(|entry| matches!(entry, Read(input) if *input == wanted)) > 0
    }

    pub(super) fn count(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        self.0.iter().filter(|(_, _, entry)| wanted(entry)).count()
    }

    /// What has come of the dialogue last.
    pub(super) fn choice(&self) -> Option<Choice> {
        self.0.iter().rev().find_map(|(_, _, entry)| match entry {
            Settled(choice) => Some(*choice),
            _ => None,
        })
    }

    pub(super) fn plays(&self) -> usize {
        self.count(|entry| matches!(entry, Said(Play(_) | Announce(_))))
    }

    /// Of how many prompts it is known what was heard. Reports come in the order in which the prompts were
    /// played: that of a later one says that those before it have none, and of what was not played there is
    /// no report.
    pub(super) fn reports(&self) -> usize {
        let (mut known, mut awaited) = (0, Vec::new());
        for entry in self.entries() {
            match entry {
                Said(Play(prompt) | Announce(prompt)) => awaited.push(*prompt),
                Read(Input::PromptEnded { prompt, .. }) => {
                    let place = awaited.iter().position(|played| played == prompt);
                    known += awaited.drain(..place.map_or(0, |place| place + 1)).count();
                }
                _ => {}
            }
        }
        known
    }

    pub(super) fn last_sound(&self) -> Option<Seen> {
        self.0.iter().rev().find_map(|(_, _, entry)| match entry {
            Said(sound @ (Play(_) | Announce(_) | RingBack(Party::Customer) | Tone(_) | Hush)) => {
                Some(*sound)
            }
            _ => None,
        })
    }

    /// Whether a prompt sounds: it was played last, and fewer are reported than were played.
    pub(super) fn prompt_sounds(&self) -> bool {
        matches!(self.last_sound(), Some(Play(_) | Announce(_))) && self.reports() < self.plays()
    }

    pub(super) fn anything_sounds(&self) -> bool {
        self.prompt_sounds() || matches!(self.last_sound(), Some(RingBack(_) | Tone(_)))
    }

    pub(super) fn holds(&self, party: Party) -> bool {
        let hold = self.0.iter().rev().find_map(|(_, _, entry)| match entry {
            Read(Input::Held(who, on)) if *who == party => Some(*on),
            _ => None,
        });
        hold == Some(true)
    }

    pub(super) fn has_heard_the_answer(&self) -> bool {
        self.0.iter().any(|(_, _, entry)| matches!(entry, Read(Input::Answered)))
    }

    /// Whether the caller has acknowledged the answer.
    pub(super) fn is_acknowledged(&self) -> bool {
        let answered = |(_, _, entry): &&Page| !matches!(entry, Said(Answer));
        let mut after = self.0.iter().skip_while(answered);
        after.any(|(_, _, entry)| matches!(entry, Read(Input::Confirmed)))
    }

    pub(super) fn anybody_holds(&self) -> bool {
        self.holds(Party::Customer) || self.holds(Party::Agent)
    }

    pub(super) fn pbx_is_cancelled(&self) -> bool {
        let mut cancelled = false;
        for (_, _, entry) in &self.0 {
            match entry {
                Said(CancelDial) => cancelled = true,
                Read(Input::Answered | Input::Failed(_)) => cancelled = false,
                _ => {}
            }
        }
        cancelled
    }

    /// Who is there, as far as anybody says so.
    pub(super) fn agent(&self) -> Option<Agent> {
        self.entries().fold(None, |there, entry| match entry {
            Read(Input::Agent(news)) => after(there, *news),
            _ => there,
        })
    }

    /// Whether an agent is to be there and none is.
    pub(super) fn lacks_an_agent(&self) -> bool {
        self.count(|entry| matches!(entry, WantsAgent)) > 0 && self.agent().is_none()
    }

    /// The recordings of the call, in order: the last is the one that a decision is about.
    pub(super) fn chapters(&self) -> Vec<Chapter<'_>> {
        let begins = self.0.iter().enumerate().filter_map(|(place, (_, _, entry))| match entry {
            NextRecording(id) => Some((place, *id)),
            _ => None,
        });
        let begins: Vec<_> = [(0, RECORDING)].into_iter().chain(begins).collect();
        let ends = begins.iter().skip(1).map(|(place, _)| *place).chain([self.0.len()]);
        let chapters = begins.iter().zip(ends);
        chapters.map(|((from, id), to)| Chapter::new(*id, &self.0, *from, to)).collect()
    }

    /// The last of them.
    pub(super) fn chapter(&self) -> Chapter<'_> {
        self.chapters().pop().unwrap_or_else(|| Chapter::new(RECORDING, &self.0, 0, self.0.len()))
    }

    /// Whether the ledger or the recorder has not answered yet.
    pub(super) fn owes_an_answer(&self) -> bool {
        self.chapters().iter().any(Chapter::owes_an_answer)
    }

    /// The three words of a call on this ground that is over, and that failed in this way if it did;
    /// what the last is of a connected call in which nobody was asked.
    pub(super) fn words(
        &self,
        ground: Ground,
        failure: Option<Failure>,
        unasked: Verdict,
    ) -> Words {
        let choice = self.choice();
        let consent = choice::consent(ground, choice);
        let bridged = self.has_said(Connect(Connection::Bridged));
        let stopped = [Cause::Shutdown, Cause::NotRecorded]
            .into_iter()
            .any(|cause| self.has_said(HangUp(Party::Customer, cause)));
        let outcome = match failure {
            _ if bridged => Outcome::Bridged,
            Some(Failure::Busy) => Outcome::Busy,
            Some(Failure::NoAnswer) => Outcome::NoAnswer,
            Some(Failure::Unreachable | Failure::Rejected(_)) => Outcome::Unreachable,
            None if stopped => Outcome::Unreachable,
            None => Outcome::CallerGone,
        };
        let verdict = match choice {
            Some(Choice::MayNot) => Verdict::Refused,
            Some(Choice::Open) if choice::needs_a_yes(ground) => Verdict::NotGiven,
            Some(Choice::Open) => Verdict::Blocked,
            Some(Choice::Gone) => Verdict::Abandoned,
            Some(Choice::NoMore) => Verdict::Withdrawn,
            Some(Choice::Fax) => Verdict::Fax,
            Some(Choice::May) | None if !bridged => Verdict::Unconnected,
            Some(Choice::May) => self.verdict_of_the_audio(),
            None => unasked,
        };
        Words { consent, outcome, verdict }
    }

    fn verdict_of_the_audio(&self) -> Verdict {
        let mut chapters = self.chapters();
        let last = chapters.pop().unwrap_or_else(|| self.chapter());
        last.verdict(&chapters)
    }

    pub(super) fn audible(&self, now: Time) -> Duration {
        Self::audible_in(&self.0, now)
    }

    /// For how long both parties were connected, nobody held, nothing was paused, and an agent who was to be
    /// there was.
    pub(super) fn audible_in(log: &[Page], end: Time) -> Duration {
        let (mut bridged, mut customer, mut agent, mut paused) = (false, false, false, false);
        let (mut away, mut wants, mut there) = (false, false, None);
        let (mut since, mut total) = (Time::default(), Duration::ZERO);
        let last = [(0, end, Said(Finish(NO_WORDS)))];
        for (_, at, entry) in log.iter().chain(&last) {
            let alone = wants && there.is_none();
            if bridged && !customer && !agent && !paused && !away && !alone {
                total += at.since(since);
            }
            since = *at;
            match entry {
                Said(Connect(Connection::Bridged)) => bridged = true,
                Said(HangUp(..)) => bridged = false,
                WantsAgent => wants = true,
                Read(Input::Agent(news)) => there = after(there, *news),
                Said(Paused(_)) => paused = true,
                Said(Resumed(_)) => paused = false,
                // A pause is over with what it was a pause of.
                Settled(Choice::NoMore) => paused = false,
                Read(Input::SentAway(within)) if bridged => away = within.is_some(),
                Read(Input::HouseLeft) | Said(LostSight) => away = false,
                Read(Input::Held(Party::Customer, on)) => customer = *on,
                Read(Input::Held(Party::Agent, on)) => agent = *on,
                _ => {}
            }
        }
        total
    }
}

/// Who is there after these news.
fn after(before: Option<Agent>, news: AgentNews) -> Option<Agent> {
    match news {
        AgentNews::Connected(agent) => Some(agent),
        AgentNews::Left(_) => None,
        AgentNews::Lost(source) => before.filter(|agent| agent.source != source),
    }
}

/// Stands at the end of the log where only the time matters.
const NO_WORDS: Words =
    Words { consent: Consent::NotAsked, outcome: Outcome::CallerGone, verdict: Verdict::PolicyOff };
