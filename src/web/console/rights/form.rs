//! A disclosure as it is typed: kept as it was when something is wrong with it, and read.

use jiff::civil::Date;
use jiff::{ToSpan as _, Unit};
use serde_json::{Value, json};

use crate::domain::rights::{ACCOUNTING_YEARS, Disclosure, DisclosureKind, SPOKEN_DAYS};
use crate::web::console::seat::Fields;

/// Longest name of whoever was told, and longest address.
const LINE_CHARS_MAX: usize = 300;
/// Longest account of what was told, what for, or asked.
pub(super) const WORDS_CHARS_MAX: usize = 1_000;

/// The form.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) kind: String,
    on: String,
    recipient: String,
    address: String,
    what: String,
    purpose: String,
    repeated: String,
    withheld: String,
    statement: String,
}

/// A day of a form: none where nothing is written, and never one that lies ahead.
pub(super) fn day(text: &str, what: &str, today: Date) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<Date>() {
        Ok(day) if day > today => Err(format!("{what} lies ahead: {day}.")),
        Ok(day) => Ok(Some(day)),
        Err(_no_day) => Err(format!("{what} is no day: write it as 2026-12-01.")),
    }
}

impl Typed {
    pub(super) fn read(fields: &Fields) -> Self {
        let own = |name| fields.get(name).replace("\r\n", "\n").trim().to_owned();
        Self {
            kind: own("kind"),
            on: own("on"),
            recipient: own("recipient"),
            address: own("address"),
            what: own("what"),
            purpose: own("purpose"),
            repeated: own("repeated"),
            withheld: own("withheld"),
            statement: own("statement"),
        }
    }

    pub(super) fn shown(&self) -> Value {
        json!({
            "on": self.on, "recipient": self.recipient, "address": self.address,
            "what": self.what, "purpose": self.purpose, "repeated": self.repeated,
            "withheld": self.withheld, "statement": self.statement,
        })
    }

    /// What the form says, or what is wrong with it, where, and how to mend it.
    pub(super) fn disclosure(&self, today: Date) -> Result<(DisclosureKind, Disclosure), String> {
        let Ok(kind) = self.kind.parse::<DisclosureKind>() else {
            return Err("Choose why they were told: a reason of the list.".to_owned());
        };
        let Some(on) = day(&self.on, "The day of the disclosure", today)? else {
            return Err("Give the day on which they were told.".to_owned());
        };
        let first = today.saturating_sub(i64::from(ACCOUNTING_YEARS).years());
        if on < first {
            return Err(format!(
                "The day of the disclosure, {on}, is more than six years ago: no accounting \
                 reaches back so far (45 CFR 164.528(a)(1))."
            ));
        }
        for (text, what, most) in [
            (&self.recipient, "Who was told", LINE_CHARS_MAX),
            (&self.what, "What they were told", WORDS_CHARS_MAX),
            (&self.purpose, "What for", WORDS_CHARS_MAX),
        ] {
            if text.is_empty() {
                return Err(format!(
                    "{what} is missing: the accounting must say it (45 CFR 164.528(b)(2))."
                ));
            }
            limited(text, what, most)?;
        }
        limited(&self.address, "The address", LINE_CHARS_MAX)?;
        limited(&self.repeated, "How often", LINE_CHARS_MAX)?;
        Ok((
            kind,
            Disclosure {
                on,
                recipient: self.recipient.clone(),
                address: self.address.clone(),
                what: self.what.clone(),
                purpose: self.purpose.clone(),
                repeated: self.repeated.clone(),
                withheld_until: self.withheld_until(kind, today)?,
            },
        ))
    }

