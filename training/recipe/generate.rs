//! Texts from templates: a practice's voice and patients' voices, far from any test's wording.

use std::collections::BTreeMap;

use super::learn::Dice;
use super::sets::CONDITION;
use super::sets::Labelled;
use super::sets::MEDICINE;
use super::sets::NAME;
use super::sets::NONE;
use super::sets::OTHER;
use super::sets::PLACE;
use super::sets::PROVIDER;

const ENGLISH: &str = include_str!("texts/english.txt");
const SPANISH: &str = include_str!("texts/spanish.txt");
const SPANISH_HARMLESS: &str = include_str!("texts/spanish_harmless.txt");
const HARMLESS: &str = include_str!("texts/harmless.txt");
const WORDS: &str = include_str!("texts/names.txt");
const NAMES: &str = include_str!("../../guardrails/lexicons/names.txt");
const PLACES: &str = include_str!("../../guardrails/lexicons/places.txt");
const CONDITIONS: &str = include_str!("../../guardrails/lexicons/conditions.txt");
const SYMPTOMS: &str = include_str!("../../guardrails/lexicons/symptoms.txt");
const MEDICATIONS: &str = include_str!("../../guardrails/lexicons/medications.txt");
const ENDINGS: &str = include_str!("../../guardrails/lexicons/endings.txt");

/// The files that decide most of what is generated and of the features, for the provenance.
pub(crate) const SOURCES: &[(&str, &str)] = &[
    ("english.txt", ENGLISH),
    ("spanish.txt", SPANISH),
    ("harmless.txt", HARMLESS),
    ("spanish_harmless.txt", SPANISH_HARMLESS),
    ("names.txt", WORDS),
    ("lexicons/names.txt", NAMES),
    ("lexicons/places.txt", PLACES),
    ("lexicons/conditions.txt", CONDITIONS),
    ("lexicons/symptoms.txt", SYMPTOMS),
    ("lexicons/medications.txt", MEDICATIONS),
    ("lexicons/endings.txt", ENDINGS),
    (
        "lexicons/common.txt",
        include_str!("../../guardrails/lexicons/common.txt"),
    ),
    ("cues.toml", include_str!("../../guardrails/cues.toml")),
];

const KIN: &[&str] = &[
    "son", "daughter", "wife", "husband", "mom", "dad", "mother", "father", "sister", "brother",
    "grandson", "grandma", "niece", "nephew", "cousin", "aunt", "uncle", "partner", "fiance",
    "stepson", "baby", "kid",
];
const FAMILIAR: &[&str] = &[
    "hijo", "hija", "mamá", "papá", "esposa", "esposo", "hermana", "hermano", "abuela", "tío",
    "nieta", "suegra",
];
const DAYS: &[&str] = &[
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "Mon",
    "Tues",
    "tomorrow",
];
const DIAS: &[&str] = &[
    "lunes",
    "martes",
    "miércoles",
    "jueves",
    "viernes",
    "sábado",
];
const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
];
const PARTICLES: &[&str] = &[
    "de la", "van der", "van", "von", "de", "del", "da", "dos", "al", "el", "bin", "ten", "Mac",
];
const HEADS: &[&str] = &[
    "Bra", "Kel", "Zor", "Mi", "Ta", "Jo", "Ska", "Vel", "Dru", "Che", "Ny", "Pha", "Re", "Lo",
    "Ku", "Ba", "Sho", "Gri", "Hal", "Wen", "Ya", "Fe", "Ol", "An", "Is", "Ur", "Eb", "Thi", "Quo",
    "Xa", "Ji", "Mwa", "Nde", "Tsu",
];
const MIDDLES: &[&str] = &[
    "ra", "li", "no", "vi", "sto", "ke", "mar", "den", "lo", "sha", "ti", "bur", "na", "go", "ri",
    "zan", "ju", "e",
];
const NAME_ENDS: &[&str] = &[
    "n", "na", "s", "ko", "ski", "ova", "ez", "son", "wala", "ian", "idis", "dottir", "enko", "ic",
    "man", "field", "worth", "a", "o", "iel", "ette", "is", "us", "vik", "jee", "moto", "shi",
    "ng", "ah", "i", "eau", "ton", "ley",
];
const TOWN_ENDS: &[&str] = &[
    "ville", "ton", "burg", "bury", "ford", "field", "port", "haven", "dale", "wick", "by", "stad",
    "dorf", "heim", "grad", "ovo", "mouth", "land", "town", "borough", "küla", "vik", "nes",
    "pool", "hurst", "ham", "wood", "ia",
];
const TOWN_BEFORE: &[&str] = &[
    "San", "Santa", "St.", "New", "Port", "Lake", "Mount", "El", "La", "Los", "Fort", "North",
];
const MEDICINE_ENDS: &[&str] = &[
    "mab",
    "tinib",
    "pril",
    "sartan",
    "statin",
    "azole",
    "cillin",
    "mycin",
    "oxacin",
    "olol",
    "idine",
    "amide",
    "zepam",
    "triptan",
    "gliptin",
    "gliflozin",
    "parin",
    "vir",
    "caine",
    "one",
    "ine",
    "ol",
    "ax",
    "era",
    "ivo",
];
const STREET_ENDS: &[&str] = &[
    "St", "Street", "Ave", "Avenue", "Rd", "Road", "Lane", "Ln", "Dr", "Drive", "Blvd", "Court",
    "Way", "Place", "Terrace", "gate", "gatan", "straat", "strasse", "vej", "katu", "tie",
    "utca u.", "weg",
];

