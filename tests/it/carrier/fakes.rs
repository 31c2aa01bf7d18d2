//! Every adapter against the fake carrier that speaks its carrier's language, over HTTP; and every
//! webhook that the fake carrier signs against the adapter that must believe it.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use anteroom::carrier::Carrier;
use anteroom::carrier::account::{Accounts, Advice, Site};
use anteroom::carrier::exchange::{FetchFault, Poster};
use anteroom::carrier::fake::{Fake, Faults, Post, Sending};
use anteroom::carrier::hear::{Call, Door, Event, Refusal};
use anteroom::domain::clock::{Clock as _, ManualClock};
use anteroom::domain::message::{Delivery, Outbound, SendOutcome};
use anteroom::domain::practice::{CarrierKind, Practice};
use anteroom::policy::words::Channel;
use anteroom::web::fake::{FakeSite, Hooks, Way, fake_router};
use anteroom::web::serve::serve;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::outbound;

const PUBLIC: &str = "http://127.0.0.1:9/";

pub(super) fn practice() -> Practice {
    toml::from_str(
        r#"
        id = "lakeside"
        name = "Lakeside Family Medicine"
        phone = "+14155550100"
        timezone = "America/Los_Angeles"
        [[sender]]
        carrier = "twilio"
        number = "+14155550101"
        [[sender]]
        carrier = "twilio"
        channel = "whatsapp"
        number = "+14155550101"
        [[sender]]
        carrier = "bandwidth"
        number = "+14155550101"
        [[sender]]
        carrier = "messagebird"
        number = "+14155550101"
        contact_card = "https://example.com/card.vcf"
        [[sender]]
        carrier = "bird"
        number = "+14155550101"
        [[sender]]
        carrier = "bird"
        channel = "whatsapp"
        number = "+14155550101"
        "#,
    )
    .unwrap()
}

/// The accounts at this address; `product` is Bird's.
pub(super) fn accounts(base: &str, product: &str) -> Accounts {
    let text = format!(
        r#"
        [twilio.lakeside]
        account_sid = "AC00000000000000000000000000000001"
        auth_tokens = ["FAKE"]
        redact = true
        base_url = "{base}"
        [bandwidth.lakeside]
        account_id = "9900000"
        application_id = "fake"
        user = "api"
        password = "FAKE"
        webhook_user = "hook"
        webhook_passwords = ["new:er", "FAKE"]
        base_url = "{base}/api/v2"
        [messagebird.lakeside]
        access_key = "FAKE"
        signing_keys = ["FAKE"]
        base_url = "{base}"
        [bird.lakeside]
        product = "{product}"
        access_key = "bk_us_FAKE"
        signing_keys = ["whsec_RkFLRQ=="]
        workspace = "w"
        channel = "c"
        whatsapp_channel = "w"
        base_url = "{base}"
        "#
    );
    Accounts::take(&mut toml::from_str(&text).unwrap()).unwrap()
}

/// A fake carrier that listens, and the lines to it.
pub(super) struct World {
    pub(super) fake: Arc<Fake>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) base: String,
    accounts: Accounts,
    stop: CancellationToken,
}

impl World {
    pub(super) async fn new(product: &str, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let accounts = accounts(&base, product);
        let public = PUBLIC.parse().unwrap();
        let lines = accounts.fakes(&[practice()], &public, &base);
        assert_eq!(lines.len(), 4);
        let fake = Arc::new(Fake::new(lines, faults));
        let clock = Arc::new(ManualClock::new("2026-12-01T18:00:00Z".parse().unwrap()));
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let site = FakeSite {
            fake: Arc::clone(&fake),
            clock: Arc::clone(&clock) as _,
            way: Way::Http(Poster::new().unwrap()),
            hooks: Hooks::default(),
            tracker: tracker.clone(),
            stop: stop.clone(),
        };
        tracker.spawn(serve(listener, fake_router(site), stop.clone()));
        Self {
            fake,
            clock,
            base,
            accounts,
            stop,
        }
    }

    pub(super) fn line(&self, kind: CarrierKind) -> Arc<dyn Carrier> {
        Self::line_of(&self.accounts, kind)
    }

    /// A line by other accounts, such as those with a listener between.
    pub(super) fn line_of(accounts: &Accounts, kind: CarrierKind) -> Arc<dyn Carrier> {
        let practice = practice();
        let account = accounts.get(kind, &practice.id).unwrap();
        let site = Site {
            kind,
            practice: &practice,
            public_url: &PUBLIC.parse().unwrap(),
        };
        account.open(&site).unwrap()
    }

