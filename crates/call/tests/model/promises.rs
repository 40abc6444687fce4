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
    let over = said.iter().any(|(_, seen)| {
        matches!(
            seen,
            Seen::Decided(Consent::Withdrawn) | Seen::Objected | Seen::HangUp(..) | Seen::Finish(_)
        )
    });
    let live = replay.permit.as_ref().is_some_and(Permit::is_live);
    assert!(!(over && live), "a withdrawn or ended call has no live permit: {said:?}");
    assert!(times(said, |seen| seen == Seen::Dial) <= 1, "{said:?}");
    assert!(times(said, |seen| matches!(seen, Seen::Finish(_))) <= 1, "{said:?}");
    let finished = first(said, |seen| matches!(seen, Seen::Finish(_)));
    assert!(finished.is_none_or(|place| place + 1 == said.len()), "{said:?}");
}

/// First it is permitted, then committed, and only then recorded.
fn records_in_the_lawful_order(ground: Ground, said: &Said) {
    let may = if needs_a_yes(ground) { Consent::Granted } else { Consent::NotAsked };
    let permitted = first(said, |seen| seen == Seen::Decided(may));
    let committed = first(said, |seen| matches!(seen, Seen::Commit { .. }));
    let recorded = first(said, |seen| seen == Seen::Record);
    assert!(recorded.is_none() || committed < recorded, "{said:?}");
    assert!(committed.is_none() || permitted.is_some_and(|it| Some(it) < committed), "{said:?}");
    let ended =
        first(said, |seen| matches!(seen, Seen::Objected | Seen::Decided(Consent::Withdrawn)));
    let refused = said.iter().rposition(|(_, seen)| *seen == Seen::Decided(Consent::Refused));
    assert!(recorded.is_none() || refused < recorded, "refused what is recorded: {said:?}");
    assert!(ended.is_none() || recorded.is_none() || recorded < ended, "recorded after: {said:?}");
    let armed = first(said, |seen| matches!(seen, Seen::Arm(_)));
    let can_be_ended = ground != Ground::LegalObligation;
    assert!(armed.is_none() || (committed < armed && can_be_ended), "{said:?}");
    assert!(recorded.is_none() || armed.is_some() == can_be_ended, "{said:?}");
}

/// Silence may be asked again; a yes and a hang-up are final, but for the withdrawal, and a no but for a
/// whole question, notice and all, that the customer wanted.
fn decides_once(ground: Ground, said: &Said) {
    let committed = first(said, |seen| matches!(seen, Seen::Commit { .. }));
    let facts = said.iter().enumerate().filter_map(|(place, (_, seen))| match seen {
        Seen::Decided(consent) => Some((place, Some(*consent))),
        Seen::Objected => Some((place, None)),
        _ => None,
    });
    let facts: Vec<_> = facts.collect();
    let lasting = facts.windows(2).all(|pair| match (pair[0].1, pair[1].1) {
        (Some(Consent::NotGiven), Some(_)) => needs_a_yes(ground),
        (Some(Consent::NotAsked), _) => !needs_a_yes(ground),
        (Some(Consent::Refused), Some(Consent::Refused)) => needs_a_yes(ground),
        (Some(Consent::Refused), Some(Consent::Granted)) => {
            let between = said.get(pair[0].0..pair[1].0).unwrap_or_default();
            times(between, |seen| says(seen, Prompt::AgentAsk)) > 0
        }
        (before, after) => (before, after) == (Some(Consent::Granted), Some(Consent::Withdrawn)),
    });
    assert!(lasting, "a decision is changed: {said:?}");
    let before = facts.iter().rfind(|(place, _)| committed.is_some_and(|at| *place < at));
    let may = if needs_a_yes(ground) { Consent::Granted } else { Consent::NotAsked };
    let permits = before.is_some_and(|(_, fact)| *fact == Some(may));
    assert!(committed.is_none() || permits, "refusal and silence never record: {said:?}");
}

/// No yes without its second step (law row L13).
fn has_two_steps(said: &Said) {
    let granted = first(said, |seen| seen == Seen::Decided(Consent::Granted));
    let confirmed = first(said, |seen| says(seen, Prompt::Explicit));
    let in_order = granted.is_none_or(|yes| confirmed.is_some_and(|it| it < yes));
    assert!(in_order, "one step only: {said:?}");
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
