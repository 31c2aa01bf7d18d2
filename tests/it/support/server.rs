//! The built binary as a server, on a free port, killed when dropped.

#![cfg(test)]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::Value;

/// The binary with nothing of the tester's environment that would configure it.
pub(crate) fn anteroom(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_anteroom"));
    command.current_dir(data_dir).env_remove("OPENAI_API_KEY");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ANTEROOM_")) {
        command.env_remove(name);
    }
    command.env("ANTEROOM_DATA_DIR", data_dir);
    command
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) base: String,
    log: Arc<(Mutex<String>, Condvar)>,
    http: reqwest::Client,
}

impl Server {
    /// Starts it and waits until it says where it is.
    pub(crate) fn start(data_dir: &Path, database: &str) -> Self {
        Self::start_with(data_dir, &[("ANTEROOM_DATABASE_URL", database)])
    }

    /// As [`Server::start`], with variables of one's own.
    pub(crate) fn start_with(data_dir: &Path, environment: &[(&str, &str)]) -> Self {
        let mut child = anteroom(data_dir)
            .env("ANTEROOM_LISTEN", "127.0.0.1:0")
            .env("ANTEROOM_LOG__LEVEL", "trace")
            .envs(environment.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let base = loop {
            let mut line = String::new();
            assert!(
                told.read_line(&mut line).unwrap() > 0,
                "the server ended: {said}"
            );
            said.push_str(&line);
            if let Some((_, url)) = line.split_once("health and metrics") {
                break url.trim().split("/readyz").next().unwrap().to_owned();
            }
        };
        let log = Arc::new((Mutex::new(said), Condvar::new()));
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = told.read(&mut buffer) {
                let (said, more) = &*kept;
                let read = String::from_utf8_lossy(&buffer[..read]);
                said.lock().unwrap().push_str(&read);
                more.notify_all();
            }
        });
        let http = reqwest::Client::builder().build().unwrap();
        Self {
            child,
            base,
            log,
            http,
        }
    }

    /// A client.
    pub(crate) const fn http(&self) -> &reqwest::Client {
        &self.http
    }

    async fn posted(&self, from: &str, body: &str) -> reqwest::Response {
        let text = serde_json::json!({ "from": from, "to": "+14155550101", "body": body });
        let url = format!("{}/simulator/messages", self.base);
        self.http.post(url).json(&text).send().await.unwrap()
    }

    /// Texts the practice through the simulator; what it is told.
    pub(crate) async fn post(&self, from: &str, body: &str) -> u16 {
        self.posted(from, body).await.status().as_u16()
    }

    /// Texts the practice through the simulator, successfully.
    pub(crate) async fn text(&self, from: &str, body: &str) -> String {
        let answer = self.posted(from, body).await;
        assert_eq!(answer.status(), 202);
        answer.json::<Value>().await.unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The thread with a number, oldest first.
    pub(crate) async fn thread(&self, with: &str) -> Vec<Value> {
        let url = format!("{}/simulator/messages", self.base);
        let answer = self
            .http
            .get(url)
            .query(&[("with", with)])
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    /// What the carrier took for a number, once it is `count` texts (or more).
    pub(crate) async fn answers(&self, with: &str, count: usize) -> Vec<String> {
        let mut events = self
            .http
            .get(format!("{}/simulator/events", self.base))
            .send()
            .await
            .unwrap();
        loop {
            let thread = self.thread(with).await;
            let bodies: Vec<String> = thread
                .iter()
                .filter(|turn| turn["direction"] == "outbound" && turn["status"] != "pending")
                .map(|turn| turn["body"].as_str().unwrap().to_owned())
                .collect();
            if bodies.len() >= count {
                return bodies;
            }
            assert!(events.chunk().await.unwrap().is_some(), "the server ended");
        }
    }

    /// GETs a path.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = self
            .http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The body of a path, once it is as awaited; looked at whenever something has changed.
    pub(crate) async fn until(&self, path: &str, awaited: impl Fn(&str) -> bool) -> String {
        let events = format!("{}/simulator/events", self.base);
        let mut events = self.http.get(events).send().await.unwrap();
        loop {
            let (_, body) = self.get(path).await;
            if awaited(&body) {
                return body;
            }
            assert!(events.chunk().await.unwrap().is_some(), "the server ended");
        }
    }

    /// POSTs JSON to a path; the answer's JSON.
    pub(crate) async fn ask(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.base);
        let answer = self.http.post(url).json(body).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Everything it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.0.lock().unwrap().clone()
    }

    /// The same, once each of these words stands in it: a line may come after what it tells of.
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        let (said, more) = &*self.log;
        let missing = |said: &mut String| !words.iter().all(|it| said.contains(it));
        let most = std::time::Duration::from_secs(10);
        let waited = more.wait_timeout_while(said.lock().unwrap(), most, missing);
        let (said, waited) = waited.unwrap();
        assert!(!waited.timed_out(), "{words:?} in {said}");
        said.clone()
    }

    /// Power off: no warning, no clean-up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}
