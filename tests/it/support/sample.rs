//! The sample practice, its record, and somebody who works there.

#![cfg(test)]

use std::sync::Arc;

use anteroom::agent::ports::{Model, Records};
use anteroom::domain::clock::{Clock as _, ManualClock};
use anteroom::domain::ids::StaffId;
use anteroom::domain::practice::{PortalFactor, Practice};
use anteroom::domain::staff::{Role, Staff, StaffSecrets};
use anteroom::fhir::bundle;
use anteroom::pipeline::house::Carriers;
use anteroom::store::Store;
use anteroom::store::records::EmbeddedRecords;

use crate::support::app::App;

/// A model, and those that draft when it cannot.
pub(super) type Models = (Arc<dyn Model>, Vec<Arc<dyn Model>>);

pub(super) fn alone(model: Arc<dyn Model>) -> Models {
    (model, Vec::new())
}

/// The sample's record on this store.
pub(super) async fn sample_records(
    store: &Store,
    clock: &Arc<ManualClock>,
    practice: &Practice,
) -> Arc<dyn Records> {
    let records = EmbeddedRecords::new(store.clone()).with_clock(Arc::clone(clock) as _);
    let (mut set, _) = bundle::parse(include_str!("../../../samples/lakeside.json")).unwrap();
    bundle::freshen(&mut set, clock.now());
    records.import(&practice.id, &set).await.unwrap();
    Arc::new(records)
}

pub(super) fn no_lines() -> (Carriers, Vec<Practice>) {
    (Carriers::new(), Vec::new())
}

/// The sample practice, whose portal asks for the birth date alone.
pub(crate) fn sample_practice() -> Practice {
    #[derive(serde::Deserialize)]
    struct File {
        practice: Vec<Practice>,
    }
    let file: File = toml::from_str(include_str!("../../../samples/lakeside.toml")).unwrap();
    let mut practice = file.practice.into_iter().next().unwrap();
    practice.portal_factor = PortalFactor::None;
    practice
}

/// Somebody at the front desk.
pub(crate) fn staff(app: &App) -> Staff {
    Staff {
        id: StaffId(1),
        practice: app.practice().clone(),
        role: Role::FrontDesk,
        active: true,
        wrong: 0,
        resting_until: None,
        secrets: StaffSecrets {
            name: "Dana Reyes".to_owned(),
            email: "dana@example.com".to_owned(),
            password: None,
            totp: None,
            offered: None,
            last_step: 0,
            recovery: Vec::new(),
            subject: None,
        },
    }
}
