//! Whether a caller hears the notice before the answer (flow F2), and what its 183 says of that.

use call::{EarlyNotice, QuestionAt};
use sip::{Header, Request};

use crate::config::early::{Early, Unmarked};

/// The header by which early media is announced and let through (RFC 5009).
const MARK: &str = "P-Early-Media";

/// What is done for one caller before the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How the notice is heard.
    pub notice: EarlyNotice,
    /// Whether the 183 will be acknowledged (100rel): the notice waits for that.
    pub reliable: bool,
    /// What the 183 says of its sound.
    pub mark: Option<Header>,
}

impl Progress {
    /// What a trunk lets be done for this caller; `None` is to be answered first. `offered` says
    /// whether its INVITE holds an offer, and `reliable` whether it acknowledges a 183: one of the two
    /// it takes, because otherwise nothing would say where its ear is.
    #[must_use]
    pub fn of(early: Early, request: &Request, offered: bool, reliable: bool) -> Option<Self> {
        let Early { notice, unmarked } = early;
        let supported = request.message().lists(MARK, "supported");
        let marks = match unmarked {
            Unmarked::Answer if !supported => return None,
            Unmarked::Answer | Unmarked::Plain => supported,
            Unmarked::Marked => true,
        };
        // Backward sound is what we ask for; forward too when keys are to come through.
        let direction = match notice.question {
            QuestionAt::AfterAnswer => "sendonly",
            QuestionAt::BeforeAnswer => "sendrecv",
        };
        let mark = Header::new(MARK, direction).ok().filter(|_| marks);
        (offered || reliable).then_some(Self { notice, reliable, mark })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn progress(question: QuestionAt, unmarked: Unmarked, header: &str) -> Option<Progress> {
        let text = format!(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nCall-ID: c\r\n\
             CSeq: 1 INVITE\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n{header}\r\n"
        );
        let request = Request::read(sip::parse(text.as_bytes()).unwrap()).unwrap();
        let notice = EarlyNotice { question, limit: Duration::from_secs(60) };
        Progress::of(Early { notice, unmarked }, &request, true, false)
    }

    fn marked(progress: Option<Progress>) -> Option<String> {
        let mark = progress.expect("before the answer").mark?;
        Some(String::from_utf8_lossy(mark.value()).into_owned())
    }

    #[test]
    fn a_07_who_supports_the_header_gets_it_and_who_does_not_is_the_trunks_choice() {
        const SAID: &str = "P-Early-Media: supported\r\n";
        let (after, before) = (QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer);
        for unmarked in [Unmarked::Plain, Unmarked::Marked, Unmarked::Answer] {
            assert_eq!(marked(progress(after, unmarked, SAID)).as_deref(), Some("sendonly"));
            assert_eq!(marked(progress(before, unmarked, SAID)).as_deref(), Some("sendrecv"));
        }
        assert_eq!(marked(progress(after, Unmarked::Plain, "")), None);
        assert_eq!(marked(progress(after, Unmarked::Marked, "")).as_deref(), Some("sendonly"));
        assert_eq!(progress(after, Unmarked::Answer, ""), None);
    }

    #[test]
    fn a_caller_without_an_offer_needs_reliable_responses() {
        let text = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
             Call-ID: c\r\nCSeq: 1 INVITE\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\n\r\n";
        let request = Request::read(sip::parse(text.as_bytes()).unwrap()).unwrap();
        let question = QuestionAt::AfterAnswer;
        let notice = EarlyNotice { question, limit: Duration::from_secs(60) };
        let early = Early { notice, unmarked: Unmarked::Plain };
        let of = |offered, reliable| Progress::of(early, &request, offered, reliable).is_some();
        assert_eq!([of(true, true), of(true, false), of(false, true)], [true; 3]);
        assert!(!of(false, false));
    }
}
