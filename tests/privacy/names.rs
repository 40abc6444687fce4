//! Who called whom: not in a log line, not in a metric, not in the name of a file.

use std::{
    net::{SocketAddr, UdpSocket},
    thread,
    time::Duration,
};

use jawoord::phone::{Manner, Order, Phone, What};
use support::node::{Change, Node};

use crate::{
    calls::{Call, DIALLED, until},
    disk::files,
};

/// Where the caller and the PBX are: addresses that nothing else of the test has.
const CALLER: [u8; 4] = [127, 0, 0, 77];
const PBX: [u8; 4] = [127, 0, 0, 88];
/// What belongs to a person: numbers however they are written, the name, both addresses.
const PERSONAL: [&str; 5] = ["612345678", "201234567", "Klant", "127.0.0.77", "127.0.0.88"];

/// Messages that are wrong in the ways that make programs complain about them by quoting them.
fn nonsense(node: &Node) {
    let socket = UdpSocket::bind(SocketAddr::from((CALLER, 0))).expect("a socket");
    let to = format!("INVITE sip:{DIALLED}@127.0.0.1 SIP/2.0\r\n");
    let from = "From: \"Klant\" <sip:+31612345678@127.0.0.77>;tag=1\r\n";
    let via = "Via: SIP/2.0/UDP 127.0.0.77:5060;branch=z9hG4bKx\r\n";
    let rest =
        format!("To: <sip:{DIALLED}@127.0.0.1>\r\nCall-ID: Klant@127.0.0.77\r\nCSeq: 1 INVITE\r\n");
    let contact = "Contact: <sip:+31612345678@127.0.0.77>\r\n";
    let broken = "v=0\r\no=Klant 1 1 IN IP4 127.0.0.77\r\ns=Klant\r\nm=audio x\r\n";
    for message in [
        from.to_owned(),
        format!("{to}{from}\r\n"),
        format!("{to}{via}{from}{rest}\r\n"),
        format!(
            "{to}{via}{from}{rest}{contact}Max-Forwards: 70\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{broken}",
            broken.len()
        ),
        format!("SIP/2.0 486 Klant {DIALLED}\r\n{via}{from}{rest}\r\n"),
    ] {
        socket.send_to(message.as_bytes(), ("127.0.0.1", node.sip)).expect("sent");
    }
}

#[test]
fn no_log_line_metric_or_file_name_says_who_called_whom() {
    let change = Change::default()
        .with("address = \"127.0.0.1:", "address = \"127.0.0.88:")
        .under("RUST_LOG", "debug");
    let node = Node::start(&change);
    let mut call = Call::place(&node, CALLER, PBX);
    call.bridge('1');
    thread::sleep(Duration::from_millis(1_500));
    call.hang_up();
    drop(call);
    nonsense(&node);
    let alone = Phone::start(SocketAddr::from((CALLER, 0)), Manner::Caller).expect("a phone");
    let to = SocketAddr::from(([127, 0, 0, 1], node.sip));
    alone.order(Order::Call { node: to, number: DIALLED.to_owned() });
    let _at = until(&alone, What::Answered);
    alone.order(Order::HangUp);
    let _at = until(&alone, What::Ended);
    let ended = |list: &serde_json::Value| {
        let words = list.as_array().into_iter().flatten().filter(|call| !call["verdict"].is_null());
        words.count() == 2
    };
    let _two = node.until(&["calls", "list"], ended);

    let (log, metrics) = (node.log(), node.metrics());
    assert!(log.matches("call ended").count() >= 2, "{log}");
    assert!(metrics.contains("jawoord_"), "{metrics}");
    let names = files(&node.data()).into_iter().chain(files(node.home.path()));
    let names: String = names.map(|path| format!("{}\n", path.display())).collect();
    for (place, text) in [("log", &log), ("metrics", &metrics), ("file names", &names)] {
        for personal in PERSONAL {
            let line = text.lines().find(|line| line.contains(personal));
            assert_eq!(line, None, "{personal} in the {place}");
        }
    }
}
