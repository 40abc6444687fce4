//! Calls that are left alone: what the configuration says of the line, of the numbers and of the hour.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use call::{Aside, DialledPattern, Direction, Line, LineId, Private, TenantId, Time};

use crate::hours::Hours;

/// Numbers with which nothing is asked or recorded, whoever of both calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confidential {
    /// Whose calls; `None` is everybody's.
    pub tenant: Option<TenantId>,
    /// Where they come from: the name of a set, or nothing for those of the configuration itself.
    pub set: Option<&'static str>,
    /// The numbers.
    pub numbers: Vec<DialledPattern>,
}

impl fmt::Display for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.set {
            Some(set) => write!(f, "the confidential numbers of {set}"),
            None => f.write_str("the confidential numbers of this configuration"),
        }
    }
}

/// Which calls are left alone.
#[derive(Clone, Debug, Default)]
pub struct Asides {
    /// Lines for machines.
    pub transparent: BTreeSet<LineId>,
    /// When lines are open that are not always.
    pub hours: BTreeMap<LineId, Arc<Hours>>,
    /// Numbers of helplines.
    pub confidential: Vec<Confidential>,
}

impl Asides {
    /// Why a call of a line is left alone, if it is. Who calls and who is called is `numbers`, in every way
    /// in which they can be read; nobody reads them where there is no list. Only who calls the house finds
    /// it closed: who calls from it is there.
    #[must_use]
    pub fn of(
        &self,
        direction: Direction,
        line: &Line,
        numbers: impl FnOnce() -> Vec<Private<String>>,
        now: Time,
    ) -> Option<Aside> {
        let closed = || self.hours.get(&line.id).is_some_and(|hours| !hours.is_open(now));
        let confides = || {
            let lists = !self.confidential.is_empty();
            lists && self.confides(&line.tenant, &numbers()).is_some()
        };
        if self.transparent.contains(&line.id) {
            Some(Aside::Transparent)
        } else if confides() {
            Some(Aside::Confidential)
        } else if direction == Direction::Inbound && closed() {
            Some(Aside::Closed)
        } else {
            None
        }
    }

    /// The list on which one of these numbers stands, for calls of this tenant.
    #[must_use]
    pub fn confides(
        &self,
        tenant: &TenantId,
        numbers: &[Private<String>],
    ) -> Option<&Confidential> {
        let lists = self.confidential.iter();
        let mut lists = lists.filter(|list| list.tenant.as_ref().is_none_or(|of| of == tenant));
        lists.find(|list| {
            let listed = |number: &Private<String>| {
                list.numbers.iter().any(|pattern| pattern.matches(number.reveal()))
            };
            numbers.iter().any(listed)
        })
    }
}
