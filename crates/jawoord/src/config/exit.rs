//! By which way a peer is reached: listener, media range, and how its certificate is known.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use sip::Transport;

use crate::net::tls::Expected;

/// By which way a peer is reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// The listener, and the one that its requests must come by; any if there is none.
    pub listener: Option<Box<str>>,
    /// The range of media ports; the one of [media] if there is none.
    pub media: Option<Box<str>>,
    /// Requests too large for a datagram go to it by TCP.
    pub large_by_tcp: bool,
    /// Names in its certificate.
    pub tls_names: Vec<Box<str>>,
    /// The SHA-256 of its certificate, which is all that is looked at then.
    pub pinned: Option<[u8; 32]>,
}

impl fmt::Debug for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exit(listener {:?}, media {:?})", self.listener, self.media)
    }
}

impl Exit {
    /// Whom to expect at an address that was found by this name, or is written as a number.
    #[must_use]
    pub fn expected(&self, host: Option<&str>, address: SocketAddr) -> Expected {
        match (self.pinned, host) {
            (Some(pin), _) => Expected::Pinned(pin),
            (None, _) if !self.tls_names.is_empty() => {
                Expected::Names(self.tls_names.as_slice().into())
            }
            (None, Some(host)) => Expected::Names([Box::from(host)].into()),
            (None, None) => Expected::Address(address.ip()),
        }
    }

    /// Whether a listener of this name, transport and address may lead to an address of the peer.
    #[must_use]
    pub fn fits(
        &self,
        (name, transport, own): (&str, Transport, IpAddr),
        (wanted, to): (Transport, IpAddr),
    ) -> bool {
        self.listener.as_deref().is_none_or(|listener| listener == name)
            && transport == wanted
            && own.is_ipv4() == to.is_ipv4()
    }
}

/// Reads the digest of a certificate, with or without colons between its octets.
pub(super) fn pin(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u32> =
        text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let octets: Vec<u8> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect::<Option<_>>()?;
    octets.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_07_a_pin_is_read_with_and_without_colons_and_nothing_else() {
        let digits = "0f".repeat(32);
        assert_eq!(pin(&digits), Some([15; 32]));
        assert_eq!(pin(&vec!["0F"; 32].join(":")), Some([15; 32]));
        for text in ["", "0f", &"0g".repeat(32), &"0f".repeat(33), &digits[1..]] {
            assert_eq!(pin(text), None, "{text}");
        }
    }

    #[test]
    fn s_10_a_listener_leads_to_its_own_family_and_transport_only() {
        let exit = Exit { listener: Some("far".into()), ..Exit::default() };
        let (four, six): (IpAddr, IpAddr) =
            ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        assert!(exit.fits(("far", Transport::Tls, six), (Transport::Tls, six)));
        assert!(!exit.fits(("near", Transport::Tls, six), (Transport::Tls, six)));
        assert!(!exit.fits(("far", Transport::Tls, four), (Transport::Tls, six)));
        assert!(!exit.fits(("far", Transport::Tcp, six), (Transport::Tls, six)));
        assert!(Exit::default().fits(("any", Transport::Udp, four), (Transport::Udp, four)));
    }
}
