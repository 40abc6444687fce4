//! Why there is no measurement, in words for whoever started it.

use std::fmt;

/// Why there is no measurement.
#[derive(Debug)]
pub(crate) enum Error {
    /// The arguments are not what they should be.
    Usage,
    /// A file, a socket or a process did not do what was asked.
    System(&'static str, std::io::Error),
    /// A line of the calls file, counted from one, is neither two ports nor ports with keys.
    Line(usize),
    /// The calls file has no call.
    Empty,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => f.write_str(
                "usage: media-bench meter CALLS-FILE PID WARM-UP-S WINDOW-S PACKET-MS\n       \
                 media-bench loop CALLS CALLS-FILE",
            ),
            Self::System(what, why) => write!(f, "{what}: {why}"),
            Self::Line(number) => write!(
                f,
                "line {number} of the calls file is neither two ports nor ports with keys"
            ),
            Self::Empty => f.write_str("the calls file has no call"),
        }
    }
}

/// Says what was being done when the system refused.
pub(crate) fn during<E: Into<std::io::Error>>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |why| Error::System(what, why.into())
}
