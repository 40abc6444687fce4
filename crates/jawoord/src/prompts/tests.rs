//! The prompts as they are shipped, damaged, changed, imported and built.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use call::{Key, Keys, Language, Manner, Prompt};

use super::{
    build::{self, Made},
    check::{Fault, Finding, LineValues, agrees, check},
    folder::{self, Folder},
    import::{ImportError, Recording, import},
    manifest::Row,
    period,
    set::{Entry, PromptError, PromptSet},
    slot::{self, Slot, Values},
    studio, wave,
};

/// A folder that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jawoord-prompts-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// The shipped prompts of a language, to be spoiled.
    fn with(language: &str) -> Self {
        let scratch = Self::new();
        Folder::open(&scratch.0, self::language(language)).unwrap();
        scratch
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(self.file(name), text.replace(from, to)).unwrap();
    }

    /// Puts other sound in place of a prompt, with its right hash.
    fn put_sound(&self, language: &str, prompt: Prompt, samples: &[i16]) {
        let mut folder = Folder::open(&self.0, self::language(language)).unwrap();
        let sound = wave::encode(samples).unwrap();
        let row = Row {
            sha256: wave::digest(&sound),
            samples: samples.len(),
            ..folder.manifest.row(prompt).unwrap().clone()
        };
        folder.put(prompt, &sound, row).unwrap();
        folder.close().unwrap();
    }

    fn findings(&self) -> Vec<Finding> {
        check(&PromptSet::load(&self.0).unwrap())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn language(name: &str) -> Language {
    Language::new(name).unwrap()
}

fn shipped() -> PromptSet {
    PromptSet::embedded().unwrap()
}

fn entry<'a>(set: &'a PromptSet, name: &str, prompt: Prompt) -> &'a Entry {
    set.get(language(name), prompt).unwrap()
}

fn milliseconds(entry: &Entry) -> usize {
    entry.samples.len() / 8
}

/// What the example office's policy says.
fn example<'a>(set: &'a PromptSet, name: &str, retention: &'a str) -> LineValues<'a> {
    let notice = &entry(set, name, Prompt::Notice).spoken;
    let key = |character| Key::new(character).unwrap();
    LineValues {
        controller: &notice[&Slot::Controller],
        purpose: &notice[&Slot::Purpose],
        retention,
        country: None,
        keys: Keys { grant: key('1'), refuse: key('2'), withdraw: key('*'), info: key('9') },
        manner: Manner::Asked,
    }
}

/// A sine of −6 dBov.
fn tone(hz: f64, rate: f64, seconds: f64) -> Vec<i16> {
    let sample = |n| (16_384.0 * (std::f64::consts::TAU * hz * f64::from(n) / rate).sin()) as i16;
    (0..(rate * seconds) as u32).map(sample).collect()
}

#[test]
fn the_shipped_prompts_load_and_nothing_is_wrong_with_them() {
    let set = shipped();
    let languages: Vec<_> = set.languages().map(|language| language.to_string()).collect();
    assert_eq!(languages, ["nl", "en", "de", "fr"]);
    for language in set.languages() {
        assert_eq!(set.entries(language).count(), Prompt::ALL.len());
        assert!(set.placeholders(language).eq(Prompt::ALL), "synthetic voices are stand-ins");
    }
    assert_eq!(check(&set), []);
}

#[test]
fn the_question_is_asked_within_fourteen_seconds_and_both_answers_sound_alike() {
    let set = shipped();
    for name in ["nl", "en", "de", "fr"] {
        let length = |prompt| milliseconds(entry(&set, name, prompt));
        assert!(length(Prompt::Notice) + length(Prompt::Question) < 14_000, "{name}");
        let (granted, refused) = (length(Prompt::Granted), length(Prompt::Refused));
        assert!(granted <= 2_500 && refused <= 2_500, "{name}: {granted} {refused}");
        assert!(granted.abs_diff(refused) <= 500, "{name}: {granted} {refused}");
    }
}

