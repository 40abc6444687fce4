//! Every history on the grounds that are no plain consent, up to a depth.

use call::*;

use crate::{
    depth::depth,
    exhaustive::{RECORDED, bridged, search, search_worlds},
    outbound::recorded,
    support::*,
    world::{Class, World},
};

const IN: Direction = Direction::Inbound;
const OUT: Direction = Direction::Outbound;
const CONFIRMS: [Confirm; 3] = [Confirm::First, Confirm::WhileRinging, Confirm::Off];

fn on(ground: Ground) -> Asking {
    Asking { ground, ..asking() }
}

fn explicit() -> Asking {
    Asking { repeats: 2, ..on(Ground::ExplicitConsent) }
}

/// A law that lets no call be led without a record.
fn strict() -> Asking {
    let when_recording_fails = WhenRecordingFails::EndCall;
    Asking { when_recording_fails, ..on(Ground::LegalObligation) }
}

/// What is told is the same on these two, and on the second with and without a record.
fn told() -> [Asking; 3] {
    [on(Ground::LegitimateInterest), on(Ground::LegalObligation), strict()]
}

fn early(question: QuestionAt, asking: Asking) -> World {
    World::early(EarlyNotice { question, limit: ms(60_000) }, asking)
}

/// From the answer to the bridge, and away again.
const MAIN: [Class; 10] = [
    Class::Confirmed,
    Class::Reported,
    Class::Faulted,
    Class::Key('1'),
    Class::Key('*'),
    Class::Key('9'),
    Class::Deadline,
    Class::Committed,
    Class::Answered,
    Class::HungUp(Party::Customer),
];

/// The second step in full.
const STEPS: [Class; 10] = [
    Class::Reported,
    Class::Faulted,
    Class::Key('1'),
    Class::Key('2'),
    Class::Key('*'),
    Class::Key('5'),
    Class::Key('9'),
    Class::Deadline,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
];

/// A notice that may be heard or not, and what may come instead of its end.
const NOTICE: [Class; 10] = [
    Class::Reported,
    Class::Faulted,
    Class::Key('*'),
    Class::Key('2'),
    Class::Key('9'),
    Class::Deadline,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
    Class::Urgent,
    Class::Stop,
];

/// A notice before the answer, and the way to the PBX.
const EARLY: [Class; 10] = [
    Class::Progressed,
    Class::Reported,
    Class::Key('1'),
    Class::Key('*'),
    Class::Key('9'),
    Class::Deadline,
    Class::Answered,
    Class::Confirmed,
    Class::Failed(Failure::Busy),
    Class::Committed,
];

/// The way to the PBX, with a permit on its way.
const RINGING: [Class; 10] = [
    Class::Reported,
    Class::Key('*'),
    Class::Deadline,
    Class::Committed,
    Class::CommitFailed,
    Class::RecorderFailed,
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Failed(Failure::NoAnswer),
    Class::HungUp(Party::Customer),
];

/// A call that the PBX has started, from the answer of the customer on.
const PLACED: [Class; 10] = [
    Class::Reported,
    Class::Faulted,
    Class::Key('1'),
    Class::Key('*'),
    Class::Key('9'),
    Class::Ask,
    Class::Prepared,
    Class::Deadline,
    Class::Committed,
    Class::HungUp(Party::Agent),
];

/// The ways in which a customer whom the PBX called comes to hear the notice, and what comes before it.
fn ways() -> [(Outbound, Vec<Class>); 3] {
    let agent_asks = Outbound::AgentAsks { key: Some(key('#')), times: 2 };
    [
        (agent_asks, vec![Class::Answered, Class::Ask, Class::Prepared]),
        (Outbound::Join, vec![Class::Answered]),
        (Outbound::HoldBack, vec![Class::Answered]),
    ]
}

#[test]
fn l_13_every_history_of_explicit_consent() {
    search((IN, &on(Ground::ExplicitConsent)), &[], &MAIN, depth() - 1);
    let asked = [Class::Confirmed, Class::Reported, Class::Key('1')];
    for confirm in [Confirm::First, Confirm::Off] {
        search((IN, &Asking { confirm, ..explicit() }), &asked, &STEPS, depth() - 1);
    }
    search((IN, &on(Ground::ExplicitConsent)), &asked[..1], &STEPS, depth() - 1);
}

