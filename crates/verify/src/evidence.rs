//! A folder of evidence: proves every file of it, and that they say the same.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use call::{Evidence, FactKind, PromptHeard};
use hound::WavReader;
use ledger::{
    CHECKPOINT_FILE, CONSENT_FILE, Checkpoint, EVIDENCE_FILE, EvidenceFolder, FACTS_FILE,
    Inventory, Listed, MANIFEST_FILE, PAGE_FILE, PAGE_VERSION, RECORD_FILE, Signature, read_facts,
    read_record,
};

use crate::{
    agreement::disagreements, difference::What, folder::FolderError, proof::Proof, trust::Trusted,
};

/// No file of a folder is longer; a prompt of a minute has one megabyte.
const LENGTH_MAX: u64 = 64 << 20;
/// No folder has more files.
const FILES_MAX: usize = 1_000;

/// Verifies a folder that `jawoord recordings evidence` made and changes nothing in it. With nobody
/// trusted it can be found consistent and is never proved.
///
/// # Errors
/// [`FolderError`] when there is no such folder; whatever is wrong inside it is in the proof.
pub fn verify_evidence(folder: &Path, trusted: &Trusted) -> Result<Proof, FolderError> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(FolderError(io::ErrorKind::NotADirectory)),
        Err(error) => return Err(FolderError(error.kind())),
    }
    let mut proof = Proof::new(!trusted.is_empty());
    let inventory = inventory(folder, trusted, &mut proof);
    let mut names = BTreeSet::new();
    walk(folder, "", &mut names, &mut proof);
    names.remove(MANIFEST_FILE);
    let Some(inventory) = inventory else { return Ok(proof) };
    let sound = inventory.is_signed();
    for listed in &inventory.files {
        if !names.remove(&*listed.name) {
            proof.find(&listed.name, What::Missing);
        } else if let Err(what) = whole(folder, listed, sound) {
            proof.find(&listed.name, what);
        }
    }
    for name in names {
        proof.find(&name, What::Stranger);
    }
    proof.files = inventory.files.len() as u64;
    // What other files make of one that is not whole says nothing about them.
    if proof.is_whole()
        && let Some(told) = read(folder, &mut proof)
    {
        check(&told, &inventory, &mut proof);
        compare(&told, folder, &inventory, &mut proof);
    }
    Ok(proof)
}

/// The list of files, if it is one. Who signed it is said here.
fn inventory(folder: &Path, trusted: &Trusted, proof: &mut Proof) -> Option<Inventory> {
    let text = match text(folder, MANIFEST_FILE) {
        Ok(text) => text,
        Err(what) => {
            proof.find(MANIFEST_FILE, what);
            return None;
        }
    };
    let Some(inventory) = Inventory::read(&text) else {
        proof.find(MANIFEST_FILE, What::Form);
        return None;
    };
    let known = trusted.is_empty() || trusted.keys().contains(&inventory.key);
    if !inventory.is_signed() {
        proof.find(MANIFEST_FILE, What::Signature);
    } else if !known {
        proof.find(MANIFEST_FILE, What::OtherSigner);
    }
    Some(inventory)
}

/// Every file below, by its name within the folder. What is no file and no folder is a stranger.
fn walk(folder: &Path, below: &str, names: &mut BTreeSet<String>, proof: &mut Proof) {
    let listed = match fs::read_dir(folder.join(below)) {
        Ok(listed) => listed,
        Err(error) => return proof.find(below, What::Unread(error.kind())),
    };
    for item in listed.flatten() {
        let own = item.file_name().to_string_lossy().into_owned();
        let name = if below.is_empty() { own } else { format!("{below}/{own}") };
        let kind = item.file_type();
        if names.len() >= FILES_MAX {
            return proof.find(&name, What::Stranger);
        }
        match kind {
            // Folders are one deep: what is deeper is no file that a node writes.
            Ok(kind) if kind.is_dir() && below.is_empty() => walk(folder, &name, names, proof),
            Ok(kind) if kind.is_file() => drop(names.insert(name)),
            Ok(_) => proof.find(&name, What::Stranger),
            Err(error) => proof.find(&name, What::Unread(error.kind())),
        }
    }
}

/// Holds a file against the list, unless the list itself is not what was signed.
fn whole(folder: &Path, listed: &Listed, sound: bool) -> Result<(), What> {
    let bytes = bytes(folder, &listed.name)?;
    if listed.is(&bytes) || !sound { Ok(()) } else { Err(What::Altered) }
}

