//! Pattern rules: what a file under `guardrails/identifiers/` says, compiled and refused with its line.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::policy::CATEGORIES;
use crate::policy::PolicyError;
use crate::policy::fold::fold_into;
use crate::policy::gate::INNER;
use crate::policy::gate::KEYWORD;
use crate::policy::pattern::Demands;
use crate::policy::pattern::Inner;
use crate::policy::pattern::Pattern;
use crate::policy::pattern::extent::Extent;
use crate::policy::pattern::reach::Reach;
use crate::policy::words::vocabulary;

vocabulary! {
    /// An arithmetic check that a found number must pass.
    Checksum, "checksum" {
        /// Area, group and serial of a social security number that the SSA could have issued.
        Ssn = "ssn",
        /// ISO/IEC 7812-1 Luhn digit.
        Luhn = "luhn",
        /// Luhn over the prefix 80840 and the number (NPI, 45 CFR 162.406).
        Npi = "npi",
        /// Character classes of the CMS Medicare beneficiary identifier.
        Mbi = "mbi",
        /// Check digit of a DEA registration.
        Dea = "dea",
        /// Check character of 49 CFR 565.15.
        Vin = "vin",
        /// Check digit of an ABA routing number.
        Aba = "aba",
        /// ISO 7064 mod 97-10 of an IBAN.
        Iban = "iban",
        /// A month of 1 to 12 and a day of 1 to 31, in either order.
        Date = "date",
        /// Ten digits of the North American plan, the area and exchange beginning with 2 to 9.
        Nanp = "nanp",
        /// At least 7 digits, not a run of a year and a price.
        Phone = "phone",
        /// A number from 90 to 125.
        Over89 = "over89",
        /// The two letters of a US state.
        State = "state",
        /// An ending that the DNS root or RFC 2606 knows.
        Host = "host",
    }
}

vocabulary! {
    /// How sure a rule or entry is; the guardrail's confidence by the same names.
    Certainty, "confidence" {
        /// Could be; wants a cue beside it.
        Possible = "possible",
        /// Usually is.
        Probable = "probable",
        /// Is.
        Certain = "certain",
    }
}

vocabulary! {
    /// What must stand in a text before a rule is tried on it.
    Needs, "needs" {
        /// A digit.
        Digit = "digit",
        /// One of the keywords.
        Keyword = "keyword",
        /// A digit and one of the keywords.
        Both = "both",
    }
}

vocabulary! {
    /// Whose a found value may be.
    Owner, "owner" {
        /// A person's, whatever stands around it.
        Person = "person",
        /// A contact or place: the practice's own when the words around it say so.
        Contact = "contact",
        /// A date: of a visit or of the practice's calendar when the words around it say so.
        Calendar = "calendar",
    }
}

/// One compiled pattern rule.
#[derive(Debug)]
pub struct Rule {
    /// `identifiers.` and the id in the file.
    pub id: Arc<str>,
    /// One of [`CATEGORIES`].
    pub category: &'static str,
    /// Over the folded view; the group `v`, if there is one, is what is found.
    pub pattern: Pattern,
    /// Has the pattern a group `v`?
    pub grouped: bool,
    /// Words of which one must stand in the text, for `needs = keyword`.
    pub keywords: Vec<String>,
    /// What must stand in the text.
    pub needs: Needs,
    /// What every match has.
    pub demands: Demands,
    /// Where a match lies, by the words that are looked for; nothing where its digits tell.
    pub window: Option<Window>,
    /// What the value must pass.
    pub checksum: Option<Checksum>,
    /// Confidence without (or in no need of) a word of context.
    pub confidence: Option<Certainty>,
    /// Words near the value that raise it.
    pub context: Option<Pattern>,
    /// Confidence with a word of context.
    pub with_context: Certainty,
    /// Whose it may be.
    pub owner: Owner,
    /// The law.
    pub cite: Arc<str>,
    /// Its file and line.
    pub place: (String, usize),
    /// Is its file laid over the built-in ones? Then its examples are tried where it is loaded.
    pub own: bool,
    /// Texts in which it must fire.
    pub flags: Vec<String>,
    /// Texts in which it must not.
    pub allows: Vec<String>,
}

