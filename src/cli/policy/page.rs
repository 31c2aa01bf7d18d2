//! A page of rules, written once and rendered as text, Markdown or one self-contained HTML file.

use std::fmt::Write as _;

/// Something to read.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) lead: Vec<String>,
    pub(super) sections: Vec<Section>,
}

/// A part of a page.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) intro: String,
    pub(super) items: Vec<Item>,
}

/// One rule, or one line of what the rules come to.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) head: String,
    pub(super) text: String,
    /// Small print: the citation, the days.
    pub(super) small: Vec<String>,
    /// `verified`, `secondary`, `unverified`, `house`.
    pub(super) mark: Option<&'static str>,
}

const STYLE: &str = "\
:root{--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--paper:#fff;--wash:#f5f7f9;--blue:#1f5a8c;\
--good:#1d6b43;--mid:#8a5a00;--bad:#a3262a}\
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--line:#2d3642;--paper:#12171e;\
--wash:#1a212a;--blue:#7db7e8;--good:#6fcf97;--mid:#e5b567;--bad:#f08a8d}}\
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);\
font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\
.wrap{display:grid;grid-template-columns:15rem minmax(0,48rem);gap:3rem;max-width:70rem;margin:0 auto;padding:2.5rem 1.5rem}\
nav{position:sticky;top:1.5rem;align-self:start;max-height:calc(100vh - 3rem);overflow:auto;font-size:.86rem}\
nav a{display:block;padding:.18rem .6rem;color:var(--soft);text-decoration:none;border-left:2px solid var(--line)}\
nav a:hover,nav a:focus{color:var(--blue);border-color:var(--blue)}\
h1{font-size:2rem;line-height:1.2;margin:0 0 .8rem;letter-spacing:-.01em}\
h2{font-size:1.25rem;margin:2.6rem 0 .4rem;padding-top:.8rem;border-top:1px solid var(--line)}\
.lead p{margin:.3rem 0;color:var(--soft)}.intro{color:var(--soft);margin:.1rem 0 .9rem}\
article{background:var(--wash);border:1px solid var(--line);border-radius:.6rem;padding:.85rem 1.1rem;margin:.6rem 0;break-inside:avoid}\
article header{display:flex;gap:.7rem;align-items:baseline;justify-content:space-between}\
article code{font:600 .86rem ui-monospace,SFMono-Regular,Menlo,monospace;color:var(--blue);overflow-wrap:anywhere}\
.lead p,.intro,h1,h2,article p,article li{overflow-wrap:anywhere}article p{margin:.3rem 0 .4rem}article ul{margin:.2rem 0 0;padding:0;list-style:none;font-size:.84rem;color:var(--soft)}\
.mark{font-size:.74rem;font-weight:600;padding:.1rem .55rem;border-radius:1rem;border:1px solid currentColor;white-space:nowrap}\
.verified{color:var(--good)}.secondary{color:var(--mid)}.unverified{color:var(--bad)}.house{color:var(--soft)}\
@media(max-width:56rem){.wrap{display:block;padding:1.2rem}nav{position:static;max-height:14rem;margin-bottom:1.5rem;\
border:1px solid var(--line);border-radius:.6rem;padding:.6rem 0}h1{font-size:1.55rem}}\
@media print{nav{display:none}.wrap{display:block;padding:0}body{font-size:11pt}}";

impl Page {
    /// For a terminal.
    pub(super) fn text(&self) -> String {
        let mut out = format!(
            "{}\n{}\n",
            self.title,
            "=".repeat(self.title.chars().count())
        );
        for line in &self.lead {
            out.push_str(&wrapped(line, 0));
        }
        for section in &self.sections {
            let rule = "-".repeat(section.title.chars().count());
            let _infallible = write!(out, "\n{}\n{rule}\n", section.title);
            if !section.intro.is_empty() {
                out.push_str(&wrapped(&section.intro, 0));
            }
            for item in &section.items {
                let mark = item.mark.map(|it| format!("  [{it}]")).unwrap_or_default();
                let _infallible = writeln!(out, "{}{mark}", item.head);
                out.push_str(&wrapped(&item.text, 4));
                for small in &item.small {
                    out.push_str(&wrapped(small, 6));
                }
            }
        }
        out
    }

    /// For a repository or a mail.
    pub(super) fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n", self.title);
        for line in &self.lead {
            let _infallible = writeln!(out, "{line}  ");
        }
        for section in &self.sections {
            let _infallible = write!(out, "\n## {}\n\n", section.title);
            if !section.intro.is_empty() {
                let _infallible = write!(out, "{}\n\n", section.intro);
            }
            for item in &section.items {
                let mark = item.mark.map(|it| format!(" _{it}_")).unwrap_or_default();
                let _infallible = writeln!(out, "- **{}**{mark} {}", item.head, item.text);
                for small in &item.small {
                    let _infallible = writeln!(out, "  - {small}");
                }
            }
        }
        out
    }

    /// One file that needs nothing else: for counsel to read and to print.
    pub(super) fn html(&self) -> String {
        let mut nav = String::new();
        let mut body = String::new();
        for (at, section) in self.sections.iter().enumerate() {
            let title = escaped(&section.title);
            let _infallible = write!(nav, "<a href=\"#s{at}\">{title}</a>");
            let _infallible = write!(body, "<section><h2 id=\"s{at}\">{title}</h2>");
            if !section.intro.is_empty() {
                let _infallible =
                    write!(body, "<p class=\"intro\">{}</p>", escaped(&section.intro));
            }
            for item in &section.items {
                body.push_str(&article(item));
            }
            body.push_str("</section>");
        }
        let title = escaped(&self.title);
        let lead = tagged("p", &self.lead);
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head><body><div class=\"wrap\">\
             <nav aria-label=\"Sections\">{nav}</nav><main><h1>{title}</h1>\
             <div class=\"lead\">{lead}</div>{body}</main></div></body></html>\n"
        )
    }
}

fn article(item: &Item) -> String {
    let mark = item
        .mark
        .map(|it| format!("<span class=\"mark {it}\">{it}</span>"))
        .unwrap_or_default();
    let small = tagged("li", &item.small);
    let list = if small.is_empty() {
        String::new()
    } else {
        format!("<ul>{small}</ul>")
    };
    format!(
        "<article><header><code>{}</code>{mark}</header><p>{}</p>{list}</article>",
        escaped(&item.head),
        escaped(&item.text)
    )
}

/// Each text in an element of its own.
fn tagged(element: &str, texts: &[String]) -> String {
    let mut out = String::new();
    for text in texts {
        let _infallible = write!(out, "<{element}>{}</{element}>", escaped(text));
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Lines of at most 96 characters, indented.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > 96 {
            out.push('\n');
            used = 0;
        }
        if used == 0 {
            out.push_str(&" ".repeat(indent));
            used = indent;
        } else {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
