//! Which PBX is up: OPTIONS answered or missed (row R-17).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::config::judge::Pbx;

/// Pings missed before a target counts as down.
const MISSES: u8 = 2;

/// A target and what is known of it.
#[derive(Clone, Debug)]
struct Target {
    address: SocketAddr,
    keepalive: Option<Duration>,
    missed: u8,
    next_ping: Option<Instant>,
    pinging: bool,
}

/// All targets in the order in which they are tried.
#[derive(Clone, Debug, Default)]
pub struct Targets(Vec<Target>);

impl Targets {
    /// All are taken to be up until they have missed two pings.
    #[must_use]
    pub fn new(pbxs: &[Pbx], now: Instant) -> Self {
        let target = |pbx: &Pbx| Target {
            address: pbx.address,
            keepalive: pbx.keepalive,
            missed: 0,
            next_ping: pbx.keepalive.map(|_| now),
            pinging: false,
        };
        Self(pbxs.iter().map(target).collect())
    }

    /// Takes a new list and keeps what is known of targets that stay.
    pub fn renew(&mut self, pbxs: &[Pbx], now: Instant) {
        let mut new = Self::new(pbxs, now);
        for target in &mut new.0 {
            if let Some(old) = self.0.iter().find(|old| old.address == target.address) {
                target.missed = old.missed;
            }
        }
        *self = new;
    }

    /// The first target that is not known to be down.
    #[must_use]
    pub fn best(&self) -> Option<SocketAddr> {
        self.0.iter().find(|target| target.missed < MISSES).map(|target| target.address)
    }

    /// Any target: where an emergency goes even when all are known to be down.
    #[must_use]
    pub fn any(&self) -> Option<SocketAddr> {
        self.best().or_else(|| self.0.first().map(|target| target.address))
    }

    /// When the next ping is due.
    #[must_use]
    pub fn next_ping(&self) -> Option<Instant> {
        self.0.iter().filter(|target| !target.pinging).filter_map(|target| target.next_ping).min()
    }

    /// The targets to ping now.
    pub fn due(&mut self, now: Instant) -> Vec<(usize, SocketAddr)> {
        let due = |target: &Target| !target.pinging && target.next_ping.is_some_and(|at| at <= now);
        let mut pings = Vec::new();
        for (index, target) in self.0.iter_mut().enumerate() {
            if due(target) {
                target.pinging = true;
                pings.push((index, target.address));
            }
        }
        pings
    }

    /// A ping came back, or did not. Returns the target's new state when it has changed.
    pub fn pong(&mut self, index: usize, answered: bool, now: Instant) -> Option<bool> {
        let target = self.0.get_mut(index)?;
        let was_up = target.missed < MISSES;
        target.pinging = false;
        target.next_ping = target.keepalive.map(|wait| now + wait);
        target.missed = if answered { 0 } else { target.missed.saturating_add(1) };
        let is_up = target.missed < MISSES;
        (is_up != was_up).then_some(is_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pbx(port: u16) -> Pbx {
        Pbx {
            name: "pbx".into(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            keepalive: Some(Duration::from_secs(30)),
        }
    }

    #[test]
    fn r_17_a_target_is_down_after_two_misses_and_up_after_one_answer() {
        let now = Instant::now();
        let mut targets = Targets::new(&[pbx(1), pbx(2)], now);
        assert_eq!(targets.due(now).len(), 2);
        assert_eq!(targets.due(now).len(), 0);
        assert_eq!(targets.pong(0, false, now), None);
        assert_eq!(targets.best().map(|best| best.port()), Some(1));
        assert_eq!(targets.pong(0, false, now), Some(false));
        assert_eq!(targets.best().map(|best| best.port()), Some(2));
        assert_eq!(targets.pong(0, true, now), Some(true));
        assert_eq!(targets.best().map(|best| best.port()), Some(1));
    }

    #[test]
    fn e_06_an_emergency_has_a_target_even_when_all_are_down() {
        let now = Instant::now();
        let mut targets = Targets::new(&[pbx(1)], now);
        let _down = (targets.pong(0, false, now), targets.pong(0, false, now));
        assert_eq!((targets.best(), targets.any().map(|any| any.port())), (None, Some(1)));
    }
}
