//! The audit log: every alteration is found, and the first bad entry named.

#![cfg(test)]

use anteroom::audit::BadReason;
use anteroom::audit::Checkpoint;
use anteroom::audit::Entry;
use anteroom::audit::FirstBad;
use anteroom::audit::GENESIS;
use anteroom::audit::Linked;
use anteroom::audit::Signer;
use anteroom::audit::verify;
use anteroom::domain::ids::PracticeId;
use jiff::Timestamp;

const LENGTH: i64 = 12;

fn practice() -> PracticeId {
    PracticeId::new("lakeside")
}

fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn entry(number: i64) -> Entry {
    let detail = serde_json::json!({ "n": number });
    Entry::new(
        &practice(),
        at(number),
        "agent",
        "reply.cleared",
        "conversation/1",
        &detail,
    )
}

fn chain(entries: impl IntoIterator<Item = Entry>) -> Vec<Linked> {
    let mut previous = GENESIS;
    (1..)
        .zip(entries)
        .map(|(seq, entry)| {
            let linked = Linked::new(&previous, seq, entry);
            previous = linked.hash;
            linked
        })
        .collect()
}

/// A log of twelve entries, signed after the fifth and the twelfth.
fn log() -> (Vec<Linked>, Vec<Checkpoint>) {
    let entries = chain((1..=LENGTH).map(entry));
    let sign = |seq: usize| {
        signer().checkpoint(
            &practice(),
            entries[seq - 1].seq,
            entries[seq - 1].hash,
            at(99),
        )
    };
    let checkpoints = vec![sign(5), sign(12)];
    (entries, checkpoints)
}

fn check(entries: &[Linked], checkpoints: &[Checkpoint]) -> Result<i64, FirstBad> {
    verify(&practice(), entries, checkpoints, &signer().public_key()).map(|sound| sound.covered)
}

#[track_caller]
fn first_bad(entries: &[Linked], checkpoints: &[Checkpoint], seq: i64, reason: BadReason) {
    assert_eq!(check(entries, checkpoints), Err(FirstBad { seq, reason }));
}

#[test]
fn a_log_as_written_is_sound() {
    let (entries, checkpoints) = log();
    assert_eq!(check(&entries, &checkpoints), Ok(12));
    assert_eq!(check(&entries, &checkpoints[..1]), Ok(5));
    assert_eq!(check(&[], &[]), Ok(0));
}

#[test]
fn an_edited_entry_is_named() {
    let edits: &[fn(&mut Linked)] = &[
        |it| it.entry.actor.push('x'),
        |it| it.entry.action = "reply.held".to_owned(),
        |it| it.entry.subject.clear(),
        |it| it.entry.detail = "{}".to_owned(),
        |it| it.entry.at = at(1_000),
        |it| it.hash[31] ^= 1,
        |it| {
            // The same letters, shared out differently.
            it.entry.actor = "agentreply".to_owned();
            it.entry.action = ".cleared".to_owned();
        },
    ];
    for (number, edit) in edits.iter().enumerate() {
        for at in 0..12 {
            let (mut entries, checkpoints) = log();
            edit(&mut entries[at]);
            let bad = check(&entries, &checkpoints).unwrap_err();
            assert_eq!(bad.seq, entries[at].seq, "edit {number}");
            assert_eq!(bad.reason, BadReason::Altered, "edit {number}");
        }
    }
}

#[test]
fn a_removed_entry_is_named() {
    for at in 0..11 {
        let (mut entries, checkpoints) = log();
        let gone = entries.remove(at);
        first_bad(&entries, &checkpoints, gone.seq, BadReason::OutOfSequence);
    }
}

#[test]
fn a_removed_entry_is_named_also_when_the_rest_is_numbered_anew() {
    let (mut entries, checkpoints) = log();
    entries.remove(3);
    for (seq, linked) in (1..).zip(&mut entries) {
        linked.seq = seq;
    }
    first_bad(&entries, &checkpoints, 4, BadReason::Altered);
}

#[test]
fn reordered_entries_are_named() {
    for at in 0..11 {
        let (mut entries, checkpoints) = log();
        entries.swap(at, at + 1);
        let due = i64::try_from(at).unwrap() + 1;
        first_bad(&entries, &checkpoints, due, BadReason::OutOfSequence);
    }
}

#[test]
fn a_cut_off_end_is_named() {
    for kept in 0..12 {
        let (mut entries, checkpoints) = log();
        entries.truncate(kept);
        let due = i64::try_from(kept).unwrap() + 1;
        first_bad(&entries, &checkpoints, due, BadReason::Missing);
    }
}

#[test]
fn a_chain_made_anew_is_found_by_the_checkpoints_outside() {
    let (_, checkpoints) = log();
    let changed = |n| if n == 3 { entry(300) } else { entry(n) };
    first_bad(
        &chain((1..=LENGTH).map(changed)),
        &checkpoints,
        5,
        BadReason::Rewritten,
    );
    let shorter = chain((1..=LENGTH).filter(|n| *n != 8).map(entry));
    first_bad(&shorter, &checkpoints, 12, BadReason::Missing);
}

#[test]
fn a_checkpoint_of_another_hand_is_refused() {
    let (entries, mut checkpoints) = log();
    let forger = Signer::from_seed(&[8; 32]);
    checkpoints[1] = forger.checkpoint(&practice(), 12, entries[11].hash, at(99));
    first_bad(&entries, &checkpoints, 12, BadReason::BadSignature);
    let (_, mut checkpoints) = log();
    checkpoints[0].seq = 4;
    first_bad(&entries, &checkpoints, 4, BadReason::BadSignature);
}

#[test]
fn an_entry_of_another_practice_is_named() {
    let (mut entries, checkpoints) = log();
    entries[2].entry.practice = PracticeId::new("hillside");
    first_bad(&entries, &checkpoints, 3, BadReason::OtherPractice);
}

#[test]
fn a_checkpoint_survives_its_line() {
    let (_, checkpoints) = log();
    let line = checkpoints[0].to_line();
    assert_eq!(Checkpoint::from_line(&line), Some(checkpoints[0].clone()));
    assert_eq!(Checkpoint::from_line(line.trim_start_matches('{')), None);
}
