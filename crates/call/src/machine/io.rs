//! What the call machine is told and what it asks for.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    AgentNews, Aside, CallId, Digest, Direction, EarlyNotice, Evidence, Fact, Key, Line, Party,
    Permit, Press, Prompt, Reason, RecordingId, Words,
};

/// What the shell knows of a new call when it hands it to the machine.
#[derive(Clone, Debug)]
pub struct CallOffer {
    /// The call's id, drawn by the shell.
    pub call: CallId,
    /// The id that its first recording would get, drawn by the shell.
    pub recording: RecordingId,
    /// Who called whom.
    pub direction: Direction,
    /// The line of the house's number; `None` is never recorded.
    pub line: Option<Arc<Line>>,
    /// Whether it is an emergency call (flows rows E): nothing is asked, nothing is refused.
    pub emergency: bool,
    /// Why it is put through and left alone, if it is: that of a line for machines whatever its policy
    /// says, and any other where the policy would have the customer asked or told.
    pub aside: Option<Aside>,
    /// Whether everything the evidence and the recording need is ready now (invariant 4).
    pub ready: Result<(), NotReady>,
    /// Whether there is anything to call that is not known to be down: a PBX, or outbound a trunk.
    pub target_up: bool,
    /// How an inbound caller who is asked hears the notice before the answer (flow F2); `None`
    /// answers first, as when the carrier or the caller cannot do otherwise.
    pub early: Option<EarlyNotice>,
}

/// What was not ready when the call arrived or the agent wanted to ask, so that nobody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotReady {
    /// The data folder is full or read-only.
    Disk,
    /// The ledger does not take facts.
    Ledger,
    /// No key epoch can seal a slip.
    Keys,
    /// The store lies outside the residency profile.
    Residency,
    /// A prompt of the policy is missing or damaged.
    Prompts,
    /// The recorder does not run or is overloaded.
    Recorder,
}

/// A tone that a caller hears when there is no PBX to hear (ITU-T E.180).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Busy.
    Busy,
    /// Congestion: the PBX cannot be reached.
    Congestion,
}

/// Why the called leg did not come to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// 486 or 600.
    Busy,
    /// 408, 480, or it rang too long.
    NoAnswer,
    /// Nothing answers, no target is up, or a 5xx.
    Unreachable,
    /// Any other final response of the called party, by its status.
    Rejected(u16),
}

/// Why a leg is ended; the shell turns it into a `Reason` header (RFC 3326).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The other party hung up, or the operator ended the call.
    Normal,
    /// The called leg failed.
    Failed(Failure),
    /// Neither party sends anything any more (flows row B-33).
    NoMedia,
    /// The recording failed, and the policy lets no such call go on without it (flows row O-05).
    NotRecorded,
    /// The node stops.
    Shutdown,
    /// It makes room for an emergency (RFC 4411).
    Preempted,
}

/// How far the parties are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connection {
    /// The parties do not hear each other (any more).
    Apart,
    /// The called party sends sound before it answers: heard, never recorded (L01).
    Early,
    /// Both have answered: the relay runs, and a tap, if there is one, listens.
    Bridged,
}

/// Which presses of a party do not reach the other. They are reported all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// None: all of them reach it.
    Nothing,
    /// Those of this key. Of the customer, its tones are not listened for where there is nothing else
    /// to tell of it: a call that is not recorded costs nothing for it.
    One(Key),
    /// Every press.
    All,
}

impl Kept {
    /// Whether a press of `key` is kept.
    #[must_use]
    pub fn holds(self, key: Key) -> bool {
        match self {
            Self::Nothing => false,
            Self::One(kept) => kept == key,
            Self::All => true,
        }
    }
}

/// Why a tap keeps silence for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pause {
    /// A party is on hold (L03).
    Hold,
    /// No agent is known to talk to the customer, and the line is recorded only then (L03).
    NoAgent,
    /// The house wants it, as while a card number is said (PCI DSS 3.3.1, flows row D-25). It comes
    /// before a hold: who listens later is told what was meant.
    Wanted,
}

/// What the agent hears of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cue {
    /// It has begun, or goes on after a pause: two short beeps.
    Begins,
    /// It has ended, or is paused: a long one.
    Ends,
}

/// What happens to a recording whose tap is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Sealed, stored, kept until its retention ends.
    Keep,
    /// Deleted with proof.
    Erase(Reason),
}

