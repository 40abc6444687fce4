//! Calls that the PBX starts: who is asked, who hears what, and what is kept of it (flow F3).

use std::time::Duration;

use serde_json::Value;
use support::{
    exchange::{Act, Exchange, History, Manner, Plan, message::header},
    node::{Change, Node},
    port,
    scene::{ENGLISH, NEVER, step, words},
    sound::{begins, heard, level},
};

/// Whom the PBX calls.
const CUSTOMER: &str = "0612345678";
/// `agent_ask` in English takes 10.5 s.
const ASKED_MS: u64 = 10_500;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A node between a PBX that calls and a carrier with a customer.
struct Office {
    node: Node,
    pbx: Exchange,
    carrier: Exchange,
}

/// A customer who answers after 300 ms, says 700 Hz, and does this after the answer.
fn customer(acts: &[(u64, Act)]) -> Manner {
    let acts = acts.iter().map(|(at, act)| (ms(*at), *act)).collect();
    Manner::Answers { after: ms(300), tone_hz: 700.0, acts }
}

/// The lab with the English policy's outgoing calls as `outbound` says.
fn policy(outbound: &str) -> Change {
    let policy = "controller = \"Example Limited\"";
    Change::default().with(policy, format!("{policy}\n{outbound}"))
}

impl Office {
    fn open(change: Change, customer: Manner) -> Self {
        let trunk = port::free();
        let node = Node::start(&change.with("127.0.0.1:15070", format!("127.0.0.1:{trunk}")));
        let pbx = Exchange::start([127, 0, 0, 1], node.pbx, Manner::Says(480));
        let carrier = Exchange::start([127, 0, 0, 1], trunk, customer);
        Self { node, pbx, carrier }
    }

    /// The PBX calls the customer from this number of the house.
    fn call(&mut self, plan: Plan) {
        self.pbx.call(self.node.sip, plan);
    }

    fn over(&mut self) {
        let over = self.pbx.until(ms(45_000), |calls| calls.iter().any(History::over));
        assert!(over, "the call does not end:\n{}", self.node.log());
    }

    /// What the agent and the customer lived through.
    fn sides(&mut self) -> (History, History) {
        (self.pbx.calls()[0].clone(), self.carrier.calls()[0].clone())
    }

    /// The call's id, as the PBX is told it with the first response.
    fn id(&mut self) -> String {
        let named = |call: &History| {
            let mut received = call.messages.iter().filter(|message| message.received);
            received.find_map(|message| header(&message.text, "X-Jawoord-Call").map(str::to_owned))
        };
        let told = self.pbx.until(ms(5_000), |calls| calls.first().and_then(named).is_some());
        assert!(told, "the PBX is told no id:\n{}", self.node.log());
        self.pbx.calls().first().and_then(named).unwrap_or_default()
    }

    fn shown(&mut self) -> Value {
        let id = self.id();
        self.node.until(&["calls", "show", &id], |call| call["verdict"].is_string())
    }

    fn nothing_is_kept(&self) {
        assert_eq!(self.node.done(&["recordings", "list"]), serde_json::json!([]));
        assert_eq!(self.node.done(&["keys", "status"]), serde_json::json!([]), "a slip was sealed");
        assert_eq!(self.node.files("store"), [], "an object");
    }

    /// The tags of the recording, and what is left and right in it.
    fn kept(&self) -> (Value, Vec<i16>, Vec<i16>) {
        let list = self.node.until(&["recordings", "list"], |list| list[0]["state"] == "stored");
        let (left, right) = self.node.export(list[0]["recording"].as_str().expect("an id"));
        (list[0].clone(), left, right)
    }
}

/// What somebody heard in a span after the customer's answer.
fn span(listener: &History, customer: &History, from_ms: u64, until_ms: u64) -> Vec<i16> {
    let answered = customer.answered().expect("answered");
    listener.samples(answered + ms(from_ms), answered + ms(until_ms))
}

fn keys(listener: &History) -> String {
    listener.pressed.iter().map(|(_, key)| *key).collect()
}

