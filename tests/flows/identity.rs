//! Who calls, as the other side is told, and what it is not told: rows.

use std::time::Duration;

use support::{
    node::Change,
    peer::{draft::Draft, leg::Leg, seen::Seen},
    scene::{ENGLISH, NEVER},
    stage::{CALLER, Stage, sdp, wait},
};

/// A word that stands wherever the caller's side says something of itself.
const NEAR: &str = "secret-a";
/// The same of the PBX's side.
const FAR: &str = "secret-b";

/// A description whose lines of origin name their side.
fn marked(stage: &Stage, word: &str, near: bool) -> String {
    let sound = if near { stage.ear.own } else { stage.desk.own };
    let text = sdp(sound);
    let origin = text.lines().find(|line| line.starts_with("o=")).expect("an origin").to_owned();
    text.replace(&origin, &format!("o={word} 71 72 IN IP4 127.0.0.9"))
        .replace("\r\ns=", &format!("\r\ns={word} "))
}

/// A caller that names its side in every header that belongs to it.
fn marked_call(stage: &Stage) -> (Leg, Draft) {
    let mut a = stage.caller.calls(CALLER, NEVER);
    a.call_id = format!("{NEAR}-1@{NEAR}.example");
    a.local = format!("\"Anna\" <sip:{CALLER}@{NEAR}.example>;tag={NEAR}");
    a.contact = format!("<sip:{NEAR}@{};x={NEAR}>", stage.caller.own);
    let invite = a.invite();
    let invite = invite
        .with("Via", format!("SIP/2.0/UDP {NEAR}.example;branch=z9hG4bK{NEAR}"))
        .with("Record-Route", format!("<sip:{NEAR}.example;lr>"))
        .sdp(marked(stage, NEAR, true));
    (a, invite)
}

/// Names and values of header lines.
type Lines = Vec<(&'static str, &'static [u8])>;

/// Headers of all kinds that pass.
fn passing() -> Lines {
    vec![
        ("P-Asserted-Identity", b"\"Anna\" <sip:+31612345000@carrier.example>"),
        ("P-Asserted-Identity", b"<tel:+31612345000>"),
        ("P-Preferred-Identity", b"<sip:p@q>"),
        ("Remote-Party-ID", b"\"A\" <sip:1@b>;party=calling;screen=yes"),
        ("Privacy", b"none"),
        ("Diversion", b"<sip:100@a>;reason=no-answer;counter=2,<sip:99@a>;reason=user-busy"),
        ("Diversion", b"\"X, Y\" <sip:98@a>"),
        ("History-Info", b"<sip:a@b?Reason=SIP%3Bcause%3D302>;index=1;rc=1"),
        ("Referred-By", b"<sip:r@s>;cid=\"1@2\""),
        ("b", b"<sip:r2@s>"),
        ("Subject", b"caf\xe9 \xff"),
        ("s", b"short"),
        ("Organization", "B\u{e4}ckerei".as_bytes()),
        ("Reply-To", b"<sip:back@b>"),
        ("User-to-User", b"04484154;encoding=hex;purpose=isdn-uui"),
        ("Alert-Info", b"<http://a.example/ring.wav>;info=alert-autoanswer"),
        ("Call-Info", b"<sip:x>;answer-after=0"),
        ("Accept-Language", b"nl;q=1, en;q=0.5"),
        ("Accept-Contact", b"*;audio;require"),
        ("a", b"*;video"),
        ("Reject-Contact", b"*;actor=\"msg-taker\""),
        ("Request-Disposition", b"no-fork"),
        ("Answer-Mode", b"Auto"),
        ("Geolocation", b"<cid:x@y>"),
        ("Geolocation-Routing", b"yes"),
        ("Reason", b"SIP;cause=302"),
        ("Date", b"Sun, 22 Nov 2026 05:00:00 GMT"),
        ("X-Genesys-CallUUID", b"00FAL0P9I4A7B9S3"),
        ("X-empty", b""),
        ("x-lower", b"a,b,,\"c,d\";e=\"\\\"\""),
        ("X-UPPER", b" tabs\tand  spaces "),
        ("X-Long", &[b'l'; 4_000]),
        ("X-Evil", b"?X-Other=1%0d%0aX-More: 2"),
        ("X-Octets", b"\x01\x02\x80\xfe"),
    ]
}

