//! Tones of keys in the sound of a leg whose keys come as telephone events: nobody acts on them, and an
//! operator whose trunk sends nothing else wants to know.

use std::time::Duration;

use call::Time;

/// The event of a key whose tone is heard comes within this time, if at all.
const GRACE: Duration = Duration::from_secs(1);

/// What is known of such tones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Overheard {
    /// There was none.
    #[default]
    Nothing,
    /// There was one, and its event may still come until then.
    Tone(Time),
    /// It has been told that there was one alone, or there is an event for it.
    Over,
}

impl Overheard {
    /// Whether there is anything left to find out.
    pub(crate) fn listens(self) -> bool {
        self == Self::Nothing
    }

    /// A tone was heard.
    pub(crate) fn heard(&mut self, now: Time) {
        *self = Self::Tone(now + GRACE);
    }

    /// A key came by another way.
    pub(crate) const fn over(&mut self) {
        *self = Self::Over;
    }

    /// When a tone is known to have been alone.
    pub(crate) const fn due(self) -> Option<Time> {
        match self {
            Self::Tone(until) => Some(until),
            Self::Nothing | Self::Over => None,
        }
    }

    /// Whether a tone was alone; told once.
    pub(crate) fn take(&mut self, now: Time) -> bool {
        let alone = self.due().is_some_and(|until| until <= now);
        if alone {
            self.over();
        }
        alone
    }
}
