//! What makes two messages the same transaction (RFC 3261 §17.1.3, §17.2.3) or the same call twice (§8.2.2.2).

use std::sync::Arc;

use crate::wire::method::Method;
use crate::wire::request::Request;

/// The parts of a key in one piece, each behind its length, and in front of them a number made of the
/// first: almost any two keys are told apart by it, without a look at the piece, which is elsewhere in
/// memory. Who makes keys of one number on purpose gains that all octets are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    mark: u64,
    parts: Arc<[u8]>,
}

impl Key {
    fn new(first: &[u8], others: &[&[u8]]) -> Key {
        let octets: usize = others.iter().map(|part| part.len()).sum();
        let mut parts = Vec::with_capacity(first.len() + octets + 8 * (1 + others.len()));
        for part in std::iter::once(&first).chain(others) {
            parts.extend_from_slice(&part.len().to_be_bytes());
            parts.extend_from_slice(part);
        }
        Key { mark: mark(first), parts: parts.into() }
    }
}

/// FNV-1a of 64 bits.
fn mark(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |mark, octet| {
        (mark ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Identifies a client transaction: what a response is matched by (RFC 3261 §17.1.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientKey(Key);

impl ClientKey {
    pub(super) fn new(branch: &[u8], method: &Method) -> ClientKey {
        ClientKey(Key::new(branch, &[method.name()]))
    }

    /// What every key with this branch comes behind, and nothing else before them.
    pub(super) fn first_of(branch: &[u8]) -> ClientKey {
        ClientKey(Key::new(branch, &[]))
    }

    /// Whether this key begins as that one does.
    pub(super) fn is_of(&self, ClientKey(first): &ClientKey) -> bool {
        self.0.mark == first.mark && self.0.parts.starts_with(&first.parts)
    }
}

/// Identifies a server transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServerKey(Key);

impl ServerKey {
    /// The key of a request's own transaction.
    pub(crate) fn own(request: &Request) -> ServerKey {
        ServerKey::with_method(request, request.method())
    }

    /// The key of the INVITE that an ACK or CANCEL belongs to.
    pub(crate) fn of_invite(request: &Request) -> ServerKey {
        ServerKey::with_method(request, &Method::INVITE)
    }

    /// Branch, sent-by and method; of a client of RFC 2543 Call-ID, Request-URI, From tag, CSeq number,
    /// sent-by and top Via, method.
    fn with_method(request: &Request, method: &Method) -> ServerKey {
        let method = method.name();
        ServerKey(match request.via.branch() {
            Some(branch) => Key::new(branch, &[request.via.sent_by().as_bytes(), method]),
            None => {
                let from_tag = request.from().tag().unwrap_or_default();
                let (cseq, via) = (request.cseq().to_be_bytes(), request.via.to_wire());
                let uri = request.message().request_uri();
                Key::new(request.call_id(), &[uri, from_tag, &cseq, &via, method])
            }
        })
    }
}

/// Identifies a request whatever way it came: the same one over two ways is answered 482.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MergeKey(Key);

impl MergeKey {
    /// The key of a request outside a dialog; `None` inside one.
    pub(crate) fn of(request: &Request) -> Option<MergeKey> {
        let outside = request.to().tag().is_none();
        let from_tag = request.from().tag().filter(|_| outside)?;
        let (cseq, method) = (request.cseq().to_be_bytes(), request.method().name());
        Some(MergeKey(Key::new(request.call_id(), &[from_tag, &cseq, method])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_are_cut_elsewhere_make_another_key() {
        let key = |first: &[u8], others: &[&[u8]]| Key::new(first, others);
        assert_eq!(key(b"branch", &[b"ab", b"c"]), key(b"branch", &[b"ab", b"c"]));
        assert_ne!(key(b"branch", &[b"ab", b"c"]), key(b"branch", &[b"a", b"bc"]));
        assert_ne!(key(b"branch", &[b"ab"]), key(b"branch", &[b"ab", b""]));
        assert_ne!(key(b"branch", &[]), key(b"branc", &[b"h"]));
    }

    #[test]
    fn a_branch_is_found_whatever_its_method_and_no_other_is() {
        let first = ClientKey::first_of(b"z9hG4bK1");
        for method in [Method::INVITE, Method::CANCEL, Method::BYE] {
            let key = ClientKey::new(b"z9hG4bK1", &method);
            assert!(first < key && key.is_of(&first));
            assert!(!ClientKey::new(b"z9hG4bK12", &method).is_of(&first));
        }
        // Two that have one number, if there were any: all octets count.
        let mark = first.0.mark;
        let twin = Key { mark, ..Key::new(b"z9hG4bK2", &[b"BYE"]) };
        assert!(!ClientKey(twin).is_of(&first));
    }

    #[test]
    fn the_number_is_that_of_the_published_examples() {
        assert_eq!(mark(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(mark(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(mark(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
