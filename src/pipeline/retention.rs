//! Retention: how long the law wants what patients and the practice wrote to be kept, which conversations
//! are past that, and their end. Nothing is destroyed by itself: staff decide, and a legal hold beats them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::domain::ids::{ConversationId, PatientId};
use crate::domain::practice::Practice;
use crate::domain::record::Patient;
use crate::domain::staff::Staff;
use crate::pipeline::house::House;
use crate::policy::law::duty::KeepDuty;
use crate::policy::words::Jurisdiction;
use crate::store::StoreError;
use crate::store::destroying::Rested;

/// Years where no state says: as long as the federal rule keeps documentation
/// (45 CFR 164.316(b)(2)(i)).
pub const YEARS_USUAL: u16 = 6;
/// Conversations that are looked at at once, those that rested longest.
pub const LOOKED_MAX: u32 = 500;
/// Every law keeps for longer what somebody wrote in since.
const YOUNG: SignedDuration = SignedDuration::from_hours(24 * 365);
/// Conversations that one click destroys.
pub const DESTROYED_MAX: usize = 200;

/// How long a kind of record is kept, and by which rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// Years.
    pub years: u16,
    /// Of a minor, at least until this age.
    pub minor_until: Option<u8>,
    /// What each rule says, with its source and its name.
    pub rules: Vec<(String, String, String)>,
}

/// A conversation whose time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub conversation: ConversationId,
    /// Its last text.
    pub last_turn: i64,
    /// When that was.
    pub last: Timestamp,
    /// Since when it need not be kept.
    pub since: Date,
    /// Whether a legal hold keeps it all the same.
    pub held: bool,
}

impl House {
    /// How long a kind of record (`patient_record`, `consent`, `audit_event`, ...) is kept of somebody
    /// who lives there.
    pub fn keeping(
        &self,
        practice: &Practice,
        residence: Jurisdiction,
        record: &str,
        now: Timestamp,
    ) -> Keeping {
        let governed = self.governed(practice, residence, now);
        let found = governed.duties.keep.iter();
        let found = found.clone().find(|(name, _)| name.as_str() == record);
        let Some((_, duty)) = found else {
            return Keeping {
                years: YEARS_USUAL,
                ..Keeping::default()
            };
        };
        let judge = self.in_force();
        let law = judge.guardrail.law();
        let rules = duty.by.iter().filter_map(|id| {
            let rule = law.rule(id)?;
            Some((rule.summary.clone(), rule.cite.clone(), id.to_string()))
        });
        Keeping {
            rules: rules.collect(),
            ..of(duty)
        }
    }

    /// The conversations that need not be kept any longer, the oldest first, of those that rested
    /// longest.
    pub async fn retention_due(
        &self,
        practice: &Practice,
        now: Timestamp,
    ) -> Result<Vec<Due>, StoreError> {
        let zone = TimeZone::get(&practice.timezone).unwrap_or(TimeZone::UTC);
        let today = now.to_zoned(zone.clone()).date();
        let store = self.store();
        let holds = store.standing_holds(&practice.id).await?;
        let held: BTreeSet<PatientId> = holds.into_iter().map(|it| it.patient).collect();
        // No law is read for what is surely young, and for a state only once.
        let young = now.saturating_sub(YOUNG).unwrap_or(now);
        let mut known = BTreeMap::new();
        let mut all = Vec::new();
        for rested in store.rested(&practice.id, young, LOOKED_MAX).await? {
            let last = rested.at.to_zoned(zone.clone()).date();
            // A record that does not answer tells of no hold: nothing of it is due.
            let Some(people) = self.people_of(practice, &rested).await else {
                continue;
            };
            let since = self.kept_until(practice, (&people, last), (&mut known, now));
            if since > today {
                continue;
            }
            let named = people.iter().map(|it| &it.id);
            let others = rested.conversation.speaker.others.iter();
            let mut named = named
                .chain(rested.conversation.patient.as_ref())
                .chain(others.map(|it| &it.patient));
            all.push(Due {
                conversation: rested.conversation.id,
                last_turn: rested.last_turn,
                last: rested.at,
                since,
                held: named.any(|it| held.contains(it)),
            });
        }
        Ok(all)
    }

