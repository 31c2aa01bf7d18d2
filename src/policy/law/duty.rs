//! The shapes of duties: what rules of one kind come to when the strictest wins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::policy::law::join::{Allowed, Flag, Ids, Join, Least, Most, Reach};
use crate::policy::law::params::{self, Clock, Moment, Term};
use crate::policy::law::terms::{
    Act, Event, From, Instead, LogisticsMode, MessageClass, OnMissing, Recipient, Scope, ShutOn,
    Support, Unit, Writer,
};

/// Implements [`Join`] by joining every field.
macro_rules! join_fields {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl Join for $name {
            fn join(&mut self, other: &Self) {
                $(self.$field.join(&other.$field);)+
            }
        }
    };
}
pub(crate) use join_fields;

/// A consent that must be on record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentDuty {
    /// What the text that asks must say.
    pub elements: BTreeSet<Term>,
    /// What is kept.
    pub proof: BTreeSet<Term>,
    /// What ends it.
    pub revoked_by: BTreeSet<Term>,
    /// What counts as giving it.
    pub satisfied_by: Allowed<Term>,
    /// Words that give it.
    pub affirm: Allowed<String>,
    /// What is outside of it.
    pub exempt: Allowed<Term>,
    /// Whom it protects.
    pub protects: Reach<Term>,
    /// Days until it must be asked again.
    pub expires_days: Least<u16>,
    /// What its absence does.
    pub on_missing: Most<OnMissing>,
    /// Forms that it must have.
    pub forms: BTreeSet<Term>,
    /// Texts that ask.
    pub texts: BTreeSet<Term>,
    /// The rules.
    pub by: Ids,
}
join_fields!(ConsentDuty {
    elements,
    proof,
    revoked_by,
    satisfied_by,
    affirm,
    exempt,
    protects,
    expires_days,
    on_missing,
    forms,
    texts,
    by,
});

/// What revokes, and how fast it acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptOutDuty {
    /// English words.
    pub keywords: BTreeSet<String>,
    /// Spanish words.
    pub keywords_es: BTreeSet<String>,
    /// Whether free words revoke.
    pub free_text: Flag,
    /// How soon it acts here.
    pub act_within_seconds: Least<u32>,
    /// What the law allows.
    pub law_deadline: BTreeSet<params::Span>,
    /// Confirmations.
    pub confirm_max: Least<u16>,
    /// How soon the confirmation leaves.
    pub confirm_within_seconds: Least<u32>,
    /// The confirmation.
    pub confirm_texts: BTreeSet<Term>,
    /// Years that it is honored.
    pub honored_years: Most<u16>,
    /// How far it reaches.
    pub scope: Most<Scope>,
    /// The rules.
    pub by: Ids,
}
join_fields!(OptOutDuty {
    keywords,
    keywords_es,
    free_text,
    act_within_seconds,
    law_deadline,
    confirm_max,
    confirm_within_seconds,
    confirm_texts,
    honored_years,
    scope,
    by,
});

/// The open hours of a week: for Monday to Sunday, from a minute to the first that is shut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// Monday to Sunday; nothing is open where the first is not before the second.
    pub days: [(Clock, Clock); 7],
    /// Whether federal holidays are shut.
    pub shut_on_holidays: Flag,
    /// The rules.
    pub by: Ids,
}

/// A day without any hours.
const SHUT: (Clock, Clock) = (Clock(24 * 60), Clock(0));

impl Join for Week {
    fn join(&mut self, other: &Self) {
        for (own, others) in self.days.iter_mut().zip(&other.days) {
            *own = (own.0.max(others.0), own.1.min(others.1));
            if own.0 >= own.1 {
                *own = SHUT;
            }
        }
        self.shut_on_holidays.join(&other.shut_on_holidays);
        self.by.join(&other.by);
    }
}

