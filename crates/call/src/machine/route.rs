//! Which way a call goes, decided once, before anything is answered.

use std::time::Duration;

use crate::{
    Asking, Confirm, Direction, EarlyNotice, Ground, Keys, Line, OnWithdraw, Parties, Pausing,
    Prompt, Purposes, QuestionAt, Recording, WhenRecordingFails,
    machine::{dialogue::Opening, io::CallOffer, outgoing::Outgoing},
    verdict::Unasked,
};

/// The longest time between the answer and the call to the PBX that a policy can have.
const UNBRIDGED_CEILING: Duration = Duration::from_secs(35);

/// How much earlier than the limit the PBX is called, so that it is never later.
const UNBRIDGED_MARGIN: Duration = Duration::from_millis(250);

/// How long may be rung without a policy for it: Timer C (RFC 3261 §16.6 item 11).
const RING_CEILING: Duration = Duration::from_secs(180);

/// The prompts without which evidence could not say what was heard, beside the one that begins.
const NAMED_IN_EVIDENCE: [Prompt; 4] =
    [Prompt::Question, Prompt::Reask, Prompt::WrongKey, Prompt::Info];

/// What the machine keeps of the policy of a call whose customer is asked.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) ground: Ground,
    pub(super) purposes: Purposes,
    pub(super) heard: Parties,
    pub(super) keys: Keys,
    pub(super) repeats: u8,
    pub(super) answer_timeout: Duration,
    pub(super) until_dial: Duration,
    pub(super) confirm: Confirm,
    pub(super) keep_withdrawn: bool,
    pub(super) pausing: Pausing,
    pub(super) ends_unrecorded: bool,
    pub(super) early: Option<EarlyNotice>,
}

/// The way of a call.
pub(super) enum Route {
    /// Answered first or given the notice before, then asked and connected.
    Asked(Terms),
    /// Called first, and asked once the customer has answered.
    Outgoing(Terms, Outgoing),
    /// Connected as if nothing stood between, and never recorded.
    Transparent(Unasked),
    /// Refused, because there is no PBX to connect it to.
    Refused(Unasked),
}

impl Route {
    /// The first rule that fits decides: an emergency call is never refused or delayed (flows
    /// rows E), nobody is asked on behalf of a dead PBX, and nothing is asked that could not be
    /// recorded with evidence (invariant 4).
    pub(super) fn of(offer: &CallOffer) -> Self {
        if offer.emergency {
            return Self::Transparent(Unasked::Emergency);
        }
        let outbound = offer.direction == Direction::Outbound;
        let asking = offer.line.as_deref().and_then(asking);
        let outgoing = asking.and_then(|asking| Outgoing::of(asking.outbound));
        match asking.filter(|_| !outbound || outgoing.is_some()) {
            None if !offer.target_up => Self::Refused(Unasked::PolicyOff),
            Some(_) if !offer.target_up => Self::Refused(Unasked::Unreachable),
            None => Self::Transparent(Unasked::PolicyOff),
            Some(asking) if offer.ready.is_ok() => match outgoing.filter(|_| outbound) {
                None if can_be_asked(asking, Opening::Notice) => {
                    Self::Asked(Terms { early: offer.early, ..Terms::of(asking) })
                }
                Some(how) if can_be_asked(asking, how.opening()) => {
                    Self::Outgoing(Terms::connected(asking), how)
                }
                None | Some(_) => Self::Transparent(Unasked::Blocked),
            },
            Some(_) => Self::Transparent(Unasked::Blocked),
        }
    }
}

impl Terms {
    fn of(asking: &Asking) -> Self {
        let limit = asking.unbridged_limit.min(UNBRIDGED_CEILING);
        Self {
            ground: asking.ground,
            purposes: asking.purposes,
            heard: asking.heard,
            keys: asking.keys,
            repeats: asking.repeats,
            answer_timeout: asking.answer_timeout,
            until_dial: limit.saturating_sub(UNBRIDGED_MARGIN),
            confirm: asking.confirm,
            keep_withdrawn: match asking.on_withdraw {
                OnWithdraw::Erase => false,
                OnWithdraw::Stop => true,
            },
            pausing: asking.pausing,
            ends_unrecorded: match asking.when_recording_fails {
                WhenRecordingFails::GoOn => false,
                WhenRecordingFails::EndCall => true,
            },
            early: None,
        }
    }

    /// What an inbound caller is asked with.
    pub(super) fn opening(&self) -> Opening {
        match self.early.map(|early| early.question) {
            Some(QuestionAt::AfterAnswer) => Opening::NoticeAlone,
            Some(QuestionAt::BeforeAnswer) | None => Opening::Notice,
        }
    }

    /// The same for a call in which nobody waits for a confirmation to be called.
    fn connected(asking: &Asking) -> Self {
        let confirm = match asking.confirm {
            Confirm::First | Confirm::WhileRinging => Confirm::First,
            Confirm::Off => Confirm::Off,
        };
        Self { confirm, ..Self::of(asking) }
    }
}

/// How long may be rung: a PBX as its policy says, a customer for as long as the PBX waits, and an
/// emergency for as long as its caller does.
pub(super) fn ring_timeout(offer: &CallOffer) -> Option<Duration> {
    let inbound = offer.line.as_ref().filter(|_| offer.direction == Direction::Inbound);
    let policy = inbound.map(|line| line.policy.ring_timeout);
    (!offer.emergency).then(|| policy.unwrap_or(RING_CEILING))
}

/// The question of a line that asks one.
pub(super) fn asking(line: &Line) -> Option<&Asking> {
    match &line.policy.recording {
        Recording::Never => None,
        Recording::Ask(asking) => Some(asking),
    }
}

/// Whether the flow is lawful for the ground and every prompt of it can be named. Only a yes to a
/// question is a flow for now, so every other ground is as good as not ready.
fn can_be_asked(asking: &Asking, opening: Opening) -> bool {
    let mut named = NAMED_IN_EVIDENCE.into_iter().chain([opening.prompt()]);
    asking.ground == Ground::Consent && named.all(|prompt| asking.prompt_id(prompt).is_some())
}
