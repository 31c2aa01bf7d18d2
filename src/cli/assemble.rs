//! Assembling: a configuration becomes a running house.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::agent::ports::{Model, Price, Records as _};
use crate::agent::prompts::Prompts;
use crate::agent::texts::Texts;
use crate::carrier::Carrier;
use crate::carrier::account::Site;
use crate::cli::guardrail;
use crate::cli::phone::Simulated;
use crate::cli::records::ByPractice;
use crate::config::{Config, Fallback, Llm};
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::practice::{CarrierKind, Practice};
use crate::domain::record::RecordSet;
use crate::fhir::bundle;
use crate::llm::breaker::Breaker;
use crate::llm::offline::Offline;
use crate::llm::openai::{OpenAi, Settings};
use crate::llm::tokens::Tokens;
use crate::pipeline::house::{Carriers, Entropy, House, Parts};
use crate::screen::Screen;
use crate::seal::MasterKey;
use crate::store::Store;
use crate::store::records::EmbeddedRecords;
use crate::web::port::Person;

const SAMPLE_PRACTICE: &str = include_str!("../../samples/lakeside.toml");
const SAMPLE_RECORD: &str = include_str!("../../samples/lakeside.json");

/// A house and what runs beside it.
pub(super) struct Assembled {
    pub(super) house: Arc<House>,
    pub(super) config: Config,
    pub(super) people: Vec<Person>,
    pub(super) public_url: Url,
    /// The other side of the phone simulator, until it is served.
    pub(super) simulated: Option<Simulated>,
    pub(super) tracker: TaskTracker,
    pub(super) stop: CancellationToken,
}

/// Opens the store that the configuration names, with its master key.
pub(super) async fn open_store(config: &Config, tracker: &TaskTracker) -> Result<Store, String> {
    let url = config.database_url();
    std::fs::create_dir_all(&config.data_dir).map_err(|error| {
        format!(
            "{}: {error}; name another data_dir",
            config.data_dir.display()
        )
    })?;
    let key_file = config.master_key_file();
    let fresh = key_file.exists() || !Store::holds_keys(&url).await.map_err(|it| it.to_string())?;
    let master = MasterKey::load_or_create(&key_file, fresh).map_err(|error| error.to_string())?;
    Store::open(&url, master, tracker, &config.data_dir)
        .await
        .map_err(|error| error.to_string())
}

/// The sample practice, for a configuration without one.
pub(super) fn sample_practice() -> Result<Practice, String> {
    #[derive(serde::Deserialize)]
    struct File {
        practice: Vec<Practice>,
    }
    let file: File = toml::from_str(SAMPLE_PRACTICE).map_err(|error| error.to_string())?;
    file.practice
        .into_iter()
        .next()
        .ok_or_else(|| "the sample practice is empty".to_owned())
}

/// The practices of a configuration: the sample one where there is none.
pub(super) fn practices(config: &Config) -> Result<Vec<Practice>, String> {
    if config.practice.is_empty() {
        return Ok(vec![sample_practice()?]);
    }
    Ok(config.practice.clone())
}

/// Builds everything and starts the workers.
pub(super) async fn assemble(config: Config) -> Result<Assembled, String> {
    let assembled = assemble_at(config, Arc::new(SystemClock)).await?;
    assembled.house.start(&assembled.tracker, &assembled.stop);
    Ok(assembled)
}

/// What was published is in use from the first answer on; a practice's overlay above all.
async fn take_up(house: &Arc<House>) -> Result<(), String> {
    house
        .tend_wordings_once()
        .await
        .map_err(|error| error.to_string())?;
    house
        .tend_policies_once()
        .await
        .map_err(|error| error.to_string())?;
    if let Some((practice, version, error)) = house.overlay_faults().first() {
        return Err(format!(
            "the overlay of `{practice}` (version {version}) does not fit this program: {error}. Without \
             it more could leave than the practice allows. Start the version of the program that \
             published it and take the overlay back under Policy in the console"
        ));
    }
    Ok(())
}

