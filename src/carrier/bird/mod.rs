//! Bird: SMS and WhatsApp Business by the platform API (idempotent writes, Standard Webhooks) or by
//! the Channels API of a workspace (its own signature).

mod account;
mod codes_table;
mod fake;
mod hook;
mod product;
mod rest;
pub mod signature;

use http::Method;
use jiff::Timestamp;
use reqwest::Client;
use secrecy::SecretString;
use url::Url;

pub use account::BirdAccount;
pub use codes_table::CODES;
use product::Product;

use crate::carrier::account::Advice;
use crate::carrier::codes::{ErrorClass, class_in};
use crate::carrier::exchange::FetchFault;
use crate::carrier::hear::{Call, Event, Refusal};
use crate::carrier::{Answering, Capabilities, Carrier, Keywords};
use crate::domain::message::{Attachment, Outbound, SendOutcome};
use crate::domain::phone::E164;
use crate::policy::words::Channel;

/// Most characters of one text: twelve segments of GSM-7, the platform's cap.
const TEXT_CHARS_MAX: usize = 1_836;

const HOOK_BYTES_MAX: usize = 128 * 1024;

/// A carrier that posts to one Bird account.
#[derive(Clone, Debug)]
pub struct Bird {
    http: Client,
    base: Url,
    product: Product,
    access_key: SecretString,
    signing_keys: Vec<SecretString>,
    numbers: Vec<(Channel, E164)>,
}

impl Bird {
    fn hear_call(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        if call.method != Method::POST {
            return Err(Refusal::method());
        }
        let refused = |reason| {
            Refusal::forbidden(
                reason,
                "the signature does not fit: check product, signing_keys, the public address and \
                 the clock",
            )
        };
        let keys = &self.signing_keys;
        match &self.product {
            Product::Platform => {
                let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
                let [Some(id), Some(time), Some(signature)] = headers.map(|name| call.header(name))
                else {
                    return Err(refused(scheme_of(call)));
                };
                if !signature::standard_fits(keys, id, time, call.body, signature, call.now) {
                    return Err(refused("wrong_signature"));
                }
                Ok(vec![hook::platform(call.body, call.now)?])
            }
            Product::Channels { .. } => {
                let signature = call.header("messagebird-signature");
                let time = call.header("messagebird-request-timestamp");
                let (Some(signature), Some(time)) = (signature, time) else {
                    return Err(refused(scheme_of(call)));
                };
                if !signature::channels_fits(keys, time, call.url, call.body, signature, call.now) {
                    return Err(refused("wrong_signature"));
                }
                let home = hook::Home {
                    product: &self.product,
                    numbers: &self.numbers,
                };
                Ok(vec![hook::channels(call.body, &home, call.now)?])
            }
        }
    }
}

/// Whether a webhook that lacks the right headers is signed by another product's scheme.
fn scheme_of(call: &Call<'_>) -> &'static str {
    let others = [
        "webhook-signature",
        "messagebird-signature",
        "messagebird-signature-jwt",
    ];
    if others.iter().any(|name| call.header(name).is_some()) {
        "wrong_scheme"
    } else {
        "no_signature"
    }
}

impl Carrier for Bird {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channels: self.product.channels(),
            text_max: TEXT_CHARS_MAX,
            // By WhatsApp; the platform does not tell where those of an SMS lie.
            media: true,
            media_out: false,
            window: &[Channel::Whatsapp],
            templates: &[Channel::Whatsapp],
            keywords: Keywords::CarrierReplies,
            reports: true,
            idempotent: matches!(self.product, Product::Platform),
            listing: false,
            redacts: false,
            hook_bytes_max: HOOK_BYTES_MAX,
        }
    }

    fn send<'a>(&'a self, outbound: &'a Outbound) -> Answering<'a, SendOutcome> {
        Box::pin(self.post(outbound))
    }

    fn find<'a>(
        &'a self,
        outbound: &'a Outbound,
        _since: Timestamp,
    ) -> Answering<'a, Option<Option<SendOutcome>>> {
        Box::pin(self.look_up(outbound))
    }

    fn hear(&self, call: &Call<'_>) -> Result<Vec<Event>, Refusal> {
        self.hear_call(call)
    }

    fn class_of(&self, code: &str) -> Option<ErrorClass> {
        class_in(CODES, code)
    }

    fn look<'a>(&'a self, carrier_id: &'a str) -> Answering<'a, Option<Event>> {
        Box::pin(self.state_of(carrier_id))
    }

    fn fetch<'a>(
        &'a self,
        attachment: &'a Attachment,
    ) -> Answering<'a, Result<Vec<u8>, FetchFault>> {
        Box::pin(self.fetch_media(attachment))
    }

    /// Bird has no way to delete one file: the platform keeps it for 30 days.
    fn discard<'a>(&'a self, _attachment: &'a Attachment) -> Answering<'a, bool> {
        Box::pin(std::future::ready(true))
    }

    fn examine(&self) -> Answering<'_, Vec<Advice>> {
        Box::pin(self.examine_account())
    }
}
