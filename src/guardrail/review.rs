//! The review of a draft: limits first, then readings and edits until nothing changes.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::thread;

use jiff::tz::TimeZone;
use jiff::tz::TimeZoneDatabase;
use sha2::Digest as _;
use sha2::Sha256;
use smallvec::smallvec;

use crate::guardrail::accumulate;
use crate::guardrail::accumulate::Told;
use crate::guardrail::conduct;
use crate::guardrail::conduct::Rules;
use crate::guardrail::detect;
use crate::guardrail::detect::voter::Voter;
use crate::guardrail::finding::Action;
use crate::guardrail::finding::Category;
use crate::guardrail::finding::Confidence;
use crate::guardrail::finding::Evidence;
use crate::guardrail::finding::Finding;
use crate::guardrail::finding::Verdict;
use crate::guardrail::findings::Findings;
use crate::guardrail::ground::fold::Values;
use crate::guardrail::ground::view::View;
use crate::guardrail::judge;
use crate::guardrail::judge::Reading;
use crate::guardrail::minimum;
use crate::guardrail::minimum::Situation;
use crate::guardrail::rewrite;
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::rewrite::Edited;
use crate::guardrail::scratch;
use crate::guardrail::scratch::Scratch;
use crate::guardrail::segment;
use crate::guardrail::setting::Author;
use crate::guardrail::setting::Consent;
use crate::guardrail::setting::Setting;
use crate::policy::Policy;
use crate::policy::PolicyError;
use crate::policy::joined;

/// A draft longer than this is not a text message; it is held unread.
pub const DRAFT_CHARS_MAX: usize = 8_000;
/// A text that still changes after this many edits is held.
pub const ROUNDS_MAX: usize = 3;

/// The guardrail: the policy and the judging rules, compiled once and shared; cheap to clone.
#[derive(Clone, Debug)]
pub struct Guardrail {
    policy: Arc<Policy>,
    rules: Arc<Rules>,
    zones: TimeZoneDatabase,
    voters: Vec<Arc<dyn Voter>>,
    digest: Arc<str>,
}

/// What a review came to. `cleared` is there unless the verdict is `Hold`.
#[derive(Clone, Debug)]
pub struct Review<'d> {
    /// The verdict.
    pub verdict: Verdict,
    /// The only text that may leave.
    pub cleared: Option<Cleared<'d>>,
    /// What was found in the draft, by place in it.
    pub findings: Findings,
    /// The names of details that the cleared text tells and that could tell the condition together
    /// with others: the next setting of this conversation takes them as `told`.
    pub told: Told,
    /// The digest of the policy that judged.
    pub policy: Arc<str>,
}

impl Review<'_> {
    /// The same in memory of its own, to outlive the draft.
    pub fn into_owned(self) -> Review<'static> {
        Review {
            verdict: self.verdict,
            cleared: self.cleared.map(Cleared::into_owned),
            findings: self.findings,
            told: self.told,
            policy: self.policy,
        }
    }
}

impl Guardrail {
    /// The guardrail with the rules that are built in.
    pub fn embedded() -> Result<Self, PolicyError> {
        let (policy, rules) = thread::scope(|beside| {
            let rules = beside.spawn(Rules::embedded);
            (Policy::embedded(), joined(rules))
        });
        Self::ruled(Arc::new(policy?), rules?)
    }

    /// The guardrail over a policy that is loaded already.
    pub fn new(policy: Arc<Policy>) -> Result<Self, PolicyError> {
        Self::ruled(policy, Rules::embedded()?)
    }

