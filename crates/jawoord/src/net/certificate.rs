//! Certificates and keys: read from files, judged, and whom they name as a SIP domain (RFC 5922).

use std::{fmt, io, net::IpAddr, path::Path, time::Duration};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use x509_cert::{
    Certificate,
    der::{Decode, asn1::PrintableStringRef, asn1::Utf8StringRef, oid::db::rfc4519::COMMON_NAME},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// What is wrong with a file of certificates or with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file cannot be read.
    Unreadable(io::ErrorKind),
    /// It holds nothing of what it should hold.
    Empty,
    /// What it holds cannot be understood.
    Malformed,
    /// The certificate is not for this key.
    Mismatched,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not come.
    NotYet,
}

impl Fault {
    /// What to do about it.
    #[must_use]
    pub const fn mend(self) -> &'static str {
        match self {
            Self::Unreadable(_) => {
                "the file cannot be read; check its name, and that the user of the service may \
                 read it"
            }
            Self::Empty => {
                "the file holds none; write it as PEM, the own certificate first and then those \
                 that sign it"
            }
            Self::Malformed => "the file cannot be understood; write it as PEM",
            Self::Mismatched => "the certificate is not for this key; name the pair that belongs",
            Self::Expired => "the certificate has expired; renew it, then `jawoord reload`",
            Self::NotYet => "the certificate is not valid yet; check it and the machine's clock",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mend())
    }
}

impl std::error::Error for Fault {}

/// The certificates of a PEM file, in its order.
///
/// # Errors
/// [`Fault`].
pub fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let text = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|_| Fault::Malformed)?;
    if chain.is_empty() { Err(Fault::Empty) } else { Ok(chain) }
}

/// The first private key of a PEM file.
///
/// # Errors
/// [`Fault`].
pub fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = zeroize::Zeroizing::new(read(path)?);
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound => Fault::Empty,
        _ => Fault::Malformed,
    })
}

/// The authorities of a PEM file.
///
/// # Errors
/// [`Fault`].
pub fn roots(path: &Path) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    for authority in chain(path)? {
        roots.add(authority).map_err(|_| Fault::Malformed)?;
    }
    Ok(roots)
}

/// The authorities that the system trusts.
///
/// # Errors
/// It has none.
pub fn system_roots() -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    let (_taken, _odd) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(Fault::Empty) } else { Ok(roots) }
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|error| Fault::Unreadable(error.kind()))
}

/// How long a certificate is still valid at `now`, a time since the Unix epoch.
///
/// # Errors
/// It is not valid now, or cannot be understood.
pub fn lasts(certificate: &CertificateDer<'_>, now: Duration) -> Result<Duration, Fault> {
    let parsed = Certificate::from_der(certificate).map_err(|_| Fault::Malformed)?;
    let validity = parsed.tbs_certificate().validity();
    if now < validity.not_before.to_unix_duration() {
        return Err(Fault::NotYet);
    }
    validity.not_after.to_unix_duration().checked_sub(now).ok_or(Fault::Expired)
}

/// The SIP domains and addresses that a certificate stands for. `Debug` shows their number.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Names {
    domains: Vec<Box<str>>,
    addresses: Vec<IpAddr>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({})", self.domains.len() + self.addresses.len())
    }
}

