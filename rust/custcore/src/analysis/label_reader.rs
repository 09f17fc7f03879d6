//! Reads columns of labels, such as groups and segments, as positions in the names that occur.

use arrow_array::{Array, ArrayRef};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::column::BLOCK;
use crate::column::key::{Key, KeyColumn, OwnedKey};
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};

/// The position of null.
pub(crate) const NO_LABEL: u16 = u16::MAX;
/// More labels than this are no groups.
const MOST: usize = 10_000;

/// The labels of one or several columns.
#[derive(Debug, Default)]
pub(crate) struct LabelReader {
    /// The names, as they came.
    pub names: Vec<String>,
    /// So many of the names are those of dictionaries that came first, in their order.
    pub ordered: usize,
    places: HashMap<OwnedKey, u16, RandomState>,
}

impl LabelReader {
    /// The position of the label of each row.
    pub(crate) fn read(&mut self, column: &ArrayRef, name: &str, role: &str) -> Result<Vec<u16>> {
        let values = ValueColumn::new(name, role, column)?;
        let mut place = |key: Key<'_>, is_ordered: bool| -> Result<u16> {
            if let Some(&place) = self.places.get(&key) {
                return Ok(place);
            }
            let Some(text) = key.text() else { return Ok(NO_LABEL) };
            if self.names.len() >= MOST {
                let message = format!("column '{name}' ({role}) has more than 10,000 values; expected a few groups");
                return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name));
            }
            self.names.push(text);
            let place = self.names.len() as u16 - 1;
            if is_ordered && self.ordered == usize::from(place) {
                self.ordered += 1;
            }
            self.places.insert(key.to_owned(), place);
            Ok(place)
        };
        let dictionary: Option<Vec<u16>> =
            values.dictionary().map(|keys| keys.iter().map(|key| place(key.borrow(), true)).collect::<Result<_>>()).transpose()?;
        if let (Some(places), KeyColumn::Dictionary(keys), None) = (&dictionary, &values.stored, values.stored.nulls()) {
            let (mut codes, mut positions) = (Vec::with_capacity(column.len()), Vec::with_capacity(BLOCK));
            for start in (0..column.len()).step_by(BLOCK) {
                keys.read_positions(start, BLOCK.min(column.len() - start), &mut positions);
                codes.extend(positions.iter().map(|&position| places[position as usize]));
            }
            return Ok(codes);
        }
        let code = |row: usize| match (&dictionary, values.stored.index(row)) {
            (Some(places), Some(index)) => Ok(places[index]),
            (Some(_), None) => Ok(NO_LABEL),
            (None, _) => place(values.key(row), false),
        };
        (0..column.len()).map(code).collect()
    }
}