#[test]
fn the_caller_hears_these_words() {
    let set = shipped();
    let text = |name, prompt| &*entry(&set, name, prompt).text;
    assert_eq!(
        text("nl", Prompt::Notice),
        "Voorbeeld BV wil dit gesprek opnemen om onze service te verbeteren. We wissen het na \
         dertig dagen; stoppen kan met sterretje."
    );
    assert_eq!(text("nl", Prompt::Question), "Toets één voor ja, twee voor nee.");
    assert_eq!(text("nl", Prompt::WrongKey), "Die toets ken ik niet. Eén is ja, twee is nee.");
    assert_eq!(
        text("en", Prompt::Notice),
        "Example Limited would like to record this call to improve our service. We delete it \
         after thirty days. Press star to stop recording."
    );
    assert_eq!(
        text("en", Prompt::Reask),
        "We only record if you agree. Press one for yes, two for no, nine for details."
    );
}

#[test]
fn a_copy_on_disk_is_the_same_set_and_one_flipped_bit_is_named() {
    let scratch = Scratch::with("nl");
    let set = PromptSet::load(&scratch.0).unwrap();
    assert!(set.entries(language("nl")).eq(shipped().entries(language("nl"))));
    assert_eq!(set.languages().count(), 1);

    let sound = scratch.file("nl/question.wav");
    let mut bytes = fs::read(&sound).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&sound, bytes).unwrap();
    let fault = PromptSet::load(&scratch.0).unwrap_err();
    assert!(
        matches!(fault, PromptError::Damaged { prompt: Prompt::Question, language } if language == self::language("nl")),
        "{fault}"
    );
    assert!(fault.to_string().starts_with("nl/question.wav is not the sound"), "{fault}");
}

#[test]
fn everything_that_is_missing_is_listed_at_once() {
    let scratch = Scratch::with("de");
    fs::remove_file(scratch.file("de/info.wav")).unwrap();
    fs::remove_file(scratch.file("de/granted.txt")).unwrap();
    fs::create_dir(scratch.file("german")).unwrap();
    fs::create_dir(scratch.file("fr")).unwrap();
    let (set, faults) = PromptSet::inspect(&scratch.0).unwrap();
    assert_eq!(set.entries(language("de")).count(), Prompt::ALL.len() - 2);
    let named: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(named.len(), 4, "{named:?}");
    for part in ["de/granted.wav or .txt", "de/info.wav or .txt", "german is not", "manifest.toml"]
    {
        assert!(named.iter().any(|fault| fault.contains(part)), "{part}: {named:?}");
    }
    assert!(matches!(PromptSet::load(&Scratch::new().0), Err(PromptError::Empty(_))));
}

#[test]
fn a_manifest_that_says_too_much_or_too_little_is_refused_by_line() {
    for (from, to, said) in [
        ("format = 1", "format = 2", "reads format 1"),
        ("[prompt.notice]", "[prompt.notice]\nvolume = 3", "unknown field `volume`"),
        ("[prompt.info", "[prompt.inform", "use one of notice, question"),
        ("grant_key = \"1\"", "grant_key = \"one\"", "grant_key is not a telephone key"),
        ("controller = \"Example Limited\"", "controller = \" \"", "controller is empty"),
    ] {
        let scratch = Scratch::with("en");
        scratch.edit("en/manifest.toml", from, to);
        let fault = PromptSet::load(&scratch.0).unwrap_err().to_string();
        assert!(fault.contains(said) && fault.contains("line "), "{fault}");
    }
}

#[test]
fn a_sound_in_another_form_than_the_telephone_s_is_refused() {
    let scratch = Scratch::with("en");
    let sound = fs::read(scratch.file("en/notice.wav")).unwrap();
    let wide = fs::read(studio_file(&scratch.0)).unwrap();
    fs::write(scratch.file("en/notice.wav"), &wide).unwrap();
    let digest = |bytes: &[u8]| wave::digest(bytes).to_string();
    scratch.edit("en/manifest.toml", &digest(&sound), &digest(&wide));
    let fault = PromptSet::load(&scratch.0).unwrap_err().to_string();
    assert!(fault.contains("en/notice.wav cannot be played: it has 44100 samples"), "{fault}");
}

