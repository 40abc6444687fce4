//! What the machine gives: listeners, media ports, descriptors, and a clock that has not gone back.

use std::{
    fs, io,
    net::{IpAddr, TcpListener, UdpSocket},
    path::Path,
    time::SystemTime,
};

use serde_json::json;

use super::finding::Finding;
use crate::{
    config::{judge::Settings, listener::Listener, media::Range},
    descriptors::{self, Descriptors},
    sound::threads,
};

/// The listeners that a look without a node may use, and what is to be said of each. Of a running
/// node they are its own.
#[must_use]
pub fn listeners(settings: &Settings, running: bool) -> (Vec<Listener>, Vec<Finding>) {
    let (mut free, mut findings) = (Vec::new(), Vec::new());
    for listener in &settings.listeners {
        let place = format!(
            "listener \"{}\" {}/{}",
            listener.name,
            listener.bind,
            listener.transport.name().to_lowercase()
        );
        let told = format!("peers are told {}", listener.advertised);
        let tried = if running { Ok(()) } else { try_to_bind(listener) };
        findings.push(match tried {
            Ok(()) => {
                free.push(listener.clone());
                let state = if running { "the node listens there" } else { "the address is free" };
                Finding::ok(place, format!("{state}; {told}"))
            }
            Err(error) => unbound(place, error.kind()),
        });
    }
    (free, findings)
}

fn try_to_bind(listener: &Listener) -> io::Result<()> {
    if listener.transport.is_reliable() {
        TcpListener::bind(listener.bind).map(drop)
    } else {
        UdpSocket::bind(listener.bind).map(drop)
    }
}

fn unbound(place: String, kind: io::ErrorKind) -> Finding {
    let mend = match kind {
        io::ErrorKind::AddrInUse => {
            "another program has it; stop that one, or write another port into `bind`"
        }
        io::ErrorKind::AddrNotAvailable => {
            "the machine has no such address; correct `bind`, and write what peers are to be told \
             into `advertised_address`"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE; give it, or write another port into `bind`"
        }
        _ => "correct `bind`",
    };
    Finding::fail(place, format!("cannot be listened on ({kind})"), mend)
}

/// What the judgement of the configuration warned of.
pub fn warnings(settings: &Settings) -> impl Iterator<Item = Finding> {
    settings.warnings.iter().map(|warning| {
        let (found, mend) = warning.split_once("; ").unwrap_or((warning, "see config/lab.toml"));
        Finding::warn("configuration", found, mend)
    })
}

/// The ranges of media ports. Those of a running node are taken as far as it has calls.
#[must_use]
pub fn ranges(settings: &Settings, running: bool) -> Vec<Finding> {
    let read = |name: &str| fs::read_to_string(Path::new("/proc/sys/net/ipv4").join(name)).ok();
    let handed_out = read("ip_local_port_range").as_deref().and_then(span);
    let reserved = read("ip_local_reserved_ports").map(|text| reserved(&text)).unwrap_or_default();
    let ranges = settings.media.ranges.iter();
    ranges.flat_map(|range| ports(range, handed_out, &reserved, running)).collect()
}

fn ports(
    range: &Range,
    handed_out: Option<(u16, u16)>,
    reserved: &[(u16, u16)],
    running: bool,
) -> Vec<Finding> {
    let (first, last) = range.ports;
    let name = range.name.as_deref().unwrap_or("media");
    let place = format!("media ports \"{name}\" {} {first}-{last}", range.bind);
    let all = usize::from(last - first).div_ceil(2);
    let pairs = (first..last).step_by(2);
    let free = pairs.filter(|port| is_free(range.bind, *port)).count();
    let facts = json!({ "pairs": all, "free": free });
    let told = format!("{free} of {all} pairs are free; peers are told {}", range.advertised);
    let mut findings = vec![
        match free {
            0 => {
                let mend = "correct `bind`, or stop what has them; no call would have sound";
                Finding::fail(&place, "none can be bound", mend)
            }
            _ if free < all && !running => {
                let mend = "another program has some; give the range to this one alone";
                Finding::warn(&place, told, mend)
            }
            _ => Finding::ok(&place, told),
        }
        .with(facts),
    ];
    if let Some((from, to)) = handed_out.filter(|span| is_shared(range.ports, *span, reserved)) {
        let mend = "write another range, or reserve it (net.ipv4.ip_local_reserved_ports)";
        let found = format!("the system itself hands out ports {from}-{to} to any program");
        findings.push(Finding::warn(place, found, mend));
    }
    findings
}

fn is_free(address: IpAddr, port: u16) -> bool {
    let bind = |port| UdpSocket::bind((address, port));
    bind(port).is_ok_and(|_rtp| bind(port + 1).is_ok())
}

/// The first and the last port, with white space between.
fn span(text: &str) -> Option<(u16, u16)> {
    let mut words = text.split_whitespace().map(str::parse);
    Some((words.next()?.ok()?, words.next()?.ok()?))
}

