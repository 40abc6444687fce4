//! Targets that are names: what DNS says decides where calls go, and its silence changes nothing.

use std::{net::Ipv4Addr, thread, time::Duration};

use support::{
    dns::{Dns, Record},
    exchange::{Act, Exchange, Manner, Plan},
    node::Change,
    scene::{NEVER, Scene},
};

fn answers() -> Manner {
    let acts = vec![(Duration::from_millis(300), Act::HangUp)];
    Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts }
}

fn records(first: u16, second: u16) -> Vec<Record> {
    vec![
        Record::Srv("_sip._udp.pbx.test", 20, 1, second, "host.test"),
        Record::Srv("_sip._udp.pbx.test", 10, 1, first, "host.test"),
        Record::A("host.test", Ipv4Addr::LOCALHOST),
    ]
}

#[test]
fn r_16_srv_says_where_calls_go_its_changes_are_followed_and_its_silence_changes_nothing() {
    let (mut one, mut two) = (
        Exchange::start([127, 0, 0, 1], 0, answers()),
        Exchange::start([127, 0, 0, 1], 0, answers()),
    );
    let (first, second) = (one.address().port(), two.address().port());
    let dns = Dns::start(records(first, second));
    let change = Change::default()
        .with("name = \"pbx\"\naddress = ", "name = \"pbx\"\ntarget = \"pbx.test\"\n#address = ")
        .with("servers = []", format!("servers = [\"{}\"]", dns.address));
    let mut scene = Scene::start(&change, Manner::Rings);
    thread::sleep(Duration::from_millis(500));
    let called = |scene: &mut Scene, from: &str, target: &mut Exchange, count: usize| {
        scene.call(Plan::new(from, NEVER));
        let took = target.until(Duration::from_secs(5), |calls| calls.len() == count);
        assert!(took, "{from}:\n{}", scene.node.log());
    };
    called(&mut scene, "+31612345621", &mut one, 1);
    let invite = one.of("+31612345621").request("INVITE", true).expect("an INVITE").text.clone();
    assert!(invite.starts_with(&format!("INVITE sip:{NEVER}@pbx.test")), "{invite}");

    dns.change(records(second, first));
    thread::sleep(Duration::from_millis(2_500));
    called(&mut scene, "+31612345622", &mut two, 1);

    dns.fall_silent();
    thread::sleep(Duration::from_millis(3_000));
    called(&mut scene, "+31612345623", &mut two, 2);
    assert_eq!(one.calls().len(), 1);
}