    fn ruled(policy: Arc<Policy>, rules: Rules) -> Result<Self, PolicyError> {
        detect::examples::hold(&policy)?;
        let mut hash = Sha256::new();
        hash.update(policy.digest().as_bytes());
        let texts = [
            conduct::CLAIMS,
            conduct::CONDUCT,
            minimum::MINIMUM,
            accumulate::ACCUMULATION,
        ];
        let texts = texts.map(|(file, text)| (file, text.as_bytes()));
        for (file, bytes) in texts.into_iter().chain([conduct::ADVICE]) {
            hash.update(file.as_bytes());
            hash.update([0]);
            hash.update(bytes);
        }
        let digest = hex::encode(hash.finalize()).into();
        Ok(Self {
            rules: Arc::new(rules),
            zones: TimeZoneDatabase::bundled(),
            policy,
            voters: Vec::new(),
            digest,
        })
    }

    /// The guardrail with one voter more; its digest covers the voter.
    #[must_use]
    pub fn with_voter(mut self, voter: Arc<dyn Voter>) -> Self {
        let both = format!("{}\0{}", self.digest, voter.digest());
        self.digest = hex::encode(Sha256::digest(both)).into();
        self.voters.push(voter);
        self
    }

    /// Whether a practice's name tells a condition by itself.
    pub fn name_tells(&self, practice_name: &str) -> bool {
        self.rules.matrix.tells(practice_name)
    }

    /// The guardrail over another policy, with the same voters.
    pub fn over(&self, policy: Arc<Policy>) -> Result<Self, PolicyError> {
        let voters = self.voters.iter().map(Arc::clone);
        Ok(voters.fold(Self::new(policy)?, Self::with_voter))
    }

    /// The digest of everything that decides a verdict.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The policy.
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The law of the policy.
    pub fn law(&self) -> &Arc<crate::policy::law::Law> {
        self.policy.law()
    }

    /// The detector alone.
    pub fn detect(&self, text: &str) -> Findings {
        let known = detect::Known {
            voters: &self.voters,
            ..detect::Known::default()
        };
        detect::detect(&self.policy, text, &known)
    }

    /// Reviews a draft. Cannot fail: what goes wrong on the way holds the draft.
    ///
    /// A draft that may leave as it stands costs no allocation once its thread has reviewed others.
    pub fn review<'d>(&self, draft: &'d str, setting: &Setting<'d>) -> Review<'d> {
        catch_unwind(AssertUnwindSafe(|| self.judge(draft, setting))).unwrap_or_else(|_| {
            self.hold(
                draft,
                "review.panic",
                "the review broke off",
                Findings::new(),
            )
        })
    }

    fn judge<'d>(&self, draft: &'d str, setting: &Setting<'d>) -> Review<'d> {
        // Folded first: a text of zero-width characters shows nothing either.
        if !draft.chars().any(char::is_alphanumeric) && segment::fold(draft).trim().is_empty() {
            return self.hold(
                draft,
                "review.empty",
                "nothing was examined",
                Findings::new(),
            );
        }
        if draft.len() > DRAFT_CHARS_MAX && draft.chars().count() > DRAFT_CHARS_MAX {
            return self.hold(
                draft,
                "review.too_long",
                "longer than a review reads",
                Findings::new(),
            );
        }
        if setting.consent == Consent::OptedOut && setting.author != Author::Approved {
            let cite = "47 CFR 64.1200(a)(10); 47 CFR 64.1200(c)(3)";
            return self.hold(draft, "review.opted_out", cite, Findings::new());
        }
        let Ok(zone) = self.zones.get(setting.timezone) else {
            return self.hold(
                draft,
                "review.time_zone",
                "unknown time zone",
                Findings::new(),
            );
        };
        scratch::with(|scratch| {
            let values = Values::new(setting.facts, std::mem::take(&mut scratch.values));
            let review = self.settle(draft, (setting, &values), &zone, scratch);
            scratch.values = values.leave();
            review
        })
    }

