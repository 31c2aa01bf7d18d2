//! Single sign-on by OpenID Connect: the authorization code flow with PKCE, state and nonce
//! (OpenID Connect Core 1.0; RFC 7636; RFC 9207), for one provider of one practice.
//!
//! Nothing about an attempt is kept here: everything that binds it to the browser that began it is
//! derived from one random secret in that browser's cookie.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Mutex;
use url::Url;

use crate::domain::sign_on::OidcProvider;
use crate::domain::staff::Role;

/// One exchange with the provider: somebody waits before a page.
const PATIENCE: Duration = Duration::from_secs(8);
/// Longest answer of a provider that is read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Clocks differ by so much at most (OpenID Connect Core, section 3.1.3.7: "a small leeway").
const LEEWAY_S: u64 = 60;
/// Keys and addresses of the provider are asked for anew after so long.
const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(60);
/// The signatures that are taken; `none` and shared secrets are not among them.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why somebody is not let in by single sign-on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SsoError {
    /// The provider does not answer as a provider does.
    #[error("the sign-in provider does not answer; try again, or sign in with a password")]
    Down,
    /// The attempt is not this browser's, or too old.
    #[error("this sign-in was not begun in this browser, or took too long; begin again")]
    Stranger,
    /// The provider says no.
    #[error("the sign-in provider refused; ask whoever runs it")]
    Refused,
    /// The token is not for us, not signed by the provider, or over.
    #[error("the sign-in provider's answer could not be believed; ask whoever runs it")]
    Unbelieved,
    /// No address, or one that nobody verified: an account could be taken over by it.
    #[error("the sign-in provider gave no verified e-mail address")]
    NoAddress,
    /// No claim of the account gives a role here.
    #[error("your account there gives you no role here; ask an owner of the practice")]
    NoRole,
}

/// Who somebody is, by the provider's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Issuer and subject: what stays the same whatever the address.
    pub subject: String,
    /// The verified address, in lower case.
    pub email: String,
    /// The name; the address where there is none.
    pub name: String,
    /// The role that the claims give; none where roles are decided here.
    pub role: Option<Role>,
}

/// A provider of a practice.
#[derive(Debug)]
pub struct Provider {
    settings: OidcProvider,
    redirect: String,
    http: reqwest::Client,
    known: Mutex<Option<(Known, Timestamp)>>,
}

/// What the provider publishes.
#[derive(Clone, Debug)]
struct Known {
    document: Discovery,
    keys: JwkSet,
}

#[derive(Clone, Debug, Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What comes back with the browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// The code.
    pub code: String,
    /// The state.
    pub state: String,
    /// Who says that it answers (RFC 9207); empty where it does not say.
    pub issuer: String,
    /// What went wrong there; empty where nothing did.
    pub error: String,
}

