//! The approved template of a text in the outbox, sealed beside it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::domain::ids::ConversationId;
use crate::domain::ids::OutboxId;
use crate::domain::ids::PracticeId;
use crate::domain::message::Template;
use crate::domain::phi::Phi;
use crate::seal::DataKey;
use crate::store::error::Inconsistency;
use crate::store::error::StoreError;
use crate::store::link::Row;
use crate::store::link::args;
use crate::store::tx::Tx;
use crate::store::tx::open_json;
use crate::store::tx::place;
use crate::store::tx::seal_json;

const SET: &str = "UPDATE outbox SET template = $2 WHERE id = $1";
const SINCE: &str = "SELECT id FROM outbox WHERE conversation = $1 AND template IS NOT NULL \
                     AND at >= $2 LIMIT 1";

/// What is sealed of a template.
#[derive(Serialize, Deserialize)]
struct Sealed {
    id: String,
    /// Texts that were enqueued before this was kept go by Twilio, which needs none.
    #[serde(default)]
    locale: String,
    variables: BTreeMap<String, String>,
}

impl Tx {
    /// Notes the approved template that says a text.
    pub async fn set_template(
        &mut self,
        practice: &PracticeId,
        outbox: OutboxId,
        template: &Template,
    ) -> Result<(), StoreError> {
        let key = self.key(practice).await?;
        let spelled = outbox.0.to_string();
        let variables = template.variables.iter();
        let content = Sealed {
            id: template.id.clone(),
            locale: template.locale.clone(),
            variables: variables
                .map(|(name, value)| (name.clone(), value.as_str().to_owned()))
                .collect(),
        };
        let place = place(practice.as_str(), "outbox", "template", &spelled);
        let sealed = seal_json(&key, &place, &content)?;
        self.run(SET, args![outbox.0, sealed]).await.map(drop)
    }

    /// Whether a template was enqueued in a conversation since then.
    pub async fn template_since(
        &mut self,
        conversation: ConversationId,
        since: Timestamp,
    ) -> Result<bool, StoreError> {
        let find = args![conversation.0, since];
        Ok(self.row(SINCE, find).await?.is_some())
    }
}

/// The template of a text, from its row.
pub(super) fn template_of(
    row: &Row,
    key: &DataKey,
    practice: &str,
    damage: Inconsistency,
) -> Result<Option<Template>, StoreError> {
    let Some(sealed) = row.blob_opt("template")? else {
        return Ok(None);
    };
    let spelled = row.int("id")?.to_string();
    let place = place(practice, "outbox", "template", &spelled);
    let content: Sealed = open_json(key, &place, &sealed, damage)?;
    Ok(Some(Template {
        id: content.id,
        locale: content.locale,
        variables: content
            .variables
            .into_iter()
            .map(|(name, value)| (name, Phi::new(value)))
            .collect(),
    }))
}
