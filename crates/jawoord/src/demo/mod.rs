//! `jawoord demo`: four real calls on this machine, and the recording that one of them leaves.

mod report;
mod scene;

use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    command::{
        request::{Reply, Request},
        serve::{self, Running},
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

/// Addresses that were free a moment ago.
struct Addresses {
    sip: SocketAddr,
    pbx: SocketAddr,
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
    let addresses = addresses().map_err(|error| error.to_string())?;
    let running = node(home.path(), &addresses).await?;
    let answers = Manner::Answers { after: Duration::from_millis(1_200), tone_hz: 523.25 };
    let pbx = Phone::start(addresses.pbx, answers).map_err(|error| error.to_string())?;
    let mut report = Report::new(json);
    report.opening(&addresses.sip, &addresses.pbx);
    let progress = |at, scene, what: &str| report.progress(at, scene, what);
    let scenes = scene::play_all(addresses.sip, progress).await?;
    let export = std::env::temp_dir().join(EXPORT);
    tell(&running.desk, &scenes, home.path(), &export, keep, &mut report).await?;
    if keep && !json {
        stay(&running, &addresses).await;
    }
    drop(pbx);
    let _gone = running.notes.send(crate::note::Note::Stop);
    let _ended = tokio::time::timeout(PATIENCE, running.calls).await;
    Ok(report)
}

fn addresses() -> std::io::Result<Addresses> {
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let (sip, pbx) = (UdpSocket::bind(local)?, UdpSocket::bind(local)?);
    let page = TcpListener::bind(local)?;
    let (sip, pbx, page) = (sip.local_addr()?, pbx.local_addr()?, page.local_addr()?);
    // Forty even ports, somewhere that depends on what was free.
    let media = 20_000 + sip.port() % 400 * 100;
    Ok(Addresses { sip, pbx, page, media })
}

async fn node(home: &Path, addresses: &Addresses) -> Result<Running, String> {
    let text = configuration(home, addresses);
    let settings = read::read_text(&text)
        .and_then(|read| judge::judge(read, None))
        .map_err(|problems| Problems(&problems).to_string())?;
    serve::start(settings, None).await.map_err(|error| error.to_string())
}

/// The lab's configuration, on the demonstration's own ports and in its own folder.
fn configuration(home: &Path, addresses: &Addresses) -> String {
    let lab = include_str!("../../../../config/lab.toml");
    let data = home.join("data");
    lab.replace("\"./lab-data\"", &format!("{:?}", data.display().to_string()))
        .replace("127.0.0.1:15060", &addresses.sip.to_string())
        .replace("127.0.0.1:15080", &addresses.pbx.to_string())
        .replace("127.0.0.1:15091", &addresses.page.to_string())
        .replace("port_min = 20000", &format!("port_min = {}", addresses.media))
        .replace("port_max = 29999", &format!("port_max = {}", addresses.media + 79))
        .replace("[metrics]\nbind = \"127.0.0.1:15090\"", "[metrics]\n#")
}

/// What the office says of the four calls, and what becomes of the one recording.
async fn tell(
    desk: &Desk,
    scenes: &[Scene],
    home: &Path,
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
    report.recording(recording, &manifest(&home.join("data/store"), &id));
    report.verified(&ask(desk, Request::RecordingsVerify { id: id.clone() }).await?);
    write(desk, &id, export).await?;
    report.exported(export);
    report.left(&left_behind(&home.join("data"), &id));
    if !keep {
        erase(desk, &id, &home.join("data"), report).await?;
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
    std::fs::write(path, bytes).map_err(|error| error.to_string())
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
