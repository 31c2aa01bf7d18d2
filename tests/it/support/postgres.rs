//! A database of its own for each test that wants PostgreSQL.

#![cfg(test)]

use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use sqlx::Connection as _;

const SERVER: &str = "ANTEROOM_TEST_POSTGRES";
const BIN: &str = "ANTEROOM_TEST_POSTGRES_BIN";
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
    let folder = std::env::var(BIN).unwrap();
    let out = Command::new(format!("{folder}/pg_dump"))
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

/// A PostgreSQL of one test's own, to be stopped and started.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Makes one and starts it.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        if is_root() {
            // PostgreSQL refuses to run as root.
            assert!(
                Command::new("chown")
                    .args(["postgres", path])
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let cluster = Self { folder };
        let data = cluster.data();
        cluster.program(
            "initdb",
            &["-D", &data, "-U", "postgres", "-A", "trust", "--no-sync"],
        );
        cluster.run();
        cluster
    }

    /// Starts it again.
    pub(crate) fn run(&self) {
        let path = self.folder.path().display();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{path}'");
        let log = format!("{path}/log");
        self.control(&["-w", "-t", "30", "-l", &log, "-o", &options, "start"]);
    }

    /// Runs `pg_ctl`.
    pub(crate) fn control(&self, arguments: &[&str]) {
        let data = self.data();
        self.program("pg_ctl", &[&["-D", &data], arguments].concat());
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        let path = self.folder.path().display();
        format!("postgres://postgres@localhost/postgres?host={path}")
    }

    fn data(&self) -> String {
        format!("{}/data", self.folder.path().display())
    }

    fn program(&self, name: &str, arguments: &[&str]) {
        let program = format!("{}/{name}", std::env::var(BIN).unwrap());
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let ended = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(ended.unwrap().success(), "{name} {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.control(&["-m", "immediate", "stop"]);
    }
}

fn is_root() -> bool {
    let told = Command::new("id").arg("-u").output().unwrap();
    told.stdout == b"0\n"
}
