//! The way to the calls that run, for those who look at them from outside: the page and the control
//! socket.

use std::time::Duration;

use call::{CallId, Private};
use portal::{AgentError, AskError, Now, PauseError, Seated, Unavailable, WithdrawError};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::{
    books::Compared,
    note::{Asked, Note, Paused, Seating, Withdrawal},
};

/// How long the media threads are waited for that are asked what they have counted: several times what
/// they take. Of one that takes longer, the page shows what it said when somebody looked before.
const COUNTING: Duration = Duration::from_millis(25);

/// The way to the calls that run.
#[derive(Clone)]
pub struct FloorDoor(UnboundedSender<Note>);

impl FloorDoor {
    /// The way that these notes take.
    #[must_use]
    pub const fn new(notes: UnboundedSender<Note>) -> Self {
        Self(notes)
    }

    /// Has the customer of a call asked. The call's name is its id, or the Call-ID of either leg.
    pub async fn asks(&self, call: &str) -> Asked {
        let (answer, answered) = oneshot::channel();
        match self.0.send(Note::Ask(Private::new(call.to_owned()), answer)) {
            Ok(()) => answered.await.unwrap_or(Asked::Unknown),
            Err(_) => Asked::Unknown,
        }
    }

    /// Says who talks to the customer of a call, or that nobody does.
    pub async fn seats(&self, call: &str, seated: Option<Seated>) -> Seating {
        let (answer, answered) = oneshot::channel();
        match self.0.send(Note::Agent(Private::new(call.to_owned()), seated, answer)) {
            Ok(()) => answered.await.unwrap_or(Seating::Unknown),
            Err(_) => Seating::Unknown,
        }
    }

    /// Whether a call runs. Of a node that is stopping it is not known, and assumed.
    pub async fn runs(&self, call: CallId) -> bool {
        let (answer, answered) = oneshot::channel();
        match self.0.send(Note::Stand(call, answer)) {
            Ok(()) => answered.await.map_or(true, |standing| standing.is_some()),
            Err(_) => true,
        }
    }

    /// Tells what a reconciliation of everything, or of the last days, has come to.
    pub fn reconciled(&self, compared: Compared) {
        // The loop is gone only when the node is.
        let _stopping = self.0.send(Note::Reconciled(compared));
    }

    /// Makes a call's recording silent, or lets it go on.
    pub async fn pauses(&self, call: &str, on: bool) -> Paused {
        let (answer, answered) = oneshot::channel();
        match self.0.send(Note::Pause(Private::new(call.to_owned()), on, answer)) {
            Ok(()) => answered.await.unwrap_or(Paused::Unknown),
            Err(_) => Paused::Unknown,
        }
    }

    /// Passes on that the customer of a call wants no recording any more.
    pub async fn withdraws(&self, call: &str) -> Withdrawal {
        let (answer, answered) = oneshot::channel();
        match self.0.send(Note::Withdraw(Private::new(call.to_owned()), answer)) {
            Ok(()) => answered.await.unwrap_or(Withdrawal::Unknown),
            Err(_) => Withdrawal::Unknown,
        }
    }
}

impl portal::Floor for FloorDoor {
    async fn now(&self) -> Result<Now, Unavailable> {
        self.0.send(Note::Count).map_err(|_| Unavailable)?;
        tokio::time::sleep(COUNTING).await;
        let (answer, answered) = oneshot::channel();
        self.0.send(Note::Floor(answer)).map_err(|_| Unavailable)?;
        answered.await.map_err(|_| Unavailable)
    }

    async fn ask(&self, call: &str) -> Result<(), AskError> {
        match self.asks(call).await {
            Asked::Begun => Ok(()),
            Asked::Unknown => Err(AskError::Unknown),
            Asked::NotNow => Err(AskError::NotNow),
            Asked::NotReady => Err(AskError::NotReady),
        }
    }

    async fn agent(&self, call: &str, seated: Option<Seated>) -> Result<(), AgentError> {
        match self.seats(call, seated).await {
            Seating::Known => Ok(()),
            Seating::Unknown => Err(AgentError::Unknown),
        }
    }

    async fn pause(&self, call: &str, on: bool) -> Result<(), PauseError> {
        match self.pauses(call, on).await {
            Paused::Done => Ok(()),
            Paused::Unknown => Err(PauseError::Unknown),
            Paused::NotRecorded => Err(PauseError::NotRecorded),
        }
    }

    async fn withdraw(&self, call: &str) -> Result<(), WithdrawError> {
        match self.withdraws(call).await {
            Withdrawal::Done => Ok(()),
            Withdrawal::Unknown => Err(WithdrawError::Unknown),
            Withdrawal::Nothing => Err(WithdrawError::Nothing),
        }
    }
}
