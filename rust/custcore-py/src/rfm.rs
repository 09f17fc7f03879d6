//! The RFM scorer and segment maps as Python sees them.

use arrow_array::RecordBatch;
use custcore::error::{Error, ErrorKind};
use custcore::quantile::Number;
use custcore::report::Report;
use custcore::rfm::scorer::{Frequency, Monetary, RfmScorer, ScorerSpec, Segments};
use custcore::rfm::segments::{Range, Rule, SegmentMap};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt};

use crate::boundary::source::Source;
use crate::door::Call;
use crate::error::into_py;
use crate::options::choice;
use crate::table::CoreTable;

/// A segment map.
#[pyclass(frozen, module = "custcore._core", name = "SegmentMap")]
pub struct CoreSegmentMap {
    map: SegmentMap,
}

#[pymethods]
impl CoreSegmentMap {
    #[new]
    fn new(
        py: Python<'_>,
        rules: Vec<(String, Option<Range>, Option<Range>, Option<Range>)>,
        bins: [u8; 3],
        rest: Option<String>,
    ) -> PyResult<Self> {
        let rules = rules.into_iter().map(|(name, r, f, m)| Rule { name, ranges: [r, f, m] }).collect();
        let map = SegmentMap::new(rules, bins, rest).map_err(|error| into_py(py, &error))?;
        Ok(Self { map })
    }

    #[staticmethod]
    fn named(py: Python<'_>, name: &str) -> PyResult<Self> {
        let build = choice(py, "segments", name, &[("rf10", SegmentMap::rf10 as fn() -> Result<SegmentMap, Error>)])?;
        Ok(Self { map: build().map_err(|error| into_py(py, &error))? })
    }

    #[getter]
    fn bins(&self) -> (u8, u8, u8) {
        self.map.bins().into()
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        self.map.names().to_vec()
    }

    #[getter]
    fn rest(&self) -> Option<&str> {
        self.map.rest()
    }

    #[getter]
    fn rules(&self) -> Vec<(String, Option<Range>, Option<Range>, Option<Range>)> {
        self.map.rules().iter().map(|rule| (rule.name.clone(), rule.ranges[0], rule.ranges[1], rule.ranges[2])).collect()
    }

    fn uncovered(&self) -> Vec<(u8, u8, u8)> {
        self.map.uncovered().iter().map(|&cell| cell.into()).collect()
    }

    fn overlaps(&self) -> Vec<((u8, u8, u8), Vec<String>)> {
        self.map.overlaps().iter().map(|(cell, names)| ((*cell).into(), names.clone())).collect()
    }

    fn segment(&self, r: u8, f: u8, m: u8) -> Option<&str> {
        self.map.segment(r, f, m).map(|i| self.map.names()[usize::from(i)].as_str())
    }
}

/// An RFM scorer; `fit` gives a fitted one, which never changes.
#[pyclass(frozen, module = "custcore._core", name = "RfmScorer")]
pub struct CoreScorer {
    scorer: RfmScorer,
}

#[pymethods]
impl CoreScorer {
    #[new]
    fn new(
        py: Python<'_>,
        bins: (u8, u8, u8),
        weights: (f64, f64, f64),
        frequency: &str,
        monetary: &str,
        segments: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let segments = match segments {
            None => Segments::Off,
            Some(map) => match map.cast::<CoreSegmentMap>() {
                Ok(map) => Segments::Map(map.get().map.clone()),
                Err(_) => Segments::Auto,
            },
        };
        let spec = ScorerSpec {
            bins: bins.into(),
            weights: weights.into(),
            frequency: choice(
                py,
                "frequency",
                frequency,
                &[("orders", Frequency::Orders), ("days", Frequency::Days), ("rows", Frequency::Rows)],
            )?,
            monetary: choice(py, "monetary", monetary, &[("total", Monetary::Total), ("mean", Monetary::Mean)])?,
            segments,
        };
        Ok(Self { scorer: RfmScorer::new(spec).map_err(|error| into_py(py, &error))? })
    }

