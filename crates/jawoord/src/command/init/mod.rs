//! `jawoord init`: a first configuration that is known to be good, and what the PBX needs.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr, UdpSocket},
    path::{Path, PathBuf},
};

use call::Language;
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use serde_json::{Value, json};

use crate::{
    config::{judge, problem::Problems, read},
    prompts::{set::PromptSet, slot::Slot},
};

/// The PBX that the box stands in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pbx {
    /// Asterisk with PJSIP.
    Asterisk,
    /// FreeSWITCH.
    Freeswitch,
    /// 3CX.
    #[value(name = "3cx")]
    ThreeCx,
    /// Cisco Unified Communications Manager.
    Cucm,
    /// A Kamailio that sends calls by its dispatcher.
    Kamailio,
}

impl Pbx {
    const fn name(self) -> &'static str {
        match self {
            Self::Asterisk => "Asterisk",
            Self::Freeswitch => "FreeSWITCH",
            Self::ThreeCx => "3CX",
            Self::Cucm => "CUCM",
            Self::Kamailio => "Kamailio",
        }
    }

    const fn part(self) -> &'static str {
        match self {
            Self::Asterisk => include_str!("asterisk.txt"),
            Self::Freeswitch => include_str!("freeswitch.txt"),
            Self::ThreeCx => include_str!("3cx.txt"),
            Self::Cucm => include_str!("cucm.txt"),
            Self::Kamailio => include_str!("kamailio.txt"),
        }
    }
}

/// Where calls come from: a carrier's network, address, or address and port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    network: IpNet,
    target: Option<SocketAddr>,
}

impl std::str::FromStr for Carrier {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(target) = text.parse::<SocketAddr>() {
            return Ok(Self { network: target.ip().into(), target: Some(target) });
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self { network: ip.into(), target: Some(SocketAddr::new(ip, 5060)) });
        }
        let network = text.parse::<IpNet>().map_err(|_| {
            "write the carrier's address (203.0.113.5 or 203.0.113.5:5060) or its network \
             (203.0.113.0/24)"
        })?;
        Ok(Self { network: network.trunc(), target: None })
    }
}

/// What `init` is told.
#[derive(Args, Clone, Debug)]
pub struct Init {
    /// The PBX.
    #[arg(long, value_enum)]
    pub pbx: Pbx,
    /// The carrier's address, address and port, or network.
    #[arg(long, value_name = "ADDRESS")]
    pub trunk: Carrier,
    /// Where the PBX takes SIP.
    #[arg(long, value_name = "IP:PORT")]
    pub pbx_address: SocketAddr,
    /// A number whose callers are asked, as +31201234567; give it again for more.
    #[arg(long, value_name = "NUMBER", required = true)]
    pub line: Vec<String>,
    /// Where the box takes SIP; without it, the address with which this machine reaches the PBX,
    /// port 5060.
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// The language of the question: nl, en, de or fr.
    #[arg(long, default_value = "nl", value_parser = language)]
    pub language: Language,
    /// The country of this machine, of its disks and of the carrier's numbers.
    #[arg(long, default_value = "NL")]
    pub country: String,
    /// Who runs this machine.
    #[arg(long, default_value = "our own machine room")]
    pub provider: String,
    /// The data folder.
    #[arg(long, default_value = "/var/lib/jawoord")]
    pub data: PathBuf,
    /// The file to write.
    #[arg(long, default_value = "/etc/jawoord/jawoord.toml")]
    pub config: PathBuf,
    /// Write over a file that is there.
    #[arg(long)]
    pub force: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn language(text: &str) -> Result<Language, &'static str> {
    Language::new(text).ok_or("write two small letters, such as nl")
}

