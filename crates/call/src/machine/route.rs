//! Which way a call goes, decided once, before anything is answered.

use std::time::Duration;

use crate::{
    Asking, Confirm, Ground, Keys, Line, OnWithdraw, Parties, Prompt, Purposes, Recording,
    machine::io::CallOffer, verdict::Unasked,
};

/// The longest time between the answer and the call to the PBX that a policy can have.
const UNBRIDGED_CEILING: Duration = Duration::from_secs(35);

/// How much earlier than the limit the PBX is called, so that it is never later.
const UNBRIDGED_MARGIN: Duration = Duration::from_millis(250);

/// How long the PBX may ring for a number without a policy: Timer C (RFC 3261 §16.6 item 11).
const RING_CEILING: Duration = Duration::from_secs(180);

/// The prompts without which evidence could not say what was heard.
const NAMED_IN_EVIDENCE: [Prompt; 5] =
    [Prompt::Notice, Prompt::Question, Prompt::Reask, Prompt::WrongKey, Prompt::Info];

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
}

/// The way of a call.
pub(super) enum Route {
    /// Answered first, then asked, then connected.
    Asked(Terms),
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
        match offer.line.as_deref().and_then(asking) {
            None if !offer.target_up => Self::Refused(Unasked::PolicyOff),
            Some(_) if !offer.target_up => Self::Refused(Unasked::Unreachable),
            None => Self::Transparent(Unasked::PolicyOff),
            Some(asking) if offer.ready.is_ok() && can_be_asked(asking) => {
                Self::Asked(Terms::of(asking))
            }
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
        }
    }
}

/// How long the PBX may ring; an emergency call rings for as long as its caller waits.
pub(super) fn ring_timeout(offer: &CallOffer) -> Option<Duration> {
    let policy = offer.line.as_ref().map(|line| line.policy.ring_timeout);
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
fn can_be_asked(asking: &Asking) -> bool {
    asking.ground == Ground::Consent
        && NAMED_IN_EVIDENCE.iter().all(|prompt| asking.prompt_id(*prompt).is_some())
}
