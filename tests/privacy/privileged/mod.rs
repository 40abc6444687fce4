//! What only root may look at or arrange: another process's memory, a disk that is full.

mod full;
mod memory;
mod process;
