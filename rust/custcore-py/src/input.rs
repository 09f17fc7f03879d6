//! Input from Python for fitting, scoring and clustering: tables and feature rows.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_schema::DataType;
use custcore::{Context, Error, Features, MatrixLayout, Report, Result, ResultColumns, Scaler, find_column};
use pyo3::prelude::*;

use crate::boundary::header::{Selection, Unusable};
use crate::boundary::matrix::matrix;
use crate::boundary::memory::column;
use crate::boundary::source::Source;
use crate::error::into_py;
use crate::runtime::Call;
use crate::table::CoreTable;

/// A table to fit on or to score, with at least one batch. If it is a result of custcore, `report` is its report.
pub struct Input {
    pub batches: Vec<RecordBatch>,
    pub report: Report,
}

impl Input {
    /// Reads a table of which only the columns that are asked for are passed on.
    pub fn read_asked(table: &Bound<'_, PyAny>, selection: Selection, asked: &ResultColumns) -> PyResult<Self> {
        let (Some(names), Selection::Using { names: mut used, first }) = (asked.names(), selection.clone()) else {
            return Self::read(table, selection);
        };
        used.extend(names.iter().cloned());
        let mut input = Self::read(table, Selection::Using { names: used, first })?;
        // Of a column that was left out nothing needs to be said: an error has it if it is used.
        if !table.is_instance_of::<CoreTable>() {
            input.report = Report::default();
        }
        Ok(input)
    }

    /// Reads the columns of a table that `selection` names, or all of them.
    pub fn read(table: &Bound<'_, PyAny>, selection: impl Into<Selection>) -> PyResult<Self> {
        let (py, selection) = (table.py(), selection.into());
        // A result of custcore is used directly, with its report.
        if let Ok(table) = table.cast::<CoreTable>() {
            selection.check(table.get().unusable()).map_err(|error| into_py(py, &error))?;
            return Ok(Self { batches: table.get().batches().to_vec(), report: table.get().report().clone() });
        }
        let mut source = Source::open(table, selection.clone())?;
        // Missing columns are reported here, where all column names are known; the batches have only the selected ones.
        if let Selection::Named(names) = &selection {
            // The money of RFM may be absent.
            let optional = |name: &str| name.starts_with("monetary_") && names.iter().any(|other| other == "recency_days");
            for name in names.iter().filter(|name| !optional(name)) {
                find_column(source.all_columns(), name, "scored column, or 'by'").map_err(|error| into_py(py, &error))?;
            }
        }
        let mut batches = source.rest(py)?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(source.schema()));
        }
        let remarks = source.unusable().iter().filter_map(Unusable::remark).collect();
        Ok(Self { batches, report: Report { remarks, ..Report::default() } })
    }
}

/// The columns that the fit of a scorer reads: those that it scores, or all if it reads the ids too, whose name is not known.
pub fn fitted_columns(names: Vec<String>, uses_ids: bool) -> Selection {
    if uses_ids { Selection::Using { names, first: true } } else { Selection::Named(names) }
}

/// Rows to be clustered, as borrowed batches, and their layout; the last batch holds the weights, if any.
pub struct Rows {
    batches: Vec<RecordBatch>,
    layout: Option<MatrixLayout>,
    columns: Option<Vec<String>>,
    weighted: bool,
}

impl Rows {
    /// Anything that exports Arrow, or a two-dimensional array.
    pub fn read(x: &Bound<'_, PyAny>, columns: Option<Vec<String>>) -> PyResult<Self> {
        let py = x.py();
        let batch = |name: &str, array| {
            RecordBatch::try_from_iter_with_nullable([(name, array, true)]).map_err(|error| into_py(py, &Error::internal(error)))
        };
        if let Ok(table) = x.cast::<CoreTable>() {
            Selection::from(columns.clone()).check(table.get().unusable()).map_err(|error| into_py(py, &error))?;
            return Ok(Self { batches: table.get().batches().to_vec(), layout: None, columns, weighted: false });
        }
        if let Some((flat, layout)) = matrix(x)? {
            return Ok(Self { batches: vec![batch("x", flat)?], layout: Some(layout), columns: None, weighted: false });
        }
        let mut source = Source::open(x, columns.clone())?;
        for name in columns.iter().flatten() {
            find_column(source.all_columns(), name, "a feature").map_err(|error| into_py(py, &error))?;
        }
        let mut batches = source.rest(py)?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(source.schema()));
        }
        Ok(Self { batches, layout: None, columns, weighted: false })
    }

    /// Adds a weight for each row.
    pub fn weighted(mut self, weights: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        if let Some(weights) = weights {
            let array = column::<f64>(weights, &DataType::Float64, None)?;
            let batch = RecordBatch::try_from_iter_with_nullable([("weight", array, true)]);
            self.batches.push(batch.map_err(|error| into_py(weights.py(), &Error::internal(error)))?);
            self.weighted = true;
        }
        Ok(self)
    }

    /// Runs `work` with the features, transformed by `scaler` if given, and the weights.
    pub fn run<R: Send + 'static>(
        self,
        py: Python<'_>,
        n_threads: Option<i64>,
        scaler: Option<Arc<Scaler>>,
        work: impl FnOnce(&Features, Option<&[f64]>, &Context) -> Result<R> + Send + 'static,
    ) -> PyResult<R> {
        let Self { batches, layout, columns, weighted } = self;
        Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| {
            let (weights, batches) = match batches.split_last() {
                Some((last, batches)) if weighted => (Some(last.column(0).as_primitive::<Float64Type>().values().clone()), batches),
                _ => (None, batches),
            };
            let features = match layout {
                Some(layout) => Features::from_matrix(batches[0].column(0), layout)?,
                None => Features::from_batches(batches, columns.as_deref())?,
            };
            let weights = weights.as_deref();
            match scaler {
                Some(scaler) => work(&scaler.transform(&features, context)?, weights, context),
                None => work(&features, weights, context),
            }
        })
    }
}
