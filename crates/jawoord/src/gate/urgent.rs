//! Which requests are emergencies: they pass every gate (rows E-01 to E-03).

use call::Private;
use phonenumber::country::Id;
use sip::Request;

use crate::{config::judge::Settings, identity, number};

/// Whether a request is an emergency call, or the call-back of one: by what was dialled
/// ([`number::dialled`]), by what it says of itself, or by who calls.
#[must_use]
pub fn is_urgent(
    settings: &Settings,
    request: &Request,
    dialled: &Private<String>,
    country: Id,
) -> bool {
    settings.emergency.matches(dialled)
        || identity::urgent(request)
        || calls_back(settings, request, country)
}

/// Whether the caller is an emergency service: by From, or as the carrier asserts (RFC 7090 §4).
fn calls_back(settings: &Settings, request: &Request, country: Id) -> bool {
    if settings.callbacks.is_empty() {
        return false;
    }
    identity::callers(request).iter().any(|user| {
        let number: Private<String> = number::dialled(user, country);
        settings.callbacks.iter().any(|pattern| pattern.matches(number.reveal()))
    })
}
