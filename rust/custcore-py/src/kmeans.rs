//! Python binding of k-means.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use custcore::{
    CenterInit, Context, Error, ErrorKind, Features, FitSettings, FittedKMeans, KChoice, KMeansModel, KMeansSpec, KMeansStart, Result,
    Scaler, SimdPath, assigned_table, best_breaks, cluster_profile_table, nearest_center, select_table,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::boundary::header::Selection;
use crate::boundary::memory::Memory;
use crate::error::into_py;
use crate::guard::creating;
use crate::input::{Input, Rows};
use crate::number::{features, nonfinite};
use crate::options::{choice, word};
use crate::runtime::Call;
use crate::scaler::CoreScaler;
use crate::store;
use crate::table::CoreTable;

/// Wraps values as memory for numpy.
fn memory<T: arrow_buffer::ArrowNativeType>(values: Vec<T>) -> Memory {
    Memory::new(Buffer::from_vec(values))
}

/// Centres as a list of rows.
fn rows_of<'py>(py: Python<'py>, values: &[f64], n_features: usize) -> PyResult<Bound<'py, PyList>> {
    creating(py, || {
        let list = PyList::empty(py);
        for row in values.chunks_exact(n_features.max(1)) {
            list.append(PyList::new(py, row)?)?;
        }
        Ok(list)
    })
}

/// Flattens a list of rows.
fn flat(py: Python<'_>, rows: Vec<Vec<f64>>) -> PyResult<(Vec<f64>, usize)> {
    let width = rows.first().map_or(0, Vec::len);
    if rows.iter().any(|row| row.len() != width) {
        return Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, "the centres have different numbers of features")));
    }
    Ok((rows.concat(), width))
}

fn path_of(py: Python<'_>, path: Option<&str>) -> PyResult<SimdPath> {
    let paths: Vec<(&str, SimdPath)> = SimdPath::available().into_iter().map(|path| (path.name(), path)).collect();
    path.map_or_else(|| Ok(SimdPath::fastest()), |word| choice(py, "path", word, &paths))
}

/// The cluster of each row; features are in original units.
fn labels(model: &KMeansModel, features: &Features, scaler: Option<&Scaler>, context: &Context) -> Result<Vec<i32>> {
    match scaler {
        Some(scaler) => model.predict(&scaler.transform(features, context)?, SimdPath::fastest(), context),
        None => model.predict(features, SimdPath::fastest(), context),
    }
}

/// Clusters the rows for several numbers of clusters and returns quality measures for each.
#[pyfunction]
#[pyo3(signature = (x, ks, *, columns, scaler, n_init, max_iter, tol, random_state, sample_size, n_threads))]
#[expect(clippy::too_many_arguments, reason = "the arguments of custcore.select_k")]
pub fn select_k(
    x: &Bound<'_, PyAny>,
    ks: Vec<usize>,
    columns: Option<Vec<String>>,
    scaler: Option<&Bound<'_, CoreScaler>>,
    n_init: Option<usize>,
    max_iter: usize,
    tol: f64,
    random_state: u64,
    sample_size: usize,
    n_threads: Option<i64>,
) -> PyResult<CoreTable> {
    let py = x.py();
    let scaler = scaler.map(|scaler| scaler.get().fitted(py)).transpose()?;
    let choice = KChoice { ks, n_init, max_iter, tol, seed: random_state, sample_size };
    let work = move |features: &Features, _: Option<&[f64]>, context: &Context| select_table(&choice.run(features, context)?);
    Rows::read(x, columns)?.run(py, n_threads, scaler, work).map(CoreTable::new)
}

/// Optimal groups of one feature for each k: (inertia, ascending centres, the largest value of each group except the last).
#[pyfunction]
#[pyo3(signature = (x, ks, *, columns, sample_weight, n_threads))]
pub fn natural_breaks(
    x: &Bound<'_, PyAny>,
    ks: Vec<usize>,
    columns: Option<Vec<String>>,
    sample_weight: Option<&Bound<'_, PyAny>>,
    n_threads: Option<i64>,
) -> PyResult<Vec<(f64, Vec<f64>, Vec<f64>)>> {
    let rows = Rows::read(x, columns)?.weighted(sample_weight)?;
    let found = rows.run(x.py(), n_threads, None, move |features, weights, context| best_breaks(features, weights, &ks, context))?;
    Ok(found.into_iter().map(|found| (found.inertia, found.centers, found.breaks)).collect())
}

