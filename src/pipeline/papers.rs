//! Agreements: which a channel or a model takes, and which are not in force.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::agreement::{Agreement, Lack, lacking};
use crate::domain::ids::PracticeId;
use crate::domain::practice::{CarrierKind, Practice};
use crate::policy::law::Law;
use crate::policy::law::channels::{Carries, Paper};
use crate::policy::words::Channel;
use crate::store::{Store, StoreError};

/// An agreement that ends within so many days is told of before it ends: a renewal takes its weeks.
pub const ENDING_DAYS: i64 = 30;

/// Who asks for agreements.
#[derive(Clone, Debug)]
pub struct Register<'a> {
    /// What channels and models take.
    pub law: Arc<Law>,
    /// Where agreements are recorded; without it only those of the configuration count.
    pub store: Option<&'a Store>,
    /// The present.
    pub now: Timestamp,
}

/// Agreements that a practice lacks, and what stays here for want of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whose.
    pub practice: PracticeId,
    /// For what: `twilio sms`, `model at api.openai.com`.
    pub what: String,
    /// Which.
    pub papers: Vec<Lack>,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let papers: Vec<String> = self.papers.iter().map(ToString::to_string).collect();
        let (practice, what) = (&self.practice, &self.what);
        write!(f, "practice `{practice}`, {what}: {}", papers.join(" and "))
    }
}

impl Register<'_> {
    /// What a channel lacks for texts with PHI today; none when it may carry them.
    pub async fn channel(
        &self,
        practice: &Practice,
        carrier: CarrierKind,
        channel: Channel,
    ) -> Result<Vec<Lack>, StoreError> {
        let number_type = practice.number_type(carrier, channel);
        let channels = self.law.channels();
        let carriage = channels.carriage(carrier.as_str(), channel, number_type);
        if carriage.carries < Carries::Phi {
            return Ok(vec![Lack::Barred]);
        }
        self.unsigned(practice, &carriage.needs).await
    }

    /// The agreement that a model at this host lacks; none when it may see what patients write: it
    /// runs in this house, its vendor has signed, or the practice has no real patients.
    pub async fn model(
        &self,
        practice: &Practice,
        host: Option<&str>,
    ) -> Result<Option<Lack>, StoreError> {
        let Some(paper) = host.and_then(|host| self.law.channels().model_paper(host)) else {
            return Ok(None);
        };
        let mut senders = practice.senders.iter();
        if !senders.any(|sender| sender.carrier.is_company()) {
            return Ok(None);
        }
        Ok(self.unsigned(practice, &[paper]).await?.pop())
    }

    /// The agreement that a mail relay at this host lacks; none when notices may go by it: it runs in this
    /// house, its operator has signed, or the practice has no real patients. What is mailed holds no
    /// health information, but whom it is for (45 CFR 160.103: individually identifiable).
    pub async fn mail(&self, practice: &Practice, host: &str) -> Result<Option<Lack>, StoreError> {
        let own = self.law.channels().model_paper(host).is_none();
        let mut senders = practice.senders.iter();
        if own || !senders.any(|sender| sender.carrier.is_company()) {
            return Ok(None);
        }
        let paper = Paper {
            counterparty: host.to_owned(),
            product: "email".to_owned(),
        };
        Ok(self.unsigned(practice, &[paper]).await?.pop())
    }

    /// Everything that a practice lacks, with models at these hosts.
    pub async fn missing(
        &self,
        practice: &Practice,
        models: &[&str],
    ) -> Result<Vec<Missing>, StoreError> {
        let mut missing = Vec::new();
        let mut add = |what: String, papers: Vec<Lack>| {
            if !papers.is_empty() {
                missing.push(Missing {
                    practice: practice.id.clone(),
                    what,
                    papers,
                });
            }
        };
        for (carrier, channel) in practice.channels() {
            let papers = self.channel(practice, carrier, channel).await?;
            add(format!("{carrier} {channel}"), papers);
        }
        for host in models {
            let paper = self.model(practice, Some(host)).await?;
            add(format!("model at {host}"), paper.into_iter().collect());
        }
        Ok(missing)
    }

    /// Agreements in force today that end within so many days with none recorded to follow.
    pub async fn ending(
        &self,
        practice: &Practice,
        days: i64,
    ) -> Result<Vec<Agreement>, StoreError> {
        let today = self.today(practice);
        let mut all = practice.agreements.clone();
        if let Some(store) = self.store {
            let recorded = store.agreements(&practice.id).await?;
            all.extend(recorded.into_iter().map(|it| it.agreement));
        }
        let ends = |it: &&Agreement| {
            let Some(until) = it.until.filter(|_| it.covers(today)) else {
                return false;
            };
            let left = until.duration_since(today).as_hours() / 24;
            let next = until.tomorrow().unwrap_or(until);
            let follows = |other: &Agreement| {
                other.counterparty == it.counterparty
                    && other.product == it.product
                    && other.covers(next)
            };
            left <= days && !all.iter().any(follows)
        };
        Ok(all.iter().filter(ends).cloned().collect())
    }

    /// The day where the practice is.
    fn today(&self, practice: &Practice) -> Date {
        let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
        self.now.to_zoned(zone).date()
    }

    /// Which of these are not in force today, where the practice is.
    async fn unsigned(
        &self,
        practice: &Practice,
        needs: &[Paper],
    ) -> Result<Vec<Lack>, StoreError> {
        let today = self.today(practice);
        let mut known: Vec<&Agreement> = practice.agreements.iter().collect();
        let left = lacking(needs, &known, today);
        let (false, Some(store)) = (left.is_empty(), self.store) else {
            return Ok(left);
        };
        let recorded = store.agreements(&practice.id).await?;
        known.extend(recorded.iter().map(|it| &it.agreement));
        Ok(lacking(needs, &known, today))
    }
}
