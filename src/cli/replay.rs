//! `replay`: what the model was sent for one text, made again.

use clap::Args;
use tokio_util::task::TaskTracker;

use crate::agent::prompts::{Prompts, Wording};
use crate::agent::recording;
use crate::audit::Entry;
use crate::cli::audit::store_to_read;
use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, assemble, guardrail, refuse};
use crate::config::Loaded;
use crate::domain::clock::{Clock as _, SystemClock};
use crate::domain::ids::{PracticeId, TurnId};
use crate::domain::publication::{Published, Standing};
use crate::pipeline::replay::{again, asked, compared, digests, name};
use crate::store::recordings::{Recorded, Recording};
use crate::store::{Store, StoreError};

/// Signs of a digest that are shown: enough to tell two apart.
const SHOWN: usize = 12;

/// What `anteroom replay` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  anteroom replay 4711                     whether the same bytes can be made, and what has moved
  anteroom replay 4711 --show-text         the requests, one a line: they are PHI

Numbers of texts stand in the audit log (\"turn\", \"answers\"). Every answer knows the digests of its
prompt, policy, model and tools; what was sent is kept sealed. Without --show-text standard output holds
digests and counts, and no text of anybody.

Exit codes: 0 the same bytes; 1 other bytes; 2 usage; 3 an error on the way; 4 no model was asked.")]
pub(super) struct ReplayArgs {
    /// The number of a patient's text, or of the answer to it.
    turn: i64,
    /// Print the requests. They are PHI, and the audit log says that they were shown; on the embedded
    /// database the server must be stopped for that.
    #[arg(long)]
    show_text: bool,
}

/// Makes the requests of one turn again.
pub(super) async fn replay(loaded: &Loaded, args: &ReplayArgs) -> u8 {
    let tracker = TaskTracker::new();
    let store = if args.show_text {
        // What is shown is written into the audit log.
        match assemble::open_store(&loaded.config, &tracker).await {
            Ok(store) => store,
            Err(error) => return refuse(&error),
        }
    } else {
        match store_to_read(loaded).await {
            Ok(Some(store)) => store,
            Ok(None) => {
                eprintln!("anteroom: no text was ever kept here");
                return NOTHING;
            }
            Err(code) => return code,
        }
    };
    let turn = args.turn;
    match store.recording(TurnId(turn)).await {
        Ok(Recorded::NoTurn) => refuse(&format!(
            "there is no text {turn}; `anteroom audit export` has the numbers"
        )),
        Ok(Recorded::NoModel) => {
            eprintln!(
                "anteroom: no model was asked for text {turn}: it was answered in approved words, by \
                 staff, together with a later text, or not at all"
            );
            NOTHING
        }
        Ok(Recorded::Sent(kept)) => match shown(loaded, args, (&store, &kept)).await {
            Ok(code) => code,
            Err(error) => {
                eprintln!("anteroom: {error}");
                NO_VERDICT
            }
        },
        Err(error) => {
            eprintln!("anteroom: {error}");
            NO_VERDICT
        }
    }
}

async fn shown(
    loaded: &Loaded,
    args: &ReplayArgs,
    (store, kept): (&Store, &Recording),
) -> Result<u8, String> {
    let models = assemble::all_models(&loaded.config.llm)?;
    let policy = guardrail::configured(&loaded.config).map_err(|error| error.to_string())?;
    let wording = wording_now(store, &kept.practice)
        .await
        .map_err(|error| error.to_string())?;
    let sent = recording::read(&kept.sent).map_err(|error| error.to_string())?;
    let mut known = asked(&sent);
    known.retain(|it| models.iter().any(|model| name(&**model) == *it));
    let now = digests(&wording, policy.digest(), &known);
    let rounds = again(kept, &models).map_err(|error| error.to_string())?;
    if args.show_text {
        note(store, kept).await.map_err(|error| error.to_string())?;
    }
    println!(
        "text {} of conversation {}, answered {}",
        kept.turn, kept.conversation, kept.at
    );
    for digest in compared(&kept.digests, &now) {
        let then = short(digest.then);
        if digest.moved() {
            println!(
                "{:<7} {then}  moved since: {}",
                digest.what,
                short(digest.now)
            );
        } else {
            println!("{:<7} {then}  as now", digest.what);
        }
    }
    let count = rounds.len();
    for (number, round) in (1..).zip(&rounds) {
        let told = match &round.bytes {
            None => "cannot be made: this model is not configured any more".to_owned(),
            Some(bytes) if round.is_same() => {
                format!("{} bytes, the same again", bytes.as_str().len())
            }
            Some(bytes) => format!(
                "{} bytes, others than those sent: {}",
                bytes.as_str().len(),
                short(&recording::sha256(bytes.as_str()))
            ),
        };
        println!(
            "request {number} of {count} to {}: {}  {told}",
            round.model,
            short(&round.then)
        );
        if let (true, Some(bytes)) = (args.show_text, &round.bytes) {
            println!("{}", bytes.as_str());
        }
    }
    let same = rounds.iter().all(crate::pipeline::replay::Again::is_same);
    Ok(if same { HOLDS } else { FINDINGS })
}

fn short(digest: &str) -> &str {
    digest.get(..SHOWN).unwrap_or(digest)
}

/// What a practice's texts are answered in now.
async fn wording_now(store: &Store, practice: &PracticeId) -> Result<Wording, StoreError> {
    let standing = store.standing_versions().await?;
    let live = standing.iter().find(|(whose, version)| {
        whose == practice
            && version.kind == Published::Prompt
            && version.standing != Standing::Trial
    });
    let Some((_, version)) = live else {
        return Ok(Wording::default());
    };
    let content = store.content(practice, version.id).await?;
    let prompts = Prompts::with(&content.unwrap_or_default().files);
    Ok(prompts.map_or_else(|_unreadable| Wording::default(), Wording::published))
}

/// Says in the audit log that what was sent was shown.
async fn note(store: &Store, kept: &Recording) -> Result<(), StoreError> {
    let now = SystemClock.now();
    let subject = format!("conversation/{}", kept.conversation);
    let detail = serde_json::json!({ "turn": kept.turn.0, "texts_shown": true });
    let entry = Entry::new(
        &kept.practice,
        now,
        "operator",
        "turn.replayed",
        &subject,
        &detail,
    );
    store
        .write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append_audit(&entry).await })
        })
        .await?;
    store.sequence_audit(now).await.map(drop)
}
