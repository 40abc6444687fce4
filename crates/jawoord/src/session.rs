//! One call as the node holds it: the machine, its legs, its sound and its ladder.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use call::{Action, Call, CallId, CallOffer, Private, RecordingId, Time, Words};
use ledger::Direction;
use sip::{Header, Message, Request};
use vault::{Codec, Metadata, MetadataField, RootSeed, WriterConfig};

use crate::{
    attempts::Attempts,
    config::{judge::Settings, target::Reach},
    identity::{
        self,
        carry::{self, Crossing},
        rules::Rules,
        thread::Thread,
    },
    ladder::Ladder,
    wires::{Side, Wires},
};

/// A message of one side that makes us send one to the other.
#[derive(Clone)]
pub enum Heard {
    /// A response of the far leg.
    Response(Arc<Message>),
    /// A BYE or CANCEL.
    Request(Arc<Request>),
}

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
    /// What is being handled, and which side said it.
    pub heard: Option<(Side, Heard)>,
    /// The trunk it came by, if it did.
    pub trunk: Option<Arc<str>>,
    /// When it began.
    pub since: Instant,
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
    /// What the machine asked for while it waits for the row.
    pub waiting: VecDeque<Action>,
    /// The deadline under which the call is filed.
    pub due: Option<Time>,
    /// The seed of the committed slip, until the writer takes it.
    pub seed: Option<RootSeed>,
    /// The recording that a permit was minted for.
    pub recording: Option<RecordingId>,
    /// Which way the call goes.
    pub direction: Direction,
    /// The fact of its end, until it is over.
    pub ending: Option<call::Fact>,
    /// The three words, once there are any; the call is over then.
    pub words: Option<Words>,
}

impl Session {
    /// The call's id.
    #[must_use]
    pub const fn id(&self) -> CallId {
        self.offer.call
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
    pub fn conveyed(&self, to: Side) -> (Vec<Header>, Option<u16>) {
        let Some((_, heard)) = self.heard.as_ref().filter(|(from, _)| *from != to) else {
            return (Vec::new(), None);
        };
        match heard {
            Heard::Response(response) => {
                let carried = carry::of_response(response, &self.crossing(to));
                (carried.headers, response.status())
            }
            Heard::Request(request) => {
                (carry::headers(request.message(), &self.crossing(to)).headers, None)
            }
        }
    }

    /// How its recording is made, and what is sealed beside the sound.
    #[must_use]
    pub fn writer_config(&self) -> WriterConfig {
        let codec = |side| if self.wires.is_mu_law(side) { Codec::Pcmu } else { Codec::Pcma };
        let request = self.wires.request();
        let text = |bytes: &[u8]| Private::new(String::from_utf8_lossy(bytes).into_owned());
        let mut metadata = Metadata::default()
            .with(MetadataField::DialledNumber, self.dialled.clone())
            .with(MetadataField::CustomerCallId, text(request.call_id()));
        if let Some(number) = identity::caller(request) {
            metadata = metadata.with(MetadataField::CustomerNumber, Private::new(number));
        }
        if let Some(name) = identity::name(request) {
            metadata = metadata.with(MetadataField::CustomerName, Private::new(name));
        }
        WriterConfig { codecs: [codec(Side::Near), codec(Side::Far)], metadata }
    }
}
