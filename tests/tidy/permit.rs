//! The rule about the one file that a court's expert reads: short, uncopyable, granted once.

use quote::ToTokens;

use crate::{
    house::{Finding, House, Rule, Source},
    strip, token,
};

/// DESIGN invariant 1: only `permit.rs` mints a permit, and it is the whole audit surface.
pub(crate) const PERMIT: Rule = Rule {
    name: "permit",
    law: "permit.rs is at most 150 lines, Permit and Leash cannot be copied or made up, and one \
          place grants them",
    check: permits,
};

const FILE: &str = "crates/call/src/permit.rs";
const MOST_LINES: usize = 150;
const PROOFS: [&str; 2] = ["Permit", "Leash"];
const FORGERIES: [&str; 6] = ["Clone", "Copy", "Default", "Deserialize", "From", "TryFrom"];

fn permits(house: &House) -> Vec<Finding> {
    let Some(source) = house.sources.iter().find(|source| source.path == FILE) else {
        return vec![Finding::new(FILE, 0, "is missing")];
    };
    let mut findings = Vec::new();
    if source.lines > MOST_LINES {
        findings.push(Finding::new(FILE, 0, format!("{} lines", source.lines)));
    }
    for item in &source.product.items {
        findings.extend(forgeries(item));
    }
    let grants: Vec<_> = house.product().flat_map(grants).collect();
    if grants.len() != 1 {
        findings.push(Finding::new(FILE, 0, format!("granted in {} places", grants.len())));
        findings.extend(grants);
    }
    findings
}

/// Public fields, derived copies and conversions of the two proof values.
fn forgeries(item: &syn::Item) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = |line: usize, what: String| findings.push(Finding::new(FILE, line, what));
    if let syn::Item::Struct(structure) = item
        && PROOFS.iter().any(|proof| structure.ident == proof)
    {
        for field in &structure.fields {
            if !matches!(field.vis, syn::Visibility::Inherited) {
                found(
                    structure.ident.span().start().line,
                    "has a field that others can set".into(),
                );
            }
        }
        for attribute in strip::attributes(item) {
            for word in token::flatten(attribute.meta.to_token_stream()) {
                if FORGERIES.contains(&word.text.as_str()) {
                    found(word.line, format!("derives {}", word.text));
                }
            }
        }
    }
    if let syn::Item::Impl(block) = item
        && let Some((made, _)) = &block.trait_
        && let Some(last) = made.segments.last()
        && FORGERIES.iter().any(|forgery| last.ident == forgery)
    {
        found(last.ident.span().start().line, format!("implements {}", last.ident));
    }
    findings
}

/// Every call of `Permit::grant` outside of tests.
fn grants(source: &Source) -> Vec<Finding> {
    let tokens = token::flatten(source.product.to_token_stream());
    let lines = token::lines_of(&tokens, "Permit : : grant");
    lines.into_iter().map(|line| Finding::new(&source.path, line, "Permit::grant")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: (&str, &str) = ("crates/call/src/machine.rs", "fn a() { Permit::grant(d); }\n");

    fn found(permit: &str) -> usize {
        permits(&House::of(&[(FILE, permit), MACHINE])).len()
    }

    #[test]
    fn a_permit_that_can_be_copied_or_made_up_is_found() {
        assert_eq!(found("pub struct Permit { a: u8 }\n"), 0);
        assert_eq!(found("#[derive(Clone)]\npub struct Permit { a: u8 }\n"), 1);
        assert_eq!(found("#[derive(serde::Deserialize)]\npub struct Leash { a: u8 }\n"), 1);
        assert_eq!(found("pub struct Permit { pub(crate) a: u8 }\n"), 1);
        assert_eq!(found("pub struct Permit { a: u8 }\nimpl Default for Permit {}\n"), 1);
    }

    #[test]
    fn a_long_permit_file_is_found() {
        assert_eq!(found(&"// a line\n".repeat(151)), 1);
    }

    #[test]
    fn a_second_place_that_grants_is_found() {
        let other = ("crates/call/src/other.rs", "fn b() { crate::Permit::grant(d); }\n");
        assert_eq!(permits(&House::of(&[(FILE, ""), MACHINE, other])).len(), 3);
        assert_eq!(permits(&House::of(&[(FILE, "")])).len(), 1);
    }
}