/// Builds everything by this clock; whoever called starts the workers.
pub(super) async fn assemble_at(
    config: Config,
    clock: Arc<dyn Clock>,
) -> Result<Assembled, String> {
    let tracker = TaskTracker::new();
    let stop = CancellationToken::new();
    let store = open_store(&config, &tracker).await?;
    let public_url =
        Url::parse(&config.public_url()).map_err(|error| format!("public_url: {error}"))?;
    let records = Arc::new(EmbeddedRecords::new(store.clone()));
    let sample = config.practice.is_empty();
    let practices = practices(&config)?;
    let mut people = Vec::new();
    if sample && let Some(practice) = practices.first() {
        people = load_sample(&records, practice, &*clock).await?;
    }
    let by_practice = ByPractice::new(Arc::clone(&records) as _, &practices, &clock)?;
    for remark in by_practice.remarks().await {
        tracing::warn!("{remark}; `anteroom doctor` tells more");
    }
    let simulated = Simulated::of(&practices, &public_url, &clock, (&tracker, &stop)).await?;
    let carriers = carriers(&config, &practices, &public_url, simulated.as_ref())?;
    // On SQLite this process is the only one: leases of the last run are nobody's.
    store
        .release_leases()
        .await
        .map_err(|error| error.to_string())?;
    Prompts::embedded().map_err(ToString::to_string)?;
    let offline: Arc<dyn Model> = Arc::new(Offline::new());
    let breaking = Arc::clone(&clock);
    let house = House::new(Parts {
        store,
        clock,
        guardrail: guardrail::configured(&config)
            .map_err(|error| error.to_string())?
            .into(),
        screen: Screen::embedded().map_err(|error| error.to_string())?,
        texts: Texts::embedded().map_err(|error| error.to_string())?,
        records: Arc::new(by_practice),
        model: watched(model(&config.llm, &offline)?, &offline, &breaking),
        fallbacks: fallbacks(&config.llm)?
            .into_iter()
            .map(|it| watched(it, &offline, &breaking))
            .collect(),
        offline,
        carriers,
        practices: practices
            .into_iter()
            .map(|it| (it.id.clone(), Arc::new(it)))
            .collect(),
        public_url: public_url.clone(),
        entropy: entropy(),
        pager: config.alarm.pager().map_err(|error| error.to_string())?,
        mail: config.mail.relay().map_err(|error| error.to_string())?,
    });
    take_up(&house).await?;
    house
        .settle_simulated()
        .await
        .map_err(|error| error.to_string())?;
    Ok(Assembled {
        house,
        config,
        people,
        public_url,
        simulated,
        tracker,
        stop,
    })
}

/// The carriers of every practice.
fn carriers(
    config: &Config,
    practices: &[Practice],
    public_url: &Url,
    simulated: Option<&Simulated>,
) -> Result<Carriers, String> {
    let mut carriers = Carriers::new();
    for practice in practices {
        for sender in &practice.senders {
            let kind = sender.carrier;
            let site = Site {
                kind,
                practice,
                public_url,
            };
            let carrier = match simulated {
                Some(simulated) if kind == CarrierKind::Simulator => {
                    let opened = simulated.simulation.open(&site);
                    opened.map_err(|error| error.to_string())?
                }
                _ => line(config, &site)?,
            };
            carriers
                .entry((practice.id.clone(), kind))
                .or_insert(carrier);
        }
    }
    Ok(carriers)
}

/// Random bytes from the operating system. Without them no link may be made: zeroes would be a
/// link that anybody can guess, so the process stops drawing and the link is never stored.
pub(super) fn entropy() -> Entropy {
    Arc::new(|buffer: &mut [u8]| getrandom::fill(buffer).is_ok())
}

