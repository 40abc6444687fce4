//! Rules about the manifests: which crates may know each other, and why each dependency is there.

use toml_edit::{DocumentMut, Item, TableLike};

use crate::house::{Finding, House, Rule};

/// DESIGN §2: no arrow runs up, there is no circle, `sip` and `call` do not know each other.
pub(crate) const CRATE_EDGE: Rule =
    Rule { name: "crate-edge", law: "only the drawn arrows join the crates", check: crate_edges };

/// DESIGN §2: `call` is std only, `sip` and `media` know no runtime, `verify` opens nothing.
pub(crate) const CRATE_BAN: Rule = Rule {
    name: "crate-ban",
    law: "a crate takes nothing that its purpose forbids",
    check: crate_bans,
};

/// STYLE: every dependency has its reason in `Cargo.toml`.
pub(crate) const DEPENDENCY_REASON: Rule = Rule {
    name: "dependency-reason",
    law: "every dependency has its reason as a comment beside it",
    check: dependency_reasons,
};

/// STYLE: `unsafe_code` is forbidden, and every crate takes the lints of the workspace.
pub(crate) const LINTS: Rule = Rule {
    name: "lints",
    law: "the workspace forbids unsafe code and every crate takes its lints",
    check: lints,
};

/// From each crate to the crates of ours it may know.
const EDGES: [(&str, &[&str]); 9] = [
    ("call", &[]),
    ("sip", &[]),
    ("media", &["call"]),
    ("vault", &["call"]),
    ("ledger", &["call"]),
    ("portal", &["vault", "ledger", "call"]),
    ("verify", &["vault", "ledger", "call"]),
    ("jawoord", &["portal", "media", "vault", "ledger", "sip", "call"]),
    ("tests", &["jawoord", "verify", "portal", "media", "vault", "ledger", "sip", "call"]),
];

/// What each crate may never take, by name; `*` is anything at all.
const BANS: [(&str, &[&str]); 6] = [
    ("call", &["*"]),
    ("sip", &["tokio", "mio", "socket2", "rand", "getrandom", "futures", "async-trait"]),
    ("media", &["tokio", "rand", "getrandom", "futures"]),
    ("vault", &["tokio", "rand", "getrandom"]),
    ("ledger", &["rand", "getrandom"]),
    ("verify", &["tokio", "mio", "socket2", "sqlx", "object_store", "axum", "hyper", "rustls"]),
];

/// A dependency as a manifest writes it.
struct Dependency {
    crate_name: String,
    file: String,
    name: String,
    /// `dependencies`, `dev-dependencies` or `build-dependencies`.
    kind: String,
    has_reason: bool,
}

fn crate_edges(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in dependencies(house) {
        let Some(ours) = ours(&dependency.name) else { continue };
        let drawn = EDGES.iter().find(|(name, _)| *name == dependency.crate_name);
        if !drawn.is_some_and(|(_, below)| below.contains(&ours)) {
            let what = format!("{} may not know {ours}", dependency.crate_name);
            findings.push(Finding::new(&dependency.file, 0, what));
        }
    }
    findings
}

/// The folder of the crate of ours that a dependency's name means.
fn ours(name: &str) -> Option<&'static str> {
    let short = name.strip_prefix("jawoord-").unwrap_or(name);
    EDGES.iter().map(|(ours, _)| *ours).find(|ours| *ours == short)
}

fn crate_bans(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in dependencies(house).into_iter().filter(|it| it.kind == "dependencies") {
        let banned = BANS.iter().find(|(name, _)| *name == dependency.crate_name);
        let is_banned = |name: &&str| *name == "*" || *name == dependency.name;
        if banned.is_some_and(|(_, names)| names.iter().any(is_banned)) {
            let what = format!("{} may not take {}", dependency.crate_name, dependency.name);
            findings.push(Finding::new(&dependency.file, 0, what));
        }
    }
    findings
}

fn dependency_reasons(house: &House) -> Vec<Finding> {
    let silent = dependencies(house).into_iter().filter(|dependency| !dependency.has_reason);
    silent.map(|it| Finding::new(&it.file, 0, format!("{} has no reason", it.name))).collect()
}

fn lints(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, path, text) in house.manifests() {
        let Ok(document) = text.parse::<DocumentMut>() else {
            findings.push(Finding::new(path, 0, "cannot be read"));
            continue;
        };
        let item = |keys: &[&str]| {
            keys.iter().try_fold(document.as_item(), |item, key| item.get(key)).cloned()
        };
        if folder.is_empty() {
            let unsafe_code = item(&["workspace", "lints", "rust", "unsafe_code"]);
            if unsafe_code.as_ref().and_then(Item::as_str) != Some("forbid") {
                findings.push(Finding::new(path, 0, "does not forbid unsafe code"));
            }
        } else if item(&["lints", "workspace"]).as_ref().and_then(Item::as_bool) != Some(true) {
            findings.push(Finding::new(path, 0, "does not take the lints of the workspace"));
        }
    }
    findings
}

