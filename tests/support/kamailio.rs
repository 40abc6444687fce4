//! Runs Kamailio with the recipe's own configuration, on ports of its own.

use std::{
    fs,
    net::UdpSocket,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{node::root, port};

/// A running Kamailio.
pub struct Kamailio {
    home: TempDir,
    child: Child,
    /// Its SIP port on 127.0.0.1.
    pub sip: u16,
}

impl Kamailio {
    /// Starts it before these boxes and this PBX, all of them ports of 127.0.0.1.
    ///
    /// # Panics
    /// It is not installed (package kamailio), or does not start within ten seconds.
    #[must_use]
    pub fn start(boxes: &[u16], pbx: u16) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let (sip, here) = (port::free(), home.path().display().to_string());
        let line = |set: u8, port: u16| format!("{set} sip:127.0.0.1:{port} 0 0\n");
        let mut list: String = boxes.iter().map(|port| line(1, *port)).collect();
        list.push_str(&line(2, pbx));
        fs::write(home.path().join("dispatcher.list"), list).expect("a file");
        let names = [
            format!("LISTEN=udp:127.0.0.1:{sip}"),
            "CARRIER=\"127.0.0.0/8\"".to_owned(),
            format!("DISPATCHER_LIST=\"{here}/dispatcher.list\""),
            format!("CONTROL=\"{here}/control\""),
            "WORKERS=1".to_owned(),
        ];
        let out = fs::File::create(home.path().join("out")).expect("a file");
        let child = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-Y", &here, "-f"])
            .arg(root().join("deploy/recipes/kamailio.cfg"))
            .args(names.iter().flat_map(|name| ["-A", name]))
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a file"))
            .stderr(out)
            .spawn()
            .expect("Kamailio is installed (package kamailio)");
        let kamailio = Self { home, child, sip };
        let until = Instant::now() + Duration::from_secs(10);
        while !kamailio.answers() {
            assert!(Instant::now() < until, "Kamailio does not answer:\n{}", kamailio.log());
        }
        kamailio
    }

    /// Whether it answers OPTIONS within 100 ms.
    fn answers(&self) -> bool {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let own = socket.local_addr().expect("an address");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
        let text = format!(
            "OPTIONS sip:127.0.0.1:{} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK-up;rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:up@{own}>;tag=1\r\nTo: <sip:127.0.0.1:{}>\r\n\
             Call-ID: up@{own}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
            self.sip, self.sip
        );
        let mut buffer = [0; 2_048];
        let sent = socket.send_to(text.as_bytes(), ("127.0.0.1", self.sip));
        sent.and_then(|_| socket.recv(&mut buffer)).is_ok_and(|length| {
            String::from_utf8_lossy(&buffer[..length]).starts_with("SIP/2.0 200 ")
        })
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("out")).unwrap_or_default()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Asked to, it ends its children; killed, it would leave them behind.
        let _sent = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(10);
        while self.child.try_wait().is_ok_and(|status| status.is_none()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        if thread::panicking() {
            eprintln!("--- Kamailio's log ---\n{}", self.log());
        }
    }
}