const STREET_BEFORE: &[&str] = &[
    "Via",
    "Rua",
    "Calle",
    "Avenida",
    "Avda.",
    "Camino",
    "Paseo",
    "Plaza",
    "rue de",
    "Rue",
    "Avenue",
    "ul.",
    "Boulevard",
    "Rua da",
    "Via della",
    "Vicolo",
    "Strada",
    "Carrer",
    "Quai",
    "Impasse",
    "Rambla",
    "Largo",
    "Praça",
    "Calle de la",
];
const STREET_JOINED: &[&str] = &[
    "strasse", "straße", "straat", "weg", "gata", "gatan", "vägen", "veien", "vej", "gade", "katu",
    "tie", "kuja", "laan", "plein", "gasse", "platz", "allee", "utca", "út", "tér", "ova", "ská",
    "tänav", "gränd", "stræde", "brautin",
];

const THING_ENDS: &[&str] = &[
    "ex", "ix", "ify", "ly", "pad", "book", "cup", "jet", "max", "plus", "mate", "lite", "flex",
    "go", "ade", "wave", "bird", "cart", "box", "pod", "kit", "tech", "line", "shop", "card",
    "bus", "fit", "mix",
];
const SHOPS: &[&str] = &[
    "Barber Shop",
    "Salon",
    "Steakhouse",
    "Cafe",
    "Diner",
    "Auto Repair",
    "Bakery",
    "Market",
    "Pizza",
    "Nails",
    "Deli",
    "Grill",
    "Tavern",
    "Cleaners",
    "Florist",
    "Garage",
    "Gym",
    "Hardware",
    "Bookstore",
    "Tacos",
    "barber shop",
    "restaurant",
    "place",
    "hair studio",
    "pharmacy",
    "kitchen",
];

/// What fills the slots.
pub(crate) struct Words {
    lists: BTreeMap<String, Vec<String>>,
}

impl Words {
    pub(crate) fn read() -> Self {
        let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut section = String::new();
        for line in WORDS.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[') {
                name.trim_end_matches(']').clone_into(&mut section);
                continue;
            }
            let list = lists.entry(section.clone()).or_default();
            if line.contains(';') {
                list.extend(line.split(';').map(|it| it.trim().to_owned()));
            } else {
                let blanks = section != "last";
                let word = |it: &str| {
                    if blanks {
                        it.replace('-', " ")
                    } else {
                        it.to_owned()
                    }
                };
                list.extend(line.split_whitespace().map(word));
            }
        }
        for (file, wanted) in [
            (NAMES, ""),
            (PLACES, "city"),
            (CONDITIONS, ""),
            (SYMPTOMS, ""),
            (MEDICATIONS, ""),
            (ENDINGS, ""),
        ] {
            read_lexicon(file, wanted, &mut lists);
        }
        Self { lists }
    }

    fn of(&self, list: &str) -> &[String] {
        self.lists.get(list).map_or(&[], Vec::as_slice)
    }
}

