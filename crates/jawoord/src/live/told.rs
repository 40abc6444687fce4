//! A trial call in words: how it was answered, what was heard, what arrived, how keys travel.

use std::time::Duration;

use serde_json::json;
use sip::{CommandError, Negotiated, Refusal};

use super::{
    ear::{Heard, TONE_HZ},
    finding::{Finding, Grade},
    talk::Reported,
};
use crate::config::media::Range;

/// More loss or jitter than this is heard.
const LOSS_PERCENT: u64 = 1;
const JITTER_MS: u32 = 30;

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Whoever places calls was gone.
    #[default]
    Broken,
    /// It did not leave.
    Unsent(CommandError),
    /// The far end sent no response at all.
    Unheard,
    /// It said this status.
    Rejected(u16),
    /// Nobody answered in time.
    Unanswered,
    /// The answer has nothing to talk in.
    Disagreed(Refusal),
    /// It was answered.
    Talked,
}

/// The course of a call.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// How it ended.
    pub outcome: Outcome,
    /// After how long the far end said that it was on its way, more than 100.
    pub rang: Option<Duration>,
    /// Whether sound was offered before the answer.
    pub early: bool,
    /// After how long it was answered.
    pub answered: Option<Duration>,
    /// What was agreed on.
    pub agreed: Option<Negotiated>,
    /// Which target it was at in the end.
    pub target: String,
    /// Whether the far end takes INFO.
    pub info: bool,
    /// When the far end hung up, if it did.
    pub left: Option<Duration>,
    /// What was heard.
    pub heard: Heard,
    /// What the far end said of our sound.
    pub reported: Option<Reported>,
    /// Packets sent, and whether a key was among them.
    pub sent: (u32, bool),
}

impl Course {
    /// All that is to be said of it. `range` is where its sound came in.
    #[must_use]
    pub fn findings(&self, place: &str, range: &Range) -> Vec<Finding> {
        let mut findings = vec![self.placed(self.signalling(place))];
        if self.outcome == Outcome::Talked
            && let Some(agreed) = &self.agreed
        {
            findings.push(format(place, agreed, self.heard.ptime_ms));
            findings.push(heard(place, &self.heard, agreed, range));
            findings.push(self.arrived(place));
            findings.push(self.keys(place, agreed));
        }
        findings
    }

    /// Says at which target, for programs and in words.
    fn placed(&self, mut finding: Finding) -> Finding {
        if self.target.is_empty() {
            return finding;
        }
        let mut facts = std::mem::take(&mut finding.facts);
        if !facts.is_object() {
            facts = json!({});
        }
        facts["target"] = json!(self.target);
        finding.with(facts)
    }

    fn signalling(&self, place: &str) -> Finding {
        let fail = |found: String, mend: &str| Finding::fail(place, found, mend);
        let trunk = "look at what is said of the trunk's targets";
        match self.outcome {
            Outcome::Talked => self.talked(place),
            Outcome::Broken => fail("the call broke off".to_owned(), trunk),
            Outcome::Unsent(error) => fail(format!("it does not leave ({error})"), trunk),
            Outcome::Unheard => fail("the trunk does not respond".to_owned(), trunk),
            Outcome::Unanswered => {
                let mend = "call somebody who answers; what is heard is told after that only";
                let found = "nobody answered in time, and the call was taken back".to_owned();
                Finding::warn(place, found, mend)
            }
            Outcome::Disagreed(refusal) => {
                let mend = "have the trunk offer G.711 (PCMA or PCMU) in RTP/AVP";
                fail(format!("the answer cannot be talked in ({refusal})"), mend)
            }
            Outcome::Rejected(status) => {
                let (grade, mend) = rejection(status);
                Finding { grade, ..fail(format!("the trunk says {status}"), mend) }
                    .with(json!({ "status": status }))
            }
        }
    }

