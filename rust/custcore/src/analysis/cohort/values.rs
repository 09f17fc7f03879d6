//! The values of a column by which a result is split.

use crate::base::view::{AttributeView, BaseView};
use crate::error::Result;
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;
use crate::group::key_union::join;
use crate::group::keys::Keys;

/// Values of a column at the buyers' first purchases, ascending, null last.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    /// The values but null, by rank.
    keys: Keys,
    /// Whether some buyers have none.
    has_null: bool,
    /// Rank by value code of the attribute; the last entry is for null.
    ranks: Vec<u32>,
}

impl Values {
    /// The distinct values of the buyers.
    pub(crate) fn of(attribute: AttributeView<'_>, view: &BaseView<'_>) -> Result<Self> {
        let totals = view.totals();
        let null = attribute.number();
        let mut occurs = vec![false; null + 1];
        for customer in (0..totals.len() as u32).filter(|&customer| totals.orders(customer) > 0) {
            occurs[Self::place(attribute, null, customer)] = true;
        }
        let codes = (0..null as u32).filter(|&code| occurs[code as usize]).collect();
        let joined = join(&[(attribute.values(), codes)], Threads::inline())?;
        let mut ranks = joined.positions(0, null);
        ranks.push(joined.keys.len() as u32);
        Ok(Self { keys: joined.keys, has_null: occurs[null], ranks })
    }

    fn place(attribute: AttributeView<'_>, null: usize, customer: u32) -> usize {
        attribute.get(customer).map_or(null, |value| if value == NO_CODE { null } else { value as usize })
    }

    /// The values but null, by rank.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Number of values.
    pub(crate) fn number(&self) -> usize {
        self.keys.len() + usize::from(self.has_null)
    }

    /// The key of the value of this rank; `None` for null.
    pub(crate) fn key(&self, rank: usize) -> Option<u32> {
        (rank < self.keys.len()).then_some(rank as u32)
    }

    /// Rank of a buyer's value.
    #[inline]
    pub(crate) fn rank(&self, attribute: AttributeView<'_>, customer: u32) -> u32 {
        self.ranks[Self::place(attribute, self.ranks.len() - 1, customer)]
    }

    /// The values of both, and the rank in the union by rank here and there.
    pub(super) fn union(&self, other: &Self) -> Result<(Self, [Vec<u32>; 2])> {
        let all = |values: &Self| (0..values.keys.len() as u32).collect();
        let joined = join(&[(&self.keys, all(self)), (&other.keys, all(other))], Threads::inline())?;
        let null = joined.keys.len() as u32;
        let ranks = |part: usize, values: &Self| {
            let mut ranks = joined.positions(part, values.keys.len());
            ranks.push(null);
            ranks
        };
        let ranks = [ranks(0, self), ranks(1, other)];
        let union = Self { keys: joined.keys, has_null: self.has_null || other.has_null, ranks: Vec::new() };
        Ok((union, ranks))
    }
}

/// Groups by which a result is split.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// Values of the `by` column.
    pub values: Option<Values>,
    attribute: usize,
}

impl Groups {
    /// The groups of the attribute at this position, or a single group.
    pub(crate) fn of(attribute: Option<usize>, view: &BaseView<'_>) -> Result<Self> {
        let values = attribute.map(|i| Values::of(view.attribute(i), view)).transpose()?;
        Ok(Self { values, attribute: attribute.unwrap_or(0) })
    }

    /// The same column with other values.
    pub(super) fn with_values(&self, values: Option<Values>) -> Self {
        Self { values, attribute: self.attribute }
    }

    /// Number of groups.
    pub(crate) fn number(&self) -> usize {
        self.values.as_ref().map_or(1, Values::number)
    }

    /// The group of a buyer.
    #[inline]
    pub(crate) fn group(&self, view: &BaseView<'_>, customer: u32) -> usize {
        self.values.as_ref().map_or(0, |values| values.rank(view.attribute(self.attribute), customer) as usize)
    }

    /// The key of a group's value, `None` for null.
    pub(crate) fn value(&self, group: usize) -> Option<u32> {
        self.values.as_ref().and_then(|values| values.key(group))
    }
}
