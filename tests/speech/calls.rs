//! The calls in which every prompt is played, and the clips of each that came out at the phone.

use std::{
    sync::Mutex,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use support::{
    exchange::{
        Exchange, History, Manner,
        message::{header, user_of},
    },
    node::{Change, Node},
    peer::voice::Packet,
    scene::seconds,
};

use crate::{
    phone::{Act, Call, Codec, call},
    words::{LANGUAGES, length_ms},
};

/// What the lab speaks, and the first of its lines.
const CODECS: &str = "codecs = [\"pcma\", \"pcmu\", \"g722\"]";
const LINE: &str = "[[line]]\nid = \"sales-nl\"";
/// How long a question waits.
const PATIENCE_MS: u64 = 1_500;
/// From a prompt to what is done after it, and how long the PBX takes to answer.
const A_WHILE_MS: u64 = 300;
/// Sound may come so much later than the node's ladder says.
const LATE_MS: u64 = 60;

/// The policies of each language: what they are called in ids, and their lines.
const POLICIES: [(&str, &str); 5] = [
    ("asks", "record = \"ask\"\nground = \"consent\""),
    ("twice", "record = \"ask\"\nground = \"explicit_consent\"\ndpia_ref = \"DPIA-7\""),
    ("objects", "record = \"tell\"\nground = \"legitimate_interest\"\nlia_ref = \"LIA-3\""),
    (
        "told",
        "record = \"tell\"\nground = \"legal_obligation\"\nlaw = \"Wft\"\noutbound = \"join\"",
    ),
    ("later", "record = \"ask\"\nground = \"consent\"\ninbound = \"agent_asks\""),
];
/// What the shipped prompts of each language say: who, why, how long.
const SLOTS: [[&str; 3]; 4] = [
    ["Voorbeeld BV", "onze service te verbeteren", "dertig dagen"],
    ["Example Limited", "improve our service", "thirty days"],
    ["Beispiel GmbH", "unseren Service zu verbessern", "dreißig Tagen"],
    ["La société Exemple", "améliorer notre service", "trente jours"],
];

/// A caller, by what they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Says nothing at all.
    Silent,
    /// Presses a wrong key, agrees, withdraws, and comes back to it.
    Wavering,
    /// Wants to know more, and refuses.
    Informed,
    /// Agrees, and is asked once more.
    Twice,
    /// Is told of an interest.
    Told,
    /// Is told of a law, and wants to know more.
    Obliged,
    /// Is asked by the agent.
    Later,
    /// Hears the notice and refuses.
    Brief,
    /// Refuses, and the PBX has nobody.
    Unlucky,
}

impl Caller {
    /// All whom the PBX answers, whose prompts are every prompt but one.
    const ANSWERED: [Self; 7] = [
        Self::Silent,
        Self::Wavering,
        Self::Informed,
        Self::Twice,
        Self::Told,
        Self::Obliged,
        Self::Later,
    ];

    /// Which of [`POLICIES`] the line has that they call, and the prompts for which they call it.
    const fn reaches(self) -> (usize, &'static [&'static str]) {
        match self {
            Self::Silent => (0, &["notice", "question", "reask", "not_given"]),
            Self::Wavering => (0, &["wrong_key", "granted", "withdrawn", "resume"]),
            Self::Informed => (0, &["info", "refused"]),
            Self::Twice => (1, &["explicit"]),
            Self::Told => (2, &["legitimate_interest"]),
            Self::Obliged => (3, &["legal_obligation", "obligation_info"]),
            Self::Later => (4, &["agent_ask"]),
            Self::Brief => (0, &["notice"]),
            Self::Unlucky => (0, &["no_answer"]),
        }
    }

    /// What they do in this language, each so many milliseconds after the one before.
    fn acts(self, language: &str) -> Vec<(u64, Act)> {
        let of = |name: &str| length_ms(language, name);
        let begun = of("notice") + 4 * A_WHILE_MS;
        let then = |name: &str| of(name) + 2 * A_WHILE_MS;
        let (through, left) = ((0, Act::Through), (1_000, Act::HangUp));
        match self {
            Self::Silent | Self::Told => vec![through, left],
            Self::Wavering => vec![
                (begun, Act::Press('5')),
                (then("wrong_key"), Act::Press('1')),
                through,
                (1_500, Act::Press('*')),
                (of("withdrawn") + 2_000, Act::Press('*')),
                (of("resume") + 2_000, Act::HangUp),
            ],
            Self::Informed => {
                vec![(begun, Act::Press('9')), (then("info"), Act::Press('2')), through, left]
            }
            Self::Twice => {
                vec![(begun, Act::Press('1')), (then("explicit"), Act::Press('1')), through, left]
            }
            Self::Obliged => vec![(2_000, Act::Press('9')), through, left],
            Self::Later => vec![through, (1_500, Act::Ask), (of("agent_ask") + 2_000, Act::HangUp)],
            Self::Brief => vec![(begun, Act::Press('2')), through, left],
            Self::Unlucky => vec![(begun, Act::Press('2')), (0, Act::Ends)],
        }
    }
}

