//! Takes out of a syntax tree what is compiled for tests only, or for a feature only.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::{
    Attribute, Meta,
    parse::{ParseStream, Parser},
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

/// What is left of a file, and what was taken out.
pub(crate) struct Stripped {
    pub(crate) product: syn::File,
    /// How many lines were tests.
    pub(crate) lines: usize,
    /// How many functions carried a test attribute.
    pub(crate) tests: usize,
    /// Names of the modules with a file of their own that are declared for tests only.
    pub(crate) modules: Vec<String>,
}

/// Removes the items, methods and statements behind `#[cfg(test)]` and the test functions.
pub(crate) fn strip(file: syn::File) -> Stripped {
    Knife::new(|condition| condition.path().is_ident("test")).cut(file)
}

/// Removes what is behind `#[cfg(feature = "…")]`: what stays is what builds without any feature.
pub(crate) fn without_features(file: syn::File) -> Stripped {
    Knife::new(|condition| condition.path().is_ident("feature")).cut(file)
}

struct Knife {
    /// Whether a plain condition is one that what goes depends on.
    cuts: fn(&Meta) -> bool,
    lines: BTreeSet<usize>,
    tests: usize,
    modules: Vec<String>,
}

impl Knife {
    fn new(cuts: fn(&Meta) -> bool) -> Self {
        Self { cuts, lines: BTreeSet::new(), tests: 0, modules: Vec::new() }
    }

    fn cut(mut self, mut file: syn::File) -> Stripped {
        self.visit_file_mut(&mut file);
        Stripped {
            product: file,
            lines: self.lines.len(),
            tests: self.tests,
            modules: self.modules,
        }
    }

    /// Whether the attribute says that the node is there under the condition only.
    fn goes(&self, attribute: &Attribute) -> bool {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|condition| needs(&condition, self.cuts))
    }

    /// Whether the node stays; if not, its lines are counted.
    fn keeps<T: ToTokens + Spanned>(&mut self, node: &T) -> bool {
        self.keeps_with(node, &attributes(node))
    }

    fn keeps_with<T: ToTokens + Spanned>(&mut self, node: &T, attributes: &[Attribute]) -> bool {
        let is_test = attributes.iter().any(is_test_attribute);
        if !is_test && !attributes.iter().any(|attribute| self.goes(attribute)) {
            return true;
        }
        let span = node.span();
        self.lines.extend(span.start().line..=span.end().line);
        self.tests += if is_test { 1 } else { count_tests(node.to_token_stream()) };
        false
    }
}

impl VisitMut for Knife {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        if file.attrs.iter().any(|attribute| self.goes(attribute)) {
            self.tests += count_tests(file.to_token_stream());
            file.items.clear();
        }
        self.retain(&mut file.items);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            self.retain(items);
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, block: &mut syn::ItemImpl) {
        block.items.retain(|item| self.keeps(item));
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block.stmts.retain(|statement| match statement {
            syn::Stmt::Local(local) => self.keeps_with(local, &local.attrs),
            syn::Stmt::Macro(call) => self.keeps_with(call, &call.attrs),
            syn::Stmt::Item(item) => self.keeps(item),
            // Reading an expression's attributes means writing it out again, block in block.
            syn::Stmt::Expr(..) => true,
        });
        visit_mut::visit_block_mut(self, block);
    }
}

impl Knife {
    fn retain(&mut self, items: &mut Vec<syn::Item>) {
        items.retain(|item| {
            let kept = self.keeps(item);
            if let (false, syn::Item::Mod(module)) = (kept, item)
                && module.content.is_none()
            {
                self.modules.push(module.ident.to_string());
            }
            kept
        });
    }
}

/// The outer attributes of any node: whatever it is, they are its first tokens.
pub(crate) fn attributes(node: &impl ToTokens) -> Vec<Attribute> {
    let first = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<proc_macro2::TokenStream>()?;
        Ok(attributes)
    };
    first.parse2(node.to_token_stream()).unwrap_or_default()
}

/// `#[test]`, `#[tokio::test]` and any other attribute whose last word is `test`.
fn is_test_attribute(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
}

/// Whether a `cfg` condition can be true only where a plain condition that `cuts` is true.
fn needs(condition: &Meta, cuts: fn(&Meta) -> bool) -> bool {
    let Meta::List(list) = condition else { return cuts(condition) };
    let separated = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
    let Ok(inner) = list.parse_args_with(separated) else { return false };
    match list.path.get_ident().map(ToString::to_string).as_deref() {
        Some("all") => inner.iter().any(|condition| needs(condition, cuts)),
        Some("any") => !inner.is_empty() && inner.iter().all(|condition| needs(condition, cuts)),
        _ => false,
    }
}

/// Test functions inside a node that goes as a whole.
fn count_tests(tokens: proc_macro2::TokenStream) -> usize {
    let mut count = 0;
    let mut after_hash = false;
    for tree in tokens {
        if let proc_macro2::TokenTree::Group(group) = &tree {
            let last = group.stream().into_iter().last();
            let is_test = after_hash && last.is_some_and(|token| token.to_string() == "test");
            let is_test = is_test || (after_hash && is_configured_test(&group.stream()));
            count += if is_test { 1 } else { count_tests(group.stream()) };
        }
        after_hash =
            matches!(&tree, proc_macro2::TokenTree::Punct(punct) if punct.as_char() == '#');
    }
    count
}

/// `tokio::test(flavor = "…")`: a test attribute with arguments.
fn is_configured_test(stream: &proc_macro2::TokenStream) -> bool {
    syn::parse2::<Meta>(stream.clone())
        .is_ok_and(|meta| meta.path().segments.last().is_some_and(|last| last.ident == "test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str) -> Stripped {
        strip(syn::parse_file(text).unwrap())
    }

    #[test]
    fn a_test_module_goes_with_its_lines_and_its_tests_are_counted() {
        let text = "fn a() {}\n\n/// Proof.\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {}\n    \
                    #[tokio::test(flavor = \"current_thread\")]\n    async fn c() {}\n}\n";
        let left = stripped(text);
        assert_eq!((left.product.items.len(), left.lines, left.tests), (1, 8, 2));
    }

    #[test]
    fn conditions_that_also_hold_in_the_product_stay() {
        let text = "#[cfg(any(test, feature = \"x\"))]\nfn a() {}\n#[cfg(not(test))]\nfn b() {}\n\
                    #[cfg(all(test, unix))]\nfn c() {}\n";
        assert_eq!(stripped(text).product.items.len(), 2);
    }

    #[test]
    fn methods_and_statements_for_tests_go_too() {
        let text = "impl A {\n    #[cfg(test)]\n    fn b() {}\n    fn c() {\n        #[cfg(test)]\n        \
                    use d::E;\n    }\n}\n";
        let left = stripped(text);
        assert_eq!(left.lines, 4);
        assert!(!left.product.to_token_stream().to_string().contains("fn b"));
    }

    #[test]
    fn what_a_feature_brings_goes_and_the_rest_stays() {
        let text =
            "#[cfg(feature = \"x\")]\nmod a;\n#[cfg(not(feature = \"x\"))]\nfn b() {}\nfn c() {}\n";
        let left = without_features(syn::parse_file(text).unwrap());
        assert_eq!((left.product.items.len(), left.modules.len()), (2, 1));
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_named() {
        assert_eq!(stripped("#[cfg(test)]\nmod proof;\n").modules, ["proof"]);
    }
}
