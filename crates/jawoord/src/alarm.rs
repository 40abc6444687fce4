//! What goes wrong in a call while it is up, and on a trunk from call to call: what is known, and when it
//! is said.

use std::{collections::HashMap, fmt, sync::Arc};

use call::{Consent, Party, Words};
use media::Unheard;

/// Why the customer's keys do not come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadKeys {
    /// They sound as tones, although telephone events are agreed on.
    Tones,
    /// They come as telephone events of a payload type that was not agreed on.
    StrayEvents,
    /// A trunk's questions have been answered by no key for a long time.
    Unanswered,
}

impl DeadKeys {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Tones, Self::StrayEvents, Self::Unanswered];

    /// In a word, for listings and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tones => "tones",
            Self::StrayEvents => "stray-events",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Something that is wrong now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A party is not heard while the other one is.
    Unheard(Party, Unheard),
    /// The customer's keys do not come through.
    DeadKeys(DeadKeys),
    /// The recorder could not go on.
    CutShort,
}

impl fmt::Display for Alarm {
    /// As it stands on the ladder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unheard(party, cause) => {
                write!(f, "no sound of the {}: {}", party.as_str(), cause.as_str())
            }
            Self::DeadKeys(cause) => write!(f, "keys do not come through: {}", cause.as_str()),
            Self::CutShort => f.write_str("the recorder cannot go on: recorded no further"),
        }
    }
}

/// What is wrong with one call.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    unheard: [Option<Unheard>; 2],
    dead_keys: Option<DeadKeys>,
    cut_short: bool,
    asked: bool,
    pressed: bool,
    /// The trunk on which the customer is.
    carrier: Option<Arc<str>>,
}

const PARTIES: [Party; 2] = [Party::Customer, Party::Agent];

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

    /// A party is not heard, or is again.
    pub fn hears(&mut self, party: Party, unheard: Option<Unheard>) {
        let [customer, agent] = &mut self.unheard;
        match party {
            Party::Customer => *customer = unheard,
            Party::Agent => *agent = unheard,
        }
    }

    /// The parties have been parted: nobody need be heard.
    pub const fn parted(&mut self) {
        self.unheard = [None; 2];
    }

    /// The customer has been asked.
    pub const fn asks(&mut self) {
        self.asked = true;
    }

    /// The customer has pressed a key that came through.
    pub const fn pressed(&mut self) {
        (self.pressed, self.dead_keys) = (true, None);
    }

    /// The customer's keys do not come through. Whether that is news.
    pub fn dead_keys(&mut self, cause: DeadKeys) -> bool {
        let news = !self.pressed && self.dead_keys.is_none();
        if news {
            self.dead_keys = Some(cause);
        }
        news
    }

    /// The recorder cannot go on. Whether that is news.
    pub const fn cuts_short(&mut self) -> bool {
        !std::mem::replace(&mut self.cut_short, true)
    }

    /// How many parties are not heard.
    #[must_use]
    pub fn unheard(&self) -> usize {
        self.unheard.iter().flatten().count()
    }

    /// What is wrong now.
    #[must_use]
    pub fn now(&self) -> Vec<Alarm> {
        let unheard = PARTIES.into_iter().zip(self.unheard);
        let unheard = unheard.filter_map(|(party, why)| Some(Alarm::Unheard(party, why?)));
        let cut_short = self.cut_short.then_some(Alarm::CutShort);
        unheard.chain(self.dead_keys.map(Alarm::DeadKeys)).chain(cut_short).collect()
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
pub struct Unanswered(HashMap<Arc<str>, u32>);

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
    /// A question on a trunk was answered by a key, or by nothing. It is said after every `limit` in a
    /// row. Returns that, and how many are unanswered now.
    pub fn note(&mut self, trunk: &Arc<str>, answered: bool, limit: Option<u32>) -> (Streak, u32) {
        let count = self.0.entry(Arc::clone(trunk)).or_default();
        let was_said = |count: u32| limit.is_some_and(|limit| count >= limit);
        if answered {
            let before = std::mem::take(count);
            return (if was_said(before) { Streak::Alive(before) } else { Streak::Quiet }, 0);
        }
        *count = count.saturating_add(1);
        let due = limit.is_some_and(|limit| count.is_multiple_of(limit));
        (if due { Streak::Dead(*count) } else { Streak::Quiet }, *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::{Outcome, Verdict};

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
        assert!(asked.dead_keys(DeadKeys::Tones) && !asked.dead_keys(DeadKeys::StrayEvents));
        assert_eq!(asked.now(), [Alarm::DeadKeys(DeadKeys::Tones)]);
        asked.pressed();
        assert_eq!(asked.answered(words(Consent::NotGiven)), Some(true), "the wrong keys are keys");
        assert!(asked.now().is_empty() && !asked.dead_keys(DeadKeys::Tones));
    }

    #[test]
    fn what_is_wrong_now_is_listed_until_it_is_right_again_or_nobody_need_be_heard() {
        let mut alarms = Alarms::default();
        alarms.hears(Party::Agent, Some(Unheard::Elsewhere));
        alarms.hears(Party::Customer, Some(Unheard::Silent));
        let said: Vec<String> = alarms.now().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["no sound of the customer: silent", "no sound of the agent: elsewhere"]);
        alarms.hears(Party::Customer, None);
        assert_eq!(alarms.unheard(), 1);
        alarms.parted();
        assert_eq!((alarms.unheard(), alarms.now()), (0, Vec::new()));
    }

    #[test]
    fn a_trunk_without_an_answer_is_said_once_in_so_many_questions_and_so_is_its_return() {
        let mut trunks = Unanswered::default();
        let [carrier, other] = ["carrier", "other"].map(Arc::<str>::from);
        let ask = |trunks: &mut Unanswered, answered| trunks.note(&carrier, answered, Some(20));
        for n in 1..20 {
            assert_eq!(ask(&mut trunks, false), (Streak::Quiet, n));
            assert_eq!(trunks.note(&other, false, None), (Streak::Quiet, n));
        }
        assert_eq!(ask(&mut trunks, true), (Streak::Quiet, 0), "one key in twenty is enough");
        let said: Vec<u32> =
            (1..=45).filter(|_| matches!(ask(&mut trunks, false), (Streak::Dead(_), _))).collect();
        assert_eq!(said, [20, 40]);
        assert_eq!(ask(&mut trunks, true), (Streak::Alive(45), 0));
        assert_eq!(ask(&mut trunks, true), (Streak::Quiet, 0));
    }
}