/// The SIMD paths that this machine supports, the fastest last.
#[pyfunction]
pub fn simd_paths() -> Vec<&'static str> {
    SimdPath::available().into_iter().map(SimdPath::name).collect()
}

const STARTS: [(&str, KMeansStart); 3] =
    [("k-means++", KMeansStart::PlusPlus), ("random", KMeansStart::Random), ("given", KMeansStart::Given)];

/// The settings of a fitted model; passed as a dict by `custcore.KMeans`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct KMeansSettings {
    n_clusters: usize,
    init: String,
    n_init: Option<usize>,
    max_iter: usize,
    tol: f64,
    random_state: Option<u64>,
    columns: Option<Vec<String>>,
}

impl KMeansSettings {
    fn of_core(self, py: Python<'_>) -> PyResult<FitSettings> {
        let Self { n_clusters, init, n_init, max_iter, tol, random_state, columns } = self;
        Ok(FitSettings { n_clusters, init: choice(py, "init", &init, &STARTS)?, n_init, max_iter, tol, random_state, columns })
    }

    fn of_python<'py>(py: Python<'py>, settings: &FitSettings) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("n_clusters", settings.n_clusters)?;
        dict.set_item("init", word(&settings.init, &STARTS))?;
        dict.set_item("n_init", settings.n_init)?;
        dict.set_item("max_iter", settings.max_iter)?;
        dict.set_item("tol", settings.tol)?;
        dict.set_item("random_state", settings.random_state)?;
        dict.set_item("columns", settings.columns.clone())?;
        Ok(dict)
    }
}

/// Settings of k-means; `fit` returns a fitted, immutable model.
#[pyclass(frozen, module = "custcore._core", name = "KMeans")]
pub struct CoreKMeans {
    spec: KMeansSpec,
    scaler: Option<Arc<Scaler>>,
    names: Option<Vec<String>>,
    model: Option<Arc<KMeansModel>>,
}

impl CoreKMeans {
    fn fitted(&self, py: Python<'_>) -> PyResult<&Arc<KMeansModel>> {
        self.model
            .as_ref()
            .ok_or_else(|| into_py(py, &Error::new(ErrorKind::NotFitted, "this KMeans is not fitted yet; call fit(x) first")))
    }

    fn check_names(&self, py: Python<'_>, names: Option<&[String]>) -> PyResult<()> {
        let (Some(names), clusters) = (names, self.spec.n_clusters) else { return Ok(()) };
        if names.len() == clusters {
            return Ok(());
        }
        let message = format!("{} names were given for {clusters} clusters; pass one for each", names.len());
        Err(into_py(py, &Error::new(ErrorKind::InvalidArgument, message)))
    }

    /// Reads rows for the fitted model; columns are matched by name if the model has names.
    fn rows(&self, x: &Bound<'_, PyAny>) -> PyResult<Rows> {
        self.fitted(x.py())?;
        Rows::read(x, self.names.clone())
    }
}

#[pymethods]
impl CoreKMeans {
    #[new]
    #[pyo3(signature = (n_clusters, *, init, n_init, max_iter, tol, random_state, scaler))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of custcore.KMeans")]
    fn new(
        py: Python<'_>,
        n_clusters: usize,
        init: &str,
        n_init: Option<usize>,
        max_iter: usize,
        tol: f64,
        random_state: u64,
        scaler: Option<&Bound<'_, CoreScaler>>,
    ) -> PyResult<Self> {
        let random = choice(py, "init", init, &[("k-means++", false), ("random", true)])?;
        let (init, n_init) = match (random, n_init) {
            (true, n_init) => (CenterInit::Random, n_init.unwrap_or(10)),
            (false, Some(n_init)) => (CenterInit::PlusPlus, n_init),
            (false, None) => (CenterInit::Searched, 1),
        };
        let spec = KMeansSpec { n_clusters, init, n_init, max_iter, tol, seed: random_state, path: SimdPath::fastest() };
        let scaler = scaler.map(|scaler| scaler.get().fitted(py)).transpose()?;
        Ok(Self { spec, scaler, names: None, model: None })
    }