/// Loads the invented record on a first start, and again when all its free times are in the past.
async fn load_sample(
    records: &EmbeddedRecords,
    practice: &Practice,
    clock: &dyn Clock,
) -> Result<Vec<Person>, String> {
    let (mut set, _) = bundle::parse(SAMPLE_RECORD).map_err(|error| error.to_string())?;
    let now = clock.now();
    bundle::freshen(&mut set, now);
    let soon = now + jiff::SignedDuration::from_hours(24 * 30);
    let free = records
        .slots(&practice.id, now, soon, 1)
        .await
        .map_err(|error| error.to_string())?;
    if free.is_empty() {
        records
            .import(&practice.id, &set)
            .await
            .map_err(|error| error.to_string())?;
    }
    Ok(people(&set, practice))
}

/// The picker of the phone page.
fn people(set: &RecordSet, practice: &Practice) -> Vec<Person> {
    let Some(sender) = practice.senders.first() else {
        return Vec::new();
    };
    let mut people = Vec::new();
    for patient in &set.patients {
        let Some(number) = patient.phones.first() else {
            continue;
        };
        let visits = set
            .appointments
            .iter()
            .filter(|visit| visit.patient == patient.id);
        let entries = set
            .clinical
            .iter()
            .filter(|(whose, _)| *whose == patient.id);
        let results = entries
            .clone()
            .filter(|(_, it)| it.kind.as_str() == "lab")
            .count();
        let mut note = vec![match patient.language {
            Some(crate::policy::words::Language::Es) => "speaks Spanish".to_owned(),
            _ => "speaks English".to_owned(),
        }];
        if let Some(visit) = visits.min_by_key(|visit| visit.start) {
            note.push(format!("visit with {}", visit.provider));
        }
        if results > 0 {
            note.push("a result on file".to_owned());
        }
        people.push(Person {
            name: format!(
                "{} {}",
                patient.first_name.as_str(),
                patient.last_name.as_str()
            ),
            number: number.clone(),
            practice_id: practice.id.clone(),
            practice_name: practice.name.clone(),
            practice_number: sender.number.clone(),
            note: note.join(", "),
        });
    }
    people
}

/// A line to a real carrier.
fn line(config: &Config, site: &Site<'_>) -> Result<Arc<dyn Carrier>, String> {
    let (kind, id) = (site.kind, &site.practice.id);
    let account = config
        .accounts
        .get(kind, id)
        .ok_or_else(|| format!("practice `{id}` sends by {kind}: add a [{kind}.{id}] section"))?;
    account
        .open(site)
        .map_err(|error| format!("[{kind}.{id}]: {error}; `anteroom doctor` tells the rest"))
}

/// The key of the model server; none where no server is asked at all.
pub(super) fn model_key(llm: &Llm) -> Option<secrecy::SecretString> {
    let key = if llm.api_key.is_empty() {
        std::env::var("OPENAI_API_KEY")
            .ok()
            .filter(|key| !key.is_empty())
            .map(Into::into)
    } else {
        Some(llm.api_key.secret().clone())
    };
    match llm.kind.as_str() {
        "offline" => None,
        "auto" => key,
        _ => Some(key.unwrap_or_default()), // a server on one's own machine often wants none
    }
}

/// The model that the configuration asks for.
pub(super) fn model(llm: &Llm, offline: &Arc<dyn Model>) -> Result<Arc<dyn Model>, String> {
    let Some(key) = model_key(llm) else {
        return Ok(Arc::clone(offline));
    };
    // The jitter of retries only has to differ between processes.
    let mut seed = [0; 8];
    if getrandom::fill(&mut seed).is_err() {
        return Err("the operating system gives no randomness".to_owned());
    }
    let mut settings = Settings::new(&llm.base_url, key, &llm.model, u64::from_ne_bytes(seed));
    settings.timeout = std::time::Duration::from_secs(llm.timeout_s);
    settings.context_tokens_max = llm.budget_tokens;
    settings.price = price(llm.price_in, llm.price_out);
    settings.azure = azure(&llm.kind, &llm.api_version);
    if !llm.tokenizer.as_os_str().is_empty() {
        let tell = |error: &dyn std::fmt::Display| {
            format!("llm.tokenizer = \"{}\": {error}", llm.tokenizer.display())
        };
        let json = std::fs::read(&llm.tokenizer).map_err(|error| tell(&error))?;
        settings.tokens = Tokens::from_json(&json).map_err(|error| tell(&error))?;
    }
    Ok(Arc::new(
        OpenAi::new(settings).map_err(|error| error.to_string())?,
    ))
}