#[test]
fn l_09_a_notice_without_one_of_its_four_elements_is_named() {
    for slot in [Slot::Controller, Slot::Purpose, Slot::Retention, Slot::WithdrawKey] {
        let scratch = Scratch::with("nl");
        scratch.edit("nl/notice.txt", &format!("{{{slot}}}"), "iets");
        let mut folder = Folder::open(&scratch.0, language("nl")).unwrap();
        let mut row = folder.manifest.row(Prompt::Notice).unwrap().clone();
        let template = folder.template(Prompt::Notice).unwrap();
        row.text = slot::render(&template, language("nl"), &row.spoken).unwrap().0;
        let still_listed = row.clone();
        row.spoken.remove(&slot);
        let sound = fs::read(scratch.file("nl/notice.wav")).unwrap();
        folder.put(Prompt::Notice, &sound, row).unwrap();
        folder.close().unwrap();
        let named = |fault| Finding { language: language("nl"), prompt: Prompt::Notice, fault };
        assert_eq!(scratch.findings(), [named(Fault::NotNamed(slot))]);

        let mut folder = Folder::open(&scratch.0, language("nl")).unwrap();
        folder.put(Prompt::Notice, &sound, still_listed).unwrap();
        folder.close().unwrap();
        assert_eq!(scratch.findings(), [named(Fault::NotSpoken(slot))]);
    }
}

#[test]
fn l_09_a_text_that_was_changed_after_its_sound_was_made_is_named() {
    let scratch = Scratch::with("fr");
    scratch.edit("fr/refused.txt", "Très bien", "Dommage");
    let findings = scratch.findings();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].prompt, &findings[0].fault), (Prompt::Refused, &Fault::TextChanged));
}

#[test]
fn l_15_an_explanation_that_does_not_say_where_is_named() {
    let scratch = Scratch::with("en");
    scratch.edit("en/manifest.toml", "in the Netherlands. Only", "with us. Only");
    scratch.edit("en/info.txt", "in {country}", "with us");
    scratch.edit("en/obligation_info.txt", "in {country}", "with us");
    let faults: Vec<_> = scratch.findings().into_iter().map(|finding| finding.fault).collect();
    assert_eq!(faults, [Fault::NotSpoken(Slot::Country), Fault::NotSpoken(Slot::Country)]);
}

