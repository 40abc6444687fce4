//! The configuration file as it is written: every key, its unit and its default.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    account, alarms, ami,
    choice::{
        Confirm, Direction, HeardBy, Inbound, Mode, OnRefuse, OnSilence, OnWithdraw, Outbound,
        Record, RecordFrom, WhenRecordingFails,
    },
    confidential, connections, controller, dns, early, hours,
    inside::{Holds, Transfers},
    latching, listener, media, refresh,
    rewrite::Written as Rewrite,
    srtp,
    target::Targets,
    timers,
    written::{Draining, Emergency, Headers, Http, Language, Limiting, Prompts, Residency, Trace},
};

/// The whole file. Lines, policies and retention classes may also stand in `lines.d/*.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Where lines are kept that `jawoord lines add` adds; by default `lines.toml` under `data`.
    pub lines_file: Option<PathBuf>,
    /// Where the node keeps its state.
    pub data: Data,
    /// Where key material lives; never inside the data folder.
    pub keys: Keys,
    /// Where sealed recordings go.
    pub store: Store,
    /// Which countries may hold recordings.
    pub residency: Residency,
    /// Where SIP is received.
    pub listener: Vec<listener::Written>,
    /// Bounds of SIP connections.
    pub connections: connections::Written,
    /// The clock of SIP's retransmissions.
    pub timers: timers::Written,
    /// How often a call is refreshed.
    pub session_timer: refresh::Written,
    /// Where RTP is received.
    pub media: media::Written,
    /// Carriers and SBCs.
    pub trunk: Vec<Trunk>,
    /// How much of a message's headers goes to the other side.
    pub headers: Headers,
    /// How many calls the node takes.
    pub limits: Limiting,
    /// How it is emptied.
    pub drain: Draining,
    /// What is said of calls that go wrong while they are up.
    pub alarms: alarms::Written,
    /// PBX targets, in the order in which they are tried.
    pub pbx: Vec<Pbx>,
    /// Name servers.
    pub dns: dns::Dns,
    /// Numbers that bypass everything.
    pub emergency: Emergency,
    /// Numbers in whose calls nothing is asked or recorded.
    pub confidential: Vec<confidential::Written>,
    /// Who is responsible for recordings.
    pub controller: Vec<controller::Written>,
    /// When lines are open.
    pub hours: Vec<hours::Written>,
    /// Prompt audio.
    pub prompts: Prompts,
    /// The page.
    pub portal: Http,
    /// Metrics and health.
    pub metrics: Http,
    /// What is remembered of the latest calls' SIP.
    pub trace: Trace,
    /// Policies.
    pub policy: Vec<Policy>,
    /// Retention classes.
    pub retention: Vec<Retention>,
    /// Lines.
    pub line: Vec<Line>,
}

/// The data folder: ledger, slips, journals and the control socket.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The folder; made when it is missing.
    pub path: PathBuf,
    /// Where it is, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Who runs the machine or disk.
    pub provider: Option<String>,
}

impl Default for Data {
    fn default() -> Self {
        Self { path: "jawoord-data".into(), country: None, provider: None }
    }
}

/// The key folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The folder; by default the data folder's name with `.keys` added.
    pub path: Option<PathBuf>,
    /// Where it is, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Who runs the machine or disk.
    pub provider: Option<String>,
}

/// The store of sealed recordings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The folder; by default `store` in the data folder.
    pub path: Option<PathBuf>,
    /// Where it is, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Who runs the machine or disk.
    pub provider: Option<String>,
}

/// A carrier or SBC, known by the networks it sends from or by its certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Its name, for logs and listings.
    pub name: String,
    /// Source networks. The most specific peer wins.
    pub networks: Vec<IpNet>,
    /// Names in its TLS certificate; they go before networks.
    #[serde(default)]
    pub tls_names: Vec<String>,
    /// Where calls that the PBX starts are sent.
    #[serde(default)]
    pub target: Targets,
    /// Seconds between OPTIONS; 0 sends none and takes the targets for up.
    #[serde(default)]
    pub keepalive_s: u32,
    /// So many OPTIONS in a row unanswered, and a target is down.
    #[serde(default = "twice")]
    pub down_after: u8,
    /// So many in a row answered, and it is up again.
    #[serde(default = "once")]
    pub up_after: u8,
    /// Seconds without any response until a call goes on to the next target.
    #[serde(default = "eight")]
    pub silent_after_s: u32,
    /// Seconds without an answer until a call goes on to the next target; 0 is never.
    #[serde(default)]
    pub no_answer_s: u32,
    /// How its numbers are written; see `config/lab.toml`.
    #[serde(default)]
    pub rewrite: Vec<Rewrite>,
    /// Country of numbers written without a country code, ISO 3166-1 alpha-2.
    #[serde(default = "netherlands")]
    pub default_country: String,
    /// The listener by which it is reached and by which its requests come; by default any.
    pub listener: Option<String>,
    /// Its range of media ports; by default that of [media].
    pub media: Option<String>,
    /// Whether it takes TCP as well, for requests too large for a datagram.
    #[serde(default)]
    pub large_by_tcp: bool,
    /// For the lab only: the SHA-256 of its certificate, instead of everything that makes it good.
    pub lab_pinned_sha256: Option<String>,
    /// Its callers hear the notice before the answer; without it, after.
    pub early_notice: Option<early::Written>,
    /// Our account there: what its challenges are answered with.
    pub digest: Option<account::Digest>,
    /// It wants to be registered with.
    pub register: Option<account::Register>,
    /// What its calls must prove.
    pub challenge: Option<account::Challenge>,
    /// Headers that cross to and from it, instead of the usual ones; `default` stands for those.
    pub pass: Option<Vec<String>>,
    /// Headers that never cross to or from it.
    #[serde(default)]
    pub block: Vec<String>,
    /// Whether what it asserts about callers is believed, and it may be told what others assert.
    #[serde(default = "yes")]
    pub trusted: bool,
    /// Its calls at a time; 0 is as many as the node takes.
    #[serde(default)]
    pub max_calls: usize,
    /// What becomes of its holds.
    #[serde(default)]
    pub hold: Holds,
    /// Whether its sound is SRTP.
    #[serde(default)]
    pub srtp: srtp::Written,
    /// Whether it is learned where it sends from.
    #[serde(default)]
    pub latching: latching::Written,
    /// How often its calls are refreshed, where it is not as for everybody.
    pub session_timer: Option<refresh::OfPeer>,
}