/// Writes a configuration that `check` finds good; what to print, and whether it was done.
#[must_use]
pub fn run(init: &Init) -> (String, bool) {
    let listen = match init.listen.map_or_else(|| reach(init.pbx_address), Ok) {
        Ok(listen) => listen,
        Err(error) => {
            return (
                format!("the PBX's network cannot be reached: {error}; give --listen\n"),
                false,
            );
        }
    };
    let text = match configuration(init, listen) {
        Ok(text) => text,
        Err(why) => return (format!("{why}\n"), false),
    };
    let judged = read::read_text(&text).and_then(|read| judge::judge(read, None));
    if let Err(problems) = judged {
        return (format!("{}nothing was written\n", Problems(&problems)), false);
    }
    if let Err(error) = write(&init.config, &text, init.force) {
        let why = match error.kind() {
            io::ErrorKind::AlreadyExists => "it is there; give --force to write over it".to_owned(),
            _ => format!("{error}; give another --config"),
        };
        return (format!("{} was not written: {why}\n", init.config.display()), false);
    }
    let part = pbx_part(init, listen);
    if init.json {
        let value: Value = json!({
            "config": init.config.display().to_string(),
            "pbx": init.pbx.name(),
            "pbx_part": part,
        });
        return (format!("{value:#}\n"), true);
    }
    let file = init.config.display();
    let text = format!(
        "{file} is written, and good.\n\n\
         {name} needs this:\n\n{part}\n\
         Then:\n\
         \x20 jawoord check --config {file}   what each line would do\n\
         \x20 jawoord serve --config {file}\n\
         and point the carrier's number at {listen}, with {pbx} as its second target.\n",
        name = init.pbx.name(),
        pbx = init.pbx_address,
    );
    (text, true)
}

/// The address that this machine has towards the PBX. Nothing is sent.
fn reach(pbx: SocketAddr) -> io::Result<SocketAddr> {
    let any: IpAddr = match pbx {
        SocketAddr::V4(_) => IpAddr::from([0; 4]),
        SocketAddr::V6(_) => IpAddr::from([0; 16]),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(pbx)?;
    Ok(SocketAddr::new(socket.local_addr()?.ip(), 5060))
}

fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    if !force {
        return io::Write::write_all(&mut fs::File::create_new(path)?, text.as_bytes());
    }
    let part = path.with_extension("part");
    fs::write(&part, text)?;
    fs::rename(&part, path)
}

fn configuration(init: &Init, listen: SocketAddr) -> Result<String, String> {
    let set = PromptSet::embedded().map_err(|error| error.to_string())?;
    let notice = set.get(init.language, call::Prompt::Notice).ok_or_else(|| {
        let known: Vec<String> = set.languages().map(|language| language.to_string()).collect();
        format!("there are no prompts in {}; use --language {}", init.language, known.join(", "))
    })?;
    let spoken = |slot| notice.spoken.get(&slot).map_or("", |value| value);
    let mut keys = init.data.as_os_str().to_owned();
    keys.push(".keys");
    let target = match init.trunk.target {
        Some(target) => format!(
            "target = {}{:14}# where calls that the PBX starts are sent",
            quoted(target),
            ""
        ),
        None => {
            "# target = \"ADDRESS:5060\"         # where calls that the PBX starts are to be sent"
                .to_owned()
        }
    };
    let lines: String = init.line.iter().enumerate().map(|(at, number)| line(at, number)).collect();
    let values: [(&str, String); 20] = [
        ("trunk", init.trunk.network.to_string()),
        ("pbx_name", init.pbx.name().to_owned()),
        ("pbx", init.pbx_address.to_string()),
        ("file", init.config.display().to_string()),
        ("data", quoted(init.data.display())),
        ("keys", quoted(Path::new(&keys).display())),
        ("country", quoted(&init.country)),
        ("provider", quoted(&init.provider)),
        ("listen", quoted(listen)),
        ("listen_ip", quoted(listen.ip())),
        ("networks", format!("[{}]", quoted(init.trunk.network))),
        ("target", target),
        ("pbx_kind", quoted(init.pbx.name().to_lowercase())),
        ("pbx_address", quoted(init.pbx_address)),
        ("language", quoted(init.language)),
        ("controller", quoted(spoken(Slot::Controller))),
        ("controller_plain", spoken(Slot::Controller).to_owned()),
        ("purpose", quoted(spoken(Slot::Purpose))),
        ("retention", quoted(spoken(Slot::Retention))),
        ("lines", lines),
    ];
    Ok(filled(include_str!("configuration.toml"), &values))
}

fn line(at: usize, number: &str) -> String {
    format!(
        "\n[[line]]\nid = \"line-{}\"\ntenant = \"default\"\nnumber = {}\npolicy = \"quality\"\n\
         record_from = \"answer\"              # \"agent\" where a queue or a menu answers first\n",
        at + 1,
        quoted(number)
    )
}

