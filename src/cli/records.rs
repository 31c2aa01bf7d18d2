//! The record of each practice: the embedded one, or the FHIR server that its configuration names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::layer::RecordsLayer;
use crate::agent::ports::Records;
use crate::domain::clock::Clock;
use crate::domain::ids::PracticeId;
use crate::domain::practice::Practice;
use crate::fhir::capability::Weight;
use crate::fhir::records::FhirRecords;

/// How long the start waits for a server's `CapabilityStatement` before it goes on without.
const PATIENCE: Duration = Duration::from_secs(5);

/// Each practice's own record; the embedded one where none is named.
#[derive(Debug)]
pub(super) struct ByPractice {
    embedded: Arc<dyn Records>,
    servers: BTreeMap<PracticeId, Arc<FhirRecords>>,
}

/// What an examined server is told to be.
pub(super) enum Told {
    Good(String),
    Note(String),
    Bad(String),
}

/// The FHIR server of a practice, if it has one.
pub(super) fn server(
    practice: &Practice,
    clock: Arc<dyn Clock>,
) -> Option<Result<FhirRecords, String>> {
    let server = practice.fhir.as_ref()?;
    let opened = FhirRecords::new(server, clock);
    Some(opened.map_err(|error| format!("practice `{}`: [practice.fhir] {error}", practice.id)))
}

impl ByPractice {
    /// Opens what the practices name. No server is asked yet.
    pub(super) fn new(
        embedded: Arc<dyn Records>,
        practices: &[Practice],
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let mut servers = BTreeMap::new();
        for practice in practices {
            if let Some(opened) = server(practice, Arc::clone(clock)) {
                servers.insert(practice.id.clone(), Arc::new(opened?));
            }
        }
        Ok(Self { embedded, servers })
    }

    /// What the servers lack, for whoever starts them.
    pub(super) async fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for (practice, server) in &self.servers {
            let asked = tokio::time::timeout(PATIENCE, examine(server)).await;
            let told = asked.unwrap_or_else(|_late| {
                vec![Told::Bad(
                    "it does not answer yet; texts that need it go to staff".to_owned(),
                )]
            });
            remarks.extend(told.into_iter().filter_map(|it| match it {
                Told::Bad(text) => Some(format!("record of `{practice}`: {text}")),
                Told::Good(_) | Told::Note(_) => None,
            }));
        }
        remarks
    }
}

/// Signs in, reads the `CapabilityStatement` and the directory, and says what is missing.
pub(super) async fn examine(server: &FhirRecords) -> Vec<Told> {
    let capability = match server.capability().await {
        Ok(capability) => capability,
        Err(fault) => return vec![Told::Bad(fault.told().as_str().to_owned())],
    };
    let mut told: Vec<Told> = capability
        .lacks()
        .into_iter()
        .map(|lack| match lack.weight {
            Weight::Essential => Told::Bad(format!("the server lacks {}", lack.words)),
            Weight::Useful => Told::Note(format!("the server lacks {}", lack.words)),
        })
        .collect();
    match server.try_out().await {
        Ok(providers) => told.insert(
            0,
            Told::Good(format!(
                "the FHIR server answers; {providers} provider(s) keep a schedule"
            )),
        ),
        Err(fault) => told.push(Told::Bad(fault.told().as_str().to_owned())),
    }
    told
}

/// Each question of the port goes to the record of its practice.
impl RecordsLayer for ByPractice {
    fn behind(&self, practice: &PracticeId) -> &dyn Records {
        match self.servers.get(practice) {
            Some(server) => &**server,
            None => &*self.embedded,
        }
    }
}
