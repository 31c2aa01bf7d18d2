//! The law as data: what is refused at load, what applies on a day, and that overlays only tighten.

#![cfg(test)]

mod hours;
mod overlays;
mod refused;
mod tools;

use anteroom::policy::law::Law;

#[test]
fn the_built_in_law_loads_and_its_examples_hold() {
    let law = Law::embedded().unwrap_or_else(|error| panic!("{error}"));
    assert!(law.run_examples().unwrap() > 10);
}
