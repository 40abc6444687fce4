//! An Asterisk told by its events, line by line as a real one sends them.

#![allow(clippy::panic, reason = "a test that cannot go on says so")]

use super::{super::message::Reader, *};

/// A Call-ID, and whom its call talks to: agent and queue.
type Told = (String, Option<(String, Option<String>)>);

/// A scene, and the way that events come to it.
struct Stage(Scene);

impl Stage {
    fn new() -> Self {
        Self(Scene::new(&["carrier".into()]))
    }

    /// Takes an event, and gives what it tells of calls.
    fn hear(&mut self, fields: &[(&str, &str)]) -> Vec<Told> {
        let lines = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let text = lines.collect::<String>() + "\r\n";
        let blocks = Reader::default().take(text.as_bytes()).expect("a block");
        self.0.take(&blocks[0]);
        self.told()
    }

    fn told(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(wish) = self.0.poll() {
            match wish {
                Wish::Ask(unique, _) if unique.starts_with("t") => {
                    self.0.answered(&unique, &format!("{unique}@jawoord"));
                }
                Wish::Ask(..) => {}
                Wish::Tell(call_id, seat) => {
                    let seat = seat.map(|seat| (seat.agent.into(), seat.queue.map(String::from)));
                    told.push((call_id.into(), seat));
                }
            }
        }
        told
    }

    /// A channel appears.
    fn channel(&mut self, unique: &str, name: &str) {
        let told = self.hear(&[("Event", "Newchannel"), ("Uniqueid", unique), ("Channel", name)]);
        assert_eq!(told, []);
    }

    fn bridge(&mut self, kind: &str, unique: &str, bridge: &str) -> Vec<Told> {
        self.hear(&[
            ("Event", kind),
            ("Uniqueid", unique),
            ("BridgeUniqueid", bridge),
            ("BridgeTechnology", "simple_bridge"),
        ])
    }

    fn enter(&mut self, unique: &str, bridge: &str) -> Vec<Told> {
        self.bridge("BridgeEnter", unique, bridge)
    }

    fn event(&mut self, kind: &str, unique: &str) -> Vec<Told> {
        self.hear(&[("Event", kind), ("Uniqueid", unique)])
    }

    /// A caller and the agent 6001 in a bridge.
    fn talking() -> Self {
        let mut stage = Self::new();
        stage.channel("t1", "PJSIP/box-00000001");
        stage.channel("c1", "PJSIP/6001-00000002");
        assert_eq!(stage.enter("c1", "b"), []);
        assert_eq!(stage.enter("t1", "b"), [talks("t1", "PJSIP/6001")]);
        stage
    }
}

fn talks(unique: &str, agent: &str) -> Told {
    (format!("{unique}@jawoord"), Some((agent.to_owned(), None)))
}

fn waits(unique: &str) -> Told {
    (format!("{unique}@jawoord"), None)
}

#[test]
fn l_03_a_queue_is_no_agent_until_it_has_found_one() {
    let mut stage = Stage::new();
    stage.channel("t1", "PJSIP/box-00000001");
    assert_eq!(stage.event("MusicOnHoldStart", "t1"), []);
    stage.channel("c1", "PJSIP/6001-00000002");
    assert_eq!(stage.event("MusicOnHoldStop", "t1"), []);
    let connect = [
        ("Event", "AgentConnect"),
        ("Uniqueid", "t1"),
        ("DestUniqueid", "c1"),
        ("Queue", "support"),
        ("MemberName", "Anna"),
    ];
    assert_eq!(stage.hear(&connect), []);
    assert_eq!(stage.enter("c1", "b"), []);
    let anna = ("t1@jawoord".to_owned(), Some(("Anna".to_owned(), Some("support".to_owned()))));
    assert_eq!(stage.enter("t1", "b"), [anna]);
    assert_eq!(stage.bridge("BridgeLeave", "c1", "b"), [waits("t1")]);
    assert_eq!(stage.event("AgentComplete", "t1"), []);
    assert_eq!(stage.event("Hangup", "c1"), []);
    assert_eq!(stage.event("Hangup", "t1"), []);
    assert!(stage.0.channels.is_empty() && stage.0.names.is_empty() && stage.0.bridges.is_empty());
}

