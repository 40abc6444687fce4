//! Known answers: Tink's 4 KB layout, the key tree, a sealed slip, and a whole object of version 1.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a vector that cannot be computed fails its test"
)]

use ring::digest::{SHA256, digest};
use std::io::Cursor;

use call::{RecordingId, TenantId};
use vault::{
    Absence, ChunkKey, Codec, EpochKey, EpochNumber, Frontier, Gap, Heard, MetadataField, NodeSet,
    OpenError, Reader, RootSeed, SealedSlip, Sealer, Segment, Slip, State, StreamSalt, Trust,
    open_stream, verify_object,
};

const ASSOCIATED: &[u8] = b"rec:test-1";

fn counting<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|place| first + place as u8)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn sealer() -> Sealer {
    let stream = StreamSalt { salt: counting(0x20), nonce_prefix: counting(0x40) };
    Sealer::new(&key(), ASSOCIATED, &stream)
}

fn key() -> ChunkKey {
    ChunkKey::from_bytes(counting(0))
}

fn join(segments: &[Segment]) -> Vec<u8> {
    segments.iter().flat_map(|segment| segment.bytes.clone()).collect()
}

fn seal(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    sealer().finish(plain, &mut out).unwrap();
    join(&out)
}

fn header() -> String {
    hex(&[&[0x28][..], &counting::<32>(0x20), &counting::<7>(0x40)].concat())
}

#[test]
fn short_plaintexts_seal_to_tinks_bytes() {
    assert_eq!(hex(&seal(b"")), header() + "a417ee28e5e5bbc52b0a91377c7213aa");
    assert_eq!(hex(&seal(b"hello")), header() + "8df7ffa26f98350add76caae231854417b1efea13e");
}

/// Plaintext length, ciphertext length, SHA-256 of the ciphertext; the plaintext is zeros.
const ZEROS: [(usize, usize, &str); 4] = [
    (4_040, 4_096, "af972f173aca4e58c26bce4882e3a62714891ac339cb624dfe6ae3eea66890f3"),
    (4_041, 4_113, "76e8ab77dc098104b61d207fec18252e8a283141682272249a4dd2ef59cc8b7a"),
    (8_120, 8_192, "d55363d4e2590ba7e51e2871144c1939b9d53d2e3f9d48753c51f810563e118b"),
    (8_121, 8_209, "c83137fe9c5fd841f3c86865647e4e030de4d9f449cac454d2d38049eddb0715"),
];

#[test]
fn plaintexts_around_a_segments_end_seal_to_tinks_bytes() {
    for (length, sealed_length, sum) in ZEROS {
        let sealed = seal(&vec![0; length]);
        assert_eq!((sealed.len(), sha256(&sealed).as_str()), (sealed_length, sum), "{length}");
    }
}

#[test]
fn forty_segments_seal_to_tinks_bytes_however_they_are_pushed() {
    let plain: Vec<u8> = (0..160_000_u32).map(|place| (place % 251) as u8).collect();
    let sum = "389bbc6cd41f135ed3d988e9a58821cc9c2c7432cdc9ea5a12b66a3d9b94cee2";
    let sealed = seal(&plain);
    assert_eq!((sealed.len(), sha256(&sealed).as_str()), (160_680, sum));
    for step in [1, 320, 4_080, 4_096, 50_000] {
        let (mut pieces, mut out) = (sealer(), Vec::new());
        let (early, end) = plain.split_at(plain.len() - 1);
        early.chunks(step).for_each(|piece| pieces.push(piece, &mut out).unwrap());
        pieces.finish(end, &mut out).unwrap();
        assert_eq!(join(&out), sealed, "pushed by {step}");
        assert_eq!(out.iter().filter(|segment| segment.last).count(), 1);
    }
}

#[test]
fn a_full_segment_is_given_out_at_once() {
    let (mut sealer, mut out) = (sealer(), Vec::new());
    sealer.push(&[0; 4_039], &mut out).unwrap();
    assert!(out.is_empty());
    sealer.push(&[0; 1], &mut out).unwrap();
    assert_eq!(out.len(), 1);
    assert!(!out[0].last && out[0].bytes.len() == 4_096);
}

