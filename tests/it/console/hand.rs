//! A browser's part, in process: a jar with one cookie, forms with their secret, a clock to turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anteroom::agent::ports::BoxFuture;
use anteroom::domain::ids::PracticeId;
use anteroom::domain::practice::Practice;
use anteroom::domain::staff::Role;
use anteroom::eval::load::Files;
use anteroom::seal::second;
use anteroom::web::router::{ConsoleParts, WebSettings, router};
use anteroom::web::set_up::{Examined, Mark, SetUp};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::simulator::fake::{Fake, Told, ask};
use crate::support::app::App;
use crate::support::stores;

pub(crate) const PASSWORD: &str = "three herons by the lake";

/// A configuration file in memory, with a finding that must be mended.
#[derive(Debug, Default)]
pub(crate) struct OneFile(pub(crate) Mutex<Option<String>>);

impl SetUp for OneFile {
    fn examine(&self) -> BoxFuture<'_, Vec<Examined>> {
        let found = [
            ("clock", Mark::Good, "2026-12-01"),
            ("public address", Mark::Bad, "set <public_url>"),
        ];
        let found = found.map(|(what, mark, text)| Examined {
            what,
            mark,
            text: text.to_owned(),
        });
        Box::pin(async move { found.to_vec() })
    }

    fn check(&self, file: &str) -> Result<(), String> {
        anteroom::config::check_text(file).map_err(|error| error.to_string())
    }

    fn place(&self) -> (String, bool) {
        let written = self.0.lock().unwrap().is_some();
        ("/etc/anteroom.toml".to_owned(), written)
    }

    fn write(&self, file: &str) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(file.to_owned());
        Ok(())
    }
}

/// A house with its console.
pub(crate) struct Lab {
    pub(crate) app: App,
    pub(crate) router: Router,
    /// The configuration file that the set-up writes.
    pub(crate) file: Arc<OneFile>,
    known: tokio::sync::Mutex<BTreeMap<Role, String>>,
    _store: stores::Kept,
}

impl Lab {
    pub(crate) async fn new() -> Self {
        Self::with_suites(None).await
    }

    /// A house of the sample practice, changed.
    pub(crate) async fn changed(change: impl FnOnce(&mut Practice)) -> Self {
        let kept = stores::sqlite().await;
        let app = App::with_practice(kept.store.clone(), change).await;
        Self::around(kept, app, None)
    }

    /// The house of a test, as it is, on its store.
    pub(crate) fn of(kept: stores::Kept, app: App) -> Self {
        Self::around(kept, app, None)
    }

    /// A house whose wordings must hold these suites.
    pub(crate) async fn with_suites(suites: Option<Files>) -> Self {
        let kept = stores::sqlite().await;
        let app = App::new(kept.store.clone()).await;
        Self::around(kept, app, suites)
    }

    fn around(kept: stores::Kept, app: App, suites: Option<Files>) -> Self {
        let fake = Fake::new();
        let file = Arc::new(OneFile::default());
        let settings = WebSettings {
            desk: Some(Arc::clone(&app.house)),
            suites: suites.map(Arc::new),
            console: ConsoleParts {
                set_up: Some(Arc::clone(&file) as _),
                ..ConsoleParts::default()
            },
            ..fake.settings()
        };
        Self {
            router: router(fake as _, settings),
            file,
            app,
            known: tokio::sync::Mutex::default(),
            _store: kept,
        }
    }

    pub(crate) fn practice(&self) -> &PracticeId {
        self.app.practice()
    }

    /// A browser that nobody has signed in with.
    pub(crate) fn browser(&self) -> Hand<'_> {
        Hand {
            lab: self,
            cookie: String::new(),
            secret: Vec::new(),
            codes: Vec::new(),
        }
    }

    /// A link for somebody new.
    pub(crate) async fn invited(&self, role: Role) -> String {
        let email = format!("{role}@example.com");
        let invited = self
            .app
            .house
            .invite(self.practice(), ("Dana Whitfield", &email), role, "test")
            .await
            .unwrap();
        format!("/console/join/{}", invited.token.secret)
    }

    /// Another browser of whoever has this role, invited on first use.
    pub(crate) async fn signed_in(&self, role: Role) -> Hand<'_> {
        let mut known = self.known.lock().await;
        if let Some(cookie) = known.get(&role) {
            return Hand {
                cookie: cookie.clone(),
                ..self.browser()
            };
        }
        let hand = self.staff(role).await;
        known.insert(role, hand.cookie.clone());
        hand
    }

    /// A browser that somebody with this role has signed in with.
    pub(crate) async fn staff(&self, role: Role) -> Hand<'_> {
        let link = self.invited(role).await;
        let mut hand = self.browser();
        hand.join(&link).await;
        if role.needs_second_factor() {
            hand.enrol().await;
        }
        hand
    }
}

