//! Who proves what to whom: rows B-22 to B-24, and the carrier that is registered with.

use ring::digest::{SHA256, digest};
use support::{
    node::Change,
    peer::{draft::Draft, post::Peer, seen::Seen},
    scene::NEVER,
    stage::{CALLER, Stage, sdp},
};

const PASSWORD: &str = "correct horse battery staple";

/// Puts a table below the PBX's own keys.
fn below_the_pbx(change: Change, table: &str) -> Change {
    change.under("LAB_SECRET", PASSWORD).with("[emergency]  ", format!("{table}\n[emergency]  "))
}

fn sha(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What a parameter of a challenge or a proof is.
fn part<'a>(value: &'a str, name: &str) -> &'a str {
    let start = format!("{name}=");
    let found =
        value.trim_start_matches("Digest ").split(", ").find_map(|one| one.strip_prefix(&*start));
    found.unwrap_or_else(|| panic!("no {name} in {value}")).trim_matches('"')
}

/// The response of RFC 7616 with SHA-256 and `qop=auth`, put together by hand.
fn response(user: &str, realm: &str, method: &str, proof: &str) -> String {
    let first = sha(&format!("{user}:{realm}:{PASSWORD}"));
    let second = sha(&format!("{method}:{}", part(proof, "uri")));
    let [nonce, count, cnonce] = ["nonce", "nc", "cnonce"].map(|name| part(proof, name));
    sha(&format!("{first}:{nonce}:{count}:{cnonce}:auth:{second}"))
}

const ACCOUNT: &str =
    "[pbx.digest]\nuser = \"box\"\nsecret_env = \"LAB_SECRET\"\nrealm = \"pbx\"\n";

fn asks(draft: Draft, name: &str, realm: &str, nonce: &str) -> Draft {
    draft.with(name, format!("Digest realm=\"{realm}\", nonce=\"{nonce}m\", qop=\"auth\"")).with(
        name,
        format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=SHA-256, qop=\"auth\""),
    )
}

#[test]
fn b_22_a_pbx_that_wants_a_proof_gets_it_in_the_next_invite_and_in_all_that_follows() {
    let mut stage = Stage::with(below_the_pbx(Change::default(), ACCOUNT));
    let (a, b, first) = stage.rings();
    stage.pbx.send(&asks(b.reply(&first, 407), "Proxy-Authenticate", "pbx", "n1"));
    assert_eq!(stage.pbx.expect("ACK").cseq().0, first.cseq().0);
    let second = stage.pbx.expect("INVITE");
    assert_eq!(second.header("Call-ID"), first.header("Call-ID"));
    assert_eq!(second.cseq().0, first.cseq().0 + 1);
    let proof = second.header("Proxy-Authorization");
    assert_eq!(part(proof, "algorithm"), "SHA-256", "the stronger of two");
    assert_eq!(part(proof, "response"), response("box", "pbx", "INVITE", proof));
    stage.pbx.send(&asks(
        stage.pbx.called(&second).reply(&second, 401),
        "WWW-Authenticate",
        "pbx",
        "n2",
    ));
    stage.pbx.expect("ACK");
    let third = stage.pbx.expect("INVITE");
    assert_eq!(third.headers("Proxy-Authorization").len(), 1, "both askers are answered");
    let proof = third.header("Authorization");
    assert_eq!(part(proof, "response"), response("box", "pbx", "INVITE", proof));
    let b = stage.pbx.called(&third);
    let mut talk = stage.answers(a, b, third);
    stage.caller.send(&talk.a.request("BYE"));
    let bye = stage.pbx.expect("BYE");
    let proof = bye.header("Authorization");
    assert_eq!(part(proof, "nc"), "00000002", "unasked, and counted");
    assert_eq!(part(proof, "response"), response("box", "pbx", "BYE", proof));
    stage.pbx.send(&talk.b.reply(&bye, 200));
    assert!(!stage.node.log().contains(PASSWORD), "a password in the log");
}

#[test]
fn b_22_a_password_that_is_turned_down_is_not_tried_again_and_the_caller_hears_503() {
    let mut stage = Stage::with(below_the_pbx(Change::default(), ACCOUNT));
    let (mut a, b, first) = stage.rings();
    stage.pbx.send(&asks(b.reply(&first, 401), "WWW-Authenticate", "pbx", "n1"));
    let second = stage.pbx.expect("INVITE");
    stage.pbx.send(&asks(b.reply(&second, 401), "WWW-Authenticate", "pbx", "n2"));
    let refused = stage.caller.expect(503);
    assert!(refused.get("WWW-Authenticate").is_none(), "the challenge is not the caller's");
    stage.caller.send(&a.ack(&refused));
    stage.pbx.hears_no(300, "INVITE");
}

#[test]
fn b_24_a_challenge_in_the_call_with_another_realm_gets_no_proof() {
    let mut stage = Stage::with(below_the_pbx(Change::default(), ACCOUNT));
    let mut talk = stage.talk();
    stage.caller.send(&talk.a.request("BYE"));
    let bye = stage.pbx.expect("BYE");
    assert!(bye.get("Authorization").is_none());
    stage.pbx.send(&asks(talk.b.reply(&bye, 401), "WWW-Authenticate", "elsewhere", "n1"));
    let another = move |seen: &Seen| seen.method() == Some("BYE") && seen.cseq() != bye.cseq();
    stage.pbx.hears_no(500, support::peer::post::What::that("another BYE", another));
}

