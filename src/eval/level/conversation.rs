//! The level `conversation`: scripted patient turns through the whole pipeline.

use std::sync::Arc;
use std::time::Instant;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::agent::opening;
use crate::agent::ports::{Answer, Model, ModelError};
use crate::agent::prompts::{Prompts, Sources, Wording};
use crate::domain::clock::Clock as _;
use crate::domain::consent::ConsentState;
use crate::domain::phone::E164;
use crate::eval::assertion::Assertion;
use crate::eval::case::{Case, Suite};
use crate::eval::judge::judge;
use crate::eval::level::{Outcome, since};
use crate::eval::load::vars;
use crate::eval::run::Bench;
use crate::eval::stage::{Place, Stage};
use crate::eval::suite::{AssertFile, Level};
use crate::guardrail::wire::{ConsentIn, ContextIn, FactIn, PracticeIn};
use crate::llm::offline::Offline;
use crate::llm::scripted::Scripted;
use crate::policy::words::{Channel, Jurisdiction, Language, Purpose};

/// The patients of the sample practice, by first name, and a number that is not on file.
const PEOPLE: &[(&str, &str)] = &[
    ("maria", "+14155550111"),
    ("james", "+14155550112"),
    ("aisha", "+14155550113"),
    ("tom", "+14155550114"),
    ("will", "+14155550115"),
    ("rosa", "+14155550116"),
    ("ethan", "+14155550117"),
    ("grace", "+14155550118"),
    ("luis", "+14155550119"),
    ("dorothy", "+14155550120"),
    ("noah", "+14155550121"),
    ("fatima", "+14155550122"),
    ("nobody", "+14155550190"),
];
/// The provider that stands for the model of the configuration.
const CONFIGURED: &str = "configured";
/// When a story begins that does not say: a Sunday; the sample's visits begin on the Monday after.
const START: &str = "2026-11-29T18:00:00Z";

/// The input of a story.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    /// A number, or the first name of somebody in the sample practice, or `nobody`.
    #[serde(default = "tom")]
    patient: String,
    /// How texts come and go; `sms` without it.
    #[serde(default)]
    channel: Option<Channel>,
    /// Where the practice is and every patient lives; as in the sample without it.
    #[serde(default)]
    state: Option<Jurisdiction>,
    /// What the practice is; `primary_care` without it.
    #[serde(default)]
    practice_type: Option<String>,
    /// People who text from the patient's phone too.
    #[serde(default)]
    shared_with: Vec<String>,
    /// A wording under test: templates by their place (`en/visit`), as staff would publish them.
    #[serde(default)]
    wording: Sources,
    /// When it begins.
    #[serde(default)]
    start: Option<Timestamp>,
    /// What the model answers, in order; without it the offline model answers.
    #[serde(default)]
    script: Option<Vec<Line>>,
    /// Answer the risk notice with YES first.
    #[serde(default)]
    agreed: bool,
    /// What happens.
    turns: Vec<Step>,
}

fn tom() -> String {
    "tom".to_owned()
}

/// One answer of a scripted model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Line {
    /// A draft.
    Text(String),
    /// One tool call.
    Tool { name: String, arguments: Value },
    /// No answer: `timeout`, `rate_limited`, `unreachable`, `malformed`, `truncated`, `empty`,
    /// `filtered`.
    Fail(String),
}

/// One step of a story.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// What the patient writes.
    #[serde(default)]
    says: Option<String>,
    /// Several texts before anybody answers.
    #[serde(default)]
    burst: Option<Vec<String>>,
    /// How long nothing happens: `3h`, `2 days`.
    #[serde(default)]
    wait: Option<String>,
    /// The practice wants to remind the patient of their next visit.
    #[serde(default)]
    reminder: bool,
    /// Staff write to the patient.
    #[serde(default)]
    staff: Option<String>,
    /// Somebody else's phone, for this step.
    #[serde(default)]
    from: Option<String>,
    /// What must hold of the texts that this step sends.
    #[serde(default)]
    assert: Vec<AssertFile>,
}

pub(super) fn readable(case: &Case) -> Result<(), String> {
    let story: Story = vars(case)?;
    person(&story.patient)?;
    for name in &story.shared_with {
        person(name)?;
    }
    if !story.wording.is_empty() {
        Prompts::with(&story.wording).map_err(|error| format!("wording: {error}"))?;
    }
    for line in story.script.iter().flatten() {
        answer(line).map(drop)?;
    }
    if story.turns.is_empty() {
        return Err("turns: a story without turns".to_owned());
    }
    for (at, step) in story.turns.iter().enumerate() {
        check_step(step).map_err(|error| format!("turn {}: {error}", at + 1))?;
    }
    let asserts = story
        .turns
        .iter()
        .map(|step| step.assert.len())
        .sum::<usize>();
    if asserts + case.assertions.len() == 0 {
        return Err("the story asserts nothing; add `assert` to a turn".to_owned());
    }
    Ok(())
}

