//! What the law comes to for a state, a day and a type of practice; the whole of it as a book.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::cli::policy::page::{Item, Page, Section};
use crate::policy::law::duties::Duties;
use crate::policy::law::file::LawRule;
use crate::policy::law::join::Ids;
use crate::policy::law::params::Term;
use crate::policy::law::terms::{From, Kind, MessageClass, Standing, Surface};
use crate::policy::law::{Law, Whereabouts};
use crate::policy::words::Jurisdiction;

/// How many rules of each standing.
pub(super) fn counted(standings: impl Iterator<Item = Standing>) -> BTreeMap<Standing, usize> {
    let mut counts = BTreeMap::new();
    for standing in standings {
        *counts.entry(standing).or_default() += 1;
    }
    counts
}

fn standing_line(counts: &BTreeMap<Standing, usize>) -> String {
    let of = |it| counts.get(&it).copied().unwrap_or(0);
    format!(
        "{} rules: {} seen in the law's own text, {} confirmed in secondary material, {} NOT \
         VERIFIED, {} rules of the house. None of them is legal advice.",
        counts.values().sum::<usize>(),
        of(Standing::Verified),
        of(Standing::Secondary),
        of(Standing::Unverified),
        of(Standing::House),
    )
}

/// A rule as an item.
fn item(rule: &LawRule) -> Item {
    let mut days = format!("{}, in force from {}", rule.basis, rule.effective);
    if let Some(until) = rule.until {
        days = format!("{days} to {until}");
    }
    let mut small = vec![
        rule.cite.clone(),
        format!(
            "{days}; reviewed {}; {}",
            rule.last_reviewed, rule.confidence
        ),
    ];
    if !rule.practice_type.is_empty() {
        let types: Vec<&str> = rule.practice_type.iter().map(Term::as_str).collect();
        small.push(format!("binds: {}", types.join(", ")));
    }
    if let (Some(relaxes), Some(reason)) = (&rule.relaxes, &rule.reason) {
        small.push(format!("takes the place of {relaxes}: {reason}"));
    }
    Item {
        head: rule.id.to_string(),
        text: rule.summary.clone(),
        small,
        mark: Some(rule.standing().as_str()),
    }
}

/// The page of a state, a day and a type of practice.
pub(super) fn page(law: &Law, digest: &str, state: Jurisdiction, day: Date, kind: &str) -> Page {
    let at = Whereabouts {
        practice: state,
        residence: state,
        practice_type: kind,
        day,
    };
    let rules = law.applying(at);
    let title = law.file(state).map_or("", |file| file.title.as_str());
    let place = if state == Jurisdiction::UNKNOWN {
        "a patient whose state is not known (every state protects)"
    } else {
        title
    };
    let mut page = Page {
        title: format!("{place} on {day}"),
        lead: vec![
            if law.practice_types().any(|listed| listed == kind) {
                format!("Type of practice: {kind}. Policy {digest}.")
            } else {
                let listed: Vec<&str> = law.practice_types().collect();
                format!(
                    "Type of practice: {kind}, which is not listed: the rules for every type bind it. \
                     Listed are {}. Policy {digest}.",
                    listed.join(", ")
                )
            },
            standing_line(&counted(rules.iter().map(|it| it.standing()))),
        ],
        sections: vec![summary(&law.duties(at))],
    };
    for kind in Kind::ALL {
        let items: Vec<Item> = rules
            .iter()
            .filter(|rule| rule.kind() == *kind)
            .map(|rule| item(rule))
            .collect();
        if !items.is_empty() {
            page.sections.push(Section {
                title: heading(*kind).to_owned(),
                intro: String::new(),
                items,
            });
        }
    }
    let here = |rule: &&LawRule| {
        rule.effective > day
            && (state == Jurisdiction::UNKNOWN
                || [state, Jurisdiction::UNKNOWN].contains(&rule.jurisdiction))
    };
    let mut coming: Vec<&LawRule> = law.rules().filter(here).collect();
    coming.sort_by_key(|rule| rule.effective);
    if !coming.is_empty() {
        page.sections.push(Section {
            title: "Not yet in force".to_owned(),
            intro: "Loaded already; each begins by itself on its day.".to_owned(),
            items: coming.into_iter().map(item).collect(),
        });
    }
    page
}

/// The whole law, file by file.
pub(super) fn book(law: &Law, digest: &str) -> Page {
    let mut page = Page {
        title: "The rules that texts to patients keep".to_owned(),
        lead: vec![
            format!("Policy {digest}."),
            standing_line(&counted(law.rules().map(LawRule::standing))),
            "Every rule has its citation, its days and a mark for how well it was checked. The \
             strictest of all that apply wins; a rule of the house may be relaxed by name with a \
             reason, law never."
                .to_owned(),
        ],
        sections: Vec::new(),
    };
    for file in law.files() {
        page.sections.push(Section {
            title: file.title.clone(),
            intro: format!(
                "{} rules, {} examples. Last reviewed {}: {}.",
                file.rules.len(),
                file.examples.len(),
                file.last_reviewed,
                file.reviewed_by
            ),
            items: file.rules.iter().map(item).collect(),
        });
    }
    let channels = law.channels().rules.iter().map(|rule| Item {
        head: rule.id.to_string(),
        text: rule.summary.clone(),
        small: vec![
            rule.cite.clone(),
            format!(
                "carries {}; takes: {}",
                rule.carries,
                if rule.needs.is_empty() {
                    "no agreement".to_owned()
                } else {
                    let needs: Vec<String> = rule.needs.iter().map(ToString::to_string).collect();
                    needs.join(" and ")
                }
            ),
        ],
        mark: Some(rule.confidence.standing().as_str()),
    });
    page.sections.push(Section {
        title: "Channels and their agreements".to_owned(),
        intro: "What no row names carries nothing about a patient.".to_owned(),
        items: channels.collect(),
    });
    page
}

