//! A peer that must prove itself before its calls are taken (row B-23).

use std::sync::Arc;

use sip::{Admission, LegId};

use super::Node;
use crate::{peer::Peer, session::Session};

impl Node {
    /// May this peer's call go on? One that has to prove itself first has been answered 401. An
    /// emergency is never asked.
    pub(crate) fn is_proven(&mut self, peer: Peer<'_>, leg: LegId, emergency: bool) -> bool {
        let Some(proof) = peer.reach().challenge.as_ref().filter(|_| !emergency) else {
            return true;
        };
        let lookup = |user: &str| (*user == *proof.user).then_some(&proof.secret);
        match self.endpoint.admit(self.instant, leg, &proof.demand, lookup) {
            Ok(Admission::Known(_)) => true,
            Ok(Admission::Challenged) => false,
            Err(error) => {
                tracing::debug!(%error, "asking for a proof");
                false
            }
        }
    }

    /// Gives the leg that called what its peer's challenges are answered with. Only where a realm is
    /// named: whoever calls could otherwise ask for a proof (row B-24).
    pub(crate) fn equips(&mut self, session: &Session, leg: LegId) {
        let digest = session.origin.digest.as_ref();
        let Some(credentials) = digest.filter(|ours| ours.realm.is_some()) else { return };
        if let Err(error) = self.endpoint.equip(leg, Arc::clone(credentials)) {
            tracing::debug!(%error, "credentials for the leg that called");
        }
    }
}
