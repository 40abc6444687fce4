//! The encoded text of every fact and of evidence, held against committed files: what was signed
//! once must read the same for as long as anybody can ask for it.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read fails its test")]

mod support;

use call::*;
use support::*;

const AT: Time = START;

/// Compares with a committed file, or writes it when `JAWOORD_BLESS` is set.
fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("JAWOORD_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "{name} has changed");
}

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

/// Those of a recording's time line of agents.
fn of_agents() -> [Fact; 3] {
    let (agent, queue) = (AgentId::from_bytes([0xa9; 16]), "support".into());
    [
        Fact::AgentConnected { recording: RECORDING, agent, queue, by: AgentSource::Ami },
        Fact::AgentLeft { recording: RECORDING, by: AgentSource::Api },
        Fact::AgentUnknown { recording: RECORDING, by: AgentSource::Sip },
    ]
}

/// The last ones of the list.
fn at_the_end() -> [Fact; 2] {
    let reconciled = Fact::Reconciled {
        from: AT,
        to: AT + std::time::Duration::from_secs(86_400),
        calls: 20_000,
        recordings: 9_000,
        objects: 8_900,
        mismatches: 1,
        report: digest(7),
    };
    let (consent, outcome, verdict) = (Consent::NotGiven, Outcome::NoAnswer, Verdict::NotGiven);
    [reconciled, Fact::CallEnded { call: CALL, consent, outcome, verdict }]
}

/// One fact of each kind, in the order of the list.
fn facts() -> Vec<Fact> {
    let (line, [met, missed, lost]) = (asked(asking()).line.unwrap(), of_agents());
    let [reconciled, ended] = at_the_end();
    let (seconds, reason) = (Erasure { from: 10, to: 20 }, Reason::Withdrawal);
    vec![
        Fact::NodeStarted { configuration: digest(1), version: "0.1.0" },
        Fact::ConfigurationChanged { configuration: digest(2) },
        Fact::CallOpened {
            call: CALL,
            tenant: line.tenant.clone(),
            line: line.id.clone(),
            policy: line.policy.id.clone(),
            policy_version: 7,
            policy_hash: line.policy.hash,
        },
        Fact::ConsentDecided { call: CALL, consent: Consent::Granted },
        Fact::CustomerObjected { call: CALL },
        Fact::WithdrawalTold { call: CALL, by: Hand::Operator },
        Fact::RecordingPermitted {
            call: CALL,
            recording: RECORDING,
            ground: Ground::Consent,
            purposes: asking().purposes,
            evidence: HASH,
        },
        Fact::SlipRevised { recording: RECORDING, revision: 2, epoch: 3, commitment: digest(4) },
        Fact::RecordingSealed {
            recording: RECORDING,
            manifest: digest(5),
            seconds: 61,
            missing_ms: 40,
        },
        Fact::RecordingStored {
            recording: RECORDING,
            object: digest(6),
            country: "NL".into(),
            provider: "own, 100 %".into(),
        },
        Fact::RecordingRecovered { recording: RECORDING, seconds: 59 },
        Fact::RecordingGap { recording: RECORDING, missing_ms: 80 },
        Fact::RecordingPaused { recording: RECORDING, by: Hand::Agent },
        Fact::RecordingResumed { recording: RECORDING, by: Hand::Limit },
        met,
        missed,
        lost,
        Fact::EraseIntended { recording: RECORDING, seconds, reason: Reason::Request },
        Fact::Erased { recording: RECORDING, seconds, reason: Reason::Request },
        Fact::DeletionIntended { recording: RECORDING, reason: Reason::Retention },
        Fact::RecordingDeleted { recording: RECORDING, reason, manifest: digest(0) },
        Fact::Unrecoverable { recording: RECORDING },
        Fact::EpochOpened { epoch: 3, tenant: line.tenant.clone(), month: "2026-12".into() },
        Fact::EpochClosed { epoch: 3 },
        Fact::EpochDestroyed { epoch: 3 },
        Fact::RecordingRead { recording: RECORDING, access: "play" },
        reconciled,
        ended,
    ]
}

#[test]
fn every_fact_is_encoded_as_the_golden_file_says() {
    let facts = facts();
    let kinds: Vec<_> = facts.iter().map(Fact::kind).collect();
    for kind in FactKind::ALL {
        assert!(kinds.contains(kind), "the golden file lacks {}", kind.as_str());
        assert_eq!(FactKind::from_name(kind.as_str()), Some(*kind));
    }
    assert_eq!(FactKind::from_name("slip"), None);
    let texts = facts.iter().map(|fact| String::from_utf8(fact.encode(AT)).unwrap());
    golden("facts.txt", &texts.collect::<Vec<_>>().join("\n"));
}

#[test]
fn evidence_is_encoded_as_the_golden_file_says() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.press('*');
    desk.hear();
    desk.wait(700);
    desk.press('1');
    desk.cut(5_600);
    let evidence = desk.evidence.unwrap();
    let text = String::from_utf8(evidence.encode()).unwrap();
    golden("evidence.txt", &text);
    assert!(!format!("{evidence:?}").contains("Key('"), "keys are private in every other form");
}

#[test]
fn every_name_that_stands_in_facts_keeps_its_spelling() {
    let names = |name: &str, all: Vec<_>| format!("{name}: {}\n", all.join(" "));
    let mut text = String::new();
    text += &names("consent", Consent::ALL.iter().map(|word| word.as_str()).collect());
    text += &names("outcome", Outcome::ALL.iter().map(|word| word.as_str()).collect());
    text += &names("verdict", Verdict::ALL.iter().map(|word| word.as_str()).collect());
    text += &names("ground", Ground::ALL.iter().map(|word| word.as_str()).collect());
    text += &names("purpose", Purpose::ALL.iter().map(|word| word.as_str()).collect());
    text += &names("prompt", Prompt::ALL.iter().map(|word| word.as_str()).collect());
    text += &names("party", [Party::Customer, Party::Agent].iter().map(|p| p.as_str()).collect());
    text += &names("reason", Reason::ALL.iter().map(|word| word.as_str()).collect());
    let transports = [Transport::Rfc4733, Transport::Info, Transport::Inband];
    text += &names("transport", transports.iter().map(|word| word.as_str()).collect());
    golden("names.txt", &text);
}

#[test]
fn every_name_is_read_back() {
    assert!(Consent::ALL.iter().all(|word| Consent::from_name(word.as_str()) == Some(*word)));
    assert!(Outcome::ALL.iter().all(|word| Outcome::from_name(&word.to_string()) == Some(*word)));
    assert!(Verdict::ALL.iter().all(|word| Verdict::from_name(&word.to_string()) == Some(*word)));
    assert!(Ground::ALL.iter().all(|word| Ground::from_name(&word.to_string()) == Some(*word)));
    assert!(Purpose::ALL.iter().all(|word| Purpose::from_name(word.as_str()) == Some(*word)));
    assert!(Prompt::ALL.iter().all(|word| Prompt::from_name(&word.to_string()) == Some(*word)));
    assert_eq!(Verdict::from_name("Recorded"), None);
}
