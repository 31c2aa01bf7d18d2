//! `check --explain`: a review for people, with what was found underlined.

use std::ffi::OsStr;
use std::io::{IsTerminal as _, Write};

use unicode_width::UnicodeWidthChar as _;

use crate::guardrail::finding::{Action, Verdict};
use crate::guardrail::wire::{CheckOut, FindingOut};

/// Puts words into colour, or leaves them as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    colour: bool,
    /// Columns of one line of a draft.
    width: usize,
}

/// A line of a draft is as long where nobody says how wide the terminal is.
const WIDTH: usize = 96;
/// Narrower than this nothing could be underlined.
const WIDTH_MIN: usize = 16;
/// What stands before a line.
const MARGIN: usize = 4;

impl Paint {
    /// Colour on a terminal that can show it, unless `NO_COLOR` says otherwise (no-color.org).
    pub(super) fn of_stdout() -> Self {
        let variable = |name: &str| std::env::var_os(name).unwrap_or_default();
        let terminal = std::io::stdout().is_terminal();
        Self::wanted(terminal, &variable("NO_COLOR"), &variable("TERM"))
            .within(std::env::var_os("COLUMNS").as_deref())
    }

    fn wanted(terminal: bool, no_color: &OsStr, term: &OsStr) -> Self {
        Self {
            colour: terminal && no_color.is_empty() && term != "dumb",
            width: WIDTH,
        }
    }

    /// Within so many columns, as the shell counts them.
    fn within(self, columns: Option<&OsStr>) -> Self {
        let told = columns
            .and_then(OsStr::to_str)
            .and_then(|it| it.parse().ok());
        let width = told.map_or(WIDTH, |columns: usize| {
            columns.saturating_sub(MARGIN).max(WIDTH_MIN)
        });
        Self { width, ..self }
    }

    fn dye(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn action(self, action: Action, text: &str) -> String {
        let code = match action {
            Action::Keep => "32",
            Action::Drop => "33",
            Action::Hold => "31",
        };
        self.dye(code, text)
    }

    fn bold(self, text: &str) -> String {
        self.dye("1", text)
    }
}

/// One line of a draft: its characters as they are shown, and where each begins.
struct Row {
    shown: String,
    /// Index of the first code point.
    first: usize,
    /// The column at which each code point begins, and the one after the last.
    columns: Vec<usize>,
}

/// An underline in a row: from, to (exclusive), and whose.
struct Mark {
    from: usize,
    to: usize,
    number: usize,
    action: Action,
}

/// Tells one review.
pub(super) fn tell(
    out: &mut impl Write,
    draft: &str,
    review: &CheckOut,
    paint: Paint,
) -> std::io::Result<()> {
    let verdict = match review.verdict {
        Verdict::Pass => paint.action(Action::Keep, "PASS"),
        Verdict::Rewrite => paint.action(Action::Drop, "REWRITE"),
        Verdict::Hold => paint.action(Action::Hold, "HOLD"),
    };
    let id = review.id.as_str().map(visible);
    let id = id.unwrap_or_else(|| visible(&review.id.to_string()));
    let digest: String = review.policy.chars().take(12).collect();
    let micros = review.micros;
    writeln!(
        out,
        "{}  {verdict}  ({micros} us, policy {digest})\n",
        paint.bold(&id)
    )?;
    for row in rows(draft, paint.width) {
        writeln!(out, "  | {}", row.shown)?;
        for line in underlines(&row, &review.findings) {
            writeln!(out, "  | {}", drawn(&line, paint))?;
        }
    }
    writeln!(out)?;
    for (index, finding) in review.findings.iter().enumerate() {
        tell_finding(out, index + 1, finding, paint)?;
    }
    if review.findings.is_empty() {
        writeln!(out, "  nothing was found")?;
    }
    writeln!(out)?;
    match &review.text {
        Some(text) if review.verdict == Verdict::Pass => {
            let how = if text == draft {
                "as it stands"
            } else {
                "in plain characters"
            };
            tell_text(out, &format!("sent {how}"), text, paint)?;
        }
        Some(text) => tell_text(out, "sent instead", text, paint)?,
        None => writeln!(
            out,
            "  {}: the draft waits for staff",
            paint.bold("nothing is sent")
        )?,
    }
    if let Some(portal) = &review.portal {
        tell_text(out, "behind the link", portal, paint)?;
    }
    writeln!(out)
}

fn tell_finding(
    out: &mut impl Write,
    number: usize,
    finding: &FindingOut,
    paint: Paint,
) -> std::io::Result<()> {
    let action = paint.action(finding.action, finding.action.as_str());
    let (category, confidence) = (finding.category.as_str(), finding.confidence.as_str());
    writeln!(
        out,
        "  {number}  {action}  {}  {confidence}  rule {}  [{}, {})",
        paint.bold(category),
        visible(&finding.rule),
        finding.start,
        finding.end
    )?;
    let evidence: Vec<String> = finding
        .evidence
        .iter()
        .map(|evidence| why(evidence.kind, &visible(&evidence.name)))
        .collect();
    if !evidence.is_empty() {
        writeln!(out, "     because: {}", evidence.join("; "))?;
    }
    if !finding.cite.is_empty() {
        writeln!(out, "     cites:   {}", visible(&finding.cite))?;
    }
    Ok(())
}

/// Evidence in words, with the name it has in the policy or the record.
fn why(kind: &str, name: &str) -> String {
    match (kind, name) {
        ("fact", "missing") => "no fact bears it out".to_owned(),
        ("fact", "contradicted") => "a fact says otherwise".to_owned(),
        ("fact", "provider") => "a provider of the record".to_owned(),
        ("lexicon", "listed" | "pair") => format!("a name of the lists ({name})"),
        ("lexicon", _) => format!("a phrase of the list {name}"),
        ("pattern", _) => format!("the pattern {name}"),
        ("checksum", _) => format!("the pattern {name} and its check"),
        ("context", _) => format!("the words around it: {name}"),
        ("phrase", _) => format!("the wording: {name}"),
        ("record", _) => format!("the record: {name}"),
        ("fact", _) => format!("the fact {name}"),
        ("tagger", _) => format!("the tagger: {name}"),
        ("sentence", _) => "the reader of sentences: it reads as advice".to_owned(),
        _ => format!("{kind} {name}"),
    }
}

fn tell_text(out: &mut impl Write, what: &str, text: &str, paint: Paint) -> std::io::Result<()> {
    writeln!(out, "  {}:", paint.bold(what))?;
    for row in rows(text, paint.width) {
        writeln!(out, "  > {}", row.shown)?;
    }
    Ok(())
}

fn rows(text: &str, width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut first = 0;
    for line in text.split('\n') {
        let mut rest = line;
        loop {
            let (piece, behind) = rest.split_at(fold_at(rest, width));
            let (mut shown, mut columns, mut column) = (String::new(), Vec::new(), 0);
            for character in piece.chars() {
                columns.push(column);
                column += show(character, &mut shown);
            }
            columns.push(column);
            let count = columns.len() - 1;
            rows.push(Row {
                shown,
                first,
                columns,
            });
            first += count;
            if behind.is_empty() {
                break;
            }
            rest = behind;
        }
        // The line break is a code point as well.
        first += 1;
    }
    rows
}

/// Where a line goes on below: behind the last blank that fits, or where it must.
fn fold_at(line: &str, width: usize) -> usize {
    let (mut column, mut blank, mut shown) = (0, 0, String::new());
    for (at, character) in line.char_indices() {
        column += show(character, &mut shown);
        if column > width && at > 0 {
            return if blank > 0 { blank } else { at };
        }
        if character == ' ' {
            blank = at + 1;
        }
    }
    line.len()
}

/// Shows a character and tells its width. What has no look of its own is shown by its number: it
/// could steer the terminal, turn the text around, or hide a word.
fn show(character: char, shown: &mut String) -> usize {
    let hidden = character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    if hidden {
        let number = format!("<U+{:04X}>", u32::from(character));
        shown.push_str(&number);
        return number.len();
    }
    shown.push(character);
    character.width().unwrap_or(0)
}

/// A text with what has no look of its own shown by its number.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        show(character, &mut shown);
    }
    shown
}

