//! A whole house whose carriers are the real adapters, on the other side of which the fake carrier
//! speaks: REST over HTTP, signed webhooks through the real router. The clock stands still.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;

use anteroom::carrier::Carrier;
use anteroom::carrier::account::{Accounts, Site};
use anteroom::carrier::exchange::Poster;
use anteroom::carrier::fake::{Fake, Faults, Post, Sending, Text};
use anteroom::cli::served::Served;
use anteroom::domain::clock::{Clock as _, ManualClock};
use anteroom::domain::message::Delivery;
use anteroom::domain::practice::{CarrierKind, Practice};
use anteroom::pipeline::work::Step;
use anteroom::store::Store;
use anteroom::web::fake::{FakeSite, Hooks, Way, fake_router};
use anteroom::web::gate::GuardSettings;
use anteroom::web::router::{ConsoleParts, WebSettings, router};
use anteroom::web::serve::serve;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::app::{App, SUNDAY, sample_practice};
use crate::simulator::fake::{Told, ask};

pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const TOKEN: &str = "FAKE";

/// The practice's numbers: SMS by each carrier, and WhatsApp.
pub(crate) const SMS: &str = "+14155550101";
pub(crate) const WHATSAPP: &str = "+14155550103";
/// WhatsApp by Bird; all else that has no carrier in its name is Twilio's.
pub(crate) const BIRD_WHATSAPP: &str = "+14155550107";

const SENDERS: &str = r#"
[[sender]]
carrier = "twilio"
number = "+14155550101"
per_second = 1000.0
[[sender]]
carrier = "twilio"
channel = "whatsapp"
number = "+14155550103"
[[sender]]
carrier = "bandwidth"
number = "+14155550104"
per_second = 1000.0
[[sender]]
carrier = "messagebird"
number = "+14155550105"
per_second = 1000.0
[[sender]]
carrier = "bird"
number = "+14155550106"
per_second = 1000.0
[[sender]]
carrier = "bird"
channel = "whatsapp"
number = "+14155550107"
"#;

#[derive(serde::Deserialize)]
struct Senders {
    sender: Vec<anteroom::domain::practice::Sender>,
}

/// The house, its carriers and its front door.
pub(crate) struct Town {
    pub(crate) app: App,
    pub(crate) fake: Arc<Fake>,
    pub(crate) web: Router,
    /// Its public address.
    pub(crate) public: String,
    hooks: TaskTracker,
    /// Ends the fake carrier's webhooks: what happens from then on is never told.
    pub(crate) mute: CancellationToken,
    stop: CancellationToken,
}

impl Town {
    pub(crate) async fn new(store: Store) -> Self {
        Self::with(store, |_| {}).await
    }

    /// The sample practice with real carriers, changed.
    pub(crate) async fn with(store: Store, change: impl FnOnce(&mut Practice)) -> Self {
        let mut practice = sample_practice();
        let senders: Senders = toml::from_str(SENDERS).unwrap();
        practice.senders = senders.sender;
        change(&mut practice);
        let listen = || TcpListener::bind("127.0.0.1:0");
        let (web, rest) = (listen().await.unwrap(), listen().await.unwrap());
        let at = |it: &TcpListener| format!("http://{}", it.local_addr().unwrap());
        let (public, base) = (at(&web), at(&rest));
        let public_url: url::Url = public.parse().unwrap();
        let accounts = accounts(&base);
        let practices = [practice, neighbour()];
        let lines = accounts.fakes(&practices, &public_url, &base);
        let fake = Arc::new(Fake::new(lines, Faults::none()));
        let clock = Arc::new(ManualClock::new(SUNDAY.parse().unwrap()));
        let mut carriers: BTreeMap<_, Arc<dyn Carrier>> = BTreeMap::new();
        for (kind, id) in accounts.names() {
            let practice = practices.iter().find(|it| it.id.as_str() == id).unwrap();
            let site = Site {
                kind: *kind,
                practice,
                public_url: &public_url,
            };
            let account = accounts.get(*kind, &practice.id).unwrap();
            carriers.insert((practice.id.clone(), *kind), account.open(&site).unwrap());
        }
        let [practice, neighbour] = practices;
        let parties = (practice, vec![neighbour]);
        let app = App::with_carriers(store, parties, carriers.clone(), Arc::clone(&clock)).await;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let served = Arc::new(Served {
            house: Arc::clone(&app.house),
            people: Vec::new(),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
        });
        let settings = WebSettings {
            desk: None,
            public_url,
            phone: None,
            carriers,
            guard: GuardSettings::default(),
            clock: Arc::clone(&clock) as _,
            shutdown: stop.clone(),
            suites: None,
            console: ConsoleParts::default(),
        };
        let router = router(served, settings);
        tracker.spawn(serve(web, router.clone(), stop.clone()));
        let (hooks, mute) = (TaskTracker::new(), CancellationToken::new());
        let site = FakeSite {
            fake: Arc::clone(&fake),
            clock: clock as _,
            way: Way::Http(Poster::new().unwrap()),
            hooks: Hooks::default(),
            tracker: hooks.clone(),
            stop: mute.clone(),
        };
        tracker.spawn(serve(rest, fake_router(site), stop.clone()));
        Self {
            app,
            fake,
            web: router,
            public,
            hooks,
            mute,
            stop,
        }
    }

