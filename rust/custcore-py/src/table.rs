//! `custcore._core.Table`: a result. `custcore.Table` wraps it.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use custcore::{
    Amount, EntryKind, Error, ErrorKind, Money, Report, ReportUnit, StoredTable, concatenated, date_text, decimal_text, find_column,
    find_result_column, table_from_bytes, table_to_bytes, type_name,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList, PyTuple};

use crate::boundary::export::{array_capsules, schema_capsule, stream_capsule};
use crate::boundary::header::{Selection, Unusable};
use crate::boundary::memory::{Memory, column};
use crate::boundary::source::Source;
use crate::error::into_py;
use crate::guard::{self, creating};
use std::sync::Arc;

/// A result: record batches of one schema, and the report.
#[pyclass(frozen, module = "custcore._core", name = "Table")]
pub struct CoreTable {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    report: Report,
    /// Columns of the input whose values cannot be used.
    unusable: Vec<Unusable>,
}

impl CoreTable {
    pub fn new(table: custcore::Table) -> Self {
        Self { schema: table.batch.schema(), batches: vec![table.batch], report: table.report, unusable: Vec::new() }
    }

    /// A report without a table.
    pub fn of_report(report: Report) -> Self {
        Self { schema: Arc::new(Schema::empty()), batches: Vec::new(), report, unusable: Vec::new() }
    }

