//! `Private<T>`: a value about a person, which no log, error or format string may show.

use std::fmt;

/// Holds a number, name, address or digit. `Debug` and `Display` always print `[private]`; the
/// only way to the value is [`Private::reveal`], so every disclosure can be found with one search.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Wraps a personal value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Call it only where the value is used, never to print it.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

impl<T> fmt::Display for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

#[cfg(test)]
mod tests {
    use super::Private;

    #[test]
    fn neither_debug_nor_display_shows_the_value() {
        let number = Private::new("+31612345678");
        assert_eq!(format!("{number} {number:?} {number:#?}"), "[private] [private] [private]");
        assert_eq!(*number.reveal(), "+31612345678");
    }
}
