//! Runs Asterisk 22 as the PBX: unpacked by `tests/run`, never installed, on ports and in folders of its own.
//!
//! Its files are Debian's, run with the C library that came with them, so that neither root nor a
//! change of root is needed.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    node::root,
    port::{self, Ports},
    sound::tone,
    wave,
};

/// What its music on hold is: one tone, in hertz.
pub const MUSIC_HZ: f64 = 850.0;

/// What our SIP PBX needs of Asterisk's modules, in the order of their dependencies.
const MODULES: &str = "res_timing_timerfd res_sorcery_config res_sorcery_memory res_sorcery_astdb \
    res_sorcery_memory_cache res_pjproject res_statsd res_http_websocket res_pjsip \
    res_pjsip_session res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest \
    res_pjsip_caller_id res_pjsip_diversion res_pjsip_endpoint_identifier_ip res_pjsip_rfc3326 \
    res_pjsip_sdp_rtp res_pjsip_pubsub res_pjsip_refer res_pjsip_acl res_pjsip_logger \
    res_pjsip_nat res_pjsip_path res_pjsip_registrar res_pjsip_header_funcs res_pjsip_dtmf_info \
    res_crypto res_srtp res_rtp_asterisk chan_pjsip res_musiconhold bridge_simple \
    bridge_native_rtp bridge_softmix bridge_holding bridge_builtin_features \
    bridge_builtin_interval_features codec_alaw codec_ulaw format_wav format_pcm pbx_config \
    app_dial app_queue app_mixmonitor app_playtones app_read app_echo app_stack app_verbose app_transfer app_senddtmf \
    func_channel func_callerid func_logic func_strings func_global func_uri app_exec";

/// A program of the unpacked system, to be run with that system's own libraries.
///
/// # Panics
/// The system has not been unpacked: `bash tests/run` does it.
#[must_use]
pub fn unpacked(program: &str) -> Command {
    let system = system();
    let libraries = system.join("usr/lib/x86_64-linux-gnu");
    let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    command.arg("--library-path").arg(&libraries).arg(system.join(program));
    command
}

fn system() -> PathBuf {
    let named = env::var_os("JAWOORD_ASTERISK").map(PathBuf::from);
    let system = named.unwrap_or_else(|| root().join("target/run/asterisk"));
    assert!(system.join("usr/sbin/asterisk").is_file(), "no Asterisk here: bash tests/run");
    system
}

/// How it and the node reach each other.
#[derive(Clone, Debug, Default)]
pub enum Way {
    /// By datagrams.
    #[default]
    Udp,
    /// By connections.
    Tcp,
    /// By connections under TLS. It shows this certificate, and wants one of this authority: from who
    /// connects any, from whom it connects to one for the address.
    Tls {
        /// Its certificate.
        certificate: PathBuf,
        /// The key of it.
        key: PathBuf,
        /// Whom it trusts.
        authority: PathBuf,
    },
}

impl Way {
    /// Its transport for the node on this port, and the name of it.
    fn transport(&self, sip: u16) -> (&'static str, String) {
        let open = |name| {
            format!("[{name}]\ntype = transport\nprotocol = {name}\nbind = 127.0.0.1:{sip}\n")
        };
        match self {
            Self::Udp => ("udp", String::new()),
            Self::Tcp => ("tcp", open("tcp")),
            Self::Tls { certificate, key, authority } => {
                let own = format!(
                    "method = tlsv1_2\ncert_file = {}\npriv_key_file = {}\nca_list_file = {}\n\
                     verify_server = yes\nverify_client = yes\nrequire_client_cert = yes\n",
                    certificate.display(),
                    key.display(),
                    authority.display()
                );
                ("tls", open("tls") + &own)
            }
        }
    }
}

/// How an Asterisk is to be set up.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// Its SIP port on 127.0.0.1.
    pub sip: u16,
    /// The node's SIP port on 127.0.0.1: the endpoint `box`.
    pub node: u16,
    /// How the two reach each other; phones are reached by datagrams.
    pub way: Way,
    /// Lines for the endpoint `box` beside the recipe's.
    pub endpoint: &'a str,
    /// Whether speech goes past Asterisk, between the node and the phones.
    pub direct_media: bool,
    /// Phones that need not register: user and address. Each has an address of its own.
    pub phones: &'a [(&'a str, SocketAddr)],
    /// The port of its manager on 127.0.0.1; 0 is any.
    pub manager: u16,
    /// `queues.conf`.
    pub queues: &'a str,
    /// `extensions.conf`. Calls of the box arrive in `from-box`, those of phones in `from-phone`.
    pub dialplan: &'a str,
}

/// A running Asterisk.
pub struct Asterisk {
    home: TempDir,
    child: Child,
    manager: u16,
    _sound: Ports,
}

