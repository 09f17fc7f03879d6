//! The explanation of one customer's scores as Python values.

use custcore::{DimensionExplanation, Number, ScoreChange, ScoreExplanation, SegmentReason};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error::into_py;
use crate::number::to_python;
use crate::table::CoreTable;

/// The explanation as a dict; `decimals` tells which of the three values were given as `decimal.Decimal`.
pub fn explained<'py>(py: Python<'py>, explanation: &ScoreExplanation<'_>, decimals: [bool; 3]) -> PyResult<Bound<'py, PyDict>> {
    let found = PyDict::new(py);
    let dimensions = explanation.dimensions.iter().zip(decimals).map(|(row, is_decimal)| dimension(py, row, is_decimal));
    found.set_item("dimensions", PyList::new(py, dimensions.collect::<PyResult<Vec<_>>>()?)?)?;
    found.set_item("rfm_cell", &explanation.cell)?;
    found.set_item("rfm_score", explanation.score)?;
    found.set_item("rfm_total", explanation.total)?;
    found.set_item("segment", explanation.segment)?;
    let (rule, centers) = match &explanation.reason {
        Some(SegmentReason::Rule(at, of, rule)) => {
            let [r, f, m] = rule.ranges;
            (Some((at + 1, *of, (rule.name.as_str(), r, f, m))), None)
        }
        Some(SegmentReason::Octants(centers)) => (None, Some(centers.to_vec())),
        Some(SegmentReason::Rest) | None => (None, None),
    };
    found.set_item("rule", rule)?;
    found.set_item("centers", centers)?;
    let table = explanation.table().map_err(|error| into_py(py, &error))?;
    found.set_item("table", Bound::new(py, CoreTable::new(table))?)?;
    Ok(found)
}

fn dimension<'py>(py: Python<'py>, row: &DimensionExplanation<'_>, is_decimal: bool) -> PyResult<Bound<'py, PyDict>> {
    let bin = &row.bin;
    let number = |number: Number| to_python(py, number, is_decimal);
    let edge = |number: Number| to_python(py, number, false);
    let change = |change: Option<ScoreChange<'_>>| -> PyResult<_> {
        let Some(ScoreChange { value, scores: [r, f, m], segment }) = change else { return Ok(None) };
        Ok(Some((number(value)?, r, f, m, segment.map(str::to_owned))))
    };
    let found = PyDict::new(py);
    found.set_item("dimension", &row.name)?;
    found.set_item("column", &row.column)?;
    found.set_item("value", number(row.value)?)?;
    found.set_item("score", bin.score)?;
    found.set_item("bins", bin.bins)?;
    found.set_item("lower", bin.lower.map(|bound| edge(bound.value)).transpose()?)?;
    found.set_item("lower_closed", bin.lower.map(|bound| bound.is_closed))?;
    found.set_item("upper", bin.upper.map(|bound| edge(bound.value)).transpose()?)?;
    found.set_item("upper_closed", bin.upper.map(|bound| bound.is_closed))?;
    found.set_item("rule", bin.rule.word())?;
    found.set_item("within", bin.within.clone())?;
    found.set_item("is_global", bin.is_global)?;
    found.set_item("customers", bin.customers)?;
    found.set_item("same_score", bin.same_score)?;
    found.set_item("by_id", bin.by_id)?;
    found.set_item("next_lower", change(row.lower)?)?;
    found.set_item("next_higher", change(row.higher)?)?;
    found.set_item("segment_below", change(row.segment_below)?)?;
    found.set_item("segment_above", change(row.segment_above)?)?;
    Ok(found)
}
