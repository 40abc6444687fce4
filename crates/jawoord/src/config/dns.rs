//! Which name servers are asked for the names of targets.

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;

use super::problem::Problem;

/// Name servers; read at start only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dns {
    /// Addresses, with a port if it is not 53; none are those of the system.
    pub servers: Vec<String>,
}

/// Judges the addresses.
pub fn servers(dns: &Dns, problems: &mut Vec<Problem>) -> Vec<SocketAddr> {
    let mut judged = Vec::new();
    for text in &dns.servers {
        let plain = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
        match text.parse::<SocketAddr>().or(plain) {
            Ok(address) if address.port() > 0 => judged.push(address),
            Ok(_) | Err(_) => {
                let mend = "use an address such as \"192.0.2.53\" or \"192.0.2.53:5353\"";
                problems.push(Problem::value("dns", "servers", text, mend));
            }
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_an_address_with_or_without_a_port() {
        let servers =
            ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "ns.example", "192.0.2.1:0"];
        let dns = Dns { servers: servers.map(str::to_owned).to_vec() };
        let mut problems = Vec::new();
        let judged: Vec<String> =
            super::servers(&dns, &mut problems).iter().map(ToString::to_string).collect();
        assert_eq!(judged, ["192.0.2.53:53", "192.0.2.53:5353", "[2001:db8::53]:53"]);
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 2);
        assert!(
            said[0].starts_with("dns: `servers` is \"ns.example\"; use an address"),
            "{said:?}"
        );
    }
}
