//! The groups that customers are in.

/// What a group is; in the order of the result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    /// All customers.
    All,
    /// An attribute that is stored as an integer.
    Integer(i64),
    /// An attribute that is a string or binary.
    Bytes(Vec<u8>),
    /// A segment, by position.
    Segment(u16),
    /// No value, or not in the table of segments.
    Null,
}

/// The groups of the customers of a view, by code.
pub(crate) struct ViewGroups {
    pub labels: Vec<Label>,
    /// The group of each code; empty if there is only one.
    of: Vec<u16>,
}

impl ViewGroups {
    /// The groups of these labels, by code.
    pub(super) fn new(labels: Vec<Label>, of: Vec<u16>) -> Self {
        Self { labels, of }
    }

    /// The group of a buyer.
    #[inline]
    pub(crate) fn group(&self, code: usize) -> usize {
        self.of.get(code).map_or(0, |&group| usize::from(group))
    }
}