/// What the folder says, as far as it can be read.
fn read(folder: &Path, proof: &mut Proof) -> Option<EvidenceFolder> {
    let mut part = |name| match text(folder, name) {
        Ok(text) => Some(text),
        Err(What::Missing) if name == EVIDENCE_FILE => None,
        Err(what) => {
            proof.find(name, what);
            None
        }
    };
    let [evidence, record, facts, checkpoint] =
        [EVIDENCE_FILE, RECORD_FILE, FACTS_FILE, CHECKPOINT_FILE].map(&mut part);
    let mut form = |name, missing: bool| {
        if missing {
            proof.find(name, What::Form);
        }
    };
    let told = evidence.is_some();
    let evidence = evidence.and_then(|text| Evidence::decode(text.as_bytes()));
    form(EVIDENCE_FILE, told && evidence.is_none());
    let record = record.map(|text| read_record(&text));
    form(RECORD_FILE, record == Some(None));
    let facts = facts.map(|text| read_facts(&text));
    form(FACTS_FILE, facts == Some(None));
    let checkpoint = checkpoint.map(|text| text.parse::<Checkpoint>());
    form(CHECKPOINT_FILE, matches!(checkpoint, Some(Err(_))));
    if told && evidence.is_none() {
        return None;
    }
    let (record, facts, checkpoint) = (record??, facts??, checkpoint?.ok()?);
    Some(EvidenceFolder { evidence, record, facts, checkpoint })
}

/// The tree: the head is signed by the key of the list, and every fact stands under it.
fn check(told: &EvidenceFolder, inventory: &Inventory, proof: &mut Proof) {
    let head = told.checkpoint.head();
    match told.checkpoint.check(&inventory.key) {
        Signature::Good => {}
        Signature::OtherKey => proof.find(CHECKPOINT_FILE, What::OtherSigner),
        Signature::Bad => proof.find(CHECKPOINT_FILE, What::Signature),
    }
    let mut last = None;
    for fact in &told.facts {
        let index = fact.entry.index;
        if !fact.holds(head) {
            proof.find(FACTS_FILE, What::Unproved(index));
        }
        if last.replace(index).is_some_and(|last| last >= index) {
            proof.find(FACTS_FILE, What::Order(index));
        }
    }
    let of = |kind| told.facts.iter().find(|fact| fact.entry.kind == kind);
    proof.root = Some(head.root);
    proof.entries = head.size;
    proof.facts = told.facts.len() as u64;
    proof.decided = told.evidence.as_ref().map(|evidence| evidence.decided_at);
    proof.deleted = of(FactKind::RecordingDeleted).map(|fact| fact.entry.at);
    proof.evidence = told.evidence_hash();
}

/// What the files say of each other.
fn compare(told: &EvidenceFolder, folder: &Path, inventory: &Inventory, proof: &mut Proof) {
    for (name, what) in disagreements(told, inventory) {
        proof.find(&name, what);
    }
    for spoken in &told.record.prompts {
        proof.prompts += 1;
        let Some(file) = &spoken.file else {
            proof.prompts_missing += 1;
            continue;
        };
        let Ok(sound) = bytes(folder, file) else { continue };
        if Listed::new(file, &sound).sha256.to_string() != spoken.sha256 {
            proof.find(file, What::OtherSound);
        }
        let heard = told.evidence.iter().flat_map(|evidence| &evidence.prompts);
        let mut heard = heard.filter(|heard| heard.id.sha256.to_string() == spoken.sha256);
        let has = WavReader::new(sound.as_slice()).ok().map(|wave| wave.duration());
        if !heard.all(|heard| has.is_some_and(|has| fits(heard, has))) {
            proof.find(EVIDENCE_FILE, What::Length);
        }
    }
    // What is made of the other files says what they say, or is of another version.
    let same = told.record.page == PAGE_VERSION;
    for (name, made) in [(PAGE_FILE, Some(told.page())), (CONSENT_FILE, told.consent())] {
        match (text(folder, name), made) {
            (Ok(found), Some(made)) if same && found == made => {}
            (Ok(_), _) => proof.find(name, What::OtherPage),
            (Err(What::Missing), Some(_)) => proof.find(name, What::Missing),
            // What is not text has been named already, and what is nowhere is not to be there.
            (Err(_), _) => {}
        }
    }
}

/// Whether so much of a sound of so many samples can have been played.
const fn fits(heard: &PromptHeard, has: u32) -> bool {
    if heard.whole { heard.samples == has } else { heard.samples <= has }
}

/// The text of a regular file.
pub(crate) fn text(folder: &Path, name: &str) -> Result<String, What> {
    String::from_utf8(bytes(folder, name)?).map_err(|_| What::Form)
}

/// The bytes of a regular file; anything else could block or lead elsewhere.
pub(crate) fn bytes(folder: &Path, name: &str) -> Result<Vec<u8>, What> {
    let unread = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => What::Missing,
        kind => What::Unread(kind),
    };
    let path = folder.join(name);
    if !fs::symlink_metadata(&path).map_err(unread)?.is_file() {
        return Err(What::Unread(io::ErrorKind::InvalidInput));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unread)?;
    file.take(LENGTH_MAX).read_to_end(&mut bytes).map_err(unread)?;
    Ok(bytes)
}
