//! What a number means here: how it is read, which line it is of, and how it is written on the way out.

use call::Private;
use phonenumber::country::Id;

use crate::{
    config::{judge::Settings, target::Reach},
    number,
    peer::Peer,
    rewrite::{Field, Way, applied},
    targets::Candidate,
};

/// A dialled number as the lines know it, from how it was written and what that is without any rule
/// ([`number::dialled`]). A rule never hides an emergency.
#[must_use]
pub fn read(
    settings: &Settings,
    peer: Peer<'_>,
    (user, plain): (&str, &Private<String>),
    country: Id,
) -> Private<String> {
    let bare = user.split(';').next().unwrap_or(user);
    let rewritten = applied(&peer.reach().rewrites.inward, Field::RequestUri, bare);
    if rewritten == bare {
        return plain.clone();
    }
    let read = number::dialled(&rewritten, country);
    let lost = settings.emergency.matches(plain) && !settings.emergency.matches(&read);
    if lost { plain.clone() } else { read }
}

/// A calling number as the lines know it.
#[must_use]
pub fn caller(peer: Peer<'_>, user: &str, country: Id) -> Private<String> {
    let bare = user.split(';').next().unwrap_or(user);
    number::dialled(&applied(&peer.reach().rewrites.inward, Field::From, bare), country)
}

/// How the numbers of a call are written for a candidate.
#[must_use]
pub fn numbers<'a>(
    settings: &'a Settings,
    origin: &'a Reach,
    candidate: &'a Candidate,
    emergency: bool,
) -> Way<'a> {
    Way {
        inward: &origin.rewrites.inward,
        outward: &candidate.reach.rewrites.outward,
        emergency: emergency.then_some(&settings.emergency),
    }
}
