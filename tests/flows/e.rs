//! An emergency passes every gate, whatever else happens to the node: rows E.

use std::{fs, time::Duration};

use support::{
    node::Change,
    peer::{draft::Draft, leg::Leg, seen::Seen},
    scene::{ENGLISH, NEVER},
    stage::{CALLER, Stage, sdp},
};

/// A call that says of itself what it is, up to the PBX.
fn placed(stage: &mut Stage, number: &str, with: impl Fn(Draft) -> Draft) -> (Leg, Seen) {
    let mut a = stage.caller.calls(CALLER, number);
    let sent = stage.caller.send(&with(a.invite().sdp(sdp(stage.ear.own))));
    let invite = stage.pbx.expect_within(Duration::from_secs(1), "INVITE");
    assert!(invite.at - sent < Duration::from_secs(1));
    (a, invite)
}

/// It ends before it is answered.
fn ends(stage: &mut Stage, a: &mut Leg, invite: &Seen) {
    let b = stage.pbx.called(invite);
    stage.pbx.send(&b.reply(invite, 486));
    let busy = stage.caller.expect(486);
    stage.caller.send(&a.ack(&busy));
    stage.pbx.expect("ACK");
}

#[test]
fn e_02_a_call_that_says_it_is_urgent_is_put_through_at_once_and_still_says_so() {
    let mut stage = Stage::start();
    for (name, value) in [
        ("Priority", "emergency"),
        ("Resource-Priority", "q735.1, esnet.0"),
        ("priority", "EMERGENCY"),
    ] {
        // The line asks everybody else.
        let (mut a, invite) = placed(&mut stage, ENGLISH, |draft| draft.with(name, value));
        assert_eq!(invite.header(name), value);
        stage.caller.hears_no(50, 200);
        ends(&mut stage, &mut a, &invite);
    }
    let verdicts = stage.ended(3);
    assert!(verdicts.iter().all(|call| call["verdict"] == "emergency"), "{verdicts:?}");
}

#[test]
fn e_03_an_emergency_service_that_calls_back_hears_no_notice() {
    let change = Change::default()
        .with("# callback_numbers = [\"+3120112*\"]", "callback_numbers = [\"+3120112*\"]");
    let mut stage = Stage::with(change);
    let callback = |draft: Draft| draft.with("Priority", "psap-callback");
    let (mut a, invite) = placed(&mut stage, ENGLISH, callback);
    ends(&mut stage, &mut a, &invite);
    // By who calls, in whatever spelling, and by what the carrier asserts.
    let mut b = stage.caller.calls("0201125555", ENGLISH);
    stage.caller.send(&b.invite().sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    ends(&mut stage, &mut b, &invite);
    let asserted = |draft: Draft| draft.with("P-Asserted-Identity", "<tel:+31-20-112-0000>");
    let (mut a, invite) = placed(&mut stage, ENGLISH, asserted);
    ends(&mut stage, &mut a, &invite);
    assert!(stage.ended(3).iter().all(|call| call["verdict"] == "emergency"));
}

#[test]
fn e_04_an_emergency_goes_when_the_node_is_full_and_when_it_is_being_emptied() {
    let mut stage = Stage::with(Change::default().with("calls = 0   ", "calls = 1   "));
    let mut talk = stage.talk();
    let mut over = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&over.invite().sdp(sdp(stage.ear.own)));
    let full = stage.caller.expect(503);
    stage.caller.send(&over.ack(&full));
    let (mut a, invite) = placed(&mut stage, "112", |draft| draft);
    ends(&mut stage, &mut a, &invite);
    let _told = stage.node.done(&["drain", "on"]);
    let (mut a, invite) = placed(&mut stage, "0112", |draft| draft);
    ends(&mut stage, &mut a, &invite);
    let (mut a, invite) = placed(&mut stage, NEVER, |draft| draft.with("Priority", "emergency"));
    ends(&mut stage, &mut a, &invite);
    stage.hang_up(&mut talk);
}

#[test]
fn e_04_an_ordinary_call_ends_for_an_emergency_when_no_port_is_left() {
    let mut stage = Stage::with(Change::default().with("reserve = 4", "reserve = 1"));
    // Eight media ports: an ordinary call and an emergency.
    stage.node.kill();
    let file = stage.node.home.path().join("node.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let value = |key: &str| -> u16 {
        let line = text.lines().find(|line| line.starts_with(key)).expect("a key");
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        digits.parse().expect("a port")
    };
    let (first, last) = (value("port_min"), value("port_max"));
    let narrow = text.replace(&format!("port_max = {last}"), &format!("port_max = {}", first + 7));
    fs::write(&file, narrow).expect("a configuration");
    stage.node.run_again();
    let mut talk = stage.talk();
    let (_first, _invite) = placed(&mut stage, "112", |draft| draft);
    let mut second = stage.caller.calls(CALLER, "112");
    stage.caller.send(&second.invite().sdp(sdp(stage.ear.own)));
    let bye = stage.caller.expect("BYE");
    let reasons = bye.headers("Reason").join(", ");
    assert!(reasons.contains("preemption;cause=3"), "{reasons}");
    stage.caller.send(&talk.a.reply(&bye, 200));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&talk.b.reply(&bye, 200));
    let invite = stage.pbx.expect("INVITE");
    assert!(invite.uri().contains("112@"));
    ends(&mut stage, &mut second, &invite);
    talk.a.cseq = 9;
}

#[test]
fn e_05_a_location_passes_byte_for_byte_beside_our_own_description() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, "112");
    let description = sdp(stage.ear.own);
    let location = "<?xml version=\"1.0\"?>\r\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\">\r\n \
         <pos>52.37 4.90</pos>\u{e9}\r\n</presence>";
    let before = format!(
        "preamble\r\n--edge\r\nContent-Type: application/pidf+xml\r\nContent-ID: <l@a>\r\n\r\n\
         {location}\r\n--edge\r\nContent-Type: application/sdp\r\n\r\n"
    );
    let behind = "\r\n--edge--\r\nepilogue";
    let kind = "multipart/mixed; boundary=\"edge\"";
    let invite = a
        .invite()
        .with("Geolocation", "<cid:l@a>;inserted-by=\"a\"")
        .with("Geolocation-Routing", "yes")
        .with("MIME-Version", "1.0")
        .body(kind, format!("{before}{description}{behind}"));
    stage.caller.send(&invite);
    let seen = stage.pbx.expect("INVITE");
    assert_eq!(seen.header("Geolocation"), "<cid:l@a>;inserted-by=\"a\"");
    assert_eq!(seen.header("Geolocation-Routing"), "yes");
    assert_eq!((seen.header("MIME-Version"), seen.header("Content-Type")), ("1.0", kind));
    let body = seen.body();
    assert!(body.starts_with(&before) && body.ends_with(behind), "{body}");
    let inner = &body[before.len()..body.len() - behind.len()];
    assert!(inner.starts_with("v=0\r\n") && inner != description, "{inner}");
    assert!(!inner.contains(&stage.ear.own.port().to_string()), "it is our own: {inner}");
}

#[test]
fn e_07_a_node_without_emergency_numbers_does_not_start() {
    let stage = Stage::start();
    let file = stage.node.home.path().join("node.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let line = text.lines().find(|line| line.starts_with("numbers = ")).expect("numbers");
    for (numbers, said) in [("numbers = []", "\"112\""), ("numbers = [\"help\"]", "\"help\"")] {
        fs::write(&file, text.replace(line, numbers)).expect("a configuration");
        let output = stage.node.run(&["serve"]);
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("emergency: `numbers`") && told.contains(said), "{told}");
    }
}
