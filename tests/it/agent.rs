//! Tests of agent.

#![cfg(test)]

mod cassettes;
mod desk;
mod failures;
mod necessary;
mod picks;
mod stories;
mod utterances;

use anteroom::agent::ports::Model;
use anteroom::agent::prompts::Wording;
use anteroom::agent::{Input, Limits, Outcome, run};
use anteroom::domain::conversation::PendingQuestion;
use anteroom::domain::phi::Phi;
use anteroom::domain::practice::Practice;
use anteroom::domain::record::Patient;
use anteroom::llm::offline::Offline;
use anteroom::policy::words::Language;

use crate::support::records::{MemoryRecords, NOW, at, practice, sample};

/// One conversation of one patient.
struct Phone {
    practice: Practice,
    patient: Option<Patient>,
    records: MemoryRecords,
    language: Language,
    history: Vec<(bool, Phi<String>)>,
    pending: Option<PendingQuestion>,
    turns: usize,
}

/// How the screen read a text.
#[derive(Clone, Copy, Default)]
struct Screened {
    choice: Option<u8>,
    affirmed: bool,
    untrusted: bool,
}

impl Phone {
    fn of_maria() -> Self {
        Self {
            practice: practice(),
            patient: sample().patients.into_iter().next(),
            records: MemoryRecords::sample(),
            language: Language::En,
            history: Vec::new(),
            pending: None,
            turns: 0,
        }
    }

    async fn says(&mut self, text: &str) -> Outcome {
        self.says_to(text, Screened::default(), &Offline::new())
            .await
    }

    async fn says_to(&mut self, text: &str, screened: Screened, model: &dyn Model) -> Outcome {
        self.turns += 1;
        let input = self.input(text, screened);
        let outcome = run(input, model, &Offline::new(), &self.records).await;
        self.history.push((true, Phi::from(text)));
        if let Some(draft) = &outcome.draft {
            self.history.push((false, draft.clone()));
        }
        self.pending.clone_from(&outcome.pending);
        outcome
    }

    fn input(&self, text: &str, screened: Screened) -> Input<'_> {
        Input {
            practice: &self.practice,
            patient: self.patient.as_ref(),
            language: self.language,
            now: at(NOW),
            history: self.history.clone(),
            waiting: vec![Phi::from(text)],
            pending: self.pending.as_ref(),
            choice: screened.choice,
            affirmed: screened.affirmed,
            untrusted: screened.untrusted,
            key: format!("turn-{}", self.turns),
            limits: Limits::default(),
            wording: Wording::default(),
            veiled: false,
            for_patient: false,
        }
    }
}

fn draft(outcome: &Outcome) -> &str {
    outcome.draft.as_ref().expect("a draft").as_str()
}

fn tools(outcome: &Outcome) -> String {
    let names: Vec<_> = outcome.tools.iter().map(|tool| tool.name).collect();
    names.join(" ")
}

fn fact<'a>(outcome: &'a Outcome, field: &str) -> Vec<&'a str> {
    let facts = outcome.facts.iter().filter(|fact| fact.field == field);
    facts.map(|fact| fact.value.as_str()).collect()
}
