//! `chat`: a phone in the terminal, with the sample practice in a throw-away folder.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::carrier::fake::Sending;
use crate::cli::assemble::{self, Assembled};
use crate::cli::served::Served;
use crate::cli::{HOLDS, NO_VERDICT, refuse};
use crate::config;
use crate::domain::conversation::{Direction, Turn};
use crate::domain::ids::TurnId;
use crate::domain::message::Delivery;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::pipeline::price;
use crate::policy::words::Channel;
use crate::web::fake::FakeSite;
use crate::web::gate::GuardSettings;
use crate::web::router::{ConsoleParts, WebSettings, router};

/// A reply that takes longer than this does not come: every limit on the way is shorter.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the carrier may take to tell what became of a text.
const REPORTS: Duration = Duration::from_secs(2);

/// Texts of a conversation that are looked at.
const TURNS_MAX: u32 = 50;

/// Texts as `number` until the input ends.
pub(super) async fn chat(number: E164, glass: bool) -> u8 {
    let folder = std::env::temp_dir().join(format!("anteroom-chat-{}", std::process::id()));
    let code = Box::pin(chat_in(&folder, number, glass)).await;
    // Nothing of a try-out stays behind.
    if std::fs::remove_dir_all(&folder).is_err() {
        tracing::debug!("the throw-away folder was gone already");
    }
    code
}

async fn chat_in(folder: &std::path::Path, number: E164, mut glass: bool) -> u8 {
    let environment = [("ANTEROOM_DATA_DIR".to_owned(), folder.display().to_string())];
    let config = match config::load(None, environment.into_iter()) {
        Ok(loaded) => loaded.config,
        Err(error) => return refuse(&error.to_string()),
    };
    let mut assembled = match assemble::assemble(config).await {
        Ok(assembled) => assembled,
        Err(error) => return refuse(&error),
    };
    let Some(practice) = assembled.house.practices().next().map(Arc::clone) else {
        return refuse("there is no practice to text");
    };
    let Some(site) = phone(&mut assembled) else {
        return refuse("the practice does not text by the simulator");
    };
    let Assembled {
        house,
        people,
        tracker,
        stop,
        ..
    } = assembled;
    let who = people.iter().find(|person| person.number == number);
    let name = who.map_or("nobody on file", |person| &person.name);
    eprintln!(
        "You are {name}, texting {}. Ctrl-D leaves, /glass looks under the glass.",
        practice.name
    );
    let prompt = std::io::stdin().is_terminal();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (mut seen, mut code) = (TurnId(0), HOLDS);
    loop {
        if prompt {
            eprint!("> ");
        }
        let Ok(Some(line)) = lines.next_line().await else {
            break;
        };
        if line.trim() == "/glass" {
            glass = !glass;
            eprintln!("The glass is {}.", if glass { "on" } else { "off" });
            continue;
        }
        if !write(&site, &practice, &number, &line).await {
            eprintln!("anteroom: the text was not taken");
            code = NO_VERDICT;
            break;
        }
        if tokio::time::timeout(PATIENCE, settle(&house))
            .await
            .is_err()
        {
            eprintln!("anteroom: no answer within {} s", PATIENCE.as_secs());
            code = NO_VERDICT;
        }
        let reported = reported(&house, &practice, &number);
        if tokio::time::timeout(REPORTS, reported).await.is_err() {
            tracing::debug!("a text has no end yet; it is shown as it stands");
        }
        seen = show(&house, &practice, &number, seen, glass).await;
    }
    stop.cancel();
    drop(site);
    drop(house);
    tracker.close();
    tracker.wait().await;
    code
}

/// The phone: the fake carrier, with the house's front door behind it.
fn phone(assembled: &mut Assembled) -> Option<FakeSite> {
    let simulated = assembled.simulated.take()?;
    let house = &assembled.house;
    let settings = WebSettings {
        public_url: assembled.public_url.clone(),
        phone: None,
        carriers: house.carriers().clone(),
        guard: GuardSettings::default(),
        desk: None,
        clock: Arc::clone(house.clock()),
        shutdown: assembled.stop.clone(),
        suites: None,
        console: ConsoleParts::default(),
    };
    let served = Served {
        house: Arc::clone(house),
        people: Vec::new(),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
    };
    Some(simulated.serve(router(Arc::new(served), settings)))
}

