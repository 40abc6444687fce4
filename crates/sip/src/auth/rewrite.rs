//! A request that is there already, with a proof put into it.

use super::wallet::Wallet;
use crate::wire::build::{Body, Builder};
use crate::wire::header::{Header, same_name};
use crate::wire::message::Message;
use crate::wire::parse::parse;
use crate::wire::request::top_via;

/// A request of ours with the answers to what its peer has asked before, if it has.
pub(crate) fn authorised(wallet: Option<&mut Wallet>, octets: Vec<u8>) -> Vec<u8> {
    let Some(wallet) = wallet.filter(|wallet| !wallet.is_empty()) else { return octets };
    let Ok(request) = parse(&octets) else { return octets };
    let Some(method) = request.method() else { return octets };
    let answers = wallet.answers(method.name(), request.request_uri());
    rewritten(&request, None, &answers)
}

/// The request with these answers instead of the ones it has; with a branch and a number of its own
/// when it is sent again.
pub(crate) fn rewritten(
    request: &Message,
    anew: Option<(&str, u32)>,
    answers: &[Header],
) -> Vec<u8> {
    let Some(method) = request.method() else { return request.raw().to_vec() };
    let mut out = Builder::request(method, request.request_uri());
    let mut content_type = None;
    let mut first_via = anew.map(|(branch, _)| branch);
    for (name, value) in request.headers() {
        if same_name(name, b"Via")
            && let Some(branch) = first_via.take()
            && let Ok(mut via) = top_via(request)
        {
            via.params.set("branch", Some(branch.as_bytes()));
            out.header(name, &via.to_wire());
        } else if let (true, Some((_, number))) = (same_name(name, b"CSeq"), anew) {
            out.header(name, &[number.to_string().as_bytes(), b" ", method.name()].concat());
        } else if same_name(name, b"Content-Type") {
            content_type = Some(String::from_utf8_lossy(value).into_owned());
        } else if !["Authorization", "Proxy-Authorization", "Content-Length"]
            .iter()
            .any(|left| same_name(name, left.as_bytes()))
        {
            out.header(name, value);
        }
    }
    for answer in answers {
        out.header(answer.name(), answer.value());
    }
    let body = content_type.map(|content_type| Body::new(&content_type, request.body().to_vec()));
    out.finish(body.as_ref())
}
