//! The fake carrier's memory: every text it took or brings, who opted out, and what it counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;

use crate::carrier::fake::{
    Asked, Fault, Faults, Filter, Post, Reach, Reaction, Reply, Said, Sending, Speaks, Text, Wish,
};
use crate::domain::message::Delivery;
use crate::policy::words::Channel;

/// How long an answer takes that comes too late for any client's patience.
const TOO_LATE: Duration = Duration::from_mins(1);

/// When reports follow a text that was taken.
const REPORTS: [(Delivery, Duration); 3] = [
    (Delivery::Queued, Duration::from_millis(10)),
    (Delivery::Sent, Duration::from_millis(40)),
    (Delivery::Delivered, Duration::from_millis(90)),
];

/// How much later a late webhook comes.
const LATE: Duration = Duration::from_secs(2);

/// Texts that one second of the clock leaves numbers for, when they are to differ from those of an
/// earlier run: far more than a fake carrier takes.
const NUMBERS_A_SECOND: u64 = 100_000;

/// One account on the fake carrier.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called in reports: `twilio.lakeside`.
    pub name: String,
    /// How it speaks.
    pub speaks: Speaks,
}

/// What the fake carrier saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Requests that came.
    pub requests: u64,
    /// Texts to phones that it took.
    pub taken: u64,
    /// Texts whose reference it took more than once: the patient got them twice.
    pub twice: u64,
    /// Texts from phones that it was to bring.
    pub brought: u64,
    /// Faults that happened, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Where the texts that it took stand.
    pub states: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) texts: BTreeMap<String, Text>,
    /// In the order in which they were taken.
    order: Vec<String>,
    once: BTreeMap<String, String>,
    asked: BTreeMap<String, u64>,
    pub(super) opted_out: BTreeSet<String>,
    pub(super) phones: BTreeMap<String, Reach>,
    files: BTreeMap<String, Vec<u8>>,
    requests: u64,
    faults: BTreeMap<&'static str, u64>,
}

/// A carrier that is none.
#[derive(Debug)]
pub struct Fake {
    lines: Vec<Line>,
    faults: Faults,
    /// The number of the text before the first one.
    before: u64,
    memory: Mutex<Memory>,
}

impl Fake {
    /// A carrier with these accounts that goes wrong so often.
    pub fn new(lines: Vec<Line>, faults: Faults) -> Self {
        Self {
            lines,
            faults,
            before: 0,
            memory: Mutex::default(),
        }
    }

    /// The same, whose texts have other ids than those of any earlier run: whoever remembers a text
    /// of then must not take one of now for it.
    #[must_use]
    pub fn begun(self, now: Timestamp) -> Self {
        let second = u64::try_from(now.as_second()).unwrap_or(0);
        Self {
            before: second.saturating_mul(NUMBERS_A_SECOND),
            ..self
        }
    }

