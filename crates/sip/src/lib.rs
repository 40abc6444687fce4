//! SIP without sockets, clocks or chance: messages, transactions, dialogs, offer and answer.
//!
//! A user agent core for a back-to-back user agent (RFC 3261 §6). [`Endpoint`] holds every leg of a
//! node; the caller owns the sockets and the clock:
//!
//! ```
//! use std::time::Instant;
//! use sip::{Config, Endpoint, Event, Listener, ListenerId, Remote, Transport};
//!
//! let address = "192.0.2.1:5060".parse().unwrap();
//! let listener = Listener { transport: Transport::Udp, advertised: address };
//! let mut endpoint = Endpoint::new(Config::new("example", vec![listener]), [7; 32]);
//!
//! let datagram = b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
//!     From: <sip:a@192.0.2.9>;tag=1\r\nTo: <sip:192.0.2.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
//! let source = "192.0.2.9:5060".parse().unwrap();
//! let source = Remote { address: source, listener: ListenerId(0), transport: Transport::Udp };
//! endpoint.receive(Instant::now(), source, datagram);
//! while let Some(transmit) = endpoint.poll_transmit() {
//!     assert!(transmit.octets.starts_with(b"SIP/2.0 200 OK\r\n"));
//! }
//! assert!(endpoint.poll_event().is_none());
//! let _come_back = endpoint.poll_timeout();
//! ```
//!
//! # The life of a leg
//!
//! Theirs: [`Event::IncomingInvite`] → [`Endpoint::respond`] (18x, acknowledged where the caller can:
//! [`Event::Pracked`]; then a final one) → [`Event::Acked`]; ours: [`Endpoint::invite`] →
//! [`Event::Provisional`], of each place that rings → [`Event::Answered`], by one of them. The session
//! changes by [`Endpoint::reinvite`] and, before the answer too, [`Endpoint::update`] →
//! [`Event::Reanswered`]; theirs is [`Event::Reinvite`] → [`Endpoint::answer_reinvite`], whatever
//! request it came in. What repeats the description in force is answered here and not reported.
//! Other requests inside a call are [`Event::Asked`] → [`Endpoint::answer_asked`], ours
//! [`Endpoint::send`] and [`Endpoint::notify`] → [`Event::Told`]; [`Refer`] and [`Replaces`] read what a
//! transfer asks for.
//! A leg that has a session timer is refreshed by whom both sides agreed on, and ends with
//! [`Why::Stale`] when nobody does it.
//!
//! Every leg ends with exactly one of [`Event::Rejected`], [`Event::Cancelled`], [`Event::Bye`] and
//! [`Event::Ended`].
//! How long to let it ring is the caller's to decide: an INVITE that nobody answers, rejects or
//! cancels stays open in either direction.
//!
//! # Who proves what to whom
//!
//! [`Endpoint::equip`] gives a leg the [`Credentials`] that challenges to its requests are answered
//! with (RFC 7616, RFC 8760: MD5, SHA-256, SHA-512/256, `qop=auth`); [`Endpoint::admit`] has the
//! caller of a leg prove that it knows a password. Passwords are in [`Secret`]s: nothing prints
//! them, and they are wiped when they are dropped.
//!
//! # What is absent
//!
//! `sip` does not know that recording exists. It opens no socket, resolves no name, reads no clock
//! and draws no random number; the seed of [`Endpoint::new`] is all the chance there is. It has no
//! policy for transfers: whether a REFER or a Replaces is granted is the caller's to say. A
//! subscription ends with its leg, and there are none but those of REFER. An INVITE of ours always
//! carries the offer, and a PRACK of ours never a second one.
//! It does not filter sources: what the caller does not want answered is not given to
//! [`Endpoint::receive`], and what it wants answered at no cost is given to
//! [`Endpoint::refuse_outright`]; [`glance`] tells which is which.
//!
//! # Where `rsip` is not right
//!
//! `rsip` 0.4 gives the vocabulary: [`rsip::Method`] behind [`Method`], and [`rsip::StatusCode`]
//! behind the reason phrases we write. Everything else is read here, because a carrier's message
//! must survive what `rsip` does to it. `tests/vocabulary.rs` shows each case:
//!
//! | message | `rsip` | here |
//! |---|---|---|
//! | `OPTIONS sip:b@[2001:db8::1]:5070` | the message is refused | RFC 5118 |
//! | `DANCE sip:b@192.0.2.1` | the message is refused | any token (RFC 4475 §3.1.1.2), answered 501 |
//! | `invite` | is taken for `INVITE` | another method (RFC 3261 §7.1) |
//! | `Subject: one⏎ two` | the message is refused | unfolded (RFC 3261 §7.3.1) |
//! | `Subject: caf\xe9` | the message is refused | octets stay as they are |
//! | `Content-Length: 2` and `ab and more` | the body is all of it | the body is `ab` (RFC 3261 §18.3) |
//! | `SIP/2.0 486 Bezet` | the phrase is lost | kept |
//!
//! Session descriptions are read here too: `rtc-sdp` asks the wall clock and a random source,
//! `sdp-types` refuses a whole description for a Latin-1 session name or an odd line that nobody
//! acts on, and neither is needed to answer with one audio line.

pub mod agreement;
pub mod auth;
pub mod crypto;
mod dialog;
pub mod endpoint;
pub mod network;
pub mod offer_answer;
pub mod refer;
pub mod registration;
pub mod sdp;
pub mod stream;
pub mod timer;
mod token;
mod transaction;
pub mod uri;
pub mod wire;

pub use agreement::{Codec, Local, Negotiated, Refusal, Secured};
pub use auth::algorithm::Algorithm;
pub use auth::credentials::Credentials;
pub use auth::guard::Demand;
pub use auth::secret::Secret;
pub use crypto::{Keyring, MasterKey, Srtp, Suite};
pub use endpoint::admit::Admission;
pub use endpoint::command::{Abilities, CommandError, Invite};
pub use endpoint::config::{Config, Listener, SessionTimer};
pub use endpoint::core::Endpoint;
pub use endpoint::event::{AskId, By, Event, ForkId, LegId, PingId, Pong, Sdp, Why};
pub use network::{ListenerId, Remote, Transmit, Transport};
pub use offer_answer::Own;
pub use refer::{Progress, Refer, ReferError, Replaces, refer_to};
pub use registration::{RegisterFault, Registration, RegistrationId, Standing};
pub use sdp::{Description, Direction, SdpError};
pub use stream::{Broken, Frame, Framer};
pub use timer::Timers;
pub use uri::{Host, SipUri, TelUri, Uri, UriError};
pub use wire::address::NameAddr;
pub use wire::body::{Content, content, with_description};
pub use wire::build::Body;
pub use wire::dtmf::{Pressed, pressed, pressing};
pub use wire::glance::{Glance, glance};
pub use wire::header::{Header, HeaderError, Params};
pub use wire::message::{Fault, Message, Start};
pub use wire::method::Method;
pub use wire::parse::{NotSip, parse};
pub use wire::redirect::redirections;
pub use wire::request::Request;
