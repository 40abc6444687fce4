//! `check --live`: what it says of a node that runs, of one that does not, and of peers of all kinds.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    thread,
    time::Duration,
};

use serde_json::Value;
use support::{
    dns::{Dns, Record},
    exchange::{Exchange, Manner},
    node::{Change, Node},
    peer::{
        leg::Leg,
        stream::{Authority, Ear, Paper},
    },
};

const LIVE: [&str; 2] = ["check", "--live"];

/// A peer that answers OPTIONS and nothing else.
fn answers(status: u16) -> Exchange {
    Exchange::start([127, 0, 0, 1], 0, Manner::Says(status))
}

/// The lab with its PBX and its trunk at these addresses.
fn before(pbx: SocketAddr, trunk: SocketAddr) -> Change {
    Change::default()
        .with("name = \"pbx\"\naddress = ", format!("name = \"pbx\"\naddress = \"{pbx}\" #"))
        .with("127.0.0.1:15070", trunk.to_string())
}

/// The PBX at these targets instead, as the lines of an inline table.
fn targets(tables: &[String]) -> Change {
    let list = tables.join(", ");
    let pbx = format!("name = \"pbx\"\ntls_names = [\"pbx.example\"]\ntarget = [{list}]\n#");
    Change::default().with("name = \"pbx\"\n", pbx)
}

/// The findings about what has this in its name.
fn about<'a>(report: &'a Value, part: &str) -> Vec<&'a Value> {
    let all = report["findings"].as_array().into_iter().flatten();
    all.filter(|finding| finding["place"].as_str().is_some_and(|place| place.contains(part)))
        .collect()
}

/// The one finding about it.
fn the<'a>(report: &'a Value, part: &str) -> &'a Value {
    let found = about(report, part);
    assert_eq!(found.len(), 1, "{part}: {report:#}");
    found[0]
}

fn grade<'a>(report: &'a Value, part: &str) -> &'a str {
    the(report, part)["grade"].as_str().expect("a grade")
}

#[test]
fn a_node_that_runs_looks_at_itself_with_the_sockets_and_the_folder_that_it_holds() {
    let (pbx, trunk) = (answers(200), answers(404));
    let node = Node::start(&before(pbx.address(), trunk.address()));
    let report = node.done(&LIVE);
    assert_eq!((&report["good"], &report["running"]), (&true.into(), &true.into()));
    for part in ["listener", "media ports", "descriptors", "clock", "keys", "pbx \"pbx\""] {
        assert_eq!(grade(&report, part), "ok", "{part}");
    }
    let sealed = about(&report, "store");
    assert_eq!(sealed[0]["found"], "a sealed object was written, read, opened and deleted");
    assert_eq!(the(&report, "trunk")["facts"]["status"], 404, "any answer is a sign of life");
    assert_eq!(node.files("store"), [], "a look leaves nothing");
    let output = node.run(&LIVE);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("the node looked at itself:"), "{text}");
}

