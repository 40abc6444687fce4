//! What goes wrong in a call while it is up, and on a trunk from call to call: what is known, and when it
//! is said.

use std::{collections::HashMap, sync::Arc};

use call::{Alarm, Consent, DeadKeys, Party, Time, Unheard, Words};

/// Something that is wrong now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// What.
    pub alarm: Alarm,
    /// When it was noticed.
    pub since: Time,
}

/// What is wrong with one call.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    /// The oldest first. There are as many as there are kinds, at most.
    raised: Vec<Raised>,
    asked: bool,
    pressed: bool,
    /// The trunk on which the customer is.
    carrier: Option<Arc<str>>,
}

impl Alarms {
    /// Of a call that has come by this trunk, if it has come by any.
    #[must_use]
    pub fn on(carrier: Option<Arc<str>>) -> Self {
        Self { carrier, ..Self::default() }
    }

    /// The customer is called by this trunk.
    pub fn goes_by(&mut self, trunk: &Arc<str>) {
        self.carrier = Some(Arc::clone(trunk));
    }

    /// The trunk on which the customer is.
    #[must_use]
    pub const fn carrier(&self) -> Option<&Arc<str>> {
        self.carrier.as_ref()
    }

    /// A party is not heard.
    pub fn misses(&mut self, now: Time, party: Party, cause: Unheard) {
        self.hears(party);
        self.raised.push(Raised { alarm: Alarm::Unheard(party, cause), since: now });
    }

    /// A party is heard again.
    pub fn hears(&mut self, party: Party) {
        self.ends(|alarm| matches!(alarm, Alarm::Unheard(who, _) if who == party));
    }

    /// The parties have been parted: nobody need be heard.
    pub fn parted(&mut self) {
        self.ends(|alarm| matches!(alarm, Alarm::Unheard(..)));
    }

    /// The customer has been asked.
    pub const fn asks(&mut self) {
        self.asked = true;
    }

    /// The customer has pressed a key that came through.
    pub fn pressed(&mut self) {
        self.pressed = true;
        self.ends(|alarm| matches!(alarm, Alarm::DeadKeys(_)));
    }

    /// The customer's keys do not come through. Whether that is news.
    pub fn dead_keys(&mut self, now: Time, cause: DeadKeys) -> bool {
        let known = self.raised.iter().any(|it| matches!(it.alarm, Alarm::DeadKeys(_)));
        !self.pressed && !known && self.raise(now, Alarm::DeadKeys(cause))
    }

    /// The recorder cannot go on. Whether that is news.
    pub fn cuts_short(&mut self, now: Time) -> bool {
        self.raise(now, Alarm::CutShort)
    }

    /// The recorder was late, and what is lost stays lost. Whether that is news.
    pub fn is_late(&mut self, now: Time) -> bool {
        self.raise(now, Alarm::Late)
    }

    fn raise(&mut self, now: Time, alarm: Alarm) -> bool {
        let news = self.raised.iter().all(|it| it.alarm != alarm);
        if news {
            self.raised.push(Raised { alarm, since: now });
        }
        news
    }

    fn ends(&mut self, over: impl Fn(Alarm) -> bool) {
        self.raised.retain(|it| !over(it.alarm));
    }

    /// How many parties are not heard.
    #[must_use]
    pub fn unheard(&self) -> usize {
        self.raised.iter().filter(|it| matches!(it.alarm, Alarm::Unheard(..))).count()
    }

    /// What is wrong now, the oldest first.
    #[must_use]
    pub fn now(&self) -> &[Raised] {
        &self.raised
    }

    /// Whether the question of an ended call was answered by a key; `None` when it says nothing about
    /// keys, as when the customer hung up or was not asked.
    #[must_use]
    pub const fn answered(&self, words: Words) -> Option<bool> {
        match (self.asked, self.pressed, words.consent) {
            (_, true, _) => Some(true),
            (true, false, Consent::NotGiven) => Some(false),
            _ => None,
        }
    }
}

/// Questions in a row that nobody answered by a key, trunk by trunk. There are as many as trunks.
#[derive(Clone, Debug, Default)]
pub struct Unanswered(HashMap<Arc<str>, Row>);

/// How many in a row, and since when.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    questions: u32,
    since: Time,
}

/// What a question changed on its trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streak {
    /// Nothing to say.
    Quiet,
    /// So many in a row are unanswered: it is time to say so.
    Dead(u32),
    /// After so many, which were said, a key came through.
    Alive(u32),
}