#[test]
fn l_03_a_hold_is_the_agents_and_so_is_its_music() {
    let mut stage = Stage::talking();
    assert_eq!(stage.event("Hold", "c1"), [waits("t1")]);
    assert_eq!(stage.event("MusicOnHoldStart", "t1"), []);
    assert_eq!(stage.event("Unhold", "c1"), []);
    assert_eq!(stage.event("MusicOnHoldStop", "t1"), [talks("t1", "PJSIP/6001")]);
    assert_eq!(stage.event("MusicOnHoldStart", "t1"), [waits("t1")]);
}

#[test]
fn l_03_an_attended_transfer_is_music_and_then_another_agent() {
    let mut stage = Stage::talking();
    stage.channel("c2", "PJSIP/6001-00000003");
    stage.channel("c3", "PJSIP/6002-00000004");
    assert_eq!(stage.event("MusicOnHoldStart", "t1"), [waits("t1")]);
    assert_eq!(stage.enter("c2", "b2"), []);
    assert_eq!(stage.enter("c3", "b2"), []);
    // The agents talk among themselves; then the second takes the place of the first.
    assert_eq!(stage.bridge("BridgeLeave", "c1", "b"), []);
    assert_eq!(stage.enter("c3", "b"), []);
    assert_eq!(stage.event("MusicOnHoldStop", "t1"), [talks("t1", "PJSIP/6002")]);
}

#[test]
fn l_51_who_is_called_through_a_trunk_is_no_agent() {
    let mut stage = Stage::talking();
    stage.channel("c2", "PJSIP/box-00000005");
    stage.channel("c3", "PJSIP/carrier-00000006");
    assert_eq!(stage.bridge("BridgeLeave", "c1", "b"), [waits("t1")]);
    assert_eq!(stage.enter("c2", "b"), []);
    assert_eq!(stage.enter("c3", "b"), []);
    assert_eq!(stage.enter("c1", "b"), [talks("t1", "PJSIP/6001")], "a conference with an agent");
}

#[test]
fn l_03_nobody_hears_anybody_in_a_holding_bridge() {
    let mut stage = Stage::new();
    stage.channel("t1", "PJSIP/box-00000001");
    stage.channel("c1", "PJSIP/6001-00000002");
    for unique in ["t1", "c1"] {
        let parked = [
            ("Event", "BridgeEnter"),
            ("Uniqueid", unique),
            ("BridgeUniqueid", "lot"),
            ("BridgeTechnology", "holding_bridge"),
        ];
        assert_eq!(stage.hear(&parked), []);
    }
}

#[test]
fn an_agent_behind_a_local_channel_is_found_and_a_program_there_is_none() {
    let mut stage = Stage::new();
    stage.channel("t1", "PJSIP/box-00000001");
    stage.channel("l1", "Local/6001@agents-00000001;1");
    stage.channel("l2", "Local/6001@agents-00000001;2");
    stage.channel("c1", "PJSIP/6001-00000002");
    assert_eq!(stage.enter("l1", "b"), []);
    assert_eq!(stage.enter("t1", "b"), [], "behind it a menu speaks");
    assert_eq!(stage.enter("l2", "b2"), []);
    assert_eq!(stage.enter("c1", "b2"), [talks("t1", "PJSIP/6001")]);
    assert_eq!(stage.event("MusicOnHoldStart", "l1"), [waits("t1")]);
    assert_eq!(stage.event("MusicOnHoldStop", "l1"), [talks("t1", "PJSIP/6001")]);
    assert_eq!(stage.bridge("BridgeLeave", "c1", "b2"), [waits("t1")]);
}

#[test]
fn l_03_of_a_call_that_was_there_before_nothing_is_assumed() {
    let found = |unique, name| {
        [("Event", "CoreShowChannel"), ("Uniqueid", unique), ("Channel", name), ("BridgeId", "b")]
    };
    let mut stage = Stage::new();
    assert_eq!(stage.hear(&found("c1", "PJSIP/6001-00000002")), []);
    assert_eq!(stage.hear(&found("t1", "PJSIP/box-00000001")), [], "it may hear music");
    assert_eq!(stage.event("MusicOnHoldStop", "t1"), [talks("t1", "PJSIP/6001")]);
    assert_eq!(stage.hear(&found("t1", "PJSIP/box-00000001")), [], "it is known by now");
}

#[test]
fn a_channel_that_gets_another_name_may_be_another_call() {
    let mut stage = Stage::talking();
    let renamed = [
        ("Event", "Rename"),
        ("Uniqueid", "t1"),
        ("Channel", "PJSIP/box-00000001"),
        ("Newname", "PJSIP/6009-00000009"),
    ];
    let told = stage.hear(&renamed);
    assert_eq!(told[0], waits("t1"), "what it was is over");
}
