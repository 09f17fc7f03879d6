//! The ids of the rows of value classes, with their groups.

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;

use super::table::customers_metadata;
use crate::analysis::score::groups::ScoreGroups;
use crate::base::view::BaseView;
use crate::column::key::Key;
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// The ids of `codes`, followed by their group if it is no part of the id.
pub(super) fn ids_of(view: &BaseView<'_>, codes: &[u32], group: Option<&str>, context: &Context) -> Result<RecordBatch> {
    let key = &view.kinds().id;
    let mut table = TableBuilder::default();
    context.run_if_large(codes.len(), |threads| table.ids(key, view.ids(), codes, threads))??;
    if let Some(group) = group.filter(|group| !(key.is_composite() && key.has(group))) {
        let attribute = view.attributes().find(|attribute| attribute.name() == group).ok_or_else(|| no_group(view, group))?;
        let values = codes.iter().map(|&code| attribute.get(code).filter(|&value| value != NO_CODE));
        table.values(group, attribute.value_type(), attribute.values(), values)?;
    }
    let Table { batch, .. } = table.finish(codes.len(), customers_metadata(view), Report::default())?;
    Ok(batch)
}

fn no_group(view: &BaseView<'_>, group: &str) -> Error {
    let key = view.kinds().id.names();
    let mut kept: Vec<String> = view.attributes().map(|attribute| format!("'{}'", attribute.name())).collect();
    if key.is_composite() {
        kept.extend(key.iter().map(|name| format!("'{name}'")));
    }
    let kept = if kept.is_empty() { "none".to_owned() } else { kept.join(", ") };
    let message = format!(
        "group='{group}' is neither an attribute that the base keeps nor a column of a composite key (found: {kept}); keep it with \
         attributes={{'{group}': 'first'}}"
    );
    Error::new(ErrorKind::StateMismatch, message).in_column(group)
}

/// The batches of ascending ranges of ids as one.
pub(super) fn joined(batches: &[RecordBatch]) -> Result<RecordBatch> {
    let first = batches.first().ok_or_else(|| Error::internal("a base without ranges"))?;
    concat_batches(&first.schema(), batches).map_err(Error::internal)
}

/// The rows in this order.
pub(super) fn in_order(ids: &RecordBatch, order: Vec<u32>) -> Result<RecordBatch> {
    take_record_batch(ids, &UInt32Array::from(order)).map_err(Error::internal)
}

/// The group of each row, numbered in the order of groups, null last; and the number of groups.
pub(super) fn groups_of(ids: &RecordBatch, group: &str) -> Result<(Vec<u32>, usize)> {
    let column = ids.column_by_name(group).ok_or_else(|| Error::internal("the column of groups is missing"))?;
    let (groups, mut group_of) = ScoreGroups::fit(&ValueColumn::new(group, "group", column)?, ids.num_rows());
    let keys = groups.keys();
    let mut ascending: Vec<usize> = (0..keys.len()).collect();
    ascending.sort_unstable_by_key(|&at| (keys[at].borrow() == Key::Null, keys[at].borrow()));
    let mut number = vec![0; keys.len()];
    for (place, &at) in ascending.iter().enumerate() {
        number[at] = place as u32;
    }
    group_of.iter_mut().for_each(|group| *group = number[*group as usize]);
    Ok((group_of, keys.len()))
}
