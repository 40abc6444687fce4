//! An account of ours at somebody else's: what challenges are answered with.

use std::fmt;

use super::algorithm::Algorithm;
use super::secret::Secret;

/// What we answer challenges with.
#[derive(PartialEq, Eq)]
pub struct Credentials {
    /// The name of the account.
    pub user: String,
    /// Its password.
    pub secret: Secret,
    /// The only realm that gets an answer. `None` takes the realm of the first challenge, and no
    /// other one from then on (row B-24).
    pub realm: Option<String>,
    /// The weakest algorithm that gets an answer (RFC 8760 §2.5: a peer that may ask for MD5 can be
    /// made to).
    pub weakest: Algorithm,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials(…, {:?} or stronger)", self.weakest)
    }
}
