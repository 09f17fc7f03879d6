//! The settings of a scorer.

use serde::{Deserialize, Serialize};

use crate::column::key_schema::KeyNames;
use crate::error::{Error, ErrorKind, Result};
use crate::order_statistics::quantile::Closed;

/// The treatment of equal values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Equal values get equal scores.
    #[default]
    Same,
    /// Equal-size tiles over (value, customer id), like SQL's NTILE.
    Split,
}

/// The definition of quantile edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutsRule {
    /// Type-7 quantiles, right-closed.
    #[default]
    Type7,
    /// Type-7 quantiles plus 1, left-closed: R's package rfm, for parity only.
    R,
}

/// The method that determines the edges of a dimension.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// Type-7 quantiles, rounded down to the type of the values, right-closed.
    Type7,
    /// R's package rfm: type-7 quantiles plus 1, left-closed.
    RParity,
    /// Tiles over (value, id).
    Split,
    /// Explicit edges.
    Cuts(Vec<f64>, Closed),
}

/// One column to score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// The name in the thresholds table and in messages.
    pub name: String,
    /// The column.
    pub column: String,
    /// Number of bins, 2 to 100.
    pub bins: u8,
    /// Whether the smallest values get the highest score.
    pub reversed: bool,
    /// Explicit edges; `bins` is then one more than their number.
    pub cuts: Option<Vec<f64>>,
}

/// The settings of a scorer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreSpec {
    /// The columns to score.
    pub dimensions: Vec<Dimension>,
    /// The treatment of equal values.
    pub ties: Ties,
    /// Which end of an interval is included, for explicit cuts.
    pub closed: Closed,
    /// The definition of quantile edges.
    pub cuts_rule: CutsRule,
    /// Nested binning: each dimension is scored within each combination of the preceding scores.
    pub nested: bool,
    /// A column to group by; each group is scored separately.
    pub by: Option<String>,
    /// Whether a group or nested cell not present in the fit is scored by the edges of all customers; else it is an error.
    pub unseen_global: bool,
    /// The columns of customer ids, which decide among equal values; `None` if the table names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<KeyNames>,
}

impl ScoreSpec {
    /// Checks the settings.
    pub fn checked(self) -> Result<Self> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        self.ids.as_ref().map_or(Ok(()), |ids| ids.check("customer_id"))?;
        for dimension in &self.dimensions {
            let Dimension { name, bins, cuts, .. } = dimension;
            if let Some(cuts) = cuts {
                if cuts.is_empty() || cuts.len() > 99 || cuts.iter().any(|x| !x.is_finite()) || cuts.windows(2).any(|w| w[0] >= w[1]) {
                    return invalid(format!("cuts of {name} are {cuts:?}; expected 1 to 99 finite values, strictly ascending"));
                }
                if self.ties == Ties::Split {
                    return invalid(format!("{name} has explicit cuts, which cannot be combined with ties='split'; use ties='same'"));
                }
            } else if !(2..=100).contains(bins) {
                return invalid(format!("bins={bins} for {name} is outside 2 to 100"));
            }
        }
        if self.cuts_rule == CutsRule::R && self.ties == Ties::Split {
            return invalid("cuts_rule='r' keeps ties together and cannot be combined with ties='split'; use ties='same'".to_owned());
        }
        Ok(self)
    }

    /// The columns that are used by name: those scored, the column of groups, and the ids if they are named.
    pub fn used_columns(&self) -> Vec<String> {
        let ids = self.ids.iter().flat_map(KeyNames::iter).filter(|_| self.ties == Ties::Split).map(str::to_owned);
        self.dimensions.iter().map(|dimension| dimension.column.clone()).chain(self.by.clone()).chain(ids).collect()
    }

    /// Whether ids are read that are not named: the columns named by the schema metadata, else the first.
    pub fn finds_ids(&self) -> bool {
        self.ties == Ties::Split && self.ids.is_none()
    }

    pub(super) fn method(&self, dimension: &Dimension) -> Method {
        match (&dimension.cuts, self.ties, self.cuts_rule) {
            (Some(cuts), _, _) => Method::Cuts(cuts.clone(), self.closed),
            (None, Ties::Split, _) => Method::Split,
            (None, Ties::Same, CutsRule::R) => Method::RParity,
            (None, Ties::Same, CutsRule::Type7) => Method::Type7,
        }
    }
}

impl Dimension {
    /// The score of a bin.
    #[inline]
    pub(super) fn score_of_bin(&self, bin: u8) -> u8 {
        if self.reversed && bin > 0 { self.bins + 1 - bin } else { bin }
    }
}
