//! Speech that is recognised wherever it lies: every packet says which one it is.

use std::{
    fs::File,
    io::Read,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::Instant,
};

use jawoord::phone::Payloads;
use memchr::memmem::Finder;

/// Random bytes that stand in every packet of one speaker, ten times.
const NAME: usize = 8;
/// The name, behind it the number of the packet, and the number again, mixed with the name: one that is
/// cut where a buffer ends, with something else behind it, is none.
const TRACE: usize = 16;

/// How a sample is kept: as received, in two bytes with a code, or decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One byte of A-law.
    Coded,
    /// A-law in two bytes.
    Widened,
    /// 16-bit samples.
    Decoded,
}

const FORMS: [Form; 3] = [Form::Coded, Form::Widened, Form::Decoded];

impl Form {
    fn of(self, coded: &[u8]) -> Vec<u8> {
        let wide = |sample: fn(u8) -> u16| {
            coded.iter().flat_map(|code| sample(*code).to_le_bytes()).collect()
        };
        match self {
            Self::Coded => coded.to_vec(),
            Self::Widened => wide(u16::from),
            Self::Decoded => wide(|code| decode(code) as u16),
        }
    }
}

/// A-law to 16 bits (ITU-T G.711, table 1a).
fn decode(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (segment, step) = (code >> 4 & 7, i16::from(code & 15) << 4);
    let size = match segment {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -size } else { size }
}

/// What one speaker says, and when each packet was sent.
pub struct Traces {
    name: [u8; NAME],
    noted: Receiver<Instant>,
    sent: Vec<Instant>,
}

/// A packet that lies where it was looked for.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Which packet of its speaker; `None` when its number is not, or no longer, behind it.
    pub packet: Option<usize>,
    /// How it is kept.
    pub form: Form,
    /// Where in the bytes it is.
    #[allow(dead_code, reason = "it is printed when a test fails")]
    pub place: usize,
}

impl Traces {
    /// A speaker of its own, and what a phone says in its name.
    pub fn new() -> (Self, Payloads) {
        let mut name = [0; NAME];
        let mut random = File::open("/dev/urandom").expect("random bytes");
        random.read_exact(&mut name).expect("random bytes");
        let (note, noted) = channel();
        let counter = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let payloads = Payloads::new(move || packet(name, &counter, &note));
        (Self { name, noted, sent: Vec::new() }, payloads)
    }

    /// When each packet was sent, until now.
    pub fn sent(&mut self) -> &[Instant] {
        self.sent.extend(self.noted.try_iter());
        &self.sent
    }

    /// Every packet, in every form, that some of `bytes` hold a trace of.
    pub fn find(&self, bytes: &[u8]) -> Vec<Found> {
        let mut all = Vec::new();
        for form in FORMS {
            let needle = form.of(&self.name);
            let mut before: Option<Found> = None;
            for place in Finder::new(&needle).find_iter(bytes) {
                let said = number(form, self.name, &bytes[place + needle.len()..]);
                // A trace may end where a frame ends: behind it lies what the other party said. Then it is
                // as old as the one before it in the packet.
                let step = needle.len() / NAME * TRACE;
                let same = before.filter(|before| before.place + step == place);
                let packet = said.or_else(|| same?.packet);
                let found = Found { packet, form, place };
                before = Some(found);
                all.push(found);
            }
        }
        all
    }
}

fn packet(
    name: [u8; NAME],
    counter: &std::sync::atomic::AtomicU32,
    note: &Sender<Instant>,
) -> [u8; 160] {
    let number = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut payload = [0; 160];
    for trace in payload.chunks_exact_mut(TRACE) {
        trace.copy_from_slice(&trace_of(name, number));
    }
    // The test may be over before the phone is.
    let _nobody_looks = note.send(Instant::now());
    payload
}

fn trace_of(name: [u8; NAME], number: u32) -> [u8; TRACE] {
    let mut trace = [0; TRACE];
    let (front, numbers) = trace.split_at_mut(NAME);
    front.copy_from_slice(&name);
    let (plain, mixed) = numbers.split_at_mut(4);
    plain.copy_from_slice(&number.to_be_bytes());
    mixed.copy_from_slice(&(number ^ mix(name)).to_be_bytes());
    trace
}

/// What the second number is mixed with.
fn mix(name: [u8; NAME]) -> u32 {
    u64::from_be_bytes(name) as u32
}

/// The number behind a name, if all of it is there.
fn number(form: Form, name: [u8; NAME], bytes: &[u8]) -> Option<usize> {
    let codes: Vec<u8> = match form {
        Form::Coded => bytes.get(..8)?.to_vec(),
        Form::Widened => bytes.get(..16)?.iter().step_by(2).copied().collect(),
        Form::Decoded => return None,
    };
    let codes: [u8; 8] = codes.try_into().ok()?;
    let both = u64::from_be_bytes(codes);
    let (plain, mixed) = ((both >> 32) as u32, both as u32);
    (plain == mixed ^ mix(name)).then_some(plain as usize)
}

#[test]
fn a_packet_is_found_in_every_form_it_may_be_kept_in() {
    let (mut traces, _) = Traces::new();
    let (note, noted) = channel();
    traces.noted = noted;
    let counter = std::sync::atomic::AtomicU32::new(0x0102_0304);
    let payload = packet(traces.name, &counter, &note);
    assert_eq!(traces.sent().len(), 1);
    for form in FORMS {
        let kept = [b"before".to_vec(), form.of(&payload), b"behind".to_vec()].concat();
        let found = traces.find(&kept);
        let here: Vec<_> = found.iter().filter(|found| found.form == form).collect();
        assert_eq!(here.len(), 10, "{form:?}");
        let number = (form != Form::Decoded).then_some(0x0102_0304);
        assert!(here.iter().all(|found| found.packet == number), "{form:?}");
    }
    assert!(traces.find(&[0; 4_096]).is_empty());
}

#[test]
fn a_trace_whose_number_is_cut_is_as_old_as_the_one_before_it() {
    let (traces, _) = Traces::new();
    let cuts = (8..14).flat_map(|kept| [0xEE, 0, 0xFF].map(|behind| (kept, behind)));
    for (number, (kept, behind)) in cuts.flat_map(|cut| [0, 255, 300].map(|number| (number, cut))) {
        let whole = trace_of(traces.name, number);
        let cut = [&whole[..kept], &[behind; 164]].concat();
        let found = traces.find(&[&whole[..], &cut].concat());
        let packets: Vec<_> = found.iter().map(|found| found.packet).collect();
        assert_eq!(packets, [Some(number as usize); 2], "{kept} bytes before {behind:#x}");
        assert_eq!(traces.find(&cut)[0].packet, None, "{kept} bytes before {behind:#x}");
    }
}

#[test]
fn a_law_is_decoded_as_the_table_says() {
    for (code, sample) in [(0xD5, 8), (0x55, -8), (0xAA, 32_256), (0x2A, -32_256), (0xC5, 264)] {
        assert_eq!(decode(code), sample, "{code:#x}");
    }
}
