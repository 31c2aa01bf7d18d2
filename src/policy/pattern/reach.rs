//! How far every match of an expression reaches around its digits: what lies farther from those of a
//! text need not be searched.

use regex_syntax::hir::Class;
use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;

use crate::policy::pattern::least::is_digit;

/// How far a match reaches around its digits, in bytes; `usize::MAX` is without a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The most before the first digit.
    pub before: usize,
    /// The most behind the last digit.
    pub behind: usize,
    /// The most between a digit and the next.
    pub gap: usize,
}

impl Reach {
    /// The wider of both.
    fn or(self, other: Self) -> Self {
        Self {
            before: self.before.max(other.before),
            behind: self.behind.max(other.behind),
            gap: self.gap.max(other.gap),
        }
    }
}

/// What the matches of an expression can be.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    /// The most bytes of one that has no digit for certain; nothing where each has.
    bare: Option<usize>,
    /// The reach of those that have; nothing where none has.
    digits: Option<Reach>,
}

fn wider(one: Option<Reach>, other: Option<Reach>) -> Option<Reach> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.or(other)),
        (one, other) => one.or(other),
    }
}

impl Shape {
    /// One of both.
    fn or(self, other: Self) -> Self {
        Self {
            bare: self.bare.max(other.bare),
            digits: wider(self.digits, other.digits),
        }
    }

    /// One behind the other.
    fn then(self, next: Self) -> Self {
        let plus = usize::saturating_add;
        let first = self.digits.zip(next.bare).map(|(it, bare)| Reach {
            behind: plus(it.behind, bare),
            ..it
        });
        let second = self.bare.zip(next.digits).map(|(bare, it)| Reach {
            before: plus(bare, it.before),
            ..it
        });
        let both = self.digits.zip(next.digits).map(|(one, two)| Reach {
            before: one.before,
            behind: two.behind,
            gap: one.gap.max(two.gap).max(plus(one.behind, two.before)),
        });
        Self {
            bare: self.bare.zip(next.bare).map(|(one, two)| plus(one, two)),
            digits: wider(wider(first, second), both),
        }
    }

    /// So many times, at least and at most.
    fn times(self, least: u32, most: Option<u32>) -> Self {
        let most = most.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
        let all = |bare: usize| bare.saturating_mul(most);
        let digits = self.digits.filter(|_| most > 0).map(|it| {
            // The others, without digits for certain, stand beside it and between two of its like.
            let others = self.bare.map_or(0, |bare| bare.saturating_mul(most - 1));
            let outside = |edge: usize| edge.saturating_add(others);
            let next = it.behind.saturating_add(it.before).saturating_add(others);
            Reach {
                before: outside(it.before),
                behind: outside(it.behind),
                gap: if most > 1 { it.gap.max(next) } else { it.gap },
            }
        });
        let bare = self.bare.map(all);
        Self {
            bare: if least == 0 { bare.max(Some(0)) } else { bare },
            digits,
        }
    }
}

fn shape(hir: &Hir) -> Shape {
    let bare = |most: usize| Shape {
        bare: Some(most),
        digits: None,
    };
    let digit = Shape {
        bare: None,
        digits: Some(Reach {
            before: 0,
            behind: 0,
            gap: 0,
        }),
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => bare(0),
        HirKind::Literal(text) => text
            .0
            .iter()
            .map(|byte| {
                if byte.is_ascii_digit() {
                    digit
                } else {
                    bare(1)
                }
            })
            .fold(bare(0), Shape::then),
        HirKind::Class(class) if is_digit(class) => digit,
        HirKind::Class(_) => bare(hir.properties().maximum_len().unwrap_or(usize::MAX)),
        HirKind::Repetition(again) => shape(&again.sub).times(again.min, again.max),
        HirKind::Capture(group) => shape(&group.sub),
        HirKind::Concat(parts) => parts.iter().map(shape).fold(bare(0), Shape::then),
        HirKind::Alternation(ways) => ways.iter().map(shape).fold(Shape::default(), Shape::or),
    }
}

/// Has the expression a class of bytes of which some are digits and some are not?
fn is_mixed(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) => false,
        HirKind::Class(class) => !is_digit(class) && has_digit(class),
        HirKind::Repetition(again) => is_mixed(&again.sub),
        HirKind::Capture(group) => is_mixed(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(is_mixed),
    }
}

/// How far a match reaches around its digits; nothing where one may have none.
pub(super) fn around_digits(hir: &Hir) -> Option<Reach> {
    let all = shape(hir);
    let reach = all.digits.filter(|_| all.bare.is_none())?;
    // A digit that may stand where a letter may too stands before, behind or between the certain ones.
    let gap = if is_mixed(hir) {
        reach.gap.max(reach.before).max(reach.behind)
    } else {
        reach.gap
    };
    Some(Reach { gap, ..reach })
}

fn has_digit(class: &Class) -> bool {
    let digit = |from: u32, to: u32| from <= u32::from(b'9') && to >= u32::from(b'0');
    match class {
        Class::Bytes(class) => class
            .iter()
            .any(|it| digit(it.start().into(), it.end().into())),
        Class::Unicode(class) => class
            .iter()
            .any(|it| digit(it.start().into(), it.end().into())),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::pattern::Pattern;

    #[test]
    fn the_digits_of_a_match_and_what_stands_around_them_are_told() {
        let far = usize::MAX;
        for (pattern, least, around) in [
            ("", 0, None),
            ("a1b2", 2, Some((1, 0, 1))),
            (r"(?-u)\d{3} ?[ .\-/] ?\d\d ?\d{4}", 9, Some((0, 0, 3))),
            (r"(?-u)(?:\d\d|one)?-(?P<v>\d+)", 1, Some((4, 0, 1))),
            (r"(?-u)(?:90|ninety|1\d\d) years", 0, None),
            (r"(?-u)[0-9a-f]{4}", 0, None),
            (r"(?-u)\d(?:[ \-]?\d){11,18}\b", 12, Some((0, 0, 1))),
            (r"[0-9]{2}|ab[3-5]\b", 1, Some((2, 0, 0))),
            (r"(?-u)\d{1,3} (?:mg|pills)", 1, Some((0, 6, 0))),
            (r"(?-u)[a-z]+\d(?: at)?", 1, Some((far, 3, 0))),
            (r"(?-u)fax[ :]{0,3}(?:\d+ ?)+x?", 1, Some((6, 2, 1))),
            (
                r"(?-u)st (?:[a-z0-9]{1,4} ){1,3}\d{2}",
                2,
                Some((18, 0, 18)),
            ),
            (r"(?-u)\d+[a-z]*\d", 2, Some((0, 0, far))),
            (r"(?-u)\d(?:ab?){2,3}\d?", 1, Some((0, 6, 6))),
            (r"(?-u)(?:x|\d){2,4}\d", 1, Some((4, 0, 3))),
        ] {
            let pattern = Pattern::over_bytes(pattern, 1 << 20).unwrap();
            let told = pattern.around_digits();
            let told = told.map(|it| (it.before, it.behind, it.gap));
            assert_eq!(
                (pattern.least_digits(), told),
                (least, around),
                "{}",
                pattern.as_str()
            );
        }
    }
}
