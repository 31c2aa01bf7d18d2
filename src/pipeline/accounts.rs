//! Accounts: who may sign in to the console, with which factors, and for how long.
//!
//! Every sign-in, refusal and change stands in the audit log by the account's number; names and
//! addresses stay sealed.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::audit::Entry;
use crate::domain::ids::{PracticeId, StaffId};
use crate::domain::staff::{INVITATION, Role, Staff, StaffSecrets};
use crate::pipeline::house::House;
use crate::seal::password::{self, Weak};
use crate::store::{StoreError, Tx};

/// A token as its bearer has it, and as it is kept.
#[derive(Clone)]
pub struct Token {
    /// What the browser keeps or the link ends in.
    pub secret: String,
    pub(super) hash: [u8; 32],
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What is kept of a token.
pub fn token_hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Why somebody was not let in, or an account not made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The address has an account.
    #[error("this address has an account already")]
    Exists,
    /// Not an address.
    #[error("this is not an e-mail address")]
    Address,
    /// No name.
    #[error("the name is missing")]
    Name,
    /// The invitation is used, too old, or none.
    #[error("this link does not work any more; ask for a new one")]
    Link,
    /// The password is no good.
    #[error(transparent)]
    Weak(Weak),
    /// Wrong address, password or code; one word for all, so that nothing is learnt.
    #[error("that did not match")]
    Wrong,
    /// Too many wrong tries.
    #[error("too many tries; wait {} s", .0.as_secs())]
    Resting(SignedDuration),
    /// The last owner cannot go.
    #[error("a practice keeps at least one active owner")]
    LastOwner,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new account, or an old one with a new link.
#[derive(Clone, Debug)]
pub struct Invited {
    /// The account.
    pub staff: StaffId,
    /// What its link ends in; shown once.
    pub token: Token,
}

/// What a right code led to.
#[derive(Clone, Debug)]
pub enum Second {
    /// In.
    In,
    /// In, and these recovery codes are shown once.
    Enrolled(Vec<String>),
}

impl House {
    pub(crate) fn token(&self) -> Result<Token, AccountError> {
        let mut bytes = [0_u8; 32];
        if !(self.parts.entropy)(&mut bytes) {
            return Err(StoreError::from(crate::seal::SealError::NoRandomness).into());
        }
        let secret = URL_SAFE_NO_PAD.encode(bytes);
        let hash = token_hash(&secret);
        Ok(Token { secret, hash })
    }

