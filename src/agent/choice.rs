//! Which of the offered times a patient means: "9 works", "the later one", "la última", "Friday".

/// A pick is short; a longer text says more than which.
const WORDS_MAX: usize = 9;

const WEEKDAYS: &[&[&str]] = &[
    &["mon", "monday", "lun", "lunes"],
    &["tue", "tues", "tuesday", "mar", "martes"],
    &["wed", "weds", "wednesday", "mie", "miercoles"],
    &["thu", "thur", "thurs", "thursday", "jue", "jueves"],
    &["fri", "friday", "vie", "viernes"],
    &["sat", "saturday", "sab", "sabado"],
    &["sun", "sunday", "dom", "domingo"],
];

/// Words of a text that refuses, asks for more, or is about something else.
const NOT_A_PICK: &[&str] = &[
    "not",
    "cant",
    "cannot",
    "dont",
    "doesnt",
    "wont",
    "isnt",
    "none",
    "neither",
    "after",
    "before",
    "anything",
    "something",
    "any",
    "other",
    "others",
    "different",
    "another",
    "than",
    "cancel",
    "instead",
    "week",
    "month",
    "ninguna",
    "ninguno",
    "despues",
    "antes",
    "otro",
    "otra",
    "otros",
    "otras",
    "algo",
    "puedo",
    "podria",
    "cancelar",
    "semana",
    "mes",
    "what",
    "how",
    "why",
    "que",
    "more",
    "mas",
    "tomorrow",
    "today",
    "hoy",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "dia",
];

/// One offered time, as the offer wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offered {
    number: u8,
    weekday: Option<usize>,
    day: Option<u8>,
    clock: (u8, u8),
    afternoon: bool,
}

/// A time of day as a patient writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock {
    hour: u8,
    minute: u8,
    afternoon: Option<bool>,
}

/// The number of the one time in `offer` that `text` picks. None when it picks none or several, and
/// for every text that may mean something else: asking once more is cheap, a wrong visit is not.
pub fn chosen(offer: &str, text: &str) -> Option<u8> {
    let offered = offers(offer);
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let asks = text.contains('?') && !wishes(&words);
    let able = words.get(..2) == Some(&["puedo", "a"]);
    let refused = |word: &&str| NOT_A_PICK.contains(word) && !(able && *word == "puedo");
    if offered.is_empty()
        || words.len() > WORDS_MAX
        || asks
        || pick_only(&words).iter().any(refused)
    {
        return None;
    }
    let words = pick_only(&words);
    let mut left = offered;
    let mut said = false;
    if let Some(day) = words.iter().find_map(|word| weekday(word)) {
        left.retain(|one| one.weekday == Some(day));
        said = true;
    }
    // "El 9" is a day, "a las 9" a time.
    let dated = words.windows(2).find_map(|pair| match pair {
        ["el", day] => day.parse().ok(),
        _ => None,
    });
    if let Some(day) = dated.or_else(|| words.iter().find_map(|word| ordinal(word))) {
        left.retain(|one| one.day == Some(day));
        said = true;
    }
    if let Some(afternoon) = part(&words) {
        left.retain(|one| one.afternoon == afternoon);
        said = true;
    }
    if let Some(clock) = clock(&words).filter(|_| dated.is_none()) {
        left.retain(|one| {
            one.clock == (clock.hour, clock.minute)
                && clock.afternoon.is_none_or(|it| it == one.afternoon)
        });
        said = true;
    }
    if let Some(last) = end(&words) {
        let one = if last { left.last() } else { left.first() };
        left = one.copied().into_iter().collect();
        said = true;
    }
    match left.as_slice() {
        [one] if said => Some(one.number),
        _ => None,
    }
}

/// Without "no, " in front, and without "mas tarde", which names the later one.
fn pick_only<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let words = match words {
        ["no", rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        rest = match (*word, after) {
            ("mas", ["tarde", after @ ..]) => {
                kept.push("later");
                after
            }
            ("mas", ["temprano", after @ ..]) => {
                kept.push("earlier");
                after
            }
            _ => {
                kept.push(word);
                after
            }
        };
    }
    kept
}

/// "can I do 9?" asks and picks at once.
fn wishes(words: &[&str]) -> bool {
    matches!(
        words,
        [
            "can" | "could",
            "i" | "we",
            "do" | "take" | "have" | "get" | "come",
            ..
        ] | ["ill", "take" | "do", ..]
    )
}

