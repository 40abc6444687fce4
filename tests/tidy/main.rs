//! The house inspects itself: every house rule is one test, and beside each rule stands the snippet that breaks it.
//!
//! The rooms hold the rules, this file is the law book. A rule is a function from the whole house
//! to what it finds wrong; `exceptions.toml` names the findings we live with, each with its reason.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and stops"
)]

mod circle;
mod clock;
mod exception;
mod house;
mod manifest;
mod name;
mod panics;
mod permit;
mod record;
mod shape;
mod size;
mod strip;
mod text;
mod token;
mod tongue;
mod weight;

use house::{House, Rule};

/// Every rule, in the order in which they are told to a newcomer.
const RULES: &[Rule] = &[
    name::PARSES,
    name::SENTENCE,
    name::VAGUE_NAME,
    name::RE_EXPORT,
    size::LONG_FILE,
    size::LONG_FUNCTION,
    circle::CIRCLE,
    manifest::CRATE_EDGE,
    manifest::CRATE_BAN,
    manifest::DEPENDENCY_REASON,
    manifest::LINTS,
    tongue::TWO_TONGUES,
    clock::ASKS_INSTEAD_OF_BEING_TOLD,
    permit::PERMIT,
    panics::PANICS,
    shape::SHARED_LOCK,
    shape::STRING_IN_ERROR,
    shape::WILDCARD_ARM,
    text::FOREIGN_NAME,
    text::BORROWED,
    text::TOP_LEVEL,
    text::MAP,
];

/// Runs one rule over the repository and fails with every finding that has no exception.
fn obey(rule: Rule) {
    let house = House::read();
    let findings = exception::unexcused(rule.name, (rule.check)(&house));
    assert!(
        findings.is_empty(),
        "{} ({} found):\n{}\nMend it, or give a reason in tests/tidy/exceptions.toml (rule \"{}\").",
        rule.law,
        findings.len(),
        findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        rule.name,
    );
}

#[test]
fn every_rust_file_can_be_read() {
    obey(name::PARSES);
}

#[test]
fn every_file_opens_with_a_sentence_that_says_what_it_is_for() {
    obey(name::SENTENCE);
}

#[test]
fn no_file_is_named_after_nothing_in_particular() {
    obey(name::VAGUE_NAME);
}

#[test]
fn only_lib_rs_re_exports() {
    obey(name::RE_EXPORT);
}

#[test]
fn a_file_is_at_most_500_lines_without_its_tests() {
    obey(size::LONG_FILE);
}

#[test]
fn a_function_is_at_most_60_lines() {
    obey(size::LONG_FUNCTION);
}

#[test]
fn no_two_files_of_a_crate_lean_on_each_other() {
    obey(circle::CIRCLE);
}

#[test]
fn only_the_drawn_arrows_join_the_crates() {
    obey(manifest::CRATE_EDGE);
}

#[test]
fn a_crate_takes_nothing_that_its_purpose_forbids() {
    obey(manifest::CRATE_BAN);
}

#[test]
fn every_dependency_has_its_reason_beside_it() {
    obey(manifest::DEPENDENCY_REASON);
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace_and_no_unsafe() {
    obey(manifest::LINTS);
}

#[test]
fn only_the_bridge_speaks_both_sip_and_the_call_machine() {
    obey(tongue::TWO_TONGUES);
}

#[test]
fn the_pure_parts_are_told_the_time_and_never_ask() {
    obey(clock::ASKS_INSTEAD_OF_BEING_TOLD);
}

#[test]
fn a_permit_is_short_to_read_impossible_to_copy_and_granted_in_one_place() {
    obey(permit::PERMIT);
}

#[test]
fn nothing_panics_outside_tests_and_start_up() {
    obey(panics::PANICS);
}

#[test]
fn no_state_hides_behind_a_shared_lock() {
    obey(shape::SHARED_LOCK);
}

#[test]
fn no_error_carries_a_sentence() {
    obey(shape::STRING_IN_ERROR);
}

#[test]
fn a_match_over_our_own_enum_names_every_case() {
    obey(shape::WILDCARD_ARM);
}

#[test]
fn no_file_names_a_package_host_or_a_path_of_one_machine() {
    obey(text::FOREIGN_NAME);
}

#[test]
fn nothing_is_copied_in_from_elsewhere() {
    obey(text::BORROWED);
}

#[test]
fn the_top_level_holds_exactly_what_it_should() {
    obey(text::TOP_LEVEL);
}

#[test]
fn every_place_that_a_document_names_is_there() {
    obey(text::MAP);
}

#[test]
fn an_exception_that_is_no_longer_needed_is_taken_out() {
    let house = House::read();
    let idle = exception::idle(RULES, &house);
    assert!(idle.is_empty(), "exceptions that excuse nothing:\n{}", idle.join("\n"));
}
