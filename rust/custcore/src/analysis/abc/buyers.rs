//! The buyers of a base and their money, ascending by id; of a base on disk range by range.

use super::kernel::Units;
use crate::analysis::rfm::kernel::buyers;
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::Money;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};
use crate::state::spec::AsOf;

/// The money of all buyers, ascending by id, and what there is to report of it.
#[derive(Debug)]
pub(super) struct Buyers {
    /// Their money.
    pub units: Units,
    /// Its type.
    pub money: Money,
    /// The report, with negative totals and buyers without money.
    pub report: Report,
}

impl Buyers {
    /// Reads the buyers as of a day; `visit` gets the codes of each range, sorted by id, and their money.
    pub(super) fn read(
        base: &CustomerBase,
        as_of: Option<AsOf>,
        context: &Context,
        mut visit: impl FnMut(&BaseView<'_>, &[u32], &Units) -> Result<()>,
    ) -> Result<Self> {
        let mut all: Option<Self> = None;
        base.by_ranges(context, |part| {
            let view = part.view_as_of(as_of.or(part.spec().until), context)?;
            let money = money_of(&view)?;
            let codes = buyers_by_id(&view, context)?;
            let units = units_of(&view, &codes, context)?;
            visit(&view, &codes, &units)?;
            match &mut all {
                None => all = Some(Self { units, money, report: view.report() }),
                Some(all) => {
                    all.units.append(units);
                    all.report.join(&view.report());
                }
            }
            context.check()
        })?;
        let mut all = all.ok_or_else(|| Error::internal("a base without ranges"))?;
        all.report_values(context)?;
        Ok(all)
    }

    /// Reports negative totals and buyers without money.
    fn report_values(&mut self, context: &Context) -> Result<()> {
        let units = &self.units;
        let counts = context.run_if_large(units.len(), |threads| {
            threads.par_chunks(units.len(), |run| {
                let (mut negative, mut none) = (Tally::default(), Tally::default());
                for units in run.map(|at| units.get(at)).filter(|units| *units <= 0) {
                    let tally = if units < 0 { &mut negative } else { &mut none };
                    tally.count += 1;
                    tally.units += units;
                }
                (negative, none)
            })
        })?;
        let (mut negative, mut none) = (Tally::default(), Tally::default());
        for (more_negative, more_none) in counts {
            negative.merge(&more_negative, 0);
            none.merge(&more_none, 0);
        }
        let note = |name, tally| ReportEntry::new(name, EntryKind::Note, ReportUnit::Customers, tally, Some(self.money));
        let entries = [note("negative_totals", &negative), note("buyers_without_money", &none)];
        self.report.entries.extend(entries);
        Ok(())
    }
}

/// The type of the money of a base; an error without any.
fn money_of(view: &BaseView<'_>) -> Result<Money> {
    view.kinds().money.ok_or_else(|| {
        let message = "value classes need money, but amount=None, so none was read; name the column with amount=";
        Error::new(ErrorKind::StateMismatch, message)
    })
}

/// The codes of the buyers, sorted by id.
fn buyers_by_id(view: &BaseView<'_>, context: &Context) -> Result<Vec<u32>> {
    let mut codes = context.run_if_large(view.customers(), |threads| buyers(view.totals(), threads))?;
    view.sort_by_id(&mut codes, context)?;
    Ok(codes)
}

/// Prefetch distance in rows.
const AHEAD: usize = 24;

fn units_of(view: &BaseView<'_>, codes: &[u32], context: &Context) -> Result<Units> {
    let totals = view.totals();
    let units = |row: usize| {
        if let Some(&ahead) = codes.get(row + AHEAD) {
            totals.prefetch(ahead);
        }
        totals.get(codes[row]).units
    };
    context.run_if_large(codes.len(), |threads| {
        if totals.is_narrow() {
            Units::Narrow(threads.par_map(codes.len(), |row| units(row) as i64))
        } else {
            Units::Wide(threads.par_map(codes.len(), units))
        }
    })
}
