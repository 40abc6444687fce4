//! A call that is wanted as a trial: by which trunk, from whom, and whom it must never go to.

use std::fmt;

use call::{Direction, Private};
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use crate::{
    config::{judge::Settings, peers::Trunk},
    number,
    rewrite::{Field, applied},
};

/// Emergency numbers wherever a mobile telephone works (3GPP TS 22.101 §10.1): refused whatever the
/// configuration says.
const ALWAYS: [&str; 2] = ["112", "911"];

/// A trial call, as it is asked for.
#[derive(Clone, Deserialize, Serialize)]
pub struct Wanted {
    /// Whom.
    pub number: String,
    /// Who calls; by default a number of a line.
    pub from: Option<String>,
    /// The trunk; by default the first one that has a target.
    pub trunk: Option<String>,
    /// For how long it listens, in seconds.
    pub seconds: u16,
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted(for {} s)", self.seconds)
    }
}

/// A trial call that may be placed.
#[derive(Debug)]
pub struct Judged {
    /// The trunk's place in the settings.
    pub trunk: usize,
    /// Who calls.
    pub from: Private<String>,
    /// Whom.
    pub number: Private<String>,
}

impl Wanted {
    /// Whether it may be placed, and by which trunk.
    ///
    /// # Errors
    /// What is wrong with it, with the mend.
    pub fn judge(&self, settings: &Settings) -> Result<Judged, Finding> {
        let fail = |found: String, mend: &str| Err(Finding::fail("call", found, mend));
        let can = |trunk: &Trunk| !trunk.reach.targets.is_empty();
        let found = settings.trunks.iter().position(|trunk| match &self.trunk {
            Some(name) => *trunk.name == **name,
            None => can(trunk),
        });
        let Some((place, trunk)) = found.and_then(|at| settings.trunks.get(at).map(|t| (at, t)))
        else {
            let mend = "name one of the [[trunk]] tables; without a name, one must have a `target`";
            return fail("there is no such trunk".to_owned(), mend);
        };
        if !can(trunk) {
            let mend = "give it a `target`, or name another one";
            return fail(format!("trunk \"{}\" has no target", trunk.name), mend);
        }
        let odd = |c: char| !c.is_ascii_alphanumeric() && !"+*#.-".contains(c);
        if self.number.is_empty() || self.number.contains(odd) {
            let mend = "use digits, such as +31201234567";
            return fail("what is to be called is no number".to_owned(), mend);
        }
        let outward = &trunk.reach.rewrites.outward;
        let written = applied(outward, Field::RequestUri, &self.number);
        if [&self.number, &written].into_iter().any(|number| is_urgent(settings, trunk, number)) {
            let mend = "call somebody who expects it";
            return fail("an emergency number is never called as a trial".to_owned(), mend);
        }
        let from = self.from.clone().or_else(|| caller(settings, trunk));
        let from = from.unwrap_or_else(|| "anonymous".to_owned());
        // The octothorpe has a meaning of its own in a URI (RFC 3261 §19.1.2).
        let number = self.number.replace('#', "%23");
        Ok(Judged { trunk: place, from: Private::new(from), number: Private::new(number) })
    }
}

/// Whether a number is one of an emergency, in any of its spellings.
pub(super) fn is_urgent(settings: &Settings, trunk: &Trunk, number: &str) -> bool {
    let bare: String = number.chars().filter(char::is_ascii_alphanumeric).collect();
    let read = number::dialled(number, trunk.country);
    let plain = Private::new(bare.clone());
    settings.emergency.matches(&read)
        || settings.emergency.matches(&plain)
        || ALWAYS.contains(&bare.as_str())
}

/// A number that the trunk knows as one of ours: that of a line that calls out, or our account's.
fn caller(settings: &Settings, trunk: &Trunk) -> Option<String> {
    let calls = |direction: Option<Direction>| direction != Some(Direction::Inbound);
    let lines = settings.lines.iter().filter(|line| calls(line.direction));
    let whole = lines.map(|line| line.pattern.to_string()).find(|number| !number.ends_with('*'));
    whole.or_else(|| trunk.register.as_ref().map(|register| register.contact.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command::check, live::finding::Grade};

    fn settings() -> Settings {
        let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/lab.toml");
        check::settings(lab.as_ref(), None).unwrap()
    }

    fn wanted(number: &str) -> Wanted {
        Wanted { number: number.to_owned(), from: None, trunk: None, seconds: 10 }
    }

    #[test]
    fn a_trial_goes_by_the_first_trunk_that_can_and_comes_from_a_line() {
        let lab = settings();
        let judged = wanted("+31201111111").judge(&lab).unwrap();
        assert_eq!((judged.trunk, judged.from.reveal().as_str()), (0, "+31201234567"));
        let other = Wanted { trunk: Some("other".to_owned()), ..wanted("1") };
        assert_eq!(other.judge(&lab).unwrap_err().grade, Grade::Fail);
        let hash = wanted("*21#").judge(&lab).unwrap();
        assert_eq!(hash.number.reveal(), "*21%23");
    }

    #[test]
    fn e_01_an_emergency_is_never_called_as_a_trial_however_it_is_written() {
        let lab = settings();
        for number in ["112", "0112", "+31112", "911", "1-1-2", "+112", "110"] {
            let refused = wanted(number).judge(&lab).unwrap_err();
            assert!(refused.found.contains("emergency"), "{number}: {refused:?}");
            assert!(!refused.found.contains(number), "{refused:?}");
        }
        for number in ["", "sip:a@b", "a b", "urn:service:sos", "1;2"] {
            assert!(wanted(number).judge(&lab).unwrap_err().found.contains("no number"));
        }
    }

    #[test]
    fn what_is_wanted_shows_no_number_when_it_is_printed() {
        assert_eq!(format!("{:?}", wanted("+31201111111")), "Wanted(for 10 s)");
    }
}
