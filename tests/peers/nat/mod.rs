//! A box behind a 1:1 NAT with its legs on different networks, in network namespaces (privileged).

use std::{fs, path::Path, process::Command};

use support::{
    node::{program, root},
    pcap,
    sound::{channels, encode_a, tone},
};

use super::seconds;

/// The lab's configuration, with a listener and a range of media ports on either network.
fn configuration() -> String {
    let lab = fs::read_to_string(root().join("config/lab.toml")).expect("the lab");
    let replaced = [
        (
            "name = \"lab\"\nbind = \"127.0.0.1:15060\"",
            "name = \"outside\"\nbind = \"10.0.0.10:5060\"\nadvertised_address = \"203.0.113.10\"\n\n[[listener]]\nname = \"inside\"\nbind = \"192.168.50.10:5060\"",
        ),
        (
            "[media]\nbind = \"127.0.0.1\"",
            "[media]\nbind = \"10.0.0.10\"\nadvertised_address = \"203.0.113.10\"",
        ),
        (
            "[[trunk]]\nname = \"carrier\"\nnetworks = [\"127.0.0.0/8\", \"::1/128\"]",
            "[[media.range]]\nname = \"inside\"\nbind = \"192.168.50.10\"\nport_min = 20000\nport_max = 20399\n\n[[trunk]]\nname = \"carrier\"\nnetworks = [\"198.51.100.0/24\"]\nlistener = \"outside\"",
        ),
        ("127.0.0.1:15070", "198.51.100.2:5060"),
        (
            "address = \"127.0.0.1:15080\"",
            "address = \"192.168.50.20:5060\"\nlistener = \"inside\"\nmedia = \"inside\"",
        ),
        ("[[retention]]", "[prompts]\nallow_placeholder_voice = true\n\n[[retention]]"),
    ];
    replaced.iter().fold(lab, |text, (from, to)| {
        assert!(text.contains(from), "config/lab.toml no longer holds {from:?}");
        text.replacen(from, to, 1)
    })
}

fn sound(path: &Path, hz: f64, millis: u32) {
    let encoded: Vec<u8> = tone(hz, millis, 8_000.0).into_iter().map(encode_a).collect();
    pcap::write(path, 0x5151_0001, &pcap::audio(&encoded, 8, 100)).expect("a capture");
}

#[test]
fn a_box_behind_a_one_to_one_nat_names_the_right_address_to_either_side_and_speech_passes() {
    let work = tempfile::TempDir::new().expect("a temporary folder");
    let at = |name: &str| work.path().join(name);
    fs::write(at("node.toml"), configuration()).expect("a file");
    for scenario in ["caller_question.xml", "pbx_answers.xml"] {
        let from = root().join("tests/wire/scenarios").join(scenario);
        fs::copy(from, at(scenario)).expect("a scenario");
    }
    // Whoever echoes says nothing of his own but 20 ms of silence.
    for (call, talk, pbx) in
        [("first", (0.0, 20), (440.0, 3_000)), ("second", (700.0, 3_000), (0.0, 20))]
    {
        fs::create_dir(at(call)).expect("a folder");
        let to = |name: &str| at(call).join(name);
        sound(&to("marker.pcap"), 0.0, 20);
        sound(&to("talk.pcap"), talk.0, talk.1);
        sound(&to("tone.pcap"), pbx.0, pbx.1);
        let key = "/usr/share/sip-tester/dtmf_2833_1.pcap";
        fs::copy(key, to("key.pcap")).expect("package sip-tester");
    }
    let output = Command::new("unshare")
        .args(["--mount", "--net", "--pid", "--fork", "--kill-child"])
        .arg(root().join("tests/peers/nat/calls"))
        .arg(program("jawoord"))
        .arg(work.path())
        .output()
        .expect("unshare");
    let read = |name: &str| fs::read_to_string(at(name)).unwrap_or_default();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{}\n{}", read("node.log"), read("first/carrier.out"));

    let (carrier, pbx) = (read("first/carrier.log"), read("first/pbx.log"));
    for address in ["10.0.0.10", "192.168.50."] {
        assert!(!carrier.contains(address), "the carrier is told {address}:\n{carrier}");
    }
    for line in ["Contact: <sip:203.0.113.10:5060", "c=IN IP4 203.0.113.10"] {
        assert!(carrier.contains(line), "{line} is not told to the carrier:\n{carrier}");
    }
    for address in ["10.0.0.10", "203.0.113.10", "198.51.100.2"] {
        assert!(!pbx.contains(address), "the PBX is told {address}:\n{pbx}");
    }
    for line in ["Via: SIP/2.0/UDP 192.168.50.10:5060", "c=IN IP4 192.168.50.10"] {
        assert!(pbx.contains(line), "{line} is not told to the PBX:\n{pbx}");
    }

    let files = fs::read_dir(work.path()).expect("a folder").flatten().map(|file| file.path());
    let calls: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "wav"))
        .map(|path| channels(&path))
        .collect();
    assert_eq!(calls.len(), 2, "{said}");
    // An echo on one side proves that the tone of the other went all the way there and back.
    for hz in [440.0, 700.0] {
        let both = |(left, right): &(Vec<i16>, Vec<i16>)| seconds(left, hz).min(seconds(right, hz));
        assert!(calls.iter().map(both).fold(0.0, f64::max) > 2.0, "{hz} Hz does not come back");
    }
}
