//! SIP without sockets, clocks or chance: messages, transactions, dialogs, offer and answer.

pub mod agreement;
mod dialog;
pub mod endpoint;
pub mod network;
pub mod offer_answer;
pub mod sdp;
pub mod timer;
mod token;
mod transaction;
pub mod uri;
pub mod wire;

pub use agreement::{Codec, Local, Negotiated, Refusal};
pub use endpoint::config::{Config, Listener};
pub use endpoint::core::Endpoint;
pub use endpoint::event::{CommandError, Event, Invite, LegId, PingId, Pong, Sdp, Why};
pub use network::{ListenerId, Remote, Transmit, Transport};
pub use offer_answer::Own;
pub use sdp::{Description, Direction, SdpError};
pub use timer::Timers;
pub use uri::{Host, SipUri, TelUri, Uri, UriError};
pub use wire::address::NameAddr;
pub use wire::build::Body;
pub use wire::header::{Header, HeaderError, Params};
pub use wire::message::{Fault, Message, Start};
pub use wire::method::Method;
pub use wire::parse::{NotSip, parse};
pub use wire::request::Request;
