//! Boolean columns that mark rows as start or returning events, and the flags of an order as bits of one byte. The flags
//! of an order are the union of the flags of its lines.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_schema::DataType;

use super::invalid_type;
use crate::error::Result;

/// The row may start a customer's membership in a cohort.
pub(crate) const START: u8 = 1;
/// The row counts as a return.
pub(crate) const RETURNING: u8 = 2;
/// The row is before the start of observation.
pub(crate) const BEFORE: u8 = 4;
/// The order is a purchase: not a refund, and not an order of 0 unless zero counts as a purchase.
pub(crate) const PURCHASE: u8 = 8;

/// A boolean column; null is false.
#[derive(Debug, Clone)]
pub(crate) struct MarkColumn(BooleanArray);

impl MarkColumn {
    /// The reader of a boolean column; `role` is the argument that named it.
    pub(crate) fn new(column: &str, role: &str, array: &ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Boolean => Ok(Self(array.as_boolean().clone())),
            found => Err(invalid_type(column, role, found, "bool", "Convert it to boolean first, e.g. df[col] == 'purchase'")),
        }
    }

    /// Whether the value of a row is true.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> bool {
        self.0.is_valid(row) && self.0.value(row)
    }
}
