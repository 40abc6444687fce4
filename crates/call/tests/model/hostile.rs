//! Inputs that no honest shell would send, at times that no clock would show.

use call::*;

use crate::{
    exhaustive::{Chance, any_end, any_pausing, depth, keeps_its_promises, seed},
    support::*,
    world::{Replay, World},
};

const PROMPTS: usize = Prompt::ALL.len();

fn any_input(chance: &mut Chance, at: Time) -> Option<Input> {
    let flag = chance.below(2) == 0;
    let party = if chance.below(3) == 0 { Party::Agent } else { Party::Customer };
    let recording = if chance.below(4) == 0 { OTHER_RECORDING } else { RECORDING };
    let failure = [Failure::Busy, Failure::NoAnswer, Failure::Unreachable, Failure::Rejected(1)]
        [chance.below(4)];
    let samples = [0, 1, 72_000, u32::MAX][chance.below(4)];
    let millis = [0, 1, u64::MAX][chance.below(3)];
    let character = ['1', '2', '*', '9', '5', '#', 'A', '7'][chance.below(8)];
    let ready = if flag { Ok(()) } else { Err(NotReady::Disk) };
    Some(match chance.below(47) {
        0 | 1 => Input::Confirmed,
        2..=10 => {
            Input::PromptEnded { prompt: Prompt::ALL[chance.below(PROMPTS)], samples, whole: flag }
        }
        11..=16 => Input::Digit(party, press(character, at)),
        17 | 18 => Input::Committed { recording, evidence: HASH },
        19 => Input::CommitFailed { recording },
        20 => Input::Ringing { early_media: flag },
        21 | 22 => Input::Answered,
        23 => Input::Failed(failure),
        24 => Input::HungUp(party),
        25 | 26 => Input::Held(party, flag),
        27 => Input::TapCut,
        28 => Input::Degraded,
        29 => Input::RecorderFailed,
        30 => Input::RecordingClosed { done: flag, millis },
        31 => Input::Stop(Cause::Normal),
        32 | 33 => Input::Ask,
        34..=36 => Input::Prepared(ready),
        37 => Input::Progressed,
        38 => Input::Pause,
        39 => Input::Resume,
        40 => Input::HouseLeft,
        41 => Input::SentAway(flag.then_some(ms(5_000))),
        42 => Input::Urgent,
        _ => return None,
    })
}

fn any_time(chance: &mut Chance, now: Time) -> Time {
    match chance.below(40) {
        0 => Time::from_micros(0),
        1 => Time::from_micros(u64::MAX),
        2 => now - ms(60_000),
        3..=8 => now + ms(5_000),
        _ => now + ms(20),
    }
}

fn any_offer(chance: &mut Chance) -> CallOffer {
    let outbound = [
        Outbound::AgentAsks { key: Some(key('#')), times: 2 },
        Outbound::AgentAsks { key: None, times: 1 },
        Outbound::Join,
        Outbound::HoldBack,
        Outbound::Never,
    ];
    let mut offer = asked(Asking {
        outbound: outbound[chance.below(outbound.len())],
        confirm: [Confirm::First, Confirm::WhileRinging, Confirm::Off][chance.below(3)],
        on_withdraw: [OnWithdraw::Erase, OnWithdraw::Stop][chance.below(2)],
        pausing: any_pausing(chance),
        when_recording_fails: any_end(chance),
        ..asking()
    });
    let question = [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer][chance.below(2)];
    let limit = ms([0, 9_000, 60_000][chance.below(3)]);
    offer.early = (chance.below(2) == 0).then_some(EarlyNotice { question, limit });
    offer.direction = [Direction::Inbound, Direction::Outbound][chance.below(2)];
    match chance.below(12) {
        0 => offer.line = None,
        1 => offer.emergency = true,
        2 => offer.target_up = false,
        3 => offer.ready = Err(NotReady::Ledger),
        _ => {}
    }
    offer
}

#[test]
fn no_input_at_any_time_breaks_a_promise() {
    let mut chance = Chance::from_seed(seed());
    for _ in 0..depth() * 3_000 {
        let mut world = World::new(asking());
        world.offer = any_offer(&mut chance);
        let mut replay: Replay = world.replay(&[]);
        let mut now = START;
        let (mut keys, mut notices, mut acknowledged) = (0, 0, 0);
        for step in 1..60 {
            let at = any_time(&mut chance, now);
            let input = any_input(&mut chance, at);
            match input {
                Some(Input::Digit(Party::Customer, press)) if *press.key.reveal() == key('1') => {
                    keys += 1;
                }
                Some(Input::PromptEnded {
                    prompt: Prompt::Notice | Prompt::AgentAsk,
                    whole: true,
                    ..
                }) => {
                    notices += 1;
                }
                Some(Input::Committed { recording: RECORDING, .. }) => acknowledged += 1,
                _ => {}
            }
            replay.hear(step, at, input);
            keeps_its_promises(&replay);
            if replay.permit.is_some() {
                assert!(keys > 0 && notices > 0 && acknowledged > 0, "{:?}", replay.said);
            }
            now = now + ms(20);
        }
    }
}
