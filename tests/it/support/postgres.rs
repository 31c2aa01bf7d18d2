//! A database of its own for each test that wants PostgreSQL.

#![cfg(test)]

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use sqlx::Connection as _;

const SERVER: &str = "ANTEROOM_TEST_POSTGRES";
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Makes an empty database and gives its address.
pub(crate) async fn new_database() -> String {
    let server = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!(
            "{SERVER} is not set. Run the tests with `cargo nextest run`, which starts a private \
             PostgreSQL (tests/postgres-up.sh), or set it to an address whose user may create \
             databases"
        )
    });
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("t_{}_{number}", std::process::id());
    let mut admin = sqlx::PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin)
        .await
        .unwrap();
    let (before, after) = server.split_once("/postgres?").unwrap();
    format!("{before}/{name}?{after}")
}

/// A database as text, as a thief of its backup would read it.
pub(crate) fn dump(url: &str) -> Vec<u8> {
    let folder = std::env::var("ANTEROOM_TEST_POSTGRES_BIN").unwrap();
    let out = std::process::Command::new(format!("{folder}/pg_dump"))
        .arg(url)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    out.stdout
}