/// Writes a text on the phone; whether the carrier brought it.
async fn write(site: &FakeSite, practice: &Practice, number: &E164, body: &str) -> bool {
    let Some(sender) = practice.senders.first() else {
        return false;
    };
    let sending = Sending {
        from: number.as_str().to_owned(),
        to: sender.number.as_str().to_owned(),
        body: body.to_owned(),
        whatsapp: sender.channel == Channel::Whatsapp,
        ..Sending::default()
    };
    let line = format!("{}.{}", sender.carrier, practice.id);
    let now = site.clock.now();
    let Some((_, posts)) = site.fake.write(&line, sending, Vec::new(), now) else {
        return false;
    };
    for (_, post) in posts {
        let status = site.way.post(&post).await;
        if !status.is_some_and(|status| (200..300).contains(&status)) {
            return false;
        }
    }
    true
}

/// Waits until the carrier has told what became of every text that it took.
async fn reported(house: &House, practice: &Practice, number: &E164) {
    let mut changes = house.changes();
    loop {
        changes.mark_unchanged();
        let mut open = false;
        let conversations = house.store().conversations_with(&practice.id, number).await;
        for conversation in conversations.unwrap_or_default() {
            let turns = house.store().turns(conversation.id, TURNS_MAX).await;
            let turns = turns.unwrap_or_default();
            open |= turns.iter().any(|turn| {
                let state = turn.delivery;
                state.is_some_and(|state| state != Delivery::Pending && !state.is_final())
            });
        }
        if !open || changes.changed().await.is_err() {
            return;
        }
    }
}

/// Waits until nothing is queued any more.
async fn settle(house: &House) {
    let mut changes = house.changes();
    loop {
        changes.mark_unchanged();
        match house.store().depth().await {
            Ok(depth) if depth.replies == 0 && depth.outbox == 0 => return,
            Ok(_) => {}
            Err(_) => return,
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn show(
    house: &House,
    practice: &Practice,
    number: &E164,
    mut seen: TurnId,
    glass: bool,
) -> TurnId {
    let conversations = house.store().conversations_with(&practice.id, number).await;
    for conversation in conversations.unwrap_or_default() {
        let turns = house
            .store()
            .turns(conversation.id, TURNS_MAX)
            .await
            .unwrap_or_default();
        let fresh: Vec<&Turn> = turns.iter().filter(|turn| turn.id > seen).collect();
        for turn in &fresh {
            seen = seen.max(turn.id);
            if turn.direction == Direction::Outbound {
                let state = turn.delivery.map_or("", |delivery| delivery.as_str());
                let segments = turn.segments.unwrap_or(1);
                let sender = practice.sender_by(
                    conversation.carrier,
                    conversation.channel,
                    &conversation.sender,
                );
                let price = sender.and_then(|sender| price::estimate(sender, segments));
                let price = price.map_or_else(String::new, |price| {
                    format!(", about ${}", price::dollars(price))
                });
                println!(
                    "{}\n    [{state}, {segments} segment{}{price}]",
                    turn.body.as_str(),
                    plural(segments)
                );
            }
        }
        if glass
            && fresh
                .iter()
                .any(|turn| turn.direction == Direction::Outbound)
        {
            show_glass(house, conversation.id).await;
        }
    }
    seen
}

async fn show_glass(house: &House, conversation: crate::domain::ids::ConversationId) {
    let reports = house
        .store()
        .glass(conversation, 1)
        .await
        .unwrap_or_default();
    for report in reports {
        let Ok(report) = serde_json::from_str::<serde_json::Value>(report.as_str()) else {
            continue;
        };
        let text = |field: &str| {
            report
                .get(field)
                .and_then(serde_json::Value::as_str)
                .unwrap_or("")
        };
        println!("    draft    {}", text("draft"));
        println!(
            "    verdict  {} in {} us",
            text("verdict"),
            report.get("micros").cloned().unwrap_or_default()
        );
        for finding in report
            .get("findings")
            .and_then(serde_json::Value::as_array)
            .into_iter()
            .flatten()
        {
            let part = |field: &str| {
                finding
                    .get(field)
                    .and_then(serde_json::Value::as_str)
                    .unwrap_or("")
            };
            println!(
                "    {:<8} {:<18} {}  {}",
                part("action"),
                part("category"),
                part("rule"),
                part("cite")
            );
        }
    }
}

const fn plural(count: i64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
