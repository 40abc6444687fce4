//! Keeps the process's memory out of core dumps, debuggers and swap (invariant 6).

use rustix::{
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit},
};

/// What could not be hardened, for one warning at start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hardening {
    /// No core dump and no debugger of the same user.
    pub undumpable: bool,
    /// No page goes to swap.
    pub locked: bool,
    /// How many files and sockets may be open.
    pub descriptors: u64,
}

/// Applies everything that this process may apply to itself.
#[must_use]
pub fn harden() -> Hardening {
    let core = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let dump = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let descriptors = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    Hardening {
        undumpable: core.is_ok() && dump.is_ok(),
        locked: mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT)
            .is_ok(),
        descriptors: descriptors.unwrap_or(u64::MAX),
    }
}
