//! Reads record batches from anything that exports Arrow: streams, single arrays, iterables of these.

use std::ffi::CStr;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use custcore::{Error, ErrorKind, type_name};
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods, PyDict, PyTuple};

use super::header::{Header, Selection, Unusable, malformed};
use super::raw::{Owned, Raw, RawArray, RawSchema, RawStream};
use crate::error::into_py;
use crate::guard::guarded;

const STREAM: &CStr = c"arrow_array_stream";
const ARRAY: &CStr = c"arrow_array";
const SCHEMA: &CStr = c"arrow_schema";

/// Maximum number of rows in a group of batches.
pub const GROUP_ROWS: usize = 1 << 19;
/// Rows of a group, at least, however little memory there is.
const LEAST_GROUP_ROWS: usize = 1 << 15;
/// Bytes of a row of an id, a time and an amount.
const BYTES_PER_ROW: u64 = 24;
/// Maximum number of batches in a group.
const GROUP_BATCHES: usize = 256;
/// Tables in memory, by package and class.
const IN_MEMORY: [(&str, &str); 5] =
    [("pyarrow", "Table"), ("pyarrow", "RecordBatch"), ("pandas", "DataFrame"), ("polars", "DataFrame"), ("custcore", "Table")];

/// A source of record batches with the requested columns.
pub struct Source {
    header: Header,
    selection: Selection,
    feed: Feed,
    rows: u64,
    batches: u64,
    group_rows: usize,
    in_memory: bool,
    interrupted: bool,
}

enum Feed {
    Stream(Owned<RawStream>),
    Batch(Option<Owned<RawArray>>),
    /// An iterator of exporters, and the exporter being read.
    Iterator(Py<PyAny>, Box<Feed>),
}

impl Source {
    /// Opens `data`; `selection` are the columns to read, as a list of names or `None` for all.
    pub fn open(data: &Bound<'_, PyAny>, selection: impl Into<Selection>) -> PyResult<Self> {
        let selection = selection.into();
        if let Some((header, feed)) = open_exporter(data, &selection)? {
            let in_memory = is_of(data, &IN_MEMORY)?;
            return Ok(Self { header, selection, feed, rows: 0, batches: 0, group_rows: GROUP_ROWS, in_memory, interrupted: false });
        }
        if let Some(reader) = scanned(data, &selection)? {
            return Self::open(&reader, selection);
        }
        if is_not_a_table(data) || !data.hasattr("__iter__")? {
            return Err(not_a_table(data));
        }
        let Ok(iterator) = data.try_iter() else { return Err(not_a_table(data)) };
        let iterator = iterator.unbind().into_any();
        let Some(first) = next_item(data.py(), &iterator)? else {
            let error = Error::new(
                ErrorKind::ArrowImport,
                "the iterable yields no batches; an iterator that was already consumed is empty. Pass a new one",
            );
            return Err(into_py(data.py(), &error));
        };
        let Some((header, feed)) = open_exporter(&first, &selection)? else {
            // Tables of other kinds iterate over the names of their columns.
            return Err(not_a_table(if data.hasattr("columns")? { data } else { &first }));
        };
        let feed = Feed::Iterator(iterator, Box::new(feed));
        Ok(Self { header, selection, feed, rows: 0, batches: 0, group_rows: GROUP_ROWS, in_memory: false, interrupted: false })
    }

    /// Reads groups of about `bytes` bytes of rows with three columns, where that is less than usual.
    pub fn limit_groups(&mut self, bytes: u64) {
        self.group_rows = usize::try_from(bytes / BYTES_PER_ROW).unwrap_or(GROUP_ROWS).clamp(LEAST_GROUP_ROWS, GROUP_ROWS);
    }

    /// Whether all batches are in memory, so that reading them ahead takes none.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Whether the last error is that of a signal handler, and not one of the data.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// All columns by name; the type of a column that was not requested is `Null`.
    pub fn all_columns(&self) -> &Schema {
        &self.header.all
    }

