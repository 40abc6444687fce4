//! A peer that must prove itself before its calls are taken (row B-23).

use sip::{Admission, LegId};

use super::Node;
use crate::peer::Peer;

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
}
