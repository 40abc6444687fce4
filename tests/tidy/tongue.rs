//! The rule that the domain and the protocol meet in one file only.

use quote::ToTokens;

use crate::{
    house::{Finding, House, Rule},
    token,
};

/// DESIGN §2: `bridge` is the only file that speaks both SIP and `call`.
pub(crate) const TWO_TONGUES: Rule = Rule {
    name: "two-tongues",
    law: "in the daemon only bridge speaks both SIP and the domain",
    check: tongues,
};

fn tongues(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.product().filter(|source| source.crate_name == "jawoord") {
        let inner = source.path.trim_start_matches("crates/jawoord/src/");
        if inner == "bridge.rs" || inner.starts_with("bridge/") {
            continue;
        }
        let tokens = token::flatten(source.product.to_token_stream());
        let paths = token::paths(&tokens);
        let names = |tongue: &str| {
            let first = |path: &Vec<String>| path.first().is_some_and(|word| word == tongue);
            paths.iter().find(|(path, _)| path.len() > 1 && first(path)).map(|(_, line)| *line)
        };
        // `use call::{…}` flattens to a lone word before a brace, so imports are asked separately.
        let speaks = |tongue: &str| names(tongue).or_else(|| imported(&source.product, tongue));
        if let (Some(_), Some(line)) = (speaks("call"), speaks("sip")) {
            findings.push(Finding::new(&source.path, line, "names both sip and call"));
        }
    }
    findings
}

/// The line on which a crate is imported from with a group or a glob.
fn imported(file: &syn::File, tongue: &str) -> Option<usize> {
    file.items.iter().find_map(|item| match item {
        syn::Item::Use(import) => match &import.tree {
            syn::UseTree::Path(path) if path.ident == tongue => {
                Some(path.ident.span().start().line)
            }
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_file_that_speaks_both_is_found() {
        let both = "use call::{CallId, Input};\nfn f() { sip::wire::parse(b); }\n";
        let found = tongues(&House::of(&[("crates/jawoord/src/listen.rs", both)]));
        assert_eq!(found.len(), 1);
        assert!(tongues(&House::of(&[("crates/jawoord/src/bridge.rs", both)])).is_empty());
    }

    #[test]
    fn a_file_that_speaks_one_of_them_is_fine() {
        let one = "use sip::{Event, Endpoint};\nfn f(call: u8) { call.min(1); }\n";
        assert!(tongues(&House::of(&[("crates/jawoord/src/listen.rs", one)])).is_empty());
    }
}