    /// The columns whose values cannot be used.
    pub fn unusable(&self) -> &[Unusable] {
        &self.header.unusable
    }

    /// The columns that are read.
    pub fn schema(&self) -> SchemaRef {
        self.header.selected.clone()
    }

    /// The next group of batches, of about half a million rows; empty at the end. C streams are read without the GIL.
    pub fn next_group(&mut self, py: Python<'_>) -> PyResult<Vec<RecordBatch>> {
        let (mut group, mut rows) = (Vec::new(), 0);
        while rows < self.group_rows && group.len() < GROUP_BATCHES {
            let Some(batch) = self.next(py)? else { break };
            rows += batch.num_rows();
            group.push(batch);
        }
        Ok(group)
    }

    /// All remaining batches.
    pub fn rest(&mut self, py: Python<'_>) -> PyResult<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next(py)? {
            batches.push(batch);
        }
        Ok(batches)
    }

    fn next(&mut self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        loop {
            let feed = match &mut self.feed {
                Feed::Iterator(_, current) => current,
                own => own,
            };
            let read = py.detach(|| {
                guarded(|| {
                    let array = next_array(feed, self.batches)?;
                    array.map(|array| self.header.batch(array, self.rows)).transpose()
                })
            });
            if let Some(batch) = read.map_err(|error| into_py(py, &error))? {
                py.check_signals().inspect_err(|_| self.interrupted = true)?;
                self.rows += batch.num_rows() as u64;
                self.batches += 1;
                return Ok(Some(batch));
            }
            let Feed::Iterator(iterator, current) = &mut self.feed else { return Ok(None) };
            let Some(item) = next_item(py, iterator)? else { return Ok(None) };
            let Some((header, feed)) = open_exporter(&item, &self.selection)? else { return Err(not_a_table(&item)) };
            if !has_same_columns(&header.selected, &self.header.selected) {
                return Err(into_py(py, &schema_mismatch(self.batches, &header.selected, &self.header.selected)));
            }
            self.header = header;
            **current = feed;
        }
    }
}

/// Whether two batches have the same columns of the same types.
fn has_same_columns(a: &Schema, b: &Schema) -> bool {
    let key = |schema: &Schema| schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect::<Vec<_>>();
    key(a) == key(b)
}

/// The error for a batch whose columns differ from those of the first.
fn schema_mismatch(batch: u64, found: &Schema, first: &Schema) -> Error {
    for field in first.fields() {
        let name = field.name();
        let expected = type_name(field.data_type());
        let message = match found.field_with_name(name) {
            Ok(other) if other.data_type() == field.data_type() => continue,
            Ok(other) => format!("column '{name}' is {} in batch {batch}, but {expected} in the first batch", type_name(other.data_type())),
            Err(_) => format!("column '{name}' is missing in batch {batch}"),
        };
        return Error::new(ErrorKind::InvalidType, format!("{message}; cast all batches to one schema")).in_column(name);
    }
    Error::new(ErrorKind::InvalidType, format!("batch {batch} has its columns in a different order than the first batch; reorder them"))
}