    fn next_id(&self, memory: &Memory, speaks: &Speaks, sent: &Sending) -> String {
        let count = u64::try_from(memory.order.len()).unwrap_or(u64::MAX);
        speaks.id(self.before.saturating_add(count).saturating_add(1), sent)
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The accounts.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What it saw.
    pub fn sight(&self) -> Sight {
        let memory = self.memory();
        let mut sight = Sight {
            requests: memory.requests,
            faults: memory.faults.clone(),
            ..Sight::default()
        };
        let mut references: BTreeMap<&str, u64> = BTreeMap::new();
        for text in memory.texts.values() {
            if text.inbound {
                sight.brought += 1;
                continue;
            }
            sight.taken += 1;
            *sight.states.entry(text.state.as_str()).or_default() += 1;
            if let Some(reference) = &text.sent.reference {
                *references.entry(reference).or_default() += 1;
            }
        }
        let twice = references.values().filter(|count| **count > 1).count();
        sight.twice = u64::try_from(twice).unwrap_or(u64::MAX);
        sight
    }

    /// Every text, in the order in which it was taken.
    pub fn texts(&self) -> Vec<Text> {
        let memory = self.memory();
        let texts = memory.order.iter();
        texts
            .filter_map(|id| memory.texts.get(id).cloned())
            .collect()
    }

    /// Answers a request.
    pub fn ask(&self, asked: &Asked<'_>, now: Timestamp) -> Reaction {
        let mut memory = self.memory();
        memory.requests += 1;
        let found = self
            .lines
            .iter()
            .find_map(|line| Some((line, line.speaks.read(asked)?)));
        let Some((line, wish)) = found else {
            return at_once(Reply::bare(StatusCode::NOT_FOUND));
        };
        let speaks = &line.speaks;
        let known = |memory: &Memory, id: &str| {
            let text = memory.texts.get(id);
            text.is_some_and(|text| text.line == line.name)
        };
        match wish {
            Wish::Unauthorized => at_once(speaks.reply(&Said::Unauthorized)),
            Wish::Refuse(code) => at_once(speaks.reply(&Said::Refused(code))),
            Wish::Say(reply) => at_once(reply),
            Wish::Send(sending) => self.send(&mut memory, line, sending, now),
            Wish::List(filter) => at_once(list(&memory, line, &filter)),
            Wish::Look(id) | Wish::Redact(id) | Wish::Files(id) if !known(&memory, &id) => {
                at_once(speaks.reply(&Said::Missing))
            }
            Wish::Look(id) => at_once(match memory.texts.get(&id) {
                Some(text) => speaks.reply(&Said::One(text)),
                None => speaks.reply(&Said::Missing),
            }),
            Wish::Redact(id) => at_once(match memory.texts.get_mut(&id) {
                Some(text) => {
                    text.sent.body.clear();
                    speaks.reply(&Said::One(text))
                }
                None => speaks.reply(&Said::Missing),
            }),
            Wish::Files(id) => at_once(match memory.texts.get(&id) {
                Some(text) => speaks.reply(&Said::Files(text)),
                None => speaks.reply(&Said::Missing),
            }),
            Wish::File { id, delete } => at_once(file(&mut memory, speaks, &id, delete)),
        }
    }

    fn happens(&self, memory: &mut Memory, fault: Fault, what: &str, time: u64) -> bool {
        let happens = self.faults.happens(fault, what, time);
        if happens {
            *memory.faults.entry(fault.as_str()).or_default() += 1;
        }
        happens
    }

    fn send(&self, memory: &mut Memory, line: &Line, sending: Sending, now: Timestamp) -> Reaction {
        let speaks = &line.speaks;
        let what = sending
            .reference
            .clone()
            .unwrap_or_else(|| format!("{} {}", sending.to, sending.body));
        let time = memory.asked.entry(what.clone()).or_default();
        *time += 1;
        let time = *time;
        let broken = speaks.reply(&Said::Broken);
        if self.happens(memory, Fault::Busy, &what, time) {
            return at_once(speaks.reply(&Said::Busy(1)));
        }
        if self.happens(memory, Fault::Broken, &what, time) {
            return at_once(broken);
        }
        if self.happens(memory, Fault::Silent, &what, time) {
            return Reaction {
                after: TOO_LATE,
                ..at_once(broken)
            };
        }
        let pair = format!("{} {}", sending.from, sending.to);
        if self.happens(memory, Fault::OptedOut, &what, 0) {
            memory.opted_out.insert(pair.clone());
        }
        let reach = memory.phones.get(&sending.to).copied();
        let opted_out = memory.opted_out.contains(&pair) || reach == Some(Reach::Blocked);
        if opted_out && speaks.refuses_opted_out() {
            return at_once(speaks.reply(&Said::Refused(speaks.codes().0)));
        }
        let known = sending.once.as_ref().and_then(|key| memory.once.get(key));
        if let Some(text) = known.and_then(|id| memory.texts.get(id)) {
            return at_once(speaks.reply(&Said::Taken(text)));
        }
        let id = self.next_id(memory, speaks, &sending);
        if let Some(key) = &sending.once {
            memory.once.insert(key.clone(), id.clone());
        }
        let text = Text {
            id: id.clone(),
            line: line.name.clone(),
            inbound: false,
            sent: sending,
            state: Delivery::Accepted,
            code: opted_out.then_some(speaks.codes().0),
            at: now,
            files: Vec::new(),
        };
        let reply = speaks.reply(&Said::Taken(&text));
        memory.order.push(id.clone());
        memory.texts.insert(id.clone(), text);
        let posts = self.reports(memory, speaks, &id, &what, now);
        let mut reaction = Reaction {
            posts,
            ..at_once(reply)
        };
        if self.happens(memory, Fault::BrokenTaken, &what, time) {
            reaction.reply = Some(broken);
        } else if self.happens(memory, Fault::SilentTaken, &what, time) {
            reaction.after = TOO_LATE;
        } else if self.happens(memory, Fault::HungUp, &what, time) {
            reaction.reply = None;
        }
        reaction
    }

    /// The reports that follow a text, as they go wrong. The text is at its end at once: who asks
    /// learns the truth, whatever was reported.
    fn reports(
        &self,
        memory: &mut Memory,
        speaks: &Speaks,
        id: &str,
        what: &str,
        now: Timestamp,
    ) -> Vec<(Duration, Post)> {
        let unreachable = self.happens(memory, Fault::Unreachable, what, 0);
        let shuffled = self.happens(memory, Fault::Shuffled, what, 0);
        let Some(text) = memory.texts.get_mut(id) else {
            return Vec::new();
        };
        let off = memory.phones.get(&text.sent.to) == Some(&Reach::Off);
        let unreachable = unreachable || off;
        let mut course = REPORTS;
        if unreachable || text.code.is_some() {
            if let Some(last) = course.last_mut() {
                last.0 = Delivery::Undelivered;
            }
            if text.code.is_none() {
                text.code = Some(speaks.codes().1);
            }
        }
        text.state = course
            .last()
            .map_or(Delivery::Delivered, |(state, _)| *state);
        let text = text.clone();
        let mut posts = Vec::new();
        let last = course.len() - 1;
        for (number, (state, after)) in course.into_iter().enumerate() {
            let time = u64::try_from(number).unwrap_or(0);
            let after = if shuffled {
                REPORTS
                    .get(last - number)
                    .map_or(after, |(_, after)| *after)
            } else {
                after
            };
            let Some(post) = speaks.report(&text, state, now) else {
                continue;
            };
            posts.extend(self.post(memory, speaks, (post, after), (what, time)));
        }
        posts
    }

    /// One webhook as it goes wrong.
    fn post(
        &self,
        memory: &mut Memory,
        speaks: &Speaks,
        (post, after): (Post, Duration),
        (what, time): (&str, u64),
    ) -> Vec<(Duration, Post)> {
        if self.happens(memory, Fault::Dropped, what, time) {
            if speaks.repeats() {
                return vec![(after + LATE, post)];
            }
            return Vec::new();
        }
        let after = if self.happens(memory, Fault::Late, what, time) {
            after + LATE
        } else {
            after
        };
        let mut posts = vec![(after, post)];
        if self.happens(memory, Fault::Doubled, what, time) {
            posts.extend_from_within(..);
        }
        posts
    }

    /// A text that a patient writes: remembered, and brought as it goes wrong. `files` are the
    /// pictures that come with it. None when no account has the number.
    pub fn write(
        &self,
        line: &str,
        sending: Sending,
        files: Vec<Vec<u8>>,
        now: Timestamp,
    ) -> Option<(String, Vec<(Duration, Post)>)> {
        let line = self.lines.iter().find(|it| it.name == line)?;
        let mut memory = self.memory();
        let id = self.next_id(&memory, &line.speaks, &sending);
        let mut names = Vec::new();
        for (number, bytes) in files.into_iter().enumerate() {
            let name = line.speaks.file_id(&id, number);
            memory.files.insert(name.clone(), bytes);
            names.push(name);
        }
        let text = Text {
            id: id.clone(),
            line: line.name.clone(),
            inbound: true,
            sent: sending,
            state: Delivery::Delivered,
            code: None,
            at: now,
            files: names,
        };
        let post = line.speaks.bring(&text, now);
        memory.order.push(id.clone());
        memory.texts.insert(id.clone(), text);
        let after = Duration::from_millis(5);
        let posts = self.post(&mut memory, &line.speaks, (post, after), (&id, 0));
        Some((id, posts))
    }

    /// The reports on a text that it took, as they would come if nothing went wrong.
    pub fn reports_on(&self, id: &str, now: Timestamp) -> Vec<Post> {
        let course = REPORTS.into_iter();
        course
            .filter_map(|(state, _)| self.report_on(id, state, now))
            .collect()
    }

    /// The report that a text has reached this state, whatever state it is in.
    pub fn report_on(&self, id: &str, state: Delivery, now: Timestamp) -> Option<Post> {
        let memory = self.memory();
        let text = memory.texts.get(id)?;
        let line = self.lines.iter().find(|line| line.name == text.line)?;
        line.speaks.report(text, state, now)
    }

    /// Files that it still has.
    pub fn files(&self) -> usize {
        self.memory().files.len()
    }
}

const fn at_once(reply: Reply) -> Reaction {
    Reaction {
        reply: Some(reply),
        after: Duration::ZERO,
        posts: Vec::new(),
    }
}

fn list(memory: &Memory, line: &Line, filter: &Filter) -> Reply {
    let speaks = &line.speaks;
    let fits = |text: &&Text| {
        text.line == line.name
            && filter.to.as_ref().is_none_or(|to| *to == text.sent.to)
            && filter.from.as_ref().is_none_or(|it| *it == text.sent.from)
            && filter.whatsapp.is_none_or(|it| it == text.sent.whatsapp)
            && filter
                .mms
                .is_none_or(|it| it == (text.channel() == Channel::Mms))
            && filter.since.is_none_or(|since| text.at >= since)
            && (filter.reference.is_none() || filter.reference == text.sent.reference)
    };
    let newest = memory.order.iter().rev();
    let found: Vec<Text> = newest
        .filter_map(|id| memory.texts.get(id))
        .filter(fits)
        .skip(filter.page.1)
        .take(filter.page.0.saturating_add(1))
        .cloned()
        .collect();
    let more = found.len() > filter.page.0;
    let page = found
        .get(..filter.page.0.min(found.len()))
        .unwrap_or_default();
    speaks.reply(&Said::Page(page, more, filter))
}

fn file(memory: &mut Memory, speaks: &Speaks, id: &str, delete: bool) -> Reply {
    if delete {
        if memory.files.remove(id).is_none() {
            return speaks.reply(&Said::Missing);
        }
        for text in memory.texts.values_mut() {
            text.files.retain(|it| it != id);
        }
        return Reply::bare(StatusCode::NO_CONTENT);
    }
    match memory.files.get(id) {
        Some(bytes) => Reply {
            status: StatusCode::OK,
            headers: Vec::new(),
            kind: "application/octet-stream",
            body: bytes.clone(),
        },
        None => speaks.reply(&Said::Missing),
    }
}
