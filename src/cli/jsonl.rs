//! `check`, `detect`, `screen`: one JSON object a line in, one out, in order.

use std::io::{BufRead, Write};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::explain::{self, Paint};
use crate::cli::{FINDINGS, HOLDS, NO_VERDICT, NOTHING, refuse};
use crate::domain::fault::{Fault, told};
use crate::guardrail::finding::Verdict;
use crate::guardrail::review::Guardrail;
use crate::guardrail::wire;
use crate::screen::Screen;
use crate::screen::wire::ScreenRequest;

/// Longest line that is read; a text has no business being longer.
const LINE_BYTES_MAX: usize = 1 << 20;

/// `anteroom check`, for machines or for people.
pub(super) fn check(guardrail: &Guardrail, draft: Option<String>, explain: bool) -> u8 {
    let one = draft.map(|draft| sample_line(&draft));
    let review = |line: wire::CheckIn| {
        let began = Instant::now();
        let mut out = wire::check_line(guardrail, &line);
        out.micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let found = out.verdict != Verdict::Pass;
        Ok(((line.draft, out), found))
    };
    if explain {
        let paint = Paint::of_stdout();
        return each(one, review, |out, answer| match answer {
            Ok((draft, review)) => explain::tell(out, &draft, &review, paint),
            Err(broken) => writeln!(out, "{}\n", explain::visible(&broken.error)),
        });
    }
    each(one, review, |out, answer| {
        as_json(out, answer.map(|(_, review)| review))
    })
}

/// `anteroom detect`.
pub(super) fn detect(guardrail: &Guardrail, text: Option<String>) -> u8 {
    let one = text.map(|text| serde_json::json!({ "id": "1", "text": text }).to_string());
    let answer = |line: wire::DetectIn| {
        let out = wire::detect_line(guardrail, &line);
        let found = !out.findings.is_empty();
        Ok((out, found))
    };
    each(one, answer, as_json)
}

/// `anteroom screen`.
pub(super) fn screen(text: Option<String>) -> u8 {
    let screen = match Screen::embedded() {
        Ok(screen) => screen,
        Err(error) => return refuse(&error.to_string()),
    };
    let one = text.map(|text| {
        serde_json::json!({ "id": "1", "text": text, "pending": null, "language": "en" })
            .to_string()
    });
    let answer = |line: ScreenRequest| Ok((line.answer(&screen), false));
    each(one, answer, as_json)
}

/// A draft of the sample practice to a patient who agreed, with one visit on file.
fn sample_line(draft: &str) -> String {
    serde_json::json!({
        "id": "1",
        "draft": draft,
        "context": {
            "practice": {
                "name": "Lakeside Family Medicine",
                "phone": "+14155550100",
                "type": "primary_care",
                "portal_url": "https://portal.example.com",
            },
            "channel": "sms",
            "consent": "granted",
            "state": "CA",
            "language": "en",
            "timezone": "America/Los_Angeles",
            "now": "2026-12-01T10:00:00-08:00",
            "purpose": "reply",
            "facts": [
                { "field": "appointment.start", "value": "2026-12-02T15:00:00-08:00" },
                { "field": "appointment.provider", "value": "Dr. Ana Reyes" },
            ],
        },
    })
    .to_string()
}

/// A line that could not be answered.
#[derive(Debug, Serialize)]
struct Broken {
    id: serde_json::Value,
    error: String,
}

/// Writes an answer for machines.
fn as_json<Out: Serialize>(
    out: &mut impl Write,
    answer: Result<Out, Broken>,
) -> std::io::Result<()> {
    match answer {
        Ok(answer) => serde_json::to_writer(&mut *out, &answer)?,
        Err(broken) => serde_json::to_writer(&mut *out, &broken)?,
    }
    out.write_all(b"\n")
}

