//! The simulator: a whole carrier within this process, for trying everything without an account.
//!
//! The other side is the [fake carrier](crate::carrier::fake) as it plays Twilio. A text leaves by
//! a REST call, what phones say comes by signed webhooks, and what became of a text is what the
//! carrier reports of it. Nothing leaves the machine.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::carrier::account::{Account as _, AccountError, Advice, Site};
use crate::carrier::codes::ErrorClass;
use crate::carrier::exchange::FetchFault;
use crate::carrier::fake::Line;
use crate::carrier::hear::{Answer, Call, Event, Heard, Refusal};
use crate::carrier::twilio::account::TwilioAccount;
use crate::carrier::{Answering, Capabilities, Carrier, Keywords};
use crate::domain::message::{Attachment, Outbound, SendOutcome};
use crate::domain::phone::E164;
use crate::domain::practice::CarrierKind;
use crate::policy::words::Channel;

/// The account of the simulator with its other side: an id that no real account has.
const ACCOUNT_SID: &str = "AC00000000000000000000000000000000";

/// Largest webhook: the page takes longer texts than carriers do.
const HOOK_BYTES_MAX: usize = 256 * 1024;

/// The account by which the simulator speaks with its other side.
#[derive(Clone, Debug)]
pub struct Simulation(TwilioAccount);

impl Simulation {
    /// An account with the fake carrier at the address `base`, with a token that both know.
    pub fn new(base: &str, token: &SecretString) -> Self {
        use secrecy::ExposeSecret as _;
        Self(TwilioAccount {
            account_sid: ACCOUNT_SID.to_owned(),
            auth_tokens: vec![token.expose_secret().to_owned().into()],
            base_url: base.to_owned(),
            ..TwilioAccount::default()
        })
    }

    /// This side: the carrier of a practice.
    pub fn open(&self, site: &Site<'_>) -> Result<Arc<dyn Carrier>, AccountError> {
        let chats = site.senders().filter(|it| it.channel == Channel::Webchat);
        Ok(Arc::new(Simulator {
            line: self.0.open(site)?,
            chats: chats.map(|it| it.number.clone()).collect(),
        }))
    }

    /// The other side: the account of a practice as the fake carrier plays it.
    pub fn line(&self, site: &Site<'_>) -> Option<Line> {
        let speaks = self.0.fake(site, &self.0.base_url)?;
        let name = line_of(site);
        Some(Line { name, speaks })
    }
}

/// What the fake carrier calls the account of a practice.
fn line_of(site: &Site<'_>) -> String {
    format!("{}.{}", site.kind, site.practice.id)
}

/// The carrier of the phone page.
#[derive(Clone, Debug)]
struct Simulator {
    line: Arc<dyn Carrier>,
    /// Numbers that stand for the chat of a page, which Twilio does not carry.
    chats: Vec<E164>,
}

impl Simulator {
    fn ours(&self, mut event: Event) -> Event {
        if let Event::Text(inbound) = &mut event {
            inbound.carrier = CarrierKind::Simulator;
            if self.chats.contains(&inbound.to) {
                inbound.channel = Channel::Webchat;
            }
        }
        event
    }

    fn spoken(outbound: &Outbound) -> Outbound {
        let mut outbound = outbound.clone();
        if outbound.channel == Channel::Webchat {
            outbound.channel = Channel::Sms;
        }
        outbound
    }
}

impl Carrier for Simulator {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: Channel::ALL,
            keywords: Keywords::WeReply,
            hook_bytes_max: HOOK_BYTES_MAX,
            ..self.line.capabilities()
        }
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        Box::pin(async move { self.line.send(&Self::spoken(outbound)).await })
    }

    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        Box::pin(async move { self.line.find(&Self::spoken(outbound), since).await })
    }

    fn hear(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        let events = self.line.hear(call)?;
        Ok(events.into_iter().map(|event| self.ours(event)).collect())
    }

    fn unhear(&self, call: &Call<'_>) {
        self.line.unhear(call);
    }

    fn answer(&self, heard: Heard) -> Answer {
        self.line.answer(heard)
    }

    fn class_of(&self, code: &str) -> Option<ErrorClass> {
        self.line.class_of(code)
    }

    fn list(&self, since: Timestamp, now: Timestamp) -> Answering<'_, Option<Vec<Event>>> {
        Box::pin(async move {
            let events = self.line.list(since, now).await?;
            Some(events.into_iter().map(|event| self.ours(event)).collect())
        })
    }

    fn look<'a>(&'a self, carrier_id: &'a str) -> Answering<'a, Option<Event>> {
        self.line.look(carrier_id)
    }

    fn redact<'a>(&'a self, carrier_id: &'a str) -> Answering<'a, bool> {
        self.line.redact(carrier_id)
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
    ) -> Answering<'a, Result<Vec<u8>, FetchFault>> {
        self.line.fetch(attachment)
    }

    fn discard<'a>(&'a self, attachment: &'a Attachment) -> Answering<'a, bool> {
        self.line.discard(attachment)
    }

    fn examine(&self) -> Answering<'_, Vec<Advice>> {
        self.line.examine()
    }
}
