//! One connection of either engine behind the same three calls, so that no other file is generic.

use sqlx::Column;
use sqlx::PgConnection;
use sqlx::Postgres;
use sqlx::Row as _;
use sqlx::Sqlite;
use sqlx::SqliteConnection;
use sqlx::Transaction;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::store::dialect::Sql;
use crate::store::error::StoreError;

/// A parameter: the three types that both engines have, each nullable.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($from:ty, $it:ident => $to:expr;)+) => {$(
        impl From<$from> for Value {
            fn from($it: $from) -> Self { $to }
        }
    )+};
}
value_from! {
    i64, it => Self::Int(Some(it));
    Option<i64>, it => Self::Int(it);
    bool, it => Self::Int(Some(i64::from(it)));
    &str, it => Self::Text(Some(it.to_owned()));
    String, it => Self::Text(Some(it));
    Option<String>, it => Self::Text(it);
    Vec<u8>, it => Self::Blob(Some(it));
    Option<Vec<u8>>, it => Self::Blob(it);
    &[u8], it => Self::Blob(Some(it.to_vec()));
    &[u8; 16], it => Self::Blob(Some(it.to_vec()));
    &[u8; 32], it => Self::Blob(Some(it.to_vec()));
    &[u8; 64], it => Self::Blob(Some(it.to_vec()));
    jiff::Timestamp, it => Self::Int(Some(it.as_microsecond()));
    Option<jiff::Timestamp>, it => Self::Int(it.map(jiff::Timestamp::as_microsecond));
}

/// The parameters of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::link::Value::from($value)),*] };
}
pub(super) use args;

/// A row of either engine.
pub(super) enum Row {
    Lite(SqliteRow),
    Pg(PgRow),
}

macro_rules! getter {
    ($($name:ident -> $type:ty),+ $(,)?) => {$(
        pub(super) fn $name(&self, column: &str) -> Result<$type, StoreError> {
            Ok(match self {
                Self::Lite(row) => row.try_get(column)?,
                Self::Pg(row) => row.try_get(column)?,
            })
        }
    )+};
}

impl Row {
    getter! {
        int -> i64,
        int_opt -> Option<i64>,
        text -> String,
        text_opt -> Option<String>,
        blob -> Vec<u8>,
        blob_opt -> Option<Vec<u8>>,
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns: Vec<&str> = match self {
            Self::Lite(row) => row.columns().iter().map(Column::name).collect(),
            Self::Pg(row) => row.columns().iter().map(Column::name).collect(),
        };
        write!(f, "Row{columns:?}")
    }
}

/// A connection.
#[derive(Debug)]
pub(super) enum Link {
    /// The writer's own.
    Lite(Box<SqliteConnection>),
    /// A reader's.
    LiteReader(PoolConnection<Sqlite>),
    /// A reader's.
    Pg(PoolConnection<Postgres>),
    /// A writer's, inside its transaction.
    PgWriter(Transaction<'static, Postgres>),
    /// Taken away to be committed or rolled back.
    Gone,
}

/// Runs one expression on whichever connection it is.
macro_rules! on {
    ($link:expr, $sql:expr, $args:expr, |$query:ident, $connection:ident| $run:expr, $wrap:ident) => {
        match $link {
            Link::Lite(it) => on!(@lite &mut **it, $sql, $args, $query, $connection, $run, $wrap),
            Link::LiteReader(it) => on!(@lite &mut **it, $sql, $args, $query, $connection, $run, $wrap),
            Link::Pg(it) => on!(@pg &mut **it, $sql, $args, $query, $connection, $run, $wrap),
            Link::PgWriter(it) => on!(@pg &mut **it, $sql, $args, $query, $connection, $run, $wrap),
            Link::Gone => return Err(StoreError::Closed),
        }
    };
    (@lite $it:expr, $sql:expr, $args:expr, $query:ident, $connection:ident, $run:expr, $wrap:ident) => {{
        let $connection: &mut SqliteConnection = $it;
        let mut $query = sqlx::query::<Sqlite>($sql.lite);
        for arg in $args {
            $query = match arg {
                Value::Int(it) => $query.bind(it),
                Value::Text(it) => $query.bind(it),
                Value::Blob(it) => $query.bind(it),
            };
        }
        $run.await.map(|it| it.$wrap())
    }};
    (@pg $it:expr, $sql:expr, $args:expr, $query:ident, $connection:ident, $run:expr, $wrap:ident) => {{
        let $connection: &mut PgConnection = $it;
        let mut $query = sqlx::query::<Postgres>($sql.pg);
        for arg in $args {
            $query = match arg {
                Value::Int(it) => $query.bind(it),
                Value::Text(it) => $query.bind(it),
                Value::Blob(it) => $query.bind(it),
            };
        }
        $run.await.map(|it| it.$wrap())
    }};
}

/// Brings the results of both engines to one type.
trait Common {
    type Is;
    fn common(self) -> Self::Is;
}

impl Common for SqliteRow {
    type Is = Row;
    fn common(self) -> Row {
        Row::Lite(self)
    }
}

impl Common for PgRow {
    type Is = Row;
    fn common(self) -> Row {
        Row::Pg(self)
    }
}

impl<T: Common> Common for Option<T> {
    type Is = Option<T::Is>;
    fn common(self) -> Self::Is {
        self.map(Common::common)
    }
}

impl<T: Common> Common for Vec<T> {
    type Is = Vec<T::Is>;
    fn common(self) -> Self::Is {
        self.into_iter().map(Common::common).collect()
    }
}

impl Common for sqlx::sqlite::SqliteQueryResult {
    type Is = u64;
    fn common(self) -> u64 {
        self.rows_affected()
    }
}

impl Common for sqlx::postgres::PgQueryResult {
    type Is = u64;
    fn common(self) -> u64 {
        self.rows_affected()
    }
}

impl Link {
    /// Runs a statement; how many rows it touched.
    pub(super) async fn run(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let sql = sql.into();
        Ok(on!(
            self,
            sql,
            args,
            |query, connection| query.execute(connection),
            common
        )?)
    }

    /// Runs a statement; its rows.
    pub(super) async fn rows(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        Ok(on!(
            self,
            sql,
            args,
            |query, connection| query.fetch_all(connection),
            common
        )?)
    }

    /// Runs a statement; its first row, if any.
    pub(super) async fn row(
        &mut self,
        sql: impl Into<Sql>,
        args: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        let sql = sql.into();
        Ok(on!(
            self,
            sql,
            args,
            |query, connection| query.fetch_optional(connection),
            common
        )?)
    }

    /// Runs several statements without parameters, such as a migration.
    pub(super) async fn script(&mut self, text: String) -> Result<(), StoreError> {
        let script = sqlx::raw_sql(sqlx::AssertSqlSafe(text));
        match self {
            Self::Lite(it) => script.execute(&mut **it).await.map(drop)?,
            Self::LiteReader(it) => script.execute(&mut **it).await.map(drop)?,
            Self::Pg(it) => script.execute(&mut **it).await.map(drop)?,
            Self::PgWriter(it) => script.execute(&mut **it).await.map(drop)?,
            Self::Gone => return Err(StoreError::Closed),
        }
        Ok(())
    }

    /// Whether it speaks SQLite.
    pub(super) const fn is_lite(&self) -> bool {
        matches!(self, Self::Lite(_) | Self::LiteReader(_))
    }
}
