//! Memory that a review needs and the next one on the same thread uses again.

use std::cell::Cell;

use crate::guardrail::conduct::Context;
use crate::guardrail::detect;
use crate::guardrail::ground;
use crate::guardrail::ground::Statement;
use crate::guardrail::ground::fold;
use crate::guardrail::ground::view;
use crate::policy::pattern::Matched;

/// The memory of one review.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The detector's.
    pub(crate) detect: detect::Scratch,
    /// Of the view that is judged.
    pub(crate) view: view::Room,
    /// Grounding's.
    pub(crate) ground: ground::Room,
    /// The folded facts'.
    pub(crate) values: fold::Room,
    /// What the draft states.
    pub(crate) statements: Vec<Statement<'static>>,
    /// What each sentence is about.
    pub(crate) contexts: Vec<Context>,
    /// Which rules of a set were found.
    pub(crate) matched: Matched,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// Runs `work` with this thread's memory. A panic on the way loses the memory and nothing else.
pub(crate) fn with<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    let kept = SCRATCH.try_with(Cell::take).ok().flatten();
    let mut scratch = kept.unwrap_or_default();
    let done = work(&mut scratch);
    // A thread that ends keeps nothing.
    SCRATCH
        .try_with(|it| it.set(Some(scratch)))
        .unwrap_or_default();
    done
}

/// An empty list in the memory of another whose items differ in their lifetimes only.
///
/// Collecting a list into one of the same layout keeps the allocation; where the standard library
/// should ever cease to, the count of allocations in the tests says so.
pub(crate) fn renew<A, B>(mut list: Vec<A>) -> Vec<B> {
    list.clear();
    list.into_iter().filter_map(|_| None).collect()
}
