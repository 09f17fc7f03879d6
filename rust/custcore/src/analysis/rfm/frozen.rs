//! A scorer that is fitted once, on the buyers as of a day, for scores of later days.

use arrow_array::RecordBatch;

use super::result_columns::ResultColumns;
use super::rfm_by_ranges;
use super::scorer::RfmScorer;
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::Table;
use crate::time::calendar::date_text;

impl RfmScorer {
    /// This scorer if it is fitted, else one fitted on the buyers as of the end of a day.
    pub(crate) fn fitted_as_of(&self, base: &CustomerBase, day: i32, context: &Context) -> Result<Self> {
        if self.scorer().is_ok() {
            return Ok(self.clone());
        }
        let mut scorer = self.clone();
        // Without amounts only recency and frequency are scored.
        let has_money = base.input_schema()?.money.is_some();
        let inputs = scorer.used_columns().into_iter().filter(|name| has_money || *name != scorer.columns()[2]);
        let inputs = ResultColumns::none().and(inputs);
        let tables = rfm_by_ranges(base, Some(AsOf::Date(day)), false, &inputs, context)?;
        let batches: Vec<RecordBatch> = tables.into_iter().map(|table| table.batch).collect();
        if batches.iter().all(|batch| batch.num_rows() == 0) {
            let message = format!(
                "nobody had bought as of {}, so there are no segments. Pass a fitted scorer, or leave out strata= and by=",
                date_text(day)
            );
            return Err(Error::new(ErrorKind::NotEnoughData, message));
        }
        scorer.fit(&batches, context).map_err(|error| error.said_of(&date_text(day)))?;
        Ok(scorer)
    }

    /// The columns `rfm_cell` and, if the scorer has them, `segment` of an RFM table.
    pub(crate) fn cells_and_segments(&self, batch: &RecordBatch, context: &Context) -> Result<RecordBatch> {
        let asked = ["rfm_cell"].into_iter().chain(self.segment_names()?.map(|_| "segment"));
        let asked = ResultColumns::named(asked.map(str::to_owned).collect())?;
        let mut tables: Vec<Table> = self.transform_columns(std::slice::from_ref(batch), &Report::default(), &asked, context)?;
        tables.pop().map(|table| table.batch).ok_or_else(|| Error::internal("a table was not scored"))
    }
}
