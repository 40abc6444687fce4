//! One registration with a carrier: what is asked for, what is granted, and when to ask again
//! (RFC 3261 §10, RFC 5626 §4.5, RFC 3608).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::credentials::Credentials;
use crate::auth::wallet::Wallet;
use crate::network::ListenerId;
use crate::transaction::layer::ClientId;
use crate::uri::Uri;
use crate::wire::address::NameAddr;
use crate::wire::message::Message;

/// The first wait after a failure; it doubles with each further one (RFC 5626 §4.5).
const FIRST_WAIT_S: u32 = 30;
/// The longest wait.
const LAST_WAIT_S: u32 = 1800;
/// The longest time that we let a registrar make us ask for, a week.
const MOST_S: u32 = 604_800;

/// A registration to be kept up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The listener it leaves by, whose address is registered.
    pub listener: ListenerId,
    /// The registrar or the proxy before it, names resolved.
    pub destination: SocketAddr,
    /// The domain that is registered with: the Request-URI, `sip:carrier.example`.
    pub registrar: Uri,
    /// The account: `sip:user@carrier.example`.
    pub account: Uri,
    /// The user part of our Contact: what calls for the account have in their Request-URI.
    pub contact_user: String,
    /// For how long, in seconds; the registrar may grant less.
    pub expires_s: u32,
    /// What its challenges are answered with.
    pub credentials: Option<Arc<Credentials>>,
}

/// One registration of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(pub(crate) u64);

/// Why a registration failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterFault {
    /// The registrar said so: 300 to 699. 401 and 407 mean that our password is not right, or that
    /// we have none.
    Status(u16),
    /// Nothing in 64*T1, or it cannot be reached.
    Timeout,
    /// It was granted for no time at all.
    NotBound,
}

impl fmt::Display for RegisterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterFault::Status(status @ (401 | 407)) => {
                write!(f, "the registrar turns us down ({status}); check user, realm and secret")
            }
            RegisterFault::Status(status) => {
                write!(f, "the registrar refuses ({status}); check the account and its domain")
            }
            RegisterFault::Timeout => {
                f.write_str("the registrar does not answer; check its address and the network")
            }
            RegisterFault::NotBound => {
                f.write_str("the registrar grants no time; ask for a longer one")
            }
        }
    }
}

impl std::error::Error for RegisterFault {}

/// How a registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The registrar knows us. Reported at first, after a failure, and when the routes change.
    Registered {
        /// For how long, in seconds; it is renewed after three quarters.
        expires_s: u32,
        /// The way that calls over this account take (RFC 3608 §6.1): `Invite::routes`.
        service_route: Vec<NameAddr>,
    },
    /// The registrar does not know us; it is asked again after a while.
    Failed {
        /// Why.
        fault: RegisterFault,
        /// When it is asked again, in seconds from now.
        retry_s: u32,
    },
    /// It has been taken back, or could not be; nothing follows.
    Over,
}

/// A registration at work.
pub(crate) struct Account {
    pub(crate) order: Registration,
    pub(crate) call_id: String,
    pub(crate) tag: String,
    pub(crate) cseq: u32,
    pub(crate) wallet: Option<Wallet>,
    /// What is asked for: more than ordered after a 423.
    pub(crate) expires_s: u32,
    pub(crate) client: Option<ClientId>,
    failures: u32,
    /// How often in a row the registrar asked for a longer time.
    raised: u8,
    /// The registrar may hold a binding of ours.
    pub(crate) bound: bool,
    pub(crate) leaving: bool,
    /// The request that takes the binding away has been sent.
    pub(crate) left: bool,
    /// The routes last reported; `None` while it has failed or is new.
    reported: Option<Vec<NameAddr>>,
}

/// What follows from a response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask again now.
    Again,
    /// Ask again then; report this, if it is news.
    Wait(Duration, Option<Standing>),
    /// It failed: wait this long at most, at least half of it, and report it.
    BackOff(Duration, RegisterFault),
}

