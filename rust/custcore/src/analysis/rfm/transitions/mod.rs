//! Customers on their way between segments: the base is scored as of one date after the other, and customers are followed by
//! their codes, which are the same in all views of one base.

mod edges;
pub(crate) mod kernel;
mod table;

pub use self::edges::ScorerEdges;
use self::kernel::{Stays, by_code, moves};
use self::table::{Step, stays_table, transitions_table};
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

/// The days of some dates, which must ascend and be at least two.
fn ascending(dates: &[AsOf], clock: &Clock) -> Result<Vec<i32>> {
    let days = dates.iter().map(|date| date.day(clock)).collect::<Result<Vec<i32>>>()?;
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
    if days.len() < 2 {
        return invalid(format!("dates has {} of the at least 2 dates that customers are followed from and to", days.len()));
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

/// How many customers went from which segment to which between consecutive dates, with their money and their share. The
/// report is that of the last date.
pub fn transitions(base: &CustomerBase, dates: &[AsOf], scorer: &RfmScorer, edges: ScorerEdges, context: &Context) -> Result<Table> {
    let mut walk = Walk::new(scorer, edges)?;
    let (mut steps, mut lost) = (Vec::new(), Vec::new());
    let mut before: Option<(i32, Vec<u16>)> = None;
    for day in ascending(dates, &base.known()?.0.clock)? {
        let look = walk.look(day, base, context)?;
        if let Some((from, before)) = before {
            let (moves, left) = moves(&before, &look.codes, &look.segments, &look.units, walk.names.len());
            steps.push(Step { from, to: day, moves });
            if left > 0 {
                lost.push(format!(
                    "{left} customers of {} are no buyers as of {}: later lines turned their orders into refunds",
                    date_text(from),
                    date_text(day)
                ));
            }
        }
        before = Some((day, look.by_code()));
    }
    let mut report = walk.report();
    report.remarks.extend(lost);
    transitions_table(&steps, &walk.names, walk.money, edges, report)
}

/// How long customers stay in each segment, as seen on some dates.
pub fn time_in_segment(base: &CustomerBase, dates: &[AsOf], scorer: &RfmScorer, edges: ScorerEdges, context: &Context) -> Result<Table> {
    let mut walk = Walk::new(scorer, edges)?;
    let mut stays = Stays::new(walk.names.len());
    for day in ascending(dates, &base.known()?.0.clock)? {
        let look = walk.look(day, base, context)?;
        stays.see(day, &look.by_code());
    }
    let report = walk.report();
    stays_table(&stays.finish(), &walk.names, report)
}

/// The buyers of one day.
struct Look {
    codes: Vec<u32>,
    segments: Vec<u16>,
    units: Vec<i128>,
    /// Codes that there are.
    customers: usize,
}

impl Look {
    fn by_code(&self) -> Vec<u16> {
        by_code(&self.codes, &self.segments, self.customers)
    }
}

/// A scorer on its way from day to day.
struct Walk {
    names: Vec<String>,
    scorer: RfmScorer,
    edges: ScorerEdges,
    money: Option<Money>,
    /// The report of the last day that was looked at.
    report: Report,
    looks: usize,
    /// What the fits remark, and how many of them do.
    remarks: Vec<(String, usize)>,
}

impl Walk {
    fn new(scorer: &RfmScorer, edges: ScorerEdges) -> Result<Self> {
        let names = scorer.segment_names()?.ok_or_else(RfmScorer::without_segments)?;
        let (money, report, remarks) = (None, Report::default(), Vec::new());
        Ok(Self { names, scorer: scorer.clone(), edges, money, report, looks: 0, remarks })
    }

    fn look(&mut self, day: i32, base: &CustomerBase, context: &Context) -> Result<Look> {
        context.check()?;
        let view = base.view_of_day(Some(day))?;
        let (table, codes) = rfm_of(&view, false, context)?;
        let totals = view.totals();
        let units = context.run_if_large(codes.len(), |threads| threads.par_map(codes.len(), |row| totals.get(codes[row]).units))?;
        self.money = view.kinds().money;
        let fit = match self.edges {
            ScorerEdges::Frozen => self.scorer.scorer().is_err(),
            // There is nothing to fit on where nobody has bought yet.
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
        let is_news = match self.edges {
            ScorerEdges::Frozen => self.looks == 0,
            ScorerEdges::Refit => fit,
        };
        if is_news {
            self.note();
        }
        self.looks += 1;
        self.report = table.report;
        Ok(Look { codes, segments, units, customers: view.customers() })
    }

    /// Counts what the last fit remarks.
    fn note(&mut self) {
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
        let dates = self.looks;
        report.remarks.extend(self.remarks.drain(..).map(|(remark, count)| match self.edges {
            ScorerEdges::Frozen => remark,
            ScorerEdges::Refit => format!("at {count} of {dates} dates: {remark}"),
        }));
        report
    }
}
