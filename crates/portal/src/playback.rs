//! A recording as an HTTP answer: opened piece by piece, only as fast as the listener takes it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{
    problem::Problem,
    range::{Wanted, wanted},
    sound::{ReadError, Sound},
    wav,
};

/// The answer to a request for a recording's WAV with these headers.
pub(crate) fn answer(sound: Box<dyn Sound>, request: &HeaderMap) -> Response {
    let length = wav::length(sound.frames());
    let range = request.get(header::RANGE).and_then(|value| value.to_str().ok());
    // We give out no validator (an erasure changes the bytes), so none that comes back can be
    // ours, and the range does not apply (RFC 9110 §13.1.5).
    let range = range.filter(|_| !request.contains_key(header::IF_RANGE));
    let (status, first, end) = match wanted(range, length) {
        Wanted::Whole => (StatusCode::OK, 0, length),
        Wanted::Part { first, last } => (StatusCode::PARTIAL_CONTENT, first, last + 1),
        Wanted::Nothing => {
            let mut response = Problem::NoSuchRange.into_response();
            insert(&mut response, header::CONTENT_RANGE, format!("bytes */{length}"));
            return response;
        }
    };
    let body = Body::new(Playback { sound: Some(sound), reading: None, next: first, end });
    let mut response = (status, body).into_response();
    insert(&mut response, header::CONTENT_TYPE, "audio/wav".to_owned());
    insert(&mut response, header::ACCEPT_RANGES, "bytes".to_owned());
    insert(&mut response, header::CONTENT_LENGTH, (end - first).to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{length}", end - 1);
        insert(&mut response, header::CONTENT_RANGE, range);
    }
    response
}

fn insert(response: &mut Response, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Why a recording stopped in the middle of being sent. The connection is then cut, so that a
/// listener never takes a part for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaybackError {
    Read(ReadError),
    /// The thread that read died.
    Thread,
}

impl fmt::Display for PlaybackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Thread => f.write_str("reading the recording failed; report it"),
        }
    }
}

impl std::error::Error for PlaybackError {}

type Piece = (Box<dyn Sound>, Result<Bytes, ReadError>);

/// The bytes `[next, end)` of a WAV. One piece is in memory at a time, and it is wiped as soon as
/// the connection lets go of it. No thread waits while the listener does.
struct Playback {
    /// Where the sound is between two pieces; it is with the reading thread otherwise.
    sound: Option<Box<dyn Sound>>,
    reading: Option<JoinHandle<Piece>>,
    next: u64,
    end: u64,
}

impl http_body::Body for Playback {
    type Data = Bytes;
    type Error = PlaybackError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, PlaybackError>>> {
        if self.next >= self.end {
            return Poll::Ready(None);
        }
        let (next, end) = (self.next, self.end);
        if let Some(mut sound) = self.sound.take() {
            self.reading = Some(spawn_blocking(move || {
                // The piece is wiped when the last handle to these bytes is dropped.
                let piece = wav::piece(&mut *sound, next, end).map(Bytes::from_owner);
                (sound, piece)
            }));
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let outcome = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let piece = match outcome {
            Ok((sound, piece)) => {
                self.sound = Some(sound);
                piece.map_err(PlaybackError::Read)
            }
            Err(_) => Err(PlaybackError::Thread),
        };
        Poll::Ready(Some(match piece {
            Ok(bytes) => {
                self.next += bytes.len() as u64;
                Ok(Frame::data(bytes))
            }
            Err(error) => {
                self.next = self.end;
                Err(error)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.next >= self.end
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.next)
    }
}
