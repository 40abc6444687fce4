//! Every address of a peer: what DNS says of it, what TLS shows there, and whether OPTIONS comes back.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::json;
use tokio::{sync::oneshot, time};

use super::{
    ask::{Ask, Pinged, Way},
    finding::Finding,
    subject::Subject,
};
use crate::{
    config::{
        listener::Listener,
        peers::{Pbx, Trunk},
        target::{Host, Reach, Target, Transport},
    },
    net::{certificate, handshake, tls::Tls},
    resolver,
    targets::Question,
};

/// How long an OPTIONS is waited for: several repetitions over UDP.
const PATIENCE: Duration = Duration::from_secs(5);
/// A certificate that ends within so many days is warned of.
const SOON_DAYS: u64 = 30;
const DAY: u64 = 86_400;

/// What was found of one target.
pub struct Reached {
    /// In words.
    pub findings: Vec<Finding>,
    /// Its addresses in the order in which a call tries them, and whether each answers.
    pub ways: Vec<(Way, bool)>,
}

/// The peers and their targets, as they are said.
pub fn peers<'a>(
    pbxs: &'a [Pbx],
    trunks: &'a [Trunk],
) -> impl Iterator<Item = (String, &'a Arc<Reach>)> {
    let pbxs = pbxs.iter().map(|pbx| (format!("pbx \"{}\"", pbx.name), &pbx.reach));
    let trunks = trunks.iter().map(|trunk| (format!("trunk \"{}\"", trunk.name), &trunk.reach));
    pbxs.chain(trunks)
}

/// Looks at one target of a peer.
pub async fn target(
    subject: Arc<Subject>,
    peer: String,
    reach: Arc<Reach>,
    target: Target,
) -> Reached {
    let mut reached = Reached { findings: Vec::new(), ways: Vec::new() };
    let transport = target.transport;
    let (host, addresses) = match &target.host {
        Host::Ip(ip) => {
            let port = target.port.unwrap_or(transport.port());
            (None, vec![SocketAddr::new(*ip, port)])
        }
        Host::Name(name) => {
            let question = Question { name: Arc::clone(name), port: target.port, transport };
            let place = format!("{peer} {target}");
            let (finding, addresses) = named(&subject, place, &question).await;
            reached.findings.push(finding);
            (Some(Arc::clone(name)), addresses)
        }
    };
    for address in addresses {
        let way = Way { reach: Arc::clone(&reach), host: host.clone(), address, transport };
        let place = format!("{peer} {address}/{}", transport.as_str());
        if transport == Transport::Tls {
            reached.findings.extend(secured(&subject, place.clone(), &way).await);
        }
        let answer = ping(&subject, way.clone()).await;
        let (finding, up) = pinged(place.clone(), answer);
        reached.findings.push(finding);
        if let Some(Pinged::Answered { told, seen: Some(seen), .. }) = answer {
            reached.findings.push(mirrored(place, (told, seen), transport));
        }
        reached.ways.push((way, up));
    }
    reached
}

/// What DNS says of a name.
async fn named(
    subject: &Subject,
    place: String,
    question: &Question,
) -> (Finding, Vec<SocketAddr>) {
    let settings = &subject.settings;
    let Some(looked) = resolver::look(&settings.dns, &settings.listeners, question).await else {
        let mend = "correct `dns.servers`, or the name servers of the system";
        return (Finding::fail(place, "no name server answers", mend), Vec::new());
    };
    let mut found = looked.found;
    found.sort_by_key(|found| found.rank.priority);
    let kind = if looked.by_services { "SRV" } else { "A and AAAA" };
    if found.is_empty() {
        let mend = "add the records to DNS, or correct the target; calls cannot go there";
        let said = "DNS knows no address for it that a listener can send to";
        return (Finding::fail(place, said, mend), Vec::new());
    }
    let addresses: Vec<SocketAddr> = found.iter().map(|found| found.address).collect();
    let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let ttl = looked.fresh.as_secs();
    let said = format!("{kind} lead to {}, good for {ttl} s", list.join(", "));
    let facts = json!({ "records": kind, "addresses": list, "ttl_s": ttl });
    (Finding::ok(place, said).with(facts), addresses)
}

/// By which listener TLS goes there, with its certificates.
fn way_out<'a>(listeners: &'a [Listener], way: &Way) -> Option<(&'a Listener, &'a Tls)> {
    listeners.iter().find_map(|listener| {
        let own = (&*listener.name, listener.transport, listener.advertised.ip());
        let fits = way.reach.exit.fits(own, (sip::Transport::Tls, way.address.ip()));
        listener.tls.as_deref().filter(|_| fits).map(|tls| (listener, tls))
    })
}

/// What TLS shows there. Without a listener OPTIONS says what is wrong.
async fn secured(subject: &Subject, place: String, way: &Way) -> Option<Finding> {
    let (listener, tls) = way_out(&subject.settings.listeners, way)?;
    let expected = way.reach.exit.expected(way.host.as_deref(), way.address);
    let patience = subject.settings.bounds.patience.connect;
    let shaken = handshake::look(tls, expected, listener.bind.ip(), way.address, patience).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let lasts = shaken.chain.first().map(|own| certificate::lasts(own, now));
    Some(shown(place, &shaken, lasts.and_then(Result::ok)))
}