impl Week {
    pub(crate) fn of(rule: &params::SendWindow, by: Ids) -> Self {
        let usual = (rule.open, rule.close);
        let other = |it: Option<params::Hours>| it.map_or(usual, |it| (it.open, it.close));
        let sunday = if rule.closed_on.contains(&ShutOn::Sunday) {
            SHUT
        } else {
            other(rule.sunday)
        };
        let saturday = other(rule.saturday);
        Self {
            days: [usual, usual, usual, usual, usual, saturday, sunday],
            shut_on_holidays: Flag(rule.closed_on.contains(&ShutOn::Holidays)),
            by,
        }
    }
}

/// A class of content that is kept away from a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockDuty {
    /// Whose texts.
    pub authors: Reach<Writer>,
    /// What becomes of it.
    pub instead: Most<Instead>,
    /// Words that it is known by.
    pub lexicon: BTreeSet<String>,
    /// The rules.
    pub by: Ids,
}
join_fields!(BlockDuty {
    authors,
    instead,
    lexicon,
    by
});

/// What else is kept from a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SurfaceDuty {
    /// From whom.
    pub never_to: BTreeSet<Term>,
    /// For each task of the model, the fields that it may see.
    pub tasks: BTreeMap<Term, Allowed<Term>>,
    /// Notices that go with what may go.
    pub attach: BTreeSet<Term>,
    /// From which age minors control a part of their record.
    pub minor_controls: BTreeMap<Term, Least<u8>>,
    /// The rules.
    pub by: Ids,
}
join_fields!(SurfaceDuty {
    never_to,
    tasks,
    attach,
    minor_controls,
    by
});

/// What an AI may not do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AiDuty {
    /// What is barred, and by which rules.
    pub acts: BTreeMap<Act, Ids>,
    /// What stays allowed.
    pub allow: Allowed<Support>,
    /// How logistics are written.
    pub logistics: Most<LogisticsMode>,
    /// How crises are found.
    pub safety_screen: BTreeSet<Term>,
    /// The most that one violation costs.
    pub penalty_max_usd: Most<u32>,
    /// The rules.
    pub by: Ids,
}
join_fields!(AiDuty {
    acts,
    allow,
    logistics,
    safety_screen,
    penalty_max_usd,
    by
});

/// The moments at which something is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moments {
    /// All but the repeats.
    pub at: BTreeSet<Moment>,
    /// Hours between repeats.
    pub every_hours: Least<u8>,
}
join_fields!(Moments { at, every_hours });

impl Moments {
    pub(crate) fn of(list: &[Moment]) -> Self {
        let mut moments = Self::default();
        for moment in list {
            match moment {
                Moment::EveryHours(hours) => moments.every_hours.join(&Least(Some(*hours))),
                Moment::SessionStart
                | Moment::OnAsk
                | Moment::EveryMessage
                | Moment::BeforeFirstService
                | Moment::BeforeResult
                | Moment::BeforeDecision => {
                    moments.at.insert(*moment);
                }
            }
        }
        moments
    }
}

/// Something that is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisclosureDuty {
    /// When, to adults.
    pub adult: Moments,
    /// When, to minors.
    pub minor: Moments,
    /// Hours of silence that end a session.
    pub session_gap_hours: Least<u16>,
    /// The texts that tell it.
    pub texts: BTreeSet<Term>,
    /// What makes it needless.
    pub exempt: Allowed<Term>,
    /// What must be kept for that.
    pub exempt_needs: BTreeSet<Term>,
    /// Whether a claim to be human is forbidden.
    pub deny_human_claim: Flag,
    /// What is kept of the telling.
    pub record: BTreeSet<Term>,
    /// What is published.
    pub publish: BTreeSet<Term>,
    /// The rules.
    pub by: Ids,
}
join_fields!(DisclosureDuty {
    adult,
    minor,
    session_gap_hours,
    texts,
    exempt,
    exempt_needs,
    deny_human_claim,
    record,
    publish,
    by,
});

