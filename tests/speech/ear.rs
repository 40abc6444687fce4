//! The recogniser, and what is made of what it writes down.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Stdio},
    thread,
};

use support::node::root;
use tempfile::TempDir;

use crate::{
    calls::Clip,
    phone::Codec,
    words::{Shipped, key_words, missing, shipped},
};

/// Less of a prompt's text than this in what was written down is none of it: what is written of silence has none,
/// and of the shortest question, in the voice that is understood worst, it was 0.32 once.
const LEAST_ALIKE: f64 = 0.25;

/// What was understood of a clip.
pub struct Understood {
    /// Such as `nl`.
    pub language: &'static str,
    /// Such as `notice`.
    pub prompt: &'static str,
    /// In which it came.
    pub codec: Codec,
    /// What the recogniser wrote down.
    pub text: String,
    /// How many key words there are.
    pub words: usize,
    /// Those that it did not write down.
    pub missing: Vec<&'static str>,
    /// How alike it is to the text of the prompt, 0 to 1.
    pub alike: f64,
    /// The prompt of its language whose text is nearest to it.
    pub nearest: &'static str,
}

impl Understood {
    /// What is wrong with it, whatever the voice: it is like no prompt, or more like another one.
    pub fn wrong(&self) -> Option<String> {
        let Self { language, prompt, codec, text, nearest, .. } = self;
        let name = format!("{language} {prompt} in {}: {text:?}", codec.name());
        if self.alike < LEAST_ALIKE {
            return Some(format!("{name} is like nothing, {:.2}", self.alike));
        }
        (nearest != prompt).then(|| format!("{name} is taken for {nearest}"))
    }
}

/// Has the clips written down, by as many recognisers as the machine has cores.
///
/// # Panics
/// The recogniser fails.
pub fn understood(clips: &[Clip]) -> Vec<Understood> {
    // Each has to read its model first: for a handful of clips one is enough.
    let ears = thread::available_parallelism().map_or(1, usize::from).min(1 + clips.len() / 20);
    thread::scope(|scope| {
        let parts = clips.chunks(clips.len().div_ceil(ears).max(1));
        let heard: Vec<_> = parts.map(|part| scope.spawn(move || written(part))).collect();
        heard.into_iter().flat_map(|part| part.join().expect("an ear")).collect()
    })
}

/// Has some of the clips written down, one by one.
fn written(clips: &[Clip]) -> Vec<Understood> {
    let folder = TempDir::new().expect("a temporary folder");
    let mut list = String::new();
    for (number, clip) in clips.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        let parts = clip.payloads.iter().flat_map(|payload| {
            let length = u16::try_from(payload.len()).expect("a packet").to_be_bytes();
            length.into_iter().chain(payload.iter().copied())
        });
        fs::write(&file, parts.collect::<Vec<u8>>()).expect("a clip");
        list += &format!("{} {} {}\n", clip.codec.name(), clip.language, file.display());
    }
    let texts = heard(&list);
    assert_eq!(texts.len(), clips.len(), "{texts:?}");
    clips.iter().zip(texts).map(|(clip, text)| judged(clip, text)).collect()
}

/// What the recogniser writes down of a list of files, a line each.
fn heard(list: &str) -> Vec<String> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let model =
        std::env::var_os("JAWOORD_WHISPER").expect("JAWOORD_WHISPER is the folder of the model");
    let mut child = Command::new(python)
        .arg(root().join("tests/speech/hear.py"))
        .arg(model)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    // The list is shorter than what a pipe holds.
    child.stdin.take().expect("a pipe").write_all(list.as_bytes()).expect("it listens");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn judged(clip: &Clip, text: String) -> Understood {
    let Clip { language, prompt, codec, .. } = clip;
    let keys = key_words(language, prompt);
    let own = shipped(language).iter().find(|one| one.name == *prompt).expect("a prompt");
    let near = |one: &Shipped| (alike(&one.text, &text) * 1e6) as u64;
    let nearest = shipped(language).iter().max_by_key(|one| near(one)).expect("prompts");
    Understood {
        language,
        prompt,
        codec: *codec,
        words: keys.len(),
        missing: missing(&keys, &text),
        alike: alike(&own.text, &text),
        nearest: &nearest.name,
        text,
    }
}

/// How alike two texts are: the share of groups of three letters that both have (Dice), 0 to 1.
fn alike(one: &str, other: &str) -> f64 {
    let groups = |text: &str| -> BTreeSet<[char; 3]> {
        let lower = text.to_lowercase();
        let letters: Vec<char> = lower.chars().filter(|letter| letter.is_alphanumeric()).collect();
        letters.windows(3).map(|three| [three[0], three[1], three[2]]).collect()
    };
    let (one, other) = (groups(one), groups(other));
    let both = one.intersection(&other).count();
    2.0 * both as f64 / (one.len() + other.len()).max(1) as f64
}

#[test]
fn a_prompt_in_the_place_of_another_and_one_that_is_not_heard_are_found() {
    let clip = |prompt: &'static str| Clip {
        language: "nl",
        prompt,
        codec: Codec::Pcma,
        payloads: Vec::new(),
    };
    for language in crate::words::LANGUAGES {
        for Shipped { name, text, .. } in shipped(language) {
            for other in shipped(language) {
                let clip = Clip { language, ..clip(&other.name) };
                let wrong = judged(&clip, text.clone()).wrong();
                assert_eq!(
                    wrong.is_some(),
                    *name != other.name,
                    "{language}: {name} as {}",
                    other.name
                );
            }
            let silence = judged(&Clip { language, ..clip(name) }, String::new()).wrong();
            assert!(silence.is_some(), "{language} {name}");
        }
    }
    let half = judged(&clip("refused"), "prima, we nemen niks op".to_owned());
    assert_eq!((half.missing.as_slice(), half.wrong()), (&["niets"][..], None));
}
