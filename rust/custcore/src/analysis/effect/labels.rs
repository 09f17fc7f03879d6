//! Groups, strata and segments of the rows of a table, as positions in the names that occur.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};

use super::NO_GROUP;
use crate::analysis::label_reader::LabelReader;
use crate::column::find_column;
use crate::error::{Error, Result};

/// The label of a null stratum or segment.
pub(super) const NULL: &str = "(null)";

/// A column of labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    /// By row; [`NO_GROUP`] is null.
    pub codes: Vec<u16>,
    /// Ascending.
    pub names: Vec<String>,
}

impl Labels {
    /// Reads a column.
    pub(super) fn read(batch: &RecordBatch, name: &str, role: &str) -> Result<Self> {
        let column: &ArrayRef = batch.column(find_column(&batch.schema(), name, role)?);
        let mut reader = LabelReader::default();
        let codes = reader.read(column, name, role)?;
        Ok(Self { codes, names: reader.names }.sorted())
    }

    /// The labels as a column.
    pub(super) fn to_dictionary(&self) -> Result<ArrayRef> {
        let codes: Int32Array = self.codes.iter().map(|&code| (code != NO_GROUP).then(|| i32::from(code))).collect();
        let names = StringArray::from_iter_values(&self.names);
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, Arc::new(names)).map_err(Error::internal)?))
    }

    /// The labels that occur, ascending.
    fn sorted(mut self) -> Self {
        let mut occurs = vec![false; self.names.len()];
        self.codes.iter().filter(|&&code| code != NO_GROUP).for_each(|&code| occurs[usize::from(code)] = true);
        if occurs.iter().all(|&occurs| occurs) && self.names.is_sorted() {
            return self;
        }
        let mut order: Vec<usize> = (0..self.names.len()).filter(|&at| occurs[at]).collect();
        order.sort_by(|&a, &b| self.names[a].cmp(&self.names[b]));
        let mut places = vec![NO_GROUP; self.names.len()];
        (0..).zip(&order).for_each(|(place, &at)| places[at] = place);
        self.codes.iter_mut().filter(|code| **code != NO_GROUP).for_each(|code| *code = places[usize::from(*code)]);
        self.names = order.iter().map(|&at| self.names[at].clone()).collect();
        self
    }

    /// The same, with a label of its own for null.
    pub(super) fn with_null(mut self) -> Self {
        if !self.codes.contains(&NO_GROUP) {
            return self;
        }
        let at = self.names.binary_search_by(|name| name.as_str().cmp(NULL)).unwrap_or_else(|at| {
            self.names.insert(at, NULL.to_owned());
            self.codes.iter_mut().filter(|code| **code != NO_GROUP && usize::from(**code) >= at).for_each(|code| *code += 1);
            at
        });
        self.codes.iter_mut().filter(|code| **code == NO_GROUP).for_each(|code| *code = at as u16);
        self
    }
}

/// The union of two lists of names, ascending, and the place in it of each name of both.
pub(super) fn union(a: &[String], b: &[String]) -> (Vec<String>, Vec<u16>, Vec<u16>) {
    let mut all: Vec<String> = a.iter().chain(b).cloned().collect();
    all.sort();
    all.dedup();
    let places = |names: &[String]| names.iter().map(|name| all.binary_search(name).unwrap_or_default() as u16).collect();
    let (of_a, of_b) = (places(a), places(b));
    (all, of_a, of_b)
}
