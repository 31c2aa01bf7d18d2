//! The window: WhatsApp lets a practice write freely for 24 hours after the patient's last message.
//! Outside it a text is refused here, before a carrier refuses it later, and goes as an approved
//! template or by SMS where the practice sets so, else to staff.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::domain::conversation::{Conversation, OutboxRow};
use crate::domain::message::{Outbound, OutboundKind, Template};
use crate::domain::phi::Phi;
use crate::domain::practice::{OutsideWindow, Practice, Sender, TemplateText, TemplateValue};
use crate::guardrail::rewrite::Cleared;
use crate::guardrail::setting::{self, Author, Consent, Relation, Setting};
use crate::pipeline::dispatch::{Bar, outbound};
use crate::pipeline::house::House;
use crate::pipeline::law::Governed;
use crate::pipeline::outcome::about;
use crate::policy::law::join::Ids;
use crate::policy::words::{Channel, Jurisdiction, Language, Purpose};
use crate::store::StoreError;

/// How long after the patient's last message free text may be sent.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// How a text may go.
#[derive(Debug)]
pub(crate) enum Way<'a> {
    /// As it stands.
    Free,
    /// Not at all; this approved template goes in its place.
    Template(Language, &'a TemplateText),
    /// By SMS, from this number.
    Sms(&'a Sender),
    /// Not at all.
    Closed,
}

/// How a text may go at this instant.
pub(crate) fn way<'a>(
    house: &House,
    row: &OutboxRow,
    conversation: &Conversation,
    practice: &'a Practice,
    now: Timestamp,
) -> Way<'a> {
    let windowed = house
        .carrier_of(conversation)
        .is_some_and(|it| it.capabilities().window.contains(&conversation.channel));
    let open = conversation
        .last_inbound
        .is_some_and(|at| now.duration_since(at) < WINDOW);
    if !windowed || open || row.template.is_some() {
        return Way::Free;
    }
    let sender = practice.sender_by(
        conversation.carrier,
        conversation.channel,
        &conversation.sender,
    );
    let Some(sender) = sender else {
        return Way::Closed;
    };
    match sender.outside_window {
        OutsideWindow::Hold => Way::Closed,
        OutsideWindow::Template => sender
            .templates
            .get_key_value(&conversation.language)
            .or_else(|| sender.templates.iter().next())
            .map_or(Way::Closed, |(language, it)| Way::Template(*language, it)),
        // Consent to health details is given for a channel, and not for this one.
        OutsideWindow::Sms if row.phi => Way::Closed,
        OutsideWindow::Sms => practice
            .senders
            .iter()
            .find(|it| it.carrier == conversation.carrier && it.channel == Channel::Sms)
            .map_or(Way::Closed, Way::Sms),
    }
}

/// The text as it goes by SMS from this number.
pub(crate) fn by_sms(row: &OutboxRow, conversation: &Conversation, sender: &Sender) -> Outbound {
    Outbound {
        channel: Channel::Sms,
        from: sender.number.clone(),
        ..outbound(row, conversation)
    }
}

impl TemplateText {
    /// The template with its places filled, and what the patient will read.
    fn fill(&self, practice: &Practice, language: Language) -> (Template, String) {
        let value = |value: TemplateValue| match value {
            TemplateValue::PracticeName => practice.said_name(language).to_owned(),
            TemplateValue::PracticePhone => practice.phone.display_us(),
        };
        let variables: BTreeMap<String, String> = self
            .variables
            .iter()
            .map(|(name, it)| (name.clone(), value(*it)))
            .collect();
        let text = variables
            .iter()
            .fold(self.text.clone(), |text, (name, value)| {
                text.replace(&format!("{{{{{name}}}}}"), value)
            });
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name, Phi::new(value)))
            .collect();
        let locale = match self.locale.as_str() {
            "" => language.as_str(),
            told => told,
        };
        let template = Template {
            id: self.id.clone(),
            locale: locale.to_owned(),
            variables,
        };
        (template, text)
    }
}

impl House {
    /// Leaves a text to staff and lets the approved template go in its place, once for each time
    /// that the window is closed.
    pub(crate) async fn send_template(
        &self,
        row: OutboxRow,
        conversation: &Conversation,
        practice: &Practice,
        (language, template): (Language, &TemplateText),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (template, text) = template.fill(practice, language);
        let residence = row.law.state.unwrap_or(Jurisdiction::UNKNOWN);
        let law = self.governed_in(conversation, practice, residence, now);
        let Some(cleared) = self.clear_template(conversation, practice, &text, &law, now) else {
            return self.withdraw(row, Bar::Window, now).await;
        };
        metrics::counter!("anteroom_withdrawn_total", "bar" => Bar::Window.as_str()).increment(1);
        let since = conversation.last_inbound.unwrap_or(Timestamp::MIN);
        let tag = law.tag(OutboundKind::Initiated, &Ids::new());
        let work = Arc::new((row, template, cleared, tag));
        let sent = self
            .store()
            .write(move |tx| {
                let work = Arc::clone(&work);
                Box::pin(async move {
                    let (row, template, cleared, tag) = &*work;
                    if !tx.withdraw(row, now).await? {
                        return Ok(false);
                    }
                    let held = tx.lock_conversation(row.conversation).await?;
                    let conversation =
                        held.ok_or(StoreError::NoConversation(row.conversation.0))?;
                    let reason = "withdrawn: WhatsApp's window is closed; a template asks the \
                                  patient to write";
                    let none = Phi::default();
                    tx.hold(&conversation, &row.body, &none, reason, now)
                        .await?;
                    let mut outbox = None;
                    if !tx.template_since(row.conversation, since).await? {
                        let kind = OutboundKind::Initiated;
                        let id = tx
                            .enqueue(&conversation, cleared, kind, (None, tag), now)
                            .await?;
                        tx.set_template(&row.practice, id, template).await?;
                        outbox = Some(id.0);
                    }
                    let detail = serde_json::json!({
                        "outbox": row.id.0, "bar": Bar::Window.as_str(), "held": true,
                        "template": template.id, "template_outbox": outbox,
                    });
                    let entry = about(row, now, "message.withdrawn", &detail);
                    tx.append_audit(&entry).await?;
                    Ok(outbox.is_some())
                })
            })
            .await?;
        if sent {
            self.outbox.notify_one();
        }
        Ok(())
    }

    /// A template passes the same door as every text.
    fn clear_template(
        &self,
        conversation: &Conversation,
        practice: &Practice,
        text: &str,
        law: &Governed,
        now: Timestamp,
    ) -> Option<Cleared<'static>> {
        let public = Self::public_facts(practice, &self.parts.public_url);
        let facts: Vec<setting::Fact<'_>> = public
            .iter()
            .map(|(field, value)| setting::Fact { field, value })
            .collect();
        let phone = practice.phone.display_us();
        let setting = Setting {
            practice_name: &practice.name,
            practice_phone: &phone,
            practice_type: &practice.kind,
            portal_url: &practice.portal_url,
            channel: conversation.channel,
            consent: Consent::None,
            state: Jurisdiction::UNKNOWN,
            language: conversation.language,
            timezone: &practice.timezone,
            now,
            purpose: Purpose::General,
            relation: Relation::Unknown,
            author: Author::Approved,
            facts: &facts,
            // The same words to everybody: nothing that was told before adds up with them.
            told: &[],
            covered: false,
        };
        let review = law.judge.guardrail.review(text, &setting).into_owned();
        // What Meta approved is sent word for word, or not at all.
        review.cleared.filter(|cleared| cleared.text() == text)
    }
}