fn by(ids: &Ids) -> Vec<String> {
    let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
    vec![format!("by {}", ids.join(", "))]
}

/// A line of what the rules come to. Terms are written as words.
fn line(head: &str, text: &str, small: Vec<String>) -> Item {
    let words = |text: &str| text.replace('_', " ");
    Item {
        head: words(head),
        text: words(text),
        small,
        mark: None,
    }
}

fn hours(duties: &Duties) -> Vec<Item> {
    let mut items = Vec::new();
    for ((class, clock), week) in &duties.windows {
        let [monday, .., saturday, sunday] = &week.days;
        let hours = |(open, close): &(_, _)| format!("{open}-{close}");
        let shut = if week.shut_on_holidays.0 {
            ", not on federal holidays"
        } else {
            ""
        };
        let text = format!(
            "Monday to Friday {}, Saturday {}, Sunday {}{shut}, on the clock of the {clock}",
            hours(monday),
            hours(saturday),
            hours(sunday)
        );
        let whose = match class {
            MessageClass::OutboundInitiated => "texts that the practice begins",
            MessageClass::Solicitation => "offers",
            MessageClass::Reply | MessageClass::Safety | MessageClass::OptOutConfirmation => {
                class.as_str()
            }
        };
        items.push(line(&format!("hours of {whose}"), &text, by(&week.by)));
    }
    items
}

fn told(duties: &Duties) -> Vec<Item> {
    let mut items = Vec::new();
    let mut told: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for ((element, content), duty) in &duties.disclosures {
        let mut when: Vec<String> = duty.adult.at.iter().map(ToString::to_string).collect();
        when.extend(
            duty.adult
                .every_hours
                .0
                .map(|hours| format!("every {hours} h of a live session")),
        );
        when.extend(
            duty.minor
                .every_hours
                .0
                .map(|hours| format!("every {hours} h for a minor")),
        );
        let texts: Vec<&str> = duty.texts.iter().map(Term::as_str).collect();
        let entry = told.entry((*element, when, texts, &duty.by)).or_default();
        entry.push(content.to_string());
    }
    for ((element, when, texts, ids), contents) in told {
        let text = format!(
            "{}; texts about: {}; as: {}",
            when.join(", "),
            contents.join(", "),
            texts.join(", ")
        );
        items.push(line(&format!("told: {element}"), &text, by(ids)));
    }
    items
}

/// What the rules come to, in a few lines.
fn summary(duties: &Duties) -> Section {
    let mut items = hours(duties);
    items.extend(told(duties));
    let blocked: Vec<String> = duties
        .blocks
        .keys()
        .filter(|(surface, _)| *surface == Surface::Sms)
        .map(|(_, class)| class.to_string())
        .collect();
    items.push(line("never by SMS", &blocked.join(", "), Vec::new()));
    if !duties.ai.acts.is_empty() {
        let acts: Vec<&str> = duties.ai.acts.keys().map(|act| act.as_str()).collect();
        items.push(line("AI may not", &acts.join(", "), by(&duties.ai.by)));
    }
    for clock in &duties.clocks {
        let n = match clock.n {
            Some(1) => format!("1 {}", clock.unit),
            Some(n) => format!("{n} {}s", clock.unit),
            None => "without unreasonable delay".to_owned(),
        };
        let many = if clock.threshold > 1 {
            format!(", from {} residents on", clock.threshold)
        } else {
            String::new()
        };
        let head = format!("clock: {} to {}", clock.event, clock.recipient);
        let from = match clock.from {
            From::Requested => "the request",
            From::Discovered => "discovery",
            From::Determined => "the determination",
            From::Detected => "detection",
            From::InvestigationEnded => "the end of the investigation",
            From::IndividualNoticeSent => "the notice to the people",
            From::HhsNotified => "the notice to HHS",
        };
        let text = format!("{n} from {from}{many}");
        items.push(line(&head, &text, vec![format!("by {}", clock.by)]));
    }
    for (record, keep) in &duties.keep {
        let years = keep.years.0.unwrap_or(0);
        let head = format!("keep: {record}");
        items.push(line(&head, &format!("{years} years"), by(&keep.by)));
    }
    Section {
        title: "What it comes to".to_owned(),
        intro: "The strictest of all rules below, kind by kind.".to_owned(),
        items,
    }
}

const fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Consent => "Consent",
        Kind::OptOut => "Opt-out",
        Kind::OptOutScope => "How far an opt-out reaches",
        Kind::SendWindow => "Hours",
        Kind::FrequencyCap => "How often",
        Kind::ContentBlock => "What never leaves",
        Kind::ProhibitAi => "What AI may not do",
        Kind::Disclosure => "What the patient is told",
        Kind::Authorization => "Authorizations",
        Kind::Deadline => "Clocks",
        Kind::Retention => "How long records are kept",
        Kind::DataResidency => "Where data may lie",
        Kind::Route => "Emergencies and abuse",
        Kind::Language => "Languages",
        Kind::Workforce => "Staff",
        Kind::Status => "Where the law stands",
        Kind::Exemption => "Exemptions",
    }
}
