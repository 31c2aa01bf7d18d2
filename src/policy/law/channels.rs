//! What a carrier, a product and a type of number may carry, and the agreements that it takes.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::policy::PolicyError;
use crate::policy::law::file::Day;
use crate::policy::law::params::Term;
use crate::policy::law::terms::{Basis, Confidence};
use crate::policy::rules::line_of;
use crate::policy::words::{Channel, vocabulary};

vocabulary! {
    /// How much a channel may carry, least first.
    Carries, "carries" {
        /// Not a text.
        Nothing = "nothing",
        /// Texts without a word about the patient.
        Logistics = "logistics",
        /// Health information, under the agreements that are needed.
        Phi = "phi",
    }
}

vocabulary! {
    /// What kind of number texts leave from.
    NumberType, "number type" {
        /// An ordinary ten-digit number.
        LongCode = "long_code",
        /// A toll-free number.
        TollFree = "toll_free",
        /// Five or six digits.
        ShortCode = "short_code",
    }
}

/// The product of a paper that is the practice's own: its officer's signed review of a vendor's terms,
/// where the vendor signs nothing.
pub const TERMS_REVIEW: &str = "terms-review";

/// An agreement, by its parties.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// The vendor.
    pub counterparty: String,
    /// The product that it must cover.
    pub product: String,
}

impl std::fmt::Display for Paper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (who, what) = (&self.counterparty, &self.product);
        if what == TERMS_REVIEW {
            write!(f, "signed review of the terms of {who} ({what})")
        } else {
            write!(f, "executed agreement with {who} ({what})")
        }
    }
}

/// One row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRule {
    /// Its id.
    pub id: Arc<str>,
    /// Who carries.
    pub carrier: String,
    /// As what.
    pub product: Term,
    /// What kinds of texts.
    pub channel: Vec<Channel>,
    /// From what kinds of numbers; none means any.
    pub number_type: Vec<NumberType>,
    /// How much.
    pub carries: Carries,
    /// Under which agreements.
    pub needs: Vec<Paper>,
    /// In a sentence.
    pub summary: String,
    /// Where it comes from.
    pub basis: Basis,
    /// The source.
    pub cite: String,
    /// How well it was checked.
    pub confidence: Confidence,
    /// When somebody looked.
    pub last_reviewed: Date,
}

/// Where a model runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelHost {
    /// The end of its host name.
    pub host: String,
    /// Who runs it.
    pub counterparty: String,
    /// As what.
    pub product: String,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    /// The rows.
    pub rules: Vec<ChannelRule>,
    /// The models.
    pub models: Vec<ModelHost>,
}

/// What one channel may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carriage {
    /// How much at most.
    pub carries: Carries,
    /// Under which agreements.
    pub needs: Vec<Paper>,
    /// The rows that decided.
    pub rules: Vec<Arc<str>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    schema: u32,
    #[serde(rename = "last_reviewed")]
    _last_reviewed: Day,
    #[serde(rename = "reviewed_by")]
    _reviewed_by: String,
    channel: Vec<Spanned<RawRule>>,
    #[serde(default)]
    model: Vec<ModelHost>,
}

