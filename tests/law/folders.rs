//! Twenty decisions of every kind, from the machine to the folder: each folder is proved without the node,
//! and every bit that is changed in one is named by its file.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use call::{
    Action, Call, CallId, CallOffer, Consent, Digest, Direction, Evidence, Fact, Input, Key, Line,
    Outcome, Party, Press, Private, Prompt, Raw, Reason, Recording, RecordingId, Time, Transport,
    Verdict, Words,
};
use jawoord::{
    clock::Clock,
    config::judge::Settings,
    kept::Source,
    metrics::Metrics,
    office::{
        archive::{Archive, Opened, Wanted},
        evidence::Subject,
        keeper::KeeperDoor,
    },
};
use ledger::{CallLine, NewCall};
use support::{node::root, scene::ENGLISH};
use tempfile::TempDir;

use crate::bare::verify;

/// What the English line of the lab says of its ground.
const CONSENT: &str = "record = \"ask\"\nground = \"consent\"\npurposes";
const GROUNDS: [&str; 5] = [
    "record = \"ask\"\nground = \"consent\"",
    "record = \"ask\"\nground = \"explicit_consent\"\ndpia_ref = \"DPIA-7\"",
    "record = \"tell\"\nground = \"legitimate_interest\"\nlia_ref = \"LIA-3\"",
    "record = \"tell\"\nground = \"public_task\"\nlaw = \"Gemeentewet\"\nlia_ref = \"LIA-4\"",
    "record = \"tell\"\nground = \"legal_obligation\"\nlaw = \"Wft\"\noutbound = \"join\"",
];
/// Each language with what its shipped prompts say: who, why, how long.
const LANGUAGES: [[&str; 4]; 4] = [
    ["nl", "Voorbeeld BV", "onze service te verbeteren", "dertig dagen"],
    ["en", "Example Limited", "improve our service", "thirty days"],
    ["de", "Beispiel GmbH", "unseren Service zu verbessern", "dreißig Tagen"],
    ["fr", "La société Exemple", "améliorer notre service", "trente jours"],
];

/// What happens in a call, in order.
#[derive(Clone, Copy)]
enum Step {
    /// The prompt that is oldest is heard to its end.
    Hear,
    /// It is cut by what came before, after so many samples.
    Cut(u32),
    Press(char, Transport),
    /// Nothing, until the machine does something by itself.
    Wait,
    /// The called party answers.
    Answered,
    /// The agent wants to ask.
    Ask,
}

/// The calls differ in ground, language, keys, the ways of keys, and when the question comes.
fn steps(number: usize) -> (Vec<Step>, &'static str) {
    use Step::{Answered, Ask, Cut, Hear, Press, Wait};
    use Transport::{Inband, Info, Rfc4733};
    match number {
        0 => (vec![Press('1', Rfc4733), Hear], ""),
        1 => (vec![Hear, Press('7', Info), Cut(800), Hear, Press('1', Info), Cut(160)], ""),
        2 => {
            (vec![Hear, Press('9', Inband), Cut(1_600), Hear, Hear, Press('1', Inband), Cut(8)], "")
        }
        3 => (vec![Answered, Ask, Hear, Press('1', Rfc4733)], "\ninbound = \"agent_asks\""),
        4 => (vec![Hear, Press('1', Rfc4733), Cut(80), Hear, Press('1', Info)], ""),
        5 => (vec![Hear, Hear, Wait, Hear, Press('1', Rfc4733), Hear, Press('1', Rfc4733)], ""),
        6 | 7 => (vec![Hear, Hear, Press('1', Info), Hear, Press('1', Inband)], ""),
        16 | 17 => (vec![Press('5', Inband), Hear], ""),
        _ => (vec![Hear], ""),
    }
}

/// A node's office without a node, and what it kept of twenty calls.
struct Office {
    home: TempDir,
    archive: Arc<Archive>,
    keeper: KeeperDoor,
}

