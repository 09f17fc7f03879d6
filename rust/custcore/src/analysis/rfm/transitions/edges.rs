//! Which edges the scorer has at each date.

/// What the edges of the scorer are at each date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScorerEdges {
    /// The same at all: those of a fitted scorer, or of one that is fitted at the first date.
    Frozen,
    /// Fitted anew at each.
    Refit,
}

impl ScorerEdges {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Refit => "refit",
        }
    }
}
