//! What must not be found anywhere: in memory, on disk, in logs.

mod calls;
mod disk;
mod names;
mod privileged;
mod traces;
