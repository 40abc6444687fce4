//! Judges the values of a configuration and makes the node's settings of them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use call::{DialledPattern, Digest, EmergencyList, Lines};
use vault::{Country, Profile};

use super::{
    alarms::{self, Alarms},
    ami::Manager,
    aside, attended,
    choice::Record,
    connections,
    controller::{self, Responsible},
    dns,
    headers::{self, Book},
    limits::{self, Drain},
    lines,
    listener::{Listener, listeners},
    media::{MediaSettings, media},
    outbound,
    peers::{self, Pbx, Trunk},
    problem::Problem,
    read::Read,
    refresh,
    schema::File,
    secrecy, timers, ways,
    written::Emergency,
};
use crate::{
    aside::Asides, gate::limits::Limits, net::Bounds, prompts::set::PromptSet, tongues::Tongues,
};

/// Where something is kept, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub path: PathBuf,
    /// The declared country.
    pub country: Box<str>,
    /// The declared provider.
    pub provider: Box<str>,
}

/// Everything a node needs, judged.
#[derive(Debug)]
pub struct Settings {
    /// SHA-256 of the files.
    pub hash: Digest,
    /// The data folder.
    pub data: Place,
    /// The key folder.
    pub keys: Place,
    /// The store.
    pub store: Place,
    /// Listeners.
    pub listeners: Vec<Listener>,
    /// How many connections, and how long they wait for what.
    pub bounds: Bounds,
    /// The clock of SIP's retransmissions.
    pub timers: sip::Timers,
    /// How often a call is refreshed; `None` asks for it never.
    pub session: Option<sip::SessionTimer>,
    /// Media.
    pub media: MediaSettings,
    /// Which headers cross to and from which peer.
    pub headers: Book,
    /// Trunks.
    pub trunks: Vec<Trunk>,
    /// PBX targets.
    pub pbxs: Vec<Pbx>,
    /// Name servers; none are those of the system.
    pub dns: Vec<SocketAddr>,
    /// Emergency numbers.
    pub emergency: EmergencyList,
    /// Numbers that emergency services call back from.
    pub callbacks: Vec<DialledPattern>,
    /// How many calls the node takes.
    pub limits: Limits,
    /// How it is emptied.
    pub drain: Drain,
    /// What is said of calls that go wrong.
    pub alarms: Alarms,
    /// Lines with their policies.
    pub lines: Lines,
    /// Their other languages.
    pub tongues: Tongues,
    /// Which of their calls are left alone.
    pub asides: Asides,
    /// Who is responsible for their recordings.
    pub controllers: Vec<Responsible>,
    /// Prompt audio.
    pub prompts: PromptSet,
    /// How many octets of the latest calls' SIP are held.
    pub trace_octets: usize,
    /// The page's address.
    pub portal: Option<SocketAddr>,
    /// The address of metrics and health.
    pub metrics: Option<SocketAddr>,
    /// Legal but foolish settings.
    pub warnings: Vec<Box<str>>,
}

impl Settings {
    /// The managers of all PBXs.
    pub fn managers(&self) -> impl Iterator<Item = Manager> {
        self.pbxs.iter().filter_map(|pbx| pbx.manager.clone())
    }
}

