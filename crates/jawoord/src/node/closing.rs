//! The end of a call: its words wait a moment for what its media has counted, and are written with it.

use std::time::Duration;

use call::CallId;
use media::CallStats;

use super::Node;
use crate::session::Session;

/// How long a media thread may take to say what it has counted; it takes a millisecond or two.
const PATIENCE: Duration = Duration::from_secs(1);

impl Node {
    /// The call is over, and its media has been told.
    pub(crate) fn closes(&mut self, session: Box<Session>) {
        let (id, at) = (session.id(), self.now());
        self.closing.insert(id, (session, at));
        self.due.insert((at + PATIENCE, id));
    }

    /// What the media of a call has counted; `None` when it does not say in time.
    pub(crate) fn counted(&mut self, call: CallId, stats: Option<&CallStats>) {
        if let Some(stats) = stats {
            self.metrics.media_ended(stats);
        }
        if let Some((mut session, at)) = self.closing.remove(&call) {
            self.due.remove(&(at + PATIENCE, call));
            let fact = session.ending.take();
            self.office.closed(session, fact, stats, at);
        }
    }
}
