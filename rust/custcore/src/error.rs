//! The one error of the crate: a kind that callers can match on, a message that says what, where, expected and the
//! way out, and the column and row it speaks of. It knows nothing of Python: the binding maps each kind to a class.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// What went wrong; one kind per class of `custcore.errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A column that was asked for is not in the data.
    ColumnNotFound,
    /// Two columns of one name, and that name was asked for.
    DuplicateColumn,
    /// A column or an argument of a type that cannot serve.
    InvalidType,
    /// An argument outside what it may be.
    InvalidArgument,
    /// A value in the data outside what can be computed exactly.
    OutOfRange,
    /// A null where `on_null="error"` forbids it.
    NullValue,
    /// An infinite amount or feature.
    NonFinite,
    /// Nothing to fit on.
    NotEnoughData,
    /// A model that was not fitted yet.
    NotFitted,
    /// A sum beyond the type of its output column.
    SumOverflow,
    /// Arrow data that break the Arrow format, or a producer that failed.
    ArrowImport,
    /// Two states that do not go together.
    StateMismatch,
    /// A batch that a base was given already.
    DuplicateBatch,
    /// Bytes that are no model or state of custcore: truncated, changed, or something else.
    ModelFormat,
    /// A model or state that a newer custcore wrote.
    ModelVersion,
    /// A file that could not be read or written.
    File,
    /// More memory than allowed.
    MemoryLimit,
    /// The caller asked to stop.
    Cancelled,
    /// A defect of custcore itself.
    Internal,
}

/// An error with its kind, its place and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    column: Option<String>,
    row: Option<u64>,
    file: Option<(PathBuf, Option<i32>)>,
}

/// The result of nearly everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; `message` is shown to people as it stands.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), column: None, row: None, file: None }
    }

    /// Names the column it speaks of.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Names the first row (counted from 0 over the whole input) it speaks of.
    #[must_use]
    pub fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Says whose it is before all else.
    #[must_use]
    pub fn said_of(mut self, whose: &str) -> Self {
        self.message = format!("{whose}: {}", self.message);
        self
    }

    /// Counts the row that it speaks of from so many rows before.
    #[must_use]
    pub fn counted_from(mut self, rows_before: u64) -> Self {
        if let Some(row) = self.row.filter(|_| rows_before > 0) {
            let whole = row + rows_before;
            self.message = self.message.replacen(&format!("row {row}"), &format!("row {whole}"), 1);
            self.row = Some(whole);
        }
        self
    }

    /// The caller asked to stop.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled by the caller")
    }

    /// A state that cannot be reached if custcore is right.
    pub fn internal(what: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("internal error: {what}. This is a defect of custcore; please report it"))
    }

    /// A file that could not be read or written; `doing` is the verb.
    pub fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        let message = format!("cannot {doing} '{}': {error}", path.display());
        Self { file: Some((path.to_owned(), error.raw_os_error())), ..Self::new(ErrorKind::File, message) }
    }

    /// The kind, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message without its place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The column it speaks of.
    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    /// The first row it speaks of, counted from 0 over the whole input.
    pub fn row(&self) -> Option<u64> {
        self.row
    }

    /// The file it speaks of, and the system's number of what went wrong with it.
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

/// `names` nearest to `wanted`, for "did you mean".
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name))
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `did you mean 'a', 'b'?` and the list of what there is.
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
