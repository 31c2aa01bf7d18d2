//! Settled: answers to questions of our own that need no model to be understood.

use crate::agent::Outcome;
use crate::agent::facts;
use crate::agent::sayings::{Saying, Words};
use crate::domain::phi::Phi;
use crate::pipeline::draft::Asking;
use crate::pipeline::family;
use crate::pipeline::house::House;
use crate::pipeline::reply::Reply;
use crate::policy::words::Purpose;
use crate::store::StoreError;

impl House {
    /// The reply to texts that answer a question of ours which no model sees; none where there is none.
    pub(crate) async fn settled(&self, asking: &Asking<'_>) -> Result<Option<Reply>, StoreError> {
        match family::answered(asking.conversation, asking.turns) {
            Some(answered) => Ok(Some(self.answer_family(asking, answered).await)),
            None => self.passed_on(asking).await,
        }
    }

    /// What a template says, judged like any draft.
    pub(crate) fn said<C: Words>(
        &self,
        asking: &Asking<'_>,
        saying: Saying<C>,
        words: &C,
    ) -> Reply {
        let outcome = self.by_rule(asking, saying, words);
        let chosen = self.wording(asking.conversation);
        self.judge(asking, outcome, (asking.law.bars_therapy(), &chosen))
    }

    /// A turn that only says what a template says; it rests on what everybody may know and on whose
    /// record it is.
    pub(crate) fn by_rule<C: Words>(
        &self,
        asking: &Asking<'_>,
        saying: Saying<C>,
        words: &C,
    ) -> Outcome {
        let language = asking.conversation.language;
        let wording = self.wording(asking.conversation).wording;
        let prompts = wording.prompts().ok();
        let draft = prompts.and_then(|it| it.say(language, saying, words).ok());
        let mut ground = facts::of_practice(asking.practice, language);
        ground.extend(asking.patient.map(facts::of_patient).unwrap_or_default());
        Outcome {
            draft: draft.map(Phi::new),
            facts: ground,
            pending: None,
            handover: None,
            purpose: Purpose::Scheduling,
            tools: Vec::new(),
            model: "rules".to_owned(),
            model_error: None,
            portal: None,
            portal_from_record: false,
            language: None,
            trouble: None,
            spent: 0,
            overtaken: false,
            sent: Vec::new(),
        }
    }
}