    fn withheld_until(&self, kind: DisclosureKind, today: Date) -> Result<Option<Date>, String> {
        if self.withheld.is_empty() {
            return Ok(None);
        }
        let Ok(until) = self.withheld.parse::<Date>() else {
            return Err(
                "The day until which the patient is not told is no day: write it as 2026-12-01."
                    .to_owned(),
            );
        };
        if !kind.may_be_withheld() {
            return Err(
                "Only a health oversight agency or law enforcement may ask that the patient is \
                 not told (45 CFR 164.528(a)(2)): leave that day empty."
                    .to_owned(),
            );
        }
        if until < today {
            return Err(format!(
                "The day until which the patient is not told is over: {until}."
            ));
        }
        let days = today
            .until((Unit::Day, until))
            .map_or(i64::MAX, |it| i64::from(it.get_days()));
        match self.statement.as_str() {
            "written" => Ok(Some(until)),
            "spoken" if days <= SPOKEN_DAYS => Ok(Some(until)),
            "spoken" => Err(format!(
                "A spoken wish counts for {SPOKEN_DAYS} days at most; for {until} it takes a \
                 statement in writing (45 CFR 164.528(a)(2)(ii))."
            )),
            _ => Err("Say whether the agency asked in writing or by word of mouth.".to_owned()),
        }
    }
}

fn limited(text: &str, what: &str, most: usize) -> Result<(), String> {
    let count = text.chars().count();
    if count > most {
        return Err(format!(
            "{what} is {count} characters long; the accounting wants it in brief, at most {most}."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn good() -> Typed {
        Typed {
            kind: "law_enforcement".to_owned(),
            on: "2026-11-20".to_owned(),
            recipient: "Lake County Sheriff 👮 שֵׁרִיף".to_owned(),
            what: "Dates of two visits".to_owned(),
            purpose: "Warrant of November 19".to_owned(),
            ..Typed::default()
        }
    }

    #[test]
    fn a_disclosure_is_read_and_each_mistake_is_told() {
        let today = date(2026, 11, 26);
        let (kind, read) = good().disclosure(today).unwrap();
        assert_eq!(
            (kind, read.on),
            (DisclosureKind::LawEnforcement, date(2026, 11, 20))
        );
        assert_eq!(read.withheld_until, None);
        let long = "x".repeat(1_001);
        for (field, value, said) in [
            ("kind", "", "Choose why"),
            ("kind", "treatment", "Choose why"),
            ("on", "", "Give the day"),
            ("on", "yesterday", "is no day"),
            ("on", "2026-11-27", "lies ahead"),
            ("on", "2020-11-25", "more than six years"),
            ("recipient", "", "Who was told is missing"),
            ("what", "", "What they were told is missing"),
            ("what", &long, "1001 characters long"),
            ("purpose", "", "What for is missing"),
            ("withheld", "soon", "is no day"),
            ("withheld", "2026-12-10", "in writing or by word of mouth"),
            ("withheld", "2026-11-01", "is over"),
        ] {
            let mut wrong = good();
            let place = match field {
                "kind" => &mut wrong.kind,
                "on" => &mut wrong.on,
                "recipient" => &mut wrong.recipient,
                "what" => &mut wrong.what,
                "purpose" => &mut wrong.purpose,
                _ => &mut wrong.withheld,
            };
            value.clone_into(place);
            let fault = wrong.disclosure(today).unwrap_err();
            assert!(fault.contains(said), "{field}={value}: {fault}");
        }
    }

    #[test]
    fn an_agency_keeps_a_patient_from_being_told_only_as_the_rule_allows() {
        let today = date(2026, 11, 26);
        for (kind, until, statement, allowed) in [
            ("law_enforcement", "2026-12-26", "spoken", true),
            ("law_enforcement", "2026-12-27", "spoken", false),
            ("law_enforcement", "2027-11-26", "written", true),
            ("oversight", "2026-12-01", "written", true),
            ("public_health", "2026-12-01", "written", false),
        ] {
            let typed = Typed {
                kind: kind.to_owned(),
                withheld: until.to_owned(),
                statement: statement.to_owned(),
                ..good()
            };
            let read = typed.disclosure(today);
            assert_eq!(
                read.is_ok(),
                allowed,
                "{kind} {until} {statement}: {read:?}"
            );
        }
    }
}
