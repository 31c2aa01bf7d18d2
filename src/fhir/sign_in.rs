//! SMART Backend Services: a signed assertion for a short-lived token (HL7 SMART App Launch 2.2,
//! `client_credentials` with `private_key_jwt`, RFC 7523).

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::domain::clock::Clock;
use crate::domain::practice::FhirServer;
use crate::fhir::fault::Fault;

/// How long an assertion is good for: the standard allows five minutes at most.
const ASSERTION_LASTS: SignedDuration = SignedDuration::from_mins(4);
/// A token is renewed this long before it ends, so that it does not end on the way.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(30);
/// The life of a token whose server does not say; the standard recommends five minutes.
const UNSAID: i64 = 300;
/// The longest answer of a token endpoint that is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A key that cannot be used: what is wrong, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

/// Signs us in, and keeps the token while it is good.
pub(super) struct SignIn {
    client_id: String,
    scope: String,
    header: Header,
    key: EncodingKey,
    token_url: Option<String>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<(String, Timestamp)>>,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").finish_non_exhaustive()
    }
}

impl SignIn {
    /// As configured; none where the server wants nobody to sign in.
    pub(super) fn new(
        server: &FhirServer,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, KeyError> {
        if server.client_id.is_empty() {
            return Ok(None);
        }
        let (algorithm, key) = key(&server.private_key_file)?;
        let mut header = Header::new(algorithm);
        if !server.key_id.is_empty() {
            header.kid = Some(server.key_id.clone());
        }
        let named = Some(server.token_url.clone()).filter(|it| !it.is_empty());
        Ok(Some(Self {
            client_id: server.client_id.clone(),
            scope: server.scope.clone(),
            header,
            key,
            token_url: named,
            clock,
            kept: Mutex::new(None),
        }))
    }

    /// A token that is good now.
    pub(super) async fn token(&self, http: &reqwest::Client, base: &str) -> Result<String, Fault> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some((token, until)) = &*kept
            && now < *until
        {
            return Ok(token.clone());
        }
        let url = match &self.token_url {
            Some(url) => url.clone(),
            None => found(http, base).await?,
        };
        let (token, lasts) = self.ask(http, &url, now).await?;
        let until = now + SignedDuration::from_secs(lasts) - RENEW_BEFORE;
        *kept = Some((token.clone(), until));
        Ok(token)
    }

    /// A token that the server does not take any more is forgotten.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn ask(
        &self,
        http: &reqwest::Client,
        url: &str,
        now: Timestamp,
    ) -> Result<(String, i64), Fault> {
        let assertion = self.assertion(url, now)?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", self.scope.as_str()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &assertion),
        ];
        let answer = http.post(url).form(&form).send().await;
        let answer = answer.map_err(|error| broken(&error))?;
        let status = answer.status();
        let body = read(answer).await?;
        if !status.is_success() {
            return Err(match body.get("error").and_then(Value::as_str) {
                Some("invalid_client") => Fault::NotLetIn(
                    "invalid_client: register client_id and the public key of private_key_file with it",
                ),
                Some("invalid_scope") => {
                    Fault::NotLetIn("invalid_scope: ask its operator which scopes are granted")
                }
                _ if status.is_server_error() => Fault::Down,
                _ => Fault::NotLetIn("the token endpoint refused; check token_url and client_id"),
            });
        }
        let token = body.get("access_token").and_then(Value::as_str);
        let token = token.ok_or(Fault::NotLetIn("the token endpoint gave no access_token"))?;
        let lasts = body.get("expires_in").and_then(Value::as_i64);
        Ok((token.to_owned(), lasts.unwrap_or(UNSAID)))
    }

    fn assertion(&self, audience: &str, now: Timestamp) -> Result<String, Fault> {
        let mut id = [0; 16];
        if getrandom::fill(&mut id).is_err() {
            return Err(Fault::NotLetIn("the operating system gives no randomness"));
        }
        let claims = serde_json::json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "jti": hex::encode(id),
            "iat": now.as_second(),
            "exp": (now + ASSERTION_LASTS).as_second(),
        });
        jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map_err(|_told_better_here| Fault::NotLetIn("private_key_file cannot sign"))
    }
}

/// The signing key: RSA signs RS384, an elliptic curve ES384; the two that every server must take.
fn key(path: &Path) -> Result<(Algorithm, EncodingKey), KeyError> {
    let name = path.display();
    let pem = std::fs::read(path)
        .map_err(|error| KeyError(format!("private_key_file {name}: {error}")))?;
    if let Ok(key) = EncodingKey::from_rsa_pem(&pem) {
        return Ok((Algorithm::RS384, key));
    }
    if let Ok(key) = EncodingKey::from_ec_pem(&pem) {
        return Ok((Algorithm::ES384, key));
    }
    Err(KeyError(format!(
        "private_key_file {name}: no RSA and no P-384 key in PEM (PKCS#8); make one with `openssl \
         genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384`"
    )))
}

/// The token endpoint that the server names in its SMART configuration.
async fn found(http: &reqwest::Client, base: &str) -> Result<String, Fault> {
    let url = format!("{base}/.well-known/smart-configuration");
    let answer = http.get(url).send().await.map_err(|error| broken(&error))?;
    let none = Fault::NotLetIn("no token_endpoint in its smart-configuration; set token_url");
    if !answer.status().is_success() {
        return Err(none);
    }
    let body = read(answer).await?;
    let endpoint = body.get("token_endpoint").and_then(Value::as_str);
    endpoint.map(str::to_owned).ok_or(none)
}

async fn read(mut answer: reqwest::Response) -> Result<Value, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Fault::Unreadable(
                "a token answer that is too long".to_owned(),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}

/// An exchange that broke, without its address: that may name a patient's resource.
pub(super) fn broken(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        Fault::Slow
    } else {
        Fault::Down
    }
}