fn check_step(step: &Step) -> Result<(), String> {
    let kinds = [
        step.says.is_some(),
        step.burst.is_some(),
        step.wait.is_some(),
        step.reminder,
        step.staff.is_some(),
    ];
    if kinds.into_iter().filter(|it| *it).count() != 1 {
        return Err("give one of `says`, `burst`, `wait`, `reminder` and `staff`".to_owned());
    }
    if let Some(wait) = &step.wait {
        span(wait)?;
    }
    if let Some(from) = &step.from {
        person(from)?;
    }
    assertions(step).map(drop)
}

fn assertions(step: &Step) -> Result<Vec<Assertion>, String> {
    step.assert
        .iter()
        .map(|it| Assertion::parse(it, Level::Conversation))
        .collect()
}

fn span(text: &str) -> Result<Span, String> {
    text.parse().map_err(|_unreadable: jiff::Error| {
        format!("wait `{text}`: write it as `3h`, `90min` or `2 days`")
    })
}

fn person(name: &str) -> Result<E164, String> {
    let number = PEOPLE
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(name, |(_, number)| number);
    number.parse().map_err(|_no_number| {
        let names: Vec<_> = PEOPLE.iter().map(|(known, _)| *known).collect();
        format!(
            "patient `{name}`: a number as +14155550114, or {}",
            names.join(", ")
        )
    })
}

fn answer(line: &Line) -> Result<Result<Answer, ModelError>, String> {
    Ok(match line {
        Line::Text(draft) => Scripted::text(draft),
        Line::Tool { name, arguments } => Scripted::tool(name, &arguments.to_string()),
        Line::Fail(name) => Err(match name.as_str() {
            "timeout" => ModelError::Timeout,
            "rate_limited" => ModelError::RateLimited,
            "unreachable" => ModelError::Unreachable,
            "rejected" => ModelError::Rejected,
            "malformed" => ModelError::Malformed,
            "truncated" => ModelError::Truncated,
            "empty" => ModelError::Empty,
            "filtered" => ModelError::Filtered,
            _ => return Err(format!("script: a model cannot fail by `{name}`")),
        }),
    })
}

