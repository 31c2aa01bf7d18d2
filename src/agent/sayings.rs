//! What the agent says, as named templates with typed contexts, each with a sample.

use std::marker::PhantomData;

use serde::Serialize;

/// What a template may name.
pub trait Words: Serialize {
    /// Invented values with which every language's template must render.
    fn sample() -> Self;
}

/// A template by name, with the type of its context.
#[derive(Debug)]
pub struct Saying<C> {
    /// The name of its file, without `.tera`.
    pub name: &'static str,
    context: PhantomData<fn(C)>,
}

impl<C> Clone for Saying<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Saying<C> {}

const fn saying<C>(name: &'static str) -> Saying<C> {
    Saying {
        name,
        context: PhantomData,
    }
}

/// Defines the sayings and the table of all of them, so that neither can miss one.
macro_rules! sayings {
    ($($(#[doc = $doc:literal])* $constant:ident = $name:literal: $context:ty;)+) => {
        $($(#[doc = $doc])* pub const $constant: Saying<$context> = saying($name);)+

        /// What each template is for, in words.
        pub const ABOUT: &[(&str, &str)] = &[$(($name, concat!($($doc),*))),+];

        /// Every template's name with a sample of its context.
        pub const ALL: &[(&str, fn() -> serde_json::Value)] = &[
            $(($name, || {
                serde_json::to_value(<$context as Words>::sample()).unwrap_or_default()
            })),+
        ];
    };
}

sayings! {
    /// The standing instructions of a language model.
    SYSTEM = "system": System;
    /// The next visit.
    VISIT = "visit": Visit;
    /// Several visits.
    VISITS = "visits": Visits;
    /// No visit.
    VISIT_NONE = "visit_none": Nothing;
    /// Where the next visit is.
    VISIT_PLACE = "visit_place": Visit;
    /// Whom the next visit is with.
    VISIT_PROVIDER = "visit_provider": Visit;
    /// A visit was confirmed.
    CONFIRMED = "confirmed": Visit;
    /// Asks for YES before cancelling.
    CANCEL_ASK = "cancel_ask": Visit;
    /// A visit was cancelled.
    CANCELLED = "cancelled": Visit;
    /// A visit was moved.
    MOVED = "moved": Visit;
    /// A visit was booked.
    BOOKED = "booked": Visit;
    /// Asks for YES before cancelling when the practice's notice is over.
    CANCEL_LATE = "cancel_late": Late;
    /// On the waitlist, off it, or never on it.
    WAITLIST = "waitlist": Told;
    /// The language was kept.
    LANGUAGE = "language": Nothing;
    /// How to prepare, behind the link.
    PREPARATION = "preparation": Nothing;
    /// Numbered free times.
    OFFER = "offer": Offer;
    /// No free time.
    OFFER_NONE = "offer_none": Nothing;
    /// Opening hours.
    HOURS = "hours": Hours;
    /// The address.
    ADDRESS = "address": Told;
    /// The voice number.
    PHONE = "phone": Told;
    /// Parking.
    PARKING = "parking": Told;
    /// Insurance.
    INSURANCE = "insurance": Told;
    /// Languages spoken.
    LANGUAGES = "languages": Told;
    /// Any other public fact.
    TOLD = "told": Told;
    /// A public question without an answer on file.
    NOT_TOLD = "not_told": Phone;
    /// Released results.
    RESULTS = "results": Results;
    /// No released result.
    RESULTS_NONE = "results_none": Nothing;
    /// Passed to staff.
    HANDED_OVER = "handed_over": HandedOver;
    /// The number is not on file.
    NOT_ON_FILE = "not_on_file": Phone;
    /// The calendar changed, or the visit is gone.
    NOT_FOUND = "not_found": Nothing;
    /// Who is texting.
    ASSISTANT = "assistant": Told;
    /// A greeting, or an answer to nothing.
    HELLO = "hello": Nothing;
    /// After thanks.
    THANKS = "thanks": Nothing;
    /// Nothing was changed.
    KEPT = "kept": Nothing;
    /// Something failed on our side.
    TROUBLE = "trouble": HandedOver;
    /// A visit is coming; the practice begins.
    REMINDER = "reminder": Reminder;
    /// Several visits of a day are coming, of one person or of a family.
    REMINDERS = "reminders": Reminders;
    /// One yes confirmed several visits.
    CONFIRMED_ALL = "confirmed_all": ConfirmedAll;
    /// A visit was missed; the practice offers a new time.
    MISSED = "missed": Reminder;
    /// The last visit is long ago; the practice asks the patient to come again.
    RECALL = "recall": Recalled;
    /// A time became free; it is offered to somebody on the waitlist.
    FREED = "freed": Freed;
    /// The record system does not answer.
    RECORD_DOWN = "record_down": HandedOver;
}

/// Context of the standing instructions.
#[derive(Clone, Debug, Serialize)]
pub struct System {
    /// The practice's name.
    pub practice: String,
    /// The front desk's number.
    pub phone: String,
    /// Today with weekday and year.
    pub today: String,
    /// Now, as patients are told.
    pub clock: String,
    /// The coming two weeks, each day with its weekday and whether the practice is open.
    pub calendar: String,
    /// Whether the number belongs to one person on file.
    pub on_file: bool,
    /// Whether a text tries to steer the model.
    pub untrusted: bool,
    /// The open question; empty when none.
    pub open_question: String,
    /// The visit it is about.
    pub open_visit: String,
    /// The slots on offer, in order.
    pub open_slots: Vec<String>,
}

impl Words for System {
    fn sample() -> Self {
        Self {
            practice: "Lakeside Family Medicine".to_owned(),
            phone: "415-555-0100".to_owned(),
            today: "Tuesday, December 1, 2026".to_owned(),
            clock: "Tue, Dec 1 at 10:00 AM".to_owned(),
            calendar: "today Tue open, in 1 day Wed open, in 2 days Thu open".to_owned(),
            on_file: true,
            untrusted: true,
            open_question: "reschedule_choice".to_owned(),
            open_visit: "visit-1".to_owned(),
            open_slots: vec!["slot-1".to_owned(), "slot-2".to_owned()],
        }
    }
}

/// A template without a variable.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Nothing {}

impl Words for Nothing {
    fn sample() -> Self {
        Self {}
    }
}

/// One visit in words.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Visit {
    /// `Wed, Dec 2 at 3:00 PM`.
    pub when: String,
    /// `Dr. Ana Reyes`; may be empty.
    pub provider: String,
    /// Where; may be empty.
    pub place: String,
}

impl Words for Visit {
    fn sample() -> Self {
        Self {
            when: "Wed, Dec 2 at 3:00 PM".to_owned(),
            provider: "Dr. Ana Reyes".to_owned(),
            place: "12 Lake Street, Suite 4".to_owned(),
        }
    }
}

/// A visit to be cancelled late.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Late {
    /// `Wed, Dec 2 at 3:00 PM`.
    pub when: String,
    /// Hours of notice that the practice asks for.
    pub hours: u64,
}

impl Words for Late {
    fn sample() -> Self {
        Self {
            when: "Wed, Dec 2 at 3:00 PM".to_owned(),
            hours: 24,
        }
    }
}

/// A visit that is coming.
#[derive(Clone, Debug, Serialize)]
pub struct Reminder {
    /// The practice's name.
    pub practice: String,
    /// `Wed, Dec 2 at 3:00 PM`.
    pub when: String,
    /// The front desk's number.
    pub phone: String,
    /// Whether an answer can be taken: not on a phone that several share.
    pub asks: bool,
}

impl Words for Reminder {
    fn sample() -> Self {
        Self {
            practice: "Lakeside Family Medicine".to_owned(),
            when: "Wed, Dec 2 at 3:00 PM".to_owned(),
            phone: "415-555-0100".to_owned(),
            asks: true,
        }
    }
}

/// Several visits that are coming, at one number.
#[derive(Clone, Debug, Serialize)]
pub struct Reminders {
    /// The practice's name.
    pub practice: String,
    /// `Wed, Dec 2 at 3:00 PM and Wed, Dec 2 at 3:30 PM`.
    pub times: String,
    /// The front desk's number.
    pub phone: String,
}

impl Words for Reminders {
    fn sample() -> Self {
        Self {
            practice: "Lakeside Family Medicine".to_owned(),
            times: "Wed, Dec 2 at 3:00 PM and Wed, Dec 2 at 3:30 PM".to_owned(),
            phone: "415-555-0100".to_owned(),
        }
    }
}

/// What a yes to several visits did.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmedAll {
    /// The visits that are confirmed; empty: none.
    pub times: String,
    /// Whether one or more are not, since they changed or the record did not take it.
    pub left: bool,
}

impl Words for ConfirmedAll {
    fn sample() -> Self {
        Self {
            times: "Wed, Dec 2 at 3:00 PM and Wed, Dec 2 at 3:30 PM".to_owned(),
            left: true,
        }
    }
}

/// Somebody who is due for a visit.
#[derive(Clone, Debug, Serialize)]
pub struct Recalled {
    /// The practice's name.
    pub practice: String,
    /// What the visit is called: `your yearly visit`.
    pub visit: String,
    /// The front desk's number.
    pub phone: String,
    /// Whether an answer can be taken: not on a phone that several share.
    pub asks: bool,
}

impl Words for Recalled {
    fn sample() -> Self {
        Self {
            practice: "Lakeside Family Medicine".to_owned(),
            visit: "your yearly visit".to_owned(),
            phone: "415-555-0100".to_owned(),
            asks: true,
        }
    }
}

/// A time that became free.
#[derive(Clone, Debug, Serialize)]
pub struct Freed {
    /// The practice's name.
    pub practice: String,
    /// `Wed, Dec 2 at 3:00 PM`.
    pub when: String,
    /// `Dr. Ana Reyes`; may be empty.
    pub provider: String,
    /// The visit that would move to it; empty: it is booked beside what there is.
    pub instead: String,
    /// Until when an answer counts: `10:30 AM`.
    pub until: String,
}

impl Words for Freed {
    fn sample() -> Self {
        Self {
            practice: "Lakeside Family Medicine".to_owned(),
            when: "Wed, Dec 2 at 3:00 PM".to_owned(),
            provider: "Dr. Ana Reyes".to_owned(),
            instead: "Thu, Dec 10 at 9:00 AM".to_owned(),
            until: "10:30 AM".to_owned(),
        }
    }
}

/// Several visits.
#[derive(Clone, Debug, Serialize)]
pub struct Visits {
    /// Soonest first.
    pub visits: Vec<Visit>,
}

impl Words for Visits {
    fn sample() -> Self {
        Self {
            visits: vec![Visit::sample(), Visit::sample(), Visit::sample()],
        }
    }
}

/// A numbered free time.
#[derive(Clone, Debug, Serialize)]
pub struct Numbered {
    /// What the patient answers.
    pub number: u64,
    /// `Thu Dec 3, 9:00 AM`.
    pub when: String,
}

/// Free times on offer.
#[derive(Clone, Debug, Serialize)]
pub struct Offer {
    /// Whether they are on the wished days.
    pub exact: bool,
    /// Whether a chosen time was gone.
    pub taken: bool,
    /// Whether they are for a new visit, not for one that moves.
    pub new: bool,
    /// The times.
    pub offers: Vec<Numbered>,
}

impl Words for Offer {
    fn sample() -> Self {
        let offers = (1..=3)
            .map(|number| Numbered {
                number,
                when: "Thu Dec 3, 10:30 AM".to_owned(),
            })
            .collect();
        Self {
            exact: false,
            taken: true,
            new: true,
            offers,
        }
    }
}

/// A public fact.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// Its value.
    pub value: String,
}

