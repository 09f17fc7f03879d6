//! Metrics of customers: what they are computed from in a table, and the columns that adjust them.

use arrow_array::RecordBatch;

use super::moments::MomentSet;
use super::spec::{Adjustment, EffectSpec, MetricKind, MetricSpec, OnMissing, Winsorize};
use super::values::{Columns, Expression, Filter, Transform};
use super::winsorize::quantile_type7;
use crate::column::number::Number;
use crate::error::{Error, ErrorKind, Result};

/// A metric, and its columns in the moments.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metric {
    pub name: String,
    pub kind: MetricKind,
    /// Position of its set of moments.
    pub set: usize,
    pub numerator: usize,
    /// Of a ratio.
    pub denominator: Option<usize>,
    pub covariates: Vec<usize>,
    /// The covariates in words.
    pub covariate_names: Vec<String>,
    /// The same metric in the window before: numerator, and denominator of a ratio.
    pub before: Vec<usize>,
    /// Values above it count as it.
    pub cap: Option<f64>,
}

/// The columns of a metric in a table.
struct Definition {
    name: String,
    kind: MetricKind,
    numerator: Expression,
    denominator: Option<Expression>,
    filter: Filter,
    /// The same in the window before.
    own: Vec<Expression>,
    /// The same in all time before.
    all_time: Vec<&'static str>,
}

/// The metrics that have names, and what they are computed from in an experiment table.
pub(super) const NAMED: [&str; 8] =
    ["orders", "revenue", "active", "repeat", "churned", "repurchase_rate", "average_order_value", "purchase_frequency"];

const ORDERS: &str = "orders_after";
const REVENUE: &str = "revenue_after";
const ORDERS_BEFORE: &str = "orders_before";
const REVENUE_BEFORE: &str = "revenue_before";
const N_ORDERS: &str = "n_orders";
const MONETARY_TOTAL: &str = "monetary_total";
const RECENCY: &str = "recency_days";
const METRICS: &str = "metrics";

/// The metrics of a spec and the sets of moments that they need.
pub(super) fn metrics_of(
    spec: &EffectSpec,
    batch: &RecordBatch,
    columns: &mut Columns,
    groups: &[u16],
) -> Result<(Vec<Metric>, Vec<MomentSet>)> {
    let (mut metrics, mut sets): (Vec<Metric>, Vec<MomentSet>) = (Vec::new(), Vec::new());
    if spec.metrics.is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "metrics is empty; expected at least one metric, such as 'revenue'"));
    }
    for asked in &spec.metrics {
        let mut definition = Definition::of(asked, batch, columns)?;
        if metrics.iter().any(|metric| metric.name == definition.name) {
            let message = format!("metrics has '{}' twice; pass each metric once", definition.name);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let mut covariates = definition.covariates(spec, batch, columns)?;
        if !asked.is_named() {
            definition.filter = missing(spec.on_missing, &definition, &covariates, columns)?;
        }
        let cap = definition.winsorize(spec.winsorize.as_ref(), columns, groups, &mut covariates)?;
        let at = sets.iter().position(|set| set.filter == definition.filter).unwrap_or_else(|| {
            sets.push(MomentSet { filter: definition.filter.clone(), ..MomentSet::default() });
            sets.len() - 1
        });
        let set = &mut sets[at];
        let outcome: Vec<usize> =
            [Some(definition.numerator), definition.denominator].into_iter().flatten().map(|column| set.column(column)).collect();
        let covariate_names = covariates.iter().map(|&column| columns.describe(column)).collect();
        let covariates: Vec<usize> = covariates.into_iter().map(|column| set.column(column)).collect();
        let before: Vec<usize> = definition.own.iter().map(|&column| set.column(column)).collect();
        let received = spec.received.as_ref().map(|name| columns.find(batch, name, "received")).transpose()?;
        let received = received.map(|column| set.column(Expression::value(column)));
        let all: Vec<usize> = outcome.iter().chain(&covariates).copied().chain(received).collect();
        for (i, &a) in all.iter().enumerate() {
            all[i..].iter().for_each(|&b| set.pair(a, b));
        }
        for (i, &a) in before.iter().enumerate() {
            before[i..].iter().for_each(|&b| set.pair(a, b));
        }
        if definition.kind == MetricKind::Mean {
            set.cube(outcome[0]);
        }
        metrics.push(Metric {
            name: definition.name,
            kind: definition.kind,
            set: at,
            numerator: outcome[0],
            denominator: outcome.get(1).copied(),
            covariates,
            covariate_names,
            before,
            cap,
        });
    }
    Ok((metrics, sets))
}