#[test]
fn l_13_every_history_of_explicit_consent_with_an_early_notice() {
    for question in [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer] {
        let world = || early(question, explicit());
        search_worlds(&world, &[], &EARLY, depth() - 1);
        let first_step = [Class::Progressed, Class::Key('1'), Class::Reported];
        search_worlds(&world, &first_step, &EARLY, depth() - 2);
    }
    let world = || early(QuestionAt::AfterAnswer, explicit());
    let asked = [Class::Progressed, Class::Reported, Class::Answered, Class::Confirmed];
    search_worlds(&world, &asked, &STEPS, depth() - 2);
    search_worlds(&world, &[&asked[..], &[Class::Key('1')]].concat(), &STEPS, depth() - 2);
}

#[test]
fn l_13_every_history_of_explicit_consent_in_a_call_that_the_pbx_started() {
    for (outbound, begun) in ways() {
        let asking = Asking { outbound, ..explicit() };
        search((OUT, &asking), &begun, &PLACED, depth() - 2);
        let first_step = [&begun[..], &[Class::Reported, Class::Key('1')]].concat();
        search((OUT, &asking), &first_step, &STEPS, depth() - 2);
    }
}

#[test]
fn every_history_on_a_ground_on_which_the_customer_is_told() {
    for asking in told() {
        search((IN, &asking), &[], &MAIN, depth() - 1);
    }
    search((IN, &on(Ground::PublicTask)), &[], &MAIN, depth() - 2);
}

#[test]
fn every_history_of_a_notice_without_a_question() {
    for asking in told() {
        search((IN, &asking), &[Class::Confirmed], &NOTICE, depth() - 2);
        for question in [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer] {
            let world = || early(question, asking.clone());
            search_worlds(&world, &[Class::Progressed], &NOTICE, depth() - 2);
            search_worlds(&world, &[], &EARLY, depth() - 2);
        }
    }
}

#[test]
fn l_21_every_history_of_an_objection_and_its_confirmation() {
    for confirm in CONFIRMS {
        let asking = Asking { confirm, ..on(Ground::LegitimateInterest) };
        search((IN, &asking), &[Class::Confirmed, Class::Key('*')], &RINGING, depth() - 2);
        let explained = [Class::Confirmed, Class::Key('9'), Class::Reported, Class::Key('*')];
        search((IN, &asking), &explained, &RINGING, depth() - 2);
    }
}

#[test]
fn every_history_of_a_call_whose_customer_was_told() {
    for asking in told() {
        let heard = [Class::Confirmed, Class::Reported];
        search((IN, &asking), &heard, &RINGING, depth() - 2);
        for on_withdraw in [OnWithdraw::Erase, OnWithdraw::Stop] {
            let asking = Asking { on_withdraw, ..asking.clone() };
            search((IN, &asking), bridged(asking.ground), &RECORDED, depth() - 2);
        }
    }
}

#[test]
fn every_history_of_a_customer_whom_the_pbx_called_and_who_is_told() {
    for asking in told() {
        for (outbound, begun) in ways() {
            for confirm in [Confirm::First, Confirm::Off] {
                let asking = Asking { confirm, outbound, ..asking.clone() };
                search((OUT, &asking), &begun, &PLACED, depth() - 2);
            }
            let asking = Asking { outbound, ..asking.clone() };
            search((OUT, &asking), &begun, &NOTICE, depth() - 2);
        }
        let asking = Asking { outbound: ways()[0].0, ..asking };
        search((OUT, &asking), recorded(asking.ground), &RECORDED, depth() - 2);
    }
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_explicit_consent() {
        deeper(super::l_13_every_history_of_explicit_consent);
        deeper(super::l_13_every_history_of_explicit_consent_with_an_early_notice);
        deeper(super::l_13_every_history_of_explicit_consent_in_a_call_that_the_pbx_started);
    }

    #[test]
    fn every_deeper_history_of_a_customer_who_is_told() {
        deeper(super::every_history_on_a_ground_on_which_the_customer_is_told);
        deeper(super::every_history_of_a_notice_without_a_question);
        deeper(super::l_21_every_history_of_an_objection_and_its_confirmation);
        deeper(super::every_history_of_a_call_whose_customer_was_told);
        deeper(super::every_history_of_a_customer_whom_the_pbx_called_and_who_is_told);
    }
}
