//! Overlays only tighten, in whatever order; every day, state, practice and language has an answer.

use anteroom::policy::law::answer::{Session, told};
use anteroom::policy::law::duties::Duties;
use anteroom::policy::law::file::LawRule;
use anteroom::policy::law::join::Join as _;
use anteroom::policy::law::terms::{Class, Content, MessageClass, Surface, Writer};
use anteroom::policy::law::window::{Clocks, Opening, opening};
use anteroom::policy::law::{Law, Whereabouts, merged, states};
use anteroom::policy::words::{Jurisdiction, Language};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn law() -> &'static Law {
    static LAW: std::sync::LazyLock<Law> = std::sync::LazyLock::new(|| Law::embedded().unwrap());
    &LAW
}

fn join(one: &Duties, other: &Duties) -> Duties {
    let mut both = one.clone();
    both.join(other);
    both
}

/// Some of the rules, by their places.
fn some(places: &[usize]) -> Duties {
    let rules: Vec<&LawRule> = law().rules().collect();
    let picked: Vec<&LawRule> = places.iter().map(|at| rules[at % rules.len()]).collect();
    merged(&picked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn merging_is_associative_commutative_and_idempotent(
        a in prop::collection::vec(any::<usize>(), 0..12),
        b in prop::collection::vec(any::<usize>(), 0..12),
        c in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let (a, b, c) = (some(&a), some(&b), some(&c));
        prop_assert_eq!(join(&a, &b), join(&b, &a));
        prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c)));
        prop_assert_eq!(join(&a, &a), a);
    }

    #[test]
    fn a_rule_more_never_lets_more_through(
        base in prop::collection::vec(any::<usize>(), 0..40),
        more in prop::collection::vec(any::<usize>(), 1..8),
        minute in 0_i64..(14 * 24 * 60),
        idle in 0_u32..80, told_at in 0_u32..600, minor in any::<Option<bool>>(),
        first in any::<bool>(), asked in any::<bool>(),
    ) {
        let base = some(&base);
        let strict = join(&base, &some(&more));
        for surface in Surface::ALL {
            for class in Class::ALL {
                for author in Writer::ALL {
                    let before = base.blocked(*surface, *class, *author);
                    let after = strict.blocked(*surface, *class, *author);
                    prop_assert!(before.is_none() || after.is_some());
                    let instead = |it: Option<&anteroom::policy::law::duty::BlockDuty>| it.and_then(|it| it.instead.0);
                    prop_assert!(instead(before) <= instead(after));
                }
            }
        }
        let session = Session {
            first, asked, minor,
            minutes_since_told: Some(told_at),
            idle_hours: Some(idle),
        };
        let tells = |duties: &Duties| -> std::collections::BTreeSet<_> {
            told(duties, Content::ALL, Writer::Ai, &session).map(|(element, _)| element).collect()
        };
        prop_assert!(tells(&base).is_subset(&tells(&strict)));
        let now: Timestamp = "2027-03-07T00:00:00Z".parse().unwrap();
        let now = now + SignedDuration::from_mins(minute);
        let zone = vec![TimeZone::get("America/New_York").unwrap()];
        let clocks = Clocks { recipient: zone.clone(), practice: zone };
        for class in [MessageClass::OutboundInitiated, MessageClass::Solicitation] {
            let rank = |duties: &Duties| match opening(duties, class, now, &clocks) {
                Opening::Open => now,
                Opening::At(at, _) => at,
                Opening::Never(_) => Timestamp::MAX,
            };
            prop_assert!(rank(&base) <= rank(&strict));
        }
        for act in base.ai.acts.keys() {
            prop_assert!(strict.ai.acts.contains_key(act));
        }
        prop_assert!(base.opt_out.scope.0 <= strict.opt_out.scope.0);
        prop_assert!(base.keep.iter().all(|(record, keep)| keep.years.0 <= strict.keep[record].years.0));
    }
}

