//! `[[listener]]`: where SIP is received, over what, and with which certificate.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{RootCertStore, pki_types::CertificateDer};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use sip::Transport;

use super::problem::Problem;
use crate::net::{
    Opening,
    certificate::{self, Fault},
    tls::{Clients, Tls},
};

/// A certificate that ends within this time is warned of.
const SOON: Duration = Duration::from_secs(30 * 86_400);

/// A SIP listener as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Its name, for logs and for the trunks and PBXs that are reached by it.
    pub name: String,
    /// Where it binds.
    pub bind: SocketAddr,
    /// What peers are told instead, behind a 1:1 NAT.
    pub advertised_address: Option<IpAddr>,
    /// `udp`, `tcp`, `tls`, or `["udp", "tcp"]` on one port.
    #[serde(default)]
    pub transport: Transports,
    /// Certificates, for `tls`.
    pub tls: Option<WrittenTls>,
}

/// `[listener.tls]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenTls {
    /// The own certificate and those that sign it, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Who signs the certificates of callers, PEM; without it nobody is asked for one.
    pub client_ca: Option<PathBuf>,
    /// Whether callers without a certificate are turned away.
    #[serde(default)]
    pub require_client_certificate: bool,
    /// Who signs the certificates of those that we call, PEM; by default whom the system trusts.
    pub server_ca: Option<PathBuf>,
}

/// One transport, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transports(pub Vec<Transport>);

impl Default for Transports {
    fn default() -> Self {
        Self(vec![Transport::Udp])
    }
}

