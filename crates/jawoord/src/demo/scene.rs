//! The four callers: one says 1, one says 2, one says nothing, one hangs up in the notice.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::phone::{Manner, Order, Phone, What};

/// What a caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// Presses 1 at the question.
    Grant,
    /// Presses 2 while the notice still plays.
    Refuse,
    /// Presses nothing.
    Silence,
    /// Hangs up in the notice.
    HangUp,
}

/// One thing a caller does, so long after its call is answered.
struct Step(Duration, Order, &'static str);

impl Scene {
    /// All of them, in the order in which they call.
    pub(super) const ALL: [Self; 4] = [Self::Grant, Self::Refuse, Self::Silence, Self::HangUp];

    /// The name in JSON.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Refuse => "refuse",
            Self::Silence => "silence",
            Self::HangUp => "hangup",
        }
    }

    /// The name on the screen.
    #[must_use]
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Grant => "the caller says 1",
            Self::Refuse => "the caller says 2",
            Self::Silence => "the caller says nothing",
            Self::HangUp => "the caller hangs up in the notice",
        }
    }

    /// What the caller does by the clock. Everything else follows from what happens.
    fn steps(self) -> Vec<Step> {
        let at = Duration::from_millis;
        match self {
            // The Dutch notice and question take 13 s.
            Self::Grant => vec![Step(at(13_200), Order::Press('1'), "presses 1")],
            Self::Refuse => vec![Step(at(2_500), Order::Press('2'), "presses 2")],
            Self::Silence => Vec::new(),
            Self::HangUp => vec![Step(at(3_000), Order::HangUp, "hangs up")],
        }
    }

    /// How long the caller talks with the PBX.
    const fn talks(self) -> Duration {
        match self {
            Self::Grant => Duration::from_millis(8_000),
            Self::Refuse | Self::Silence | Self::HangUp => Duration::from_millis(2_000),
        }
    }
}

/// A call must be over by then, whatever happens.
const LIMIT: Duration = Duration::from_secs(50);
/// Callers dial one after the other, so that the list of calls is in their order.
const STAGGER: Duration = Duration::from_millis(400);
/// The tone of the PBX.
const PBX_HZ: f64 = 523.25;

/// Plays all scenes at once against a node.
///
/// # Errors
/// A phone cannot be started, or a call does not end.
pub(super) async fn play_all(
    node: SocketAddr,
    progress: impl Fn(Duration, Scene, &str),
) -> Result<Vec<Scene>, String> {
    let (said, mut sayings) = tokio::sync::mpsc::unbounded_channel();
    let mut playing = tokio::task::JoinSet::new();
    for (index, scene) in (0..).zip(Scene::ALL) {
        let said = said.clone();
        playing.spawn_blocking(move || {
            std::thread::sleep(STAGGER * index);
            play(scene, node, |what| {
                let _nobody_listens = said.send((scene, what));
            })
        });
    }
    drop(said);
    let started = Instant::now();
    while let Some((scene, what)) = sayings.recv().await {
        progress(started.elapsed(), scene, &what);
    }
    while let Some(played) = playing.join_next().await {
        played.map_err(|error| error.to_string())??;
    }
    Ok(Scene::ALL.to_vec())
}

fn play(scene: Scene, node: SocketAddr, say: impl Fn(String)) -> Result<(), String> {
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let phone = Phone::start(local, Manner::Caller).map_err(|error| error.to_string())?;
    phone.order(Order::Call { node, number: "+31201234567".to_owned() });
    let (begun, mut answered, mut steps) = (Instant::now(), None, scene.steps());
    let mut hang_up: Option<Instant> = None;
    while begun.elapsed() < LIMIT {
        let happened = phone.next(Duration::from_millis(20));
        match happened.map(|happened| happened.what) {
            Some(What::Answered) => {
                answered = Some(Instant::now());
                phone.order(Order::Speak(440.0));
                say("is answered and hears the notice".to_owned());
            }
            Some(What::Ended) => {
                say("is done".to_owned());
                return Ok(());
            }
            Some(What::Heard(samples)) if hang_up.is_none() && is_pbx(&samples) => {
                say("hears the PBX".to_owned());
                hang_up = Some(Instant::now() + scene.talks());
            }
            Some(What::Invited | What::Ringing | What::Heard(_)) | None => {}
        }
        let Some(answered) = answered else { continue };
        if steps.first().is_some_and(|step| answered.elapsed() >= step.0) {
            let Step(_, order, text) = steps.remove(0);
            say(text.to_owned());
            phone.order(order);
        }
        if hang_up.is_some_and(|at| at <= Instant::now()) {
            phone.order(Order::HangUp);
            hang_up = Some(Instant::now() + LIMIT);
        }
    }
    Err(format!("{} did not end within {} s", scene.title(), LIMIT.as_secs()))
}

/// Whether a packet holds the PBX's tone: nearly all of its power lies there (Goertzel).
fn is_pbx(samples: &[i16]) -> bool {
    let energy: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    let coefficient = 2.0 * (PBX_HZ * std::f64::consts::TAU / 8_000.0).cos();
    let (one, two) = samples
        .iter()
        .fold((0.0, 0.0), |(one, two), sample| (f64::from(*sample) + coefficient * one - two, one));
    let power = one * one + two * two - coefficient * one * two;
    energy > 1e7 && power * 2.0 > 0.8 * energy * samples.len() as f64
}
