//! Settings of pairs, itemsets and rules.

use crate::analysis::p_values::PValueAdjustment;
use crate::error::{Error, ErrorKind, Result};

/// Most items of an itemset that may be asked for.
const MOST_ITEMS: u64 = 16;

/// A least number of baskets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MinBaskets {
    /// So many.
    Count(u64),
    /// A share of all, above 0 and below 1.
    Share(f64),
}

impl MinBaskets {
    /// An error unless it is in range.
    fn check(self, name: &str) -> Result<()> {
        match self {
            Self::Count(count) if count >= 1 => Ok(()),
            Self::Share(share) if share > 0.0 && share < 1.0 => Ok(()),
            Self::Count(count) => {
                Err(invalid(format!("{name}={count}; expected 1 or more baskets, or a share of them above 0 and below 1")))
            }
            Self::Share(share) => {
                Err(invalid(format!("{name}={share}; expected 1 or more baskets, or a share of them above 0 and below 1")))
            }
        }
    }

    /// The least number of baskets among so many.
    pub(super) fn of(self, baskets: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Share(share) => {
                let count = (share * baskets as f64).ceil() as u64;
                // The product may be rounded up across a whole number.
                let fewer = count.saturating_sub(1);
                if fewer > 0 && fewer as f64 / baskets as f64 >= share { fewer } else { count.max(1) }
            }
        }
    }
}

/// The test of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairTest {
    /// Within baskets of like size (Cochran, Mantel and Haenszel).
    Within,
    /// Fisher's exact test, upper tail; for baskets of like size.
    Fisher,
}

/// Settings of pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct PairSpec {
    /// Items of fewer baskets are in no pair.
    pub min_item_baskets: MinBaskets,
    /// Pairs of fewer baskets are not listed.
    pub min_pair_baskets: MinBaskets,
    /// Baskets of fewer items are left out.
    pub min_basket: u64,
    /// Where p-values come from.
    pub test: PairTest,
    /// How p-values are adjusted for the number of pairs.
    pub adjust: PValueAdjustment,
    /// The most pairs that are listed, of each segment; those in most baskets.
    pub top: Option<u64>,
}

impl PairSpec {
    /// An error unless the settings are in range.
    pub(super) fn check(&self) -> Result<()> {
        self.min_item_baskets.check("min_item_baskets")?;
        self.min_pair_baskets.check("min_pair_baskets")?;
        if self.min_basket == 0 {
            return Err(invalid("min_basket=0; expected 1 or more items".to_owned()));
        }
        if self.top == Some(0) {
            return Err(invalid("top=0; expected 1 or more pairs, or None".to_owned()));
        }
        Ok(())
    }
}

/// Settings of itemsets.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemsetSpec {
    /// Sets in fewer baskets are not listed.
    pub min_baskets: MinBaskets,
    /// The most items of a set.
    pub max_len: u64,
    /// More sets than this are an error.
    pub max_itemsets: u64,
}

impl ItemsetSpec {
    /// An error unless the settings are in range.
    pub(super) fn check(&self) -> Result<()> {
        self.min_baskets.check("min_baskets")?;
        if !(1..=MOST_ITEMS).contains(&self.max_len) {
            return Err(invalid(format!("max_len={}; expected 1 to {MOST_ITEMS} items", self.max_len)));
        }
        // Positions of sets are numbers of 32 bits.
        if !(1..=u64::from(u32::MAX >> 1)).contains(&self.max_itemsets) {
            return Err(invalid(format!("max_itemsets={}; expected 1 to {}", self.max_itemsets, u32::MAX >> 1)));
        }
        Ok(())
    }
}

/// Settings of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSpec {
    /// The sets that rules are made of.
    pub itemsets: ItemsetSpec,
    /// Rules of a lower confidence are not listed.
    pub min_confidence: f64,
}

impl RuleSpec {
    /// An error unless the settings are in range.
    pub(super) fn check(&self) -> Result<()> {
        self.itemsets.check()?;
        if self.itemsets.max_len < 2 {
            return Err(invalid("max_len=1; a rule has at least 2 items".to_owned()));
        }
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(invalid(format!("min_confidence={}; expected 0 to 1", self.min_confidence)));
        }
        Ok(())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_least_count_that_reaches_them() {
        assert_eq!(MinBaskets::Share(0.01).of(18_532), 186);
        assert_eq!(MinBaskets::Share(0.1).of(30), 3);
        assert_eq!(MinBaskets::Share(0.07).of(100), 7);
        assert_eq!(MinBaskets::Share(1e-9).of(10), 1);
        assert_eq!(MinBaskets::Share(0.5).of(0), 1);
        assert_eq!(MinBaskets::Count(5).of(0), 5);
        assert!(MinBaskets::Share(1.0).check("x").is_err() && MinBaskets::Share(f64::NAN).check("x").is_err());
    }
}