/// A value of one attempt, from the secret in the browser's cookie.
fn derived(secret: &str, what: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(b"anteroom sso v1 ");
    digest.update(what.as_bytes());
    digest.update([0]);
    digest.update(secret.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

impl Provider {
    /// A provider as configured; `redirect` is the address that is registered there.
    pub fn new(settings: &OidcProvider, redirect: String) -> Result<Self, String> {
        settings.check()?;
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("oidc: {error}"))?;
        Ok(Self {
            settings: settings.clone(),
            redirect,
            http,
            known: Mutex::new(None),
        })
    }

    /// As configured.
    pub const fn settings(&self) -> &OidcProvider {
        &self.settings
    }

    /// Where the browser goes, for an attempt with this secret in its cookie.
    pub async fn begin(&self, secret: &str, now: Timestamp) -> Result<String, SsoError> {
        let known = self.known(now, false).await?;
        let mut url =
            Url::parse(&known.document.authorization_endpoint).map_err(|_bad| SsoError::Down)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(derived(secret, "verifier")));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.redirect)
            .append_pair("scope", &self.settings.scope)
            .append_pair("state", &derived(secret, "state"))
            .append_pair("nonce", &derived(secret, "nonce"))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Who came back, for an attempt with this secret in the browser's cookie.
    pub async fn finish(
        &self,
        secret: &str,
        returned: &Returned,
        now: Timestamp,
    ) -> Result<Identity, SsoError> {
        let state = derived(secret, "state");
        if !bool::from(state.as_bytes().ct_eq(returned.state.as_bytes())) {
            return Err(SsoError::Stranger);
        }
        let known = self.known(now, false).await?;
        let issuer = &known.document.issuer;
        let told = known
            .document
            .authorization_response_iss_parameter_supported;
        if (told || !returned.issuer.is_empty()) && returned.issuer != *issuer {
            return Err(SsoError::Unbelieved);
        }
        if !returned.error.is_empty() || returned.code.is_empty() {
            return Err(SsoError::Refused);
        }
        let token = self.exchange(&known, secret, &returned.code).await?;
        let claims = self.claims(known, &token, now).await?;
        let nonce = derived(secret, "nonce");
        let given = claims.get("nonce").and_then(Value::as_str).unwrap_or("");
        if !bool::from(nonce.as_bytes().ct_eq(given.as_bytes())) {
            return Err(SsoError::Unbelieved);
        }
        identity(&self.settings, &claims)
    }

    /// Changes the code for a token; with PKCE, so that a code that was seen on the way is of no use.
    async fn exchange(&self, known: &Known, secret: &str, code: &str) -> Result<String, SsoError> {
        let client = self.settings.client_id.as_str();
        let verifier = derived(secret, "verifier");
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let mut request = self.http.post(&known.document.token_endpoint);
        let password = self.settings.client_secret.secret().expose_secret();
        let methods = &known.document.token_endpoint_auth_methods_supported;
        let basic = methods.is_empty() || methods.iter().any(|it| it == "client_secret_basic");
        if password.is_empty() {
            form.push(("client_id", client));
        } else if basic {
            // RFC 6749, section 2.3.1: form-encoded before they are joined.
            let encoded =
                |it: &str| -> String { form_urlencoded::byte_serialize(it.as_bytes()).collect() };
            request = request.basic_auth(encoded(client), Some(encoded(password)));
        } else {
            form.push(("client_id", client));
            form.push(("client_secret", password));
        }
        let answer = request.form(&form).send().await;
        let answer = answer.map_err(|_broken| SsoError::Down)?;
        let status = answer.status();
        let body = read(answer).await?;
        if status.is_server_error() {
            return Err(SsoError::Down);
        }
        let token = body.get("id_token").and_then(Value::as_str);
        match token {
            Some(token) if status.is_success() => Ok(token.to_owned()),
            _ => Err(SsoError::Refused),
        }
    }

    /// The claims of a token that the provider signed for us, and that is not over.
    async fn claims(&self, known: Known, token: &str, now: Timestamp) -> Result<Value, SsoError> {
        let head = jsonwebtoken::decode_header(token).map_err(|_bad| SsoError::Unbelieved)?;
        if !ALGORITHMS.contains(&head.alg) {
            return Err(SsoError::Unbelieved);
        }
        let mut known = known;
        let mut key = key_of(&known.keys, head.kid.as_deref());
        if key.is_none() {
            // Its keys may have been changed since they were asked for.
            known = self.known(now, true).await?;
            key = key_of(&known.keys, head.kid.as_deref());
        }
        let key = key.ok_or(SsoError::Unbelieved)?;
        let key = DecodingKey::from_jwk(&key).map_err(|_bad| SsoError::Unbelieved)?;
        let mut wanted = Validation::new(head.alg);
        wanted.set_audience(&[&self.settings.client_id]);
        wanted.set_issuer(&[&known.document.issuer]);
        wanted.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Judged below, by the clock that everything here goes by.
        wanted.validate_exp = false;
        let decoded = jsonwebtoken::decode::<Value>(token, &key, &wanted);
        let claims = decoded.map_err(|_bad| SsoError::Unbelieved)?.claims;
        let at = |name: &str| claims.get(name).and_then(Value::as_i64);
        let leeway = i64::try_from(LEEWAY_S).unwrap_or(0);
        let over = at("exp").is_none_or(|exp| exp + leeway < now.as_second());
        let early = at("iat").is_some_and(|iat| iat - leeway > now.as_second());
        let several = claims
            .get("aud")
            .and_then(Value::as_array)
            .is_some_and(|it| it.len() > 1);
        let party = claims.get("azp").and_then(Value::as_str);
        let foreign = party.is_some_and(|it| it != self.settings.client_id);
        if over || early || foreign || (several && party.is_none()) {
            return Err(SsoError::Unbelieved);
        }
        Ok(claims)
    }

    /// What the provider publishes; asked for once an hour, and where a key is missing.
    async fn known(&self, now: Timestamp, anew: bool) -> Result<Known, SsoError> {
        let mut kept = self.known.lock().await;
        if let Some((known, until)) = &*kept
            && now < *until
            && !anew
        {
            return Ok(known.clone());
        }
        let issuer = self.settings.issuer.trim_end_matches('/');
        let url = format!("{issuer}/.well-known/openid-configuration");
        let document = self.json(&url).await?;
        let document: Discovery =
            serde_json::from_value(document).map_err(|_other| SsoError::Down)?;
        // OpenID Connect Discovery, section 4.3: it must be the very issuer that was asked.
        if document.issuer.trim_end_matches('/') != issuer {
            return Err(SsoError::Unbelieved);
        }
        let keys = self.json(&document.jwks_uri).await?;
        let keys = serde_json::from_value(keys).map_err(|_other| SsoError::Down)?;
        let known = Known { document, keys };
        let until = now.saturating_add(KNOWN_FOR).unwrap_or(now);
        *kept = Some((known.clone(), until));
        Ok(known)
    }

    async fn json(&self, url: &str) -> Result<Value, SsoError> {
        let answer = self.http.get(url).send().await;
        let answer = answer.map_err(|_broken| SsoError::Down)?;
        if !answer.status().is_success() {
            return Err(SsoError::Down);
        }
        read(answer).await
    }
}

