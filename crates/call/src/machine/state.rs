//! Everything a call knows, and the doors out of it.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::{
    Agent, CallId, Direction, Fact, Line, Party, Time,
    machine::{
        bridge::Bridge,
        dialogue::Dialogue,
        former::Former,
        io::{Action, CallOffer, Failure, Kept},
        recording::Recording,
        route::{Route, Terms, ring_timeout},
        sound::Sound,
        timer::Timers,
        trail::Presses,
        way::{CHANGES, Later},
    },
    verdict::{Choice, Unasked},
};

/// The leg of whoever called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Near {
    Unanswered,
    Answered,
    Gone,
}

/// The leg of whoever is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Far {
    Idle,
    Dialling(EarlyMedia),
    /// Answered, while the caller's leg is not.
    Answered,
    Bridged,
    /// Given up; the answer may cross with that.
    Cancelled,
    Over,
}

/// The sound of a called party that has not answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlyMedia {
    None,
    /// It waits until our prompt has been heard.
    Waiting,
    Connected,
}

/// How far the call is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The parties come together or are together.
    Open,
    /// The customer hears why there is no agent.
    Farewell(Failure),
    /// Both legs are done; the recording is being closed.
    Closing,
    /// The words are said.
    Finished,
}

/// One call from its INVITE to its three words (flow F1, answer first, F2, notice first, and F3).
///
/// It owns every decision and no means: the shell feeds it [`Input`](crate::Input)s and carries
/// out its [`Action`]s in the order in which they come. Any input may come at any time; one that
/// means nothing in the present state is ignored. Dropping a call drops the leash of its recording.
pub struct Call {
    pub(super) call: CallId,
    pub(super) direction: Direction,
    pub(super) line: Option<Arc<Line>>,
    pub(super) terms: Option<Terms>,
    pub(super) ring_timeout: Option<Duration>,
    pub(super) stage: Stage,
    pub(super) near: Near,
    /// Whether the caller has acknowledged the answer.
    pub(super) confirmed: bool,
    pub(super) far: Far,
    /// Whether the called party has rung at all.
    pub(super) rang: bool,
    /// Why the parties never came together, if it was not the caller who left.
    pub(super) failure: Option<Failure>,
    /// How the customer comes to be asked, if the call is put through before anybody is.
    pub(super) later: Option<Later>,
    /// Who wants a question that is asked if everything is ready.
    pub(super) preparing: Option<Party>,
    /// How often the customer may still come back to the question.
    pub(super) changes: u8,
    /// What they had said before, while they are asked because they came back.
    pub(super) anew: Option<Choice>,
    /// The question, as long as nothing is decided.
    pub(super) dialogue: Option<Dialogue>,
    pub(super) choice: Choice,
    pub(super) presses: Presses,
    /// When consent was given, while its evidence still lacks the report of a cut prompt.
    pub(super) uncommitted: Option<Time>,
    /// What is left of the time that the question may take, while an explanation stops that clock.
    pub(super) left_until_dial: Option<Duration>,
    pub(super) bridge: Bridge,
    /// Who of the house talks to the customer, as far as anybody says so.
    pub(super) agent: Option<Agent>,
    pub(super) sound: Sound,
    /// The recording that the last decision is about, and those before it.
    pub(super) recording: Recording,
    pub(super) former: Former,
    /// Whether an emergency is called from it.
    pub(super) urgent: bool,
    /// Whether the recording can be paused, and the agent's key for it means something.
    pub(super) pauses: bool,
    /// Whether the agent was told, at last, that they are recorded.
    pub(super) cued: bool,
    /// Which of a party's keys the other does not hear.
    pub(super) kept_of_the_customer: Kept,
    pub(super) kept_of_the_agent: Kept,
    pub(super) timers: Timers,
    pub(super) out: VecDeque<Action>,
}

impl Call {
    /// The state of a call whose way is decided and that has done nothing yet.
    pub(super) fn at_rest(offer: CallOffer, route: &Route) -> Self {
        let (terms, later, choice) = match route {
            Route::Asked(terms) => (Some(*terms), None, Choice::NotGiven),
            // Whom nobody can reach, nobody asks.
            Route::Later(terms, how) => {
                (Some(*terms), Some(*how), Choice::Unasked(Unasked::Unreachable))
            }
            Route::Transparent(why) | Route::Refused(why) => (None, None, Choice::Unasked(*why)),
        };
        let dialogue = match route {
            Route::Asked(terms) => Some(terms.dialogue(terms.opening())),
            Route::Later(..) | Route::Transparent(_) | Route::Refused(_) => None,
        };
        Self {
            call: offer.call,
            direction: offer.direction,
            terms,
            ring_timeout: ring_timeout(&offer),
            line: offer.line,
            stage: Stage::Open,
            near: Near::Unanswered,
            confirmed: false,
            far: Far::Idle,
            rang: false,
            failure: None,
            later,
            preparing: None,
            changes: CHANGES,
            anew: None,
            dialogue,
            choice,
            presses: Presses::default(),
            uncommitted: None,
            left_until_dial: None,
            bridge: Bridge::default(),
            agent: None,
            sound: Sound::new(),
            recording: Recording::new(offer.recording),
            former: Former::default(),
            urgent: offer.emergency,
            pauses: false,
            cued: false,
            kept_of_the_customer: Kept::Nothing,
            kept_of_the_agent: Kept::Nothing,
            timers: Timers::default(),
            out: VecDeque::new(),
        }
    }

    /// The next thing to do. Poll until `None` after each of [`Call::new`], [`Call::handle`] and
    /// [`Call::handle_timeout`]; nothing else makes new actions.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.out.pop_front()
    }

    /// When [`Call::handle_timeout`] wants to be called, if ever. The answer changes only with
    /// [`Call::handle`] and [`Call::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Whether the customer may come to be asked, and a recording to be made. In a call that cannot,
    /// only the answer waits for the ledger.
    #[must_use]
    pub const fn may_be_recorded(&self) -> bool {
        self.terms.is_some()
    }

    /// Writes down what the customer decided, and gives it back as it counts: who was to be told and not
    /// asked has given or withheld nothing.
    pub(super) fn choose(&mut self, choice: Choice) -> Choice {
        let asks = self.terms.is_none_or(|terms| terms.manner.asks());
        let untold = choice == Choice::NotGiven && !asks;
        let choice = if untold { Choice::Unasked(Unasked::Blocked) } else { choice };
        let choice = self.or_as_before(choice);
        self.choice = choice;
        let (call, consent) = (self.call, choice.consent());
        self.out.push_back(Action::Audit(match choice.is_objection() {
            true => Fact::CustomerObjected { call },
            false => Fact::ConsentDecided { call, consent },
        }));
        choice
    }
}
