//! One connection from its first octet to its last: what it reads, what it writes, how long it waits.

use std::{io, time::Duration};

use sip::{Broken, Frame, Framer, stream};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    time::{self, Instant},
};

/// How long a connection waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a connection of ours stands, handshake included.
    pub connect: Duration,
    /// Until one to us has shown a whole message, handshake included; and from the first octet of a
    /// message to its last.
    pub message: Duration,
    /// Between messages.
    pub idle: Duration,
    /// Between our keep-alives on connections that we opened; `None` sends none.
    pub keepalive: Option<Duration>,
}

/// How long one message may take to be written to a peer that does not read.
const WRITE: Duration = Duration::from_secs(10);
/// How long what is left may take to be written when the peer has no more to say.
const DRAIN: Duration = Duration::from_secs(5);
/// Octets read at a time.
const CHUNK: usize = 8_192;

/// What a connection hears.
pub enum Said {
    /// A whole message.
    Message(Vec<u8>),
    /// Its end: no further message will come. Why, when it could not be read any more.
    End(Option<io::Error>),
}

/// The two ends of a connection's task.
pub struct Ends<F> {
    /// What is to be written; the connection ends when its sender is gone.
    pub queue: mpsc::Receiver<Vec<u8>>,
    /// The way to that queue, for keep-alives; it does not keep the queue open.
    pub own: mpsc::WeakSender<Vec<u8>>,
    /// Told what is heard; `false` when nobody listens any more.
    pub hear: F,
    /// Did we open it?
    pub ours: bool,
}

/// Serves a connection until one of its sides is done, then tells that it is over.
pub async fn serve<S, F, A>(stream: S, ends: Ends<F>, patience: Patience)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Said) -> A,
    A: Future<Output = bool>,
{
    let Ends { queue, own, hear, ours } = ends;
    let (read, write) = tokio::io::split(stream);
    let keepalive = patience.keepalive.filter(|_| ours);
    let mut writing = std::pin::pin!(writing(write, queue, keepalive));
    let mut reading = std::pin::pin!(reading(read, &own, &hear, patience, ours));
    let done = tokio::select! {
        why = &mut reading => Some(why),
        _ended = &mut writing => None,
    };
    let peer_is_done = done.is_some();
    let _nobody_listens = hear(Said::End(done.flatten())).await;
    if peer_is_done {
        // What answers its last message is still to go out.
        let _either_way = time::timeout(DRAIN, writing).await;
    }
}

async fn writing(
    mut write: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<Vec<u8>>,
    keepalive: Option<Duration>,
) -> io::Result<()> {
    loop {
        let pause = time::sleep(keepalive.unwrap_or(Duration::from_secs(86_400)));
        let octets = tokio::select! {
            octets = queue.recv() => octets,
            () = pause, if keepalive.is_some() => Some(stream::PING.to_vec()),
        };
        let Some(octets) = octets else { return write.shutdown().await };
        let written = time::timeout(WRITE, async {
            write.write_all(&octets).await?;
            write.flush().await
        });
        written.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    }
}

/// Reads until the peer is done, breaks the framing, or is too slow; the error that ended it, if one did.
async fn reading<F, A>(
    mut read: impl AsyncRead + Unpin,
    own: &mpsc::WeakSender<Vec<u8>>,
    hear: &F,
    patience: Patience,
    ours: bool,
) -> Option<io::Error>
where
    F: Fn(Said) -> A,
    A: Future<Output = bool>,
{
    let (mut framer, mut buffer) = (Framer::new(), vec![0; CHUNK]);
    // Who opens a connection speaks first, keep-alives do not count; whom we called may stay silent.
    let (mut spoken, mut midway) = (ours, false);
    let mut until = Instant::now() + if ours { patience.idle } else { patience.message };
    loop {
        let length = match time::timeout_at(until, read.read(&mut buffer)).await {
            Ok(Ok(length)) => length,
            Ok(Err(error)) => return Some(error),
            Err(_) => return None,
        };
        let octets = buffer.get(..length).filter(|octets| !octets.is_empty())?;
        framer.feed(octets);
        let complete = frames(&mut framer, own, hear).await?;
        spoken |= complete;
        let begins = framer.is_midway() && (complete || !midway);
        midway = framer.is_midway();
        if begins && spoken {
            // A message that has begun has its time from here, however it trickles in.
            until = Instant::now() + patience.message;
        } else if spoken && !midway {
            until = Instant::now() + patience.idle;
        }
    }
}