fn settings(home: &Path, ground: &str, language: usize, more: &str) -> Settings {
    // The policy that changes is the one that speaks English; what it replaces stands nowhere else.
    let [_, shipped, ..] = LANGUAGES;
    let lab = fs::read_to_string(root().join("config/lab.toml")).expect("the lab");
    let mut text = lab.replacen(CONSENT, &format!("{ground}{more}\npurposes"), 1);
    let quoted = |word: &str| format!("= \"{word}\"");
    for (shipped, said) in shipped.iter().zip(LANGUAGES[language]) {
        assert!(text.contains(&quoted(shipped)), "{shipped}");
        text = text.replacen(&quoted(shipped), &quoted(said), 1);
    }
    let config = home.join("node.toml");
    fs::write(&config, text).expect("a configuration");
    let source = Source { config, data: Some(home.join("data")) };
    let problems = |problems: Vec<_>| panic!("{ground} {language}: {problems:?}");
    source.settings().unwrap_or_else(problems)
}

fn line(settings: &Settings) -> Arc<Line> {
    let number = Private::new(ENGLISH.to_owned());
    Arc::clone(settings.lines.find(Direction::Inbound, &number).expect("the line"))
}

fn press(key: char, at: Time, transport: Transport) -> Press {
    let raw = match transport {
        Transport::Rfc4733 => Raw::new(&[0x80, 0xe5, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4, 1, 10, 0, 160]),
        Transport::Info => Raw::new(format!("Signal={key}\r\nDuration=160\r\n").as_bytes()),
        Transport::Inband => Raw::NONE,
    };
    let key = Private::new(Key::new(key).expect("a key"));
    Press { key, at, transport, raw: Private::new(raw) }
}

/// Leads a call through its steps to the evidence, and gives the facts that it states on the way.
fn led(settings: &Settings, now: Time, ids: (CallId, RecordingId), steps: &[Step]) -> Led {
    let line = line(settings);
    let Recording::Ask(asking) = &line.policy.recording else { panic!("the line asks nothing") };
    let length = |prompt| {
        let entry = settings.prompts.get(asking.language, prompt).expect("a prompt");
        u32::try_from(entry.samples.len()).expect("a length")
    };
    let offer = CallOffer {
        call: ids.0,
        recording: ids.1,
        direction: Direction::Inbound,
        line: Some(Arc::clone(&line)),
        emergency: false,
        ready: Ok(()),
        target_up: true,
        early: None,
        aside: None,
    };
    let mut led = Led {
        call: Call::new(now, offer),
        now,
        plays: VecDeque::new(),
        facts: Vec::new(),
        evidence: None,
    };
    led.poll();
    led.tell(Input::Confirmed);
    for step in steps {
        match *step {
            Step::Press(key, by) => {
                led.tell(Input::Digit(Party::Customer, press(key, led.now, by)));
            }
            Step::Hear => {
                let prompt = led.plays.pop_front().expect("nothing plays");
                let samples = length(prompt);
                led.pass(Duration::from_millis(u64::from(samples) / 8));
                led.tell(Input::PromptEnded { prompt, samples, whole: true });
            }
            Step::Cut(samples) => {
                let prompt = led.plays.pop_front().expect("nothing plays");
                led.tell(Input::PromptEnded { prompt, samples, whole: false });
            }
            Step::Wait => {
                let at = led.call.poll_timeout().expect("a deadline");
                led.pass(at.since(led.now));
            }
            Step::Answered => led.tell(Input::Answered),
            Step::Ask => led.tell(Input::Ask),
        }
    }
    led
}

fn new_call(call: CallId, line: &Line) -> NewCall {
    NewCall {
        call,
        direction: Direction::Inbound,
        line: Some(CallLine {
            tenant: line.tenant.clone(),
            line: line.id.clone(),
            policy: line.policy.id.clone(),
            policy_version: line.policy.version,
            policy_hash: line.policy.hash,
        }),
    }
}

/// A call on its way.
struct Led {
    call: Call,
    now: Time,
    plays: VecDeque<Prompt>,
    facts: Vec<Fact>,
    evidence: Option<Box<Evidence>>,
}

impl Led {
    fn tell(&mut self, input: Input) {
        self.call.handle(self.now, input);
        self.poll();
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.call.poll_timeout().filter(|at| *at <= until) {
            self.now = at;
            self.call.handle_timeout(at);
            self.poll();
        }
        self.now = until;
    }

