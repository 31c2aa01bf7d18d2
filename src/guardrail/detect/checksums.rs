//! Arithmetic that tells an identifier from digits that happen to look like one.

use smallvec::SmallVec;

use crate::policy::rules::Checksum;

/// Does the value pass? `bytes` are folded: lower case, no accents.
pub(super) fn passes(check: Checksum, bytes: &[u8]) -> bool {
    let digits: SmallVec<[u8; 32]> = bytes
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
        .collect();
    match check {
        Checksum::Ssn => ssn(&digits),
        Checksum::Luhn => luhn(&digits) && digits.iter().any(|digit| *digit != 0),
        Checksum::Npi => npi(&digits),
        Checksum::Dea => dea(&digits),
        Checksum::Vin => vin(bytes),
        Checksum::Aba => aba(&digits),
        Checksum::Iban => iban(bytes),
        Checksum::Date => date(bytes),
        Checksum::Nanp => nanp(&digits),
        Checksum::Phone => {
            bytes
                .iter()
                .filter(|byte| byte.is_ascii_alphanumeric())
                .count()
                >= 4
        }
        Checksum::Over89 => number(bytes).is_none_or(|age| (90..=125).contains(&age)),
        // Their patterns say it all.
        Checksum::Mbi | Checksum::State | Checksum::Host => true,
    }
}

/// The first number in the bytes.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    let from = bytes.iter().position(u8::is_ascii_digit)?;
    let digits = bytes
        .iter()
        .skip(from)
        .take_while(|byte| byte.is_ascii_digit())
        .take(8);
    Some(digits.fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0')))
}

/// Areas 000 and 666 and empty groups were never issued; 9xx are taxpayer numbers, as telling.
fn ssn(digits: &[u8]) -> bool {
    let (Some(area), Some(group), Some(serial)) =
        (digits.get(..3), digits.get(3..5), digits.get(5..))
    else {
        return false;
    };
    serial.len() == 4
        && area != [0, 0, 0]
        && area != [6, 6, 6]
        && group != [0, 0]
        && serial != [0, 0, 0, 0]
}

fn luhn(digits: &[u8]) -> bool {
    (12..=19).contains(&digits.len()) && luhn_sum(digits).is_multiple_of(10)
}

fn luhn_sum(digits: &[u8]) -> u32 {
    let doubled = |(place, digit): (usize, &u8)| {
        let digit = u32::from(*digit);
        if place.is_multiple_of(2) {
            digit
        } else if digit > 4 {
            digit * 2 - 9
        } else {
            digit * 2
        }
    };
    digits.iter().rev().enumerate().map(doubled).sum()
}

/// 24 is what the prefix 80840 adds to the sum.
fn npi(digits: &[u8]) -> bool {
    digits.len() == 10 && (luhn_sum(digits) + 24).is_multiple_of(10)
}

fn dea(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last().filter(|(_, body)| body.len() == 6) else {
        return false;
    };
    let weights = [1, 2, 1, 2, 1, 2];
    let sum: u32 = body
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    sum % 10 == u32::from(*check)
}

fn aba(digits: &[u8]) -> bool {
    let weights = [3, 7, 1, 3, 7, 1, 3, 7, 1];
    let sum: u32 = digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    digits.len() == 9 && sum != 0 && sum.is_multiple_of(10)
}

fn vin(bytes: &[u8]) -> bool {
    let weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'a'..=b'h' => u32::from(byte - b'a') + 1,
        b'j'..=b'n' => u32::from(byte - b'j') + 1,
        b'p' => 7,
        b'r' => 9,
        b's'..=b'z' => u32::from(byte - b's') + 2,
        _ => 0,
    };
    let sum: u32 = bytes
        .iter()
        .zip(weights)
        .map(|(byte, weight)| value(*byte) * weight)
        .sum();
    let check = match u8::try_from(sum % 11) {
        Ok(10) => b'x',
        Ok(digit) => b'0' + digit,
        Err(_) => return false,
    };
    bytes.len() == 17 && bytes.get(8) == Some(&check) && bytes.iter().any(u8::is_ascii_digit)
}

fn iban(bytes: &[u8]) -> bool {
    let plain: SmallVec<[u8; 64]> = bytes
        .iter()
        .copied()
        .filter(u8::is_ascii_alphanumeric)
        .collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let turned = plain.iter().skip(4).chain(plain.iter().take(4));
    let rest = turned.fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.saturating_sub(b'a')) + 10) % 97,
    });
    rest == 1
}

fn nanp(digits: &[u8]) -> bool {
    let digits = match digits {
        [1, rest @ ..] if rest.len() >= 10 => rest,
        all => all,
    };
    let free =
        matches!(digits, [8, second, third, ..] if second == third && *second != 1 && *second != 9);
    digits.len() >= 10
        && matches!(digits, [2..=9, _, _, 2..=9, ..])
        && !(free && toll_free_help(digits))
}

/// The national poison line and its like are nobody's own.
fn toll_free_help(digits: &[u8]) -> bool {
    digits
        .get(3..10)
        .is_some_and(|rest| rest == [2, 2, 2, 1, 2, 2, 2])
}

/// A month and a day among the numbers; words for either pass.
fn date(bytes: &[u8]) -> bool {
    let mut numbers: SmallVec<[(usize, u32); 8]> = SmallVec::new();
    for part in bytes
        .split(|byte| !byte.is_ascii_digit())
        .filter(|part| !part.is_empty())
    {
        numbers.push((part.len(), number(part).unwrap_or(u32::MAX)));
    }
    let worded = bytes.iter().any(u8::is_ascii_alphabetic);
    let month = |it: u32| (1..=12).contains(&it);
    let day = |it: u32| (1..=31).contains(&it);
    let year = |length: usize, it: u32| length == 2 || (1900..=2100).contains(&it);
    match numbers.as_slice() {
        [] => worded,
        [(_, one)] => worded && (day(*one) || year(4, *one)),
        [(length, one), (_, two)] if worded => {
            day(*one) && year(*length.max(&2), *two) || day(*one)
        }
        [(_, one), (_, two)] => {
            (month(*one) && day(*two) || day(*one) && month(*two))
                && (*one, *two) != (24, 7)
                && !is_fraction(*one, *two)
        }
        [(4, y), (_, one), (_, two), ..] => year(4, *y) && (month(*one) && day(*two)),
        [(_, one), (_, two), (length, y), ..] => {
            year(*length, *y) && (month(*one) && day(*two) || day(*one) && month(*two))
        }
    }
}

const fn is_fraction(one: u32, two: u32) -> bool {
    matches!((one, two), (1, 2..=4) | (2, 3) | (3, 4))
}
