//! Configuration: commented defaults, one TOML file over them, the environment over both.

mod explain;
mod guard;
mod llm;
mod mail;
mod place;
mod practice;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::carrier::account::Accounts;
use crate::carrier::pager::Pager;
use crate::config::place::{Wrong, located};
use crate::domain::practice::Practice;

pub use crate::domain::secret::Secret;

pub use guard::Guard;
pub use llm::{Fallback, Llm};
pub use mail::Mail;
pub(crate) use place::nearest;

/// The documentation of every key and the defaults, in one text.
pub const DEFAULTS: &str = include_str!("default.toml");

/// What every variable of ours begins with.
const PREFIX: &str = "ANTEROOM_";

/// Variables with our prefix that are not keys.
const NOT_KEYS: &[&str] = &[
    "ANTEROOM_CONFIG",
    "ANTEROOM_TEST_POSTGRES",
    "ANTEROOM_TEST_POSTGRES_BIN",
];

/// Everything that can be set.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address to listen on.
    pub listen: std::net::SocketAddr,
    /// What carriers sign and patients open.
    pub public_url: String,
    /// Where files live.
    pub data_dir: PathBuf,
    /// Which database.
    pub database_url: String,
    /// Which master key.
    pub master_key_file: PathBuf,
    /// A folder laid over the built-in policy.
    pub policy_dir: PathBuf,
    /// Patience at shutdown, in seconds.
    pub shutdown_s: u64,
    /// Logging.
    pub log: Log,
    /// The language model.
    pub llm: Llm,
    /// Who is paged.
    pub alarm: Paging,
    /// The relay for e-mail.
    pub mail: Mail,
    /// The guard's addresses.
    pub guard: Guard,
    /// The practices.
    #[serde(default)]
    pub practice: Vec<Practice>,
    /// The accounts with carriers: `[twilio.PRACTICE]`, `[bandwidth.PRACTICE]`, ...
    #[serde(skip)]
    pub accounts: Accounts,
}

/// Logging.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `json` or `text`.
    pub format: String,
    /// A level or a filter.
    pub level: String,
}

/// Who is paged when a patient's text raises an alarm.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Where pages go; empty: nowhere.
    pub webhook: String,
    /// What they are signed with.
    pub secret: Secret,
}

impl Paging {
    /// The pager; none where no address is set.
    pub fn pager(&self) -> Result<Option<Pager>, ConfigError> {
        if self.webhook.is_empty() {
            return Ok(None);
        }
        Pager::new(&self.webhook, self.secret.secret())
            .map(Some)
            .map_err(|error| ConfigError(error.to_string()))
    }
}

/// A configuration that cannot be used, with the place and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// A configuration and where each part of it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    file_keys: BTreeMap<String, usize>,
    environment: BTreeMap<String, String>,
}

/// Reads the file (none: `anteroom.toml` in the current folder where there is one) and the environment.
pub fn load(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let mut table: toml::Table =
        toml::from_str(DEFAULTS).map_err(|error| ConfigError(format!("defaults: {error}")))?;
    let mut file_keys = BTreeMap::new();
    let path = file.map(Path::to_owned).or_else(|| {
        let usual = PathBuf::from("anteroom.toml");
        usual.exists().then_some(usual)
    });
    let mut text = String::new();
    if let Some(path) = &path {
        text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError(format!(
                "{}: {error}; name an existing file with --config",
                path.display()
            ))
        })?;
        let own: toml::Table =
            toml::from_str(&text).map_err(|error| located(path, &text, &error))?;
        collect_lines(&own, &text, &mut file_keys);
        merge(&mut table, own);
        typed(&table).map_err(|wrong| wrong.within(Some((path, &text))))?;
    }
    let mut from_environment = BTreeMap::new();
    for (variable, value) in environment {
        let Some(key) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        if NOT_KEYS.contains(&variable.as_str()) {
            continue;
        }
        let path: Vec<String> = key.split("__").map(str::to_lowercase).collect();
        set(&mut table, &path, &value)
            .and_then(|()| typed(&table).map(drop))
            .map_err(|wrong| {
                ConfigError(format!(
                    "environment variable {variable}: {}; unset it if it is not meant for anteroom",
                    wrong.text
                ))
            })?;
        from_environment.insert(path.join("."), variable);
    }
    let file = path.as_deref().map(|path| (path, text.as_str()));
    let config = typed(&table)
        .and_then(|config| check(&config).map(|()| config))
        .map_err(|wrong| wrong.within(file))?;
    Ok(Loaded {
        config,
        file: path,
        file_keys,
        environment: from_environment,
    })
}

