//! What a worker can be told to do.

use std::{net::UdpSocket, sync::Arc, time::Duration};

use call::{CallId, Connection, Kept, Key, Party, Pause, Private, Prompt, Raw, Tone};

use crate::{leg::Remote, prompt::PromptAudio, srtp::key::Keys, start::LegStart, tap::Tap};

/// One leg's sockets and the random numbers with which it begins. The caller has bound them and
/// advertises the RTP socket's port: what is sent leaves from there (S-01, RFC 4961).
#[derive(Debug)]
pub struct LegOpen {
    /// For RTP, on an even port.
    pub rtp: UdpSocket,
    /// For RTCP, on the port above.
    pub rtcp: UdpSocket,
    /// Random numbers.
    pub start: LegStart,
    /// Let go of as sockets are closed, however that comes about.
    pub held: Held,
}

/// Who has given these can count the sockets that are open.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Let go of with the socket for RTP, when the leg ends.
    pub sound: Arc<()>,
    /// Let go of with the socket for RTCP: when the leg ends, and while both share a port (RFC 5761).
    pub reports: Arc<()>,
}

/// What a worker can be told to do for a call.
#[derive(Debug)]
pub enum Order {
    /// Take the call in; nothing is sent before a remote is known.
    Open {
        /// The customer's leg.
        customer: Box<LegOpen>,
        /// The PBX's leg.
        agent: Box<LegOpen>,
    },
    /// A leg's session description was agreed or changed; with keys it is SRTP from now on.
    SetRemote(Party, Remote, Option<Box<Keys>>),
    /// Play a prompt to the customer.
    Play(Prompt, PromptAudio),
    /// Play a prompt to both parties.
    Announce(Prompt, PromptAudio),
    /// Play a cue to the agent, after a prompt that both hear.
    Cue(Box<PromptAudio>),
    /// Play this to both parties every so often while the tap listens.
    Beep(Duration, Box<PromptAudio>),
    /// End what plays to the customer, and an announcement to both; silence follows.
    Hush,
    /// Play ring-back to a party, after 300 ms of silence.
    RingBack(Party),
    /// Play a tone to the customer.
    Tone(Tone),
    /// Connect the legs, or part them.
    Connect(Connection),
    /// So much of what a party presses does not reach the other.
    Keep(Party, Kept),
    /// A party pressed a key outside its sound and held it for so long; what told of it.
    Press(Party, Private<Key>, Duration, Private<Raw>),
    /// Report the keys for a party that has not agreed on telephone events, instead of sounding them.
    Retell(Party, bool),
    /// Tones in the sound are keys beside telephone events, too.
    HearBeside,
    /// Telephone events are keys on payload types that were not agreed, too.
    TakeStray,
    /// Tell when one party of the bridged call is not heard for so long while the other one is.
    Watch(Option<Duration>),
    /// Put a tap in.
    InsertTap(Box<Tap>),
    /// The first packet of this key on the agent's leg makes the tap keep silence.
    ArmPause(Key),
    /// The tap keeps silence, for this reason from now on.
    Pause(Pause),
    /// The tap listens again.
    Resume,
    /// The first packet of this key on the customer's leg cuts the tap.
    ArmWithdrawal(Key),
    /// Take the tap out.
    RemoveTap,
    /// Tell what has been counted so far, as [`Event::Counted`](crate::Event::Counted).
    Count,
    /// End the call's media; [`Event::Closed`](crate::Event::Closed) is the last report.
    Close,
}

/// An order and the call it is for.
#[derive(Debug)]
pub struct Command {
    /// The call.
    pub call: CallId,
    /// What to do.
    pub order: Order,
}
