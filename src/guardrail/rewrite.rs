//! The only maker of text that may leave: drops become edits, sentences stay whole, and what was
//! taken out goes behind the portal link.

mod hanging;
pub(crate) mod phrase;
mod retell;
pub(crate) mod tidy;

use std::borrow::Cow;
use std::ops::Range;

use jiff::tz::TimeZone;

use crate::guardrail::conduct::Rules;
use crate::guardrail::ground::fold::fold_text;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge::Reading;
use crate::guardrail::minimum::Situation;
use crate::guardrail::rewrite::hanging::Before;
use crate::guardrail::rewrite::retell::Visit;
use crate::guardrail::segment::SEGMENTS_MAX;
use crate::guardrail::segment::Segments;
use crate::guardrail::segment::fold;
use crate::guardrail::segment::is_folded;
use crate::guardrail::segment::segments;
use crate::guardrail::setting::Consent;
use crate::guardrail::setting::Setting;
use crate::policy::words::Channel;
use crate::policy::words::Language;

/// Text that may leave. Made only here; it cannot be written down by accident, for it neither
/// prints nor serializes. What the review left as it was is borrowed from the draft.
#[derive(Clone, PartialEq, Eq)]
pub struct Cleared<'d> {
    text: Cow<'d, str>,
    portal: Option<Cow<'d, str>>,
    holds_phi: bool,
    proof: Option<Cow<'d, str>>,
    language: Language,
    segments: Segments,
}

impl<'d> Cleared<'d> {
    /// The text to send.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What moves behind the link: the full draft, when anything was taken out of it.
    pub fn portal(&self) -> Option<&str> {
        self.portal.as_deref()
    }

    /// Whether the text tells anything about the patient; then it carries a proof of consent.
    pub const fn holds_phi(&self) -> bool {
        self.holds_phi
    }

    /// This text, cleared with `words` before it; what another one moved behind the link comes
    /// along, with the same words before it.
    pub(super) fn with_portal_of(self, other: &Cleared<'_>, words: &str) -> Self {
        let portal = other.portal.as_ref();
        let portal = portal.map(|body| Cow::Owned(format!("{words} {body}")));
        Self { portal, ..self }
    }

    /// The digest of the consent that allows PHI in it.
    pub fn proof(&self) -> Option<&str> {
        self.proof.as_deref()
    }

    /// The patient's language.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// What the text costs on SMS.
    pub const fn segments(&self) -> Segments {
        self.segments
    }

    /// The same in memory of its own, to outlive the draft.
    pub fn into_owned(self) -> Cleared<'static> {
        let own = |text: Cow<'d, str>| Cow::Owned(text.into_owned());
        Cleared {
            text: own(self.text),
            portal: self.portal.map(own),
            holds_phi: self.holds_phi,
            proof: self.proof.map(own),
            language: self.language,
            segments: self.segments,
        }
    }

    /// Seals a text that a review found nothing more to take out of.
    pub(super) fn seal(
        text: Cow<'d, str>,
        portal: Option<Cow<'d, str>>,
        patient: bool,
        setting: &Setting<'d>,
    ) -> Self {
        let proof = match setting.consent {
            Consent::Granted { proof } if patient => Some(Cow::Borrowed(proof)),
            Consent::Granted { .. } | Consent::None | Consent::Declined | Consent::OptedOut => None,
        };
        Self {
            segments: segments(&text),
            text,
            portal,
            holds_phi: proof.is_some(),
            proof,
            language: setting.language,
        }
    }
}

impl std::fmt::Debug for Cleared<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            holds_phi,
            language,
            segments,
            ..
        } = self;
        write!(
            f,
            "Cleared(holds_phi: {holds_phi}, language: {language}, segments: {}, ..)",
            segments.count
        )
    }
}

/// The text as it leaves by this channel.
pub(super) fn outgoing<'t>(text: &'t str, setting: &Setting<'_>) -> Cow<'t, str> {
    match setting.channel {
        Channel::Sms | Channel::Mms if is_folded(text) => Cow::Borrowed(text.trim()),
        Channel::Sms | Channel::Mms => Cow::Owned(fold(text).trim().to_owned()),
        Channel::Whatsapp | Channel::Webchat => Cow::Borrowed(text.trim()),
    }
}

/// Whether the text takes more parts than a patient should get.
pub(super) fn too_long(text: &str, setting: &Setting<'_>) -> bool {
    matches!(setting.channel, Channel::Sms | Channel::Mms) && segments(text).count > SEGMENTS_MAX
}

/// The text that stands for the whole draft; `None` when there is no portal to point to.
pub(super) fn portal_form(
    rules: &Rules,
    setting: &Setting<'_>,
    situation: Situation<'_>,
) -> Option<String> {
    let url = setting.portal_url.trim();
    if url.is_empty() {
        return None;
    }
    let texts = rules.texts(setting.language);
    let name = setting.practice_name.trim();
    let unnamed = name.is_empty() || situation.is_sensitive();
    let text = if unnamed {
        &texts.portal_unnamed
    } else {
        &texts.portal
    };
    Some(text.replace("{practice}", name).replace("{url}", url))
}

/// Whether nothing about the person may stay, so that any drop takes the whole draft.
pub(super) fn wholly(setting: &Setting<'_>) -> bool {
    (setting.channel == Channel::Whatsapp && !setting.covered)
        || !matches!(setting.consent, Consent::Granted { .. })
}