fn count(history: &History, start: &str) -> usize {
    history.messages.iter().filter(|message| message.text.starts_with(start)).count()
}

#[test]
fn f_3_the_agent_asks_and_what_is_kept_begins_with_the_customers_yes() {
    let yes = 2_000 + ASKED_MS + 1_000;
    let customer = customer(&[
        (yes - 400, Act::Speak(0.0)),
        (yes, Act::Press('1')),
        (yes + 3_500, Act::Speak(900.0)),
    ]);
    let mut office = Office::open(Change::default(), customer);
    office.call(
        Plan::new(ENGLISH, CUSTOMER)
            .at(0, Act::Speak(440.0))
            .at(2_000, Act::Press('#'))
            .at(yes - 400, Act::Speak(0.0))
            .at(yes + 3_500, Act::Speak(600.0))
            .at(yes + 6_000, Act::HangUp),
    );
    office.over();
    let call = office.shown();
    assert_eq!(words(&call), "granted bridged recorded");
    assert_eq!(call["direction"], "outbound");
    let (agent, customer) = office.sides();
    // They talk before anybody asks, and both hear the question over each other.
    assert!(heard(&span(&customer, &customer, 500, 1_900), 440.0) > 0.9);
    assert!(heard(&span(&agent, &customer, 500, 1_900), 700.0) > 0.9);
    for side in [&agent, &customer] {
        assert!(level(&span(side, &customer, 3_000, 9_000)) > 500.0, "the question is not heard");
        let voices = span(side, &customer, 3_000, 9_000);
        assert!(heard(&voices, 440.0).max(heard(&voices, 700.0)) < 0.9, "nothing is mixed in");
    }
    assert_eq!((keys(&customer), keys(&agent)), (String::new(), String::new()), "a key crosses");

    let (tags, left, right) = office.kept();
    assert_eq!((&tags["direction"], &tags["verdict"]), (&"outbound".into(), &"recorded".into()));
    assert!(heard(&left, 900.0) > 0.3 && heard(&right, 600.0) > 0.3, "left customer, right agent");
    for before in [700.0, 440.0] {
        assert_eq!(
            (heard(&left, before), heard(&right, before)),
            (0.0, 0.0),
            "{before} Hz is kept"
        );
    }
    assert_eq!((heard(&left, 600.0), heard(&right, 900.0)), (0.0, 0.0), "a side crosses");
    let apart = begins(&left, 900.0).expect("left").abs_diff(begins(&right, 600.0).expect("right"));
    assert!(apart < 8 * 400, "{apart} samples apart");
    assert!(left.len() < 8 * 7_500, "{} samples", left.len());
}

#[test]
fn c_14_the_agents_own_yes_is_never_the_customers_and_a_no_is_final() {
    let customer = customer(&[(2_000 + ASKED_MS + 2_500, Act::Press('2'))]);
    let mut office = Office::open(policy("ask_times = 3"), customer);
    let mut plan = Plan::new(ENGLISH, CUSTOMER).at(2_000, Act::Press('#'));
    for at in [3_000, 8_000, 1_800 + ASKED_MS, 2_500 + ASKED_MS, 3_500 + ASKED_MS] {
        plan = plan.at(at, Act::Press('1'));
    }
    // The question is over: the agent's keys are for the customer again, the asking one too.
    office.call(plan.at(8_000 + ASKED_MS, Act::Press('#')).at(10_000 + ASKED_MS, Act::HangUp));
    office.over();
    assert_eq!(words(&office.shown()), "refused bridged refused");
    let (agent, customer) = office.sides();
    assert_eq!((keys(&agent).as_str(), keys(&customer).as_str()), ("", "11111#"));
    assert!(heard(&span(&agent, &customer, 7_000 + ASKED_MS, 9_000 + ASKED_MS), 700.0) > 0.9);
    office.nothing_is_kept();
}

