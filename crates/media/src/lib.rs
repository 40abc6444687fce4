//! Sound on the wire: RTP in and out, prompts and tones, key presses, and the tap.
//!
//! A [`Relay`] is one call without sockets and without a clock; a [`Worker`] is a thread that owns
//! the sockets of many calls and drives their relays. Sound leaves a call towards a recorder
//! through a [`Tap`] only, and a tap exists only for a [`call::Permit`].
//!
//! What is absent on purpose: there is no allocation, lock or task switch per packet, no knowledge
//! of SIP, and no buffer in which the sound of a call that is not recorded outlives the packet in
//! hand: a worker has one receive buffer and wipes it after each packet. One exception is named:
//! where connected parties want packets of different lengths, what does not fill a packet yet waits
//! for the rest of it, some tens of milliseconds, and is wiped as it leaves (`packing.rs`).
//!
//! RTP and RTCP are read and written here and not by a library: `rtc-rtp` and `rtc-rtcp` copy a
//! packet's payload and keep header lists in vectors, which is an allocation per packet and a copy
//! of the sound that nobody wipes; a relay needs six numbers and a range.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod attend;
mod beep;
mod block;
mod codec;
mod digit;
mod emodel;
pub mod g711;
pub mod g722;
mod gate;
mod keys;
mod latch;
mod leg;
mod line;
mod noise;
pub mod opus;
mod order;
mod packing;
mod passage;
mod playout;
mod prompt;
mod quality;
mod queue;
mod quiet;
mod reception;
mod relay;
mod report;
mod rtcp;
mod rtp;
mod slot;
mod sound;
mod srtp;
mod start;
mod stock;
mod stream;
mod tap;
mod timeline;
mod told;
mod tone;
mod transcode;
mod watch;
mod worker;

pub use block::{Block, Frame};
pub use codec::Codec;
pub use emodel::Way;
pub use g711::Law;
pub use latch::{Latching, Near};
pub use leg::{Channel, Dropped, Format, Remote, Transmit};
pub use line::Lines;
pub use order::{Command, Held, LegOpen, Order};
pub use playout::PromptEnd;
pub use prompt::PromptAudio;
pub use quality::Quality;
pub use quiet::QUIET_STEP;
pub use reception::Reception;
pub use relay::{Relay, TRAILER, Verdict};
pub use report::{CallStats, Event, LegStats, Report};
pub use rtcp::{
    Block as ReportBlock, MalformedReport, Reporter, Sending, TOKEN_LEN, Told, parse as parse_rtcp,
};
pub use rtp::{HEADER_LEN, Header, Malformed, Packet, parse as parse_rtp};
pub use srtp::key::{Keys, MasterKey, Suite};
pub use start::LegStart;
pub use stock::Stock;
pub use tap::{BLOCK_TIME, Tap, TapEnd, TapFeed, TapReader, ring};
pub use timeline::{RATE_HZ, duration, samples};
pub use tone::{Country, Tones, beep, cue};
pub use transcode::{Decoder, Encoder};
pub use worker::{Clock, Config, Worker, WorkerGone};
