//! Handled messages per second through the store, beside what the disk itself can do.
//!
//! `cargo bench --bench store` measures SQLite in a fresh folder (`TMPDIR` decides on which disk);
//! with `ANTEROOM_BENCH_POSTGRES=postgres://...` it measures that (empty) database instead.
//! A handled message is one transaction: admit, lock the conversation, keep the text, want a
//! reply, append an audit entry, save the conversation.

use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;
use std::time::Instant;

use anteroom::audit::Entry;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::message::Inbound;
use anteroom::domain::phi::Phi;
use anteroom::domain::phone::E164;
use anteroom::domain::practice::CarrierKind;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Language;
use anteroom::seal::MasterKey;
use anteroom::store::NewConversation;
use anteroom::store::Store;
use anteroom::store::StoreError;
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio_util::task::TaskTracker;

const PHASE: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut out = std::io::stdout().lock();
    let raw = raw_probe(&folder.path().join("probe"))?;
    writeln!(out, "raw 4 KiB overwrite + fdatasync, 1 thread: {raw:.0}/s")?;
    let runtime = tokio::runtime::Runtime::new()?;
    for clients in [1, 8, 32, 128] {
        let (rate, mut waits) = runtime.block_on(handled(folder.path(), clients))?;
        waits.sort_unstable();
        let at = |part: usize| {
            waits
                .get(waits.len() * part / 100)
                .copied()
                .unwrap_or_default()
        };
        let (p50, p99) = (at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3);
        writeln!(
            out,
            "{clients:>4} clients: {rate:>6.0} handled messages/s, p50 {p50:.2} ms, p99 {p99:.2} ms"
        )?;
    }
    let raw = raw_probe(&folder.path().join("probe"))?;
    writeln!(out, "raw again: {raw:.0}/s")?;
    Ok(())
}

fn raw_probe(path: &std::path::Path) -> std::io::Result<f64> {
    let file = std::fs::File::create(path)?;
    let page = [7_u8; 4_096];
    file.write_all_at(&vec![0; 4_096 * 256], 0)?;
    file.sync_all()?;
    let begun = Instant::now();
    let mut writes = 0_u32;
    while begun.elapsed() < Duration::from_secs(1) {
        file.write_all_at(&page, u64::from(writes % 256) * 4_096)?;
        file.sync_data()?;
        writes += 1;
    }
    Ok(f64::from(writes) / begun.elapsed().as_secs_f64())
}

async fn handled(
    folder: &std::path::Path,
    clients: u32,
) -> Result<(f64, Vec<Duration>), Box<dyn std::error::Error>> {
    let folder = folder.join(clients.to_string());
    let url = std::env::var("ANTEROOM_BENCH_POSTGRES")
        .unwrap_or_else(|_| format!("sqlite://{}", folder.join("a.db").display()));
    let master = MasterKey::load_or_create(&folder.with_extension("key"), true)?;
    let store = Store::open(&url, master, &TaskTracker::new(), &folder).await?;
    let begun = Instant::now();
    let work = (0..clients).map(|client| {
        let store = store.clone();
        async move {
            let mut waits = Vec::new();
            while begun.elapsed() < PHASE {
                let start = Instant::now();
                one(&store, clients, client, waits.len()).await?;
                waits.push(start.elapsed());
            }
            Ok::<_, StoreError>(waits)
        }
    });
    let mut waits = Vec::new();
    for client in join_all(work).await {
        waits.extend(client?);
    }
    let count = u32::try_from(waits.len())?;
    Ok((f64::from(count) / begun.elapsed().as_secs_f64(), waits))
}

async fn one(store: &Store, run: u32, client: u32, number: usize) -> Result<(), StoreError> {
    let now = Timestamp::UNIX_EPOCH;
    let from: Result<E164, _> = format!("+1415555{:04}", client % 200).parse();
    let to: Result<E164, _> = "+14155550100".parse();
    let (Ok(from), Ok(to)) = (from, to) else {
        return Err(StoreError::Address);
    };
    let practice = PracticeId::new("lakeside");
    let wanted = NewConversation {
        practice: practice.clone(),
        carrier: CarrierKind::Twilio,
        channel: Channel::Sms,
        sender: to.clone(),
        number: from.clone(),
        language: Language::En,
    };
    let text = Inbound {
        carrier: CarrierKind::Twilio,
        carrier_id: format!("SM{run}-{client}-{number}"),
        channel: Channel::Sms,
        from,
        to,
        body: Phi::new("x".repeat(160)),
        media: Vec::new(),
        button: None,
        at: now,
    };
    let detail = serde_json::json!({});
    let entry = Entry::new(
        &practice,
        now,
        "patient",
        "inbound",
        "conversation/1",
        &detail,
    );
    store
        .write(move |tx| {
            let (wanted, text, entry) = (wanted.clone(), text.clone(), entry.clone());
            Box::pin(async move {
                tx.admit(&wanted.practice, text.carrier, &text.carrier_id)
                    .await?;
                let mut it = tx.conversation_for(&wanted, now).await?;
                tx.append_inbound(&it, &text, "question", now).await?;
                tx.want_reply(it.id, now).await?;
                tx.append_audit(&entry).await?;
                it.last_inbound = Some(now);
                tx.save_conversation(&it).await
            })
        })
        .await
}
