//! The rule that nothing from outside can bring the process down.

use quote::ToTokens;

use crate::{
    house::{Finding, House, Rule},
    token,
};

/// STYLE: no `unwrap`, `expect` or panic outside tests and start-up.
pub(crate) const PANICS: Rule = Rule {
    name: "panics",
    law: "no unwrap, expect, panic, todo or unimplemented outside tests and start-up",
    check: panics,
};

const CALLS: [&str; 13] = [
    // Without an argument: to unwrap a key is an honest trade.
    ". unwrap ( )",
    ". unwrap_err ( )",
    ". expect (",
    ". expect_err (",
    ". unwrap_unchecked (",
    "Option : : unwrap",
    "Option : : expect",
    "Result : : unwrap",
    "Result : : expect",
    "panic !",
    "todo !",
    "unimplemented !",
    "dbg !",
];

fn panics(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    // `main.rs` is start-up: nobody is on the phone yet.
    for source in house.product().filter(|source| !source.path.ends_with("/src/main.rs")) {
        let tokens = token::flatten(source.product.to_token_stream());
        for call in CALLS {
            for line in token::lines_of(&tokens, call) {
                findings.push(Finding::new(&source.path, line, call.replace(' ', "")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_panic_is_found_also_inside_a_macro() {
        let bodies = [
            "a.unwrap()",
            "a.expect(\"b\")",
            "vec![a.unwrap()]",
            "panic!()",
            "todo!()",
            "unimplemented!()",
            "a.map(Option::unwrap)",
        ];
        for body in bodies {
            let text = format!("fn f() {{\n    {body};\n}}\n");
            let found = panics(&House::of(&[("crates/a/src/lib.rs", &text)]));
            assert_eq!(found.first().map(|finding| finding.line), Some(2), "{body}");
        }
    }

    #[test]
    fn tests_and_start_up_may_panic() {
        let text = "fn f() { a.unwrap(); }\n";
        for path in ["crates/a/tests/b.rs", "crates/jawoord/src/main.rs", "tests/sim/main.rs"] {
            assert!(panics(&House::of(&[(path, text)])).is_empty(), "{path}");
        }
        let inside = format!(
            "#[cfg(test)]\nmod tests {{ {text} }}\nfn g() {{ a.unwrap_or(b); keys.unwrap(c); }}\n"
        );
        assert!(panics(&House::of(&[("crates/a/src/lib.rs", &inside)])).is_empty());
    }
}
