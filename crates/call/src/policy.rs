//! A line's policy: on which ground, for which purposes, with which prompts, keys and waits.

use std::{fmt, time::Duration};

use crate::{
    ground::{Ground, Parties, Purposes},
    id::{Digest, PolicyId},
    prompt::Prompt,
};

/// Why a text is not a telephone key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not a telephone key; use one of 0-9, '*', '#' or A-D")
    }
}

impl std::error::Error for KeyError {}

/// A key of a telephone: `0`-`9`, `*`, `#` or `A`-`D`. Its `Debug` shows nothing, because what a
/// person pressed is personal data.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key(u8);

impl Key {
    /// The key with this character.
    ///
    /// # Errors
    /// [`KeyError`] for any other character.
    pub const fn new(character: char) -> Result<Self, KeyError> {
        match character {
            '0'..='9' | '*' | '#' | 'A'..='D' => Ok(Self(character as u8)),
            _ => Err(KeyError),
        }
    }

    /// The key of an RFC 4733 event code: 0-9, 10 `*`, 11 `#`, 12-15 `A`-`D` (§3.2); `None` for
    /// every other event, which is never a key (flows row D-26).
    #[must_use]
    pub fn from_event(code: u8) -> Option<Self> {
        b"0123456789*#ABCD".get(usize::from(code)).copied().map(Self)
    }

    /// Its RFC 4733 event code, 0 to 15 (§3.2).
    #[must_use]
    pub const fn event(self) -> u8 {
        match self.0 {
            b'*' => 10,
            b'#' => 11,
            letter @ b'A'..=b'D' => letter - b'A' + 12,
            digit => digit - b'0',
        }
    }

    /// The character. Reveal it only where it is compared or sealed.
    #[must_use]
    pub const fn reveal(self) -> char {
        self.0 as char
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

/// A BCP 47 primary language, such as `nl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Language([u8; 2]);

impl Language {
    /// Accepts two letters `a-z`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_lowercase).then_some(Self(letters))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// Which key means what during the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Yes.
    pub grant: Key,
    /// No.
    pub refuse: Key,
    /// Stop, at any time of the call. One press, like the grant (Art. 7(3), L08).
    pub withdraw: Key,
    /// Explanation, then the question again.
    pub info: Key,
}

/// When the PBX is called after a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// The confirmation is heard, then the PBX is called (default): a PBX that answers at once is
    /// never talked over.
    First,
    /// The PBX is called at once; the confirmation is cut at its answer.
    WhileRinging,
    /// No confirmation.
    Off,
}

/// What a withdrawal does to what was recorded before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnWithdraw {
    /// Everything recorded is erased (default, Art. 17(1)(b)).
    Erase,
    /// It is kept; only recording stops.
    Stop,
}

/// What becomes of a call whose customer has said yes, when its recording cannot begin or go on
/// (flows row O-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenRecordingFails {
    /// It goes on, unrecorded from there (default).
    GoOn,
    /// It ends. An emergency never does, nor does a call that is not to be recorded, or not any more.
    EndCall,
}

/// How the customer who calls comes to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// Before the PBX is called (flows F1 and F2; default).
    First,
    /// The parties are connected at once and unrecorded; the question begins when the agent or the
    /// operator wants it.
    AgentAsks {
        /// The agent's key, if a key begins the question; the customer never hears it.
        key: Option<Key>,
        /// How often the question may be begun in one call.
        times: u8,
    },
}

/// How the customer of a call that the PBX starts comes to be asked (flow F3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// The parties are connected at once and unrecorded; the question begins when the agent or the
    /// operator wants it (default). A voicemail hears nothing.
    AgentAsks {
        /// The agent's key, if a key begins the question; the customer never hears it.
        key: Option<Key>,
        /// How often the question may be begun in one call. A refusal and a withdrawal are final, but
        /// for a customer who changes their mind.
        times: u8,
    },
    /// The parties are connected at once, and both hear notice and question.
    Join,
    /// The agent hears ring-back until the customer has decided.
    HoldBack,
    /// Nobody is asked, and nothing is recorded.
    Never,
}

/// Who hears what is said to the customer in a call that is put through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Both parties, each over the other (default): the agent knows why the customer does not speak.
    Both,
    /// The customer alone, over the agent.
    Customer,
}

/// How the house pauses a recording, as while a card number is said (PCI DSS 3.3.1, flows row D-25). The
/// operator, or a program that speaks for it, always can; the customer never does by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pausing {
    /// The agent's key that begins a pause and ends it, if there is one (default none); the customer
    /// never hears it.
    pub key: Option<Key>,
    /// How long a pause lasts that nobody ends or wants again (default 300 s).
    pub limit: Duration,
}

/// How long a recording is kept (Art. 5(1)(e)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The retention class, such as `quality-30d`.
    pub class: Box<str>,
    /// From the end of the recording to its deletion.
    pub keep: Duration,
}

/// Which audio a prompt is: part of the evidence of what was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptId {
    /// The version in the prompt manifest.
    pub version: u32,
    /// SHA-256 of the audio file.
    pub sha256: Digest,
}

