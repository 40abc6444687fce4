//! One connection from its first octet to its last: what it reads, what it writes, how long it waits.

use std::{io, time::Duration};

use sip::{Broken, Frame, Framer, Glance, Remote, stream};
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

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Where it was sent to, which may be another address than the connection's; a keep-alive was sent
    /// nowhere.
    pub to: Option<Remote>,
    /// It has waited for another connection before.
    pub moved: bool,
    /// All of it.
    pub octets: Vec<u8>,
}

impl Letter {
    /// A message to an address.
    #[must_use]
    pub const fn to(remote: Remote, octets: Vec<u8>) -> Self {
        Self { to: Some(remote), moved: false, octets }
    }

    fn keepalive(octets: &[u8]) -> Self {
        Self { to: None, moved: false, octets: octets.to_vec() }
    }

    /// Whether nobody would repeat it: a request is repeated by its transaction.
    #[must_use]
    pub fn is_nobodys(&self) -> bool {
        match sip::glance(&self.octets) {
            Glance::Response(_) => true,
            Glance::Inside(_) | Glance::Outside(_) => self.octets.starts_with(b"ACK "),
            Glance::Noise => false,
        }
    }
}

/// What a connection hears.
pub enum Said {
    /// A whole message.
    Message(Vec<u8>),
    /// Its end: no further message will come. Why, when it could not be read any more.
    End(Option<io::Error>),
    /// After its end: what was not written, or not all of it, in its order.
    Unsent(Vec<Letter>),
}

/// The two ends of a connection's task.
pub struct Ends<F> {
    /// What is to be written; the connection ends when its sender is gone.
    pub queue: mpsc::Receiver<Letter>,
    /// The way to that queue, for keep-alives; it does not keep the queue open.
    pub own: mpsc::WeakSender<Letter>,
    /// Told what is heard; `false` when nobody listens any more.
    pub hear: F,
    /// Did we open it?
    pub ours: bool,
}

/// Why nothing more is read.
enum Last {
    /// The peer has no more to say, or nothing that it says can be read.
    Said(Option<io::Error>),
    /// It has said nothing for too long, and we listen no longer.
    Unheard,
}

/// Serves a connection until one of its sides is done, then tells that it is over and what of its queue
/// has not gone out.
pub async fn serve<S, F, A>(stream: S, ends: Ends<F>, patience: Patience)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Said) -> A,
    A: Future<Output = bool>,
{
    let Ends { mut queue, own, hear, ours } = ends;
    let (read, write) = tokio::io::split(stream);
    let keepalive = patience.keepalive.filter(|_| ours);
    let (mut hand, mut told) = (None, false);
    {
        let mut writing = std::pin::pin!(writing(write, &mut queue, &mut hand, keepalive));
        let mut reading = std::pin::pin!(reading(read, &own, &hear, patience, ours));
        let last = tokio::select! {
            last = &mut reading => Some(last),
            _ended = &mut writing => None,
        };
        if let Some(Last::Said(why)) = last {
            told = true;
            let _nobody_listens = hear(Said::End(why)).await;
            // What answers its last message is still to go out.
            let _either_way = time::timeout(DRAIN, writing).await;
        }
    }
    // From here on, whoever would write by it learns that it cannot.
    queue.close();
    if !told {
        let _nobody_listens = hear(Said::End(None)).await;
    }
    let mut unsent: Vec<Letter> = hand.into_iter().collect();
    while let Ok(letter) = queue.try_recv() {
        unsent.push(letter);
    }
    unsent.retain(|letter| letter.to.is_some());
    if !unsent.is_empty() {
        let _nobody_listens = hear(Said::Unsent(unsent)).await;
    }
}

/// Writes what is in the queue; `hand` is what is being written.
async fn writing(
    mut write: impl AsyncWrite + Unpin,
    queue: &mut mpsc::Receiver<Letter>,
    hand: &mut Option<Letter>,
    keepalive: Option<Duration>,
) -> io::Result<()> {
    loop {
        let pause = time::sleep(keepalive.unwrap_or(Duration::from_secs(86_400)));
        let letter = tokio::select! {
            letter = queue.recv() => letter,
            () = pause, if keepalive.is_some() => Some(Letter::keepalive(stream::PING)),
        };
        let Some(letter) = letter else { return write.shutdown().await };
        let letter = hand.insert(letter);
        let written = time::timeout(WRITE, async {
            write.write_all(&letter.octets).await?;
            write.flush().await
        });
        written.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        *hand = None;
    }
}

