//! The columns of a stream: their names and types, and which of them are read.
//!
//! Columns that were not requested are not read, so invalid data in them do no harm. Where all columns are passed on to the
//! result, one of a type that cannot be read is left out if nothing else needs it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use custcore::{Error, ErrorKind, type_name};

use super::buffers::{Imported, fault, validity};
use super::import::{import, imported_type};
use super::raw::{Owned, RawArray, RawSchema, child, text};

/// Which columns of the data are read.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These.
    Named(Vec<String>),
    /// All; the call uses each of them.
    All,
    /// All that can be read; the call uses those named, and the first one if it is the id, and passes the others on.
    Using { names: Vec<String>, first: bool },
}

impl From<Option<Vec<String>>> for Selection {
    fn from(names: Option<Vec<String>>) -> Self {
        names.map_or(Self::All, Self::Named)
    }
}

impl Selection {
    /// Whether a column is read.
    fn reads(&self, name: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|n| n == name),
            Self::All | Self::Using { .. } => true,
        }
    }

    /// Whether the call uses the values of a column.
    fn uses(&self, position: usize, name: &str) -> bool {
        match self {
            Self::Named(names) => names.iter().any(|n| n == name),
            Self::Using { names, first } => (*first && position == 0) || names.iter().any(|n| n == name),
            Self::All => true,
        }
    }

    /// Checks that the call uses none of these columns.
    pub fn check(&self, unusable: &[Unusable]) -> Result<(), Error> {
        unusable.iter().find(|column| self.uses(column.position, &column.name)).map_or(Ok(()), |column| Err(column.error.clone()))
    }
}

/// A column whose values cannot be used.
#[derive(Debug, Clone)]
pub struct Unusable {
    name: String,
    position: usize,
    /// The error of a call that uses it.
    error: Error,
    /// Whether results that pass on all columns have it.
    is_passed_on: bool,
}

impl Unusable {
    /// The remark in the report of a result without this column.
    pub fn remark(&self) -> Option<String> {
        let remark = || format!("column '{}' is left out of the result, as it cannot be passed on. {}", self.name, self.error);
        (!self.is_passed_on).then(remark)
    }
}

/// The error for invalid Arrow data.
pub fn malformed(column: Option<&str>, row: Option<u64>, what: &str) -> Error {
    let location = match (column, row) {
        (Some(column), Some(row)) => format!(" in column '{column}' at row {row}"),
        (Some(column), None) => format!(" in column '{column}'"),
        _ => String::new(),
    };
    let mut error =
        Error::new(ErrorKind::ArrowImport, format!("malformed Arrow data{location}: {what}. This is a bug in the producer of the data"));
    if let Some(column) = column {
        error = error.in_column(column);
    }
    if let Some(row) = row {
        error = error.at_row(row);
    }
    error
}

/// The columns of a stream: all names, and the types of the requested ones.
#[derive(Debug, Clone)]
pub struct Header {
    /// All columns by name; the type of a column that was not requested is `Null`.
    pub all: Schema,
    /// The columns that are read, in the order of the stream.
    pub selected: SchemaRef,
    /// The columns that cannot be used, and are not.
    pub unusable: Vec<Unusable>,
    /// The position of each column that is read, and its type in the stream.
    exported: Vec<(usize, DataType)>,
}

