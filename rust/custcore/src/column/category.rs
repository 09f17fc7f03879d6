//! The columns of categories, channels and discounts.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::invalid_type;
use super::mark::MarkColumn;
use super::number::NumberColumn;
use crate::error::{Error, ErrorKind, Result};

/// The columns of what customers buy, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryColumns {
    /// Column of categories, departments, brands or other values, if the orders of each customer with each are counted.
    pub category: Option<String>,
    /// Boolean or numeric column of the lines with a discount: true, or above 0.
    pub promotion: Option<String>,
    /// Column of channels, such as stores: that of an order is the value of its earliest line.
    pub channel: Option<String>,
    /// Whether they are counted by day, so that they are known as of past days.
    pub by_day: bool,
}

impl CategoryColumns {
    /// Whether categories or channels are kept.
    pub fn is_kept(&self) -> bool {
        self.category.is_some() || self.channel.is_some()
    }

    /// An error if an option has nothing to apply to.
    pub(crate) fn check(&self) -> Result<()> {
        let unfit = |message: &str| Err(Error::new(ErrorKind::InvalidArgument, message));
        match (&self.promotion, self.by_day) {
            (Some(_), _) if self.category.is_none() => {
                unfit("promotion counts lines with a discount by category, and the base has none; name their column: categories=...")
            }
            (_, true) if !self.is_kept() => {
                unfit("category_days=True keeps categories by day, and the base has none; name their column: categories=...")
            }
            _ => Ok(()),
        }
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