/// The lines under a row: overlapping findings go below each other.
fn underlines(row: &Row, findings: &[FindingOut]) -> Vec<Vec<Mark>> {
    let last = row.first + row.columns.len() - 1;
    let mut lines: Vec<Vec<Mark>> = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        let (start, end) = (finding.start.max(row.first), finding.end.min(last));
        let empty = row.columns.len() == 1 && finding.start <= row.first && finding.end > last;
        if start >= end && !empty {
            continue;
        }
        let column = |at: usize| row.columns.get(at - row.first).copied().unwrap_or(0);
        let from = column(start);
        let mark = Mark {
            from,
            to: column(end).max(from + 1),
            number: index + 1,
            action: finding.action,
        };
        let room = |line: &Vec<Mark>| {
            line.iter()
                .all(|other| mark.from > reach(other) || reach(&mark) < other.from)
        };
        match lines.iter_mut().find(|line| room(line)) {
            Some(line) => line.push(mark),
            None => lines.push(vec![mark]),
        }
    }
    for line in &mut lines {
        line.sort_by_key(|mark| mark.from);
    }
    lines
}

/// The column after a mark with its number.
fn reach(mark: &Mark) -> usize {
    mark.to + mark.number.to_string().len()
}

fn drawn(line: &[Mark], paint: Paint) -> String {
    let (mut drawn, mut column) = (String::new(), 0);
    for mark in line {
        drawn.push_str(&" ".repeat(mark.from.saturating_sub(column)));
        let carets = "^".repeat(mark.to - mark.from);
        let number = mark.number;
        drawn.push_str(&paint.action(mark.action, &format!("{carets}{number}")));
        column = reach(mark);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_below_and_its_marks_stay_under_their_words() {
        let rows = rows("one two three\nfour", 8);
        let shown: Vec<_> = rows.iter().map(|row| (row.first, &*row.shown)).collect();
        assert_eq!(shown, [(0, "one two "), (8, "three"), (14, "four")]);
        assert_eq!(fold_at("abcdefghij", 4), 4);
        let narrow = Paint::wanted(false, OsStr::new(""), OsStr::new(""));
        assert_eq!(narrow.within(Some(OsStr::new("44"))).width, 40);
        assert_eq!(narrow.within(Some(OsStr::new("3"))).width, WIDTH_MIN);
        assert_eq!(narrow.within(Some(OsStr::new("wide"))).width, WIDTH);
    }

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        for (terminal, no_color, term, colour) in [
            (true, "", "xterm-256color", true),
            (true, "", "", true),
            (true, "1", "xterm-256color", false),
            (true, "", "dumb", false),
            (false, "", "xterm-256color", false),
        ] {
            let paint = Paint::wanted(terminal, OsStr::new(no_color), OsStr::new(term));
            let dyed = paint.action(Action::Hold, "^^1");
            let want = if colour { "\x1b[31m^^1\x1b[0m" } else { "^^1" };
            assert_eq!(dyed, want, "{terminal} {no_color:?} {term:?}");
        }
    }
}
