//! What holds in every history, whatever the model thinks.

use call::*;

use crate::{choice::needs_a_yes, support::Seen, world::Replay};

type Said = [(usize, Seen)];

fn first(said: &Said, wanted: impl Fn(Seen) -> bool) -> Option<usize> {
    said.iter().position(|(_, seen)| wanted(*seen))
}

fn times(said: &Said, wanted: impl Fn(Seen) -> bool) -> usize {
    said.iter().filter(|(_, seen)| wanted(*seen)).count()
}

fn says(seen: Seen, wanted: Prompt) -> bool {
    matches!(seen, Seen::Play(prompt) | Seen::Announce(prompt) if prompt == wanted)
}

/// Invariants 2 to 4 and 7, and the rows of the law that each ground has of its own.
pub(crate) fn keeps_its_promises(replay: &Replay) {
    let said = &replay.said;
    records_in_the_lawful_order(replay.ground, said);
    decides_once(replay.ground, said);
    match replay.ground {
        Ground::Consent => {
            assert_eq!(times(said, |seen| says(seen, Prompt::Explicit)), 0, "{said:?}");
        }
        Ground::ExplicitConsent => has_two_steps(said),
        _ => asks_nothing(replay.ground, said),
    }
    let connected = first(said, |seen| seen == Seen::Connect(Connection::Bridged));
    let announced = first(said, |seen| matches!(seen, Seen::Announce(_)));
    assert!(announced.is_none() || connected < announced, "announced to nobody: {said:?}");
    let left = said.iter().any(|(_, seen)| matches!(seen, Seen::HangUp(..) | Seen::Finish(_)));
    let last =
        said.iter().rev().find(|(_, seen)| matches!(seen, Seen::Decided(_) | Seen::Objected));
    let ended = matches!(last, Some((_, Seen::Decided(Consent::Withdrawn) | Seen::Objected)));
    let over = left || ended;
    let live = replay.permit.as_ref().is_some_and(Permit::is_live);
    assert!(!(over && live), "a withdrawn or ended call has no live permit: {said:?}");
    assert!(times(said, |seen| seen == Seen::Dial) <= 1, "{said:?}");
    assert!(times(said, |seen| matches!(seen, Seen::Finish(_))) <= 1, "{said:?}");
    let finished = first(said, |seen| matches!(seen, Seen::Finish(_)));
    assert!(finished.is_none_or(|place| place + 1 == said.len()), "{said:?}");
}

/// First it is permitted, then committed, and only then recorded; and so each time.
fn records_in_the_lawful_order(ground: Ground, said: &Said) {
    let may = if needs_a_yes(ground) { Consent::Granted } else { Consent::NotAsked };
    let (mut permitted, mut committed, mut records, mut arms) = (false, false, 0, 0);
    for (_, seen) in said {
        match seen {
            Seen::Decided(consent) => permitted = *consent == may,
            Seen::Objected => permitted = false,
            Seen::Commit { .. } => {
                assert!(permitted, "refusal and silence never record: {said:?}");
                committed = true;
            }
            Seen::Record => {
                assert!(permitted && committed, "recorded without a ground: {said:?}");
                committed = false;
                records += 1;
            }
            Seen::Arm(_) => arms += 1,
            _ => {}
        }
    }
    let can_be_ended = ground != Ground::LegalObligation;
    // One that waits for an agent can be ended before it begins.
    assert!(if can_be_ended { arms >= records } else { arms == 0 }, "{said:?}");
    // What has begun has ended before anything else begins, and before anybody says no.
    let told = |seen: Seen| {
        matches!(
            seen,
            Seen::Record | Seen::Objected | Seen::Decided(Consent::Withdrawn | Consent::Refused)
        )
    };
    let begun = said.iter().enumerate().filter(|(_, (_, seen))| *seen == Seen::Record);
    for (place, _) in begun {
        let rest = said.get(place + 1..).unwrap_or_default();
        let next = first(rest, told);
        let end = first(rest, |seen| matches!(seen, Seen::End(_) | Seen::EndOf(..)));
        assert!(next.is_none() || end < next && end.is_some(), "still recorded: {said:?}");
    }
}

