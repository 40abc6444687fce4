//! Judges which headers cross to and from each peer.

use std::{collections::HashMap, sync::Arc};

use super::{problem::Problem, schema::File, written::Headers};
use crate::identity::rules::{Limits, Rules};

/// What crosses to and from every peer.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// How much.
    pub limits: Limits,
    trunks: HashMap<Box<str>, Arc<Rules>>,
    pbxs: HashMap<Box<str>, Arc<Rules>>,
}

impl Book {
    /// The rules of a trunk; a name that is not configured (any more) has the default ones.
    #[must_use]
    pub fn trunk(&self, name: &str) -> Arc<Rules> {
        self.trunks.get(name).cloned().unwrap_or_default()
    }

    /// The rules of a PBX.
    #[must_use]
    pub fn pbx(&self, name: &str) -> Arc<Rules> {
        self.pbxs.get(name).cloned().unwrap_or_default()
    }
}

/// Judges `[headers]` and the keys `pass`, `block` and `trusted` of every peer.
#[must_use]
pub fn book(file: &File, problems: &mut Vec<Problem>) -> Book {
    let Headers { value_octets, total_octets } = file.headers;
    // A UDP message cannot be longer than this.
    for (key, octets) in [("value_octets", value_octets), ("total_octets", total_octets)] {
        if !(64..=60_000).contains(&octets) {
            problems.push(Problem::value("headers", key, octets, "use 64 to 60000"));
        }
    }
    let mut rules = |kind: &str, name: &str, pass: Option<&[String]>, block: &[String], trusted| {
        let place = format!("{kind} \"{name}\"");
        let mend = "use header names such as \"P-Early-Media\" or \"X-*\", and \"default\" in \
                    `pass` for the usual ones";
        match Rules::new(pass, block, trusted) {
            Ok(rules) => Some((name.into(), rules)),
            Err(bad) => {
                let listed = pass.unwrap_or_default().iter().any(|text| **text == *bad);
                let key = if listed { "pass" } else { "block" };
                problems.push(Problem::value(&*place, key, &*bad, mend));
                None
            }
        }
    };
    let trunks = file.trunk.iter().filter_map(|trunk| {
        let (name, rules) =
            rules("trunk", &trunk.name, trunk.pass.as_deref(), &trunk.block, trunk.trusted)?;
        Some((name, Arc::new(rules)))
    });
    let trunks = trunks.collect();
    let pbxs = file.pbx.iter().filter_map(|pbx| {
        let (name, mut rules) =
            rules("pbx", &pbx.name, pbx.pass.as_deref(), &pbx.block, pbx.trusted)?;
        rules.asserts_agents = pbx.asserts_agents;
        Some((name, Arc::new(rules)))
    });
    Book { limits: Limits { value_octets, total_octets }, pbxs: pbxs.collect(), trunks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Problems;

    fn judged(text: &str) -> (Book, String) {
        let mut problems = Vec::new();
        let book = book(&toml::from_str(text).unwrap(), &mut problems);
        (book, Problems(&problems).to_string())
    }

    #[test]
    fn r_09_each_peer_has_its_own_lists() {
        let (book, problems) = judged(
            "[[trunk]]\nname = \"carrier\"\nnetworks = []\npass = [\"default\", \"P-Early-Media\"]\n\
             block = [\"X-*\"]\ntrusted = false\n[[pbx]]\nname = \"carrier\"\naddress = \"192.0.2.1:5060\"\n",
        );
        assert_eq!(problems, "");
        let (trunk, pbx) = (book.trunk("carrier"), book.pbx("carrier"));
        assert!(trunk.pass(b"P-Early-Media") && !trunk.pass(b"X-A") && !trunk.trusted);
        assert!(!pbx.pass(b"P-Early-Media") && pbx.pass(b"X-A") && pbx.trusted);
        assert!(!pbx.asserts_agents, "what a queue asserts is no agent, unless it is said so");
    }

    #[test]
    fn a_name_that_is_no_header_is_refused_with_its_key() {
        let pbx = "[[pbx]]\nname = \"p\"\naddress = \"192.0.2.1:5060\"\n";
        let (_, problems) = judged(&format!("{pbx}block = [\"X A\"]\n"));
        assert!(problems.contains("pbx \"p\": `block` is \"X A\""), "{problems}");
        let (_, problems) = judged("[headers]\nvalue_octets = 1\n");
        assert!(problems.contains("`value_octets` is \"1\""), "{problems}");
    }
}