/// What a signed authorization must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizationDuty {
    /// How it may be signed.
    pub channels: Allowed<Term>,
    /// What it must say.
    pub elements: BTreeSet<Term>,
    /// Smallest type.
    pub min_point_size: Most<u16>,
    /// Whether it stands apart.
    pub separate: Flag,
    /// Whether the signature serves nothing else.
    pub sole_purpose: Flag,
    /// Longest validity.
    pub max_validity_days: Least<u16>,
    /// From which age a minor signs.
    pub minor_signs_from: Least<u8>,
    /// Where notice of it is posted.
    pub notice: BTreeSet<Term>,
    /// Whether each disclosure needs its own.
    pub per_disclosure: Flag,
    /// What needs none.
    pub exempt: Allowed<Term>,
    /// Forms.
    pub forms: BTreeSet<String>,
    /// Notices that go with what is disclosed.
    pub attach: BTreeSet<Term>,
    /// The rules.
    pub by: Ids,
}
join_fields!(AuthorizationDuty {
    channels,
    elements,
    min_point_size,
    separate,
    sole_purpose,
    max_validity_days,
    minor_signs_from,
    notice,
    per_disclosure,
    exempt,
    forms,
    attach,
    by,
});

/// How long a record is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeepDuty {
    /// Years.
    pub years: Most<u16>,
    /// From when.
    pub from: BTreeSet<Term>,
    /// For minors, at least until this age.
    pub minor_until_age: Most<u8>,
    /// The rules.
    pub by: Ids,
}
join_fields!(KeepDuty {
    years,
    from,
    minor_until_age,
    by
});

/// In which countries data may lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResidencyDuty {
    /// Countries.
    pub countries: Allowed<String>,
    /// The rules.
    pub by: Ids,
}
join_fields!(ResidencyDuty { countries, by });

/// The answer to a topic that never reaches the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteDuty {
    /// Fixed texts.
    pub texts: BTreeSet<Term>,
    /// Whether staff are paged.
    pub page_staff: Flag,
    /// The rules.
    pub by: Ids,
}
join_fields!(RouteDuty {
    texts,
    page_staff,
    by
});

/// Languages, training, permissions: what is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HouseDuty {
    /// Content that leaves as an approved text only.
    pub approved_only: BTreeSet<Term>,
    /// Languages that the model may write.
    pub free_languages: Allowed<String>,
    /// Days from hiring to training.
    pub trained_within_days: Least<u16>,
    /// Years that the proof is kept.
    pub training_record_years: Most<u16>,
    /// What the vendor counts as.
    pub vendor_is: BTreeSet<Term>,
    /// What else is laid on the practice.
    pub duties: BTreeSet<Term>,
    /// Exemptions that somebody wants off.
    pub exemption_off: Flag,
    /// The rules.
    pub by: Ids,
}
join_fields!(HouseDuty {
    approved_only,
    free_languages,
    trained_within_days,
    training_record_years,
    vendor_is,
    duties,
    exemption_off,
    by,
});

/// One clock, as its rule states it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockDuty {
    /// The rule.
    pub by: Arc<str>,
    /// What starts it.
    pub event: Event,
    /// Toward whom.
    pub recipient: Recipient,
    /// From how many residents on.
    pub threshold: u32,
    /// How many; none means without unreasonable delay.
    pub n: Option<u16>,
    /// Of what.
    pub unit: Unit,
    /// From when.
    pub from: From,
    /// More time.
    pub extension: Option<params::Extension>,
    /// A shorter one for reading on the spot.
    pub inspect: Option<params::Span>,
}

/// A cap on texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CapDuty {
    /// Which texts.
    pub class: MessageClass,
    /// Counted by.
    pub key: Term,
    /// In how many hours.
    pub per_hours: u16,
    /// How many.
    pub max: u16,
    /// The rule.
    pub by: Arc<str>,
}