    fn poll(&mut self) {
        while let Some(action) = self.call.poll_action() {
            match action {
                Action::Play(prompt) | Action::Announce(prompt) => self.plays.push_back(prompt),
                Action::Audit(fact) => self.facts.push(fact),
                Action::Commit(evidence) => self.evidence = Some(evidence),
                // Of these calls none has had a recording before.
                Action::Prepare => {
                    let another = RecordingId::from_bytes([0xa7; 16]);
                    self.call.handle(self.now, Input::Prepared(Ok(another)));
                }
                _ => {}
            }
        }
    }
}

impl Office {
    async fn open() -> Self {
        let home = TempDir::new().expect("a folder");
        let settings = settings(home.path(), GROUNDS[0], 0, "");
        let opened = Archive::open(&settings, Clock::start()).await.expect("an archive");
        let Opened { archive, writer, .. } = opened;
        tokio::spawn(writer.run());
        let (configuration, version) = (Digest::from_bytes([1; 32]), "0.1.0");
        archive.fact(Fact::NodeStarted { configuration, version }).await;
        let metrics = Metrics::new().expect("metrics");
        let keeper = KeeperDoor::start(Arc::clone(&archive), Vec::new(), metrics);
        Self { home, archive, keeper }
    }

    /// Leads a call and writes the folder about it.
    async fn folder(&self, number: usize) -> PathBuf {
        let byte = u8::try_from(number).expect("a small number") + 1;
        let ids = (CallId::from_bytes([byte; 16]), RecordingId::from_bytes([byte ^ 0x80; 16]));
        let (steps, more) = steps(number);
        let (ground, language) = (GROUNDS[number / 4], number % 4);
        let settings = settings(self.home.path(), ground, language, more);
        self.archive.shelf.keep(&settings);
        // The prompts are heard in a time that has passed already.
        let began = self.archive.clock.now() - Duration::from_secs(180);
        let refuses = number == 12;
        let steps = if refuses { vec![Step::Press('*', Transport::Info)] } else { steps };
        let led = led(&settings, began, ids, &steps);
        let line = line(&settings);
        self.archive
            .ledger
            .open_call(began, new_call(ids.0, &line), led.facts)
            .await
            .expect("a row");
        let words = |consent, verdict| Words { consent, outcome: Outcome::Bridged, verdict };
        let words = match led.evidence {
            Some(evidence) => {
                assert!(!refuses, "call {number} was objected to");
                let Recording::Ask(asking) = &line.policy.recording else { panic!("it asks") };
                let retention = asking.retention.clone();
                let customer =
                    (number != 2).then(|| Private::new(format!("+316123456{number:02}")));
                let direction = Direction::Inbound;
                let wanted = Wanted { evidence, retention, direction, customer };
                self.archive.commit(wanted).await.expect("a commit");
                words(Consent::Granted, Verdict::Recorded)
            }
            None => {
                assert!(refuses, "call {number} came to no decision");
                words(Consent::NotAsked, Verdict::Refused)
            }
        };
        // Every sixth call is one whose customer takes it back.
        let withdrawn = number % 6 == 5;
        if withdrawn {
            self.keeper.delete(ids.1, Reason::Withdrawal).await.expect("a deletion");
        }
        let Words { consent, outcome, verdict } = words;
        let ended = vec![Fact::CallEnded { call: ids.0, consent, outcome, verdict }];
        let now = self.archive.clock.now();
        self.archive
            .ledger
            .close_call(now, ids.0, words, Vec::new(), ended)
            .await
            .expect("its words");
        let folder = self.home.path().join(format!("folder-{number:02}"));
        let subject = if refuses { Subject::Call(ids.0) } else { Subject::Recording(ids.1) };
        let told = self.archive.evidence(subject, &folder).await.expect("a folder");
        assert_eq!(told["prompts_missing"], 0, "call {number}: {told}");
        assert_eq!(told["evidence"].is_null(), refuses || withdrawn, "call {number}: {told}");
        folder
    }

    fn trust(&self) -> PathBuf {
        self.home.path().join("data/trust")
    }
}

/// The folders of the first of twenty calls, and the office that they came from.
fn made(count: usize) -> (Office, Vec<PathBuf>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let office = Office::open().await;
        let mut folders = Vec::new();
        for number in 0..count {
            folders.push(office.folder(number).await);
        }
        (office, folders)
    })
}

