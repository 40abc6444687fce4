//! What a new call's line is to its customer: in their language, and whether it is left alone by who calls
//! and is called, and by the hour.

use std::sync::Arc;

use call::{Aside, Direction, Line, Private};
use phonenumber::country::Id;
use sip::Request;

use super::Node;
use crate::{config::judge::Settings, identity, peer::Peer, route, tongues};

impl Node {
    /// A line as its customer hears it: who calls, or whom the PBX calls by `called`.
    pub(crate) fn in_words(
        (settings, peer, country): (&Settings, Peer<'_>, Id),
        (direction, line): (Direction, Arc<Line>),
        request: &Request,
        called: [&Private<String>; 2],
    ) -> Arc<Line> {
        let numbers = || match direction {
            Direction::Inbound => callers(peer, request, country),
            Direction::Outbound => called.into_iter().cloned().collect(),
        };
        settings.tongues.speak(line, &tongues::asked(direction, request), numbers)
    }

    /// Why a call of a line is left alone, if it is; `called` is the number that is called, in each way in
    /// which it can be read.
    pub(crate) fn aside(
        &self,
        (settings, peer, country): (&Settings, Peer<'_>, Id),
        (direction, line): (Direction, &Line),
        request: &Request,
        called: [&Private<String>; 2],
    ) -> Option<Aside> {
        let numbers =
            || called.into_iter().cloned().chain(callers(peer, request, country)).collect();
        settings.asides.of(direction, line, numbers, self.now())
    }
}

/// Everybody whom a request names as who calls.
fn callers(peer: Peer<'_>, request: &Request, country: Id) -> Vec<Private<String>> {
    let callers = identity::callers(request).into_iter();
    callers.map(|user| route::caller(peer, &user, country)).collect()
}