#[test]
fn what_tink_refuses_is_refused() {
    for (length, ..) in ZEROS {
        let sealed = seal(&vec![0; length]);
        let open = |bytes: &[u8], associated: &[u8]| open_stream(&key(), associated, bytes, true);
        assert_eq!(**open(&sealed, ASSOCIATED).unwrap(), vec![0; length]);
        assert!(open(&sealed, b"rec:test-2").is_err(), "another recording");
        for cut in [1, 17] {
            assert!(open(&sealed[..sealed.len() - cut], ASSOCIATED).is_err(), "{cut} cut off");
        }
        if sealed.len() > 4_096 {
            assert_eq!(open(&sealed[..4_096], ASSOCIATED).err(), Some(OpenError::Segment(0)));
        }
        for bit in [0, 8, 300, 320, sealed.len() * 8 - 1] {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&damaged, ASSOCIATED).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn a_cut_stream_opens_as_far_as_it_goes_and_only_when_asked_so() {
    let sealed = seal(&[7; 9_000]);
    let whole_segments = &sealed[..8_192];
    assert!(open_stream(&key(), ASSOCIATED, whole_segments, true).is_err());
    let cut = open_stream(&key(), ASSOCIATED, whole_segments, false).unwrap();
    assert_eq!(**cut, vec![7; 8_120]);
    assert!(open_stream(&key(), ASSOCIATED, &sealed, false).is_err(), "its end is marked");
}

const ROOT: fn() -> RootSeed = || RootSeed::from_bytes(counting(0));

#[test]
fn chunk_keys_are_the_known_ones() {
    let all = NodeSet::root(&ROOT());
    let key = |chunk| hex(all.leaf(chunk).unwrap().key().reveal());
    assert_eq!(key(0), "6c9a8749bd2edd573f80036ab02b62c31ebbad94dbfeb200a63ae1747bf3587a");
    assert_eq!(key(1), "10ee1ef124dc354c1a438be4fdc4d11d4c618cd1649b5709cd582681fefd6d35");
    assert_eq!(key(2), "77530c8f1eadeaa4da3ee0942abed93158bacb3e49618561d276a7d1161686d5");
    assert_eq!(key(311), "4224dfeee7df7465271d3a0164ca671d6acf12002ddd4c15e3049b7a075e1643");
    assert_eq!(key(1_048_575), "f01820d380e728162d3ec92ce48a30f5a10009c4f771c1c61c15ed13f856cd61");
    assert!(all.leaf(1_048_576).is_none());
}

#[test]
fn erasing_312_to_345_leaves_the_known_nineteen_nodes() {
    let left = NodeSet::root(&ROOT()).erase(312..346);
    assert_eq!(left.nodes().len(), 19);
    let mut all = Vec::new();
    for node in left.nodes() {
        all.push(node.depth());
        all.extend_from_slice(&node.prefix().to_be_bytes());
        all.extend_from_slice(node.reveal());
    }
    let sum = "294c0be0ecd363cbc3dbaff68a97d4c80b09e1b5efbebf0d17cbfae6ce89a17e";
    assert_eq!(sha256(&all), sum);
    let known = [
        (12, 0, "bfc7bcd1ab7c1a2c2705b26ce4f27dab49ea0d6841c457ad275699051bafa643"),
        (15, 8, "718049c6d1faf0bb370d4caae7bfe951726c16edd56200233c21763317a47428"),
        (16, 18, "9e8516293fac1bb837c5c53121f835d46a6749ab7e283471049e586f2679c40a"),
        (17, 38, "3d0d199170199a796669eec9e53b95d80c74d5b35e3ac1d06d62cdbc5650fc83"),
    ];
    for (node, (depth, prefix, seed)) in left.nodes().iter().zip(known) {
        assert_eq!(
            (node.depth(), node.prefix(), hex(node.reveal()).as_str()),
            (depth, prefix, seed)
        );
    }
    assert!(left.holds(311) && !left.holds(312) && !left.holds(345) && left.holds(346));
}

#[test]
fn the_frontier_gives_every_key_once_and_forgets_what_is_behind() {
    let all = NodeSet::root(&ROOT());
    let (mut frontier, metadata) = Frontier::new(&ROOT());
    let known = |chunk| hex(all.leaf(chunk).unwrap().key().reveal());
    assert_eq!(hex(metadata.unwrap().key().reveal()), known(1_048_575));
    for chunk in [0, 1, 2, 311, 312, 4_095, 4_096, 1_048_574] {
        assert_eq!(hex(frontier.take(chunk).unwrap().key().reveal()), known(chunk));
        assert!(frontier.take(chunk).is_none(), "{chunk} was taken");
        assert!(frontier.take(chunk.saturating_sub(1)).is_none(), "{chunk} is behind");
    }
    assert!(frontier.take(1_048_575).is_none(), "the metadata's key is not the writer's");
}

const RECORDING: RecordingId = RecordingId::from_bytes(*b"recording-number");

#[test]
fn key_commitments_are_the_known_ones() {
    let all = NodeSet::root(&ROOT());
    let commitment = |chunk| all.leaf(chunk).unwrap().commitment(RECORDING).to_string();
    let known = [
        (0, "4753d857693e7f57faae5dc01faf51db0a3e8d6e2ec7746da282fdeccda7eecb"),
        (311, "b95ad611a1efd8cd0c79ed55ebfbdc5cd684fd473581fb711f6af30e3cc1a9d9"),
        (1_048_575, "5419690afa3f37582c7a8bfdb26f68607b6e502c94d850872672893941deca43"),
    ];
    for (chunk, expected) in known {
        assert_eq!(commitment(chunk), expected, "{chunk}");
    }
}

#[test]
fn a_slip_seals_to_the_known_bytes() {
    let (epoch, tenant) = (EpochNumber(7), TenantId::new("acme").unwrap());
    let key = EpochKey::from_bytes(counting(0x60));
    let slip = Slip::first(RECORDING, &ROOT());
    let sealed = slip.seal_with(&key, epoch, &tenant, counting(0x20)).unwrap();
    let clear = "01000000010000000000000007".to_owned() + &hex(&counting::<32>(0x20));
    let secret = "62d8cc9c1b32f79f5650e35f56dea119fcb09e7f092375ff8ec73c51a6b69335f8b88b7709680c8e\
                  825a374fd1e6d352d8f485eccf2670";
    assert_eq!(hex(sealed.as_bytes()), clear + secret);
    let commitment = "e2ab3d75a0e016bc4069783737726505dc1303d52456d5f7650c7c0fb1fef6c5";
    assert_eq!(sealed.commitment().to_string(), commitment);
    let read = SealedSlip::from_bytes(sealed.as_bytes().to_vec()).unwrap();
    assert!(read.open(&key, &tenant, RECORDING).is_ok());
}

/// What the test voice says: see `spoken` of the bench that made the object.
fn spoken(codec: Codec, shift: u64, at: u64) -> i16 {
    let value = i16::try_from((at * 37 + shift) % 15_000).unwrap() + 500;
    codec.decode(codec.encode(value))
}

#[test]
fn the_object_of_version_1_is_read_for_ever() {
    let object = include_bytes!("vectors/v1.jwr");
    let trust = Trust::parse(include_str!("vectors/v1.trust")).unwrap();
    let seed = RootSeed::from_bytes(*b"the seed of the key tree, 32 by.");
    let slip = Slip::first(RECORDING, &seed);
    let report = verify_object(&mut Cursor::new(object), &trust, Some(&slip)).unwrap();
    assert_eq!(report.findings, []);
    assert!(report.is_proved());
    assert_eq!((report.opened, report.cut), (4, 1));
    assert_eq!(report.manifest.encode(), include_str!("vectors/v1.manifest"));
    let mut reader = Reader::open(Cursor::new(object), slip).unwrap();
    let states: Vec<State> = reader.rows().iter().map(|row| row.state).collect();
    let hold = State::Absent(Absence::Hold);
    assert_eq!(states, [State::Sealed, hold, State::Sealed, State::Cut, State::Sealed]);
    let Heard::Sound(second) = reader.second(2).unwrap() else { panic!("second 2 is there") };
    let gap = Gap { channel: 1, reason: Absence::NoAudio, first: 1_600, samples: 800 };
    assert_eq!((second.codecs, second.gaps.as_slice()), ([Codec::Pcma, Codec::Pcmu], &[gap][..]));
    let number = reader.metadata().unwrap().unwrap();
    let number = number.get(MetadataField::CustomerNumber).unwrap();
    assert_eq!(number.reveal(), "+31612345678");
    let mut heard = vec![[0; 2]; 28_000];
    assert_eq!(reader.read(0, &mut heard).unwrap(), 28_000);
    for (at, [customer, agent]) in (0..).zip(heard) {
        let held = (8_000..16_000).contains(&at);
        let silent = held || (17_600..18_400).contains(&at);
        let expected = if held { 0 } else { spoken(Codec::Pcma, 0, at) };
        assert_eq!(customer, expected, "customer at {at}");
        let expected = if silent { 0 } else { spoken(Codec::Pcmu, 4_001, at) };
        assert_eq!(agent, expected, "agent at {at}");
    }
}

#[test]
fn the_wide_object_of_version_1_is_read_for_ever() {
    let object = include_bytes!("vectors/v1-wide.jwr");
    let trust = Trust::parse(include_str!("vectors/v1-wide.trust")).unwrap();
    let seed = RootSeed::from_bytes(*b"the seed of the key tree, 32 by.");
    let slip = Slip::first(RECORDING, &seed);
    let report = verify_object(&mut Cursor::new(object), &trust, Some(&slip)).unwrap();
    assert_eq!(report.findings, []);
    assert!(report.is_proved());
    assert_eq!(report.manifest.encode(), include_str!("vectors/v1-wide.manifest"));
    assert_eq!(report.manifest.codecs, Some([Codec::Pcm16Wide, Codec::Pcma]));
    let slip = Slip::first(RECORDING, &seed);
    let mut reader = Reader::open(Cursor::new(&object[..]), slip).unwrap();
    assert_eq!((reader.rate_hz(), reader.frames()), (16_000, 40_000));
    let mut heard = vec![[0; 2]; 40_000];
    assert_eq!(reader.read(0, &mut heard).unwrap(), 40_000);
    for (at, position) in (0..).zip(heard.chunks(2)) {
        let said = [0, 4_001].map(|shift| spoken(Codec::Pcma, shift, at));
        assert_eq!(position[0], said, "at {at}");
        if at < 12_000 {
            assert_eq!(position[1][0], said[0].saturating_mul(2), "at {at}");
        }
    }
}
