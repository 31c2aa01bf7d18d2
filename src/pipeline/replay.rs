//! Replay: the questions of one turn made again, byte for byte, and what has moved since.

use std::sync::Arc;

use crate::agent::ports::Model;
use crate::agent::prompts::{Prompts, Wording};
use crate::agent::recording::{self, Sent, Unreadable};
use crate::agent::tools;
use crate::domain::phi::Phi;
use crate::store::recordings::{Digests, Recording};

/// One question, made again.
#[derive(Clone, Debug)]
pub struct Again {
    /// Which model was asked.
    pub model: String,
    /// SHA-256 of what it was sent then.
    pub then: String,
    /// What the same question is now; none where the model is not configured any more.
    pub bytes: Option<Phi<String>>,
}

impl Again {
    /// Whether it is the same, byte for byte.
    pub fn is_same(&self) -> bool {
        let now = self.bytes.as_ref().map(|it| recording::sha256(it.as_str()));
        now.as_deref() == Some(self.then.as_str())
    }
}

/// What a digest was then and is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest<'a> {
    /// Of what.
    pub what: &'static str,
    /// Then.
    pub then: &'a str,
    /// Now.
    pub now: &'a str,
}

impl Digest<'_> {
    /// Whether it is another one now.
    pub fn moved(&self) -> bool {
        self.then != self.now
    }
}

/// Then and now, in the order in which they are told.
pub fn compared<'a>(then: &'a Digests, now: &'a Digests) -> [Digest<'a>; 4] {
    [
        ("prompt", &then.prompt, &now.prompt),
        ("policy", &then.policy, &now.policy),
        ("model", &then.model, &now.model),
        ("tools", &then.tools, &now.tools),
    ]
    .map(|(what, then, now)| Digest { what, then, now })
}

/// What answers would be made by now. `models` are those that were asked then.
pub fn digests(wording: &Wording, policy: &str, models: &[String]) -> Digests {
    let prompts = wording.prompts();
    Digests {
        prompt: prompts.map(Prompts::digest).unwrap_or_default(),
        policy: policy.to_owned(),
        model: recording::sha256(&models.join("\n")),
        tools: tools::digest().to_owned(),
    }
}

/// Which models were asked, each once, in order.
pub fn asked(sent: &[Sent]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for one in sent {
        if !all.contains(&one.model) {
            all.push(one.model.clone());
        }
    }
    all
}

/// A model as a recording names it.
pub fn name(model: &dyn Model) -> String {
    recording::name(model)
}

/// Makes the questions of a turn again, with the models that are configured now.
pub fn again(kept: &Recording, models: &[Arc<dyn Model>]) -> Result<Vec<Again>, Unreadable> {
    let one = |sent: Sent| {
        let model = models.iter().find(|it| name(&***it) == sent.model);
        let bytes = model.and_then(|it| it.body(&sent.request).ok());
        Again {
            model: sent.model,
            then: sent.sha256,
            bytes,
        }
    };
    Ok(recording::read(&kept.sent)?.into_iter().map(one).collect())
}
