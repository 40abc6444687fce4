//! Opening the databases of a data folder: files only the owner reads, durable writes, no logging.

use std::{
    fs::OpenOptions, io::ErrorKind, os::unix::fs::OpenOptionsExt, path::Path, time::Duration,
};

use sqlx::{
    ConnectOptions, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    column::{Result, failed},
    error::{Database, LedgerError},
    schema,
    tree::ROWS_MAX,
};

/// How long a statement waits for another connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How many listings may read at the same time.
const READERS: u32 = 4;

/// How many prepared statements a connection keeps. Those that insert several rows have one for each
/// number of rows.
const STATEMENTS: usize = 3 * ROWS_MAX + 128;

/// How many pages the log of `ledger.db` may have before they go to the database: 32 MiB.
const LOG_PAGES: &str = "8192";

/// How many pages the connection that writes keeps in memory, and each of those that read: the upper
/// pages of trees. The rest comes from the system's own cache of the file. SQLite counts the pages of all
/// connections together, whatever their size: those of `slips.db` that are not in use are lent to
/// `ledger.db`, whose pages are eight times as large. By default that would be 67 MB after a day's calls;
/// this way it is 2 MB.
const WRITER_PAGES: u32 = 128;
const READER_PAGES: u32 = 24;

/// The page size of `slips.db`. `secure_delete` wipes what is deleted, but not the copies that a
/// table's pages leave behind when rows move from one to another. So sealed bytes never lie in
/// such a page: see the column `filler` in `schema`.
pub(crate) const SLIP_PAGE_BYTES: u32 = 512;

const fn file_name(database: Database) -> &'static str {
    match database {
        Database::Ledger => "ledger.db",
        Database::Slips => "slips.db",
    }
}

fn options(folder: &Path, database: Database, pages: u32) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(folder.join(file_name(database)))
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS)
        .pragma("cache_size", pages.to_string())
        .disable_statement_logging();
    match database {
        // What many batches change goes from the log to the database once.
        Database::Ledger => options.pragma("wal_autocheckpoint", LOG_PAGES),
        // What is deleted is overwritten with zeros; what is copied meanwhile stays in memory.
        Database::Slips => options
            .page_size(SLIP_PAGE_BYTES)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY"),
    }
}

/// Opens a database for its one writer, makes it if it is not there, and migrates it.
pub(crate) async fn writer(folder: &Path, database: Database) -> Result<SqliteConnection> {
    let file = file_name(database);
    // SQLite gives its log and index files the mode of the database file.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(file));
    match made.map_err(|error| error.kind()) {
        Ok(_) | Err(ErrorKind::AlreadyExists) => {}
        Err(kind) => return Err(LedgerError::File(file, kind)),
    }
    let options = options(folder, database, WRITER_PAGES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    let mut connection = options.connect().await.map_err(failed(database))?;
    schema::migrate(database, &mut connection).await?;
    Ok(connection)
}

/// Opens a database for reading only.
pub(crate) async fn readers(folder: &Path, database: Database) -> Result<SqlitePool> {
    let options = options(folder, database, READER_PAGES).read_only(true);
    let pool = SqlitePoolOptions::new().max_connections(READERS);
    pool.connect_with(options).await.map_err(failed(database))
}
