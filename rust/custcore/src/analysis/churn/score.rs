//! The churn probability of every buyer of a base.

use arrow_schema::Metadata;

use super::histories::{History, fold_dates};
use super::model::{ChurnModel, day_of};
use super::table::{CustomerRow, scores_table};
use crate::base::CustomerBase;
use crate::error::Result;
use crate::exec::context::Context;
use crate::state::spec::AsOf;
use crate::table::{AS_OF, CUSTOMER_ID, Table};
use crate::time::calendar::date_text;

/// The churn probability of every buyer as of a day, by default the last one, ascending by id. A base on disk has several tables, the
/// first of which has the report. Needs day records.
pub fn churn_scores(base: &CustomerBase, model: &ChurnModel, as_of: Option<AsOf>, context: &Context) -> Result<Vec<Table>> {
    let day = day_of(base, as_of)?;
    let mut tables: Vec<Table> = Vec::new();
    base.by_ranges(context, |part| {
        let table = scores_of(part, model, day, context)?;
        if let Some(first) = tables.first_mut() {
            first.report.join(&table.report);
        }
        // A range may have no buyers.
        if tables.is_empty() || table.batch.num_rows() > 0 {
            tables.push(table);
        }
        Ok(())
    })?;
    if let Some(first) = tables.first_mut() {
        let remarks = &mut first.report.remarks;
        remarks.extend(model.remarks());
        if model.as_of() > day {
            let (fit, day) = (date_text(model.as_of()), date_text(day));
            remarks.push(format!("the model was fitted as of {fit}, after {day}: its curves know what followed"));
        }
    }
    Ok(tables)
}

fn scores_of(base: &CustomerBase, model: &ChurnModel, day: i32, context: &Context) -> Result<Table> {
    let add = |rows: &mut Vec<CustomerRow>, _: usize, history: &History<'_>| {
        let gap = day - history.days.last().copied().unwrap_or(day);
        rows.push(CustomerRow { code: history.code, gap, n_days: history.days.len() as u32 });
    };
    let mut rows: Vec<CustomerRow> = fold_dates(base, &[day], context, Vec::new, add)?.into_iter().flatten().flatten().collect();
    let view = base.view_of_day(None)?;
    if !view.ids_ascend() {
        let mut codes: Vec<u32> = rows.iter().map(|row| row.code).collect();
        view.sort_by_id(&mut codes, context)?;
        let mut place = vec![0; view.customers()];
        (0..).zip(&codes).for_each(|(at, &code): (u32, _)| place[code as usize] = at);
        context.run_if_large(rows.len(), |threads| {
            threads.par_sort_unstable_by(&mut rows, |a, b| place[a.code as usize].cmp(&place[b.code as usize]));
        })?;
    }
    let input_schema = view.kinds();
    let report = base.report(Some(day))?;
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, input_schema.id.names().to_text());
    metadata.insert(AS_OF, date_text(day));
    context.run_if_large(rows.len(), |threads| scores_table((&input_schema.id, view.ids()), &rows, model, (metadata, report), threads))?
}
