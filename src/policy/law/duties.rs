//! What all rules that apply come to: one set of duties, each with the rules that made it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::policy::law::duty::{
    AiDuty, AuthorizationDuty, BlockDuty, CapDuty, ClockDuty, ConsentDuty, DisclosureDuty,
    HouseDuty, KeepDuty, Moments, OptOutDuty, ResidencyDuty, RouteDuty, SurfaceDuty, Week,
    join_fields,
};
use crate::policy::law::file::LawRule;
use crate::policy::law::join::{Allowed, Flag, Ids, Join, Least, Most, Reach};
use crate::policy::law::params::{self, Params, Term};
use crate::policy::law::terms::{
    Class, ClockOf, ConsentName, Content, Element, Event, From, Instead, MessageClass, Surface,
    Writer,
};

/// All duties of one setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each field carries the struct of its kind, which says it"
)]
pub struct Duties {
    /// Every rule that applies.
    pub rules: Ids,
    pub consents: BTreeMap<ConsentName, ConsentDuty>,
    pub opt_out: OptOutDuty,
    pub windows: BTreeMap<(MessageClass, ClockOf), Week>,
    pub caps: BTreeSet<CapDuty>,
    pub blocks: BTreeMap<(Surface, Class), BlockDuty>,
    pub surfaces: BTreeMap<Surface, SurfaceDuty>,
    pub ai: AiDuty,
    pub disclosures: BTreeMap<(Element, Content), DisclosureDuty>,
    /// Phrases by which somebody asks who writes.
    pub asked: BTreeSet<String>,
    /// By class of information; none for all of it.
    pub authorizations: BTreeMap<Option<Class>, AuthorizationDuty>,
    pub clocks: BTreeSet<ClockDuty>,
    pub keep: BTreeMap<Term, KeepDuty>,
    pub residency: BTreeMap<Term, ResidencyDuty>,
    pub routes: BTreeMap<Term, RouteDuty>,
    pub house: HouseDuty,
}
join_fields!(Duties {
    rules,
    consents,
    opt_out,
    windows,
    caps,
    blocks,
    surfaces,
    ai,
    disclosures,
    asked,
    authorizations,
    clocks,
    keep,
    residency,
    routes,
    house,
});

impl Duties {
    /// The duties of one rule alone.
    pub fn of(rule: &LawRule) -> Self {
        let by = || Ids::from([Arc::clone(&rule.id)]);
        let mut duties = Self {
            rules: by(),
            ..Self::default()
        };
        match &rule.params {
            Params::Consent(it) => {
                duties.consents.insert(it.consent, consent(it, by()));
            }
            Params::OptOut(it) => duties.opt_out = opt_out(it, by()),
            Params::OptOutScope(it) => {
                duties.opt_out.scope = Most(Some(it.scope));
                duties.opt_out.by = by();
            }
            Params::SendWindow(it) => {
                for class in &it.applies_to {
                    duties
                        .windows
                        .insert((*class, it.clock), Week::of(it, by()));
                }
            }
            Params::FrequencyCap(it) => {
                duties
                    .caps
                    .extend(it.applies_to.iter().map(|class| CapDuty {
                        class: *class,
                        key: it.key.clone(),
                        per_hours: it.per_hours,
                        max: it.max,
                        by: Arc::clone(&rule.id),
                    }));
            }
            Params::ContentBlock(it) => duties.block(it, &by()),
            Params::ProhibitAi(it) => {
                duties.ai = ban(it, &by());
            }
            Params::Disclosure(it) => {
                duties.asked.extend(it.asked.iter().cloned());
                let duty = disclosure(it, by());
                let all = it.content.is_empty();
                for content in if all { Content::ALL } else { &it.content } {
                    duties
                        .disclosures
                        .insert((it.element, *content), duty.clone());
                }
            }
            Params::Authorization(_)
            | Params::Deadline(_)
            | Params::Retention(_)
            | Params::DataResidency(_)
            | Params::Route(_)
            | Params::Language(_)
            | Params::Workforce(_)
            | Params::Status(_)
            | Params::Exemption(_) => duties.papers(rule),
        }
        duties
    }