impl Rule {
    /// Whether it is the same rule as another, its examples and its place aside.
    pub(crate) fn demands_what(&self, other: &Self) -> bool {
        let context = |rule: &Self| rule.context.as_ref().map(|it| it.as_str().to_owned());
        self.category == other.category
            && self.pattern.as_str() == other.pattern.as_str()
            && self.keywords == other.keywords
            && self.needs == other.needs
            && self.checksum == other.checksum
            && self.confidence == other.confidence
            && context(self) == context(other)
            && self.with_context == other.with_context
            && self.owner == other.owner
    }
}

/// How far a match reaches around one of the words that are looked for.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Which words: [`KEYWORD`] or [`INNER`].
    pub mark: u8,
    /// The most before the word.
    pub before: Extent,
    /// The most from its beginning on.
    pub behind: Extent,
}

impl Window {
    fn around((mark, inner): (u8, &Inner)) -> Option<Self> {
        inner.is_bounded().then_some(Self {
            mark,
            before: inner.before,
            behind: inner.behind,
        })
    }
}

/// The most bytes that the program of one pattern may take.
const PATTERN_MAX: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rule: Vec<Spanned<RawRule>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    category: String,
    summary: String,
    cite: String,
    pattern: String,
    #[serde(default)]
    keywords: Vec<String>,
    needs: Option<Needs>,
    checksum: Option<Checksum>,
    confidence: Option<Certainty>,
    context: Option<String>,
    with_context: Option<Certainty>,
    owner: Option<Owner>,
    flags: Vec<String>,
    allows: Vec<String>,
}

/// Reads one file of rules and adds them to `rules`.
pub(crate) fn read(
    (file, text): (&str, &str),
    tried: bool,
    rules: &mut Vec<Rule>,
) -> Result<(), PolicyError> {
    let parsed: RuleFile = toml::from_str(text).map_err(|error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        PolicyError::at(file, line, "?", error.message(), remedy_of(error.message()))
    })?;
    let mut seen: BTreeSet<Arc<str>> = rules.iter().map(|rule| Arc::clone(&rule.id)).collect();
    for raw in parsed.rule {
        let line = line_of(text, raw.span().start);
        let mut rule = compile_rule(file, line, raw.into_inner())?;
        rule.own = tried;
        if tried {
            try_examples(file, line, &rule)?;
        }
        if !seen.insert(Arc::clone(&rule.id)) {
            let remedy = "give each rule its own id";
            return Err(PolicyError::at(
                file,
                line,
                &rule.id,
                "the id is taken",
                remedy,
            ));
        }
        rules.push(rule);
    }
    Ok(())
}

/// What to write in place of the usual slips of a file of rules.
fn remedy_of(message: &str) -> &'static str {
    const SLIPS: &[(&str, &str)] = &[
        (
            "invalid type: map",
            "begin each rule with `[[rule]]`, in two brackets",
        ),
        (
            "missing field `rule`",
            "it holds no rule: begin one with `[[rule]]`, or take the file out",
        ),
        (
            "missing escaped value",
            "put a pattern between single quotes: pattern = 'emp-\\d+'",
        ),
        (
            "expected a sequence",
            "write a list of texts: flags = [\"...\", \"...\"]",
        ),
    ];
    let known = SLIPS.iter().find(|(slip, _)| message.contains(slip));
    known.map_or(
        "a rule has id, category, summary, cite, pattern, flags, allows",
        |(_, remedy)| remedy,
    )
}

/// Refuses a rule whose pattern does not match in an example of its own.
fn try_examples(file: &str, line: usize, rule: &Rule) -> Result<(), PolicyError> {
    let Some(text) = rule.flags.iter().find(|text| !reads(&rule.pattern, text)) else {
        return Ok(());
    };
    let message = format!("example `{text}` is not flagged");
    let remedy = "widen `pattern`, which reads lower-cased, unaccented text, or drop the example";
    Err(PolicyError::at(file, line, &rule.id, &message, remedy))
}

