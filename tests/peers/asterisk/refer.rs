//! Transfers that Asterisk asks the node for with REFER, from its dial plan: the caller's leg stays.

use std::{thread, time::Duration};

use support::{
    asterisk::{Asterisk, Setup, Way},
    exchange::{Act, Plan},
    node::Change,
    port,
    scene::{ENGLISH, words},
};

use super::{Office, Pbx, all_heard, party, phone, seconds};

const CALLER: &str = "+31612345611";

/// It speaks for three seconds, and refers the caller to TARGET. Whoever dials 102 hears 620 Hz for four.
fn refers_to(target: &str) -> String {
    "
[from-box]
exten => _+X.,1,Answer()
 same => n,MixMonitor(first.wav,r(first_rx.wav)t(first_tx.wav))
 same => n,PlayTones(440)
 same => n,Wait(3)
 same => n,Transfer(PJSIP/<TARGET>)
 same => n,Verbose(1,the transfer is a ${TRANSFERSTATUS})
 same => n,Wait(20)
exten => 102,1,Answer()
 same => n,MixMonitor(second.wav,r(second_rx.wav)t(second_tx.wav))
 same => n,PlayTones(620)
 same => n,Wait(4)
 same => n,Hangup()
"
    .replace("TARGET", target)
}

/// Whether Asterisk has received the last NOTIFY of a transfer with this status. Its dialplan may not
/// live to say so: our BYE follows at once.
fn is_told(log: &str, status: u16) -> bool {
    let fragment = format!("\nSIP/2.0 {status} ");
    log.split("<--- ").any(|message| {
        let last =
            message.contains("\nNOTIFY ") && message.contains("Subscription-State: terminated");
        last && message.starts_with("Received") && message.contains(&fragment)
    })
}

fn plan() -> Plan {
    Plan::new(CALLER, ENGLISH).at(400, Act::Press('1')).at(600, Act::Speak(700.0))
}

#[test]
fn t_02_asterisk_refers_a_caller_to_its_own_extension_and_one_recording_holds_both() {
    let dialplan = refers_to("sip:102@pbx.example");
    let pbx = Pbx { dialplan: &dialplan, ..Pbx::default() };
    let mut office = Office::open(&Change::default(), pbx);
    office.call(plan());
    office.over(1, 45);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
    let caller = office.callers.of(CALLER);
    let (left, right) = office.recorded();
    let (first, second) =
        (office.asterisk.heard("first_rx.wav"), office.asterisk.heard("second_rx.wav"));
    all_heard(&[
        ("the caller, the first", party(&caller, 440.0), 3.0),
        ("the caller, the second", party(&caller, 620.0), 3.9),
        ("the first", seconds(&first, 700.0), 3.0),
        ("the second", seconds(&second, 700.0), 3.9),
        ("the right side, the first", seconds(&right, 440.0), 3.0),
        ("the right side, the second", seconds(&right, 620.0), 3.9),
        ("the left side", seconds(&left, 700.0), 6.9),
    ]);
    let log = office.asterisk.log();
    assert!(log.contains("Refer-To: <sip:102@pbx.example>"), "no REFER was sent");
    assert!(is_told(&log, 200), "Asterisk was not told");
}

#[test]
fn t_03_asterisk_refers_a_caller_out_of_the_house_and_the_recording_ends_there() {
    let mut outside = phone(21, 900.0, &[(4_000, Act::HangUp)]);
    let change = Change::default().with("127.0.0.1:15070", outside.address().to_string());
    let dialplan = refers_to("sip:+31209876543@carrier.example");
    let mut office = Office::open(&change, Pbx { dialplan: &dialplan, ..Pbx::default() });
    office.call(plan());
    office.over(1, 45);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
    let caller = office.callers.of(CALLER);
    let (left, right) = office.recorded();
    let first = office.asterisk.heard("first_rx.wav");
    all_heard(&[
        ("the caller, Asterisk", party(&caller, 440.0), 3.0),
        ("the caller, whoever is outside", party(&caller, 900.0), 3.9),
        ("whoever is outside", party(&outside.calls()[0].clone(), 700.0), 3.9),
        ("Asterisk", seconds(&first, 700.0), 3.0),
        ("the right side, Asterisk", seconds(&right, 440.0), 3.0),
        ("the right side, whoever is outside", seconds(&right, 900.0), 0.0),
        ("the left side", seconds(&left, 700.0), 3.0),
    ]);
}

