//! How many files and sockets may be open at a time, what of them is the node's own, and how many
//! calls the rest carries: each is counted before a call is taken, so that none runs out within one.

use rustix::process::{Resource, getrlimit};

use crate::config::judge::Settings;

/// Sockets of a call: RTP and RTCP on two legs. Its lines take what is spare. Nothing else is opened for it
/// alone: its recording is a part of a journal, its rows are of a database, and its messages take the listeners or connections
/// that are counted once.
pub const PER_CALL: u64 = 4;
/// Requests of the operator at a time.
pub const ORDERS: usize = 16;
/// Connections to the page at a time.
pub const VISITORS: usize = 64;
/// Connections to the metrics at a time.
pub const MONITORS: usize = 8;
/// Recordings that are made into objects and stored at a time.
pub const STORES: usize = 16;

/// Files that one request, hearing or storing has open: what it reads, what it writes, its folder.
const FILES: usize = 3;
/// Standard streams, the lock, both runtimes' events and signals, name servers, trial calls.
const ALWAYS: usize = 48;
/// Two writers and eight readers of databases, each with the file, its log and its index.
const DATABASES: usize = 32;
/// Journals that are written, or wait for their store.
const JOURNALS: usize = 16;
/// A media thread's events and bell.
const WORKER: usize = 2;

/// The descriptors of a process, and how many are never a call's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// So many may be open.
    pub limit: u64,
    /// So many are kept for everything but calls.
    pub kept: u64,
}

/// What this process may have open: `serve` raises its limit up to that.
#[must_use]
pub fn limit() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

impl Descriptors {
    /// Those of a node with these settings and so many media threads.
    #[must_use]
    pub fn new(limit: u64, settings: &Settings, workers: usize) -> Self {
        let streams = settings.listeners.iter().any(|one| one.transport.is_reliable());
        let targets = settings.trunks.iter().map(|trunk| &trunk.reach);
        let targets = targets.chain(settings.pbxs.iter().map(|pbx| &pbx.reach));
        // A connection of ours is opened although others have all of theirs.
        let dialled = targets.map(|reach| reach.targets.len()).sum::<usize>();
        let connections = if streams { settings.bounds.limits.total + dialled } else { 0 };
        let page = if settings.portal.is_some() { VISITORS + ORDERS * FILES } else { 0 };
        let kept = ALWAYS
            + DATABASES
            + JOURNALS
            + settings.listeners.len()
            + settings.managers().count()
            + workers * WORKER
            + connections
            + ORDERS * (1 + FILES)
            + page
            + MONITORS
            + STORES * FILES;
        Self { limit, kept: kept as u64 }
    }

    /// How many calls there may be at a time.
    #[must_use]
    pub fn calls(self) -> usize {
        let calls = self.limit.saturating_sub(self.kept) / PER_CALL;
        usize::try_from(calls).unwrap_or(usize::MAX)
    }

    /// The limit that so many calls need.
    #[must_use]
    pub const fn needed(self, calls: usize) -> u64 {
        self.kept.saturating_add((calls as u64).saturating_mul(PER_CALL))
    }

    /// How many no call has taken of late, while so many are `open` for calls. What is lent of them is back
    /// within milliseconds, and the sixteenth that nobody is lent lasts until then.
    #[must_use]
    pub fn spare(self, open: usize) -> usize {
        let calls = self.limit.saturating_sub(self.kept);
        let spare = (calls - calls / 16).saturating_sub(open as u64);
        usize::try_from(spare).unwrap_or(usize::MAX)
    }

    /// Whether one more call may have its sockets while so many are `open`, those that are about to be
    /// closed among them. What is left of the reserve is for emergencies alone, of which so many run.
    #[must_use]
    pub fn has_room(self, open: usize, reserve: usize, emergencies: usize, urgent: bool) -> bool {
        let left = if urgent { 0 } else { reserve.saturating_sub(emergencies) };
        let more = (left as u64).saturating_add(1).saturating_mul(PER_CALL);
        (open as u64).saturating_add(more) <= self.limit.saturating_sub(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{judge, read::read_text};

    const LAB: &str = include_str!("../../../config/lab.toml");

    fn settings(text: &str) -> Settings {
        read_text(text).and_then(|read| judge::judge(read, None)).unwrap()
    }

    #[test]
    fn connections_are_kept_once_and_only_where_there_can_be_any() {
        let udp = Descriptors::new(65_536, &settings(LAB), 1);
        let both =
            LAB.replace("#transport = [\"udp\", \"tcp\"] ", "transport = [\"udp\", \"tcp\"] ");
        let tcp = Descriptors::new(65_536, &settings(&both), 1);
        assert_eq!(tcp.kept - udp.kept, 2_000 + 2 + 1, "connections, targets, a second socket");
        assert_eq!(Descriptors::new(65_536, &settings(LAB), 3).kept, udp.kept + 4);
        assert!(udp.kept < 400, "a thousand descriptors carry {} calls", udp.calls());
    }

    #[test]
    fn what_is_needed_for_some_calls_carries_just_these() {
        let node = |limit| Descriptors { limit, kept: 300 };
        assert_eq!((node(299).calls(), node(303).calls(), node(304).calls()), (0, 0, 1));
        assert_eq!(node(0).needed(100), 700);
        assert_eq!((node(700).calls(), node(699).calls()), (100, 99));
        assert_eq!(node(u64::MAX).needed(usize::MAX), u64::MAX, "no overflow");
    }

    #[test]
    fn what_calls_have_not_taken_is_spare_but_for_a_sixteenth() {
        let node = Descriptors { limit: 1_900, kept: 300 };
        assert_eq!([0, 1_000, 1_499, 1_600].map(|open| node.spare(open)), [1_500, 500, 1, 0]);
        assert_eq!(Descriptors { limit: 0, kept: 300 }.spare(0), 0);
    }

    #[test]
    fn e_04_only_an_emergency_gets_what_is_reserved() {
        let node = Descriptors { limit: 340, kept: 300 };
        let has_room =
            |calls: usize, emergencies, urgent| node.has_room(calls * 4, 4, emergencies, urgent);
        assert!(has_room(5, 0, false) && !has_room(6, 0, false));
        assert!(has_room(6, 0, true) && has_room(9, 3, true) && !has_room(10, 4, true));
        // Emergencies that run have their part of the reserve: nobody else's room is less for it.
        assert!(has_room(7, 2, false) && !has_room(8, 2, false));
        assert!(!has_room(10, 9, false));
        // What calls have given back of theirs is there for others.
        assert!(node.has_room(36, 0, 0, false) && !node.has_room(37, 0, 0, false));
    }
}
