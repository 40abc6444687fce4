//! The connections of a node: which one a message takes, and who may have how many.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use sip::Remote;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all.
    pub total: usize,
    /// From one address that no trunk and no PBX has.
    pub per_source: usize,
    /// That nobody has sent a whole message by yet.
    pub half_open: usize,
}

/// A connection. No two of one node have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(u64);

/// A connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// One connection.
#[derive(Debug)]
pub struct Row<H> {
    /// Its far end.
    pub remote: Remote,
    /// What the shell keeps of it.
    pub handle: H,
    /// Where requests that went by it were sent to: nobody will answer them once it is gone.
    pub asked: Vec<Remote>,
    /// A whole message has come by it: both sides have used it.
    pub heard: bool,
    /// Somebody has sent a whole message, or we opened it.
    proven: bool,
    /// It came from an address that no trunk and no PBX has.
    strange: bool,
}

/// How many destinations of one connection are remembered.
const ASKED: usize = 16;

/// All connections, by number and by far end.
#[derive(Debug)]
pub struct Table<H> {
    limits: Limits,
    counter: u64,
    rows: BTreeMap<Number, Row<H>>,
    /// The latest connection of a far end, and the one that a peer wants its requests by.
    ends: HashMap<Remote, Number>,
    strangers: HashMap<IpAddr, usize>,
}

