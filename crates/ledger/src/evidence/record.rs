//! `record.json`: what the catalogue has beside the evidence, as it stood when the folder was made.

use serde::{Deserialize, Serialize};

/// The form of the file.
pub const RECORD_FORM: &str = "jawoord/evidence-record/v1";

/// The page that this program makes of a folder, and the consent record beside it. It rises with every
/// change of either, so that an older folder is not held against a younger page.
pub const PAGE_VERSION: u32 = 1;

/// Where every moment in evidence and facts comes from.
pub const CLOCK: &str = "system clock of the node (UTC), read once when the program starts and \
                         carried on by the monotonic clock; whether it was synchronised is not \
                         recorded";

/// What the catalogue has of a call and its recording. Ids and hashes are hexadecimal, moments
/// RFC 3339 in UTC, words those of listings. Names nobody: parties are keyed hashes. There is no
/// `Debug`: a pseudonym is personal data (recital 26).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`RECORD_FORM`].
    pub form: String,
    /// Which page the folder opens with: [`PAGE_VERSION`].
    pub page: u32,
    /// When the folder was made.
    pub exported_at: String,
    /// By which version of the program.
    pub exported_by: String,
    /// [`CLOCK`].
    pub clock: String,
    /// The call.
    pub call: String,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// When it began.
    pub opened_at: String,
    /// When it ended, if it has.
    pub closed_at: Option<String>,
    /// What the customer decided in the end, once the call has ended.
    pub consent: Option<String>,
    /// What became of the call.
    pub outcome: Option<String>,
    /// What became of the recording.
    pub verdict: Option<String>,
    /// Keyed hash of the Call-ID on the side that called, which may hold an address.
    pub caller_call_id_key: Option<String>,
    /// The Call-ID on the side that was called.
    pub called_call_id: Option<String>,
    /// The ends of the Session-ID (RFC 7989).
    pub session_id: Option<[String; 2]>,
    /// Who is responsible, as the configuration said it when the folder was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<Controller>,
    /// The recording; `None` where the folder is about a call without one.
    pub recording: Option<String>,
    /// What is kept of the recording; `None` without one, and once it is deleted.
    pub kept: Option<Kept>,
    /// The prompts that the evidence names, each once.
    pub prompts: Vec<Spoken>,
}

/// Who decides why recordings are made and how (GDPR Art. 4(7)), and how they are reached (Art.
/// 13(1)(a)). It is what the configuration says of the house, and no fact of the audit tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controller {
    /// The legal name.
    pub name: String,
    /// The postal address, without the country.
    pub address: String,
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Where somebody who was recorded is heard: `mailto:`, `tel:` or `https:`.
    pub contact: String,
    /// Where all is said that a call has no time for, `https:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_notice: Option<String>,
    /// The supervisory authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

/// What the catalogue has of a recording that exists.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Keyed hash of the customer's number; `None` when it was withheld.
    pub customer_key: Option<String>,
    /// Keyed hash of the agent's side.
    pub agent_key: Option<String>,
    /// How far it has come: `permitted` to `stored`, or `failed`.
    pub state: String,
    /// When evidence, slip and row were committed.
    pub permitted_at: String,
    /// The retention class.
    pub retention_class: String,
    /// When it is due for deletion.
    pub delete_after: String,
    /// Whether a hold forbids that.
    pub held: bool,
    /// Country of the store, ISO 3166-1 alpha-2.
    pub country: String,
    /// Provider of the store.
    pub provider: String,
    /// From the first to the last sample, once that is known.
    pub duration_ms: Option<u64>,
}

/// A prompt by its hash: what it says, and where its sound is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoken {
    /// Its part in the dialogue.
    pub prompt: String,
    /// Its language.
    pub language: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of the sound.
    pub sha256: String,
    /// The sound within the folder; `None` when the node has no sound of this hash any more.
    pub file: Option<String>,
    /// The words, as they were kept with the sound.
    pub text: Option<String>,
}