/// Judges every value. `data` replaces the data folder of the file.
///
/// # Errors
/// Every problem, not only the first.
pub fn judge(read: Read, data: Option<&Path>) -> Result<Settings, Vec<Problem>> {
    let Read { mut file, hash, kept: _ } = read;
    file.data.path = data.map_or(file.data.path, Path::to_owned);
    let mut problems = Vec::new();
    let records = file.policy.iter().any(|policy| policy.record != Record::Never);
    let (data, keys, store) = places(&file, records, &mut problems);
    let prompts = prompts(&file, &mut problems);
    let (lines, tongues, asides) = lines(&file, prompts.as_ref(), &mut problems);
    let controllers = controllers(&file, &mut problems);
    let (emergency, callbacks) = emergency(&file.emergency, &mut problems);
    let (limits, drain) =
        (limits::limits(&file, &mut problems), limits::drain(&file, &mut problems));
    let alarms = alarms::alarms(file.alarms, &mut problems);
    let mut warnings = warnings(&file);
    let listeners = listeners(&file.listener, &mut problems, &mut warnings);
    ways::exposure(&file, &mut warnings);
    ways::one_far_range(&file, &mut problems);
    let bounds = connections::bounds(file.connections, &mut problems);
    let timers = timers::timers(file.timers, &mut problems);
    let session = refresh::session(file.session_timer, "session_timer", &mut problems);
    let media = media(&file.media, &mut problems);
    let headers = headers::book(&file, &mut problems);
    let trunks = peers::trunks(&file, &mut problems);
    let pbxs = peers::pbxs(&file, &mut problems);
    let dns = dns::servers(&file.dns, &mut problems);
    loopback(&file, &mut problems);
    placeholder(&file, prompts.as_ref(), records, &mut problems);
    match (emergency, prompts) {
        (Some(emergency), Some(prompts)) if problems.is_empty() => Ok(Settings {
            hash,
            data,
            keys,
            store,
            listeners,
            bounds,
            timers,
            session,
            media,
            headers,
            trunks,
            pbxs,
            dns,
            emergency,
            callbacks,
            limits,
            drain,
            alarms,
            lines,
            tongues,
            asides,
            controllers,
            prompts,
            trace_octets: usize::from(file.trace.memory_mb) << 20,
            portal: file.portal.bind,
            metrics: file.metrics.bind,
            warnings,
        }),
        _ => Err(problems),
    }
}

/// The page and the metrics are for this machine alone.
fn loopback(file: &File, problems: &mut Vec<Problem>) {
    for (place, bind) in [("portal", file.portal.bind), ("metrics", file.metrics.bind)] {
        if let Some(bind) = bind.filter(|bind| !bind.ip().is_loopback()) {
            problems.push(Problem::value(place, "bind", bind, "use a loopback address"));
        }
    }
}

fn places(file: &File, records: bool, problems: &mut Vec<Problem>) -> (Place, Place, Place) {
    let data = file.data.path.clone();
    let keys = file.keys.path.clone().unwrap_or_else(|| {
        let mut name = data.clone().into_os_string();
        name.push(".keys");
        name.into()
    });
    if keys.starts_with(&data) {
        problems.push(Problem::value(
            "keys",
            "path",
            keys.display(),
            "put the keys outside the data folder, so that a copy of the data opens nothing",
        ));
    }
    let store = file.store.path.clone().unwrap_or_else(|| data.join("store"));
    let profile = Profile::from_name(&file.residency.profile);
    if profile.is_none() {
        let mend = "use `nl-only`, `eu` or `eea`";
        problems.push(Problem::value("residency", "profile", &file.residency.profile, mend));
    }
    let mut place = |name: &str, path, country: &Option<String>, provider: &Option<String>| {
        residency(name, profile, country.as_deref(), records, problems);
        if records && provider.is_none() {
            let mend = "name who runs this machine or disk";
            problems.push(Problem::missing(name, "provider", mend));
        }
        Place {
            path,
            country: country.clone().unwrap_or_default().into(),
            provider: provider.clone().unwrap_or_default().into(),
        }
    };
    (
        place("data", data, &file.data.country, &file.data.provider),
        place("keys", keys, &file.keys.country, &file.keys.provider),
        place("store", store, &file.store.country, &file.store.provider),
    )
}

fn residency(
    place: &str,
    profile: Option<Profile>,
    country: Option<&str>,
    records: bool,
    problems: &mut Vec<Problem>,
) {
    match country {
        None if records => problems.push(Problem::missing(
            place,
            "country",
            "write where it is, such as \"NL\" (ISO 3166-1 alpha-2)",
        )),
        None => {}
        Some(code) => {
            let inside = |profile: Profile| {
                Country::new(code).is_some_and(|country| profile.check(country).is_ok())
            };
            if profile.is_some_and(|profile| !inside(profile)) {
                problems.push(Problem::value(
                    place,
                    "country",
                    code,
                    "it lies outside the residency profile; move it to a country inside, or widen \
                     `residency.profile`",
                ));
            }
        }
    }
}