/// Answers one given line, or standard input.
fn each<In: DeserializeOwned, Out>(
    one: Option<String>,
    answer: impl FnMut(In) -> Result<(Out, bool), String>,
    tell: impl FnMut(&mut std::io::StdoutLock<'static>, Result<Out, Broken>) -> std::io::Result<()>,
) -> u8 {
    let mut out = std::io::stdout().lock();
    let ended = match one {
        Some(line) => lines(&mut line.as_bytes(), &mut out, answer, tell),
        None => lines(&mut std::io::stdin().lock(), &mut out, answer, tell),
    };
    if ended.as_ref().is_ok_and(|code| *code == NOTHING) {
        eprintln!(
            "anteroom: nothing to look at; write one JSON object a line to standard input, or see \
             --help for how to give one text"
        );
    }
    // A closed pipe downstream is no fault of the input; there is nobody left to tell.
    ended.unwrap_or(NO_VERDICT)
}

/// Answers each line; a broken one gets its error in its place and the rest are still answered.
fn lines<In: DeserializeOwned, Out, W: Write>(
    input: &mut impl BufRead,
    out: &mut W,
    mut answer: impl FnMut(In) -> Result<(Out, bool), String>,
    mut tell: impl FnMut(&mut W, Result<Out, Broken>) -> std::io::Result<()>,
) -> std::io::Result<u8> {
    let (mut number, mut examined, mut found, mut broken) = (0_usize, 0_usize, false, false);
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match parse(&line, number).and_then(&mut answer) {
            Ok((answered, finding)) => {
                examined += 1;
                found |= finding;
                tell(out, Ok(answered))?;
            }
            Err(error) => {
                broken = true;
                let id = id_of(&line);
                tell(out, Err(Broken { id, error }))?;
            }
        }
        // Each answer leaves at once: whoever pipes line by line waits for it.
        out.flush()?;
    }
    Ok(match (broken, examined, found) {
        (true, _, _) => NO_VERDICT,
        (false, 0, _) => NOTHING,
        (false, _, true) => FINDINGS,
        (false, _, false) => HOLDS,
    })
}

fn parse<In: DeserializeOwned>(line: &[u8], number: usize) -> Result<In, String> {
    if line.len() > LINE_BYTES_MAX {
        return Err(format!(
            "line {number}: longer than {LINE_BYTES_MAX} bytes; split the text"
        ));
    }
    let mut text = serde_json::Deserializer::from_slice(line);
    let wrong = |fault: &Fault| format!("line {number}: {}", told(fault, "it"));
    let read = serde_path_to_error::deserialize(&mut text).map_err(|fault| wrong(&fault))?;
    text.end()
        .map_err(|_more| format!("line {number}: more than one JSON object; write one a line"))?;
    Ok(read)
}

fn id_of(line: &[u8]) -> serde_json::Value {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    parsed
        .and_then(|mut value| value.get_mut("id").map(serde_json::Value::take))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct In {
        id: String,
        text: String,
    }

    fn answered(input: &[u8]) -> (String, u8) {
        let mut out = Vec::new();
        let answer = |line: In| {
            let found = line.text.contains('!');
            Ok((serde_json::json!({ "id": line.id }), found))
        };
        let code = lines(&mut &*input, &mut out, answer, as_json);
        (String::from_utf8(out).unwrap(), code.unwrap())
    }

    #[test]
    fn exit_codes_tell_findings_errors_and_nothing_apart() {
        let cases: &[(&[u8], u8, &str)] = &[
            (b"", NOTHING, ""),
            (b"\n  \n", NOTHING, ""),
            (
                b"{\"id\":\"1\",\"text\":\"a\"}\n",
                HOLDS,
                "{\"id\":\"1\"}\n",
            ),
            (
                b"{\"id\":\"1\",\"text\":\"a!\"}",
                FINDINGS,
                "{\"id\":\"1\"}\n",
            ),
        ];
        for (input, code, out) in cases {
            assert_eq!(answered(input), ((*out).to_owned(), *code));
        }
    }

    #[test]
    fn a_broken_line_is_told_with_number_and_key_and_the_rest_is_answered() {
        let input = b"{\"id\":\"1\",\"text\":\"a\",\"txet\":1}\n{\"id\":7}\nnonsense\n\xff\xfe\n{\"id\":\"x\",\"text\":\"\\ud800\"}\n{\"id\":\"5\",\"text\":\"a\"}\n";
        let (out, code) = answered(input);
        let rows: Vec<&str> = out.lines().collect();
        assert_eq!(code, NO_VERDICT);
        assert!(
            rows[0].contains("line 1") && rows[0].contains("unknown key `txet`"),
            "{}",
            rows[0]
        );
        assert!(rows[0].contains("\"id\":\"1\""), "{}", rows[0]);
        assert!(
            rows[1].contains("line 2") && rows[1].contains("\"id\":7"),
            "{}",
            rows[1]
        );
        assert!(
            rows[2].contains("line 3") && rows[3].contains("line 4") && rows[4].contains("line 5")
        );
        assert_eq!(rows[5], "{\"id\":\"5\"}");
    }

    #[test]
    fn an_error_never_repeats_a_value() {
        let (out, _) = answered(b"{\"id\":[\"Marta Quispe\"],\"text\":\"a\"}\n");
        let error: serde_json::Value = serde_json::from_str(out.trim()).unwrap();
        assert!(
            !error["error"].as_str().unwrap().contains("Quispe"),
            "{error}"
        );
    }
}