/// Every day from 2024 to 2030 on which anything begins or has ended for a state, and the first:
/// until the next of them nothing changes.
fn days(state: Jurisdiction) -> Vec<Date> {
    let (first, last) = (date(2024, 1, 1), date(2030, 12, 31));
    let mut days = std::collections::BTreeSet::from([first]);
    let here = |rule: &&LawRule| [state, Jurisdiction::UNKNOWN].contains(&rule.jurisdiction);
    for rule in law().rules().filter(here) {
        let over = rule.until.and_then(|until| until.tomorrow().ok());
        days.extend([Some(rule.effective), over].into_iter().flatten());
    }
    days.retain(|day| first <= *day && *day <= last);
    days.into_iter().collect()
}

#[test]
fn every_day_state_and_practice_type_resolves_and_a_state_never_loosens_the_floor() {
    let law = law();
    let mut types: Vec<&str> = law.practice_types().collect();
    types.push("a type that nobody listed");
    let texts = anteroom::agent::texts::Texts::embedded().unwrap();
    let (mut explored, mut merged_once) = (0, std::collections::BTreeSet::new());
    for state in states() {
        for (day, practice_type) in days(state)
            .into_iter()
            .flat_map(|day| types.iter().map(move |it| (day, *it)))
        {
            let rules = law.applying(Whereabouts {
                practice: state,
                residence: state,
                practice_type,
                day,
            });
            explored += Language::ALL.len();
            let ids: Vec<&str> = rules.iter().map(|rule| &*rule.id).collect();
            if !merged_once.insert(ids) {
                continue;
            }
            let duties = merged(&rules);
            let federal = |rule: &&&LawRule| rule.jurisdiction == Jurisdiction::UNKNOWN;
            let floor: Vec<&LawRule> = rules.iter().filter(federal).copied().collect();
            assert_eq!(join(&duties, &merged(&floor)), duties, "{state} on {day}");
            for text in duties.disclosures.values().flat_map(|it| &it.texts) {
                for language in Language::ALL {
                    let id = text.as_str().parse().unwrap();
                    assert!(
                        !texts.elements(id, *language).is_empty(),
                        "{text} in {language}"
                    );
                }
            }
        }
    }
    let every_day = 2_557 * states().count() * types.len() * Language::ALL.len();
    println!(
        "{explored} combinations of day, state, practice type and language stand for {every_day} \
         over every day of 2024-2030; {} sets of rules",
        merged_once.len()
    );
    assert!(explored > 30_000, "{explored}");
}

#[test]
fn where_the_state_is_not_known_every_state_protects() {
    let law = law();
    for day in [date(2026, 11, 25), date(2027, 1, 1), date(2027, 7, 1)] {
        let at = |residence| Whereabouts {
            practice: residence,
            residence,
            practice_type: "behavioral_health",
            day,
        };
        let everywhere = law.duties(at(Jurisdiction::UNKNOWN));
        for state in states() {
            let duties = law.duties(at(state));
            assert_eq!(join(&everywhere, &duties), everywhere, "{state} on {day}");
        }
    }
}

#[test]
fn every_text_that_a_rule_names_is_there() {
    for rule in law().rules() {
        for text in rule.params.text_ids() {
            let known = text.as_str().parse::<anteroom::agent::texts::TextId>();
            assert!(known.is_ok(), "{}: there is no text `{text}`", rule.id);
        }
    }
}

