//! `agreement`: the register of executed agreements (45 CFR 164.504(e)).

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use tokio_util::task::TaskTracker;

use crate::cli::assemble::open_store;
use crate::cli::doctor::model_hosts;
use crate::cli::guardrail;
use crate::cli::{HOLDS, NO_VERDICT, refuse};
use crate::config::{Loaded, nearest};
use crate::domain::agreement::Agreement;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::practice::Practice;
use crate::pipeline::papers::Register;
use crate::policy::law::Law;
use crate::store::Store;

/// What is done to the register.
#[derive(Debug, Subcommand)]
pub(super) enum AgreementCommand {
    /// Record an executed agreement; PHI may take its channel from the first day on.
    #[command(after_help = "Examples:
  anteroom agreement add --practice lakeside --counterparty twilio --product programmable-messaging \\
      --document baa-twilio.pdf --signer \"R. Vega, privacy officer\" --from 2026-11-01 --until 2027-10-31
  anteroom agreement add --practice lakeside --counterparty meta --product terms-review \\
      --document review-of-terms.pdf --signer \"R. Vega, privacy officer\" --from 2026-11-01

WhatsApp carries nothing about a patient until both of its papers are in force: an executed agreement
that covers it (--counterparty CARRIER --product whatsapp-business) and the officer's signed review of
Meta's terms (--counterparty meta --product terms-review). With one of them it carries nothing, and from
the day after the last day of either it carries nothing again. What is still missing is said after each
`add`, by `agreement list`, by `doctor` and in /readyz.")]
    Add(Box<Add>),
    /// List the agreements of every practice, and what each practice still lacks.
    List,
    /// End an agreement with its last day.
    End {
        /// Its number, from `agreement list`.
        number: i64,
        /// Whose.
        #[arg(long, value_name = "ID")]
        practice: String,
        /// The last day in force.
        #[arg(long, value_name = "DAY")]
        on: Date,
    },
}

/// An agreement as it is typed.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Whose.
    #[arg(long, value_name = "ID")]
    practice: String,
    /// The vendor: `twilio`, `bandwidth`, `openai`, ... (`meta` for the review of its terms).
    #[arg(long, value_name = "NAME")]
    counterparty: String,
    /// The product that it covers, as guardrails/channels.toml names it.
    #[arg(long, value_name = "NAME")]
    product: String,
    /// The signed document; its SHA-256 is kept, not the file.
    #[arg(long, value_name = "FILE")]
    document: PathBuf,
    /// Who signed for the practice.
    #[arg(long, value_name = "NAME")]
    signer: String,
    /// First day in force.
    #[arg(long, value_name = "DAY")]
    from: Date,
    /// Last day in force; without it the agreement runs until it is ended.
    #[arg(long, value_name = "DAY")]
    until: Option<Date>,
}

/// Does it.
pub(super) async fn agreement(loaded: &Loaded, command: &AgreementCommand) -> u8 {
    let law = match guardrail::policy(&loaded.config.policy_dir) {
        Ok(policy) => Arc::clone(policy.law()),
        Err(error) => return refuse(&error.to_string()),
    };
    if let AgreementCommand::Add(add) = command
        && let Err(message) = check(loaded, &law, add)
    {
        return refuse(&message);
    }
    let tracker = TaskTracker::new();
    let store = match open_store(&loaded.config, &tracker).await {
        Ok(store) => store,
        Err(error) => return refuse(&error),
    };
    match command {
        AgreementCommand::Add(one) => add(loaded, &law, &store, one).await,
        AgreementCommand::List => list(loaded, &law, &store).await,
        AgreementCommand::End {
            number,
            practice,
            on,
        } => {
            let Some(practice) = known(loaded, practice) else {
                return refuse(&unknown(loaded, practice));
            };
            let now = SystemClock.now();
            match store.end_agreement(&practice.id, *number, *on, now).await {
                Ok(true) => {
                    println!("agreement {number} of `{}` ends on {on}", practice.id);
                    HOLDS
                }
                Ok(false) => refuse(&format!(
                    "`{}` has no agreement {number} that runs beyond {on}; see `anteroom agreement list`",
                    practice.id
                )),
                Err(error) => failed(&error),
            }
        }
    }
}

fn failed(error: &dyn std::fmt::Display) -> u8 {
    eprintln!("anteroom: {error}");
    NO_VERDICT
}

fn known<'a>(loaded: &'a Loaded, id: &str) -> Option<&'a Practice> {
    let mut practices = loaded.config.practice.iter();
    practices.find(|practice| practice.id.as_str() == id)
}

fn unknown(loaded: &Loaded, id: &str) -> String {
    let practices = loaded.config.practice.iter();
    let known: Vec<&str> = practices.map(|it| it.id.as_str()).collect();
    format!(
        "there is no practice `{id}` in the configuration; it has: {}",
        if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        }
    )
}

