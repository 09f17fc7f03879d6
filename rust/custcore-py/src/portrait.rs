//! Python binding of portraits of segments.

use arrow_array::RecordBatch;
use custcore::{
    AttributeBins, AttributeNulls, AttributeTable, Calendar, KeyNames, PValueAdjustment, PortraitSpec, SentenceLanguage,
    portrait as portrait_of, portrait_marks as marks_of, portrait_sentences as sentences_of,
};
use pyo3::prelude::*;

use crate::boundary::header::Selection;
use crate::cohort::period;
use crate::error::into_py;
use crate::input::Input;
use crate::number::number;
use crate::options::{Names, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

/// Bins of an attribute: a number of quantiles, or edges.
#[derive(FromPyObject)]
enum Bins<'py> {
    Quantiles(i64),
    Edges(Vec<Bound<'py, PyAny>>),
}

/// Bins as the core takes them; None stands for none.
fn parsed(bins: Option<Bins<'_>>, argument: &str) -> PyResult<AttributeBins> {
    Ok(match bins {
        None => AttributeBins::Each,
        // What is out of range is an error of the core.
        Some(Bins::Quantiles(n)) => AttributeBins::Quantiles(u8::try_from(n).unwrap_or(0)),
        Some(Bins::Edges(edges)) => AttributeBins::Edges(edges.iter().map(|edge| number(edge, argument)).collect::<PyResult<_>>()?),
    })
}

/// Options of a portrait; passed as a dict by the Python function.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct PortraitOptions<'py> {
    segment: String,
    customer_id: Option<Names>,
    nulls: String,
    min_customers: u64,
    adjust: String,
    alpha: f64,
    bins: Vec<(String, Option<Bins<'py>>)>,
    default_bins: Option<Bins<'py>>,
    period: (String, i32),
    timezone: Option<String>,
}

impl PortraitOptions<'_> {
    fn spec(self, py: Python<'_>) -> PyResult<PortraitSpec> {
        let bins = |(name, bins): (String, Option<Bins<'_>>)| {
            let argument = format!("bins of '{name}'");
            Ok((name, parsed(bins, &argument)?))
        };
        let nulls = [("drop", AttributeNulls::Drop), ("value", AttributeNulls::Value)];
        let adjust = [("bh", PValueAdjustment::Bh), ("holm", PValueAdjustment::Holm), ("none", PValueAdjustment::None)];
        Ok(PortraitSpec {
            customer_id: self.customer_id.map(KeyNames::from),
            segment: self.segment,
            nulls: choice(py, "nulls", &self.nulls, &nulls)?,
            min_customers: self.min_customers,
            adjust: choice(py, "adjust", &self.adjust, &adjust)?,
            alpha: self.alpha,
            bins: self.bins.into_iter().map(bins).collect::<PyResult<_>>()?,
            default_bins: parsed(self.default_bins, "bins")?,
            period: period(py, "period", &self.period)?,
            calendar: Calendar::default(),
            timezone: self.timezone,
        })
    }
}

/// Who the customers of each segment are. `attributes`: tables with their names, and whether each is a list of values.
#[pyfunction]
#[pyo3(signature = (segments, attributes, options, *, n_threads))]
pub fn portrait(
    segments: &Bound<'_, PyAny>,
    attributes: Vec<(Option<String>, Bound<'_, PyAny>, bool)>,
    options: PortraitOptions<'_>,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = segments.py();
    let spec = options.spec(py)?;
    let ids = spec.customer_id.iter().flat_map(KeyNames::iter);
    let names = ids.chain([spec.segment.as_str()]).map(str::to_owned).collect();
    let mut batches = Input::read(segments, Selection::Using { names, first: spec.customer_id.is_none() })?.batches;
    let mut ends = vec![batches.len()];
    let mut tables = Vec::with_capacity(attributes.len());
    for (name, table, is_list) in attributes {
        batches.extend(Input::read(&table, Selection::All)?.batches);
        ends.push(batches.len());
        tables.push((name, is_list));
    }
    let table = Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches: &[RecordBatch], context| {
        let tables = tables.into_iter().zip(ends.windows(2));
        let table = |((name, is_list), ends): ((Option<String>, bool), &[usize])| AttributeTable {
            name,
            batches: &batches[ends[0]..ends[1]],
            is_list,
        };
        let attributes: Vec<AttributeTable<'_>> = tables.map(table).collect();
        portrait_of(&batches[..ends[0]], &attributes, &spec, context)
    })?;
    Ok(CoreTable::new(table))
}

/// The strongest marks of each segment of a portrait.
#[pyfunction]
#[pyo3(signature = (portrait, n))]
pub fn portrait_marks(py: Python<'_>, portrait: &Bound<'_, CoreTable>, n: usize) -> PyResult<CoreTable> {
    let portrait = portrait.get();
    marks_of(portrait.batches(), n, portrait.report().clone()).map(CoreTable::new).map_err(|error| into_py(py, &error))
}

/// A sentence for each segment of a portrait.
#[pyfunction]
#[pyo3(signature = (portrait, lang))]
pub fn portrait_sentences(py: Python<'_>, portrait: &Bound<'_, CoreTable>, lang: &str) -> PyResult<CoreTable> {
    let lang = choice(py, "lang", lang, &[("en", SentenceLanguage::En), ("zh", SentenceLanguage::Zh)])?;
    let portrait = portrait.get();
    sentences_of(portrait.batches(), lang, portrait.report().clone()).map(CoreTable::new).map_err(|error| into_py(py, &error))
}
