//! The only file that speaks both SIP and the domain: what a message means to the call, and what
//! the call's wishes mean on the wire. Two matches, no wildcard arm, no rule.

use std::time::Duration;

use call::{Action, AgentNews, CallId, Cause, Failure, Input, Party};
use ledger::Station;
use sip::{Event, Why};

use crate::{
    leg::Hold,
    node::Node,
    note::{Paper, Tape},
    session::Session,
    wires::{End, PREEMPTION, Side},
};

/// What a call is told; the rest of the daemon passes it on unread.
pub type Told = Input;

/// Whether an action answers the side that called.
#[must_use]
pub const fn answers(action: &Action) -> bool {
    matches!(action, Action::Answer)
}

/// What a SIP event on a leg means to the call; `None` when it is none of its business.
///
/// `party` is who is on the leg. Session descriptions have been read before: `hold` says what a
/// re-INVITE's offer asks for. `answered` says whether the far leg has been: one that ends before is
/// a failure, not a hang-up.
pub fn told(
    side: Side,
    party: Party,
    event: &Event,
    hold: Option<Hold>,
    answered: bool,
) -> Option<Input> {
    match event {
        Event::IncomingInvite { .. }
        | Event::Registration { .. }
        | Event::Pong { .. }
        | Event::Info { .. }
        | Event::Noted { .. }
        | Event::Asked { .. }
        | Event::Told { .. } => None,
        Event::Acked { .. } => (side == Side::Near).then_some(Input::Confirmed),
        Event::Cancelled { .. } | Event::Bye { .. } => Some(lost(side, party, answered)),
        Event::Provisional { sdp, .. } => Some(Input::Ringing { early_media: sdp.is_some() }),
        Event::Answered { .. } => Some(Input::Answered),
        Event::Rejected { status, .. } => Some(Input::Failed(failure(*status))),
        Event::Reinvite { .. } | Event::Reanswered { .. } => hold.map(|hold| held(party, hold)),
        Event::Pracked { .. } => (side == Side::Near).then_some(PROGRESSED),
        Event::ReinviteRefused { .. } | Event::ForkEnded { .. } => None,
        Event::Ended { why, .. } => ended(side, party, *why, answered),
    }
}

/// A leg has ended without our doing.
const fn lost(side: Side, party: Party, answered: bool) -> Input {
    match side {
        Side::Far if !answered => UNREACHABLE,
        Side::Near | Side::Far => Input::HungUp(party),
    }
}

/// What the end of a leg means. An end that the call asked for itself is no news.
fn ended(side: Side, party: Party, why: Why, answered: bool) -> Option<Input> {
    match (why, side) {
        (Why::Refused | Why::HungUp, _) | (Why::Cancelled { .. }, Side::Near) => None,
        // Our CANCEL has been answered: the call may end now.
        (Why::Cancelled { .. }, Side::Far) => Some(Input::Failed(Failure::NoAnswer)),
        (
            Why::NoResponse
            | Why::NoAck
            | Why::NoPrack
            | Why::NoAnswer
            | Why::Unknown
            | Why::Stale
            | Why::Expired,
            _,
        ) => Some(lost(side, party, answered)),
    }
}

/// A final response of the called party in the domain's words (row B-19).
#[must_use]
pub const fn failure(status: u16) -> Failure {
    match status {
        486 | 600 => Failure::Busy,
        408 | 480 => Failure::NoAnswer,
        // That we cannot prove who we are is no news for the caller.
        401 | 407 | 500..600 => Failure::Unreachable,
        // Where it leads is nobody's to know on the other side (row B-21).
        300..=399 => Failure::Rejected(480),
        _ => Failure::Rejected(status),
    }
}

/// The status of a failure before the caller is answered (row B-18).
#[must_use]
pub const fn status(failure: Failure) -> u16 {
    match failure {
        Failure::Busy => 486,
        Failure::NoAnswer => 480,
        Failure::Unreachable => 503,
        Failure::Rejected(status) => status,
    }
}

/// Why a leg ends, in SIP's and ISDN's numbers (RFC 3326, Q.850).
#[must_use]
pub const fn end(cause: Cause) -> End {
    match cause {
        Cause::Normal => End { sip: None, q850: 16, text: "Normal call clearing" },
        Cause::Failed(Failure::Busy) => End { sip: Some(486), q850: 17, text: "User busy" },
        Cause::Failed(Failure::NoAnswer) => {
            End { sip: Some(480), q850: 19, text: "No answer from user" }
        }
        Cause::Failed(Failure::Unreachable) => {
            End { sip: Some(503), q850: 27, text: "Destination out of order" }
        }
        Cause::Failed(Failure::Rejected(status)) => {
            End { sip: Some(status), q850: 21, text: "Call rejected" }
        }
        Cause::NoMedia => End { sip: None, q850: 102, text: "Recovery on timer expiry" },
        // Of these the law of the house is none: what is missing is a resource of ours.
        Cause::NotRecorded => {
            End { sip: None, q850: 47, text: "Resource unavailable, unspecified" }
        }
        Cause::Shutdown => End { sip: Some(503), q850: 41, text: "Temporary failure" },
        Cause::Preempted => End { sip: None, q850: PREEMPTION, text: "Preemption" },
    }
}

