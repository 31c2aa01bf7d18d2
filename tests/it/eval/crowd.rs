//! A small crowd: what must hold whatever fails, and that a seed decides all of it.

#![cfg(test)]

use std::sync::atomic::AtomicBool;

use anteroom::eval::crowd::{Crowd, CrowdReport, play};
use anteroom::eval::run::Bench;

fn played(bench: &Bench, seed: u64, faults: u64) -> CrowdReport {
    let crowd = Crowd {
        conversations: 60,
        seed,
        faults,
        folder: None,
        threads: 1,
    };
    play(bench, &crowd, &AtomicBool::new(false), &|_| ()).unwrap()
}

#[test]
fn a_crowd_hears_nothing_untrue_though_everything_fails() {
    let bench = Bench::embedded().unwrap();
    let report = played(&bench, 7, 60);
    assert!(report.holds(), "{report:?}");
    assert_eq!(report.conversations, 60);
    let met: u64 = report.faults.values().sum();
    assert!(met > 20, "{:?}", report.faults);
}

#[test]
fn without_faults_nearly_everybody_gets_what_they_want() {
    let bench = Bench::embedded().unwrap();
    let report = played(&bench, 3, 0);
    assert!(report.holds(), "{report:?}");
    let lost: u64 = report.ends.values().map(|it| it.lost).sum();
    assert!(lost <= 1, "{:#?}", report.lost);
}