impl Definition {
    fn of(asked: &MetricSpec, batch: &RecordBatch, columns: &mut Columns) -> Result<Self> {
        let plain = |name: &String, kind, numerator, denominator| Self {
            name: name.clone(),
            kind,
            numerator,
            denominator,
            filter: Filter::All,
            own: Vec::new(),
            all_time: Vec::new(),
        };
        match asked {
            MetricSpec::Named(name) => Self::named(name, batch, columns),
            MetricSpec::Mean { name, column } => {
                Ok(plain(name, MetricKind::Mean, Expression::value(columns.find(batch, column, METRICS)?), None))
            }
            MetricSpec::Proportion { name, column } => {
                let at = columns.find(batch, column, METRICS)?;
                check_flags(columns, at, METRICS)?;
                Ok(plain(name, MetricKind::Proportion, Expression::value(at), None))
            }
            MetricSpec::Ratio { name, numerator, denominator } => {
                let (n, d) = (columns.find(batch, numerator, METRICS)?, columns.find(batch, denominator, METRICS)?);
                Ok(plain(name, MetricKind::Ratio, Expression::value(n), Some(Expression::value(d))))
            }
        }
    }

    fn named(name: &str, batch: &RecordBatch, columns: &mut Columns) -> Result<Self> {
        let mut value = |column: &str| columns.find(batch, column, METRICS).map(Expression::value);
        let (orders, orders_before) = (value(ORDERS)?, value(ORDERS_BEFORE)?);
        let needs_revenue = matches!(name, "revenue" | "average_order_value");
        let mut money = |column: &str| if needs_revenue { value(column) } else { Ok(orders) };
        let (revenue, revenue_before) = (money(REVENUE)?, money(REVENUE_BEFORE)?);
        let at_least = |expression: Expression, least| Expression { transform: Transform::AtLeast(least), ..expression };
        let (mean, proportion, ratio) = (MetricKind::Mean, MetricKind::Proportion, MetricKind::Ratio);
        let active = (at_least(orders, 1), at_least(orders_before, 1));
        let repeat = (at_least(orders, 2), at_least(orders_before, 2));
        let (kind, after, own, all_time) = match name {
            "orders" => (mean, vec![orders], vec![orders_before], vec![N_ORDERS]),
            "revenue" => (mean, vec![revenue], vec![revenue_before], vec![MONETARY_TOTAL]),
            "active" => (proportion, vec![active.0], vec![active.1], vec![N_ORDERS]),
            "repeat" => (proportion, vec![repeat.0], vec![repeat.1], vec![N_ORDERS]),
            "churned" => (proportion, vec![Expression { transform: Transform::Below(1), ..orders }], Vec::new(), vec![N_ORDERS]),
            "repurchase_rate" => (ratio, vec![repeat.0, active.0], vec![repeat.1, active.1], vec![N_ORDERS]),
            "average_order_value" => (ratio, vec![revenue, orders], vec![revenue_before, orders_before], vec![MONETARY_TOTAL, N_ORDERS]),
            "purchase_frequency" => (ratio, vec![orders, active.0], vec![orders_before, active.1], vec![N_ORDERS]),
            _ => {
                let message =
                    format!("metrics has '{name}'; expected one of {}, or Mean, Proportion or Ratio of columns", NAMED.join(", "));
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
        };
        let filter = if name == "churned" { Filter::AtLeast(orders_before.column, 1) } else { Filter::All };
        Ok(Self { name: name.to_owned(), kind, numerator: after[0], denominator: after.get(1).copied(), filter, own, all_time })
    }

    /// The columns that adjust the metric.
    fn covariates(&self, spec: &EffectSpec, batch: &RecordBatch, columns: &mut Columns) -> Result<Vec<Expression>> {
        let without = |what: &str| {
            let message = format!(
                "adjust='{what}' needs a metric with a window before, and '{}' is a metric of columns; name the columns that were known before exposure instead",
                self.name
            );
            Err(Error::new(ErrorKind::InvalidArgument, message))
        };
        match &spec.adjust {
            Adjustment::None => Ok(Vec::new()),
            Adjustment::Own if self.all_time.is_empty() => without("own"),
            Adjustment::History if self.all_time.is_empty() => without("history"),
            Adjustment::Own => Ok(self.own.clone()),
            Adjustment::History => {
                let recency = columns.find(batch, RECENCY, "adjust")?;
                let n_orders = columns.find(batch, N_ORDERS, "adjust")?;
                let logarithm = |column| Expression { column, transform: Transform::LnOnePlus };
                let mut all = self.own.clone();
                for name in &self.all_time {
                    all.push(Expression::value(columns.find(batch, name, "adjust")?));
                }
                all.extend([logarithm(recency), logarithm(n_orders), Expression { column: recency, transform: Transform::IsKnown }]);
                Ok(all)
            }
            Adjustment::Columns(names) => names
                .iter()
                .map(|name| {
                    if name.ends_with("_after") {
                        let message = format!("adjust has '{name}', which by its name is from after exposure: adjusting by it would remove the effect. Name columns that were known before, such as '{}_before'", name.trim_end_matches("_after"));
                        return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name));
                    }
                    columns.find(batch, name, "adjust").map(Expression::value)
                })
                .collect(),
        }
    }

    /// Caps the metric and its own covariate.
    fn winsorize(
        &mut self,
        how: Option<&Winsorize>,
        columns: &Columns,
        groups: &[u16],
        covariates: &mut [Expression],
    ) -> Result<Option<f64>> {
        let Some(how) = how else { return Ok(None) };
        if self.kind != MetricKind::Mean || self.numerator.transform != Transform::Value {
            return match how {
                Winsorize::Quantile(_) => Ok(None),
                Winsorize::Caps(caps) if caps.iter().all(|(name, _)| *name != self.name) => Ok(None),
                Winsorize::Caps(_) => {
                    let message = format!("winsorize has '{}', which is no mean; only means can be capped", self.name);
                    Err(Error::new(ErrorKind::InvalidArgument, message))
                }
            };
        }
        let own = self.own.first().copied();
        let (cap, own_cap) = match how {
            Winsorize::Quantile(q) => {
                let of = |column: usize| quantile_type7(columns.get(column), &self.filter, columns, groups, *q);
                (of(self.numerator.column), own.map(|own| of(own.column)))
            }
            Winsorize::Caps(caps) => match caps.iter().find(|(name, _)| *name == self.name) {
                Some(&(_, cap)) => (cap, own.map(|_| cap)),
                None => return Ok(None),
            },
        };
        self.numerator.transform = Transform::Capped(cap);
        if let (Some(own), Some(own_cap)) = (own, own_cap) {
            let capped = Expression { transform: Transform::Capped(own_cap), ..own };
            covariates.iter_mut().filter(|column| **column == own).for_each(|column| *column = capped);
            self.own[0] = capped;
        }
        Ok(Some(cap))
    }
}

