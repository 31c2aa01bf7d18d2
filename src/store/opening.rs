//! Opening a store: the lock on the data folder, the engine's version, the schema, the key check.

use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::PgPool;
use sqlx::SqlitePool;
use sqlx::postgres::PgConnectOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::sqlite::SqliteSynchronous;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::domain::ids::PracticeId;
use crate::seal::MasterKey;
use crate::store::Engine;
use crate::store::Inner;
use crate::store::Store;
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::keys::KeyRing;
use crate::store::link::Link;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::writer;

/// The file that marks a data folder as in use.
const LOCK_FILE: &str = "anteroom.lock";
/// Copies of audit checkpoints outside of the database.
pub(super) const CHECKPOINT_FILE: &str = "audit-checkpoints.jsonl";
/// How long a connection is waited for: shorter than any request, so that whoever asked is told to
/// come back.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long a connection to PostgreSQL may have rested without being tested before it is used.
const RESTED: Duration = Duration::from_secs(1);
const LITE_READERS: u32 = 4;
const PG_CONNECTIONS: u32 = 16;
/// Races of several first starts on one PostgreSQL that are sat out.
const MIGRATION_TRIES: u32 = 5;

const VERSION: &str = "SELECT version FROM schema_version";
const SET_VERSION: &str = "INSERT INTO schema_version (version) VALUES ($1)";
const CLEAR_VERSION: &str = "DELETE FROM schema_version";
const ANY_KEY: &str = "SELECT practice FROM data_key LIMIT 1";
const HAS_KEYS: dialect::Sql = dialect::Sql {
    lite: "SELECT name FROM sqlite_master WHERE name = 'data_key'",
    pg: "SELECT relname AS name FROM pg_class WHERE oid = to_regclass('data_key')",
};

/// Which database an address names.
enum Address {
    Lite(PathBuf),
    Pg(Box<PgConnectOptions>),
}

impl FromStr for Address {
    type Err = StoreError;
    fn from_str(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() {
                return Err(StoreError::Address);
            }
            return Ok(Self::Lite(PathBuf::from(path)));
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(StoreError::Address);
        }
        let options =
            PgConnectOptions::from_str(url).map_err(|_has_password| StoreError::Address)?;
        Ok(Self::Pg(Box::new(options.disable_statement_logging())))
    }
}

impl Store {
    /// Opens (and brings up to date) the database at `url`: `sqlite:///path/to/file` or
    /// `postgres://user@host/name`. The writer of SQLite runs on `tracker` until the last clone of
    /// the store is dropped. `data_dir` holds the lock and the copies of audit checkpoints.
    pub async fn open(
        url: &str,
        master: MasterKey,
        tracker: &TaskTracker,
        data_dir: &Path,
    ) -> Result<Self, StoreError> {
        let keys = Arc::new(KeyRing::new(master));
        std::fs::create_dir_all(data_dir).map_err(|cause| StoreError::Folder {
            path: data_dir.to_owned(),
            cause,
        })?;
        let engine = match url.parse()? {
            Address::Lite(path) => open_lite(&path, lock(data_dir)?, &keys, tracker).await?,
            Address::Pg(options) => open_pg(*options, &keys).await?,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                keys,
                data_dir: data_dir.to_owned(),
            }),
        })
    }

    /// Opens an existing database to read it, also while a server has it: takes no lock, changes
    /// no schema, and refuses every write.
    pub async fn open_to_read(
        url: &str,
        master: MasterKey,
        data_dir: &Path,
    ) -> Result<Self, StoreError> {
        let engine = match url.parse()? {
            Address::Lite(path) => {
                let (writer, _nobody) = mpsc::channel(1);
                let options = lite_options(&path).create_if_missing(false);
                Engine::Lite {
                    readers: lite_readers(options).await?,
                    writer,
                }
            }
            Address::Pg(options) => Engine::Pg {
                pool: pg_pool(*options).await?,
            },
        };
        let store = Self {
            inner: Arc::new(Inner {
                engine,
                keys: Arc::new(KeyRing::new(master)),
                data_dir: data_dir.to_owned(),
            }),
        };
        let mut tx = store.read().await?;
        let known = i64::try_from(dialect::MIGRATIONS.len()).unwrap_or(i64::MAX);
        let found = match tx.row(VERSION, args![]).await? {
            Some(row) => row.int("version")?,
            None => 0,
        };
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        // Opens only with the right master key.
        tx.known_key(&PracticeId::new("")).await?;
        drop(tx);
        Ok(store)
    }

    /// Whether the database at `url` already holds sealed data. Then a missing master key must be
    /// restored, and a new one would be of no use.
    pub async fn holds_keys(url: &str) -> Result<bool, StoreError> {
        let link = match url.parse()? {
            Address::Lite(path) if !path.exists() => return Ok(false),
            Address::Lite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                Link::Lite(Box::new(
                    options
                        .connect()
                        .await
                        .map_err(|error| unreachable(&error))?,
                ))
            }
            Address::Pg(options) => {
                let pool = PgPoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(CONNECT_WAIT)
                    .connect_with(*options)
                    .await
                    .map_err(|error| unreachable(&error))?;
                Link::Pg(pool.acquire().await?)
            }
        };
        let mut link = link;
        if link.row(HAS_KEYS, args![]).await?.is_none() {
            return Ok(false);
        }
        Ok(link.row(ANY_KEY, args![]).await?.is_some())
    }
}