    fn read(
        &self,
        text: &str,
        (setting, values, situation): (&Setting<'_>, &Values<'_>, Situation<'_>),
        zone: &TimeZone,
        scratch: &mut Scratch,
    ) -> (Reading, Option<Edited>) {
        let public = [
            setting.practice_name,
            setting.practice_phone,
            setting.portal_url,
        ];
        let view = View::within(text, &public, &mut scratch.view);
        let rules = (&*self.policy, &*self.rules, &*self.voters);
        let seen = (setting, values, situation);
        let reading = judge::read(rules, &view, seen, zone, scratch);
        let done = reading.holds() || !reading.corrections.is_empty() || !reading.drops_any();
        let edited = if done {
            None
        } else {
            rewrite::rewrite(&self.rules, &view, &reading, (setting, situation), zone)
        };
        view.leave(&mut scratch.view);
        (reading, edited)
    }

    /// Reads and edits until a reading asks for nothing more.
    fn settle<'d>(
        &self,
        draft: &'d str,
        (setting, values): (&Setting<'d>, &Values<'_>),
        zone: &TimeZone,
        scratch: &mut Scratch,
    ) -> Review<'d> {
        let mut findings: Option<Findings> = None;
        // The first reading is of the draft as given, so that its findings point into it.
        let mut next = Cow::Borrowed(draft);
        let mut portal: Option<Cow<'d, str>> = None;
        let (mut corrected, mut put_right, mut dropped) = (false, false, false);
        let situation = self.rules.matrix.situation(setting);
        for _ in 0..ROUNDS_MAX + 2 {
            let (reading, edited) = self.read(&next, (setting, values, situation), zone, scratch);
            let (holds, drops) = (reading.holds(), reading.drops_any());
            let sounds = dropped && !put_right && reading.holds_by_sound_alone();
            let tells = (reading.patient, reading.details);
            let corrections = reading.corrections;
            let first = findings.get_or_insert(reading.findings);
            if holds {
                // What is left of a sentence may sound of something else: "your refill", of "your ADHD
                // refill". The draft as given was not held, so it goes behind the link as a whole.
                let form = || rewrite::portal_form(&self.rules, setting, situation);
                let Some(form) = sounds.then(form).flatten() else {
                    return self.held(draft, std::mem::take(first));
                };
                (dropped, portal, next) = (false, Some(Cow::Borrowed(draft)), Cow::Owned(form));
                continue;
            }
            if !corrections.is_empty() {
                next = Cow::Owned(correct(&next, corrections));
                (corrected, put_right) = (true, true);
                continue;
            }
            if drops {
                let Some(edited) = edited else { break };
                if edited.behind {
                    portal.get_or_insert_with(|| std::mem::take(&mut next));
                }
                next = Cow::Owned(edited.text);
                (corrected, dropped) = (true, true);
                continue;
            }
            let out = match &next {
                Cow::Borrowed(text) => rewrite::outgoing(text, setting),
                Cow::Owned(text) => Cow::Owned(rewrite::outgoing(text, setting).into_owned()),
            };
            if rewrite::too_long(&out, setting) {
                let Some(form) = rewrite::portal_form(&self.rules, setting, situation) else {
                    break;
                };
                portal.get_or_insert_with(|| std::mem::take(&mut next));
                next = Cow::Owned(form);
            } else if out == next {
                return self.clear(out, portal, tells, corrected, (setting, findings));
            } else {
                // Folding changed the text: what leaves must be what was read.
                next = out;
            }
        }
        self.hold(
            draft,
            "review.unsettled",
            "still changing after the last edit",
            findings.unwrap_or_default(),
        )
    }

    /// Reviews a text that is meant for behind the link, whatever it says: it is held for what may
    /// not be told anywhere, else one line points to it. Pure, and as [`Self::review`] never fails.
    pub fn behind_link<'d>(&self, body: &'d str, setting: &Setting<'d>) -> Review<'d> {
        let guarded = AssertUnwindSafe(|| self.point_to(body, setting));
        catch_unwind(guarded).unwrap_or_else(|_panic| {
            let why = "the review broke off";
            self.hold(body, "review.panic", why, Findings::new())
        })
    }

    fn point_to<'d>(&self, body: &'d str, setting: &Setting<'d>) -> Review<'d> {
        let none = Findings::new();
        let Ok(zone) = self.zones.get(setting.timezone) else {
            return self.hold(body, "review.time_zone", "unknown time zone", none);
        };
        let situation = self.rules.matrix.situation(setting);
        let Some(form) = rewrite::portal_form(&self.rules, setting, situation) else {
            return self.hold(body, "review.no_link", "no page to point to", none);
        };
        if body.trim().is_empty() || body.chars().count() > DRAFT_CHARS_MAX {
            return self.hold(body, "review.length", "empty or too long", none);
        }
        scratch::with(|scratch| {
            let values = Values::new(setting.facts, std::mem::take(&mut scratch.values));
            let (reading, _) = self.read(body, (setting, &values, situation), &zone, scratch);
            let (told, _) = self.read(&form, (setting, &values, situation), &zone, scratch);
            scratch.values = values.leave();
            if reading.holds() || told.holds() || told.drops_any() {
                return self.held(body, reading.findings);
            }
            let tells = (told.patient, told.details);
            let findings = Some(reading.findings);
            let out = Cow::Owned(rewrite::outgoing(&form, setting).into_owned());
            self.clear(
                out,
                Some(Cow::Borrowed(body)),
                tells,
                false,
                (setting, findings),
            )
        })
    }

    fn clear<'d>(
        &self,
        text: Cow<'d, str>,
        portal: Option<Cow<'d, str>>,
        (patient, details): (bool, u64),
        corrected: bool,
        (setting, findings): (&Setting<'d>, Option<Findings>),
    ) -> Review<'d> {
        let changed = corrected || portal.is_some();
        Review {
            verdict: if changed {
                Verdict::Rewrite
            } else {
                Verdict::Pass
            },
            cleared: Some(Cleared::seal(text, portal, patient, setting)),
            findings: findings.unwrap_or_default(),
            told: self.rules.accumulation.names(details),
            policy: Arc::clone(&self.digest),
        }
    }

    /// Held for what was found; a hold that only a later reading brought is told of the whole.
    fn held(&self, draft: &str, findings: Findings) -> Review<'static> {
        if findings
            .iter()
            .any(|finding| finding.action == Action::Hold)
        {
            return Review {
                verdict: Verdict::Hold,
                cleared: None,
                findings,
                told: Told::new(),
                policy: Arc::clone(&self.digest),
            };
        }
        self.hold(
            draft,
            "review.unsettled",
            "the edited text is held",
            findings,
        )
    }

    fn hold(
        &self,
        draft: &str,
        rule: &'static str,
        why: &'static str,
        mut findings: Findings,
    ) -> Review<'static> {
        findings.push(Finding {
            span: 0..draft.len(),
            category: Category::OtherUnique,
            rule: rule.into(),
            confidence: Confidence::Certain,
            action: Action::Hold,
            evidence: smallvec![Evidence {
                kind: "context",
                name: rule.into(),
            }],
            cite: why.into(),
        });
        Review {
            verdict: Verdict::Hold,
            cleared: None,
            findings,
            told: Told::new(),
            policy: Arc::clone(&self.digest),
        }
    }
}

/// Puts the record's words in their places; of overlapping ones the first counts.
fn correct(text: &str, mut corrections: Vec<(std::ops::Range<usize>, String)>) -> String {
    corrections.sort_by_key(|(span, _)| (span.start, span.end));
    let mut out = String::with_capacity(text.len() + 16);
    let mut at = 0;
    for (span, words) in corrections {
        if span.start < at {
            continue;
        }
        out.push_str(text.get(at..span.start).unwrap_or_default());
        // "for Tuesday" becomes "for Friday", and not "for on Friday".
        let leads = [" for ", " to ", " on ", " from "];
        let bare = words
            .strip_prefix("on ")
            .filter(|_| leads.iter().any(|it| out.ends_with(it)));
        out.push_str(bare.unwrap_or(&words));
        at = span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}
