//! Tables of the effect of an experiment.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::result::EffectResult;
use super::roi::CampaignCost;
use super::rows::EffectRow;
use crate::error::Result;
use crate::table::{Table, TableBuilder, nullable_floats};

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn floats(values: impl Iterator<Item = f64>) -> ArrayRef {
    nullable_floats(values.collect())
}

fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(values.map(|value| value as i64).collect::<Int64Array>())
}

impl EffectResult {
    /// The effects: rows of all customers, then of segments, then of periods.
    pub fn table(&self) -> Result<Table> {
        let mut rows = self.whole_rows(&self.moments, None)?;
        if self.spec.by.is_some() {
            rows.extend(self.segment_rows()?);
        }
        for (at, period) in self.periods.iter().enumerate() {
            rows.extend(self.whole_rows(&period.own, Some(at))?);
        }
        let mut table = TableBuilder::default();
        self.effect_columns(&mut table, &rows);
        let mut report = self.report.clone();
        report.remarks.extend(self.remarks()?);
        table.finish(rows.len(), Metadata::new(), report)
    }

    /// The effects by segment, with their shrunk values.
    pub fn segments(&self) -> Result<Table> {
        let rows = if self.spec.by.is_some() { self.segment_rows()? } else { Vec::new() };
        let shrunk = self.shrink(&rows);
        let mut table = TableBuilder::default();
        self.effect_columns(&mut table, &rows);
        table.column("scale", floats(shrunk.iter().map(|row| row.scale)));
        table.column("shrunk", floats(shrunk.iter().map(|row| row.shrunk)));
        table.column("shrunk_se", floats(shrunk.iter().map(|row| row.shrunk_se)));
        table.column("q", floats(shrunk.iter().map(|row| row.q)));
        table.column("q_p_value", floats(shrunk.iter().map(|row| row.q_p_value)));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    /// The effects by period, and from the start of the window up to the end of each.
    pub fn periods(&self) -> Result<Table> {
        let (mut rows, mut cumulative, mut days) = (Vec::new(), Vec::new(), Vec::new());
        for (at, period) in self.periods.iter().enumerate() {
            let own = self.whole_rows(&period.own, Some(at))?;
            days.extend(own.iter().map(|_| (period.first_day, period.last_day)));
            rows.extend(own);
            cumulative.extend(self.whole_rows(&period.cumulative, Some(at))?);
        }
        let mut table = TableBuilder::default();
        self.effect_columns(&mut table, &rows);
        table.column("first_day", Arc::new(days.iter().map(|days| days.0).collect::<Int32Array>()));
        table.column("last_day", Arc::new(days.iter().map(|days| days.1).collect::<Int32Array>()));
        table.column("cumulative", floats(cumulative.iter().map(|row| row.difference.effect)));
        table.column("cumulative_low", floats(cumulative.iter().map(|row| row.difference.low)));
        table.column("cumulative_high", floats(cumulative.iter().map(|row| row.difference.high)));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    fn effect_columns(&self, table: &mut TableBuilder, rows: &[EffectRow]) {
        let metric = |row: &EffectRow| &self.metrics[row.metric];
        let adjust = self.spec.adjust.name();
        table.column("metric", texts(rows.iter().map(|row| Some(metric(row).name.as_str()))));
        table.column("kind", texts(rows.iter().map(|row| Some(metric(row).kind.name()))));
        table.column("group", texts(rows.iter().map(|row| Some(self.groups[row.group].as_str()))));
        table.column("segment", texts(rows.iter().map(|row| row.segment.map(|segment| self.segments[segment].as_str()))));
        table.column("period", Arc::new(rows.iter().map(|row| row.period.map(|period| period as i32)).collect::<Int32Array>()));
        table.column("n_control", counts(rows.iter().map(|row| row.n_control)));
        table.column("n_treatment", counts(rows.iter().map(|row| row.n_treatment)));
        let column = |value: &dyn Fn(&EffectRow) -> f64| floats(rows.iter().map(value));
        table.column("control", column(&|row| row.difference.control));
        table.column("treatment", column(&|row| row.difference.treatment));
        table.column("effect", column(&|row| row.difference.effect));
        table.column("se", column(&|row| row.difference.se));
        table.column("df", column(&|row| row.difference.df));
        table.column("low", column(&|row| row.difference.low));
        table.column("high", column(&|row| row.difference.high));
        table.column("p_value", column(&|row| row.difference.p_value));
        table.column("p_adjusted", column(&|row| row.p_adjusted));
        table.column("relative", column(&|row| row.difference.relative));
        table.column("relative_low", column(&|row| row.difference.relative_low));
        table.column("relative_high", column(&|row| row.difference.relative_high));
        let adjusted = |row: &EffectRow| adjust.as_deref().filter(|_| !metric(row).covariates.is_empty());
        table.column("adjust", texts(rows.iter().map(adjusted)));
        table.column("variance_ratio", column(&|row| row.variance_ratio));
        let cap = |row: &EffectRow| metric(row).cap.filter(|_| row.period.is_none());
        table.column("cap", Arc::new(rows.iter().map(cap).collect::<Float64Array>()));
    }

    /// The checks of the experiment; flagged ones first.
    pub fn checks(&self) -> Result<Table> {
        let rows = self.check_rows()?;
        let mut table = TableBuilder::default();
        table.column("check", texts(rows.iter().map(|row| Some(row.check))));
        table.column("metric", texts(rows.iter().map(|row| row.metric.as_deref())));
        table.column("group", texts(rows.iter().map(|row| row.group.as_deref())));
        table.column("statistic", floats(rows.iter().map(|row| row.statistic)));
        table.column("df", floats(rows.iter().map(|row| row.df)));
        table.column("p_value", floats(rows.iter().map(|row| row.p_value)));
        table.column("value", floats(rows.iter().map(|row| row.value)));
        table.column("flagged", Arc::new(rows.iter().map(|row| Some(row.flagged)).collect::<BooleanArray>()));
        table.column("message", texts(rows.iter().map(|row| Some(row.message.as_str()))));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    /// The effect on those whom the campaign reached.
    pub fn received(&self) -> Result<Table> {
        let rows = self.received_rows()?;
        let mut table = TableBuilder::default();
        table.column("metric", texts(rows.iter().map(|row| Some(self.metrics[row.metric].name.as_str()))));
        table.column("group", texts(rows.iter().map(|row| Some(self.groups[row.group].as_str()))));
        table.column("share_treatment", floats(rows.iter().map(|row| row.share_treatment)));
        table.column("share_control", floats(rows.iter().map(|row| row.share_control)));
        table.column("effect", floats(rows.iter().map(|row| row.effect)));
        table.column("se", floats(rows.iter().map(|row| row.se)));
        table.column("low", floats(rows.iter().map(|row| row.low)));
        table.column("high", floats(rows.iter().map(|row| row.high)));
        table.column("p_value", floats(rows.iter().map(|row| row.p_value)));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    /// The return on the cost of each group.
    pub fn roi(&self, metric: &str, margin: f64, cost: CampaignCost) -> Result<Table> {
        let rows = self.roi_rows(metric, margin, cost)?;
        let mut table = TableBuilder::default();
        table.column("group", texts(rows.iter().map(|row| Some(self.groups[row.group].as_str()))));
        table.column("contacts", counts(rows.iter().map(|row| row.contacts)));
        table.column("cost", floats(rows.iter().map(|row| row.cost)));
        for (at, name) in ["increment", "increment_low", "increment_high"].into_iter().enumerate() {
            table.column(name, floats(rows.iter().map(|row| row.increment[at])));
        }
        for (at, name) in ["roi", "roi_low", "roi_high"].into_iter().enumerate() {
            table.column(name, floats(rows.iter().map(|row| row.roi[at])));
        }
        table.column("revenue_per_cost", floats(rows.iter().map(|row| row.revenue_per_cost)));
        table.column("break_even_effect", floats(rows.iter().map(|row| row.break_even_effect)));
        table.column("p_positive", floats(rows.iter().map(|row| row.p_positive)));
        table.finish(rows.len(), Metadata::new(), self.report.clone())
    }

    /// The moments of each metric by group, stratum and segment: customers, sums, and sums of squared deviations.
    pub fn moments_table(&self) -> Result<Table> {
        let (mut metrics, mut cells, mut sums): (Vec<&str>, Vec<_>, Vec<[f64; 4]>) = (Vec::new(), Vec::new(), Vec::new());
        for metric in &self.metrics {
            let set = &self.sets[metric.set];
            for (cell, found) in &self.moments[metric.set] {
                metrics.push(&metric.name);
                cells.push((cell, found.n));
                let of = |column: usize| -> Result<(f64, f64)> { Ok((found.sum(column), found.deviations(set, column, column)?)) };
                let (numerator, squares) = of(metric.numerator)?;
                let (denominator, denominator_squares) = metric.denominator.map_or(Ok((f64::NAN, f64::NAN)), of)?;
                sums.push([numerator, squares, denominator, denominator_squares]);
            }
        }
        let mut table = TableBuilder::default();
        table.column("metric", texts(metrics.iter().map(|name| Some(*name))));
        table.column("group", texts(cells.iter().map(|(cell, _)| Some(self.groups[usize::from(cell.group)].as_str()))));
        let has_strata = self.spec.strata.is_some();
        let stratum = |cell: &super::moments::Cell| has_strata.then(|| self.strata[usize::from(cell.stratum)].as_str());
        table.column("stratum", texts(cells.iter().map(|(cell, _)| stratum(cell))));
        let has_segments = self.spec.by.is_some();
        let segment = |cell: &super::moments::Cell| has_segments.then(|| self.segments[usize::from(cell.segment)].as_str());
        table.column("segment", texts(cells.iter().map(|(cell, _)| segment(cell))));
        table.column("customers", counts(cells.iter().map(|(_, n)| *n)));
        for (at, name) in ["sum", "squared_deviations", "denominator", "denominator_squared_deviations"].into_iter().enumerate() {
            table.column(name, floats(sums.iter().map(|row| row[at])));
        }
        table.finish(metrics.len(), Metadata::new(), self.report.clone())
    }
}