/// A prompt as the phone got it.
pub struct Clip {
    /// Such as `nl`.
    pub language: &'static str,
    /// Such as `notice`.
    pub prompt: &'static str,
    /// In which it came.
    pub codec: Codec,
    /// What its packets carried, in order.
    pub payloads: Vec<Vec<u8>>,
}

/// A node with a line for every language and policy.
fn node() -> Node {
    let mut more = String::new();
    for (place, [controller, purpose, retention]) in SLOTS.iter().enumerate() {
        let language = LANGUAGES[place];
        for (at, (name, lines)) in POLICIES.iter().enumerate() {
            more += &format!(
                "[[policy]]\nid = \"{name}-{language}\"\nversion = 1\n{lines}\npurposes = [\"quality\"]\n\
                 language = \"{language}\"\ncontroller = \"{controller}\"\npurpose_spoken = \"{purpose}\"\n\
                 retention_spoken = \"{retention}\"\nretention = \"quality-30d\"\n\
                 answer_timeout_ms = {PATIENCE_MS}\n\n\
                 [[line]]\nid = \"{name}-{language}\"\ntenant = \"voorbeeld\"\nnumber = \"{}\"\n\
                 policy = \"{name}-{language}\"\nrecord_from = \"answer\"\n\n",
                number(place, at)
            );
        }
    }
    let change = Change::default()
        .with(CODECS, "codecs = [\"opus\", \"pcma\", \"pcmu\", \"g722\"]")
        .with(LINE, format!("{more}{LINE}"));
    Node::start(&change)
}

fn number(language: usize, policy: usize) -> String {
    format!("+312070{language}{policy}000")
}

/// One call that is to be placed, and who calls.
struct Placed {
    language: usize,
    caller: Caller,
    codec: Codec,
    from: String,
}

/// Places calls all at once, and takes the clips out of what came in.
fn place(node: &Node, pbx: &mut Exchange, calls: &[(usize, Caller, Codec)]) -> Vec<Clip> {
    let numbered = calls.iter().map(|&(language, caller, codec)| {
        let from = format!("+3161{language}{}{}0000", caller as u8, codec as u8);
        Placed { language, caller, codec, from }
    });
    let calls: Vec<Placed> = numbered.collect();
    let zero = (Instant::now(), SystemTime::now());
    let desk = Mutex::new(pbx);
    let heard: Vec<Vec<Packet>> = thread::scope(|scope| {
        let placed: Vec<_> =
            calls.iter().map(|one| scope.spawn(|| lead(node, &desk, one))).collect();
        placed.into_iter().map(|call| call.join().expect("a call")).collect()
    });
    let pbx = desk.into_inner().expect("the PBX");
    let mut clips = Vec::new();
    for (one, packets) in calls.iter().zip(heard) {
        let steps = steps(node, pbx, &one.from);
        let language = LANGUAGES[one.language];
        for prompt in one.caller.reaches().1 {
            let began = steps.iter().find(|(name, _)| name == prompt);
            let Some((_, began)) = began else {
                panic!("{:?} did not hear {prompt} in {language}: {steps:?}", one.caller)
            };
            clips.push(Clip {
                language,
                prompt,
                codec: one.codec,
                payloads: cut(&packets, zero, *began, length_ms(language, prompt)),
            });
        }
    }
    clips
}