/// Takes the data folder for this process; the operating system gives it back when it ends.
fn lock(data_dir: &Path) -> Result<std::fs::File, StoreError> {
    let path = data_dir.join(LOCK_FILE);
    let opened = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(cause) => return Err(StoreError::Folder { path, cause }),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked { lock: path }),
        Err(std::fs::TryLockError::Error(cause)) => Err(StoreError::Folder { path, cause }),
    }
}

async fn open_lite(
    path: &Path,
    lock: std::fs::File,
    keys: &Arc<KeyRing>,
    tracker: &TaskTracker,
) -> Result<Engine, StoreError> {
    let options = lite_options(path).create_if_missing(true);
    let connection = options
        .connect()
        .await
        .map_err(|error| unreachable(&error))?;
    let mut tx = Tx::new(Link::Lite(Box::new(connection)), Arc::clone(keys));
    check_version(&mut tx, "SQLite", dialect::SQLITE_OLDEST).await?;
    tx.link.script("BEGIN IMMEDIATE".to_owned()).await?;
    migrate(&mut tx).await?;
    tx.link.script("COMMIT".to_owned()).await?;
    tx.publish_keys();
    let readers = lite_readers(options).await?;
    let (writer, queue) = mpsc::channel(writer::QUEUE_MAX);
    drop(tracker.spawn(async move {
        writer::serve(tx, queue).await;
        // Only now may another process have the folder.
        drop(lock);
    }));
    Ok(Engine::Lite { readers, writer })
}

fn lite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("wal_autocheckpoint", "10000")
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging()
}

async fn lite_readers(options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    SqlitePoolOptions::new()
        .max_connections(LITE_READERS)
        // It is a file of ours: there is no wire that could break.
        .test_before_acquire(false)
        .acquire_timeout(CONNECT_WAIT)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(|error| unreachable(&error))
}

async fn pg_pool(options: PgConnectOptions) -> Result<PgPool, StoreError> {
    PgPoolOptions::new()
        .max_connections(PG_CONNECTIONS)
        .acquire_timeout(CONNECT_WAIT)
        // Each is tested when it is given back; again only where it has rested since, so that a
        // webhook does not pay a round trip for it.
        .test_before_acquire(false)
        .before_acquire(|connection, since| {
            Box::pin(async move {
                if since.idle_for >= RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| unreachable(&error))
}

async fn open_pg(options: PgConnectOptions, keys: &Arc<KeyRing>) -> Result<Engine, StoreError> {
    let pool = pg_pool(options).await?;
    let mut reader = Tx::new(Link::Pg(pool.acquire().await?), Arc::clone(keys));
    check_version(&mut reader, "PostgreSQL", dialect::POSTGRES_OLDEST).await?;
    drop(reader);
    let mut tries = 0;
    loop {
        tries += 1;
        let transaction = pool.begin().await?;
        let mut tx = Tx::new(Link::PgWriter(transaction), Arc::clone(keys));
        // Two replicas that create the same table at once: one is told that it exists.
        match migrate(&mut tx).await {
            Err(StoreError::Refused { .. } | StoreError::Conflict) if tries < MIGRATION_TRIES => {}
            Err(refusal) => return Err(refusal),
            Ok(()) => {
                if let Link::PgWriter(done) = std::mem::replace(&mut tx.link, Link::Gone) {
                    done.commit().await?;
                }
                tx.publish_keys();
                return Ok(Engine::Pg { pool });
            }
        }
    }
}

fn unreachable(error: &sqlx::Error) -> StoreError {
    StoreError::Unreachable {
        cause: error.to_string(),
    }
}

async fn check_version(
    tx: &mut Tx,
    engine: &'static str,
    needed: &'static str,
) -> Result<(), StoreError> {
    let row = tx.row(dialect::ENGINE_VERSION, args![]).await?;
    let found = match row {
        Some(row) => row.text("version")?,
        None => String::new(),
    };
    if dialect::at_least(&found, needed) {
        return Ok(());
    }
    Err(StoreError::Unsupported {
        engine,
        found,
        needed,
    })
}

/// Applies the changes that the schema has not seen, and proves the master key.
async fn migrate(tx: &mut Tx) -> Result<(), StoreError> {
    tx.run(dialect::SCHEMA_VERSION, args![]).await?;
    tx.run(dialect::SCHEMA_LOCK, args![]).await?;
    let known = i64::try_from(dialect::MIGRATIONS.len()).unwrap_or(i64::MAX);
    let found = match tx.row(VERSION, args![]).await? {
        Some(row) => row.int("version")?,
        None => 0,
    };
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (number, migration) in (1_i64..).zip(dialect::MIGRATIONS) {
        if number <= found {
            continue;
        }
        let text = if tx.link.is_lite() {
            dialect::for_sqlite(migration)
        } else {
            dialect::for_postgres(number, migration)
        };
        tx.link.script(text).await?;
    }
    if found < known {
        tx.run(CLEAR_VERSION, args![]).await?;
        tx.run(SET_VERSION, args![known]).await?;
    }
    // The first key of every database belongs to nobody: it opens only with the right master key.
    tx.key_of("", "").await.map(drop)
}