impl Names {
    /// Reads them (RFC 5922 §7.1): the host of every `sip:` URI without a user and every DNS name of
    /// the subject's alternative names; the common name only when there are no such names at all.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let mut names = Self::default();
        let Ok(parsed) = Certificate::from_der(certificate) else { return names };
        let tbs = parsed.tbs_certificate();
        match tbs.get_extension::<SubjectAltName>() {
            Ok(Some((_, alternatives))) => {
                alternatives.0.iter().for_each(|name| names.add(name));
            }
            Ok(None) => names.domains.extend(common_name(&parsed)),
            Err(_) => {}
        }
        names
    }

    fn add(&mut self, name: &GeneralName) {
        match name {
            GeneralName::DnsName(name) => self.domains.push(name.as_str().into()),
            GeneralName::UniformResourceIdentifier(uri) => {
                if let Ok(sip::Uri::Sip(uri)) = sip::Uri::parse(uri.as_str().as_bytes())
                    && let (false, None, sip::Host::Name(host)) = (uri.secure, &uri.user, &uri.host)
                {
                    self.domains.push(host.as_str().into());
                }
            }
            GeneralName::IpAddress(octets) => {
                let octets = octets.as_bytes();
                let four = <[u8; 4]>::try_from(octets).map(IpAddr::from);
                let sixteen = <[u8; 16]>::try_from(octets).map(IpAddr::from);
                self.addresses.extend(four.or(sixteen).ok());
            }
            _ => {}
        }
    }

    /// Does the certificate stand for this domain or address? Letter case does not matter, and a
    /// wildcard matches nothing (RFC 5922 §7.2).
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        self.domains.iter().any(|domain| domain.eq_ignore_ascii_case(name))
            || name.parse().is_ok_and(|address: IpAddr| self.addresses.contains(&address))
    }
}

fn common_name(certificate: &Certificate) -> Option<Box<str>> {
    let subject = certificate.tbs_certificate().subject();
    let found = subject.iter().find(|attribute| attribute.oid == COMMON_NAME)?;
    let utf8 = found.value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().into());
    let plain = || found.value.decode_as::<PrintableStringRef<'_>>().map(|t| t.as_str().into());
    utf8.or_else(|_| plain()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(change: impl FnOnce(&mut rcgen::CertificateParams)) -> CertificateDer<'static> {
        let mut params = rcgen::CertificateParams::default();
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn names(sans: &[rcgen::SanType]) -> Names {
        Names::of(&certificate(|params| params.subject_alt_names = sans.to_vec()))
    }

    #[test]
    fn s_07_a_domain_is_a_dns_name_or_the_host_of_a_sip_uri_without_a_user() {
        let uri = |text: &str| rcgen::SanType::URI(text.try_into().unwrap());
        let dns = |text: &str| rcgen::SanType::DnsName(text.try_into().unwrap());
        let found = names(&[
            dns("sbc.carrier.example"),
            uri("sip:carrier.example"),
            uri("sip:alice@people.example"),
            uri("sips:secure.example"),
            uri("https://web.example"),
            dns("*.wild.example"),
            rcgen::SanType::IpAddress("2001:db8::9".parse().unwrap()),
        ]);
        for name in ["sbc.carrier.example", "CARRIER.example", "carrier.example.", "2001:db8::9"] {
            assert!(found.has(name), "{name}");
        }
        for name in [
            "people.example",
            "secure.example",
            "web.example",
            "a.wild.example",
            "wild.example",
            "other.example",
            "2001:db8::a",
            "",
        ] {
            assert!(!found.has(name), "{name}");
        }
    }

    #[test]
    fn s_07_the_common_name_counts_only_where_there_is_no_other_name() {
        let named = |sans: Vec<rcgen::SanType>| {
            Names::of(&certificate(|params| {
                params.distinguished_name.push(rcgen::DnType::CommonName, "old.example");
                params.subject_alt_names = sans;
            }))
        };
        assert!(named(Vec::new()).has("old.example"));
        let dns = rcgen::SanType::DnsName("new.example".try_into().unwrap());
        assert!(!named(vec![dns]).has("old.example"));
    }

    #[test]
    fn s_07_a_certificate_outside_its_time_is_told_from_one_inside() {
        let made = certificate(|params| {
            params.not_before = rcgen::date_time_ymd(2026, 1, 1);
            params.not_after = rcgen::date_time_ymd(2026, 2, 1);
        });
        let at = |seconds| lasts(&made, Duration::from_secs(seconds));
        assert_eq!(at(1_767_225_599), Err(Fault::NotYet));
        assert_eq!(at(1_767_225_600), Ok(Duration::from_secs(31 * 86_400)));
        assert_eq!(at(1_769_904_001), Err(Fault::Expired));
        assert_eq!(lasts(&CertificateDer::from(vec![1, 2]), Duration::ZERO), Err(Fault::Malformed));
    }
}
