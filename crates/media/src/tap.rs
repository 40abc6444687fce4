//! The tap: the one door through which sound leaves a call towards a recorder, and its blocks.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU16, AtomicU64, Ordering},
    },
    time::Duration,
};

use call::{Party, Pause, Permit, RecordingId, Time};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::{
    block::Block,
    codec::Codec,
    digit::blank::{Blank, Piece},
    stock::Stock,
    timeline::CallClock,
};

/// A block is handed on at this age, so that a crash loses little.
pub const BLOCK_TIME: Duration = Duration::from_millis(80);
/// The same where sound has waited for 50 ms before it comes into a block: it would come too late for
/// its place in the recording otherwise.
const SHORT_BLOCK_TIME: Duration = Duration::from_millis(30);

/// Why a tap ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TapEnd {
    /// The first packet of the armed withdrawal key arrived.
    Withdrawn,
    /// The machine let go of the permit's leash.
    LeashDropped,
    /// It was taken out of the call.
    Removed,
    /// The call ended.
    Closed,
    /// Handling the call failed inside; the tap is the first thing that goes.
    Fault,
}

impl TapEnd {
    const ALL: [Self; 5] =
        [Self::Withdrawn, Self::LeashDropped, Self::Removed, Self::Closed, Self::Fault];
}

/// What both ends know without a ring: how the tap ended and what it lost.
#[derive(Default)]
struct Shared {
    /// 0 while it lives, then one more than the place in [`TapEnd::ALL`].
    end: AtomicU8,
    missing_ms: AtomicU64,
    /// Blocks that fill, or are on their way.
    blocks: AtomicU16,
}

/// The call's end of a ring of blocks. It becomes useful only together with a permit.
pub struct TapFeed {
    full: Producer<Box<Block>>,
    stock: Stock,
    shared: Arc<Shared>,
    /// How many blocks there may be.
    limit: u16,
}

/// The recorder's end.
pub struct TapReader {
    full: Consumer<Box<Block>>,
    stock: Stock,
    shared: Arc<Shared>,
}

/// A ring of up to `blocks` blocks of at most 80 ms (about 1.6 KB each), with a stock of its own.
#[must_use]
pub fn ring(blocks: u16) -> (TapFeed, TapReader) {
    Stock::default().ring(blocks)
}

impl Stock {
    /// A ring of up to `blocks` blocks of at most 80 ms (about 1.6 KB each). They are taken from here, and
    /// made when a recorder is so late that there are too few.
    #[must_use]
    pub fn ring(&self, blocks: u16) -> (TapFeed, TapReader) {
        self.fill();
        let (full, reader) = RingBuffer::new(blocks.into());
        let (shared, stock) = (Arc::new(Shared::default()), self.clone());
        let reader = TapReader { full: reader, stock: stock.clone(), shared: shared.clone() };
        (TapFeed { full, stock, shared, limit: blocks }, reader)
    }
}

impl TapReader {
    /// The oldest block that was handed on.
    pub fn pop(&mut self) -> Option<Box<Block>> {
        self.full.pop().ok()
    }

    /// Wipes a block and returns it to the stock.
    pub fn give_back(&mut self, block: Box<Block>) {
        self.stock.give_back(block);
        self.shared.blocks.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether the tap is gone and every block has been taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // In this order: a tap hands on its last block before it goes.
        self.full.is_abandoned() && self.full.is_empty()
    }

    /// Why the tap ended, once it has.
    #[must_use]
    pub fn end(&self) -> Option<TapEnd> {
        let place = usize::from(self.shared.end.load(Ordering::Acquire)).checked_sub(1)?;
        TapEnd::ALL.get(place).copied()
    }

    /// Milliseconds that were not recorded because no block was free.
    #[must_use]
    pub fn missing_ms(&self) -> u64 {
        self.shared.missing_ms.load(Ordering::Acquire)
    }
}

/// A listener in a relay. There is no other way to one than [`Tap::open`], and that takes a
/// permit away for good (DESIGN §3.1).
pub struct Tap {
    permit: Permit,
    feed: TapFeed,
    block: Option<Box<Block>>,
    span: Option<Span>,
    paused: Option<Pause>,
    missing_ms: u64,
    /// Sound waits here until it is known to be no key's, if keys are kept out.
    keys: Option<Box<Blank>>,
    /// At which age a block is handed on.
    block_time: Duration,
}

