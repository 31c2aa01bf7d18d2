//! Everything in which SQLite and PostgreSQL differ: types, locking reads, serial numbers.

/// A statement for both engines; most have one text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql {
    pub(super) lite: &'static str,
    pub(super) pg: &'static str,
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self {
            lite: both,
            pg: both,
        }
    }
}

/// A read that locks its rows until the end of the transaction. SQLite has one writer, so every
/// write transaction has locked everything already.
macro_rules! locking {
    ($sql:expr) => {
        $crate::store::dialect::Sql {
            lite: $sql,
            pg: concat!($sql, " FOR UPDATE"),
        }
    };
}
pub(super) use locking;

/// A statement with a subquery that takes the next row nobody else has: `$head`, the end of its
/// subquery, `$tail`. PostgreSQL skips rows that another worker is taking at this instant.
macro_rules! taking {
    ($head:expr, $of:literal, $tail:expr) => {
        $crate::store::dialect::Sql {
            lite: concat!($head, $tail),
            pg: concat!($head, " FOR UPDATE OF ", $of, " SKIP LOCKED", $tail),
        }
    };
}
pub(super) use taking;

/// The next number of a series; never given twice, also after a rollback on PostgreSQL.
pub(super) const NEXT_SERIAL: Sql = Sql {
    lite: "INSERT INTO serial (name, value) VALUES ($1, 1) \
           ON CONFLICT (name) DO UPDATE SET value = serial.value + 1 RETURNING value",
    pg: "SELECT nextval(('serial_' || $1)::regclass) AS value",
};

/// The series that exist, each with the migration that began it.
pub(super) const SERIALS: &[(i64, &str)] = &[
    (1, "conversation"),
    (1, "turn"),
    (1, "outbox"),
    (1, "hold"),
    (1, "glass"),
    (1, "audit_entry"),
    (2, "consent_event"),
    (2, "waiting"),
    (3, "alarm"),
    (4, "agreement"),
    (5, "media"),
    (8, "staff"),
    (9, "publication"),
];

/// Schema changes, oldest first; the number of the last is the schema's version.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_rooms.sql"),
    include_str!("migrations/0002_consent.sql"),
    include_str!("migrations/0003_alarm.sql"),
    include_str!("migrations/0004_law.sql"),
    include_str!("migrations/0005_carriers.sql"),
    include_str!("migrations/0006_opt_out.sql"),
    include_str!("migrations/0007_requests.sql"),
    include_str!("migrations/0008_console.sql"),
    include_str!("migrations/0009_publication.sql"),
    include_str!("migrations/0013_agent.sql"),
    include_str!("migrations/0014_faces.sql"),
    include_str!("migrations/0016_triage.sql"),
    include_str!("migrations/0017_faces.sql"),
    include_str!("migrations/0015_reach.sql"),
    include_str!("migrations/0018_recordings.sql"),
    include_str!("migrations/0019_held.sql"),
    include_str!("migrations/0020_rights.sql"),
    include_str!("migrations/0021_doors.sql"),
    include_str!("migrations/0023_figures.sql"),
    include_str!("migrations/0022_webchat.sql"),
    include_str!("migrations/0024_pages.sql"),
];

/// Keeps the version of the schema. Made outside of the migrations, for it says which are due.
pub(super) const SCHEMA_VERSION: Sql = Sql {
    lite: "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT",
    pg: "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)",
};

/// Lets one replica migrate at a time.
pub(super) const SCHEMA_LOCK: Sql = Sql {
    lite: "SELECT version FROM schema_version LIMIT 0",
    pg: "LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE",
};

/// The engine's version as a text.
pub(super) const ENGINE_VERSION: Sql = Sql {
    lite: "SELECT sqlite_version() AS version",
    pg: "SELECT current_setting('server_version') AS version",
};

/// Oldest SQLite that cannot corrupt its write-ahead log (the reset bug fixed in 3.51.3).
pub(super) const SQLITE_OLDEST: &str = "3.51.3";
/// Oldest PostgreSQL that this program is tested with.
pub(super) const POSTGRES_OLDEST: &str = "15";

/// A migration as SQLite spells it: its own type names, and strict tables, which refuse a value of
/// another type as PostgreSQL does.
pub(super) fn for_sqlite(migration: &str) -> String {
    migration
        .replace("BIGINT", "INTEGER")
        .replace("BYTEA", "BLOB")
        .replace("\n);", "\n) STRICT;")
}

/// A migration as PostgreSQL spells it, with the sequences of its [`SERIALS`].
pub(super) fn for_postgres(number: i64, migration: &str) -> String {
    let mut text = migration.to_owned();
    for (_, serial) in SERIALS.iter().filter(|(begun, _)| *begun == number) {
        text.push_str("CREATE SEQUENCE serial_");
        text.push_str(serial);
        text.push_str(";\n");
    }
    text
}

/// Whether a dotted version is at least another, number by number.
pub(super) fn at_least(found: &str, needed: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|c: char| !c.is_ascii_digit())
            .take_while(|part| !part.is_empty())
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    numbers(found) >= numbers(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_number_by_number() {
        for (found, needed, enough) in [
            ("3.51.3", SQLITE_OLDEST, true),
            ("3.51.2", SQLITE_OLDEST, false),
            ("3.9.99", SQLITE_OLDEST, false),
            ("3.100.0", SQLITE_OLDEST, true),
            ("15.18 (Debian 15.18-0+deb12u1)", POSTGRES_OLDEST, true),
            ("16beta1", POSTGRES_OLDEST, true),
            ("14.9", POSTGRES_OLDEST, false),
            ("9.6", POSTGRES_OLDEST, false),
            ("", POSTGRES_OLDEST, false),
        ] {
            assert_eq!(at_least(found, needed), enough, "{found}");
        }
    }
}
