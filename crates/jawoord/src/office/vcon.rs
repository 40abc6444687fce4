//! A recording with its evidence as a signed vCon (draft-ietf-vcon-vcon-core-04): what Art. 20 calls a
//! structured, commonly used and machine-readable format.

use std::sync::Arc;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use call::{Digest, RecordingId, Time};
use ledger::{EvidenceFolder, VCON_SOUND, VconSound};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyUsagePurpose, PKCS_ED25519, PublicKeyData,
    SignatureAlgorithm, SigningKey,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use vault::{KeyFile, Reader, Signer, wav_header};

use super::{
    answer::Desk,
    archive::OfficeError,
    evidence::{Files, Subject},
};
use crate::{command::request::Reply, control::Answer};

/// Frames of one piece.
const PIECE: usize = 8_000;
/// A vCon is signed as one text and is in memory for it, some four times: half an hour of a telephone
/// call, in frames of two channels.
const MOST_FRAMES: u64 = 8_000 * 60 * 35;
/// Bytes of one piece of the answer.
const PART: usize = 1 << 20;

type Sound = Reader<Box<dyn vault::Source>>;

impl Desk {
    /// The recording as a signed vCon. That it was read is a fact before the first byte.
    pub(super) async fn vcon(&self, id: RecordingId) -> Answer {
        match self.made(id).await {
            Ok(signed) => sent(signed),
            Err(error) => Reply::failed(error).into(),
        }
    }

    async fn made(&self, id: RecordingId) -> Result<Signed, OfficeError> {
        let sound = self.open(id, Some("vcon")).await?;
        if sound.frames() > MOST_FRAMES {
            return Err(OfficeError::TooLong);
        }
        let told = self.archive.told(Subject::Recording(id), &mut Files::new()).await?;
        let keys = Arc::clone(&self.archive.keys);
        let made_at = self.archive.clock.now();
        let making = tokio::task::spawn_blocking(move || signed(&told, sound, &keys, made_at));
        making.await.map_err(|_| OfficeError::NotStored)?
    }
}

/// The text of a signed vCon, whose longest part is not copied again.
struct Signed {
    uuid: String,
    /// What is signed: the protected header, a dot, and the payload.
    text: String,
    /// Where the payload begins.
    payload: usize,
    /// The signatures, as they stand after it.
    signatures: Value,
}

/// Makes and signs it (RFC 7515 §7.2.1, general JSON serialization).
fn signed(
    told: &EvidenceFolder,
    mut sound: Sound,
    keys: &KeyFile,
    made_at: Time,
) -> Result<Signed, OfficeError> {
    let key = NodeKey { keys, public: *keys.public_key().as_bytes() };
    let host = key.host();
    let about = VconSound {
        made_at,
        started_at: sound.manifest().tags.started_at,
        duration_ms: sound.frames() * 1_000 / u64::from(sound.rate_hz()).max(1),
    };
    let (uuid, mut vcon) = told.vcon(&host, about).ok_or(OfficeError::Unknown)?;
    let recording = vcon.pointer_mut(VCON_SOUND).and_then(Value::as_object_mut);
    let recording = recording.ok_or(OfficeError::Unknown)?;
    recording.insert("body".to_owned(), URL_SAFE_NO_PAD.encode(wav(&mut sound)?).into());
    // The key is the node's (Ed25519), so that the algorithm is that of RFC 8037 §3.1, and not RS256.
    let mut text = URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA" }).to_string());
    text.push('.');
    let payload = text.len();
    URL_SAFE_NO_PAD.encode_string(vcon.to_string(), &mut text);
    drop(vcon);
    // No other text of the node begins as a header in base64 does.
    let signature = keys.sign(text.as_bytes());
    let signatures = json!([{
        "header": { "x5c": [STANDARD.encode(certificate(&key)?)], "uuid": uuid },
        "protected": text.get(..payload - 1),
        "signature": URL_SAFE_NO_PAD.encode(signature),
    }]);
    Ok(Signed { uuid, text, payload, signatures })
}

/// The whole recording as WAV.
fn wav(sound: &mut Sound) -> Result<Vec<u8>, OfficeError> {
    let header = wav_header(sound.frames(), sound.rate_hz()).map_err(|_| OfficeError::TooLong)?;
    let (mut bytes, mut at, mut piece) = (header.to_vec(), 0, vec![[0; 2]; PIECE]);
    loop {
        let count = sound.read(at, &mut piece).map_err(OfficeError::Damaged)?;
        if count == 0 {
            return Ok(bytes);
        }
        let samples = piece.iter().take(count).flatten();
        bytes.extend(samples.flat_map(|sample: &i16| sample.to_le_bytes()));
        at += count as u64;
    }
}

/// The node's key, for a certificate that it signs itself.
struct NodeKey<'a> {
    keys: &'a KeyFile,
    public: [u8; 32],
}

impl NodeKey<'_> {
    /// A name for whoever holds the key: nodes have none of their own, and this one is nobody's in DNS
    /// (RFC 6761 §6.4).
    fn host(&self) -> String {
        let hex = Digest::from_bytes(self.public).to_string();
        format!("{}.jawoord.invalid", hex.get(..16).unwrap_or_default())
    }
}

impl PublicKeyData for NodeKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl SigningKey for NodeKey<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.keys.sign(message).to_vec())
    }
}

/// The key in the form that a vCon must carry it in (`x5c`). It is signed by itself: that it is the
/// node's is known by the node's `trust`, and by no authority.
fn certificate(key: &NodeKey<'_>) -> Result<Vec<u8>, OfficeError> {
    let failed = |_| OfficeError::Ledger(ledger::LedgerError::SignerFailed);
    let host = key.host();
    let mut params = CertificateParams::new([host.clone()]).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, host);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // It ends with the key, and nobody knows when (RFC 5280 §4.1.2.5).
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(9999, 12, 31);
    Ok(params.self_signed(key).map_err(failed)?.der().to_vec())
}

/// The answer, in pieces.
fn sent(signed: Signed) -> Answer {
    let Signed { uuid, text, payload, signatures } = signed;
    let head = b"{\"payload\":\"".to_vec();
    let tail = format!("\",\"signatures\":{signatures}}}\n").into_bytes();
    let mut reply = Reply::done(json!({ "uuid": uuid, "format": "vCon 0.4.0, signed (EdDSA)" }));
    reply.bytes = (head.len() + (text.len() - payload) + tail.len()) as u64;
    let (sender, body) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let middle = text.as_bytes().get(payload..).unwrap_or_default();
        let pieces = middle.chunks(PART).map(<[u8]>::to_vec);
        for piece in std::iter::once(head).chain(pieces).chain([tail]) {
            if sender.blocking_send(piece).is_err() {
                return;
            }
        }
    });
    Answer { reply, body: Some(body) }
}
