//! Columns of sets of items.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray};
use arrow_buffer::OffsetBuffer;

use crate::baskets::lists::BasketLists;
use crate::error::{Error, ErrorKind, Result};
use crate::table::key_column;

/// A column of lists of items; `codes` are those of the numbers in the sets.
pub(super) fn lists_of<'a>(lists: &BasketLists<'_>, codes: &[u32], sets: impl Iterator<Item = &'a [u32]> + Clone) -> Result<ArrayRef> {
    let items: Vec<Option<u32>> = sets.clone().flatten().map(|&item| codes.get(item as usize).copied()).collect();
    if i32::try_from(items.len()).is_err() {
        let message = "the sets have more than 2,147,483,647 items in all; raise min_baskets, or lower max_len";
        return Err(Error::new(ErrorKind::MemoryLimit, message));
    }
    let item_type = lists.item_type()?;
    let values = key_column(&item_type.data_type, lists.item_keys(), items.into_iter())?;
    let lengths = OffsetBuffer::from_lengths(sets.map(<[u32]>::len));
    Ok(Arc::new(ListArray::try_new(Arc::new(item_type.field("item")), lengths, values, None).map_err(Error::internal)?))
}
