//! Mail: one relay that takes e-mail by SMTP over TLS (RFC 5321; RFC 3207 STARTTLS, RFC 8314 implicit
//! TLS), never without, and what a bounce (RFC 3464) says.
//!
//! What is mailed is a notice without health information; its subject, sender and words say no more than
//! a practice's name. The relay still learns a patient's address, so it needs an agreement of its own.

use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::phi::Phi;
use crate::policy::words::vocabulary;

/// Longest address (RFC 5321, section 4.5.3.1.3, less the brackets).
const ADDRESS_BYTES_MAX: usize = 254;
/// What a Message-ID of ours begins with.
const OURS: &str = "anteroom-";
/// Most of a bounce that is read; a relay sends the head of what came back, seldom all of it.
pub const BOUNCE_BYTES_MAX: usize = 256 * 1024;

vocabulary! {
    /// How the line to the relay is made secret.
    Secrecy, "tls" {
        /// `STARTTLS` on the submission port, required (RFC 3207); port 587.
        Starttls = "starttls",
        /// TLS from the first byte (RFC 8314, section 3.3); port 465.
        Implicit = "implicit",
    }
}

/// Where mail is handed over.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The relay's name, as its certificate has it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is made secret.
    pub tls: Secrecy,
    /// What it knows us by; empty: it asks for nothing.
    pub username: String,
    /// The password.
    pub password: SecretString,
    /// The address that mail comes from.
    pub from: String,
    /// Where bounces go; empty: to `from`.
    pub bounces_to: String,
    /// A certificate authority of one's own, PEM; none: those that browsers trust.
    pub ca: Option<Vec<u8>>,
    /// Patience with one exchange.
    pub timeout: Duration,
}

/// A relay that cannot be used, with the key and the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRelay {
    /// Not an address.
    #[error("mail.from: write an e-mail address, such as no-reply@lakeside.example.com")]
    From,
    /// Not an address.
    #[error("mail.bounces_to: write an e-mail address, or leave it empty for `from`")]
    BouncesTo,
    /// Not a certificate.
    #[error("mail.ca_file: not a certificate in PEM (-----BEGIN CERTIFICATE-----)")]
    Ca,
    /// A name that no certificate can have.
    #[error("mail.relay: write the host alone, such as smtp.example.com")]
    Host,
}

/// One e-mail.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Which one, for its Message-ID: the same when it is sent again, so that a mailbox shows it once.
    pub id: [u8; 16],
    /// Who writes, as people read it.
    pub sender: String,
    /// To whom.
    pub to: Phi<String>,
    /// What it is about. Tells nothing of a patient.
    pub subject: String,
    /// The words. Tell nothing of a patient.
    pub text: String,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// The relay has it.
    Taken,
    /// The mailbox does not exist or takes nothing: trying again is no use. With the code.
    Refused(String),
    /// Not now; with the code, or a word for what is wrong.
    Later(String),
}

/// The relay.
#[derive(Clone, Debug)]
pub struct Relay {
    line: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    from: Address,
    bounces_to: Address,
}

/// Tells mailers not to answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Relay {
    /// The relay of these settings; nothing is asked of it yet.
    pub fn new(settings: &Settings) -> Result<Self, BadRelay> {
        let from: Address = settings.from.parse().map_err(|_detail| BadRelay::From)?;
        let bounces_to = match settings.bounces_to.as_str() {
            "" => from.clone(),
            address => address.parse().map_err(|_detail| BadRelay::BouncesTo)?,
        };
        let mut tls = TlsParameters::builder(settings.host.clone());
        if let Some(ca) = &settings.ca {
            let ca = Certificate::from_pem(ca).map_err(|_detail| BadRelay::Ca)?;
            tls = tls.add_root_certificate(ca);
        }
        let tls = tls.build_rustls().map_err(|_detail| BadRelay::Host)?;
        let mut line = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(match settings.tls {
                Secrecy::Starttls => Tls::Required(tls),
                Secrecy::Implicit => Tls::Wrapper(tls),
            })
            // The machine's own name is nobody's business.
            .hello_name(ClientId::Domain(from.domain().to_owned()))
            .timeout(Some(settings.timeout));
        if !settings.username.is_empty() {
            line = line.credentials(Credentials::new(
                settings.username.clone(),
                settings.password.expose_secret().to_owned(),
            ));
        }
        Ok(Self {
            line: line.build(),
            host: settings.host.clone(),
            from,
            bounces_to,
        })
    }

    /// The relay's name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it lets us in, over TLS and with our password; else what is wrong, without any secret.
    pub async fn examine(&self) -> Result<(), String> {
        match self.line.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it closed the connection".to_owned()),
            Err(error) => Err(told(&error)),
        }
    }

    /// Hands a letter over. Never fails: every ending is a [`Posted`].
    pub async fn post(&self, letter: &Letter) -> Posted {
        let Some(message) = self.written(letter) else {
            return Posted::Refused("address".to_owned());
        };
        match self.line.send(message).await {
            Ok(_) => Posted::Taken,
            Err(error) => match error.status().map(|it| it.to_string()) {
                // RFC 5321, section 4.2.3: the mailbox is not there, not here, or misspelt. A full one
                // (552) is emptied some day; other lasting refusals (530, 535, 554) are mended here.
                Some(code) if matches!(code.as_str(), "550" | "551" | "553") => {
                    Posted::Refused(code)
                }
                Some(code) => Posted::Later(code),
                None => Posted::Later(told(&error)),
            },
        }
    }

    fn written(&self, letter: &Letter) -> Option<Message> {
        let to: Address = letter.to.as_str().parse().ok()?;
        let envelope =
            lettre::address::Envelope::new(Some(self.bounces_to.clone()), vec![to.clone()]).ok()?;
        let id = format!("<{OURS}{}@{}>", hex::encode(letter.id), self.from.domain());
        let builder: MessageBuilder = Message::builder()
            .from(Mailbox::new(Some(letter.sender.clone()), self.from.clone()))
            .to(Mailbox::new(None, to))
            .envelope(envelope)
            .subject(letter.subject.clone())
            .message_id(Some(id))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        builder.body(letter.text.clone()).ok()
    }
}

