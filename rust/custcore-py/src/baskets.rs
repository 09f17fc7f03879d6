//! Python binding of baskets: what is bought together.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use custcore::{
    BasketBuilder, BasketBy, BasketSpec, Baskets, Context, CustomerId, ItemsetSpec, MinBaskets, PValueAdjustment, PairSpec, PairTest,
    Result, RuleSpec, date_text, itemsets as itemsets_of, pairs as pairs_of, rules as rules_of,
};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

use crate::base::PyId;
use crate::boundary::source::Source;
use crate::change::CoreChange;
use crate::checkout::Shared;
use crate::error::into_py;
use crate::measures::{SegmentsArgument, segments};
use crate::options::{ReadOptions, choice, kept_options};
use crate::runtime::{Call, Folding, INLINE_ROWS};
use crate::table::CoreTable;

/// Typical number of bytes of an item in a file of baskets; estimates the amount of work.
const BYTES_PER_ITEM: usize = 16;

impl Folding for BasketBuilder {
    fn push(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        Self::push(self, batches, context)
    }

    fn reads_ahead(&self) -> bool {
        false
    }

    fn read_ahead(&mut self, _: &[RecordBatch], _: &Context) -> Result<()> {
        Ok(())
    }

    // It copies what it reads.
    fn release(&mut self) {}
}

/// A least number of baskets: a count, or a share of them.
#[derive(FromPyObject, Clone, Copy)]
pub enum Least {
    Count(u64),
    Share(f64),
}

impl From<Least> for MinBaskets {
    fn from(least: Least) -> Self {
        match least {
            Least::Count(count) => Self::Count(count),
            Least::Share(share) => Self::Share(share),
        }
    }
}

/// How pairs are found; passed as a dict by the Python functions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct PairOptions {
    min_item_baskets: Least,
    min_pair_baskets: Least,
    min_basket: u64,
    test: String,
    adjust: String,
    top: Option<u64>,
}

impl PairOptions {
    fn spec(&self, py: Python<'_>) -> PyResult<PairSpec> {
        let adjustments = [("bh", PValueAdjustment::Bh), ("holm", PValueAdjustment::Holm), ("none", PValueAdjustment::None)];
        Ok(PairSpec {
            min_item_baskets: self.min_item_baskets.into(),
            min_pair_baskets: self.min_pair_baskets.into(),
            min_basket: self.min_basket,
            test: choice(py, "test", &self.test, &[("within", PairTest::Within), ("fisher", PairTest::Fisher)])?,
            adjust: choice(py, "adjust", &self.adjust, &adjustments)?,
            top: self.top,
        })
    }
}

/// The baskets of transactions.
#[pyclass(frozen, module = "custcore._core", name = "Baskets")]
pub struct CoreBaskets {
    baskets: Shared<Baskets>,
}

impl CoreBaskets {
    fn of(baskets: Baskets) -> Self {
        Self { baskets: Shared::new(Arc::new(baskets)) }
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<Arc<Baskets>> {
        self.baskets.snapshot(py)
    }

    fn size(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.snapshot(py)?.size())
    }

    /// A change that takes effect when it is asked for.
    fn change(&self, rows: usize, work: impl FnOnce(&mut Baskets, &Context) -> Result<usize> + Send + 'static) -> CoreChange {
        let baskets = self.baskets.clone();
        CoreChange::new(move |py| baskets.change(py, &mut Call::new(py, None, None, None)?, rows, work))
    }

    /// A table of the baskets.
    fn table(
        &self,
        py: Python<'_>,
        n_threads: Option<i64>,
        work: impl FnOnce(&Baskets, &Context) -> Result<custcore::Table> + Send + 'static,
    ) -> PyResult<CoreTable> {
        let baskets = self.snapshot(py)?;
        let size = baskets.size();
        let table = Call::new(py, n_threads, None, None)?.run(py, size, move |context| work(&baskets, context))?;
        Ok(CoreTable::new(table))
    }
}

#[pymethods]
impl CoreBaskets {
    #[new]
    fn new(options: &Bound<'_, PyAny>, item: String, basket: &str, max_basket: Option<u64>, anonymous: bool) -> PyResult<Self> {
        let py = options.py();
        let by = choice(py, "basket", basket, &[("order", BasketBy::Order), ("day", BasketBy::Day), ("customer", BasketBy::Customer)])?;
        let read = options.extract::<ReadOptions>()?.unchecked_spec(py)?;
        let spec = BasketSpec { max_basket, anonymous, ..BasketSpec::new(item, read, by) };
        Ok(Self::of(Baskets::new(spec).map_err(|error| into_py(py, &error))?))
    }

    #[pyo3(signature = (data, *, batch_id, n_threads, progress, rows_total))]
    fn update(
        &self,
        data: &Bound<'_, PyAny>,
        batch_id: Option<String>,
        n_threads: Option<i64>,
        progress: Option<Py<PyAny>>,
        rows_total: Option<u64>,
    ) -> PyResult<CoreChange> {
        let py = data.py();
        let mut call = Call::new(py, n_threads, progress, rows_total)?;
        let before = self.snapshot(py)?;
        if let Some(batch) = &batch_id {
            before.check_batch(batch).map_err(|error| into_py(py, &error))?;
        }
        let mut source = Source::open(data, Some(before.columns()))?;
        let builder = before.begin(source.all_columns()).map_err(|error| into_py(py, &error))?;
        // Not held while rows are read: the update is added to the baskets as they are then, without a copy.
        drop(before);
        let builder = call.fold(py, &mut source, builder)?;
        let rows = usize::try_from(builder.rows()).unwrap_or(usize::MAX);
        let update = call.run(py, rows, move |context| builder.finish(context))?;
        let (baskets, size) = (self.baskets.clone(), update.size());
        Ok(CoreChange::new(move |py| {
            baskets.change(py, &mut call, size, move |baskets, context| baskets.commit(update, batch_id.as_deref(), context).map(|()| 0))
        }))
    }

    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<CoreChange> {
        let other = other.snapshot(py)?;
        let rows = self.size(py)?.saturating_add(other.size());
        Ok(self.change(rows, move |baskets, context| baskets.merge(&other, context).map(|()| 0)))
    }