/// A handshake in words; `lasts` is how long the certificate that was shown is still good.
fn shown(place: String, shaken: &handshake::Handshake, lasts: Option<Duration>) -> Finding {
    let place = format!("{place}, TLS");
    let days = lasts.map(|lasts| lasts.as_secs() / DAY);
    let facts = json!({
        "certificates": shaken.chain.len(),
        "days": days,
        "mutual": shaken.mutual,
    });
    let whose = if shaken.mutual { "it asks for ours" } else { "it asks for none of ours" };
    let good = days.map_or_else(String::new, |days| format!(", good for {days} days"));
    let finding = match &shaken.refused {
        Some(refused) => {
            let cut = refused.split_once("; ");
            let (found, mend) =
                cut.unwrap_or((refused, "look at the peer, and at its `tls_names` here"));
            Finding::fail(place, found, mend)
        }
        None => {
            let count = shaken.chain.len();
            let found = format!("{count} certificates{good}, for the name that is wanted; {whose}");
            if days.is_some_and(|days| days < SOON_DAYS) {
                Finding::warn(place, found, "its owner must renew it soon")
            } else {
                Finding::ok(place, found)
            }
        }
    };
    finding.with(facts)
}

async fn ping(subject: &Subject, way: Way) -> Option<Pinged> {
    let (answer, answered) = oneshot::channel();
    if !subject.ask(Ask::Ping(way, answer)) {
        return None;
    }
    time::timeout(PATIENCE, answered).await.ok()?.ok()
}

/// An OPTIONS in words, and whether calls may go there; `None` is one without an answer.
fn pinged(place: String, pinged: Option<Pinged>) -> (Finding, bool) {
    let place = format!("{place}, OPTIONS");
    let mend = "look whether it runs, knows our address and is not behind a firewall";
    match pinged {
        Some(Pinged::Answered { status, after, .. }) => {
            let ms = after.as_millis();
            let found = format!("{status} after {ms} ms");
            let facts = json!({ "status": status, "ms": ms });
            let finding = match status {
                503 => Finding::fail(place, found, "it takes no calls now; look at the peer"),
                403 => {
                    Finding::warn(place, found, "it lives and may not know our address; tell it")
                }
                _ => Finding::ok(place, found),
            };
            (finding.with(facts), status != 503)
        }
        Some(Pinged::Nobody) => (Finding::fail(place, "nobody is there", mend), false),
        Some(Pinged::Unsent(error)) => {
            let found = format!("it does not leave ({error})");
            let mend = "give it a listener of its transport and family that can be bound";
            (Finding::fail(place, found, mend), false)
        }
        None => {
            let found = format!("no answer within {} s", PATIENCE.as_secs());
            (Finding::fail(place, found, mend), false)
        }
    }
}

/// Whether the peer sees us where we say that we are. A stream leaves by any port.
fn mirrored(
    place: String,
    (told, seen): (SocketAddr, SocketAddr),
    transport: Transport,
) -> Finding {
    let place = format!("{place}, our address");
    let same =
        told.ip() == seen.ip() && (transport != Transport::Udp || told.port() == seen.port());
    let facts = json!({ "told": told.to_string(), "seen": seen.to_string() });
    let finding = if same {
        Finding::ok(place, format!("it sees us at {}, as it is told", told.ip()))
    } else {
        let found = format!("it sees us at {seen} and is told {told}");
        let mend = "there is a NAT on the way: write what it sees into `advertised_address` of the \
                    listener and of the media ports, and forward their ports one to one";
        Finding::warn(place, found, mend)
    };
    finding.with(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::finding::Grade;

    #[test]
    fn any_answer_but_503_is_a_sign_of_life() {
        let grade = |answer| {
            let (finding, up) = pinged("a".into(), answer);
            (finding.grade, up)
        };
        let told = "192.0.2.1:5060".parse().unwrap();
        let after = Duration::from_millis(12);
        let status = |status| Some(Pinged::Answered { status, after, told, seen: None });
        assert_eq!(grade(status(200)), (Grade::Ok, true));
        assert_eq!(grade(status(405)), (Grade::Ok, true));
        assert_eq!(grade(status(403)), (Grade::Warn, true));
        assert_eq!(grade(status(503)), (Grade::Fail, false));
        assert_eq!(grade(Some(Pinged::Nobody)), (Grade::Fail, false));
        assert_eq!(grade(None), (Grade::Fail, false));
        assert_eq!(pinged("a".into(), status(200)).0.facts["ms"], 12);
    }

    #[test]
    fn a_certificate_that_ends_soon_is_warned_of_and_a_refused_one_fails_with_its_reason() {
        let shaken = |refused: Option<&str>| handshake::Handshake {
            chain: Vec::new(),
            mutual: true,
            refused: refused.map(Box::from),
        };
        let days = |days: u64| Some(Duration::from_secs(days * DAY));
        assert_eq!(shown("a".into(), &shaken(None), days(30)).grade, Grade::Ok);
        assert_eq!(shown("a".into(), &shaken(None), days(29)).grade, Grade::Warn);
        let bad = shown("a".into(), &shaken(Some("it has expired; renew it")), None);
        assert_eq!((bad.grade, bad.mend.as_deref()), (Grade::Fail, Some("renew it")));
    }

    #[test]
    fn a_peer_that_sees_us_elsewhere_than_it_is_told_is_behind_a_nat() {
        let told: SocketAddr = "192.0.2.1:5060".parse().unwrap();
        let grade = |seen: &str, transport| {
            mirrored("a".into(), (told, seen.parse().unwrap()), transport).grade
        };
        assert_eq!(grade("192.0.2.1:5060", Transport::Udp), Grade::Ok);
        assert_eq!(grade("192.0.2.1:4060", Transport::Udp), Grade::Warn);
        assert_eq!(grade("192.0.2.1:4060", Transport::Tls), Grade::Ok);
        assert_eq!(grade("203.0.113.7:5060", Transport::Tls), Grade::Warn);
    }
}