/// Silence may be asked again; a yes and a hang-up are final, but for the withdrawal, and a no and a
/// withdrawal but for a question that the customer wanted, of which they had heard the notice.
fn decides_once(ground: Ground, said: &Said) {
    let facts = said.iter().enumerate().filter_map(|(place, (_, seen))| match seen {
        Seen::Decided(consent) => Some((place, Some(*consent))),
        Seen::Objected => Some((place, None)),
        _ => None,
    });
    let facts: Vec<_> = facts.collect();
    let lasting = facts.windows(2).all(|pair| match (pair[0].1, pair[1].1) {
        (Some(Consent::NotGiven), Some(_)) => needs_a_yes(ground),
        (Some(Consent::NotAsked), _) => !needs_a_yes(ground),
        (
            Some(before @ (Consent::Refused | Consent::Withdrawn)),
            Some(after @ (Consent::Refused | Consent::Withdrawn | Consent::Granted)),
        ) => {
            let between = said.get(pair[0].0..pair[1].0).unwrap_or_default();
            let asked = |seen| says(seen, Prompt::AgentAsk) || says(seen, Prompt::Resume);
            // A customer who holds hears nothing, and has not said yes to it.
            let heard = times(between, asked) > 0 || after != Consent::Granted;
            heard && (after == Consent::Granted || after == before)
        }
        (before, after) => (before, after) == (Some(Consent::Granted), Some(Consent::Withdrawn)),
    });
    assert!(lasting, "a decision is changed: {said:?}");
}

/// No yes without its second step (law row L13).
fn has_two_steps(said: &Said) {
    let mut confirmed = false;
    for (_, seen) in said {
        match seen {
            Seen::Decided(Consent::Granted) => {
                assert!(confirmed, "one step only: {said:?}");
                confirmed = false;
            }
            Seen::Decided(_) => confirmed = false,
            seen => confirmed |= says(*seen, Prompt::Explicit),
        }
    }
    assert_eq!(times(said, |seen| seen == Seen::Objected), 0, "{said:?}");
}

/// Where nothing is asked, nothing of the question is said, and only an objection is answered (L21,
/// L54).
fn asks_nothing(ground: Ground, said: &Said) {
    let (notice, other) = match ground {
        Ground::LegalObligation => (Prompt::LegalObligation, Prompt::LegitimateInterest),
        _ => (Prompt::LegitimateInterest, Prompt::LegalObligation),
    };
    let asked = |seen| {
        matches!(seen, Seen::Play(prompt) | Seen::Announce(prompt)
        if prompt == other || matches!(
            prompt,
            Prompt::Notice
                | Prompt::Question
                | Prompt::Reask
                | Prompt::WrongKey
                | Prompt::Granted
                | Prompt::NotGiven
                | Prompt::AgentAsk
                | Prompt::Resume
                | Prompt::Explicit
        ))
    };
    assert_eq!(times(said, asked), 0, "nothing is asked: {said:?}");
    let decided = |seen| {
        matches!(seen, Seen::Decided(consent)
        if !matches!(consent, Consent::NotAsked | Consent::Abandoned))
    };
    assert_eq!(times(said, decided), 0, "nothing was asked: {said:?}");
    let told = first(said, |seen| says(seen, notice));
    let committed = first(said, |seen| matches!(seen, Seen::Commit { .. }));
    assert!(committed.is_none() || told.is_some_and(|it| Some(it) < committed), "{said:?}");
    if ground == Ground::LegalObligation {
        let ended = |seen| {
            seen == Seen::Objected || says(seen, Prompt::Refused) || says(seen, Prompt::Withdrawn)
        };
        assert_eq!(times(said, ended), 0, "no key ends what a law demands: {said:?}");
    }
}
