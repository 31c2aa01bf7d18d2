//! The directory of a server: schedules, and who keeps them where; read again after a while.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::domain::record::Provider;
use crate::fhir::client::Client;
use crate::fhir::fault::Fault;
use crate::fhir::names::Names;
use crate::fhir::resource::{At, provider, referred};

/// How long it is believed: a new provider is offered after ten minutes at the latest.
const BELIEVED: SignedDuration = SignedDuration::from_mins(10);
/// Schedules of one practice that are read.
const SCHEDULES_MAX: usize = 1_000;
/// Ids asked for at once.
const IDS: usize = 50;

/// Who sees patients, and where.
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    pub(super) names: Names,
    pub(super) providers: Vec<Provider>,
}

/// The directory, as it was read last.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<(Arc<Directory>, Timestamp)>>);

impl Kept {
    /// The directory; read anew when it is old, or was read before `seen` and lacks something.
    pub(super) async fn get(&self, client: &Client) -> Result<Arc<Directory>, Fault> {
        let mut kept = self.0.lock().await;
        let now = client.clock.now();
        if let Some((directory, at)) = &*kept
            && now.duration_since(*at) < BELIEVED
        {
            return Ok(Arc::clone(directory));
        }
        let directory = Arc::new(read(client).await?);
        *kept = Some((Arc::clone(&directory), now));
        Ok(directory)
    }

    /// What was read is not believed any more.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

async fn read(client: &Client) -> Result<Directory, Fault> {
    let active = [("active", "true".to_owned())];
    let schedules = client.search("Schedule", &active, SCHEDULES_MAX).await?;
    let mut all = schedules;
    let roles = by_id(
        client,
        "PractitionerRole",
        &actors(&all, "PractitionerRole"),
    )
    .await?;
    all.extend(roles);
    let mut whose = actors(&all, "Practitioner");
    let mut places = actors(&all, "Location");
    for role in all
        .iter()
        .map(At::alone)
        .filter(|it| it.kind() == "PractitionerRole")
    {
        let person = role.get("/practitioner");
        whose.extend(
            person
                .and_then(|it| referred(it, "Practitioner"))
                .map(str::to_owned),
        );
        let found = role
            .list("/location")
            .filter_map(|it| referred(it, "Location"));
        places.extend(found.map(str::to_owned));
    }
    let people = by_id(client, "Practitioner", &whose).await?;
    let mut providers: Vec<Provider> = people
        .iter()
        .filter(|it| it.get("active").and_then(Value::as_bool) != Some(false))
        // One without a name cannot be told of.
        .filter_map(|it| provider(&At::alone(it)).ok())
        .collect();
    providers.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    all.extend(people);
    all.extend(by_id(client, "Location", &places).await?);
    Ok(Directory {
        names: Names::of(&all.iter().collect::<Vec<_>>()),
        providers,
    })
}

/// The ids of one kind among the actors of schedules.
fn actors(resources: &[Value], kind: &str) -> BTreeSet<String> {
    let actors = resources.iter().flat_map(|it| At::alone(it).list("/actor"));
    let ids = actors.filter_map(|it| referred(it, kind));
    ids.map(str::to_owned).collect()
}

async fn by_id(client: &Client, kind: &str, ids: &BTreeSet<String>) -> Result<Vec<Value>, Fault> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for some in ids.chunks(IDS) {
        let wanted = [("_id", some.join(","))];
        found.extend(client.search(kind, &wanted, IDS).await?);
    }
    Ok(found)
}
