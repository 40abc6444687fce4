//! The headers of the extensions: RSeq and RAck (RFC 3262).

use super::message::Message;
use crate::sdp::number;

/// What a PRACK acknowledges: the RSeq of the provisional response and the CSeq of the INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rack {
    pub(crate) rseq: u32,
    pub(crate) cseq: u32,
}

impl Rack {
    /// Reads `776656 1 INVITE`; only an INVITE has provisional responses that are acknowledged.
    pub(crate) fn parse(value: &[u8]) -> Option<Rack> {
        let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let (rseq, cseq) = (number(words.next()?)?, number(words.next()?)?);
        (words.next()? == b"INVITE" && words.next().is_none()).then_some(Rack { rseq, cseq })
    }

    pub(crate) fn to_wire(self) -> Vec<u8> {
        format!("{} {} INVITE", self.rseq, self.cseq).into_bytes()
    }
}

/// The RSeq of a provisional response that wants to be acknowledged.
pub(crate) fn rseq(response: &Message) -> Option<u32> {
    let wanted = response.lists("Require", "100rel");
    number(response.first("RSeq")?).filter(|rseq| wanted && *rseq > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse::parse;

    fn response(headers: &str) -> Message {
        parse(format!("SIP/2.0 183 x\r\n{headers}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn an_acknowledgement_is_read_as_it_is_written() {
        let rack = Rack { rseq: 776_656, cseq: 1 };
        assert_eq!(Rack::parse(&rack.to_wire()), Some(rack));
        assert_eq!(Rack::parse(b" 1\t2  INVITE "), Some(Rack { rseq: 1, cseq: 2 }));
        for bad in [&b"1 INVITE"[..], b"1 2 invite", b"1 2 INVITE x", b"-1 2 INVITE", b""] {
            assert_eq!(Rack::parse(bad), None);
        }
    }

    #[test]
    fn a_response_wants_to_be_acknowledged_when_it_says_both() {
        assert_eq!(rseq(&response("Require: timer, 100REL\r\nRSeq: 7\r\n")), Some(7));
        assert_eq!(rseq(&response("RSeq: 7\r\n")), None);
        assert_eq!(rseq(&response("Require: 100rel\r\n")), None);
        assert_eq!(rseq(&response("Require: 100rel\r\nRSeq: 0\r\n")), None);
    }
}
