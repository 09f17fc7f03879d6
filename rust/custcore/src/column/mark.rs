//! Boolean columns that mark rows as start or returning events, and the flags of an order as bits of one byte. The flags
//! of an order are the union of the flags of its lines.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_schema::DataType;

use super::invalid_type;
use super::number::NumberColumn;
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

/// Whether lines have a discount: true, or a number above 0; null is none.
#[derive(Debug, Clone)]
pub(crate) struct DiscountColumn(Vec<bool>);

impl DiscountColumn {
    /// The reader of a boolean or numeric column.
    pub(crate) fn new(column: &str, array: &ArrayRef) -> Result<Self> {
        let found = array.data_type();
        if *found == DataType::Boolean {
            let marks = MarkColumn::new(column, "promotion", array)?;
            return Ok(Self((0..array.len()).map(|row| marks.get(row)).collect()));
        }
        if !found.is_numeric() {
            let remedy = "Convert it to boolean first, e.g. df[col].notna()";
            return Err(invalid_type(column, "promotion", found, "bool or a number, such as the amount of the discount", remedy));
        }
        let numbers = NumberColumn::new(column, "promotion", array)?;
        Ok(Self((0..array.len()).map(|row| numbers.get(row).is_some_and(|number| number.to_f64() > 0.0)).collect()))
    }

    /// Whether a line has a discount.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> bool {
        self.0[row]
    }
}
