//! The control socket: one request a connection, from the same user or root only.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use crate::{
    command::request::{Reply, Request},
    descriptors::ORDERS,
};

/// A request longer than this is nobody's: room for ten thousand lines at once.
const REQUEST_LIMIT: u64 = 4 * 1024 * 1024;

/// An answer, and the raw bytes that follow it, if any.
pub struct Answer {
    /// The first line.
    pub reply: Reply,
    /// The bytes after it: exactly `reply.bytes` of them.
    pub body: Option<mpsc::Receiver<Vec<u8>>>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self { reply, body: None }
    }
}

/// Whoever carries out requests.
pub trait Handle: Send + Sync + 'static {
    /// Carries out one request.
    fn handle(&self, request: Request) -> impl Future<Output = Answer> + Send;
}

/// The socket of a data folder.
#[must_use]
pub fn socket(data: &Path) -> PathBuf {
    data.join("jawoord.sock")
}

/// Listens on the socket of a data folder, which the caller has locked.
///
/// # Errors
/// The socket cannot be made.
pub fn listen(data: &Path) -> io::Result<UnixListener> {
    let path = socket(data);
    // The lock is ours, so a socket that is still there belongs to a process that is gone.
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves requests until the listener fails.
pub async fn serve(listener: UnixListener, handler: Arc<impl Handle>) {
    let own = rustix::process::geteuid().as_raw();
    let mut running = JoinSet::new();
    // Who comes beyond waits in the system's queue, and takes no descriptor from a call.
    let places = Arc::new(Semaphore::new(ORDERS));
    loop {
        // The semaphore is never closed.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        match listener.accept().await {
            Ok((stream, _)) => {
                let allowed =
                    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0);
                if allowed {
                    let handler = Arc::clone(&handler);
                    running.spawn(async move {
                        let answered = answer(stream, &*handler).await;
                        drop(place);
                        answered
                    });
                }
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "the control socket failed to accept");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
        while running.try_join_next().is_some() {}
    }
}

async fn answer(stream: UnixStream, handler: &impl Handle) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read).take(REQUEST_LIMIT).read_line(&mut line).await?;
    let mut answer = match serde_json::from_str(&line) {
        Ok(request) => handler.handle(request).await,
        Err(_) => Reply::failed("this is no request of this version; update both programs").into(),
    };
    let mut first = serde_json::to_vec(&answer.reply)?;
    first.push(b'\n');
    write.write_all(&first).await?;
    while let Some(bytes) = match &mut answer.body {
        Some(body) => body.recv().await,
        None => None,
    } {
        write.write_all(&bytes).await?;
    }
    write.shutdown().await
}

/// Asks the node that holds a data folder. `None` when no node runs there.
///
/// # Errors
/// The node went away in the middle of its answer.
pub async fn ask(
    data: &Path,
    request: &Request,
    mut body: impl io::Write,
) -> io::Result<Option<Reply>> {
    let Ok(stream) = UnixStream::connect(socket(data)).await else { return Ok(None) };
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut read = BufReader::new(read);
    let mut first = String::new();
    read.read_line(&mut first).await?;
    let reply: Reply = serde_json::from_str(&first)?;
    let mut left = reply.bytes;
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let want = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(space) = buffer.get_mut(..want) else { break };
        let got = read.read(space).await?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        body.write_all(buffer.get(..got).unwrap_or_default())?;
        left -= got as u64;
    }
    Ok(Some(reply))
}