fn words(text: &str) -> Vec<String> {
    let mut folded = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'á' => folded.push('a'),
            'é' => folded.push('e'),
            'í' => folded.push('i'),
            'ó' => folded.push('o'),
            'ú' => folded.push('u'),
            'ñ' => folded.push('n'),
            '\'' | '\u{2019}' => {}
            ':' => folded.push(':'),
            c if c.is_alphanumeric() => folded.push(c),
            _ => folded.push(' '),
        }
    }
    let folded = format!(
        " {} ",
        folded.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    let joined = folded.replace(" a m ", " am ").replace(" p m ", " pm ");
    joined.split_whitespace().map(str::to_owned).collect()
}

/// `1) Thu Nov 26, 9:00 AM 2) ...`, in either language.
fn offers(text: &str) -> Vec<Offered> {
    let mut found = Vec::new();
    for number in 1..=9_u8 {
        let Some((_, after)) = text.split_once(&format!("{number}) ")) else {
            break;
        };
        let mine = after
            .split_once(&format!("{}) ", number + 1))
            .map_or(after, |(mine, _)| mine);
        let mine = mine.split(" - ").next().unwrap_or(mine);
        let words = words(mine);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some(time) = clock(&words) else { break };
        found.push(Offered {
            number,
            weekday: words.iter().find_map(|word| weekday(word)),
            day: words.iter().find_map(|word| word.parse().ok()),
            clock: (time.hour, time.minute),
            afternoon: time.afternoon == Some(true),
        });
    }
    found
}

fn weekday(word: &str) -> Option<usize> {
    WEEKDAYS.iter().position(|names| names.contains(&word))
}

/// `26th`, `3rd`: a day of the month.
fn ordinal(word: &str) -> Option<u8> {
    ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending)?.parse().ok())
}

fn part(words: &[&str]) -> Option<bool> {
    let morning = words
        .iter()
        .any(|word| matches!(*word, "morning" | "manana"));
    let afternoon = words
        .iter()
        .any(|word| matches!(*word, "afternoon" | "tarde"));
    (morning != afternoon).then_some(afternoon)
}

/// "the later one": the last; "the earliest": the first.
fn end(words: &[&str]) -> Option<bool> {
    let last = ["later", "latest", "last", "ultima", "ultimo"];
    let first = [
        "earlier", "earliest", "soonest", "sooner", "first", "primera", "primero",
    ];
    let has = |keys: &[&str]| words.iter().any(|word| keys.contains(word));
    (has(&last) != has(&first)).then(|| has(&last))
}

/// The first time of day: `9:00 am`, `9am`, `930`, or a bare `9`.
fn clock(words: &[&str]) -> Option<Clock> {
    let with_minutes = words.iter().position(|word| word.contains(':'));
    let with_half = words.iter().position(|word| {
        word.starts_with(|c: char| c.is_ascii_digit())
            && (word.ends_with("am") || word.ends_with("pm"))
    });
    let before_half = words
        .windows(2)
        .position(|pair| matches!(pair, [_, "am" | "pm"]));
    let bare = words.iter().position(|word| word.parse::<u16>().is_ok());
    let at = with_minutes.or(with_half).or(before_half).or(bare)?;
    let word = words.get(at)?;
    let half = |text: &str| match text {
        "am" => Some(false),
        "pm" => Some(true),
        _ => None,
    };
    let (digits, own) = ["am", "pm"]
        .iter()
        .find_map(|it| Some((word.strip_suffix(it)?, half(it))))
        .unwrap_or((word, None));
    let afternoon = own.or_else(|| words.get(at + 1).and_then(|next| half(next)));
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, minute)) => (hour.parse().ok()?, minute.parse().ok()?),
        None => match digits.parse::<u16>().ok()? {
            // "930" and "1030" are times; "9" is on the hour.
            long @ 100..=1259 => (
                u8::try_from(long / 100).ok()?,
                u8::try_from(long % 100).ok()?,
            ),
            hour => (u8::try_from(hour).ok()?, 0),
        },
    };
    (1..=12).contains(&hour).then_some(Clock {
        hour,
        minute,
        afternoon,
    })
}
