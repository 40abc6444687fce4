//! Rules about shapes that hide something: shared locks, sentences in errors, wildcard arms.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::{
    house::{Finding, House, Rule},
    token,
};

/// STYLE: no `Arc<Mutex<…>>` but on a short list with reasons.
pub(crate) const SHARED_LOCK: Rule = Rule {
    name: "shared-lock",
    law: "no Arc<Mutex<…>>: one owner, and messages",
    check: shared_locks,
};

/// STYLE: no `String` inside an error variant.
pub(crate) const STRING_IN_ERROR: Rule = Rule {
    name: "string-in-error",
    law: "an error's variants carry data, not sentences",
    check: strings_in_errors,
};

/// STYLE: no wildcard arm over our own enums.
pub(crate) const WILDCARD_ARM: Rule = Rule {
    name: "wildcard-arm",
    law: "a match over an enum of ours names every case, so that a new case is a compile error",
    check: wildcard_arms,
};

fn shared_locks(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.product() {
        let tokens = token::flatten(source.product.to_token_stream());
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.text == "Arc") {
            // Skip what may stand between the two words: `<`, `::new(` and the lock's own path.
            let joint = |text: &str| {
                matches!(text, "<" | ":" | "(" | "new" | "std" | "sync" | "tokio" | "parking_lot")
            };
            let next = tokens.iter().skip(at + 1).find(|token| !joint(&token.text));
            if next.is_some_and(|next| matches!(next.text.as_str(), "Mutex" | "RwLock")) {
                findings.push(Finding::new(&source.path, token.line, "Arc around a lock"));
            }
        }
    }
    findings
}

fn strings_in_errors(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.product() {
        for item in &source.product.items {
            let (name, fields) = match item {
                syn::Item::Enum(item) => (&item.ident, item.variants.to_token_stream()),
                syn::Item::Struct(item) => (&item.ident, item.fields.to_token_stream()),
                _ => continue,
            };
            if !name.to_string().ends_with("Error") {
                continue;
            }
            for token in token::flatten(fields).iter().filter(|token| token.text == "String") {
                findings.push(Finding::new(&source.path, token.line, format!("String in {name}")));
            }
        }
    }
    findings
}

fn wildcard_arms(house: &House) -> Vec<Finding> {
    let mut ours = BTreeSet::new();
    for source in house.product() {
        for_each_item(&source.product.items, &mut |item| {
            if let syn::Item::Enum(item) = item {
                ours.insert(item.ident.to_string());
            }
        });
    }
    let mut findings = Vec::new();
    for source in house.product() {
        let foreign = foreign_names(&source.product);
        let mut reader = Reader {
            file: &source.path,
            ours: &ours,
            foreign,
            own_type: None,
            findings: Vec::new(),
        };
        reader.visit_file(&source.product);
        findings.append(&mut reader.findings);
    }
    findings
}

fn for_each_item(items: &[syn::Item], visit: &mut impl FnMut(&syn::Item)) {
    for item in items {
        visit(item);
        if let syn::Item::Mod(module) = item
            && let Some((_, items)) = &module.content
        {
            for_each_item(items, visit);
        }
    }
}

/// Names a file imports from crates that are not ours: they may sound like an enum of ours.
fn foreign_names(file: &syn::File) -> BTreeSet<String> {
    const OURS: [&str; 11] = [
        "crate", "self", "super", "call", "sip", "media", "vault", "ledger", "portal", "verify",
        "jawoord",
    ];
    let mut names = BTreeMap::new();
    for item in &file.items {
        if let syn::Item::Use(import) = item {
            let tokens = token::flatten(import.tree.to_token_stream());
            let first = tokens.first().map(|token| token.text.clone()).unwrap_or_default();
            for token in &tokens {
                names.insert(token.text.clone(), OURS.contains(&first.as_str()));
            }
        }
    }
    names.into_iter().filter(|(_, ours)| !ours).map(|(name, _)| name).collect()
}

