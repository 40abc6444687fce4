//! `jawoord demo`: four real calls on this machine, and the recording that one of them leaves.

mod report;
mod scene;

use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

use crate::{
    command::{
        request::{Reply, Request},
        serve::{self, Running, ServeError},
    },
    config::{judge, problem::Problems, read},
    office::answer::Desk,
    phone::{Manner, Phone},
};
use report::Report;
use scene::Scene;

/// The file that the demonstration's one recording is exported to, in the system's folder for
/// temporary files.
const EXPORT: &str = "jawoord-demo.wav";
/// How long the whole of a step of the office may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often addresses are drawn until the node has some that nobody takes in between.
const DRAWS: usize = 8;

/// Addresses that were free a moment ago.
struct Addresses {
    sip: SocketAddr,
    page: SocketAddr,
    media: u16,
}

/// Runs the demonstration; what is left to print, and whether all went well.
pub async fn run(keep: bool, json: bool) -> (String, bool) {
    match play(keep, json).await {
        Ok(report) => {
            let good = report.is_good();
            if json { (format!("{:#}\n", report.value()), good) } else { (report.close(), good) }
        }
        Err(failed) => (format!("the demonstration stopped: {failed}\n"), false),
    }
}

async fn play(keep: bool, json: bool) -> Result<Report, String> {
    let home = TempDir::with_prefix("jawoord-demo-").map_err(|error| error.to_string())?;
    let answers = Manner::Answers { after: Duration::from_millis(1_200), tone_hz: 523.25 };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let pbx = Phone::start(anywhere, answers).map_err(|error| error.to_string())?;
    let Started { running, addresses, data } =
        node(home.path(), pbx.address(), || addresses(anywhere)).await?;
    let mut report = Report::new(json);
    report.opening(&addresses.sip, &pbx.address());
    let progress = |at, scene, what: &str| report.progress(at, scene, what);
    let scenes = scene::play_all(addresses.sip, progress).await?;
    let export = std::env::temp_dir().join(EXPORT);
    tell(&running.desk, &scenes, &data, &export, keep, &mut report).await?;
    if keep && !json {
        stay(&running, &addresses).await;
    }
    drop(pbx);
    let _gone = running.notes.send(crate::note::Note::Stop);
    let _ended = tokio::time::timeout(PATIENCE, running.calls).await;
    Ok(report)
}

fn addresses(anywhere: SocketAddr) -> io::Result<Addresses> {
    let sip = UdpSocket::bind(anywhere)?.local_addr()?;
    let page = TcpListener::bind(anywhere)?.local_addr()?;
    // Forty even ports, somewhere that depends on what was free; two demonstrations may share them.
    let media = 20_000 + sip.port() % 400 * 100;
    Ok(Addresses { sip, page, media })
}

/// A node that runs, where it listens, and the folder that is its own.
struct Started {
    running: Running,
    addresses: Addresses,
    data: PathBuf,
}

