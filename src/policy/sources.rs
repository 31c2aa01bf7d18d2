//! The files of the policy: those in the binary, and a folder laid over them.

use std::borrow::Cow;
use std::path::Path;
use std::path::PathBuf;

use sha2::Digest as _;
use sha2::Sha256;

use crate::policy::PolicyError;
use crate::policy::place;

/// One file, by its place below `guardrails/`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: Cow<'static, str>,
}

impl Source {
    /// Whether it is one of the law's: the federal floor, the house's own rules, a state.
    pub(crate) fn is_law(&self) -> bool {
        self.path.starts_with("states") || LAW.iter().any(|name| self.path == Path::new(name))
    }
}

/// How many terms a list holds.
pub(crate) fn terms(text: &str) -> usize {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with(['#', '[']));
    lines
        .flat_map(|line| line.split(','))
        .filter(|term| !term.trim().is_empty())
        .count()
}

/// The law files beside those of the states; the house's own is in a folder only.
const LAW: &[&str] = &["default.toml", "house.toml", "channels.toml"];

macro_rules! files {
    ($($folder:literal / $file:literal),+ $(,)?) => {
        [$(Source {
            path: place($folder, $file),
            text: Cow::Borrowed(include_str!(concat!("../../guardrails/", $folder, "/", $file))),
        }),+]
    };
}

/// The files in the binary.
pub(crate) fn embedded() -> Vec<Source> {
    let mut all = Vec::from(files![
        "identifiers" / "contact.toml",
        "identifiers" / "dates.toml",
        "identifiers" / "numbers.toml",
        "identifiers" / "places.toml",
        "identifiers" / "clinical.toml",
        "lexicons" / "medications.txt",
        "lexicons" / "chemicals.txt",
        "lexicons" / "endings.txt",
        "lexicons" / "labs.txt",
        "lexicons" / "procedures.txt",
        "lexicons" / "specialties.txt",
        "lexicons" / "conditions.txt",
        "lexicons" / "symptoms.txt",
        "lexicons" / "sensitive.txt",
        "lexicons" / "names.txt",
        "lexicons" / "names_world.txt",
        "lexicons" / "nicknames.txt",
        "lexicons" / "places.txt",
        "lexicons" / "places_more.txt",
        "lexicons" / "emoji.txt",
        "lexicons" / "harmless.txt",
        "lexicons" / "common.txt",
    ]);
    all.push(Source {
        path: PathBuf::from("cues.toml"),
        text: Cow::Borrowed(include_str!("../../guardrails/cues.toml")),
    });
    all.extend(law());
    all
}

/// The law files in the binary.
pub(crate) fn law() -> Vec<Source> {
    let mut all = Vec::from(files![
        "states" / "AL.toml",
        "states" / "AK.toml",
        "states" / "AZ.toml",
        "states" / "AR.toml",
        "states" / "CA.toml",
        "states" / "CO.toml",
        "states" / "CT.toml",
        "states" / "DE.toml",
        "states" / "DC.toml",
        "states" / "FL.toml",
        "states" / "GA.toml",
        "states" / "HI.toml",
        "states" / "ID.toml",
        "states" / "IL.toml",
        "states" / "IN.toml",
        "states" / "IA.toml",
        "states" / "KS.toml",
        "states" / "KY.toml",
        "states" / "LA.toml",
        "states" / "ME.toml",
        "states" / "MD.toml",
        "states" / "MA.toml",
        "states" / "MI.toml",
        "states" / "MN.toml",
        "states" / "MS.toml",
        "states" / "MO.toml",
        "states" / "MT.toml",
        "states" / "NE.toml",
        "states" / "NV.toml",
        "states" / "NH.toml",
        "states" / "NJ.toml",
        "states" / "NM.toml",
        "states" / "NY.toml",
        "states" / "NC.toml",
        "states" / "ND.toml",
        "states" / "OH.toml",
        "states" / "OK.toml",
        "states" / "OR.toml",
        "states" / "PA.toml",
        "states" / "RI.toml",
        "states" / "SC.toml",
        "states" / "SD.toml",
        "states" / "TN.toml",
        "states" / "TX.toml",
        "states" / "UT.toml",
        "states" / "VT.toml",
        "states" / "VA.toml",
        "states" / "WA.toml",
        "states" / "WV.toml",
        "states" / "WI.toml",
        "states" / "WY.toml",
    ]);
    all.push(Source {
        path: PathBuf::from("default.toml"),
        text: Cow::Borrowed(include_str!("../../guardrails/default.toml")),
    });
    all.push(Source {
        path: PathBuf::from("channels.toml"),
        text: Cow::Borrowed(include_str!("../../guardrails/channels.toml")),
    });
    all
}

/// The file of the statistical tagger.
pub(crate) const MODEL: &str = "tagger.model";

/// The tagger's model in the binary.
pub(crate) fn embedded_model() -> Cow<'static, [u8]> {
    Cow::Borrowed(include_bytes!("../../guardrails/tagger.model"))
}

