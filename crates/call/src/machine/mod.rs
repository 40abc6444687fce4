//! The call machine: pure, told the time, one door in and one door out.

mod inbound;
pub(crate) mod io;
