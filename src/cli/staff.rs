//! `staff`: accounts of the console from the command line, for the first owner and for whoever lost
//! everything.

use std::sync::Arc;

use clap::Subcommand;
use url::Url;

use crate::cli::assemble::{self, Assembled};
use crate::cli::{HOLDS, NO_VERDICT, refuse};
use crate::config::Loaded;
use crate::domain::clock::SystemClock;
use crate::domain::ids::{PracticeId, StaffId};
use crate::domain::staff::Role;
use crate::pipeline::accounts::AccountError;
use crate::pipeline::house::House;

/// What is done to the accounts.
#[derive(Debug, Subcommand)]
pub(super) enum StaffCommand {
    /// Invite somebody: prints a link that works once, for a week.
    #[command(after_help = "Examples:
  anteroom staff invite --practice lakeside --name \"Dana Whitfield\" --email dana@example.com --role owner

With SQLite, stop the server first; owners invite everybody else under Team in the console.")]
    Invite {
        /// At which practice; may be left out where there is one.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
        /// As colleagues know them.
        #[arg(long)]
        name: String,
        /// What they sign in with.
        #[arg(long)]
        email: String,
        /// `owner`, `clinician`, `front_desk`, `prompt_editor`, `compliance` or `auditor`.
        #[arg(long)]
        role: Role,
    },
    /// Print the accounts as JSONL, without names.
    List {
        /// At which practice; may be left out where there is one.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
    },
    /// Make a new link for an account: password and second factor are chosen anew.
    Reset {
        /// Its number, from `staff list`.
        number: i64,
        /// At which practice; may be left out where there is one.
        #[arg(long, value_name = "ID")]
        practice: Option<String>,
    },
}

/// Runs a command.
pub(super) async fn run(loaded: Loaded, command: StaffCommand) -> u8 {
    let assembled = match assemble::assemble_at(loaded.config, Arc::new(SystemClock)).await {
        Ok(assembled) => assembled,
        Err(error) => return refuse(&error),
    };
    let Assembled {
        house, public_url, ..
    } = assembled;
    let named = match &command {
        StaffCommand::Invite { practice, .. }
        | StaffCommand::List { practice }
        | StaffCommand::Reset { practice, .. } => practice.clone(),
    };
    let practice = match the_practice(&house, named) {
        Ok(practice) => practice,
        Err(error) => return refuse(&error),
    };
    let done = match command {
        StaffCommand::Invite {
            name, email, role, ..
        } => house
            .invite(&practice, (&name, &email), role, "command line")
            .await
            .map(|it| Some(it.token.secret)),
        StaffCommand::Reset { number, .. } => house
            .invite_again(&practice, StaffId(number), "command line")
            .await
            .map(|it| Some(it.token.secret)),
        StaffCommand::List { .. } => list(&house, &practice).await.map(|()| None),
    };
    match done {
        Ok(Some(token)) => {
            println!("{}", link(&public_url, &token));
            eprintln!(
                "anteroom: the link works once, for a week; send it by a way that only they can read"
            );
            HOLDS
        }
        Ok(None) => HOLDS,
        Err(AccountError::Store(error)) => {
            eprintln!("anteroom: {error}");
            NO_VERDICT
        }
        Err(AccountError::Link) => refuse("there is no such account; see `anteroom staff list`"),
        Err(error) => refuse(&error.to_string()),
    }
}

fn the_practice(house: &House, named: Option<String>) -> Result<PracticeId, String> {
    let all: Vec<&str> = house.practices().map(|it| it.id.as_str()).collect();
    match (named, all.as_slice()) {
        (Some(id), _) if all.contains(&id.as_str()) => Ok(PracticeId::new(id)),
        (None, [one]) => Ok(PracticeId::new(*one)),
        (_, all) => Err(format!("--practice: say which; one of {}", all.join(", "))),
    }
}

async fn list(house: &House, practice: &PracticeId) -> Result<(), AccountError> {
    for it in house.store().all_staff(practice).await? {
        let line = serde_json::json!({
            "account": it.id.0, "role": it.role.as_str(), "active": it.active, "ready": it.ready(),
        });
        println!("{line}");
    }
    Ok(())
}

/// Where an invitation opens.
pub(super) fn link(public_url: &Url, token: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    format!("{base}/console/join/{token}")
}

/// The link for the owner of the sample practice, until somebody takes it; none otherwise.
pub(super) async fn sample_owner(house: &House, public_url: &Url) -> Option<String> {
    let practice = house.practices().next()?.id.clone();
    let all = house.store().all_staff(&practice).await.ok()?;
    let invited = match all.as_slice() {
        [] => {
            let who = ("Sam Rivera", "owner@example.com");
            house.invite(&practice, who, Role::Owner, "anteroom").await
        }
        [one] if !one.ready() => house.invite_again(&practice, one.id, "anteroom").await,
        _ => return None,
    };
    invited.ok().map(|it| link(public_url, &it.token.secret))
}