impl Asterisk {
    /// Starts it and waits until it takes calls.
    ///
    /// # Panics
    /// It does not start within half a minute.
    #[must_use]
    pub fn start(setup: &Setup<'_>) -> Self {
        let home = TempDir::new().expect("a temporary folder");
        let manager = if setup.manager == 0 { port::free() } else { setup.manager };
        let sound = Ports::reserve(40);
        configure(home.path(), manager, &sound, setup);
        let child = run(home.path());
        let mut asterisk = Self { home, child, manager, _sound: sound };
        asterisk.ready(1);
        asterisk
    }

    /// Starts it once more after it was killed.
    ///
    /// # Panics
    /// It does not start within half a minute.
    pub fn run_again(&mut self) {
        let starts = self.log().matches("Asterisk Ready.").count();
        self.child = run(self.home.path());
        self.ready(starts + 1);
    }

    fn ready(&mut self, starts: usize) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.log().matches("Asterisk Ready.").count() < starts {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < until, "not ready:\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// What it has logged, SIP included.
    #[must_use]
    pub fn log(&self) -> String {
        let read = |name: &str| fs::read(self.folder().join(name)).unwrap_or_default();
        let whole = [read("out"), read("log/full")].concat();
        String::from_utf8_lossy(&whole).into_owned()
    }

    /// Asks its manager for something, and gives the answer.
    ///
    /// # Panics
    /// It refuses.
    pub fn ask(&self, action: &[(&str, &str)]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.manager)).expect("its manager");
        let limit = Some(Duration::from_secs(20));
        stream.set_read_timeout(limit).expect("a socket");
        let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
        let mut say = |fields: &[(&str, &str)]| {
            let lines = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let text = lines.collect::<String>() + "\r\n";
            stream.write_all(text.as_bytes()).expect("its manager listens");
        };
        say(&[
            ("Action", "Login"),
            ("Username", "test"),
            ("Secret", "test"),
            ("Events", "off"),
            ("ActionID", "login"),
        ]);
        answer(&mut reader, "login");
        say(&[action, &[("ActionID", "asked")]].concat());
        let said = answer(&mut reader, "asked");
        assert!(said.contains("Response: Success"), "{action:?}: {said}");
        said
    }

    /// The name of the newest channel of an endpoint.
    ///
    /// # Panics
    /// It has none within ten seconds.
    #[must_use]
    pub fn channel(&self, endpoint: &str) -> String {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let said =
                self.ask(&[("Action", "Command"), ("Command", "core show channels concise")]);
            let names = said.lines().filter_map(|line| line.strip_prefix("Output: "));
            let names = names.filter_map(|line| line.split('!').next());
            let mut names: Vec<_> =
                names.filter(|name| name.starts_with(&format!("PJSIP/{endpoint}-"))).collect();
            names.sort_unstable();
            if let Some(name) = names.last() {
                return (*name).to_owned();
            }
            assert!(Instant::now() < until, "no channel of {endpoint}: {said}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What one of its monitors heard, once the channel is gone: mono, 8 kHz.
    ///
    /// # Panics
    /// There is no such recording, or it is never finished.
    #[must_use]
    pub fn heard(&self, name: &str) -> Vec<i16> {
        let path = self.folder().join("spool/monitor").join(name);
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(samples) = finished(&path) {
                return samples;
            }
            assert!(Instant::now() < until, "{name} is not finished:\n{}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = self.log();
            let from = log.char_indices().rev().nth(20_000).map_or(0, |(at, _)| at);
            eprintln!("--- the end of Asterisk's log ---\n{}", &log[from..]);
        }
    }
}

fn run(home: &Path) -> Child {
    let out = fs::File::create(home.join("out")).expect("a file");
    unpacked("usr/sbin/asterisk")
        .args(["-f", "-C"])
        .arg(home.join("etc/asterisk.conf"))
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(out.try_clone().expect("a file"))
        .stderr(out)
        .spawn()
        .expect("Asterisk starts")
}

/// The samples of a file whose header says how long it is; that is written when it is closed.
fn finished(path: &Path) -> Option<Vec<i16>> {
    let size = fs::metadata(path).ok()?.len();
    let mut reader = hound::WavReader::open(path).ok()?;
    let whole = u64::from(reader.len()) * 2 + 44 >= size && reader.len() > 0;
    whole.then(|| reader.samples().map(|sample| sample.expect("a sample")).collect())
}

/// The lines of the answer to an action.
fn answer(reader: &mut BufReader<impl Read>, id: &str) -> String {
    loop {
        let mut block = String::new();
        loop {
            let mut line = String::new();
            let read = reader.read_line(&mut line).expect("an answer within 20 s");
            assert!(read > 0, "Asterisk's manager hung up");
            if line.trim().is_empty() {
                break;
            }
            block.push_str(&line);
        }
        if block.contains(&format!("ActionID: {id}")) {
            return block;
        }
    }
}

fn configure(home: &Path, manager: u16, sound: &Ports, setup: &Setup<'_>) {
    for folder in ["etc", "var/keys", "spool/monitor", "run", "log", "music", "data/sounds/en"] {
        fs::create_dir_all(home.join(folder)).expect("a folder");
    }
    let (here, system) = (home.display(), system());
    let modules_at = system.join("usr/lib/x86_64-linux-gnu/asterisk/modules");
    let modules_at = modules_at.display();
    let write = |name: &str, text: String| fs::write(home.join("etc").join(name), text);
    let modules: String =
        MODULES.split_whitespace().map(|name| format!("load = {name}.so\n")).collect();
    let (first, last) = (sound.first(), sound.last());
    let files = [
        (
            "asterisk.conf",
            format!(
                "[directories]\nastetcdir = {here}/etc\n\
                 astmoddir = {modules_at}\n\
                 astdatadir = {here}/data\nastvarlibdir = {here}/var\n\
                 astdbdir = {here}/var\nastkeydir = {here}/var\nastagidir = {here}/var\n\
                 astspooldir = {here}/spool\nastrundir = {here}/run\nastlogdir = {here}/log\n\
                 [options]\nverbose = 3\ndocumentation_language = en_US\n"
            ),
        ),
        ("modules.conf", format!("[modules]\nautoload = no\n{modules}")),
        ("logger.conf", "[general]\n[logfiles]\nfull = notice,warning,error,verbose\n".to_owned()),
        (
            "manager.conf",
            format!(
                "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {manager}\n\
                 [test]\nsecret = test\nread = all\nwrite = all\n\
                 [jawoord]\nsecret = sesame\nread = call,agent\nwrite = reporting\n"
            ),
        ),
        ("rtp.conf", format!("[general]\nrtpstart = {first}\nrtpend = {last}\n")),
        ("musiconhold.conf", format!("[default]\nmode = files\ndirectory = {here}/music\n")),
        (
            "indications.conf",
            "[general]\ncountry = nl\n[nl]\ndescription = Netherlands\nringcadence = 1000,4000\ndial = 425\nbusy = 425/500,0/500\n\
             ring = 425/1000,0/4000\ncongestion = 425/250,0/250\n".to_owned(),
        ),
        ("features.conf", "[featuremap]\natxfer = *2\nblindxfer = #1\n".to_owned()),
        ("pjsip.conf", pjsip(setup)),
        ("queues.conf", setup.queues.to_owned()),
        ("extensions.conf", setup.dialplan.to_owned()),
    ];
    for (name, text) in files {
        write(name, text).expect("a file");
    }
    // What it would otherwise complain of on every start.
    for name in "acl cdr cel udptl dnsmgr ccss stasis codecs sorcery statsd http \
                 pjproject cli cli_permissions"
        .split_whitespace()
    {
        write(&format!("{name}.conf"), String::new()).expect("a file");
    }
    sounds(home, &system);
}

/// What it finds in its data folder: its documentation, and sounds of our own.
fn sounds(home: &Path, system: &Path) {
    let documents = system.join("usr/share/asterisk/documentation");
    symlink(documents, home.join("data/documentation")).expect("a link");
    // What it says when a transfer begins: nothing, for a moment.
    for name in ["pbx-transfer", "beep", "beeperr"] {
        wave::write(&home.join(format!("data/sounds/en/{name}.wav")), &[0; 800]);
    }
    wave::write(&home.join("music/tone.wav"), &tone(MUSIC_HZ, 60_000, 8_000.0));
}

/// The recipe's endpoint under another name, and the phones.
fn pjsip(setup: &Setup<'_>) -> String {
    let Setup { sip, node, way, endpoint, phones, direct_media, .. } = setup;
    let (by, transport) = way.transport(*sip);
    let direct = if *direct_media { "yes" } else { "no" };
    let mut text = format!(
        "[global]\ntype = global\ndebug = yes\n\
         [udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{sip}\n{transport}\
         [box]\ntype = endpoint\ntransport = {by}\ncontext = from-box\ndisallow = all\n\
         allow = alaw,ulaw\ndtmf_mode = rfc4733\ntrust_id_inbound = yes\naors = box\n\
         direct_media = {direct}\n{endpoint}\n\
         [box]\ntype = aor\ncontact = sip:127.0.0.1:{node}\\;transport={by}\n\
         [box]\ntype = identify\nendpoint = box\nmatch = 127.0.0.1\n"
    );
    for (user, address) in *phones {
        text.push_str(&format!(
            "[{user}]\ntype = endpoint\ntransport = udp\ncontext = from-phone\ndisallow = all\n\
             allow = alaw\ndtmf_mode = rfc4733\ndirect_media = {direct}\naors = {user}\n\
             [{user}]\ntype = aor\ncontact = sip:{user}@{address}\n\
             [{user}]\ntype = identify\nendpoint = {user}\nmatch = {}\n",
            address.ip()
        ));
    }
    text
}
