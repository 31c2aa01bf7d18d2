//! What Twilio itself says about the account, for `doctor`: each fault with its remedy.

use http::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::carrier::account::Advice;
use crate::carrier::exchange::read_capped;
use crate::carrier::twilio::{INBOUND_RETRIES, Twilio};
use crate::policy::words::Channel;

#[derive(Deserialize)]
struct AccountState {
    status: String,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Numbers {
    incoming_phone_numbers: Vec<Number>,
}

#[derive(Deserialize)]
struct Number {
    sms_url: Option<String>,
    sms_method: Option<String>,
}

#[derive(Deserialize)]
struct Service {
    inbound_request_url: Option<String>,
    use_inbound_webhook_on_number: Option<bool>,
    smart_encoding: Option<bool>,
}

impl Twilio {
    pub(super) async fn examine_account(&self) -> Vec<Advice> {
        let mut address = self.account.clone();
        address.set_path(&format!("{}.json", self.account.path()));
        let answer = match self.request(Method::GET, address).send().await {
            Ok(answer) => answer,
            Err(_unreachable) => {
                return vec![Advice::Bad(
                    "Twilio cannot be reached: check the network, and region and edge".to_owned(),
                )];
            }
        };
        let mut advice = Vec::new();
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return vec![Advice::Bad(
                    "Twilio refuses the credentials: account_sid and auth_tokens (or api_key_sid \
                     and api_key_secret) belong together and to the configured region (Console, \
                     Account, API keys & tokens)"
                        .to_owned(),
                )];
            }
            status => {
                return vec![Advice::Bad(format!(
                    "Twilio answers {status} for the account: see status.twilio.com"
                ))];
            }
        }
        let state = read_capped(answer).await;
        match state.and_then(|body| serde_json::from_slice::<AccountState>(&body).ok()) {
            Some(state) if state.status != "active" => advice.push(Advice::Bad(
                "the account is suspended or closed: nothing is sent; see the Console".to_owned(),
            )),
            Some(state) if state.kind.as_deref() == Some("Trial") => advice.push(Advice::Bad(
                "a trial account: it texts verified numbers only (error 21608) and covers no PHI; \
                 upgrade it and sign the BAA"
                    .to_owned(),
            )),
            Some(_) => advice.push(Advice::Good("Twilio accepts the credentials".to_owned())),
            None => advice.push(Advice::Bad(
                "Twilio's answer cannot be read: check base_url".to_owned(),
            )),
        }
        match &self.service {
            Some(service) => self.examine_service(service, &mut advice).await,
            None => self.examine_numbers(&mut advice).await,
        }
        advice
    }

    async fn examine_numbers(&self, advice: &mut Vec<Advice>) {
        for (channel, number) in &self.numbers {
            // WhatsApp senders are set up elsewhere, and not told by this list.
            if *channel == Channel::Whatsapp {
                continue;
            }
            let mut address = self.below(&["IncomingPhoneNumbers.json"]);
            address
                .query_pairs_mut()
                .append_pair("PhoneNumber", number.as_str());
            let found: Option<Numbers> = self.ask(address).await;
            let found = found.map(|it| it.incoming_phone_numbers.into_iter().next());
            let tail = number.display_us();
            match found {
                None => advice.push(Advice::Note(format!(
                    "{tail}: Twilio does not say where its texts go"
                ))),
                Some(None) => advice.push(Advice::Bad(format!(
                    "{tail} is not a number of this account: buy it there, or mend \
                     [[practice.sender]]"
                ))),
                Some(Some(it)) => advice.push(self.compare(&tail, it.sms_url, it.sms_method)),
            }
        }
    }

    async fn examine_service(&self, service: &str, advice: &mut Vec<Advice>) {
        let mut address = self.account.clone();
        // Another product of the same edge and region.
        let host = address.host_str().and_then(|host| {
            let rest = host.strip_prefix("api.")?;
            rest.ends_with("twilio.com")
                .then(|| format!("messaging.{rest}"))
        });
        if host.is_some_and(|host| address.set_host(Some(&host)).is_err()) {
            return;
        }
        address.set_path(&format!("/v1/Services/{service}"));
        let Some(found) = self.ask::<Service>(address).await else {
            advice.push(Advice::Bad(
                "messaging_service_sid is not a service of this account (Console, Messaging, \
                 Services)"
                    .to_owned(),
            ));
            return;
        };
        if found.smart_encoding == Some(true) {
            advice.push(Advice::Bad(
                "Smart Encoding is on in the Messaging Service: it turns 1½ tablets into 11/2 \
                 tablets; switch it off (Messaging, Services, Content Settings)"
                    .to_owned(),
            ));
        }
        if found.use_inbound_webhook_on_number == Some(true) {
            self.examine_numbers(advice).await;
        } else {
            advice.push(self.compare("the Messaging Service", found.inbound_request_url, None));
        }
    }

    /// Whether texts are posted to us.
    fn compare(&self, what: &str, url: Option<String>, method: Option<String>) -> Advice {
        let given = url.unwrap_or_default();
        let (address, overrides) = given.split_once('#').unwrap_or((&given, ""));
        let wanted = format!("{}#{INBOUND_RETRIES}", self.texts_url);
        if address != self.texts_url {
            return Advice::Bad(format!(
                "{what} does not post its texts here: set \"A message comes in\" to {wanted}"
            ));
        }
        if method.is_some_and(|method| method != "POST") {
            return Advice::Bad(format!(
                "{what} posts by GET, which Twilio logs: set it to HTTP POST"
            ));
        }
        if !overrides.contains("5xx") {
            return Advice::Note(format!(
                "{what}: a text that meets a 5xx is not repeated; set the webhook to {wanted}"
            ));
        }
        Advice::Good(format!("{what} posts its texts here"))
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, address: Url) -> Option<T> {
        let answer = self.request(Method::GET, address).send().await.ok()?;
        if answer.status() != StatusCode::OK {
            return None;
        }
        serde_json::from_slice(&read_capped(answer).await?).ok()
    }
}
