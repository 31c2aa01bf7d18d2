//! A carrier that is none: it answers as each real one does, remembers every text, reports on it by
//! signed webhooks, and goes wrong by a seed. Pure but for its memory; whoever serves it over HTTP
//! waits, posts and hangs up as it says.

pub mod faults;
mod memory;
mod phones;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;

use crate::domain::message::Delivery;
use crate::policy::words::Channel;

pub use faults::{Fault, Faults};
pub use memory::{Fake, Line, Sight};
pub use phones::Reach;

/// A request that reached the fake carrier.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// How.
    pub method: &'a Method,
    /// Where, without the host.
    pub path: &'a str,
    /// The query; empty where there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asked")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Asked<'_> {
    /// A header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A value of the query.
    pub fn param(&self, name: &str) -> Option<String> {
        value_of(self.query.as_bytes(), name)
    }

    /// A value of a form body.
    pub fn field(&self, name: &str) -> Option<String> {
        value_of(self.body, name)
    }

    /// All values of a form body with this name.
    pub fn fields(&self, name: &str) -> Vec<String> {
        form_urlencoded::parse(self.body)
            .filter(|(it, _)| it == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }
}

fn value_of(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .find(|(it, _)| it == name)
        .map(|(_, value)| value.into_owned())
}

/// What a request wants, in every carrier's words the same.
#[derive(Clone, PartialEq, Eq)]
pub enum Wish {
    /// Credentials are missing or wrong.
    Unauthorized,
    /// Not a request of this carrier's, or not one that it would take; with its error code.
    Refuse(&'static str),
    /// A text to a phone.
    Send(Sending),
    /// The list of texts.
    List(Filter),
    /// One text.
    Look(String),
    /// One text, whose words shall go.
    Redact(String),
    /// The files of a text.
    Files(String),
    /// A file, to be read or deleted.
    File {
        /// Its id.
        id: String,
        /// Whether it shall go.
        delete: bool,
    },
    /// Something about the account, answered as it stands.
    Say(Reply),
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wish")
    }
}

/// A text that is handed to the fake carrier.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sending {
    /// The practice's number.
    pub from: String,
    /// The patient's.
    pub to: String,
    /// The words, or those of the template.
    pub body: String,
    /// Whether it goes by WhatsApp.
    pub whatsapp: bool,
    /// The template, if it is one.
    pub template: Option<String>,
    /// Addresses of the files that go along.
    pub files: Vec<String>,
    /// The payload of the button that a patient presses, on WhatsApp.
    pub button: Option<String>,
    /// Where reports go, if the request says so.
    pub callback: Option<String>,
    /// The sender's own reference, in whatever place this carrier has for it.
    pub reference: Option<String>,
    /// The key under which it is taken once only, if this carrier has such.
    pub once: Option<String>,
}

impl std::fmt::Debug for Sending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sending").finish_non_exhaustive()
    }
}

/// Which texts are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// To this number only.
    pub to: Option<String>,
    /// From this number only.
    pub from: Option<String>,
    /// By WhatsApp only, or not by it.
    pub whatsapp: Option<bool>,
    /// With files only, or without, where the carrier keeps them apart.
    pub mms: Option<bool>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// With this reference only.
    pub reference: Option<String>,
    /// How many on a page, and how many come before it.
    pub page: (usize, usize),
}

/// A text as the fake carrier remembers it.
#[derive(Clone)]
pub struct Text {
    /// The carrier's id.
    pub id: String,
    /// On which account.
    pub line: String,
    /// Whether a patient wrote it.
    pub inbound: bool,
    /// What was sent.
    pub sent: Sending,
    /// Where it stands.
    pub state: Delivery,
    /// The error code, where it failed.
    pub code: Option<&'static str>,
    /// When it was taken.
    pub at: Timestamp,
    /// Ids of its files.
    pub files: Vec<String>,
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Text {
    /// How it goes.
    pub fn channel(&self) -> Channel {
        let plain = self.files.is_empty() && self.sent.files.is_empty();
        match (self.sent.whatsapp, plain) {
            (true, _) => Channel::Whatsapp,
            (false, true) => Channel::Sms,
            (false, false) => Channel::Mms,
        }
    }
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// Headers beside the media type.
    pub headers: Vec<(&'static str, String)>,
    /// The media type.
    pub kind: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            kind: "application/json",
            body: body.to_string().into_bytes(),
        }
    }

    /// Nothing but a status.
    pub const fn bare(status: StatusCode) -> Self {
        Self {
            status,
            headers: Vec::new(),
            kind: "text/plain",
            body: Vec::new(),
        }
    }
}

/// A webhook to be posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Post {
    /// How.
    pub method: Method,
    /// Where, with its query.
    pub url: String,
    /// Headers, the signature among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// What the fake carrier says to a text, in every carrier's words the same.
#[derive(Debug)]
pub enum Said<'a> {
    /// It has it.
    Taken(&'a Text),
    /// One text.
    One(&'a Text),
    /// A page, newest first; whether there is more, and the filter that was asked with.
    Page(&'a [Text], bool, &'a Filter),
    /// The files of a text.
    Files(&'a Text),
    /// No such thing.
    Missing,
    /// The credentials are wrong.
    Unauthorized,
    /// An error code of this carrier's.
    Refused(&'static str),
    /// Too many requests; come back after so many seconds.
    Busy(u32),
    /// Something broke.
    Broken,
}

/// How one carrier speaks: its requests, answers and webhooks.
pub trait Dialect: Send + Sync + std::fmt::Debug {
    /// A new id for a text.
    fn id(&self, number: u64, sent: &Sending) -> String;

    /// The id of a file of a text.
    fn file_id(&self, text: &str, number: usize) -> String {
        format!("ME{}{number:04x}", text.get(2..30).unwrap_or_default())
    }

    /// The code with which this carrier tells of an opt-out, and of a phone that cannot be reached.
    fn codes(&self) -> (&'static str, &'static str);

    /// Whether a text to somebody who opted out is refused at once; else it is taken, and its
    /// report tells.
    fn refuses_opted_out(&self) -> bool {
        true
    }

    /// Whether a webhook that met no 2xx, or was lost, is repeated for a day.
    fn repeats(&self) -> bool {
        true
    }

    /// What a request wants; none when it is none of this account's.
    fn read(&self, asked: &Asked<'_>) -> Option<Wish>;

    /// What it is answered.
    fn reply(&self, said: &Said<'_>) -> Reply;

    /// The webhook that reports on a text; none where nobody asked for one, or this carrier does
    /// not report that state.
    fn report(&self, text: &Text, state: Delivery, now: Timestamp) -> Option<Post>;

    /// The webhook that brings a text from a patient.
    fn bring(&self, text: &Text, now: Timestamp) -> Post;
}

/// What is to be done with a request.
#[derive(Debug)]
pub struct Reaction {
    /// The answer; none hangs up without one.
    pub reply: Option<Reply>,
    /// How long the answer takes.
    pub after: Duration,
    /// The webhooks that follow, each after its time.
    pub posts: Vec<(Duration, Post)>,
}

/// A dialect that is shared.
pub type Speaks = Arc<dyn Dialect>;