    fn talked(&self, place: &str) -> Finding {
        let seconds = |after: Duration| f64::from(after.as_millis() as u32) / 1_000.0;
        let answered = self.answered.map_or(0.0, seconds);
        let rang = self.rang.map(seconds);
        let mut found = rang.map_or_else(String::new, |rang| format!("it rings after {rang} s"));
        if self.early {
            found.push_str(" with sound before the answer");
        }
        if !found.is_empty() {
            found.push_str(" and ");
        }
        found.push_str(&format!("is answered after {answered} s"));
        let facts = json!({ "rang_s": rang, "early": self.early, "answered_s": answered });
        let finding = match self.left {
            Some(left) => {
                let found = format!("{found}; the far end hangs up after {} s", seconds(left));
                Finding::warn(place, found, "try it again with somebody who stays")
            }
            None => Finding::ok(place, found),
        };
        finding.with(facts)
    }

    /// Whether our sound arrived.
    fn arrived(&self, place: &str) -> Finding {
        let place = format!("{place}, sound to it");
        let (packets, _) = self.sent;
        let facts = json!({
            "packets": packets,
            "reported": self.reported.is_some(),
            "lost_percent": self.reported.map(|reported| reported.lost_percent),
            "jitter_ms": self.reported.map(|reported| reported.jitter_ms),
            "round_trip_ms": self.reported.and_then(|reported| reported.trip_ms),
            "echo": self.heard.echo,
        });
        let finding = match self.reported {
            Some(Reported { lost_percent, jitter_ms, trip_ms }) => {
                let trip = trip_ms.map_or_else(String::new, |ms| format!(", round trip {ms} ms"));
                let found = format!(
                    "{packets} packets; it reports {lost_percent} % lost, jitter {jitter_ms} ms{trip}"
                );
                if u64::from(lost_percent) > LOSS_PERCENT || jitter_ms > JITTER_MS {
                    Finding::warn(place, found, "look at the network on the way out")
                } else {
                    Finding::ok(place, found)
                }
            }
            None if self.heard.echo => {
                Finding::ok(place, format!("{packets} packets; our tone comes back"))
            }
            None => {
                let found = format!("{packets} packets; the far end sends no report of them");
                let mend = format!(
                    "ask who answered whether a tone of {TONE_HZ} Hz was heard, or call an echo"
                );
                Finding::warn(place, found, mend)
            }
        };
        finding.with(facts)
    }

    /// How keys travel. The node hears events only.
    fn keys(&self, place: &str, agreed: &Negotiated) -> Finding {
        let place = format!("{place}, keys");
        let facts = json!({
            "telephone_event": agreed.send_event,
            "info": self.info,
            "pressed": self.sent.1,
            "events_heard": self.heard.events,
        });
        let mend = "ask the carrier for telephone-event (RFC 4733): with nothing else can a caller \
                    answer the question";
        let finding = match agreed.send_event {
            Some(payload) => {
                let pressed = if self.sent.1 { "; one was pressed" } else { "" };
                let found = format!("telephone events, payload type {payload}{pressed}");
                Finding::ok(place, found)
            }
            None if self.info => {
                Finding::warn(place, "no telephone events; INFO may be taken", mend)
            }
            None => Finding::warn(place, "in the sound only", mend),
        };
        finding.with(facts)
    }
}

/// What a refusal says of the trunk, and what mends it. One that comes from a person is none of it.
const fn rejection(status: u16) -> (Grade, &'static str) {
    match status {
        300..=399 => (
            Grade::Warn,
            "it wants the call elsewhere than at its targets, and no call follows there",
        ),
        401 | 407 => (Grade::Fail, "it wants a proof; check [trunk.digest]: user, realm, secret"),
        403 => {
            (Grade::Fail, "check that it knows our address, and the number that calls (`--from`)")
        }
        404 | 410 | 484 | 604 => {
            (Grade::Fail, "check the number, and how it is written there ([[trunk.rewrite]])")
        }
        480 | 486 | 487 | 600 | 603 => {
            (Grade::Warn, "the way there works; call somebody who answers")
        }
        415 | 488 | 606 => {
            (Grade::Fail, "it takes no G.711 (PCMA, PCMU) in RTP/AVP; have it do so")
        }
        500..=599 => (Grade::Fail, "it cannot take calls now; ask the carrier"),
        _ => (Grade::Fail, "ask the carrier"),
    }
}