/// What a report of a worker means to the call.
#[must_use]
pub fn heard(call: CallId, event: &media::Event) -> Option<Input> {
    match event {
        media::Event::PromptEnded(end) => {
            Some(Input::PromptEnded { prompt: end.prompt, samples: end.samples, whole: end.whole })
        }
        media::Event::Digit(party, press) => Some(Input::Digit(*party, *press)),
        media::Event::TapCut => Some(Input::TapCut),
        media::Event::Fax => Some(Input::Fax),
        media::Event::TapOverrun { missing_ms } => {
            tracing::warn!(%call, missing_ms, "audio was not recorded: the recorder is behind");
            Some(Input::Degraded)
        }
        media::Event::StrayEvents { party, taken } => {
            let party = party.as_str();
            tracing::warn!(%call, party, taken, "key presses on a payload type that was not agreed; \
                `media.stray_events` says whether they are taken");
            None
        }
        media::Event::Fault => {
            tracing::error!(%call, "handling the call's media failed; its recording has ended");
            Some(Input::RecorderFailed)
        }
        // How long is too long depends on hold, which the node knows.
        media::Event::Quiet(_) | media::Event::Counted(_) | media::Event::Closed(_) => None,
        // What one party presses and the other is told of is neither's business with the call.
        media::Event::Retell { .. } => None,
        // What is wrong is the operator's business.
        media::Event::Unheard { .. }
        | media::Event::HeardAgain { .. }
        | media::Event::IgnoredTones(_) => None,
    }
}

/// What an answer of the office means to the call.
#[must_use]
pub const fn papered(paper: &Paper) -> Option<(CallId, Input)> {
    match paper {
        Paper::Row { .. } => None,
        Paper::Committed { call, recording, evidence, seed: _ } => {
            Some((*call, Input::Committed { recording: *recording, evidence: *evidence }))
        }
        Paper::CommitFailed { call, recording } => {
            Some((*call, Input::CommitFailed { recording: *recording }))
        }
        Paper::Closed { call, recording, done, millis } => {
            let (recording, done, millis) = (*recording, *done, *millis);
            Some((*call, Input::RecordingClosed { recording, done, millis }))
        }
    }
}

/// What a report of the recorder means to the call.
#[must_use]
pub const fn taped(tape: &Tape) -> (CallId, Input) {
    match tape {
        Tape::Degraded { call, .. } => (*call, Input::Degraded),
        Tape::Failed { call, .. } => (*call, Input::RecorderFailed),
    }
}

/// The operator ends a call, or the node stops.
#[must_use]
pub const fn stop(shutdown: bool) -> Input {
    Input::Stop(if shutdown { Cause::Shutdown } else { Cause::Normal })
}

/// The call makes room for an emergency.
#[must_use]
pub const fn preempted() -> Input {
    Input::Stop(Cause::Preempted)
}

/// The operator wants the customer of an outgoing call to be asked.
pub const ASK: Input = Input::Ask;

/// The operator passes on that the customer wants no recording any more.
pub const WITHDRAW: Input = Input::Withdraw;

/// The operator wants silence in a recording, or sound again.
#[must_use]
pub const fn pauses(on: bool) -> Input {
    if on { Input::Pause } else { Input::Resume }
}

/// Somebody says who of the house talks to the customer.
#[must_use]
pub const fn attended(news: AgentNews) -> Input {
    Input::Agent(news)
}

/// A party holds the call or takes it back.
#[must_use]
pub fn held(party: Party, hold: Hold) -> Input {
    Input::Held(party, hold == Hold::Held)
}

/// A leg cannot go on.
#[must_use]
pub const fn gone(party: Party) -> Input {
    Input::HungUp(party)
}

/// Why a leg ends that another has taken the place of.
pub const REPLACED: End = End { sip: None, q850: 16, text: "Call transferred" };

/// Another leg of the called party has answered in place of the one that rings.
pub const ANSWERED: Input = Input::Answered;

/// The customer's side makes a transfer, and says more within so long (row T-06).
#[must_use]
pub const fn sent_away(within: Duration) -> Input {
    Input::SentAway(Some(within))
}

/// That transfer has come to nothing.
pub const SENT_BACK: Input = Input::SentAway(None);

/// The agent transfers to an emergency: from now on the call is one (rows E).
pub const URGENT: Input = Input::Urgent;

/// Nobody of the house is in the call any more (law row L51).
pub const HOUSE_LEFT: Input = Input::HouseLeft;