impl Words for Told {
    fn sample() -> Self {
        Self {
            value: "Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM".to_owned(),
        }
    }
}

/// Opening hours, and the day asked about.
#[derive(Clone, Debug, Serialize)]
pub struct Hours {
    /// The hours.
    pub value: String,
    /// The weekday asked about, as it recurs; empty when none was.
    pub days: String,
    /// Whether the practice is open on it.
    pub open: bool,
}

impl Words for Hours {
    fn sample() -> Self {
        Self {
            value: "Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM".to_owned(),
            days: "Saturdays".to_owned(),
            open: false,
        }
    }
}

/// The front desk's number.
#[derive(Clone, Debug, Serialize)]
pub struct Phone {
    /// As people read it.
    pub phone: String,
}

impl Words for Phone {
    fn sample() -> Self {
        Self {
            phone: "415-555-0100".to_owned(),
        }
    }
}

/// One released result.
#[derive(Clone, Debug, Serialize)]
pub struct Lab {
    /// Its name.
    pub name: String,
    /// What it showed; may be empty.
    pub value: String,
}

/// Released results.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// Newest first.
    pub results: Vec<Lab>,
}

impl Words for Results {
    fn sample() -> Self {
        let lab = |name: &str, value: &str| Lab {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        Self {
            results: vec![lab("Skin biopsy", "benign"), lab("Hemoglobin A1c", "7.2 %")],
        }
    }
}

/// Passed to staff.
#[derive(Clone, Debug, Serialize)]
pub struct HandedOver {
    /// Why, as `HandOver` spells it.
    pub reason: String,
    /// When staff answer, as it follows "They answer"; empty where the hours do not tell.
    pub answering: String,
    /// The front desk's number, as people read it.
    pub phone: String,
}

impl Words for HandedOver {
    fn sample() -> Self {
        Self {
            reason: "medical".to_owned(),
            answering: "from Wed, Dec 2 at 8:00 AM".to_owned(),
            phone: "415-555-0100".to_owned(),
        }
    }
}
