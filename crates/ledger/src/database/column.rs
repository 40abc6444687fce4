//! How our values sit in columns: every read is checked, and a damaged one is named by its column.

use std::time::Duration;

use call::{CallId, Digest, RecordingId, Time};
use sqlx::{ColumnIndex, Decode, Row, Sqlite, Type, sqlite::SqliteRow};

use super::error::{Database, LedgerError};

pub(crate) type Result<T, E = LedgerError> = std::result::Result<T, E>;

/// Names the database in which a statement failed.
pub(crate) fn failed(database: Database) -> impl Fn(sqlx::Error) -> LedgerError {
    move |error| {
        let code = error.as_database_error().and_then(|error| error.code());
        LedgerError::Database(database, code.and_then(|code| code.parse().ok()))
    }
}

/// A count or moment as a signed column holds it. None of ours comes near the limit.
pub(crate) fn big(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A moment as a column holds it: microseconds since the Unix epoch.
pub(crate) fn moment(time: Time) -> i64 {
    big(time.as_micros())
}

/// A duration as a column holds it: microseconds.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A row that is read column by column.
pub(crate) struct Columns<'r>(pub(crate) &'r SqliteRow);

impl<'r> Columns<'r> {
    fn raw<T>(&self, name: &'static str) -> Result<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
        &'static str: ColumnIndex<SqliteRow>,
    {
        self.0.try_get(name).map_err(|_| LedgerError::Unreadable(name))
    }

    /// A count.
    pub(crate) fn count(&self, name: &'static str) -> Result<u64> {
        u64::try_from(self.raw::<i64>(name)?).map_err(|_| LedgerError::Unreadable(name))
    }

    /// A count that may be absent.
    pub(crate) fn maybe_count(&self, name: &'static str) -> Result<Option<u64>> {
        let value = self.raw::<Option<i64>>(name)?;
        value.map(u64::try_from).transpose().map_err(|_| LedgerError::Unreadable(name))
    }

    /// A small count.
    pub(crate) fn small(&self, name: &'static str) -> Result<u32> {
        u32::try_from(self.count(name)?).map_err(|_| LedgerError::Unreadable(name))
    }

    /// Yes or no.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool> {
        Ok(self.count(name)? != 0)
    }

    /// A moment.
    pub(crate) fn time(&self, name: &'static str) -> Result<Time> {
        self.count(name).map(Time::from_micros)
    }

    /// A moment that may not have come.
    pub(crate) fn maybe_time(&self, name: &'static str) -> Result<Option<Time>> {
        Ok(self.maybe_count(name)?.map(Time::from_micros))
    }

    /// Bytes of any length.
    pub(crate) fn bytes(&self, name: &'static str) -> Result<Vec<u8>> {
        self.raw(name)
    }

    fn array<const N: usize>(&self, name: &'static str) -> Result<[u8; N]> {
        let bytes = self.raw::<&[u8]>(name)?;
        bytes.try_into().map_err(|_| LedgerError::Unreadable(name))
    }

    /// 32 bytes.
    pub(crate) fn array_32(&self, name: &'static str) -> Result<[u8; 32]> {
        self.array(name)
    }

    /// 32 bytes that may be absent.
    pub(crate) fn maybe_array_32(&self, name: &'static str) -> Result<Option<[u8; 32]>> {
        let bytes = self.raw::<Option<&[u8]>>(name)?;
        bytes.map(TryInto::try_into).transpose().map_err(|_| LedgerError::Unreadable(name))
    }

    /// A SHA-256 value.
    pub(crate) fn digest(&self, name: &'static str) -> Result<Digest> {
        self.array(name).map(Digest::from_bytes)
    }

    /// A SHA-256 value that may be absent.
    pub(crate) fn maybe_digest(&self, name: &'static str) -> Result<Option<Digest>> {
        Ok(self.maybe_array_32(name)?.map(Digest::from_bytes))
    }

    /// A call's id.
    pub(crate) fn call(&self, name: &'static str) -> Result<CallId> {
        self.array(name).map(CallId::from_bytes)
    }

    /// A recording's id.
    pub(crate) fn recording(&self, name: &'static str) -> Result<RecordingId> {
        self.array(name).map(RecordingId::from_bytes)
    }

    /// A text that `read` understands: an id, a word, a name.
    pub(crate) fn text<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        read(self.raw::<&str>(name)?).ok_or(LedgerError::Unreadable(name))
    }

    /// A text that may be absent.
    pub(crate) fn maybe_text<T>(
        &self,
        name: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>> {
        match self.raw::<Option<&str>>(name)? {
            Some(text) => read(text).map(Some).ok_or(LedgerError::Unreadable(name)),
            None => Ok(None),
        }
    }
}

/// Takes any text as it is.
pub(crate) fn any(text: &str) -> Option<Box<str>> {
    Some(text.into())
}
