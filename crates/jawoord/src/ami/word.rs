//! What the managers of PBXs have to say to the loop of calls.

use std::sync::Arc;

use call::Private;

/// What a manager has to say.
#[derive(Debug)]
pub struct Word {
    /// Of which PBX.
    pub pbx: Arc<str>,
    /// What.
    pub said: Said,
}

/// What of it.
#[derive(Debug)]
pub enum Said {
    /// It is listened to from now on.
    Here,
    /// Nothing is heard of it any more, or yet.
    Gone,
    /// Somebody talks to the call of this Call-ID from now on.
    Talks {
        /// The Call-ID of the PBX's leg.
        call_id: Private<String>,
        /// Who: a queue's name for its member, or an endpoint.
        agent: Private<String>,
        /// By which queue the call came.
        queue: Option<Private<String>>,
    },
    /// Nobody does any more.
    Waits {
        /// The Call-ID of the PBX's leg.
        call_id: Private<String>,
    },
}