    /// A webhook through the front door; what it is told.
    pub(crate) async fn post(&self, post: &Post) -> Told {
        let url: url::Url = post.url.parse().unwrap();
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let mut request = Request::builder().method(&post.method).uri(path);
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(post.body.clone())).unwrap();
        ask(&self.web, request).await
    }

    /// A patient writes to this line; the webhook that brings it, not yet posted.
    pub(crate) fn written(
        &self,
        kind: CarrierKind,
        sending: Sending,
        files: Vec<Vec<u8>>,
    ) -> (String, Post) {
        let line = format!("{kind}.lakeside");
        let now = self.app.clock.now();
        let (id, mut posts) = self.fake.write(&line, sending, files, now).unwrap();
        (id, posts.remove(0).1)
    }

    /// A patient writes, and all that follows from it is done; what the phone gets.
    pub(crate) async fn text(&self, from: &str, to: &str, body: &str) -> Vec<String> {
        self.sent(from, to, body, None).await
    }

    /// As [`Town::text`], with a button pressed.
    pub(crate) async fn press(
        &self,
        from: &str,
        to: &str,
        (payload, words): (&str, &str),
    ) -> Vec<String> {
        self.sent(from, to, words, Some(payload.to_owned())).await
    }

    async fn sent(&self, from: &str, to: &str, body: &str, button: Option<String>) -> Vec<String> {
        let before = self.phone(from).len();
        let sending = sending(from, to, body, button);
        let line = if to == BIRD_WHATSAPP {
            CarrierKind::Bird
        } else {
            CarrierKind::Twilio
        };
        let (_, post) = self.written(line, sending, Vec::new());
        assert!(self.post(&post).await.status.is_success());
        self.settle().await;
        self.phone(from).split_off(before)
    }

    /// Works until nothing is due and no webhook is on its way.
    pub(crate) async fn settle(&self) {
        for _ in 0..50 {
            self.app.drain().await;
            let media = self.app.house.media_once().await.unwrap();
            let quiet = self.hooks.is_empty() && media == Step::Idle;
            self.hooks.close();
            self.hooks.wait().await;
            self.hooks.reopen();
            if quiet {
                return;
            }
        }
        panic!("the town never came to rest");
    }

    /// What a phone got, oldest first.
    pub(crate) fn phone(&self, number: &str) -> Vec<String> {
        let texts = self.fake.texts().into_iter();
        texts
            .filter(|it| !it.inbound && it.sent.to == number)
            .map(|it| it.sent.body)
            .collect()
    }

    /// The newest text that the carrier took for a phone.
    pub(crate) fn last(&self, number: &str) -> Text {
        let mut texts = self.fake.texts().into_iter();
        texts
            .rfind(|it| !it.inbound && it.sent.to == number)
            .unwrap()
    }

    /// The carrier reports on the newest text to a phone; where it stands then.
    pub(crate) async fn report(&self, number: &str, state: Delivery) -> Option<Delivery> {
        let text = self.last(number);
        let now = self.app.clock.now();
        let post = self.fake.report_on(&text.id, state, now).unwrap();
        assert_eq!(self.post(&post).await.status, 204);
        self.delivery(number).await
    }

    /// Where the newest text to a phone stands.
    pub(crate) async fn delivery(&self, number: &str) -> Option<Delivery> {
        let to = number.parse().unwrap();
        let store = self.app.house.store();
        let with = store
            .conversations_with(self.app.practice(), &to)
            .await
            .unwrap();
        let mut newest = None;
        for conversation in with {
            let turns = store.turns(conversation.id, 50).await.unwrap();
            newest = newest.max(
                turns
                    .iter()
                    .filter_map(|it| Some((it.id, it.delivery?)))
                    .next_back(),
            );
        }
        newest.map(|(_, delivery)| delivery)
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        self.mute.cancel();
        self.stop.cancel();
    }
}

/// Another practice on the same server.
fn neighbour() -> Practice {
    toml::from_str(
        r#"
        id = "hillside"
        name = "Hillside Pediatrics"
        phone = "+14155550120"
        state = "CA"
        timezone = "America/Los_Angeles"
        [[sender]]
        carrier = "twilio"
        number = "+14155550121"
        "#,
    )
    .unwrap()
}

pub(crate) fn sending(from: &str, to: &str, body: &str, button: Option<String>) -> Sending {
    Sending {
        from: from.to_owned(),
        to: to.to_owned(),
        body: body.to_owned(),
        whatsapp: to == WHATSAPP || to == BIRD_WHATSAPP,
        button,
        ..Sending::default()
    }
}

fn accounts(base: &str) -> Accounts {
    let text = format!(
        r#"
        [twilio.lakeside]
        account_sid = "{ACCOUNT}"
        auth_tokens = ["{TOKEN}"]
        redact = true
        base_url = "{base}"
        [twilio.hillside]
        account_sid = "AC00000000000000000000000000000002"
        auth_tokens = ["{TOKEN}"]
        base_url = "{base}"
        [bandwidth.lakeside]
        account_id = "9900000"
        application_id = "fake"
        user = "api"
        password = "FAKE"
        webhook_user = "hook"
        webhook_passwords = ["FAKE"]
        base_url = "{base}/api/v2"
        [messagebird.lakeside]
        access_key = "FAKE"
        signing_keys = ["FAKE"]
        base_url = "{base}"
        [bird.lakeside]
        product = "platform"
        access_key = "bk_us_FAKE"
        signing_keys = ["whsec_RkFLRQ=="]
        base_url = "{base}"
        "#
    );
    Accounts::take(&mut toml::from_str(&text).unwrap()).unwrap()
}
