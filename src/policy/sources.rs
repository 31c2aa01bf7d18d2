//! The files of the policy: those in the binary, and a folder laid over them.

use std::borrow::Cow;
use std::path::Path;
use std::path::PathBuf;

use crate::policy::PolicyError;
use crate::policy::place;

/// One file, by its place below `guardrails/`.
#[derive(Debug)]
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

/// The text of a file, without the mark that some editors put before it.
fn read(path: &Path) -> Result<String, PolicyError> {
    let file = path.to_string_lossy();
    let bytes = std::fs::read(path).map_err(|error| {
        let remedy = "let the program read it, or take it away";
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

/// Lays the files of `dir/folder` over `all`; a folder that is absent changes nothing.
pub(crate) fn overlay(dir: &Path, folder: &Path, all: &mut Vec<Source>) -> Result<(), PolicyError> {
    let Ok(entries) = std::fs::read_dir(dir.join(folder)) else {
        return Ok(());
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name() else {
            continue;
        };
        let is_list = path
            .extension()
            .is_some_and(|end| end == "txt" || end == "toml");
        let known = name == "cues.toml" || LAW.iter().any(|law| name == *law);
        if !path.is_file() || !is_list || (folder.as_os_str().is_empty() && !known) {
            continue;
        }
        let text = read(&path)?;
        let at = folder.join(name);
        let text = Cow::Owned(text);
        match all.iter_mut().find(|source| source.path == at) {
            Some(source) => source.text = text,
            None => all.push(Source { path: at, text }),
        }
    }
    Ok(())
}
