//! How speech sounds after its way: the narrow-band E-model of ITU-T G.107 (06/2015) at its default values.
//!
//! `R = Ro − Is − Id − Ie,eff + A`, and of it the mean opinion score of Annex B: 4.41 when nothing is
//! lost and nothing is late. What we know of a way is its codec, its loss and its delay; everything else
//! (loudness, noise, echo of the telephones, no advantage) has the value of Table 2.
//!
//! The codecs' values are those of ITU-T G.113 Appendix I: G.711 has an impairment of 0 and, concealed as
//! in its Appendix I, a robustness against random loss of 25.1; without concealment, which no telephone of
//! today is, it would be 4.3. G.113 rates G.722 on the wide-band scale only. On this scale, which knows
//! nothing better than G.711, it is rated like G.711.

use crate::codec::Codec;

/// Loudness of what is sent and received, in decibel (SLR, RLR).
const SEND_LOUDNESS: f64 = 8.0;
const RECEIVE_LOUDNESS: f64 = 2.0;
const LOUDNESS: f64 = SEND_LOUDNESS + RECEIVE_LOUDNESS;
/// How much of one's own voice is heard (STMR), and the same for the room (LSTR = STMR + Dr).
const SIDE_TONE: f64 = 15.0;
const LISTENER_SIDE_TONE: f64 = SIDE_TONE + 3.0;
/// What the talker's handset keeps away of the room (Ds).
const SEND_HANDSET: f64 = 3.0;
/// Noise of both rooms in dB(A) (Ps, Pr), of the circuit and of the receiver's floor (Nc, Nfor).
const ROOM_NOISE: f64 = 35.0;
const CIRCUIT_NOISE: f64 = -70.0;
const FLOOR_NOISE: f64 = -64.0;
/// How far the talker's and the listener's echo are down (TELR, WEPL).
const TALKER_ECHO: f64 = 65.0;
const LISTENER_ECHO: f64 = 110.0;
/// One conversion between analogue and digital (qdu of 1): `Q = 37 − 15 log qdu`.
const QUANTISING: f64 = 37.0;
/// Delays up to here are not noticed as such, in milliseconds (mT).
const NOTICED_MS: f64 = 100.0;

/// The way of speech in one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// How it is coded.
    pub codec: Codec,
    /// The share of packets that is lost: 0 to 1 (Ppl).
    pub loss: f64,
    /// How much longer the losses are than by chance: 1 or more (BurstR).
    pub burst: f64,
    /// From mouth to ear, in milliseconds (T, Ta; Tr is twice that).
    pub delay_ms: f64,
}

/// Equipment impairment and robustness against loss of a codec (Ie, Bpl).
const fn codec_values(codec: Codec) -> (f64, f64) {
    match codec {
        // G.113 has none of Opus; it conceals losses at least as well.
        Codec::Pcma | Codec::Pcmu | Codec::G722 | Codec::Opus => (0.0, 25.1),
    }
}

fn decibel(power: f64) -> f64 {
    10.0 * power.log10()
}

fn power(decibel: f64) -> f64 {
    10_f64.powf(decibel / 10.0)
}

/// `(1 + x^n)^(1/n)`, the soft bend of which the model is made.
fn bend(x: f64, n: f64) -> f64 {
    (1.0 + x.powf(n)).powf(n.recip())
}

/// Half a difference and the root of its square with some room: a soft maximum of 0.
fn soft(difference: f64, room: f64) -> f64 {
    difference / 2.0 + (difference * difference / 4.0 + room).sqrt()
}

impl Way {
    /// The transmission rating factor R: 93.2 at best, below 50 nobody would want to talk.
    #[must_use]
    pub fn rating(&self) -> f64 {
        let noise = noise();
        let basic = 15.0 - 1.5 * (SEND_LOUDNESS + noise);
        basic - self.simultaneous(noise, basic) - self.delayed(noise, basic) - self.lossy()
    }

    /// The mean opinion score: 1 (bad) to 4.41.
    #[must_use]
    pub fn opinion(&self) -> f64 {
        opinion(self.rating())
    }

    /// What comes with the voice (Is): loudness, side tone, quantising.
    fn simultaneous(&self, noise: f64, basic: f64) -> f64 {
        let excess = (LOUDNESS + 0.2 * (64.0 + noise - RECEIVE_LOUDNESS)) / 8.0;
        let loud = 20.0 * (bend(excess, 8.0) - excess);
        let echo = (-self.delay_ms / 4.0).exp() * power(-TALKER_ECHO);
        let tone = -decibel(power(-SIDE_TONE) + echo);
        let side = 12.0 * bend((tone - 13.0) / 6.0, 8.0)
            - 28.0 * bend((tone + 1.0) / 19.4, 35.0)
            - 13.0 * bend((tone - 3.0) / 33.0, 13.0)
            + 29.0;
        let distance = 1.07 + 0.258 * QUANTISING + 0.0602 * QUANTISING * QUANTISING;
        let coarse = (basic - 100.0) / 15.0 + 46.0 / 8.4 - distance / 9.0;
        let fine = 46.0 / 30.0 - distance / 40.0;
        let quantised = 1.5 * decibel(1.0 + 10_f64.powf(coarse) + 10_f64.powf(fine));
        loud + side + quantised
    }