    /// Invites somebody; `by` is the audit log's name of whoever does.
    pub async fn invite(
        &self,
        practice: &PracticeId,
        (name, email): (&str, &str),
        role: Role,
        by: &str,
    ) -> Result<Invited, AccountError> {
        let (name, email) = (name.trim().to_owned(), email.trim().to_lowercase());
        if name.is_empty() {
            return Err(AccountError::Name);
        }
        let plausible = |(local, host): (&str, &str)| {
            !local.is_empty() && host.contains('.') && !host.contains(char::is_whitespace)
        };
        if email.len() > 254 || !email.split_once('@').is_some_and(plausible) {
            return Err(AccountError::Address);
        }
        let secrets = StaffSecrets {
            name,
            email,
            password: None,
            totp: None,
            offered: None,
            last_step: 0,
            recovery: Vec::new(),
            subject: None,
        };
        let token = self.token()?;
        let work = Arc::new((practice.clone(), secrets, by.to_owned(), token.hash));
        let now = self.clock().now();
        let staff = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { invite_in(tx, &work, role, now).await })
            })
            .await?;
        let staff = staff.ok_or(AccountError::Exists)?;
        Ok(Invited { staff, token })
    }

    /// Gives an account a new link: its password and second factor are chosen anew, and its
    /// sessions end.
    pub async fn invite_again(
        &self,
        practice: &PracticeId,
        id: StaffId,
        by: &str,
    ) -> Result<Invited, AccountError> {
        let token = self.token()?;
        let hash = token.hash;
        let how = move |staff: &mut Staff| {
            staff.secrets.password = None;
            staff.secrets.totp = None;
            staff.secrets.recovery.clear();
            staff.active = true;
            (staff.wrong, staff.resting_until) = (0, None);
        };
        self.change((practice, id), (by, "staff.reset"), how, Some(hash))
            .await?;
        Ok(Invited { staff: id, token })
    }

    /// Gives an account another role, or takes it out of use; its sessions end.
    pub async fn change_staff(
        &self,
        practice: &PracticeId,
        id: StaffId,
        (role, active): (Role, bool),
        by: &str,
    ) -> Result<(), AccountError> {
        let owners = self.store().all_staff(practice).await?;
        let stays = |it: &&Staff| it.id != id && it.active && it.role == Role::Owner;
        let was = owners
            .iter()
            .any(|it| it.id == id && it.role == Role::Owner);
        if was && (role != Role::Owner || !active) && !owners.iter().any(|it| stays(&it)) {
            return Err(AccountError::LastOwner);
        }
        let how = move |staff: &mut Staff| {
            staff.role = role;
            staff.active = active;
        };
        self.change((practice, id), (by, "staff.changed"), how, None)
            .await
    }

    async fn change<F>(
        &self,
        (practice, id): (&PracticeId, StaffId),
        (by, action): (&str, &'static str),
        how: F,
        link: Option<[u8; 32]>,
    ) -> Result<(), AccountError>
    where
        F: Fn(&mut Staff) + Send + Sync + 'static,
    {
        let now = self.clock().now();
        let work = Arc::new((practice.clone(), by.to_owned(), how));
        let known = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (practice, by, how) = &*work;
                    let Some(mut staff) = tx.lock_staff(id).await? else {
                        return Ok(false);
                    };
                    if staff.practice != *practice {
                        return Ok(false);
                    }
                    how(&mut staff);
                    tx.save_staff(&staff).await?;
                    tx.end_sessions(id).await?;
                    if let Some(hash) = &link {
                        tx.invite_staff(&staff, hash, later(now)).await?;
                    }
                    let detail = serde_json::json!({
                        "role": staff.role.as_str(), "active": staff.active,
                    });
                    note(tx, &staff, by, action, &detail, now).await?;
                    Ok(true)
                })
            })
            .await?;
        if known {
            Ok(())
        } else {
            Err(AccountError::Link)
        }
    }

    /// Whose invitation this is.
    pub async fn invitation(&self, secret: &str) -> Result<Option<Staff>, StoreError> {
        let now = self.clock().now();
        self.store().invited(&token_hash(secret), now).await
    }

    /// Takes an invitation: the password is set, and a session begins that still lacks the second
    /// factor where the role needs one.
    pub async fn join(&self, secret: &str, chosen: String) -> Result<Token, AccountError> {
        let hash = token_hash(secret);
        let now = self.clock().now();
        let invited = self.store().invited(&hash, now).await?;
        let staff = invited.ok_or(AccountError::Link)?;
        let mut own: Vec<&str> = staff.secrets.name.split_whitespace().collect();
        own.extend(staff.secrets.email.split(['@', '.']));
        if let Some(weak) = password::weakness(&chosen, &own) {
            return Err(AccountError::Weak(weak));
        }
        let kept = blocking(move || password::hash(&chosen)).await?;
        let kept = Arc::new(kept.map_err(StoreError::from)?);
        let token = self.token()?;
        let session = token.hash;
        let joined = self
            .store()
            .write(move |tx| {
                let kept = Arc::clone(&kept);
                Box::pin(async move {
                    let Some(mut staff) = tx.invited(&hash, now).await? else {
                        return Ok(false);
                    };
                    staff.secrets.password = Some(kept.as_str().to_owned());
                    (staff.wrong, staff.resting_until) = (0, None);
                    tx.save_staff(&staff).await?;
                    tx.uninvite_staff(staff.id).await?;
                    tx.end_sessions(staff.id).await?;
                    let whole = staff.ready();
                    tx.begin_session(&staff, &session, whole, now).await?;
                    let by = staff.actor();
                    note(tx, &staff, &by, "staff.joined", &serde_json::json!({}), now).await?;
                    Ok(true)
                })
            })
            .await?;
        if joined {
            Ok(token)
        } else {
            Err(AccountError::Link)
        }
    }
}

async fn invite_in(
    tx: &mut Tx,
    work: &(PracticeId, StaffSecrets, String, [u8; 32]),
    role: Role,
    now: Timestamp,
) -> Result<Option<StaffId>, StoreError> {
    let (practice, secrets, by, hash) = work;
    let Some(id) = tx.add_staff(practice, role, secrets).await? else {
        return Ok(None);
    };
    let Some(staff) = tx.lock_staff(id).await? else {
        return Ok(None);
    };
    tx.invite_staff(&staff, hash, later(now)).await?;
    let detail = serde_json::json!({ "role": role.as_str() });
    note(tx, &staff, by, "staff.invited", &detail, now).await?;
    Ok(Some(id))
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(INVITATION).unwrap_or(Timestamp::MAX)
}

pub(super) async fn note(
    tx: &mut Tx,
    staff: &Staff,
    by: &str,
    action: &str,
    detail: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    let subject = format!("staff/{}", staff.id);
    let entry = Entry::new(&staff.practice, now, by, action, &subject, detail);
    tx.append_audit(&entry).await
}

/// Hashing a password takes tens of milliseconds and 19 MiB: not on a worker that others wait for.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_panicked| StoreError::Closed)
}
