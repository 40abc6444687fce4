//! What the recipes tell people to write is read by what will have to read it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use crate::{program, read, run};

const RECIPE: &str = "deploy/recipes/asterisk.md";

/// The fenced blocks of a language, in the order in which they stand.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let bodies = text.split(&opening).skip(1);
    bodies.filter_map(|rest| rest.split("\n```").next()).map(|body| format!("{body}\n")).collect()
}

/// Sections of an Asterisk configuration: name, and the keys with their values.
fn sections(text: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut sections: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    for line in text.lines().map(|line| line.split(';').next().unwrap_or_default().trim()) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.push((name.to_owned(), BTreeMap::new()));
        } else if let (Some((key, value)), Some((_, keys))) =
            (line.split_once('='), sections.last_mut())
        {
            keys.insert(key.trim().to_owned(), value.trim_start_matches('>').trim().to_owned());
        }
    }
    sections
}

#[test]
fn the_configuration_in_the_recipe_passes_the_check() {
    let [toml] = &blocks(&read(RECIPE), "toml")[..] else { panic!("one block of TOML") };
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("recipe.toml");
    fs::write(&path, toml).expect("a file");
    let mut check = Command::new(program("jawoord"));
    let (content, said) = run(check.arg("check").arg("--config").arg(&path));
    assert!(content, "{said}");
}

#[test]
fn the_trunks_in_the_recipe_are_whole_and_join_up() {
    let text = read(RECIPE);
    let [pjsip, dialplan] = &blocks(&text, "ini")[..] else { panic!("two blocks for Asterisk") };
    let sections = sections(pjsip);
    let of = |kind: &str| -> BTreeMap<&str, &BTreeMap<String, String>> {
        let wanted =
            sections.iter().filter(|(_, keys)| keys.get("type").is_some_and(|it| it == kind));
        wanted.map(|(name, keys)| (name.as_str(), keys)).collect()
    };
    let (transports, addresses, contexts) = (of("transport"), of("aor"), contexts(dialplan));
    for (name, endpoint) in of("endpoint") {
        let value = |key: &str| endpoint.get(key).map(String::as_str).unwrap_or_default();
        assert!(transports.contains_key(value("transport")), "{name}: transport");
        assert!(addresses.contains_key(value("aors")), "{name}: aors");
        assert!(contexts.contains(value("context")), "{name}: context");
        assert_eq!(value("direct_media"), "no", "{name}: speech goes through the box");
        assert_eq!(value("dtmf_mode"), "rfc4733", "{name}: keys are events");
        assert!(
            of("identify").values().any(|keys| keys.get("endpoint").is_some_and(|it| it == name))
        );
    }
    for dialled in dialplan.split('@').skip(1) {
        let trunk: String = dialled.chars().take_while(char::is_ascii_alphanumeric).collect();
        assert!(of("endpoint").contains_key(trunk.as_str()), "the dial plan dials {trunk}");
    }
}

/// What Asterisk lets the node see and do is what it is let in the tests with a real one, and no more.
#[test]
fn the_managers_account_in_the_recipe_is_the_one_that_is_tried_with_a_real_asterisk() {
    let [manager] = &blocks(&read(RECIPE), "conf")[..] else { panic!("one manager.conf") };
    let sections = sections(manager);
    let (_, account) =
        sections.iter().find(|(name, _)| name == "jawoord").expect("an account of the node");
    let [read_class, write_class] = ["read", "write"].map(|key| account[key].as_str());
    let tried = format!("read = {read_class}\\nwrite = {write_class}\\n");
    assert!(read("tests/support/asterisk.rs").contains(&tried), "{tried}");
    assert_eq!((read_class, write_class), ("call,agent", "reporting"));
}

fn contexts(dialplan: &str) -> BTreeSet<String> {
    sections(dialplan).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn the_addresses_on_both_sides_of_the_recipe_are_the_same() {
    let text = read(RECIPE);
    let [toml] = &blocks(&text, "toml")[..] else { panic!("one block of TOML") };
    let settings = toml.parse::<toml_edit::DocumentMut>().expect("TOML");
    let first = |table: &str, key: &str| {
        let entry = settings.get(table)?.as_array_of_tables()?.get(0)?;
        entry.get(key)?.as_str().map(str::to_owned)
    };
    let ours = first("listener", "bind").expect("a listener");
    let carrier = first("trunk", "target").expect("a target");
    let contacts: Vec<_> = blocks(&text, "ini").iter().flat_map(|block| sections(block)).collect();
    for address in [ours, carrier] {
        let contact = format!("sip:{address}");
        let known =
            |(_, keys): &(String, BTreeMap<String, String>)| keys.get("contact") == Some(&contact);
        assert!(contacts.iter().any(known), "Asterisk does not know {contact}");
    }
}
