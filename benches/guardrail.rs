//! Every figure of the guardrail in one run, as one table: what is wanted, what was got, whether it is
//! met. A report: it ends well whatever the figures are. A raw search for the words of the lists is
//! timed beside them, so that ratios can be compared between machines.
//!
//! How a time is taken: each text is reviewed `ROUNDS` times in turn with all others, after one round
//! that is not counted, and its time is the median of its rounds, so that a p99 is over texts and no
//! hiccup of the machine. The caches of the processor and the automata that the patterns build as
//! they go are warm then, as they are in a house that has sent a few hundred texts; the rows "first
//! sight" give what each text costs when it is met for the first time, right after load.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use aho_corasick::AhoCorasick;
use aho_corasick::AhoCorasickKind;
use anteroom::guardrail::detect::tagger;
use anteroom::guardrail::finding::Verdict;
use anteroom::guardrail::review::Guardrail;
use anteroom::guardrail::setting::Author;
use anteroom::guardrail::setting::Consent;
use anteroom::guardrail::setting::Fact;
use anteroom::guardrail::setting::Relation;
use anteroom::guardrail::setting::Setting;
use anteroom::policy::Policy;
use anteroom::policy::words::Channel;
use anteroom::policy::words::Jurisdiction;
use anteroom::policy::words::Language;
use anteroom::policy::words::Purpose;

/// 60 to 160 characters each, the practice's voice; the first thirty are ASCII, the others accented.
const TEXTS: &str = include_str!("texts.txt");
/// The drafts of the gold set; of these the ones with 60 to 160 characters are reviewed too.
const GOLD: &str = "evals/guardrail";
const ROUNDS: usize = 100;

const FACTS: &[Fact<'static>] = &[
    Fact {
        field: "patient.first_name",
        value: "Maria",
    },
    Fact {
        field: "appointment.start",
        value: "2026-12-02T15:00:00-08:00",
    },
    Fact {
        field: "appointment.provider",
        value: "Dr. Ana Reyes",
    },
    Fact {
        field: "practice.hours",
        value: "Monday to Friday, 8:00 AM to 5:00 PM",
    },
];

fn setting() -> Setting<'static> {
    Setting {
        practice_name: "Lakeside Family Medicine",
        practice_phone: "+14155550100",
        practice_type: "primary_care",
        portal_url: "https://portal.example.com",
        channel: Channel::Sms,
        consent: Consent::Granted { proof: "bench" },
        state: Jurisdiction::UNKNOWN,
        language: Language::En,
        timezone: "America/Los_Angeles",
        now: jiff::Timestamp::from_second(1_796_148_000).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        purpose: Purpose::Reply,
        relation: Relation::Patient,
        author: Author::Agent,
        facts: FACTS,
        told: &[],
        covered: false,
    }
}

/// Terms for the raw search.
const TERMS: [&str; 3] = [
    include_str!("../guardrails/lexicons/medications.txt"),
    include_str!("../guardrails/lexicons/conditions.txt"),
    include_str!("../guardrails/lexicons/names.txt"),
];

/// A bound that a figure shall keep.
#[derive(Clone, Copy)]
enum Wanted {
    AtMost(f64),
    /// Told for comparison.
    Nothing,
}

/// The rows of the table: figure, wanted, got, met.
#[derive(Default)]
struct Table(Vec<[String; 4]>);

impl Table {
    fn row(&mut self, figure: &str, wanted: Wanted, got: f64, digits: usize) {
        let (wanted, met) = match wanted {
            Wanted::AtMost(most) if got <= most => (format!("<= {most}"), "yes"),
            Wanted::AtMost(most) => (format!("<= {most}"), "NO"),
            Wanted::Nothing => (String::new(), ""),
        };
        let got = format!("{got:.digits$}");
        self.0
            .push([figure.to_owned(), wanted, got, met.to_owned()]);
    }

