//! The portal put together: its routes, and the gate before them.

use std::sync::Arc;

use axum::{Router, extract::Request, middleware, routing::get, routing::post};
use call::Time;

use crate::{
    archive::Archive,
    assets,
    floor::Floor,
    gate::{self, Gate},
    page,
    problem::Problem,
    recordings, running,
    session::{Door, OneTimeLink},
};

/// The portal of one process. It answers on loopback names only; the daemon binds the listener.
pub struct Portal<A> {
    archive: Arc<A>,
    gate: Arc<Gate>,
}

impl<A: Archive + Floor> Portal<A> {
    /// A portal over `archive`, which knows the calls that run, too.
    ///
    /// `key` is 32 random bytes, drawn at each start and used for nothing else: links and sessions
    /// end with the process. `link_command` is the command line that makes the daemon print a new
    /// link, as the page tells people who need one. `clock` tells the time.
    pub fn new(
        archive: Arc<A>,
        key: [u8; 32],
        link_command: &'static str,
        clock: impl Fn() -> Time + Send + Sync + 'static,
    ) -> Self {
        let gate = Gate { door: Door::new(key), link_command, clock: Box::new(clock) };
        Self { archive, gate: Arc::new(gate) }
    }

    /// A new one-time link. Every link made before it is dead from now on; sessions go on.
    #[must_use]
    pub fn new_link(&self) -> OneTimeLink {
        self.gate.door.new_link((self.gate.clock)())
    }

    /// The routes. Every one but the style sheet, the script and the icon needs a session.
    pub fn router(&self) -> Router {
        let open = assets::paths().fold(Router::new(), |routes, path| {
            let answer = move || async move { assets::answer(path).ok_or(Problem::UnknownPage) };
            routes.route(path, get(answer))
        });
        let command = self.gate.link_command;
        let problem = move |language, name| page::problem(language, name, command);
        open.route("/", get(page::list::<A>))
            .route("/recordings/{id}", get(page::detail::<A>))
            .route("/problems/{name}", get(problem))
            .route("/api/recordings", get(recordings::list::<A>))
            .route("/api/recordings/{id}", get(recordings::show::<A>))
            .route("/api/recordings/{id}/audio.wav", get(recordings::audio::<A>))
            .route("/api/recordings/{id}/peaks", get(recordings::waveform::<A>))
            .route("/api/recordings/{id}/verify", post(recordings::verify::<A>))
            .route("/api/calls", get(recordings::calls::<A>))
            .route("/api/calls/{call}/agent", post(running::agent::<A>))
            .route("/api/calls/{call}/ask", post(running::ask::<A>))
            .route("/api/calls/{call}/pause", post(running::pause::<A>))
            .route("/api/calls/{call}/resume", post(running::resume::<A>))
            .route("/api/calls/{call}/withdraw", post(running::withdraw::<A>))
            .route("/api/now", get(running::now::<A>))
            .route("/now", get(page::now::<A>))
            .fallback(|_: Request| async { Problem::UnknownPage })
            .method_not_allowed_fallback(|| async { Problem::WrongMethod })
            .layer(middleware::from_fn_with_state(Arc::clone(&self.gate), gate::pass))
            .with_state(Arc::clone(&self.archive))
    }
}
