//! Edges of the scorer at each date.

/// How the edges of the scorer are determined at each date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScorerEdges {
    /// The same edges at all dates: those of a fitted scorer, or fitted at the first date.
    Frozen,
    /// Refitted at each date.
    Refit,
}

impl ScorerEdges {
    /// Name in the result.
    pub fn word(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Refit => "refit",
        }
    }
}