pub(super) fn run(bench: &Bench, suite: &Suite, case: &Case) -> Result<Outcome, String> {
    let story: Story = vars(case)?;
    let script = match &story.script {
        Some(lines) => Some(lines.iter().map(answer).collect::<Result<Vec<_>, _>>()?),
        None => None,
    };
    let model: Arc<dyn Model> = match script {
        Some(script) => Arc::new(Scripted::new(script)),
        None if suite.providers.iter().any(|it| it == CONFIGURED) => {
            let configured = bench.models.configured.as_ref();
            Arc::clone(configured.ok_or("asks the configured model: run with --model")?)
        }
        None => Arc::new(Offline::new()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(Box::pin(play(bench, &story, model)))
}

async fn play(bench: &Bench, story: &Story, model: Arc<dyn Model>) -> Result<Outcome, String> {
    let setup = bench.setup()?;
    let start = match story.start {
        Some(start) => start,
        None => START
            .parse()
            .map_err(|error: jiff::Error| error.to_string())?,
    };
    let place = Place {
        channel: story.channel,
        state: story.state,
        practice_type: story.practice_type.clone(),
        shared: match story.shared_with.as_slice() {
            [] => None,
            others => {
                let others = others.iter().map(|it| person(it));
                Some((person(&story.patient)?, others.collect::<Result<_, _>>()?))
            }
        },
    };
    let scripted = story.script.is_some();
    let mut stage = setup.stage(start, model, &place).await?;
    if !story.wording.is_empty() {
        let prompts = Prompts::with(&story.wording).map_err(|error| error.to_string())?;
        let practice = Arc::clone(&stage.practice);
        stage.house.speak(&practice.id, Wording::published(prompts));
    }
    let played = Box::pin(steps(bench, story, &mut stage)).await;
    let failed = stage.failed();
    stage.close().await;
    // A scripted failure is the story's own; any other means that nothing was examined.
    match failed.filter(|_| !scripted) {
        Some(error) => Err(error.to_string()),
        None => played,
    }
}

async fn steps(bench: &Bench, story: &Story, stage: &mut Stage) -> Result<Outcome, String> {
    let patient = person(&story.patient)?;
    if story.agreed {
        stage.agrees(&patient).await?;
    }
    let mut whole = Outcome {
        input: inputs(story),
        context: Some(context(stage)),
        ..Outcome::default()
    };
    for (at, step) in story.turns.iter().enumerate() {
        let number = match &step.from {
            Some(name) => person(name)?,
            None => patient.clone(),
        };
        let began = Instant::now();
        let sent = take(stage, step, &number).await?;
        let micros = since(began);
        let conversations = stage.conversations(&number).await?;
        let agreed = conversations
            .iter()
            .any(|it| it.consent.state == ConsentState::Granted);
        let language = conversations.first().map(|it| it.language);
        let mut outcome = Outcome {
            input: step.says.clone().unwrap_or_default(),
            output: sent.join("\n"),
            unconsented: if agreed { Vec::new() } else { sent.clone() },
            sent,
            language,
            holds: stage.holds().await?,
            audit: stage.audited().await?,
            asked: stage.asked(),
            context: Some(context(stage)),
            micros,
            ..Outcome::default()
        };
        if let Some(state) = story.state
            && let Some(context) = &mut outcome.context
        {
            context.state = state;
        }
        for assertion in assertions(step)? {
            if let Some(reason) = judge(bench, &assertion, &outcome)? {
                whole.missed.push(format!("turn {}: {reason}", at + 1));
            }
        }
        whole.micros += micros;
        whole.language = language;
        whole.sent.append(&mut outcome.sent);
        whole.unconsented.append(&mut outcome.unconsented);
        whole.holds = outcome.holds;
        whole.audit = outcome.audit;
        whole.asked = outcome.asked;
    }
    whole.output = whole.sent.join("\n");
    Ok(whole)
}

async fn take(stage: &mut Stage, step: &Step, number: &E164) -> Result<Vec<String>, String> {
    if let Some(text) = &step.says {
        return stage.says(number, text).await;
    }
    if step.reminder || step.staff.is_some() {
        stage.wishes(number, step.staff.as_deref()).await?;
    }
    for text in step.burst.iter().flatten() {
        stage.receive(number, text).await?;
    }
    if let Some(wait) = &step.wait {
        let zone = TimeZone::get(&stage.practice.timezone).map_err(|error| error.to_string())?;
        let now = stage.clock.now().to_zoned(zone);
        let then = now
            .checked_add(span(wait)?)
            .map_err(|error| error.to_string())?;
        stage
            .clock
            .advance(then.timestamp().duration_since(now.timestamp()));
    }
    stage.rest(number).await
}

fn inputs(story: &Story) -> String {
    let said = story.turns.iter().flat_map(|step| {
        step.says
            .iter()
            .map(String::as_str)
            .chain(step.burst.iter().flatten().map(String::as_str))
    });
    said.collect::<Vec<_>>().join("\n")
}

/// The setting in which a text of the story is reviewed again: its own public facts, and no more.
fn context(stage: &Stage) -> ContextIn {
    let practice = &stage.practice;
    let phone = practice.phone.display_us();
    let mut facts = vec![
        ("name".to_owned(), practice.name.clone()),
        ("phone".to_owned(), phone.clone()),
        ("address".to_owned(), practice.address.clone()),
        ("hours".to_owned(), practice.hours.clone()),
        ("hours".to_owned(), practice.hours_es.clone()),
        ("url".to_owned(), "http://127.0.0.1:8080/".to_owned()),
    ];
    facts.extend(
        practice
            .facts
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    // When staff answer, as a text that was left to them tells it.
    let answering = TimeZone::get(&practice.timezone)
        .ok()
        .and_then(|zone| opening::answering_fact(&practice.hours, stage.clock.now(), &zone));
    facts.extend(answering.map(|it| ("answering".to_owned(), it.value.as_str().to_owned())));
    ContextIn {
        practice: PracticeIn {
            name: practice.name.clone(),
            phone,
            kind: practice.kind.clone(),
            portal_url: "http://127.0.0.1:8080/".to_owned(),
        },
        channel: practice
            .senders
            .first()
            .map_or(Channel::Sms, |sender| sender.channel),
        consent: ConsentIn::Granted,
        covered: false,
        state: Jurisdiction::UNKNOWN,
        language: Language::En,
        timezone: practice.timezone.clone(),
        now: stage.clock.now(),
        purpose: Purpose::Reply,
        relation: crate::guardrail::setting::Relation::Patient,
        facts: facts
            .into_iter()
            .map(|(name, value)| FactIn {
                field: format!("practice.{name}"),
                value,
            })
            .collect(),
        told: Vec::new(),
        before: Vec::new(),
    }
}
