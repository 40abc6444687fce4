//! How far the walks go, and how many there are.

use std::cell::Cell;

thread_local! {
    /// How much deeper than usual this thread goes.
    static DEEPER: Cell<usize> = const { Cell::new(0) };
}

/// Walks one input deeper than usual, and draws four times as many histories. This is for modules named
/// `long`, which are left to the long lane.
pub(crate) fn deeper(walk: fn()) {
    DEEPER.set(1);
    walk();
    DEEPER.set(0);
}

/// How many inputs long the longest history of an exhaustive search is: 6, or what the environment
/// variable says, for runs that repeat the search many times.
pub(crate) fn depth() -> usize {
    let depth = std::env::var("JAWOORD_MODEL_DEPTH").ok().and_then(|depth| depth.parse().ok());
    depth.unwrap_or(6) + DEEPER.get()
}

/// How many long histories are drawn, where `each` is their number for one input of depth.
pub(crate) fn runs(each: usize) -> usize {
    depth() * each * (1 + 3 * DEEPER.get())
}
