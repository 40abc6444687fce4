//! Inclusion and consistency proofs (RFC 9162 §2.1.3 and §2.1.4): which nodes, and the checks.

use call::Digest;

use super::tree::{Node, TreeHead, node_hash, subtrees};

/// The hashes that lead from one entry to the root, nearest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The entry.
    pub index: u64,
    /// The size of the tree it is proved in.
    pub size: u64,
    /// The path.
    pub path: Vec<Digest>,
}

/// The hashes that show that a tree is a continuation of a smaller one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub from: u64,
    /// The larger size.
    pub to: u64,
    /// The path.
    pub path: Vec<Digest>,
}

/// What a proof consists of, before the stored nodes are read: each hash of the path is that of a
/// range of leaves, given as its complete subtrees from left to right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofPlan(Vec<Vec<Node>>);

impl ProofPlan {
    /// The plan of the inclusion of leaf `index` in a tree of `size` (RFC 9162 §2.1.3.1); `None`
    /// when the tree has no such leaf.
    #[must_use]
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let (mut from, mut to, mut plan) = (0, size, Vec::new());
        while to - from > 1 {
            let middle = from + (1 << (to - from - 1).ilog2());
            if index < middle {
                plan.push(subtrees(middle, to));
                to = middle;
            } else {
                plan.push(subtrees(from, middle));
                from = middle;
            }
        }
        plan.reverse();
        Some(Self(plan))
    }

    /// The plan of the consistency of sizes `from` and `to` (RFC 9162 §2.1.4.1); `None` when
    /// `from` is the larger.
    #[must_use]
    pub fn consistency(from: u64, to: u64) -> Option<Self> {
        if from > to {
            return None;
        }
        if from == 0 || from == to {
            return Some(Self(Vec::new()));
        }
        let (mut low, mut high, mut whole, mut plan) = (0, to, true, Vec::new());
        while from < high {
            let middle = low + (1 << (high - low - 1).ilog2());
            if from <= middle {
                plan.push(subtrees(middle, high));
                high = middle;
            } else {
                plan.push(subtrees(low, middle));
                (low, whole) = (middle, false);
            }
        }
        if !whole {
            plan.push(subtrees(low, high));
        }
        plan.reverse();
        Some(Self(plan))
    }

    /// Every node that must be read.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.0.iter().flatten().copied()
    }

    /// The path, once `stored` gives the hash of each node; `None` if it lacks one.
    pub fn path(&self, mut stored: impl FnMut(Node) -> Option<Digest>) -> Option<Vec<Digest>> {
        self.0
            .iter()
            .map(|range| {
                let hashes: Option<Vec<_>> = range.iter().map(|node| stored(*node)).collect();
                hashes?.into_iter().rev().reduce(|right, left| node_hash(left, right))
            })
            .collect()
    }
}

impl InclusionProof {
    /// Whether `leaf` stands at its index in the tree with this head (RFC 9162 §2.1.3.2).
    #[must_use]
    pub fn holds(&self, leaf: Digest, head: TreeHead) -> bool {
        if self.index >= self.size || self.size != head.size {
            return false;
        }
        let (mut place, mut last, mut hash) = (self.index, self.size - 1, leaf);
        for step in &self.path {
            if last == 0 {
                return false;
            }
            if place & 1 == 1 || place == last {
                hash = node_hash(*step, hash);
                while place & 1 == 0 && place != 0 {
                    (place, last) = (place >> 1, last >> 1);
                }
            } else {
                hash = node_hash(hash, *step);
            }
            (place, last) = (place >> 1, last >> 1);
        }
        last == 0 && hash == head.root
    }
}