/// Headers that stay on their side.
fn staying() -> Lines {
    vec![
        ("User-Agent", b"secret-a/1"),
        ("Server", b"secret-a/2"),
        ("Organization2", b"secret-a"),
        ("P-Charging-Vector", b"icid-value=secret-a"),
        ("P-Access-Network-Info", b"secret-a"),
        ("Path", b"<sip:secret-a>"),
        ("Service-Route", b"<sip:secret-a>"),
        ("Warning", b"399 secret-a \"x\""),
        ("Authorization", b"Digest username=\"secret-a\""),
        ("Proxy-Authorization", b"Digest realm=\"secret-a\""),
        ("Security-Verify", b"secret-a"),
        ("In-Reply-To", b"secret-a@host"),
        ("Target-Dialog", b"secret-a;local-tag=1"),
        ("Timestamp", b"71.5"),
        ("Max-Breadth", b"69"),
        ("Allow-Events", b"secret-a"),
        ("u", b"secret-a"),
        ("Session-Expires2", b"secret-a"),
        ("X-Jawoord-Call", b"secret-a"),
        ("X-Jawoord-Other", b"secret-a"),
        ("Content-Language", b"secret-a"),
        ("Unknown", b"secret-a"),
        ("X-Too-Long", &[b'z'; 4_097]),
        ("P-Visited-Network-ID", b"secret-a"),
        ("Info-Package", b"secret-a"),
        ("Identity-Info", b"<https://secret-a>"),
    ]
}

/// Every header line of a message with its octets.
fn lines(seen: &Seen) -> Vec<(Vec<u8>, Vec<u8>)> {
    let head = seen.octets.windows(4).position(|part| part == b"\r\n\r\n").expect("headers");
    let mut found = Vec::new();
    for line in seen.octets[..head].split(|&octet| octet == b'\n').skip(1) {
        let colon = line.iter().position(|&octet| octet == b':').expect("a colon");
        found.push((line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec()));
    }
    found
}

#[test]
fn r_09_sixty_unusual_headers_arrive_byte_for_byte_or_not_at_all() {
    let mut stage = Stage::start();
    let (passed, stays) = (passing(), staying());
    assert!(passed.len() + stays.len() >= 60);
    let (_, mut invite) = marked_call(&stage);
    // Mixed, so that nothing depends on where a header stands.
    for place in 0..passed.len().max(stays.len()) {
        for (name, value) in [passed.get(place), stays.get(place)].into_iter().flatten() {
            invite = invite.with(name, value);
        }
    }
    stage.caller.send(&invite);
    let arrived = lines(&stage.pbx.expect("INVITE"));
    let wanted: Vec<(Vec<u8>, Vec<u8>)> = passed
        .iter()
        .map(|(name, value)| (name.as_bytes().to_vec(), value.trim_ascii().to_vec()))
        .collect();
    let of_passed = |(name, _): &&(Vec<u8>, Vec<u8>)| wanted.iter().any(|(known, _)| known == name);
    let came: Vec<_> = arrived.iter().filter(of_passed).cloned().collect();
    assert_eq!(came, wanted, "every one, in its order, octet for octet");
    for (name, _) in stays.iter().filter(|(name, _)| *name != "User-Agent") {
        let is = |(found, value): &(Vec<u8>, Vec<u8>)| {
            let hidden = value.windows(8).any(|part| part == NEAR.as_bytes());
            found.eq_ignore_ascii_case(name.as_bytes()) && (hidden || *name != "X-Jawoord-Call")
        };
        assert!(!arrived.iter().any(is), "{name} came");
    }
}

#[test]
fn r_09_lists_of_a_peer_add_and_take_away_with_wildcards_and_size() {
    let lists = "pass = [\"default\", \"P-Early-*\"]";
    // What crosses must pass on both sides; what one of them blocks stays.
    let change = Change::default()
        .with("name = \"pbx\"", format!("name = \"pbx\"\n{lists}"))
        .with("pass = [\"default\"] ", format!("{lists} "))
        .with("block = []", "block = [\"X-Internal-*\", \"Subject\"]")
        .with("total_octets = 16384", "total_octets = 100");
    let mut stage = Stage::with(change);
    let mut a = stage.caller.calls(CALLER, NEVER);
    let invite = a
        .invite()
        .with("P-Early-Media", "supported")
        .with("X-Internal-Route", "7")
        .with("s", "hello")
        .with("X-Fits", "y".repeat(40))
        .with("X-Beyond", "z".repeat(60))
        .with("X-Last", "1");
    stage.caller.send(&invite.sdp(sdp(stage.ear.own)));
    let seen = stage.pbx.expect("INVITE");
    assert_eq!(seen.header("P-Early-Media"), "supported");
    assert_eq!(seen.header("X-Fits").len(), 40);
    assert_eq!(seen.header("X-Last"), "1");
    for name in ["X-Internal-Route", "s", "Subject", "X-Beyond"] {
        assert_eq!(seen.get(name), None, "{name}");
    }
}

