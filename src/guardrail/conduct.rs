//! Deeds, conduct and the drift of a sentence, read by rules that are data with their own examples.

pub(crate) mod payers;
pub(crate) mod ruleset;

use serde::Deserialize;
use toml::Spanned;

use crate::guardrail::accumulate::Accumulation;
use crate::guardrail::conduct::ruleset::RawRule;
use crate::guardrail::conduct::ruleset::RuleSet;
use crate::guardrail::ground::fold::Folded;
use crate::guardrail::ground::view::View;
use crate::guardrail::minimum::Matrix;
use crate::policy::PolicyError;
use crate::policy::linear::Model;
use crate::policy::pattern::Gathering;
use crate::policy::pattern::Matched;
use crate::policy::pattern::Pattern;
use crate::policy::pattern::Patterns;
use crate::policy::pattern::Set;
use crate::policy::sentence;
use crate::policy::words::Language;

/// The file of deeds, drifts and texts.
pub(crate) const CLAIMS: (&str, &str) =
    ("claims.toml", include_str!("../../guardrails/claims.toml"));
/// The file of conduct.
pub(crate) const CONDUCT: (&str, &str) = (
    "conduct.toml",
    include_str!("../../guardrails/conduct.toml"),
);

/// The reader of whole sentences that hears advice where no rule of conduct does.
pub(crate) const ADVICE: (&str, &[u8]) = (
    "advice.model",
    include_bytes!("../../guardrails/advice.model"),
);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimsFile {
    rule: Vec<Spanned<RawRule>>,
    payers: RawPayers,
    context: Spanned<RawContext>,
    ordinary: RawOrdinary,
    phrase: Spanned<RawPhrase>,
    text: RawTexts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConductFile {
    rule: Vec<Spanned<RawRule>>,
}

/// Each payer by its names.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPayers {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContext {
    personal: String,
    public: String,
    closed: String,
    negative: String,
    own_words: String,
    derived: String,
    instructs: String,
    judges: String,
    emergency: String,
    relation: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrdinary {
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPhrase {
    heads: Vec<String>,
    prepositions: Vec<String>,
    determiners: Vec<String>,
    nouns: Vec<String>,
    modified: Vec<String>,
    labels: Vec<String>,
    boundaries: Vec<String>,
    when: Vec<String>,
    adjectives: Vec<String>,
    relatives: Vec<String>,
    reasons: Vec<String>,
    outcome: String,
    subjects: Vec<String>,
    trivial: String,
    unsettled: String,
    dangling: String,
    several: String,
    object: String,
    hanging: Vec<RawHanging>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHanging {
    pattern: String,
    instead: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTexts {
    en: Texts,
    es: Texts,
}

/// The texts that stand in for what was taken out; `{url}` and `{practice}` are filled.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    /// One sentence behind what is left.
    pub(crate) link: String,
    /// In place of the whole.
    pub(crate) portal: String,
    /// The same without the name of a practice that tells a condition.
    pub(crate) portal_unnamed: String,
    /// What a procedure on a day is called.
    pub(crate) visit: String,
    /// What a specialist is called.
    pub(crate) provider: String,
    /// The coming visit, in place of a sentence that told of it: `{day}`, `{time}`, `{with}`.
    pub(crate) retold: String,
    /// What `{with}` is where the sentence named the provider.
    pub(crate) with: String,
}

/// What a sentence is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent properties of one sentence"
)]
pub(crate) struct Context {
    pub(crate) personal: bool,
    pub(crate) public: bool,
    pub(crate) closed: bool,
    pub(crate) negative: bool,
    pub(crate) own_words: bool,
    pub(crate) relation: bool,
    pub(crate) derived: bool,
    pub(crate) instructs: bool,
    pub(crate) judges: bool,
    pub(crate) emergency: bool,
}

/// How sentences are mended.
#[derive(Debug)]
pub(crate) struct Phrases {
    pub(crate) heads: Vec<String>,
    pub(crate) prepositions: Vec<String>,
    pub(crate) determiners: Vec<String>,
    pub(crate) nouns: Vec<String>,
    pub(crate) modified: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) boundaries: Vec<String>,
    pub(crate) when: Vec<String>,
    pub(crate) adjectives: Vec<String>,
    /// Begin what is said of the word before: `, who treats your lupus,`.
    pub(crate) relatives: Vec<String>,
    /// Begin a reason, without which the rest is as true.
    pub(crate) reasons: Vec<String>,
    pub(crate) outcome: Pattern,
    pub(crate) subjects: Vec<String>,
    pub(crate) trivial: Pattern,
    /// Says of a visit that it is denied, moved, called off or unsure.
    pub(crate) unsettled: Pattern,
    /// Begins with what only the sentence before can tell.
    pub(crate) dangling: Pattern,
    /// The same of several things.
    pub(crate) several: Pattern,
    /// Speaks of something by a pronoun.
    pub(crate) object: Pattern,
    /// Words that speak so, by their group `v`, and what is said instead.
    pub(crate) hanging: Vec<(Pattern, String)>,
}