    #[pyo3(signature = (table, *, n_threads))]
    fn fit(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<Self> {
        let py = table.py();
        let input = Input::read(table, Some(self.scorer.columns().iter().map(|&name| name.to_owned()).collect()))?;
        let mut scorer = self.scorer.clone();
        let scorer = Call::new(py, n_threads, None, None)?.run_on(py, input.batches, move |batches, context| {
            scorer.fit(batches, context)?;
            Ok(scorer)
        })?;
        Ok(Self { scorer })
    }

    #[pyo3(signature = (table, *, n_threads))]
    fn transform(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        self.scorer.dimensions().map_err(|error| into_py(py, &error))?;
        let Input { batches, report } = Input::read(table, None)?;
        let scorer = self.scorer.clone();
        let tables = Call::new(py, n_threads, None, None)?
            .run_on(py, batches, move |batches, context| scorer.transform(batches, &report, context))?;
        CoreTable::concat(py, tables)
    }

    /// Fits and scores at once; a table without rows gives an empty result.
    #[pyo3(signature = (table, *, n_threads))]
    fn fit_transform(&self, table: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = table.py();
        let Input { batches, report } = Input::read(table, None)?;
        let mut scorer = self.scorer.clone();
        let tables = Call::new(py, n_threads, None, None)?
            .run_on(py, batches, move |batches, context| scorer.fit_transform(batches, &report, context))?;
        CoreTable::concat(py, tables)
    }

    fn score_one<'py>(
        &self,
        py: Python<'py>,
        recency_days: &Bound<'py, PyAny>,
        frequency: &Bound<'py, PyAny>,
        monetary: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(u8, u8, Option<u8>, Option<&str>)> {
        let recency = number(recency_days, "recency_days")?;
        let frequency = number(frequency, "frequency")?;
        let needs_money = self.scorer.dimensions().is_ok_and(|dimensions| dimensions.len() > 2);
        let monetary = match monetary {
            Some(value) => number(value, "monetary")?,
            None if needs_money => return Err(missing(py, "monetary")),
            None => Number::Integer(0),
        };
        let score = self.scorer.score_one(recency, frequency, monetary).map_err(|error| into_py(py, &error))?;
        Ok((score.r, score.f, score.m, score.segment))
    }

    fn thresholds(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.scorer.thresholds().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.scorer.dimensions().is_ok()
    }
}

/// A table to fit on or to score, at least one batch, with the report of the result that it is.
struct Input {
    batches: Vec<RecordBatch>,
    report: Report,
}

impl Input {
    fn read(table: &Bound<'_, PyAny>, wanted: Option<Vec<String>>) -> PyResult<Self> {
        // A result of custcore itself needs no way through the boundary, and brings its report.
        if let Ok(table) = table.cast::<CoreTable>() {
            return Ok(Self { batches: table.get().batches().to_vec(), report: table.get().report().clone() });
        }
        let mut source = Source::open(table, wanted)?;
        let mut batches = source.rest(table.py())?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(source.schema()));
        }
        Ok(Self { batches, report: Report::default() })
    }
}

fn missing(py: Python<'_>, argument: &str) -> PyErr {
    into_py(py, &Error::new(ErrorKind::InvalidArgument, format!("{argument} is missing; the scorer was fitted with it")))
}

/// A Python number in the type that keeps it exact.
fn number(value: &Bound<'_, PyAny>, argument: &str) -> PyResult<Number> {
    let py = value.py();
    let parsed = if value.is_instance_of::<PyFloat>() {
        value.extract().map(Number::Float)
    } else if value.is_instance_of::<PyInt>() {
        match value.extract() {
            Ok(value) => Ok(Number::Integer(value)),
            Err(_) => value.extract().map(|value| Number::Decimal(value, 0)),
        }
    } else if value.hasattr("as_tuple")? {
        decimal(value)
    } else if value.hasattr("__index__")? {
        value.call_method0("__index__")?.extract().map(Number::Integer)
    } else {
        value.extract().map(Number::Float)
    };
    match parsed {
        Ok(Number::Float(value)) if value.is_nan() => {
            Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, format!("{argument} is NaN; a customer without a value has no score"))))
        }
        Ok(number) => Ok(number),
        Err(_) => {
            let found = value.get_type().name()?;
            Err(into_py(py, &Error::new(ErrorKind::InvalidType, format!("{argument} is {found}; expected a number"))))
        }
    }
}

/// A `decimal.Decimal`: (sign, digits, exponent).
fn decimal(value: &Bound<'_, PyAny>) -> PyResult<Number> {
    let (sign, digits, exponent): (i128, Vec<i128>, i32) = value.call_method0("as_tuple")?.extract()?;
    let units = digits.iter().try_fold(0_i128, |units, digit| units.checked_mul(10)?.checked_add(*digit));
    match (units, i8::try_from(-exponent)) {
        (Some(units), Ok(scale)) => Ok(Number::Decimal(if sign == 1 { -units } else { units }, scale)),
        _ => value.call_method0("__float__")?.extract().map(Number::Float),
    }
}