    #[staticmethod]
    fn from_parameters(
        py: Python<'_>,
        centers: Vec<Vec<f64>>,
        init_centers: Vec<Vec<f64>>,
        inertia: f64,
        n_iter: usize,
        feature_names: Option<Vec<String>>,
        scaler: Option<&Bound<'_, CoreScaler>>,
    ) -> PyResult<Self> {
        let n_clusters = centers.len();
        let (centers, n_features) = flat(py, centers)?;
        let (init_centers, _) = flat(py, init_centers)?;
        let model = KMeansModel { n_features, centers, init_centers, inertia, n_iter, n_nonempty: n_clusters };
        model.check_sound(feature_names.as_deref()).map_err(|error| into_py(py, &error))?;
        let spec = KMeansSpec {
            n_clusters,
            init: CenterInit::PlusPlus,
            n_init: 1,
            max_iter: n_iter.max(1),
            tol: 0.0,
            seed: 0,
            path: SimdPath::fastest(),
        };
        let scaler = scaler.map(|scaler| scaler.get().fitted(py)).transpose()?;
        Ok(Self { spec, scaler, names: feature_names, model: Some(Arc::new(model)) })
    }

    #[pyo3(signature = (x, *, columns, sample_weight, centers, n_threads, path = None))]
    fn fit(
        &self,
        x: &Bound<'_, PyAny>,
        columns: Option<Vec<String>>,
        sample_weight: Option<&Bound<'_, PyAny>>,
        centers: Option<Vec<Vec<Vec<f64>>>>,
        n_threads: Option<i64>,
        path: Option<&str>,
    ) -> PyResult<(Self, Memory)> {
        let py = x.py();
        let mut spec = KMeansSpec { path: path_of(py, path)?, ..self.spec.clone() };
        if let Some(starts) = centers {
            let starts = starts.into_iter().map(|start| flat(py, start).map(|(start, _)| start)).collect::<PyResult<Vec<_>>>()?;
            spec.n_init = starts.len();
            spec.init = CenterInit::Given(starts);
        }
        let rows = Rows::read(x, columns)?.weighted(sample_weight)?;
        let (names, model, labels) = rows.run(py, n_threads, self.scaler.clone(), move |features, weights, context| {
            let (model, labels) = spec.fit(features, weights, context)?;
            Ok((features.names.clone(), model, labels))
        })?;
        let fitted = Self { spec: self.spec.clone(), scaler: self.scaler.clone(), names, model: Some(Arc::new(model)) };
        Ok((fitted, memory(labels)))
    }

    #[pyo3(signature = (x, *, n_threads, path = None))]
    fn predict(&self, x: &Bound<'_, PyAny>, n_threads: Option<i64>, path: Option<&str>) -> PyResult<Memory> {
        let py = x.py();
        let (model, path) = (self.fitted(py)?.clone(), path_of(py, path)?);
        let labels =
            self.rows(x)?.run(py, n_threads, self.scaler.clone(), move |features, _, context| model.predict(features, path, context))?;
        Ok(memory(labels))
    }

    #[pyo3(signature = (x, *, n_threads))]
    fn transform(&self, x: &Bound<'_, PyAny>, n_threads: Option<i64>) -> PyResult<Memory> {
        let py = x.py();
        let model = self.fitted(py)?.clone();
        let distances =
            self.rows(x)?.run(py, n_threads, self.scaler.clone(), move |features, _, context| model.transform(features, context))?;
        Ok(memory(distances))
    }

    #[pyo3(signature = (x, *, sample_weight, n_threads))]
    fn score(&self, x: &Bound<'_, PyAny>, sample_weight: Option<&Bound<'_, PyAny>>, n_threads: Option<i64>) -> PyResult<f64> {
        let py = x.py();
        let model = self.fitted(py)?.clone();
        let rows = self.rows(x)?.weighted(sample_weight)?;
        rows.run(py, n_threads, self.scaler.clone(), move |features, weights, context| model.score(features, weights, context))
    }