#[test]
fn sound_that_is_soft_loud_late_long_or_not_there_is_named() {
    let scratch = Scratch::with("en");
    let faint = |by: i16| tone(700.0, 8_000.0, 1.0).iter().map(|s| s / by).collect::<Vec<_>>();
    let late = [vec![0; 1_600], faint(3), vec![0; 1_600]].concat();
    let long = [faint(3), faint(3), faint(3)].concat();
    let mut clipping = faint(3);
    clipping[100] = i16::MAX;
    scratch.put_sound("en", Prompt::Reask, &faint(20));
    scratch.put_sound("en", Prompt::WrongKey, &clipping);
    scratch.put_sound("en", Prompt::NotGiven, &late);
    scratch.put_sound("en", Prompt::Granted, &long);
    scratch.put_sound("en", Prompt::Withdrawn, &vec![0; 8_000]);
    scratch.put_sound("en", Prompt::Notice, &faint(3).repeat(13));
    let named: Vec<_> = scratch.findings().iter().map(ToString::to_string).collect();
    let expected = [
        "en/reask: its speech is at -35.1 dBov",
        "en/wrong_key: its peak is at -0.0 dBov",
        "en/granted: it takes 3000 ms, 500 more than the 2500 allowed",
        "en/not_given: it begins with 200 ms of silence",
        "en/not_given: it ends with 200 ms of silence",
        "en/withdrawn: nothing can be heard",
        "en/notice: it takes 15145 ms, 1145 more than the 14000 allowed",
        "en/refused: it is 1096 ms longer or shorter",
    ];
    assert_eq!(named.len(), expected.len(), "{named:#?}");
    for (found, expected) in named.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn the_example_policy_agrees_with_what_every_language_says() {
    let set = shipped();
    for name in ["nl", "en", "de", "fr"] {
        let month = Duration::from_secs(30 * 86_400);
        let retention = period::spoken(language(name), month).unwrap();
        assert_eq!(agrees(&set, language(name), &example(&set, name, &retention)), []);
    }
}

#[test]
fn a_policy_that_keeps_longer_than_the_sound_says_is_named_with_both() {
    let set = shipped();
    let findings = agrees(&set, language("nl"), &example(&set, "nl", "negentig dagen"));
    let named: Vec<_> = findings.iter().map(|finding| finding.prompt).collect();
    assert_eq!(named, [Prompt::Notice, Prompt::AgentAsk], "both promise a period");
    assert_eq!(
        findings[0].to_string(),
        "nl/notice: the policy says retention = \"negentig dagen\", the sound says \"dertig \
         dagen\"; change the policy, or record the prompt again"
    );
}

#[test]
fn a_policy_with_other_keys_purpose_or_country_is_named_wherever_they_are_spoken() {
    let set = shipped();
    let mut line = example(&set, "en", "thirty days");
    line.keys.grant = Key::new('5').unwrap();
    line.keys.withdraw = Key::new('#').unwrap();
    line.purpose = "train our staff";
    line.country = Some("Germany");
    let differs: Vec<_> = agrees(&set, language("en"), &line)
        .into_iter()
        .map(|finding| match finding.fault {
            Fault::Differs { slot, policy, sound } => (finding.prompt, slot, policy, sound),
            other => panic!("{other}"),
        })
        .collect();
    let differ =
        |prompt, slot, policy: &str, sound: &str| (prompt, slot, policy.into(), sound.into());
    assert_eq!(
        differs,
        [
            differ(Prompt::Notice, Slot::Purpose, "train our staff", "improve our service"),
            differ(Prompt::Notice, Slot::WithdrawKey, "#", "*"),
            differ(Prompt::Question, Slot::GrantKey, "5", "1"),
            differ(Prompt::Reask, Slot::GrantKey, "5", "1"),
            differ(Prompt::WrongKey, Slot::GrantKey, "5", "1"),
            differ(Prompt::Info, Slot::Country, "Germany", "the Netherlands"),
            differ(Prompt::AgentAsk, Slot::Purpose, "train our staff", "improve our service"),
            differ(Prompt::AgentAsk, Slot::GrantKey, "5", "1"),
            differ(Prompt::AgentAsk, Slot::WithdrawKey, "#", "*"),
            differ(Prompt::Resume, Slot::GrantKey, "5", "1"),
        ]
    );
}

#[test]
fn a_language_that_is_not_there_agrees_with_nothing() {
    let set = shipped();
    let findings = agrees(&set, language("pl"), &example(&set, "nl", "dertig dagen"));
    let said = Prompt::ALL.into_iter().filter(|prompt| Manner::Asked.says(*prompt));
    assert_eq!(findings.len(), said.count());
    assert!(findings.iter().all(|finding| finding.fault == Fault::Absent));
}

/// A 1,000 Hz tone as a studio delivers it: 44,100 Hz, two channels, silence around it.
fn studio_file(folder: &Path) -> PathBuf {
    let path = folder.join("take 3.wav");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    let silence = vec![0; 22_050];
    for sample in [silence.clone(), tone(1_000.0, 44_100.0, 2.0), silence].concat() {
        writer.write_sample(i32::from(sample) * 256).unwrap();
        writer.write_sample(i32::from(sample) * 64).unwrap();
    }
    writer.finalize().unwrap();
    path
}

fn recording<'a>(file: &'a Path, prompt: Prompt, text: &'a str) -> Recording<'a> {
    Recording {
        language: language("nl"),
        prompt,
        file,
        text,
        said: Values::new(),
        voice: "a speaker",
        licence: "bought out",
    }
}

#[test]
fn a_studio_recording_becomes_a_prompt_of_the_same_pitch_at_the_right_level() {
    let scratch = Scratch::with("nl");
    let take = studio_file(&scratch.0);
    let text = "Toets {grant_key} voor ja of {refuse_key} voor nee.";
    let id = import(&scratch.0, &recording(&take, Prompt::Question, text)).unwrap();
    let set = PromptSet::load(&scratch.0).unwrap();
    let question = entry(&set, "nl", Prompt::Question);
    assert_eq!((question.id, question.id.version), (id, 2));
    assert_eq!(&*question.text, "Toets één voor ja of twee voor nee.");
    assert!(!question.placeholder);
    assert_eq!(set.placeholders(language("nl")).count(), Prompt::ALL.len() - 1);
    assert_eq!(check(&set), []);

    assert!((2_000..=2_080).contains(&milliseconds(question)), "{}", milliseconds(question));
    let speech = &question.samples[800..16_000];
    let rises = speech.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    assert!(rises.abs_diff(speech.len() / 8) <= 1, "{rises} periods");
    let level = studio::level(&question.samples).unwrap();
    assert!((level.speech_dbov + 20.0).abs() < 0.5, "{level:?}");

    let same = import(&scratch.0, &recording(&take, Prompt::Question, text)).unwrap();
    assert_eq!(same, id, "the same recording with the same words is the same version");
    let reworded = "Toets één voor ja, toets twee voor nee.";
    let reworded = import(&scratch.0, &recording(&take, Prompt::Question, reworded)).unwrap();
    assert_eq!((reworded.version, reworded.sha256), (3, id.sha256));
}

#[test]
fn l_09_a_recording_whose_words_leave_out_an_element_is_not_taken_in() {
    let scratch = Scratch::with("nl");
    let take = studio_file(&scratch.0);
    let before = PromptSet::load(&scratch.0).unwrap();
    let sixty = "Voorbeeld BV wil dit gesprek opnemen om onze service te verbeteren. We wissen het \
                 na zestig dagen; stoppen kan met sterretje.";
    let mut notice = recording(&take, Prompt::Notice, sixty);
    let refused = import(&scratch.0, &notice).unwrap_err();
    assert!(matches!(refused, ImportError::NotNamed(Slot::Retention)), "{refused}");
    assert_eq!(PromptSet::load(&scratch.0).unwrap(), before, "nothing has changed");

    notice.said.insert(Slot::Retention, "zestig dagen".into());
    import(&scratch.0, &notice).unwrap();
    let set = PromptSet::load(&scratch.0).unwrap();
    assert_eq!(&*entry(&set, "nl", Prompt::Notice).spoken[&Slot::Retention], "zestig dagen");
    // The prompt that the agent begins promises a period of its own, and has yet to be recorded.
    let findings = agrees(&set, language("nl"), &example(&set, "nl", "zestig dagen"));
    assert_eq!(findings.iter().map(|found| found.prompt).collect::<Vec<_>>(), [Prompt::AgentAsk]);
}

#[test]
fn a_recording_without_sound_or_form_is_not_taken_in() {
    let scratch = Scratch::with("nl");
    let file = scratch.file("take.wav");
    let attempt = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        import(&scratch.0, &recording(&file, Prompt::Granted, "Dank u.")).unwrap_err()
    };
    assert!(matches!(attempt(b"ID3 is no WAV"), ImportError::Wave(_)));
    assert!(matches!(attempt(&wave::encode(&[0; 8_000]).unwrap()), ImportError::Silent));
    let endless = wave::encode(&tone(440.0, 8_000.0, 120.5)).unwrap();
    assert!(matches!(attempt(&endless), ImportError::TooLong));
    let gone = import(&scratch.0, &recording(Path::new("gone.wav"), Prompt::Granted, "Dank u."));
    assert!(matches!(gone, Err(ImportError::File { .. })));
}

