//! Copies: what anteroom keeps itself, told to a record system that keeps copies.

use crate::domain::conversation::{Conversation, Turn};
use crate::domain::record::{Note, Patient};
use crate::pipeline::house::House;
use crate::pipeline::plan::waiting;
use crate::screen::Intent;

impl House {
    /// Tells a record system that keeps copies what the patient has just said of health details by
    /// text. The ledger here is what counts; a copy that fails is told of in the log.
    pub(crate) async fn copy_consent(
        &self,
        conversation: &Conversation,
        patient: &Patient,
        turns: &[Turn],
    ) {
        let said = |turn: &&Turn| {
            let words = [Intent::ConsentYes, Intent::ConsentNo, Intent::OptOut];
            words.iter().any(|it| turn.intent == it.as_str())
        };
        let Some(turn) = waiting(turns).rfind(said) else {
            return;
        };
        let note = Note::Consent {
            agreed: turn.intent == Intent::ConsentYes.as_str(),
            at: turn.at,
        };
        let key = format!("consent/{}/{}", conversation.id, turn.id);
        let kept = self
            .records()
            .note(&conversation.practice, &patient.id, &note, &key)
            .await;
        if let Err(error) = kept {
            tracing::warn!(%error, "the record system keeps no copy of a consent");
        }
    }
}
