//! Whether a new call is left alone: by its line, by who calls and is called, and by the hour.

use call::{Aside, Direction, Line, Private};
use phonenumber::country::Id;
use sip::Request;

use super::Node;
use crate::{config::judge::Settings, identity, peer::Peer, route};

impl Node {
    /// Why a call of a line is left alone, if it is; `called` is the number that is called, in each way in
    /// which it can be read.
    pub(crate) fn aside(
        &self,
        (settings, peer, country): (&Settings, Peer<'_>, Id),
        (direction, line): (Direction, &Line),
        request: &Request,
        called: [&Private<String>; 2],
    ) -> Option<Aside> {
        let numbers = || {
            let callers = identity::callers(request).into_iter();
            let callers = callers.map(|user| route::caller(peer, &user, country));
            called.into_iter().cloned().chain(callers).collect()
        };
        settings.asides.of(direction, line, numbers, self.now())
    }
}
