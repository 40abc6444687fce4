//! Where a transfer leads: to somebody in the house, or to somebody outside of it (rows T-02, T-03).

use call::{Direction, Time};
use phonenumber::country::Id;
use sip::{AskId, Host, LegId, Uri};

use crate::{
    config::judge::Settings,
    number,
    targets::{Kind, Targets},
    wires::Successor,
};

/// Where the new party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind the PBX: an extension, or a number of a line.
    Inside,
    /// Somebody whom the customer's consent does not cover.
    Outside,
}

impl Place {
    /// Who is called to get there.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Inside => Kind::Pbx,
            Self::Outside => Kind::Trunk,
        }
    }
}

/// The fewest digits of a number that cannot be an extension.
const EXTENSION: usize = 6;

/// Where a Refer-To leads. What names the PBX itself stays with the PBX, and so does whatever is no
/// telephone number; a number is inside when it is of a line, or too short for the public network.
/// In doubt it is outside: a recording that ends too early harms nobody.
#[must_use]
pub fn place(settings: &Settings, targets: &Targets, target: &Uri, country: Id) -> Place {
    if let Uri::Sip(uri) = target
        && at_pbx(targets, uri)
    {
        return Place::Inside;
    }
    let Some(user) = target.user() else { return Place::Inside };
    let number = number::dialled(&user, country);
    let digits = number.reveal();
    let plain = digits.trim_start_matches('+').bytes().all(|octet| octet.is_ascii_digit());
    let short = digits.len() < EXTENSION && !settings.emergency.matches(&number);
    if !plain || short || settings.lines.find(Direction::Inbound, &number).is_some() {
        Place::Inside
    } else {
        Place::Outside
    }
}

fn at_pbx(targets: &Targets, uri: &sip::SipUri) -> bool {
    match &uri.host {
        Host::Ip(ip) => targets.is_at(Kind::Pbx, *ip),
        Host::Name(_) => targets.redirected(Kind::Pbx, uri).is_some(),
    }
}

/// A transfer that is under way.
pub struct Transfer {
    /// The leg that asked, as long as it lives.
    pub referrer: Option<LegId>,
    /// The CSeq number of its REFER, if it wants to hear what becomes of it.
    pub tells: Option<u32>,
    /// The leg that is to take its place.
    pub leg: LegId,
    /// What it is offered.
    pub successor: Successor,
    /// Where it is.
    pub place: Place,
    /// When it has rung for long enough.
    pub until: Time,
}

/// A transfer that the customer's side has been asked to make.
#[derive(Clone, Copy, Debug)]
pub struct Handed {
    /// The leg that asked for it.
    pub referrer: LegId,
    /// Its REFER, until that is answered.
    pub ask: Option<AskId>,
    /// The CSeq number of that, if it wants to hear what becomes of it.
    pub tells: Option<u32>,
    /// Our REFER to the customer's side.
    pub sent: AskId,
}
