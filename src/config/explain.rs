//! Each value and where it came from; secrets never.

use std::fmt::Write as _;

use crate::config::Loaded;

impl Loaded {
    /// Each key, its value and where it came from, a line each; secrets are not shown.
    pub fn explain(&self) -> String {
        let mut lines = String::new();
        if let Ok(toml::Value::Table(table)) = toml::Value::try_from(&self.config) {
            self.explain_table(&table, "", &mut lines);
        }
        self.explain_table(&self.config.accounts.shown(), "", &mut lines);
        lines
    }

    fn explain_table(&self, table: &toml::Table, prefix: &str, lines: &mut String) {
        for (key, value) in table {
            let path = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            if let toml::Value::Table(inner) = value {
                self.explain_table(inner, &path, lines);
                continue;
            }
            let shown = match value {
                toml::Value::Array(items) if path == "practice" => {
                    format!("{} configured", items.len())
                }
                // A database address carries a password.
                toml::Value::String(text) if path == "database_url" => hide_password(text),
                toml::Value::String(_)
                | toml::Value::Integer(_)
                | toml::Value::Float(_)
                | toml::Value::Boolean(_)
                | toml::Value::Datetime(_)
                | toml::Value::Array(_)
                | toml::Value::Table(_) => value.to_string(),
            };
            let origin = self.origin(&path);
            if writeln!(lines, "{path} = {shown}  # {origin}").is_err() {
                return;
            }
        }
    }

    fn origin(&self, path: &str) -> String {
        if let Some(variable) = self.environment.get(path) {
            return format!("environment {variable}");
        }
        match (&self.file, self.file_keys.get(path)) {
            (Some(file), Some(line)) => format!("{}:{line}", file.display()),
            _ if path == "practice" && !self.config.practice.is_empty() => "file".to_owned(),
            _ => "default".to_owned(),
        }
    }
}

fn hide_password(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(mut url) if url.password().is_some() => match url.set_password(Some("(not shown)")) {
            Ok(()) => format!("\"{url}\""),
            Err(()) => "\"(not shown)\"".to_owned(),
        },
        _ => format!("\"{address}\""),
    }
}