fn check(loaded: &Loaded, law: &Law, add: &Add) -> Result<(), String> {
    if known(loaded, &add.practice).is_none() {
        return Err(unknown(loaded, &add.practice));
    }
    if add.until.is_some_and(|until| until < add.from) {
        return Err("--until is before --from; --until is the last day in force".to_owned());
    }
    if add.signer.trim().is_empty() {
        return Err("--signer is empty; name who signed for the practice".to_owned());
    }
    let channels = law.channels();
    let papers = channels.rules.iter().flat_map(|rule| &rule.needs);
    let mut products: Vec<&str> = papers
        .filter(|paper| paper.counterparty == add.counterparty)
        .map(|paper| paper.product.as_str())
        .collect();
    let models = channels.models.iter();
    products.extend(
        models
            .filter(|model| model.counterparty == add.counterparty)
            .map(|model| model.product.as_str()),
    );
    products.sort_unstable();
    products.dedup();
    if products.is_empty() && !add.counterparty.contains('.') {
        return Err(unknown_party(law, &add.counterparty));
    }
    // A model's host that no row names is its own counterparty; a known one must name its product.
    if !products.is_empty() && !products.contains(&add.product.as_str()) {
        return Err(format!(
            "nothing of {} asks for an agreement over `{}`; use one of: {}",
            add.counterparty,
            add.product,
            products.join(", ")
        ));
    }
    Ok(())
}

/// Nobody asks for an agreement with this one: a slip would leave the practice without the one that
/// it means to record.
fn unknown_party(law: &Law, given: &str) -> String {
    let channels = law.channels();
    let papers = channels.rules.iter().flat_map(|rule| &rule.needs);
    let mut known: Vec<&str> = papers.map(|paper| paper.counterparty.as_str()).collect();
    known.extend(channels.models.iter().map(|it| it.counterparty.as_str()));
    known.sort_unstable();
    known.dedup();
    let meant = nearest(&given.to_lowercase(), known.iter().copied());
    let meant = meant.map_or_else(String::new, |it| format!("; did you mean `{it}`?"));
    format!(
        "no channel and no model asks for an agreement with `{given}`{meant} (known: {}; the vendor \
         of another model is named by the host of its address, such as llm.example.com)",
        known.join(", ")
    )
}

async fn add(loaded: &Loaded, law: &Arc<Law>, store: &Store, add: &Add) -> u8 {
    let Some(practice) = known(loaded, &add.practice) else {
        return refuse(&unknown(loaded, &add.practice));
    };
    let document = match std::fs::read(&add.document) {
        Ok(document) if !document.is_empty() => document,
        Ok(_) => return refuse(&format!("{}: the file is empty", add.document.display())),
        Err(error) => return refuse(&format!("{}: {error}", add.document.display())),
    };
    let agreement = Agreement {
        counterparty: add.counterparty.clone(),
        product: add.product.clone(),
        document_sha256: hex::encode(Sha256::digest(&document)),
        signer: add.signer.trim().to_owned(),
        from: add.from,
        until: add.until,
    };
    let now = SystemClock.now();
    match store.add_agreement(&practice.id, &agreement, now).await {
        Ok(id) => {
            println!(
                "agreement {id}: `{}` with {} ({}), {}; document sha256 {}",
                practice.id,
                agreement.counterparty,
                agreement.product,
                term(&agreement),
                agreement.document_sha256
            );
            tell_missing(loaded, practice, law, store).await
        }
        Err(error) => failed(&error),
    }
}

/// What the practice lacks now, so that nobody believes one paper of two to be enough.
async fn tell_missing(loaded: &Loaded, practice: &Practice, law: &Arc<Law>, store: &Store) -> u8 {
    let register = Register {
        law: Arc::clone(law),
        store: Some(store),
        now: SystemClock.now(),
    };
    let hosts = model_hosts(&loaded.config);
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    match register.missing(practice, &hosts).await {
        Ok(missing) if missing.is_empty() => println!("nothing is missing for this practice"),
        Ok(missing) => missing
            .iter()
            .for_each(|it| println!("still missing: {it}")),
        Err(error) => return failed(&error),
    }
    HOLDS
}

fn term(agreement: &Agreement) -> String {
    match agreement.until {
        Some(until) => format!("from {} to {until}", agreement.from),
        None => format!("from {} until it is ended", agreement.from),
    }
}

async fn list(loaded: &Loaded, law: &Arc<Law>, store: &Store) -> u8 {
    let now = SystemClock.now();
    let today = now.to_zoned(TimeZone::UTC).date();
    let register = Register {
        law: Arc::clone(law),
        store: Some(store),
        now,
    };
    let line = |number: &str, it: &Agreement| {
        let state = if it.covers(today) {
            "in force"
        } else if it.from > today {
            "to come"
        } else {
            "expired"
        };
        let hash: String = it.document_sha256.chars().take(12).collect();
        println!(
            "  {number:>4}  {state:<8}  {} ({}), {}, signed by {}, document {hash}",
            it.counterparty,
            it.product,
            term(it),
            it.signer
        );
    };
    if loaded.config.practice.is_empty() {
        println!("no [[practice]] is configured; the sample practice needs no agreement");
    }
    for practice in &loaded.config.practice {
        println!("{} ({})", practice.name, practice.id);
        for agreement in &practice.agreements {
            line("conf", agreement);
        }
        match store.agreements(&practice.id).await {
            Ok(recorded) => recorded
                .iter()
                .for_each(|it| line(&it.id.to_string(), &it.agreement)),
            Err(error) => return failed(&error),
        }
        let hosts = model_hosts(&loaded.config);
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        match register.missing(practice, &hosts).await {
            Ok(missing) => missing.iter().for_each(|it| println!("  MISSING  {it}")),
            Err(error) => return failed(&error),
        }
    }
    HOLDS
}