#[test]
fn r_08_nothing_of_one_side_shows_on_the_other_from_the_first_message_to_the_last() {
    let mut stage = Stage::start();
    let (mut a, invite) = marked_call(&stage);
    stage.caller.send(&invite.with("User-Agent", format!("{NEAR}/1")));
    let invite = stage.pbx.expect("INVITE");
    let mut b = stage.pbx.called(&invite);
    b.tag = FAR.to_owned();
    b.local = format!("{};tag={FAR}", invite.header("To"));
    b.contact = format!("<sip:{FAR}@{};x={FAR}>", stage.pbx.own);
    let said = |draft: Draft| {
        draft
            .with("Server", format!("{FAR}/1"))
            .with("Record-Route", format!("<sip:{FAR}.example;lr>"))
            .with("Warning", format!("399 {FAR}.example:5060 \"take care\""))
            .with("P-Charging-Vector", format!("icid-value={FAR}"))
    };
    stage.pbx.send(&said(b.reply(&invite, 180)));
    let ringing = stage.caller.expect(180);
    assert_eq!(ringing.header("Warning"), "399 jawoord \"take care\"");
    stage.pbx.send(&said(b.reply(&invite, 200)).sdp(marked(&stage, FAR, false)));
    stage.pbx.expect("ACK");
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    a.routes.clear();
    let bye = a.request("BYE").with("Reason", "Q.850;cause=16").with("User-Agent", NEAR);
    stage.caller.send(&bye);
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.headers("Reason"), ["Q.850;cause=16"]);
    stage.pbx.send(&b.reply(&bye, 200));
    let (near, far) = (stage.caller.everything(), stage.pbx.everything());
    // What the caller wrote comes back to it in its own dialog, and never to the other side.
    for seen in &far {
        assert!(!seen.text.contains(NEAR), "the PBX is told:\n{}", seen.text);
        assert!(!seen.text.contains(&format!(":{}", stage.caller.own.port())), "{}", seen.text);
    }
    for seen in &near {
        assert!(!seen.text.contains(FAR), "the caller is told:\n{}", seen.text);
        assert!(!seen.text.contains(&format!(":{}", stage.pbx.own.port())), "{}", seen.text);
    }
}

#[test]
fn r_13_diversions_keep_their_order_in_both_directions_and_a_181_says_that_there_are_some() {
    let mut stage = Stage::start();
    let (_, mut invite) = marked_call(&stage);
    let entries: Vec<String> =
        (0..8).map(|i| format!("<sip:10{i}@a>;reason=unconditional;counter={i}")).collect();
    for entry in &entries {
        invite = invite.with("Diversion", entry);
    }
    let history = "<sip:1@a>;index=1,<sip:2@a?Privacy=history>;index=1.1,<sip:3@a>;index=1.1.1";
    stage.caller.send(&invite.with("History-Info", history));
    let invite = stage.pbx.expect("INVITE");
    assert_eq!(invite.headers("Diversion"), entries);
    assert_eq!(invite.headers("History-Info"), [history]);
    let b = stage.pbx.called(&invite);
    let forwarded = b.reply(&invite, 181).with("Diversion", "<sip:200@b>;reason=user-busy");
    stage.pbx.send(&forwarded.with("History-Info", history));
    let seen = stage.caller.expect(181);
    assert_eq!(seen.headers("Diversion"), ["<sip:200@b>;reason=user-busy"]);
    assert_eq!(seen.headers("History-Info"), [history]);
    let moved = b.reply(&invite, 480).with("Reason", "Q.850;cause=20;text=\"Absent\"");
    stage.pbx.send(&moved.with("Retry-After", "120 (lunch)").with("X-Cause", "away"));
    let seen = stage.caller.expect(480);
    assert_eq!(seen.header("Reason"), "Q.850;cause=20;text=\"Absent\"");
    assert_eq!(seen.header("Retry-After"), "120 (lunch)");
    assert_eq!(seen.header("X-Cause"), "away");
}