    /// What comes late (Id): the talker's echo, the listener's, and too long a delay by itself.
    fn delayed(&self, noise: f64, basic: f64) -> f64 {
        let ms = self.delay_ms;
        let distance = ((1.0 + ms / 10.0) / (1.0 + ms / 150.0)).log10();
        let echo = TALKER_ECHO - 40.0 * distance + 6.0 * (-0.3 * ms * ms).exp();
        let quiet = -1.5 * (noise - RECEIVE_LOUDNESS);
        let talker = 80.0 + 2.5 * (echo - 14.0);
        let of_talker = (soft(quiet - talker, 100.0) - 1.0) * (1.0 - (-ms).exp());
        let listener = 10.5 * (LISTENER_ECHO + 7.0) * (2.0 * ms + 1.0).powf(-0.25);
        let of_listener = soft(basic - listener, 169.0);
        let doublings = (ms / NOTICED_MS).max(1.0).log2();
        let long = 25.0 * (bend(doublings, 6.0) - 3.0 * bend(doublings / 3.0, 6.0) + 2.0);
        of_talker + of_listener + long
    }

    /// What the codec and the lost packets cost (Ie,eff).
    fn lossy(&self) -> f64 {
        let (impairment, robustness) = codec_values(self.codec);
        let per_cent = self.loss.clamp(0.0, 1.0) * 100.0;
        let burst = self.burst.max(1.0);
        impairment + (95.0 - impairment) * per_cent / (per_cent / burst + robustness)
    }
}

/// The sum of all noise at the listener (No), in dBm0p.
fn noise() -> f64 {
    let sent = ROOM_NOISE - SEND_LOUDNESS - SEND_HANDSET - 100.0
        + 0.004 * (ROOM_NOISE - LOUDNESS - SEND_HANDSET - 14.0).powi(2);
    let room = ROOM_NOISE + decibel(1.0 + power(10.0 - LISTENER_SIDE_TONE));
    let received = RECEIVE_LOUDNESS - 121.0 + room + 0.008 * (room - 35.0).powi(2);
    let floor = FLOOR_NOISE + RECEIVE_LOUDNESS;
    decibel([CIRCUIT_NOISE, sent, received, floor].map(power).iter().sum())
}

/// The mean opinion score of a rating (G.107 Annex B).
fn opinion(rating: f64) -> f64 {
    let r = rating.clamp(0.0, 100.0);
    // The curve dips below 1 for the worst of ratings (its foot lies at 6.5).
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEST: Way = Way { codec: Codec::Pcma, loss: 0.0, burst: 1.0, delay_ms: 0.0 };

    fn near(found: f64, wanted: f64, by: f64) {
        assert!((found - wanted).abs() <= by, "{found}, not {wanted}");
    }

    #[test]
    fn the_default_values_give_the_rating_and_the_score_of_the_recommendation() {
        near(BEST.rating(), 93.2, 0.05);
        near(BEST.opinion(), 4.41, 0.005);
    }

    #[test]
    fn a_rating_has_the_score_of_annex_b() {
        // Table B.1 of G.107, and both ends of the curve.
        for (rating, score) in
            [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)]
        {
            near(opinion(rating), score, 0.01);
        }
        for (rating, score) in [(-3.0, 1.0), (0.0, 1.0), (3.0, 1.0), (100.0, 4.5), (120.0, 4.5)] {
            near(opinion(rating), score, 1e-9);
        }
    }

    #[test]
    fn loss_takes_from_the_rating_what_g_113_says_of_the_codec() {
        // Ie,eff of G.711 with concealment: 95 Ppl / (Ppl + 25.1).
        for (per_cent, impairment, score) in
            [(1.0, 3.64, 4.33), (2.0, 7.01, 4.24), (5.0, 15.78, 3.92), (10.0, 27.07, 3.41)]
        {
            let way = Way { loss: per_cent / 100.0, ..BEST };
            near(BEST.rating() - way.rating(), impairment, 0.005);
            near(way.opinion(), score, 0.005);
            assert_eq!(Way { codec: Codec::G722, ..way }.opinion(), way.opinion());
        }
    }

    #[test]
    fn losses_in_bursts_are_worse_than_as_many_by_chance() {
        let way = Way { loss: 0.05, ..BEST };
        let burst = Way { burst: 4.0, ..way };
        near(BEST.rating() - burst.rating(), 95.0 * 5.0 / (5.0 / 4.0 + 25.1), 1e-9);
        assert!(burst.opinion() < way.opinion());
        assert_eq!(Way { burst: 0.1, ..way }.rating(), way.rating(), "chance is the least");
    }

    #[test]
    fn delay_costs_little_up_to_150_ms_and_much_beyond() {
        let rating = |delay_ms| Way { delay_ms, ..BEST }.rating();
        // G.114 (05/2003), figure 1: nearly everybody is content up to 150 ms, many are not at 400.
        near(rating(150.0), 89.5, 0.5);
        near(rating(250.0), 79.2, 0.5);
        near(rating(400.0), 62.3, 0.5);
        let fall: Vec<f64> = (0..60).map(|n| rating(f64::from(n) * 10.0)).collect();
        assert!(fall.windows(2).all(|pair| pair[1] < pair[0]), "{fall:?}");
    }
}
