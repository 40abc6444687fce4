//! Rules about length: a file one can read in a sitting, a function one can hold in mind.

use quote::ToTokens;
use syn::{
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::house::{Finding, House, Rule};

/// Lines of a file without its tests.
const LONGEST_FILE: usize = 500;

/// Lines of a function, from `fn` to the closing brace.
const LONGEST_FUNCTION: usize = 60;

/// STYLE: a file is at most 500 lines without its tests.
pub(crate) const LONG_FILE: Rule = Rule {
    name: "long-file",
    law: "a file is at most 500 lines without its tests",
    check: long_files,
};

/// STYLE: a function is at most 60 lines.
pub(crate) const LONG_FUNCTION: Rule =
    Rule { name: "long-function", law: "a function is at most 60 lines", check: long_functions };

/// A function, where it begins and how many lines it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) lines: usize,
}

fn long_files(house: &House) -> Vec<Finding> {
    let too_long = |file: &Length| file.lines > LONGEST_FILE;
    let told = |file: Length| Finding::new(&file.file, 0, format!("{} lines", file.lines));
    file_lengths(house).into_iter().filter(too_long).map(told).collect()
}

fn long_functions(house: &House) -> Vec<Finding> {
    let too_long = |function: &Length| function.lines > LONGEST_FUNCTION;
    let told = |function: Length| {
        let what = format!("fn {} has {} lines", function.name, function.lines);
        Finding::new(&function.file, function.line, what)
    };
    function_lengths(house).into_iter().filter(too_long).map(told).collect()
}

/// Every Rust file without its tests.
pub(crate) fn file_lengths(house: &House) -> Vec<Length> {
    let measured = house.sources.iter().map(|source| Length {
        file: source.path.clone(),
        line: 0,
        name: String::new(),
        lines: source.lines - source.test_lines,
    });
    measured.collect()
}

/// Every function that is no test.
pub(crate) fn function_lengths(house: &House) -> Vec<Length> {
    let mut lengths = Vec::new();
    for source in &house.sources {
        let mut ruler = Ruler { file: &source.path, lengths: &mut lengths };
        ruler.visit_file(&source.product);
    }
    lengths
}

struct Ruler<'a> {
    file: &'a str,
    lengths: &'a mut Vec<Length>,
}

impl Ruler<'_> {
    fn measure(&mut self, signature: &syn::Signature, block: &impl ToTokens) {
        let first = signature.span().start().line;
        let last = block.to_token_stream().span().end().line;
        let last = last.max(block.span().end().line);
        let name = signature.ident.to_string();
        self.lengths.push(Length {
            file: self.file.to_owned(),
            line: first,
            name,
            lines: last + 1 - first,
        });
    }
}

impl<'ast> Visit<'ast> for Ruler<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!(
            "/// Documentation does not count.\nfn long(\n) {{\n{}}}\n",
            "    a();\n".repeat(lines - 3)
        )
    }

    #[test]
    fn a_long_function_is_found_and_one_line_less_is_not() {
        let house = House::of(&[("crates/a/src/lib.rs", &function_of(61))]);
        let found = Finding::new("crates/a/src/lib.rs", 2, "fn long has 61 lines");
        assert_eq!(long_functions(&house), [found]);
        assert!(
            long_functions(&House::of(&[("crates/a/src/lib.rs", &function_of(60))])).is_empty()
        );
    }

    #[test]
    fn a_long_method_is_found_and_a_long_test_is_not() {
        let method = format!("impl A {{\n{}}}\n", function_of(70));
        let test = format!("#[test]\n{}", function_of(70));
        assert_eq!(long_functions(&House::of(&[("crates/a/src/lib.rs", &method)])).len(), 1);
        assert!(long_functions(&House::of(&[("tests/flows/main.rs", &test)])).is_empty());
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let lines = "//! x\n".repeat(500);
        let tests =
            format!("{lines}#[cfg(test)]\nmod tests {{\n{}}}\n", "    fn a() {}\n".repeat(50));
        let more = format!("{lines}fn a() {{}}\n");
        assert!(long_files(&House::of(&[("crates/a/src/lib.rs", &tests)])).is_empty());
        let found = long_files(&House::of(&[("crates/a/src/lib.rs", &more)]));
        assert_eq!(found, [Finding::new("crates/a/src/lib.rs", 0, "501 lines")]);
    }
}