#[test]
fn r_10_a_passport_passes_while_it_is_true_and_stays_behind_when_it_is_not() {
    let change = Change::default().with("block = []", "block = [\"Date\"]");
    let mut stage = Stage::with(change);
    let identity =
        "eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7fX0.c2ln;info=<https://c.example/p>;ppt=shaken";
    let place = |stage: &mut Stage, date: bool| {
        let mut a = stage.caller.calls(CALLER, NEVER);
        let mut invite = a.invite().with("Identity", identity).with("y", "e30.e30.ZGl2;ppt=div");
        if date {
            invite = invite.with("Date", "Sun, 22 Nov 2026 05:00:00 GMT");
        }
        stage.caller.send(&invite.sdp(sdp(stage.ear.own)));
        let seen = stage.pbx.expect("INVITE");
        let b = stage.pbx.called(&seen);
        stage.pbx.send(&b.reply(&seen, 486));
        let busy = stage.caller.expect(486);
        stage.caller.send(&a.ack(&busy));
        seen
    };
    let whole = place(&mut stage, false);
    assert_eq!(whole.header("Identity"), identity);
    assert_eq!(whole.header("y"), "e30.e30.ZGl2;ppt=div");
    let changed = place(&mut stage, true);
    assert_eq!((changed.get("Identity"), changed.get("y")), (None, None));
    let call = changed.header("X-Jawoord-Call").to_owned();
    let told = stage.node.until(&["calls", "show", &call], |call| call["verdict"].is_string());
    let text = told["ladder"].to_string();
    assert!(text.contains("Identity left out: Date was changed"), "{text}");
}

#[test]
fn r_11_a_caller_that_withholds_its_number_is_nowhere_and_untrusted_peers_are_not_told() {
    let mut stage = Stage::with(Change::default().with(
        "name = \"pbx\"",
        "name = \"pbx\"
trusted = false",
    ));
    const HIDDEN: &str = "31699988777";
    let call = |stage: &mut Stage, privacy: &str, number: &str| {
        let mut a = stage.caller.calls(&format!("+{HIDDEN}"), number);
        a.local = a.local.replacen('<', "\"Hidden Person\" <", 1);
        let invite = a
            .invite()
            .with("P-Asserted-Identity", format!("<sip:+{HIDDEN}@carrier.example>"))
            .with("Privacy", privacy)
            .with("X-Kept", "1");
        stage.caller.send(&invite.sdp(sdp(stage.ear.own)));
        a
    };
    // Not trusted: nobody's asserted identity, and not even a From when the user wants none.
    let _a = call(&mut stage, "user;id", NEVER);
    let seen = stage.pbx.expect("INVITE");
    assert!(!seen.text.contains(HIDDEN) && !seen.text.contains("Hidden"), "{}", seen.text);
    assert!(seen.header("From").contains("sip:anonymous@anonymous.invalid"), "{}", seen.text);
    assert_eq!(seen.header("X-Kept"), "1");
    // A caller on a line that asks, who agrees: nothing that is kept knows the number.
    let mut a = call(&mut stage, "id", ENGLISH);
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.talk_to(ok.sound());
    wait(500);
    stage.ear.press('1');
    let invite = stage.pbx.expect_within(Duration::from_secs(20), "INVITE");
    assert!(!invite.text.contains("carrier.example"), "asserted: {}", invite.text);
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    stage.desk.talk_to(invite.sound());
    wait(1_500);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    let id = invite.header("X-Jawoord-Call").to_owned();
    let shown = stage.node.until(&["calls", "show", &id], |call| call["verdict"].is_string());
    let recordings = stage.node.until(&["recordings", "list"], |list| {
        list.as_array().is_some_and(|rows| !rows.is_empty())
    });
    let said = format!("{shown}{recordings}{}{}", stage.node.log(), stage.node.metrics());
    for word in [HIDDEN, "699988777", "Hidden"] {
        assert!(!said.contains(word), "{word} is told");
        for (path, _) in stage.node.files("") {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let found = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            let named = path.display().to_string().contains(word);
            assert!(!found && !named, "{word} is in {}", path.display());
        }
    }
}