const CHALLENGE: &str = "[trunk.challenge]\nrealm = \"box\"\nuser = \"carrier\"\n\
     secret_env = \"LAB_SECRET\"\n\n[[pbx]]\nname = \"pbx\"";

#[test]
fn b_23_a_trunk_must_prove_itself_where_it_is_asked_to_and_a_replay_does_not_help() {
    let change = Change::default().under("LAB_SECRET", PASSWORD);
    let mut stage = Stage::with(change.with("[[pbx]]\nname = \"pbx\"", CHALLENGE));
    let mut a = stage.caller.calls(CALLER, NEVER);
    let offer = sdp(stage.ear.own);
    stage.caller.send(&a.invite().with("Authorization", "NewScheme x=y").sdp(&offer));
    let asked = stage.caller.expect(401);
    let challenge = asked.header("WWW-Authenticate").to_owned();
    assert_eq!(asked.headers("WWW-Authenticate").len(), 1, "MD5 is not enough here");
    assert_eq!(part(&challenge, "algorithm"), "SHA-256");
    stage.caller.send(&a.ack(&asked));
    stage.pbx.hears_no(200, "INVITE");
    let prove = |password: &str, uri: &str| {
        let nonce = part(&challenge, "nonce");
        let open = format!(
            "Digest username=\"carrier\", realm=\"box\", nonce=\"{nonce}\", uri=\"{uri}\", \
             algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c\""
        );
        let right = response("carrier", "box", "INVITE", &open);
        let given = if password == PASSWORD { right } else { sha(password) };
        format!("{open}, response=\"{given}\"")
    };
    let uri = a.target.clone();
    stage.caller.send(&a.invite().with("Authorization", prove("guess", &uri)).sdp(&offer));
    let again = stage.caller.expect(401);
    assert!(!again.header("WWW-Authenticate").contains("stale"));
    stage.caller.send(&a.ack(&again));
    let proof = prove(PASSWORD, &uri);
    stage.caller.send(&a.invite().with("Authorization", &proof).sdp(&offer));
    let invite = stage.pbx.expect("INVITE");
    assert!(invite.get("Authorization").is_none(), "the proof goes no further");
    // A CANCEL is not asked for anything, and neither is an ACK.
    stage.caller.send(&a.cancel());
    stage.caller.expect((200, "CANCEL"));
    let ended = stage.caller.expect(487);
    stage.caller.send(&a.ack(&ended));
    let mut thief = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&thief.invite().with("Authorization", &proof).sdp(&offer));
    let stale = stage.caller.expect(401);
    assert!(stale.header("WWW-Authenticate").ends_with("stale=true"));
    stage.caller.send(&thief.ack(&stale));
    // Who calls for help is not asked who he is.
    let mut help = stage.caller.calls(CALLER, "112");
    stage.caller.send(&help.invite().sdp(&offer));
    stage.pbx.expect("INVITE");
}

#[test]
fn a_carrier_is_registered_with_and_called_over_its_route_and_left_at_the_end() {
    let mut carrier = Peer::new(0);
    let tables = format!(
        "[trunk.digest]\nuser = \"box\"\nsecret_env = \"LAB_SECRET\"\nrealm = \"carrier.example\"\n\n\
         [trunk.register]\ndomain = \"carrier.example\"\nexpires_s = 60\n\n{}",
        "[[pbx]]\nname = \"pbx\""
    );
    let change = Change::default()
        .under("LAB_SECRET", PASSWORD)
        .with("127.0.0.1:15070", carrier.own.to_string())
        .with("[[pbx]]\nname = \"pbx\"", tables);
    let mut stage = Stage::with(change);
    carrier.node.set_port(stage.node.sip);
    let first = carrier.expect("REGISTER");
    let dialog = carrier.called(&first);
    carrier.send(&asks(dialog.reply(&first, 401), "WWW-Authenticate", "carrier.example", "n1"));
    let second = carrier.expect("REGISTER");
    let proof = second.header("Authorization");
    assert_eq!(part(proof, "uri"), "sip:carrier.example");
    assert_eq!(part(proof, "response"), response("box", "carrier.example", "REGISTER", proof));
    let granted = dialog
        .reply(&second, 200)
        .with("Contact", second.header("Contact").replace("=60", "=2"))
        .with("Service-Route", "<sip:edge.carrier.example;lr>");
    carrier.send(&granted);
    let renewal = carrier.expect("REGISTER");
    assert!(renewal.at - second.at > std::time::Duration::from_millis(1400));
    carrier.send(&dialog.reply(&renewal, 423).with("Min-Expires", "90"));
    let longer = carrier.expect("REGISTER");
    assert_eq!(longer.header("Expires"), "90");
    carrier.send(
        &dialog
            .reply(&longer, 200)
            .with("Expires", "90")
            .with("Service-Route", "<sip:edge.carrier.example;lr>"),
    );
    let mut out = stage.pbx.calls("100", "+31501234567");
    stage.pbx.send(&out.invite().sdp(sdp(stage.desk.own)));
    let call = carrier.expect("INVITE");
    assert_eq!(call.header("Route"), "<sip:edge.carrier.example;lr>");
    let called = carrier.called(&call);
    carrier.send(&called.reply(&call, 486));
    let busy = stage.pbx.expect(486);
    stage.pbx.send(&out.ack(&busy));
    carrier.expect("ACK");
    std::thread::scope(|scope| {
        scope.spawn(|| stage.node.stop());
        let last = carrier.expect("REGISTER");
        assert_eq!(last.header("Expires"), "0");
        carrier.send(&dialog.reply(&last, 200));
    });
}
