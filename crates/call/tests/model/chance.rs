//! Chance from a seed, and what it draws of a policy.

use call::*;

use crate::support::{asking, key, ms};

/// Numbers from a seed (splitmix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn from_seed(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 33) as usize % end
    }
}

/// The seed of a run: fixed, or what the environment variable says, to look elsewhere.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("JAWOORD_MODEL_SEED").ok().and_then(|seed| seed.parse().ok());
    seed.unwrap_or(20_261_122)
}

/// No pause ends in the same moment as anything else.
pub(crate) fn any_pausing(chance: &mut Chance) -> Pausing {
    let key = [None, Some(key('7'))][chance.below(2)];
    Pausing { key, limit: ms([1_937, 30_937][chance.below(2)]) }
}

/// What becomes of a call whose recording fails.
pub(crate) fn any_end(chance: &mut Chance) -> WhenRecordingFails {
    [WhenRecordingFails::GoOn, WhenRecordingFails::EndCall][chance.below(2)]
}

/// Consent as often as everything else.
pub(crate) fn any_ground(chance: &mut Chance) -> Ground {
    let others = [
        Ground::ExplicitConsent,
        Ground::LegitimateInterest,
        Ground::PublicTask,
        Ground::LegalObligation,
    ];
    others.get(chance.below(8)).copied().unwrap_or(Ground::Consent)
}

pub(crate) fn any_policy(chance: &mut Chance) -> Asking {
    Asking {
        ground: any_ground(chance),
        repeats: [0, 1, 2, 3][chance.below(4)],
        answer_timeout: ms([0, 1, 500, 4_000][chance.below(4)]),
        confirm: [Confirm::First, Confirm::WhileRinging, Confirm::Off][chance.below(3)],
        audience: [Audience::Both, Audience::Customer][chance.below(2)],
        on_withdraw: [OnWithdraw::Erase, OnWithdraw::Stop][chance.below(2)],
        pausing: any_pausing(chance),
        agent_cue: chance.below(2) == 0,
        when_recording_fails: any_end(chance),
        ..asking()
    }
}