const fn yes() -> bool {
    true
}

fn netherlands() -> String {
    "NL".to_owned()
}

/// A PBX.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pbx {
    /// Its name, for logs and listings.
    pub name: String,
    /// Its one target, or its first; requests from there come from the PBX.
    pub address: Option<String>,
    /// Where it receives SIP; requests from there come from the PBX.
    #[serde(default)]
    pub target: Targets,
    /// How its numbers are written; see `config/lab.toml`.
    #[serde(default)]
    pub rewrite: Vec<Rewrite>,
    /// Our account there: what its challenges are answered with.
    pub digest: Option<account::Digest>,
    /// What its calls must prove.
    pub challenge: Option<account::Challenge>,
    /// Whether whom it asserts in a call that goes on is the agent who talks to the customer.
    #[serde(default)]
    pub asserts_agents: bool,
    /// The manager of an Asterisk, which says who talks to callers.
    pub ami: Option<ami::Written>,
    /// Further networks it sends from.
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// Names in its TLS certificate; they go before addresses.
    #[serde(default)]
    pub tls_names: Vec<String>,
    /// Seconds between OPTIONS; 0 sends none and takes the targets for up.
    #[serde(default = "thirty")]
    pub keepalive_s: u32,
    /// The listener by which it is reached and by which its requests come; by default any.
    pub listener: Option<String>,
    /// Its range of media ports; by default that of [media].
    pub media: Option<String>,
    /// Whether it takes TCP as well, for requests too large for a datagram.
    #[serde(default)]
    pub large_by_tcp: bool,
    /// For the lab only: the SHA-256 of its certificate, instead of everything that makes it good.
    pub lab_pinned_sha256: Option<String>,
    /// Headers that cross to and from it, instead of the usual ones; `default` stands for those.
    pub pass: Option<Vec<String>>,
    /// Headers that never cross to or from it.
    #[serde(default)]
    pub block: Vec<String>,
    /// Whether what it asserts about callers is believed, and it may be told what others assert.
    #[serde(default = "yes")]
    pub trusted: bool,
    /// What becomes of its REFERs and of calls that take over its own.
    #[serde(default)]
    pub transfers: Transfers,
    /// What becomes of its holds.
    #[serde(default)]
    pub hold: Holds,
    /// Whether its sound is SRTP.
    #[serde(default)]
    pub srtp: srtp::Written,
    /// Whether it is learned where it sends from.
    #[serde(default)]
    pub latching: latching::Written,
    /// How often its calls are refreshed, where it is not as for everybody.
    pub session_timer: Option<refresh::OfPeer>,
    /// So many OPTIONS in a row unanswered, and a target is down.
    #[serde(default = "twice")]
    pub down_after: u8,
    /// So many in a row answered, and it is up again.
    #[serde(default = "once")]
    pub up_after: u8,
    /// Seconds without any response until a call goes on to the next target.
    #[serde(default = "eight")]
    pub silent_after_s: u32,
    /// Seconds without an answer until a call goes on to the next target; 0 is never.
    #[serde(default)]
    pub no_answer_s: u32,
}

const fn twice() -> u8 {
    2
}

const fn eight() -> u32 {
    8
}

const fn thirty() -> u32 {
    30
}

