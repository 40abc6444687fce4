//! `jawoord serve`: builds everything top to bottom in the order it starts, stops it in reverse.

use std::{
    cmp, fmt, io,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::serve::Listener as _;
use call::Fact;
use portal::Portal;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
    time,
};

use super::{
    operator::{Door, Operator},
    renew::Renewal,
};
use crate::{
    ami::client::Managers,
    clock::Clock,
    config::{judge::Settings, listener::Listener},
    control,
    descriptors::{Descriptors, PER_CALL, VISITORS},
    floor::FloorDoor,
    harden,
    http::{self, Bounded},
    kept::Source,
    metrics::Metrics,
    net::{Net, sign::Outlet},
    node::{
        Node, Parts,
        run::{self, Inbox},
    },
    note::Note,
    number,
    office::{
        answer::Desk,
        archive::{Archive, OfficeError, Opened},
        keeper::KeeperDoor,
        lanes::{OfficeDoor, Staff},
        nightly::Nightly,
        recover::Found,
    },
    page::Page,
    recorder::thread as recorder,
    resolver::Resolver,
    signalling::{Signalling, lost},
    sound::Sound,
};

/// How often retention is looked at.
const SWEEP: Duration = Duration::from_secs(600);
/// How long the last writes may take when the node stops.
const DRAIN: Duration = Duration::from_secs(5);

