//! Settings of a net promoter score.

use crate::column::key_schema::KeyNames;

/// Which answer of a customer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NpsAnswer {
    /// The last one.
    Last,
    /// The first one.
    First,
}

/// The interval of a net promoter score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NpsInterval {
    /// Wald's after 3/4 of an answer is added to each of the four sides of the two shares: its width is not 0 where all answer alike.
    Adjusted,
    /// Wald's.
    Wald,
}

/// Settings of a net promoter score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NpsSpec {
    /// The column of answers.
    pub score: String,
    /// The column of segments.
    pub by: Option<String>,
    /// The columns of customer ids, where each counts once.
    pub customer_id: Option<KeyNames>,
    /// The column of times that orders the answers of a customer; without it they are in the order of the rows.
    pub timestamp: Option<String>,
    /// Which answer of a customer counts.
    pub which: NpsAnswer,
    /// The interval.
    pub interval: NpsInterval,
}