#[test]
fn f_3_the_operator_asks_and_the_customer_withdraws_with_one_key() {
    let yes = 3_000 + ASKED_MS;
    let customer = customer(&[(yes, Act::Press('1')), (yes + 4_000, Act::Press('*'))]);
    let mut office = Office::open(policy("ask_key = \"\""), customer);
    office.call(Plan::new(ENGLISH, CUSTOMER).at(500, Act::Press('#')).at(yes + 9_000, Act::HangUp));
    let id = office.id();
    let up = office.carrier.until(ms(5_000), |calls| calls[0].request("ACK", true).is_some());
    assert!(up, "the call does not stand");
    std::thread::sleep(ms(1_000));
    assert_eq!(office.node.done(&["calls", "ask", &id]), id.as_str());
    let again = office.node.fails(&["calls", "ask", &id]).to_string();
    assert!(again.contains("ask_times"), "{again}");
    let stranger = office.node.fails(&["calls", "ask", "00000000000000000000000000000000"]);
    assert!(stranger.to_string().contains("calls list"), "{stranger}");
    office.over();
    let call = office.shown();
    assert_eq!(words(&call), "withdrawn bridged withdrawn");
    assert!(step(&call, "plays agent_ask to both") < step(&call, "permit, writer, tap"));
    let (agent, customer) = office.sides();
    assert_eq!((keys(&agent).as_str(), keys(&customer).as_str()), ("", "#"), "no key asks here");
    assert_eq!(
        office
            .node
            .until(&["recordings", "list"], |list| list == &serde_json::json!([]))
            .as_array()
            .map(Vec::len),
        Some(0)
    );
}

#[test]
fn f_3_a_voicemail_hears_the_agent_and_nothing_else() {
    let mut office = Office::open(Change::default(), customer(&[]));
    let plan = Plan::new(ENGLISH, CUSTOMER).at(0, Act::Speak(440.0)).at(5_000, Act::HangUp);
    office.call(plan);
    office.over();
    assert_eq!(words(&office.shown()), "not-asked bridged policy-off");
    let (_, voicemail) = office.sides();
    let all = span(&voicemail, &voicemail, 100, 4_900);
    assert!(heard(&all, 440.0) > 0.97, "something else is heard: {}", heard(&all, 440.0));
    office.nothing_is_kept();
}

#[test]
fn f_3_joined_both_hear_the_question_at_the_answer() {
    // The notice takes 8.6 s; a yes in it counts at its end.
    let customer = customer(&[(3_000, Act::Press('1')), (12_500, Act::Speak(900.0))]);
    let mut office = Office::open(policy("outbound = \"join\""), customer);
    office.call(Plan::new(ENGLISH, CUSTOMER).at(4_000, Act::Press('2')).at(15_000, Act::HangUp));
    office.over();
    assert_eq!(words(&office.shown()), "granted bridged recorded");
    let (agent, customer) = office.sides();
    let late = agent.answered().expect("answered") - customer.answered().expect("answered");
    assert!(late < ms(200), "the agent waited {late:?}");
    assert!(level(&span(&customer, &customer, 1_000, 8_000)) > 500.0, "the customer hears nothing");
    assert_eq!((keys(&agent).as_str(), keys(&customer).as_str()), ("", "2"), "c_14");
    let (_, left, _) = office.kept();
    assert!(heard(&left, 900.0) > 0.3);
    assert!(left.len() < 8 * 7_500, "the question itself is kept: {} samples", left.len());
}