/// Reads until the peer is done, breaks the framing, or is too slow.
async fn reading<F, A>(
    mut read: impl AsyncRead + Unpin,
    own: &mpsc::WeakSender<Letter>,
    hear: &F,
    patience: Patience,
    ours: bool,
) -> Last
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
            Ok(Err(error)) => return Last::Said(Some(error)),
            Err(_) => return Last::Unheard,
        };
        let octets = buffer.get(..length).unwrap_or_default();
        if octets.is_empty() {
            return Last::Said(None);
        }
        framer.feed(octets);
        let Some(complete) = frames(&mut framer, own, hear).await else { return Last::Said(None) };
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
async fn frames<F, A>(framer: &mut Framer, own: &mpsc::WeakSender<Letter>, hear: &F) -> Option<bool>
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
                    let _enough = own.try_send(Letter::keepalive(stream::PONG));
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
    fn start(ours: bool) -> (DuplexStream, mpsc::Sender<Letter>, plain::Receiver<&'static str>) {
        let (near, far) = tokio::io::duplex(4_096);
        let (sender, queue) = mpsc::channel(8);
        let (heard, hears) = plain::channel();
        let hear = move |said| {
            let _gone = heard.send(match said {
                Said::Message(_) => "message",
                Said::End(_) => "end",
                Said::Unsent(letters) => match letters.len() {
                    1 => "one unsent",
                    _ => "more unsent",
                },
            });
            std::future::ready(true)
        };
        let ends = Ends { queue, own: sender.downgrade(), hear, ours };
        tokio::spawn(serve(near, ends, patience()));
        (far, sender, hears)
    }

    fn letter(octets: &[u8]) -> Letter {
        let remote = Remote {
            address: "192.0.2.9:5060".parse().unwrap(),
            listener: sip::ListenerId(0),
            transport: sip::Transport::Tcp,
        };
        Letter::to(remote, octets.to_vec())
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
        queue.send(letter(b"SIP/2.0 400")).await.unwrap();
        drop(queue);
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"SIP/2.0 400");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_given_up() {
        let (_far, queue, heard) = start(false);
        queue.send(letter(&[b'x'; 10_000])).await.unwrap();
        pass(9).await;
        assert!(heard.try_recv().is_err());
        pass(2).await;
        assert_eq!([heard.try_recv(), heard.try_recv()], [Ok("end"), Ok("one unsent")]);
    }

    #[tokio::test(start_paused = true)]
    async fn s_08_what_waits_when_the_peer_has_gone_is_given_back() {
        let (far, queue, heard) = start(true);
        for _ in 0..2 {
            queue.try_send(letter(INFO)).unwrap();
        }
        drop(far);
        pass(6).await;
        let said = [heard.try_recv(), heard.try_recv(), heard.try_recv()];
        assert_eq!(said, [Ok("end"), Ok("more unsent"), Err(plain::TryRecvError::Disconnected)]);
        assert!(queue.try_send(letter(INFO)).is_err(), "and nobody can put anything into it");
    }

    #[tokio::test(start_paused = true)]
    async fn s_08_a_connection_that_we_give_up_writes_nothing_more_for_nobody_hears_the_answer() {
        let (mut far, queue, heard) = start(true);
        pass(599).await;
        time::sleep(Duration::from_millis(1_001)).await;
        assert_eq!(heard.try_recv(), Ok("end"));
        assert!(queue.try_send(letter(INFO)).is_err());
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert!(all.chunks(4).all(|ping| ping == stream::PING), "{all:?}");
    }

    #[test]
    fn s_08_a_request_is_its_transactions_to_repeat_and_answers_and_acks_are_nobodys() {
        let of = |text: &str| letter(format!("{text}\r\nTo: <sip:a>;tag=1\r\n\r\n").as_bytes());
        assert!(of("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1").is_nobodys());
        assert!(of("ACK sip:a SIP/2.0").is_nobodys());
        assert!(!of("BYE sip:a SIP/2.0").is_nobodys());
        assert!(!letter(stream::PING).is_nobodys());
    }
}
