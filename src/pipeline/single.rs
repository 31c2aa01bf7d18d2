//! Single sign-on: whom a provider vouches for becomes a session of an account here.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::ids::PracticeId;
use crate::domain::sign_on::OidcProvider;
use crate::domain::staff::{Role, Staff, StaffSecrets};
use crate::pipeline::accounts::{AccountError, Token, note};
use crate::pipeline::house::House;
use crate::sso::Identity;
use crate::store::{StoreError, Tx};

/// What became of somebody whom the provider vouches for.
#[derive(Debug)]
pub enum Vouched {
    /// A session; whole where the provider's second factor counts or none is needed.
    In(Token),
    /// No account has the address, and none is made unasked.
    Uninvited,
    /// The account was switched off.
    Off,
    /// The account is linked to another person there: an address that was given anew opens nothing.
    Another,
}

enum Found {
    Kept,
    Uninvited,
    Off,
    Another,
}

impl House {
    /// Signs somebody in whom the practice's provider vouches for.
    pub async fn vouched(
        &self,
        practice: &PracticeId,
        provider: &OidcProvider,
        identity: &Identity,
    ) -> Result<Vouched, AccountError> {
        let now = self.clock().now();
        let token = self.token()?;
        let session = token.hash;
        let work = Arc::new((practice.clone(), provider.clone(), identity.clone()));
        let found = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move { vouched_in(tx, &work, &session, now).await })
            })
            .await?;
        Ok(match found {
            Found::Kept => Vouched::In(token),
            Found::Uninvited => Vouched::Uninvited,
            Found::Off => Vouched::Off,
            Found::Another => Vouched::Another,
        })
    }
}

async fn vouched_in(
    tx: &mut Tx,
    (practice, provider, identity): &(PracticeId, OidcProvider, Identity),
    session: &[u8; 32],
    now: Timestamp,
) -> Result<Found, StoreError> {
    let mut staff = match tx.staff_by_email(practice, &identity.email).await? {
        Some(staff) => match tx.lock_staff(staff.id).await? {
            Some(locked) => locked,
            None => return Ok(Found::Uninvited),
        },
        None => match (provider.jit, identity.role) {
            (true, Some(role)) => match made(tx, practice, identity, role, now).await? {
                Some(staff) => staff,
                None => return Ok(Found::Uninvited),
            },
            _ => return Ok(Found::Uninvited),
        },
    };
    if !staff.active {
        refused(tx, &staff, "switched off", now).await?;
        return Ok(Found::Off);
    }
    let linked = staff.secrets.subject.as_ref();
    if linked.is_some_and(|it| *it != identity.subject) {
        refused(tx, &staff, "linked to another person", now).await?;
        return Ok(Found::Another);
    }
    staff.secrets.subject = Some(identity.subject.clone());
    if let Some(role) = identity.role.filter(|role| *role != staff.role) {
        staff.role = role;
        tx.end_sessions(staff.id).await?;
        let detail = serde_json::json!({ "role": role.as_str(), "active": true });
        note(
            tx,
            &staff,
            "sign-in provider",
            "staff.changed",
            &detail,
            now,
        )
        .await?;
    }
    let whole = provider.provider_second_factor || !staff.role.needs_second_factor();
    if whole {
        (staff.wrong, staff.resting_until) = (0, None);
    }
    tx.save_staff(&staff).await?;
    // Whoever comes by the provider needs no link for a password.
    tx.uninvite_staff(staff.id).await?;
    tx.begin_session(&staff, session, whole, now).await?;
    let by = staff.actor();
    let detail = serde_json::json!({ "by": "single sign-on", "whole": whole });
    note(tx, &staff, &by, "staff.signed_in", &detail, now).await?;
    Ok(Found::Kept)
}

/// An account, made at the first sign-in.
async fn made(
    tx: &mut Tx,
    practice: &PracticeId,
    identity: &Identity,
    role: Role,
    now: Timestamp,
) -> Result<Option<Staff>, StoreError> {
    let secrets = StaffSecrets {
        name: identity.name.chars().take(80).collect(),
        email: identity.email.clone(),
        password: None,
        totp: None,
        offered: None,
        last_step: 0,
        recovery: Vec::new(),
        subject: Some(identity.subject.clone()),
    };
    let Some(id) = tx.add_staff(practice, role, &secrets).await? else {
        return Ok(None);
    };
    let Some(staff) = tx.lock_staff(id).await? else {
        return Ok(None);
    };
    let detail = serde_json::json!({ "role": role.as_str(), "by": "single sign-on" });
    note(tx, &staff, "sign-in provider", "staff.joined", &detail, now).await?;
    Ok(Some(staff))
}

async fn refused(tx: &mut Tx, staff: &Staff, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let detail = serde_json::json!({ "by": "single sign-on", "why": why });
    let by = staff.actor();
    note(tx, staff, &by, "staff.refused", &detail, now).await
}
