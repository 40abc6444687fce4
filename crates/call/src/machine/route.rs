//! Which way a call goes, decided once, before anything is answered.

use std::time::Duration;

use crate::{
    Aside, Asking, Audience, Confirm, Direction, EarlyNotice, Ground, Key, Keys, Line, Manner,
    OnWithdraw, Parties, Pausing, Prompt, Purposes, QuestionAt, Recording, WhenRecordingFails,
    machine::{
        dialogue::{Dialogue, Opening},
        io::CallOffer,
        way::{Later, Way},
    },
    verdict::Unasked,
};

/// The longest time between the answer and the call to the PBX that a policy can have.
const UNBRIDGED_CEILING: Duration = Duration::from_secs(35);

/// How much earlier than the limit the PBX is called, so that it is never later.
const UNBRIDGED_MARGIN: Duration = Duration::from_millis(250);

/// How long may be rung without a policy for it: Timer C (RFC 3261 §16.6 item 11).
const RING_CEILING: Duration = Duration::from_secs(180);

/// What the machine keeps of the policy of a call whose customer is asked.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) ground: Ground,
    pub(super) manner: Manner,
    pub(super) purposes: Purposes,
    pub(super) heard: Parties,
    pub(super) keys: Keys,
    pub(super) repeats: u8,
    pub(super) answer_timeout: Duration,
    pub(super) until_dial: Duration,
    pub(super) confirm: Confirm,
    pub(super) audience: Audience,
    pub(super) keep_withdrawn: bool,
    pub(super) pausing: Pausing,
    pub(super) agent_cue: bool,
    pub(super) ends_unrecorded: bool,
    pub(super) early: Option<EarlyNotice>,
}

/// The way of a call.
pub(super) enum Route {
    /// Answered first or given the notice before, then asked and connected.
    Asked(Terms),
    /// Put through first, and asked afterwards.
    Later(Terms, Later),
    /// Connected as if nothing stood between, and never recorded.
    Transparent(Unasked),
    /// Refused, because there is no PBX to connect it to.
    Refused(Unasked),
}

impl Route {
    /// The first rule that fits decides: an emergency call is never refused or delayed (flows
    /// rows E), nobody is asked where it could help nobody or on behalf of a dead PBX, and nothing is
    /// asked that could not be recorded with evidence (invariant 4).
    pub(super) fn of(offer: &CallOffer) -> Self {
        if offer.emergency {
            return Self::Transparent(Unasked::Emergency);
        }
        let asking = offer.line.as_deref().and_then(asking);
        let way = asking.and_then(|asking| Some((asking, Way::of(asking, offer.direction)?)));
        if let Some(why) = offer.aside.filter(|why| *why == Aside::Transparent || way.is_some()) {
            let why = Unasked::Aside(why);
            return if offer.target_up { Self::Transparent(why) } else { Self::Refused(why) };
        }
        match way {
            None if !offer.target_up => Self::Refused(Unasked::PolicyOff),
            Some(_) if !offer.target_up => Self::Refused(Unasked::Unreachable),
            None => Self::Transparent(Unasked::PolicyOff),
            Some((asking, way)) => {
                let terms = Terms::of(asking).filter(|_| offer.ready.is_ok());
                match (terms, way) {
                    (Some(terms), Way::First) => Self::Asked(Terms { early: offer.early, ..terms }),
                    (Some(terms), Way::Later(how)) => Self::Later(terms.connected(), how),
                    (None, _) if must_be_recorded(asking) => Self::Refused(Unasked::Blocked),
                    (None, _) => Self::Transparent(Unasked::Blocked),
                }
            }
        }
    }
}

impl Terms {
    /// The terms of a policy on whose ground there is a flow, and each of whose prompts can be named in
    /// evidence.
    fn of(asking: &Asking) -> Option<Self> {
        let manner = asking.ground.manner()?;
        let mut prompts = Prompt::ALL.into_iter().filter(|prompt| manner.says(*prompt));
        let named = prompts.all(|prompt| asking.prompt_id(prompt).is_some());
        let limit = asking.unbridged_limit.min(UNBRIDGED_CEILING);
        named.then(|| Self {
            ground: asking.ground,
            manner,
            purposes: asking.purposes,
            heard: asking.heard,
            keys: asking.keys,
            repeats: asking.repeats,
            answer_timeout: asking.answer_timeout,
            until_dial: limit.saturating_sub(UNBRIDGED_MARGIN),
            confirm: asking.confirm,
            audience: asking.audience,
            keep_withdrawn: match asking.on_withdraw {
                OnWithdraw::Erase => false,
                OnWithdraw::Stop => true,
            },
            pausing: asking.pausing,
            agent_cue: asking.agent_cue,
            ends_unrecorded: match asking.when_recording_fails {
                WhenRecordingFails::GoOn => false,
                WhenRecordingFails::EndCall => true,
            },
            early: None,
        })
    }

    /// The dialogue of a call that begins so.
    pub(super) const fn dialogue(&self, opening: Opening) -> Dialogue {
        Dialogue::new(opening, self.manner, self.keys, self.repeats)
    }

    /// The key with which the customer ends the recording, where they may.
    pub(super) fn ending_key(&self) -> Option<Key> {
        self.manner.can_be_ended().then_some(self.keys.withdraw)
    }

    /// What an inbound caller is asked with.
    pub(super) fn opening(&self) -> Opening {
        match self.early.map(|early| early.question) {
            Some(QuestionAt::AfterAnswer) => Opening::NoticeAlone,
            Some(QuestionAt::BeforeAnswer) | None => Opening::Notice,
        }
    }

    /// The same for a call in which nobody waits for a confirmation to be called.
    const fn connected(self) -> Self {
        let confirm = match self.confirm {
            Confirm::First | Confirm::WhileRinging => Confirm::First,
            Confirm::Off => Confirm::Off,
        };
        Self { confirm, ..self }
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

/// Whether a law lets no call of this policy be led without a record, and the house has said so.
fn must_be_recorded(asking: &Asking) -> bool {
    asking.ground == Ground::LegalObligation
        && asking.when_recording_fails == WhenRecordingFails::EndCall
}
