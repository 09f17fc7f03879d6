//! Segment transitions and time in segment: the base is scored as of each date in turn. Customers are matched by their codes,
//! which are the same in all views of one base.

mod edges;
pub(crate) mod kernel;
pub(crate) mod table;

pub use self::edges::ScorerEdges;
use self::kernel::{SpellDurations, TimeInSegment};
use self::table::{Step, time_in_segment_table, transitions_table};
use super::rfm_of;
use super::scorer::RfmScorer;
use crate::analysis::dates::ascending;
use crate::analysis::moves::{MoveCounts, by_code};
use crate::base::CustomerBase;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::num::money::Money;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::Table;
use crate::time::calendar::date_text;

/// Customers who moved between segments from each date to the next, with their revenue and share. The report is that of the
/// last date.
pub fn transitions(base: &CustomerBase, dates: &[AsOf], scorer: &RfmScorer, edges: ScorerEdges, context: &Context) -> Result<Table> {
    let mut scorer = SnapshotScorer::new(scorer, edges)?;
    let days = ascending(dates, 2, &base.input_schema()?.clock)?;
    let mut counts = vec![MoveCounts::new(scorer.names.len()); days.len() - 1];
    let mut before = Vec::new();
    scorer.observe(base, &days, context, |at, _, snapshot| {
        if let Some(counts) = at.checked_sub(1).map(|step| &mut counts[step]) {
            counts.add(&before, &snapshot.codes, &snapshot.segments, &snapshot.units);
        }
        before = snapshot.by_code();
        Ok(())
    })?;
    let mut report = scorer.report(days.len());
    let mut steps = Vec::with_capacity(counts.len());
    for (ends, counts) in days.windows(2).zip(counts) {
        let (from, to) = (ends[0], ends[1]);
        let (moves, left) = counts.finish();
        if left > 0 {
            let (from, to) = (date_text(from), date_text(to));
            report
                .remarks
                .push(format!("{left} customers of {from} are not buyers as of {to}: later rows turned their orders into refunds"));
        }
        steps.push(Step { from, to, moves });
    }
    transitions_table(&steps, &scorer.names, scorer.money, edges, report)
}

/// Time in segment: how long customers remain in each segment, observed at the given dates.
pub fn time_in_segment(base: &CustomerBase, dates: &[AsOf], scorer: &RfmScorer, edges: ScorerEdges, context: &Context) -> Result<Table> {
    let mut scorer = SnapshotScorer::new(scorer, edges)?;
    let days = ascending(dates, 2, &base.input_schema()?.clock)?;
    let n = scorer.names.len();
    let (mut times, mut spells) = (TimeInSegment::new(n), vec![SpellDurations::default(); n]);
    scorer.observe(base, &days, context, |at, _, snapshot| {
        times.observe(days[at], &snapshot.by_code());
        if at + 1 == days.len() {
            let more = std::mem::replace(&mut times, TimeInSegment::new(n)).finish();
            spells.iter_mut().zip(more).for_each(|(spells, more)| spells.add(&more));
        }
        Ok(())
    })?;
    let report = scorer.report(days.len());
    time_in_segment_table(&spells, &scorer.names, report)
}

/// Passes the buyers of a base as of each of some ascending days to `take`, with their segments by one scorer, which is fitted on
/// the buyers of the last day unless it is fitted. Returns the names of segments, and the remarks of the fit.
pub(crate) fn follow_segments(
    base: &CustomerBase,
    days: &[i32],
    scorer: &RfmScorer,
    context: &Context,
    take: impl FnMut(usize, &CustomerBase, &Snapshot) -> Result<()>,
) -> Result<(Vec<String>, Vec<String>)> {
    let mut scorer = SnapshotScorer::new(scorer, ScorerEdges::Frozen)?;
    if let Some(last) = days.last().filter(|_| scorer.scorer.scorer().is_err()) {
        scorer.fit_dates(base, &[*last], context)?;
        scorer.of_dates.clear();
    }
    scorer.observe(base, days, context, take)?;
    let remarks = scorer.scorer.remarks().to_vec();
    Ok((scorer.names, remarks))
}

/// The scored buyers as of one day.
pub(crate) struct Snapshot {
    pub(crate) codes: Vec<u32>,
    pub(crate) segments: Vec<u16>,
    /// Money of all their orders, in units.
    pub(crate) units: Vec<i128>,
    /// Number of customer codes.
    customers: usize,
}

impl Snapshot {
    pub(crate) fn by_code(&self) -> Vec<u16> {
        by_code(&self.codes, &self.segments, self.customers)
    }
}

/// Scores the base as of successive days.
struct SnapshotScorer {
    names: Vec<String>,
    scorer: RfmScorer,
    edges: ScorerEdges,
    /// The scorer of each date, if they were fitted before the base is scored.
    of_dates: Vec<RfmScorer>,
    money: Option<Money>,
    /// Report of the last day.
    report: Option<Report>,
    /// Remarks of the fits, with the number of fits that made them.
    remarks: Vec<(String, usize)>,
}