impl Account {
    pub(crate) fn new(order: Registration, call_id: String, tag: String) -> Account {
        Account {
            wallet: order.credentials.clone().map(Wallet::new),
            expires_s: order.expires_s,
            order,
            call_id,
            tag,
            cseq: 0,
            client: None,
            failures: 0,
            raised: 0,
            bound: false,
            leaving: false,
            left: false,
            reported: None,
        }
    }

    /// The number of the next request (RFC 3261 §10.2: one higher for each).
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.cseq = (self.cseq + 1) & 0x7fff_ffff;
        self.cseq
    }

    /// A final response, or none (`None`), has come.
    pub(crate) fn concluded(&mut self, response: Option<&Message>, contact: &Uri) -> Next {
        self.client = None;
        let Some((response, status)) = response.and_then(|one| Some((one, one.status()?))) else {
            return self.failed(RegisterFault::Timeout, None);
        };
        match status {
            ..300 => match granted(response, contact).unwrap_or(self.expires_s) {
                0 => self.failed(RegisterFault::NotBound, None),
                seconds => self.registered(seconds, response),
            },
            423 if self.raised < 2 => match least(response).filter(|s| *s > self.expires_s) {
                Some(seconds) => {
                    self.raised += 1;
                    self.expires_s = seconds;
                    Next::Again
                }
                None => self.failed(RegisterFault::Status(status), None),
            },
            _ => {
                let after = response.first("Retry-After").and_then(leading_number);
                self.failed(RegisterFault::Status(status), after)
            }
        }
    }

    fn registered(&mut self, seconds: u32, response: &Message) -> Next {
        let seconds = seconds.min(MOST_S);
        (self.failures, self.raised, self.bound) = (0, 0, true);
        let routes = response.list("Service-Route");
        let routes: Vec<NameAddr> = routes.into_iter().filter_map(NameAddr::parse).collect();
        let news = self.reported.as_ref() != Some(&routes);
        let standing = news
            .then(|| Standing::Registered { expires_s: seconds, service_route: routes.clone() });
        self.reported = Some(routes);
        // In time for a lost answer, and not so often that the registrar minds.
        let wait = Duration::from_secs(u64::from(seconds)) * 3 / 4;
        Next::Wait(wait.max(Duration::from_secs(1)), standing)
    }

    fn failed(&mut self, fault: RegisterFault, after_s: Option<u32>) -> Next {
        let doubled = FIRST_WAIT_S.saturating_mul(1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        (self.raised, self.reported) = (0, None);
        let wait = doubled.min(LAST_WAIT_S).max(after_s.unwrap_or(0).min(LAST_WAIT_S) * 2);
        Next::BackOff(Duration::from_secs(u64::from(wait)), fault)
    }
}

/// For how long our own Contact is bound; a registrar that writes it anew keeps the user part. With
/// no such Contact, what the message as a whole says (RFC 3261 §10.2.4).
fn granted(response: &Message, contact: &Uri) -> Option<u32> {
    let listed = response.list("Contact");
    let listed: Vec<NameAddr> = listed.into_iter().filter_map(NameAddr::parse).collect();
    let ours = |one: &&NameAddr| one.uri.socket_address() == contact.socket_address();
    let mine = listed.iter().filter(|one| one.uri.user() == contact.user());
    let mine: Vec<&NameAddr> = mine.collect();
    let exact = mine.iter().copied().find(ours).or(mine.first().copied());
    let own = exact.and_then(|one| one.params.value("expires")).and_then(leading_number);
    own.or_else(|| response.first("Expires").and_then(leading_number))
}

/// Min-Expires of a 423, if it is a time that we would ask for.
fn least(response: &Message) -> Option<u32> {
    response.first("Min-Expires").and_then(leading_number).filter(|seconds| *seconds <= MOST_S)
}

/// The number at the start of a value, comments and parameters behind it left out.
fn leading_number(value: &[u8]) -> Option<u32> {
    let end = value.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(value.len());
    std::str::from_utf8(value.get(..end)?).ok()?.parse().ok()
}
