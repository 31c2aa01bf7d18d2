//! Any text to the way in: no panic, the same reading twice, and a greeting before it turns no alarm off.

#![no_main]

use std::sync::LazyLock;

use anteroom::policy::words::Language;
use anteroom::screen::Intent;
use anteroom::screen::Pending;
use anteroom::screen::Screen;
use libfuzzer_sys::fuzz_target;

static SCREEN: LazyLock<Screen> = LazyLock::new(|| Screen::embedded().unwrap());

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let pending = Pending::ALL.get(usize::from(bytes.first().copied().unwrap_or(9))).copied();
    let reading = SCREEN.read(&text, pending, Language::En);
    assert_eq!(reading, SCREEN.read(&text, pending, Language::En));
    let alarm = |intent| matches!(intent, Intent::Emergency | Intent::Crisis | Intent::Poison);
    if alarm(reading.intent) {
        let greeted = SCREEN.read(&format!("hi. {text}"), pending, Language::En);
        assert!(alarm(greeted.intent));
    }
});