/// The sections of a list file by the first word of their header.
fn read_lexicon(file: &str, wanted: &str, lists: &mut BTreeMap<String, Vec<String>>) {
    let mut section = String::new();
    for line in file.lines() {
        let line = line.split('#').next().unwrap_or("").trim();
        if let Some(header) = line.strip_prefix('[') {
            let weak = header.contains("possible");
            let spanish = header.trim_end_matches(']').ends_with(" es");
            let label = header.split_whitespace().next().unwrap_or("");
            let label = match label {
                "first_name" if weak => "weak",
                "first_name" => "known_first",
                "last_name" if weak => "weak_last",
                "last_name" => "known_last",
                "city" => "known_town",
                "diagnosis" | "symptom" if spanish => "condition_es",
                "diagnosis" | "symptom" if !weak => "known_condition",
                "medication" if !weak => "known_medicine",
                "no_ending" => "everyday",
                _ => "",
            };
            label.clone_into(&mut section);
            continue;
        }
        if section.is_empty() || line.is_empty() || (!wanted.is_empty() && section != "known_town")
        {
            continue;
        }
        let words = line.split(',').map(|it| it.trim().to_owned());
        lists.entry(section.clone()).or_default().extend(words);
    }
}

/// Writes texts.
pub(crate) struct Writer<'a> {
    words: &'a Words,
    dice: Dice,
    templates: Vec<&'static str>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(words: &'a Words, seed: u64) -> Self {
        let lines = |text: &'static str| {
            text.lines()
                .filter(|line| !line.starts_with('#') && !line.is_empty())
        };
        let mut templates: Vec<&'static str> = lines(ENGLISH).collect();
        templates.extend(lines(SPANISH));
        templates.extend(lines(SPANISH));
        templates.extend(lines(HARMLESS));
        templates.extend(lines(HARMLESS));
        templates.extend(lines(SPANISH_HARMLESS));
        templates.extend(lines(SPANISH_HARMLESS));
        Self {
            words,
            dice: Dice(seed),
            templates,
        }
    }

    /// One text, with what its stretches are.
    pub(crate) fn write(&mut self) -> Labelled {
        let template = *self.dice.pick(&self.templates);
        let chosen = self.choose(template);
        let mut out = Labelled {
            text: String::new(),
            spans: Vec::new(),
        };
        let mut rest = chosen.as_str();
        while let Some(open) = rest.find('{') {
            out.text.push_str(&rest[..open].replace("\\n", "\n"));
            let close = rest[open..].find('}').map_or(rest.len(), |it| open + it);
            self.fill(&rest[open + 1..close], &mut out);
            rest = rest.get(close + 1..).unwrap_or("");
        }
        out.text.push_str(&rest.replace("\\n", "\n"));
        self.rewrite(out)
    }

    fn choose(&mut self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('[') {
            out.push_str(&rest[..open]);
            let close = rest[open..].find(']').map_or(rest.len(), |it| open + it);
            let choices: Vec<&str> = rest[open + 1..close].split('|').collect();
            out.push_str(self.dice.pick::<&str>(&choices));
            rest = rest.get(close + 1..).unwrap_or("");
        }
        out.push_str(rest);
        out
    }

    fn fill(&mut self, slot: &str, out: &mut Labelled) {
        let (text, label) = match slot {
            "first" => (self.first(), NAME),
            "last" => (self.last(), NAME),
            "full" => (self.full(), NAME),
            "person" => (self.person(), NAME),
            "initials" => {
                let letter = char::from(b'A' + self.dice.below(26) as u8);
                (format!("{letter}."), NAME)
            }
            "provider" => (self.provider(), PROVIDER),
            "doctor" | "doctora" => {
                let titles: &[&str] = if slot == "doctora" {
                    &["la Dra.", "el Dr.", "la doctora"]
                } else {
                    &["Dr.", "Dr", "Doctor", "dr.", "Nurse", "PA"]
                };
                let title = *self.dice.pick(titles);
                out.text.push_str(title);
                out.text.push(' ');
                (self.last(), PROVIDER)
            }
            "town" => (self.town(), PLACE),
            "place_none" => (self.town(), PROVIDER),
            "street" => (self.street(), PLACE),
            "street_none" => (self.street(), PROVIDER),
            "org" => (self.listed("organisation"), OTHER),
            "thing" => (self.thing(), OTHER),
            "everyday" => (self.listed("everyday"), NONE),
            "business" => {
                let shop = *self.dice.pick(SHOPS);
                (format!("{}'s {shop}", self.person()), OTHER)
            }
            "country" => (self.listed("country"), NONE),
            "state" => (self.listed("state"), NONE),
            "zip" => (format!("{}", 10_000 + self.dice.below(89_000)), NONE),
            "cond" => (self.condition(false), CONDITION),
            "cond_es" => (self.condition(true), CONDITION),
            "med" => (self.medicine(), MEDICINE),
            "weekday" => ((*self.dice.pick(DAYS)).to_owned(), NONE),
            "dia" => ((*self.dice.pick(DIAS)).to_owned(), NONE),
            "kin" => ((*self.dice.pick(KIN)).to_owned(), NONE),
            "familiar" => ((*self.dice.pick(FAMILIAR)).to_owned(), NONE),
            "time" => (self.time(), NONE),
            "date" => (self.date(), NONE),
            "year" => (format!("{}", 1950 + self.dice.below(80)), NONE),
            "num" => {
                let most = *self.dice.pick(&[30, 9000]);
                (format!("{}", 1 + self.dice.below(most)), NONE)
            }
            other => panic!("the template slot {{{other}}} is unknown"),
        };
        let start = out.text.len();
        // Forms hold their values in capitals.
        if matches!(label, NAME | PLACE | PROVIDER) && self.dice.once_in(12) {
            out.text.push_str(&text.to_uppercase());
        } else {
            out.text.push_str(&text);
        }
        if label != NONE {
            out.spans.push((start..out.text.len(), label));
        }
    }

    fn listed(&mut self, list: &str) -> String {
        self.dice.pick(self.words.of(list)).clone()
    }

    fn made(&mut self, ends: &[&str]) -> String {
        let mut word = (*self.dice.pick(HEADS)).to_owned();
        for _ in 0..self.dice.below(3) {
            word.push_str(self.dice.pick::<&str>(MIDDLES));
        }
        word.push_str(self.dice.pick::<&str>(ends));
        word
    }

    fn first(&mut self) -> String {
        let word = match self.dice.below(20) {
            0..=6 => self.listed("known_first"),
            7..=8 => self.listed("weak"),
            9..=13 => self.listed("first"),
            14 => self.listed("nick"),
            15 => {
                let known = self.listed("known_first");
                self.misspell(&known)
            }
            _ => self.made(NAME_ENDS),
        };
        let word = capital(&word);
        if self.dice.once_in(25) {
            let other = capital(&self.listed("known_first"));
            return format!("{word}-{other}");
        }
        word
    }

    fn last(&mut self) -> String {
        let word = match self.dice.below(20) {
            0..=5 => self.listed("known_last"),
            6..=7 => self.listed("weak_last"),
            8..=13 => self.listed("last"),
            14 => {
                let known = self.listed("known_last");
                self.misspell(&known)
            }
            _ => self.made(NAME_ENDS),
        };
        let word = capital(&word);
        match self.dice.below(20) {
            0 => format!("{} {word}", self.dice.pick(PARTICLES)),
            1 => format!("{word}-{}", capital(&self.listed("known_last"))),
            2 => format!("O'{word}"),
            _ => word,
        }
    }

    fn full(&mut self) -> String {
        let (first, last) = (self.first(), self.last());
        let letter = char::from(b'A' + self.dice.below(26) as u8);
        match self.dice.below(12) {
            0 => format!("{first} {letter}. {last}"),
            1 => format!("{first} {letter} {last}"),
            2 => format!("{first} {} {last}", self.first()),
            3 => format!("{first} {last} Jr"),
            _ => format!("{first} {last}"),
        }
    }

    fn person(&mut self) -> String {
        match self.dice.below(4) {
            0 => self.first(),
            1 => self.last(),
            _ => self.full(),
        }
    }

    fn provider(&mut self) -> String {
        let full = self.full();
        match self.dice.below(6) {
            0 => format!("{full} MD"),
            1 => format!("{full}, DDS"),
            _ => full,
        }
    }

    fn town(&mut self) -> String {
        let word = match self.dice.below(10) {
            0..=2 => self.listed("known_town"),
            3..=6 => self.listed("town"),
            _ => self.made(TOWN_ENDS),
        };
        let word = word.split(' ').map(capital).collect::<Vec<_>>().join(" ");
        if self.dice.once_in(8) {
            return format!("{} {word}", self.dice.pick(TOWN_BEFORE));
        }
        word
    }

    fn street(&mut self) -> String {
        match self.dice.below(6) {
            0 => self.listed("street"),
            1 => format!("{} {}", self.dice.pick(STREET_BEFORE), self.made(NAME_ENDS)),
            2 => format!("{} {}", self.dice.pick(STREET_BEFORE), self.full()),
            3 => self.made(STREET_JOINED),
            4 => format!("{} {}", self.made(TOWN_ENDS), self.dice.pick(STREET_ENDS)),
            _ => format!("{} {}", self.last(), self.dice.pick(STREET_ENDS)),
        }
    }

    fn condition(&mut self, spanish: bool) -> String {
        if spanish {
            return self.listed("condition_es");
        }
        let word = match self.dice.below(2) {
            0 => self.listed("known_condition"),
            _ => self.listed("condition"),
        };
        if self.dice.once_in(4) {
            self.misspell(&word)
        } else {
            word
        }
    }

    fn medicine(&mut self) -> String {
        let word = if self.dice.once_in(3) {
            self.made(MEDICINE_ENDS).to_lowercase()
        } else {
            self.listed("known_medicine")
        };
        let word = if self.dice.once_in(4) {
            self.misspell(&word)
        } else {
            word
        };
        if self.dice.once_in(3) {
            capital(&word)
        } else {
            word
        }
    }

    /// A brand, a team, a room: written large, and nobody.
    fn thing(&mut self) -> String {
        match self.dice.below(4) {
            0 => self.listed("organisation"),
            1 => capital(&self.listed("everyday")),
            _ => self.made(&[NAME_ENDS, THING_ENDS].concat()),
        }
    }

    fn time(&mut self) -> String {
        let (hour, minute) = (1 + self.dice.below(12), self.dice.below(4) * 15);
        match self.dice.below(3) {
            0 => format!("{hour}:{minute:02}"),
            1 => format!("{hour} PM"),
            _ => format!("{hour}:{minute:02} AM"),
        }
    }

    fn date(&mut self) -> String {
        let (month, day) = (1 + self.dice.below(12), 1 + self.dice.below(28));
        match self.dice.below(3) {
            0 => format!("{month}/{day}/{}", 2020 + self.dice.below(10)),
            1 => format!("{} {day}", self.dice.pick(MONTHS)),
            _ => format!("2026-{month:02}-{day:02}"),
        }
    }

    /// One or two letters dropped, doubled or swapped.
    fn misspell(&mut self, word: &str) -> String {
        let mut letters: Vec<char> = word.chars().collect();
        for _ in 0..=self.dice.below(2) {
            if letters.len() < 4 {
                break;
            }
            let at = 1 + self.dice.below(letters.len() - 2);
            match self.dice.below(3) {
                0 => drop(letters.remove(at)),
                1 => letters.insert(at, letters[at]),
                _ => letters.swap(at, at + 1),
            }
        }
        letters.into_iter().collect()
    }

    /// Lower case, capitals, no stops: as people write. Offsets stay, so only what keeps its length.
    fn rewrite(&mut self, mut it: Labelled) -> Labelled {
        match self.dice.below(20) {
            0..=3 => it.text = same_length(&it.text, |c| c.to_lowercase().next().unwrap_or(c)),
            4 => it.text = same_length(&it.text, |c| c.to_uppercase().next().unwrap_or(c)),
            5 => {
                let bare = |c| if matches!(c, ',' | '.' | ':') { ' ' } else { c };
                it.text = same_length(&it.text, bare);
            }
            _ => {}
        }
        it
    }
}

/// Changes the characters whose new form is as long as the old.
pub(crate) fn same_length(text: &str, change: impl Fn(char) -> char) -> String {
    let kept = |c: char| {
        let new = change(c);
        if new.len_utf8() == c.len_utf8() {
            new
        } else {
            c
        }
    };
    text.chars().map(kept).collect()
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