fn pbx_part(init: &Init, listen: SocketAddr) -> String {
    let values = [
        ("box", listen.to_string()),
        ("box_ip", listen.ip().to_string()),
        ("box_port", listen.port().to_string()),
        ("pbx", init.pbx_address.to_string()),
        ("number", init.line.first().cloned().unwrap_or_default()),
    ];
    filled(init.pbx.part(), &values)
}

/// A value as TOML writes it, so that nothing in it can become another key.
fn quoted(value: impl std::fmt::Display) -> String {
    toml::Value::String(value.to_string()).to_string()
}

/// The template with its `{{names}}` filled in, once: a value that looks like a name stays.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            text.push_str("{{");
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => text.push_str(value),
            None => text.push_str(name),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(pbx: Pbx, folder: &Path) -> Init {
        Init {
            pbx,
            trunk: "203.0.113.5".parse().unwrap(),
            pbx_address: "192.0.2.20:5060".parse().unwrap(),
            line: vec!["+31201234567".to_owned(), "+31201234568".to_owned()],
            listen: Some("192.0.2.10:5060".parse().unwrap()),
            language: Language::new("nl").unwrap(),
            country: "NL".to_owned(),
            provider: "a \"quoted\" name\nand = \"a key\"".to_owned(),
            data: folder.join("data"),
            config: folder.join("new/jawoord.toml"),
            force: false,
            json: false,
        }
    }

    const ALL: [Pbx; 5] = [Pbx::Asterisk, Pbx::Freeswitch, Pbx::ThreeCx, Pbx::Cucm, Pbx::Kamailio];

    #[test]
    fn every_pbx_gets_a_good_configuration_and_its_own_part_with_every_name_filled_in() {
        for (pbx, language) in ALL.into_iter().zip(["nl", "en", "de", "fr", "nl"]) {
            let folder = tempfile::tempdir().unwrap();
            let mut init = init(pbx, folder.path());
            init.language = Language::new(language).unwrap();
            let (said, done) = run(&init);
            assert!(done, "{said}");
            assert!(said.contains("192.0.2.10") && !said.contains("{{"), "{said}");
            let read = read::read(&init.config, None).expect("a configuration");
            let settings = judge::judge(read, None).expect("a good one");
            assert_eq!(settings.lines.iter().len(), 2);
        }
    }

    #[test]
    fn a_file_that_is_there_stays_unless_force_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let mut init = init(Pbx::Asterisk, folder.path());
        assert!(run(&init).1);
        fs::write(&init.config, "mine").unwrap();
        let (said, done) = run(&init);
        assert!(!done && said.contains("--force"), "{said}");
        assert_eq!(fs::read_to_string(&init.config).unwrap(), "mine");
        init.force = true;
        assert!(run(&init).1);
        assert_ne!(fs::read_to_string(&init.config).unwrap(), "mine");
    }

    #[test]
    fn what_would_not_be_good_is_not_written_and_says_which_key_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        for (change, named) in [
            ((|init: &mut Init| init.country = "US".to_owned()) as fn(&mut Init), "country"),
            (|init| init.line = vec!["020-123".to_owned()], "number"),
            (|init| init.language = Language::new("xx").unwrap(), "--language"),
        ] {
            let mut init = init(Pbx::Asterisk, folder.path());
            change(&mut init);
            let (said, done) = run(&init);
            assert!(!done && said.contains(named), "{said}");
            assert!(!init.config.exists());
        }
    }

    #[test]
    fn a_carrier_is_an_address_an_address_and_port_or_a_network() {
        let carrier = |text: &str| text.parse::<Carrier>().unwrap();
        assert_eq!(carrier("203.0.113.5").target, Some("203.0.113.5:5060".parse().unwrap()));
        assert_eq!(carrier("[2001:db8::1]:5070").network.to_string(), "2001:db8::1/128");
        assert_eq!(carrier("203.0.113.7/24").network.to_string(), "203.0.113.0/24");
        assert_eq!(carrier("203.0.113.0/24").target, None);
        assert!("carrier.example".parse::<Carrier>().is_err());
    }

    #[test]
    fn the_own_address_is_the_one_that_reaches_the_pbx() {
        let reached = reach("127.0.0.1:5080".parse().unwrap()).unwrap();
        assert_eq!(reached, "127.0.0.1:5060".parse().unwrap());
    }
}