#[test]
fn r_12_a_tel_uri_and_a_ported_number_reach_the_pbx_whole() {
    let mut stage = Stage::start();
    for (dialled, sent) in [
        ("tel:+31201234569;npdi;rn=+31999", "+31201234569;npdi;rn=+31999@"),
        ("sip:+31201234569;npdi@127.0.0.1;user=phone", "+31201234569;npdi@"),
        ("sip:*21%23@127.0.0.1", "*21%23@"),
    ] {
        let mut a = stage.caller.calls(CALLER, NEVER);
        a.target = dialled.to_owned();
        a.remote = format!("<{dialled}>");
        stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
        let seen = stage.pbx.expect("INVITE");
        assert!(seen.uri().contains(sent), "{dialled} became {}", seen.uri());
        assert_eq!(seen.uri().contains(";user=phone"), !dialled.contains('*'), "{}", seen.uri());
        let b = stage.pbx.called(&seen);
        stage.pbx.send(&b.reply(&seen, 486));
        let busy = stage.caller.expect(486);
        stage.caller.send(&a.ack(&busy));
    }
}

#[test]
fn r_14_o_08_one_session_id_goes_through_both_dialogs_and_every_side_finds_the_call_by_its_id() {
    let (ours, theirs) = ("ab30317f1a784dc48ff824d0d3715d86", "47755a9de7794ba387653f2099600ef2");
    let nil = "00000000000000000000000000000000";
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, NEVER);
    let invite = a.invite().with("Session-ID", format!("{ours};remote={nil}"));
    stage.caller.send(&invite.with("User-to-User", "00FA").sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    assert_eq!(invite.header("Session-ID"), format!("{ours};remote={nil}"));
    assert_eq!(invite.header("User-to-User"), "00FA");
    let mut b = stage.pbx.called(&invite);
    let session = format!("{theirs};remote={ours}");
    stage.pbx.send(&b.reply(&invite, 180).with("Session-ID", &session));
    assert_eq!(stage.caller.expect(180).header("Session-ID"), session);
    let answer = b.reply(&invite, 200).with("Session-ID", &session);
    stage.pbx.send(&answer.sdp(sdp(stage.desk.own)));
    let swapped = format!("{ours};remote={theirs}");
    assert_eq!(stage.pbx.expect("ACK").header("Session-ID"), swapped);
    let ok = stage.caller.expect((200, "INVITE"));
    assert_eq!(ok.header("Session-ID"), session);
    assert_eq!(ok.get("X-Jawoord-Call"), None, "the carrier is not told");
    stage.caller.send(&a.ack(&ok));
    let options = b.request("OPTIONS");
    stage.pbx.send(&options);
    assert_eq!(stage.pbx.expect((200, "OPTIONS")).header("Session-ID"), swapped);
    stage.pbx.send(&b.request("BYE").with("Session-ID", &session));
    assert_eq!(stage.pbx.expect((200, "BYE")).header("Session-ID"), swapped);
    let bye = stage.caller.expect("BYE");
    assert_eq!(bye.header("Session-ID"), session);
    stage.caller.send(&a.reply(&bye, 200));
    let id = invite.header("X-Jawoord-Call");
    let call = stage.node.until(&["calls", "show", id], |call| call["verdict"].is_string());
    // All four ids: ours, both Call-IDs and the Session-ID. The caller's Call-ID may hold an address.
    assert_eq!(call["call"], id);
    assert_eq!(call["session_id"], swapped.as_str());
    assert_eq!(call["called_call_id"], invite.header("Call-ID"));
    assert!(!call.to_string().contains(&a.call_id), "{call}");
    for name in [a.call_id.as_str(), invite.header("Call-ID"), ours, theirs] {
        let found = stage.node.done(&["calls", "find", name]);
        assert_eq!((found[0]["call"].as_str(), found[1].is_null()), (Some(id), true), "{name}");
    }
    assert_eq!(stage.node.done(&["calls", "find", "nobody"]), serde_json::json!([]));
}

#[test]
fn r_05_a_call_that_comes_back_gets_482_and_one_that_is_forwarded_does_not() {
    let mut stage = Stage::start();
    let (_, _, invite) = stage.rings();
    for (name, number) in [("Session-ID", NEVER), ("X-Jawoord-Call", NEVER), ("Via", NEVER)] {
        let mut back = stage.pbx.calls(CALLER, number);
        let again = back.invite().with(name, invite.header(name));
        stage.pbx.send(&again.sdp(sdp(stage.desk.own)));
        let looped = stage.pbx.expect((482, "INVITE"));
        stage.pbx.send(&back.ack(&looped));
    }
    let mut on = stage.pbx.calls(CALLER, "+31301234567");
    let forward = on.invite().with("Session-ID", invite.header("Session-ID"));
    stage.pbx.send(&forward.sdp(sdp(stage.desk.own)));
    stage.pbx.expect(100);
    stage.pbx.hears_no(300, 482);
}