/// Starts the node. Between the moment in which an address was free and the one in which the node binds
/// it, another program may take it, such as a second demonstration: then others are drawn.
async fn node(
    home: &Path,
    pbx: SocketAddr,
    mut draw: impl FnMut() -> io::Result<Addresses>,
) -> Result<Started, String> {
    let mut failed = String::new();
    for turn in 0..DRAWS {
        let addresses = draw().map_err(|error| error.to_string())?;
        // What a start leaves that came to nothing is not in the way of the next.
        let data = home.join(format!("data-{turn}"));
        let text = configuration(&data, pbx, &addresses);
        let settings = read::read_text(&text)
            .and_then(|read| judge::judge(read, None))
            .map_err(|problems| Problems(&problems).to_string())?;
        match serve::start(settings, None).await {
            Ok(running) => return Ok(Started { running, addresses, data }),
            Err(error) if is_taken(&error) => failed = error.to_string(),
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(failed)
}

fn is_taken(error: &ServeError) -> bool {
    matches!(error, ServeError::System(_, error) if error.kind() == io::ErrorKind::AddrInUse)
}

/// The lab's configuration, on the demonstration's own ports and in its own folder.
fn configuration(data: &Path, pbx: SocketAddr, addresses: &Addresses) -> String {
    let lab = include_str!("../../../../config/lab.toml");
    lab.replace("\"./lab-data\"", &format!("{:?}", data.display().to_string()))
        .replace("127.0.0.1:15060", &addresses.sip.to_string())
        .replace("127.0.0.1:15080", &pbx.to_string())
        .replace("127.0.0.1:15091", &addresses.page.to_string())
        .replace("port_min = 20000", &format!("port_min = {}", addresses.media))
        .replace("port_max = 29999", &format!("port_max = {}", addresses.media + 79))
        .replace("[metrics]\nbind = \"127.0.0.1:15090\"", "[metrics]\n#")
}

/// What the office says of the four calls, and what becomes of the one recording.
async fn tell(
    desk: &Desk,
    scenes: &[Scene],
    data: &Path,
    export: &Path,
    keep: bool,
    report: &mut Report,
) -> Result<(), String> {
    let calls = calls(desk, scenes.len()).await?;
    for (scene, call) in scenes.iter().zip(&calls) {
        report.call(*scene, call);
    }
    let recordings = list(desk, Request::RecordingsList).await?;
    report.verdicts(&recordings);
    let [recording] = &recordings[..] else {
        return Err(format!("{} recordings exist instead of one", recordings.len()));
    };
    let id = text(recording, "recording");
    report.recording(recording, &manifest(&data.join("store"), &id));
    report.verified(&ask(desk, Request::RecordingsVerify { id: id.clone() }).await?);
    write(desk, &id, export).await?;
    report.exported(export);
    report.left(&left_behind(data, &id));
    if !keep {
        erase(desk, &id, data, report).await?;
    }
    Ok(())
}

/// The calls in the order in which they were placed, once all of them have their words.
async fn calls(desk: &Desk, expected: usize) -> Result<Vec<Value>, String> {
    for _ in 0..100 {
        let mut calls = list(desk, Request::CallsList).await?;
        if calls.len() == expected && calls.iter().all(|call| !call["verdict"].is_null()) {
            calls.reverse();
            let mut shown = Vec::new();
            for call in calls {
                shown.push(ask(desk, Request::CallsShow { id: text(&call, "call") }).await?);
            }
            return Ok(shown);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("the calls did not end".to_owned())
}

async fn ask(desk: &Desk, request: Request) -> Result<Value, String> {
    let Reply { done, value, error, .. } = desk.answer(request).await.reply;
    if done { Ok(value) } else { Err(error.unwrap_or_else(|| value.to_string())) }
}

async fn list(desk: &Desk, request: Request) -> Result<Vec<Value>, String> {
    Ok(ask(desk, request).await?.as_array().cloned().unwrap_or_default())
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

async fn write(desk: &Desk, id: &str, path: &Path) -> Result<(), String> {
    let mut answer = desk.answer(Request::RecordingsExport { id: id.to_owned() }).await;
    let mut bytes = Vec::new();
    while let Some(piece) = match &mut answer.body {
        Some(body) => body.recv().await,
        None => None,
    } {
        bytes.extend(piece);
    }
    if answer.reply.bytes != bytes.len() as u64 || bytes.is_empty() {
        return Err(answer.reply.error.unwrap_or_else(|| "the export is cut".to_owned()));
    }
    // In one step: another demonstration may write its own at the same time.
    let folder = path.parent().unwrap_or(path);
    let written = NamedTempFile::new_in(folder).and_then(|file| {
        std::fs::write(file.path(), bytes)?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| error.to_string())
}

/// The signed manifest, as it stands in the object.
fn manifest(store: &Path, id: &str) -> String {
    let object = files(store).into_iter().find(|path| path.to_string_lossy().contains(id));
    let read = object
        .and_then(|path| std::fs::File::open(path).ok())
        .and_then(|mut file| vault::Object::read(&mut file).ok());
    read.map(|object| String::from_utf8_lossy(&object.manifest_text).into_owned())
        .unwrap_or_default()
}

/// Files in which audio of another call than the recorded one could be.
fn left_behind(data: &Path, id: &str) -> Vec<String> {
    let of_others = |path: &PathBuf| !path.to_string_lossy().contains(id);
    let stored = files(&data.join("store")).into_iter().filter(of_others);
    let spooled = files(&data.join("spool"));
    stored.chain(spooled).map(|path| path.display().to_string()).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Erases the recording; then makes sure that no backup opens it either.
async fn erase(desk: &Desk, id: &str, data: &Path, report: &mut Report) -> Result<(), String> {
    let id = id.to_owned();
    // The row goes with the recording; what proves its end stays.
    let erased = ask(desk, Request::RecordingsErase { id: id.clone(), seconds: None }).await?;
    report.state("erased", &erased);
    ask(desk, Request::KeysRotate).await?;
    for epoch in list(desk, Request::KeysStatus).await? {
        if let (Some(number), Some("closed")) = (epoch["epoch"].as_u64(), epoch["state"].as_str()) {
            ask(desk, Request::KeysDestroyEpoch { epoch: number }).await?;
        }
    }
    let gone = ask(desk, Request::RecordingsShow { id }).await?;
    report.state("unrecoverable", &gone);
    let audit = ask(desk, Request::AuditVerify).await?;
    report.proved(&audit, &files(&data.join("store")));
    Ok(())
}

/// Keeps the node running until Ctrl-C.
async fn stay(running: &Running, addresses: &Addresses) {
    println!();
    if let Some(link) = &running.link {
        println!("The page (this link opens once):  {link}");
    }
    println!("Call it with a softphone:         sip:+31201234567@{}", addresses.sip);
    println!("Ctrl-C ends everything and removes the folder.");
    let _until_asked = tokio::signal::ctrl_c().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_address_that_somebody_takes_in_between_costs_another_draw_and_no_more() {
        let home = TempDir::new().unwrap();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let (taken, page) =
            (UdpSocket::bind(anywhere).unwrap(), TcpListener::bind(anywhere).unwrap());
        let mut draws = 0;
        let draw = || {
            draws += 1;
            let mut drawn = addresses(anywhere)?;
            match draws {
                1 => drawn.sip = taken.local_addr()?,
                2 => drawn.page = page.local_addr()?,
                _ => {}
            }
            Ok(drawn)
        };
        let started = node(home.path(), taken.local_addr().unwrap(), draw).await.unwrap();
        assert_eq!(draws, 3);
        let again = UdpSocket::bind(started.addresses.sip);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse, "the node has it");
        let _told = started.running.notes.send(crate::note::Note::Stop);
        started.running.calls.await.unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_no_other_draw_mends_is_said_at_once() {
        let home = TempDir::new().unwrap();
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut draws = 0;
        let draw = || {
            draws += 1;
            let drawn = addresses(anywhere)?;
            Ok(Addresses { sip: ([192, 0, 2, 1], 5060).into(), ..drawn })
        };
        let refused = node(home.path(), ([127, 0, 0, 1], 9).into(), draw).await.err().unwrap();
        assert!(draws == 1 && refused.contains("a SIP listener"), "{draws}: {refused}");
    }
}