#[test]
fn a_folder_without_languages_begins_with_the_shipped_ones() {
    let scratch = Scratch::new();
    let languages =
        folder::languages(&scratch.0).iter().map(Language::to_string).collect::<Vec<_>>();
    assert_eq!(languages, ["de", "en", "fr", "nl"]);
    Folder::open(&scratch.0, language("fr")).unwrap();
    assert_eq!(folder::languages(&scratch.0), [language("fr")]);
    let unknown = Folder::open(&scratch.0, language("pl"));
    assert!(matches!(unknown, Err(PromptError::File { .. })));
}

/// With the real program; `tests/run` leaves this room out where it cannot be installed.
mod espeak {
    use super::*;

    #[test]
    fn placeholder_voices_are_built_anew_from_changed_values_and_spare_the_studio() {
        let scratch = Scratch::with("en");
        let take = studio_file(&scratch.0);
        let studio = Recording {
            language: language("en"),
            ..recording(&take, Prompt::Granted, "Thank you. We will record.")
        };
        import(&scratch.0, &studio).unwrap();
        // The shipped voice is MBROLA's, which is no free software; this one comes with espeak-ng.
        scratch.edit("en/manifest.toml", "voice = \"mb-en1\"", "voice = \"en\"");
        scratch.edit("en/manifest.toml", "retention = \"thirty days\"", "retention = \"one year\"");
        let made = build::build(&scratch.0, Some(language("en"))).unwrap();
        let of = |wanted| made.iter().find(|(_, prompt, _)| *prompt == wanted).unwrap().2;
        assert_eq!(made.len(), Prompt::ALL.len());
        assert_eq!(of(Prompt::Granted), Made::Kept(2));
        assert_eq!(of(Prompt::Notice), Made::Anew(2));

        let set = PromptSet::load(&scratch.0).unwrap();
        assert_eq!(check(&set), []);
        assert_eq!(agrees(&set, language("en"), &example(&set, "en", "one year")), []);
        let again = build::build(&scratch.0, None).unwrap();
        assert!(again.iter().all(|(_, _, how)| !matches!(how, Made::Anew(_))), "{again:?}");
        let left = fs::read_dir(scratch.file("en")).unwrap().count();
        assert_eq!(left, 2 * Prompt::ALL.len() + 1, "no intermediate is left behind");
    }

