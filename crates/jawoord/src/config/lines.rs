//! Lines and policies: from the words of the file to the domain's values.

use std::{sync::Arc, time::Duration};

use call::{
    Asking, Audience, Confirm, DialledPattern, Digest, Key, Keys, Language, Line, LineId, Lines,
    Manner, OnWithdraw, Parties, Policy, PolicyId, Prompt, PromptId, Purpose, Recording, Retention,
    TenantId, WhenRecordingFails,
};

use super::{
    attended, choice, ground, outbound, pausing, preset,
    problem::Problem,
    schema::{self, File},
    tongue,
};
use crate::{
    prompts::{self, check::LineValues, period, set::PromptSet},
    tongues::Tongues,
};

const SECONDS_PER_DAY: u64 = 86_400;

/// Makes the lines; every problem is added to `problems`.
pub fn lines(
    file: &File,
    prompts: Option<&PromptSet>,
    problems: &mut Vec<Problem>,
) -> (Lines, Tongues) {
    let policies: Vec<Arc<Policy>> = file
        .policy
        .iter()
        .filter_map(|policy| Maker { file, prompts, problems }.policy(policy))
        .map(Arc::new)
        .collect();
    unique("policy", file.policy.iter().map(|policy| policy.id.as_str()), problems);
    unique("line", file.line.iter().map(|line| line.id.as_str()), problems);
    outbound::telemarketing(file, problems);
    let known = !problems.is_empty();
    let lines = file.line.iter().filter_map(|line| self::line(line, &policies, known, problems));
    let lines: Vec<Line> = lines.collect();
    let tongues = tongue::tongues(file, &lines, (&policies, known), problems);
    (Lines::new(lines), tongues)
}

fn unique<'a>(
    table: &'static str,
    ids: impl Iterator<Item = &'a str>,
    problems: &mut Vec<Problem>,
) {
    let mut seen = std::collections::BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            problems.push(Problem::value(table, "id", id, "give each its own name"));
        }
    }
}

fn line(
    line: &schema::Line,
    policies: &[Arc<Policy>],
    broken: bool,
    problems: &mut Vec<Problem>,
) -> Option<Line> {
    let place = format!("line \"{}\"", line.id);
    const NAME: &str = "use 1 to 64 characters of a-z, 0-9 and '-'";
    let id = LineId::new(&line.id)
        .map_err(|_| problems.push(Problem::value(&place, "id", &line.id, NAME)))
        .ok();
    let tenant = TenantId::new(&line.tenant)
        .map_err(|_| problems.push(Problem::value(&place, "tenant", &line.tenant, NAME)))
        .ok();
    let number = "use a number such as \"+31201234567\", or its beginning and '*'";
    let pattern = DialledPattern::new(&line.number)
        .map_err(|_| problems.push(Problem::value(&place, "number", &line.number, number)))
        .ok();
    let policy = policies.iter().find(|policy| policy.id.as_str() == line.policy).cloned();
    if policy.is_none() && !broken {
        let mend = "no policy has this id; add a [[policy]] or correct the name";
        problems.push(Problem::value(&place, "policy", &line.policy, mend));
    }
    let direction = outbound::direction(line);
    let record_from = attended::record_from(line);
    Some(Line {
        id: id?,
        tenant: tenant?,
        pattern: pattern?,
        direction,
        record_from,
        policy: policy?,
    })
}

struct Maker<'a> {
    file: &'a File,
    prompts: Option<&'a PromptSet>,
    problems: &'a mut Vec<Problem>,
}

