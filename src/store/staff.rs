//! Accounts of the console, their invitations and their sessions; tokens are kept as hashes only.

use jiff::Timestamp;

use crate::domain::ids::PracticeId;
use crate::domain::ids::StaffId;
use crate::domain::staff::IDLE;
use crate::domain::staff::Role;
use crate::domain::staff::SHIFT;
use crate::domain::staff::Staff;
use crate::domain::staff::StaffSecrets;
use crate::store::Store;
use crate::store::dialect::Sql;
use crate::store::dialect::locking;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::instant;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;
use crate::store::tx::word;

const ADD: &str = "INSERT INTO staff (id, practice, email_hash, role, active, wrong, resting_until, \
    sealed) VALUES ($1, $2, $3, $4, 1, 0, NULL, $5) ON CONFLICT (practice, email_hash) DO NOTHING";
const SAVE: &str = "UPDATE staff SET role = $2, active = $3, wrong = $4, resting_until = $5, \
    sealed = $6 WHERE id = $1";
const LOCKED: Sql = locking!("SELECT * FROM staff WHERE id = $1");
const BY_EMAIL: &str = "SELECT * FROM staff WHERE practice = $1 AND email_hash = $2";
const ALL: &str = "SELECT * FROM staff WHERE practice = $1 ORDER BY id";
const COUNT: &str = "SELECT count(*) AS n FROM staff";

const INVITE: &str = "INSERT INTO staff_invitation (token_hash, staff, practice, expires) \
    VALUES ($1, $2, $3, $4)";
const INVITED: &str = "SELECT s.* FROM staff s JOIN staff_invitation i ON i.staff = s.id \
    WHERE i.token_hash = $1 AND i.expires > $2";
const UNINVITE: &str = "DELETE FROM staff_invitation WHERE staff = $1";
const STALE_INVITATIONS: &str = "DELETE FROM staff_invitation WHERE expires <= $1";

const BEGIN: &str = "INSERT INTO staff_session (token_hash, staff, practice, whole, began, seen) \
    VALUES ($1, $2, $3, $4, $5, $5)";
const SESSION: &str = "SELECT s.*, e.whole, e.began, e.seen FROM staff_session e \
    JOIN staff s ON s.id = e.staff WHERE e.token_hash = $1";
const SEEN: &str = "UPDATE staff_session SET seen = $2 WHERE token_hash = $1 AND seen < $2";
const WHOLE: &str = "UPDATE staff_session SET whole = 1, seen = $2 WHERE token_hash = $1";
const END: &str = "DELETE FROM staff_session WHERE token_hash = $1";
const END_ALL: &str = "DELETE FROM staff_session WHERE staff = $1";
const STALE: &str = "DELETE FROM staff_session WHERE seen <= $1 OR began <= $2";

/// The kind that addresses are hashed under.
const EMAIL: &str = "staff email";

/// A session as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub staff: Staff,
    /// Whether both factors were given.
    pub whole: bool,
    /// When it began.
    pub began: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
}

impl Tx {
    /// Adds an account; none when the address has one already.
    pub async fn add_staff(
        &mut self,
        practice: &PracticeId,
        role: Role,
        secrets: &StaffSecrets,
    ) -> Result<Option<StaffId>, StoreError> {
        let key = self.key(practice).await?;
        let id = self.serial("staff").await?;
        let spelled = id.to_string();
        let place = place(practice.as_str(), "staff", "sealed", &spelled);
        let hash = key.lookup(EMAIL, secrets.email.as_bytes());
        let sealed = seal_json(&key, &place, secrets)?;
        let row = args![id, practice.as_str(), &hash, role.as_str(), sealed];
        Ok((self.run(ADD, row).await? == 1).then_some(StaffId(id)))
    }

    /// An account; nobody else changes it until this transaction ends.
    pub async fn lock_staff(&mut self, id: StaffId) -> Result<Option<Staff>, StoreError> {
        let row = self.row(LOCKED, args![id.0]).await?;
        self.staff_from(row).await
    }

    /// The account with this address, in lower case.
    pub async fn staff_by_email(
        &mut self,
        practice: &PracticeId,
        email: &str,
    ) -> Result<Option<Staff>, StoreError> {
        let Some(key) = self.known_key(practice).await? else {
            return Ok(None);
        };
        let hash = key.lookup(EMAIL, email.as_bytes());
        let row = self.row(BY_EMAIL, args![practice.as_str(), &hash]).await?;
        self.staff_from(row).await
    }

    /// Keeps what has changed of an account; its address never does.
    pub async fn save_staff(&mut self, staff: &Staff) -> Result<(), StoreError> {
        let practice = staff.practice.as_str();
        let key = self.key_for_row(practice).await?;
        let spelled = staff.id.to_string();
        let sealed = seal_json(
            &key,
            &place(practice, "staff", "sealed", &spelled),
            &staff.secrets,
        )?;
        let row = args![
            staff.id.0,
            staff.role.as_str(),
            staff.active,
            i64::from(staff.wrong),
            staff.resting_until,
            sealed,
        ];
        self.run(SAVE, row).await.map(drop)
    }

