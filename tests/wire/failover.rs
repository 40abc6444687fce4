//! Several targets behind the box: which one gets a call, how soon, and what becomes of the others.

use std::{
    net::UdpSocket,
    thread,
    time::{Duration, Instant},
};

use support::{
    exchange::{Act, Exchange, History, Manner, Plan, message::header},
    node::Change,
    port,
    scene::{ENGLISH, NEVER, Scene, words},
};

/// Answers after 200 ms and talks for a second.
fn answers() -> Manner {
    Manner::Answers {
        after: Duration::from_millis(200),
        tone_hz: 523.25,
        acts: vec![(Duration::from_millis(1_000), Act::HangUp)],
    }
}

/// A second target behind the first, and what the PBX has besides.
fn second(port: u16, keys: &str) -> Change {
    let target = format!("{keys}\n[[pbx.target]]\nhost = \"127.0.0.1\"\nport = {port}\n");
    let keepalive = if keys.contains("keepalive_s") { "" } else { "keepalive_s = 0\n" };
    Change::default().with(
        "keepalive_s = 0                     # no OPTIONS in the lab; the PBX is taken to be up\n",
        format!("{keepalive}{target}"),
    )
}

/// A scene with two targets: the first has this manner, the second answers.
fn pair(keys: &str, first: Manner) -> (Scene, Exchange) {
    let port = port::free();
    let scene = Scene::start(&second(port, keys), first);
    let other = Exchange::start([127, 0, 0, 1], port, answers());
    (scene, other)
}

/// How long after the caller's INVITE a target got its own.
fn delay(caller: &History, target: &History) -> Duration {
    let asked = caller.request("INVITE", false).expect("an INVITE").at;
    target.request("INVITE", true).expect("an INVITE").at.saturating_duration_since(asked)
}

/// Waits until the newest call has been answered and is over.
fn answered(scene: &mut Scene) {
    let bridged = scene.callers.until(Duration::from_secs(20), |calls| {
        calls.iter().any(|call| call.answered().is_some() && call.over())
    });
    assert!(bridged, "{}", scene.node.log());
    let calls = scene.node.until(&["calls", "list"], |calls| calls[0]["verdict"].is_string());
    assert_eq!(words(&calls[0]), "not-asked bridged policy-off");
}

#[test]
fn r_17_a_target_known_to_be_down_costs_no_time_and_gets_calls_again_when_it_is_back() {
    let (mut scene, mut other) = pair("keepalive_s = 1", Manner::Says(503));
    thread::sleep(Duration::from_millis(2_500));
    scene.call(Plan::new("+31612345601", NEVER));
    answered(&mut scene);
    let (caller, target) = (scene.callers.of("+31612345601"), other.of("+31612345601"));
    assert!(delay(&caller, &target) < Duration::from_secs(1), "{:?}", delay(&caller, &target));
    assert!(scene.pbx.find("+31612345601").is_none(), "a target that is down was called");
    assert!(scene.node.log().contains("a target is down"), "{}", scene.node.log());

    // The first one comes back on its own port.
    let port = scene.pbx.address().port();
    scene.pbx = Exchange::callers();
    thread::sleep(Duration::from_millis(300));
    scene.pbx = Exchange::start([127, 0, 0, 1], port, answers());
    thread::sleep(Duration::from_millis(2_500));
    scene.call(Plan::new("+31612345602", NEVER));
    let back = scene.pbx.until(Duration::from_secs(5), |calls| !calls.is_empty());
    assert!(back && other.find("+31612345602").is_none(), "{}", scene.node.log());
}

