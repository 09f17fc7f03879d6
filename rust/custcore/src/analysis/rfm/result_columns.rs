//! Which columns a result has: all, or those asked for, which are then the only ones that are computed.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;

use crate::error::{Error, ErrorKind, Result, suggestion};

/// The columns of a result: all, or those named, in this order. The columns of customer ids always come first, named or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResultColumns(Option<Vec<String>>);

impl ResultColumns {
    /// All columns.
    pub const fn all() -> Self {
        Self(None)
    }

    /// None but those of ids.
    pub(crate) const fn none() -> Self {
        Self(Some(Vec::new()))
    }

    /// These columns; a name that occurs twice is an error.
    pub fn named(names: Vec<String>) -> Result<Self> {
        match (0..names.len()).find(|&at| names[..at].contains(&names[at])) {
            Some(at) => Err(Error::new(ErrorKind::InvalidArgument, format!("columns has '{}' twice", names[at]))),
            None => Ok(Self(Some(names))),
        }
    }

    /// The names, unless all columns are asked for.
    pub fn names(&self) -> Option<&[String]> {
        self.0.as_deref()
    }

    /// Whether a column is asked for.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.iter().any(|other| other == name))
    }

    /// Whether one of these columns is asked for.
    pub(crate) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// The same and more columns, which are computed but not part of the result.
    pub(crate) fn and(&self, more: impl IntoIterator<Item = String>) -> Self {
        Self(self.0.clone().map(|mut names| {
            names.extend(more);
            names
        }))
    }

    /// An error for a name that is not one of `known`; `why` is what it says of a column that other settings would give.
    pub(crate) fn check(&self, known: &[&str], why: impl Fn(&str) -> Option<String>) -> Result<()> {
        let Some(name) = self.0.iter().flatten().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
        let why = why(name).unwrap_or_else(|| suggestion(name, known));
        Err(Error::new(ErrorKind::InvalidArgument, format!("columns has '{name}', which is no column of the result; {why}")))
    }

    /// The columns of a batch that are asked for, in that order after those of `ids`.
    pub(crate) fn arrange(&self, batch: RecordBatch, ids: &[String]) -> Result<RecordBatch> {
        let Some(names) = &self.0 else { return Ok(batch) };
        let schema = batch.schema();
        let names = ids.iter().chain(names.iter().filter(|name| !ids.contains(name)));
        let found = names.map(|name| schema.index_of(name).map_err(Error::internal)).collect::<Result<Vec<usize>>>()?;
        let fields: Vec<_> = found.iter().map(|&at| schema.fields()[at].clone()).collect();
        let columns = found.iter().map(|&at| batch.column(at).clone()).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(schema, columns, &options).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int32Array};

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn columns_are_arranged_after_the_ids() -> Result<()> {
        let column = |value: i32| Arc::new(Int32Array::from(vec![value])) as ArrayRef;
        let batch = RecordBatch::try_from_iter([("id", column(1)), ("a", column(2)), ("b", column(3)), ("c", column(4))]);
        let batch = batch.map_err(Error::internal)?;
        let arranged = |asked: &[&str]| -> Result<Vec<String>> {
            let batch = ResultColumns::named(names(asked))?.arrange(batch.clone(), &names(&["id"]))?;
            Ok(batch.schema().fields().iter().map(|field| field.name().clone()).collect())
        };
        assert_eq!(arranged(&["c", "a"])?, ["id", "c", "a"]);
        assert_eq!(arranged(&["c", "id"])?, ["id", "c"]);
        assert_eq!(arranged(&[])?, ["id"]);
        assert_eq!(ResultColumns::all().arrange(batch.clone(), &names(&["id"]))?, batch);
        Ok(())
    }

    #[test]
    fn names_are_checked() -> Result<()> {
        assert_eq!(ResultColumns::named(names(&["a", "b", "a"])).map_err(|e| e.kind()), Err(ErrorKind::InvalidArgument));
        let columns = ResultColumns::named(names(&["segmnt"]))?;
        let message = columns.check(&["id", "segment"], |_| None).map_err(|error| error.to_string());
        assert!(message.is_err_and(|message| message.contains("did you mean 'segment'?")));
        let message = columns.check(&["id"], |name| Some(format!("no {name}"))).map_err(|error| error.to_string());
        assert!(message.is_err_and(|message| message.ends_with("; no segmnt")));
        assert!(columns.has("segmnt") && !columns.has("id") && ResultColumns::all().has("id"));
        Ok(())
    }
}
