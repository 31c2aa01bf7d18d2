//! What may be said, as data: rules with citations, compiled once, and the words they use.

pub mod fold;
pub mod folder;
pub mod gate;
pub mod law;
pub mod linear;
pub mod overlay;
pub mod pattern;
pub mod phrases;
pub mod rules;
pub mod sentence;
mod sources;
pub mod tagger;
mod tighten;
pub mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use serde::Deserialize;
use sha2::Digest;
use sha2::Sha256;

use crate::policy::gate::Keywords;
use crate::policy::law::Law;
use crate::policy::pattern::Pattern;
use crate::policy::phrases::Phrases;
use crate::policy::rules::Rule;
use crate::policy::sources::Source;
use crate::policy::tagger::Model;

/// What a rule or a list entry may be about, in the order of the guardrail's categories.
///
/// A copy by name: this room is below the guardrail and cannot name its types; a test compares both.
pub const CATEGORIES: &[&str] = &[
    "name",
    "geographic",
    "date",
    "phone",
    "fax",
    "email",
    "ssn",
    "mrn",
    "health_plan",
    "account",
    "license",
    "vehicle",
    "device",
    "url",
    "ip",
    "biometric",
    "photo",
    "other_unique",
    "age_over_89",
    "diagnosis",
    "symptom",
    "medication",
    "dose",
    "lab",
    "lab_value",
    "procedure",
    "treatment",
    "imaging",
    "specialty",
    "pregnancy",
    "vital",
    "mental_health",
    "substance_use",
    "hiv_sti",
    "reproductive",
    "genetic",
    "gender_affirming",
    "abuse",
];

