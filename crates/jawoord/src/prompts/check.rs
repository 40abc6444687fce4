//! What is wrong with prompts: level, length, edges, what the law wants named, and where the
//! sound says something else than the policy of a line.

use std::fmt;

use call::{Keys, Language, Manner, Prompt};

use super::{
    set::{Entry, PromptSet},
    slot::{self, Slot, TemplateFault},
    studio::{self, Edges, Level},
    wave::RATE_HZ,
};

/// Notice and question together stay under this, and so does the prompt that is both.
const ASKING_MS: usize = 14_000;
/// Each confirmation stays within this.
const CONFIRMATION_MS: usize = 2_500;
/// The two confirmations differ by no more, so that their length does not push to one answer.
const UNEVEN_MS: usize = 500;
/// Silence that a prompt may begin or end with.
const EDGE_MS: usize = 100;
/// The level of speech, and how far from it a prompt may be.
const SPEECH_DBOV: f32 = -20.0;
const SPEECH_RANGE_DB: f32 = 3.0;
const PEAK_DBOV: f32 = -3.0;

/// Something wrong with one prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The language.
    pub language: Language,
    /// The prompt.
    pub prompt: Prompt,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a prompt.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// There is no such prompt.
    Absent,
    /// Nothing can be heard in it.
    Silent,
    /// Its speech is too soft or too loud; dBov.
    Level(f32),
    /// Its peaks are too near to full scale; dBov.
    Peak(f32),
    /// It begins with silence; milliseconds.
    SilenceBefore(usize),
    /// It ends with silence; milliseconds.
    SilenceAfter(usize),
    /// It (for the notice: with the question) is longer than allowed; milliseconds.
    TooLong {
        /// How long it is.
        found_ms: usize,
        /// How long it may be.
        limit_ms: usize,
    },
    /// The confirmations of yes and no differ too much in length; milliseconds.
    Uneven(usize),
    /// It does not name what it has to name (L09, L15).
    NotNamed(Slot),
    /// Its words do not hold the value that its manifest says is spoken.
    NotSpoken(Slot),
    /// Its template was changed after the sound was made.
    TextChanged,
    /// Its template cannot be filled.
    Template(TemplateFault),
    /// The policy of a line says one thing and the sound another.
    Differs {
        /// Which value.
        slot: Slot,
        /// What the policy says.
        policy: Box<str>,
        /// What the sound says.
        sound: Box<str>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}: {}", self.language, self.prompt, self.fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such prompt; build or import it"),
            Self::Silent => f.write_str("nothing can be heard; import a recording with speech"),
            Self::Level(found) => write!(
                f,
                "its speech is at {found:.1} dBov, not {SPEECH_DBOV:.0} ± {SPEECH_RANGE_DB:.0}; \
                 import it, which levels it"
            ),
            Self::Peak(found) => write!(
                f,
                "its peak is at {found:.1} dBov, above {PEAK_DBOV:.0}; import it, which limits it"
            ),
            Self::SilenceBefore(ms) => write!(
                f,
                "it begins with {ms} ms of silence, more than {EDGE_MS}; import it, which trims it"
            ),
            Self::SilenceAfter(ms) => {
                write!(f, "it ends with {ms} ms of silence; import it, which trims it")
            }
            Self::TooLong { found_ms, limit_ms } => write!(
                f,
                "it takes {found_ms} ms, {} more than the {limit_ms} allowed (a notice counts with \
                 its question); shorten its words or values, or speak faster",
                found_ms.saturating_sub(*limit_ms)
            ),
            Self::Uneven(ms) => write!(
                f,
                "it is {ms} ms longer or shorter than the other confirmation, more than \
                 {UNEVEN_MS}; make both about as long"
            ),
            Self::NotNamed(slot) => {
                write!(f, "it does not name the {slot}; add {{{slot}}} to its text")
            }
            Self::NotSpoken(slot) => write!(
                f,
                "its manifest says that it names the {slot}, its words do not; correct the text, \
                 or record it again"
            ),
            Self::TextChanged => f.write_str(
                "its text was changed after the sound was made; build or import it again",
            ),
            Self::Template(fault) => write!(f, "its template cannot be spoken: {fault}"),
            Self::Differs { slot, policy, sound } => write!(
                f,
                "the policy says {slot} = \"{policy}\", the sound says \"{sound}\"; change the \
                 policy, or record the prompt again"
            ),
        }
    }
}

/// Checks every prompt of every language: present, level, length, edges, that its words are those
/// of its template, and that they name what the law wants named (L09: controller, purpose,
/// retention and withdrawal key in the notice; L15: country, audience and address in the
/// explanation). Hashes and format are proved by loading.
#[must_use]
pub fn check(set: &PromptSet) -> Vec<Finding> {
    set.languages().flat_map(|language| check_language(set, language)).collect()
}