struct Reader<'a> {
    file: &'a str,
    ours: &'a BTreeSet<String>,
    foreign: BTreeSet<String>,
    own_type: Option<String>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    /// The enum of ours that a pattern names, looking through what merely wraps it.
    fn named(&self, pattern: &syn::Pat) -> Option<String> {
        match pattern {
            syn::Pat::Or(or) => or.cases.iter().find_map(|case| self.named(case)),
            syn::Pat::Paren(paren) => self.named(&paren.pat),
            syn::Pat::Reference(reference) => self.named(&reference.pat),
            syn::Pat::Guard(guard) => self.named(&guard.pat),
            syn::Pat::Tuple(tuple) => tuple.elems.iter().find_map(|elem| self.named(elem)),
            syn::Pat::Path(path) => self.enum_in(&path.path),
            syn::Pat::Struct(structure) => self.enum_in(&structure.path),
            syn::Pat::TupleStruct(tuple) => self
                .enum_in(&tuple.path)
                .or_else(|| tuple.elems.iter().find_map(|elem| self.named(elem))),
            _ => None,
        }
    }

    fn enum_in(&self, path: &syn::Path) -> Option<String> {
        let before_last = path.segments.len().checked_sub(2)?;
        let name = path.segments.get(before_last)?.ident.to_string();
        let name = if name == "Self" { self.own_type.clone()? } else { name };
        (self.ours.contains(&name) && !self.foreign.contains(&name)).then_some(name)
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        let outer = self.own_type.take();
        if let syn::Type::Path(path) = &*block.self_ty {
            self.own_type = path.path.segments.last().map(|segment| segment.ident.to_string());
        }
        visit::visit_item_impl(self, block);
        self.own_type = outer;
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        let named = expression.arms.iter().find_map(|arm| self.named(&arm.pat));
        let open = expression.arms.iter().find(|arm| takes_anything(&arm.pat));
        if let (Some(name), Some(arm)) = (named, open) {
            let line = arm.span().start().line;
            let what = format!("a wildcard arm in a match over {name}");
            self.findings.push(Finding::new(self.file, line, what));
        }
        visit::visit_expr_match(self, expression);
    }
}

/// `_ =>` or `other =>`, without a guard.
fn takes_anything(pattern: &syn::Pat) -> bool {
    match pattern {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(ident) => {
            let first = ident.ident.to_string().chars().next();
            ident.subpat.is_none()
                && first.is_some_and(|first| first.is_lowercase() || first == '_')
        }
        syn::Pat::Or(or) => or.cases.iter().any(takes_anything),
        syn::Pat::Paren(paren) => takes_anything(&paren.pat),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/a/src/lib.rs";

    #[test]
    fn a_shared_lock_is_found_however_it_is_spelt() {
        for text in [
            "struct A { a: Arc<Mutex<u8>> }\n",
            "type A = std::sync::Arc<std::sync::RwLock<u8>>;\n",
            "fn f() { Arc::new(Mutex::new(1)); }\n",
        ] {
            assert_eq!(shared_locks(&House::of(&[(FILE, text)])).len(), 1, "{text}");
        }
        let fine = "struct A { a: Arc<[u8]>, b: Mutex<u8> }\n";
        assert!(shared_locks(&House::of(&[(FILE, fine)])).is_empty());
    }

    #[test]
    fn a_sentence_in_an_error_is_found() {
        for text in [
            "enum IdError { A(String) }\n",
            "enum IdError { A { b: Option<String> } }\n",
            "struct IdError { a: String }\n",
        ] {
            assert_eq!(strings_in_errors(&House::of(&[(FILE, text)])).len(), 1, "{text}");
        }
        let fine = "enum IdError { A(&'static str), B(u8) }\nenum Other { A(String) }\n";
        assert!(strings_in_errors(&House::of(&[(FILE, fine)])).is_empty());
    }

    fn arms(body: &str) -> usize {
        let text = format!(
            "enum Own {{ A, B(u8) }}\nuse other::Error;\nenum Error {{ A }}\n\
             impl Own {{ fn f(&self) {{ {body} }} }}\n"
        );
        wildcard_arms(&House::of(&[(FILE, &text)])).len()
    }

    #[test]
    fn a_wildcard_over_our_own_enum_is_found() {
        for body in [
            "match x { Own::A => 1, _ => 2 }",
            "match x { Self::A => 1, _ => 2 }",
            "match x { Some(Own::B(1)) => 1, other => 2 }",
            "match (x, y) { (Own::A, 1) => 1, _ => 2 }",
            "match x { &a::Own::B(_) | &Own::A if c => 1, _ => 2 }",
        ] {
            assert_eq!(arms(body), 1, "{body}");
        }
    }

    #[test]
    fn other_matches_may_have_a_wildcard() {
        for body in [
            "match x { 1 => 1, _ => 2 }",
            "match x { Own::A => 1, Own::B(_) => 2 }",
            "match x { Error::A => 1, _ => 2 }",
            "match x { io::Kind::A => 1, _ => 2 }",
            "match x { Own::A => 1, _ if c => 2, Own::B(_) => 3 }",
        ] {
            assert_eq!(arms(body), 0, "{body}");
        }
    }
}