impl ConsistencyProof {
    /// Whether the tree with head `new` continues the one with head `old` (RFC 9162 §2.1.4.2).
    #[must_use]
    pub fn holds(&self, old: TreeHead, new: TreeHead) -> bool {
        if (old.size, new.size) != (self.from, self.to) || self.from > self.to {
            return false;
        }
        if self.from == self.to {
            return self.path.is_empty() && old.root == new.root;
        }
        if self.from == 0 {
            return self.path.is_empty();
        }
        let mut steps = self.path.iter().copied();
        // An old size that is a power of two is itself the first node of the path.
        let first = if self.from.is_power_of_two() { Some(old.root) } else { steps.next() };
        let Some(first) = first else { return false };
        let (mut place, mut last) = (self.from - 1, self.to - 1);
        while place & 1 == 1 {
            (place, last) = (place >> 1, last >> 1);
        }
        let (mut before, mut after) = (first, first);
        for step in steps {
            if last == 0 {
                return false;
            }
            if place & 1 == 1 || place == last {
                before = node_hash(step, before);
                after = node_hash(step, after);
                while place & 1 == 0 && place != 0 {
                    (place, last) = (place >> 1, last >> 1);
                }
            } else {
                after = node_hash(after, step);
            }
            (place, last) = (place >> 1, last >> 1);
        }
        last == 0 && before == old.root && after == new.root
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::audit::tree::{Frontier, leaf_hash, tests::naive_root};

    struct Grown {
        leaves: Vec<Digest>,
        nodes: BTreeMap<Node, Digest>,
    }

    fn grow(size: u64) -> Grown {
        let (mut tree, mut nodes, mut leaves) = (Frontier::default(), BTreeMap::new(), Vec::new());
        for index in 0..size {
            let leaf = leaf_hash(&index.to_be_bytes());
            leaves.push(leaf);
            nodes.insert(Node { level: 0, position: index }, leaf);
            nodes.extend(tree.append(leaf));
        }
        Grown { leaves, nodes }
    }

    impl Grown {
        fn head(&self, size: u64) -> TreeHead {
            TreeHead { size, root: naive_root(&self.leaves[..usize::try_from(size).unwrap()]) }
        }

        fn path(&self, plan: Option<ProofPlan>) -> Vec<Digest> {
            plan.unwrap().path(|node| self.nodes.get(&node).copied()).unwrap()
        }
    }

    #[test]
    fn every_entry_of_every_tree_to_130_leaves_is_proved_and_no_other_entry_is() {
        let grown = grow(130);
        for size in 1..=130 {
            let head = grown.head(size);
            for index in 0..size {
                let path = grown.path(ProofPlan::inclusion(index, size));
                let proof = InclusionProof { index, size, path };
                let leaf = grown.leaves[usize::try_from(index).unwrap()];
                assert!(proof.holds(leaf, head), "{index} of {size}");
                assert!(!proof.holds(leaf_hash(b"another"), head));
                let neighbour = InclusionProof { index: (index + 1) % size, ..proof.clone() };
                assert!(size == 1 || !neighbour.holds(leaf, head), "{index} of {size} moved");
                let mut long = proof.clone();
                long.path.push(leaf);
                assert!(!long.holds(leaf, head));
                let mut short = proof;
                assert!(short.path.pop().is_none() || !short.holds(leaf, head));
            }
        }
        assert_eq!(ProofPlan::inclusion(5, 5), None);
    }

    #[test]
    fn every_inclusion_proof_in_a_tree_of_300_holds() {
        let grown = grow(300);
        let head = grown.head(300);
        for index in 0..300 {
            let path = grown.path(ProofPlan::inclusion(index, 300));
            let proof = InclusionProof { index, size: 300, path };
            assert!(proof.holds(grown.leaves[usize::try_from(index).unwrap()], head));
        }
    }

    #[test]
    fn every_pair_of_sizes_to_70_is_consistent_and_a_changed_past_is_not() {
        let grown = grow(70);
        for to in 0..=70 {
            for from in 0..=to {
                let path = grown.path(ProofPlan::consistency(from, to));
                let proof = ConsistencyProof { from, to, path };
                let (old, new) = (grown.head(from), grown.head(to));
                assert!(proof.holds(old, new), "{from} to {to}");
                let changed = TreeHead { size: from, root: leaf_hash(b"changed") };
                assert!(from == 0 && to > 0 || !proof.holds(changed, new), "{from} to {to}");
                let other = TreeHead { size: to, root: leaf_hash(b"changed") };
                assert!(from == 0 && to > 0 || !proof.holds(old, other), "{from} to {to}");
            }
        }
        assert_eq!(ProofPlan::consistency(2, 1), None);
    }
}
