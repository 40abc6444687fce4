//! What a peer may do inside a call, as it is written.

use serde::Deserialize;

/// What becomes of a hold that a peer asks for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// It is answered, and the other side is offered nothing: it hears the holder's music, or
    /// silence.
    #[default]
    Absorb,
    /// The other side is held, too.
    Relay,
}

/// What becomes of a transfer that a PBX asks for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Transfers {
    /// It is carried out.
    #[default]
    Act,
    /// One out of the house is handed on to the customer's side, which calls the new party itself; one
    /// inside the house is carried out, because the customer's call would come back as a new one.
    Pass,
    /// It is declined.
    Refuse,
}
