//! Rules about how a file is called, how it opens and what it passes on.

use crate::house::{Finding, House, Rule};

/// A file that cannot be parsed is a file no other rule can see.
pub(crate) const PARSES: Rule = Rule {
    name: "parses",
    law: "every Rust file can be read",
    check: |house| house.unreadable.clone(),
};

/// STYLE: every file opens with one `//!` sentence that says what it is for.
pub(crate) const SENTENCE: Rule = Rule {
    name: "sentence",
    law: "every file opens with one //! sentence that says what it is for",
    check: sentences,
};

/// STYLE: no file named util, utils, common, helpers, misc or types.
pub(crate) const VAGUE_NAME: Rule = Rule {
    name: "vague-name",
    law: "no file or folder is called util, utils, common, helper, helpers, misc or types",
    check: vague_names,
};

/// STYLE: `pub use` only in `lib.rs`.
pub(crate) const RE_EXPORT: Rule =
    Rule { name: "re-export", law: "pub use stands in lib.rs only", check: re_exports };

const VAGUE: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "misc", "types"];

/// Fewer words cannot say what a file is for.
const FEWEST_WORDS: usize = 4;

fn sentences(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in house.files.iter().filter(|(path, _)| path.ends_with(".rs")) {
        let text = text.as_deref().unwrap_or_default();
        if let Err(what) = opening(text) {
            findings.push(Finding::new(path, 1, what));
        }
    }
    findings
}

/// Whether the first paragraph is one sentence.
fn opening(text: &str) -> Result<(), &'static str> {
    let mut paragraph = String::new();
    for line in text.lines() {
        match line.strip_prefix("//! ") {
            Some(words) => paragraph = format!("{paragraph} {words}"),
            None => break,
        }
    }
    let paragraph = paragraph.trim();
    if paragraph.is_empty() {
        return Err("the first line is no //! sentence");
    }
    if !paragraph.ends_with('.') {
        return Err("the opening sentence does not end with a full stop");
    }
    if paragraph.split_whitespace().count() < FEWEST_WORDS {
        return Err("the opening sentence says nothing");
    }
    Ok(())
}

fn vague_names(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in &house.files {
        let vague = path.split('/').find(|part| {
            let stem = part.split('.').next().unwrap_or_default().to_lowercase();
            VAGUE.contains(&stem.as_str())
        });
        if let Some(part) = vague {
            findings.push(Finding::new(path, 0, format!("{part} says nothing about its content")));
        }
    }
    findings
}

fn re_exports(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| !source.path.ends_with("/lib.rs")) {
        let tokens = crate::token::flatten(quote::ToTokens::to_token_stream(&source.product));
        for line in crate::token::lines_of(&tokens, "pub use") {
            findings.push(Finding::new(&source.path, line, "pub use"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_sentence_is_found() {
        let broken = [
            "fn a() {}\n",
            "//!\n",
            "//! Things.\n",
            "//! What this file is for\n",
            "\n//! Late by one line.\n",
        ];
        for text in broken {
            assert_eq!(
                sentences(&House::of(&[("crates/a/src/lib.rs", text)])).len(),
                1,
                "{text:?}"
            );
        }
        let good = "//! Says, over\n//! two lines, what it is for.\n//!\n//! More\nfn a() {}\n";
        assert!(sentences(&House::of(&[("crates/a/src/lib.rs", good)])).is_empty());
    }

    #[test]
    fn a_vague_name_is_found_for_files_and_folders() {
        for path in ["crates/a/src/utils.rs", "crates/a/src/common/x.rs", "tests/misc.toml"] {
            assert_eq!(vague_names(&House::of(&[(path, "")])).len(), 1, "{path}");
        }
        assert!(vague_names(&House::of(&[("crates/a/src/uncommon.rs", "")])).is_empty());
    }

    #[test]
    fn a_re_export_outside_lib_rs_is_found() {
        let text = "pub use a::B;\npub(crate) use a::C;\n";
        let house = House::of(&[("crates/a/src/b.rs", text), ("crates/a/src/lib.rs", text)]);
        assert_eq!(re_exports(&house), [Finding::new("crates/a/src/b.rs", 1, "pub use")]);
    }

    #[test]
    fn a_file_that_does_not_parse_is_found() {
        let house = House::of(&[("crates/a/src/lib.rs", "fn a( {\n")]);
        assert_eq!((PARSES.check)(&house).len(), 1);
    }
}