#[test]
fn f_3_held_back_the_agent_hears_ringing_until_the_customer_has_decided() {
    let customer = customer(&[(3_000, Act::Press('2'))]);
    let mut office = Office::open(policy("outbound = \"hold_back\""), customer);
    office.call(Plan::new(ENGLISH, CUSTOMER).at(0, Act::Speak(440.0)).at(2_000, Act::HangUp));
    office.over();
    assert_eq!(words(&office.shown()), "refused bridged refused");
    let (agent, customer) = office.sides();
    assert!(count(&agent, "SIP/2.0 180") >= 1);
    let waited = agent.answered().expect("answered") - customer.answered().expect("answered");
    assert!((3_500..8_000).contains(&waited.as_millis()), "the agent waited {waited:?}");
    assert_eq!(heard(&span(&customer, &customer, 0, 3_000), 440.0), 0.0, "the agent is heard");
    assert!(level(&span(&customer, &customer, 500, 2_900)) > 500.0, "the notice is not heard");
    let joined = agent.answered().expect("answered");
    assert!(heard(&agent.samples(joined + ms(200), joined + ms(1_900)), 700.0) > 0.9);
    office.nothing_is_kept();
}

#[test]
fn f_3_a_customer_who_leaves_while_the_agent_is_held_back_was_not_reached() {
    let customer = customer(&[(2_000, Act::HangUp)]);
    let mut office = Office::open(policy("outbound = \"hold_back\""), customer);
    office.call(Plan::new(ENGLISH, CUSTOMER));
    office.over();
    assert_eq!(words(&office.shown()), "abandoned no-answer abandoned");
    let (agent, _) = office.sides();
    assert_eq!(agent.answer("INVITE").map(|(_, status)| status), Some(480));
}

#[test]
fn e_01_an_outgoing_emergency_call_hears_nothing_of_us() {
    let mut office = Office::open(policy("outbound = \"hold_back\""), customer(&[]));
    let plan = Plan::new(ENGLISH, "112").at(0, Act::Speak(440.0)).at(3_000, Act::HangUp);
    office.call(plan);
    office.over();
    assert_eq!(words(&office.shown()), "not-asked bridged emergency");
    let (agent, centre) = office.sides();
    let invited = centre.request("INVITE", true).expect("an INVITE").at;
    let sent = agent.request("INVITE", false).expect("an INVITE").at;
    assert!(invited - sent < ms(100), "{:?} until the centre was called", invited - sent);
    assert!(heard(&span(&centre, &centre, 100, 2_900), 440.0) > 0.97);
}

#[test]
fn a_number_of_the_house_whose_line_is_never_recorded_or_of_no_line_is_put_through() {
    for from in [NEVER, "201"] {
        let mut office = Office::open(policy("outbound = \"join\""), customer(&[]));
        let plan = Plan::new(from, CUSTOMER).at(0, Act::Speak(440.0)).at(2_000, Act::HangUp);
        office.call(plan);
        office.over();
        assert_eq!(words(&office.shown()), "not-asked bridged policy-off", "{from}");
        let (_, customer) = office.sides();
        assert!(heard(&span(&customer, &customer, 100, 1_900), 440.0) > 0.97, "{from}");
    }
}

#[test]
fn a_call_to_a_helpline_is_put_through_unasked_and_the_agents_key_is_not_ours() {
    let list = "[[confidential]]\nsets = [\"nl-helplines\"]\n\n[headers] ";
    for (outbound, number) in [
        ("outbound = \"join\"", "0800-0113"),
        ("outbound = \"hold_back\"", "113"),
        ("outbound = \"agent_asks\"", "08000113"),
    ] {
        let change = policy(outbound).with("[headers] ", list);
        let mut office = Office::open(change, customer(&[]));
        let plan = Plan::new(ENGLISH, number).at(0, Act::Speak(440.0));
        office.call(plan.at(1_000, Act::Press('#')).at(2_500, Act::HangUp));
        office.over();
        let call = office.shown();
        assert_eq!(words(&call), "not-asked bridged confidential", "{outbound} {number}");
        let (agent, helpline) = office.sides();
        let late = agent.answered().expect("answered") - helpline.answered().expect("answered");
        assert!(late < ms(200), "the agent waited {late:?}");
        assert_eq!(keys(&helpline), "#", "nothing is asked by it");
        assert!(heard(&span(&agent, &helpline, 100, 2_300), 700.0) > 0.97, "{outbound}");
        office.nothing_is_kept();
        assert!(!office.node.log().contains("8000113"), "whom they call is in the log");
    }
}