    /// What the adapter makes of a webhook.
    pub(super) fn hear(
        &self,
        carrier: &dyn Carrier,
        door: Door,
        post: &Post,
    ) -> Result<Vec<Event>, Refusal> {
        let mut headers = http::HeaderMap::new();
        for (name, value) in &post.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        carrier.hear(&Call {
            door,
            method: &post.method,
            url: &post.url,
            headers: &headers,
            body: &post.body,
            now: self.clock.now(),
        })
    }

    fn written(&self, kind: CarrierKind, body: &str) -> (String, Post) {
        let sending = Sending {
            from: "+14155550142".to_owned(),
            to: "+14155550101".to_owned(),
            body: body.to_owned(),
            ..Sending::default()
        };
        let line = format!("{kind}.lakeside");
        let now = self.clock.now();
        let (id, mut posts) = self.fake.write(&line, sending, Vec::new(), now).unwrap();
        (id, posts.remove(0).1)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) const KINDS: [(CarrierKind, &str); 5] = [
    (CarrierKind::Twilio, "platform"),
    (CarrierKind::Bandwidth, "platform"),
    (CarrierKind::Messagebird, "platform"),
    (CarrierKind::Bird, "platform"),
    (CarrierKind::Bird, "channels"),
];

pub(super) fn accepted(outcome: SendOutcome) -> String {
    let SendOutcome::Accepted { carrier_id, .. } = outcome else {
        panic!("{outcome:?}");
    };
    carrier_id
}

#[tokio::test]
async fn every_adapter_hands_over_asks_and_is_told() {
    for (kind, product) in KINDS {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let text = outbound(Channel::Sms, "Señora, tome 1½ pastillas & descanse 😀");
        let id = accepted(line.send(&text).await);
        let seen = world.fake.texts();
        assert_eq!(seen.len(), 1, "{kind} {product}");
        assert_eq!(seen[0].sent.body, text.body.as_str(), "{kind} {product}");
        assert_eq!(seen[0].sent.to, "+14155550142", "{kind} {product}");
        assert_eq!(
            seen[0].sent.reference.as_deref(),
            Some("lakeside-7"),
            "{kind} {product}: our reference travels along"
        );
        let looked = line.look(&id).await;
        let Some(Event::Report(report)) = looked else {
            panic!("{kind} {product}: {looked:?}");
        };
        assert_eq!(report.delivery, Delivery::Delivered, "{kind} {product}");
        let advice = line.examine().await;
        assert!(
            advice.iter().all(|it| !matches!(it, Advice::Bad(_))),
            "{kind} {product}: {advice:?}"
        );
    }
}

#[tokio::test]
async fn a_doubtful_text_is_found_or_proven_absent() {
    for (kind, product) in KINDS {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let since = world.clock.now();
        let never = Outbound {
            reference: "lakeside-8".to_owned(),
            ..outbound(Channel::Sms, "Never sent")
        };
        assert_eq!(
            line.find(&never, since).await,
            Some(None),
            "{kind} {product}"
        );
        let text = outbound(Channel::Sms, "Hello");
        let id = accepted(line.send(&text).await);
        let found = line.find(&text, since).await;
        match (kind, product) {
            // Its list has no words: that something went tells nothing.
            (CarrierKind::Bandwidth, _) => assert_eq!(found, None),
            // The same key sends one text, however often it is handed over.
            (CarrierKind::Bird, "platform") => {
                assert_eq!(accepted(line.send(&text).await), id);
                assert_eq!(world.fake.sight().taken, 1);
            }
            _ => assert_eq!(accepted(found.flatten().unwrap()), id, "{kind} {product}"),
        }
    }
}

#[tokio::test]
async fn a_card_goes_along_where_files_go_out_and_is_found_again() {
    for (kind, product) in KINDS {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let since = world.clock.now();
        let text = Outbound {
            files: vec!["https://example.com/card.vcf".to_owned()],
            ..outbound(Channel::Mms, "Hello")
        };
        let ended = line.send(&text).await;
        if !line.capabilities().media_out {
            assert!(
                matches!(ended, SendOutcome::Fail { .. }),
                "{kind} {ended:?}"
            );
            assert!(world.fake.texts().is_empty(), "{kind} {product}");
            continue;
        }
        let id = accepted(ended);
        let seen = world.fake.texts();
        assert_eq!(seen[0].sent.files, text.files, "{kind}");
        let Some(Event::Report(report)) = line.look(&id).await else {
            panic!("{kind}: it is asked for");
        };
        assert_eq!(report.delivery, Delivery::Delivered, "{kind}");
        // Whoever looks for it knows no more of the card.
        let bare = outbound(Channel::Sms, "Hello");
        match line.find(&bare, since).await {
            None => assert_eq!(kind, CarrierKind::Bandwidth),
            found => assert_eq!(accepted(found.flatten().unwrap()), id, "{kind}"),
        }
    }
}

#[tokio::test]
async fn texts_from_patients_are_believed_as_the_carrier_signs_them_and_not_otherwise() {
    for (kind, product) in KINDS {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let (id, post) = world.written(kind, "¿Cuándo es mi cita? 😀 + 100 %");
        let heard = world.hear(&*line, Door::Texts, &post).unwrap();
        let [Event::Text(inbound)] = heard.as_slice() else {
            panic!("{kind} {product}: {heard:?}");
        };
        assert_eq!(inbound.body.as_str(), "¿Cuándo es mi cita? 😀 + 100 %");
        assert_eq!((inbound.carrier_id.as_str(), inbound.carrier), (&*id, kind));
        assert_eq!(inbound.from.as_str(), "+14155550142");
        assert_eq!(inbound.to.as_str(), "+14155550101");
        let mut changed = post.clone();
        changed.body = String::from_utf8(changed.body)
            .unwrap()
            .replace("100", "200")
            .into_bytes();
        if kind == CarrierKind::Bandwidth {
            // Nothing signs its body; whoever knows the credentials is believed.
            changed.headers.retain(|(name, _)| *name != "authorization");
        }
        let refusal = world.hear(&*line, Door::Texts, &changed).unwrap_err();
        assert!(
            matches!(refusal.status.as_u16(), 401 | 403),
            "{kind} {product}: {refusal:?}"
        );
        // Another carrier's scheme, whichever.
        for (other, _) in KINDS.into_iter().filter(|(other, _)| *other != kind) {
            let (_, theirs) = world.written(other, "hi");
            let refusal = world.hear(&*line, Door::Texts, &theirs).unwrap_err();
            assert!(
                matches!(refusal.status.as_u16(), 401 | 403 | 415),
                "{kind} {product} believes {other}: {refusal:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_clock_five_minutes_off_is_refused_where_time_is_signed() {
    for (kind, product, off, status) in [
        (CarrierKind::Messagebird, "platform", 301, 403),
        (CarrierKind::Bird, "platform", 301, 403),
        (CarrierKind::Bird, "platform", 299, 200),
        // Bird repeats with the first time on it, for a day.
        (CarrierKind::Bird, "channels", 3_600, 200),
        (CarrierKind::Bird, "channels", 25 * 3_600, 403),
        (CarrierKind::Twilio, "platform", 3_600, 200),
    ] {
        let world = World::new(product, Faults::none()).await;
        let line = world.line(kind);
        let (_, post) = world.written(kind, "hi");
        world.clock.advance(jiff::SignedDuration::from_secs(off));
        let told = world.hear(&*line, Door::Texts, &post);
        let got = told.map_or_else(|refusal| refusal.status.as_u16(), |_| 200);
        assert_eq!(got, status, "{kind} {product} {off} s late");
    }
}

#[tokio::test]
async fn an_opted_out_number_is_suppressed_or_told_in_the_report() {
    for (kind, product) in KINDS {
        let world = World::new(product, Faults::new(1, 1.0)).await;
        // With every fault certain the first answer is 429.
        let line = world.line(kind);
        let text = outbound(Channel::Sms, "Hello");
        let outcome = line.send(&text).await;
        assert!(
            matches!(
                outcome,
                SendOutcome::Retry {
                    after_ms: Some(1_000),
                    ..
                }
            ),
            "{kind} {product}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn lost_texts_are_listed_with_their_pictures_which_are_fetched_once_and_deleted() {
    let world = World::new("platform", Faults::none()).await;
    let line = world.line(CarrierKind::Twilio);
    let since = world.clock.now();
    let sending = Sending {
        from: "+14155550142".to_owned(),
        to: "+14155550101".to_owned(),
        body: "my rash".to_owned(),
        ..Sending::default()
    };
    let picture = b"\xff\xd8\xffpicture".to_vec();
    let now = world.clock.now();
    world
        .fake
        .write("twilio.lakeside", sending, vec![picture.clone()], now)
        .unwrap();
    let later = now + jiff::SignedDuration::from_mins(20);
    let listed = line.list(since, later).await.unwrap();
    let [Event::Text(inbound)] = listed.as_slice() else {
        panic!("{listed:?}");
    };
    assert_eq!(inbound.at, now, "the carrier's instant, not ours");
    assert_eq!(
        (inbound.body.as_str(), inbound.channel),
        ("my rash", Channel::Mms)
    );
    let [file] = inbound.media.as_slice() else {
        panic!("{inbound:?}");
    };
    assert_eq!(line.fetch(file).await, Ok(picture));
    assert!(line.discard(file).await);
    assert_eq!(line.fetch(file).await, Err(FetchFault::Gone));
    assert_eq!(world.fake.files(), 0);
    // Wherever else a webhook points, nothing is fetched.
    for address in [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:1/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages/x/Media/y",
        "https://api.twilio.com.evil.example/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages/x",
        "https://user:pw@api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages/x",
        "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000009/Messages/x",
        "file:///etc/passwd",
        "not an address",
    ] {
        let mut elsewhere = file.clone();
        elsewhere.address = address.to_owned();
        assert_eq!(
            line.fetch(&elsewhere).await,
            Err(FetchFault::Elsewhere),
            "{address}"
        );
        assert!(!line.discard(&elsewhere).await, "{address}");
    }
}

#[tokio::test]
async fn words_are_taken_off_the_books_once_a_text_is_finished() {
    let world = World::new("platform", Faults::none()).await;
    let line = world.line(CarrierKind::Twilio);
    let id = accepted(line.send(&outbound(Channel::Sms, "Hello")).await);
    assert!(line.capabilities().redacts);
    assert!(line.redact(&id).await);
    assert_eq!(world.fake.texts()[0].sent.body, "");
    // What is redacted proves nothing by its absence.
    let since = world.clock.now();
    assert_eq!(
        line.find(&outbound(Channel::Sms, "Hello"), since).await,
        None
    );
}

#[tokio::test]
async fn wrong_credentials_are_told_with_the_remedy() {
    let world = World::new("platform", Faults::none()).await;
    let practice = practice();
    let public = PUBLIC.parse().unwrap();
    for kind in [CarrierKind::Twilio, CarrierKind::Bandwidth] {
        let twilio = format!(
            "[twilio.lakeside]\naccount_sid = \"AC00000000000000000000000000000001\"\n\
             auth_tokens = [\"another\"]\nbase_url = \"{}\"",
            world.base
        );
        let bandwidth = format!(
            "[bandwidth.lakeside]\naccount_id = \"9900000\"\napplication_id = \"fake\"\n\
             user = \"api\"\npassword = \"another\"\nbase_url = \"{}/api/v2\"",
            world.base
        );
        let mut table: toml::Table = toml::from_str(if kind == CarrierKind::Twilio {
            &twilio
        } else {
            &bandwidth
        })
        .unwrap();
        let accounts = Accounts::take(&mut table).unwrap();
        let site = Site {
            kind,
            practice: &practice,
            public_url: &public,
        };
        let account = accounts.get(kind, &practice.id).unwrap();
        let advice = account.open(&site).unwrap().examine().await;
        assert!(
            matches!(advice.as_slice(), [Advice::Bad(text)] if text.contains("refuses the credentials")),
            "{kind}: {advice:?}"
        );
    }
}

#[test]
fn the_same_seed_goes_wrong_in_the_same_way_and_about_as_often_as_told() {
    use anteroom::carrier::fake::Fault;
    let faults = Faults::new(7, 0.05);
    for fault in Fault::ALL {
        let times = (0..20_000)
            .filter(|number| faults.happens(*fault, &format!("text {number}"), 1))
            .count();
        assert!((800..1_200).contains(&times), "{fault}: {times} of 20,000");
        for number in 0..50 {
            let what = format!("text {number}");
            let again = Faults::new(7, 0.05).happens(*fault, &what, 1);
            assert_eq!(faults.happens(*fault, &what, 1), again);
        }
    }
    assert!(!Faults::none().happens(Fault::Busy, "x", 1));
    assert!(Duration::ZERO < Duration::from_millis(1));
}