fn prompts(file: &File, problems: &mut Vec<Problem>) -> Option<PromptSet> {
    let set = match &file.prompts.path {
        Some(path) => PromptSet::load(path),
        None => PromptSet::embedded(),
    };
    set.map_err(|error| {
        problems
            .push(Problem::Prompt { place: "prompts".into(), finding: error.to_string().into() });
    })
    .ok()
}

fn patterns(
    key: &'static str,
    numbers: &[String],
    problems: &mut Vec<Problem>,
) -> Vec<DialledPattern> {
    let mut read = |number: &String| {
        let bad = || Problem::value("emergency", key, number, "use digits, such as \"112\"");
        DialledPattern::new(number).map_err(|_| problems.push(bad())).ok()
    };
    numbers.iter().filter_map(&mut read).collect()
}

/// The lines, their other languages, and which of their calls are left alone.
fn lines(
    file: &File,
    prompts: Option<&PromptSet>,
    problems: &mut Vec<Problem>,
) -> (Lines, Tongues, Asides) {
    let (lines, tongues) = lines::lines(file, prompts, problems);
    let asides = aside::asides(file, &lines, problems);
    (lines, tongues, asides)
}

/// Who is responsible for the recordings of each tenant.
fn controllers(file: &File, problems: &mut Vec<Problem>) -> Vec<Responsible> {
    let is_ours = |tenant: &str| file.line.iter().any(|line| line.tenant == tenant);
    controller::controllers(&file.controller, is_ours, problems)
}

/// The numbers of emergencies, and those that they call back from.
fn emergency(
    emergency: &Emergency,
    problems: &mut Vec<Problem>,
) -> (Option<EmergencyList>, Vec<DialledPattern>) {
    let callbacks = patterns("callback_numbers", &emergency.callback_numbers, problems);
    let list = EmergencyList::new(patterns("numbers", &emergency.numbers, problems));
    if emergency.numbers.is_empty() {
        problems.push(Problem::value(
            "emergency",
            "numbers",
            "[]",
            "name at least \"112\"; without it emergency calls would be asked and delayed",
        ));
    }
    (list, callbacks)
}

/// Callers outside this machine hear a studio voice, or the operator says that a machine will do.
fn placeholder(
    file: &File,
    prompts: Option<&PromptSet>,
    records: bool,
    problems: &mut Vec<Problem>,
) {
    let outside = file
        .trunk
        .iter()
        .flat_map(|trunk| &trunk.networks)
        .any(|network| !network.addr().is_loopback());
    let machine = prompts.is_some_and(|set| {
        set.languages().any(|language| set.placeholders(language).next().is_some())
    });
    if records && outside && machine && !file.prompts.allow_placeholder_voice {
        problems.push(Problem::value(
            "prompts",
            "allow_placeholder_voice",
            false,
            "callers outside this machine would hear a machine's voice; import studio recordings \
             with `jawoord prompts import`, or set it to true",
        ));
    }
}

