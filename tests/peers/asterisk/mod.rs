//! Asterisk 22 as the PBX behind the node, set up as `deploy/recipes/asterisk.md` says.

mod baresip;
mod early;
mod failure;
mod hold;
mod menu;
mod outbound;
mod plain;
mod queue;
mod refer;
mod sipp;
mod srtp;
mod streams;
mod timers;
mod transfer;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use serde_json::Value;
use support::{
    asterisk::{Asterisk, Setup, Way},
    exchange::{Act, Exchange, Manner, Plan},
    node::{Change, Node},
    peer::stream::Authority,
    port,
};
use tempfile::TempDir;

use super::{party, seconds};

/// Two phones of this Asterisk, and a dial plan that rings the first and lets it call the second.
pub const TWO_PHONES: &str = "
[from-box]
exten => _[+0-9].,1,MixMonitor(pbx.wav,r(rx.wav)t(tx.wav))
 same => n,Dial(PJSIP/6001,20,t)
 same => n,Hangup()

[from-phone]
exten => 6002,1,Dial(PJSIP/6002,20)
 same => n,Hangup()
";

/// How SIP travels between the node and its Asterisk.
#[derive(Clone, Copy, Debug, Default)]
pub enum Transport {
    /// In datagrams.
    #[default]
    Udp,
    /// Over TCP.
    Tcp,
    /// Over TLS: Asterisk has a certificate for this name, the node looks for one for `pbx.example`.
    Tls(&'static str),
}

impl Transport {
    /// The configuration with such a PBX at this port, the port of the node that Asterisk is to
    /// know, if it is not that of its datagrams, and how Asterisk reaches it.
    fn between(self, change: Change, sip: u16, folder: &Path) -> (Change, Option<u16>, Way) {
        const LISTENER: &str = "name = \"lab\"\n";
        let pbx = |change: Change, by: &str| {
            let target = format!("{{ host = \"127.0.0.1\", port = {sip}, transport = \"{by}\" }}");
            let pbx =
                format!("name = \"pbx\"\ntls_names = [\"pbx.example\"]\ntarget = [{target}]\n#");
            change.with("name = \"pbx\"\n", pbx)
        };
        match self {
            Self::Udp => (change, None, Way::Udp),
            Self::Tcp => {
                let both = format!("{LISTENER}transport = [\"udp\", \"tcp\"]\n");
                (pbx(change.with(LISTENER, both), "tcp"), None, Way::Tcp)
            }
            Self::Tls(name) => {
                let (ca, here) = (Authority::new(), Ipv4Addr::LOCALHOST.into());
                let (ours, theirs) = (folder.join("node"), folder.join("pbx"));
                for folder in [&ours, &theirs] {
                    fs::create_dir(folder).expect("a folder");
                }
                let authority = ca.file(folder);
                let (certificate, key) = ca.signs_at("node.example", here).write(&ours);
                let port = port::free();
                let secure = format!(
                    "name = \"secure\"\ntransport = \"tls\"\nbind = \"127.0.0.1:{port}\"\n\
                     [listener.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n\
                     client_ca = {authority:?}\nserver_ca = {authority:?}\n\
                     require_client_certificate = true\n\n[[listener]]\n{LISTENER}"
                );
                let (certificate, key) = ca.signs(name).write(&theirs);
                let change = pbx(change.with(LISTENER, secure), "tls");
                (change, Some(port), Way::Tls { certificate, key, authority })
            }
        }
    }
}

/// How an Asterisk differs from the recipe's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pbx<'a> {
    /// How SIP travels.
    pub transport: Transport,
    /// Lines for the endpoint that is the node.
    pub endpoint: &'a str,
    /// Whether speech goes past it.
    pub direct_media: bool,
    /// Phones and their addresses.
    pub phones: &'a [(&'a str, SocketAddr)],
    /// The port of its manager, which the node listens to as `jawoord`; 0 is any, and nobody does.
    pub manager: u16,
    /// Its queues.
    pub queues: &'a str,
    /// Its dial plan.
    pub dialplan: &'a str,
}

/// A node before an Asterisk, and callers.
pub struct Office {
    pub node: Node,
    pub asterisk: Asterisk,
    pub callers: Exchange,
    _papers: TempDir,
}

impl Office {
    /// Opens it: a node like the lab's but for `change`, before this Asterisk.
    pub fn open(change: &Change, pbx: Pbx<'_>) -> Self {
        let papers = TempDir::new().expect("a temporary folder");
        let Pbx { transport, endpoint, direct_media, phones, manager, queues, dialplan } = pbx;
        let sip = port::free();
        let (change, secure, way) = transport.between(change.clone(), sip, papers.path());
        let node = Node::start(&change);
        let sip = if matches!(transport, Transport::Udp) { node.pbx } else { sip };
        let at = secure.unwrap_or(node.sip);
        let setup =
            Setup { sip, node: at, way, endpoint, direct_media, phones, manager, queues, dialplan };
        let asterisk = Asterisk::start(&setup);
        Self { node, asterisk, callers: Exchange::callers(), _papers: papers }
    }

    /// Places a call from outside.
    pub fn call(&mut self, plan: Plan) {
        self.callers.call(self.node.sip, plan);
    }

    /// Waits until so many of the callers' calls are over.
    pub fn over(&mut self, count: usize, limit_s: u64) {
        let done = self.callers.until(Duration::from_secs(limit_s), |calls| {
            calls.iter().filter(|call| call.over()).count() >= count
        });
        assert!(done, "the calls do not end:\n{}", self.node.log());
    }

    /// All calls of the node once there are so many and each has its words; the oldest first.
    pub fn ended(&self, count: usize) -> Vec<Value> {
        let ended = |calls: &Value| {
            calls.as_array().is_some_and(|rows| {
                rows.len() == count && rows.iter().all(|row| row["verdict"].is_string())
            })
        };
        let calls = self.node.until(&["calls", "list"], ended);
        calls.as_array().into_iter().flatten().rev().cloned().collect()
    }

    /// Both sides of the only recording, once it is stored.
    pub fn recorded(&self) -> (Vec<i16>, Vec<i16>) {
        let one = |rows: &Value| {
            let rows = rows.as_array().into_iter().flatten();
            rows.filter(|row| row["state"] == "stored").count() == 1
        };
        let rows = self.node.until(&["recordings", "list"], one);
        self.node.export(rows[0]["recording"].as_str().expect("an id"))
    }
}

/// A phone at 127.0.0.`last` that answers at once with a tone, and then does this.
pub fn phone(last: u8, tone_hz: f64, acts: &[(u64, Act)]) -> Exchange {
    let acts = acts.iter().map(|(millis, act)| (Duration::from_millis(*millis), *act)).collect();
    Exchange::start([127, 0, 0, last], 0, Manner::Answers { after: Duration::ZERO, tone_hz, acts })
}

/// Says that every listener heard a tone for so many seconds, give or take 0.4.
pub fn all_heard(expected: &[(&str, f64, f64)]) {
    for (who, heard, wanted) in expected {
        assert!((heard - wanted).abs() < 0.4, "{who}: {heard:.2} s instead of {wanted} s");
    }
}
