//! The secure thread as a PDF: tagged, with its language and the exact words for readers and search,
//! also where the font has no sign for them.

use pdf_writer::types::StructRole;
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

/// US Letter, in points.
const PAGE: (f32, f32) = (612.0, 792.0);
const MARGIN: f32 = 60.0;
/// Below this line stands the foot.
const FLOOR: f32 = 84.0;

/// Widths of Helvetica's signs from the space to the tilde, in thousandths of the size (Adobe's metrics
/// of the 14 standard fonts).
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// What of Windows-1252 is not Latin-1: the sign, its byte, and a letter that is as wide.
const BEYOND: &[(char, u8, char)] = &[
    ('€', 0x80, '0'),
    ('…', 0x85, '@'),
    ('‘', 0x91, ','),
    ('’', 0x92, ','),
    ('“', 0x93, '('),
    ('”', 0x94, '('),
    ('•', 0x95, '*'),
    ('–', 0x96, '0'),
    ('—', 0x97, '@'),
    ('™', 0x99, '@'),
];

/// One message as it stands in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web) struct Message {
    /// Who wrote it, and when.
    pub(in crate::web) head: String,
    /// Its words.
    pub(in crate::web) body: String,
}

/// What the document says besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web) struct Words {
    /// `en` or `es`.
    pub(in crate::web) language: &'static str,
    /// Its title.
    pub(in crate::web) title: String,
    /// Whose it is.
    pub(in crate::web) practice: String,
    /// What stands at the foot of each page.
    pub(in crate::web) foot: String,
    /// Before the number of a page.
    pub(in crate::web) page: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Title,
    Head,
    Body,
}

impl Kind {
    const fn size(self) -> f32 {
        match self {
            Self::Title => 20.0,
            Self::Head => 11.0,
            Self::Body => 12.5,
        }
    }

    const fn font(self) -> Name<'static> {
        match self {
            Self::Body => Name(b"F1"),
            Self::Title | Self::Head => Name(b"F2"),
        }
    }

    const fn role(self) -> StructRole {
        match self {
            Self::Title => StructRole::H1,
            Self::Head => StructRole::H2,
            Self::Body => StructRole::P,
        }
    }

    const fn before(self) -> f32 {
        match self {
            Self::Title => 0.0,
            Self::Head => 20.0,
            Self::Body => 4.0,
        }
    }
}

/// A sign as the font has it; none where it has no own width on paper (joiners, variants).
fn byte_of(sign: char) -> Option<(u8, bool)> {
    if let Some((_, byte, _)) = BEYOND.iter().find(|(it, ..)| *it == sign) {
        return Some((*byte, true));
    }
    match u32::from(sign) {
        0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0xfe00..=0xfe0f => None,
        code @ (0x20..=0x7e | 0xa0..=0xff) => u8::try_from(code).ok().map(|byte| (byte, true)),
        _ => Some((b'?', false)),
    }
}

/// The bytes of a text, and whether they are all of it.
fn bytes_of(text: &str) -> (Vec<u8>, bool) {
    let mut whole = true;
    let mut bytes = Vec::with_capacity(text.len());
    for sign in text.chars() {
        match byte_of(sign) {
            Some((byte, own)) => {
                whole &= own;
                bytes.push(byte);
            }
            None => whole = false,
        }
    }
    (bytes, whole)
}

/// How wide a sign is; an accented letter is as wide as its base, a capital where that is not known.
fn width_of(sign: char) -> u16 {
    let like = BEYOND
        .iter()
        .find(|(it, ..)| *it == sign)
        .map(|(.., like)| *like);
    let like = like.unwrap_or(match sign {
        'À'..='Æ' | 'È'..='Ï' | 'Ñ'..='Ö' | 'Ù'..='Ý' => 'O',
        'í' | 'ì' | 'î' | 'ï' => 'f',
        'á'..='ÿ' | 'à' | 'ß' => 'a',
        '¡' => '!',
        ' '..='~' => sign,
        _ => '0',
    });
    let at = u32::from(like)
        .checked_sub(32)
        .and_then(|at| usize::try_from(at).ok());
    at.and_then(|at| WIDTHS.get(at)).copied().unwrap_or(556)
}

fn width(text: &str, size: f32) -> f32 {
    // The bold face is a little wider.
    let sum: f32 = text.chars().map(|sign| f32::from(width_of(sign))).sum();
    sum * size / 1000.0
}

/// A text in lines that fit.
fn lines(text: &str, kind: Kind) -> Vec<String> {
    let room = (PAGE.0 - 2.0 * MARGIN) * if kind == Kind::Body { 1.0 } else { 0.93 };
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let joined = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if width(&joined, kind.size()) <= room {
                line = joined;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for sign in word.chars() {
                if width(&line, kind.size()) > room - 16.0 {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(sign);
            }
        }
        lines.push(line);
    }
    lines
}

