//! The inventory: what the policy consists of, so that nothing can leave it unseen.
//!
//! Cases show what a rule does; they cannot show each of forty thousand words. The baseline keeps
//! the inventory beside the figures: a rule that is gone, a list that lost a word, an approved
//! text or the day of a law that changed is told, and stops the gate until a person renews it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::agent::texts::{TextContext, TextId, Texts};
use crate::policy::Policy;
use crate::policy::words::Language;

/// What the policy consists of, by name.
pub type Inventory = BTreeMap<String, String>;

/// Hexadecimal digits that tell one wording from another.
const DIGEST_CHARS: usize = 16;

/// The inventory of a policy and of the approved texts.
pub fn inventory(policy: &Policy, texts: &Texts) -> Inventory {
    let mut all = Inventory::new();
    for rule in policy.rules() {
        all.insert(format!("rule {}", rule.id), "in force".to_owned());
    }
    for (list, terms) in policy.lists() {
        all.insert(format!("list {list}"), terms.to_string());
    }
    for rule in policy.law().rules() {
        let until = rule.until.map_or_else(String::new, |day| day.to_string());
        all.insert(
            format!("law {}", rule.id),
            format!("{} to {until}", rule.effective),
        );
    }
    let context = TextContext::sample();
    for id in TextId::ALL {
        for language in Language::ALL {
            let text = texts.render(*id, *language, &context).text;
            let digest = hex::encode(Sha256::digest(text.as_bytes()));
            let short = digest.get(..DIGEST_CHARS).unwrap_or_default();
            all.insert(format!("text {id} {language}"), short.to_owned());
        }
    }
    all
}

/// What was lost or changed since `before`, as a sentence each.
pub fn lost(before: &Inventory, now: &Inventory) -> Vec<String> {
    let mut told = Vec::new();
    for (name, was) in before {
        let is = now.get(name);
        let numbers = (was.parse::<u64>(), is.map(|it| it.parse::<u64>()));
        match (is, numbers) {
            (None, _) => told.push(format!("{name} is gone")),
            (Some(is), _) if is == was => {}
            (Some(_), (Ok(was), Some(Ok(is)))) if was > is => {
                told.push(format!("{name}: {} of {was} terms are gone", was - is));
            }
            (Some(_), (Ok(_), Some(Ok(_)))) => {}
            (Some(is), _) => told.push(format!("{name}: {was} became {is}")),
        }
    }
    told
}