impl<H> Table<H> {
    /// No connection yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (rows, ends, strangers) = (BTreeMap::new(), HashMap::new(), HashMap::new());
        Self { limits, counter: 0, rows, ends, strangers }
    }

    /// Other limits, from now on.
    pub const fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes a connection that somebody opened to us. Of those that have said nothing yet the oldest
    /// gives way when there are too many (row S-15); the number that is returned beside the new one
    /// is to be closed.
    ///
    /// # Errors
    /// Its source has its share, or there is no room at all.
    pub fn admit(
        &mut self,
        remote: Remote,
        known: bool,
        handle: H,
    ) -> Result<(Number, Option<Number>), Full> {
        let source = remote.address.ip();
        if !known && self.strangers.get(&source).is_some_and(|held| *held >= self.limits.per_source)
        {
            return Err(Full);
        }
        let silent = self.rows.values().filter(|row| !row.proven).count();
        let full = self.rows.len() >= self.limits.total;
        // Strangers leave half of the room to trunks and PBXs.
        let crowded = !known && self.strangers.values().sum::<usize>() >= self.limits.total / 2;
        let evicted = if full || crowded || silent >= self.limits.half_open {
            let oldest = self.rows.iter().find(|(_, row)| !row.proven && (row.strange || !full));
            Some(oldest.map(|(number, _)| *number).ok_or(Full)?)
        } else {
            None
        };
        if !known {
            *self.strangers.entry(source).or_default() += 1;
        }
        let number = self.add(remote, handle, false, !known);
        Ok((number, evicted))
    }

    /// Notes a connection that we open. Those are few, and never refused.
    pub fn dial(&mut self, remote: Remote, handle: H) -> Number {
        self.add(remote, handle, true, false)
    }

    fn add(&mut self, remote: Remote, handle: H, proven: bool, strange: bool) -> Number {
        self.counter += 1;
        let number = Number(self.counter);
        self.ends.insert(remote, number);
        let asked = Vec::new();
        self.rows.insert(number, Row { remote, handle, asked, heard: false, proven, strange });
        number
    }

    /// The connection that a message takes: `over` if it is open, else the one to `remote`.
    #[must_use]
    pub fn find(&self, remote: Remote, over: Option<Remote>) -> Option<Number> {
        over.and_then(|over| self.ends.get(&over)).or_else(|| self.ends.get(&remote)).copied()
    }

    /// A connection by its number.
    #[must_use]
    pub fn row(&self, number: Number) -> Option<&Row<H>> {
        self.rows.get(&number)
    }

    /// What the shell keeps of a connection.
    pub fn handle(&mut self, number: Number) -> Option<&mut H> {
        self.rows.get_mut(&number).map(|row| &mut row.handle)
    }

    /// A whole message has come by it.
    pub fn prove(&mut self, number: Number) {
        if let Some(row) = self.rows.get_mut(&number) {
            row.proven = true;
            row.heard = true;
        }
    }

    /// The connection takes no message any more, and its end is on the way.
    pub fn leave(&mut self, number: Number) {
        self.ends.retain(|_, held| *held != number);
    }

    /// A message to `remote` goes by it.
    pub fn asks(&mut self, number: Number, remote: Remote) {
        if let Some(row) = self.rows.get_mut(&number)
            && !row.asked.contains(&remote)
        {
            if row.asked.len() >= ASKED {
                row.asked.remove(0);
            }
            row.asked.push(remote);
        }
    }

    /// The peer wants our requests to `remote` by it (RFC 5923). It can speak for its own address
    /// only, and a connection that leads there already stays.
    pub fn alias(&mut self, number: Number, remote: Remote) {
        let own = self
            .rows
            .get(&number)
            .is_some_and(|row| row.proven && row.remote.address.ip() == remote.address.ip());
        if own {
            self.ends.entry(remote).or_insert(number);
        }
    }

    /// The connection is over.
    pub fn remove(&mut self, number: Number) -> Option<Row<H>> {
        let row = self.rows.remove(&number)?;
        self.leave(number);
        let source = row.remote.address.ip();
        if row.strange
            && let Some(held) = self.strangers.get_mut(&source)
        {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.strangers.remove(&source);
            }
        }
        Some(row)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use sip::{ListenerId, Transport};

    use super::*;

    fn remote(address: &str) -> Remote {
        let address = address.parse().unwrap();
        Remote { address, listener: ListenerId(0), transport: Transport::Tcp }
    }

    fn table(total: usize, per_source: usize, half_open: usize) -> Table<()> {
        Table::new(Limits { total, per_source, half_open })
    }

    #[test]
    fn s_08_a_message_takes_the_connection_it_belongs_to_then_the_one_that_leads_there() {
        let mut table = table(10, 10, 10);
        let (came, _) = table.admit(remote("192.0.2.9:40000"), true, ()).unwrap();
        let (to, over) = (remote("192.0.2.9:5060"), Some(remote("192.0.2.9:40000")));
        assert_eq!(table.find(to, over), Some(came));
        assert_eq!(table.find(to, None), None);
        let ours = table.dial(to, ());
        assert_eq!(table.find(to, None), Some(ours));
        assert_eq!(table.find(to, over), Some(came));
        table.remove(came).unwrap();
        assert_eq!(table.find(to, over), Some(ours), "what it came by is gone");
        let other = Remote { listener: ListenerId(1), ..to };
        assert_eq!(table.find(other, None), None, "a connection belongs to its listener");
        table.remove(ours).unwrap();
        assert!(table.is_empty() && table.ends.is_empty() && table.strangers.is_empty());
    }

    #[test]
    fn s_08_a_peer_may_have_our_requests_by_its_own_connection_and_by_nobody_elses() {
        let mut table = table(10, 10, 10);
        let (came, _) = table.admit(remote("192.0.2.9:40000"), false, ()).unwrap();
        table.alias(came, remote("192.0.2.9:5060"));
        assert_eq!(table.find(remote("192.0.2.9:5060"), None), None, "it has said nothing yet");
        table.prove(came);
        table.alias(came, remote("192.0.2.9:5060"));
        table.alias(came, remote("192.0.2.10:5060"));
        assert_eq!(table.find(remote("192.0.2.9:5060"), None), Some(came));
        assert_eq!(table.find(remote("192.0.2.10:5060"), None), None);
        table.remove(came).unwrap();
        assert_eq!(table.find(remote("192.0.2.9:5060"), None), None);
    }

    #[test]
    fn s_15_one_stranger_has_its_share_and_a_trunk_has_no_limit_but_the_room() {
        let mut table = table(10, 2, 10);
        let mut taken = Vec::new();
        for port in 1..4 {
            taken.push(table.admit(remote(&format!("192.0.2.9:{port}")), false, ()));
        }
        assert_eq!(taken[2], Err(Full));
        assert!(table.admit(remote("192.0.2.10:1"), false, ()).is_ok());
        for port in 1..5 {
            assert!(table.admit(remote(&format!("192.0.2.1:{port}")), true, ()).is_ok());
        }
        let (first, _) = taken[0].unwrap();
        table.remove(first).unwrap();
        assert!(table.admit(remote("192.0.2.9:9"), false, ()).is_ok());
    }

    #[test]
    fn s_15_of_connections_that_say_nothing_the_oldest_gives_way_and_none_that_has_spoken() {
        let mut table = table(100, 100, 2);
        let (spoken, _) = table.admit(remote("192.0.2.9:1"), false, ()).unwrap();
        table.prove(spoken);
        let (oldest, none) = table.admit(remote("192.0.2.9:2"), false, ()).unwrap();
        assert_eq!(none, None);
        let _second = table.admit(remote("192.0.2.9:3"), false, ()).unwrap();
        let (_, evicted) = table.admit(remote("192.0.2.1:4"), true, ()).unwrap();
        assert_eq!(evicted, Some(oldest));
        assert!(table.row(spoken).is_some());
    }

    #[test]
    fn s_15_strangers_leave_half_of_the_room_to_trunks() {
        let mut table = table(4, 100, 100);
        for port in 1..3 {
            let (number, _) = table.admit(remote(&format!("192.0.2.{port}:1")), false, ()).unwrap();
            table.prove(number);
        }
        assert_eq!(table.admit(remote("192.0.2.3:1"), false, ()), Err(Full));
        for port in 1..3 {
            let (number, _) = table.admit(remote(&format!("192.0.2.9:{port}")), true, ()).unwrap();
            table.prove(number);
        }
        assert_eq!(table.admit(remote("192.0.2.9:3"), true, ()), Err(Full), "no room at all");
    }

    #[test]
    fn what_was_asked_by_a_connection_is_known_when_it_ends() {
        let mut table = table(4, 4, 4);
        let number = table.dial(remote("192.0.2.9:5060"), ());
        for port in [5060, 5060, 5070] {
            table.asks(number, remote(&format!("192.0.2.9:{port}")));
        }
        table.leave(number);
        assert_eq!(table.find(remote("192.0.2.9:5060"), None), None, "nothing more goes by it");
        let row = table.remove(number).unwrap();
        assert_eq!(row.asked, [remote("192.0.2.9:5060"), remote("192.0.2.9:5070")]);
        assert!(!row.heard, "nobody has said anything by it");
    }
}