fn next_item<'py>(py: Python<'py>, iterator: &Py<PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match iterator.bind(py).call_method0("__next__") {
        Ok(item) => Ok(Some(item)),
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the next array of a stream, or the only array of a batch.
fn next_array(feed: &mut Feed, batch: u64) -> Result<Option<Owned<RawArray>>, Error> {
    match feed {
        Feed::Batch(array) => Ok(array.take()),
        Feed::Stream(stream) => {
            let mut array = Owned::<RawArray>::empty();
            let raw = stream.get_mut();
            let Some(get_next) = raw.get_next else { return Err(malformed(None, None, "the stream has no get_next")) };
            // SAFETY: the stream is not released and used only from this thread; `array` is empty and owned.
            let code = unsafe { get_next(raw, array.get_mut()) };
            if code != 0 {
                return Err(producer_error(raw, code, &format!("at batch {batch}")));
            }
            Ok((!array.get().is_released()).then_some(array))
        }
        Feed::Iterator(_, current) => next_array(current, batch),
    }
}

fn producer_error(stream: &mut RawStream, code: i32, location: &str) -> Error {
    // SAFETY: the stream is not released.
    let message = stream.get_last_error.map(|last| unsafe { last(stream) }).filter(|message| !message.is_null());
    let text = match message {
        // SAFETY: the last error is a null-terminated string that lives until the next call.
        Some(message) => unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned(),
        None => std::io::Error::from_raw_os_error(code).to_string(),
    };
    Error::new(ErrorKind::ArrowImport, format!("the producer of the data failed {location}: {text}"))
}

/// Opens an exporter of a stream or an array; `None` if `data` exports neither.
fn open_exporter(data: &Bound<'_, PyAny>, selection: &Selection) -> PyResult<Option<(Header, Feed)>> {
    let py = data.py();
    // A class with the methods of an exporter is not an exporter.
    if data.is_instance_of::<pyo3::types::PyType>() {
        return Ok(None);
    }
    let of_polars = is_of_polars(data)?;
    if data.hasattr("__arrow_c_stream__")? {
        let capsule = data.call_method0("__arrow_c_stream__")?;
        let stream: Owned<RawStream> = take(&capsule, STREAM)?;
        let (header, stream) = py.detach(|| guarded(|| open_stream(stream, selection, of_polars))).map_err(|error| into_py(py, &error))?;
        return Ok(Some((header, Feed::Stream(stream))));
    }
    if data.hasattr("__arrow_c_array__")? {
        let pair = data.call_method0("__arrow_c_array__")?;
        let pair = pair.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
        let Some(pair) = pair else {
            return Err(into_py(py, &malformed(None, None, "__arrow_c_array__ did not return a pair of capsules")));
        };
        let schema: Owned<RawSchema> = take(&pair.get_item(0)?, SCHEMA)?;
        let array: Owned<RawArray> = take(&pair.get_item(1)?, ARRAY)?;
        let header = guarded(|| Header::read(&schema, selection, of_polars)).map_err(|error| into_py(py, &error))?;
        return Ok(Some((header, Feed::Batch(Some(array)))));
    }
    Ok(None)
}

/// Whether a class of polars exports the data.
fn is_of_polars(data: &Bound<'_, PyAny>) -> PyResult<bool> {
    has_class(data, |package, _| package == "polars")
}

/// Whether the data are of one of these classes, given as package and name.
fn is_of(data: &Bound<'_, PyAny>, classes: &[(&str, &str)]) -> PyResult<bool> {
    has_class(data, |package, name| classes.contains(&(package, name)))
}

/// Whether the package and the name of a class of the data satisfy `is_it`.
fn has_class(data: &Bound<'_, PyAny>, is_it: impl Fn(&str, &str) -> bool) -> PyResult<bool> {
    for class in data.get_type().mro() {
        let (module, name) = (class.getattr("__module__")?, class.getattr("__name__")?);
        if let (Ok(module), Ok(name)) = (module.extract::<&str>(), name.extract::<&str>())
            && is_it(module.split('.').next().unwrap_or_default(), name)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn open_stream(mut stream: Owned<RawStream>, selection: &Selection, of_polars: bool) -> Result<(Header, Owned<RawStream>), Error> {
    let mut schema = Owned::<RawSchema>::empty();
    let raw = stream.get_mut();
    let Some(get_schema) = raw.get_schema else { return Err(malformed(None, None, "the stream has no get_schema")) };
    // SAFETY: the stream is not released and used only from this thread; `schema` is empty and owned.
    let code = unsafe { get_schema(raw, schema.get_mut()) };
    if code != 0 {
        return Err(producer_error(raw, code, "to provide its schema"));
    }
    Ok((Header::read(&schema, selection, of_polars)?, stream))
}

/// Moves the struct out of a capsule with the given name.
fn take<T: Raw>(capsule: &Bound<'_, PyAny>, name: &CStr) -> PyResult<Owned<T>> {
    let py = capsule.py();
    let wrong = |what: String| into_py(py, &malformed(None, None, &what));
    let Ok(capsule) = capsule.cast::<PyCapsule>() else {
        return Err(wrong(format!("the exporter returned {} instead of a capsule", capsule.get_type().name()?)));
    };
    let Ok(pointer) = capsule.pointer_checked(Some(name)) else {
        // SAFETY: the name is read immediately, while the capsule is alive.
        let found = capsule.name()?.map_or_else(|| "without a name".to_owned(), |name| format!("named {:?}", unsafe { name.as_cstr() }));
        return Err(wrong(format!("the capsule is {found}, expected {name:?}")));
    };
    // SAFETY: a capsule with this name holds a valid struct of this type; the GIL is held, so there is no concurrent access.
    let taken: Owned<T> = unsafe { Owned::take(pointer.as_ptr().cast()) };
    if taken.get().is_released() {
        return Err(wrong("the capsule was already released or consumed; export the data again".to_owned()));
    }
    Ok(taken)
}

/// The reader of a pyarrow Dataset or Scanner, of the columns that are read.
fn scanned<'py>(data: &Bound<'py, PyAny>, selection: &Selection) -> PyResult<Option<Bound<'py, PyAny>>> {
    if data.is_instance_of::<pyo3::types::PyType>() {
        return Ok(None);
    }
    let scanner = if data.hasattr("to_reader")? {
        data.clone()
    } else if data.hasattr("scanner")? {
        let options = PyDict::new(data.py());
        let known: Vec<String> = data.getattr("schema").and_then(|schema| schema.getattr("names")?.extract()).unwrap_or_default();
        // All columns are needed to suggest a name in place of one that is missing.
        if let Selection::Named(names) = selection
            && names.iter().all(|name| known.contains(name))
        {
            options.set_item("columns", names)?;
        }
        data.call_method("scanner", (), Some(&options))?
    } else {
        return Ok(None);
    };
    scanner.call_method0("to_reader").map(Some)
}

/// Whether `data` is iterable but clearly not a sequence of batches.
fn is_not_a_table(data: &Bound<'_, PyAny>) -> bool {
    use pyo3::types::{PyBytes, PyString};
    data.is_instance_of::<PyString>() || data.is_instance_of::<PyBytes>() || data.is_instance_of::<PyDict>()
}

fn not_a_table(data: &Bound<'_, PyAny>) -> PyErr {
    let py = data.py();
    let name = data.get_type().fully_qualified_name().map_or_else(|_| "an unknown type".to_owned(), |name| name.to_string());
    let is_path = data.is_instance_of::<pyo3::types::PyString>() || data.hasattr("__fspath__").unwrap_or(false);
    let hint = if is_path {
        "Read the file first, e.g. pyarrow.parquet.read_table(path), pyarrow.dataset.dataset(path).scanner().to_reader(), or duckdb.read_parquet(path)"
    } else if data.hasattr("collect").unwrap_or(false) {
        "A lazy frame has no data yet: call .collect() first"
    } else if data.hasattr("iter_batches").unwrap_or(false) {
        "A Parquet file is read in batches by .iter_batches()"
    } else if data.hasattr("partitions").unwrap_or(false) || data.hasattr("compute").unwrap_or(false) {
        "A dask DataFrame has no data yet: call .compute() first, or pass an iterable of the parts"
    } else if data.hasattr("columns").unwrap_or(false) {
        "Convert it to one of these first"
    } else {
        "For a list of dicts use pyarrow.Table.from_pylist(data)"
    };
    let error = Error::new(
        ErrorKind::InvalidType,
        format!(
            "data is {name}, which does not export Arrow data. Accepted are a pyarrow Table, RecordBatch, RecordBatchReader, \
             Dataset or Scanner, a pandas or polars DataFrame, a DuckDB relation, anything else with __arrow_c_stream__ or \
             __arrow_c_array__, an iterable of such batches, or a dict of numpy arrays. {hint}"
        ),
    );
    into_py(py, &error)
}