/// One browser.
pub(crate) struct Hand<'l> {
    lab: &'l Lab,
    pub(crate) cookie: String,
    /// What its owner's app holds.
    pub(crate) secret: Vec<u8>,
    /// The recovery codes as they were shown.
    pub(crate) codes: Vec<String>,
}

impl Hand<'_> {
    /// Another browser at the same house, that nobody has signed in with.
    pub(crate) fn stranger(&self) -> Self {
        self.lab.browser()
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Told {
        let mut request = Request::builder().method(method).uri(path);
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let told = ask(&self.lab.router, request.body(Body::from(body)).unwrap()).await;
        let set = told.header("set-cookie");
        if !set.is_empty() {
            set.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        told
    }

    pub(crate) async fn get(&mut self, path: &str) -> Told {
        self.send("GET", path, &[], String::new()).await
    }

    /// A form without the session's secret.
    pub(crate) async fn bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Told {
        self.send("POST", path, &[], form(fields)).await
    }

    /// A form as the page has it.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Told {
        let csrf = self.csrf().await;
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        let script = [("x-script", "1")];
        self.send("POST", path, &script, form(&all)).await
    }

    /// The secret of this session's forms, from a page that has one.
    async fn csrf(&mut self) -> String {
        for path in [
            "/console/second",
            "/console/inbox/all",
            "/console/prompts",
            "/console/audit",
        ] {
            let page = self.get(path).await;
            let found = between(page.text(), "name=\"csrf\" value=\"", "\"");
            if let Some(found) = found {
                return found.to_owned();
            }
        }
        String::new()
    }

    pub(crate) async fn join(&mut self, link: &str) {
        let told = self
            .bare(link, &[("password", PASSWORD), ("again", PASSWORD)])
            .await;
        assert_eq!(told.status, 303, "{}", told.text());
        assert_eq!(told.header("location"), "/console/second");
    }

    /// Sets the app up from the key on the page, and confirms it.
    pub(crate) async fn enrol(&mut self) {
        let page = self.get("/console/second").await;
        let key = between(page.text(), "class=\"key\">", "<").expect("a key to type");
        self.secret = base32(key);
        let code = self.code();
        let told = self.post("/console/second", &[("code", &code)]).await;
        assert_eq!(told.status, 200, "{}", told.text());
        self.codes = told
            .text()
            .split("<li>")
            .skip(1)
            .filter_map(|it| Some(it.split_once('<')?.0.to_owned()))
            .collect();
        assert_eq!(self.codes.len(), second::RECOVERY_CODES);
    }

    /// What the app shows now.
    pub(crate) fn code(&self) -> String {
        let now = anteroom::domain::clock::Clock::now(&*self.lab.app.clock).as_second();
        let step = u64::try_from(now / 30).unwrap();
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.secret).unwrap();
        mac.update(&step.to_be_bytes());
        let mac = mac.finalize().into_bytes();
        let at = usize::from(mac[19] & 15);
        let word = u32::from_be_bytes(mac[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Told {
        let practice = self.lab.practice().as_str().to_owned();
        let fields = [
            ("practice", practice.as_str()),
            ("email", email),
            ("password", password),
        ];
        self.bare("/console/sign-in", &fields).await
    }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// RFC 4648, section 6.
fn base32(key: &str) -> Vec<u8> {
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for sign in key.bytes().filter(|it| *it != b' ') {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'2'..=b'7' => sign - b'2' + 26,
            other => panic!("{other} in a key"),
        };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).unwrap());
        }
    }
    bytes
}