fn dependencies(house: &House) -> Vec<Dependency> {
    let mut found = Vec::new();
    for (folder, path, text) in house.manifests() {
        let Ok(document) = text.parse::<DocumentMut>() else { continue };
        collect(document.as_table(), &mut |kind, table| {
            for (name, item) in table.iter() {
                let key = table.key(name);
                let above =
                    key.and_then(|key| key.leaf_decor().prefix()).and_then(|raw| raw.as_str());
                let beside = match item {
                    Item::Value(value) => value.decor().suffix().and_then(|raw| raw.as_str()),
                    Item::Table(table) => table.decor().prefix().and_then(|raw| raw.as_str()),
                    _ => None,
                };
                let package = item.get("package").and_then(Item::as_str).unwrap_or(name);
                found.push(Dependency {
                    crate_name: folder.to_owned(),
                    file: path.to_owned(),
                    name: package.to_owned(),
                    kind: kind.to_owned(),
                    has_reason: [above, beside].into_iter().flatten().any(is_reason),
                });
            }
        });
    }
    found
}

/// Visits every table of dependencies: the plain ones, the workspace's and each platform's.
fn collect(table: &dyn TableLike, visit: &mut impl FnMut(&str, &dyn TableLike)) {
    for (key, item) in table.iter() {
        let Some(inner) = item.as_table_like() else { continue };
        match key {
            "dependencies" | "dev-dependencies" | "build-dependencies" => visit(key, inner),
            "workspace" => collect(inner, visit),
            "target" => {
                for (_, platform) in inner.iter() {
                    if let Some(platform) = platform.as_table_like() {
                        collect(platform, visit);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A comment of at least two words that touches the line it explains.
fn is_reason(decor: &str) -> bool {
    let touching = decor.rsplit("\n\n").next().unwrap_or_default();
    let words = touching.lines().filter_map(|line| line.trim().strip_prefix('#'));
    words.flat_map(str::split_whitespace).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(folder: &str, text: &str) -> House {
        House::of(&[(&format!("{folder}/Cargo.toml"), text)])
    }

    #[test]
    fn an_arrow_that_runs_up_or_sideways_is_found() {
        for (folder, dependency) in [
            ("crates/call", "jawoord-sip = { path = \"../sip\" }"),
            ("crates/sip", "call = { path = \"../call\", package = \"jawoord-call\" }"),
            ("crates/media", "vault = { path = \"../vault\", package = \"jawoord-vault\" }"),
            ("crates/ledger", "jawoord = { path = \"../jawoord\" }"),
        ] {
            let text = format!("[dev-dependencies]\n{dependency}\n");
            assert_eq!(crate_edges(&house(folder, &text)).len(), 1, "{folder}");
        }
        let drawn = "[dependencies]\ncall = { path = \"../call\", package = \"jawoord-call\" }\n";
        assert!(crate_edges(&house("crates/media", drawn)).is_empty());
    }

    #[test]
    fn a_forbidden_crate_is_found() {
        let serde = "[dependencies]\nserde = \"1\"\n";
        assert_eq!(crate_bans(&house("crates/call", serde)).len(), 1);
        assert!(crate_bans(&house("crates/vault", serde)).is_empty());
        let tokio =
            "[target.'cfg(unix)'.dependencies]\nrt = { package = \"tokio\", version = \"1\" }\n";
        assert_eq!(crate_bans(&house("crates/sip", tokio)).len(), 1);
        let for_tests = "[dev-dependencies]\ntrybuild = \"1\"\n";
        assert!(crate_bans(&house("crates/call", for_tests)).is_empty());
    }

    #[test]
    fn a_dependency_without_its_reason_is_found() {
        let silent = [
            "[dependencies]\na = \"1\"\n",
            "[dependencies]\n# why a is here\na = \"1\"\nb = \"2\"\n",
            "[dependencies]\n# a heading for all\n\na = \"1\"\n",
            "[target.'cfg(unix)'.dev-dependencies]\na = { version = \"1\" } # a\n",
        ];
        for text in silent {
            assert_eq!(dependency_reasons(&house("crates/a", text)).len(), 1, "{text}");
        }
        let told = "[dependencies]\n# why a is here\na = \"1\"\nb = { version = \"1\" } # and why b\n\n\
                    # why c is here\n[dependencies.c]\nversion = \"1\"\n";
        assert!(dependency_reasons(&house("crates/a", told)).is_empty());
    }

    #[test]
    fn a_crate_that_goes_its_own_way_about_lints_is_found() {
        assert_eq!(lints(&house("crates/a", "[package]\n")).len(), 1);
        assert!(lints(&house("crates/a", "[lints]\nworkspace = true\n")).is_empty());
        let root = House::of(&[("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"warn\"\n")]);
        assert_eq!(lints(&root).len(), 1);
    }
}