    fn times(&mut self, figure: &str, times: &Times, (p50, p99): (Wanted, Wanted)) {
        self.row(&format!("{figure}, p50, us"), p50, times.at(50), 1);
        let name = format!("{figure}, p99 over texts, us");
        self.row(&name, p99, times.at(99), 1);
    }

    fn print(&self) {
        println!(
            "| {:<66} | {:>8} | {:>8} | met |",
            "figure", "wanted", "got"
        );
        println!("|{:-<68}|{:->9}:|{:->9}:|-----|", "", "", "");
        for [figure, wanted, got, met] in &self.0 {
            println!("| {figure:<66} | {wanted:>8} | {got:>8} | {met:<3} |");
        }
    }
}

const NONE: (Wanted, Wanted) = (Wanted::Nothing, Wanted::Nothing);

/// One time for each text, in microseconds, sorted.
struct Times(Vec<f64>);

impl Times {
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        Self(times)
    }

    /// The median of each text over the rounds.
    fn measure(texts: &[String], mut run: impl FnMut(&str)) -> Self {
        let mut all: Vec<Vec<f64>> = texts.iter().map(|_| Vec::with_capacity(ROUNDS)).collect();
        for round in 0..=ROUNDS {
            for (text, times) in texts.iter().zip(&mut all) {
                let began = Instant::now();
                run(black_box(text));
                let spent = began.elapsed().as_secs_f64() * 1e6;
                if round > 0 {
                    times.push(spent);
                }
            }
        }
        let medians = all.into_iter().map(|times| Self::of(times).at(50));
        Self::of(medians.collect())
    }

    /// What each text costs when it is met for the first time.
    fn first(texts: &[String], mut run: impl FnMut(&str)) -> Self {
        let time = |text: &String| {
            let began = Instant::now();
            run(black_box(text));
            began.elapsed().as_secs_f64() * 1e6
        };
        Self::of(texts.iter().map(time).collect())
    }

    fn at(&self, share: usize) -> f64 {
        let place = (self.0.len() * share / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }
}

/// Resident memory of this process in megabytes, where the system tells it.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn probe() -> Option<AhoCorasick> {
    let terms = TERMS.iter().flat_map(|list| list.split(['\n', ',']));
    let terms = terms.map(str::trim).filter(|term| term.len() > 2);
    let kind = Some(AhoCorasickKind::ContiguousNFA);
    AhoCorasick::builder().kind(kind).build(terms).ok()
}

/// Twenty texts, one behind the other, cut at 1,600 characters; six such.
fn long(texts: &[String]) -> Vec<String> {
    let starts = 0..texts.len().min(6);
    let from = starts.map(|at| texts.iter().cycle().skip(at * 5).take(20));
    from.map(|some| {
        let joined: Vec<&str> = some.map(String::as_str).collect();
        joined.join(" ").chars().cycle().take(1_600).collect()
    })
    .collect()
}

/// The drafts of the gold set of 60 to 160 characters, each once, in the order of their files.
fn gold() -> Vec<String> {
    let Ok(folder) = std::fs::read_dir(GOLD) else {
        return Vec::new();
    };
    let mut files: Vec<_> = folder
        .filter_map(|it| it.ok().map(|it| it.path()))
        .collect();
    files.sort();
    let texts = files
        .iter()
        .filter_map(|it| std::fs::read_to_string(it).ok());
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for text in texts {
        for line in text.lines() {
            let row: Option<serde_json::Value> = serde_json::from_str(line).ok();
            let draft = row.as_ref().and_then(|it| it.get("draft")?.as_str());
            let fits = draft.filter(|it| (60..=160).contains(&it.chars().count()));
            all.extend(fits.map(str::to_owned).filter(|it| seen.insert(it.clone())));
        }
    }
    all
}

