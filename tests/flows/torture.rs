//! What no peer should send, against the running node: rows S-12 and S-14.

use support::{
    peer::seen::Seen,
    scene::NEVER,
    stage::{CALLER, Stage, sdp},
};

#[allow(dead_code, reason = "streams are tried where the set is at home")]
#[path = "../../crates/sip/tests/set/mod.rs"]
mod set;

use set::{Outcome, cases};

#[test]
fn s_12_torture_has_its_outcome_and_the_node_answers_options_after_every_message() {
    let mut stage = Stage::start();
    let own = stage.caller.own.to_string();
    let mut wrong = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        if case.octets.starts_with(b"SIP/") {
            // A response to nothing: there is nothing that it could end.
            stage.caller.send_octets(&case.octets);
        } else {
            let text = String::from_utf8_lossy(&case.octets).into_owned();
            stage.caller.send_octets(text.replace("192.0.2.9:5070", &own).as_bytes());
        }
        let call_id = call_id(&case.octets);
        let mut check = stage.caller.calls(CALLER, NEVER);
        stage.caller.send(&check.request("OPTIONS"));
        stage.caller.expect((200, "OPTIONS"));
        let answers =
            |seen: &&Seen| seen.get("Call-ID") == call_id.as_deref() && seen.status() != Some(100);
        let said: Vec<u16> =
            stage.caller.everything().iter().filter(answers).filter_map(Seen::status).collect();
        // A node turns REGISTER away at its door, whatever it holds.
        let right = match case.outcome {
            Outcome::Answered(&[405]) => said == [403],
            Outcome::Answered(&[status]) if call_id.is_some() => said == [status],
            Outcome::Silence | Outcome::Rejected(_) => said.is_empty(),
            Outcome::Answered(_) | Outcome::Call => true,
        };
        if !right {
            wrong.push(format!("{number} {}: {said:?} and not {:?}", case.place, case.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The Call-ID of a message that has one and a Via that leads back here.
fn call_id(octets: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(octets).into_owned();
    let returns = text.contains("Via: SIP/2.0/UDP 192.0.2.9:5070");
    let line = text.lines().find_map(|line| line.strip_prefix("Call-ID: "))?;
    returns.then(|| line.to_owned())
}

#[test]
fn s_14_a_faulty_description_is_refused_and_the_next_call_is_taken() {
    let mut stage = Stage::start();
    let right = sdp(stage.ear.own);
    let address = format!("c=IN IP4 {}", stage.ear.own.ip());
    let without = |start: &str| -> String {
        right
            .lines()
            .filter(|line| !line.starts_with(start))
            .map(|line| format!("{line}\r\n"))
            .collect()
    };
    let faults = [
        "this is no description".to_owned(),
        "v=0\r\n".to_owned(),
        without("m="),
        without("c="),
        right.replace(&address, "c=IN IP4 not.an address"),
        right.replace("RTP/AVP 8", "RTP/AVP 97"),
        right.replace("RTP/AVP", "UDP/TLS/RTP/SAVPF"),
        right.replace("m=audio", "m=video"),
        right.replace("m=audio ", "m=audio x"),
        right.replace("v=0", "v=9"),
        "\0\u{1}\u{2}".repeat(50),
    ];
    for fault in faults {
        let mut a = stage.caller.calls(CALLER, NEVER);
        stage.caller.send(&a.invite().sdp(&fault));
        let refused = stage.caller.expect(support::peer::post::What::that("an end", |seen| {
            seen.cseq().1 == "INVITE" && seen.status().is_some_and(|status| status >= 180)
        }));
        let status = refused.status().unwrap_or_default();
        assert!(matches!(status, 400 | 488), "{status} to {fault:?}");
        stage.caller.send(&a.ack(&refused));
    }
    let mut talk = stage.talk();
    stage.hang_up(&mut talk);
}
