//! What whisper (the multilingual base model) makes of every prompt in calls: law row L09, in that a notice which
//! cannot be understood is none (GDPR Art. 12(1)).

use std::fs;

use support::node::root;

use crate::{
    calls::{Clip, every_notice},
    ear::{Understood, understood},
    phone::Codec,
    words::LANGUAGES,
};

/// How many of a hundred key words may be missing, by `prompts/README.md`: the last cell of the language's row.
fn stated(language: &str) -> f64 {
    let readme = fs::read_to_string(root().join("prompts/README.md")).expect("what is stated");
    let start = format!("| {language} |");
    let row = readme.lines().find(|line| line.starts_with(&start) && line.ends_with(" % |"));
    let cell = row.and_then(|row| row.trim_end_matches(['|', ' ']).rsplit('|').next());
    let number = cell.and_then(|cell| cell.trim().strip_suffix(" %")?.parse().ok());
    number.unwrap_or_else(|| panic!("prompts/README.md states no rate for {language}"))
}

/// The share of key words that are missing, in percent.
fn lost<'a>(all: impl Iterator<Item = &'a Understood>) -> f64 {
    let (missing, words) = all.fold((0, 0), |(m, w), one| (m + one.missing.len(), w + one.words));
    missing as f64 * 100.0 / f64::from(u32::try_from(words).expect("words").max(1))
}

/// What was not understood, clip by clip, and how much of each language in each codec.
fn report(all: &[Understood]) {
    for one in all.iter().filter(|one| !one.missing.is_empty()) {
        let Understood { language, prompt, codec, text, missing, .. } = one;
        println!("{language} {prompt} {} without {}: {text}", codec.name(), missing.join(" "));
    }
    for language in LANGUAGES {
        let of = || all.iter().filter(move |one| one.language == language);
        let by = Codec::ALL.map(|codec| lost(of().filter(|one| one.codec == codec)));
        println!("{language}: {by:.1?} percent are lost, {:.1} in all", lost(of()));
    }
}

fn none_is_wrong(all: &[Understood]) {
    let wrong: Vec<_> = all.iter().filter_map(Understood::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn l_09_the_notice_of_every_language_is_understood_at_the_other_end_of_a_call() {
    let mut clips = every_notice();
    // Nothing is heard where nothing is said, whatever the ear would like to hear.
    let Clip { language, codec, prompt, .. } = clips[0];
    let payloads = vec![vec![0xd5; 160]; 250];
    clips.push(Clip { language, codec, prompt, payloads });
    let mut all = understood(&clips);
    let silence = all.pop().expect("five of them");
    assert!(silence.wrong().is_some(), "heard in silence: {}", silence.text);
    report(&all);
    none_is_wrong(&all);
}

mod long {
    use super::*;
    use crate::{calls::every_prompt, words::shipped};

    #[test]
    fn l_09_every_prompt_is_understood_in_every_codec_as_far_as_the_voice_allows() {
        let all = understood(&every_prompt());
        report(&all);
        none_is_wrong(&all);
        for language in LANGUAGES {
            let of = || all.iter().filter(move |one| one.language == language);
            assert_eq!(of().count(), shipped(language).len() * Codec::ALL.len(), "{language}");
            let (lost, stated) = (lost(of()), stated(language));
            assert!(lost <= stated, "{language}: {lost:.1} % are lost, {stated} % are stated");
        }
    }
}