/// One element of the structure: what it is, and where its pieces stand.
struct Element {
    kind: Kind,
    pieces: Vec<(usize, i32)>,
}

/// Pages as they are filled.
struct Layout {
    pages: Vec<Content>,
    /// The elements of each page's pieces, by number.
    owners: Vec<Vec<usize>>,
    elements: Vec<Element>,
    at: f32,
}

impl Layout {
    fn fresh(&mut self) {
        self.pages.push(Content::new());
        self.owners.push(Vec::new());
        self.at = PAGE.1 - MARGIN;
    }

    fn add(&mut self, text: &str, kind: Kind) {
        let step = kind.size() * 1.42;
        self.at -= kind.before();
        let element = self.elements.len();
        let mut pieces = Vec::new();
        let all = lines(text, kind);
        let mut rest = all.as_slice();
        // A head stands with the first lines of what it heads.
        let least = if kind == Kind::Head { 3.0 } else { 1.0 };
        while !rest.is_empty() {
            if self.at - step * least < FLOOR {
                self.fresh();
            }
            let mut fits = 0;
            let mut at = self.at;
            while fits < rest.len() && at - step >= FLOOR {
                at -= step;
                fits += 1;
            }
            let (now, later) = rest.split_at(fits.max(1).min(rest.len()));
            if let Some(piece) = self.piece(now, kind, step, element) {
                pieces.push(piece);
            }
            rest = later;
        }
        self.elements.push(Element { kind, pieces });
    }

    fn piece(
        &mut self,
        lines: &[String],
        kind: Kind,
        step: f32,
        element: usize,
    ) -> Option<(usize, i32)> {
        let page = self.pages.len().checked_sub(1)?;
        let owners = self.owners.get_mut(page)?;
        let number = i32::try_from(owners.len()).ok()?;
        owners.push(element);
        let content = self.pages.get_mut(page)?;
        let name: &[u8] = match kind {
            Kind::Title => b"H1",
            Kind::Head => b"H2",
            Kind::Body => b"P",
        };
        let told = lines.join(" ");
        let (_, whole) = bytes_of(&told);
        {
            let mut mark = content.begin_marked_content_with_properties(Name(name));
            let mut properties = mark.properties();
            properties.identify(number);
            if !whole {
                properties.actual_text(TextStr(&told));
            }
        }
        for line in lines {
            self.at -= step;
            let (bytes, _) = bytes_of(line);
            content.begin_text();
            content.set_font(kind.font(), kind.size());
            content.next_line(MARGIN, self.at);
            content.show(Str(&bytes));
            content.end_text();
        }
        content.end_marked_content();
        Some((page, number))
    }
}

/// The document.
pub(in crate::web) fn document(words: &Words, messages: &[Message]) -> Vec<u8> {
    let mut layout = Layout {
        pages: Vec::new(),
        owners: Vec::new(),
        elements: Vec::new(),
        at: 0.0,
    };
    layout.fresh();
    layout.add(&words.title, Kind::Title);
    layout.add(&words.practice, Kind::Body);
    for message in messages {
        layout.add(&message.head, Kind::Head);
        layout.add(&message.body, Kind::Body);
    }
    feet(&mut layout, words);
    written(words, layout)
}

/// The foot of each page: no part of the text, so no reader speaks it on every page.
fn feet(layout: &mut Layout, words: &Words) {
    let count = layout.pages.len();
    for (at, content) in layout.pages.iter_mut().enumerate() {
        let foot = format!("{} · {} {} / {count}", words.foot, words.page, at + 1);
        let (bytes, _) = bytes_of(&foot);
        content.begin_marked_content(Name(b"Artifact"));
        content.begin_text();
        content.set_font(Name(b"F1"), 9.0);
        content.next_line(MARGIN, 48.0);
        content.show(Str(&bytes));
        content.end_text();
        content.end_marked_content();
    }
}

/// Numbers of objects, one after the other.
struct Numbers(i32);

