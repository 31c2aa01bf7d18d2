//! What is read in a patient's text: keywords, safety, answers, wishes, injection and language.

use anteroom::policy::words::Language;
use anteroom::screen::Screen;
#[test]
fn rules_and_all_their_examples_hold() {
    let start = std::time::Instant::now();
    let screen = Screen::embedded().map_err(|e| e.to_string());
    let screen = screen.unwrap();
    let (rules, phrases, examples) = screen.size();
    println!("{rules} rules, {phrases} phrases, {examples} examples in {:?}", start.elapsed());
    assert_eq!(screen.read("STOP", None, Language::En).intent.as_str(), "opt_out");
}
