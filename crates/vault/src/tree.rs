//! The puncturable tree of chunk keys (GGM): one leaf per second, erased by forgetting nodes.

use std::ops::Range;

use call::{Digest, Erasure, RecordingId};

use crate::{
    format::row::{METADATA_CHUNK, SAMPLES_PER_SECOND},
    secret::{RootSeed, Secret},
};

/// Levels below the root: 2^20 seconds are twelve days.
pub(crate) const DEPTH: u8 = 20;
/// How many leaves there are.
pub(crate) const LEAVES: u32 = 1 << DEPTH;

/// One node: the seed of every leaf below it.
pub struct Node {
    depth: u8,
    prefix: u32,
    seed: Secret,
}

impl Node {
    /// The node at `depth` whose path from the root is the `depth` bits of `prefix`; `None` when
    /// the tree has no such node.
    #[must_use]
    pub fn new(depth: u8, prefix: u32, seed: [u8; 32]) -> Option<Self> {
        let fits = depth <= DEPTH && prefix < 1 << depth;
        fits.then(|| Self { depth, prefix, seed: Secret::new(seed) })
    }

    /// Distance from the root, 0 to 20.
    #[must_use]
    pub const fn depth(&self) -> u8 {
        self.depth
    }

    /// The path from the root.
    #[must_use]
    pub const fn prefix(&self) -> u32 {
        self.prefix
    }

    /// The secret of the node. Reveal it only to seal or hash it.
    #[must_use]
    pub const fn reveal(&self) -> &[u8; 32] {
        self.seed.bytes()
    }

    /// The chunks whose keys follow from this node.
    #[must_use]
    pub fn chunks(&self) -> Range<u32> {
        let width = DEPTH.saturating_sub(self.depth);
        self.prefix << width..(self.prefix + 1) << width
    }

    /// `child(seed, b) = HMAC-SHA256(seed, "jawoord/v1/node" ‖ b)`, left (0) and right (1).
    fn children(&self) -> [Self; 2] {
        [0, 1].map(|bit: u8| Self {
            depth: self.depth + 1,
            prefix: self.prefix << 1 | u32::from(bit),
            seed: self.seed.hmac(&[b"jawoord/v1/node", &[bit]]),
        })
    }

    fn duplicate(&self) -> Self {
        Self { depth: self.depth, prefix: self.prefix, seed: self.seed.duplicate() }
    }
}

/// The seed of one chunk.
pub struct Leaf {
    chunk: u32,
    seed: Secret,
}

impl Leaf {
    /// Which chunk.
    #[must_use]
    pub const fn chunk(&self) -> u32 {
        self.chunk
    }

    /// `HMAC-SHA256(leaf seed, "jawoord/v1/chunk")`: the Tink key of the chunk.
    #[must_use]
    pub fn key(&self) -> ChunkKey {
        ChunkKey(self.seed.hmac(&[b"jawoord/v1/chunk"]))
    }

    /// `HMAC-SHA256(leaf seed, "jawoord/v1/commit" ‖ recording ‖ BE32 chunk)`. AES-GCM commits to
    /// no key; this does, and stands in the signed table.
    #[must_use]
    pub fn commitment(&self, recording: RecordingId) -> Digest {
        let chunk = self.chunk.to_be_bytes();
        let parts: [&[u8]; 3] = [b"jawoord/v1/commit", recording.as_bytes(), &chunk];
        Digest::from_bytes(*self.seed.hmac(&parts).bytes())
    }
}

/// The key that seals one chunk.
pub struct ChunkKey(Secret);

impl ChunkKey {
    /// Takes the 32 bytes of a key.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The key itself, for an outside tool that opens one chunk.
    #[must_use]
    pub const fn reveal(&self) -> &[u8; 32] {
        self.0.bytes()
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0
    }
}

/// A set of nodes in order of their chunks, none below another.
pub struct NodeSet(Vec<Node>);

impl NodeSet {
    /// The set that opens everything.
    #[must_use]
    pub fn root(seed: &RootSeed) -> Self {
        Self(vec![Node { depth: 0, prefix: 0, seed: seed.secret().duplicate() }])
    }

    /// A set of these nodes; `None` when they overlap or are not in the order of their chunks.
    #[must_use]
    pub fn from_nodes(nodes: Vec<Node>) -> Option<Self> {
        let ordered = nodes.is_sorted_by(|one, next| one.chunks().end <= next.chunks().start);
        ordered.then_some(Self(nodes))
    }