    /// Makes a link the only one that opens an account to a new password.
    pub async fn invite_staff(
        &mut self,
        staff: &Staff,
        token_hash: &[u8; 32],
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(UNINVITE, args![staff.id.0]).await?;
        let row = args![token_hash, staff.id.0, staff.practice.as_str(), expires];
        self.run(INVITE, row).await.map(drop)
    }

    /// The account that an invitation opens.
    pub async fn invited(
        &mut self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Staff>, StoreError> {
        let row = self.row(INVITED, args![token_hash, now]).await?;
        self.staff_from(row).await
    }

    /// Spends the invitations of an account.
    pub async fn uninvite_staff(&mut self, staff: StaffId) -> Result<(), StoreError> {
        self.run(UNINVITE, args![staff.0]).await.map(drop)
    }

    /// Begins a session.
    pub async fn begin_session(
        &mut self,
        staff: &Staff,
        token_hash: &[u8; 32],
        whole: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let practice = staff.practice.as_str();
        let row = args![token_hash, staff.id.0, practice, whole, now];
        self.run(BEGIN, row).await.map(drop)
    }

    /// Both factors were given.
    pub async fn complete_session(
        &mut self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(WHOLE, args![token_hash, now]).await.map(drop)
    }

    /// Ends a session.
    pub async fn end_session(&mut self, token_hash: &[u8; 32]) -> Result<(), StoreError> {
        self.run(END, args![token_hash]).await.map(drop)
    }

    /// Ends every session of an account; how many.
    pub async fn end_sessions(&mut self, staff: StaffId) -> Result<u64, StoreError> {
        self.run(END_ALL, args![staff.0]).await
    }

    /// The session with this token, whatever its age.
    pub async fn session(&mut self, token_hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        let Some(row) = self.row(SESSION, args![token_hash]).await? else {
            return Ok(None);
        };
        let damage = || Inconsistency::on("staff_session");
        let (whole, seen) = (row.int("whole")? != 0, row.int("seen")?);
        let began = instant(row.int("began")?, damage())?;
        let seen = instant(seen, damage())?;
        let Some(staff) = self.staff_from(Some(row)).await? else {
            return Ok(None);
        };
        Ok(Some(Session {
            staff,
            whole,
            began,
            seen,
        }))
    }

    async fn staff_from(&mut self, row: Option<Row>) -> Result<Option<Staff>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let id = row.int("id")?;
        let damage = |column| Inconsistency::on("staff").column(column).row(id);
        let practice = row.text("practice")?;
        let key = self.key_for_row(&practice).await?;
        let spelled = id.to_string();
        let secrets = open_json(
            &key,
            &place(&practice, "staff", "sealed", &spelled),
            &row.blob("sealed")?,
            damage("sealed"),
        )?;
        let resting = row.int_opt("resting_until")?;
        Ok(Some(Staff {
            id: StaffId(id),
            role: word(&row.text("role")?, damage("role"))?,
            active: row.int("active")? != 0,
            wrong: u32::try_from(row.int("wrong")?).unwrap_or(u32::MAX),
            resting_until: resting
                .map(|it| instant(it, damage("resting_until")))
                .transpose()?,
            secrets,
            practice: PracticeId::new(practice),
        }))
    }
}

impl Store {
    /// Every account of a practice, oldest first.
    pub async fn all_staff(&self, practice: &PracticeId) -> Result<Vec<Staff>, StoreError> {
        let mut tx = self.read().await?;
        let mut all = Vec::new();
        for row in tx.rows(ALL, args![practice.as_str()]).await? {
            all.extend(tx.staff_from(Some(row)).await?);
        }
        Ok(all)
    }

    /// Whether there is any account at all.
    pub async fn has_staff(&self) -> Result<bool, StoreError> {
        let mut tx = self.read().await?;
        match tx.row(COUNT, args![]).await? {
            Some(row) => Ok(row.int("n")? > 0),
            None => Ok(false),
        }
    }

    /// The account that an invitation opens.
    pub async fn invited(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Staff>, StoreError> {
        self.read().await?.invited(token_hash, now).await
    }

    /// The session with this token, if it is in use still.
    pub async fn session(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let found = self.read().await?.session(token_hash).await?;
        let fresh = |it: &Session| {
            let (idle, shift) = (now.duration_since(it.seen), now.duration_since(it.began));
            it.staff.active && idle < IDLE && shift < SHIFT
        };
        Ok(found.filter(fresh))
    }

    /// Notes that a session was used.
    pub async fn saw_session(
        &self,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move { tx.run(SEEN, args![&token_hash, now]).await.map(drop) })
        })
        .await
    }

    /// Forgets sessions and invitations that nobody can use any more.
    pub async fn forget_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let idle = now.saturating_sub(IDLE).unwrap_or(Timestamp::MIN);
        let shift = now.saturating_sub(SHIFT).unwrap_or(Timestamp::MIN);
        self.write(move |tx| {
            Box::pin(async move {
                let old = tx.run(STALE_INVITATIONS, args![now]).await?;
                Ok(old + tx.run(STALE, args![idle, shift]).await?)
            })
        })
        .await
    }
}
