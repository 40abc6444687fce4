//! What cannot be read off one file: what the verifier links, and the figures the run prints.

use std::process::Command;

use crate::{
    house::House,
    size::{self, Length},
};

/// A socket, a runtime or a database in the auditor's tool would break its promise.
const NOT_IN_THE_VERIFIER: [&str; 16] = [
    "async-io",
    "async-std",
    "axum",
    "futures-executor",
    "hickory-resolver",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "object_store",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
];

/// The names in a listing of `cargo tree --prefix none` that may not be there.
fn banned<'a>(listing: &'a str, banned: &[&str]) -> Vec<&'a str> {
    let names = listing.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| banned.contains(name)).collect()
}

#[test]
fn the_verifier_links_no_socket_no_runtime_and_no_database() {
    let listing = Command::new(env!("CARGO"))
        .args(["tree", "--package", "jawoord-verify", "--edges", "normal", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo lists the tree");
    assert!(listing.status.success(), "{}", String::from_utf8_lossy(&listing.stderr));
    let listing = String::from_utf8(listing.stdout).expect("names are UTF-8");
    assert!(listing.contains("jawoord-vault"), "the tree is not the verifier's:\n{listing}");
    assert!(banned(&listing, &NOT_IN_THE_VERIFIER).is_empty(), "{listing}");
}

#[test]
fn a_runtime_in_the_tree_is_found() {
    let listing = "jawoord-verify v0.1.0\nring v0.17.0\ntokio v1.0.0 (*)\n";
    assert_eq!(banned(listing, &NOT_IN_THE_VERIFIER), ["tokio"]);
}

#[test]
fn the_figures_of_the_house_are_printed() {
    let house = House::read();
    let tests: usize = house.sources.iter().map(|source| source.tests).sum();
    let longest = |lengths: Vec<Length>| lengths.into_iter().max_by_key(|length| length.lines);
    let file = longest(size::file_lengths(&house)).expect("there are files");
    let function = longest(size::function_lengths(&house)).expect("there are functions");
    // The runner shows these lines at the end of every run.
    println!("house: {tests} tests in {} Rust files", house.sources.len());
    println!("house: largest file {} with {} lines without its tests", file.file, file.lines);
    println!(
        "house: largest function {} in {}:{} with {} lines",
        function.name, function.file, function.line, function.lines
    );
    assert!(tests > 40 && file.lines > function.lines);
}
