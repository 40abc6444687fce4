//! Trunks and PBXs: who they are, and how they are reached.

use std::{fmt, sync::Arc};

use ipnet::IpNet;

use super::{
    account::{self, Enrolment},
    ami::{self, Manager},
    early::{self, Early},
    inside::Transfers,
    latching,
    problem::Problem,
    refresh, rewrite,
    schema::File,
    secrecy,
    target::{Host, Keys, Reach, Written},
    ways,
};

/// A carrier or SBC.
#[derive(Clone, Debug)]
pub struct Trunk {
    /// Its name.
    pub name: Box<str>,
    /// Source networks.
    pub networks: Vec<IpNet>,
    /// Names in its TLS certificate.
    pub tls_names: Vec<Box<str>>,
    /// Where calls that the PBX starts are sent.
    pub reach: Arc<Reach>,
    /// How we register with it.
    pub register: Option<Enrolment>,
    /// What it lets be done before the answer; `None` answers its callers first.
    pub early: Option<Early>,
    /// Its calls at a time; 0 is no limit of its own.
    pub max_calls: usize,
    /// Country of national numbers.
    pub country: phonenumber::country::Id,
}

/// A PBX.
#[derive(Clone, Debug)]
pub struct Pbx {
    /// Its name.
    pub name: Box<str>,
    /// Source networks, besides the addresses of its targets.
    pub networks: Vec<IpNet>,
    /// Names in its TLS certificate.
    pub tls_names: Vec<Box<str>>,
    /// Where calls are sent.
    pub reach: Arc<Reach>,
    /// Its manager, which says who talks to callers.
    pub manager: Option<Manager>,
    /// What becomes of its REFERs, and whether its calls may take over its own legs.
    pub transfers: Transfers,
}

/// Judges the trunks.
pub fn trunks(file: &File, problems: &mut Vec<Problem>) -> Vec<Trunk> {
    let mut trunks: Vec<Trunk> = Vec::new();
    for trunk in &file.trunk {
        let place: Box<str> = format!("trunk \"{}\"", trunk.name).into();
        let keys = Keys {
            targets: &trunk.target.0,
            keepalive_s: trunk.keepalive_s,
            down_after: trunk.down_after,
            up_after: trunk.up_after,
            silent_after_s: trunk.silent_after_s,
            no_answer_s: trunk.no_answer_s,
        };
        let mut reach = keys.judge(&place, problems);
        let known = trunks.iter().flat_map(|trunk| &trunk.networks);
        ambiguous(known, &trunk.networks, &place, problems);
        let tls_names = tls_names(&trunk.tls_names, &place, problems);
        let Ok(country) = trunk.default_country.parse() else {
            let mend = "use a country such as \"NL\" (ISO 3166-1 alpha-2)";
            problems.push(Problem::value(place, "default_country", &trunk.default_country, mend));
            continue;
        };
        reach.rewrites = rewrite::rewrites(&trunk.rewrite, country, &place, problems);
        let ways = ways::Keys {
            listener: trunk.listener.as_ref(),
            media: trunk.media.as_ref(),
            large_by_tcp: trunk.large_by_tcp,
            lab_pinned_sha256: trunk.lab_pinned_sha256.as_ref(),
        };
        reach.exit = ways.judge(file, &tls_names, &reach.targets, (&place, problems));
        reach.digest = account::digest(trunk.digest.as_ref(), &place, problems);
        reach.challenge = account::challenge(trunk.challenge.as_ref(), &place, problems);
        reach.session =
            refresh::session_of(trunk.session_timer, file.session_timer, &place, problems);
        reach.holds = trunk.hold;
        reach.latching = latching::latching(trunk.latching, &place, problems);
        let ways = (trunk.listener.as_ref(), &*reach.targets);
        reach.srtp = secrecy::srtp(trunk.srtp, file, ways, (&place, problems));
        let register = account::register(
            trunk.register.as_ref(),
            trunk.digest.as_ref(),
            !reach.targets.is_empty(),
            &place,
            problems,
        );
        trunks.push(Trunk {
            name: trunk.name.as_str().into(),
            networks: trunk.networks.clone(),
            tls_names,
            register,
            early: early::early(trunk.early_notice, &place, problems),
            max_calls: trunk.max_calls,
            reach: Arc::new(reach),
            country,
        });
    }
    trunks
}