/// A policy. See `call::Asking` for what each key does.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub id: String,
    /// Raised by the operator whenever the policy changes.
    pub version: u32,
    /// `ask`, `tell` or `never`.
    pub record: Record,
    /// The legal ground; no default (law row L06).
    pub ground: Option<String>,
    /// Where the balancing of interests is filed (Art. 6(1)(f)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lia_ref: Option<String>,
    /// Where the impact assessment is filed (Art. 35).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpia_ref: Option<String>,
    /// Which law demands the recording, or lays down the task (Art. 6(3)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub law: Option<String>,
    /// The kind of house whose rules the policy is held to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Why it keeps longer than its preset does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_reason: Option<String>,
    /// The ground on which agents are recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_ground: Option<String>,
    /// Where the balancing with the agents' interests is filed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_lia_ref: Option<String>,
    /// Where the works council's agreement is filed (WOR art. 27).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub works_council_ref: Option<String>,
    /// What becomes of a call whose customer says no; there is one lawful answer.
    #[serde(default, skip_serializing_if = "OnRefuse::is_default")]
    pub on_refuse: OnRefuse,
    /// What silence means; there is one lawful answer.
    #[serde(default, skip_serializing_if = "OnSilence::is_default")]
    pub on_silence: OnSilence,
    /// What recordings may be used for.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// Language of the prompts.
    pub language: Option<String>,
    /// Who records, as spoken.
    pub controller: Option<String>,
    /// Why, as spoken.
    pub purpose_spoken: Option<String>,
    /// How long, as spoken; by default the period of the retention class in words.
    pub retention_spoken: Option<String>,
    /// Retention class.
    pub retention: Option<String>,
    /// Yes.
    #[serde(default = "one")]
    pub grant_key: char,
    /// No.
    #[serde(default = "two")]
    pub refuse_key: char,
    /// Stop.
    #[serde(default = "star")]
    pub withdraw_key: char,
    /// Explanation.
    #[serde(default = "nine")]
    pub info_key: char,
    /// Repeats of the question.
    #[serde(default = "once")]
    pub repeats: u8,
    /// How long an answer is waited for.
    #[serde(default = "four_seconds")]
    pub answer_timeout_ms: u32,
    /// From answer to the PBX's INVITE at most.
    #[serde(default = "limit")]
    pub unbridged_limit_s: u32,
    /// When the PBX is called.
    #[serde(default)]
    pub confirm: Confirm,
    /// How the customer who calls comes to be asked.
    #[serde(default, skip_serializing_if = "Inbound::is_default")]
    pub inbound: Inbound,
    /// How the customer of a call that the PBX starts comes to be asked.
    #[serde(default)]
    pub outbound: Outbound,
    /// The agent's key that begins the question; empty for none.
    #[serde(default = "hash")]
    pub ask_key: String,
    /// How often the agent may ask in one call.
    #[serde(default = "once")]
    pub ask_times: u8,
    /// Who hears the question in a call that is put through.
    #[serde(default, skip_serializing_if = "HeardBy::is_default")]
    pub question_heard_by: HeardBy,
    /// What a withdrawal erases.
    #[serde(default)]
    pub on_withdraw: OnWithdraw,
    /// Whether the tones of keys are silence in recordings.
    #[serde(default)]
    pub blank_keys: bool,
    /// The agent's key that pauses the recording and lets it go on; empty for none.
    #[serde(default)]
    pub pause_key: String,
    /// How long a pause lasts that nobody ends, in seconds.
    #[serde(default = "five_minutes")]
    pub pause_max_s: u32,
    /// Whether the agent hears when a recording begins and ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agent_cue: bool,
    /// How often both parties hear a beep while they are recorded, in seconds; 0 is never.
    #[serde(default, skip_serializing_if = "is_never")]
    pub beep_s: u32,
    /// What becomes of a call whose recording fails.
    #[serde(default)]
    pub when_recording_fails: WhenRecordingFails,
    /// How long the PBX may ring.
    #[serde(default = "thirty")]
    pub ring_timeout_s: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_never(seconds: &u32) -> bool {
    *seconds == 0
}
const fn one() -> char {
    '1'
}
const fn two() -> char {
    '2'
}
const fn star() -> char {
    '*'
}
const fn nine() -> char {
    '9'
}
fn hash() -> String {
    "#".to_owned()
}
const fn once() -> u8 {
    1
}
const fn four_seconds() -> u32 {
    4_000
}
const fn five_minutes() -> u32 {
    300
}
const fn limit() -> u32 {
    35
}

/// A retention class.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Its name.
    pub class: String,
    /// Days from the end of a recording to its deletion.
    pub keep_days: Option<u32>,
    /// The same in seconds, for trying things out.
    pub keep_s: Option<u32>,
}

/// A line.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its name.
    pub id: String,
    /// Whose recordings its calls leave.
    pub tenant: String,
    /// The number, or its beginning and `*`: dialled inbound, calling outbound.
    pub number: String,
    /// Which calls it is for.
    #[serde(default, skip_serializing_if = "Direction::is_both")]
    pub direction: Direction,
    /// Whether its outgoing calls sell something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub telemarketing: bool,
    /// From when on its calls are recorded; without it from the answer, and a warning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_from: Option<RecordFrom>,
    /// The policy's id.
    pub policy: String,
    /// Whether its calls go as the policy says, or are those of machines.
    #[serde(default, skip_serializing_if = "Mode::is_default")]
    pub mode: Mode,
    /// When it is open; without them, always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// Its other languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub language: Vec<Language>,
}
