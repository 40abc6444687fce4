//! The rule that the domain and the protocol meet in one file only.

use quote::ToTokens;

use crate::{
    house::{Finding, House, Rule},
    token,
};

/// DESIGN §2: `bridge` is the only file that speaks both SIP and `call`.
///
/// To hold an id of the domain beside a leg is not to speak; to name the machine's doors is.
pub(crate) const TWO_TONGUES: Rule = Rule {
    name: "two-tongues",
    law: "in the daemon only bridge names both SIP and the doors of the call machine",
    check: tongues,
};

/// What goes into the machine and what comes out.
const DOORS: [&str; 4] = ["Input", "Action", "Failure", "Cause"];

fn tongues(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.product().filter(|source| source.crate_name == "jawoord") {
        let inner = source.path.trim_start_matches("crates/jawoord/src/");
        if inner == "bridge.rs" || inner.starts_with("bridge/") {
            continue;
        }
        let domain = words_of(&source.product, "call");
        let door = domain.iter().find(|(word, _)| DOORS.contains(&word.as_str()));
        if let (Some((door, line)), false) = (door, words_of(&source.product, "sip").is_empty()) {
            findings.push(Finding::new(&source.path, *line, format!("names sip and call::{door}")));
        }
    }
    findings
}

/// The words a file takes from a crate, by import or by path, each with its line.
fn words_of(file: &syn::File, tongue: &str) -> Vec<(String, usize)> {
    let mut words = Vec::new();
    for item in &file.items {
        let tokens = token::flatten(item.to_token_stream());
        if let syn::Item::Use(import) = item {
            if let syn::UseTree::Path(path) = &import.tree
                && path.ident == tongue
            {
                words.extend(tokens.into_iter().map(|token| (token.text, token.line)));
            }
            continue;
        }
        for (path, line) in token::paths(&tokens) {
            if path.len() > 1 && path.first().is_some_and(|first| first == tongue) {
                words.extend(path.into_iter().map(|word| (word, line)));
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_file_that_speaks_both_is_found() {
        for both in [
            "use call::{CallId, Input};\nfn f() { sip::wire::parse(b); }\n",
            "use sip::Event;\nfn f() { handle(call::Input::Committed); }\n",
        ] {
            let found = tongues(&House::of(&[("crates/jawoord/src/listen.rs", both)]));
            assert_eq!(found.len(), 1, "{both}");
            assert!(tongues(&House::of(&[("crates/jawoord/src/bridge.rs", both)])).is_empty());
        }
    }

    #[test]
    fn a_file_that_speaks_one_of_them_is_fine() {
        for one in [
            "use sip::{Event, Endpoint};\nfn f(call: u8) { call.min(1); }\n",
            "use sip::LegId;\nuse call::{CallId, Time};\n",
            "use call::{Input, Action};\nuse media::Event;\n",
        ] {
            assert!(
                tongues(&House::of(&[("crates/jawoord/src/listen.rs", one)])).is_empty(),
                "{one}"
            );
        }
    }
}