/// The stretch of time that the current block covers.
#[derive(Clone, Copy)]
struct Span {
    /// Where sample 0 of the recording lies on the call's clock.
    origin: i64,
    started: Time,
    from: u64,
    until: u64,
    flush_at: Time,
    lost: bool,
}

/// The permit is dead: nothing more may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dead;

impl Tap {
    /// Opens a tap. It consumes the permit: one permit, one tap, one recording.
    #[must_use]
    pub fn open(permit: Permit, feed: TapFeed) -> Self {
        let (block_time, keys) = (BLOCK_TIME, None);
        Self {
            permit,
            feed,
            block: None,
            span: None,
            paused: None,
            missing_ms: 0,
            keys,
            block_time,
        }
    }

    /// The same with the tones of keys kept out, of both parties (PCI DSS, row D-23): what is taken
    /// waits for 50 ms, and where a key sounded there is silence.
    #[must_use]
    pub fn without_keys(mut self) -> Self {
        (self.keys, self.block_time) = (Some(Box::new(Blank::new())), SHORT_BLOCK_TIME);
        self
    }

    /// The recording that it feeds.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.permit.recording()
    }

    /// Whether anything may be taken still.
    pub(crate) fn is_live(&self) -> bool {
        self.permit.is_live()
    }

    /// Takes a packet's sound, if the permit lives, the party may be heard, and nothing is paused.
    ///
    /// # Errors
    /// [`Dead`] when the leash has been dropped; nothing was taken.
    pub(crate) fn take(
        &mut self,
        now: Time,
        clock: CallClock,
        sound: &Piece<'_>,
    ) -> Result<(), Dead> {
        if !self.permit.is_live() {
            return Err(Dead);
        }
        // What waited and comes at once is not late until all of it is here.
        let behind = sound.position + sound.codec.ticks(sound.payload).unwrap_or(0) as i64;
        let here = clock.position(now).min(behind);
        let mut span = match self.span {
            Some(span) => span,
            None => self.begin(now, clock, sound.position),
        };
        span.until = span.until.max(u64::try_from(here - span.origin).unwrap_or(0));
        self.span = Some(span);
        if self.permit.heard().hears(sound.party) {
            match self.keys.take() {
                None => self.put(now, sound),
                // Nobody hears tones of keys in it: nothing of it is recorded.
                Some(keys) if sound.codec == Codec::Opus => self.keys = Some(keys),
                Some(mut keys) => {
                    // In a pause too: a key that sounds at its end is none that begins there.
                    keys.hear(now, sound, |piece| self.put(now, piece));
                    self.keys = Some(keys);
                }
            }
        }
        Ok(())
    }

    /// Lets out what waits: all of it, or that of parties who have ceased to send.
    fn release(&mut self, now: Time, ceased: bool) {
        if let Some(mut keys) = self.keys.take() {
            if ceased {
                keys.release_ceased(now, |piece| self.put(now, piece));
            } else {
                keys.release_all(|piece| self.put(now, piece));
            }
            self.keys = Some(keys);
        }
    }

    /// Puts sound in its place in the recording, unless that is paused.
    fn put(&mut self, now: Time, sound: &Piece<'_>) {
        let Some(Span { origin, .. }) = self.span.filter(|_| self.paused.is_none()) else {
            return;
        };
        // What lies before the first sample of the recording stays outside.
        let before = usize::try_from(origin - sound.position).unwrap_or(0);
        let first = u64::try_from(sound.position - origin).unwrap_or(0);
        let payload = match sound.codec {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => sound.payload.get(before..),
            Codec::Opus => {
                Some(sound.payload).filter(|_| before == 0 && Block::fits(sound.payload))
            }
        };
        self.copy(now, first, sound, payload.unwrap_or_default());
    }

    /// Notes that a party rests from this position of the call's clock on.
    pub(crate) fn rest(&mut self, now: Time, party: Party, codec: Codec, position: i64) {
        let Some(span) = self.span.filter(|_| self.paused.is_none() && self.is_live()) else {
            return;
        };
        let first = u64::try_from(position - span.origin).unwrap_or(0);
        let full = |block: &mut Box<Block>| !block.rest(party, codec, first);
        if self.block.as_mut().is_some_and(full) {
            self.flush(now);
            let _second_try = self.block.as_mut().map(|block| block.rest(party, codec, first));
        }
    }

    fn begin(&mut self, now: Time, clock: CallClock, origin: i64) -> Span {
        self.block = self.feed.block();
        Span {
            origin,
            started: clock.moment(origin),
            from: 0,
            until: 0,
            flush_at: now + self.block_time,
            lost: false,
        }
    }

    fn copy(&mut self, now: Time, mut first: u64, sound: &Piece<'_>, mut payload: &[u8]) {
        while !payload.is_empty() {
            let Some(block) = &mut self.block else {
                if let Some(span) = &mut self.span {
                    span.lost = true;
                }
                return;
            };
            let put = block.put(sound.party, sound.codec, first, payload);
            payload = payload.get(put..).unwrap_or_default();
            first += put as u64;
            if put == 0 {
                self.flush(now);
            }
        }
    }

    /// When the block in hand is old enough to be handed on.
    pub(crate) fn flush_at(&self) -> Option<Time> {
        self.span.map(|span| span.flush_at)
    }

    /// Hands the block in hand on, if it is old enough.
    pub(crate) fn handle_timeout(&mut self, now: Time, clock: CallClock) {
        self.release(now, true);
        if let Some(span) = self.span.as_mut().filter(|span| span.flush_at <= now) {
            let here = u64::try_from(clock.position(now) - span.origin).unwrap_or(0);
            span.until = span.until.max(here);
            self.flush(now);
        }
    }

    /// Keeps silence from here on, or listens again. What waits is let out under what was so far.
    pub(crate) fn pause(&mut self, now: Time, clock: CallClock, why: Option<Pause>) {
        self.release(now, false);
        if let Some(span) = &mut self.span {
            let here = u64::try_from(clock.position(now) - span.origin).unwrap_or(0);
            span.until = span.until.max(here);
            self.flush(now);
        }
        self.paused = why;
    }

    /// Milliseconds lost since the last time this was asked.
    pub(crate) const fn take_missing_ms(&mut self) -> u64 {
        std::mem::replace(&mut self.missing_ms, 0)
    }

    /// Hands on what is in hand and begins the next block.
    fn flush(&mut self, now: Time) {
        let Some(span) = &mut self.span else {
            return;
        };
        let lost = match self.block.take() {
            None => span.lost,
            Some(mut block) => {
                (block.started, block.paused) = (span.started, self.paused);
                (block.from, block.until) = (span.from, span.until);
                self.feed.hand_on(block);
                false
            }
        };
        if lost {
            let missing_ms = (span.until - span.from) / 8;
            self.missing_ms += missing_ms;
            self.feed.shared.missing_ms.fetch_add(missing_ms, Ordering::AcqRel);
        }
        span.from = span.until;
        (span.flush_at, span.lost) = (now + self.block_time, false);
        self.block = self.feed.block();
    }

    /// Ends the tap: what arrived before is handed on, nothing more is taken.
    pub(crate) fn close(mut self, now: Time, end: TapEnd) {
        self.release(now, false);
        self.flush(now);
        self.feed.end(end);
    }
}

impl TapFeed {
    /// An empty block, if there may be one more.
    fn block(&mut self) -> Option<Box<Block>> {
        if self.shared.blocks.load(Ordering::Acquire) >= self.limit {
            return None;
        }
        self.shared.blocks.fetch_add(1, Ordering::AcqRel);
        Some(self.stock.take())
    }

    /// Hands a block on. There is a place in the ring for each that there may be.
    fn hand_on(&mut self, block: Box<Block>) {
        let _there_is_room = self.full.push(block);
    }

    fn end(&self, end: TapEnd) {
        let place = TapEnd::ALL.iter().position(|each| *each == end).unwrap_or(0);
        let first = u8::try_from(place + 1).unwrap_or(u8::MAX);
        // The first reason stays.
        let _kept = self.shared.end.compare_exchange(0, first, Ordering::AcqRel, Ordering::Acquire);
    }
}

impl Drop for TapFeed {
    fn drop(&mut self) {
        self.end(TapEnd::Removed);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tap({})", self.recording())
    }
}
