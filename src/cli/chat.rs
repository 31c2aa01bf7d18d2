//! `chat`: a phone in the terminal, with the sample practice in a throw-away folder.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::cli::assemble::{self, Assembled};
use crate::cli::{HOLDS, NO_VERDICT, refuse};
use crate::config;
use crate::domain::conversation::{Direction, Turn};
use crate::domain::ids::TurnId;
use crate::domain::message::Inbound;
use crate::domain::phi::Phi;
use crate::domain::phone::E164;
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::pipeline::price;

/// A reply that takes longer than this does not come: every limit on the way is shorter.
const PATIENCE: Duration = Duration::from_mins(1);

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
    let assembled = match assemble::assemble(config).await {
        Ok(assembled) => assembled,
        Err(error) => return refuse(&error),
    };
    let Assembled {
        house,
        people,
        tracker,
        stop,
        ..
    } = assembled;
    let Some(practice) = house.practices().next().map(Arc::clone) else {
        return refuse("there is no practice to text");
    };
    let who = people.iter().find(|person| person.number == number);
    let name = who.map_or("nobody on file", |person| &person.name);
    eprintln!(
        "You are {name}, texting {}. Ctrl-D leaves, /glass looks under the glass.",
        practice.name
    );
    let prompt = std::io::stdin().is_terminal();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (mut seen, mut sent, mut code) = (TurnId(0), 0, HOLDS);
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
        sent += 1;
        let Some(inbound) = inbound(&practice, &number, &line, sent, house.clock().now()) else {
            return refuse("the practice has no number to text");
        };
        if let Err(error) = house.receive(Arc::clone(&practice), inbound).await {
            eprintln!("anteroom: {error}");
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
        seen = show(&house, &practice, &number, seen, glass).await;
    }
    stop.cancel();
    drop(house);
    tracker.close();
    tracker.wait().await;
    code
}

fn inbound(
    practice: &Practice,
    number: &E164,
    body: &str,
    count: u32,
    at: jiff::Timestamp,
) -> Option<Inbound> {
    let sender = practice.senders.first()?;
    Some(Inbound {
        carrier: sender.carrier,
        carrier_id: format!("chat-{}-{count}", at.as_microsecond()),
        channel: sender.channel,
        from: number.clone(),
        to: sender.number.clone(),
        body: Phi::from(body),
        media: Vec::new(),
        button: None,
        at,
    })
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
            .turns(conversation.id, 50)
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