    /// The duties about papers, clocks and the house.
    fn papers(&mut self, rule: &LawRule) {
        let by = || Ids::from([Arc::clone(&rule.id)]);
        match &rule.params {
            Params::Authorization(it) => {
                let duty = authorization(it, by());
                if it.about.is_empty() {
                    self.authorizations.insert(None, duty.clone());
                }
                for class in &it.about {
                    self.authorizations.insert(Some(*class), duty.clone());
                }
            }
            Params::Deadline(it) => {
                self.clocks.insert(clock(it, Arc::clone(&rule.id)));
            }
            Params::Retention(it) => {
                let duty = KeepDuty {
                    years: Most(Some(it.years)),
                    from: it.from.iter().cloned().collect(),
                    minor_until_age: Most(it.minor_until_age),
                    by: by(),
                };
                for record in &it.record {
                    self.keep.insert(record.clone(), duty.clone());
                }
            }
            Params::DataResidency(it) => {
                let duty = ResidencyDuty {
                    countries: Allowed::only(&it.countries),
                    by: by(),
                };
                for data in &it.applies_to {
                    self.residency.insert(data.clone(), duty.clone());
                }
            }
            Params::Route(it) => {
                for (topic, text) in &it.topics {
                    let duty = RouteDuty {
                        texts: BTreeSet::from([text.clone()]),
                        page_staff: Flag(it.page_staff),
                        by: by(),
                    };
                    self.routes.insert(topic.clone(), duty);
                }
            }
            Params::Language(_)
            | Params::Workforce(_)
            | Params::Status(_)
            | Params::Exemption(_) => {
                self.house = house(&rule.params, by());
            }
            Params::Consent(_)
            | Params::OptOut(_)
            | Params::OptOutScope(_)
            | Params::SendWindow(_)
            | Params::FrequencyCap(_)
            | Params::ContentBlock(_)
            | Params::ProhibitAi(_)
            | Params::Disclosure(_) => {}
        }
    }

    fn block(&mut self, it: &params::ContentBlock, by: &Ids) {
        let any = it.channel.contains(&Surface::Any);
        let surfaces = if any { Surface::ALL } else { &it.channel };
        for surface in surfaces.iter().filter(|it| **it != Surface::Any) {
            for class in &it.never {
                let duty = BlockDuty {
                    authors: Reach::of(&it.author),
                    instead: Most(Some(it.instead.unwrap_or(Instead::SecureLink))),
                    lexicon: it.lexicon.iter().cloned().collect(),
                    by: by.clone(),
                };
                self.blocks.insert((*surface, *class), duty);
            }
            let tasks = it.allow_by_task.iter();
            let minors = it.minor_controls.iter();
            let duty = SurfaceDuty {
                never_to: it.never_to.iter().cloned().collect(),
                tasks: tasks
                    .map(|(task, fields)| (task.clone(), Allowed::only(fields)))
                    .collect(),
                attach: it.attach_on_disclosure.iter().cloned().collect(),
                minor_controls: minors
                    .map(|(part, age)| (part.clone(), Least(Some(*age))))
                    .collect(),
                by: by.clone(),
            };
            self.surfaces.insert(*surface, duty);
        }
    }

    /// What is blocked on a channel when this author writes.
    pub fn blocked(&self, surface: Surface, class: Class, author: Writer) -> Option<&BlockDuty> {
        let duty = self.blocks.get(&(surface, class))?;
        duty.authors.reaches(&author).then_some(duty)
    }
}

fn consent(it: &params::Consent, by: Ids) -> ConsentDuty {
    ConsentDuty {
        elements: it.elements.iter().cloned().collect(),
        proof: it.proof.iter().cloned().collect(),
        revoked_by: it.revoked_by.iter().cloned().collect(),
        satisfied_by: Allowed::said(&it.satisfied_by),
        affirm: Allowed::said(&it.affirm),
        exempt: Allowed::only(&it.exempt),
        protects: Reach::of(&it.applies_to),
        expires_days: Least(it.expires_days),
        on_missing: Most(Some(it.on_missing)),
        forms: it.form.iter().cloned().collect(),
        texts: it.text_id.iter().cloned().collect(),
        by,
    }
}

