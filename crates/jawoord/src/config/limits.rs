//! Judges `[limits]` and `[drain]`: how many calls a node takes, and how it is emptied.

use std::time::Duration;

use sip::Uri;

use super::{
    media,
    problem::Problem,
    schema::File,
    written::{Draining, Limiting},
};
use crate::gate::{
    bucket::Rate,
    limits::{Answer, Limits},
};

impl Limiting {
    /// The limits of a node whose media ports allow so many calls.
    #[must_use]
    pub fn limits(&self, room: usize) -> Limits {
        let rate = |per_s: u32| Rate { per_s, burst: per_s.saturating_mul(2) };
        let calls = match self.calls {
            0 => room.saturating_sub(self.emergency_reserve).max(1),
            calls => calls,
        };
        Limits {
            calls,
            reserve: self.emergency_reserve,
            source_calls: self.source_calls,
            half_open: self.source_half_open,
            known: rate(self.source_per_s),
            all: (self.calls_per_s > 0).then(|| rate(self.calls_per_s)),
            unknown: rate(self.stranger_per_s),
            answer_unknown: self.strangers == "403" && self.stranger_per_s > 0,
            answer: match self.answer.as_str() {
                "drop" => Answer::Nothing,
                "500" => Answer::Status(500),
                _ => Answer::Status(503),
            },
            retry_after_s: (self.retry_after_min_s, self.retry_after_max_s),
        }
    }
}

/// How many calls the media ports allow: each takes two pairs.
#[must_use]
pub fn room(media: &media::Written) -> usize {
    let size = |min: u16, max: u16| usize::from(max.saturating_sub(min).saturating_add(1)) / 4;
    let others = media.range.iter().map(|range| size(range.port_min, range.port_max));
    others.fold(size(media.port_min, media.port_max), usize::min)
}

/// Judges `[limits]`.
#[must_use]
pub fn limits(file: &File, problems: &mut Vec<Problem>) -> Limits {
    let (written, room) = (&file.limits, room(&file.media));
    let mut bad = |key, value: &dyn std::fmt::Display, mend| {
        problems.push(Problem::value("limits", key, value, mend));
    };
    if written.emergency_reserve == 0 || written.emergency_reserve >= room.max(2) {
        let mend = "keep at least 1, and fewer than the media ports allow calls (four ports each)";
        bad("emergency_reserve", &written.emergency_reserve, mend);
    } else if written.calls.saturating_add(written.emergency_reserve) > room {
        let mend = "the media ports do not allow so many and the reserve; widen `media.port_max`";
        bad("calls", &written.calls, mend);
    }
    if !matches!(written.answer.as_str(), "503" | "500" | "drop") {
        bad("answer", &written.answer, "use \"503\", \"500\" or \"drop\"");
    }
    if !matches!(written.strangers.as_str(), "403" | "drop") {
        bad("strangers", &written.strangers, "use \"403\" or \"drop\"");
    }
    if written.source_per_s == 0 {
        bad("source_per_s", &written.source_per_s, "use at least 1 a second");
    }
    if written.retry_after_max_s < written.retry_after_min_s.max(1)
        || written.retry_after_max_s > 60
    {
        let mend = "use 1 to 60, not less than `retry_after_min_s`: who is told to wait long goes \
                    elsewhere for good";
        bad("retry_after_max_s", &written.retry_after_max_s, mend);
    }
    written.limits(room)
}

/// How the node is emptied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drain {
    /// The Contact of a 302.
    pub partner: Option<Box<str>>,
    /// How long calls may go on after the first SIGTERM.
    pub limit: Duration,
}

/// Judges `[drain]`.
#[must_use]
pub fn drain(file: &File, problems: &mut Vec<Problem>) -> Drain {
    let Draining { partner, limit_s } = &file.drain;
    let read = |text: &String| match Uri::parse(text.as_bytes()) {
        Ok(Uri::Sip(uri)) => Ok(format!("<{}>", Uri::Sip(uri).to_request_uri()).into()),
        Ok(Uri::Tel(_) | Uri::Other(_)) | Err(_) => Err(text.clone()),
    };
    let partner = match partner.as_ref().map(read).transpose() {
        Ok(partner) => partner,
        Err(text) => {
            let mend = "use the address of the other node, such as \"sip:192.0.2.8:5060\"";
            problems.push(Problem::value("drain", "partner", text, mend));
            None
        }
    };
    Drain { partner, limit: Duration::from_secs(u64::from(*limit_s)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Problems;

    fn judged(text: &str) -> (Limits, Drain, String) {
        let file = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        let (limits, drain) = (limits(&file, &mut problems), drain(&file, &mut problems));
        (limits, drain, Problems(&problems).to_string())
    }

    #[test]
    fn e_04_emergencies_keep_ports_that_nobody_else_may_use() {
        let (limits, _, problems) = judged("[media]\nport_min = 20000\nport_max = 20039\n");
        assert_eq!((limits.calls, limits.reserve, problems.as_str()), (6, 4, ""));
        let (_, _, problems) =
            judged("[media]\nport_min = 20000\nport_max = 20039\n[limits]\ncalls = 7\n");
        assert!(problems.contains("limits: `calls` is \"7\""), "{problems}");
        let (_, _, problems) = judged("[limits]\nemergency_reserve = 0\n");
        assert!(problems.contains("`emergency_reserve`"), "{problems}");
    }

    #[test]
    fn o_01_what_cannot_be_said_is_refused_by_name() {
        for (line, key) in [
            ("answer = \"404\"", "answer"),
            ("strangers = \"401\"", "strangers"),
            ("source_per_s = 0", "source_per_s"),
            ("retry_after_max_s = 600", "retry_after_max_s"),
        ] {
            let (_, _, problems) = judged(&format!("[limits]\n{line}\n"));
            assert!(problems.contains(&format!("limits: `{key}`")), "{problems}");
        }
    }

    #[test]
    fn o_03_a_partner_is_an_address() {
        let (_, drain, problems) = judged("[drain]\npartner = \"sip:192.0.2.8?X=1\"\n");
        assert_eq!((drain.partner.as_deref(), problems.as_str()), (Some("<sip:192.0.2.8>"), ""));
        let (_, _, problems) = judged("[drain]\npartner = \"box2\"\n");
        assert!(problems.contains("drain: `partner` is \"box2\""), "{problems}");
    }
}
