//! Signing in: the first factor, the second, patience with typing mistakes and none with guessing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::audit::Entry;
use crate::domain::ids::{PracticeId, StaffId};
use crate::domain::staff::{Staff, StaffSecrets, rest_after};
use crate::pipeline::accounts::{AccountError, Second, Token, blocking, note, token_hash};
use crate::pipeline::house::House;
use crate::seal::password;
use crate::seal::second;
use crate::store::staff::Session;
use crate::store::{StoreError, Tx};

/// Addresses without an account that are remembered at most.
const STRANGERS_MAX: usize = 10_000;

impl House {
    /// Signs in with address and password; the session lacks the second factor where there is one
    /// or must be one.
    pub async fn sign_in(
        &self,
        practice: &PracticeId,
        email: &str,
        given: String,
    ) -> Result<Token, AccountError> {
        let now = self.clock().now();
        let email = email.trim().to_lowercase();
        let stranger = Strangers::key(practice, &email);
        let staff = self.account(practice, email).await?;
        let resting = match &staff {
            Some(it) => it.resting_until,
            None => self.strangers.resting(&stranger),
        };
        if let Some(until) = resting.filter(|until| *until > now) {
            return Err(AccountError::Resting(until.duration_since(now)));
        }
        let kept = staff.as_ref().and_then(|it| it.secrets.password.clone());
        let right = blocking(move || password::verify(&given, kept.as_deref())).await?;
        let Some(staff) = staff else {
            self.nobody(practice, now).await?;
            return Err(refused(self.strangers.wrong(stranger, now)));
        };
        if !right || !staff.active {
            return Err(self.wrong(staff.id, "password", now).await?);
        }
        let token = self.token()?;
        let session = token.hash;
        let id = staff.id;
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    let Some(mut staff) = tx.lock_staff(id).await? else {
                        return Ok(());
                    };
                    let whole = staff.secrets.totp.is_none() && !staff.role.needs_second_factor();
                    if whole {
                        (staff.wrong, staff.resting_until) = (0, None);
                        tx.save_staff(&staff).await?;
                    }
                    tx.begin_session(&staff, &session, whole, now).await?;
                    let by = staff.actor();
                    let detail = serde_json::json!({ "factors": 1, "whole": whole });
                    note(tx, &staff, &by, "staff.signed_in", &detail, now).await
                })
            })
            .await?;
        Ok(token)
    }

    async fn account(
        &self,
        practice: &PracticeId,
        email: String,
    ) -> Result<Option<Staff>, StoreError> {
        let (practice, email) = (practice.clone(), Arc::new(email));
        self.store()
            .write(move |tx| {
                let (practice, email) = (practice.clone(), Arc::clone(&email));
                Box::pin(async move { tx.staff_by_email(&practice, &email).await })
            })
            .await
    }

    /// The secret that an account without a second factor is to put into its app, as
    /// `(address for the camera, letters for typing)`; none when it has one.
    pub async fn enrolment(
        &self,
        staff: &Staff,
        issuer: &str,
    ) -> Result<Option<(String, String)>, AccountError> {
        if staff.secrets.totp.is_some() {
            return Ok(None);
        }
        let offered = match &staff.secrets.offered {
            Some(secret) => secret.clone(),
            None => {
                let fresh = Arc::new(second::secret().map_err(StoreError::from)?);
                let (id, kept) = (staff.id, Arc::clone(&fresh));
                self.store()
                    .write(move |tx| {
                        let kept = Arc::clone(&kept);
                        Box::pin(async move {
                            let Some(mut staff) = tx.lock_staff(id).await? else {
                                return Ok(());
                            };
                            staff.secrets.offered = Some(kept.to_vec());
                            tx.save_staff(&staff).await
                        })
                    })
                    .await?;
                fresh.to_vec()
            }
        };
        Ok(second::enrolment(&offered, issuer, &staff.secrets.email))
    }

    /// Takes the second factor for a session: a code of the app, or a recovery code.
    pub async fn second_factor(
        &self,
        session: &str,
        staff: &Staff,
        code: &str,
    ) -> Result<Second, AccountError> {
        let now = self.clock().now();
        if let Some(until) = staff.resting_until.filter(|until| *until > now) {
            return Err(AccountError::Resting(until.duration_since(now)));
        }
        let secrets = &staff.secrets;
        let given = Given::read(secrets, code, now);
        let Some(given) = given else {
            return Err(self.wrong(staff.id, "second factor", now).await?);
        };
        let mut codes = Vec::new();
        let mut hashes = Vec::new();
        if matches!(given, Given::Enrolled(_)) {
            (codes, hashes) = second::recovery_codes().map_err(StoreError::from)?;
        }
        let (id, hash) = (staff.id, token_hash(session));
        let work = Arc::new((given, hashes));
        let taken = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { second_in(tx, id, &hash, &work.0, &work.1, now).await })
            })
            .await?;
        if !taken {
            return Err(AccountError::Wrong);
        }
        Ok(if codes.is_empty() {
            Second::In
        } else {
            Second::Enrolled(codes)
        })
    }

    /// Counts a wrong try, and says what to answer.
    async fn wrong(
        &self,
        id: StaffId,
        factor: &'static str,
        now: Timestamp,
    ) -> Result<AccountError, StoreError> {
        metrics::counter!("anteroom_sign_in_refused_total").increment(1);
        let rest = self
            .store()
            .write(move |tx| {
                Box::pin(async move {
                    let Some(mut staff) = tx.lock_staff(id).await? else {
                        return Ok(SignedDuration::ZERO);
                    };
                    staff.wrong = staff.wrong.saturating_add(1);
                    let rest = rest_after(staff.wrong);
                    staff.resting_until = (!rest.is_zero())
                        .then(|| now.saturating_add(rest).unwrap_or(Timestamp::MAX));
                    tx.save_staff(&staff).await?;
                    let detail = serde_json::json!({ "factor": factor, "wrong": staff.wrong });
                    note(tx, &staff, "anteroom", "staff.refused", &detail, now).await?;
                    Ok(rest)
                })
            })
            .await?;
        Ok(refused(rest))
    }

    /// Notes a try for an address that has no account, without the address.
    async fn nobody(&self, practice: &PracticeId, now: Timestamp) -> Result<(), StoreError> {
        metrics::counter!("anteroom_sign_in_refused_total").increment(1);
        let none = serde_json::json!({ "factor": "address" });
        let entry = Entry::new(practice, now, "anteroom", "staff.refused", "staff", &none);
        let entry = Arc::new(entry);
        self.store()
            .write(move |tx| {
                let entry = Arc::clone(&entry);
                Box::pin(async move { tx.append_audit(&entry).await })
            })
            .await
    }

    /// The session that a browser brings, noted as used.
    pub async fn staff_session(&self, secret: &str) -> Result<Option<Session>, StoreError> {
        /// A session is noted as used no more often than this.
        const NOTED: SignedDuration = SignedDuration::from_secs(30);
        let (hash, now) = (token_hash(secret), self.clock().now());
        let found = self.store().session(&hash, now).await?;
        if let Some(session) = &found
            && now.duration_since(session.seen) >= NOTED
        {
            self.store().saw_session(hash, now).await?;
        }
        Ok(found)
    }

    /// The session that a page brings which refreshes itself: looked at, not kept alive.
    pub async fn peek_session(&self, secret: &str) -> Result<Option<Session>, StoreError> {
        let now = self.clock().now();
        self.store().session(&token_hash(secret), now).await
    }

    /// Ends a session.
    pub async fn sign_out(&self, secret: &str) -> Result<(), StoreError> {
        let (hash, now) = (token_hash(secret), self.clock().now());
        self.store()
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(session) = tx.session(&hash).await? {
                        let (staff, by) = (&session.staff, session.staff.actor());
                        let none = serde_json::json!({});
                        note(tx, staff, &by, "staff.signed_out", &none, now).await?;
                    }
                    tx.end_session(&hash).await
                })
            })
            .await
    }
}