/// A list such as `8080,20000-29999`.
fn reserved(text: &str) -> Vec<(u16, u16)> {
    let read = |item: &str| {
        let (from, to) = item.split_once('-').unwrap_or((item, item));
        Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
    };
    text.trim().split(',').filter_map(read).collect()
}

/// Whether a port of ours may be handed out to somebody else.
fn is_shared(ours: (u16, u16), handed_out: (u16, u16), reserved: &[(u16, u16)]) -> bool {
    let (from, to) = (ours.0.max(handed_out.0), ours.1.min(handed_out.1));
    from <= to && !reserved.iter().any(|(first, last)| *first <= from && to <= *last)
}

/// Whether there are descriptors for as many calls and connections as the configuration allows.
#[must_use]
pub fn descriptors(settings: &Settings) -> Finding {
    let limit = descriptors::limit();
    let all = Descriptors::new(limit, settings, threads(&settings.media));
    enough(limit, all.needed(settings.limits.calls.saturating_add(settings.limits.reserve)))
}

fn enough(limit: u64, needed: u64) -> Finding {
    let facts = json!({ "limit": limit, "needed": needed });
    if limit >= needed {
        let found = format!("{limit} files and sockets may be open, {needed} are needed at most");
        Finding::ok("descriptors", found).with(facts)
    } else {
        let found = format!("{limit} files and sockets may be open, and all calls need {needed}");
        let mend = "raise LimitNOFILE of the service (ulimit -n), or lower `limits.calls`";
        Finding::warn("descriptors", found, mend).with(facts)
    }
}

/// Whether the clock stands behind what was written last: recordings would be kept too long, and
/// certificates judged by another day.
#[must_use]
pub fn clock(data: &Path, now: SystemTime) -> Option<Finding> {
    let written = fs::metadata(data.join("ledger.db")).and_then(|data| data.modified()).ok()?;
    Some(match written.duration_since(now) {
        Ok(ahead) if ahead.as_secs() > 1 => {
            let found = format!("it is {} s behind what was written last", ahead.as_secs());
            Finding::fail("clock", found, "set it (timedatectl set-ntp true), then start the node")
        }
        Ok(_) | Err(_) => Finding::ok("clock", "it is not behind what was written last"),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::live::finding::Grade;

    #[test]
    fn ports_that_the_system_hands_out_are_shared_until_they_are_reserved() {
        assert_eq!(span("32768\t60999\n"), Some((32_768, 60_999)));
        assert_eq!(reserved("8080,20000-29999\n"), [(8_080, 8_080), (20_000, 29_999)]);
        assert_eq!(reserved("\n"), []);
        let system = (32_768, 60_999);
        assert!(!is_shared((20_000, 29_999), system, &[]));
        assert!(is_shared((30_000, 33_000), system, &[]));
        assert!(is_shared((30_000, 33_000), system, &[(30_000, 32_999)]));
        assert!(!is_shared((30_000, 33_000), system, &[(32_768, 33_000)]));
    }

    #[test]
    fn a_range_that_another_program_has_is_told_from_a_free_one() {
        let address = IpAddr::from([127, 0, 0, 1]);
        let range =
            Range { name: None, bind: address, advertised: address, ports: (47_340, 47_347) };
        let graded = |running| ports(&range, None, &[], running)[0].clone();
        assert_eq!(graded(false).grade, Grade::Ok);
        let _taken = UdpSocket::bind((address, 47_343)).unwrap();
        let some = graded(false);
        assert_eq!((some.grade, some.facts["free"].as_u64()), (Grade::Warn, Some(3)));
        assert_eq!(graded(true).grade, Grade::Ok, "its own calls have them");
        let away = Range { bind: IpAddr::from([192, 0, 2, 1]), ..range };
        assert_eq!(ports(&away, None, &[], false)[0].grade, Grade::Fail);
    }

    #[test]
    fn too_few_descriptors_are_warned_of_with_the_number_that_is_needed() {
        assert_eq!(enough(1_024, 1_024).grade, Grade::Ok);
        let few = enough(1_023, 1_024);
        assert_eq!(few.grade, Grade::Warn);
        assert!(few.found.contains("1024") && few.mend.unwrap().contains("LimitNOFILE"));
    }

    #[test]
    fn a_clock_that_stands_before_the_last_fact_fails() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(clock(folder.path(), SystemTime::now()), None, "nothing was written yet");
        fs::write(folder.path().join("ledger.db"), "").unwrap();
        let later = SystemTime::now() + Duration::from_secs(9);
        assert_eq!(clock(folder.path(), later).unwrap().grade, Grade::Ok);
        let before = SystemTime::now() - Duration::from_secs(9);
        assert_eq!(clock(folder.path(), before).unwrap().grade, Grade::Fail);
    }
}
