//! Segment transitions and time in segment: the base is scored as of each date in turn. Customers are matched by their codes,
//! which are the same in all views of one base.

mod edges;
pub(crate) mod kernel;
mod table;

pub use self::edges::ScorerEdges;
use self::kernel::{TimeInSegment, by_code, moves};
use self::table::{Step, time_in_segment_table, transitions_table};
use super::rfm_of;
use super::scorer::RfmScorer;
use crate::base::CustomerBase;
use crate::column::time::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::Money;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::Table;
use crate::time::calendar::date_text;

/// The days of at least two ascending dates.
fn ascending(dates: &[AsOf], clock: &Clock) -> Result<Vec<i32>> {
    let days = dates.iter().map(|date| date.day(clock)).collect::<Result<Vec<i32>>>()?;
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
    if days.len() < 2 {
        return invalid(format!("dates has {} dates; at least 2 are needed", days.len()));
    }
    if let Some(pair) = days.windows(2).find(|pair| pair[0] >= pair[1]) {
        let (before, after) = (date_text(pair[0]), date_text(pair[1]));
        return invalid(if before == after {
            format!("dates has {before} twice; pass each date once")
        } else {
            format!("dates must ascend, but {after} comes after {before}; sort them")
        });
    }
    Ok(days)
}

/// Customers who moved between segments from each date to the next, with their revenue and share. The report is that of the
/// last date.
pub fn transitions(base: &CustomerBase, dates: &[AsOf], scorer: &RfmScorer, edges: ScorerEdges, context: &Context) -> Result<Table> {
    let mut scorer = SnapshotScorer::new(scorer, edges)?;
    let (mut steps, mut refund_remarks) = (Vec::new(), Vec::new());
    let mut before: Option<(i32, Vec<u16>)> = None;
    for day in ascending(dates, &base.known()?.0.clock)? {
        let snapshot = scorer.snapshot(day, base, context)?;
        if let Some((from, before)) = before {
            let (moves, left) = moves(&before, &snapshot.codes, &snapshot.segments, &snapshot.units, scorer.names.len());
            steps.push(Step { from, to: day, moves });
            if left > 0 {
                refund_remarks.push(format!(
                    "{left} customers of {} are not buyers as of {}: later rows turned their orders into refunds",
                    date_text(from),
                    date_text(day)
                ));
            }
        }
        before = Some((day, snapshot.by_code()));
    }
    let mut report = scorer.report();
    report.remarks.extend(refund_remarks);
    transitions_table(&steps, &scorer.names, scorer.money, edges, report)
}

/// Time in segment: how long customers remain in each segment, observed at the given dates.
pub fn time_in_segment(base: &CustomerBase, dates: &[AsOf], scorer: &RfmScorer, edges: ScorerEdges, context: &Context) -> Result<Table> {
    let mut scorer = SnapshotScorer::new(scorer, edges)?;
    let mut times = TimeInSegment::new(scorer.names.len());
    for day in ascending(dates, &base.known()?.0.clock)? {
        let snapshot = scorer.snapshot(day, base, context)?;
        times.observe(day, &snapshot.by_code());
    }
    let report = scorer.report();
    time_in_segment_table(&times.finish(), &scorer.names, report)
}

/// The scored buyers as of one day.
struct Snapshot {
    codes: Vec<u32>,
    segments: Vec<u16>,
    units: Vec<i128>,
    /// Number of customer codes.
    customers: usize,
}

impl Snapshot {
    fn by_code(&self) -> Vec<u16> {
        by_code(&self.codes, &self.segments, self.customers)
    }
}

/// Scores the base as of successive days.
struct SnapshotScorer {
    names: Vec<String>,
    scorer: RfmScorer,
    edges: ScorerEdges,
    money: Option<Money>,
    /// Report of the last day.
    report: Report,
    n_dates: usize,
    /// Remarks of the fits, with the number of fits that made them.
    remarks: Vec<(String, usize)>,
}

impl SnapshotScorer {
    fn new(scorer: &RfmScorer, edges: ScorerEdges) -> Result<Self> {
        let names = scorer.segment_names()?.ok_or_else(RfmScorer::without_segments)?;
        let (money, report, remarks) = (None, Report::default(), Vec::new());
        Ok(Self { names, scorer: scorer.clone(), edges, money, report, n_dates: 0, remarks })
    }

    fn snapshot(&mut self, day: i32, base: &CustomerBase, context: &Context) -> Result<Snapshot> {
        context.check()?;
        let view = base.view_of_day(Some(day))?;
        let (table, codes) = rfm_of(&view, false, context)?;
        let totals = view.totals();
        let units = context.run_if_large(codes.len(), |threads| threads.par_map(codes.len(), |row| totals.get(codes[row]).units))?;
        self.money = view.kinds().money;
        let fit = match self.edges {
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
            self.scorer.segment_rows(&table.batch, context).map_err(of_day)?
        };
        let has_new_remarks = match self.edges {
            ScorerEdges::Frozen => self.n_dates == 0,
            ScorerEdges::Refit => fit,
        };
        if has_new_remarks {
            self.add_remarks();
        }
        self.n_dates += 1;
        self.report = table.report;
        Ok(Snapshot { codes, segments, units, customers: view.customers() })
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
    fn report(&mut self) -> Report {
        let mut report = std::mem::take(&mut self.report);
        let dates = self.n_dates;
        report.remarks.extend(self.remarks.drain(..).map(|(remark, count)| match self.edges {
            ScorerEdges::Frozen => remark,
            ScorerEdges::Refit => format!("at {count} of {dates} dates: {remark}"),
        }));
        report
    }
}
