//! Keys that come and go by SIP INFO (rows D-13, D-14, D-19). The media worker counts them together with
//! those that come with the sound, so that one press is one key by whichever ways it came.

use std::time::Duration;

use call::{CallId, Key, Party, Private, Raw};
use ledger::Station;
use sip::{Method, Pressed, Request};

use super::{
    Node,
    place::{far, near},
};
use crate::{session::Session, wires::Side};

/// How long a key was held whose sender does not say.
const HELD: Duration = Duration::from_millis(100);

impl Node {
    /// A side tells of a key. What is no key is passed over: it has been answered.
    pub(crate) fn informed(&self, session: &Session, side: Side, request: &Request) {
        let Some(Pressed { key, held_ms }) = sip::pressed(request.message()) else { return };
        let Ok(key) = Key::new(key) else { return };
        let held = held_ms.map_or(HELD, |ms| Duration::from_millis(ms.into()));
        let body = Private::new(Raw::new(request.message().body()));
        self.sound.press(session, side, key, held, body);
    }

    /// Tells a party of a key that the other one pressed.
    pub(crate) fn informs(&mut self, call: CallId, to: Party, key: Key, held: Duration) {
        let now = self.now();
        let Some(session) = self.sessions.get_mut(&call) else { return };
        let side = session.side(to);
        let Some(leg) = session.wires.leg(side) else { return };
        let held_ms = u16::try_from(held.as_millis()).unwrap_or(u16::MAX);
        let body = sip::pressing(Pressed { key: key.reveal(), held_ms: Some(held_ms) });
        match self.endpoint.send(self.instant, leg, Method::INFO, &[], Some(&body)) {
            Ok(_) => {
                let to = match side {
                    Side::Near => near(session.direction()),
                    Side::Far => far(session.direction()),
                };
                session.ladder.add(now, Station::Node, to, "INFO");
            }
            Err(error) => tracing::debug!(%call, %error, "telling of a key"),
        }
    }
}