fn refused(rest: SignedDuration) -> AccountError {
    if rest.is_zero() {
        AccountError::Wrong
    } else {
        AccountError::Resting(rest)
    }
}

/// Addresses without an account that were tried, as hashes. They rest as accounts do, so that nobody learns by
/// a rest which addresses have one. In memory alone: nothing depends on it but that.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<BTreeMap<[u8; 32], Tried>>);

/// Wrong tries in a row, the last one, and until when none counts.
#[derive(Clone, Copy, Debug)]
struct Tried {
    wrong: u32,
    last: Timestamp,
    until: Option<Timestamp>,
}

impl Strangers {
    fn key(practice: &PracticeId, email: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(practice.as_str().as_bytes())
            .chain_update([0])
            .chain_update(email.as_bytes())
            .finalize()
            .into()
    }

    fn resting(&self, key: &[u8; 32]) -> Option<Timestamp> {
        self.lock().get(key)?.until
    }

    /// Counts a wrong try; how long the address rests now.
    fn wrong(&self, key: [u8; 32], now: Timestamp) -> SignedDuration {
        let mut all = self.lock();
        if all.len() >= STRANGERS_MAX && !all.contains_key(&key) {
            let oldest = all.iter().min_by_key(|(_, it)| it.last);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                all.remove(&oldest);
            }
        }
        let wrong = all.get(&key).map_or(0, |it| it.wrong).saturating_add(1);
        let rest = rest_after(wrong);
        let until = (!rest.is_zero()).then(|| now.saturating_add(rest).unwrap_or(Timestamp::MAX));
        let last = now;
        all.insert(key, Tried { wrong, last, until });
        rest
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Tried>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a code was.
enum Given {
    /// A code of the app, at this step.
    Code(u64),
    /// The first code of an app that was just set up.
    Enrolled(u64),
    /// A recovery code, by its hash.
    Recovery([u8; 32]),
}

impl Given {
    fn read(secrets: &StaffSecrets, code: &str, now: Timestamp) -> Option<Self> {
        let at = now.as_second();
        if let Some(secret) = &secrets.totp {
            if let Some(step) = second::step_of(secret, code, at, secrets.last_step) {
                return Some(Self::Code(step));
            }
            let which = second::recovery_of(&secrets.recovery, code)?;
            return secrets.recovery.get(which).copied().map(Self::Recovery);
        }
        let offered = secrets.offered.as_ref()?;
        second::step_of(offered, code, at, 0).map(Self::Enrolled)
    }
}

/// Takes a code once: what was read before is looked at again under the lock.
async fn second_in(
    tx: &mut Tx,
    id: StaffId,
    session: &[u8; 32],
    given: &Given,
    fresh: &[[u8; 32]],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(mut staff) = tx.lock_staff(id).await? else {
        return Ok(false);
    };
    let secrets = &mut staff.secrets;
    let how = match given {
        Given::Code(step) if *step > secrets.last_step => {
            secrets.last_step = *step;
            "app"
        }
        Given::Enrolled(step) if secrets.totp.is_none() => {
            secrets.totp = secrets.offered.take();
            secrets.last_step = *step;
            secrets.recovery = fresh.to_vec();
            "app set up"
        }
        Given::Recovery(hash) if secrets.recovery.contains(hash) => {
            secrets.recovery.retain(|it| it != hash);
            "recovery code"
        }
        Given::Code(_) | Given::Enrolled(_) | Given::Recovery(_) => return Ok(false),
    };
    let left = secrets.recovery.len();
    (staff.wrong, staff.resting_until) = (0, None);
    tx.save_staff(&staff).await?;
    tx.complete_session(session, now).await?;
    let detail = serde_json::json!({ "factors": 2, "second": how, "recovery_codes_left": left });
    let by = staff.actor();
    note(tx, &staff, &by, "staff.signed_in", &detail, now).await?;
    Ok(true)
}
