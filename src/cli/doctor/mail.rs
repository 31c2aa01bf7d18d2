//! Doctor's look at the mail relay.

use crate::cli::doctor::Finding;
use crate::config::Config;

/// Whether the mail relay lets us in, over TLS.
pub(super) async fn mail(config: &Config) -> Finding {
    match config.mail.relay() {
        Ok(None) => Finding::Note(
            "off: secure messages are told by text alone; set [mail] relay to offer e-mail as well"
                .to_owned(),
        ),
        Ok(Some(relay)) => {
            let (host, port) = (&config.mail.relay, config.mail.port);
            match relay.examine().await {
                Ok(()) => Finding::Good(format!("{host}:{port} lets us in over TLS")),
                Err(why) => Finding::Bad(format!(
                    "{host}:{port}: {why}; check [mail] relay, port, tls, username and password"
                )),
            }
        }
        Err(error) => Finding::Bad(error.to_string()),
    }
}