/// A policy that was refused at load: which place, what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: rule `{rule}`: {message}; {remedy}")]
pub struct PolicyError {
    /// The file under `guardrails/`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule or section.
    pub rule: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

impl PolicyError {
    pub(crate) fn at(file: &str, line: usize, rule: &str, message: &str, remedy: &str) -> Self {
        Self {
            file: file.to_owned(),
            line,
            rule: rule.to_owned(),
            message: message.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

/// The types of practice that the law files list: those in the program, and those of a policy folder
/// laid over them. A file that cannot be read lists none; loading the policy says what is wrong.
pub fn listed_practice_types(folder: &Path) -> BTreeSet<String> {
    #[derive(Default, Deserialize)]
    struct Listing {
        #[serde(default)]
        practice_types: BTreeMap<String, Vec<String>>,
    }
    let law = sources::law();
    let own = ["default.toml", "house.toml"]
        .into_iter()
        .filter(|_| !folder.as_os_str().is_empty())
        .filter_map(|name| std::fs::read_to_string(folder.join(name)).ok());
    law.iter()
        .filter(|source| source.path == Path::new("default.toml"))
        .map(|source| source.text.clone().into_owned())
        .chain(own)
        .flat_map(|text| {
            toml::from_str::<Listing>(&text)
                .unwrap_or_default()
                .practice_types
        })
        .map(|(name, _)| name)
        .collect()
}

/// The phrases around a contact or a date that say it is the practice's own.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Before or after a phone number, address or link: it is the practice's own.
    pub practice: Pattern,
    /// In the same sentence: it is somebody's own after all.
    pub personal: Pattern,
    /// In the sentence of a date: a visit or the practice's calendar.
    pub schedule: Pattern,
    /// In the sentence of a date: it is somebody's own date after all.
    pub birth: Pattern,
    /// In the sentence of an entry that is only possibly clinical: it is.
    pub clinical: Pattern,
    /// In the sentence of an entry that is only possibly clinical: an errand of everyday life.
    pub everyday: Pattern,
    /// Right before a specialty: it is offered or asked for, of nobody in particular.
    pub offer: Pattern,
    /// In the sentence of a specialty: a search for a doctor.
    pub directory: Pattern,
    /// In the sentence of a complaint that anybody may have: it is this person's after all.
    pub clinical_own: Pattern,
    /// A question of general knowledge: what is clinical in it is nobody's.
    pub general: Pattern,
    /// In the sentence of a place written large: somebody comes from there or goes there.
    pub journey: Pattern,
    /// In the sentence of a place: somebody lives there.
    pub residence: Pattern,
    /// Right behind a laboratory test or vital sign: its value.
    pub value: Pattern,
}

/// The compiled policy; immutable, shared by `Arc`.
#[derive(Debug)]
pub struct Policy {
    phrases: Phrases,
    rules: Vec<Rule>,
    keywords: Keywords,
    muted: Option<usize>,
    surroundings: Surroundings,
    tagger: Model,
    law: Arc<Law>,
    lists: Vec<(String, usize)>,
    /// What was laid over the built-in files, and a tagger of one's own.
    own: BTreeMap<String, String>,
    own_model: Option<Vec<u8>>,
    digest: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CueFile {
    words: BTreeMap<String, String>,
    surroundings: BTreeMap<String, Vec<String>>,
}

impl Policy {
    /// The policy in the binary.
    pub fn embedded() -> Result<Self, PolicyError> {
        Self::compile(&sources::embedded(), &sources::embedded_model())
    }

    /// The policy in the binary, with every file that lies in `dir` in place of its namesake or
    /// beside it. The folder may only tighten: law, patterns and words that it loosens or leaves out
    /// are refused. (A `tagger.model` of one's own is another voter; what it finds is not compared.)
    pub fn from_dir(dir: &Path) -> Result<Self, PolicyError> {
        let mut all = sources::embedded();
        sources::overlay(dir, &mut all)?;
        Self::laid_over(&all, &sources::model(dir)?)
    }

    /// As [`Self::from_dir`], of files that are at hand, by their place below the folder.
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Self, PolicyError> {
        let mut all = sources::embedded();
        for (place, text) in files {
            sources::lay(PathBuf::from(place), text.clone(), &mut all);
        }
        Self::laid_over(&all, &sources::embedded_model())
    }

    /// This policy with an overlay laid over it: it finds and forbids more, never less.
    pub fn with(&self, files: &BTreeMap<String, String>) -> Result<Self, PolicyError> {
        let (merged, before) = overlay::merged(&self.own, files)?;
        let mut all = sources::embedded();
        for (place, text) in merged {
            sources::lay(PathBuf::from(place), text, &mut all);
        }
        let embedded = sources::embedded_model();
        let model = self.own_model.as_deref().unwrap_or(&embedded);
        Self::laid_over(&all, model).map_err(|error| overlay::told(error, before))
    }

    fn laid_over(all: &[Source], model: &[u8]) -> Result<Self, PolicyError> {
        let built_in = sources::embedded();
        tighten::lists(all, &built_in)?;
        if tighten::touches_patterns(all, &built_in) {
            tighten::patterns(&read_patterns(all)?, &read_patterns(&built_in)?)?;
        }
        let mut policy = Self::compile(all, model)?;
        let owned = all.iter().filter(|it| matches!(it.text, Cow::Owned(_)));
        policy.own = owned
            .map(|it| (it.path.to_string_lossy().into_owned(), it.text.to_string()))
            .collect();
        policy.own_model = (model != &*sources::embedded_model()).then(|| model.to_vec());
        let law = |it: &&Source| it.is_law();
        if !all.iter().filter(law).eq(built_in.iter().filter(law)) {
            policy.law.keeps(&Law::embedded()?)?;
            policy.law.run_examples()?;
        }
        Ok(policy)
    }

    /// Changes when a policy made of the files in `dir` may be another. Cheap enough to be asked
    /// every few seconds.
    pub fn fingerprint(dir: &Path) -> String {
        sources::fingerprint(dir)
    }

    /// Hex SHA-256 over the names and bytes of all sources: two policies with one digest judge alike.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The law.
    pub const fn law(&self) -> &Arc<Law> {
        &self.law
    }

    /// The word lists by their place, with how many terms each holds.
    pub fn lists(&self) -> impl Iterator<Item = (&str, usize)> {
        self.lists
            .iter()
            .map(|(list, terms)| (list.as_str(), *terms))
    }

    /// The words and phrases.
    pub const fn phrases(&self) -> &Phrases {
        &self.phrases
    }

    /// The pattern rules, in order of their files.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Switches one rule off, to show what breaks without it; false when there is no such rule.
    pub fn mute(&mut self, rule: &str) -> bool {
        self.muted = self.rules.iter().position(|it| &*it.id == rule);
        self.muted.is_some()
    }

    /// The place of the rule that is switched off.
    pub(crate) const fn muted(&self) -> Option<usize> {
        self.muted
    }

    /// The phrases that tell the practice's own from a person's own.
    pub const fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The weights of the statistical tagger.
    pub const fn tagger(&self) -> &Model {
        &self.tagger
    }

    /// By which the rules are found that a text is searched for.
    pub const fn keywords(&self) -> &Keywords {
        &self.keywords
    }

    fn compile(all: &[Source], model: &[u8]) -> Result<Self, PolicyError> {
        let mut hasher = Sha256::new();
        for source in all {
            hasher.update(source.path.to_string_lossy().as_bytes());
            hasher.update([0]);
            hasher.update(source.text.as_bytes());
            hasher.update([0]);
        }
        hasher.update(sources::MODEL.as_bytes());
        hasher.update([0]);
        hasher.update(model);
        let digest = hex::encode(hasher.finalize());
        // The law and the model need nothing of the lists, which take as long as both.
        let (law, tagger, rest) = thread::scope(|beside| {
            let law = beside.spawn(|| Law::compile(all));
            let tagger = beside.spawn(|| Model::parse(sources::MODEL, model));
            let rest = Self::compile_lists(all);
            (joined(law), joined(tagger), rest)
        });
        let (law, tagger) = (law?, tagger?);
        let Lists {
            phrases,
            rules,
            cues,
            sizes,
        } = rest?;
        let keywords = Keywords::compile(&rules)?;
        let surroundings = compile_surroundings(&cues)?;
        Ok(Self {
            phrases,
            rules,
            keywords,
            surroundings,
            tagger,
            muted: None,
            law: Arc::new(law),
            lists: sizes,
            own: BTreeMap::new(),
            own_model: None,
            digest,
        })
    }

    /// Everything of the policy but the law and the model.
    fn compile_lists(all: &[Source]) -> Result<Lists, PolicyError> {
        let mut cues = None;
        let mut rules = Vec::new();
        let mut lists = Vec::new();
        for source in all.iter().filter(|source| !source.is_law()) {
            let name = source.path.to_string_lossy();
            if source.path.ends_with("cues.toml") {
                cues = Some(read_cues(&name, &source.text)?);
            } else if name.ends_with(".toml") {
                // A test tries what is built in; what is laid over it is tried at load.
                let own = matches!(source.text, Cow::Owned(_));
                rules::read((&name, &source.text), own, &mut rules)?;
            } else {
                lists.push((name.into_owned(), source.text.as_ref()));
            }
        }
        let cues = cues.ok_or_else(|| {
            PolicyError::at("cues.toml", 1, "cues", "the file is absent", "restore it")
        })?;
        let phrases = Phrases::read(&lists, &cues.words)?;
        let terms = |(list, text): &(String, &str)| (list.clone(), sources::terms(text));
        let sizes = lists.iter().map(terms).collect();
        Ok(Lists {
            phrases,
            rules,
            cues,
            sizes,
        })
    }
}

/// What is compiled of everything but the law and the model.
struct Lists {
    phrases: Phrases,
    rules: Vec<Rule>,
    cues: CueFile,
    sizes: Vec<(String, usize)>,
}

/// What a thread beside this one made; if it broke off, so does this one.
pub(crate) fn joined<T>(beside: ScopedJoinHandle<'_, T>) -> T {
    let made = beside.join();
    made.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

/// The pattern rules of these files.
fn read_patterns(all: &[Source]) -> Result<Vec<Rule>, PolicyError> {
    let mut rules = Vec::new();
    for source in all.iter().filter(|it| it.path.starts_with("identifiers")) {
        // As where the policy is built: what is laid over it is tried at load.
        let own = matches!(source.text, Cow::Owned(_));
        let file = source.path.to_string_lossy();
        rules::read((&file, &source.text), own, &mut rules)?;
    }
    Ok(rules)
}

fn read_cues(file: &str, text: &str) -> Result<CueFile, PolicyError> {
    toml::from_str(text).map_err(|error| {
        let line = rules::line_of(text, error.span().map_or(0, |span| span.start));
        PolicyError::at(
            file,
            line,
            "cues",
            error.message(),
            "see the comment at the top of the file",
        )
    })
}

fn compile_surroundings(cues: &CueFile) -> Result<Surroundings, PolicyError> {
    let get = |name: &str| {
        let missing = || {
            let remedy = "add it under [surroundings]";
            PolicyError::at("cues.toml", 1, name, "the list is absent", remedy)
        };
        let list = cues.surroundings.get(name).ok_or_else(missing)?;
        let pattern = format!("(?-u)(?:{})", list.join("|"));
        rules::compile("cues.toml", 1, name, &pattern)
    };
    Ok(Surroundings {
        practice: get("practice")?,
        personal: get("personal")?,
        schedule: get("schedule")?,
        birth: get("birth")?,
        clinical: get("clinical")?,
        value: get("value")?,
        everyday: get("everyday")?,
        offer: get("offer")?,
        directory: get("directory")?,
        clinical_own: get("clinical_own")?,
        general: get("general")?,
        journey: get("journey")?,
        residence: get("residence")?,
    })
}

/// Where a file of the policy is kept, below `guardrails/`.
pub(crate) fn place(folder: &str, file: &str) -> PathBuf {
    Path::new(folder).join(file)
}
