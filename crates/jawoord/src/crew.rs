//! The media threads of a node: which of them takes a call, and how many each has.

use std::{
    io,
    sync::{Arc, Weak},
};

use media::{Command, Held, Lines, Worker, WorkerGone};

/// A worker and the legs in it.
struct Post {
    worker: Worker,
    /// Each leg holds others of these for as long as its sockets are open.
    held: Held,
}

impl Post {
    /// How many calls have sockets here, or are about to close them.
    fn calls(&self) -> usize {
        calls(Arc::strong_count(&self.held.sound))
    }

    /// How many sockets of legs are open here, or are about to be closed.
    fn sockets(&self) -> usize {
        let others = |held| Arc::strong_count(held).saturating_sub(1);
        others(&self.held.sound) + others(&self.held.reports)
    }
}

/// The calls of so many legs and the one that counts them; of a call that is being closed, one leg may
/// be left.
const fn calls(held: usize) -> usize {
    held.saturating_sub(1).div_ceil(2)
}

/// All workers. They share nothing with each other but prompts and tones, which nobody changes, and a
/// number of lines; both legs of a call are one worker's, from its first packet to its last.
pub struct Crew {
    posts: Vec<Post>,
    next: usize,
    lines: Arc<Lines>,
}

impl Crew {
    /// Starts so many workers.
    ///
    /// # Errors
    /// One does not start.
    pub fn start(
        count: usize,
        mut worker: impl FnMut(usize, Arc<Lines>) -> io::Result<Worker>,
    ) -> io::Result<Self> {
        let lines = Arc::default();
        let mut post = |index| {
            let worker = worker(index, Arc::clone(&lines))?;
            Ok(Post { worker, held: Held::default() })
        };
        let posts: io::Result<_> = (0..count).map(&mut post).collect();
        Ok(Self { posts: posts?, next: 0, lines })
    }

    /// So many descriptors are free for lines: sockets without which a call goes on as well.
    pub fn spare(&self, descriptors: usize) {
        self.lines.allow(descriptors);
    }

    /// The worker with the fewest calls, and what each leg that it is given is to hold: of several the
    /// one behind the last that was asked for. A worker that has ended gets none.
    pub fn least(&mut self) -> Option<(usize, Held)> {
        let count = self.posts.len().max(1);
        let turn = |index: usize| (index + count - self.next % count) % count;
        let alive = self.posts.iter().enumerate().filter(|(_, post)| post.worker.is_alive());
        let (index, post) = alive.min_by_key(|(index, post)| (post.calls(), turn(*index)))?;
        let held = post.held.clone();
        self.next = index + 1;
        Some((index, held))
    }

    /// Hands a command to a worker.
    ///
    /// # Errors
    /// It has ended.
    pub fn send(&self, worker: usize, command: Command) -> Result<(), WorkerGone> {
        self.posts.get(worker).ok_or(WorkerGone)?.worker.send(command)
    }

    /// How many calls have sockets, those that are about to close them among them.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.posts.iter().map(Post::calls).sum()
    }

    /// How many sockets their legs have, those that are about to be closed among them. A leg whose reports
    /// share the port of its sound has one, and two otherwise.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.posts.iter().map(Post::sockets).sum()
    }

    /// How many workers were started.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.posts.len()
    }

    /// Whether none was.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// How many calls each worker has, for whoever asks now and then.
    #[must_use]
    pub fn loads(&self) -> Loads {
        Loads(self.posts.iter().map(|post| Arc::downgrade(&post.held.sound)).collect())
    }
}

/// How many calls each worker has.
#[derive(Clone, Debug, Default)]
pub struct Loads(Vec<Weak<()>>);

impl Loads {
    /// By the worker's number.
    pub fn calls(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|legs| calls(legs.strong_count()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use call::{CallId, Time};
    use media::{Country, LegOpen, LegStart, Order, Tones};

    use super::*;

    fn worker(index: usize, reports: impl FnMut(media::Report) + Send + 'static) -> Worker {
        let clock = media::Clock::new(Instant::now(), Time::from_micros(1));
        let tones = Tones::new(Country::Nl);
        let (lines, reports) = (Arc::default(), Box::new(reports));
        Worker::spawn(index, media::Config { clock, tones, lines, reports }).unwrap()
    }

    fn open(crew: &mut Crew, number: u8) -> usize {
        let (index, held) = crew.least().expect("a worker");
        let leg = |seed| {
            let socket = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let start = LegStart::from_random([seed; 32]);
            Box::new(LegOpen { rtp: socket(), rtcp: socket(), start, held: held.clone() })
        };
        let order = Order::Open { customer: leg(1), agent: leg(2) };
        crew.send(index, Command { call: CallId::from_bytes([number; 16]), order }).unwrap();
        index
    }

    fn close(crew: &Crew, worker: usize, number: u8) {
        let call = CallId::from_bytes([number; 16]);
        crew.send(worker, Command { call, order: Order::Close }).unwrap();
    }

    fn until(seen: impl Fn() -> bool) -> bool {
        let by = Instant::now() + Duration::from_secs(10);
        while !seen() && Instant::now() < by {
            std::thread::sleep(Duration::from_millis(1));
        }
        seen()
    }

    #[test]
    fn calls_go_to_the_worker_with_the_fewest_and_a_call_that_ends_makes_room_there() {
        let mut crew = Crew::start(3, |index, _| Ok(worker(index, drop))).unwrap();
        let taken: Vec<_> = (0..6).map(|number| open(&mut crew, number)).collect();
        assert_eq!(taken, [0, 1, 2, 0, 1, 2]);
        assert_eq!((crew.calls(), crew.loads().calls().collect::<Vec<_>>()), (6, vec![2; 3]));
        // Long calls in one worker do not grow in number while the others are emptied.
        for (index, number) in [(1, 1), (1, 4), (2, 5)] {
            close(&crew, index, number);
        }
        assert!(until(|| crew.calls() == 3), "what is closed is not let go");
        assert_eq!([6, 7, 8].map(|number| open(&mut crew, number)), [1, 2, 1]);
        assert!(crew.loads().calls().eq([2; 3]));
    }

    #[test]
    fn a_worker_that_ends_gets_no_call_and_lets_go_of_its_descriptors() {
        let reports =
            |index| move |_| assert!(index != 0, "announced: a defect of ours in the first worker");
        let mut crew = Crew::start(2, |index, _| Ok(worker(index, reports(index)))).unwrap();
        assert_eq!([1, 2, 3].map(|number| open(&mut crew, number)), [0, 1, 0]);
        // Its end is reported, and that goes wrong.
        close(&crew, 0, 1);
        assert!(until(|| !crew.posts[0].worker.is_alive() && crew.calls() == 1), "it lives");
        assert_eq!([4, 5, 6].map(|number| open(&mut crew, number)), [1; 3]);
        assert!(crew.loads().calls().eq([0, 4]));
    }
}