/// Leads one call from its beginning to its end.
fn lead(node: &Node, desk: &Mutex<&mut Exchange>, one: &Placed) -> Vec<Packet> {
    let is_through = || {
        let of = |call: &History| {
            let invite = call.request("INVITE", true).and_then(|invite| user_of(&invite.text));
            invite == Some(&one.from) && call.answered().is_some()
        };
        desk.lock().expect("the PBX").calls().iter().any(of)
    };
    let acts = one.caller.acts(LANGUAGES[one.language]);
    let number = number(one.language, one.caller.reaches().0);
    let planned = Call { codec: one.codec, from: &one.from, number: &number, acts: &acts };
    call(node, &planned, is_through)
}

/// The prompts that the ladder of a call shows, each with its time in seconds since midnight (UTC).
fn steps(node: &Node, pbx: &mut Exchange, from: &str) -> Vec<(String, f64)> {
    let invite = pbx.of(from).request("INVITE", true).expect("an INVITE").text.clone();
    let id = header(&invite, "X-Jawoord-Call").expect("an id").to_owned();
    let call = node.until(&["calls", "show", &id], |call| call["verdict"].is_string());
    let plays = |step: &Value| {
        let label = step["label"].as_str()?.strip_prefix("plays ")?;
        let name = label.split(' ').next()?.to_owned();
        Some((name, seconds(step["at"].as_str()?)))
    };
    call["ladder"].as_array().into_iter().flatten().filter_map(plays).collect()
}

/// What came in between the beginning of a prompt and its end.
fn cut(
    packets: &[Packet],
    zero: (Instant, SystemTime),
    began_s: f64,
    length_ms: u64,
) -> Vec<Vec<u8>> {
    let midnight = zero.1.duration_since(UNIX_EPOCH).expect("a clock").as_secs_f64() % 86_400.0;
    // A day may begin between the two.
    let began_ms = (began_s - midnight).rem_euclid(86_400.0) * 1_000.0;
    let end_ms = began_ms + (length_ms + LATE_MS) as f64;
    let within = packets.iter().filter(|packet| {
        let at = packet.at.saturating_duration_since(zero.0).as_secs_f64() * 1_000.0;
        (began_ms..end_ms).contains(&at)
    });
    within.map(|packet| packet.payload.clone()).collect()
}

fn answering() -> Manner {
    let after = Duration::from_millis(A_WHILE_MS);
    Manner::Answers { after, tone_hz: 0.0, acts: Vec::new() }
}

fn pbx(node: &Node, manner: Manner) -> Exchange {
    Exchange::start([127, 0, 0, 1], node.pbx, manner)
}

/// Every prompt in every language and codec.
pub fn every_prompt() -> Vec<Clip> {
    let node = node();
    let mut clips = Vec::new();
    let languages = 0..LANGUAGES.len();
    let mut desk = pbx(&node, answering());
    for codec in Codec::ALL {
        let callers =
            languages.clone().flat_map(|l| Caller::ANSWERED.map(|caller| (l, caller, codec)));
        clips.extend(place(&node, &mut desk, &callers.collect::<Vec<_>>()));
    }
    drop(desk);
    // Its thread lets go of the port.
    thread::sleep(Duration::from_millis(100));
    let mut nobody = pbx(&node, Manner::Says(480));
    let callers = languages.flat_map(|l| Codec::ALL.map(|codec| (l, Caller::Unlucky, codec)));
    clips.extend(place(&node, &mut nobody, &callers.collect::<Vec<_>>()));
    clips
}

/// The notice of each language, each in another codec.
pub fn every_notice() -> Vec<Clip> {
    let node = node();
    let mut desk = pbx(&node, answering());
    let callers = Codec::ALL.iter().enumerate().map(|(l, codec)| (l, Caller::Brief, *codec));
    place(&node, &mut desk, &callers.collect::<Vec<_>>())
}
