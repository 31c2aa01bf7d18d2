//! Pages of the documentation that a test writes down, so that they cannot go stale.

#![cfg(test)]

/// Holds what a test has made against the page as it is kept.
pub(crate) fn kept_as(page: &str, made: &str) {
    if std::env::var_os("ANTEROOM_WRITE_DOCS").is_some() {
        std::fs::write(page, made).unwrap();
    }
    let kept = std::fs::read_to_string(page).unwrap_or_default();
    for (at, (made, kept)) in made.lines().zip(kept.lines()).enumerate() {
        assert_eq!(made, kept, "{page}:{}", at + 1);
    }
    assert_eq!(made, kept, "{page}: ANTEROOM_WRITE_DOCS=1 writes it anew");
}
