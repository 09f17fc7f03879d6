//! The distinct combinations of scores, and which one each row has: what depends on the scores alone (the cell's text, the
//! weighted sum, the segment) is computed once for each combination, not for each row.

use std::collections::HashMap;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use foldhash::fast::RandomState;

use crate::error::{Error, Result};

/// Rows by combination of scores.
#[derive(Debug)]
pub struct Cells {
    /// Per row the combination; 0 where a score is missing.
    index: Vec<u32>,
    /// The scores of each combination end to end; combination 0 is all zeros.
    scores: Vec<u8>,
    dimensions: usize,
    missing: bool,
}

/// Combinations are found in a table of this size at the most, else by hash.
const TABLE: usize = 1 << 20;

impl Cells {
    /// The combinations of `scores`, one vector for each dimension; 0 is no score.
    pub fn new(scores: &[Vec<u8>], rows: usize) -> Self {
        let radix: Vec<usize> = scores.iter().map(|scores| usize::from(scores.iter().copied().max().unwrap_or(0)) + 1).collect();
        let size = radix.iter().try_fold(1_usize, |size, &radix| size.checked_mul(radix)).filter(|&size| size <= TABLE);
        let mut cells = Self { index: Vec::with_capacity(rows), scores: vec![0; scores.len()], dimensions: scores.len(), missing: false };
        let mut next = 1;
        let mut table = size.map(|size| vec![0_u32; size]);
        let mut by_hash: HashMap<Vec<u8>, u32, RandomState> = HashMap::default();
        for row in 0..rows {
            if scores.iter().any(|scores| scores[row] == 0) {
                cells.missing = true;
                cells.index.push(0);
                continue;
            }
            let place = match &mut table {
                Some(table) => {
                    let at = scores.iter().zip(&radix).fold(0, |at, (scores, radix)| at * radix + usize::from(scores[row]));
                    &mut table[at]
                }
                None => by_hash.entry(scores.iter().map(|scores| scores[row]).collect()).or_insert(0),
            };
            if *place == 0 {
                *place = next;
                next += 1;
                cells.scores.extend(scores.iter().map(|scores| scores[row]));
            }
            cells.index.push(*place);
        }
        cells
    }

    /// The scores of each combination but the missing one.
    fn distinct(&self) -> impl Iterator<Item = &[u8]> {
        self.scores.chunks_exact(self.dimensions.max(1)).skip(1)
    }

    fn nulls(&self) -> Option<NullBuffer> {
        self.missing.then(|| NullBuffer::new(BooleanBuffer::collect_bool(self.index.len(), |row| self.index[row] != 0)))
    }

    /// A column of a number for each combination; null where it has none or a score is missing.
    pub fn numbers<T: ArrowPrimitiveType>(&self, number: impl Fn(&[u8]) -> Option<T::Native>) -> PrimitiveArray<T> {
        let numbers: Vec<Option<T::Native>> = std::iter::once(None).chain(self.distinct().map(number)).collect();
        if numbers[1..].iter().any(Option::is_none) {
            return self.index.iter().map(|&cell| numbers[cell as usize]).collect();
        }
        let values: Vec<T::Native> = numbers.into_iter().map(Option::unwrap_or_default).collect();
        let column: ScalarBuffer<T::Native> = self.index.iter().map(|&cell| values[cell as usize]).collect();
        PrimitiveArray::new(column, self.nulls())
    }

    /// A column of the scores joined by `-`.
    pub fn texts(&self) -> Result<StringArray> {
        let join = |scores: &[u8]| scores.iter().map(u8::to_string).collect::<Vec<_>>().join("-");
        let texts: Vec<String> = std::iter::once(String::new()).chain(self.distinct().map(join)).collect();
        let bytes: usize = self.index.iter().map(|&cell| texts[cell as usize].len()).sum();
        let too_long = |_| Error::internal("cells of more than 2 GiB");
        i32::try_from(bytes).map_err(too_long)?;
        let (mut offsets, mut values) = (Vec::with_capacity(self.index.len() + 1), Vec::with_capacity(bytes));
        offsets.push(0);
        for &cell in &self.index {
            values.extend_from_slice(texts[cell as usize].as_bytes());
            offsets.push(values.len() as i32);
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        StringArray::try_new(offsets, values.into(), self.nulls()).map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::types::Int32Type;

    #[test]
    fn rows_that_miss_a_score_are_null() -> Result<()> {
        let cells = Cells::new(&[vec![1, 0, 1, 100], vec![2, 2, 2, 7]], 4);
        let texts = cells.texts()?;
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("1-2"), None, Some("1-2"), Some("100-7")]);
        let numbers = cells.numbers::<Int32Type>(|scores| (scores[0] < 10).then(|| i32::from(scores[0])));
        assert_eq!(numbers.iter().collect::<Vec<_>>(), [Some(1), None, Some(1), None]);
        assert!(Cells::new(&[vec![], vec![]], 0).texts()?.is_empty());
        Ok(())
    }
}