/// Why the node does not serve.
#[derive(Debug)]
pub enum ServeError {
    /// The office cannot be opened.
    Office(OfficeError),
    /// A socket or thread cannot be made; what for.
    System(&'static str, io::Error),
    /// A metric is registered twice.
    Metrics,
    /// So many files and sockets may be open, and so many are needed for the first call.
    Descriptors(u64, u64),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Office(error) => error.fmt(f),
            Self::System(what, error) => {
                write!(f, "{what}: {error}; free the address or correct it, then start again")
            }
            Self::Metrics => {
                f.write_str("two metrics have one name; this is a fault of the program")
            }
            Self::Descriptors(limit, needed) => write!(
                f,
                "{limit} files and sockets may be open, which carries no call; raise LimitNOFILE of \
                 the service (ulimit -n) to {needed} and {PER_CALL} for each call, or lower \
                 `connections.max`"
            ),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<OfficeError> for ServeError {
    fn from(error: OfficeError) -> Self {
        Self::Office(error)
    }
}

/// A node that serves.
pub struct Running {
    /// The loop of calls.
    pub calls: JoinHandle<io::Result<()>>,
    /// The thread on which it runs.
    _signalling: Signalling,
    /// The way to it.
    pub notes: mpsc::UnboundedSender<Note>,
    /// The desk.
    pub desk: Desk,
    /// Where the last words of calls are written.
    pub office: OfficeDoor,
    /// The page's one-time link, if there is a page.
    pub link: Option<String>,
    leaving: bool,
    /// The way to new settings, if the node has a configuration file.
    pub renewal: Option<Arc<Renewal>>,
}

/// Starts everything; the node takes calls when this returns.
///
/// # Errors
/// [`ServeError`]; nothing runs then.
pub async fn start(settings: Settings, reload: Option<PathBuf>) -> Result<Running, ServeError> {
    let system = |what| move |error| ServeError::System(what, error);
    let limit = hardened();
    let clock = Clock::start();
    let metrics = Metrics::new().map_err(|_| ServeError::Metrics)?;
    settings.trunks.iter().for_each(|trunk| number::prepare(trunk.country));
    let settings = Arc::new(settings);
    let desk = desk(&settings, clock, &metrics).await?;
    let (notes, inbox) = mpsc::unbounded_channel();
    let recorder_door = Arc::new(OnceLock::new());
    let staff = Staff {
        archive: Arc::clone(&desk.archive),
        keeper: desk.keeper.clone(),
        notes: notes.clone(),
        recorder: Arc::clone(&recorder_door),
    };
    let office = OfficeDoor::start(&staff);
    let recorder = recorder::start(&desk.archive.spool, clock, notes.clone(), office.clone())
        .map_err(system("the recorder"))?;
    let _first = recorder_door.set(recorder.clone());
    let sound = Sound::start(&settings, clock, &notes).map_err(system("the media threads"))?;
    let descriptors = carried(limit, &settings, &sound, &metrics)?;
    let (signalling, net, signs) = signalling(&settings).await?;
    let parts = Parts {
        clock,
        resolver: Resolver::new(&settings.dns, &settings.listeners, notes.clone()),
        managers: Managers::new(notes.clone(), runtime::Handle::current()),
        settings: Arc::clone(&settings),
        sound,
        descriptors,
        office: office.clone(),
        recorder,
        metrics: metrics.clone(),
        net,
    };
    let node = Node::new(parts).map_err(system("the SIP endpoint"))?;
    let page = page(&settings, &desk, FloorDoor::new(notes.clone()), clock).await?;
    let link = page.as_ref().map(Door::link);
    let renewal = reload.map(|config| {
        let source = Source { config, data: Some(settings.data.path.clone()) };
        Arc::new(Renewal::new(source, desk.clone(), notes.clone()))
    });
    let operator =
        Operator { desk: desk.clone(), notes: notes.clone(), renewal: renewal.clone(), page };
    let socket = control::listen(&settings.data.path).map_err(system("the control socket"))?;
    tokio::spawn(control::serve(socket, Arc::new(operator)));
    measured(&settings, &desk, metrics, FloorDoor::new(notes.clone())).await?;
    let calls = signalling.handle().spawn(run::run(node, Inbox { signs, notes: inbox }));
    tracing::info!(lines = settings.lines.iter().len(), "the node takes calls");
    Ok(Running {
        calls,
        _signalling: signalling,
        notes,
        desk,
        office,
        link,
        renewal,
        leaving: false,
    })
}

/// The calls' thread, and its sockets.
async fn signalling(settings: &Settings) -> Result<(Signalling, Net, Outlet), ServeError> {
    let thread =
        Signalling::start().map_err(|error| ServeError::System("the calls' thread", error))?;
    let openings: Vec<_> = settings.listeners.iter().map(Listener::opening).collect();
    let (bounds, crowd) = (settings.bounds, runtime::Handle::current());
    let opening = thread.handle().spawn(async move { Net::open(&openings, bounds, crowd).await });
    let opened = opening.await.map_err(lost).flatten();
    let (net, signs) = opened.map_err(|error| ServeError::System("a SIP listener", error))?;
    Ok((thread, net, signs))
}

/// What the operator's monitoring reads.
async fn measured(
    settings: &Settings,
    desk: &Desk,
    metrics: Metrics,
    floor: FloorDoor,
) -> Result<(), ServeError> {
    if let Some(address) = settings.metrics {
        let bound = http::bind(address).await;
        let listener = bound.map_err(|error| ServeError::System("the metrics", error))?;
        tokio::spawn(http::serve(listener, metrics.clone()));
    }
    tokio::spawn(watch(desk.clone(), metrics, floor));
    Ok(())
}

/// How many calls there may be, which is said here; none at all is no node.
fn carried(
    limit: u64,
    settings: &Settings,
    sound: &Sound,
    metrics: &Metrics,
) -> Result<Descriptors, ServeError> {
    let descriptors = Descriptors::new(limit, settings, sound.crew().len());
    let (carries, reserve) = (descriptors.calls(), settings.limits.reserve);
    if carries <= reserve {
        return Err(ServeError::Descriptors(limit, descriptors.needed(reserve + 1)));
    }
    metrics.load.carries(carries);
    metrics.load.watch(sound.crew().loads());
    let wanted = settings.limits.calls;
    let calls = cmp::min(wanted, carries - reserve);
    tracing::info!(calls, emergencies = reserve, limit, carries, "calls at a time");
    if calls < wanted {
        let needed = descriptors.needed(wanted + reserve);
        tracing::warn!(
            wanted,
            needed,
            "files and sockets carry fewer calls than media ports and `limits.calls` allow; raise \
             LimitNOFILE of the service (ulimit -n)"
        );
    }
    Ok(descriptors)
}

/// Hardens the process; how many files and sockets it may have open.
fn hardened() -> u64 {
    let hardening = harden::harden();
    if !hardening.undumpable || !hardening.locked {
        tracing::warn!(
            ?hardening,
            "memory could not be locked or kept out of dumps; raise LimitMEMLOCK"
        );
    }
    hardening.descriptors
}

/// Facts, keys and store; then what the last run left open.
async fn desk(settings: &Settings, clock: Clock, metrics: &Metrics) -> Result<Desk, ServeError> {
    let Opened { archive, writer, leftovers } = Archive::open(settings, clock).await?;
    tokio::spawn(writer.run());
    let open = leftovers.removals.clone();
    let keeper = KeeperDoor::start(Arc::clone(&archive), open, metrics.clone());
    let found = archive.recover(&leftovers, &keeper).await?;
    if found != Found::default() {
        tracing::warn!(?found, "the last run ended without closing; everything is closed now");
    }
    let (configuration, version) = (settings.hash, env!("CARGO_PKG_VERSION"));
    archive.shelf.keep(settings);
    archive.fact(Fact::NodeStarted { configuration, version }).await;
    Ok(Desk { archive, keeper })
}

async fn page(
    settings: &Settings,
    desk: &Desk,
    floor: FloorDoor,
    clock: Clock,
) -> Result<Option<Door>, ServeError> {
    let system = |error| ServeError::System("the page", error);
    let Some(bind) = settings.portal else { return Ok(None) };
    let listener = Bounded::bind(bind, VISITORS).await.map_err(system)?;
    let address = listener.local_addr().map_err(system)?;
    let mut key = [0; 32];
    let drawn = SystemRandom::new().fill(&mut key);
    drawn.map_err(|_| system(io::Error::other("no random key")))?;
    let page = Arc::new(Page::new(desk.clone(), floor));
    let portal = Arc::new(Portal::new(page, key, "jawoord link", move || clock.now()));
    let routes = portal.router();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(Some(Door { portal, address }))
}

/// Deletes what is due, and counts what is overdue; reconciles by night.
async fn watch(desk: Desk, metrics: Metrics, floor: FloorDoor) {
    let mut tick = time::interval(SWEEP);
    let archive = &desk.archive;
    let mut nightly = Nightly::new(Arc::clone(archive), floor, archive.clock.now()).await;
    loop {
        tick.tick().await;
        let swept = desk.sweep().await;
        if let Some(error) = swept.error {
            tracing::error!(%error, "retention");
        }
        let now = desk.archive.clock.now();
        if let Ok(due) = desk.archive.ledger.due(now, 10_000).await {
            metrics.overdue.set(i64::try_from(due.len()).unwrap_or(i64::MAX));
        }
        if let Err(error) = nightly.turn(desk.archive.clock.now()).await {
            tracing::error!(%error, "reconciliation; it is tried again");
        }
        let size = desk.archive.ledger.health().head.size;
        metrics.tree.set(i64::try_from(size).unwrap_or(i64::MAX));
    }
}

/// Serves until SIGTERM or SIGINT, and until the calls that run then have ended; a second one ends
/// them at once. SIGHUP reads the configuration again.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(settings: Settings, config: PathBuf) -> Result<(), ServeError> {
    let system = |error| ServeError::System("a signal", error);
    let take = |kind| -> Result<Signal, ServeError> { signal(kind).map_err(system) };
    let (mut term, mut int, mut hup) = (
        take(SignalKind::terminate())?,
        take(SignalKind::interrupt())?,
        take(SignalKind::hangup())?,
    );
    let mut running = start(settings, Some(config)).await?;
    if let Some(link) = &running.link {
        println!("page: {link}");
    }
    loop {
        tokio::select! {
            _ = term.recv() => running.leaves(),
            _ = int.recv() => running.leaves(),
            _ = hup.recv() => {
                if let Some(renewal) = &running.renewal {
                    let _said_in_the_log = renewal.read_again().await;
                }
            }
            ended = &mut running.calls => return running.closes(ended).await,
        }
    }
}

impl Running {
    /// The first signal lets running calls end in their time, the second one ends them.
    fn leaves(&mut self) {
        let again = std::mem::replace(&mut self.leaving, true);
        if again {
            tracing::info!("stopping: calls end, recordings are closed");
        } else {
            tracing::info!("stopping when the running calls have ended; a second signal ends them");
        }
        let _already_gone = self.notes.send(if again { Note::Stop } else { Note::Leave });
    }

    /// The loop has ended.
    async fn closes(&self, ended: Ended) -> Result<(), ServeError> {
        // The words of the last calls are on disk before the program is gone.
        if time::timeout(DRAIN, self.office.drain()).await.is_err() {
            tracing::error!(
                "the ledger did not take the last words in time; the next start writes them"
            );
        }
        said(ended)
    }
}

/// How the loop ended.
type Ended = Result<io::Result<()>, tokio::task::JoinError>;

fn said(ended: Ended) -> Result<(), ServeError> {
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(ServeError::System("the calls", error)),
        Err(_) => Err(ServeError::System("the calls", io::Error::other("the loop panicked"))),
    }
}