fn format(place: &str, agreed: &Negotiated, ptime_ms: u16) -> Finding {
    let place = format!("{place}, format");
    let codec = agreed.codec.name();
    let facts = json!({
        "codec": codec,
        "ptime_ms": ptime_ms,
        "wanted_ptime_ms": agreed.ptime_ms,
        "direction": agreed.direction.name(),
    });
    let found = match ptime_ms {
        0 => format!("{codec}, {} ms wanted", agreed.ptime_ms),
        ms => format!("{codec}, {ms} ms a packet, {} ms wanted", agreed.ptime_ms),
    };
    let both = agreed.direction.sends() && agreed.direction.receives();
    let finding = if !both || agreed.remote_rtp.is_none() {
        let found = format!("{found}, and not both ways: {} here", agreed.direction.name());
        Finding::warn(place, found, "call somebody who talks both ways")
    } else {
        Finding::ok(place, found)
    };
    finding.with(facts)
}

fn heard(place: &str, heard: &Heard, agreed: &Negotiated, range: &Range) -> Finding {
    let place = format!("{place}, sound from it");
    let Heard { packets, foreign, other, lost, jitter_ms, level_dbov, .. } = *heard;
    let facts = json!({
        "packets": packets,
        "from_elsewhere": foreign,
        "other_format": other,
        "lost": lost,
        "jitter_ms": jitter_ms,
        "level_dbov": level_dbov.map(|level| (level * 10.0).round() / 10.0),
        "announced_address": foreign == 0 && packets > 0,
    });
    let percent = lost * 100 / (packets + lost).max(1);
    let elsewhere = "have it send from the address of its description: the node takes sound from \
                     there only";
    let level = level_dbov.map_or("silence".to_owned(), |level| format!("{level:.0} dBov"));
    let found = format!("{packets} packets, {percent} % lost, jitter {jitter_ms} ms, {level}");
    let finding = if packets == 0 && foreign > 0 {
        let found = format!("{foreign} packets, all from another address than is announced");
        Finding::fail(place, found, elsewhere)
    } else if packets == 0 && other > 0 {
        let found = format!("{other} packets, all in another format than was agreed on");
        Finding::fail(place, found, format!("have it send {}", agreed.codec.name()))
    } else if packets == 0 {
        let (first, last) = range.ports;
        let mend = format!(
            "let UDP {first}-{last} through to this machine, and check that the far end reaches \
             {} (`advertised_address`)",
            range.advertised
        );
        Finding::fail(place, "no packet came", mend)
    } else if foreign > 0 {
        Finding::warn(place, format!("{found}; {foreign} from another address"), elsewhere)
    } else if level_dbov.is_none() {
        let mend = "ask who answered to speak, or call an announcement";
        Finding::warn(place, format!("{found}: nothing else was heard"), mend)
    } else if percent > LOSS_PERCENT || jitter_ms > JITTER_MS {
        Finding::warn(place, found, "look at the network on the way in")
    } else {
        Finding::ok(place, format!("{found}, from the announced address"))
    };
    finding.with(facts)
}

#[cfg(test)]
mod tests {
    use sip::{Codec, Direction};

    use super::*;

    fn agreed() -> Negotiated {
        Negotiated {
            codec: Codec::Pcma,
            send_payload: 8,
            receive_payload: 8,
            send_event: Some(101),
            receive_event: Some(101),
            event_hz: 8_000,
            opus: None,
            plain: true,
            noise: None,
            remote_rtp: Some("192.0.2.9:4000".parse().unwrap()),
            remote_rtcp: None,
            direction: Direction::SendRecv,
            stated: Direction::SendRecv,
            ptime_ms: 20,
            rtcp_mux: false,
            secured: None,
        }
    }

    fn good() -> Course {
        Course {
            outcome: Outcome::Talked,
            rang: Some(Duration::from_millis(200)),
            answered: Some(Duration::from_millis(1_500)),
            agreed: Some(agreed()),
            heard: Heard {
                packets: 400,
                ptime_ms: 20,
                level_dbov: Some(-18.0),
                ..Heard::default()
            },
            reported: Some(Reported { lost_percent: 0, jitter_ms: 1, trip_ms: Some(12) }),
            sent: (400, true),
            ..Course::default()
        }
    }

