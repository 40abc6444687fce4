//! The thread of the calls. Signalling has it alone: a message goes from its socket to the loop without
//! waking another thread, and no listing, export, page or handshake delays it.

use std::{io, thread};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::JoinError,
};

/// How much higher its priority is than that of what may wait (disk, page, handshakes). The media threads'
/// is higher still: speech is a packet each 20 ms for ever, and a flood of messages must not thin it out.
const GOES_BEFORE: i32 = -5;

/// The thread; it ends, and with it whatever still runs there, when this is dropped.
#[derive(Debug)]
pub struct Signalling {
    handle: Handle,
    _alive: oneshot::Sender<()>,
}

impl Signalling {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives no thread or no descriptor for its events.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, (alive, gone)) = (runtime.handle().clone(), oneshot::channel::<()>());
        let lives = move || {
            let _refused_changes_nothing = rustix::process::nice(GOES_BEFORE);
            let _dropped = runtime.block_on(gone);
        };
        thread::Builder::new().name("signalling".to_owned()).spawn(lives)?;
        Ok(Self { handle, _alive: alive })
    }

    /// Where tasks of this thread are spawned.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// A task of another thread that panicked or was stopped, as an error of the system.
#[must_use]
pub fn lost(error: JoinError) -> io::Error {
    io::Error::other(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn its_tasks_run_on_its_thread_and_end_with_it() {
        let signalling = Signalling::start().unwrap();
        let name = || thread::current().name().map(str::to_owned);
        let ran = signalling.handle().spawn(async move { name() }).await.unwrap();
        assert_eq!(ran.as_deref(), Some("signalling"));
        let endless = signalling.handle().spawn(std::future::pending::<()>());
        drop(signalling);
        assert!(endless.await.is_err_and(|error| error.is_cancelled()));
    }
}