#[test]
fn a_target_that_nobody_answers_for_fails_and_says_what_to_do() {
    let (pbx, silent) = (answers(503), UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let node = Node::start(&before(pbx.address(), silent.local_addr().expect("an address")));
    let report = node.fails(&LIVE);
    assert_eq!(grade(&report, "pbx \"pbx\""), "fail");
    let trunk = the(&report, "trunk");
    assert_eq!(
        (&trunk["grade"], &trunk["found"]),
        (&"fail".into(), &"no answer within 5 s".into())
    );
    assert!(trunk["mend"].as_str().is_some_and(|mend| mend.contains("firewall")));
    drop(silent);
    let report = node.fails(&LIVE);
    assert_eq!(the(&report, "trunk")["found"], "nobody is there");
    assert_eq!(grade(&report, "listener"), "ok");
}

#[test]
fn without_a_node_the_command_looks_itself_and_names_what_another_program_has() {
    let (pbx, trunk) = (answers(200), answers(200));
    let mut node = Node::start(&before(pbx.address(), trunk.address()));
    node.stop();
    let report = node.done(&LIVE);
    assert_eq!(report["running"], false);
    assert_eq!((grade(&report, "listener"), grade(&report, "keys")), ("ok", "ok"));
    assert_eq!((grade(&report, "pbx \"pbx\""), grade(&report, "trunk")), ("ok", "ok"));
    assert_eq!(node.files("store"), []);

    let _taken = UdpSocket::bind(("127.0.0.1", node.sip)).expect("the node's port");
    let report = node.fails(&LIVE);
    let listener = the(&report, "listener");
    assert!(listener["mend"].as_str().is_some_and(|mend| mend.contains("`bind`")), "{listener}");
    assert_eq!(grade(&report, "trunk"), "fail", "there is no way to it");
    assert_eq!(grade(&report, "keys"), "ok");
    drop(_taken);

    // A file where the folder of every object would be: no user may write there.
    let store = node.data().join("store");
    std::fs::remove_dir_all(&store).expect("a store");
    std::fs::create_dir(&store).expect("a store");
    for shard in 0..=255 {
        std::fs::write(store.join(format!("{shard:02x}")), "").expect("a file");
    }
    let report = node.fails(&LIVE);
    let store = about(&report, "store")[0];
    assert_eq!((&store["grade"], store["mend"].is_string()), (&"fail".into(), true));
}

#[test]
fn r_16_what_dns_says_of_a_name_is_shown_with_its_ttl_and_its_silence_is_told_from_its_no() {
    let pbx = answers(200);
    let port = pbx.address().port();
    let dns = Dns::start(vec![
        Record::Srv("_sip._udp.pbx.test", 10, 1, port, "host.test"),
        Record::A("host.test", Ipv4Addr::LOCALHOST),
    ]);
    let change = Change::default()
        .with("name = \"pbx\"\naddress = ", "name = \"pbx\"\ntarget = \"pbx.test\"\n#address = ")
        .with("127.0.0.1:15070", "nowhere.test:5060")
        .with("servers = []", format!("servers = [\"{}\"]", dns.address));
    let node = Node::start(&change);
    let report = node.fails(&LIVE);
    let named = the(&report, "pbx.test/udp");
    let facts = &named["facts"];
    assert_eq!((&facts["records"], &facts["ttl_s"]), (&"SRV".into(), &1.into()), "{named}");
    assert_eq!(facts["addresses"][0], format!("127.0.0.1:{port}"));
    assert_eq!(grade(&report, &format!("127.0.0.1:{port}/udp, OPTIONS")), "ok");
    let nowhere = the(&report, "nowhere.test");
    assert!(nowhere["found"].as_str().is_some_and(|found| found.contains("knows no address")));

    dns.fall_silent();
    let report = node.fails(&LIVE);
    for part in ["pbx.test/udp", "nowhere.test"] {
        assert_eq!(the(&report, part)["found"], "no name server answers");
    }
}

/// A TLS peer with this certificate that takes two connections and answers OPTIONS.
fn secured(ca: &std::sync::Arc<Authority>, paper: Paper) -> u16 {
    let ear = Ear::at(SocketAddr::from(([127, 0, 0, 1], 0)));
    let (port, ca) = (ear.own.port(), std::sync::Arc::clone(ca));
    thread::spawn(move || {
        let look = ear.accept_secured(&ca, &paper);
        if let Ok(mut stream) = ear.accept_secured(&ca, &paper) {
            let options = stream.expect("OPTIONS");
            stream.send(&Leg::called(stream.own, &options).reply(&options, 200));
            // The connection stays until the answer has been read.
            let _closed = stream.closes(Duration::from_secs(2));
        }
        drop(look);
    });
    port
}

#[test]
fn s_07_what_tls_shows_is_said_and_a_certificate_that_will_not_do_is_named_with_its_reason() {
    let (ca, folder) = (Authority::new(), tempfile::TempDir::new().expect("a folder"));
    let (certificate, key) = ca.signs("node.example").write(folder.path());
    let (authority, ca) = (ca.file(folder.path()), std::sync::Arc::new(ca));
    let papers =
        [ca.signs("pbx.example"), ca.signs_until("pbx.example", 2_020), ca.signs("other.example")];
    let ports = papers.map(|paper| secured(&ca, paper));
    let tables =
        ports.map(|port| format!("{{ host = \"127.0.0.1\", port = {port}, transport = \"tls\" }}"));
    let listener = format!(
        "name = \"secure\"\ntransport = \"tls\"\nbind = \"127.0.0.1:{}\"\n[listener.tls]\n\
         certificate = {certificate:?}\nkey = {key:?}\nserver_ca = {authority:?}\n\n\
         [[listener]]\nname = \"lab\"\n",
        support::port::free()
    );
    let trunk = answers(200);
    let change = targets(&tables)
        .with("name = \"lab\"\n", listener)
        .with("127.0.0.1:15070", trunk.address().to_string());
    let node = Node::start(&change);
    let report = node.fails(&LIVE);
    let shown = |port| the(&report, &format!(":{port}/tls, TLS"));
    let good = shown(ports[0]);
    assert_eq!((&good["grade"], &good["facts"]["mutual"]), (&"ok".into(), &true.into()), "{good}");
    assert!(good["facts"]["days"].as_u64().is_some_and(|days| days > 100_000), "{good}");
    assert_eq!(grade(&report, &format!(":{}/tls, OPTIONS", ports[0])), "ok");
    for (port, reason) in [(ports[1], "has expired"), (ports[2], "`tls_names`")] {
        let bad = shown(port);
        assert_eq!(bad["grade"], "fail");
        assert!(bad["found"].as_str().is_some_and(|found| found.contains(reason)), "{bad}");
        assert_eq!(grade(&report, &format!(":{port}/tls, OPTIONS")), "fail");
    }
}

mod privileged {
    use super::*;

    /// A disk with no room, as long as the test lasts.
    struct Disk(std::path::PathBuf);

    impl Disk {
        fn under(folder: &std::path::Path) -> Self {
            let mut mount = std::process::Command::new("mount");
            let mounted =
                mount.args(["-t", "tmpfs", "-o", "size=4k", "tmpfs"]).arg(folder).status();
            assert!(mounted.is_ok_and(|it| it.success()), "root may mount");
            let disk = Self(folder.to_owned());
            std::fs::write(folder.join("filler"), [0; 4_096]).expect("a file");
            disk
        }
    }

    impl Drop for Disk {
        fn drop(&mut self) {
            let _left_behind =
                std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
        }
    }

    #[test]
    fn a_full_store_fails_with_what_is_free() {
        let (pbx, trunk) = (answers(200), answers(200));
        let node = Node::start(&before(pbx.address(), trunk.address()));
        let _full = Disk::under(&node.data().join("store"));
        let report = node.fails(&LIVE);
        let [tried, space] = about(&report, "store")[..] else { panic!("{report:#}") };
        assert_eq!((&tried["grade"], &space["grade"]), (&"fail".into(), &"fail".into()));
        assert!(tried["found"].as_str().is_some_and(|found| found.contains("full")), "{tried}");
        assert_eq!((&space["facts"]["free_mb"], grade(&report, "keys")), (&0.into(), "ok"));
    }
}