impl Header {
    /// Reads a schema. `of_polars` tells whether polars exports the data.
    pub fn read(schema: &Owned<RawSchema>, selection: &Selection, of_polars: bool) -> Result<Self, Error> {
        let raw = schema.get();
        if raw.release.is_none() {
            return Err(malformed(None, None, "the schema was released already"));
        }
        // SAFETY: a schema that is not released holds null-terminated strings.
        let format = unsafe { text(raw.format) };
        match format {
            Some(Ok("+s")) => {}
            Some(Ok(other)) if other.len() < 64 => {
                return Err(Error::new(
                    ErrorKind::InvalidType,
                    format!("the data is a single Arrow array of format '{other}', not a table; pass a table with named columns"),
                ));
            }
            _ => return Err(malformed(None, None, "the schema has no readable format")),
        }
        let n = usize::try_from(raw.n_children).map_err(|_| malformed(None, None, "the schema has a negative number of columns"))?;
        let (mut all, mut selected, mut unusable, mut exported) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for i in 0..n {
            // SAFETY: a schema that is not released has `n_children` children.
            let Some(column) = (unsafe { child(raw.children, raw.n_children, i) }) else {
                return Err(malformed(None, None, &format!("column {i} of the schema is missing")));
            };
            // SAFETY: as above; a name may be null.
            let name = match unsafe { text(column.name) } {
                None => "",
                Some(Ok(name)) => name,
                Some(Err(_)) => return Err(malformed(None, None, &format!("the name of column {i} is not UTF-8"))),
            };
            if !selection.reads(name) {
                all.push(Field::new(name, DataType::Null, true));
                continue;
            }
            let read = readable(column, name, of_polars)?;
            let why = read.as_ref().map_or_else(|why| Some(why.clone()), |_| coded(&metadata(column), name));
            if let Some(why) = why {
                let error = Error::new(ErrorKind::InvalidType, format!("column '{name}' {why}")).in_column(name);
                if selection.uses(i, name) {
                    return Err(error);
                }
                unusable.push(Unusable { name: name.to_owned(), position: i, error, is_passed_on: read.is_ok() });
            }
            let Ok((own, found)) = read else {
                all.push(Field::new(name, DataType::Null, true));
                continue;
            };
            let metadata = metadata(column);
            all.push(Field::new(name, found.clone(), true).with_metadata(metadata.clone()));
            selected.push(Field::new(name, found, column.flags & NULLABLE != 0).with_metadata(metadata));
            exported.push((i, own));
        }
        let selected = Arc::new(Schema::new(selected).with_metadata(metadata(raw)));
        Ok(Self { all: Schema::new(all), selected, unusable, exported })
    }