/// An edited draft.
pub(super) struct Edited {
    pub(super) text: String,
    /// Is what was taken out to be read behind the link?
    pub(super) behind: bool,
}

/// The draft without the dropped places, with one link where something of use was among them; `None`
/// when there is no portal.
pub(super) fn rewrite(
    rules: &Rules,
    view: &View<'_>,
    reading: &Reading,
    (setting, situation): (&Setting<'_>, Situation<'_>),
    zone: &TimeZone,
) -> Option<Edited> {
    let drops = &*reading.drops();
    let linked = |text| Edited { text, behind: true };
    let form = portal_form(rules, setting, situation)?;
    if wholly(setting) {
        return Some(linked(form));
    }
    let visit = Visit::of(reading, setting, zone);
    let Some(rest) = keep(rules, view, reading, (visit.as_ref(), setting.language)) else {
        return Some(linked(form));
    };
    let url = setting.portal_url.trim();
    let behind = !reading.drops_only_own_name() || rest.contains(url);
    let text = if rest.contains(url) || !behind {
        rest
    } else {
        let link = rules.texts(setting.language).link.replace("{url}", url);
        format!("{}{link}", with_stop(&rest))
    };
    let leaks = leaks(view, drops, &link_less(&text, url), setting);
    let long = too_long(&outgoing(&text, setting), setting);
    Some(if leaks || long {
        linked(form)
    } else {
        Edited { text, behind }
    })
}

fn link_less(text: &str, url: &str) -> String {
    fold_text(&text.replace(url, " "))
}

fn with_stop(rest: &str) -> String {
    let rest = rest.trim_end();
    let bare = rest.trim_end_matches([',', ';', ':', '-', ' ']);
    if bare.ends_with(['.', '!', '?', ')']) {
        format!("{bare} ")
    } else {
        format!("{bare}. ")
    }
}

/// What is left of the sentences, with the coming visit told anew where all that told of it fell;
/// `None` when nothing worth sending is left.
fn keep(
    rules: &Rules,
    view: &View<'_>,
    reading: &Reading,
    (visit, language): (Option<&Visit<'_>>, Language),
) -> Option<String> {
    let plain = keep_with(rules, view, reading, |_| None, visit);
    let Some(visit) = visit.filter(|_| !plain.told) else {
        return plain.text;
    };
    let mut told = false;
    let retold = |sentence: &Range<usize>| {
        let text = visit.retell(view, rules, sentence, language);
        // Once is enough.
        let text = text.filter(|_| !told);
        told |= text.is_some();
        text
    };
    keep_with(rules, view, reading, retold, None).text
}

/// What is left, and whether it tells of the coming visit.
struct Left {
    text: Option<String>,
    told: bool,
}

/// What is left of the sentences, and of those that fall what is told instead.
fn keep_with(
    rules: &Rules,
    view: &View<'_>,
    reading: &Reading,
    mut instead: impl FnMut(&Range<usize>) -> Option<String>,
    visit: Option<&Visit<'_>>,
) -> Left {
    let (drops, procedures) = (&*reading.drops(), &*reading.procedures());
    let mut told = false;
    let phrases = &rules.phrases;
    let mut out = String::with_capacity(view.text.len());
    let mut useful = false;
    let mut before = Before::default();
    let mut end = 0;
    for sentence in &view.sentences {
        let span = view.span(sentence);
        let gap = view.text.get(end..span.start).unwrap_or(" ");
        end = span.end;
        let inside: Vec<Range<usize>> = drops
            .iter()
            .filter(|drop| drop.start < span.end && span.start < drop.end)
            .cloned()
            .collect();
        let kept = if inside.is_empty() {
            hanging::standing(view, phrases, sentence, before)
        } else {
            // A bare greeting that is all a sentence has left goes with it.
            let greeted = phrases.trivial.is_match(view.slice(sentence));
            phrase::mend(view, rules, sentence, (&inside, procedures))
                .filter(|kept| greeted || !phrases.trivial.is_match(fold_text(kept)))
        }
        .or_else(|| instead(sentence));
        before = before.then(!inside.is_empty(), kept.is_none());
        let Some(kept) = kept else { continue };
        told |= visit.is_some_and(|visit| visit.is_told(view, sentence, &kept));
        useful |= !phrases.trivial.is_match(fold_text(&kept));
        if !out.is_empty() {
            out.push(if gap.contains('\n') { '\n' } else { ' ' });
        }
        out.push_str(&kept);
    }
    Left {
        text: useful.then_some(out),
        told,
    }
}

/// Whether a dropped value stands elsewhere in the text still.
fn leaks(view: &View<'_>, drops: &[Range<usize>], bare: &str, setting: &Setting<'_>) -> bool {
    let name = fold_text(setting.practice_name);
    drops.iter().any(|drop| {
        let value = fold_text(view.text.get(drop.clone()).unwrap_or_default());
        let value = value.trim();
        value.len() >= 3 && !name.contains(value) && contains_word(bare, value)
    })
}

/// Whether `value` stands in `text` on its own.
fn contains_word(text: &str, value: &str) -> bool {
    text.match_indices(value).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text
            .get(at + value.len()..)
            .and_then(|tail| tail.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}
