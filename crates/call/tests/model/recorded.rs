//! The script's recording: committed, begun, ended, and what becomes of it.

use call::*;

use crate::{choice::Choice, log::Entry, reference::Script, support::Seen::*};

impl Script<'_> {
    /// Says what ought to have been said of the recording by now and has not.
    pub(super) fn record(&mut self) {
        if !self.log.has_settled(Choice::May) {
            return;
        }
        let withdrawn = self.log.has_settled(Choice::NoMore);
        if withdrawn || self.is_apart() || self.house_is_out {
            self.report_until = None;
        } else if self.log.reports() >= self.log.plays() - usize::from(self.log.prompt_sounds()) {
            self.commit();
        }
        if self.log.acknowledgement() == Some(true) && self.log.ends() == 0 {
            if !self.log.has_said(Record) {
                self.begin(withdrawn);
            } else {
                self.end_or_pause(withdrawn);
            }
        }
        self.pause_no_more();
        if self.log.last_end() == Some(Fate::Keep) {
            let closed_empty = self.log.last_close() == Some((true, 0));
            if withdrawn && self.asking.on_withdraw == OnWithdraw::Erase {
                self.say(End(Fate::Erase(self.why_erased())));
            } else if closed_empty {
                self.say(End(Fate::Erase(Reason::Empty)));
            }
        }
    }

    pub(super) fn commit(&mut self) {
        self.report_until = None;
        if self.log.commits() {
            return;
        }
        let prompts = self.log.plays() - usize::from(self.log.prompt_sounds());
        self.say(Commit { prompts, presses: self.presses });
    }

    fn begin(&mut self, withdrawn: bool) {
        if withdrawn {
            self.say(End(Fate::Erase(self.why_erased())));
        } else if self.log.recorder_failed() || self.is_apart() || self.house_is_out {
            self.say(End(Fate::Erase(Reason::Empty)));
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
        if self.log.is_permitted() {
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

    fn end_or_pause(&mut self, withdrawn: bool) {
        let audible = self.log.audible(self.now) > self.log.audible_before_the_record();
        if withdrawn {
            let keeps = audible && self.asking.on_withdraw == OnWithdraw::Stop;
            self.say(End(if keeps { Fate::Keep } else { Fate::Erase(self.why_erased()) }));
        } else if self.log.recorder_failed() || self.is_apart() || self.house_is_out {
            self.say(End(if audible { Fate::Keep } else { Fate::Erase(Reason::Empty) }));
        } else {
            self.keep_silence();
        }
    }
}
