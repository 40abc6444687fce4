//! The folder that proves one decision by itself (GDPR Art. 7(1)): what it holds, and the page it opens with.
//!
//! | file | what it is |
//! |---|---|
//! | `index.html` | everything below in words, Dutch and English, made of nothing else |
//! | `evidence.txt` | the evidence as it was hashed when the decision was made; not there once the recording is deleted, nor where none was allowed |
//! | `facts.jsonl` | every fact about recording and call, with its salt and its path to the root of the audit tree |
//! | `checkpoint.txt` | size and root of that tree, signed (C2SP `signed-note`) |
//! | `record.json` | what the catalogue has beside it: pseudonyms, Call-IDs, retention, the words of the prompts |
//! | `consent.jsonld` | the consent record and receipt by ISO/IEC TS 27560, made of the files above; not there where nobody was asked or recorded |
//! | `prompts/` | the sounds that the evidence names, as WAV |
//! | `manifest.txt` | SHA-256 and size of every file above, signed (Ed25519) |
//!
//! To check one by hand: the SHA-256 of `evidence.txt` stands in the body of the fact
//! `recording-permitted`; leaf = SHA-256(00 ‖ SHA-256("jawoord/v1/fact\n" ‖ salt ‖ body)); the path
//! leads from there to the root (RFC 9162 §2.1.3.2), which stands in `checkpoint.txt`.

mod consent;
mod decided;
pub(crate) mod fact;
pub(crate) mod folder;
pub(crate) mod inventory;
pub(crate) mod page;
pub(crate) mod record;
pub(crate) mod vcon;
mod words;
mod written;