    /// Destroys the words of conversations that are due and not held; of how many.
    pub async fn destroy_due(
        self: &Arc<Self>,
        staff: &Staff,
        practice: &Practice,
    ) -> Result<usize, StoreError> {
        let now = self.clock().now();
        let due = self.retention_due(practice, now).await?;
        let mut destroyed = 0;
        for it in due.iter().filter(|it| !it.held).take(DESTROYED_MAX) {
            let by = staff.actor();
            let gone =
                self.store()
                    .destroy_texts((&practice.id, &by), it.conversation, it.last_turn, now);
            destroyed += usize::from(gone.await?);
        }
        if destroyed > 0 {
            self.changed();
        }
        Ok(destroyed)
    }

    /// Everybody on file at the number of a conversation; none where the record does not answer.
    async fn people_of(&self, practice: &Practice, rested: &Rested) -> Option<Vec<Patient>> {
        let number = &rested.conversation.number;
        let people = self.records().patients_by_phone(&practice.id, number).await;
        let mut people = people.ok()?;
        if let Some(id) = &rested.conversation.patient
            && !people.iter().any(|it| it.id == *id)
        {
            people.extend(self.records().patient(&practice.id, id).await.ok()?);
        }
        Some(people)
    }

    /// The day from which a conversation need not be kept: the latest of everybody whose it may be. Of
    /// nobody who is known, every state's law applies, and they may have been a child.
    fn kept_until(
        &self,
        practice: &Practice,
        (people, last): (&[Patient], Date),
        (known, now): (&mut BTreeMap<Jurisdiction, Keeping>, Timestamp),
    ) -> Date {
        let mut until = |residence, born: Option<Date>| {
            let keeping = known
                .entry(residence)
                .or_insert_with(|| self.keeping(practice, residence, "patient_record", now));
            until(keeping, last, born)
        };
        if people.is_empty() {
            return until(Jurisdiction::UNKNOWN, None);
        }
        let days = people
            .iter()
            .map(|it| until(it.state, it.birth_date.as_ref().map(|it| *it.expose())));
        days.max().unwrap_or(Date::MAX)
    }
}

fn of(duty: &KeepDuty) -> Keeping {
    Keeping {
        years: duty.years.0.unwrap_or(YEARS_USUAL),
        minor_until: duty.minor_until_age.0,
        rules: Vec::new(),
    }
}

/// The first day on which something need not be kept.
fn until(keeping: &Keeping, last: Date, born: Option<Date>) -> Date {
    let years = last.saturating_add(i64::from(keeping.years).years());
    let grown = keeping.minor_until.map(|age| {
        // Not known when somebody was born: as if on the day of the last text.
        let born = born.unwrap_or(last);
        born.saturating_add(i64::from(age).years())
    });
    grown.map_or(years, |grown| years.max(grown))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_child_s_record_is_kept_until_they_are_grown_and_a_stranger_s_as_if_a_child_s() {
        let keeping = |years, minor_until| Keeping {
            years,
            minor_until,
            rules: Vec::new(),
        };
        let last = date(2020, 3, 1);
        for (keeping, born, wanted) in [
            (keeping(7, None), None, date(2027, 3, 1)),
            (
                keeping(7, Some(19)),
                Some(date(1960, 1, 1)),
                date(2027, 3, 1),
            ),
            (
                keeping(7, Some(19)),
                Some(date(2015, 5, 5)),
                date(2034, 5, 5),
            ),
            (keeping(7, Some(19)), None, date(2039, 3, 1)),
        ] {
            assert_eq!(until(&keeping, last, born), wanted, "{keeping:?} {born:?}");
        }
    }
}