/// What is wrong with the text of a file, as a start with it would say.
pub fn check_text(text: &str) -> Result<(), ConfigError> {
    let mut table: toml::Table =
        toml::from_str(DEFAULTS).map_err(|error| ConfigError(format!("defaults: {error}")))?;
    let path = Path::new("anteroom.toml");
    let own = toml::from_str(text).map_err(|error| located(path, text, &error))?;
    merge(&mut table, own);
    typed(&table)
        .and_then(|config| check(&config))
        .map_err(|wrong| wrong.within(Some((path, text))))
}

fn typed(table: &toml::Table) -> Result<Config, Wrong> {
    let mut table = table.clone();
    // Each carrier reads its own sections.
    let accounts = Accounts::take(&mut table).map_err(|(key, said)| Wrong::told(&key, &said))?;
    let mut config: Config = serde_path_to_error::deserialize(toml::Value::Table(table))
        .map_err(|fault| Wrong::told(&fault.path().to_string(), fault.inner().message()))?;
    config.accounts = accounts;
    Ok(config)
}

/// Puts `over` on top of `base`; tables are merged, everything else replaced.
fn merge(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Sets one key from a variable: as TOML where the text is TOML of the right kind, else as a string.
fn set(table: &mut toml::Table, path: &[String], text: &str) -> Result<(), Wrong> {
    let Some((last, parents)) = path.split_last() else {
        return Ok(());
    };
    if path.first().is_some_and(|first| first == "practice") {
        let text = "practices are a list; write them as [[practice]] in the file";
        return Err(Wrong::at("practice", text));
    }
    let mut here = table;
    for parent in parents {
        let entry = here
            .entry(parent.clone())
            .or_insert_with(|| toml::Table::new().into());
        here = entry
            .as_table_mut()
            .ok_or_else(|| Wrong::at("", format!("`{parent}` is not a section")))?;
    }
    let parsed = toml::from_str::<toml::Table>(&format!("v = {text}")).ok();
    let parsed = parsed.and_then(|mut table| table.remove("v"));
    let as_is = toml::Value::String(text.to_owned());
    let value = match (here.get(last), parsed) {
        (Some(toml::Value::String(_)), _) | (_, None) => as_is,
        (_, Some(value)) => value,
    };
    here.insert(last.clone(), value);
    Ok(())
}

/// Remembers on which line of the file each plain key stands, for `config explain`.
fn collect_lines(table: &toml::Table, text: &str, keys: &mut BTreeMap<String, usize>) {
    let mut section = String::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            name.trim_start_matches('[')
                .trim_end_matches([']', ' '])
                .clone_into(&mut section);
        } else if let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            let key = key.trim();
            let path = if section.is_empty() {
                key.to_owned()
            } else {
                format!("{section}.{key}")
            };
            keys.insert(path, index + 1);
        }
    }
    keys.retain(|key, _| table.contains_key(key.split('.').next().unwrap_or_default()));
}

/// What types alone cannot refuse.
fn check(config: &Config) -> Result<(), Wrong> {
    let fail = |key: &str, text: &str| Err(Wrong::at(key, format!("{key}: {text}")));
    if !["json", "text"].contains(&config.log.format.as_str()) {
        return fail("log.format", "use `json` or `text`");
    }
    config.llm.check()?;
    if !config.public_url.is_empty() {
        match url::Url::parse(&config.public_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {}
            _ => return fail("public_url", "write it as https://text.example.com"),
        }
    }
    config.guard.check(&config.practice)?;
    config.mail.check()?;
    let pager = config.alarm.pager().map(drop);
    pager.map_err(|error| Wrong::at("alarm.webhook", error.0))?;
    practice::check(config)
}

impl Config {
    /// The address that carriers and patients use.
    pub fn public_url(&self) -> String {
        if self.public_url.is_empty() {
            format!("http://{}/", self.listen)
        } else {
            format!("{}/", self.public_url.trim_end_matches('/'))
        }
    }

    /// The database's address.
    pub fn database_url(&self) -> String {
        if self.database_url.is_empty() {
            format!("sqlite://{}", self.data_dir.join("anteroom.db").display())
        } else {
            self.database_url.clone()
        }
    }

    /// The master key's file.
    pub fn master_key_file(&self) -> PathBuf {
        if self.master_key_file.as_os_str().is_empty() {
            self.data_dir.join("master.key")
        } else {
            self.master_key_file.clone()
        }
    }
}
