//! The value of each customer, from a table of ids and values such as predictions of lifetime value.

use arrow_array::RecordBatch;

use crate::analysis::portrait::rows::{Codes, id_names, read_ids};
use crate::base::view::BaseView;
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::number::NumberColumn;
use crate::column::{find_column, invalid_type};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::{Interner, NO_CODE};
use crate::group::keys::Keys;
use crate::group::lookup::Lookup;

/// Columns that hold a value, the first of which is taken.
const COLUMNS: [&str; 2] = ["clv", "value"];

/// The value of each customer.
#[derive(Debug)]
pub struct CustomerValues {
    key: KeySchema,
    ids: Interner,
    /// By code; NaN is none.
    values: Vec<f64>,
}

impl CustomerValues {
    /// Reads a table with a row per customer: the columns of ids, and `clv` or `value`.
    pub fn new(batches: &[RecordBatch], customer_id: &KeyNames, context: &Context) -> Result<Self> {
        Self::read(batches, customer_id, context).map_err(|error| error.said_of("value"))
    }

    fn read(batches: &[RecordBatch], customer_id: &KeyNames, context: &Context) -> Result<Self> {
        let Some(first) = batches.first() else { return Err(Error::internal("values without a batch")) };
        let schema = first.schema();
        let name = COLUMNS.into_iter().find(|name| schema.column_with_name(name).is_some()).ok_or_else(|| {
            let message = "the table has neither a column 'clv' nor 'value'; rename the one with the values of customers";
            Error::new(ErrorKind::ColumnNotFound, message).in_column("value")
        })?;
        let names = id_names(&schema, customer_id)?.0;
        names.check("customer_id")?;
        let key = KeySchema::of(&schema, &names, "customer_id")?;
        let mut ids = Interner::new(key.kind());
        let Codes { codes, repeated, nulls } = read_ids(batches, &key, &mut ids, context)?;
        if let Some(repeated) = repeated {
            return Err(repeated.error("Keep one row of each customer"));
        }
        if nulls.count > 0 {
            let column = names.iter().next().unwrap_or_default();
            let message = format!("a customer id is null at row {}. Leave such rows out", nulls.first_row);
            return Err(Error::new(ErrorKind::NullValue, message).in_column(column).at_row(nulls.first_row));
        }
        let mut values = vec![f64::NAN; ids.len()];
        let mut row = 0;
        for batch in batches {
            let column = NumberColumn::new(name, "value", batch.column(find_column(&schema, name, "value")?))?;
            for at in 0..batch.num_rows() {
                let value = column.get(at).map_or(f64::NAN, crate::column::number::Number::to_f64);
                if value.is_infinite() {
                    let message = format!("column '{name}' is {value} at row {row}; expected finite values, or null");
                    return Err(Error::new(ErrorKind::NonFinite, message).in_column(name).at_row(row as u64));
                }
                let code = codes[row];
                if code != NO_CODE {
                    values[code as usize] = value;
                }
                row += 1;
            }
        }
        Ok(Self { key, ids, values })
    }

    /// The values of the customers of a view.
    pub(super) fn of<'a>(&'a self, view: &'a BaseView<'_>) -> Result<ViewValues<'a>> {
        let own = &view.kinds().id;
        if own.parts().len() != self.key.parts().len() {
            let message = format!("value: its ids have {} columns, those of the customers {}", self.key.parts().len(), own.parts().len());
            return Err(Error::new(ErrorKind::InvalidType, message));
        }
        if let Some((part, other)) = own.parts().iter().zip(self.key.parts()).find(|(part, other)| part.kind != other.kind) {
            let expected = format!("{}, as the ids of the customers", part.kind.name());
            let remedy = "Ids of different kinds are never equal: cast one of the columns";
            return Err(invalid_type(&other.name, "customer_id", &other.value_type, &expected, remedy).said_of("value"));
        }
        Ok(ViewValues { lookup: self.ids.lookup(), keys: view.ids(), values: &self.values })
    }
}

/// The values of the customers of a view, by code.
pub(super) struct ViewValues<'a> {
    lookup: Lookup<'a>,
    keys: &'a Keys,
    values: &'a [f64],
}

impl ViewValues<'_> {
    /// The value of a customer; `None` if it is null, or he is not in the table.
    pub(super) fn get(&self, code: u32) -> Option<f64> {
        let found = self.lookup.find(self.keys, code)?;
        Some(self.values[found as usize]).filter(|value| !value.is_nan())
    }
}