/// Everything the judging half of the guardrail was told, compiled once.
#[derive(Debug)]
pub(crate) struct Rules {
    /// Deeds that need a receipt.
    pub(crate) deeds: RuleSet,
    /// What is never said.
    pub(crate) conduct: RuleSet,
    /// What it says of a sentence that no rule of conduct knows.
    pub(crate) sentences: Model,
    /// How sentences are mended.
    pub(crate) phrases: Phrases,
    /// The minimum-necessary matrix.
    pub(crate) matrix: Matrix,
    /// Details that tell the condition together.
    pub(crate) accumulation: Accumulation,
    /// The patterns of deeds, conduct, details and contexts, searched together.
    pub(crate) patterns: Patterns,
    ordinary: Vec<String>,
    contexts: Set,
    en: Texts,
    es: Texts,
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// A refusal that names file, line, rule and remedy.
pub(crate) fn refuse(
    file: &str,
    line: usize,
    rule: &str,
    message: &str,
    remedy: &str,
) -> PolicyError {
    PolicyError {
        file: file.to_owned(),
        line,
        rule: rule.to_owned(),
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// Reads a TOML file, or says where it breaks.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    file: &str,
    text: &str,
) -> Result<T, PolicyError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        refuse(
            file,
            line,
            "file",
            error.message(),
            "correct this line; the keys are those of its neighbours",
        )
    })
}

/// Patterns are written with plain `\b`, `\d`; over folded text their ASCII meaning is enough, and
/// the Unicode word boundary would throw the search out of its fast automaton.
fn plain(pattern: &str) -> String {
    pattern.replace(r"\b", r"(?-u:\b)").replace(r"\d", "[0-9]")
}

/// The most bytes that the program of one pattern may take.
const PATTERN_MAX: usize = 10 << 20;

fn regex(file: &str, line: usize, rule: &str, pattern: &str) -> Result<Pattern, PolicyError> {
    Pattern::over_text(&plain(pattern), PATTERN_MAX).map_err(|reason| {
        let last = reason
            .lines()
            .last()
            .unwrap_or("the pattern is not a regular expression");
        refuse(
            file,
            line,
            rule,
            last,
            "mend the pattern; look-around is not supported, use `except`",
        )
    })
}

impl RawPhrase {
    fn compile(self, file: &str, line: usize) -> Result<Phrases, PolicyError> {
        Ok(Phrases {
            trivial: regex(file, line, "phrase.trivial", &self.trivial)?,
            unsettled: regex(file, line, "phrase.unsettled", &self.unsettled)?,
            dangling: regex(file, line, "phrase.dangling", &self.dangling)?,
            several: regex(file, line, "phrase.several", &self.several)?,
            object: regex(file, line, "phrase.object", &self.object)?,
            hanging: self
                .hanging
                .into_iter()
                .map(|it| {
                    Ok((
                        regex(file, line, "phrase.hanging", &it.pattern)?,
                        it.instead,
                    ))
                })
                .collect::<Result<_, PolicyError>>()?,
            heads: self.heads,
            prepositions: self.prepositions,
            determiners: self.determiners,
            nouns: self.nouns,
            modified: self.modified,
            labels: self.labels,
            boundaries: self.boundaries,
            when: self.when,
            adjectives: self.adjectives,
            relatives: self.relatives,
            reasons: self.reasons,
            outcome: regex(file, line, "phrase.outcome", &self.outcome)?,
            subjects: self.subjects,
        })
    }
}