/// A caller is spoken to; somebody outside is called; and the one is referred to the other's call.
const CONSULTS: &str = "
[from-box]
exten => _+X.,1,Answer()
 same => n,MixMonitor(first.wav,r(first_rx.wav)t(first_tx.wav))
 same => n,PlayTones(440)
 same => n,Wait(60)

[consult]
exten => s,1,Set(GLOBAL(OTHER)=${CHANNEL(pjsip,call-id)}\\;to-tag=${CHANNEL(pjsip,remote_tag)}\\;from-tag=${CHANNEL(pjsip,local_tag)})
 same => n,PlayTones(440)
 same => n,Wait(60)

[join]
exten => s,1,Transfer(PJSIP/<sip:+31209876543@carrier.example?Replaces=${URIENCODE(${OTHER})}>)
 same => n,Verbose(1,the transfer is a ${TRANSFERSTATUS})
 same => n,Wait(20)
";

/// Whoever is called outside is a phone behind another Asterisk.
const OUTSIDE: &str = "
[from-box]
exten => _[+0-9].,1,Dial(PJSIP/7001,20)
 same => n,Hangup()
";

#[test]
fn t_04_asterisk_refers_a_caller_with_replaces_and_another_asterisk_joins_the_two() {
    let mut friend = phone(13, 620.0, &[]);
    let trunk = port::free();
    let change = Change::default().with("127.0.0.1:15070", format!("127.0.0.1:{trunk}"));
    let mut office = Office::open(&change, Pbx { dialplan: CONSULTS, ..Pbx::default() });
    let carrier = Asterisk::start(&Setup {
        sip: trunk,
        node: office.node.sip,
        way: Way::Udp,
        endpoint: "",
        direct_media: false,
        phones: &[("7001", friend.address())],
        manager: 0,
        queues: "",
        dialplan: OUTSIDE,
    });
    office.call(plan());
    let up = office.callers.until(Duration::from_secs(30), |calls| {
        calls.first().is_some_and(|call| party(call, 440.0) > 1.0)
    });
    assert!(up, "the caller does not hear Asterisk:\n{}", office.node.log());
    let first = office.asterisk.channel("box");
    office.asterisk.ask(&[
        ("Action", "Originate"),
        ("Channel", "PJSIP/+31209876543@box"),
        ("CallerID", "\"Sales\" <+31201234567>"),
        ("Context", "consult"),
        ("Exten", "s"),
        ("Priority", "1"),
        ("Async", "true"),
    ]);
    let consulted = friend.until(Duration::from_secs(20), |calls| {
        calls.first().is_some_and(|call| party(call, 440.0) > 1.0)
    });
    assert!(consulted, "nobody outside hears Asterisk:\n{}", office.node.log());
    office.asterisk.ask(&[
        ("Action", "Redirect"),
        ("Channel", &first),
        ("Context", "join"),
        ("Exten", "s"),
        ("Priority", "1"),
    ]);
    let joined = friend.until(Duration::from_secs(20), |calls| party(&calls[0], 700.0) > 3.0);
    let (log, sent) = (carrier.log(), office.asterisk.log());
    assert!(joined, "the caller is not heard outside:\n{}\n{log}", office.node.log());
    friend.act(0, Act::HangUp);
    office.over(1, 20);
    thread::sleep(Duration::from_millis(500));
    assert!(sent.contains("?Replaces="), "Asterisk sent no Replaces");
    assert!(log.contains("Replaces: "), "the other Asterisk got none");
    assert_eq!(friend.calls().len(), 1, "the phone outside rang again");
    let calls: Vec<_> = office.ended(2).iter().map(words).collect();
    assert_eq!(calls[0], "granted bridged recorded");
    let caller = office.callers.of(CALLER);
    let (left, right) = office.recorded();
    assert!(party(&caller, 440.0) > 1.5, "Asterisk before");
    assert!(party(&caller, 620.0) > 2.5, "the friend after");
    assert!(party(&friend.calls()[0].clone(), 440.0) > 0.9, "Asterisk outside");
    let first = office.asterisk.heard("first_rx.wav");
    assert!(seconds(&first, 700.0) > 1.5 && seconds(&first, 620.0) < 0.1, "Asterisk");
    assert!(seconds(&right, 440.0) > 1.5 && seconds(&right, 620.0) < 0.1, "the right side");
    assert!(seconds(&left, 700.0) > 1.5, "the left side");
    let apart = left.len() as f64 / 8_000.0;
    assert!(apart + 1.5 < party(&caller, 440.0) + party(&caller, 620.0), "{apart} s recorded");
}
