//! What can go wrong in the store, each with its remedy, none with its content.

use std::path::PathBuf;

use crate::seal::SealError;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has the data folder open.
    #[error(
        "{} is in use by another process; stop that one, or give this one its own data folder",
        lock.display()
    )]
    Locked {
        /// The lock file.
        lock: PathBuf,
    },
    /// The data folder cannot be used.
    #[error("{} cannot be used: {cause}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A key problem, with its own remedy.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Not an address of a database.
    #[error("not a database address; write sqlite:///path/to/file or postgres://user@host/name")]
    Address,
    /// An engine too old to be trusted.
    #[error("{engine} {found} is too old; use {needed} or later")]
    Unsupported {
        /// Which engine.
        engine: &'static str,
        /// Its version.
        found: String,
        /// The oldest that will do.
        needed: &'static str,
    },
    /// The database was made by a newer version of this program.
    #[error(
        "the database has schema version {found}, this program knows up to {known}; \
         use the newer program"
    )]
    Newer {
        /// In the database.
        found: i64,
        /// In this program.
        known: i64,
    },
    /// No connection.
    #[error("the database cannot be reached ({cause}); check its address and that it is running")]
    Unreachable {
        /// What the driver said.
        cause: String,
    },
    /// The engine asks to run the transaction again.
    #[error("the database was busy with conflicting work; try again")]
    Conflict,
    /// There is no room for another page.
    #[error(
        "the disk that holds the database is full ({cause}); free space there: nothing that was \
         confirmed is lost, and the work goes on by itself"
    )]
    Full {
        /// What the driver said.
        cause: String,
    },
    /// The engine refused a statement.
    #[error("the database refused a statement: {cause}")]
    Refused {
        /// What the driver said; drivers name tables and constraints, not values.
        cause: String,
    },
    /// A row that this program cannot have written so.
    #[error("{0}; restore it from a backup")]
    Corrupt(#[from] Inconsistency),
    /// A text with PHI and no proof, or another proof than it was cleared under.
    #[error("a text with PHI needs the consent proof that it was cleared under; hold it for staff")]
    Proof,
    /// A text of which nobody can say by which policy it was cleared.
    #[error("a text leaves with the digest of the policy that cleared it; clear it first")]
    Untagged,
    /// No such conversation.
    #[error("conversation {0} does not exist")]
    NoConversation(i64),
    /// The writer is gone: the program is shutting down.
    #[error("the store is closed; the program is shutting down")]
    Closed,
    /// A unit of work broke off; it was rolled back.
    #[error("a unit of work panicked and was rolled back; please report it as a bug")]
    Panicked,
    /// The disk refused the copy of a checkpoint.
    #[error("the audit checkpoint could not be written to {}: {cause}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: std::io::Error,
    },
}

impl StoreError {
    /// The same refusal for another whose work was undone with it.
    pub(super) fn again(&self) -> Self {
        if matches!(self, Self::Conflict) {
            return Self::Conflict;
        }
        if let Self::Full { cause } = self {
            let cause = cause.clone();
            return Self::Full { cause };
        }
        if let Self::Refused { cause } = self {
            let cause = cause.clone();
            return Self::Refused { cause };
        }
        Self::Refused {
            cause: self.to_string(),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let cause = error.to_string();
        let again = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            // PostgreSQL: serialization failure, deadlock. SQLite: busy, busy snapshot.
            .is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "5" | "517"));
        if again {
            return Self::Conflict;
        }
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        // PostgreSQL: disk full. SQLite: full.
        if code.is_some_and(|code| matches!(code.as_ref(), "53100" | "13")) {
            return Self::Full { cause };
        }
        if error.as_database_error().is_none()
            && matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
            )
        {
            return Self::Unreachable { cause };
        }
        Self::Refused { cause }
    }
}

/// A row that this program cannot have written so. Names the place, never the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database is damaged at table `{table}`, column `{column}`, row {row}")]
pub struct Inconsistency {
    table: &'static str,
    column: &'static str,
    row: String,
}

impl Inconsistency {
    /// Damage in this table.
    pub const fn on(table: &'static str) -> Self {
        Self {
            table,
            column: "?",
            row: String::new(),
        }
    }

    /// In this column.
    #[must_use]
    pub const fn column(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }

    /// In this row.
    #[must_use]
    pub fn row(mut self, row: impl std::fmt::Display) -> Self {
        self.row = format!("{row}");
        self
    }
}
