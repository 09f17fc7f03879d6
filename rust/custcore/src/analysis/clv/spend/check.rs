//! Whether the mean spend of customers depends on how often they buy, which the Gamma-Gamma model assumes not to be so.

use crate::analysis::clv::correlation::{pearson, spearman};
use crate::analysis::clv::likelihood::gamma_gamma::SpendRows;
use crate::error::Result;
use crate::exec::context::Context;

/// Classes of x: its name, the least and the largest x.
const CLASSES: [(&str, u32, u32); 6] = [("1", 1, 1), ("2", 2, 2), ("3", 3, 3), ("4-6", 4, 6), ("7-12", 7, 12), ("13+", 13, u32::MAX)];

/// The mean spend of customers of similar x.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanOfX {
    /// The name of the class.
    pub x: &'static str,
    /// Customers.
    pub customers: u64,
    /// Mean of their mean spends; `None` without customers.
    pub mean: Option<f64>,
}

/// Correlations of x and mean spend.
#[derive(Debug, Clone, PartialEq)]
pub struct Independence {
    /// Customers.
    pub customers: u64,
    /// Pearson's correlation; `None` where a column does not vary.
    pub pearson: Option<f64>,
    /// Spearman's correlation; `None` where a column does not vary.
    pub spearman: Option<f64>,
    /// Mean spend by x.
    pub by_x: Vec<MeanOfX>,
}

impl Independence {
    /// The names of the classes of x.
    pub(crate) const CLASSES: [&'static str; 6] = [CLASSES[0].0, CLASSES[1].0, CLASSES[2].0, CLASSES[3].0, CLASSES[4].0, CLASSES[5].0];

    /// The correlations of these customers.
    pub(super) fn of(rows: &SpendRows, context: &Context) -> Result<Self> {
        let x: Vec<f64> = rows.x.iter().map(|&x| f64::from(x)).collect();
        let weights = Some(rows.weight.as_slice());
        let by_x = CLASSES.iter().map(|&(name, from, to)| {
            // Rows ascend by x.
            let own = rows.x.partition_point(|&x| x < from)..rows.x.partition_point(|&x| x <= to);
            let customers: f64 = rows.weight[own.clone()].iter().sum();
            let sum: f64 = own.map(|row| rows.weight[row] * rows.mean[row]).sum();
            MeanOfX { x: name, customers: customers.round() as u64, mean: (customers > 0.0).then(|| sum / customers) }
        });
        Ok(Self {
            customers: rows.customers().round() as u64,
            by_x: by_x.collect(),
            pearson: pearson(&x, &rows.mean, weights),
            spearman: spearman(&x, &rows.mean, weights, context)?,
        })
    }
}
