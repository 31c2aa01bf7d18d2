//! A provider that vouches for a practice's staff (OpenID Connect).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::secret::Secret;
use crate::domain::staff::Role;

/// A provider, as it is configured: `[practice.oidc]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcProvider {
    /// Its issuer, such as `https://login.example.com/tenant`; it publishes its addresses below that.
    pub issuer: String,
    /// What we are registered as there.
    pub client_id: String,
    /// The secret of that client; empty: a public client, which PKCE alone protects.
    #[serde(default)]
    pub client_secret: Secret,
    /// What the sign-in page calls it.
    #[serde(default = "label")]
    pub label: String,
    /// What is asked for.
    #[serde(default = "scope")]
    pub scope: String,
    /// The claim that tells the role, a word or a list of words; empty: roles are given here.
    #[serde(default)]
    pub role_claim: String,
    /// Which value of it gives which role.
    #[serde(default)]
    pub roles: BTreeMap<String, Role>,
    /// Whether an account is made at the first sign-in; else only invited addresses come in.
    #[serde(default)]
    pub jit: bool,
    /// Whether the provider asks for a second factor, so that none is asked here.
    #[serde(default)]
    pub provider_second_factor: bool,
}

fn label() -> String {
    "single sign-on".to_owned()
}

fn scope() -> String {
    "openid email profile".to_owned()
}

impl OidcProvider {
    /// Refuses what types alone cannot.
    pub fn check(&self) -> Result<(), String> {
        let url = url::Url::parse(&self.issuer).map_err(|_bad| {
            "oidc.issuer: write it as https://login.example.com/tenant".to_owned()
        })?;
        let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && here) {
            return Err(
                "oidc.issuer: it must be https; plain http is taken on this machine only"
                    .to_owned(),
            );
        }
        if self.client_id.is_empty() {
            return Err("oidc.client_id: write what this server is registered as there".to_owned());
        }
        if !self.scope.split(' ').any(|it| it == "openid") {
            return Err("oidc.scope: it must hold `openid`".to_owned());
        }
        if self.role_claim.is_empty() != self.roles.is_empty() {
            return Err(
                "oidc.role_claim and [practice.oidc.roles] belong together: set both or neither"
                    .to_owned(),
            );
        }
        if self.jit && self.role_claim.is_empty() {
            return Err("oidc.jit makes accounts by the claim that tells their role: set role_claim and roles".to_owned());
        }
        Ok(())
    }
}