impl Numbers {
    const fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

/// The numbers of what refers to each other.
struct Refs {
    catalog: Ref,
    tree: Ref,
    info: Ref,
    root: Ref,
    plain: Ref,
    bold: Ref,
    whole: Ref,
    /// Each page, its content, and the owners of its pieces.
    pages: Vec<(Ref, Ref, Ref)>,
    elements: Vec<Ref>,
}

fn written(words: &Words, layout: Layout) -> Vec<u8> {
    let mut numbers = Numbers(0);
    let mut pdf = Pdf::new();
    let refs = Refs {
        catalog: numbers.next(),
        tree: numbers.next(),
        info: numbers.next(),
        root: numbers.next(),
        plain: numbers.next(),
        bold: numbers.next(),
        whole: numbers.next(),
        pages: layout
            .pages
            .iter()
            .map(|_| (numbers.next(), numbers.next(), numbers.next()))
            .collect(),
        elements: layout.elements.iter().map(|_| numbers.next()).collect(),
    };
    let mut document = pdf.catalog(refs.catalog);
    document.pages(refs.tree);
    document.lang(TextStr(words.language));
    document.mark_info().marked(true);
    document.viewer_preferences().display_doc_title(true);
    document.pair(Name(b"StructTreeRoot"), refs.root);
    document.finish();
    // The title names nobody: it stands in windows and lists of files.
    let mut info = pdf.document_info(refs.info);
    info.title(TextStr(&words.title))
        .creator(TextStr("anteroom"));
    info.finish();
    structure(&mut pdf, &refs, &layout);
    pages(&mut pdf, &refs, layout.pages);
    pdf.finish()
}

fn pages(pdf: &mut Pdf, refs: &Refs, contents: Vec<Content>) {
    let count = i32::try_from(refs.pages.len()).unwrap_or(i32::MAX);
    let kids = refs.pages.iter().map(|(page, ..)| *page);
    pdf.pages(refs.tree).kids(kids).count(count);
    for (key, ((page, content, _), own)) in (0..).zip(refs.pages.iter().zip(contents)) {
        let mut written = pdf.page(*page);
        written.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1));
        written.parent(refs.tree);
        written.contents(*content);
        written.struct_parents(key);
        written.pair(Name(b"Tabs"), Name(b"S"));
        let mut resources = written.resources();
        let mut fonts = resources.fonts();
        fonts.pair(Name(b"F1"), refs.plain);
        fonts.pair(Name(b"F2"), refs.bold);
        fonts.finish();
        resources.finish();
        written.finish();
        pdf.stream(*content, &own.finish());
    }
    for (font, name) in [
        (refs.plain, &b"Helvetica"[..]),
        (refs.bold, b"Helvetica-Bold"),
    ] {
        let mut written = pdf.type1_font(font);
        written.base_font(Name(name));
        written.encoding_predefined(Name(b"WinAnsiEncoding"));
    }
}

/// What each piece is, so that a reader speaks it in its order.
fn structure(pdf: &mut Pdf, refs: &Refs, layout: &Layout) {
    let count = i32::try_from(refs.pages.len()).unwrap_or(i32::MAX);
    let mut root = pdf.indirect(refs.root).dict();
    root.pair(Name(b"Type"), Name(b"StructTreeRoot"));
    root.pair(Name(b"K"), refs.whole);
    let mut parents = root.insert(Name(b"ParentTree")).dict();
    let mut nums = parents.insert(Name(b"Nums")).array();
    for (key, (_, _, owners)) in (0..).zip(&refs.pages) {
        nums.item(key);
        nums.item(*owners);
    }
    nums.finish();
    parents.finish();
    root.pair(Name(b"ParentTreeNextKey"), count);
    root.finish();
    for ((_, _, number), owners) in refs.pages.iter().zip(&layout.owners) {
        let own = owners
            .iter()
            .filter_map(|at| refs.elements.get(*at).copied());
        pdf.indirect(*number).array().items(own);
    }
    let mut whole = pdf.struct_element(refs.whole);
    whole.kind(StructRole::Document);
    whole.parent(refs.root);
    let mut children = whole.children();
    for element in &refs.elements {
        children.struct_element(*element);
    }
    children.finish();
    whole.finish();
    for (number, element) in refs.elements.iter().zip(&layout.elements) {
        let mut written = pdf.struct_element(*number);
        written.kind(element.kind.role());
        written.parent(refs.whole);
        let mut children = written.children();
        for (page, piece) in &element.pieces {
            if let Some((page, ..)) = refs.pages.get(*page) {
                let mut place = children.marked_content_ref();
                place.page(*page).marked_content_id(*piece);
            }
        }
        children.finish();
        written.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_no_sign() {
        let long = "x".repeat(400);
        for text in [
            "",
            "one",
            "Your A1c was 7.2.\nNext step: a walk each day.",
            &long,
            "ñandú é í 🙂 “so”",
        ] {
            for kind in [Kind::Body, Kind::Head] {
                let lines = lines(text, kind);
                let squeezed = |text: &str| text.split_whitespace().collect::<String>();
                assert_eq!(squeezed(&lines.concat()), squeezed(text));
                for line in &lines {
                    assert!(width(line, kind.size()) <= PAGE.0 - 2.0 * MARGIN, "{line}");
                }
            }
        }
    }

    #[test]
    fn what_the_font_has_no_sign_for_is_told_to_readers_all_the_same() {
        assert_eq!(
            bytes_of("Peña–¿sí?"),
            (b"Pe\xf1a\x96\xbfs\xed?".to_vec(), true)
        );
        assert_eq!(bytes_of("a🙂b"), (b"a?b".to_vec(), false));
        assert!(!bytes_of("مريم").1);
    }
}