/// The model that lies in `dir`, or else the one in the binary.
pub(crate) fn model(dir: &Path) -> Result<Cow<'static, [u8]>, PolicyError> {
    match std::fs::read(dir.join(MODEL)) {
        Ok(bytes) => Ok(Cow::Owned(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(embedded_model()),
        Err(error) => {
            let file = dir.join(MODEL);
            let message = error.to_string();
            let remedy = "make it readable, or remove it to use the one in the program";
            Err(PolicyError::at(
                &file.to_string_lossy(),
                1,
                "tagger",
                &message,
                remedy,
            ))
        }
    }
}

/// The folders of a policy folder.
const FOLDERS: &[&str] = &["identifiers", "lexicons", "states"];

/// A policy folder with more files than this was not meant to be one.
const FILES_MAX: usize = 500;

/// The files of a policy folder by their place, sorted. What is neither a rule nor a list of ours is
/// refused by its name: a misspelt file would otherwise be left out in silence.
fn listed(dir: &Path) -> Result<Vec<PathBuf>, PolicyError> {
    let refuse = |path: &Path, message: &str, remedy: &str| {
        Err(PolicyError::at(
            &path.to_string_lossy(),
            1,
            "folder",
            message,
            remedy,
        ))
    };
    let mut found = Vec::new();
    for folder in FOLDERS.iter().copied().chain([""]) {
        let entries = match std::fs::read_dir(dir.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !folder.is_empty() => {
                continue;
            }
            Err(error) => {
                let remedy = "name a folder with house.toml, states/, lexicons/ or identifiers/";
                return refuse(&dir.join(folder), &error.to_string(), remedy);
            }
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(error) => {
                    let remedy = "make the folder readable";
                    return refuse(&dir.join(folder), &error.to_string(), remedy);
                }
            };
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            // Hidden files and those that editors leave behind; a note for people.
            let aside = name.starts_with('.') || name.ends_with('~') || name.ends_with(".md");
            if aside || (folder.is_empty() && FOLDERS.contains(&&*name)) {
                continue;
            }
            let known = match folder {
                "" => name == "cues.toml" || name == MODEL || LAW.iter().any(|law| name == **law),
                "lexicons" => name.ends_with(".txt"),
                _ => name.ends_with(".toml"),
            };
            if !known || path.is_dir() {
                let remedy = "a policy folder holds house.toml, default.toml, channels.toml, \
                              states/XX.toml, identifiers/*.toml and lexicons/*.txt; rename it or \
                              take it out";
                return refuse(&path, "nothing of the policy is named so", remedy);
            }
            if folder.is_empty() && name == MODEL {
                continue;
            }
            found.push(Path::new(folder).join(&*name));
        }
    }
    found.sort();
    if found.len() > FILES_MAX {
        return refuse(
            dir,
            "it holds too many files",
            "name the policy folder itself",
        );
    }
    Ok(found)
}

/// The text of a file, without the mark that some editors put before it.
fn text_of(dir: &Path, at: &Path) -> Result<String, PolicyError> {
    let path = dir.join(at);
    let file = path.to_string_lossy();
    let bytes = std::fs::read(&path).map_err(|error| {
        let remedy = "let the program read it, or take it out";
        PolicyError::at(&file, 1, "file", &error.to_string(), remedy)
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let sound = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..sound).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        let message = format!("byte {sound} of the file is no UTF-8");
        PolicyError::at(&file, line, "file", &message, "save the file as UTF-8")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(bare) => bare.to_owned(),
        None => text,
    })
}

/// Lays the files of `dir` over `all`.
pub(crate) fn overlay(dir: &Path, all: &mut Vec<Source>) -> Result<(), PolicyError> {
    for at in listed(dir)? {
        let text = text_of(dir, &at)?;
        lay(at, text, all);
    }
    Ok(())
}

/// Lays one file over `all`.
pub(crate) fn lay(at: PathBuf, text: String, all: &mut Vec<Source>) {
    let text = Cow::Owned(text);
    match all.iter_mut().find(|source| source.path == at) {
        Some(source) => source.text = text,
        None => all.push(Source { path: at, text }),
    }
}

/// Hex SHA-256 over the names and bytes of the files in `dir`, or what is wrong with the folder: it
/// changes when a policy made of it may be another.
pub(crate) fn fingerprint(dir: &Path) -> String {
    let mut hash = Sha256::new();
    let read = || -> Result<Vec<(PathBuf, String)>, PolicyError> {
        let files = listed(dir)?.into_iter();
        files
            .map(|at| Ok((at.clone(), text_of(dir, &at)?)))
            .collect()
    };
    match read() {
        Ok(files) => {
            for (at, text) in files {
                hash.update(at.to_string_lossy().as_bytes());
                hash.update([0]);
                hash.update(text.as_bytes());
                hash.update([0]);
            }
        }
        Err(error) => hash.update(error.to_string().as_bytes()),
    }
    // The model is read whole only when it is loaded.
    if let Ok(model) = std::fs::metadata(dir.join(MODEL)) {
        hash.update(format!("{} {:?}", model.len(), model.modified().ok()).as_bytes());
    }
    hex::encode(hash.finalize())
}