fn warnings(file: &File) -> Vec<Box<str>> {
    let mut warnings: Vec<Box<str>> = Vec::new();
    if file.line.is_empty() {
        warnings.push("no line is configured: every call is bridged and none is recorded".into());
    }
    if file.trunk.is_empty() {
        warnings.push("no trunk is configured: every call is refused".into());
    }
    if file.pbx.is_empty() {
        warnings.push("no PBX is configured: no call can be bridged".into());
    }
    for trunk in &file.trunk {
        if trunk.networks.iter().any(|network| network.prefix_len() == 0) {
            let text = format!("trunk \"{}\" takes calls from anywhere", trunk.name);
            warnings.push(text.into());
        }
    }
    warnings.extend(outbound::warnings(file));
    warnings.extend(attended::warnings(file));
    warnings.extend(aside::warnings(file));
    secrecy::warnings(file, &mut warnings);
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{problem::Problems, read::read_text};

    const LAB: &str = include_str!("../../../../config/lab.toml");

    fn judged(text: &str) -> Result<Settings, String> {
        read_text(text)
            .and_then(|read| judge(read, None))
            .map_err(|problems| Problems(&problems).to_string())
    }

    fn fault(from: &str, to: &str) -> String {
        assert!(LAB.contains(from), "config/lab.toml no longer holds {from:?}");
        judged(&LAB.replace(from, to)).expect_err("this must not be taken")
    }

    #[test]
    fn the_lab_is_good_and_knows_its_lines() {
        let settings = judged(LAB).unwrap();
        assert_eq!(settings.lines.iter().len(), 3);
        assert_eq!(settings.keys.path, Path::new("./lab-data.keys"));
        assert!(settings.warnings.is_empty());
    }

    #[test]
    fn l_25_an_empty_configuration_records_nothing() {
        let settings = judged("").unwrap();
        assert_eq!(settings.lines.iter().len(), 0);
        assert!(settings.emergency.matches(&call::Private::new("112".to_owned())));
    }

    #[test]
    fn e_07_an_empty_emergency_list_is_refused() {
        let numbers = r#"numbers = ["112", "0112", "+31112", "911", "999", "110"]"#;
        let text = fault(numbers, "numbers = []");
        assert!(text.contains("emergency") && text.contains("112"), "{text}");
    }

    #[test]
    fn l_06_a_policy_without_a_ground_is_refused() {
        let text = fault(
            "ground = \"consent\"                  # GDPR Art. 6(1)(a); there is no default",
            "",
        );
        assert!(text.contains("policy \"quality-nl\": `ground` is missing"), "{text}");
    }

    #[test]
    fn a_ground_that_is_not_handled_yet_is_refused_and_never_taken_for_consent() {
        let text = fault("ground = \"consent\"\n", "ground = \"contract\"\n");
        assert!(text.contains("`ground` is \"contract\""), "{text}");
    }

    #[test]
    fn l_44_a_place_outside_the_residency_profile_is_refused_by_name() {
        let text = fault(
            "[store]                             # sealed recordings; default: `store` in the data folder\ncountry = \"NL\"",
            "[store]\ncountry = \"US\"",
        );
        assert!(text.starts_with("store: `country` is \"US\""), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn keys_inside_the_data_folder_are_refused() {
        let text = fault("[keys]", "[keys]\npath = \"./lab-data/keys\"");
        assert!(text.contains("outside the data folder"), "{text}");
    }

    #[test]
    fn l_05_a_policy_that_keeps_longer_than_callers_are_told_is_refused() {
        let text = fault("keep_days = 30", "keep_days = 31");
        assert!(text.contains("promised less than the retention class keeps"), "{text}");
    }

    #[test]
    fn l_09_a_policy_that_says_something_else_than_its_audio_is_refused_naming_both() {
        let text = fault("\"Voorbeeld BV\"", "\"Andere BV\"");
        assert!(text.contains("Andere BV") && text.contains("Voorbeeld BV"), "{text}");
    }

    #[test]
    fn a_placeholder_voice_does_not_speak_to_callers_outside_this_machine() {
        let networks = r#""127.0.0.0/8", "::1/128""#;
        let text = fault(networks, "\"203.0.113.0/24\"");
        assert!(text.contains("allow_placeholder_voice"), "{text}");
        let allowed = LAB.replace(networks, "\"203.0.113.0/24\"")
            + "\n[prompts]\nallow_placeholder_voice = true\n";
        assert!(judged(&allowed).is_ok());
    }

    #[test]
    fn one_key_cannot_mean_two_things() {
        let text = fault("withdraw_key = \"*\"", "withdraw_key = \"1\"");
        assert!(text.contains("`withdraw_key` is \"1\""), "{text}");
    }
}
