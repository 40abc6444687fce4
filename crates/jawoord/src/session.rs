//! One call as the node holds it: the machine, its legs, its sound and its ladder.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use call::{
    Action, Call, CallId, CallOffer, Direction, Party, Private, Recording, RecordingId, Time, Words,
};
use vault::{Metadata, MetadataField, RootSeed, WriterConfig};

use crate::{
    alarm::Alarms,
    attempts::Attempts,
    config::{judge::Settings, target::Reach},
    identity::{
        self,
        carry::{Along, Crossing, Heard},
        news::News,
        rules::Rules,
        thread::Thread,
    },
    ladder::Ladder,
    progress::Progress,
    referral::{Handed, Transfer},
    wires::{Side, Wires},
};

/// Whether the ledger has the row of the call (invariant 4a).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Nothing was asked of the ledger yet, or it is not waited for.
    None,
    /// The call waits for it; since when.
    Waiting(Time),
    /// It is there, or the call goes on without being recorded.
    Settled,
}

/// How the paperwork of a call is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// In a lane, its row first and at once: it may be recorded.
    Now,
    /// It has no other paper than its row, facts and words. They go to the ledger without a lane,
    /// and are written together with what else comes in a moment.
    Soon,
}

/// A call in progress.
pub struct Session {
    /// The machine.
    pub call: Call,
    /// What the machine was made of, in case it must be made again without a ledger.
    pub offer: CallOffer,
    /// The number that was dialled.
    pub dialled: Private<String>,
    /// The SIP legs.
    pub wires: Wires,
    /// What crosses to and from the near and the far side.
    pub rules: [Arc<Rules>; 2],
    /// The call's Session-ID.
    pub thread: Thread,
    /// The Call-ID of the far leg, once there is one: random, and ours.
    pub called: Option<Box<str>>,
    /// What each side has said of itself, and the other one is still to be told.
    pub news: News,
    /// What is being handled, and which side said it.
    pub heard: Option<(Side, Heard)>,
    /// Whether the far leg has answered.
    pub answered: bool,
    /// When it began.
    pub since: Instant,
    /// The transfer that is under way.
    pub transfer: Option<Box<Transfer>>,
    /// The transfer that was handed on.
    pub handed: Option<Handed>,
    /// When a hold is to be told again to a side that had an offer open.
    pub again: Option<Time>,
    /// What is done for the caller before the answer.
    pub progress: Option<Progress>,
    /// The targets that the far leg tries.
    pub attempts: Attempts,
    /// How the side that called writes numbers.
    pub origin: Arc<Reach>,
    /// Which media worker has its sound.
    pub worker: usize,
    /// Who sent what.
    pub ladder: Ladder,
    /// The settings with which the call began; it keeps them (row O-07).
    pub settings: Arc<Settings>,
    /// The row in the ledger.
    pub row: Row,
    /// How its paperwork is done.
    pub haste: Haste,
    /// What the machine asked for while it waits for the row.
    pub waiting: VecDeque<Action>,
    /// The deadline under which the call is filed.
    pub due: Option<Time>,
    /// The seed of the committed slip, until the writer takes it.
    pub seed: Option<RootSeed>,
    /// The recording that a permit was minted for.
    pub recording: Option<RecordingId>,
    /// The fact of its end, until it is over.
    pub ending: Option<call::Fact>,
    /// The three words, once there are any; the call is over then.
    pub words: Option<Words>,
    /// What is wrong with it, and on which trunk.
    pub alarms: Alarms,
    /// Whose manager said last that an agent talks to the customer.
    pub manager: Option<Arc<str>>,
    /// What its media had counted when somebody looked last.
    pub sound: Option<Box<media::CallStats>>,
}

impl Session {
    /// The call's id.
    #[must_use]
    pub const fn id(&self) -> CallId {
        self.offer.call
    }

