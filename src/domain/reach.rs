//! How far a number reaches: whether health details of this patient may be opened from it, by the
//! rules on minors and personal representatives.

use jiff::civil::Date;

use crate::domain::phone::E164;
use crate::domain::record::Patient;
use crate::policy::law::minors::Care;
use crate::policy::words::{Jurisdiction, vocabulary};

vocabulary! {
    /// What may be told to whoever writes from a number about this patient.
    Reach, "reach" {
        /// Everything that a patient may be told.
        Full = "full",
        /// Visits only; health details are for a person of the staff to tell, to the right one.
        Logistics = "logistics",
    }
}

/// From this age a minor may consent to some care alone, and then holds the right to its record
/// (45 CFR 164.502(g)(3)(i)). States differ by kind of care, from twelve (Cal. Fam. Code 6924, 6926;
/// 405 ILCS 5/3-550; Mass. Gen. Laws c. 112 s. 12E) to eighteen; the youngest age is the strictest
/// reading and is used for all of them.
pub const MINOR_MAY_CONSENT_FROM: i8 = 12;

/// The age of majority: eighteen but for Ala. Code 26-1-1 and Neb. Rev. Stat. 43-2101 (nineteen) and
/// Miss. Code 1-3-27 (twenty-one). An unknown state reads as the last.
pub fn majority(state: Jurisdiction) -> i8 {
    match state.as_str() {
        "AL" | "NE" => 19,
        "MS" => 21,
        _ if state == Jurisdiction::UNKNOWN => 21,
        _ => 18,
    }
}

/// How far this number reaches for this patient on a day.
///
/// A young child's parent or guardian speaks for the child. Between twelve and majority, or where
/// no birth date is known, parent and child may hold the phone and either may have the right: what
/// is clinical goes to neither by text. An adult's own number reaches all; a number of somebody who
/// acts for an adult reaches visits only, for nobody here has seen the authority (45 CFR
/// 164.502(g)(2), 164.514(h)).
pub fn reach(patient: &Patient, number: &E164, today: Date) -> Reach {
    let theirs = patient.phones.contains(number);
    let acts = patient.guardians.iter().any(|it| it.phone == *number);
    let Some(age) = patient
        .birth_date
        .as_ref()
        .and_then(|born| age(*born.expose(), today))
    else {
        return Reach::Logistics;
    };
    let child = age < MINOR_MAY_CONSENT_FROM;
    let adult = age >= majority(patient.state);
    if child || (adult && theirs && !acts) {
        Reach::Full
    } else {
        Reach::Logistics
    }
}

/// Whether a visit stays untold by text, to everybody: it is of a kind of care on which this patient
/// may decide alone, and nobody can see whether the patient or somebody who acts for them reads the
/// phone. That is so of a minor from the age on at which the law lets them decide, of a patient
/// without a birth date, and of an adult at a number of somebody else who acts for them. Of a visit
/// for which the record gives no reason (`cares` is none) the strictest is thought.
pub fn is_sheltered(
    patient: &Patient,
    number: &E164,
    today: Date,
    cares: Option<&[Care]>,
    decides_from: impl Fn(Care) -> u8,
) -> bool {
    let protected = cares.is_none_or(|cares| !cares.is_empty());
    let theirs = patient.phones.contains(number);
    let acts = patient.guardians.iter().any(|it| it.phone == *number);
    let born = patient.birth_date.as_ref().map(|born| *born.expose());
    match born.and_then(|born| age(born, today)) {
        Some(age) if age >= majority(patient.state) => (acts || !theirs) && protected,
        Some(age) => cares.map_or(age >= MINOR_MAY_CONSENT_FROM, |cares| {
            let mut cares = cares.iter();
            cares.any(|care| i16::from(age) >= i16::from(decides_from(*care)))
        }),
        None => protected,
    }
}

/// Whether the patient is known to be a minor.
pub fn is_minor(patient: &Patient, today: Date) -> bool {
    patient.birth_date.is_some() && may_be_minor(patient, today)
}

/// Whether the patient is a minor, or may be one.
pub fn may_be_minor(patient: &Patient, today: Date) -> bool {
    let born = patient.birth_date.as_ref().map(|born| *born.expose());
    let age = born.and_then(|born| age(born, today));
    age.is_none_or(|age| age < majority(patient.state))
}

/// Whole years; none where the birth lies in the future.
fn age(born: Date, today: Date) -> Option<i8> {
    let before = (today.month(), today.day()) < (born.month(), born.day());
    let years = today.year() - born.year() - i16::from(before);
    if years < 0 {
        return None;
    }
    Some(i8::try_from(years).unwrap_or(i8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PatientId;
    use crate::domain::phi::Phi;
    use crate::domain::record::Guardian;

    const OWN: &str = "+14155550142";
    const PARENT: &str = "+14155550143";

    fn patient(born: Option<&str>, state: &str, own: bool) -> Patient {
        let number = |it: &str| it.parse().unwrap();
        Patient {
            id: PatientId::new("pat-1"),
            first_name: Phi::from("Ana"),
            last_name: Phi::from("Invented"),
            birth_date: born.map(|it| Phi::new(it.parse().unwrap())),
            phones: if own { vec![number(OWN)] } else { vec![] },
            guardians: vec![Guardian {
                name: Phi::from("Rosa Invented"),
                phone: number(PARENT),
            }],
            language: None,
            state: state.parse().unwrap_or(Jurisdiction::UNKNOWN),
            mrn: None,
            email: None,
            address: None,
        }
    }

    #[test]
    fn minors_and_those_who_act_for_others_are_told_what_the_strictest_rule_allows() {
        let today = jiff::civil::date(2026, 11, 29);
        for (born, state, number, want) in [
            (Some("1980-05-04"), "CA", OWN, Reach::Full),
            (Some("1980-05-04"), "CA", PARENT, Reach::Logistics),
            (Some("2020-05-04"), "CA", PARENT, Reach::Full),
            (Some("2020-05-04"), "CA", OWN, Reach::Full),
            (Some("2014-11-30"), "CA", PARENT, Reach::Full),
            (Some("2014-11-29"), "CA", PARENT, Reach::Logistics),
            (Some("2012-01-01"), "CA", OWN, Reach::Logistics),
            (Some("2008-11-29"), "CA", OWN, Reach::Full),
            (Some("2008-11-29"), "AL", OWN, Reach::Logistics),
            (Some("2007-11-29"), "NE", OWN, Reach::Full),
            (Some("2006-11-29"), "MS", OWN, Reach::Logistics),
            (Some("2006-11-29"), "nowhere", OWN, Reach::Logistics),
            (Some("2005-11-29"), "nowhere", OWN, Reach::Full),
            (Some("2030-01-01"), "CA", OWN, Reach::Logistics),
            (None, "CA", OWN, Reach::Logistics),
        ] {
            let it = patient(born, state, true);
            let got = reach(&it, &number.parse().unwrap(), today);
            assert_eq!(got, want, "{born:?} in {state} from {number}");
        }
    }
}