    #[test]
    fn a_folder_that_lacks_a_text_begins_with_the_shipped_one() {
        let scratch = Scratch::with("en");
        scratch.edit("en/manifest.toml", "voice = \"mb-en1\"", "voice = \"en\"");
        fs::remove_file(scratch.file("en/resume.txt")).unwrap();
        fs::remove_file(scratch.file("en/resume.wav")).unwrap();
        build::build(&scratch.0, None).unwrap();
        let set = PromptSet::load(&scratch.0).unwrap();
        assert!(set.get(language("en"), Prompt::Resume).is_some());
        assert_eq!(check(&set), []);
    }

    #[test]
    fn l_54_the_folder_of_the_investment_firm_speaks_of_five_years() {
        let scratch = Scratch::with("nl");
        let shipped = include_str!("../../../../config/policies/nl-mifid/nl/manifest.toml");
        fs::remove_dir_all(scratch.file("nl")).unwrap();
        fs::create_dir(scratch.file("nl")).unwrap();
        let manifest = shipped.replace("voice = \"mb-nl2\"", "voice = \"nl\"");
        fs::write(scratch.file("nl/manifest.toml"), manifest).unwrap();
        build::build(&scratch.0, None).unwrap();
        let set = PromptSet::load(&scratch.0).unwrap();
        let notice = set.get(language("nl"), Prompt::LegalObligation).unwrap();
        assert!(notice.text.contains("We bewaren het vijf jaar."), "{}", notice.text);
    }

    #[test]
    fn a_voice_that_is_not_installed_is_named_with_its_mend() {
        let scratch = Scratch::with("en");
        scratch.edit("en/manifest.toml", "voice = \"mb-en1\"", "voice = \"mb-none\"");
        let fault = build::build(&scratch.0, Some(language("en"))).unwrap_err();
        assert!(
            matches!(
                fault,
                build::BuildError::Speech { prompt: Prompt::Notice, code: Some(_), .. }
            ),
            "{fault}"
        );
    }
}

#[test]
fn l_09_what_only_other_grounds_say_is_asked_for_where_they_are_chosen() {
    let scratch = Scratch::with("en");
    for name in ["explicit", "legitimate_interest", "legal_obligation", "obligation_info"] {
        for extension in ["wav", "txt"] {
            fs::remove_file(scratch.file("en").join(name).with_extension(extension)).unwrap();
        }
    }
    let manifest = fs::read_to_string(scratch.file("en/manifest.toml")).unwrap();
    let (before, others) = manifest.split_once("[prompt.explicit]").unwrap();
    let (_, after) = others.split_once("[prompt.resume]").unwrap();
    let kept = format!("{before}[prompt.resume]{after}");
    fs::write(scratch.file("en/manifest.toml"), kept).unwrap();
    let set = PromptSet::load(&scratch.0).expect("a folder of before");
    assert_eq!(check(&set), []);
    let absent = |manner| {
        let line = LineValues { manner, ..example(&set, "en", "thirty days") };
        let found = agrees(&set, language("en"), &line).into_iter();
        found.map(|found| (found.prompt, found.fault)).collect::<Vec<_>>()
    };
    assert_eq!(absent(Manner::Asked), []);
    assert_eq!(absent(Manner::AskedTwice), [(Prompt::Explicit, Fault::Absent)]);
    assert_eq!(absent(Manner::Opposing), [(Prompt::LegitimateInterest, Fault::Absent)]);
    let told = [Prompt::LegalObligation, Prompt::ObligationInfo].map(|one| (one, Fault::Absent));
    assert_eq!(absent(Manner::Told), told);
}