impl RawRule {
    /// Whether nobody but the practice's own server and the reader has the text: there is no other
    /// party to agree with. The simulator's patients are invented; a chat page is served by the
    /// practice itself, and carries nothing else than chats.
    fn stays_within(&self) -> bool {
        self.carrier == "simulator" || (self.carrier == "web" && self.channel == [Channel::Webchat])
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    carrier: String,
    product: String,
    channel: Vec<Channel>,
    #[serde(default)]
    number_type: Vec<NumberType>,
    carries: Carries,
    needs: Vec<Paper>,
    summary: String,
    basis: Basis,
    cite: String,
    last_reviewed: Day,
    confidence: Confidence,
}

impl Channels {
    /// Reads the file.
    pub fn read(file: &str, text: &str) -> Result<Self, PolicyError> {
        let raw: RawFile = toml::from_str(text).map_err(|error| {
            let line = line_of(text, error.span().map_or(0, |span| span.start));
            let remedy = "a [[channel]] has id, carrier, product, channel, number_type, carries, \
                          needs, summary, basis, cite, last_reviewed, confidence";
            PolicyError::at(file, line, "channel", error.message(), remedy)
        })?;
        if raw.schema != 1 {
            let remedy = "write schema = 1";
            return Err(PolicyError::at(
                file,
                1,
                "schema",
                "this version reads schema 1",
                remedy,
            ));
        }
        let mut channels = Self {
            rules: Vec::new(),
            models: raw.model,
        };
        for spanned in raw.channel {
            let line = line_of(text, spanned.span().start);
            let raw = spanned.into_inner();
            let refuse = |message: &str, remedy: &str| {
                Err(PolicyError::at(file, line, &raw.id, message, remedy))
            };
            if raw.cite.trim().is_empty() || raw.summary.trim().is_empty() {
                return refuse("it has no citation or summary", "name the page, and say it");
            }
            if raw.channel.is_empty() {
                return refuse("it names no channel", "write channel = [\"sms\"]");
            }
            if channels.rules.iter().any(|other| *other.id == *raw.id) {
                return refuse("the id is taken", "give each row its own id");
            }
            if raw.carries == Carries::Phi && raw.needs.is_empty() && !raw.stays_within() {
                let remedy = "name the agreement in `needs` (45 CFR 164.502(e))";
                return refuse("it carries PHI without an agreement", remedy);
            }
            let product = raw.product.replace('-', "_");
            let Ok(product) = Term::try_from(product) else {
                return refuse("the product is malformed", "write it in lower-case letters");
            };
            channels.rules.push(ChannelRule {
                id: raw.id.into(),
                carrier: raw.carrier,
                product,
                channel: raw.channel,
                number_type: raw.number_type,
                carries: raw.carries,
                needs: raw.needs,
                summary: raw.summary,
                basis: raw.basis,
                cite: raw.cite,
                confidence: raw.confidence,
                last_reviewed: raw.last_reviewed.0,
            });
        }
        Ok(channels)
    }

    /// What a carrier may carry from a number: the strictest of the rows that fit, and the
    /// agreements of all of them. What no row fits carries nothing about a patient.
    pub fn carriage(
        &self,
        carrier: &str,
        channel: Channel,
        number_type: Option<NumberType>,
    ) -> Carriage {
        let fits = |rule: &&ChannelRule| {
            rule.carrier == carrier
                && rule.channel.contains(&channel)
                && (rule.number_type.is_empty()
                    || number_type.is_none_or(|it| rule.number_type.contains(&it)))
        };
        let mut carriage = Carriage {
            carries: Carries::Phi,
            needs: Vec::new(),
            rules: Vec::new(),
        };
        for rule in self.rules.iter().filter(fits) {
            carriage.carries = carriage.carries.min(rule.carries);
            carriage.needs.extend(rule.needs.iter().cloned());
            carriage.rules.push(Arc::clone(&rule.id));
        }
        if carriage.rules.is_empty() {
            carriage.carries = Carries::Logistics;
        }
        carriage.needs.sort();
        carriage.needs.dedup();
        carriage
    }

    /// The agreement that a model at this host takes; none for a host of one's own.
    pub fn model_paper(&self, host: &str) -> Option<Paper> {
        if is_own(host) {
            return None;
        }
        let named = self.models.iter().find(|it| {
            host == it.host
                || host
                    .strip_suffix(&it.host)
                    .is_some_and(|front| front.ends_with('.'))
        });
        Some(named.map_or_else(
            || Paper {
                counterparty: host.to_owned(),
                product: "model".to_owned(),
            },
            |it| Paper {
                counterparty: it.counterparty.clone(),
                product: it.product.clone(),
            },
        ))
    }

    /// Whether this file asks for at least what another asks for: rows of the other are here, carry
    /// no more, and need no less.
    pub(crate) fn keeps(&self, built_in: &Self, file: &str) -> Result<(), PolicyError> {
        for rule in &built_in.rules {
            let own = self.rules.iter().find(|it| it.id == rule.id);
            let kept = own.is_some_and(|own| {
                own.carrier == rule.carrier
                    && own.carries <= rule.carries
                    && rule.channel.iter().all(|it| own.channel.contains(it))
                    && (own.number_type.is_empty()
                        || (!rule.number_type.is_empty()
                            && rule
                                .number_type
                                .iter()
                                .all(|it| own.number_type.contains(it))))
                    && (own.carries < Carries::Phi
                        || rule.needs.iter().all(|it| own.needs.contains(it)))
            });
            if !kept {
                let remedy = "keep the built-in row as it is, and add rows that ask for more";
                let message = "the row is left out or asks for less than the built-in one";
                return Err(PolicyError::at(file, 1, &rule.id, message, remedy));
            }
        }
        Ok(())
    }
}

/// Whether a host is this machine or in a network that is not reachable from outside.
fn is_own(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(it)) => it.is_loopback() || it.is_private() || it.is_link_local(),
        Ok(std::net::IpAddr::V6(it)) => it.is_loopback() || it.is_unique_local(),
        Err(_) => false,
    }
}
