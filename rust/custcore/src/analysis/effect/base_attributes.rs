//! Attributes of the customers of an experiment as of the day before exposure, from a base.

use arrow_array::{ArrayRef, new_null_array};
use arrow_select::interleave::interleave;

use super::experiment::Experiment;
use super::windows::WindowsOfCustomers;
use crate::base::CustomerBase;
use crate::base::view::BaseView;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::table::{TableBuilder, key_column};

/// Columns of the table of an experiment, which no attribute may be named as.
const TAKEN: [&str; 16] = [
    "group",
    "exposed_on",
    "orders_before",
    "orders_after",
    "revenue_before",
    "revenue_after",
    "active_before",
    "active_after",
    "repeat_before",
    "repeat_after",
    "churned",
    "n_orders",
    "monetary_total",
    "recency_days",
    "segment",
    "rfm_cell",
];

/// An attribute: its type, and its values in the parts of the base that were read, with the part and the row of each customer in them.
struct Column {
    name: String,
    value_type: Option<ValueType>,
    parts: Vec<ArrayRef>,
    places: Vec<(usize, usize)>,
}

/// Adds attributes of the first purchase. Whoever bought first after exposure, or never, has null: what was known the day before.
pub(super) fn add_attributes(
    table: &mut TableBuilder,
    names: &[String],
    base: &CustomerBase,
    (experiment, found): (&Experiment, &WindowsOfCustomers<'_>),
    context: &Context,
) -> Result<()> {
    let mut columns = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let is_taken =
            TAKEN.contains(&name.as_str()) || experiment.key.has(name) || experiment.others.iter().any(|(other, _)| other == name);
        if is_taken || names[..at].contains(name) {
            let message = format!("attributes has '{name}', which the table has already; leave it out, or keep it under another name");
            return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name));
        }
        // Part 0 is null, for whoever is in no other.
        columns.push(Column { name: name.clone(), value_type: None, parts: Vec::new(), places: vec![(0, 0); experiment.len()] });
    }
    if columns.is_empty() {
        return Ok(());
    }
    base.by_ranges(context, |part| {
        let view = part.view_in(None, context)?;
        let codes = codes_of(&view, experiment, found);
        columns.iter_mut().try_for_each(|column| column.read(&view, &codes))
    })?;
    for Column { name, value_type, parts, places } in columns {
        let Some(value_type) = value_type else { return Err(Error::internal("a base without parts")) };
        let parts: Vec<&dyn arrow_array::Array> = parts.iter().map(AsRef::as_ref).collect();
        let values = interleave(&parts, &places).map_err(Error::internal)?;
        table.value_array(&name, &value_type, values);
    }
    Ok(())
}

/// The customers of the experiment who had bought before exposure and are in a view: their rows, and their codes in it.
fn codes_of(view: &BaseView<'_>, experiment: &Experiment, found: &WindowsOfCustomers<'_>) -> Vec<(usize, u32)> {
    let ids = view.lookup();
    let code = |row: usize| {
        let code = ids.find(experiment.ids.keys(), experiment.codes[row]);
        code.filter(|_| found.history(row).orders > 0).map(|code| (row, code))
    };
    (0..experiment.len()).filter_map(code).collect()
}

impl Column {
    /// Adds the values of the customers of a view.
    fn read(&mut self, view: &BaseView<'_>, codes: &[(usize, u32)]) -> Result<()> {
        let attribute = view.attribute(view.first_attribute(&self.name)?);
        let value_type = attribute.value_type();
        if self.value_type.is_none() {
            self.value_type = Some(value_type.clone());
            self.parts.push(new_null_array(&value_type.data_type, 1));
        }
        if codes.is_empty() {
            return Ok(());
        }
        let values = codes.iter().map(|&(_, code)| attribute.get(code).filter(|&value| value != NO_CODE));
        self.parts.push(key_column(&value_type.data_type, attribute.values(), values)?);
        let part = self.parts.len() - 1;
        (0..).zip(codes).for_each(|(at, &(row, _))| self.places[row] = (part, at));
        Ok(())
    }
}