    fn range() -> Range {
        let address = "192.0.2.1".parse().unwrap();
        Range { name: None, bind: address, advertised: address, ports: (20_000, 20_999) }
    }

    fn graded(course: &Course) -> Vec<Grade> {
        course.findings("call", &range()).iter().map(|finding| finding.grade).collect()
    }

    #[test]
    fn a_call_with_sound_both_ways_and_keys_is_good_in_every_line() {
        assert_eq!(graded(&good()), [Grade::Ok; 5]);
        let findings = good().findings("call", &range());
        assert_eq!(findings[0].found, "it rings after 0.2 s and is answered after 1.5 s");
        assert_eq!(findings[3].facts["round_trip_ms"], 12);
    }

    #[test]
    fn what_is_not_heard_is_told_by_its_reason() {
        let told = |heard: Heard| {
            let findings = Course { heard, ..good() }.findings("call", &range());
            (
                findings[2].grade,
                findings[2].found.clone() + findings[2].mend.as_deref().unwrap_or(""),
            )
        };
        let (grade, said) = told(Heard::default());
        assert!(grade == Grade::Fail && said.contains("20000-20999"), "{said}");
        let (grade, said) = told(Heard { foreign: 9, ..Heard::default() });
        assert!(grade == Grade::Fail && said.contains("all from another address"), "{said}");
        let (grade, said) = told(Heard { other: 9, ..Heard::default() });
        assert!(grade == Grade::Fail && said.contains("have it send PCMA"), "{said}");
        let (grade, said) = told(Heard { packets: 9, ..Heard::default() });
        assert!(grade == Grade::Warn && said.contains("silence"), "{said}");
        let lossy = Heard { packets: 90, lost: 10, level_dbov: Some(-20.0), ..Heard::default() };
        let (grade, said) = told(lossy);
        assert!(grade == Grade::Warn && said.contains("10 % lost"), "{said}");
    }

    #[test]
    fn sound_that_nobody_reports_is_known_by_its_echo_or_not_at_all() {
        let unreported = Course { reported: None, ..good() };
        assert_eq!(graded(&unreported)[3], Grade::Warn);
        let heard = Heard { echo: true, ..good().heard };
        assert_eq!(graded(&Course { heard, ..unreported })[3], Grade::Ok);
        let reported = Some(Reported { lost_percent: 40, ..Reported::default() });
        assert_eq!(graded(&Course { reported, ..good() })[3], Grade::Warn);
    }

    #[test]
    fn keys_that_the_node_cannot_hear_are_warned_of() {
        let silent = Negotiated { send_event: None, receive_event: None, ..agreed() };
        let without = Course { agreed: Some(silent), ..good() };
        let keys = |course: &Course| course.findings("call", &range())[4].clone();
        assert_eq!(keys(&without).found, "in the sound only");
        let info = keys(&Course { info: true, ..without });
        assert_eq!((info.grade, info.facts["info"].as_bool()), (Grade::Warn, Some(true)));
    }

    #[test]
    fn a_refusal_names_what_mends_it_and_a_busy_person_is_no_fault() {
        let of = |status| {
            let course = Course { outcome: Outcome::Rejected(status), ..Course::default() };
            let findings = course.findings("call", &range());
            assert_eq!(findings.len(), 1);
            (findings[0].grade, findings[0].mend.clone().unwrap())
        };
        assert_eq!(of(486).0, Grade::Warn);
        assert!(of(407).1.contains("[trunk.digest]"));
        assert!(of(404).1.contains("[[trunk.rewrite]]"));
        assert_eq!((of(503).0, of(403).0, of(699).0), (Grade::Fail, Grade::Fail, Grade::Fail));
        let held = Negotiated { direction: Direction::RecvOnly, ..agreed() };
        assert_eq!(graded(&Course { agreed: Some(held), ..good() })[1], Grade::Warn);
    }
}
