//! Sealing: opens where it was kept and nowhere else; keys are refused with a remedy.

#![cfg(test)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anteroom::seal::Aad;
use anteroom::seal::DataKey;
use anteroom::seal::MasterKey;
use anteroom::seal::SealError;
use proptest::prelude::*;

const HERE: Aad<'static> = Aad {
    practice: "lakeside",
    table: "turn",
    column: "body",
    row: "12",
};

proptest! {
    #[test]
    fn a_sealed_value_opens_where_it_was_kept(plain in proptest::collection::vec(any::<u8>(), 0..600)) {
        let key = DataKey::generate().unwrap();
        let sealed = key.seal(&HERE, &plain).unwrap();
        prop_assert_eq!(&*key.open(&HERE, &sealed).unwrap(), &plain);
        prop_assert!(plain.len() < 8 || !sealed.windows(plain.len()).any(|part| part == plain));
    }

    #[test]
    fn a_sealed_value_opens_nowhere_else(parts in proptest::array::uniform4("[a-z0-9/]{0,6}")) {
        let [practice, table, column, row] = &parts;
        let there = Aad { practice, table, column, row };
        prop_assume!(there != HERE);
        let key = DataKey::generate().unwrap();
        let sealed = key.seal(&HERE, b"moved").unwrap();
        prop_assert!(matches!(key.open(&there, &sealed), Err(SealError::Refused)));
    }
}

#[test]
fn shifting_a_letter_between_parts_of_the_place_is_refused() {
    let key = DataKey::generate().unwrap();
    let sealed = key
        .seal(
            &Aad {
                table: "ab",
                column: "c",
                ..HERE
            },
            b"x",
        )
        .unwrap();
    let shifted = Aad {
        table: "a",
        column: "bc",
        ..HERE
    };
    assert!(matches!(
        key.open(&shifted, &sealed),
        Err(SealError::Refused)
    ));
}

#[test]
fn an_altered_byte_anywhere_is_refused() {
    let key = DataKey::generate().unwrap();
    let sealed = key.seal(&HERE, b"A1c 7.2").unwrap();
    for at in 0..sealed.len() {
        for bit in [1, 0x80] {
            let mut altered = sealed.clone();
            altered[at] ^= bit;
            assert!(key.open(&HERE, &altered).is_err(), "byte {at}");
        }
    }
    for kept in 0..sealed.len() {
        assert!(key.open(&HERE, &sealed[..kept]).is_err(), "cut to {kept}");
    }
}

#[test]
fn another_key_is_refused_and_two_seals_differ() {
    let (key, other) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
    let sealed = key.seal(&HERE, b"x").unwrap();
    assert_ne!(sealed, key.seal(&HERE, b"x").unwrap());
    assert!(matches!(
        other.open(&HERE, &sealed),
        Err(SealError::OtherKey)
    ));
}

#[test]
fn lookups_agree_within_a_practice_and_differ_between_practices() {
    let (key, other) = (DataKey::generate().unwrap(), DataKey::generate().unwrap());
    let number = "+14155550142".parse().unwrap();
    assert_eq!(key.lookup_number(&number), key.lookup_number(&number));
    assert_ne!(key.lookup_number(&number), other.lookup_number(&number));
    assert_ne!(key.lookup("a", b"bc"), key.lookup("ab", b"c"));
}

#[test]
fn a_wrapped_key_opens_with_its_master_only() {
    let (master, other) = (
        MasterKey::generate().unwrap(),
        MasterKey::generate().unwrap(),
    );
    let key = DataKey::generate().unwrap();
    let sealed = key.seal(&HERE, b"x").unwrap();
    let wrapped = master.wrap("lakeside", "", &key).unwrap();
    let again = master
        .unwrap_key("lakeside", "", key.id(), &wrapped)
        .unwrap();
    assert_eq!(&*again.open(&HERE, &sealed).unwrap(), b"x");
    let wrong = other.unwrap_key("lakeside", "", key.id(), &wrapped);
    assert!(matches!(wrong, Err(SealError::WrongMaster)));
    assert!(
        master
            .unwrap_key("hillside", "", key.id(), &wrapped)
            .is_err()
    );
    assert!(
        master
            .unwrap_key("lakeside", "p1", key.id(), &wrapped)
            .is_err()
    );
}

#[test]
fn a_new_master_key_file_is_private_and_the_same_when_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let made = MasterKey::load_or_create(&path, true).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let read = MasterKey::load_or_create(&path, false).unwrap();
    assert_eq!(*made.derive("x"), *read.derive("x"));
    assert_ne!(*made.derive("x"), *made.derive("y"));
}

#[test]
fn a_bad_master_key_file_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let good = "0f".repeat(32);
    let cases: &[(Option<(&str, u32)>, &str)] = &[
        (None, "restore the key file"),
        (Some((&good, 0o640)), "chmod 600"),
        (Some((&good, 0o604)), "chmod 600"),
        (Some(("", 0o600)), "64 hexadecimal digits"),
        (Some(("0f0f", 0o600)), "64 hexadecimal digits"),
        (Some(("\u{fffd}zz", 0o600)), "64 hexadecimal digits"),
    ];
    for (file, remedy) in cases {
        if let Some((text, mode)) = file {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        let refusal = MasterKey::load_or_create(&path, false)
            .unwrap_err()
            .to_string();
        assert!(refusal.contains(remedy), "{refusal}");
        assert!(!refusal.contains(&good), "the key is in the message");
    }
}

#[test]
fn keys_are_not_printed() {
    let key = DataKey::generate().unwrap();
    assert_eq!(
        format!("{key:?} {:?}", MasterKey::generate().unwrap()),
        "DataKey(..) MasterKey(..)"
    );
}
