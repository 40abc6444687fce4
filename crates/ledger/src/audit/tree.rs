//! The append-only Merkle tree of RFC 6962 §2.1 (RFC 9162 §2.1): hashing, appending, roots.

use call::Digest;
use ring::digest::{Context, SHA256};

/// SHA-256 of the pieces, one after the other.
pub(crate) fn sha256(pieces: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for piece in pieces {
        context.update(piece);
    }
    let mut bytes = [0; 32];
    // SHA-256 is 32 bytes long; the zip cannot cut it.
    for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    Digest::from_bytes(bytes)
}

/// The hash of a leaf over `data`: `SHA-256(0x00 ‖ data)`.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Digest {
    sha256(&[&[0], data])
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: Digest, right: Digest) -> Digest {
    sha256(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// A complete subtree: `2^level` leaves from leaf `position * 2^level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// 0 is a leaf.
    pub level: u32,
    /// Counted from 0 within the level.
    pub position: u64,
}

impl Node {
    /// The leaf whose arrival completes this subtree.
    #[must_use]
    pub const fn last_leaf(self) -> u64 {
        ((self.position + 1) << self.level) - 1
    }
}

/// How large a tree is, and the hash over all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of entries.
    pub size: u64,
    /// The root hash; of an empty tree SHA-256 of nothing.
    pub root: Digest,
}

/// The right-hand edge of a tree: the roots of its complete subtrees, largest first. It is all
/// that appending and the root need, and never longer than 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The edge of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// The complete subtrees whose roots make up the edge of a tree of `size` leaves.
    #[must_use]
    pub fn nodes(size: u64) -> Vec<Node> {
        subtrees(0, size)
    }

    /// Puts an edge together again from the roots of [`Frontier::nodes`], in the same order;
    /// `None` when their number does not fit the size.
    #[must_use]
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        (u64::from(size.count_ones()) == peaks.len() as u64).then_some(Self { size, peaks })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash. Returns the inner nodes that this leaf completes, lowest first: as
    /// many as the new leaf's index ends in one bits.
    pub fn append(&mut self, leaf: Digest) -> Vec<(Node, Digest)> {
        let index = self.size;
        let mut hash = leaf;
        let mut completed = Vec::new();
        for level in 1..=index.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(left, hash);
            completed.push((Node { level, position: index >> level }, hash));
        }
        self.peaks.push(hash);
        self.size += 1;
        completed
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Digest {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| node_hash(left, right));
        joined.unwrap_or_else(|| sha256(&[]))
    }

    /// Size and root together.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: self.root() }
    }
}

/// The complete subtrees that cover leaves `from..to`, left to right. `from` must be a multiple of
/// the largest power of two that fits the range, as every range in RFC 6962 is.
pub(crate) fn subtrees(from: u64, to: u64) -> Vec<Node> {
    let (mut at, mut nodes) = (from, Vec::new());
    while at < to {
        let level = (to - at).ilog2();
        nodes.push(Node { level, position: at >> level });
        at += 1 << level;
    }
    nodes
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// RFC 6962 §2.1, word for word, over the data of the leaves.
    pub(crate) fn naive_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => sha256(&[]),
            [one] => *one,
            many => {
                let half = 1 << (many.len() - 1).ilog2();
                node_hash(naive_root(&many[..half]), naive_root(&many[half..]))
            }
        }
    }

    #[test]
    fn the_known_answers_of_rfc_6962_hashing() {
        let leaf = |data: &str| leaf_hash(data.as_bytes());
        let root = |data: &[&str]| {
            let mut tree = Frontier::default();
            for data in data {
                tree.append(leaf(data));
            }
            tree.root().to_string()
        };
        assert_eq!(root(&[]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            leaf("a").to_string(),
            "022a6979e6dab7aa5ae4c3e5e45f7e977112a7e63593820dbec1ec738a24f93c"
        );
        assert_eq!(
            root(&["a", "b"]),
            "b137985ff484fb600db93107c77b0365c80d78f5b429ded0fd97361d077999eb"
        );
        assert_eq!(
            root(&["a", "b", "c"]),
            "36642e73c2540ab121e3a6bf9545b0a24982cd830eb13d3cd19de3ce6c021ec1"
        );
    }

    #[test]
    fn every_root_to_300_leaves_is_that_of_the_definition() {
        let leaves: Vec<_> = (0_u64..300).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut tree = Frontier::default();
        let mut stored = std::collections::BTreeMap::new();
        for (index, leaf) in leaves.iter().enumerate() {
            assert_eq!(tree.root(), naive_root(&leaves[..index]), "size {index}");
            stored.insert(Node { level: 0, position: index as u64 }, *leaf);
            for (node, hash) in tree.append(*leaf) {
                assert_eq!(node.last_leaf(), index as u64);
                let (first, width) = (node.position << node.level, 1 << node.level);
                let covered = &leaves[usize::try_from(first).unwrap()..][..width];
                assert_eq!(hash, naive_root(covered), "node {node:?}");
                stored.insert(node, hash);
            }
            let peaks = Frontier::nodes(tree.size()).iter().map(|node| stored[node]).collect();
            assert_eq!(Frontier::from_peaks(tree.size(), peaks).as_ref(), Some(&tree));
        }
        assert_eq!(Frontier::from_peaks(3, Vec::new()), None);
    }
}
