//! One recording: its object, and what the trail says of it, held against each other.

use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

use call::{Digest, RecordingId};
use ring::digest::{Context, SHA256};
use vault::{Manifest, Trust, verify_object};

use crate::{
    finding::{Fault, PermitField},
    history::{Deleted, Permitted, Story},
};

/// Everything that is wrong about a recording. `object` is where its object lies, if it is in the
/// folder; without `trust` nothing is said about who signed it.
pub(crate) fn faults(
    recording: RecordingId,
    story: Option<&Story>,
    object: Option<&Path>,
    trust: Option<&Trust>,
) -> Vec<Fault> {
    let story = story.copied().unwrap_or_default();
    let mut faults = Vec::new();
    if story.unpermitted || (object.is_some() && story.permit.is_none()) {
        faults.push(Fault::Unpermitted);
    }
    if let Some(Deleted { entry, manifest }) = story.deleted {
        if object.is_some() {
            faults.push(Fault::Outlived(entry));
        }
        if manifest != story.sealed.unwrap_or(Digest::from_bytes([0; 32])) {
            faults.push(Fault::DeletionDiffers(entry));
        }
    }
    match object {
        Some(path) => Object { recording, story: &story, trust, faults: &mut faults }.judge(path),
        None if story.stored.is_none() || story.deleted.is_some() => {}
        None if story.removing => faults.push(Fault::Removing),
        None => faults.push(Fault::Missing),
    }
    faults
}

/// An object that is in the folder.
struct Object<'a> {
    recording: RecordingId,
    story: &'a Story,
    trust: Option<&'a Trust>,
    faults: &'a mut Vec<Fault>,
}

impl Object<'_> {
    fn judge(&mut self, path: &Path) {
        // One open file for both questions: what is hashed is what is taken apart.
        let hashed = File::open(path).and_then(|mut file| Ok((sha256(&mut file)?, file)));
        let (hash, mut file) = match hashed {
            Ok(hashed) => hashed,
            Err(error) => return self.faults.push(Fault::Unread(error.kind())),
        };
        let manifest = self.take_apart(&mut file);
        if let Some(manifest) = manifest {
            let holds = manifest.tags.recording;
            if holds != self.recording {
                return self.faults.push(Fault::Holds(holds));
            }
            if let Some(permit) = &self.story.permit {
                self.faults.extend(differing(&manifest, permit).map(Fault::PermitDiffers));
            }
            self.compare(self.story.sealed, manifest.hash(), [Fault::Unsealed, Fault::SealDiffers]);
        }
        self.compare(self.story.stored, hash, [Fault::Unstored, Fault::StoreDiffers]);
    }

    /// The manifest, unless the object is beyond reading.
    fn take_apart<S: Read + Seek>(&mut self, source: &mut S) -> Option<Manifest> {
        let nobody = Trust::default();
        match verify_object(source, self.trust.unwrap_or(&nobody), None) {
            Ok(report) => {
                self.faults.extend(report.findings.into_iter().map(Fault::Object));
                if self.trust.is_some() && !report.signer_known {
                    self.faults.push(Fault::Signer);
                }
                Some(report.manifest)
            }
            Err(error) => {
                self.faults.push(Fault::Form(error));
                None
            }
        }
    }

    /// Holds what is here against what the trail says of it. Of a recording without permit or
    /// after its deletion, silence of the trail is no further news.
    fn compare(&mut self, told: Option<Digest>, here: Digest, [silent, differs]: [Fault; 2]) {
        match told {
            Some(told) if told == here => {}
            Some(_) => self.faults.push(differs),
            None if self.story.permit.is_some() && self.story.deleted.is_none() => {
                self.faults.push(silent);
            }
            None => {}
        }
    }
}

fn differing(manifest: &Manifest, permit: &Permitted) -> impl Iterator<Item = PermitField> {
    let tags = &manifest.tags;
    let fields = [
        (PermitField::Call, tags.call == permit.call),
        (PermitField::Ground, tags.ground == permit.ground),
        (PermitField::Purposes, tags.purposes == permit.purposes),
        (PermitField::Evidence, tags.evidence == permit.evidence),
    ];
    fields.into_iter().filter(|(_, same)| !same).map(|(field, _)| field)
}

/// SHA-256 from where the source stands to its end.
fn sha256(source: &mut impl Read) -> io::Result<Digest> {
    let mut hash = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hash.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let bytes = hash.finish().as_ref().try_into().map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Digest::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_sha_256_whatever_the_pieces() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&mut &b"abc"[..]).unwrap().to_string(), known);
        let long = vec![b'a'; 1_000_000];
        let known = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
        assert_eq!(sha256(&mut long.as_slice()).unwrap().to_string(), known);
    }
}