impl SnapshotScorer {
    fn new(scorer: &RfmScorer, edges: ScorerEdges) -> Result<Self> {
        let names = scorer.segment_names()?.ok_or_else(RfmScorer::without_segments)?;
        let (money, report, remarks) = (None, None, Vec::new());
        Ok(Self { names, scorer: scorer.clone(), edges, of_dates: Vec::new(), money, report, remarks })
    }

    /// Passes the snapshots of all days in turn to `take`, with the number of the day and the base; of a base on disk range by range.
    fn observe(
        &mut self,
        base: &CustomerBase,
        days: &[i32],
        context: &Context,
        mut take: impl FnMut(usize, &CustomerBase, &Snapshot) -> Result<()>,
    ) -> Result<()> {
        if base.is_spilled() {
            self.fit_dates(base, days, context)?;
        }
        base.by_ranges(context, |part| {
            for (at, &day) in days.iter().enumerate() {
                let (snapshot, report) = self.snapshot((at, day), part, context)?;
                take(at, part, &snapshot)?;
                if at + 1 == days.len() {
                    match &mut self.report {
                        None => self.report = Some(report),
                        Some(whole) => whole.join(&report),
                    }
                }
            }
            Ok(())
        })
    }

    /// Fits the scorer of each date on a base on disk. A fit takes the columns of all customers that it reads.
    fn fit_dates(&mut self, base: &CustomerBase, days: &[i32], context: &Context) -> Result<()> {
        for (at, &day) in days.iter().enumerate() {
            let frozen = self.edges == ScorerEdges::Frozen;
            if frozen && at == 0 && self.scorer.scorer().is_ok() {
                self.add_remarks();
            } else if !frozen || at == 0 {
                let columns = self.scorer.used_columns();
                let reads_all = self.scorer.spec().score.finds_ids();
                let mut batches = Vec::new();
                base.by_ranges(context, |part| {
                    let (Table { batch, .. }, _) =
                        rfm_of(&part.view_in(Some(day), context)?, false, &self.scorer.scored_inputs(), context)?;
                    let schema = batch.schema();
                    let is_read = |name: &String| reads_all || columns.contains(name);
                    let read: Vec<usize> = (0..schema.fields().len()).filter(|&at| is_read(schema.field(at).name())).collect();
                    batches.push(batch.project(&read).map_err(Error::internal)?);
                    Ok(())
                })?;
                // Without buyers there is no data to fit on.
                if frozen || batches.iter().any(|batch| batch.num_rows() > 0) {
                    self.scorer.fit(&batches, context).map_err(|error| error.said_of(&date_text(day)))?;
                    self.add_remarks();
                }
            }
            self.of_dates.push(self.scorer.clone());
        }
        Ok(())
    }

    /// The snapshot of a day, and its report.
    fn snapshot(&mut self, (at, day): (usize, i32), base: &CustomerBase, context: &Context) -> Result<(Snapshot, Report)> {
        context.check()?;
        let view = base.view_in(Some(day), context)?;
        let (table, codes) = rfm_of(&view, false, &self.scorer.scored_inputs(), context)?;
        let totals = view.totals();
        let units = context.run_if_large(codes.len(), |threads| threads.par_map(codes.len(), |row| totals.get(codes[row]).units))?;
        self.money = view.kinds().money;
        let fit = match self.edges {
            _ if !self.of_dates.is_empty() => false,
            ScorerEdges::Frozen => self.scorer.scorer().is_err(),
            // Without buyers there is no data to fit on.
            ScorerEdges::Refit => !codes.is_empty(),
        };
        let of_day = |error: Error| error.said_of(&date_text(day));
        let segments = if fit {
            self.scorer.fit_segments(&table.batch, context).map_err(of_day)?
        } else if codes.is_empty() {
            Vec::new()
        } else {
            self.of_dates.get(at).unwrap_or(&self.scorer).segment_rows(&table.batch, context).map_err(of_day)?
        };
        let has_new_remarks = match self.edges {
            _ if !self.of_dates.is_empty() => false,
            ScorerEdges::Frozen => at == 0,
            ScorerEdges::Refit => fit,
        };
        if has_new_remarks {
            self.add_remarks();
        }
        Ok((Snapshot { codes, segments, units, customers: view.customers() }, table.report))
    }

    /// Counts the remarks of the last fit.
    fn add_remarks(&mut self) {
        for remark in self.scorer.remarks() {
            match self.remarks.iter_mut().find(|(known, _)| known == remark) {
                Some((_, count)) => *count += 1,
                None => self.remarks.push((remark.clone(), 1)),
            }
        }
    }

    /// The report of the last day with the remarks of the fits.
    fn report(&mut self, dates: usize) -> Report {
        let mut report = self.report.take().unwrap_or_default();
        report.remarks.extend(self.remarks.drain(..).map(|(remark, count)| match self.edges {
            ScorerEdges::Frozen => remark,
            ScorerEdges::Refit => format!("at {count} of {dates} dates: {remark}"),
        }));
        report
    }
}