    /// Concatenates tables with the same schema; the report is that of the first.
    pub fn concat(py: Python<'_>, tables: Vec<custcore::Table>) -> PyResult<Self> {
        let Some(first) = tables.first() else { return Err(into_py(py, &Error::internal("a result without batches"))) };
        let (schema, report) = (first.batch.schema(), first.report.clone());
        Ok(Self { schema, batches: tables.into_iter().map(|table| table.batch).collect(), report, unusable: Vec::new() })
    }

    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// All rows in one batch, with the metadata of the table.
    pub fn whole(&self) -> custcore::Result<RecordBatch> {
        if self.batches.is_empty() { Ok(RecordBatch::new_empty(self.schema.clone())) } else { concatenated(&self.batches) }
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    fn position(&self, py: Python<'_>, name: &str) -> PyResult<usize> {
        find_result_column(&self.schema, name).map_err(|error| into_py(py, &error))
    }
}

#[pymethods]
impl CoreTable {
    /// A table of columns given as `(name, kind, values)`: kind "string" or "binary" takes a list with None for null, the
    /// others a one-dimensional contiguous buffer.
    #[staticmethod]
    fn from_columns(columns: &Bound<'_, PyList>) -> PyResult<Self> {
        let py = columns.py();
        let mut arrays: Vec<(String, ArrayRef)> = Vec::new();
        for item in columns {
            let (name, kind, values): (String, String, Bound<'_, PyAny>) = item.extract()?;
            arrays.push((name, input_column(&kind, &values)?));
        }
        let invalid = |e: arrow_schema::ArrowError| {
            into_py(py, &Error::new(ErrorKind::InvalidArgument, format!("the columns do not form a table: {e}")))
        };
        let batch =
            RecordBatch::try_from_iter_with_nullable(arrays.into_iter().map(|(name, array)| (name, array, true))).map_err(invalid)?;
        Ok(Self { schema: batch.schema(), batches: vec![batch], report: Report::default(), unusable: Vec::new() })
    }

    /// A small table of columns given as `(name, kind, values)`: kind "string", "int64", "float64", "bool" or "date32" (days since
    /// 1970-01-01), values a list with None for null.
    #[staticmethod]
    fn from_values(columns: Vec<(String, String, Bound<'_, PyAny>)>, py: Python<'_>) -> PyResult<Self> {
        let column = |kind: &str, values: &Bound<'_, PyAny>| -> PyResult<ArrayRef> {
            Ok(match kind {
                "string" => Arc::new(StringArray::from(values.extract::<Vec<Option<String>>>()?)),
                "int64" => Arc::new(Int64Array::from(values.extract::<Vec<Option<i64>>>()?)),
                "bool" => Arc::new(BooleanArray::from(values.extract::<Vec<Option<bool>>>()?)),
                "date32" => Arc::new(Date32Array::from(values.extract::<Vec<Option<i32>>>()?)),
                "float64" => Arc::new(Float64Array::from(values.extract::<Vec<Option<f64>>>()?)),
                other => return Err(into_py(py, &Error::internal(format!("a column of kind '{other}'")))),
            })
        };
        let mut arrays = Vec::with_capacity(columns.len());
        for (name, kind, values) in &columns {
            arrays.push((name, column(kind, values)?));
        }
        let batch = RecordBatch::try_from_iter_with_nullable(arrays.into_iter().map(|(name, array)| (name, array, true)));
        let batch = batch.map_err(|error| into_py(py, &Error::internal(error)))?;
        Ok(Self { schema: batch.schema(), batches: vec![batch], report: Report::default(), unusable: Vec::new() })
    }

    /// Reads `data`, anything that exports Arrow, into memory; `columns` names those to keep, None keeps all that can be read.
    #[staticmethod]
    #[pyo3(signature = (data, *, columns))]
    fn read(data: &Bound<'_, PyAny>, columns: Option<Vec<String>>) -> PyResult<Self> {
        let py = data.py();
        let selection = columns.clone().map_or(Selection::Using { names: Vec::new(), first: false }, Selection::Named);
        let mut source = Source::open(data, selection)?;
        for name in columns.iter().flatten() {
            find_column(source.all_columns(), name, "a feature").map_err(|error| into_py(py, &error))?;
        }
        let (schema, mut batches) = (source.schema(), source.rest(py)?);
        // Analyses find their columns in the first batch.
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema.clone()));
        }
        let unusable = source.unusable().to_vec();
        let remarks = unusable.iter().filter_map(Unusable::remark).collect();
        Ok(Self { schema, batches, report: Report { remarks, ..Report::default() }, unusable })
    }

    /// Rows `start..stop` of some columns, with the whole report.
    fn part(&self, py: Python<'_>, start: usize, stop: usize, columns: Vec<String>) -> PyResult<Self> {
        let positions = columns.iter().map(|name| self.position(py, name)).collect::<PyResult<Vec<_>>>()?;
        let invalid = |error: arrow_schema::ArrowError| into_py(py, &Error::internal(error));
        let schema = Arc::new(self.schema.project(&positions).map_err(invalid)?);
        let (mut batches, mut before) = (Vec::with_capacity(self.batches.len()), 0);
        for batch in &self.batches {
            let rows = batch.num_rows();
            let (from, to) = (start.clamp(before, before + rows) - before, stop.clamp(before, before + rows) - before);
            batches.push(batch.project(&positions).map_err(invalid)?.slice(from, to.saturating_sub(from)));
            before += rows;
        }
        Ok(Self { schema, batches, report: self.report.clone(), unusable: self.unusable.clone() })
    }

    /// The table and its report as bytes, which are checked when they are read.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let table = StoredTable { schema: self.schema.clone(), batches: self.batches.clone(), report: self.report.clone() };
        let bytes = py.detach(move || table_to_bytes(&table)).map_err(|error| into_py(py, &error))?;
        guard::bytes(py, &bytes)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let StoredTable { schema, batches, report } = table_from_bytes(data).map_err(|error| into_py(py, &error))?;
        Ok(Self { schema, batches, report, unusable: Vec::new() })
    }

    #[getter]
    fn num_rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    #[getter]
    fn num_batches(&self) -> usize {
        self.batches.len()
    }

    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    #[getter]
    fn column_types(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| type_name(field.data_type())).collect()
    }

    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (key, value) in self.schema.metadata() {
            dict.set_item(key, value)?;
        }
        Ok(dict)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(&self, py: Python<'py>, requested_schema: Option<Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol allows a producer that cannot cast to ignore the requested schema.
        drop(requested_schema);
        stream_capsule(py, self.schema.clone(), &self.batches)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.schema)
    }

    /// A column as an Arrow array: the capsules of its schema and of its values, copied only if it is in several batches.
    fn array<'py>(&self, py: Python<'py>, name: &str) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let position = self.position(py, name)?;
        let arrays = self.batches.iter().map(|batch| batch.column(position).to_data()).collect();
        array_capsules(py, self.schema.field(position), arrays)
    }

    /// Rows `start..stop` of a column as a list of Python values.
    fn values<'py>(&self, py: Python<'py>, name: &str, start: usize, stop: usize) -> PyResult<Bound<'py, PyList>> {
        let position = self.position(py, name)?;
        creating(py, || {
            let list = PyList::empty(py);
            let mut before = 0;
            for batch in &self.batches {
                let rows = batch.num_rows();
                for row in start.max(before)..stop.min(before + rows) {
                    list.append(value(py, batch.column(position), row - before)?)?;
                }
                before += rows;
            }
            Ok(list)
        })
    }

    /// The memory of a fixed-width column in a single batch; None if it has nulls or variable width.
    fn memory(&self, py: Python<'_>, name: &str, batch: usize) -> PyResult<Option<Memory>> {
        let position = self.position(py, name)?;
        let Some(array) = self.batches.get(batch).map(|batch| batch.column(position)) else { return Ok(None) };
        if array.null_count() > 0 || array.data_type().primitive_width().is_none() {
            return Ok(None);
        }
        let data = array.to_data();
        let width = array.data_type().primitive_width().unwrap_or(0);
        let (offset, len) = (data.offset() * width, data.len() * width);
        Ok(data.buffers().first().map(|buffer| Memory::new(buffer.slice_with_length(offset, len))))
    }

    /// `(name, kind, unit, count, sum, first_row, rows)` of each entry.
    fn report_entries<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let entry = |entry: &custcore::ReportEntry| {
            let kind = match entry.kind {
                EntryKind::LeftOut => "left_out",
                EntryKind::Note => "note",
            };
            let unit = match entry.unit {
                ReportUnit::Rows => "rows",
                ReportUnit::Orders => "orders",
                ReportUnit::Customers => "customers",
            };
            let sum = entry.sum.map(|sum| amount(py, sum)).transpose()?;
            PyTuple::new(
                py,
                [
                    entry.name.as_ref().into_bound_py_any(py)?,
                    kind.into_bound_py_any(py)?,
                    unit.into_bound_py_any(py)?,
                    entry.count.into_bound_py_any(py)?,
                    sum.into_bound_py_any(py)?,
                    entry.first_row.into_bound_py_any(py)?,
                    entry.rows.into_bound_py_any(py)?,
                ],
            )
        };
        self.report.entries.iter().map(entry).collect()
    }

    /// Number of input rows.
    #[getter]
    fn input_rows(&self) -> u64 {
        self.report.n_rows
    }

    /// The reference day of the result, in ISO format.
    #[getter]
    fn as_of(&self) -> Option<String> {
        self.report.as_of.map(date_text)
    }

    #[getter]
    fn remarks(&self) -> Vec<String> {
        self.report.remarks.clone()
    }
}

