//! Runs the real program: a node on free loopback ports with a data folder of its own.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::port::{self, Ports};

/// The program under test: the one that the same build has made.
///
/// # Panics
/// It has not been built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("a test has a path");
    let folder = exe.ancestors().find(|folder| folder.join(name).is_file());
    let folder = folder.unwrap_or_else(|| panic!("{name} is not built: cargo build --workspace"));
    folder.join(name)
}

/// The root of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// How many media ports a node has: a hundred calls' worth.
const MEDIA_PORTS: u16 = 400;

/// How a node is to differ from `config/lab.toml`.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Pairs of a text of the file and what takes its place.
    pub replace: Vec<(&'static str, String)>,
    /// What the node finds in its environment.
    pub environment: Vec<(&'static str, String)>,
    /// Media ports beyond a hundred calls' worth.
    pub more_ports: u16,
}

impl Change {
    /// Adds a replacement.
    #[must_use]
    pub fn with(mut self, from: &'static str, to: impl Into<String>) -> Self {
        self.replace.push((from, to.into()));
        self
    }

    /// The trunk and the PBX have SRTP in these ways: `off`, `offer` or `require`. Whether keys may be told
    /// to them in the clear, as they must be without TLS, is said with each.
    #[must_use]
    pub fn srtp(self, trunk: (&str, bool), pbx: (&str, bool)) -> Self {
        let way = |(way, clear): (&str, bool)| match clear {
            true => format!("srtp = {{ use = \"{way}\", keys_in_clear = true }}"),
            false => format!("srtp = \"{way}\""),
        };
        self.with("srtp = \"off\" ", way(trunk) + " ")
            .with("transfers = \"act\"", way(pbx) + "\ntransfers = \"act\"")
    }

    /// Adds a variable of the node's environment.
    #[must_use]
    pub fn under(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }
}

/// A running node.
pub struct Node {
    /// Where everything of this test lives.
    pub home: TempDir,
    /// The node's SIP port.
    pub sip: u16,
    /// Where the node expects its PBX.
    pub pbx: u16,
    /// Metrics and health.
    pub metrics: u16,
    /// The page.
    pub portal: u16,
    /// Its media ports.
    pub media: Ports,
    child: Option<Child>,
    environment: Vec<(&'static str, String)>,
    /// How many files and sockets it may have open when it starts next; by default as many as the test.
    pub descriptors: Option<u64>,
}

impl Node {
    /// Starts a node with the lab's configuration on ports of its own.
    ///
    /// # Panics
    /// It does not become ready within forty seconds.
    #[must_use]
    pub fn start(change: &Change) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let [sip, pbx, metrics, portal] = [(); 4].map(|()| port::free());
        let media = Ports::reserve(MEDIA_PORTS + change.more_ports);
        let mut text = fs::read_to_string(root().join("config/lab.toml")).expect("the lab");
        let ports = [
            ("127.0.0.1:15060", format!("127.0.0.1:{sip}")),
            ("127.0.0.1:15080", format!("127.0.0.1:{pbx}")),
            ("127.0.0.1:15090", format!("127.0.0.1:{metrics}")),
            ("127.0.0.1:15091", format!("127.0.0.1:{portal}")),
            ("port_min = 20000", format!("port_min = {}", media.first())),
            ("port_max = 29999", format!("port_max = {}", media.last())),
        ];
        for (from, to) in ports.iter().chain(&change.replace) {
            assert!(text.contains(from), "config/lab.toml no longer holds {from:?}");
            text = text.replace(from, to);
        }
        fs::write(home.path().join("node.toml"), text).expect("a configuration");
        fs::create_dir(home.path().join("tmp")).expect("a folder");
        let mut node = Self {
            home,
            sip,
            pbx,
            metrics,
            portal,
            media,
            child: None,
            environment: change.environment.clone(),
            descriptors: None,
        };
        node.run_again();
        node
    }

    /// Starts the program (again) on the same folder.
    ///
    /// # Panics
    /// It does not become ready within forty seconds.
    pub fn run_again(&mut self) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.path().join("node.log"))
            .expect("a log");
        let child = self
            .command(&["serve"])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", self.temporary())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.child = Some(child);
        let health = SocketAddr::from(([127, 0, 0, 1], self.metrics));
        // A disk on which a whole workspace is being built is slow.
        let until = Instant::now() + Duration::from_secs(40);
        while TcpStream::connect(health).is_err() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none() && Instant::now() < until, "not ready:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Where the node's system keeps temporary files.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.home.path().join("tmp")
    }

    /// What the node has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("node.log")).unwrap_or_default()
    }

    /// What the node counts, as Prometheus reads it.
    ///
    /// # Panics
    /// It does not answer.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics)).expect("a listener");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
            .expect("a question");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        text
    }

    /// The process.
    ///
    /// # Panics
    /// The node does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running node").id()
    }

    /// How many sockets it has open, but for the lines of legs: those come and go as packets do.
    #[must_use]
    pub fn sockets(&self) -> usize {
        let proc = format!("/proc/{}", self.pid());
        let table = std::fs::read_to_string(format!("{proc}/net/udp")).expect("sockets of UDP");
        let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let lines = lines.filter(|row| row[2] != "00000000:0000" && row.len() > 9);
        let lines: Vec<_> = lines.map(|row| format!("socket:[{}]", row[9])).collect();
        let open = std::fs::read_dir(format!("{proc}/fd")).expect("its descriptors");
        let link = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.path().read_link().ok();
        let open = open.filter_map(link).map(|link| link.to_string_lossy().into_owned());
        open.filter(|link| link.starts_with("socket:") && !lines.contains(link)).count()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = match self.descriptors {
            None => Command::new(program("jawoord")),
            Some(limit) => {
                let mut shell = Command::new("sh");
                let (limit, program) = (limit.to_string(), program("jawoord"));
                shell.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &limit]).arg(program);
                shell
            }
        };
        command
            .args(arguments)
            .arg("--config")
            .arg(self.home.path().join("node.toml"))
            .arg("--data")
            .arg(self.data());
        command
    }

    /// Runs a command against the node's folder.
    ///
    /// # Panics
    /// The program cannot be started.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// Runs a command with `--json` and reads what it prints.
    ///
    /// # Panics
    /// It prints no JSON.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).arg("--json").output().expect("the program starts");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {}", String::from_utf8_lossy(&output.stderr))
        })
    }

    /// Runs a command with `--json` that must succeed, and reads what it prints.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn done(&self, arguments: &[&str]) -> Value {
        let (value, good) = self.tried(arguments);
        assert!(good, "{arguments:?}: {value:#}\n{}", self.log());
        value
    }

    /// Runs a command with `--json` that must end with exit code 1, and reads what it prints.
    ///
    /// # Panics
    /// It succeeds, or ends otherwise.
    #[must_use]
    pub fn fails(&self, arguments: &[&str]) -> Value {
        let (value, good) = self.tried(arguments);
        assert!(!good, "{arguments:?} succeeds: {value:#}");
        value
    }

    fn tried(&self, arguments: &[&str]) -> (Value, bool) {
        let output = self.command(arguments).arg("--json").output().expect("the program starts");
        let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let code = output.status.code();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(code, Some(0 | 1)), "{arguments:?} ends with {code:?}: {said}");
        let value = if value.is_null() { Value::from(said.into_owned()) } else { value };
        (value, code == Some(0))
    }

    /// Exports a recording and reads it back: what the customer said, what the PBX said.
    ///
    /// # Panics
    /// It cannot be exported.
    #[must_use]
    pub fn export(&self, recording: &str) -> (Vec<i16>, Vec<i16>) {
        self.export_at(recording, 8_000)
    }

    /// The same where it is given out at another rate.
    ///
    /// # Panics
    /// It cannot be exported, or is of another rate still.
    #[must_use]
    pub fn export_at(&self, recording: &str, rate_hz: u32) -> (Vec<i16>, Vec<i16>) {
        let wav = self.home.path().join(format!("{recording}.wav"));
        let output =
            self.run(&["recordings", "export", recording, "-o", &wav.display().to_string()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        crate::sound::channels_at(&wav, rate_hz)
    }

    /// Every file of the data folder below `name`, with its size.
    #[must_use]
    pub fn files(&self, name: &str) -> Vec<(PathBuf, u64)> {
        let (mut found, mut folders) = (Vec::new(), vec![self.data().join(name)]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.metadata() {
                    Ok(data) if data.is_dir() => folders.push(entry.path()),
                    Ok(data) => found.push((entry.path(), data.len())),
                    Err(_) => {}
                }
            }
        }
        found
    }

    /// Kills the node as a power cut would kill the program.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }

    /// Asks the node to stop (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// It takes longer than ten seconds.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _sent = Command::new("kill").arg(child.id().to_string()).status();
            let until = Instant::now() + Duration::from_secs(10);
            while child.try_wait().expect("a child").is_none() {
                assert!(Instant::now() < until, "the node does not stop:\n{}", self.log());
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Asks the node to stop (SIGTERM) and does not wait.
    pub fn terminate(&self) {
        let _sent = Command::new("kill").arg(self.pid().to_string()).status();
    }

    /// Waits until `seen` of what a command prints is true.
    ///
    /// # Panics
    /// It is not within ten seconds.
    pub fn until(&self, arguments: &[&str], seen: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let value = self.json(arguments);
            if seen(&value) {
                return value;
            }
            assert!(Instant::now() < until, "{arguments:?} stays {value:#}\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("--- the node's log ---\n{}", self.log());
        }
    }
}
