//! What makes two requests the same transaction (RFC 3261 §17.2.3) or the same call twice (§8.2.2.2).

use crate::wire::method::Method;
use crate::wire::request::Request;

/// Identifies a server transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ServerKey {
    /// Branch, sent-by and method; CANCEL and ACK look for the INVITE.
    Branch(Vec<u8>, String, Vec<u8>),
    /// A client of RFC 2543: Request-URI, From tag, Call-ID, CSeq number, sent-by and top Via, method.
    Old(Box<OldKey>),
}

/// The parts that identify a transaction without a branch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OldKey {
    uri: Vec<u8>,
    from_tag: Vec<u8>,
    call_id: Vec<u8>,
    cseq: u32,
    via: Vec<u8>,
    method: Vec<u8>,
}

impl ServerKey {
    /// The key of a request's own transaction.
    pub(crate) fn own(request: &Request) -> ServerKey {
        ServerKey::with_method(request, request.method())
    }

    /// The key of the INVITE that an ACK or CANCEL belongs to.
    pub(crate) fn of_invite(request: &Request) -> ServerKey {
        ServerKey::with_method(request, &Method::INVITE)
    }

    fn with_method(request: &Request, method: &Method) -> ServerKey {
        let method = method.name().to_vec();
        match request.via.branch() {
            Some(branch) => ServerKey::Branch(branch.to_vec(), request.via.sent_by(), method),
            None => ServerKey::Old(Box::new(OldKey {
                uri: request.message().request_uri().to_vec(),
                from_tag: request.from().tag().unwrap_or_default().to_vec(),
                call_id: request.call_id().to_vec(),
                cseq: request.cseq(),
                via: request.via.to_wire(),
                method,
            })),
        }
    }
}

/// Identifies a request whatever way it came: the same one over two ways is answered 482.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MergeKey {
    from_tag: Vec<u8>,
    call_id: Vec<u8>,
    cseq: u32,
    method: Vec<u8>,
}

impl MergeKey {
    /// The key of a request outside a dialog; `None` inside one.
    pub(crate) fn of(request: &Request) -> Option<MergeKey> {
        let outside = request.to().tag().is_none();
        let from_tag = request.from().tag().filter(|_| outside)?;
        Some(MergeKey {
            from_tag: from_tag.to_vec(),
            call_id: request.call_id().to_vec(),
            cseq: request.cseq(),
            method: request.method().name().to_vec(),
        })
    }
}