    /// Reads one batch; errors count rows from `first_row`.
    pub fn batch(&self, array: Owned<RawArray>, first_row: u64) -> Result<RecordBatch, Error> {
        let owner = Arc::new(array);
        let raw = owner.get();
        let malformed_batch = |what: &str| malformed(None, None, what);
        let rows = usize::try_from(raw.length).map_err(|_| malformed_batch("a batch has a negative length"))?;
        let start = usize::try_from(raw.offset).map_err(|_| malformed_batch("a batch has a negative offset"))?;
        if usize::try_from(raw.n_children).ok() != Some(self.all.fields().len()) {
            return Err(malformed_batch(&format!("a batch has {} columns, its schema has {}", raw.n_children, self.all.fields().len())));
        }
        if let Some(nulls) = validity(raw, start, rows, &owner).map_err(|(_, what)| malformed_batch(&what))?
            && nulls.null_count() > 0
        {
            return Err(malformed_batch("rows are null (a struct array with nulls is not a table)"));
        }
        let columns = self.selected.fields().iter().zip(&self.exported).map(|(field, (position, data_type))| {
            // SAFETY: a batch that is not released has `n_children` children.
            let column = unsafe { child(raw.children, raw.n_children, *position) };
            column
                .map_or_else(|| fault("the column is missing"), |column| import(column, data_type, start, rows, &owner))
                .map_err(|(row, what)| malformed(Some(field.name()), row.map(|row| first_row + row as u64), &what))
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.selected.clone(), columns, &options).map_err(|e| malformed_batch(&e.to_string()))
    }
}

/// The flag of a nullable field.
const NULLABLE: i64 = 2;

/// Levels of a nested type.
const MAX_DEPTH: usize = 32;

/// The type of a column in the stream, and the type in which it is read; or why it is not read, as a sentence after its name.
fn readable(column: &RawSchema, name: &str, of_polars: bool) -> Result<Result<(DataType, DataType), String>, Error> {
    if let Some(why) = foreign_format(column, name, of_polars) {
        return Ok(Err(why));
    }
    let own = data_type(column, 0).map_err(|(_, what)| malformed(Some(name), None, &what))?;
    Ok(match imported_type(&own) {
        Some(found) => Ok((own, found)),
        None => Err(format!("is {}, a type that custcore does not read. Cast it, or drop it first", type_name(&own))),
    })
}

/// Why a column whose format is not Arrow's is not read.
fn foreign_format(column: &RawSchema, name: &str, of_polars: bool) -> Option<String> {
    column.release?;
    // SAFETY: a schema that is not released holds null-terminated strings.
    let format = unsafe { text(column.format) }?.ok()?;
    if matches!(format, "_pli128" | "_plu128") {
        let kind = if format == "_pli128" { "Int128" } else { "UInt128" };
        return Some(format!(
            "is {kind} of polars, for which Arrow has no type. Cast it first, e.g. pl.col('{name}').cast(pl.Int64), or to pl.Decimal(38, 0)"
        ));
    }
    if format.starts_with('_') {
        return Some(format!("has the format '{format}', which is not an Arrow type but private to its producer. Cast it first"));
    }
    // polars has no type of fixed-size binary: this is how it exports a column of objects.
    (of_polars && format.starts_with("w:")).then(|| {
        format!(
            "holds Python objects, of which polars exports the addresses in memory. Cast it first, e.g. \
             pl.col('{name}').map_elements(str, return_dtype=pl.String)"
        )
    })
}

/// Why a column of an extension type must not be used by its storage, as a sentence after its name.
fn coded(metadata: &HashMap<String, String>, name: &str) -> Option<String> {
    match metadata.get("ARROW:extension:name").map(String::as_str) {
        Some("pandas.period") => Some(format!(
            "is a pandas Period, which is exported as the number of periods since 1970. Convert it first: df['{name}'].dt.to_timestamp()"
        )),
        Some("arrow.opaque") if metadata.get("ARROW:extension:metadata").is_some_and(|text| text.contains("hugeint")) => Some(format!(
            "is a huge integer of DuckDB, which is exported as bytes. Cast it first: CAST({name} AS BIGINT), or to DECIMAL(38, 0)"
        )),
        _ => None,
    }
}

/// The key-value metadata of a schema; empty if it is not text. Nothing depends on it.
fn metadata(raw: &RawSchema) -> HashMap<String, String> {
    let raw: *const RawSchema = raw;
    // SAFETY: both are `struct ArrowSchema` of the C data interface; the reference is only read, and not stored.
    let schema = unsafe { &*raw.cast::<FFI_ArrowSchema>() };
    schema.metadata().unwrap_or_default()
}

/// The Arrow type of a column.
fn data_type(raw: &RawSchema, depth: usize) -> Imported<DataType> {
    if depth > MAX_DEPTH {
        return fault("the type is nested too deeply");
    }
    if raw.release.is_none() {
        return fault("its schema was released already");
    }
    // The conversion below requires that strings and children are present.
    // SAFETY: a schema that is not released holds null-terminated strings.
    match unsafe { text(raw.format) } {
        Some(Ok(_)) => {}
        _ => return fault("its schema has no readable format"),
    }
    // SAFETY: as above.
    if let Some(Err(_)) = unsafe { text(raw.name) } {
        return fault("its schema has a name that is not UTF-8");
    }
    let n = usize::try_from(raw.n_children).map_err(|_| (None, "its schema has a negative number of children".to_owned()))?;
    for i in 0..n {
        // SAFETY: a schema that is not released has `n_children` children.
        match unsafe { child(raw.children, raw.n_children, i) } {
            Some(inner) if !inner.name.is_null() => drop(data_type(inner, depth + 1)?),
            _ => return fault(format!("child {i} of its schema is missing or has no name")),
        }
    }
    // SAFETY: null or a valid schema.
    if let Some(dictionary) = unsafe { raw.dictionary.as_ref() } {
        // SAFETY: checked above.
        if !matches!(unsafe { text(raw.format) }, Some(Ok("c" | "C" | "s" | "S" | "i" | "I" | "l" | "L"))) {
            return fault("its dictionary index is not an integer");
        }
        data_type(dictionary, depth + 1)?;
    }
    let raw: *const RawSchema = raw;
    // SAFETY: both are `struct ArrowSchema` of the C data interface; the reference is only read, and not stored.
    let schema = unsafe { &*raw.cast::<FFI_ArrowSchema>() };
    match DataType::try_from(schema) {
        Ok(DataType::FixedSizeBinary(width)) if width < 0 => fault(format!("its width {width} is negative")),
        Ok(data_type) => Ok(data_type),
        Err(e) => fault(format!("its type cannot be read: {e}")),
    }
}