impl<'de> Deserialize<'de> for Transports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Transports;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"udp\", \"tcp\", \"tls\" or a list such as [\"udp\", \"tcp\"]")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Transports, E> {
                transport(text).map(|one| Transports(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Transports, A::Error> {
                let mut all = Vec::new();
                while let Some(text) = list.next_element::<String>()? {
                    all.push(transport(&text)?);
                }
                Ok(Transports(all))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

fn transport<E: de::Error>(text: &str) -> Result<Transport, E> {
    match text {
        "udp" => Ok(Transport::Udp),
        "tcp" => Ok(Transport::Tcp),
        "tls" => Ok(Transport::Tls),
        other => Err(E::unknown_variant(other, &["udp", "tcp", "tls"])),
    }
}

/// A SIP listener, judged: one for each transport.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name; those of one `[[listener]]` share it.
    pub name: Box<str>,
    /// How messages travel.
    pub transport: Transport,
    /// Where it binds.
    pub bind: SocketAddr,
    /// What peers are told.
    pub advertised: SocketAddr,
    /// Certificates.
    pub tls: Option<Arc<Tls>>,
}

impl Listener {
    /// The socket to open.
    #[must_use]
    pub fn opening(&self) -> Opening {
        Opening { transport: self.transport, bind: self.bind, tls: self.tls.clone() }
    }

    /// The same for the endpoint.
    #[must_use]
    pub const fn for_endpoint(&self) -> sip::Listener {
        sip::Listener { transport: self.transport, advertised: self.advertised }
    }

    /// Is it the same socket, under the same address?
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let key = |listener: &Self| (listener.transport, listener.bind, listener.advertised);
        self.name == other.name && key(self) == key(other)
    }
}

/// Judges all listeners. What is legal but foolish is added to `warnings`.
pub fn listeners(
    written: &[Written],
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Box<str>>,
) -> Vec<Listener> {
    let default = Written {
        name: "default".to_owned(),
        bind: SocketAddr::from(([127, 0, 0, 1], 5060)),
        advertised_address: None,
        transport: Transports::default(),
        tls: None,
    };
    let written = if written.is_empty() { std::slice::from_ref(&default) } else { written };
    let mut listeners: Vec<Listener> = Vec::new();
    for (index, one) in written.iter().enumerate() {
        let place = format!("listener \"{}\"", one.name);
        if written.iter().take(index).any(|other| other.name == one.name) {
            let mend = "another listener has this name; give each its own";
            problems.push(Problem::value(&place, "name", &one.name, mend));
        }
        let advertised = advertised(one, &place, problems);
        let transports = transports(one, &place, problems);
        let tls = tls(one, &place, problems, warnings);
        for transport in transports {
            let stream = transport.is_reliable();
            let taken = |other: &Listener| {
                other.bind == one.bind && other.transport.is_reliable() == stream
            };
            if listeners.iter().any(taken) {
                let mend = "another listener binds there too; give each its own port";
                problems.push(Problem::value(&place, "bind", one.bind, mend));
            }
            listeners.push(Listener {
                name: one.name.as_str().into(),
                transport,
                bind: one.bind,
                advertised: SocketAddr::new(advertised, one.bind.port()),
                tls: tls.clone().filter(|_| transport == Transport::Tls),
            });
        }
    }
    listeners
}

fn advertised(one: &Written, place: &str, problems: &mut Vec<Problem>) -> IpAddr {
    if one.bind.ip().is_unspecified() && one.advertised_address.is_none() {
        let mend = "a listener on every address needs the one that peers reach it by";
        problems.push(Problem::missing(place, "advertised_address", mend));
    }
    let ip = one.advertised_address.unwrap_or(one.bind.ip()).to_canonical();
    // Row S-10: no other machine can tell which of its links is meant.
    if is_link_local(ip) {
        let mend = "a link-local address means nothing to another machine; use a routed one";
        problems.push(Problem::value(place, "advertised_address", ip, mend));
    }
    ip
}

/// Is the address one of a single link?
pub(super) fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn transports(one: &Written, place: &str, problems: &mut Vec<Problem>) -> Vec<Transport> {
    let Transports(list) = &one.transport;
    let names: Vec<_> = list.iter().map(|transport| transport.name().to_lowercase()).collect();
    let streams = list.iter().filter(|transport| transport.is_reliable()).count();
    let twice = list.iter().enumerate().any(|(at, one)| list.iter().take(at).any(|x| x == one));
    if list.is_empty() || streams > 1 || twice {
        let mend = "use each transport once, and `tcp` and `tls` on ports of their own";
        problems.push(Problem::value(place, "transport", names.join(" "), mend));
    }
    let secured = list.contains(&Transport::Tls);
    if secured && one.tls.is_none() {
        let mend = "name `certificate` and `key` in [listener.tls]";
        problems.push(Problem::missing(place, "tls", mend));
    }
    if !secured && one.tls.is_some() {
        let mend = "only `tls` has certificates; write transport = \"tls\", or leave them out";
        problems.push(Problem::value(place, "transport", names.join(" "), mend));
    }
    list.clone()
}

/// Whether a certificate is in its time; its coming end is warned of.
fn lasts(own: &CertificateDer<'_>, place: &str, warnings: &mut Vec<Box<str>>) -> Result<(), Fault> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let left = certificate::lasts(own, now)?;
    if left < SOON {
        let days = left.as_secs() / 86_400;
        warnings.push(
            format!(
                "{place}: the certificate ends in {days} days; renew it, then `jawoord reload`"
            )
            .into(),
        );
    }
    Ok(())
}

/// Reads the certificates of a listener; one fault a file.
fn tls(
    one: &Written,
    place: &str,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Box<str>>,
) -> Option<Arc<Tls>> {
    let written = one.tls.as_ref()?;
    let place = format!("{place}.tls");
    let before = problems.len();
    let mut fault = |key: &'static str, path: &Path, fault: Fault| {
        problems.push(Problem::value(&place, key, path.display(), fault.mend()));
    };
    let chain = certificate::chain(&written.certificate)
        .map_err(|found| fault("certificate", &written.certificate, found))
        .unwrap_or_default();
    if let Some(own) = chain.first()
        && let Err(found) = lasts(own, &place, warnings)
    {
        fault("certificate", &written.certificate, found);
    }
    let key = certificate::key(&written.key).map_err(|found| fault("key", &written.key, found));
    let mut authorities = |key: &'static str, path: &Option<PathBuf>| {
        path.as_ref().map(|path| {
            certificate::roots(path)
                .map_err(|found| fault(key, path, found))
                .unwrap_or_else(|()| RootCertStore::empty())
        })
    };
    let callers = authorities("client_ca", &written.client_ca);
    let called = authorities("server_ca", &written.server_ca);
    let called = called.unwrap_or_else(|| {
        certificate::system_roots().unwrap_or_else(|_| {
            let text = format!("{place}: this system trusts no authority; name `server_ca`");
            warnings.push(text.into());
            RootCertStore::empty()
        })
    });
    let clients = match (callers, written.require_client_certificate) {
        (Some(roots), true) => Clients::Required(roots),
        (Some(roots), false) => Clients::Optional(roots),
        (None, false) => Clients::Any,
        (None, true) => {
            let mend = "name who signs the certificates that are required";
            problems.push(Problem::missing(&place, "client_ca", mend));
            Clients::Any
        }
    };
    let key = key.ok().filter(|_| problems.len() == before)?;
    let made = Tls::new(chain, key, clients, called);
    let told = made.map_err(|found| {
        problems.push(Problem::value(&place, "key", written.key.display(), found.mend()));
    });
    told.ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> (Vec<Listener>, Vec<String>, Vec<Box<str>>) {
        #[derive(Deserialize)]
        struct File {
            listener: Vec<Written>,
        }
        let file: File = toml::from_str(text).unwrap();
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let made = listeners(&file.listener, &mut problems, &mut warnings);
        (made, problems.iter().map(Problem::to_string).collect(), warnings)
    }