fn input_column(kind: &str, values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    let timestamp = |unit| column::<i64>(values, &DataType::Timestamp(unit, None), Some(i64::MIN));
    match kind {
        "int8" => column::<i8>(values, &DataType::Int8, None),
        "int16" => column::<i16>(values, &DataType::Int16, None),
        "int32" => column::<i32>(values, &DataType::Int32, None),
        "int64" => column::<i64>(values, &DataType::Int64, None),
        "uint8" => column::<u8>(values, &DataType::UInt8, None),
        "uint16" => column::<u16>(values, &DataType::UInt16, None),
        "uint32" => column::<u32>(values, &DataType::UInt32, None),
        "uint64" => column::<u64>(values, &DataType::UInt64, None),
        "float32" => column::<f32>(values, &DataType::Float32, None),
        "float64" => column::<f64>(values, &DataType::Float64, None),
        "timestamp[s]" => timestamp(TimeUnit::Second),
        "timestamp[ms]" => timestamp(TimeUnit::Millisecond),
        "timestamp[us]" => timestamp(TimeUnit::Microsecond),
        "timestamp[ns]" => timestamp(TimeUnit::Nanosecond),
        "string" => Ok(Arc::new(values.extract::<Vec<Option<String>>>()?.into_iter().collect::<arrow_array::LargeStringArray>())),
        "binary" => Ok(Arc::new(values.extract::<Vec<Option<Vec<u8>>>>()?.into_iter().collect::<arrow_array::LargeBinaryArray>())),
        other => Err(into_py(values.py(), &Error::internal(format!("an input column of kind {other}")))),
    }
}

