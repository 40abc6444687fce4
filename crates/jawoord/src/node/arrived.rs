//! An INVITE outside of any dialog, on its way to becoming a call.

use std::{sync::Arc, time::Instant};

use sip::LegId;
use sip::{Remote, Request, Sdp};

/// An INVITE as the endpoint reports it.
pub(crate) struct Arrived {
    pub(crate) leg: LegId,
    pub(crate) source: Remote,
    pub(crate) request: Arc<Request>,
    pub(crate) max_forwards: u8,
    pub(crate) offer: Option<Sdp>,
    /// Whether it acknowledges a provisional response.
    pub(crate) reliable: bool,
    /// When it came.
    pub(crate) since: Instant,
}
