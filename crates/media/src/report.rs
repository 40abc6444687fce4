//! What a call's media reports: its events, and at the end what it counted.

use std::time::Duration;

use call::{CallId, Key, Party, Press, Private, Unheard};

use crate::{codec::Codec, playout::PromptEnd, quality::Quality};

/// What a relay reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A prompt came to its end or was cut; its last packet has been handed out.
    PromptEnded(PromptEnd),
    /// A key was pressed, and this was the first that was heard of it, by whichever way.
    Digit(Party, Press),
    /// The customer, who is asked or told, sounds the calling tone of a fax (ITU-T T.30). Told at the end of
    /// each such tone.
    Fax,
    /// A key is to be given to a party outside its sound ([`Relay::retell`](crate::Relay::retell)).
    Retell {
        /// To whom.
        to: Party,
        /// Which.
        key: Private<Key>,
        /// For how long it was held.
        held: Duration,
    },
    /// The first packet of the armed withdrawal key arrived and the tap is gone.
    TapCut,
    /// Nobody took the tap's blocks: so many milliseconds more are not recorded.
    TapOverrun {
        /// Since the last such event.
        missing_ms: u64,
    },
    /// The leg's peer sends telephone events on a payload type that was not agreed. Told once per leg
    /// (row D-12).
    StrayEvents {
        /// Who sends them.
        party: Party,
        /// Whether they are keys all the same.
        taken: bool,
    },
    /// Neither party of the bridged call has sent anything for so long; told every
    /// [`QUIET_STEP`](crate::QUIET_STEP) (row B-33).
    Quiet(Duration),
    /// A party of the bridged call is not heard any more while the other one is, or a customer cannot be
    /// while they are asked ([`Relay::watch`](crate::Relay::watch)).
    Unheard {
        /// Who.
        party: Party,
        /// What came instead.
        cause: Unheard,
        /// For how long.
        missing: Duration,
    },
    /// It is heard again.
    HeardAgain {
        /// Who.
        party: Party,
        /// How long it was missing.
        after: Duration,
    },
    /// While a key is awaited of a party that has agreed on telephone events, it sounds tones of keys and
    /// sends no event. Told once per leg.
    IgnoredTones(Party),
    /// Handling the call failed inside; its tap is gone, the call goes on.
    Fault,
    /// What has been counted so far, as somebody wanted to know.
    Counted(Box<CallStats>),
    /// The call's media ended.
    Closed(Box<CallStats>),
}

/// An event and the call it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The call.
    pub call: CallId,
    /// What happened.
    pub event: Event,
}

/// What one leg counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegStats {
    /// RTP packets received from the leg's own peer.
    pub received: u64,
    /// RTP packets sent to the peer.
    pub sent: u64,
    /// Packets from another address than the session description's.
    pub foreign: u64,
    /// Packets that are no RTP, or empty.
    pub malformed: u64,
    /// Packets and reports to a leg under SRTP that were not from who has the key.
    pub unauthentic: u64,
    /// Packets and reports to a leg under SRTP that had been before.
    pub replayed: u64,
    /// Packets of a payload type that was not agreed.
    pub unknown_format: u64,
    /// Telephone events on a payload type that was not agreed (row D-12).
    pub stray_events: u64,
    /// Packets that came too late to be put in their place.
    pub late: u64,
    /// Key presses heard.
    pub presses: u64,
    /// Packets that the peer sent and that never arrived.
    pub lost: u64,
    /// Interarrival jitter in samples of 8,000 Hz (RFC 3550 §6.4.1).
    pub jitter_samples: u32,
    /// RTCP compound packets read.
    pub reports: u64,
    /// RTCP packets that are damaged.
    pub malformed_reports: u64,
    /// Share of our packets that the peer lost, in 1/256, by its last report.
    pub peer_fraction_lost: u8,
    /// What the peer's sound was last agreed to be.
    pub codec: Option<Codec>,
    /// Why and for how long the peer was not heard in the bridged call while the other one was, if it
    /// was long enough to be told.
    pub unheard: Option<(Unheard, Duration)>,
    /// How the peer's stream came to us.
    pub heard: Option<Quality>,
    /// How ours came to the peer that was last there, by its last report.
    pub told: Option<Quality>,
    /// Round trip in microseconds by the peer's last report.
    pub round_trip_us: Option<u64>,
}

/// What a call counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallStats {
    /// The customer's leg.
    pub customer: LegStats,
    /// The PBX's leg.
    pub agent: LegStats,
    /// Faults inside that were survived; any other number than 0 is a defect of ours.
    pub faults: u64,
}