/// Money as float, int or decimal, depending on the type of the amounts.
fn amount(py: Python<'_>, amount: Amount) -> PyResult<Bound<'_, PyAny>> {
    match amount.money {
        Money::Float { .. } => amount.to_f64().into_bound_py_any(py),
        Money::Integer => amount.units.into_bound_py_any(py),
        Money::Decimal { scale } => decimal(py, amount.units, scale),
    }
}

fn decimal(py: Python<'_>, units: i128, scale: i8) -> PyResult<Bound<'_, PyAny>> {
    py.import("decimal")?.getattr("Decimal")?.call1((decimal_text(units, scale),))
}

/// A time as a datetime, in UTC if it is an instant; as text if it is beyond the years or the microseconds of Python.
fn timestamp<'py>(py: Python<'py>, text: &str, is_instant: bool) -> PyResult<Bound<'py, PyAny>> {
    let digits = text.rsplit_once('.').map_or(0, |(_, digits)| digits.len());
    let text = if is_instant { format!("{text}+00:00") } else { text.to_owned() };
    let moment = if digits <= 6 { py.import("datetime")?.getattr("datetime")?.call_method1("fromisoformat", (&text,)).ok() } else { None };
    moment.map_or_else(|| text.into_bound_py_any(py), Ok)
}

/// One value as a Python object.
fn value<'py>(py: Python<'py>, array: &ArrayRef, row: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(row) {
        return Ok(py.None().into_bound(py));
    }
    macro_rules! number {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row).into_bound_py_any(py)
        };
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into_bound_py_any(py),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float16 => array.as_primitive::<Float16Type>().value(row).to_f64().into_bound_py_any(py),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Date32 | DataType::Date64 => {
            let day = match array.data_type() {
                DataType::Date32 => array.as_primitive::<Date32Type>().value(row),
                _ => array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000) as i32,
            };
            let text = date_text(day);
            py.import("datetime")?.getattr("date")?.call_method1("fromisoformat", (text,))
        }
        DataType::Timestamp(unit, zone) => {
            let (ticks, per_second) = match unit {
                TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 1),
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
                TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000),
                TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000),
            };
            let (seconds, rest) = (ticks.div_euclid(per_second), ticks.rem_euclid(per_second));
            let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
            let mut text = format!("{}T{:02}:{:02}:{:02}", date_text(day as i32), second / 3600, second / 60 % 60, second % 60);
            if rest != 0 {
                text += format!(".{:09}", rest * (1_000_000_000 / per_second)).trim_end_matches('0');
            }
            timestamp(py, &text, zone.is_some())
        }
        DataType::Decimal128(_, scale) => decimal(py, array.as_primitive::<arrow_array::types::Decimal128Type>().value(row), *scale),
        DataType::Utf8 => array.as_string::<i32>().value(row).into_bound_py_any(py),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into_bound_py_any(py),
        DataType::Utf8View => array.as_string_view().value(row).into_bound_py_any(py),
        DataType::Binary => array.as_binary::<i32>().value(row).into_bound_py_any(py),
        DataType::LargeBinary => array.as_binary::<i64>().value(row).into_bound_py_any(py),
        DataType::BinaryView => array.as_binary_view().value(row).into_bound_py_any(py),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row).into_bound_py_any(py),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let keys: ArrayRef = arrow_array::make_array(dictionary.keys().to_data());
            let key: usize = value(py, &keys, row)?.extract()?;
            value(py, dictionary.values(), key)
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let values = (0..items.len()).map(|item| value(py, &items, item)).collect::<PyResult<Vec<_>>>()?;
            Ok(PyList::new(py, values)?.into_any())
        }
        other => format!("<{}>", type_name(other)).into_bound_py_any(py),
    }
}
