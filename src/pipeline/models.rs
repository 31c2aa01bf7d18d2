//! Models: who drafts for a practice, in which order, and what that may cost it.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::agent::ports::Model;
use crate::domain::practice::Practice;
use crate::pipeline::house::House;
use crate::store::StoreError;

/// Billionths in a dollar.
const NANO: f64 = 1_000_000_000.0;

/// Who drafts for a practice.
pub(crate) struct Drafters<'a> {
    /// In order; the last one is the offline one.
    pub(crate) models: Vec<&'a dyn Model>,
    /// Whether those on other machines may see no identifier of anybody.
    pub(crate) veiled: bool,
}

impl House {
    /// Where configured models are, other than on this machine; each host once.
    pub(crate) fn model_hosts(&self) -> Vec<&str> {
        let configured = std::iter::once(&self.parts.model).chain(&self.parts.fallbacks);
        let mut hosts: Vec<&str> = configured.filter_map(|model| model.host()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// Who drafts, in order: the configured models while the practice's money lasts, where `any` of
    /// them may be asked at all, and the offline one.
    ///
    /// The first decides what is shown: behind one whose vendor has an agreement, a model without one
    /// is passed over, for what the first was shown stands in the request.
    pub(crate) async fn drafters(
        &self,
        practice: &Practice,
        any: bool,
        now: Timestamp,
    ) -> Result<Drafters<'_>, StoreError> {
        let mut models: Vec<&dyn Model> = Vec::new();
        let mut veiled = None;
        if any && !self.spent_up(practice, now).await? {
            let configured = std::iter::once(&self.parts.model).chain(&self.parts.fallbacks);
            for model in configured {
                let host = model.host();
                if host.is_some() {
                    let missing = self.register(now).model(practice, host).await?.is_some();
                    let veil = *veiled.get_or_insert(missing);
                    if missing && !veil {
                        continue;
                    }
                }
                models.push(&**model);
            }
        }
        models.push(&*self.parts.offline);
        Ok(Drafters {
            models,
            veiled: veiled.unwrap_or(true),
        })
    }

    /// Whether the practice's money for models is used up in this month.
    async fn spent_up(&self, practice: &Practice, now: Timestamp) -> Result<bool, StoreError> {
        let Some(cap) = practice.model_cap_usd else {
            return Ok(false);
        };
        let first = today(practice, now).first_of_month();
        let spent = self.store().spent_on_models(&practice.id, first).await?;
        let over = spent >= nanodollars(cap);
        if over {
            metrics::counter!("anteroom_model_capped_total").increment(1);
        }
        Ok(over)
    }

    /// Keeps what a turn cost. An answer that is there is not thrown away because its price could not
    /// be kept.
    pub(crate) async fn note_spend(&self, practice: &Practice, spent: u64, now: Timestamp) {
        if spent == 0 {
            return;
        }
        let day = today(practice, now);
        let kept = self.store().spend_on_models(&practice.id, day, spent).await;
        if let Err(error) = kept {
            tracing::warn!(practice = %practice.id, %error, "what an answer cost is not kept");
        }
    }
}

fn today(practice: &Practice, now: Timestamp) -> Date {
    let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
    now.to_zoned(zone).date()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a price in dollars; negative ones are refused at load and cost nothing here"
)]
fn nanodollars(usd: f64) -> u64 {
    (usd.max(0.0) * NANO) as u64
}
