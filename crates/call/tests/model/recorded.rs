//! The script's recordings: committed, begun, ended, and what becomes of each.

use call::*;

use crate::{
    chapter::{Chapter, end_of},
    log::Entry,
    reference::Script,
    support::Seen::*,
};

impl Script<'_> {
    /// Says what ought to have been said of the recordings by now and has not.
    pub(super) fn record(&mut self) {
        let chapters = self.log.chapters().len();
        for place in 0..chapters {
            self.record_one(place, place + 1 == chapters);
        }
    }

    fn at(&self, place: usize) -> Chapter<'_> {
        self.log.chapters()[place]
    }

    fn record_one(&mut self, place: usize, is_last: bool) {
        let one = self.at(place);
        let (id, withdrawn) = (one.id, one.is_withdrawn());
        if !one.is_allowed() {
            return;
        }
        if !is_last {
            // What is decided now is of another one.
        } else if withdrawn || self.is_apart() || self.house_is_out {
            self.report_until = None;
        } else if self.log.reports() >= self.log.plays() - usize::from(self.log.prompt_sounds()) {
            self.commit();
        }
        let one = self.at(place);
        if one.acknowledgement() == Some(true) && one.ends() == 0 {
            if !one.is_begun() {
                self.begin(id, withdrawn, one.recorder_failed());
            } else {
                self.end_or_pause(id, withdrawn);
            }
        }
        if is_last {
            self.pause_no_more();
        }
        let one = self.at(place);
        if one.last_end() == Some(Fate::Keep) {
            let closed_empty = one.last_close() == Some((true, 0));
            if withdrawn && self.asking.on_withdraw == OnWithdraw::Erase {
                self.say(end_of(id, Fate::Erase(self.why_erased())));
            } else if closed_empty {
                self.say(end_of(id, Fate::Erase(Reason::Empty)));
            }
        }
    }

    pub(super) fn commit(&mut self) {
        self.report_until = None;
        if self.log.chapter().commits() {
            return;
        }
        let prompts = self.log.plays() - usize::from(self.log.prompt_sounds());
        self.say(Commit { prompts, presses: self.presses });
    }

    fn begin(&mut self, id: RecordingId, withdrawn: bool, failed: bool) {
        if withdrawn {
            self.say(end_of(id, Fate::Erase(self.why_erased())));
        } else if failed || self.is_apart() || self.house_is_out {
            self.say(end_of(id, Fate::Erase(Reason::Empty)));
        } else {
            self.permit();
            if !self.log.lacks_an_agent() {
                self.say(Record);
                self.keep_silence();
            }
        }
    }

    /// It may begin: whatever ends it or pauses it is listened for.
    fn permit(&mut self) {
        if self.log.chapter().is_permitted() {
            return;
        }
        self.log.write(self.step, self.now, Entry::Permitted);
        if self.can_be_ended() {
            self.say(Arm(self.asking.keys.withdraw));
        }
        self.let_pause();
        if let Some(agent) = self.log.agent() {
            self.say(Met(agent.id, agent.source));
        }
    }

    fn end_or_pause(&mut self, id: RecordingId, withdrawn: bool) {
        let one = self.log.chapter();
        let audible = self.log.audible(self.now) > one.audible_before_the_record();
        let failed = one.recorder_failed();
        if withdrawn {
            let keeps = audible && self.asking.on_withdraw == OnWithdraw::Stop;
            let fate = if keeps { Fate::Keep } else { Fate::Erase(self.why_erased()) };
            self.say(end_of(id, fate));
        } else if failed || self.is_apart() || self.house_is_out {
            self.say(end_of(id, if audible { Fate::Keep } else { Fate::Erase(Reason::Empty) }));
        } else {
            self.keep_silence();
        }
    }
}