    /// The columns of a table, the cluster of each row, and its name if names are given.
    #[pyo3(signature = (x, *, names, n_threads))]
    fn assign(&self, x: &Bound<'_, PyAny>, names: Option<Vec<String>>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = x.py();
        let (model, scaler, columns) = (self.fitted(py)?.clone(), self.scaler.clone(), self.names.clone());
        self.check_names(py, names.as_deref())?;
        let selection = columns.clone().map_or(Selection::All, |names| Selection::Using { names, first: false });
        let Input { batches, report } = Input::read(x, selection)?;
        let tables = Call::new(py, n_threads, None, None)?.run_on(py, batches, move |batches, context| {
            let features = Features::from_batches(batches, columns.as_deref())?;
            let labels = labels(&model, &features, scaler.as_deref(), context)?;
            let mut first = 0;
            let table = |batch: &RecordBatch| {
                let own = first..first + batch.num_rows();
                first = own.end;
                assigned_table(batch, &labels[own], names.as_deref(), report.clone())
            };
            batches.iter().map(table).collect()
        })?;
        CoreTable::concat(py, tables)
    }

    /// One row per cluster: size, share, mean and median of each feature in original units.
    #[pyo3(signature = (x, *, names, n_threads))]
    fn profile(&self, x: &Bound<'_, PyAny>, names: Option<Vec<String>>, n_threads: Option<i64>) -> PyResult<CoreTable> {
        let py = x.py();
        let (model, scaler) = (self.fitted(py)?.clone(), self.scaler.clone());
        self.check_names(py, names.as_deref())?;
        let table = self.rows(x)?.run(py, n_threads, None, move |features, _, context| {
            let labels = labels(&model, features, scaler.as_deref(), context)?;
            cluster_profile_table(features, &labels, model.n_clusters(), names.as_deref())
        })?;
        Ok(CoreTable::new(table))
    }

    fn predict_one(&self, py: Python<'_>, values: &Bound<'_, PyAny>) -> PyResult<usize> {
        let (model, names) = (self.fitted(py)?, self.names.as_deref());
        let numbers = features(values, names)?;
        nearest_center(model, self.scaler.as_deref(), &numbers)
            .map_err(|error| nonfinite(py, &numbers, names).unwrap_or_else(|| into_py(py, &error)))
    }

    #[getter]
    fn is_fitted(&self) -> bool {
        self.model.is_some()
    }

    #[getter]
    fn n_clusters(&self) -> usize {
        self.spec.n_clusters
    }

    #[getter]
    fn centers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let model = self.fitted(py)?;
        rows_of(py, &model.centers, model.n_features)
    }

    #[getter]
    fn init_centers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let model = self.fitted(py)?;
        rows_of(py, &model.init_centers, model.n_features)
    }

    #[getter]
    fn inertia(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(self.fitted(py)?.inertia)
    }

    #[getter]
    fn n_iter(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.fitted(py)?.n_iter)
    }

    #[getter]
    fn n_nonempty(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.fitted(py)?.n_nonempty)
    }

    #[getter]
    fn feature_names(&self) -> Option<Vec<String>> {
        self.names.clone()
    }

    /// Serializes the model with the settings, scaler and cluster names of the Python object.
    #[pyo3(signature = (settings, *, scaler, names))]
    fn to_bytes<'py>(
        &self,
        py: Python<'py>,
        settings: KMeansSettings,
        scaler: Option<&Bound<'_, CoreScaler>>,
        names: Option<Vec<String>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let model = KMeansModel::clone(self.fitted(py)?);
        let scaler = scaler.map(|scaler| scaler.get().model());
        let whole = FittedKMeans { settings: settings.of_core(py)?, model, feature_names: self.names.clone(), scaler, names };
        store::to_bytes(py, &whole.checked().map_err(|error| into_py(py, &error))?)
    }

    /// Deserializes the model, its settings, its scaler and its cluster names.
    #[staticmethod]
    fn from_bytes<'py>(py: Python<'py>, data: &[u8]) -> PyResult<(Self, Bound<'py, PyDict>, Option<CoreScaler>, Option<Vec<String>>)> {
        let FittedKMeans { settings, model, feature_names, scaler, names } = store::from_bytes(py, data)?;
        let n_clusters = model.n_clusters();
        let spec =
            KMeansSpec { n_clusters, init: CenterInit::PlusPlus, n_init: 1, max_iter: 1, tol: 0.0, seed: 0, path: SimdPath::fastest() };
        let fitted = scaler.as_ref().and_then(|scaler| scaler.fitted.clone()).map(Arc::new);
        let core = Self { spec, scaler: fitted, names: feature_names, model: Some(Arc::new(model)) };
        Ok((core, KMeansSettings::of_python(py, &settings)?, scaler.map(CoreScaler::of), names))
    }
}