/// A model behind a breaker; the offline one needs none.
fn watched(
    model: Arc<dyn Model>,
    offline: &Arc<dyn Model>,
    clock: &Arc<dyn Clock>,
) -> Arc<dyn Model> {
    if model.name() == offline.name() {
        return model;
    }
    Arc::new(Breaker::new(model, Arc::clone(clock)))
}

/// Every model that may be asked, without the breakers in front of them.
pub(super) fn all_models(llm: &Llm) -> Result<Vec<Arc<dyn Model>>, String> {
    let offline: Arc<dyn Model> = Arc::new(Offline::new());
    let mut all = vec![model(llm, &offline)?];
    all.extend(fallbacks(llm)?);
    all.push(offline);
    Ok(all)
}

/// The models that draft when the first one cannot.
fn fallbacks(llm: &Llm) -> Result<Vec<Arc<dyn Model>>, String> {
    if model_key(llm).is_none() {
        return Ok(Vec::new());
    }
    let one = |(number, it): (usize, &Fallback)| {
        let tell = |error: &dyn std::fmt::Display| format!("[[llm.fallback]] {number}: {error}");
        let seed = u64::try_from(number).unwrap_or(0);
        let key = it.api_key.secret().clone();
        let mut settings = Settings::new(&it.base_url, key, &it.model, seed);
        settings.timeout = std::time::Duration::from_secs(it.timeout_s);
        settings.context_tokens_max = llm.budget_tokens;
        settings.price = price(it.price_in, it.price_out);
        settings.azure = azure(&it.kind, &it.api_version);
        let model = OpenAi::new(settings).map_err(|error| tell(&error))?;
        Ok(Arc::new(model) as Arc<dyn Model>)
    };
    (1..).zip(&llm.fallbacks).map(one).collect()
}

/// The version of Azure's API, where it is asked for.
pub(super) fn azure(kind: &str, version: &str) -> Option<String> {
    (kind == "azure").then(|| version.to_owned())
}

/// Dollars for a million tokens as billionths for one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked at load: 0 to 10,000 dollars"
)]
fn price(sent: f64, answered: f64) -> Price {
    let each = |usd: f64| (usd * 1_000.0).round() as u64;
    Price {
        sent: each(sent),
        answered: each(answered),
    }
}

/// What is worth a look though everything runs: PHI that will not leave for want of an agreement.
pub(super) async fn remarks(house: &House) -> Vec<String> {
    let refused = house.policy_refused().map(|it| {
        let since = it.since.strftime("%Y-%m-%d %H:%M UTC");
        format!(
            "the policy folder was refused at {since} and the last good policy stays in force: {}",
            it.error
        )
    });
    let mut remarks: Vec<String> = refused.into_iter().collect();
    remarks.extend(missing(house).await);
    remarks
}

async fn missing(house: &House) -> Vec<String> {
    match house.missing_papers(house.clock().now()).await {
        Ok(missing) => missing
            .iter()
            .map(|it| format!("{it}; nothing about a patient goes there"))
            .collect(),
        Err(error) => vec![format!("agreements could not be read: {error}")],
    }
}

/// Whether the folder of a path exists and can be written to.
pub(super) fn writable(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let probe = folder.join(".anteroom-probe");
    std::fs::write(&probe, b"probe").map_err(|error| error.to_string())?;
    std::fs::remove_file(&probe).map_err(|error| error.to_string())
}