#[test]
fn r_16_a_503_goes_on_at_once_and_the_next_call_goes_to_the_other_target_first() {
    let (mut scene, mut other) = pair("", Manner::Says(503));
    scene.call(Plan::new("+31612345603", NEVER));
    answered(&mut scene);
    let (caller, target) = (scene.callers.of("+31612345603"), other.of("+31612345603"));
    assert!(delay(&caller, &target) < Duration::from_millis(500), "{:?}", delay(&caller, &target));
    let first = scene.pbx.of("+31612345603");
    let read = |history: &History, name| {
        let invite = history.request("INVITE", true).expect("an INVITE");
        header(&invite.text, name).map(str::to_owned)
    };
    let identity =
        |from: Option<String>| from.and_then(|from| Some(from.split(";tag").next()?.to_owned()));
    assert_eq!(identity(read(&first, "From")), identity(read(&target, "From")));
    assert_eq!(read(&first, "X-Jawoord-Call"), read(&target, "X-Jawoord-Call"));
    assert_ne!(read(&first, "Call-ID"), read(&target, "Call-ID"));
    assert!(first.request("ACK", true).is_some(), "the 503 was not acknowledged");

    scene.call(Plan::new("+31612345604", NEVER));
    let second = other.until(Duration::from_secs(5), |calls| calls.len() == 2);
    assert!(second && scene.pbx.find("+31612345604").is_none(), "{}", scene.node.log());
}

#[test]
fn r_16_a_closed_port_goes_on_at_once_and_a_busy_person_is_asked_only_once() {
    let (mut scene, mut other) = pair("", Manner::Says(486));
    scene.call(Plan::new("+31612345605", NEVER));
    scene.over(1, 10);
    assert_eq!(
        scene.callers.of("+31612345605").answer("INVITE").map(|(_, status)| status),
        Some(486)
    );
    assert!(other.find("+31612345605").is_none(), "busy was taken for a fault");

    scene.pbx = Exchange::callers();
    thread::sleep(Duration::from_millis(100));
    scene.call(Plan::new("+31612345606", NEVER));
    answered(&mut scene);
    let (caller, target) = (scene.callers.of("+31612345606"), other.of("+31612345606"));
    assert!(delay(&caller, &target) < Duration::from_millis(500), "{:?}", delay(&caller, &target));
}

