//! What the script reads next, or why it stops.

use call::{Failure, Key, NotReady, RecordingId};

/// Why the script stops reading.
pub(super) enum Stop {
    /// The history ends here.
    NoMore,
    /// The customer is gone, or sent away.
    Over,
    /// Nobody of the house is in the call any more, so nobody is asked.
    NobodyAsks,
}

/// What the script reads next.
pub(super) enum Word {
    /// The time it wanted to wait is over.
    Late,
    /// The media of the caller may flow.
    Confirmed,
    /// What was sounding has come to its end.
    Silence {
        whole: bool,
    },
    Key(Key),
    Resumed,
    /// The caller turns out to be a fax while they are asked.
    Fax,
    /// The agent or the operator wants the customer to be asked.
    Wanted,
    /// The customer, who was asked and has not said yes, wants to be asked again.
    ComesBack,
    Prepared(Result<RecordingId, NotReady>),
    Ringing {
        early_media: bool,
    },
    Answered,
    Failed(Failure),
    /// Something else was read.
    Other,
}
