//! How far every match of an expression reaches around its digits: what lies farther from those of a
//! text need not be searched.

use regex_syntax::hir::Hir;
use regex_syntax::hir::HirKind;

use crate::policy::pattern::extent::Extent;
use crate::policy::pattern::least::class_has;
use crate::policy::pattern::least::is_digit;

/// How far a match reaches around its digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The most before the first digit.
    pub before: Extent,
    /// The most behind the last digit.
    pub behind: Extent,
    /// The most between a digit and the next.
    pub gap: Extent,
}

impl Reach {
    /// Has it a bound on both sides?
    pub const fn is_bounded(self) -> bool {
        self.before.is_bounded() && self.behind.is_bounded()
    }

    /// The wider of both.
    fn or(self, other: Self) -> Self {
        Self {
            before: self.before.or(other.before),
            behind: self.behind.or(other.behind),
            gap: self.gap.or(other.gap),
        }
    }
}

/// What the matches of an expression can be.
#[derive(Clone, Copy, Debug, Default)]
struct Shape {
    /// The most of one that has no digit for certain; nothing where each has.
    bare: Option<Extent>,
    /// The reach of those that have; nothing where none has.
    digits: Option<Reach>,
}

/// Either, where there are both.
fn either<T>(one: Option<T>, other: Option<T>, or: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(or(one, other)),
        (one, other) => one.or(other),
    }
}

impl Shape {
    const fn bare(most: Extent) -> Self {
        Self {
            bare: Some(most),
            digits: None,
        }
    }

    fn digit() -> Self {
        Self {
            bare: None,
            digits: Some(Reach::default()),
        }
    }

    /// One of both.
    fn or(self, other: Self) -> Self {
        Self {
            bare: either(self.bare, other.bare, Extent::or),
            digits: either(self.digits, other.digits, Reach::or),
        }
    }

    /// One behind the other.
    fn then(self, next: Self) -> Self {
        let first = self.digits.zip(next.bare).map(|(it, bare)| Reach {
            behind: it.behind.then(bare),
            ..it
        });
        let second = self.bare.zip(next.digits).map(|(bare, it)| Reach {
            before: bare.then(it.before),
            ..it
        });
        let both = self.digits.zip(next.digits).map(|(one, two)| Reach {
            before: one.before,
            behind: two.behind,
            gap: one.gap.or(two.gap).or(one.behind.then(two.before)),
        });
        let digits = either(first, second, Reach::or);
        Self {
            bare: self.bare.zip(next.bare).map(|(one, two)| one.then(two)),
            digits: either(digits, both, Reach::or),
        }
    }

    /// So many times, at least and at most.
    fn times(self, least: u32, most: Option<u32>) -> Self {
        let digits = self.digits.filter(|_| most != Some(0)).map(|it| {
            // The others, without digits for certain, stand beside it and between two of its like.
            let others = most.map(|most| most.saturating_sub(1));
            let others = self.bare.unwrap_or_default().times(others);
            let next = it.behind.then(it.before).then(others);
            Reach {
                before: it.before.then(others),
                behind: it.behind.then(others),
                gap: if most == Some(1) {
                    it.gap
                } else {
                    it.gap.or(next)
                },
            }
        });
        let none = (least == 0).then(Extent::default);
        Self {
            bare: either(self.bare.map(|it| it.times(most)), none, Extent::or),
            digits,
        }
    }
}

fn shape(hir: &Hir) -> Shape {
    let nothing = Shape::bare(Extent::default());
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => nothing,
        HirKind::Literal(text) => {
            let one = |byte: &u8| match byte {
                b'0'..=b'9' => Shape::digit(),
                _ => Shape::bare(Extent::of_text(&[*byte])),
            };
            text.0.iter().map(one).fold(nothing, Shape::then)
        }
        HirKind::Class(class) if is_digit(class) => Shape::digit(),
        HirKind::Class(_) => Shape::bare(Extent::of(hir)),
        HirKind::Repetition(again) => shape(&again.sub).times(again.min, again.max),
        HirKind::Capture(group) => shape(&group.sub),
        HirKind::Concat(parts) => parts.iter().map(shape).fold(nothing, Shape::then),
        HirKind::Alternation(ways) => ways.iter().map(shape).fold(Shape::default(), Shape::or),
    }
}

/// Has the expression a class of bytes of which some are digits and some are not?
fn is_mixed(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) => false,
        HirKind::Class(class) => !is_digit(class) && class_has(class, |byte| byte.is_ascii_digit()),
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
        reach.gap.or(reach.before).or(reach.behind)
    } else {
        reach.gap
    };
    Some(Reach { gap, ..reach })
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
            let demands = pattern.demands();
            let told = demands.around;
            let told = told.map(|it| (it.before.bytes, it.behind.bytes, it.gap.bytes));
            assert_eq!(
                (demands.digits, told),
                (least, around),
                "{}",
                pattern.as_str()
            );
        }
    }
}
