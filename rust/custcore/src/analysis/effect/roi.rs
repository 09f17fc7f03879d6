//! Return on a campaign's cost, from the effect on revenue.

use super::result::EffectResult;
use super::rows::EffectRow;
use crate::error::{Error, ErrorKind, Result};
use crate::num::normal::normal_cdf;

/// What a campaign cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CampaignCost {
    /// In all.
    pub fixed: f64,
    /// For each customer of the group.
    pub per_contact: f64,
    /// For each order of the group in the window.
    pub per_order: f64,
}

/// The return of a group; NaN is null.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoiRow {
    pub group: usize,
    pub contacts: u64,
    pub cost: f64,
    pub increment: [f64; 3],
    pub roi: [f64; 3],
    pub revenue_per_cost: f64,
    pub break_even_effect: f64,
    pub p_positive: f64,
}

impl EffectResult {
    /// A row for each group, from its effect on `metric`.
    pub(super) fn roi_rows(&self, metric: &str, margin: f64, cost: CampaignCost) -> Result<Vec<RoiRow>> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if !(margin.is_finite() && margin > 0.0) {
            return invalid(format!("margin={margin}; expected the share of revenue that is profit, above 0"));
        }
        for (name, value) in [("fixed", cost.fixed), ("per_contact", cost.per_contact), ("per_order", cost.per_order)] {
            if !(value.is_finite() && value >= 0.0) {
                return invalid(format!("cost has {name}={value}; expected an amount of 0 or more"));
            }
        }
        let Some(at) = self.metrics.iter().position(|known| known.name == metric) else {
            let names: Vec<&str> = self.metrics.iter().map(|metric| metric.name.as_str()).collect();
            return invalid(format!("roi needs the effect on '{metric}', which is not among the metrics {}", names.join(", ")));
        };
        let orders = self.orders_of_groups();
        if cost.per_order > 0.0 && orders.is_none() {
            return invalid("a cost per order needs the metric 'orders' among the metrics".to_owned());
        }
        let rows = self.whole_rows(&self.moments, None)?;
        let row = |row: &EffectRow| {
            let n = row.n_treatment as f64;
            let of_orders = orders.as_ref().map_or(0.0, |orders| orders[row.group]);
            let cost = cost.fixed + cost.per_contact * n + cost.per_order * of_orders;
            let difference = &row.difference;
            let increment = [difference.effect, difference.low, difference.high].map(|effect| effect * n);
            let by_cost = |value: f64| if cost > 0.0 { value / cost } else { f64::NAN };
            let profit = margin * increment[0] - cost;
            RoiRow {
                group: row.group,
                contacts: row.n_treatment,
                cost,
                increment,
                roi: increment.map(|increment| by_cost(margin * increment - cost)),
                revenue_per_cost: by_cost(increment[0]),
                break_even_effect: if cost > 0.0 { cost / (margin * n) } else { f64::NAN },
                p_positive: if difference.se > 0.0 && cost > 0.0 { normal_cdf(profit / (margin * difference.se * n)) } else { f64::NAN },
            }
        };
        Ok(rows.iter().filter(|row| row.metric == at).map(row).collect())
    }

    /// Orders in the window, by group.
    fn orders_of_groups(&self) -> Option<Vec<f64>> {
        let metric = self.metrics.iter().find(|metric| metric.name == "orders")?;
        let mut orders = vec![0.0; self.groups.len()];
        for (cell, sums) in &self.moments[metric.set] {
            orders[usize::from(cell.group)] += sums.sum(metric.numerator);
        }
        Some(orders)
    }
}