/// Nobody has sent anything for too long (row B-33).
pub const DEAD: Input = Input::Stop(Cause::NoMedia);

/// The caller has our description before the answer.
pub const PROGRESSED: Input = Input::Progressed;

/// The far leg could not even be called.
pub const UNREACHABLE: Input = Input::Failed(Failure::Unreachable);

/// A permit was minted and no recording could begin.
pub const NOT_RECORDED: Input = Input::RecorderFailed;

/// Hands one wish of the call to its one owner: signalling, media, recorder or ledger.
pub fn perform(node: &mut Node, session: &mut Session, action: Action) {
    let note = |session: &mut Session, node: &Node, label: &str| {
        session.ladder.add(node.now(), Station::Node, Station::Node, label);
    };
    match action {
        Action::Audit(fact) => node.audit(session, fact),
        Action::Answer => node.answer(session),
        Action::Progress => node.progress(session),
        Action::Reject(failure) => node.reject(session, status(failure)),
        Action::Ring { early_media } => node.ring(session, early_media),
        Action::Play(prompt) => {
            note(session, node, &format!("plays {prompt}"));
            node.plays(session, prompt);
            node.sound.play(session, prompt);
        }
        Action::Announce(prompt) => {
            note(session, node, &format!("plays {prompt} to both"));
            node.plays(session, prompt);
            node.sound.announce(session, prompt);
        }
        Action::Cue(cue) => node.beeps(session, cue),
        Action::Hush => node.sound.hush(session),
        Action::RingBack(party) => {
            note(session, node, "plays ring-back");
            node.sound.ring_back(session, party);
        }
        Action::Tone(tone) => {
            note(session, node, &format!("plays {tone:?} tone").to_lowercase());
            node.sound.tone(session, tone);
        }
        Action::Commit(evidence) => {
            note(session, node, "commits evidence");
            node.commit(session, evidence);
        }
        Action::Dial => node.dial(session),
        Action::CancelDial => node.cancel(session),
        Action::Connect(connection) => node.connects(session, connection),
        Action::Prepare => {
            let ready = node.ready(&session.offer, &session.settings);
            let recording = ready.and_then(|()| node.names_a_recording());
            session.call.handle(node.now(), Input::Prepared(recording));
        }
        Action::Keep(party, kept) => node.sound.keep(session, party, kept),
        Action::Record(permit) => {
            note(session, node, "permit, writer, tap");
            node.record(session, permit);
        }
        Action::ArmWithdrawal(key) => node.sound.arm(session, key),
        Action::ArmPause(key) => node.sound.arm_pause(session, key),
        Action::Pause(why) => node.silences(session, Some(why)),
        Action::Resume => node.silences(session, None),
        Action::LeftPaused => node.left_paused(session),
        Action::LostSight => node.lost_sight(session),
        Action::EndRecording { recording, fate } => node.end_recording(session, recording, fate),
        Action::HangUp(party, cause) => node.hang_up(session, session.side(party), end(cause)),
        Action::Finish(words) => node.finish(session, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_19_every_failure_of_the_pbx_has_its_word_and_its_reason() {
        for (code, word) in [
            (486, Failure::Busy),
            (600, Failure::Busy),
            (408, Failure::NoAnswer),
            (480, Failure::NoAnswer),
            (500, Failure::Unreachable),
            (503, Failure::Unreachable),
            (401, Failure::Unreachable),
            (407, Failure::Unreachable),
            (302, Failure::Rejected(480)),
            (404, Failure::Rejected(404)),
            (603, Failure::Rejected(603)),
        ] {
            assert_eq!(failure(code), word, "{code}");
        }
        assert_eq!(end(Cause::Failed(Failure::Busy)).q850, 17);
        assert_eq!(end(Cause::NotRecorded).q850, 47);
        assert_eq!(end(Cause::Failed(Failure::Rejected(404))).sip, Some(404));
    }

    #[test]
    fn a_far_leg_that_ends_before_its_answer_fails_and_after_it_hangs_up() {
        for why in [Why::NoResponse, Why::NoAnswer, Why::Unknown] {
            assert!(matches!(ended(Side::Far, Party::Agent, why, false), Some(UNREACHABLE)));
            let up = ended(Side::Far, Party::Agent, why, true);
            assert!(matches!(up, Some(Input::HungUp(Party::Agent))), "{up:?}");
            let near = ended(Side::Near, Party::Customer, why, false);
            assert!(matches!(near, Some(Input::HungUp(Party::Customer))), "{near:?}");
        }
    }

    #[test]
    fn b_18_a_failure_before_the_answer_keeps_its_status() {
        for code in [486, 480, 404, 603] {
            assert_eq!(status(failure(code)), code);
        }
        assert_eq!(status(Failure::Unreachable), 503);
    }
}