    /// Whether an action waits for the row: everything in a call that may be recorded, and in any
    /// other its answer and what comes after that (invariant 4a).
    #[must_use]
    pub fn holds_back(&self, is_answer: bool) -> bool {
        let behind = !self.waiting.is_empty() || is_answer;
        matches!(self.row, Row::Waiting(_)) && (behind || self.call.may_be_recorded())
    }

    /// From one side to the other.
    #[must_use]
    pub fn crossing(&self, to: Side) -> Crossing<'_> {
        let [near, far] = &self.rules;
        let (from, to) = match to {
            Side::Near => (far, near),
            Side::Far => (near, far),
        };
        Crossing { from, to, limits: self.settings.headers.limits }
    }

    /// What of the message that is being handled goes along to one side: headers, and its status.
    #[must_use]
    pub fn conveyed(&self, to: Side) -> Along {
        let heard = self.heard.as_ref().filter(|(from, _)| *from != to);
        heard.map(|(_, heard)| heard.along(&self.crossing(to))).unwrap_or_default()
    }

    /// The called side has answered: from here on a call is up for minutes, in which little is asked of
    /// it, and there are many such calls. It keeps no room for more than it has.
    pub fn rests(&mut self) {
        if self.answered && self.wires.rest() {
            self.waiting.shrink_to_fit();
            self.ladder.shrink();
        }
    }

    /// Whether the tones of keys are silence in its recording.
    #[must_use]
    pub fn blanks_keys(&self) -> bool {
        self.offer.line.as_ref().is_some_and(|line| match &line.policy.recording {
            Recording::Ask(asking) => asking.keeps_keys_out(),
            Recording::Never => false,
        })
    }

    /// Which way it goes.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.offer.direction
    }

    /// The party on a leg. The near leg is the one that called; the far leg is the one we called.
    #[must_use]
    pub const fn party(&self, side: Side) -> Party {
        match side {
            Side::Near => self.direction().caller(),
            Side::Far => self.direction().called(),
        }
    }

    /// The leg of a party.
    #[must_use]
    pub fn side(&self, party: Party) -> Side {
        if party == self.direction().caller() { Side::Near } else { Side::Far }
    }

    /// The customer's number, unless it was withheld.
    #[must_use]
    pub fn customer(&self) -> Option<Private<String>> {
        match self.direction() {
            Direction::Inbound => {
                identity::caller(self.wires.request()?.as_ref()).map(Private::new)
            }
            Direction::Outbound => Some(self.dialled.clone()),
        }
    }

    /// How its recording is made, and what is sealed beside the sound. The customer is the first
    /// channel, whoever called.
    #[must_use]
    pub fn writer_config(&self) -> WriterConfig {
        let codec = |party| self.wires.stored_as(self.side(party));
        let request = self.wires.request();
        let request = request.as_deref();
        let text = |bytes: &[u8]| Private::new(String::from_utf8_lossy(bytes).into_owned());
        let call_id = match self.direction() {
            Direction::Inbound => MetadataField::CustomerCallId,
            Direction::Outbound => MetadataField::AgentCallId,
        };
        let mut metadata = Metadata::default()
            .with(MetadataField::DialledNumber, self.dialled.clone())
            .with(call_id, text(self.wires.call_id()));
        if let Some(number) = self.customer() {
            metadata = metadata.with(MetadataField::CustomerNumber, number);
        }
        let (name, number) = (request.and_then(identity::name), request.and_then(identity::caller));
        match (self.direction(), name, number) {
            (Direction::Inbound, Some(name), _) => {
                metadata = metadata.with(MetadataField::CustomerName, Private::new(name));
            }
            (Direction::Outbound, _, Some(agent)) => {
                metadata = metadata.with(MetadataField::AgentNumber, Private::new(agent));
            }
            (Direction::Inbound, None, _) | (Direction::Outbound, _, None) => {}
        }
        WriterConfig { codecs: [codec(Party::Customer), codec(Party::Agent)], metadata }
    }
}