/// Does the pattern match in a text, folded as drafts are?
fn reads(pattern: &Pattern, text: &str) -> bool {
    let mut folded = Vec::with_capacity(text.len());
    fold_into(text, &mut folded);
    pattern.find_at(&folded, 0).is_some()
}

fn compile_rule(file: &str, line: usize, raw: RawRule) -> Result<Rule, PolicyError> {
    let refuse =
        |message: &str, remedy: &str| PolicyError::at(file, line, &raw.id, message, remedy);
    let Some(category) = CATEGORIES.iter().find(|name| **name == raw.category) else {
        return Err(refuse(
            "the category is unknown",
            &format!("use one of {}", CATEGORIES.join(", ")),
        ));
    };
    if raw.cite.trim().is_empty() || raw.summary.trim().is_empty() {
        return Err(refuse(
            "cite or summary is empty",
            "name the law or house rule, and say it in a sentence",
        ));
    }
    if raw.flags.is_empty() || raw.allows.is_empty() {
        let remedy = "add at least one text to `flags` and one to `allows`";
        return Err(refuse("it has no examples", remedy));
    }
    let needs = raw.needs.unwrap_or(if raw.keywords.is_empty() {
        Needs::Digit
    } else {
        Needs::Keyword
    });
    if needs != Needs::Digit && raw.keywords.is_empty() {
        return Err(refuse(
            "it needs a keyword and names none",
            "fill `keywords`",
        ));
    }
    if raw.confidence.is_none() && raw.context.is_none() {
        return Err(refuse(
            "it can never be sure",
            "give `confidence`, or `context` and `with_context`",
        ));
    }
    let pattern = compile(file, line, &raw.id, &format!("(?-u)(?:{})", raw.pattern))?;
    let grouped = pattern.group_number("v").is_some();
    let context = raw.context.as_ref().map(|words| {
        compile(
            file,
            line,
            &raw.id,
            &format!(r"(?-u)(?:\b|_)(?:{words})(?:\b|_|$|[ #:])"),
        )
    });
    let (demands, window) = demands(&pattern, needs, &raw.keywords);
    Ok(Rule {
        id: format!("identifiers.{}", raw.id).into(),
        category,
        demands,
        window,
        pattern,
        grouped,
        keywords: raw.keywords,
        needs,
        checksum: raw.checksum,
        confidence: raw.confidence,
        context: context.transpose()?,
        with_context: raw.with_context.unwrap_or(Certainty::Certain),
        owner: raw.owner.unwrap_or(Owner::Person),
        cite: raw.cite.into(),
        place: (file.to_owned(), line),
        own: false,
        flags: raw.flags,
        allows: raw.allows,
    })
}

/// What every match has, and where it lies. Inner strings are looked for beside keywords where they rule
/// out much more.
fn demands(pattern: &Pattern, needs: Needs, keywords: &[String]) -> (Demands, Option<Window>) {
    const MORE: f64 = 4.0;
    let mut demands = pattern.demands();
    let known: Vec<Vec<u8>> = keywords.iter().map(|it| it.clone().into_bytes()).collect();
    let told = |it: &Inner| needs == Needs::Digit || it.rules_out_more(MORE, &known);
    demands.inner = demands.inner.filter(told);
    let by_digits = demands.around.is_some_and(Reach::is_bounded);
    let window = match &demands.inner {
        _ if by_digits => None,
        Some(inner) => Window::around((INNER, inner)),
        None if needs == Needs::Digit => None,
        None => {
            let keywords = pattern.inner_by(&known);
            keywords.and_then(|it| Window::around((KEYWORD, &it)))
        }
    };
    (demands, window)
}

/// Compiles a byte pattern under a size limit, so that no rule can cost the house its memory.
pub(crate) fn compile(
    file: &str,
    line: usize,
    rule: &str,
    pattern: &str,
) -> Result<Pattern, PolicyError> {
    Pattern::over_bytes(pattern, PATTERN_MAX).map_err(|reason| {
        let remedy = "write a pattern over lower-cased, unaccented text";
        PolicyError::at(file, line, rule, &reason, remedy)
    })
}

/// The line of a byte offset, from 1.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}
