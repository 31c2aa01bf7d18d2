//! One turn in the hands of whoever drafts: the models in their order, what they may cost, what is
//! hidden from them, and how their draft becomes an outcome.

use jiff::{SignedDuration, Timestamp};

use crate::agent::facts;
use crate::agent::machine::{Finish, Limits};
use crate::agent::ports::{Answer, Meanwhile, Model, ModelError, RecordsError, Request, Reviewer};
use crate::agent::prompts::Wording;
use crate::agent::references::References;
use crate::agent::run::{Input, Outcome, ToolUse};
use crate::agent::sayings;
use crate::agent::tools::{HandOver, ToolResult};
use crate::domain::phi::Phi;
use crate::domain::practice::{ModelSees, Practice};
use crate::domain::record::Fact;
use crate::policy::words::{Language, Purpose};

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
    pub(super) input: &'a Input<'a>,
    /// Who drafts, in order; the last one costs nothing and needs no network.
    pub(super) models: &'a [&'a dyn Model],
    pub(super) meanwhile: &'a dyn Meanwhile,
    pub(super) ground: Vec<Fact>,
    at: usize,
    failed: Option<ModelError>,
    rejected: bool,
    acted: bool,
    spent: u64,
    references: References,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        input: &'a Input<'a>,
        models: &'a [&'a dyn Model],
        meanwhile: &'a dyn Meanwhile,
    ) -> Self {
        Self {
            input,
            models,
            meanwhile,
            ground: facts::of_practice(input.practice, input.language),
            at: 0,
            failed: None,
            rejected: false,
            acted: false,
            spent: 0,
            references: References::default(),
        }
    }

    fn active(&self) -> Option<&'a dyn Model> {
        self.models.get(self.at).copied()
    }

    fn is_last(&self) -> bool {
        let name = |model: Option<&&dyn Model>| model.map(|it| it.name().to_owned());
        name(self.models.get(self.at)) == name(self.models.last())
    }

    /// Whether the model is on another machine, and shall see no values of the record.
    pub(super) fn refers(&self) -> bool {
        let away = self.active().is_some_and(|model| model.host().is_some());
        away && self.input.practice.model_sees == ModelSees::References
    }

    /// Takes note of what a tool did, and hides from the model what it may not see.
    pub(super) fn take(&mut self, result: &mut ToolResult) {
        self.acted |= result
            .facts
            .iter()
            .any(|fact| fact.field.starts_with("receipt."));
        if self.refers() {
            result.json = Phi::new(self.references.hide(result.json.as_str()));
        }
    }

    /// How many tokens a request takes, as the model in hand counts them.
    pub(super) fn count(&self, request: &Request) -> usize {
        self.active()
            .map_or(0, |model| model.count_request(request))
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
            let sent = price.of(model.count_request(request), 0);
            let dear = self.spent.saturating_add(sent) > limits.nanodollars_max;
            let answer = if dear && !last {
                Err(ModelError::OverBudget)
            } else {
                tokio::select! {
                    biased;
                    answer = model.complete(request) => answer,
                    () = self.meanwhile.overtaken(), if !self.acted => return Asked::Overtaken,
                    () = self.meanwhile.until(deadline), if !last => Err(ModelError::Timeout),
                }
            };
            match answer {
                Ok(answer) => {
                    let cost = price
                        .of(0, count_answer(model, &answer))
                        .saturating_add(sent);
                    self.spent = self.spent.saturating_add(cost);
                    return Asked::Answered(Ok(answer));
                }
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
    pub(super) fn wanting(&mut self, end: &mut Finish, reviewer: &dyn Reviewer) -> Vec<String> {
        let filled = self.fill(end);
        let rules = if filled {
            self.complaints(end, reviewer)
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
    fn complaints(&self, end: &Finish, reviewer: &dyn Reviewer) -> Vec<String> {
        let Some(draft) = end.draft.as_ref().filter(|_| end.portal.is_none()) else {
            return Vec::new();
        };
        if self.is_last() {
            return Vec::new();
        }
        let facts: Vec<Fact> = self.ground.iter().chain(&end.facts).cloned().collect();
        reviewer.complaints(draft, &facts)
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
        }
    }

    /// The draft that needs neither model nor record.
    pub(super) fn hand_over(self, why: HandOver) -> Outcome {
        let mut outcome = handed_over(
            self.input.practice,
            self.input.language,
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

/// What is said where the record system does not answer who writes.
pub fn record_down(
    practice: &Practice,
    language: Language,
    why: RecordsError,
    wording: &Wording,
) -> Outcome {
    let mut outcome = handed_over(practice, language, HandOver::RecordDown, wording);
    outcome
        .facts
        .splice(0..0, facts::of_practice(practice, language));
    outcome.trouble = cause(why);
    outcome
}

fn handed_over(
    practice: &Practice,
    language: Language,
    why: HandOver,
    wording: &Wording,
) -> Outcome {
    let words = sayings::Phone {
        phone: practice.phone.display_us(),
    };
    let template = if why == HandOver::RecordDown {
        sayings::RECORD_DOWN
    } else {
        sayings::TROUBLE
    };
    let draft = wording
        .prompts()
        .ok()
        .and_then(|prompts| prompts.say(language, template, &words).ok());
    Outcome {
        draft: draft.map(Phi::new),
        facts: vec![Fact::new("receipt.message_sent", "staff")],
        pending: None,
        handover: Some(why.as_str()),
        purpose: Purpose::Reply,
        tools: Vec::new(),
        model: String::new(),
        model_error: None,
        portal: None,
        portal_from_record: false,
        language: None,
        trouble: None,
        spent: 0,
        overtaken: false,
    }
}

/// What staff are told of a failed record.
pub(super) fn cause(why: RecordsError) -> Option<Phi<String>> {
    match why {
        RecordsError::Failed(cause) => Some(cause),
        RecordsError::NotFound | RecordsError::Conflict | RecordsError::Unavailable => None,
    }
}

fn uses(tools: &[(&'static str, bool)]) -> Vec<ToolUse> {
    let one = |(name, ok): &(&'static str, bool)| ToolUse { name, ok: *ok };
    tools.iter().map(one).collect()
}
