//! Judges by which way each peer is reached, and what it would be told of our addresses.

use std::net::IpAddr;

use sip::Transport;

use super::{
    exit::{Exit, pin},
    listener::is_link_local,
    media::Written,
    problem::Problem,
    schema::File,
    target::{Target, Transport as Carried, Written as Place},
};

/// The keys of it that a trunk and a PBX have alike.
pub struct Keys<'a> {
    /// `listener`.
    pub listener: Option<&'a String>,
    /// `media`.
    pub media: Option<&'a String>,
    /// `large_by_tcp`.
    pub large_by_tcp: bool,
    /// `lab_pinned_sha256`.
    pub lab_pinned_sha256: Option<&'a String>,
}

impl Keys<'_> {
    /// Judges them together with the peer's targets.
    pub fn judge(
        &self,
        file: &File,
        tls_names: &[Box<str>],
        targets: &[Target],
        (place, problems): (&str, &mut Vec<Problem>),
    ) -> Exit {
        if let Some(name) =
            self.listener.filter(|name| !file.listener.iter().any(|l| l.name == **name))
        {
            let mend = "no [[listener]] has this name; write one of theirs";
            problems.push(Problem::value(place, "listener", name, mend));
        }
        let ranges = &file.media.range;
        if let Some(name) = self.media.filter(|name| !ranges.iter().any(|r| r.name == **name)) {
            let mend = "no [[media.range]] has this name; write one of theirs, or leave it out";
            problems.push(Problem::value(place, "media", name, mend));
        }
        let offers = |transport: Transport| {
            let named = |name: &str| self.listener.is_none_or(|wanted| wanted == name);
            let mut listeners = file.listener.iter().filter(|listener| named(&listener.name));
            // Without any listener there is the default one.
            (file.listener.is_empty() && transport == Transport::Udp)
                || listeners.any(|listener| listener.transport.0.contains(&transport))
        };
        for target in targets.iter().filter(|target| !offers(target.transport.on_the_wire())) {
            let mend = "no listener that leads there has this transport; add it to one, or correct \
                        the target";
            problems.push(Problem::value(place, "target", target, mend));
        }
        let datagrams = targets.iter().any(|target| target.transport == Carried::Udp);
        if self.large_by_tcp && !(datagrams && offers(Transport::Tcp)) {
            let mend = "it needs a `udp` target and a listener with transport = [\"udp\", \"tcp\"]";
            problems.push(Problem::value(place, "large_by_tcp", true, mend));
        }
        let pinned = self.lab_pinned_sha256.and_then(|text| {
            let read = pin(text);
            if read.is_none() {
                let mend = "use the 64 hexadecimal digits of the certificate's SHA-256";
                problems.push(Problem::value(place, "lab_pinned_sha256", text, mend));
            }
            read
        });
        Exit {
            listener: self.listener.map(|name| name.as_str().into()),
            media: self.media.map(|name| name.as_str().into()),
            large_by_tcp: self.large_by_tcp,
            tls_names: tls_names.to_vec(),
            pinned,
        }
    }
}

/// The ports of the far leg are bound before it is known which of its peers will take the call, so
/// all that can take one have the same range.
pub fn one_far_range(file: &File, problems: &mut Vec<Problem>) {
    let mut differ = |table: &str, ranges: Vec<&Option<String>>| {
        if let Some(other) = ranges.iter().find(|range| Some(**range) != ranges.first().copied()) {
            let name = other.as_deref().unwrap_or("(that of [media])");
            let mend = "all that calls can be sent to need the same range; write one for all";
            problems.push(Problem::value(table, "media", name, mend));
        }
    };
    differ("pbx", file.pbx.iter().map(|pbx| &pbx.media).collect());
    let called = file.trunk.iter().filter(|trunk| !trunk.target.0.is_empty());
    differ("trunk", called.map(|trunk| &trunk.media).collect());
}

/// Does the address mean the same to every machine in the world?
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        IpAddr::V6(ip) => {
            !(ip.is_unique_local() || ip.is_loopback() || is_link_local(IpAddr::V6(ip)))
        }
    }
}

/// Warns of every private address that a public peer would be told in Via, Contact or SDP.
pub fn exposure(file: &File, warnings: &mut Vec<Box<str>>) {
    let trunks = file.trunk.iter().map(|trunk| {
        let place = format!("trunk \"{}\"", trunk.name);
        (place, &trunk.networks, trunk.target.0.clone(), &trunk.listener, &trunk.media)
    });
    let pbxs = file.pbx.iter().map(|pbx| {
        let mut targets: Vec<_> = pbx.address.as_deref().map(Place::short).into_iter().collect();
        targets.extend_from_slice(&pbx.target.0);
        (format!("pbx \"{}\"", pbx.name), &pbx.networks, targets, &pbx.listener, &pbx.media)
    });
    for (place, networks, targets, listener, media) in trunks.chain(pbxs) {
        let hosts = targets.iter().filter_map(|target| target.host.parse().ok());
        let mut all = networks.iter().map(|network| network.addr()).chain(hosts);
        // A network of everybody is no sign that somebody public is meant.
        if !all.any(|ip: IpAddr| is_public(ip) && !ip.is_unspecified()) {
            continue;
        }
        let listeners = file
            .listener
            .iter()
            .filter(|one| listener.as_ref().is_none_or(|name| *name == one.name));
        for one in listeners {
            let told = one.advertised_address.unwrap_or(one.bind.ip());
            if !is_public(told) && !told.is_unspecified() {
                warnings.push(
                    format!(
                        "{place} is public and would be told {told} in Via and Contact; set \
                         `advertised_address` of listener \"{}\", or `listener` of the {place}",
                        one.name
                    )
                    .into(),
                );
            }
        }
        let told = told(&file.media, media.as_deref());
        if !is_public(told) && !told.is_unspecified() {
            warnings.push(
                format!(
                    "{place} is public and would be told {told} in SDP; set `advertised_address` \
                     of its range of media ports"
                )
                .into(),
            );
        }
    }
}

fn told(media: &Written, name: Option<&str>) -> IpAddr {
    let range = media.range.iter().find(|range| Some(range.name.as_str()) == name);
    match range {
        Some(range) => range.advertised_address.unwrap_or(range.bind),
        None => media.advertised_address.unwrap_or(media.bind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_address_told_to_a_public_peer_is_warned_of_by_name() {
        let text = "[[listener]]\nname = \"a\"\nbind = \"10.0.0.1:5060\"\n[media]\nbind = \
                    \"10.0.0.1\"\n[[trunk]]\nname = \"carrier\"\nnetworks = [\"203.0.113.0/24\"]\n\
                    [[pbx]]\nname = \"inside\"\naddress = \"10.0.0.2:5060\"\n";
        let warned = |text: &str| {
            let mut warnings = Vec::new();
            exposure(&toml::from_str(text).unwrap(), &mut warnings);
            warnings
        };
        let warnings = warned(text);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].contains("listener \"a\"") && warnings[0].contains("carrier"));
        assert!(warnings[1].contains("SDP"), "{warnings:?}");
        let public = "\"10.0.0.1\"\nadvertised_address = \"198.51.100.1\"\n";
        let text = text.replace("\"10.0.0.1\"\n", public).replace(
            "\"10.0.0.1:5060\"\n",
            "\"10.0.0.1:5060\"\nadvertised_address = \"198.51.100.1\"\n",
        );
        assert_eq!(warned(&text), Vec::<Box<str>>::new());
    }
}
