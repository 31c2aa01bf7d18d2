//! What "the strictest wins" means for the shapes that duties are made of: each `join` is
//! associative, commutative and idempotent, so that the order of files never matters.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Takes over whatever is stricter in another.
pub trait Join {
    /// Makes `self` at least as strict as both.
    fn join(&mut self, other: &Self);
}

/// Ids of rules.
pub type Ids = BTreeSet<Arc<str>>;

impl<T: Ord + Clone> Join for BTreeSet<T> {
    fn join(&mut self, other: &Self) {
        self.extend(other.iter().cloned());
    }
}

impl<K: Ord + Clone, V: Join + Clone> Join for BTreeMap<K, V> {
    fn join(&mut self, other: &Self) {
        for (key, value) in other {
            match self.get_mut(key) {
                Some(own) => own.join(value),
                None => {
                    self.insert(key.clone(), value.clone());
                }
            }
        }
    }
}

/// Any of them is enough; none stands for "not said".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Least<T>(pub Option<T>);

impl<T> Default for Least<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Ord + Copy> Join for Least<T> {
    fn join(&mut self, other: &Self) {
        self.0 = match (self.0, other.0) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// The greatest counts; none stands for "not said".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most<T>(pub Option<T>);

impl<T> Default for Most<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Ord + Copy> Join for Most<T> {
    fn join(&mut self, other: &Self) {
        self.0 = self.0.max(other.0);
    }
}

/// On when one says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Join for Flag {
    fn join(&mut self, other: &Self) {
        self.0 |= other.0;
    }
}

/// What everybody allows; none stands for "not said", which allows all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed<T>(pub Option<BTreeSet<T>>);

impl<T> Default for Allowed<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Ord + Clone> Allowed<T> {
    /// A list where an empty one says nothing.
    pub fn said(list: &[T]) -> Self {
        Self((!list.is_empty()).then(|| list.iter().cloned().collect()))
    }

    /// A list where an empty one allows nothing.
    pub fn only(list: &[T]) -> Self {
        Self(Some(list.iter().cloned().collect()))
    }

    /// Whether one is allowed.
    pub fn allows(&self, one: &T) -> bool {
        self.0.as_ref().is_none_or(|all| all.contains(one))
    }
}

impl<T: Ord + Clone> Join for Allowed<T> {
    fn join(&mut self, other: &Self) {
        self.0 = match (self.0.take(), &other.0) {
            (Some(own), Some(others)) => Some(own.intersection(others).cloned().collect()),
            (own, others) => own.or_else(|| others.clone()),
        };
    }
}

/// Whom or what it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach<T> {
    /// These.
    Only(BTreeSet<T>),
    /// Everyone and everything.
    All,
}

impl<T> Default for Reach<T> {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

impl<T: Ord + Clone> Reach<T> {
    /// A list where an empty one reaches all.
    pub fn of(list: &[T]) -> Self {
        if list.is_empty() {
            Self::All
        } else {
            Self::Only(list.iter().cloned().collect())
        }
    }

    /// Whether it reaches one.
    pub fn reaches(&self, one: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.contains(one),
        }
    }
}

impl<T: Ord + Clone> Join for Reach<T> {
    fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Only(own), Self::Only(others)) => own.join(others),
            (_, Self::All) => *self = Self::All,
            (Self::All, Self::Only(_)) => {}
        }
    }
}
