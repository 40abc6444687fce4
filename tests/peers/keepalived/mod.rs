//! Two boxes that share an address, with the configuration of `deploy/recipes/keepalived.conf`, in
//! network namespaces: row O-10.

mod place;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use place::{Held, Place};
use support::{
    node::{program, root},
    peer::{leg::Leg, post::Peer},
    scene::NEVER,
    stage::{CALLER, sdp},
};
use tempfile::TempDir;

const SHARED: &str = "10.9.0.10";
const CARRIER: &str = "10.9.0.2";
const PBX: &str = "10.9.0.20";
/// How long the address may take to go to the other box, on a machine that does other things as well.
const TAKEOVER: Duration = Duration::from_secs(20);

fn replaced(text: String, changes: &[(&str, String)]) -> String {
    changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the file no longer holds {from:?}");
        text.replacen(from, to, 1)
    })
}

/// A box: its network, its node and its keepalived.
struct Site {
    place: Place,
    own: String,
    folder: PathBuf,
    node: Option<Held>,
    _keeper: Held,
}

impl Site {
    /// Box 1 has 10.9.0.11, box 2 10.9.0.12.
    fn open(number: u8, place: Place, work: &Path) -> Self {
        let folder = work.join(format!("box{number}"));
        fs::create_dir(&folder).expect("a folder");
        let (own, other) = (format!("10.9.0.1{number}"), format!("10.9.0.1{}", 3 - number));
        let lab = fs::read_to_string(root().join("config/lab.toml")).expect("the lab");
        let node = [
            ("bind = \"127.0.0.1:15060\"", format!("bind = \"{SHARED}:5060\"")),
            ("bind = \"127.0.0.1\"", format!("bind = \"{SHARED}\"")),
            ("\"127.0.0.0/8\", \"::1/128\"", format!("\"{CARRIER}/32\"")),
            ("target = \"127.0.0.1:15070\"", format!("target = \"{CARRIER}:5060\"")),
            ("address = \"127.0.0.1:15080\"", format!("address = \"{PBX}:5060\"")),
            ("bind = \"127.0.0.1:15090\"", "bind = \"127.0.0.1:9090\"".to_owned()),
            ("[[retention]]", "[prompts]\nallow_placeholder_voice = true\n\n[[retention]]".into()),
        ];
        fs::write(folder.join("node.toml"), replaced(lab, &node)).expect("a file");
        let recipe = root().join("deploy/recipes/keepalived.conf");
        let recipe = fs::read_to_string(recipe).expect("the recipe");
        let keeper = [
            ("router_id box1", format!("router_id box{number}")),
            ("priority 100", format!("priority {}", 110 - 10 * u32::from(number))),
            ("unicast_src_ip 192.0.2.11", format!("unicast_src_ip {own}")),
            ("192.0.2.12 ", format!("{other} ")),
            ("192.0.2.10/24", format!("{SHARED}/24")),
        ];
        let conf = folder.join("keepalived.conf");
        fs::write(&conf, replaced(recipe, &keeper)).expect("a file");
        place.run("sysctl -qw net.ipv4.ip_nonlocal_bind=1");
        let mut keepalived = Command::new("keepalived");
        keepalived.args(["--dont-fork", "--log-console", "--vrrp", "--dont-respawn"]);
        keepalived.arg("--use-file").arg(&conf);
        for pid in ["--pid", "--vrrp_pid"] {
            keepalived.arg(pid).arg(folder.join(pid));
        }
        let mut site = Self {
            _keeper: place.keep(keepalived, &folder.join("keepalived.log")),
            place,
            own,
            folder,
            node: None,
        };
        site.serve();
        site
    }

    /// Starts the node and waits until it takes calls.
    fn serve(&mut self) {
        let log = self.folder.join("node.log");
        let mut node = Command::new(program("jawoord"));
        node.arg("serve").arg("--config").arg(self.folder.join("node.toml"));
        node.arg("--data").arg(self.folder.join("data"));
        self.node = Some(self.place.keep(node, &log));
        until(TAKEOVER, || fs::read_to_string(&log).unwrap_or_default().contains("takes calls"))
            .unwrap_or_else(|| panic!("the node does not start:\n{}", self.said()));
    }

