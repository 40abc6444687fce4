//! The two requests that copy another one hop by hop: the ACK of a rejection and CANCEL.

use crate::wire::build::Builder;
use crate::wire::header::Header;
use crate::wire::message::Message;
use crate::wire::method::Method;
use crate::wire::request::cseq;

/// The ACK of a 3xx to 6xx response (RFC 3261 §17.1.1.3): the To of the response, all else of the
/// INVITE.
pub(crate) fn ack(invite: &Message, response: &Message) -> Vec<u8> {
    let to = response.first("To").or(invite.first("To"));
    copy(invite, &Method::ACK, to, &[])
}

/// The CANCEL of an INVITE (RFC 3261 §9.1).
pub(crate) fn cancel(invite: &Message, headers: &[Header]) -> Vec<u8> {
    copy(invite, &Method::CANCEL, invite.first("To"), headers)
}

fn copy(invite: &Message, method: &Method, to: Option<&[u8]>, headers: &[Header]) -> Vec<u8> {
    let mut out = Builder::request(method, invite.request_uri());
    out.header(b"Via", invite.first("Via").unwrap_or_default());
    out.header(b"Max-Forwards", b"70");
    for route in invite.all("Route") {
        out.header(b"Route", route);
    }
    out.header(b"From", invite.first("From").unwrap_or_default());
    out.header(b"To", to.unwrap_or_default());
    out.header(b"Call-ID", invite.first("Call-ID").unwrap_or_default());
    let number = cseq(invite).map_or(0, |(number, _)| number);
    let mut value = format!("{number} ").into_bytes();
    value.extend_from_slice(method.name());
    out.header(b"CSeq", &value);
    for header in headers {
        out.header(header.name(), header.value());
    }
    out.finish(None)
}