#[test]
fn r_17_a_silent_target_is_left_on_timer_b_or_before_and_its_late_answer_is_hung_up_on() {
    // Timer B is 64 * 25 ms here.
    let other_port = port::free();
    let quick = second(other_port, "silent_after_s = 30").with("t1_ms = 500", "t1_ms = 25");
    let mut scene = Scene::start(&quick, Manner::Rings);
    let mut other = Exchange::start([127, 0, 0, 1], other_port, answers());
    let port = scene.pbx.address().port();
    scene.pbx = Exchange::callers();
    thread::sleep(Duration::from_millis(100));
    let mute = UdpSocket::bind(("127.0.0.1", port)).expect("the port");
    scene.call(Plan::new("+31612345607", NEVER));
    answered(&mut scene);
    let waited = delay(&scene.callers.of("+31612345607"), &other.of("+31612345607"));
    assert!((1_500..5_000).contains(&waited.as_millis()), "{waited:?}");
    drop(mute);

    let other_port = port::free();
    let mut scene = Scene::start(&second(other_port, "silent_after_s = 1"), Manner::Rings);
    let mut other = Exchange::start([127, 0, 0, 1], other_port, answers());
    let port = scene.pbx.address().port();
    scene.pbx = Exchange::callers();
    thread::sleep(Duration::from_millis(100));
    let late = UdpSocket::bind(("127.0.0.1", port)).expect("the port");
    late.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
    scene.call(Plan::new("+31612345608", NEVER));
    let took = other.until(Duration::from_secs(5), |calls| !calls.is_empty());
    assert!(took, "{}", scene.node.log());
    let waited = delay(&scene.callers.of("+31612345608"), &other.of("+31612345608"));
    assert!((900..3_000).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(said_after_a_late_answer(&late), ["ACK", "BYE"]);
    answered(&mut scene);
}

/// Answers the first INVITE that waits in a socket, and says which requests follow.
fn said_after_a_late_answer(socket: &UdpSocket) -> Vec<String> {
    let mut buffer = [0; 8_192];
    let (length, node) = socket.recv_from(&mut buffer).expect("an INVITE");
    let invite = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let own = socket.local_addr().expect("an address");
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 8\r\n",
        own.port()
    );
    let kept = invite.lines().take_while(|line| !line.is_empty()).filter(|line| {
        ["Via:", "From:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))
    });
    let kept: String = kept.map(|line| format!("{line}\r\n")).collect();
    let to = header(&invite, "To").expect("To");
    let answer = format!(
        "SIP/2.0 200 OK\r\n{kept}To: {to};tag=late\r\nContact: <sip:late@{own}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    socket.send_to(answer.as_bytes(), node).expect("it goes out");
    let (mut methods, until) = (Vec::new(), Instant::now() + Duration::from_secs(5));
    while methods.len() < 2 && Instant::now() < until {
        let Ok((length, node)) = socket.recv_from(&mut buffer) else { break };
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let method = text.split(' ').next().unwrap_or_default().to_owned();
        if method == "BYE" {
            let kept = text.lines().take_while(|line| !line.is_empty()).filter(|line| {
                ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|n| line.starts_with(n))
            });
            let kept: String = kept.map(|line| format!("{line}\r\n")).collect();
            let done = format!("SIP/2.0 200 OK\r\n{kept}Content-Length: 0\r\n\r\n");
            socket.send_to(done.as_bytes(), node).expect("it goes out");
        }
        if method != "INVITE" && !methods.contains(&method) {
            methods.push(method);
        }
    }
    methods
}

#[test]
fn b_20_a_target_that_nobody_answers_is_cancelled_and_the_next_one_rings() {
    let (mut scene, mut other) = pair("no_answer_s = 1", Manner::Rings);
    scene.call(Plan::new("+31612345609", NEVER));
    answered(&mut scene);
    let (caller, target) = (scene.callers.of("+31612345609"), other.of("+31612345609"));
    assert!((900..3_000).contains(&delay(&caller, &target).as_millis()));
    let first = scene.pbx.of("+31612345609");
    assert!(first.request("CANCEL", true).is_some(), "the first target rings on");
}

#[test]
fn b_21_a_302_is_followed_to_a_target_once_and_a_circle_leads_to_the_next_target() {
    // It redirects every call to the user `pbx` on itself.
    let (mut scene, mut other) = pair("", Manner::Says(302));
    scene.call(Plan::new("+31612345612", NEVER));
    answered(&mut scene);
    let asked: Vec<String> = scene
        .pbx
        .calls()
        .iter()
        .filter_map(|call| call.request("INVITE", true)?.text.split(' ').nth(1).map(str::to_owned))
        .collect();
    let own = scene.pbx.address();
    assert_eq!(asked, [format!("sip:{NEVER}@{own}"), format!("sip:pbx@{own}")]);
    assert!(other.find("+31612345612").is_some());
}

#[test]
fn e_06_an_emergency_that_one_route_rejects_takes_the_next() {
    let (mut scene, mut other) = pair("", Manner::Says(404));
    scene.call(Plan::new("+31612345610", "112"));
    let took = other.until(Duration::from_secs(5), |calls| !calls.is_empty());
    assert!(took, "{}", scene.node.log());
    assert!(delay(&scene.callers.of("+31612345610"), &other.of("+31612345610")).as_millis() < 500);
}

#[test]
fn c_16_consent_holds_when_the_call_goes_on_to_a_second_target() {
    let (mut scene, mut other) = pair("", Manner::Says(503));
    scene.call(Plan::new("+31612345611", ENGLISH).at(400, Act::Press('1')));
    scene.over(1, 40);
    let id = scene.id("+31612345611");
    assert_eq!(words(&scene.shown("+31612345611")), "granted bridged recorded");
    let ladder = scene.node.run(&["calls", "show", &id, "--ladder"]);
    let ladder = String::from_utf8_lossy(&ladder.stdout).into_owned();
    assert_eq!(ladder.matches("plays notice").count(), 1, "{ladder}");
    assert!(scene.pbx.find("+31612345611").is_some() && other.find("+31612345611").is_some());
}
