//! One turn in the hands of whoever drafts: the models in their order, what they may cost, what is
//! hidden from them, and how their draft becomes an outcome.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::agent::facts;
use crate::agent::handed::handed_over;
use crate::agent::machine::{Finish, Limits};
use crate::agent::ports::{
    Answer, Meanwhile, Model, ModelError, Records, RecordsError, Request, Reviewer,
};
use crate::agent::recording::{self, Sent};
use crate::agent::references::References;
use crate::agent::run::{Input, Outcome, ToolUse};
use crate::agent::tools::{HandOver, ToolResult};
use crate::agent::veil::Veil;
use crate::domain::ids::PatientId;
use crate::domain::phi::Phi;
use crate::domain::practice::ModelSees;
use crate::domain::record::Fact;

/// Whose entries are read where nobody is known; no record system gives this id.
const NOBODY: &str = "anteroom-nobody";

/// What a model is told that wrote a reference of its own making.
const UNKNOWN_REFERENCE: &str =
    "write only references that a tool result gave, closed with a brace";

/// What came of asking.
pub(super) enum Asked {
    /// A model answered, or none could.
    Answered(Result<Answer, ModelError>),
    /// The turn is out of date, and nothing was done in it.
    Overtaken,
}

/// A turn.
pub(super) struct Turn<'a> {
    input: &'a Input<'a>,
    /// Who drafts, in order; the last one costs nothing and needs no network.
    models: &'a [&'a dyn Model],
    meanwhile: &'a dyn Meanwhile,
    reviewer: &'a dyn Reviewer,
    ground: Vec<Fact>,
    at: usize,
    failed: Option<ModelError>,
    rejected: bool,
    acted: bool,
    spent: u64,
    references: References,
    veil: Veil,
    sent: Vec<Sent>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        input: &'a Input<'a>,
        models: &'a [&'a dyn Model],
        (reviewer, meanwhile): (&'a dyn Reviewer, &'a dyn Meanwhile),
    ) -> Self {
        Self {
            input,
            models,
            meanwhile,
            reviewer,
            ground: facts::of_practice(input.practice, input.language),
            at: 0,
            failed: None,
            rejected: false,
            acted: false,
            spent: 0,
            references: References::default(),
            veil: Veil::default(),
            sent: Vec::new(),
        }
    }

    /// What the record says of who writes. As much is read for a number that is not on file, so that
    /// the time to an answer that needs no record tells nothing of who is.
    pub(super) async fn read_ground(&mut self, records: &dyn Records) -> Result<(), RecordsError> {
        let practice = &self.input.practice.id;
        let Some(patient) = self.input.patient else {
            let nobody = PatientId::new(NOBODY);
            let _nothing = records.clinical(practice, &nobody).await;
            return Ok(());
        };
        self.ground.extend(facts::of_patient(patient));
        let entries = records.clinical(practice, &patient.id).await?;
        self.ground.extend(facts::of_clinical(&entries));
        Ok(())
    }

    fn active(&self) -> Option<&'a dyn Model> {
        self.models.get(self.at).copied()
    }

    fn is_last(&self) -> bool {
        let name = |model: Option<&&dyn Model>| model.map(|it| it.name().to_owned());
        name(self.models.get(self.at)) == name(self.models.last())
    }

    /// Whether the model in hand is on another machine.
    fn is_away(&self) -> bool {
        self.active().is_some_and(|model| model.host().is_some())
    }

    /// Whether the model is on another machine, and shall see no values of the record.
    fn refers(&self) -> bool {
        let sees = self.input.practice.model_sees;
        self.is_away() && !self.input.veiled && sees == ModelSees::References
    }

    /// Whether the model shall see no identifier at all.
    fn veils(&self) -> bool {
        self.is_away() && self.input.veiled
    }

    /// The request as the model in hand may see it.
    fn shown<'r>(&mut self, request: &'r Request) -> Cow<'r, Request> {
        let (reviewer, ground) = (self.reviewer, &self.ground);
        let find = |text: &str| reviewer.identifiers(text, ground);
        if self.veils() {
            Cow::Owned(self.veil.cover(request, self.input, &find))
        } else if self.refers() {
            Cow::Owned(self.references.cover(request, &find))
        } else {
            Cow::Borrowed(request)
        }
    }

    /// What the model in hand wrote, with values for references. A reference to nothing is an answer
    /// that cannot be read.
    fn opened(&self, answer: Answer, request: &Request) -> Result<Answer, ModelError> {
        if !self.veils() {
            return Ok(answer);
        }
        let zone = TimeZone::get(&request.timezone).unwrap_or(TimeZone::UTC);
        let today = request.now.to_zoned(zone).date();
        self.veil.open(answer, today).ok_or(ModelError::Malformed)
    }

    /// Takes note of what a tool did.
    pub(super) fn take(&mut self, result: &ToolResult) {
        self.acted |= result
            .facts
            .iter()
            .any(|fact| fact.field.starts_with("receipt."));
    }

    /// How many tokens a request takes, as the model in hand counts them.
    pub(super) fn count(&mut self, request: &Request) -> usize {
        let shown = self.shown(request);
        self.active().map_or(0, |model| model.count_request(&shown))
    }

    /// Asks the models in their order. The last one is asked also when the turn's time or money is
    /// used up, for it takes neither.
    pub(super) async fn ask(&mut self, request: &Request) -> Asked {
        let limits = self.input.limits;
        let deadline = deadline(self.input.now, &limits);
        loop {
            let Some(model) = self.active() else {
                return Asked::Answered(Err(self.failed.unwrap_or(ModelError::Unreachable)));
            };
            let last = self.is_last();
            let price = model.price();
            let shown = self.shown(request);
            let sent = price.of(model.count_request(&shown), 0);
            let dear = self.spent.saturating_add(sent) > limits.nanodollars_max;
            let answer = if dear && !last {
                Err(ModelError::OverBudget)
            } else {
                tokio::select! {
                    biased;
                    answer = model.complete(&shown) => answer,
                    () = self.meanwhile.overtaken(), if !self.acted => return Asked::Overtaken,
                    () = self.meanwhile.until(deadline), if !last => Err(ModelError::Timeout),
                }
            };
            if !matches!(answer, Err(ModelError::OverBudget | ModelError::Resting)) {
                self.record(model, &shown);
            }
            if let Ok(answer) = &answer {
                let written = price.of(0, count_answer(model, answer));
                self.spent = self.spent.saturating_add(sent).saturating_add(written);
            }
            match answer.and_then(|answer| self.opened(answer, request)) {
                Ok(answer) => return Asked::Answered(Ok(answer)),
                Err(error) => {
                    self.failed.get_or_insert(error);
                    if last {
                        return Asked::Answered(Err(error));
                    }
                    self.at += 1;
                }
            }
        }
    }

    /// Keeps what a model was sent.
    fn record(&mut self, model: &dyn Model, shown: &Request) {
        if let Ok(body) = model.body(shown) {
            self.sent.push(Sent {
                model: recording::name(model),
                request: shown.clone(),
                sha256: recording::sha256(body.as_str()),
            });
        }
    }

    /// Fills in what the draft refers to; false when it refers to nothing that a tool gave.
    fn fill(&self, end: &mut Finish) -> bool {
        let Some(draft) = &end.draft else { return true };
        if self.references.is_empty() {
            return true;
        }
        let filled = self.references.fill(draft.as_str());
        let known = filled.is_some();
        end.draft = filled.map(Phi::new).or_else(|| end.draft.take());
        known
    }

    /// What the model must mend, once; a draft that cannot be read is none at all.
    pub(super) fn wanting(&mut self, end: &mut Finish) -> Vec<String> {
        let filled = self.fill(end);
        let rules = if filled {
            self.complaints(end)
        } else {
            vec![UNKNOWN_REFERENCE.to_owned()]
        };
        if self.rejected {
            if !filled {
                end.draft = None;
            }
            return Vec::new();
        }
        self.rejected = !rules.is_empty();
        rules
    }

    /// What keeps the draft back, where asking once more may help: templates would say the same.
    fn complaints(&self, end: &Finish) -> Vec<String> {
        let Some(draft) = end.draft.as_ref().filter(|_| end.portal.is_none()) else {
            return Vec::new();
        };
        if self.is_last() {
            return Vec::new();
        }
        let facts: Vec<Fact> = self.ground.iter().chain(&end.facts).cloned().collect();
        self.reviewer.complaints(draft, &facts)
    }

    pub(super) fn close(self, end: Finish) -> Outcome {
        if end.draft.is_none() {
            let mut outcome = self.hand_over(end.handover.unwrap_or(HandOver::Model));
            outcome.facts.extend(end.facts);
            outcome.tools = uses(&end.tools);
            outcome.trouble = end.trouble;
            return outcome;
        }
        let model = self
            .active()
            .map(|it| it.name().to_owned())
            .unwrap_or_default();
        let mut facts = self.ground;
        facts.extend(end.facts);
        Outcome {
            draft: end.draft,
            facts,
            pending: end.pending,
            handover: end.handover.map(HandOver::as_str),
            purpose: end.purpose,
            tools: uses(&end.tools),
            model,
            model_error: self.failed,
            portal: end.portal,
            portal_from_record: end.portal_from_record,
            language: end.language,
            trouble: end.trouble,
            spent: self.spent,
            overtaken: false,
            sent: self.sent,
        }
    }

    /// The draft that needs neither model nor record.
    pub(super) fn hand_over(self, why: HandOver) -> Outcome {
        let mut outcome = handed_over(
            self.input.practice,
            (self.input.language, self.input.now),
            why,
            &self.input.wording,
        );
        outcome.facts.splice(0..0, self.ground);
        outcome.model = self
            .models
            .first()
            .map(|it| it.name().to_owned())
            .unwrap_or_default();
        outcome.model_error = self.failed;
        outcome.spent = self.spent;
        outcome.sent = self.sent;
        outcome
    }

    /// Nothing was done and nothing is said: what came meanwhile is answered together with the rest.
    pub(super) fn overtaken(self) -> Outcome {
        Outcome {
            draft: None,
            handover: None,
            overtaken: true,
            ..self.hand_over(HandOver::Model)
        }
    }
}

fn deadline(now: Timestamp, limits: &Limits) -> Timestamp {
    let span = SignedDuration::from_secs(i64::from(limits.seconds_max));
    now.saturating_add(span).unwrap_or(Timestamp::MAX)
}

fn count_answer(model: &dyn Model, answer: &Answer) -> usize {
    match answer {
        Answer::Text(text) => model.count_tokens(text.as_str()),
        Answer::Tools(calls) => calls
            .iter()
            .map(|call| {
                model.count_tokens(&call.name) + model.count_tokens(call.arguments.as_str())
            })
            .sum(),
    }
}

fn uses(tools: &[(&'static str, bool)]) -> Vec<ToolUse> {
    let one = |(name, ok): &(&'static str, bool)| ToolUse { name, ok: *ok };
    tools.iter().map(one).collect()
}
