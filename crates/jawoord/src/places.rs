//! Where a called party rings: several places at once, each with sound of its own (rows ).

use sip::{ForkId, Sdp};

/// The descriptions of the places that ring; the one that is heard stands last.
#[derive(Debug, Default)]
pub struct Places(Vec<(ForkId, Sdp)>);

impl Places {
    /// A place rings, perhaps with sound: the last one that has sound and says something is heard.
    /// Its description, if that is another one from now on.
    pub fn rings(&mut self, fork: ForkId, sdp: Option<&Sdp>) -> Option<Sdp> {
        let at = self.0.iter().position(|(known, _)| *known == fork);
        let known = at.map(|at| self.0.remove(at).1);
        let was_heard = at == Some(self.0.len());
        let said = sdp.cloned().or(known)?;
        self.0.push((fork, said.clone()));
        (sdp.is_some() || !was_heard).then_some(said)
    }

    /// A place has given up (199, RFC 6228). The description of the one that is heard instead, if it
    /// was heard and another one is left.
    pub fn gives_up(&mut self, fork: ForkId) -> Option<Sdp> {
        let at = self.0.iter().position(|(known, _)| *known == fork)?;
        self.0.remove(at);
        let was_heard = at == self.0.len();
        self.0.last().filter(|_| was_heard).map(|(_, sdp)| sdp.clone())
    }
}