/// How the customer is asked, and what a yes allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// The legal ground.
    pub ground: Ground,
    /// What a recording may be used for.
    pub purposes: Purposes,
    /// Who may be heard in it.
    pub heard: Parties,
    /// The language of the prompts.
    pub language: Language,
    /// Which audio each prompt is.
    pub prompts: Vec<(Prompt, PromptId)>,
    /// The keys of the dialogue.
    pub keys: Keys,
    /// How often the question is repeated after silence or a wrong key (default 1).
    pub repeats: u8,
    /// How long each answer is waited for (default 4 s).
    pub answer_timeout: Duration,
    /// From the answer, or the 183 of a notice before it, to the INVITE to the PBX at most (default
    /// and ceiling 35 s), and for as long a question with both parties listening; explanations asked
    /// for by key do not count.
    pub unbridged_limit: Duration,
    /// When the PBX is called. In a call that the PBX started only whether the decision is
    /// confirmed.
    pub confirm: Confirm,
    /// How the customer who calls comes to be asked.
    pub inbound: Inbound,
    /// How the customer of a call that the PBX starts comes to be asked.
    pub outbound: Outbound,
    /// Who hears the question in a call that is put through.
    pub audience: Audience,
    /// What a withdrawal erases.
    pub on_withdraw: OnWithdraw,
    /// Whether the tones of keys are silence in a recording, of both parties (PCI DSS, flows row D-23).
    /// Keys that come as events or by INFO are never in one.
    pub blank_keys: bool,
    /// How the house pauses a recording.
    pub pausing: Pausing,
    /// Whether the agent hears when what they say is recorded, and when it is not any more (default no).
    pub agent_cue: bool,
    /// How often both parties hear a beep while they are recorded; never by default.
    pub beep: Option<Duration>,
    /// What becomes of the call when its recording fails.
    pub when_recording_fails: WhenRecordingFails,
    /// How long a recording is kept.
    pub retention: Retention,
}

impl Asking {
    /// Whether tones of keys are kept out of a recording. Where the agent has a key to pause it they
    /// are: its own tone may not be what one hears of the pause.
    #[must_use]
    pub const fn keeps_keys_out(&self) -> bool {
        self.blank_keys || self.pausing.key.is_some()
    }

    /// Which audio `prompt` is, if this policy has it.
    #[must_use]
    pub fn prompt_id(&self, prompt: Prompt) -> Option<PromptId> {
        self.prompts.iter().find(|(name, _)| *name == prompt).map(|(_, id)| *id)
    }
}

/// Whether a line's calls may be recorded at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Never; nobody is asked.
    Never,
    /// Only after the question.
    Ask(Box<Asking>),
}

/// The policy of a line, fixed for a call when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub id: PolicyId,
    /// Its version, raised by the operator.
    pub version: u32,
    /// SHA-256 of its configuration as loaded.
    pub hash: Digest,
    /// Whether and how calls are recorded.
    pub recording: Recording,
    /// How long the PBX may ring. A customer rings for as long as the PBX lets them.
    pub ring_timeout: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_telephone_is_a_key_and_nothing_else() {
        let keys: String = (0..16).filter_map(Key::from_event).map(Key::reveal).collect();
        assert_eq!(keys, "0123456789*#ABCD");
        assert!(keys.chars().all(|key| Key::new(key).map(Key::reveal) == Ok(key)));
        assert!((0..16).all(|code| Key::from_event(code).map(Key::event) == Some(code)));
        for character in ['a', 'E', ' ', '+', '/', ':', '٣'] {
            assert_eq!(Key::new(character), Err(KeyError));
        }
        assert!(KeyError.to_string().contains("; use"));
    }

    #[test]
    fn d_26_other_events_are_never_keys() {
        assert!((16..=255).all(|code| Key::from_event(code).is_none()));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", Key::new('1')), "Ok([private])");
    }

    #[test]
    fn a_language_is_two_small_letters() {
        assert_eq!(Language::new("nl").map(|nl| nl.to_string()).as_deref(), Some("nl"));
        for text in ["", "n", "nld", "NL", "n1", "é"] {
            assert_eq!(Language::new(text), None, "{text}");
        }
    }

    #[test]
    fn a_prompt_that_the_policy_lacks_has_no_id() {
        let key = |character| Key::new(character).unwrap();
        let id = PromptId { version: 3, sha256: Digest::from_bytes([3; 32]) };
        let asking = Asking {
            ground: Ground::Consent,
            purposes: Purposes::default(),
            heard: Parties::BOTH,
            language: Language::new("en").unwrap(),
            prompts: vec![(Prompt::Question, id)],
            keys: Keys { grant: key('1'), refuse: key('2'), withdraw: key('*'), info: key('9') },
            repeats: 1,
            answer_timeout: Duration::from_secs(4),
            unbridged_limit: Duration::from_secs(35),
            confirm: Confirm::First,
            inbound: Inbound::First,
            outbound: Outbound::AgentAsks { key: None, times: 1 },
            audience: Audience::Both,
            on_withdraw: OnWithdraw::Erase,
            blank_keys: false,
            pausing: Pausing { key: None, limit: Duration::from_secs(300) },
            agent_cue: false,
            beep: None,
            when_recording_fails: WhenRecordingFails::GoOn,
            retention: Retention { class: "quality".into(), keep: Duration::from_secs(2) },
        };
        assert_eq!(asking.prompt_id(Prompt::Question), Some(id));
        assert_eq!(asking.prompt_id(Prompt::Notice), None);
    }
}
