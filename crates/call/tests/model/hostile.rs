//! Inputs that no honest shell would send, at times that no clock would show.

use call::*;

use crate::{
    chance::{Chance, any_end, any_ground, any_pausing, seed},
    choice::needs_a_yes,
    depth::runs,
    promises::keeps_its_promises,
    support::*,
    world::{Replay, World},
};

const PROMPTS: usize = Prompt::ALL.len();

fn any_input(chance: &mut Chance, replay: &Replay, at: Time) -> Option<Input> {
    let flag = chance.below(2) == 0;
    let party = if chance.below(3) == 0 { Party::Agent } else { Party::Customer };
    let recording = [OTHER_RECORDING, LATER, RECORDING, RECORDING, RECORDING][chance.below(5)];
    let failure = [Failure::Busy, Failure::NoAnswer, Failure::Unreachable, Failure::Rejected(1)]
        [chance.below(4)];
    let samples = [0, 1, 72_000, u32::MAX][chance.below(4)];
    let millis = [0, 1, u64::MAX][chance.below(3)];
    let character = ['1', '2', '*', '9', '5', '#', 'A', '7'][chance.below(8)];
    let ready = if flag { Ok(LATER) } else { Err(NotReady::Disk) };
    Some(match chance.below(50) {
        0 | 1 => Input::Confirmed,
        2..=10 => {
            // Half of them are of a prompt that was really played.
            let played = replay.oldest_unreported().filter(|_| chance.below(2) == 0);
            let prompt = played.unwrap_or_else(|| Prompt::ALL[chance.below(PROMPTS)]);
            Input::PromptEnded { prompt, samples, whole: flag }
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
        30 => Input::RecordingClosed { recording, done: flag, millis },
        31 => Input::Stop(Cause::Normal),
        32 | 33 => Input::Ask,
        34..=36 => Input::Prepared(ready),
        37 => Input::Progressed,
        38 => Input::Pause,
        39 => Input::Resume,
        40 => Input::HouseLeft,
        41 => Input::SentAway(flag.then_some(ms(5_000))),
        42 => Input::Urgent,
        43 => agent(1, AgentSource::Ami),
        44 if flag => Input::Agent(AgentNews::Left(AgentSource::Ami)),
        44 => Input::Agent(AgentNews::Lost(AgentSource::Ami)),
        45 => Input::Fax,
        46 => Input::Withdraw,
        _ => return None,
    })
}

/// What takes a call to its recording, as often as not.
fn kind_input(chance: &mut Chance, replay: &Replay, at: Time) -> Option<Input> {
    let report = replay.oldest_unreported();
    let heard = |prompt| Input::PromptEnded { prompt, samples: 72_000, whole: true };
    match chance.below(16) {
        0 => Some(Input::Confirmed),
        1 => Some(Input::Answered),
        2 => Some(Input::Ask),
        3 => Some(Input::Prepared(Ok(LATER))),
        4 => Some(Input::Committed { recording: RECORDING, evidence: HASH }),
        5 | 6 => Some(Input::Digit(Party::Customer, press('1', at))),
        7..=9 => report.map(heard),
        _ => any_input(chance, replay, at),
    }
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

fn any_world(chance: &mut Chance) -> World {
    let outbound = [
        Outbound::AgentAsks { key: Some(key('#')), times: 2 },
        Outbound::AgentAsks { key: None, times: 1 },
        Outbound::Join,
        Outbound::HoldBack,
        Outbound::Never,
    ];
    let mut world = World::new(Asking {
        ground: any_ground(chance),
        outbound: outbound[chance.below(outbound.len())],
        confirm: [Confirm::First, Confirm::WhileRinging, Confirm::Off][chance.below(3)],
        audience: [Audience::Both, Audience::Customer][chance.below(2)],
        on_withdraw: [OnWithdraw::Erase, OnWithdraw::Stop][chance.below(2)],
        pausing: any_pausing(chance),
        agent_cue: chance.below(2) == 0,
        when_recording_fails: any_end(chance),
        ..asking()
    });
    let offer = &mut world.offer;
    let question = [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer][chance.below(2)];
    let limit = ms([0, 9_000, 60_000][chance.below(3)]);
    offer.early = (chance.below(2) == 0).then_some(EarlyNotice { question, limit });
    offer.direction = [Direction::Inbound, Direction::Outbound][chance.below(2)];
    if chance.below(4) == 0 {
        *offer = attended(offer.clone());
    }
    match chance.below(13) {
        0 => offer.line = None,
        1 => offer.emergency = true,
        2 => offer.target_up = false,
        3 => offer.ready = Err(NotReady::Ledger),
        4 => offer.aside = Some(Aside::ALL[chance.below(Aside::ALL.len())]),
        _ => {}
    }
    world
}

/// What has to have happened before a permit.
#[derive(Default)]
struct Grounds {
    keys: u8,
    notices: u8,
    second_steps: u8,
    commits: u8,
}

impl Grounds {
    fn hear(&mut self, ground: Ground, input: Input) {
        match input {
            Input::Digit(Party::Customer, press) if *press.key.reveal() == key('1') => {
                self.keys += 1;
            }
            Input::PromptEnded { prompt: Prompt::Explicit, whole: true, .. } => {
                self.second_steps += 1;
            }
            Input::PromptEnded { prompt, whole: true, .. } => {
                self.notices += u8::from(match prompt {
                    Prompt::Notice | Prompt::AgentAsk => needs_a_yes(ground),
                    Prompt::LegalObligation => ground == Ground::LegalObligation,
                    Prompt::LegitimateInterest => {
                        matches!(ground, Ground::LegitimateInterest | Ground::PublicTask)
                    }
                    _ => false,
                });
            }
            Input::Committed { recording: RECORDING | LATER, .. } => self.commits += 1,
            _ => {}
        }
    }

    fn suffice(&self, ground: Ground) -> bool {
        let (keys, second_steps) = match ground {
            Ground::Consent => (1, 0),
            Ground::ExplicitConsent => (2, 1),
            _ => (0, 0),
        };
        let told = self.notices > 0 && self.commits > 0;
        told && self.keys >= keys && self.second_steps >= second_steps
    }
}

#[test]
fn no_input_at_any_time_breaks_a_promise() {
    let mut chance = Chance::from_seed(seed());
    let mut permits = [0_u64; Ground::ALL.len()];
    for _ in 0..runs(3_000) {
        let world = any_world(&mut chance);
        let ground = world.asking.ground;
        let mut replay: Replay = world.replay(&[]);
        let mut now = START;
        let mut grounds = Grounds::default();
        // Half of the runs have an honest clock, and come further.
        let kind = chance.below(2) == 0;
        for step in 1..60 {
            let at = if kind { now } else { any_time(&mut chance, now) };
            let input = match kind {
                true => kind_input(&mut chance, &replay, at),
                false => any_input(&mut chance, &replay, at),
            };
            if let Some(input) = input {
                grounds.hear(ground, input);
            }
            replay.hear(step, at, input);
            if replay.permit.is_some() {
                assert!(grounds.suffice(ground), "{:?}", replay.said);
            }
            now = now + ms(20);
            if step % 8 == 0 {
                keeps_its_promises(&replay);
            }
        }
        keeps_its_promises(&replay);
        permits[ground as usize] += u64::from(replay.permit.is_some());
    }
    println!("permits by ground: {permits:?}");
    // On two grounds there is no flow.
    let recorded = permits.iter().filter(|times| **times > 10).count();
    assert_eq!(recorded, 5, "the runs go somewhere: {permits:?}");
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn many_more_hostile_histories() {
        deeper(super::no_input_at_any_time_breaks_a_promise);
    }
}
