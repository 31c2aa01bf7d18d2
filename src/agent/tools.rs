//! The front desk's tools: typed, checked, with receipts.

/// A tool as a model sees it.
#[derive(Clone, Copy, Debug)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// JSON Schema of its arguments, as text.
    pub parameters: &'static str,
}