impl Unanswered {
    /// A question on a trunk was answered by a key, or by nothing, at `now`. It is said after every
    /// `limit` in a row. Returns that, and how many are unanswered now.
    pub fn note(
        &mut self,
        now: Time,
        trunk: &Arc<str>,
        answered: bool,
        limit: Option<u32>,
    ) -> (Streak, u32) {
        let row = self.0.entry(Arc::clone(trunk)).or_default();
        if answered {
            let before = std::mem::take(row).questions;
            let was_said = limit.is_some_and(|limit| before >= limit);
            return (if was_said { Streak::Alive(before) } else { Streak::Quiet }, 0);
        }
        if row.questions == 0 {
            row.since = now;
        }
        row.questions = row.questions.saturating_add(1);
        let due = limit.is_some_and(|limit| row.questions.is_multiple_of(limit));
        (if due { Streak::Dead(row.questions) } else { Streak::Quiet }, row.questions)
    }

    /// The trunks on which at least `limit` in a row are unanswered: how many, and since when.
    pub fn dead(&self, limit: Option<u32>) -> impl Iterator<Item = (&str, u32, Time)> {
        let over = move |row: &Row| limit.is_some_and(|limit| row.questions >= limit);
        let rows = self.0.iter().filter(move |(_, row)| over(row));
        rows.map(|(trunk, row)| (&**trunk, row.questions, row.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::{Outcome, Verdict};

    const fn at(second: u64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    const fn words(consent: Consent) -> Words {
        Words { consent, outcome: Outcome::Bridged, verdict: Verdict::NotGiven }
    }

    #[test]
    fn a_call_says_whether_keys_come_through_only_where_it_knows() {
        let mut asked = Alarms::default();
        assert_eq!(asked.answered(words(Consent::NotGiven)), None, "nobody was asked");
        asked.asks();
        assert_eq!(asked.answered(words(Consent::NotGiven)), Some(false));
        assert_eq!(asked.answered(words(Consent::Abandoned)), None, "the customer hung up");
        assert!(asked.dead_keys(at(1), DeadKeys::Tones));
        assert!(!asked.dead_keys(at(2), DeadKeys::StrayEvents));
        let alarm = Alarm::DeadKeys(DeadKeys::Tones);
        assert_eq!(asked.now(), [Raised { alarm, since: at(1) }]);
        asked.pressed();
        assert_eq!(asked.answered(words(Consent::NotGiven)), Some(true), "the wrong keys are keys");
        assert!(asked.now().is_empty() && !asked.dead_keys(at(3), DeadKeys::Tones));
    }

    #[test]
    fn what_is_wrong_now_is_listed_until_it_is_right_again_or_nobody_need_be_heard() {
        let mut alarms = Alarms::default();
        alarms.misses(at(1), Party::Agent, Unheard::Elsewhere);
        alarms.misses(at(2), Party::Customer, Unheard::Silent);
        assert!(alarms.is_late(at(3)) && !alarms.is_late(at(4)), "it is said once");
        assert!(alarms.cuts_short(at(5)) && !alarms.cuts_short(at(6)), "it is said once");
        // What comes instead of the sound has changed.
        alarms.misses(at(7), Party::Agent, Unheard::Silent);
        let said = alarms.now().iter().map(|it| (it.alarm.to_string(), it.since));
        let expected = [
            ("no sound of the customer: silent", at(2)),
            ("the recorder is late: sound is missing", at(3)),
            ("the recorder cannot go on: recorded no further", at(5)),
            ("no sound of the agent: silent", at(7)),
        ];
        assert_eq!(
            said.collect::<Vec<_>>(),
            expected.map(|(text, since)| (text.to_owned(), since))
        );
        alarms.hears(Party::Customer);
        assert_eq!(alarms.unheard(), 1);
        alarms.parted();
        assert_eq!((alarms.unheard(), alarms.now().len()), (0, 2));
    }

    #[test]
    fn a_trunk_without_an_answer_is_said_once_in_so_many_questions_and_so_is_its_return() {
        let mut trunks = Unanswered::default();
        let [carrier, other] = ["carrier", "other"].map(Arc::<str>::from);
        let mut second = 0;
        let mut ask = |trunks: &mut Unanswered, answered| {
            second += 1;
            trunks.note(at(second), &carrier, answered, Some(20))
        };
        for n in 1..20 {
            assert_eq!(ask(&mut trunks, false), (Streak::Quiet, n));
            assert_eq!(trunks.note(at(9), &other, false, None), (Streak::Quiet, n));
        }
        assert_eq!(ask(&mut trunks, true), (Streak::Quiet, 0), "one key in twenty is enough");
        let said: Vec<u32> =
            (1..=45).filter(|_| matches!(ask(&mut trunks, false), (Streak::Dead(_), _))).collect();
        assert_eq!(said, [20, 40]);
        assert_eq!(trunks.dead(Some(20)).collect::<Vec<_>>(), [("carrier", 45, at(21))]);
        assert_eq!(trunks.dead(None).count() + trunks.dead(Some(46)).count(), 0);
        assert_eq!(ask(&mut trunks, true), (Streak::Alive(45), 0));
        assert_eq!(ask(&mut trunks, true), (Streak::Quiet, 0));
        assert_eq!(trunks.dead(Some(1)).map(|(trunk, ..)| trunk).collect::<Vec<_>>(), ["other"]);
    }
}
