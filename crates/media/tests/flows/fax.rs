//! The calling tone of a fax on its way through a call: when it is listened for, and what comes of it.

use call::{Connection, Input, Kept, Parties, Party};
use media::{Codec, Encoder, Event};

use crate::stage::{Asked, Stage, ms, sine};

/// A fax calls: half a second of its tone, with quiet before and after it.
fn calls(stage: &mut Stage) {
    let samples = [vec![0; 800], sine(1_100.0, 6_000.0, 4_000), vec![0; 1_600]].concat();
    let mut encoder = Encoder::new(Codec::Pcma);
    let speech = samples.iter().map(|sample| encoder.encode(*sample)).collect();
    stage.customer.speak(stage.now, speech);
    stage.run(ms(800));
    stage.customer.hush();
}

fn faxes(stage: &Stage) -> usize {
    stage.events.iter().filter(|event| **event == Event::Fax).count()
}

#[test]
fn a_fax_that_is_asked_has_the_pbx_called_at_once_and_is_not_recorded() {
    let mut stage = Stage::asking(Parties::BOTH);
    calls(&mut stage);
    assert_eq!((faxes(&stage), &stage.asked[..]), (1, &[Asked::Dial][..]));
    assert_eq!(stage.keys(), "", "row B-28: its tones are no keys");
    stage.tell(Input::Answered);
    stage.press(Party::Customer, 1);
    calls(&mut stage);
    assert_eq!((faxes(&stage), stage.reader.is_none()), (1, true));
}

#[test]
fn b_28_what_a_fax_sends_reaches_the_pbx_bit_by_bit_and_is_no_key() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    stage.agent.heard.clear();
    // Calling tone, answer tone and the hum of a modem, in the loudest samples that there are.
    let (cng, ced) = (sine(1_100.0, 32_000.0, 4_000), sine(2_100.0, 32_000.0, 4_000));
    let modem: Vec<i16> = (0..8_000_u32).map(|n| (n.wrapping_mul(40_503) >> 3) as i16).collect();
    let samples = [cng, ced, modem].concat();
    let mut encoder = Encoder::new(Codec::Pcma);
    let sent: Vec<u8> = samples.iter().map(|sample| encoder.encode(*sample)).collect();
    stage.customer.speak(stage.now, sent.clone());
    stage.run(ms(2_000));
    stage.customer.hush();
    let heard: Vec<u8> =
        stage.agent.heard.iter().flat_map(|packet| packet.payload.clone()).collect();
    assert_eq!(heard.len(), sent.len());
    assert!(heard == sent, "not one octet is another");
    assert_eq!((stage.keys().as_str(), faxes(&stage)), ("", 0));
}

#[test]
fn nobody_listens_for_a_fax_before_the_notice_while_it_rings_or_in_the_call() {
    // Nothing has been said yet.
    let mut stage = Stage::bare();
    calls(&mut stage);
    assert_eq!(faxes(&stage), 0);
    // The PBX rings, and the caller is asked nothing any more.
    let mut stage = Stage::asking(Parties::BOTH);
    stage.press(Party::Customer, 2);
    stage.run(ms(600));
    assert_eq!(stage.asked, [Asked::Dial]);
    calls(&mut stage);
    assert_eq!(faxes(&stage), 0);
    // The parties talk.
    stage.tell(Input::Answered);
    stage.relay.keep(Party::Customer, Kept::Nothing);
    calls(&mut stage);
    assert_eq!(faxes(&stage), 0);
    // A question in the call has the customer heard, and nobody else.
    stage.relay.keep(Party::Customer, Kept::All);
    calls(&mut stage);
    assert_eq!(faxes(&stage), 1);
}