fn key_of(keys: &JwkSet, kid: Option<&str>) -> Option<Jwk> {
    match kid {
        Some(kid) => keys.find(kid).cloned(),
        // Without a name there must be no choice.
        None => match keys.keys.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Value, SsoError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|_broken| SsoError::Down)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(SsoError::Down);
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_other| SsoError::Down)
}

/// Who the claims tell of.
fn identity(settings: &OidcProvider, claims: &Value) -> Result<Identity, SsoError> {
    let word = |name: &str| claims.get(name).and_then(Value::as_str).map(str::trim);
    let subject = word("sub").filter(|it| !it.is_empty());
    let subject = subject.ok_or(SsoError::Unbelieved)?;
    let email = word("email").filter(|it| it.contains('@'));
    let verified = claims.get("email_verified") == Some(&Value::Bool(true));
    let Some(email) = email.filter(|_| verified) else {
        return Err(SsoError::NoAddress);
    };
    let role = if settings.role_claim.is_empty() {
        None
    } else {
        let given: BTreeSet<&str> = match claims.get(&settings.role_claim) {
            Some(Value::String(one)) => BTreeSet::from([one.as_str()]),
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        };
        let named = |role: &&Role| {
            let mut pairs = settings.roles.iter();
            pairs.any(|(value, it)| it == *role && given.contains(value.as_str()))
        };
        Some(*Role::ALL.iter().find(named).ok_or(SsoError::NoRole)?)
    };
    let email = email.to_lowercase();
    Ok(Identity {
        subject: format!("{} {subject}", settings.issuer.trim_end_matches('/')),
        name: word("name")
            .filter(|it| !it.is_empty())
            .unwrap_or(&email)
            .to_owned(),
        email,
        role,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider() -> OidcProvider {
        toml::from_str(
            "issuer = \"https://id.example.com\"\nclient_id = \"a\"\nrole_claim = \"groups\"\n\
             [roles]\nclinic-owners = \"owner\"\nclinic-desk = \"front_desk\"\n",
        )
        .unwrap()
    }

    #[test]
    fn claims_give_the_strongest_role_that_they_name_and_none_that_they_do_not() {
        let person = |groups: Value| json!({ "sub": "7", "email": "Dana@Example.com", "email_verified": true, "groups": groups });
        for (groups, role) in [
            (json!("clinic-desk"), Ok(Role::FrontDesk)),
            (
                json!(["x", "clinic-desk", "clinic-owners"]),
                Ok(Role::Owner),
            ),
            (json!(["Clinic-Owners"]), Err(SsoError::NoRole)),
            (json!([]), Err(SsoError::NoRole)),
            (json!({ "clinic-owners": true }), Err(SsoError::NoRole)),
            (Value::Null, Err(SsoError::NoRole)),
        ] {
            let found = identity(&provider(), &person(groups.clone()));
            assert_eq!(found.map(|it| it.role.unwrap()), role, "{groups}");
        }
        let found = identity(&provider(), &person(json!("clinic-desk"))).unwrap();
        assert_eq!(found.email, "dana@example.com");
        assert_eq!(found.subject, "https://id.example.com 7");
    }

    #[test]
    fn an_address_that_nobody_verified_opens_no_account() {
        for verified in [Value::Null, json!(false), json!("true"), json!(1)] {
            let claims = json!({ "sub": "7", "email": "dana@example.com", "email_verified": verified, "groups": "clinic-desk" });
            assert_eq!(
                identity(&provider(), &claims),
                Err(SsoError::NoAddress),
                "{verified}"
            );
        }
    }

    #[test]
    fn what_binds_an_attempt_to_its_browser_differs_for_each() {
        let values: BTreeSet<String> = ["state", "nonce", "verifier"]
            .iter()
            .flat_map(|what| ["one", "two"].map(|secret| derived(secret, what)))
            .collect();
        assert_eq!(values.len(), 6);
        // RFC 7636, section 4.1.
        assert!(values.iter().all(|it| (43..=128).contains(&it.len())));
    }
}
