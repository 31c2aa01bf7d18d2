//! How the chat is set up: what is refused, where, and how it is mended.

use std::io::Write as _;

use anteroom::config;

const SAMPLE: &str = include_str!("../../../samples/lakeside.toml");

/// What a start with this file says.
fn loaded(more: &str) -> Result<(), String> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    write!(file, "{SAMPLE}\n{more}").unwrap();
    let loaded = config::load(Some(file.path()), std::iter::empty());
    let name = file.path().display().to_string();
    loaded
        .map(drop)
        .map_err(|error| error.to_string().replace(&name, "FILE"))
}

/// The line on which the practice's chat begins.
fn line() -> usize {
    SAMPLE.lines().count() + 2
}

#[test]
fn sites_are_checked_and_an_error_names_file_line_key_and_remedy() {
    let chat = |origins: &str| loaded(&format!("[practice.webchat]\norigins = {origins}\n"));
    assert_eq!(
        chat("[\"https://www.example.com\", \"http://localhost:4000\"]"),
        Ok(())
    );
    let at = format!("FILE:{}: practice `lakeside`: webchat.origins", line() + 1);
    for (origins, mend) in [
        (
            "[\"https://www.example.com/contact\"]",
            "write `https://www.example.com`",
        ),
        ("[\"http://www.example.com\"]", "must be https"),
        (
            "[\"www.example.com\"]",
            "write it as https://www.example.com",
        ),
        ("[\"https://*.example.com\"]", "each site by itself"),
        ("[]", "leave [practice.webchat] out"),
    ] {
        let error = chat(origins).unwrap_err();
        assert!(
            error.starts_with(&at) && error.contains(mend),
            "{origins}: {error}"
        );
    }
    let error = loaded("[practice.webchat]\norigin = [\"https://www.example.com\"]\n").unwrap_err();
    assert!(error.contains("did you mean `origins`?"), "{error}");
    let error = loaded("[practice.webchat]\n").unwrap_err();
    assert!(error.contains("has no `origins`; add it"), "{error}");
}

#[test]
fn the_chat_is_no_carrier_that_a_number_is_rented_from() {
    let sender = "[[practice.sender]]\ncarrier = \"web\"\nchannel = \"webchat\"\nnumber = \"+14155550103\"\n";
    let error = loaded(sender).unwrap_err();
    assert!(error.contains("[practice.webchat]"), "{error}");
    let error = loaded("[web.lakeside]\n").unwrap_err();
    assert!(error.contains("unknown key `web`"), "{error}");
}

#[test]
fn a_chat_needs_a_number_that_texts_the_codes() {
    let whatsapp = SAMPLE.replace("channel = \"sms\"", "channel = \"whatsapp\"");
    let chat = "[practice.webchat]\norigins = [\"https://www.example.com\"]\n";
    let error = config::check_text(&format!("{whatsapp}\n{chat}")).unwrap_err();
    assert!(
        error.to_string().contains("gets a code by text first"),
        "{error}"
    );
}