#[test]
fn a_folder_may_add_to_the_law_and_never_takes_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let states = folder.path().join("states");
    std::fs::create_dir_all(&states).unwrap();
    let built_in = include_str!("../../../guardrails/states/CA.toml");
    let load = |text: &str| {
        std::fs::write(states.join("CA.toml"), text).unwrap();
        anteroom::policy::Policy::from_dir(folder.path()).map(|policy| policy.digest().to_owned())
    };
    let unchanged = load(built_in).unwrap();
    // Another rule, stricter: taken, and another digest.
    let stricter = format!(
        "{built_in}\n[[rule]]\nid = \"ca.house.procedures\"\nkind = \"content_block\"\n\
         summary = \"No procedures by text.\"\nbasis = \"policy\"\ncite = \"practice policy\"\n\
         effective = 2026-11-22\nlast_reviewed = 2026-11-22\nconfidence = \"policy\"\n\
         [rule.params]\nchannel = [\"sms\"]\nnever = [\"procedure\"]\n"
    );
    assert_ne!(load(&stricter).unwrap(), unchanged);
    // Looser: refused with the file, the rule and a remedy.
    let from = built_in
        .find("id         = \"ca.ab3030.disclaimer\"")
        .unwrap();
    let rest = built_in.get(from..).unwrap();
    let one_rule = rest.find("[[rule]]").unwrap();
    let without = format!(
        "{}{}",
        built_in
            .get(..from)
            .unwrap()
            .trim_end()
            .trim_end_matches("[[rule]]"),
        rest.get(one_rule..).unwrap()
    );
    let cases = [
        (
            built_in.replacen(
                "n = 30\nunit = \"calendar_day\"",
                "n = 45\nunit = \"calendar_day\"",
                1,
            ),
            "less",
        ),
        (
            built_in.replacen("effective  = 2025-01-01", "effective  = 2028-01-01", 1),
            "begins later",
        ),
        (
            built_in.replacen(
                "effective  = 2025-01-01",
                "effective  = 2025-01-01\nuntil = 2026-06-01",
                1,
            ),
            "ends on",
        ),
        (
            built_in.replacen("basis      = \"statute\"", "basis      = \"policy\"", 1),
            "rule of the house",
        ),
        (without, "left out"),
    ];
    for (text, word) in cases {
        assert_ne!(text, built_in, "the case changes nothing: {word}");
        let error = load(&text).expect_err(word);
        let told = error.to_string();
        assert!(told.contains(word), "{word}: {told}");
        assert!(
            !error.remedy.is_empty() && error.file.contains("CA.toml"),
            "{told}"
        );
    }
}

#[test]
fn a_rule_of_the_house_is_relaxed_by_name_with_a_reason_and_law_never() {
    let folder = tempfile::tempdir().unwrap();
    let load = |relaxes: &str, basis: &str, extra: &str| {
        let text = format!(
            "schema = 1\njurisdiction = \"US\"\ntitle = \"Our house\"\nlast_reviewed = 2026-11-22\n\
             reviewed_by = \"the compliance officer\"\n[[rule]]\nid = \"house.hours\"\n\
             kind = \"send_window\"\nsummary = \"Until ten.\"\nbasis = \"{basis}\"\n\
             cite = \"practice policy\"\neffective = 2026-11-22\nlast_reviewed = 2026-11-22\n\
             confidence = \"policy\"\nrelaxes = \"{relaxes}\"\n{extra}\n[rule.params]\n\
             open = \"07:00\"\nclose = \"22:00\"\nclock = \"recipient\"\n\
             applies_to = [\"outbound_initiated\"]\n"
        );
        std::fs::write(folder.path().join("house.toml"), text).unwrap();
        anteroom::policy::Policy::from_dir(folder.path())
    };
    let policy = load("policy.hours", "policy", "reason = \"farmers rise early\"").unwrap();
    let at = Whereabouts {
        practice: "WY".parse().unwrap(),
        residence: "WY".parse().unwrap(),
        practice_type: "primary_care",
        day: date(2026, 12, 1),
    };
    let rules = policy.law().duties(at).rules;
    assert!(
        rules.contains("house.hours") && !rules.contains("policy.hours"),
        "{rules:?}"
    );
    for (relaxes, basis, extra, word) in [
        (
            "us.tcpa.hours",
            "policy",
            "reason = \"x\"",
            "law cannot be relaxed",
        ),
        ("policy.hours", "policy", "", "gives no reason"),
        (
            "policy.hours",
            "statute",
            "reason = \"x\"",
            "only a rule of the house",
        ),
        (
            "policy.hourz",
            "policy",
            "reason = \"x\"",
            "no rule `policy.hourz`",
        ),
    ] {
        let error = load(relaxes, basis, extra).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}