/// Judges the PBXs.
pub fn pbxs(file: &File, problems: &mut Vec<Problem>) -> Vec<Pbx> {
    let mut pbxs: Vec<Pbx> = Vec::new();
    // A PBX writes national numbers as the first trunk does.
    let country = file.trunk.first().and_then(|trunk| trunk.default_country.parse().ok());
    let country = country.unwrap_or(phonenumber::country::Id::NL);
    for pbx in &file.pbx {
        let place: Box<str> = format!("pbx \"{}\"", pbx.name).into();
        let mut targets: Vec<Written> =
            pbx.address.as_deref().map(Written::short).into_iter().collect();
        targets.extend_from_slice(&pbx.target.0);
        if targets.is_empty() {
            let mend = "write where it receives SIP, such as \"192.0.2.10:5060\"";
            problems.push(Problem::missing(&place, "address", mend));
        }
        let keys = Keys {
            targets: &targets,
            keepalive_s: pbx.keepalive_s,
            down_after: pbx.down_after,
            up_after: pbx.up_after,
            silent_after_s: pbx.silent_after_s,
            no_answer_s: pbx.no_answer_s,
        };
        let mut reach = keys.judge(&place, problems);
        reach.rewrites = rewrite::rewrites(&pbx.rewrite, country, &place, problems);
        let tls_names = tls_names(&pbx.tls_names, &place, problems);
        let ways = ways::Keys {
            listener: pbx.listener.as_ref(),
            media: pbx.media.as_ref(),
            large_by_tcp: pbx.large_by_tcp,
            lab_pinned_sha256: pbx.lab_pinned_sha256.as_ref(),
        };
        reach.exit = ways.judge(file, &tls_names, &reach.targets, (&place, problems));
        reach.digest = account::digest(pbx.digest.as_ref(), &place, problems);
        reach.challenge = account::challenge(pbx.challenge.as_ref(), &place, problems);
        reach.session =
            refresh::session_of(pbx.session_timer, file.session_timer, &place, problems);
        reach.holds = pbx.hold;
        reach.latching = latching::latching(pbx.latching, &place, problems);
        let ways = (pbx.listener.as_ref(), &*reach.targets);
        reach.srtp = secrecy::srtp(pbx.srtp, file, ways, (&place, problems));
        let trunks = file.trunk.iter().flat_map(|trunk| &trunk.networks);
        let known = pbxs.iter().flat_map(|pbx| &pbx.networks).chain(trunks);
        ambiguous(known, &pbx.networks, &place, problems);
        pbxs.push(Pbx {
            name: pbx.name.as_str().into(),
            networks: pbx.networks.clone(),
            tls_names,
            reach: Arc::new(reach),
            manager: ami::manager(pbx.ami.as_ref(), &pbx.name, &place, problems),
            transfers: pbx.transfers,
        });
    }
    let names = trunk_names(file).chain(file.pbx.iter().flat_map(|pbx| &pbx.tls_names));
    let lower: Vec<String> = names.map(|name| name.to_lowercase()).collect();
    unique("trunk and pbx: tls_names", lower.iter().map(String::as_str), problems);
    unique("trunk", file.trunk.iter().map(|trunk| trunk.name.as_str()), problems);
    unique("pbx", file.pbx.iter().map(|pbx| pbx.name.as_str()), problems);
    pbxs
}

fn trunk_names(file: &File) -> impl Iterator<Item = &String> {
    file.trunk.iter().flat_map(|trunk| &trunk.tls_names)
}

/// A pair of equally specific peers is an error, because nobody could say which one a call is of.
fn ambiguous<'a>(
    known: impl Iterator<Item = &'a IpNet> + Clone,
    networks: &[IpNet],
    place: impl fmt::Display,
    problems: &mut Vec<Problem>,
) {
    for network in networks {
        if known.clone().any(|known| known == network) {
            let mend = "another peer has this network too; give each its own";
            problems.push(Problem::value(&place, "networks", network, mend));
        }
    }
}

fn tls_names(names: &[String], place: &str, problems: &mut Vec<Problem>) -> Vec<Box<str>> {
    let mut judged = Vec::new();
    for name in names {
        match Host::parse(name) {
            Some(Host::Name(name)) => judged.push(Box::from(&*name)),
            Some(Host::Ip(_)) | None => {
                let mend = "use a name of its certificate, such as \"sip.example.net\"";
                problems.push(Problem::value(place, "tls_names", name, mend));
            }
        }
    }
    judged
}

fn unique<'a>(table: &str, names: impl Iterator<Item = &'a str>, problems: &mut Vec<Problem>) {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            problems.push(Problem::value(table, "name", name, "give each its own name"));
        }
    }
}