fn opt_out(it: &params::OptOut, by: Ids) -> OptOutDuty {
    let confirm = it.confirm.as_ref();
    OptOutDuty {
        keywords: it.keywords.iter().cloned().collect(),
        keywords_es: it.keywords_es.iter().cloned().collect(),
        free_text: Flag(it.free_text),
        act_within_seconds: Least(it.act_within_seconds),
        law_deadline: it.law_deadline.iter().copied().collect(),
        confirm_max: Least(confirm.map(|confirm| confirm.max)),
        confirm_within_seconds: Least(confirm.map(|confirm| confirm.within_seconds)),
        confirm_texts: confirm
            .map(|confirm| confirm.text_id.clone())
            .into_iter()
            .collect(),
        honored_years: Most(it.honored_years),
        scope: Most(None),
        by,
    }
}

fn disclosure(it: &params::Disclosure, by: Ids) -> DisclosureDuty {
    let adult = Moments::of(&it.when);
    let minor = if it.when_minor.is_empty() {
        adult.clone()
    } else {
        Moments::of(&it.when_minor)
    };
    DisclosureDuty {
        adult,
        minor,
        session_gap_hours: Least(it.session_gap_hours),
        texts: it.text_id.iter().cloned().collect(),
        exempt: Allowed::only(&it.exempt_if),
        exempt_needs: it.exempt_needs_record.iter().cloned().collect(),
        deny_human_claim: Flag(it.deny_human_claim),
        record: it.record.iter().cloned().collect(),
        publish: it.publish.iter().cloned().collect(),
        by,
    }
}

fn authorization(it: &params::Authorization, by: Ids) -> AuthorizationDuty {
    AuthorizationDuty {
        channels: Allowed::said(&it.channels_allowed),
        elements: it.elements.iter().cloned().collect(),
        min_point_size: Most(it.min_point_size),
        separate: Flag(it.separate_page_block),
        sole_purpose: Flag(it.signature_sole_purpose),
        max_validity_days: Least(it.max_validity_days),
        minor_signs_from: Least(it.minor_signs_from),
        notice: it.notice.iter().cloned().collect(),
        per_disclosure: Flag(it.per_disclosure),
        exempt: Allowed::only(&it.exempt),
        forms: it.form.iter().cloned().collect(),
        attach: it.attach_on_disclosure.iter().cloned().collect(),
        by,
    }
}

fn clock(it: &params::Deadline, by: Arc<str>) -> ClockDuty {
    let usual = match it.event {
        Event::Breach => From::Discovered,
        Event::AccessRequest
        | Event::AmendmentRequest
        | Event::AccountingRequest
        | Event::HumanReviewRequest
        | Event::DeletionRequest => From::Requested,
    };
    ClockDuty {
        by,
        event: it.event,
        recipient: it.recipient,
        threshold: it.threshold.unwrap_or(1),
        n: it.n,
        unit: it.unit,
        from: it.from.unwrap_or(usual),
        extension: it.extension.clone(),
        inspect: it.inspect,
    }
}

fn house(params: &Params, by: Ids) -> HouseDuty {
    let mut house = HouseDuty {
        by,
        ..HouseDuty::default()
    };
    if let Params::Language(it) = params {
        house.approved_only = it.approved_texts_only_for.iter().cloned().collect();
        house.free_languages = Allowed::said(&it.free_text_languages);
    }
    if let Params::Workforce(it) = params {
        house.trained_within_days = Least(Some(it.within_days));
        house.training_record_years = Most(Some(it.record_years));
    }
    if let Params::Status(it) = params {
        house.vendor_is = it.vendor_is.iter().cloned().collect();
        house.duties = it.duties.iter().cloned().collect();
    }
    if let Params::Exemption(it) = params {
        house.exemption_off = Flag(!it.enabled);
    }
    house
}

fn ban(it: &params::ProhibitAi, by: &Ids) -> AiDuty {
    AiDuty {
        acts: it.acts.iter().map(|act| (*act, by.clone())).collect(),
        allow: Allowed::said(&it.allow),
        logistics: Most(it.logistics_mode),
        safety_screen: it.safety_screen.iter().cloned().collect(),
        penalty_max_usd: Most(it.penalty_max_usd),
        by: by.clone(),
    }
}
