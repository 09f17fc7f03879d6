//! Python binding of net promoter scores.

use custcore::{KeyNames, NpsAnswer, NpsInterval, NpsSpec, nps as nps_of};
use pyo3::prelude::*;

use crate::boundary::header::Selection;
use crate::input::Input;
use crate::options::{Names, choice};
use crate::runtime::Call;
use crate::table::CoreTable;

/// Net promoter scores of all answers and of each segment.
#[pyfunction]
#[pyo3(signature = (data, *, score, by, customer_id, timestamp, which, interval, n_threads))]
#[expect(clippy::too_many_arguments, reason = "those of the Python function")]
pub fn nps(
    data: &Bound<'_, PyAny>,
    score: String,
    by: Option<String>,
    customer_id: Option<Names>,
    timestamp: Option<String>,
    which: &str,
    interval: &str,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = data.py();
    let spec = NpsSpec {
        score,
        by,
        customer_id: customer_id.map(KeyNames::from),
        timestamp,
        which: choice(py, "which", which, &[("last", NpsAnswer::Last), ("first", NpsAnswer::First)])?,
        interval: choice(py, "interval", interval, &[("adjusted", NpsInterval::Adjusted), ("wald", NpsInterval::Wald)])?,
    };
    let ids = spec.customer_id.iter().flat_map(KeyNames::iter);
    let columns = [Some(spec.score.as_str()), spec.by.as_deref(), spec.timestamp.as_deref()];
    let names = ids.chain(columns.into_iter().flatten()).map(str::to_owned).collect();
    let batches = Input::read(data, Selection::Using { names, first: false })?.batches;
    let table = Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| nps_of(batches, &spec, context))?;
    Ok(CoreTable::new(table))
}