/// Everything the machine can be told. Each input carries what happened, never what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The caller's leg is confirmed (ACK): its media may flow.
    Confirmed,
    /// The caller, who is not answered yet, has our description ([`Action::Progress`]): its media
    /// may flow.
    Progressed,
    /// A prompt asked for with [`Action::Play`] came to its end or was cut. Each is reported once,
    /// in the order of the plays.
    PromptEnded {
        /// Which prompt.
        prompt: Prompt,
        /// How many samples at 8,000 Hz were sent.
        samples: u32,
        /// Whether that was all of it.
        whole: bool,
    },
    /// A key was pressed on a leg.
    Digit(Party, Press),
    /// The ledger has evidence, slip and row of the recording on disk.
    Committed {
        /// The recording named in [`Action::Commit`].
        recording: RecordingId,
        /// SHA-256 of the committed evidence.
        evidence: Digest,
    },
    /// The ledger could not commit.
    CommitFailed {
        /// The recording named in [`Action::Commit`].
        recording: RecordingId,
    },
    /// The called party rings, with or without sound of its own.
    Ringing {
        /// Whether the response carried a session description.
        early_media: bool,
    },
    /// The called party answered.
    Answered,
    /// The called leg failed.
    Failed(Failure),
    /// A party hung up, or its leg was lost (BYE, CANCEL, dead dialog).
    HungUp(Party),
    /// The caller who is asked or told is a fax: its calling tone was heard (ITU-T T.30).
    Fax,
    /// A party put the call on hold (`true`) or took it back.
    Held(Party, bool),
    /// The media worker cut the tap at the first packet of the withdrawal key.
    TapCut,
    /// The recorder lost audio of the running recording; it goes on.
    Degraded,
    /// The recorder cannot go on with the running recording.
    RecorderFailed,
    /// The recorder is done with an ended recording.
    RecordingClosed {
        /// The recording named in [`Action::EndRecording`].
        recording: RecordingId,
        /// Whether the object exists or, for [`Fate::Erase`], is gone with proof.
        done: bool,
        /// How many milliseconds of audio it held.
        millis: u64,
    },
    /// The customer's own side has taken a transfer to somebody outside on, or has news of it; the next
    /// news is to come within so long. `None` when the transfer has come to nothing (flows row T-06).
    SentAway(Option<Duration>),
    /// The agent's leg was replaced by one outside the house: nobody of the house is in the call any
    /// more (law row L51).
    HouseLeft,
    /// From this call an emergency is called, as when the agent transfers to one: from now on it is
    /// one, and no failure of the recording ends it (flows rows E).
    Urgent,
    /// Who of the house talks to the customer, or that nobody does.
    Agent(AgentNews),
    /// The operator wants the customer to be asked, as the agent's key does.
    Ask,
    /// The operator, or a program of the house, passes on that the customer wants no recording any more.
    Withdraw,
    /// The operator, or a program of the house, wants the recording to pause, or wants the pause to last
    /// longer (flows row D-25).
    Pause,
    /// The same for its end.
    Resume,
    /// The answer to [`Action::Prepare`]: the id that the recording of another yes would get, drawn by the
    /// shell.
    Prepared(Result<RecordingId, NotReady>),
    /// The operator or a shutdown ends the call.
    Stop(Cause),
}

/// Everything the machine can ask for. Each goes to exactly one owner.
#[derive(Debug)]
pub enum Action {
    /// Write a fact to the ledger.
    Audit(Fact),
    /// Answer the caller's leg.
    Answer,
    /// Give the unanswered caller our description, so that it hears us before the answer (183);
    /// [`Input::Progressed`] follows.
    Progress,
    /// Fail the caller's unanswered INVITE: 486, 480, 503 or the called party's own status.
    Reject(Failure),
    /// Tell the unanswered caller that the called party rings; with early media its description
    /// goes along.
    Ring {
        /// Whether the called party sends sound of its own.
        early_media: bool,
    },
    /// Play a prompt to the customer from its first sample; what was playing ends (and is reported).
    /// In a bridged call it is mixed over the agent, lowered by 12 dB.
    Play(Prompt),
    /// The same to both parties, each of whom hears it over the other. What the customer heard of
    /// it is reported.
    Announce(Prompt),
    /// End what is playing to the customer (a prompt, ring-back or a tone) and what is announced;
    /// silence follows. A prompt is reported like one that another cuts.
    Hush,
    /// Play ring-back to a party, after 300 ms of silence, until anything else is played.
    RingBack(Party),
    /// Play a tone to the customer.
    Tone(Tone),
    /// Commit evidence, key slip and recording row of a recording, of which a call may have several after
    /// each other; the answer is [`Input::Committed`] or
    /// [`Input::CommitFailed`]. It follows the decision at once, or, when a prompt was cut by the
    /// key, the report of how much of that prompt was heard.
    Commit(Box<Evidence>),
    /// Call the other side.
    Dial,
    /// Give up calling it. What its leg came to is still reported: [`Input::Failed`], or
    /// [`Input::Answered`] when the answer crossed with the CANCEL. The call waits for it, at
    /// most 10 s.
    CancelDial,
    /// Connect the media of both legs, or part them.
    Connect(Connection),
    /// Say whether everything that evidence and recording need is ready now:
    /// [`Input::Prepared`].
    Prepare,
    /// From now on, so much of what a party presses does not reach the other.
    Keep(Party, Kept),
    /// Make a writer, then a tap, and put it into the relay.
    Record(Permit),
    /// From now on, the first packet of this key on the customer's leg cuts the tap; the key and
    /// its tail never reach the PBX.
    ArmWithdrawal(Key),
    /// From now on, the first packet of this key on the agent's leg makes the tap keep silence, until
    /// [`Action::Resume`].
    ArmPause(Key),
    /// The tap keeps silence from here, for this reason from now on.
    Pause(Pause),
    /// The tap listens again.
    Resume,
    /// Let the agent hear it, mixed over the customer, who does not. It comes after words that the agent
    /// hears at the time, and takes the place of an earlier one that was not heard yet.
    Cue(Cue),
    /// A wanted pause has lasted for as long as the policy allows and ends now: somebody forgot it, and
    /// somebody must be told.
    LeftPaused,
    /// What became of a transfer that the customer's side makes was not said in time: the recording, if
    /// there is one, is over, and who asked for the transfer must be told.
    LostSight,
    /// The recording is over. Each of these is answered by one [`Input::RecordingClosed`], those of
    /// one recording in order, and the call waits for it, at most 10 s. A kept recording may be erased by a second
    /// one: when it turns out to hold no audio, or when consent is withdrawn after the recorder
    /// failed. It may come without [`Action::Record`]: the ledger has a row and a slip, and no
    /// audio ever existed.
    EndRecording {
        /// Which recording.
        recording: RecordingId,
        /// What happens to it.
        fate: Fate,
    },
    /// End an answered leg.
    HangUp(Party, Cause),
    /// The call is over; nothing follows.
    Finish(Words),
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({})", self.recording())
    }
}