    fn plain(more: &str) -> String {
        format!("[[listener]]\nname = \"a\"\nbind = \"127.0.0.1:5060\"\n{more}\n")
    }

    #[test]
    fn one_listener_may_have_udp_and_tcp_on_one_port() {
        let (made, problems, _) = judged(&plain("transport = [\"udp\", \"tcp\"]"));
        let transports: Vec<_> = made.iter().map(|listener| listener.transport).collect();
        assert_eq!((transports, problems.len()), (vec![Transport::Udp, Transport::Tcp], 0));
        assert_eq!(judged(&plain("")).0.len(), 1, "UDP is what nobody has to write");
    }

    #[test]
    fn what_cannot_be_listened_on_is_named_with_its_mend() {
        for (more, says) in [
            ("transport = []", "`transport` is \"\""),
            ("transport = [\"tcp\", \"tcp\"]", "each transport once"),
            ("transport = \"tls\"", "`tls` is missing"),
            ("tls = { certificate = \"a\", key = \"b\" }", "only `tls` has certificates"),
            ("advertised_address = \"fe80::1\"", "link-local"),
        ] {
            let (_, problems, _) = judged(&plain(more));
            assert!(problems.iter().any(|said| said.contains(says)), "{more}: {problems:?}");
        }
        let two = plain("") + &plain("");
        let (_, problems, _) = judged(&two);
        assert!(problems[0].contains("`name`") && problems[1].contains("`bind`"), "{problems:?}");
        assert!(toml::from_str::<Transports>("x = 1").is_err());
    }

    /// In the year 2999, after 1970.
    const LATE: Duration = Duration::from_secs(32_472_144_000);

    /// A listener with this certificate and key, and what is said of them.
    fn tls(not_after: Duration, write: impl Fn(&Path, &str, &str)) -> (Vec<String>, Vec<Box<str>>) {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(1970, 1, 1) + not_after;
        let certificate = params.self_signed(&key).unwrap();
        write(folder.path(), &certificate.pem(), &key.serialize_pem());
        let file = |name: &str| folder.path().join(name);
        let text = plain(&format!(
            "transport = \"tls\"\ntls = {{ certificate = {:?}, key = {:?} }}",
            file("certificate"),
            file("key")
        ));
        let (_, problems, warnings) = judged(&text);
        (problems, warnings)
    }

    fn both(folder: &Path, certificate: &str, key: &str) {
        std::fs::write(folder.join("certificate"), certificate).unwrap();
        std::fs::write(folder.join("key"), key).unwrap();
    }

    #[test]
    fn s_07_a_certificate_that_will_not_do_is_named_with_its_mend() {
        let (problems, warnings) = tls(LATE, both);
        assert_eq!((problems.len(), warnings.len()), (0, 0), "{problems:?} {warnings:?}");
        let (problems, _) = tls(Duration::from_secs(1_000_000_000), both);
        assert!(problems[0].contains("`certificate`") && problems[0].contains("has expired"));
        let (problems, _) = tls(LATE, |folder, certificate, _| {
            let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
            both(folder, certificate, &other);
        });
        assert!(problems[0].contains("`key`") && problems[0].contains("not for this key"));
        let (problems, _) = tls(LATE, |folder, certificate, _| {
            std::fs::write(folder.join("certificate"), certificate).unwrap();
        });
        assert!(problems[0].contains("`key`") && problems[0].contains("cannot be read"));
        let (problems, _) = tls(LATE, |folder, _, key| both(folder, "no PEM", key));
        assert!(problems[0].contains("`certificate`") && problems[0].contains("holds none"));
    }

    #[test]
    fn s_07_a_certificate_that_ends_soon_is_warned_of() {
        let soon = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let (problems, warnings) = tls(soon + Duration::from_secs(10 * 86_400 - 60), both);
        assert_eq!(problems, Vec::<String>::new());
        assert!(warnings[0].contains("ends in 9 days"), "{warnings:?}");
    }
}