impl Maker<'_> {
    fn policy(mut self, policy: &schema::Policy) -> Option<Policy> {
        let place = format!("policy \"{}\"", policy.id);
        let Ok(id) = PolicyId::new(&policy.id) else {
            let mend = "use 1 to 64 characters of a-z, 0-9 and '-'";
            self.problems.push(Problem::value(place, "id", &policy.id, mend));
            return None;
        };
        let recording = match policy.record {
            choice::Record::Never => Recording::Never,
            choice::Record::Ask | choice::Record::Tell => {
                Recording::Ask(Box::new(self.asking(policy, &place)?))
            }
        };
        Some(Policy {
            id,
            version: policy.version,
            hash: hash(policy),
            recording,
            ring_timeout: Duration::from_secs(u64::from(policy.ring_timeout_s.max(1))),
        })
    }

    fn asking(&mut self, policy: &schema::Policy, place: &str) -> Option<Asking> {
        let ground = ground::ground(policy, place, self.problems);
        let purposes = self.purposes(policy, place);
        let retention = self.retention(policy, place);
        let keys = self.keys(policy, place);
        let asked = outbound::asked(policy, place, self.problems);
        let pausing = pausing::pausing(policy, place, self.problems);
        self.waits(policy, place);
        let language = self.language(policy, place);
        if let (Some(ground), Some(keep)) = (ground, &retention) {
            preset::held_to(policy, (ground, keep), place, self.problems);
        }
        let (keys, retention, language) = (keys?, retention?, language?);
        let (inbound, outbound) = asked?;
        let manner = ground?.manner()?;
        let prompts = self.spoken(policy, (language, manner), (keys, retention.keep), place)?;
        Some(Asking {
            ground: ground?,
            purposes: purposes?,
            heard: Parties::BOTH,
            language,
            prompts,
            keys,
            repeats: policy.repeats,
            answer_timeout: Duration::from_millis(u64::from(policy.answer_timeout_ms)),
            unbridged_limit: Duration::from_secs(u64::from(policy.unbridged_limit_s)),
            confirm: match policy.confirm {
                choice::Confirm::First => Confirm::First,
                choice::Confirm::WhileRinging => Confirm::WhileRinging,
                choice::Confirm::Off => Confirm::Off,
            },
            inbound,
            outbound,
            audience: match policy.question_heard_by {
                choice::HeardBy::Both => Audience::Both,
                choice::HeardBy::Customer => Audience::Customer,
            },
            on_withdraw: match policy.on_withdraw {
                choice::OnWithdraw::Erase => OnWithdraw::Erase,
                choice::OnWithdraw::Stop => OnWithdraw::Stop,
            },
            blank_keys: policy.blank_keys,
            pausing: pausing?,
            agent_cue: policy.agent_cue,
            beep: pausing::beep(policy, place, self.problems),
            when_recording_fails: match policy.when_recording_fails {
                choice::WhenRecordingFails::GoOn => WhenRecordingFails::GoOn,
                choice::WhenRecordingFails::EndCall => WhenRecordingFails::EndCall,
            },
            retention,
        })
    }

    fn purposes(&mut self, policy: &schema::Policy, place: &str) -> Option<call::Purposes> {
        const MEND: &str = "use some of `quality`, `training`, `evidence`, `analysis`";
        if policy.purposes.is_empty() {
            self.problems.push(Problem::missing(place, "purposes", MEND));
            return None;
        }
        let mut purposes = Vec::new();
        for name in &policy.purposes {
            match Purpose::from_name(name) {
                Some(purpose) => purposes.push(purpose),
                None => self.problems.push(Problem::value(place, "purposes", name, MEND)),
            }
        }
        Some(purposes.into_iter().collect())
    }

    fn retention(&mut self, policy: &schema::Policy, place: &str) -> Option<Retention> {
        let Some(class) = &policy.retention else {
            let mend = "name a [[retention]] class; nothing is kept without an end";
            self.problems.push(Problem::missing(place, "retention", mend));
            return None;
        };
        let Some(found) = self.file.retention.iter().find(|found| found.class == *class) else {
            let mend = "no [[retention]] has this class; add it or correct the name";
            self.problems.push(Problem::value(place, "retention", class, mend));
            return None;
        };
        let seconds = match (found.keep_days, found.keep_s) {
            (Some(days), None) if days > 0 => u64::from(days) * SECONDS_PER_DAY,
            (None, Some(seconds)) => u64::from(seconds),
            _ => {
                let place = format!("retention \"{class}\"");
                let mend = "write either `keep_days` (1 or more) or `keep_s`";
                self.problems.push(Problem::missing(place, "keep_days", mend));
                return None;
            }
        };
        Some(Retention { class: class.as_str().into(), keep: Duration::from_secs(seconds) })
    }

    fn keys(&mut self, policy: &schema::Policy, place: &str) -> Option<Keys> {
        let written = [
            ("grant_key", policy.grant_key),
            ("refuse_key", policy.refuse_key),
            ("withdraw_key", policy.withdraw_key),
            ("info_key", policy.info_key),
        ];
        let mut keys = Vec::new();
        for (index, (name, character)) in written.into_iter().enumerate() {
            if written[..index].iter().any(|(_, other)| *other == character) {
                let mend = "one key cannot mean two things; give each its own";
                self.problems.push(Problem::value(place, name, character, mend));
            }
            match Key::new(character) {
                Ok(key) => keys.push(key),
                Err(_) => {
                    let mend = "use one of 0-9, '*', '#' or A-D";
                    self.problems.push(Problem::value(place, name, character, mend));
                }
            }
        }
        match keys[..] {
            [grant, refuse, withdraw, info] => Some(Keys { grant, refuse, withdraw, info }),
            _ => None,
        }
    }

    fn waits(&mut self, policy: &schema::Policy, place: &str) {
        if !(1_000..=15_000).contains(&policy.answer_timeout_ms) {
            self.problems.push(Problem::value(
                place,
                "answer_timeout_ms",
                policy.answer_timeout_ms,
                "use 1000 to 15000",
            ));
        }
        if !(10..=35).contains(&policy.unbridged_limit_s) {
            self.problems.push(Problem::value(
                place,
                "unbridged_limit_s",
                policy.unbridged_limit_s,
                "use 10 to 35; nobody waits longer for a call to be connected",
            ));
        }
        if policy.repeats > 3 {
            let mend = "use 0 to 3";
            self.problems.push(Problem::value(place, "repeats", policy.repeats, mend));
        }
    }

    fn language(&mut self, policy: &schema::Policy, place: &str) -> Option<Language> {
        const MEND: &str = "use a language of the prompt folder, such as \"nl\"";
        let Some(text) = &policy.language else {
            self.problems.push(Problem::missing(place, "language", MEND));
            return None;
        };
        let known = |language: &Language| {
            self.prompts.is_none_or(|set| set.languages().any(|known| known == *language))
        };
        let language = Language::new(text).filter(known);
        if language.is_none() {
            self.problems.push(Problem::value(place, "language", text, MEND));
        }
        language
    }

    /// Every prompt of the dialogue, and whether what it says is what the policy says (L09).
    fn spoken(
        &mut self,
        policy: &schema::Policy,
        (language, manner): (Language, Manner),
        (keys, keep): (Keys, Duration),
        place: &str,
    ) -> Option<Vec<(Prompt, PromptId)>> {
        let set = self.prompts?;
        let mut text = |key: &'static str, value: &Option<String>| {
            if value.is_none() {
                let mend = "write it as the notice speaks it";
                self.problems.push(Problem::missing(place, key, mend));
            }
            value.clone()
        };
        let controller = text("controller", &policy.controller);
        let purpose = text("purpose_spoken", &policy.purpose_spoken);
        let retention = self.promise(policy, language, keep, place);
        let (controller, purpose, retention) = (controller?, purpose?, retention?);
        let values = LineValues {
            controller: &controller,
            purpose: &purpose,
            retention: &retention,
            country: None,
            keys,
            manner,
        };
        for finding in prompts::check::agrees(set, language, &values) {
            let finding = finding.to_string().into();
            self.problems.push(Problem::Prompt { place: place.into(), finding });
        }
        Prompt::ALL
            .into_iter()
            .filter(|prompt| manner.says(*prompt))
            .map(|prompt| set.get(language, prompt).map(|entry| (prompt, entry.id)))
            .collect()
    }

    /// What callers are promised: the period of the retention class in words, or the words of the
    /// file when they promise no less.
    fn promise(
        &mut self,
        policy: &schema::Policy,
        language: Language,
        keep: Duration,
        place: &str,
    ) -> Option<String> {
        let Some(words) = &policy.retention_spoken else {
            let words = period::spoken(language, keep);
            if words.is_none() {
                let mend = "this period has no simple words; write them as the notice speaks them";
                self.problems.push(Problem::missing(place, "retention_spoken", mend));
            }
            return words;
        };
        if period::heard(language, words).is_none_or(|promised| promised < keep) {
            self.problems.push(Problem::value(
                place,
                "retention_spoken",
                words,
                "callers are promised less than the retention class keeps, or the words are no \
                 period; correct one of the two",
            ));
        }
        Some(words.clone())
    }
}

/// SHA-256 of what the policy says, whatever the order or layout of its keys in the file.
fn hash(policy: &schema::Policy) -> Digest {
    // A struct without maps always serialises, and always in the order of its fields.
    let canonical = serde_json::to_vec(policy).unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, &canonical);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    Digest::from_bytes(bytes)
}