fn check_language(set: &PromptSet, language: Language) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |prompt, fault| findings.push(Finding { language, prompt, fault });
    for prompt in Prompt::ALL {
        let Some(entry) = set.get(language, prompt) else {
            if Manner::Asked.says(prompt) {
                found(prompt, Fault::Absent);
            }
            continue;
        };
        sound_faults(prompt, entry).into_iter().for_each(|fault| found(prompt, fault));
        text_faults(language, prompt, entry).into_iter().for_each(|fault| found(prompt, fault));
    }
    let length = |prompt| set.get(language, prompt).map(|entry| milliseconds(entry.samples.len()));
    if let (Some(notice), Some(question)) = (length(Prompt::Notice), length(Prompt::Question)) {
        let found_ms = notice + question;
        if found_ms > ASKING_MS {
            found(Prompt::Notice, Fault::TooLong { found_ms, limit_ms: ASKING_MS });
        }
    }
    for prompt in [Prompt::AgentAsk, Prompt::LegitimateInterest, Prompt::LegalObligation] {
        if let Some(found_ms) = length(prompt).filter(|found| *found > ASKING_MS) {
            found(prompt, Fault::TooLong { found_ms, limit_ms: ASKING_MS });
        }
    }
    if let (Some(granted), Some(refused)) = (length(Prompt::Granted), length(Prompt::Refused)) {
        let difference = granted.abs_diff(refused);
        if difference > UNEVEN_MS {
            found(Prompt::Refused, Fault::Uneven(difference));
        }
    }
    findings
}

const fn milliseconds(samples: usize) -> usize {
    samples * 1_000 / RATE_HZ as usize
}

fn sound_faults(prompt: Prompt, entry: &Entry) -> Vec<Fault> {
    let samples = &entry.samples;
    let (Some(level), Some(edges)) = (studio::level(samples), studio::edges(samples)) else {
        return vec![Fault::Silent];
    };
    let Level { speech_dbov, peak_dbov } = level;
    let Edges { lead, trail } = edges;
    let confirmation = matches!(prompt, Prompt::Granted | Prompt::Refused);
    // The shorter confirmation may be padded to the length of the other.
    let trail_limit = if confirmation { EDGE_MS + UNEVEN_MS } else { EDGE_MS };
    let (before, after) = (milliseconds(lead), milliseconds(trail));
    let found_ms = milliseconds(samples.len());
    [
        ((speech_dbov - SPEECH_DBOV).abs() > SPEECH_RANGE_DB).then_some(Fault::Level(speech_dbov)),
        (peak_dbov > PEAK_DBOV).then_some(Fault::Peak(peak_dbov)),
        (before > EDGE_MS).then_some(Fault::SilenceBefore(before)),
        (after > trail_limit).then_some(Fault::SilenceAfter(after)),
        (confirmation && found_ms > CONFIRMATION_MS)
            .then_some(Fault::TooLong { found_ms, limit_ms: CONFIRMATION_MS }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn text_faults(language: Language, prompt: Prompt, entry: &Entry) -> Vec<Fault> {
    let mut faults = Vec::new();
    match slot::render(&entry.template, language, &entry.spoken) {
        Ok((text, _)) if text == entry.text => {}
        Ok(_) => faults.push(Fault::TextChanged),
        Err(fault) => faults.push(Fault::Template(fault)),
    }
    for slot in slot::must_name(prompt).iter().filter(|slot| !entry.spoken.contains_key(slot)) {
        faults.push(Fault::NotNamed(*slot));
    }
    for (slot, value) in &entry.spoken {
        if !slot::says(&entry.text, &slot::words(language, *slot, value)) {
            faults.push(Fault::NotSpoken(*slot));
        }
    }
    faults
}

/// What a line's policy says, in the words of one language.
#[derive(Clone, Copy, Debug)]
pub struct LineValues<'a> {
    /// Who records.
    pub controller: &'a str,
    /// What for, as it follows "to".
    pub purpose: &'a str,
    /// How long, as it follows "after"; [`super::period::spoken`] makes it of a duration.
    pub retention: &'a str,
    /// Where recordings are kept; `None` when the policy has no words for it.
    pub country: Option<&'a str>,
    /// The keys of the dialogue.
    pub keys: Keys,
    /// How its customers take part: which prompts they hear.
    pub manner: Manner,
}

/// Holds what a line's policy says against what the prompts of its language say. Every
/// disagreement is one finding that names both.
#[must_use]
pub fn agrees(set: &PromptSet, language: Language, line: &LineValues<'_>) -> Vec<Finding> {
    // What a key means is configuration; only what a person pressed is private.
    let key = |key: call::Key| Some(key.reveal().to_string());
    let policy = |slot: Slot| match slot {
        Slot::Controller => Some(line.controller.to_owned()),
        Slot::Purpose => Some(line.purpose.to_owned()),
        Slot::Retention => Some(line.retention.to_owned()),
        Slot::GrantKey => key(line.keys.grant),
        Slot::RefuseKey => key(line.keys.refuse),
        Slot::WithdrawKey => key(line.keys.withdraw),
        Slot::InfoKey => key(line.keys.info),
        Slot::Country => line.country.map(str::to_owned),
        Slot::Audience | Slot::Url => None,
    };
    let mut findings = Vec::new();
    let mut found = |prompt, fault| findings.push(Finding { language, prompt, fault });
    for prompt in Prompt::ALL.into_iter().filter(|prompt| line.manner.says(*prompt)) {
        let Some(entry) = set.get(language, prompt) else {
            found(prompt, Fault::Absent);
            continue;
        };
        for slot in slot::must_name(prompt).iter().filter(|slot| !entry.spoken.contains_key(slot)) {
            found(prompt, Fault::NotNamed(*slot));
        }
        for (slot, sound) in &entry.spoken {
            if let Some(policy) = policy(*slot).filter(|policy| !slot::same(policy, sound)) {
                let (policy, sound) = (policy.into(), sound.clone());
                found(prompt, Fault::Differs { slot: *slot, policy, sound });
            }
        }
    }
    findings
}
