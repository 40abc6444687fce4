//! How the sound of a call was, leg by leg: what was lost, how evenly it came, and how that is heard.

use std::fmt::Write as _;

use call::{Unheard, named};

named!(
    /// How a party's sound is coded.
    Coding {
        /// G.711 A-law.
        Pcma = "pcma",
        /// G.711 µ-law.
        Pcmu = "pcmu",
        /// G.722 at 64 kbit/s.
        G722 = "g722",
        /// Opus.
        Opus = "opus",
    }
);

/// One direction of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// Packets that did not arrive, of ten thousand.
    pub lost_of_10000: u16,
    /// Mean interarrival jitter in microseconds (RFC 3550 §6.4.1).
    pub jitter_us: u32,
    /// The mean opinion score by the E-model (ITU-T G.107) in hundredths: 100 to 450.
    pub mos_hundredths: u16,
}

/// One leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegQuality {
    /// What its sound was last agreed to be.
    pub codec: Option<Coding>,
    /// What the peer sent, as we received it.
    pub received: Option<Score>,
    /// What we sent, as the peer received it by its own report.
    pub sent: Option<Score>,
    /// Round trip to the peer in microseconds.
    pub round_trip_us: Option<u64>,
    /// Why and for how many milliseconds the peer was not heard while the other party was.
    pub unheard: Option<(Unheard, u64)>,
}

/// Both legs of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallQuality {
    /// The customer's.
    pub customer: LegQuality,
    /// The PBX's.
    pub agent: LegQuality,
}

impl CallQuality {
    /// As it is stored: a line for each thing that is known, `customer received 12 900 437`.
    pub(crate) fn write(&self) -> String {
        let mut text = String::new();
        let mut line = |leg: &str, what: &str, values: &[u64]| {
            let _infallible = write!(text, "{leg} {what}");
            for value in values {
                let _infallible = write!(text, " {value}");
            }
            text.push('\n');
        };
        for (name, leg) in [("customer", &self.customer), ("agent", &self.agent)] {
            if let Some(codec) = leg.codec {
                line(name, codec.as_str(), &[]);
            }
            for (way, score) in [("received", leg.received), ("sent", leg.sent)] {
                if let Some(Score { lost_of_10000, jitter_us, mos_hundredths }) = score {
                    let values = [lost_of_10000.into(), jitter_us.into(), mos_hundredths.into()];
                    line(name, way, &values);
                }
            }
            if let Some(trip) = leg.round_trip_us {
                line(name, "round-trip", &[trip]);
            }
            if let Some((why, millis)) = leg.unheard {
                line(name, why.as_str(), &[millis]);
            }
        }
        text
    }

    /// Reads what [`CallQuality::write`] wrote; `None` when a line of it is damaged.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut quality = Self::default();
        for line in text.lines() {
            let mut words = line.split(' ');
            let leg = match words.next()? {
                "customer" => &mut quality.customer,
                "agent" => &mut quality.agent,
                _ => return None,
            };
            let what = words.next()?;
            let values: Vec<u64> = words.map(|word| word.parse().ok()).collect::<Option<_>>()?;
            leg.take(what, &values)?;
        }
        Some(quality)
    }
}

impl LegQuality {
    fn take(&mut self, what: &str, values: &[u64]) -> Option<()> {
        match (what, values) {
            ("received", values) => self.received = Some(Score::read(values)?),
            ("sent", values) => self.sent = Some(Score::read(values)?),
            ("round-trip", [trip]) => self.round_trip_us = Some(*trip),
            (codec, []) => self.codec = Some(Coding::from_name(codec)?),
            (why, [millis]) => self.unheard = Some((Unheard::from_name(why)?, *millis)),
            _ => return None,
        }
        Some(())
    }
}

impl Score {
    fn read(values: &[u64]) -> Option<Self> {
        let [lost, jitter, mos] = values else { return None };
        Some(Self {
            lost_of_10000: (*lost).try_into().ok()?,
            jitter_us: (*jitter).try_into().ok()?,
            mos_hundredths: (*mos).try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORE: Score = Score { lost_of_10000: 12, jitter_us: 900, mos_hundredths: 437 };

    #[test]
    fn what_is_known_of_a_call_reads_back_and_what_is_not_stays_unknown() {
        let customer = LegQuality {
            codec: Some(Coding::G722),
            received: Some(SCORE),
            sent: Some(Score { mos_hundredths: 101, ..SCORE }),
            round_trip_us: Some(31_000),
            unheard: Some((Unheard::Elsewhere, 12_020)),
        };
        let agent = LegQuality { received: Some(SCORE), ..LegQuality::default() };
        for quality in [
            CallQuality { customer, agent },
            CallQuality { customer: agent, agent: customer },
            CallQuality::default(),
        ] {
            assert_eq!(CallQuality::read(&quality.write()), Some(quality));
        }
        assert_eq!(
            CallQuality { customer, agent }.write(),
            "customer g722\ncustomer received 12 900 437\ncustomer sent 12 900 101\ncustomer round-trip 31000\n\
             customer elsewhere 12020\nagent received 12 900 437\n"
        );
    }

    #[test]
    fn damaged_lines_are_not_read() {
        for damaged in [
            "customer",
            "nobody received 1 2 3",
            "agent silk",
            "agent received 1 2",
            "agent received 99999 2 3",
            "agent sent x 2 3",
            "agent lost 3",
            "agent round-trip",
            "agent silent 3 4",
        ] {
            assert_eq!(CallQuality::read(damaged), None, "{damaged}");
        }
    }
}
