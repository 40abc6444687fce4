//! The chapters of a log: each is the story of one recording, from the question that may lead to it.

use std::time::Duration;

use call::*;

use crate::{
    choice::Choice,
    log::{
        Entry::{self, Permitted, Read, Said, Settled},
        Log, Page,
    },
    support::{
        RECORDING,
        Seen::{self, *},
        ms,
    },
};

/// How the end of this recording is told.
pub(super) fn end_of(recording: RecordingId, fate: Fate) -> Seen {
    if recording == RECORDING { End(fate) } else { EndOf(recording, fate) }
}

/// One of them. What was asked for stands in its own pages; answers may come as late as they like.
#[derive(Clone, Copy)]
pub(super) struct Chapter<'a> {
    pub(super) id: RecordingId,
    /// The pages before it and its own, and where its own begin.
    until: &'a [Page],
    from: usize,
    /// Every page from its first on.
    since: &'a [Page],
}

impl<'a> Chapter<'a> {
    /// The chapter of a log's pages from one place to another.
    pub(super) fn new(id: RecordingId, pages: &'a [Page], from: usize, to: usize) -> Self {
        Self { id, until: &pages[..to], from, since: &pages[from..] }
    }

    fn own(&self) -> &'a [Page] {
        &self.until[self.from..]
    }

    fn place(&self, wanted: impl Fn(&Entry) -> bool) -> Option<usize> {
        self.own().iter().position(|(_, _, entry)| wanted(entry)).map(|place| place + self.from)
    }

    fn says(&self, wanted: impl Fn(Seen) -> bool) -> bool {
        self.place(|entry| matches!(entry, Said(seen) if wanted(*seen))).is_some()
    }

    /// Whether the customer has agreed to it, whatever they said afterwards.
    pub(super) fn is_allowed(&self) -> bool {
        self.place(|entry| matches!(entry, Settled(Choice::May))).is_some()
    }

    /// Whether their last word on it was that they did not want it any more.
    pub(super) fn is_withdrawn(&self) -> bool {
        let last = self.own().iter().rev().find_map(|(_, _, entry)| match entry {
            Settled(choice) => Some(*choice),
            _ => None,
        });
        last == Some(Choice::NoMore)
    }

    pub(super) fn commits(&self) -> bool {
        self.says(|seen| matches!(seen, Commit { .. }))
    }

    /// Whether it was ever allowed to run.
    pub(super) fn is_permitted(&self) -> bool {
        self.place(|entry| matches!(entry, Permitted)).is_some()
    }

    /// Whether a tap has ever listened.
    pub(super) fn is_begun(&self) -> bool {
        self.says(|seen| seen == Record)
    }

    /// What the ledger said to the commit.
    pub(super) fn acknowledgement(&self) -> Option<bool> {
        let mut after =
            self.since.iter().skip_while(|(_, _, entry)| !matches!(entry, Said(Commit { .. })));
        after.find_map(|(_, _, entry)| match entry {
            Read(Input::Committed { recording, .. }) if *recording == self.id => Some(true),
            Read(Input::CommitFailed { recording }) if *recording == self.id => Some(false),
            _ => None,
        })
    }

    /// What this entry says of its end.
    fn fate(&self, entry: &Entry) -> Option<Fate> {
        match entry {
            Said(End(fate)) if self.id == RECORDING => Some(*fate),
            Said(EndOf(id, fate)) if *id == self.id => Some(*fate),
            _ => None,
        }
    }

    fn fates(&self) -> impl Iterator<Item = Fate> {
        self.since.iter().filter_map(|(_, _, entry)| self.fate(entry))
    }

    pub(super) fn ends(&self) -> usize {
        self.fates().count()
    }

    pub(super) fn last_end(&self) -> Option<Fate> {
        self.fates().last()
    }

    /// Whether it runs.
    pub(super) fn is_recording(&self) -> bool {
        self.is_permitted() && self.ends() == 0
    }

    /// How many ends there were in these pages, how many were answered, and the answer to the last end,
    /// if it came.
    fn closes_in(&self, pages: &[Page]) -> (usize, usize, Option<(bool, u64)>) {
        let (mut ends, mut closes, mut last) = (0, 0, None);
        for (_, _, entry) in pages {
            match entry {
                entry if self.fate(entry).is_some() => {
                    ends += 1;
                    last = None;
                }
                Read(Input::RecordingClosed { recording, done, millis })
                    if closes < ends && *recording == self.id =>
                {
                    closes += 1;
                    last = (closes == ends).then_some((*done, *millis));
                }
                _ => {}
            }
        }
        (ends, closes, last)
    }

    pub(super) fn last_close(&self) -> Option<(bool, u64)> {
        self.closes_in(self.since).2
    }

    /// Whether the ledger or the recorder has not answered yet.
    pub(super) fn owes_an_answer(&self) -> bool {
        (self.commits() && self.acknowledgement().is_none())
            || self.closes_in(self.since).1 < self.ends()
    }

    /// Its pages from the record on.
    fn recorded(&self) -> impl Iterator<Item = &'a Entry> {
        let before = |(_, _, entry): &&Page| !matches!(entry, Permitted);
        self.own().iter().skip_while(before).map(|(_, _, entry)| entry)
    }

    /// Whether the recorder failed while it was recording.
    pub(super) fn recorder_failed(&self) -> bool {
        let mut running = self.recorded().take_while(|entry| self.fate(entry).is_none());
        running.any(|entry| matches!(entry, Read(Input::RecorderFailed)))
    }

    fn lost_audio(&self) -> bool {
        // Once the recorder has answered its end, there is no news of it any more.
        let lost = |(place, entry)| {
            let (ends, closes, _) = self.closes_in(&self.since[..place]);
            matches!(entry, &Read(Input::Degraded)) && (ends == 0 || closes < ends)
        };
        let record = self.since.iter().position(|(_, _, entry)| matches!(entry, Permitted));
        let recorded = self.since.iter().map(|(_, _, entry)| entry).enumerate();
        self.audible_before_the_record().saturating_sub(self.unwanted()) >= ms(1_000)
            || record.is_some_and(|record| recorded.skip(record).any(lost))
    }

    /// For how long the parties had heard each other when recording was allowed.
    fn unwanted(&self) -> Duration {
        let allowed = |(_, _, entry): &Page| matches!(entry, Settled(Choice::May));
        let place = self.own().iter().rposition(allowed).map(|place| place + self.from);
        self.audible_before(place)
    }

    pub(super) fn audible_before_the_record(&self) -> Duration {
        self.audible_before(self.place(|entry| matches!(entry, Permitted)))
    }

    fn audible_before(&self, place: Option<usize>) -> Duration {
        place.map_or(Duration::ZERO, |place| {
            Log::audible_in(&self.until[..place], self.until[place].1)
        })
    }

    /// Whether what was kept of it is not all there.
    fn is_torn(&self) -> bool {
        let kept = self.last_end() == Some(Fate::Keep);
        let unsure = !matches!(self.last_close(), Some((true, _)));
        kept && (unsure || self.recorder_failed() || self.lost_audio())
    }

    /// What the last word of a call is that has this chapter for its last, and `former` ones.
    pub(super) fn verdict(&self, former: &[Chapter<'_>]) -> Verdict {
        if self.owes_an_answer() || self.acknowledgement() == Some(false) {
            return Verdict::Failed;
        }
        let cut = self.recorder_failed();
        let torn = former.iter().any(Chapter::is_torn);
        match (self.last_end(), self.last_close()) {
            (Some(Fate::Keep), Some((false, _))) => Verdict::Failed,
            (Some(Fate::Keep), _) if cut || torn || self.lost_audio() => Verdict::Degraded,
            (Some(Fate::Keep), _) => Verdict::Recorded,
            _ if cut => Verdict::Failed,
            _ if self.talked() < ms(1_000) => Verdict::Unconnected,
            _ => Verdict::Failed,
        }
    }

    /// For how long there was something to record.
    fn talked(&self) -> Duration {
        let end = self.until.last().map_or(Time::default(), |page| page.1);
        Log::audible_in(self.until, end).saturating_sub(self.unwanted())
    }

    /// The last of these that was said of it.
    pub(super) fn last_said(&self, wanted: impl Fn(&Seen) -> bool) -> Option<Seen> {
        self.own().iter().rev().find_map(|(_, _, entry)| match entry {
            Said(seen) if wanted(seen) => Some(*seen),
            _ => None,
        })
    }
}
