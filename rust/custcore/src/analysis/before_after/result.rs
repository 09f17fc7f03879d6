//! A comparison before and after: its computation, and what it answers.

use arrow_array::RecordBatch;

use super::balance::BalanceRow;
use super::customer::Part;
use super::customers::{Wave, baseline_start, customers_of};
use super::draws::Controls;
use super::estimate::{Estimate, Matched};
use super::spec::{Baseline, BeforeAfterSpec, ComparedMetric, MatchColumn};
use super::strata::{Sample, StrataBuilder, scale_of};
use super::treated::{NEVER, Treated, excluded};
use crate::base::CustomerBase;
use crate::column::customer_id::CustomerId;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::Interner;
use crate::num::money::Money;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};

/// What is known of a comparison at some days.
#[derive(Debug, Clone)]
pub(super) struct Compared {
    pub estimates: Vec<Estimate>,
    pub matched: Matched,
}

/// A comparison before and after.
#[derive(Debug)]
pub struct BeforeAfter {
    pub(super) spec: BeforeAfterSpec,
    pub(super) estimates: Vec<Estimate>,
    pub(super) matched: Matched,
    pub(super) balance: Vec<BalanceRow>,
    /// Everything moved one window back.
    pub(super) placebo: Compared,
    pub(super) controls: Controls,
    /// Treated customers of each stratum.
    pub(super) treated_of_strata: Vec<u64>,
    /// Orders of the treated in the window after.
    pub(super) orders_after: u64,
    /// The days of treatment, ascending.
    pub(super) waves: Vec<i32>,
    /// What was left out.
    pub report: Report,
}

impl BeforeAfter {
    /// Compares the treated customers of a table with others of a base that has day records.
    pub fn new(
        base: &CustomerBase,
        treated: &[RecordBatch],
        exclude: &[CustomerId],
        mut spec: BeforeAfterSpec,
        context: &Context,
    ) -> Result<Self> {
        if !base.spec().track.looks_back() {
            let message = "before_after needs the days of purchases; build the base with track='days' or track='orders'";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        let input_schema = base.input_schema()?;
        let (clock, money) = (&input_schema.clock, input_schema.money);
        spec.check(money.is_some())?;
        if spec.matching.is_empty() {
            spec.matching = MatchColumn::usual(money.is_some());
        }
        let as_of = spec.as_of.map(|day| day.day(clock)).transpose()?;
        let Some(as_of) = as_of.or_else(|| base.last_day()) else {
            return Err(Error::new(ErrorKind::NotEnoughData, "the base has no data, so no window is over. Update it first"));
        };
        let mut treated = Treated::read(treated, &spec, &input_schema.id, clock, context).map_err(|error| error.said_of("treated"))?;
        let waves = treated.waves(&spec, as_of)?;
        let excluded = excluded(exclude, &input_schema.id).map_err(|error| error.said_of("exclude"))?;
        let comparison = Comparison { base, spec: &spec, treated: &treated, excluded: &excluded, waves: &waves, as_of, money };
        let (sample, controls, known) = comparison.sample(0, context)?;
        let (placebo, _, _) = comparison.sample(spec.windows.lag + spec.windows.days_after, context)?;
        let compared = |sample: &Sample| Compared { estimates: estimates_of(sample, &spec), matched: sample.matched() };
        let (own, placebo) = (compared(&sample), compared(&placebo));
        let report = comparison.report(&own.matched, known);
        Ok(Self {
            estimates: own.estimates,
            matched: own.matched,
            balance: sample.balance(money.is_some()),
            placebo,
            treated_of_strata: sample.strata.iter().map(|stratum| stratum.n(1)).collect(),
            controls,
            orders_after: sample.orders_after,
            waves,
            report,
            spec,
        })
    }
}

fn estimates_of(sample: &Sample, spec: &BeforeAfterSpec) -> Vec<Estimate> {
    let metrics = spec.metrics.iter().enumerate();
    metrics.flat_map(|(at, &metric)| sample.estimates(at, metric == ComparedMetric::Revenue, spec.windows)).collect()
}

struct Comparison<'a> {
    base: &'a CustomerBase,
    spec: &'a BeforeAfterSpec,
    treated: &'a Treated,
    excluded: &'a Interner,
    waves: &'a [i32],
    as_of: i32,
    money: Option<Money>,
}

impl Comparison<'_> {
    /// The customers of all waves, moved so many days back, by stratum; the controls of matched strata; and the treated who had
    /// bought before.
    fn sample(&self, days_back: i32, context: &Context) -> Result<(Sample, Controls, u64)> {
        let mut builder = StrataBuilder::new(self.spec, self.money);
        let money_scale = self.money.map_or(0, scale_of);
        let mut controls = Controls::default();
        let mut known = 0;
        for (at, &treated_on) in self.waves.iter().enumerate() {
            let wave = Wave { treated_on, day: treated_on - days_back, as_of: self.as_of - days_back };
            let customers = customers_of(self.base, self.spec, (self.treated, self.excluded), wave, context)?;
            let places = context.run_if_large(customers.len(), |threads| builder.add(at as i64, &customers, threads))?;
            known += customers.iter().filter(|customer| customer.part == Part::Treated && customer.is_known()).count() as u64;
            if days_back > 0 {
                continue;
            }
            // Each wave has strata of its own, so it is known now which of them have customers of both arms.
            for (place, customer) in places.into_iter().zip(&customers).filter(|(_, customer)| customer.part == Part::Control) {
                if let Some(place) = place.filter(|&place| builder.is_matched(place)) {
                    controls.add(place, customer, &self.spec.metrics, money_scale);
                }
            }
        }
        let (sample, places) = builder.finish();
        controls.sort(&places, context)?;
        Ok((sample, controls, known))
    }

    fn report(&self, matched: &Matched, known: u64) -> Report {
        let tally = |count: u64| {
            let mut tally = Tally::default();
            tally.add_many(count, 0);
            tally
        };
        let entry = |name, kind, unit, tally: &Tally| ReportEntry::new(name, kind, unit, tally, None);
        let (left_out, note) = (EntryKind::LeftOut, EntryKind::Note);
        let read = self.treated;
        let entries = vec![
            entry("null_id", left_out, ReportUnit::Rows, &read.null_ids),
            entry("null_date", left_out, ReportUnit::Rows, &read.null_dates),
            entry("repeated_row", left_out, ReportUnit::Rows, &read.repeated),
            entry("window_not_over", left_out, ReportUnit::Customers, &read.not_over),
            entry("without_control", left_out, ReportUnit::Customers, &tally(matched.treated - matched.matched)),
            entry("not_bought_before", note, ReportUnit::Customers, &tally(matched.treated - known)),
        ];
        let mut remarks = Vec::new();
        let first_day = self.base.first_day().unwrap_or(i32::MAX);
        let mut cut_off = |what: &str, start: &dyn Fn(i32) -> i32| {
            let count = read.days.iter().filter(|&&day| day != NEVER && start(day) < first_day).count();
            if count > 0 {
                remarks.push(format!("{what} of {count} treated customers begins before the data"));
            }
        };
        let placebo = self.spec.windows.lag + self.spec.windows.days_after;
        cut_off("the window before", &|day| day - self.spec.windows.days_before);
        cut_off("the window before of the placebo", &|day| day - placebo - self.spec.windows.days_before);
        if self.spec.baseline == Baseline::YearBefore {
            cut_off("the window a year earlier", &|day| baseline_start(self.spec, day));
        }
        Report { entries, n_rows: read.rows, as_of: Some(self.as_of), remarks }
    }
}