/// Hands on what has become whole: whether a message has. `None` when nothing can follow it.
async fn frames<F, A>(
    framer: &mut Framer,
    own: &mpsc::WeakSender<Vec<u8>>,
    hear: &F,
) -> Option<bool>
where
    F: Fn(Said) -> A,
    A: Future<Output = bool>,
{
    let mut complete = false;
    loop {
        match framer.poll() {
            Ok(Some(Frame::Message(message))) => {
                complete = true;
                if !hear(Said::Message(message)).await {
                    return None;
                }
            }
            Ok(Some(Frame::Ping)) => {
                if let Some(own) = own.upgrade() {
                    // A full queue has enough to show that we live.
                    let _enough = own.try_send(stream::PONG.to_vec());
                }
            }
            Ok(None) => return Some(complete),
            Err(Broken::Unframed(head)) => {
                let _last = hear(Said::Message(head)).await;
                return None;
            }
            Err(Broken::TooLong | Broken::Foreign) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as plain;

    use tokio::io::DuplexStream;

    use super::*;

    const INFO: &[u8] = b"INFO sip:a SIP/2.0\r\nl: 0\r\n\r\n";

    fn patience() -> Patience {
        Patience {
            connect: Duration::from_secs(3),
            message: Duration::from_secs(10),
            idle: Duration::from_secs(600),
            keepalive: Some(Duration::from_secs(60)),
        }
    }

    /// A connection on virtual time: its far end, its queue, and what it hears.
    fn start(ours: bool) -> (DuplexStream, mpsc::Sender<Vec<u8>>, plain::Receiver<&'static str>) {
        let (near, far) = tokio::io::duplex(4_096);
        let (sender, queue) = mpsc::channel(8);
        let (heard, hears) = plain::channel();
        let hear = move |said| {
            let _gone = heard.send(match said {
                Said::Message(_) => "message",
                Said::End(_) => "end",
            });
            std::future::ready(true)
        };
        let ends = Ends { queue, own: sender.downgrade(), hear, ours };
        tokio::spawn(serve(near, ends, patience()));
        (far, sender, hears)
    }

    async fn pass(seconds: u64) {
        time::sleep(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn s_15_who_says_nothing_or_only_keeps_alive_has_ten_seconds() {
        let (mut far, _queue, heard) = start(false);
        for _ in 0..4 {
            pass(2).await;
            far.write_all(stream::PING).await.unwrap();
        }
        assert!(heard.try_recv().is_err());
        pass(3).await;
        assert_eq!(heard.try_recv(), Ok("end"));
    }

    #[tokio::test(start_paused = true)]
    async fn s_15_a_message_that_trickles_in_has_ten_seconds_from_its_first_octet() {
        let (mut far, _queue, heard) = start(false);
        far.write_all(INFO).await.unwrap();
        pass(300).await;
        assert_eq!(heard.try_recv(), Ok("message"));
        for octet in &INFO[..9] {
            far.write_all(&[*octet]).await.unwrap();
            pass(1).await;
        }
        assert!(heard.try_recv().is_err());
        pass(2).await;
        assert_eq!(heard.try_recv(), Ok("end"));
    }

    #[tokio::test(start_paused = true)]
    async fn s_08_a_ping_is_answered_and_one_of_ours_goes_out_on_a_connection_of_ours() {
        let mut buffer = [0; 64];
        let (mut far, _queue, _heard) = start(false);
        far.write_all(stream::PING).await.unwrap();
        let length = far.read(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..length], stream::PONG);
        let (mut far, _queue, _heard) = start(true);
        let before = Instant::now();
        let length = far.read(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], before.elapsed().as_secs()), (stream::PING, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn s_08_a_stream_that_cannot_be_framed_is_closed_once_its_answer_is_out() {
        let (mut far, queue, heard) = start(false);
        far.write_all(b"INFO sip:a SIP/2.0\r\n\r\nINFO").await.unwrap();
        pass(1).await;
        assert_eq!([heard.try_recv(), heard.try_recv()], [Ok("message"), Ok("end")]);
        queue.send(b"SIP/2.0 400".to_vec()).await.unwrap();
        drop(queue);
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"SIP/2.0 400");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (_far, queue, heard) = start(false);
        queue.send(vec![b'x'; 10_000]).await.unwrap();
        pass(9).await;
        assert!(heard.try_recv().is_err());
        pass(2).await;
        assert_eq!(heard.try_recv(), Ok("end"));
    }
}
