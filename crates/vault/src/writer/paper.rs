//! What all recordings of a recorder write on.

use super::store::Page;
use crate::{segment::Piece, shelf::Shelf};

/// Empty pieces of the buffers in which sound waits to be sealed, for all recordings of a recorder.
#[derive(Clone)]
pub struct Paper {
    pub(crate) pages: Shelf<Page>,
    pub(crate) pieces: Shelf<Piece>,
}

impl Default for Paper {
    fn default() -> Self {
        Self { pages: Shelf::shared(), pieces: Shelf::shared() }
    }
}
