//! The gateway's settings out of the configuration, and `web`'s port to the model server.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::agent::facts;
use crate::agent::ports::BoxFuture;
use crate::cli::assemble;
use crate::config::Config;
use crate::domain::practice::Practice;
use crate::llm::upstream::{Fault, Upstream};
use crate::pipeline::house::House;
use crate::policy::words::Language;
use crate::web::gate::GuardSettings;
use crate::web::port;
use crate::web::port::UpstreamFault;

/// The model server behind the front door's port.
#[derive(Debug)]
struct Behind(Upstream);

impl port::Upstream for Behind {
    fn model(&self) -> &str {
        self.0.model()
    }

    fn complete(&self, request: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, UpstreamFault>> {
        Box::pin(async move {
            self.0.complete(request).await.map_err(|fault| match fault {
                Fault::Refused {
                    status,
                    code,
                    param,
                    retry_after,
                } => UpstreamFault::Refused {
                    status,
                    code,
                    param,
                    retry_after,
                },
                Fault::Timeout => UpstreamFault::Timeout,
                Fault::Unreachable => UpstreamFault::Unreachable,
                Fault::TooLong => UpstreamFault::TooLong,
            })
        })
    }
}

/// Who may ask, in which setting, and which server is asked.
pub(super) fn settings(
    config: &Config,
    house: &House,
    simulator: bool,
) -> Result<GuardSettings, String> {
    let guard = &config.guard;
    let mut practices = house.practices();
    let practice = if guard.practice.is_empty() {
        // Of several, none is the one that is meant.
        practices.next().filter(|_| practices.next().is_none())
    } else {
        let found = practices.find(|it| it.id.as_str() == guard.practice);
        if found.is_none() {
            return Err(format!(
                "guard.practice: there is no practice `{}`",
                guard.practice
            ));
        }
        found
    };
    let upstream = match assemble::model_key(&config.llm) {
        None => None,
        Some(key) => Some(upstream(config, &key)?),
    };
    Ok(GuardSettings {
        api_keys: guard
            .api_keys
            .iter()
            .map(|key| key.secret().clone())
            .collect(),
        open_here: simulator,
        context: practice.map_or_else(Map::new, |practice| context(practice)),
        upstream,
    })
}

fn upstream(
    config: &Config,
    key: &SecretString,
) -> Result<std::sync::Arc<dyn port::Upstream>, String> {
    let patience = Duration::from_secs(config.guard.timeout_s);
    let llm = &config.llm;
    let azure = assemble::azure(&llm.kind, &llm.api_version);
    let server = (&*llm.base_url, azure.as_deref());
    let upstream = Upstream::new(server, key, &llm.model, patience);
    let upstream = upstream.map_err(|error| error.to_string())?;
    Ok(std::sync::Arc::new(Behind(upstream)))
}

/// The strictest setting of a practice: nobody has agreed to anything, the patient may live
/// anywhere, and only what the practice says in public is known. Without an outside portal there
/// is no link to rewrite towards (the built-in one keeps only what this house sends), so that such
/// drafts are held.
fn context(practice: &Practice) -> Map<String, Value> {
    let facts: Vec<Value> = facts::of_practice(practice, Language::En)
        .into_iter()
        .map(|fact| json!({ "field": fact.field, "value": fact.value.as_str() }))
        .collect();
    let context = json!({
        "practice": {
            "name": practice.name,
            "phone": practice.phone,
            "type": practice.kind,
            "portal_url": practice.portal_url,
        },
        "channel": "sms",
        "consent": "none",
        "state": "US",
        "language": "en",
        "timezone": practice.timezone,
        "purpose": "reply",
        "facts": facts,
    });
    context.as_object().cloned().unwrap_or_default()
}