/// What went wrong, in a word: the server's own sentences may quote an address.
fn told(error: &lettre::transport::smtp::Error) -> String {
    if let Some(code) = error.status() {
        let hint = match code.to_string().as_str() {
            "530" | "534" | "535" | "538" => ": it refuses the username or password",
            _ => "",
        };
        return format!("it answers {code}{hint}");
    }
    if error.is_tls() || speaks_of_certificates(error) {
        "no trusted TLS: its certificate is not for this name, has ended, or is signed by nobody known"
    } else if error.is_timeout() {
        "it does not answer in time"
    } else if error.is_response() {
        "it answers what is no SMTP"
    } else if error.is_client() {
        "it offers no STARTTLS or no way to sign in"
    } else {
        "it cannot be reached"
    }
    .to_owned()
}

/// Whether a handshake failed for the server's certificate; rustls says so deep inside.
fn speaks_of_certificates(error: &lettre::transport::smtp::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(it) = cause {
        if it.to_string().contains("certificate") {
            return true;
        }
        cause = it.source();
    }
    false
}

/// An address as a person types it, if one: what SMTP takes, with a domain that has a dot.
pub fn address(typed: &str) -> Option<Phi<String>> {
    let typed = typed.trim();
    let address: Address = typed.parse().ok()?;
    let fits = typed.len() <= ADDRESS_BYTES_MAX
        && typed.is_ascii()
        && address.domain().contains('.')
        && !address.user().is_empty();
    fits.then(|| Phi::from(address.to_string()))
}

/// An address that its owner knows again and nobody else reads: `j***@example.com`.
pub fn masked(address: &str) -> String {
    match address.split_once('@') {
        Some((user, domain)) => {
            let first: String = user.chars().take(1).collect();
            format!("{first}***@{domain}")
        }
        None => "***".to_owned(),
    }
}

/// What a bounce says: which letter, and that it will never arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// Which letter.
    pub id: [u8; 16],
    /// The status (RFC 3463), such as `5.1.1`.
    pub status: String,
}

/// Reads a delivery status notification (RFC 3464). None where it is none, where it is about no letter of
/// ours, or where it does not say that delivery was given up (also after days of delay, 4.4.7).
pub fn bounce(message: &[u8]) -> Option<Bounce> {
    let text = String::from_utf8_lossy(message);
    let mut failed = false;
    let mut status = None;
    let mut id = None;
    for line in text.lines() {
        let lower = line.to_ascii_lowercase();
        if let Some(action) = lower.strip_prefix("action:") {
            failed |= action.trim() == "failed";
        } else if let Some(code) = lower.strip_prefix("status:") {
            let code = code.split_whitespace().next().unwrap_or_default();
            let lasts = code.starts_with("5.") || code.starts_with("4.");
            if lasts && code.len() <= 11 && status.is_none() {
                status = Some(code.to_owned());
            }
        }
        if id.is_none() {
            id = lower.split_once(OURS).and_then(|(_, rest)| {
                let mut id = [0; 16];
                hex::decode_to_slice(rest.get(..32)?, &mut id).ok()?;
                Some(id)
            });
        }
    }
    Some(Bounce {
        id: id.filter(|_| failed)?,
        status: status?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_type_them() {
        for typed in [
            "tom@example.com",
            " tom@example.com ",
            "tom.o'neil+clinic@mail.example.com",
            "TOM@EXAMPLE.COM",
        ] {
            assert!(address(typed).is_some(), "{typed}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for typed in [
            "",
            "tom",
            "tom@",
            "@example.com",
            "tom@localhost",
            "tom@example.com, eve@example.com",
            "tom@example.com\r\nBcc: eve@example.com",
            "Tom <tom@example.com>",
            "tom @example.com",
            "tóm@example.com",
            long.as_str(),
        ] {
            assert!(address(typed).is_none(), "{typed}");
        }
        assert_eq!(masked("tom@example.com"), "t***@example.com");
    }

    #[test]
    fn a_bounce_is_one_that_failed_for_good_and_is_about_a_letter_of_ours() {
        let told = |action: &str, status: &str, id: &str| {
            format!(
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
                 --b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
                 Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; tom@example.com\r\n\
                 Action: {action}\r\nStatus: {status}\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
                 Message-ID: <{id}@lakeside.example.com>\r\n--b--\r\n"
            )
        };
        let ours = format!("anteroom-{}", "0f".repeat(16));
        let read = bounce(told("failed", "5.1.1 (no such user)", &ours).as_bytes());
        let wanted = Bounce {
            id: [0x0f; 16],
            status: "5.1.1".to_owned(),
        };
        assert_eq!(read, Some(wanted));
        for (action, status, id) in [
            ("delayed", "4.4.1", ours.as_str()),
            ("delivered", "2.0.0", &ours),
            ("failed", "2.0.0", &ours),
            ("failed", "5.1.1", "anteroom-zz"),
            ("failed", "5.1.1", "somebody-else"),
        ] {
            let message = told(action, status, id);
            assert_eq!(bounce(message.as_bytes()), None, "{action} {status} {id}");
        }
        assert_eq!(bounce(b"\xff\xfe\x00"), None);
    }
}