/// The names of a folder's files, in order.
fn files(folder: &Path, below: &str) -> Vec<String> {
    let mut names = Vec::new();
    for item in fs::read_dir(folder.join(below)).expect("a folder").flatten() {
        let name = format!("{below}{}", item.file_name().to_string_lossy());
        if item.path().is_dir() {
            names.extend(files(folder, &format!("{name}/")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a name")
}

#[test]
fn l_07_each_of_200_changed_bits_in_the_folders_of_twenty_calls_is_found_and_named_by_its_file() {
    let (office, folders) = made(20);
    let trust = office.trust();
    let prove = |folder: &Path| verify(&["--trust", text(&trust), "evidence", text(folder)]);
    for folder in &folders {
        let (code, said) = prove(folder);
        assert_eq!(code, Some(0), "{}: {said}", folder.display());
        let (code, said) = verify(&["evidence", text(folder)]);
        assert!(code == Some(1) && said.contains("signer unknown"), "whose key it is: {said}");
    }
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let (mut number, mut touched) = (0, std::collections::BTreeMap::new());
    while number < 200 {
        let folder = &folders[number % folders.len()];
        let names = files(folder, "");
        let name = &names[(number / folders.len()) % names.len()];
        let path = folder.join(name);
        let whole = fs::read(&path).expect("a file");
        // xorshift64
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let bit = usize::try_from(chance >> 1).expect("64 bits") % (whole.len() * 8);
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, changed).expect("a file");
        let (code, said) = prove(folder);
        let named = said.lines().any(|line| line.starts_with(&format!("{name}: ")));
        assert!(code == Some(1) && named, "bit {bit} of {name}: {code:?} {said}");
        fs::write(&path, whole).expect("a file");
        *touched.entry(name.clone()).or_insert(0) += 1;
        number += 1;
    }
    assert!(touched.len() > 10, "only {touched:?}");
    for folder in &folders {
        assert_eq!(prove(folder).0, Some(0), "a bit stayed changed");
    }
}

#[test]
fn l_07_a_file_that_is_added_taken_away_or_exchanged_is_named_and_so_is_another_key() {
    let (office, folders) = made(2);
    let trust = office.trust();
    let prove = |folder: &Path| verify(&["--trust", text(&trust), "evidence", text(folder)]);
    let (one, other) = (&folders[0], &folders[1]);
    let finds = |file: &str, what: &str| {
        let (code, said) = prove(one);
        let line = said.lines().find(|line| line.starts_with(&format!("{file}: ")));
        assert!(code == Some(1) && line.is_some_and(|line| line.contains(what)), "{file}: {said}");
    };
    fs::write(one.join("note.txt"), "mine").expect("a file");
    finds("note.txt", "the signed list of files does not have it");
    fs::remove_file(one.join("note.txt")).expect("a file");
    let evidence = fs::read(one.join("evidence.txt")).expect("the evidence");
    fs::remove_file(one.join("evidence.txt")).expect("a file");
    finds("evidence.txt", "it is not here");
    fs::copy(other.join("evidence.txt"), one.join("evidence.txt")).expect("a file");
    finds("evidence.txt", "not those that were signed");
    fs::write(one.join("evidence.txt"), evidence).expect("a file");
    assert_eq!(prove(one).0, Some(0));
    let stranger = office.home.path().join("stranger");
    fs::write(&stranger, format!("jawoord-ed25519 {}\n", "ab".repeat(32))).expect("a key");
    let (code, said) = verify(&["--trust", text(&stranger), "evidence", text(one)]);
    assert!(code == Some(1) && said.contains("another key than the trusted one"), "{said}");
}

mod privileged {
    use super::*;
    use crate::bare::Bare;

    #[test]
    fn l_07_the_folders_of_twenty_varied_calls_are_proved_in_a_root_that_holds_nothing_else() {
        let (office, folders) = made(20);
        let bare = Bare::new();
        bare.put(&office.trust(), "key");
        for folder in &folders {
            bare.put(folder, "folder");
            let (code, said) = bare.verify(&["--trust", "/key", "evidence", "/folder"]);
            assert_eq!(code, Some(0), "{}: {said}", folder.display());
            bare.take("folder");
        }
    }
}