/// The same 1,600 characters and short texts in ASCII and with accents.
fn accented_beside_ascii(table: &mut Table, lines: &[String], review: impl Fn(&str) + Copy) {
    let most = Wanted::AtMost;
    let (ascii, accented): (Vec<String>, Vec<String>) =
        lines.iter().cloned().partition(|line| line.is_ascii());
    let medians = |one: &[String], other: &[String]| {
        let (one, other) = (
            Times::measure(one, review).at(50),
            Times::measure(other, review).at(50),
        );
        (one, other, other / one)
    };
    let (_, _, ratio) = medians(&ascii, &accented);
    let figure = "30 accented texts to 30 in ASCII, p50 to p50";
    table.row(figure, most(1.5), ratio, 2);
    let (one, other, ratio) = medians(&long(&ascii), &long(&accented));
    let figure = "review, 1,600 characters, ASCII, p50, us";
    table.row(figure, most(400.0), one, 1);
    let figure = "review, 1,600 characters, accented, p50, us";
    table.row(figure, most(400.0), other, 1);
    table.row("1,600 characters, accented to ASCII", most(1.5), ratio, 2);
}

/// What stands beside the review, without a bound.
fn beside(table: &mut Table, guardrail: &Guardrail, all: &[String]) {
    let detect = Times::measure(all, |text| {
        black_box(guardrail.detect(text));
    });
    table.times("detect alone, the same texts", &detect, NONE);
    if let Ok(policy) = Policy::embedded() {
        let told = Times::measure(all, |text| {
            black_box(tagger::told(&policy, text));
        });
        let figure = "the tagger alone, folding and cutting included";
        table.times(figure, &told, NONE);
    }
    if let Some(raw) = probe() {
        let search = Times::measure(all, |text| {
            black_box(raw.find_iter(text).count());
        });
        table.times("raw search for the words of three lists", &search, NONE);
    }
}

fn main() {
    let before = resident().unwrap_or_default();
    let began = Instant::now();
    let Ok(guardrail) = Guardrail::embedded() else {
        println!("the built-in policy does not load");
        return;
    };
    let load = began.elapsed().as_secs_f64() * 1e3;
    let setting = setting();
    let lines: Vec<String> = TEXTS.lines().map(str::to_owned).collect();
    let mut all = lines.clone();
    all.extend(gold());
    let review = |text: &str| {
        black_box(guardrail.review(text, &setting));
    };
    // Before anything else, while every text is the first of its kind.
    let first = Times::first(&all, review);
    let of = |wanted: Verdict| -> Vec<String> {
        let verdict = |text: &&String| guardrail.review(text, &setting).verdict == wanted;
        all.iter().filter(verdict).cloned().collect()
    };
    let passing = of(Verdict::Pass);
    let memory = resident().unwrap_or_default() - before;

    let most = Wanted::AtMost;
    let mut table = Table::default();
    let short = format!("review, {} texts of 60-160 characters", all.len());
    let bounds = (most(20.0), most(80.0));
    table.times(&short, &Times::measure(&all, review), bounds);
    for (what, texts) in [
        ("pass", &passing),
        ("are rewritten", &of(Verdict::Rewrite)),
        ("are held", &of(Verdict::Hold)),
    ] {
        let figure = format!("  the {} that {what}", texts.len());
        table.times(&figure, &Times::measure(texts, review), NONE);
    }
    table.times("  each at first sight", &first, NONE);
    accented_beside_ascii(&mut table, &lines, review);
    let of_a_pass = allocation_counter::measure(|| passing.iter().for_each(|text| review(text)));
    let count = f64::from(u32::try_from(of_a_pass.count_total).unwrap_or(u32::MAX));
    let figure = format!("allocations of {} reviews that pass", passing.len());
    table.row(&figure, most(0.0), count, 0);
    table.row("load of the policy, ms", most(150.0), load, 0);
    let figure = "memory, everything loaded and used, MB";
    table.row(figure, most(40.0), memory, 1);
    beside(&mut table, &guardrail, &all);
    table.print();
}