    fn has_the_address(&self) -> bool {
        self.place.run("ip -brief address show eth0").contains(SHARED)
    }

    fn said(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        format!("{}:\n{}\n{}", self.own, read("node.log"), read("keepalived.log"))
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- {}", self.said());
        }
    }
}

/// Waits until something is so, and says how long it took.
fn until(limit: Duration, is: impl Fn() -> bool) -> Option<Duration> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if is() {
            return Some(began.elapsed());
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

/// Who calls by the shared address, and who is called.
struct Parties {
    caller: Peer,
    pbx: Peer,
}

impl Parties {
    fn new() -> Self {
        let at = |ip: &str| {
            let mut peer = Peer::at(format!("{ip}:5060").parse().expect("an address"), 5060);
            peer.node = format!("{SHARED}:5060").parse().expect("an address");
            peer
        };
        Self { caller: at(CARRIER), pbx: at(PBX) }
    }

    /// A call that must be answered within a second, up to its ACK.
    fn talk(&mut self) -> (Leg, Leg) {
        let sound = |ip: &str| sdp(SocketAddr::new(ip.parse().expect("an address"), 40_000));
        let mut a = self.caller.calls(CALLER, NEVER);
        self.caller.send(&a.invite().sdp(sound(CARRIER)));
        let invite = self.pbx.expect_within(Duration::from_secs(1), "INVITE");
        let mut b = self.pbx.called(&invite);
        self.pbx.send(&b.reply(&invite, 200).sdp(sound(PBX)));
        self.pbx.expect("ACK");
        b.cseq = 0;
        let ok = self.caller.expect((200, "INVITE"));
        self.caller.send(&a.ack(&ok));
        (a, b)
    }

    fn hang_up(&mut self, (a, b): &mut (Leg, Leg)) {
        self.caller.send(&a.request("BYE"));
        self.caller.expect((200, "BYE"));
        let bye = self.pbx.expect("BYE");
        self.pbx.send(&b.reply(&bye, 200));
    }

    /// Either side of a call that its box has taken along hears that it is over.
    fn is_lost(&mut self, (a, b): &mut (Leg, Leg)) {
        self.caller.send(&a.request("BYE"));
        self.caller.expect((481, "BYE"));
        self.pbx.send(&b.request("BYE"));
        self.pbx.expect((481, "BYE"));
    }
}

/// Waits until the address is at a box, and no longer at the other.
fn goes(to: &Site, from: &Site) {
    until(TAKEOVER, || to.has_the_address())
        .unwrap_or_else(|| panic!("the address stays:\n{}\n{}", from.said(), to.said()));
}

#[test]
fn o_10_the_standby_takes_new_calls_at_once_and_answers_481_for_those_that_were_lost() {
    let work = TempDir::new().expect("a temporary folder");
    let outside = Place::new();
    outside.run("ip link add switch type bridge");
    outside.run("ip link set switch up");
    for address in [CARRIER, PBX] {
        outside.run(&format!("ip address add {address}/24 dev switch"));
    }
    let plugged = |number: u8| {
        let place = Place::new();
        let cable =
            format!("ip link add box{number} type veth peer name eth0 netns {}", place.pid());
        outside.run(&cable);
        outside.run(&format!("ip link set box{number} master switch up"));
        place.run(&format!("ip address add 10.9.0.1{number}/24 dev eth0"));
        place.run("ip link set eth0 up");
        Site::open(number, place, work.path())
    };
    let (mut one, two) = (plugged(1), plugged(2));
    outside.enter();
    let mut parties = Parties::new();

    goes(&one, &two);
    let mut talk = parties.talk();
    assert!(!two.has_the_address(), "{}", two.said());
    // The node of the box dies.
    one.node = None;
    goes(&two, &one);
    let mut other = parties.talk();
    parties.is_lost(&mut talk);
    parties.hang_up(&mut other);

    // It comes back, and takes nothing away from the box that works.
    one.serve();
    let mut talk = parties.talk();
    thread::sleep(Duration::from_secs(6));
    assert!(two.has_the_address() && !one.has_the_address(), "{}", one.said());
    // That one loses its cable.
    two.place.run("ip link set eth0 down");
    goes(&one, &two);
    let mut other = parties.talk();
    parties.is_lost(&mut talk);
    parties.hang_up(&mut other);
}
