//! The command line: what can be asked of a node, by whom it is done, and how it is shown.

use std::path::PathBuf;

use call::Time;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::DateTime;

use crate::config::choice::{Direction, Mode, RecordFrom};

pub mod check;
pub mod desk;
pub mod init;
pub mod lines;
pub mod live;
mod moment;
mod operator;
pub mod prompts;
pub mod renew;
pub mod request;
pub mod route;
pub mod serve;
pub mod show;

/// Sits between a SIP trunk and a PBX, asks the caller, records only on yes, and can prove it.
#[derive(Debug, Parser)]
#[command(name = "jawoord", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the node is.
#[derive(Args, Clone, Debug)]
pub struct Site {
    /// The configuration file.
    #[arg(long, default_value = "/etc/jawoord/jawoord.toml", global = true)]
    pub config: PathBuf,
    /// The data folder, instead of the one in the configuration.
    #[arg(long, global = true)]
    pub data: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Places four real calls on this machine and shows the recording that one of them leaves.
    Demo {
        /// Keep the node running afterwards and print how to call it.
        #[arg(long)]
        keep: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Writes a first configuration and prints what the PBX needs.
    Init(init::Init),
    /// Runs the node.
    Serve(Site),
    /// Judges a configuration, tries it out, or says which way a call to a number would go.
    Check {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// A dialled number: which line, policy and targets a call to it would get, and why.
        #[arg(long, group = "dialled")]
        number: Option<String>,
        /// Who calls it.
        #[arg(long, requires = "dialled")]
        from: Option<String>,
        /// The trunk that the call comes by, or that `--call` goes by; by default the first one.
        #[arg(long, requires = "dialled")]
        trunk: Option<String>,
        /// The PBX that starts the call, instead of a trunk.
        #[arg(long, requires = "number", conflicts_with = "trunk")]
        pbx: Option<String>,
        /// When it comes, such as 2026-12-25T10:00, by the wall clock of the line's hours; by default now.
        #[arg(long, requires = "number")]
        at: Option<DateTime>,
        /// Tries out what the configuration names: addresses, ports, DNS, TLS, OPTIONS, keys, store.
        #[arg(long, conflicts_with = "number")]
        live: bool,
        /// Also calls this number by a trunk, plays a tone, presses a key, listens and hangs up;
        /// nothing is recorded.
        #[arg(long, value_name = "NUMBER", group = "dialled", requires = "live")]
        call: Option<String>,
        /// For how many seconds that call listens; a far end reports what it hears every five or so.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(3..=60))]
        seconds: u16,
    },
    /// Makes the running node read its lines, peers, prompts and policies again.
    Reload(Site),
    /// Lets running calls end and takes no new ones but emergencies; `off` takes calls again.
    Drain {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// Whether.
        switch: Switch,
    },
    /// Makes a new one-time link to the page.
    Link(Site),
    /// Lines that are added and removed without a restart.
    Lines {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// What to do.
        #[command(subcommand)]
        command: Lines,
    },
    /// Calls and their three words.
    Calls {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// What to do.
        #[command(subcommand)]
        command: Calls,
    },
    /// Recordings: their tags, their sound, their end.
    Recordings {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// What to do.
        #[command(subcommand)]
        command: Recordings,
    },
    /// What must be deleted, and deleting it.
    Retention {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// What to do.
        #[command(subcommand)]
        command: Retention,
    },
    /// Key epochs.
    Keys {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// What to do.
        #[command(subcommand)]
        command: Keys,
    },
    /// The audit tree.
    Audit {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// What to do.
        #[command(subcommand)]
        command: Audit,
    },
    /// Reports for whoever has to answer for the recordings.
    Report {
        /// Where the node is.
        #[command(flatten)]
        site: Site,
        /// What to do.
        #[command(subcommand)]
        command: Report,
    },
    /// What callers hear.
    Prompts {
        /// What to do.
        #[command(subcommand)]
        command: Prompts,
    },
}

/// Whether something is to be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// Commands about lines.
#[derive(Debug, Subcommand)]
pub enum Lines {
    /// Adds a line, or all lines of a file; running calls keep what they began with.
    Add {
        /// The line's name.
        #[arg(required_unless_present = "file", conflicts_with = "file")]
        id: Option<String>,
        /// Whose recordings its calls leave.
        #[arg(long, required_unless_present = "file", conflicts_with = "file")]
        tenant: Option<String>,
        /// The number, or its beginning and '*': dialled inbound, calling outbound.
        #[arg(long, required_unless_present = "file", conflicts_with = "file")]
        number: Option<String>,
        /// Which calls it is for [default: both].
        #[arg(long, value_enum, conflicts_with = "file")]
        direction: Option<Direction>,
        /// Its outgoing calls sell something.
        #[arg(long, conflicts_with = "file")]
        telemarketing: bool,
        /// From when on they are recorded: from the answer, or while an agent is there [default: answer].
        #[arg(long, value_enum, conflicts_with = "file")]
        record_from: Option<RecordFrom>,
        /// The policy's id.
        #[arg(long, required_unless_present = "file", conflicts_with = "file")]
        policy: Option<String>,
        /// Whose calls they are: people's, or those of machines, which are never touched [default: policy].
        #[arg(long, value_enum, conflicts_with = "file")]
        mode: Option<Mode>,
        /// When it is open, by the id of [[hours]]; without it, always.
        #[arg(long, conflicts_with = "file")]
        hours: Option<String>,
        /// Another language, by the policy that speaks it, with the numbers of customers who do; any number.
        #[arg(long, value_name = "POLICY[=NUMBER,...]", conflicts_with = "file")]
        language: Vec<String>,
        /// A file with any number of [[line]] tables: all are added, or none.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Removes lines that were added so.
    Remove {
        /// Their names.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Lists all lines, and where each is kept.
    List,
}

/// Commands about calls.
#[derive(Debug, Subcommand)]
pub enum Calls {
    /// Lists calls, newest first.
    List,
    /// Finds calls by what another system calls them: a Call-ID of either side, or an end of their
    /// Session-ID.
    Find {
        /// The name.
        name: String,
    },
    /// Shows one call.
    Show {
        /// The call's id.
        id: String,
        /// As a ladder of messages.
        #[arg(long)]
        ladder: bool,
        /// Write its SIP as a capture file, numbers, names and digits masked.
        #[arg(long, value_name = "FILE", conflicts_with = "ladder")]
        pcap: Option<PathBuf>,
    },
    /// Writes a folder that proves what became of it, also of a call that was not recorded.
    Evidence {
        /// The call's id.
        id: String,
        /// The folder to make.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Asks the customer of a running call whether it may be recorded.
    Ask {
        /// The call's id.
        id: String,
    },
    /// Says that this agent talks to the customer from here on; without a name, that nobody does. A line with
    /// `record_from = "agent"` is recorded only meanwhile.
    Agent {
        /// The call's id, or the Call-ID of one of its legs.
        id: String,
        /// The agent, by whatever name; only a keyed hash of it is kept.
        agent: Option<String>,
        /// The queue by which the customer came.
        #[arg(long)]
        queue: Option<String>,
    },
    /// Makes a call's recording silent from here on, as while a card number is said; the time goes
    /// on. Again, it lasts longer.
    Pause {
        /// The call's id, or the Call-ID of one of its legs.
        id: String,
    },
    /// Lets a paused recording go on.
    Resume {
        /// The call's id, or the Call-ID of one of its legs.
        id: String,
    },
    /// Ends a call's recording because its customer said so, and erases it as their key would.
    Withdraw {
        /// The call's id, or the Call-ID of one of its legs.
        id: String,
    },
    /// Ends a call.
    Hangup {
        /// The call's id.
        id: String,
    },
}

/// Commands about recordings.
#[derive(Debug, Subcommand)]
pub enum Recordings {
    /// Lists recordings with their tags, newest first.
    List,
    /// Shows one recording with every tag.
    Show {
        /// The recording's id.
        id: String,
    },
    /// Writes a two-channel WAV file: customer left, PBX right.
    Export {
        /// The recording's id.
        id: String,
        /// The file to write.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Checks every byte of a recording, and names what is wrong.
    Verify {
        /// The recording's id.
        id: String,
    },
    /// Writes a folder that proves its decision without this node, for `jawoord-verify evidence`.
    Evidence {
        /// The recording's id; also that of one that is deleted.
        id: String,
        /// The folder to make.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Writes it with its sound, its ground and what was pressed as a signed vCon, for other programs.
    Vcon {
        /// The recording's id.
        id: String,
        /// The file to write.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Prints its consent record and receipt (ISO/IEC TS 27560), as its folder of evidence has them.
    Consent {
        /// The recording's id; also that of one that is deleted.
        id: String,
    },
    /// Erases a recording, or some seconds of it, with proof.
    Erase {
        /// The recording's id.
        id: String,
        /// First second to erase.
        #[arg(long, requires = "to")]
        from: Option<u32>,
        /// First second after it to keep.
        #[arg(long, requires = "from")]
        to: Option<u32>,
    },
}

/// Commands about retention.
#[derive(Debug, Subcommand)]
pub enum Retention {
    /// Lists what must be deleted now.
    Due {
        /// At another moment: seconds since the Unix epoch.
        #[arg(long)]
        as_of: Option<u64>,
    },
    /// Deletes what is due, with proof.
    Sweep,
}

/// Commands about keys.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Lists the epochs.
    Status,
    /// Moves every slip of the open epochs to new ones and closes the old.
    Rotate,
    /// Destroys the key of a closed and empty epoch.
    DestroyEpoch {
        /// The epoch's number.
        epoch: u64,
    },
}

/// Commands about the audit tree.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Recomputes the tree and checks it against its checkpoints.
    Verify,
    /// Writes a folder that `jawoord-verify` proves without this node.
    Export {
        /// The folder to make.
        dir: PathBuf,
    },
}

/// Commands that report.
#[derive(Debug, Subcommand)]
pub enum Report {
    /// Holds calls, verdicts, evidence, key slips and stored objects against each other, and names every
    /// mismatch. The node does so by itself each night. Exit code 1 when something does not agree.
    Reconcile {
        /// Only calls that began at this moment or later, such as 2026-12-01 or 2026-12-01T09:00 (UTC)
        /// [default: all].
        #[arg(long, value_name = "TIME", value_parser = moment::read)]
        from: Option<Time>,
        /// Only calls that began before this moment [default: now].
        #[arg(long, value_name = "TIME", value_parser = moment::read)]
        to: Option<Time>,
    },
}

/// Commands about prompts.
#[derive(Debug, Subcommand)]
pub enum Prompts {
    /// Checks texts, hashes, level, length and format.
    Check {
        /// A prompt folder; without it the set inside the program.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// A configuration: whether its policies say what the sounds say.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Makes the placeholder voices again from their texts.
    Build {
        /// The prompt folder.
        #[arg(long, default_value = "prompts")]
        dir: PathBuf,
        /// Only this language.
        #[arg(long)]
        language: Option<String>,
    },
    /// Takes a studio recording.
    Import {
        /// The prompt folder.
        #[arg(long, default_value = "prompts")]
        dir: PathBuf,
        /// Its language.
        language: String,
        /// Its name, such as `notice`.
        name: String,
        /// The recording.
        file: PathBuf,
        /// What it says.
        #[arg(long)]
        text: String,
    },
}
