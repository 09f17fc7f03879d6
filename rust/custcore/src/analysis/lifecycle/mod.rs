//! Life cycle of customers: how long they pause between purchases, when a pause is too long, and who is in which stage.

mod course;
pub(crate) mod gaps;
pub(crate) mod model;
mod prospects;
pub(crate) mod rhythm;
pub(crate) mod spec;
pub(crate) mod stages;
mod standings;
pub(crate) mod state;
mod table;
pub(crate) mod windows;

use self::course::{Course, course};
use self::model::LifecycleModel;
use self::prospects::Prospects;
use self::spec::LifecycleSpec;
use self::stages::{StageLanguage, Windows};
use self::standings::{Buyer, standings, view_of};
use self::table::{CustomerRows, counts_table, curve_table, flows_table};
use crate::analysis::dates::ascending;
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::column::customer_id::CustomerId;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::Table;
use crate::time::calendar::date_text;

impl LifecycleModel {
    /// The survival curve of gaps, a row for each length of a day or more that occurred. Empty if the model was fitted on a base without
    /// day records.
    pub fn curve(&self) -> Result<Table> {
        if !self.is_fitted() {
            self.rules()?;
        }
        curve_table(self)
    }

    /// The windows in words, for a report.
    fn remark(&self) -> Result<String> {
        let fitted = self.as_of().map_or_else(String::new, |day| format!(" (model of {})", date_text(day)));
        Ok(match self.rules()?.windows {
            Windows::Days { active, loss } => {
                format!("customers are active up to {active} days after a purchase and lost after more than {loss} days{fitted}")
            }
            Windows::Multiples { active, loss, .. } => {
                format!(
                    "customers are active up to {active:.2} of their typical gaps after a purchase and lost after more than {loss:.2}{fitted}"
                )
            }
        })
    }
}

/// The stage of each buyer as of the end of a day, by default the last one, and of each listed prospect without a purchase. Without a
/// model, one is fitted as of that day. Tables are those of ascending ranges of ids; the first one has the report of all.
pub fn lifecycle(
    base: &CustomerBase,
    as_of: Option<AsOf>,
    model: Option<&LifecycleModel>,
    prospects: Option<&[CustomerId]>,
    lang: StageLanguage,
    context: &Context,
) -> Result<Vec<Table>> {
    let input_schema = base.input_schema()?;
    let day = as_of.map(|as_of| as_of.day(&input_schema.clock)).transpose()?;
    let mut key = input_schema.id.clone();
    let mut listed = prospects.map(|ids| Prospects::new(ids, &mut key)).transpose()?;
    let fitted = match model {
        Some(model) => model.clone(),
        None => LifecycleModel::new(LifecycleSpec::default())?.fit_day(base, day, context)?,
    };
    let rules = fitted.rules()?;
    let as_of = day.or_else(|| base.last_day());
    let rows = CustomerRows { key: &key, own_rhythm: rules.windows.prior().is_some(), lang, as_of };
    let mut tables: Vec<Table> = Vec::new();
    base.by_ranges(context, |part| {
        let view = view_of(part, day, context)?;
        let buyers = sorted(&view, standings(&view, &rules, context)?, context)?;
        context.check()?;
        let prospects = listed.as_mut().map_or_else(Vec::new, |listed| listed.take(&view, base.is_spilled()));
        let table = rows.table(&view, &buyers, (listed.as_ref(), &prospects), view.report(), context)?;
        if let Some(first) = tables.first_mut() {
            first.report.join(&table.report);
        }
        // A range may have no buyers.
        if tables.is_empty() || table.batch.num_rows() > 0 {
            tables.push(table);
        }
        Ok(())
    })?;
    if let Some(listed) = &mut listed {
        let rest = listed.take_rest();
        if !rest.is_empty() {
            tables.push(rows.table_of_prospects(listed, &rest, context)?);
        }
    }
    if let Some(first) = tables.first_mut() {
        first.report.remarks.push(fitted.remark()?);
    }
    Ok(tables)
}

/// Buyers by ascending id.
fn sorted(view: &BaseView<'_>, buyers: Vec<Buyer>, context: &Context) -> Result<Vec<Buyer>> {
    let mut codes: Vec<u32> = buyers.iter().map(|buyer| buyer.code).collect();
    view.sort_by_id(&mut codes, context)?;
    if codes.iter().zip(&buyers).all(|(&code, buyer)| code == buyer.code) {
        return Ok(buyers);
    }
    let mut rows = vec![0_u32; view.customers()];
    (0..).zip(&buyers).for_each(|(row, buyer)| rows[buyer.code as usize] = row);
    context.run_if_large(codes.len(), |threads| threads.par_map(codes.len(), |at| buyers[rows[codes[at] as usize] as usize]))
}

/// The course of the customers of a base, with the days and the report.
fn followed(
    base: &CustomerBase,
    dates: &[AsOf],
    least: usize,
    model: &LifecycleModel,
    prospects: Option<&[CustomerId]>,
    context: &Context,
) -> Result<(Vec<i32>, Course, Report)> {
    let rules = model.rules()?;
    let input_schema = base.input_schema()?;
    let days = ascending(dates, least, &input_schema.clock)?;
    let listed = prospects.map(|ids| Prospects::new(ids, &mut input_schema.id.clone())).transpose()?;
    let (found, mut report) = course(base, &days, &rules, listed.as_ref(), context)?;
    report.remarks.push(model.remark()?);
    Ok((days, found, report))
}

/// Customers and money of each stage at each of some ascending dates, by one model. Listed prospects count as long as they have no
/// purchase.
pub fn lifecycle_counts(
    base: &CustomerBase,
    dates: &[AsOf],
    model: &LifecycleModel,
    prospects: Option<&[CustomerId]>,
    lang: StageLanguage,
    context: &Context,
) -> Result<Table> {
    let (days, found, report) = followed(base, dates, 1, model, prospects, context)?;
    counts_table(&days, &found.sums, base.input_schema()?.money, lang, report)
}

/// Customers who moved between stages from each of some ascending dates to the next, by one model.
pub fn lifecycle_flows(
    base: &CustomerBase,
    dates: &[AsOf],
    model: &LifecycleModel,
    lang: StageLanguage,
    context: &Context,
) -> Result<Table> {
    let (days, found, mut report) = followed(base, dates, 2, model, None, context)?;
    let mut steps = Vec::with_capacity(found.moves.len());
    for (ends, counts) in days.windows(2).zip(found.moves) {
        let (moves, left) = counts.finish();
        if left > 0 {
            let (from, to) = (date_text(ends[0]), date_text(ends[1]));
            let message = format!("{left} customers of {from} are not buyers as of {to}: later rows turned their orders into refunds");
            report.remarks.push(message);
        }
        steps.push((ends[0], ends[1], moves));
    }
    if steps.len() + 1 != days.len() {
        return Err(Error::internal("dates without moves"));
    }
    flows_table(&steps, base.input_schema()?.money, lang, report)
}
