//! What every match of an expression has, told by the expression: how many digits, and how far it
//! reaches around them. A text without them need not be searched, nor what lies farther from its digits.

use regex_syntax::hir::Class;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;

/// The fewest digits in a match of an expression.
pub(super) fn least_digits(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(text) => text.0.iter().filter(|byte| byte.is_ascii_digit()).count(),
        HirKind::Class(class) => usize::from(is_digit(class)),
        HirKind::Repetition(again) => {
            let least = usize::try_from(again.min).unwrap_or(0);
            least.saturating_mul(least_digits(&again.sub))
        }
        HirKind::Capture(group) => least_digits(&group.sub),
        HirKind::Concat(parts) => parts.iter().map(least_digits).sum(),
        HirKind::Alternation(ways) => ways.iter().map(least_digits).min().unwrap_or(0),
    }
}

fn is_digit(class: &Class) -> bool {
    let digit = |from: u32, to: u32| from >= u32::from(b'0') && to <= u32::from(b'9');
    match class {
        Class::Bytes(class) => class
            .iter()
            .all(|it| digit(it.start().into(), it.end().into())),
        Class::Unicode(class) => class
            .iter()
            .all(|it| digit(it.start().into(), it.end().into())),
    }
}

/// The most bytes before the first digit of a match; nothing where there is no bound or no digit.
pub(super) fn before_digits(hir: &Hir) -> Option<usize> {
    edge(hir, Side::Before)
}

/// The most bytes behind the last digit of a match; nothing where there is no bound or no digit.
pub(super) fn behind_digits(hir: &Hir) -> Option<usize> {
    edge(hir, Side::Behind)
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    Behind,
}

/// The most bytes from an edge of a match to the digit that is nearest to it.
fn edge(hir: &Hir, side: Side) -> Option<usize> {
    if least_digits(hir) == 0 {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(text) => match side {
            Side::Before => text.0.iter().position(u8::is_ascii_digit),
            Side::Behind => text.0.iter().rev().position(u8::is_ascii_digit),
        },
        HirKind::Class(_) => Some(0),
        // It comes at least once, and each time with a digit.
        HirKind::Repetition(again) => edge(&again.sub, side),
        HirKind::Capture(group) => edge(&group.sub, side),
        HirKind::Alternation(ways) => ways
            .iter()
            .map(|way| edge(way, side))
            .try_fold(0, |most, it| Some(most.max(it?))),
        HirKind::Concat(parts) => {
            let mut sum = 0_usize;
            let mut at = 0;
            while let Some(part) = match side {
                Side::Before => parts.get(at),
                Side::Behind => parts.len().checked_sub(at + 1).and_then(|at| parts.get(at)),
            } {
                if least_digits(part) > 0 {
                    return sum.checked_add(edge(part, side)?);
                }
                sum = sum.checked_add(part.properties().maximum_len()?)?;
                at += 1;
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::pattern::Pattern;

    #[test]
    fn the_digits_of_a_match_and_what_stands_around_them_are_told() {
        for (pattern, least, around) in [
            ("", 0, (None, None)),
            ("a1b2", 2, (Some(1), Some(0))),
            (r"(?-u)\d{3} ?[ .\-/] ?\d\d ?\d{4}", 9, (Some(0), Some(0))),
            (r"(?-u)(?:\d\d|one)?-(?P<v>\d+)", 1, (Some(4), Some(0))),
            (r"(?-u)(?:90|ninety|1\d\d) years", 0, (None, None)),
            (r"(?-u)[0-9a-f]{4}", 0, (None, None)),
            (r"(?-u)\d(?:[ \-]?\d){11,18}\b", 12, (Some(0), Some(0))),
            (r"[0-9]{2}|ab[3-5]\b", 1, (Some(2), Some(0))),
            (r"(?-u)\d{1,3} (?:mg|pills)", 1, (Some(0), Some(6))),
            (r"(?-u)[a-z]+\d(?: at)?", 1, (None, Some(3))),
            (r"(?-u)fax[ :]{0,3}(?:\d+ ?)+x?", 1, (Some(6), Some(2))),
        ] {
            let pattern = Pattern::over_bytes(pattern, 1 << 20).unwrap();
            let told = (pattern.least_digits(), pattern.around_digits());
            assert_eq!(told, (least, around), "{}", pattern.as_str());
        }
    }
}