    fn seal(&self, py: Python<'_>, before: i32) -> PyResult<CoreChange> {
        let rows = self.size(py)?;
        Ok(self.change(rows, move |baskets, context| baskets.seal(before, context).map(|()| 0)))
    }

    fn relabel(&self, py: Python<'_>, pairs: Vec<(PyId, PyId)>) -> PyResult<CoreChange> {
        let pairs: Vec<(CustomerId, CustomerId)> = pairs.into_iter().map(|(old, new)| (old.0, new.0)).collect();
        let rows = self.size(py)?;
        Ok(self.change(rows, move |baskets, context| baskets.relabel(&pairs, context).map(|()| 0)))
    }

    fn remove(&self, py: Python<'_>, ids: Vec<PyId>) -> PyResult<CoreChange> {
        let ids: Vec<CustomerId> = ids.into_iter().map(|id| id.0).collect();
        let rows = self.size(py)?;
        Ok(self.change(rows, move |baskets, context| baskets.remove(&ids, context)))
    }

    #[pyo3(signature = (options, by, *, n_threads))]
    fn pairs(&self, options: &Bound<'_, PyAny>, by: Option<SegmentsArgument<'_>>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = options.py();
        let spec = options.extract::<PairOptions>()?.spec(py)?;
        let ids = self.snapshot(py)?.spec().read.roles.customer_id.clone();
        let by = segments(py, by, ids, n_threads)?;
        self.table(py, n_threads, move |baskets, context| pairs_of(baskets, &spec, by.as_deref(), context))
    }

    #[pyo3(signature = (min_baskets, max_len, max_itemsets, *, n_threads))]
    fn itemsets(&self, py: Python<'_>, min_baskets: Least, max_len: u64, max_itemsets: u64, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let spec = ItemsetSpec { min_baskets: min_baskets.into(), max_len, max_itemsets };
        self.table(py, n_threads, move |baskets, context| itemsets_of(baskets, &spec, context))
    }

    #[pyo3(signature = (min_baskets, min_confidence, max_len, max_itemsets, *, n_threads))]
    fn rules(
        &self,
        py: Python<'_>,
        min_baskets: Least,
        min_confidence: f64,
        max_len: u64,
        max_itemsets: u64,
        n_threads: Option<i64>,
    ) -> PyResult<CoreTable> {
        let itemsets = ItemsetSpec { min_baskets: min_baskets.into(), max_len, max_itemsets };
        let spec = RuleSpec { itemsets, min_confidence };
        self.table(py, n_threads, move |baskets, context| rules_of(baskets, &spec, context))
    }

    /// The settings as constructor arguments.
    fn settings<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyDict>, String, &'static str, Option<u64>, bool)> {
        let baskets = self.snapshot(py)?;
        let spec = baskets.spec();
        let (options, _, _) = kept_options(py, &spec.read)?;
        options.set_item("attributes", Vec::<(String, String)>::new())?;
        Ok((options, spec.item().to_owned(), spec.by.name(), spec.max_basket, spec.anonymous))
    }

    /// Writes the baskets to a temporary file, which the change renames.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<CoreChange> {
        let baskets = self.snapshot(py)?;
        let (size, mut call) = (baskets.size(), Call::new(py, None, None, None)?);
        let draft = call.run_to_the_end(py, size, move |context| baskets.draft(&path, context))?;
        Ok(CoreChange::new(move |py| call.commit(py, size, move |_| draft.commit().map(|()| 0))))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(Self::of(Call::new(py, None, None, None)?.run(py, INLINE_ROWS, move |context| Baskets::load(&path, context))?))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let baskets = self.snapshot(py)?;
        let bytes = Call::new(py, None, None, None)?.run(py, baskets.size(), move |context| baskets.to_bytes(context))?;
        crate::guard::bytes(py, &bytes)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        let rows = data.len() / BYTES_PER_ITEM;
        Ok(Self::of(Call::new(py, None, None, None)?.run(py, rows, move |context| Baskets::from_bytes(&data, context))?))
    }

    fn copy(&self, py: Python<'_>) -> PyResult<Self> {
        Ok(Self { baskets: Shared::new(self.snapshot(py)?) })
    }

    fn report(&self, py: Python<'_>) -> PyResult<CoreTable> {
        let baskets = self.snapshot(py)?;
        let report = Call::new(py, None, None, None)?.run(py, baskets.size(), move |context| baskets.report(context))?;
        Ok(CoreTable::of_report(report))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let baskets = self.snapshot(py)?;
        Call::new(py, None, None, None)?.run(py, baskets.size(), move |context| baskets.len(context))
    }

    #[getter]
    fn rows(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.snapshot(py)?.rows())
    }

    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.snapshot(py)?.bytes())
    }

    #[getter]
    fn batches(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.snapshot(py)?.batches().map(str::to_owned).collect())
    }

    #[getter]
    fn sealed(&self, py: Python<'_>) -> PyResult<Option<String>> {
        Ok(self.snapshot(py)?.sealed().map(date_text))
    }
}
