//! The notice before the answer (flow F2): what a carrier lets be done with early media.

use std::time::Duration;

/// When the question comes whose notice is heard before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuestionAt {
    /// When both parties have answered, with both listening: many carriers pass no key before.
    AfterAnswer,
    /// Right after the notice, for carriers that pass sound and keys both ways before the answer.
    BeforeAnswer,
}

/// How the notice of a call is heard before the call is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EarlyNotice {
    /// When the question comes.
    pub question: QuestionAt,
    /// For how long the carrier lets a call have sound without an answer. A caller whom the PBX has
    /// not answered by then is answered, and the call goes on like one that was answered first.
    pub limit: Duration,
}
