//! The Via header: who sent a request and where its response goes (RFC 3261 §18.2, RFC 3581).

use std::net::SocketAddr;

use super::header::{Params, trim};
use crate::network::{Remote, Way};
use crate::uri::{Host, host_and_port};

/// One Via value.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Via {
    /// `UDP`, `TCP`, `TLS` … as written.
    pub(crate) transport: Vec<u8>,
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
    pub(crate) params: Params,
}

impl Via {
    /// Reads one value; white space around `/` and `:` is allowed (RFC 3261 §25.1 LWS).
    pub(crate) fn parse(value: &[u8]) -> Option<Via> {
        let (head, params) = match value.iter().position(|&octet| octet == b';') {
            Some(at) => (value.get(..at)?, value.get(at..)?),
            None => (value, &b""[..]),
        };
        let mut parts = head.splitn(3, |&octet| octet == b'/').map(trim);
        let (name, version, rest) = (parts.next()?, parts.next()?, parts.next()?);
        if !name.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
            return None;
        }
        let gap = rest.iter().position(|octet| octet.is_ascii_whitespace())?;
        let sent_by: String = std::str::from_utf8(rest.get(gap..)?)
            .ok()?
            .chars()
            .filter(|c| !c.is_ascii_whitespace())
            .collect();
        let (host, port) = host_and_port(&sent_by).ok()?;
        Some(Via {
            transport: rest.get(..gap)?.to_vec(),
            host,
            port,
            params: Params::parse(params),
        })
    }

    /// The branch if it has the magic cookie of RFC 3261 §8.1.1.7.
    pub(crate) fn branch(&self) -> Option<&[u8]> {
        let branch = self.params.value("branch")?;
        let cookie = branch.get(..7).is_some_and(|head| head.eq_ignore_ascii_case(b"z9hG4bK"));
        (cookie && branch.len() > 7).then_some(branch)
    }

    /// Host and port as the client wrote them, for matching.
    pub(crate) fn sent_by(&self) -> String {
        format!("{}:{}", self.host.to_wire().to_ascii_lowercase(), self.port.unwrap_or(5060))
    }

    /// Row R-06: notes where the request really came from. `received` when it differs from sent-by
    /// or rport was asked for, `rport` only when asked for (RFC 3581 §4).
    pub(crate) fn stamp(&mut self, source: SocketAddr) {
        let asked = self.params.has("rport");
        if asked || self.host != Host::Ip(source.ip()) {
            self.params.set("received", Some(source.ip().to_string().as_bytes()));
        }
        if asked {
            self.params.set("rport", Some(source.port().to_string().as_bytes()));
        }
    }

    /// Where whoever answers saw the request come from, as far as it says so (RFC 3581 §4).
    pub(crate) fn seen(&self) -> Option<SocketAddr> {
        let text = |name: &str| self.params.value(name).and_then(|v| std::str::from_utf8(v).ok());
        let received = text("received").and_then(|ip| ip.trim_matches(['[', ']']).parse().ok());
        let rport = text("rport").and_then(|port| port.parse().ok());
        if received.is_none() && rport.is_none() {
            return None;
        }
        let stated = match &self.host {
            Host::Ip(ip) => Some(*ip),
            Host::Name(_) => None,
        };
        let port = rport.or(self.port).unwrap_or(5060);
        Some(SocketAddr::new(received.or(stated)?, port))
    }

    /// Where a response goes. Over UDP to the source when rport was asked for, else to the source's
    /// address with the port of sent-by. Over a stream by the connection of the request; once that is
    /// gone, to the source's address with the port of sent-by (RFC 3261 §18.2.2). `maddr` is not
    /// followed (row R-07).
    pub(crate) fn reply_to(&self, source: Remote) -> Way {
        let port = self.port.unwrap_or(source.transport.default_port());
        let stated = Remote { address: SocketAddr::new(source.address.ip(), port), ..source };
        if source.transport.is_reliable() {
            let alias = self.params.has("alias");
            Way { remote: stated, over: Some(source.address), alias }
        } else if self.params.has("rport") {
            Way::from(source)
        } else {
            Way::from(stated)
        }
    }

    /// The value as it goes into a response.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let mut out = b"SIP/2.0/".to_vec();
        out.extend_from_slice(&self.transport);
        out.push(b' ');
        out.extend_from_slice(self.host.to_wire().as_bytes());
        if let Some(port) = self.port {
            out.extend_from_slice(format!(":{port}").as_bytes());
        }
        self.params.write(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{ListenerId, Transport};

    fn from(address: &str, transport: Transport) -> Remote {
        Remote { address: address.parse().unwrap(), listener: ListenerId(0), transport }
    }

    #[test]
    fn r_06_received_and_rport_are_filled_and_decide_where_the_reply_goes() {
        let source = from("192.0.2.7:40000", Transport::Udp);
        let mut via = Via::parse(b"SIP/2.0/UDP pc.example:5070;rport;branch=z9hG4bKa").unwrap();
        via.stamp(source.address);
        assert_eq!(
            via.to_wire(),
            b"SIP/2.0/UDP pc.example:5070;rport=40000;branch=z9hG4bKa;received=192.0.2.7"
        );
        assert!(via.reply_to(source) == Way::from(source));
        let mut via = Via::parse(b"SIP / 2.0 / UDP 192.0.2.7 : 5070 ;branch=z9hG4bKa").unwrap();
        via.stamp(source.address);
        assert_eq!(via.to_wire(), b"SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bKa");
        assert!(via.reply_to(source) == Way::from(from("192.0.2.7:5070", Transport::Udp)));
    }

    #[test]
    fn s_08_over_a_stream_the_reply_goes_by_the_connection_or_else_to_what_via_says() {
        for (text, transport, port) in [
            ("SIP/2.0/TCP pc.example:5070;rport;branch=z9hG4bKa", Transport::Tcp, 5070),
            ("SIP/2.0/TCP pc.example;branch=z9hG4bKa", Transport::Tcp, 5060),
            ("SIP/2.0/TLS pc.example;branch=z9hG4bKa", Transport::Tls, 5061),
        ] {
            let source = from("192.0.2.7:40000", transport);
            let way = Via::parse(text.as_bytes()).unwrap().reply_to(source);
            assert_eq!(way.over, Some(source.address));
            assert!(way.remote == from(&format!("192.0.2.7:{port}"), transport) && !way.alias);
        }
        let via = Via::parse(b"SIP/2.0/TLS pc.example;alias;branch=z9hG4bKa").unwrap();
        assert!(via.reply_to(from("192.0.2.7:40000", Transport::Tls)).alias);
    }

    #[test]
    fn a_branch_without_the_cookie_is_none() {
        let branch = |text: &[u8]| Via::parse(text).unwrap().branch().map(<[u8]>::to_vec);
        assert_eq!(branch(b"SIP/2.0/UDP a;branch=1"), None);
        assert_eq!(branch(b"SIP/2.0/UDP a;branch=z9hG4bK"), None);
        assert_eq!(branch(b"SIP/2.0/UDP [::1]:5;branch=Z9HG4BKx"), Some(b"Z9HG4BKx".to_vec()));
        assert!(Via::parse(b"SIP/7.0/UDP a").is_none());
        assert!(Via::parse(b"SIP/2.0/UDP").is_none());
    }
}