impl Rules {
    /// The rules that are built in.
    pub(crate) fn embedded() -> Result<Self, PolicyError> {
        let (file, text) = CLAIMS;
        let claims: ClaimsFile = parse(file, text)?;
        let line = line_of(text, claims.context.span().start);
        let context = claims.context.into_inner();
        let patterns = [
            &context.personal,
            &context.public,
            &context.closed,
            &context.negative,
            &context.own_words,
            &context.relation,
            &context.derived,
            &context.instructs,
            &context.emergency,
            &context.judges,
        ];
        let compiled: Result<Vec<Pattern>, PolicyError> = patterns
            .iter()
            .map(|pattern| regex(file, line, "context", pattern))
            .collect();
        let mut gathering = Gathering::default();
        let contexts = gathering.add(compiled?);
        let line = line_of(text, claims.phrase.span().start);
        let phrase = claims.phrase.into_inner();
        let phrases = phrase.compile(file, line)?;
        for (name, texts) in [("text.en", &claims.text.en), ("text.es", &claims.text.es)] {
            let whole = [&texts.link, &texts.portal, &texts.portal_unnamed];
            if whole.iter().any(|text| text.matches("{url}").count() != 1) {
                return Err(refuse(
                    file,
                    1,
                    name,
                    "a text has no single `{url}`",
                    "put `{url}` where the link goes",
                ));
            }
        }
        let (conduct_file, conduct_text) = CONDUCT;
        let conduct: ConductFile = parse(conduct_file, conduct_text)?;
        let payers = &claims.payers.names;
        let (deeds, deeds_tried) =
            RuleSet::compile(file, text, claims.rule, payers, &mut gathering)?;
        let (conduct, conduct_tried) = RuleSet::compile(
            conduct_file,
            conduct_text,
            conduct.rule,
            &[],
            &mut gathering,
        )?;
        let (accumulation, details_tried) = Accumulation::embedded(&mut gathering)?;
        let patterns = gathering.finish();
        deeds.try_examples(&patterns, &deeds_tried)?;
        conduct.try_examples(&patterns, &conduct_tried)?;
        accumulation.try_examples(&patterns, &details_tried)?;
        Ok(Self {
            deeds,
            conduct,
            patterns,
            sentences: Model::read(&sentence::ADVICE, ADVICE.0, ADVICE.1)?,
            phrases,
            matrix: Matrix::embedded()?,
            accumulation,
            ordinary: claims.ordinary.words,
            contexts,
            en: claims.text.en,
            es: claims.text.es,
        })
    }

    /// What each sentence of a draft is about, at the end of `into`; its text was looked through.
    pub(crate) fn contexts(&self, view: &View<'_>, matched: &mut Matched, into: &mut Vec<Context>) {
        for sentence in &view.sentences {
            let (patterns, set) = (&self.patterns, &self.contexts);
            patterns.find(set, &view.low, sentence.clone(), matched);
            into.push(Context {
                personal: matched.has(0),
                public: matched.has(1),
                closed: matched.has(2),
                negative: matched.has(3),
                own_words: matched.has(4),
                relation: matched.has(5),
                derived: matched.has(6),
                instructs: matched.has(7),
                emergency: matched.has(8),
                judges: matched.has(9),
            });
        }
    }

    /// Whether a found text is an everyday word rather than the abbreviation or name it resembles.
    pub(crate) fn ordinary(&self, said: &str) -> bool {
        said.chars().any(char::is_lowercase) && listed(&self.ordinary, &Folded::of(said))
    }

    /// The texts of a language.
    pub(crate) const fn texts(&self, language: Language) -> &Texts {
        match language {
            Language::En => &self.en,
            Language::Es => &self.es,
        }
    }
}

/// Whether `word` stands in a list of the data, folded.
pub(crate) fn listed(list: &[String], word: &str) -> bool {
    list.iter().any(|entry| entry == word)
}
