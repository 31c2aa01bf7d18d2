//! The phones at the fake carrier's other end: who is off, who blocks the practice, what never came.

use crate::carrier::fake::Fake;
use crate::domain::message::Delivery;
use crate::policy::words::vocabulary;

vocabulary! {
    /// What a phone does with the texts to it.
    Reach, "reach of a phone" {
        /// It takes them.
        On = "on",
        /// It is switched off: they are taken, and do not arrive.
        Off = "off",
        /// Its owner has opted out at the carrier, which told nobody: they are refused.
        Blocked = "blocked",
    }
}

impl Fake {
    /// A person who told the carrier, and not us, that this number must not text them.
    pub fn opt_out(&self, number: &str, person: &str) {
        self.memory().opted_out.insert(format!("{number} {person}"));
    }

    /// What a phone does from now on with the texts to it.
    pub fn set_reach(&self, person: &str, reach: Reach) {
        self.memory().phones.insert(person.to_owned(), reach);
    }

    /// What a phone does with the texts to it.
    pub fn reach(&self, person: &str) -> Reach {
        let reach = self.memory().phones.get(person).copied();
        reach.unwrap_or(Reach::On)
    }

    /// Takes a text back that a patient wrote: it was told that it did not arrive.
    pub fn take_back(&self, id: &str) {
        drop(self.memory().texts.remove(id));
    }

    /// A text from a patient that nobody took.
    pub fn not_brought(&self, id: &str) {
        if let Some(text) = self.memory().texts.get_mut(id) {
            text.state = Delivery::Failed;
        }
    }
}