/// An error unless all values of a column are 0, 1 or null.
pub(super) fn check_flags(columns: &Columns, at: usize, role: &str) -> Result<()> {
    let column = columns.get(at);
    let is_flag = |row: usize| column.get(row).is_none_or(|value| [0, 1].iter().any(|&flag| value.compare(Number::Integer(flag)).is_eq()));
    let Some(row) = (0..column.len()).find(|&row| !is_flag(row)) else { return Ok(()) };
    let (name, value) = (columns.name(at), column.get(row).map_or(f64::NAN, Number::to_f64));
    let message = format!("column '{name}' ({role}) is {value} at row {row}; expected 0 or 1");
    Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name).at_row(row as u64))
}

/// The customers of a metric of columns, in which a null or NaN is an error, 0, or leaves the customer out.
fn missing(how: OnMissing, definition: &Definition, covariates: &[Expression], columns: &Columns) -> Result<Filter> {
    let used = [Some(definition.numerator), definition.denominator].into_iter().flatten().chain(covariates.iter().copied());
    let mut used: Vec<usize> = used.map(|expression| expression.column).collect();
    used.sort_unstable();
    used.dedup();
    let first_missing = |&at: &usize| {
        let column = columns.get(at);
        (column.valid_rows() < column.len()).then(|| (0..column.len()).find(|&row| !column.is_valid(row))).flatten().map(|row| (at, row))
    };
    match (how, used.iter().find_map(first_missing)) {
        // The same for all batches of a table.
        (OnMissing::Drop, _) => Ok(Filter::Complete(used)),
        (_, None) | (OnMissing::Zero, _) => Ok(Filter::All),
        (OnMissing::Error, Some((at, row))) => {
            let name = columns.name(at);
            let message = format!(
                "column '{name}' of metric '{}' is null at row {row}. Fill it, or pass on_missing='zero' (it counts as 0) or 'drop' (the customer is left out of the metric)",
                definition.name
            );
            Err(Error::new(ErrorKind::NullValue, message).in_column(name).at_row(row as u64))
        }
    }
}