    /// The nodes, in order of their chunks.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// Forgets every node that covers a chunk of `chunks` and keeps the largest subtrees around
    /// them. What was forgotten is wiped.
    #[must_use]
    pub fn erase(self, chunks: Range<u32>) -> Self {
        // Exactly as many: a recording has its frontier for as long as it runs, and what grows leaves
        // copies behind.
        let count = |node: &Node| count_outside(node.chunks(), &chunks);
        let mut kept = Vec::with_capacity(self.0.iter().map(count).sum());
        for node in self.0 {
            keep_outside(node, &chunks, &mut kept);
        }
        Self(kept)
    }

    /// Whether the chunk still has a key.
    #[must_use]
    pub fn holds(&self, chunk: u32) -> bool {
        self.node_of(chunk).is_some()
    }

    fn node_of(&self, chunk: u32) -> Option<&Node> {
        let after = self.0.partition_point(|node| node.chunks().end <= chunk);
        self.0.get(after).filter(|node| node.chunks().contains(&chunk))
    }

    /// The seed of a chunk; `None` once it is erased.
    #[must_use]
    pub fn leaf(&self, chunk: u32) -> Option<Leaf> {
        let mut node = self.node_of(chunk)?.duplicate();
        while node.depth < DEPTH {
            let [left, right] = node.children();
            node = if left.chunks().contains(&chunk) { left } else { right };
        }
        Some(Leaf { chunk, seed: node.seed.duplicate() })
    }
}

/// How many nodes [`keep_outside`] keeps of one that covers these chunks.
fn count_outside(covered: Range<u32>, gone: &Range<u32>) -> usize {
    if covered.end <= gone.start || gone.end <= covered.start || gone.is_empty() {
        1
    } else if covered.start < gone.start || gone.end < covered.end {
        let middle = covered.start.midpoint(covered.end);
        [covered.start..middle, middle..covered.end]
            .into_iter()
            .map(|half| count_outside(half, gone))
            .sum()
    } else {
        0
    }
}

fn keep_outside(node: Node, gone: &Range<u32>, kept: &mut Vec<Node>) {
    let covered = node.chunks();
    if covered.end <= gone.start || gone.end <= covered.start || gone.is_empty() {
        kept.push(node);
    } else if covered.start < gone.start || gone.end < covered.end {
        node.children().into_iter().for_each(|child| keep_outside(child, gone, kept));
    }
}

/// The writer's half: the nodes to the right of the second it is in. Once a leaf is taken, the
/// node's memory alone opens neither it nor anything before it.
pub struct Frontier(NodeSet);

impl Frontier {
    /// Starts at chunk 0. The metadata leaf is taken out first and handed to the caller.
    #[must_use]
    pub fn new(seed: &RootSeed) -> (Self, Option<Leaf>) {
        let all = NodeSet::root(seed);
        let metadata = all.leaf(METADATA_CHUNK);
        (Self(all.erase(METADATA_CHUNK..LEAVES)), metadata)
    }

    /// Takes the leaf of `chunk` and forgets it and everything before it; `None` when it is
    /// already behind or no second is left.
    pub fn take(&mut self, chunk: u32) -> Option<Leaf> {
        let leaf = self.0.leaf(chunk)?;
        let nodes = std::mem::replace(&mut self.0, NodeSet(Vec::new()));
        self.0 = nodes.erase(0..chunk + 1);
        Some(leaf)
    }
}

/// The seconds that hold these samples, rounded outward: what is erased when part of a second is.
#[must_use]
pub fn seconds_of(samples: Range<u64>) -> Erasure {
    let second = u64::from(SAMPLES_PER_SECOND);
    let clamp = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).min(METADATA_CHUNK);
    if samples.is_empty() {
        let from = clamp(samples.start / second);
        return Erasure { from, to: from };
    }
    Erasure { from: clamp(samples.start / second), to: clamp(samples.end.div_ceil(second)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_after_an_erasure_has_room_for_itself_and_no_more() {
        let seed = RootSeed::from_bytes([7; 32]);
        for chunks in [0..1, 0..5, 5..6, 17..4_711, METADATA_CHUNK..LEAVES, 0..LEAVES, 3..3] {
            let kept = NodeSet::root(&seed).erase(chunks.clone());
            assert_eq!(kept.0.capacity(), kept.0.len(), "{chunks:?}");
            assert!([0, 3, 17, 4_711].iter().all(|at| kept.holds(*at) != chunks.contains(at)));
        }
    }
}
