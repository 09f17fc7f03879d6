//! The error type of the crate: a kind to match on, a message that states what is wrong, where, what was expected and the
//! remedy, and the column and row concerned. It is independent of Python: the binding maps each kind to a class.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// What went wrong; one kind per class of `custcore.errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A requested column is not in the data.
    ColumnNotFound,
    /// Two columns have the requested name.
    DuplicateColumn,
    /// A column or an argument of an unsupported type.
    InvalidType,
    /// An argument with an invalid value.
    InvalidArgument,
    /// A value in the data that is too large to be computed with exactly.
    OutOfRange,
    /// A null where `on_null="error"` forbids it.
    NullValue,
    /// An infinite amount or feature.
    NonFinite,
    /// Too little data to fit.
    NotEnoughData,
    /// Rows that cannot be a summary of customers.
    Summary,
    /// A model that was not fitted yet.
    NotFitted,
    /// A sum that does not fit the type of its output column.
    SumOverflow,
    /// Invalid Arrow data, or a producer that failed.
    ArrowImport,
    /// Two incompatible states.
    StateMismatch,
    /// A batch that was already loaded into the base.
    DuplicateBatch,
    /// Bytes that are not a valid model or state of custcore: truncated, changed, or of another format.
    ModelFormat,
    /// A model or state written by a newer custcore.
    ModelVersion,
    /// A file that could not be read or written.
    File,
    /// More memory than allowed.
    MemoryLimit,
    /// Cancelled by the caller.
    Cancelled,
    /// A bug in custcore.
    Internal,
}

/// An error with its kind, location and remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    column: Option<String>,
    row: Option<u64>,
    file: Option<(PathBuf, Option<i32>)>,
}

/// The result type of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; `message` is shown to users unchanged.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), column: None, row: None, file: None }
    }

    /// Sets the column concerned.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Sets the first row concerned, counted from 0 over the whole input.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Prefixes the message with the name of the object concerned.
    #[must_use]
    pub fn said_of(mut self, whose: &str) -> Self {
        self.message = format!("{whose}: {}", self.message);
        self
    }

    /// Shifts the row, also in the message, by the number of rows before the batch.
    #[must_use]
    pub fn counted_from(mut self, rows_before: u64) -> Self {
        if let Some(row) = self.row.filter(|_| rows_before > 0) {
            let whole = row + rows_before;
            self.message = self.message.replacen(&format!("row {row}"), &format!("row {whole}"), 1);
            self.row = Some(whole);
        }
        self
    }

    /// The error of a cancelled call.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled by the caller")
    }

    /// A state that is unreachable unless custcore has a bug.
    pub fn internal(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("internal error: {what}. This is a bug in custcore; please report it"))
    }

    /// A file that could not be read or written; `doing` is the verb for the message.
    pub fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::OutOfMemory {
            return Self::new(ErrorKind::MemoryLimit, format!("cannot {doing} '{}': there is not enough memory for it", path.display()));
        }
        let message = format!("cannot {doing} '{}': {error}", path.display());
        Self { file: Some((path.to_owned(), error.raw_os_error())), ..Self::new(ErrorKind::File, message) }
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The column concerned.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// The first row concerned, counted from 0 over the whole input.
    pub fn row(&self) -> Option<u64> {
        self.row
    }

    /// The file concerned, and the error code of the operating system.
    pub fn path(&self) -> Option<(&Path, Option<i32>)> {
        self.file.as_ref().map(|(path, code)| (path.as_path(), *code))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Up to three names similar to `wanted`, for "did you mean".
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `did you mean 'a', 'b'?` and the list of available columns.
pub(crate) fn suggestion(wanted: &str, names: &[&str]) -> String {
    let near = nearest(wanted, names.iter().copied());
    let quoted = |list: &[&str]| list.iter().map(|n| format!("'{n}'")).collect::<Vec<_>>().join(", ");
    let listed = &names[..names.len().min(20)];
    let more = if names.len() > listed.len() { ", ..." } else { "" };
    if near.is_empty() {
        format!("the columns are {}{more}", quoted(listed))
    } else {
        format!("did you mean {}? The columns are {}{more}", quoted(&near), quoted(listed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_come_first() {
        assert_eq!(nearest("custmer_id", ["amount", "customer_id", "ts"]), ["customer_id"]);
        assert!(nearest("zzz", ["amount"]).is_empty());
    }
}
