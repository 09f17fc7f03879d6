//! The distinct score combinations (score cells) and the cell of each row. Values that depend only on the scores (the cell's
//! text, the weighted sum, the segment) are computed once per cell, not per row.

use std::collections::HashMap;
use std::ops::Range;

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use foldhash::fast::RandomState;

use crate::error::{Error, Result};
use crate::exec::par::Threads;

/// The score cell of each row.
#[derive(Debug)]
pub(crate) struct NestedCells {
    /// The cell of each row; 0 if a score is missing.
    index: Vec<u32>,
    /// The scores of each cell, concatenated; cell 0 is all zeros. A cell may have no rows.
    scores: Vec<u8>,
    dimensions: usize,
    missing: bool,
}

/// Maximum size of a direct-address table for numbering cells; above it, a hash table is used.
const MAX_DIRECT_TABLE: usize = 1 << 20;
/// If the number of possible cells is at most this and at most the number of rows, all cells are enumerated, which saves the
/// pass that finds the occupied ones.
const MAX_ENUMERATED: usize = 1 << 12;

impl NestedCells {
    /// The cells of `scores`, one vector per dimension; 0 is a missing score.
    pub(crate) fn new(scores: &[Vec<u8>], rows: usize, threads: Threads<'_>) -> Self {
        let radix: Vec<usize> = scores.iter().map(|scores| usize::from(max_score(scores)) + 1).collect();
        let missing = scores.iter().any(|scores| misses_some(scores, threads));
        let size = radix.iter().try_fold(1_usize, |size, &radix| size.checked_mul(radix)).filter(|&size| size <= MAX_DIRECT_TABLE);
        let mut cells = Self { index: vec![0; rows], scores: vec![0; scores.len()], dimensions: scores.len(), missing };
        let Some(size) = size else {
            cells.number_by_hash(scores);
            return cells;
        };
        threads.par_fill(&mut cells.index, |first, index| {
            for (scores, &radix) in scores.iter().zip(&radix) {
                for (at, &score) in index.iter_mut().zip(&scores[first..]) {
                    *at = *at * radix as u32 + u32::from(score);
                }
            }
            if missing {
                for (row, at) in (first..).zip(index) {
                    if scores.iter().any(|scores| scores[row] == 0) {
                        *at = 0;
                    }
                }
            }
        });
        // Decodes a mixed-radix number into its scores.
        let mut push = |at: usize| {
            let start = cells.scores.len();
            let mut rest = at;
            cells.scores.extend(radix.iter().rev().map(|&radix| {
                let score = rest % radix;
                rest /= radix;
                score as u8
            }));
            cells.scores[start..].reverse();
        };
        if size <= MAX_ENUMERATED.min(rows) {
            (1..size).for_each(push);
            return cells;
        }
        let (mut numbers, mut next) = (vec![0_u32; size], 0);
        for at in cells.index.iter_mut().filter(|at| **at > 0) {
            let number = &mut numbers[*at as usize];
            if *number == 0 {
                next += 1;
                *number = next;
                push(*at as usize);
            }
            *at = *number;
        }
        cells
    }

    fn number_by_hash(&mut self, scores: &[Vec<u8>]) {
        let mut numbers: HashMap<Vec<u8>, u32, RandomState> = HashMap::default();
        for (row, at) in self.index.iter_mut().enumerate() {
            let cell: Vec<u8> = scores.iter().map(|scores| scores[row]).collect();
            if cell.contains(&0) {
                continue;
            }
            let next = numbers.len() as u32 + 1;
            *at = *numbers.entry(cell).or_insert_with_key(|cell| {
                self.scores.extend_from_slice(cell);
                next
            });
        }
    }

    /// The scores of each cell except cell 0.
    fn distinct(&self) -> impl Iterator<Item = &[u8]> {
        self.scores.chunks_exact(self.dimensions.max(1)).skip(1)
    }

    fn nulls(&self) -> Option<NullBuffer> {
        self.missing.then(|| NullBuffer::new(BooleanBuffer::collect_bool(self.index.len(), |row| self.index[row] != 0)))
    }

    /// A column of one number per cell; null if `number` returns `None` or a score is missing.
    pub(crate) fn numbers<T: ArrowPrimitiveType>(
        &self,
        number: impl Fn(&[u8]) -> Option<T::Native>,
        threads: Threads<'_>,
    ) -> PrimitiveArray<T> {
        // Enumerated cells with a zero score have no rows, so their number is irrelevant.
        let number = |scores: &[u8]| if scores.contains(&0) { Some(T::Native::default()) } else { number(scores) };
        let numbers: Vec<Option<T::Native>> = std::iter::once(None).chain(self.distinct().map(number)).collect();
        // A cell without a number matters only if it has rows; those are null.
        let values: Vec<T::Native> = numbers.iter().map(|number| number.unwrap_or_default()).collect();
        let column = threads.par_map(self.index.len(), |row| values[self.index[row] as usize]);
        let all = numbers[1..].iter().all(Option::is_some) || self.index.iter().all(|&cell| numbers[cell as usize].is_some() || cell == 0);
        let nulls = if all {
            self.nulls()
        } else {
            Some(NullBuffer::new(BooleanBuffer::collect_bool(self.index.len(), |row| numbers[self.index[row] as usize].is_some())))
        };
        PrimitiveArray::new(column.into(), nulls)
    }

    /// A column of the scores, joined by `-`.
    pub(crate) fn texts(&self, threads: Threads<'_>) -> Result<StringArray> {
        let join = |scores: &[u8]| scores.iter().map(u8::to_string).collect::<Vec<_>>().join("-");
        let texts: Vec<String> = std::iter::once(String::new()).chain(self.distinct().map(join)).collect();
        let sizes: Vec<usize> = texts.iter().map(String::len).collect();
        // If no score is missing and all texts have the same length, the lengths need not be summed.
        let one_size = sizes.get(1).copied().filter(|size| !self.missing && sizes[1..].iter().all(|other| other == size));
        let lengths = threads.par_chunks(self.index.len(), |run| match one_size {
            Some(size) => size * run.len(),
            None => self.index[run].iter().map(|&cell| sizes[cell as usize]).sum::<usize>(),
        });
        let bytes: usize = lengths.iter().sum();
        i32::try_from(bytes).map_err(|_| Error::internal("score cells exceed 2 GiB of text"))?;
        // The start offset of each run is precomputed, so that runs are independent.
        let runs = threads.par_chunks(self.index.len(), |run| run);
        let begins = lengths.iter().scan(0, |sum, length| {
            let begin = *sum;
            *sum += length;
            Some(begin)
        });
        let pieces: Vec<(Range<usize>, usize)> = runs.into_iter().zip(begins).collect();
        let (mut offsets, mut values) = (vec![0_i32; self.index.len() + 1], vec![0_u8; bytes]);
        let (mut rest_offsets, mut rest_values) = (&mut offsets[1..], values.as_mut_slice());
        let mut work = Vec::with_capacity(pieces.len());
        for ((run, begin), length) in pieces.into_iter().zip(lengths) {
            let (own_offsets, after) = rest_offsets.split_at_mut(run.len());
            let (own_values, after_values) = rest_values.split_at_mut(length);
            (rest_offsets, rest_values) = (after, after_values);
            work.push((run, begin, own_offsets, own_values));
        }
        // Texts of five bytes, such as 5-4-3, are the common case; a fixed-size copy avoids a memcpy call.
        let short: Option<Vec<[u8; 5]>> =
            (one_size == Some(5)).then(|| texts.iter().map(|text| text.as_bytes().first_chunk().copied().unwrap_or_default()).collect());
        let write = |(run, begin, offsets, values): (Range<usize>, usize, &mut [i32], &mut [u8])| {
            let mut at = begin;
            if let Some(short) = &short {
                for ((&cell, offset), text) in self.index[run].iter().zip(offsets).zip(values.as_chunks_mut().0) {
                    *text = short[cell as usize];
                    at += 5;
                    *offset = at as i32;
                }
                return;
            }
            for (&cell, offset) in self.index[run].iter().zip(offsets) {
                let text = texts[cell as usize].as_bytes();
                values[at - begin..][..text.len()].copy_from_slice(text);
                at += text.len();
                *offset = at as i32;
            }
        };
        threads.par_tasks(work, write);
        // SAFETY: offsets ascend from 0 to the number of bytes, since each run starts where the previous one ended; all
        // bytes are ASCII digits and hyphens, so every text is valid UTF-8; the null buffer has one bit per row.
        Ok(unsafe {
            let offsets = OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets));
            StringArray::new_unchecked(offsets, values.into(), self.nulls())
        })
    }
}

/// Whether any row has no score.
pub(crate) fn misses_some(scores: &[u8], threads: Threads<'_>) -> bool {
    threads.par_chunks(scores.len(), |run| scores[run].contains(&0)).contains(&true)
}

fn max_score(scores: &[u8]) -> u8 {
    scores.iter().fold(0, |max, &score| max.max(score))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;
    use arrow_array::types::Int32Type;

    #[test]
    fn rows_with_missing_scores_are_null() -> Result<()> {
        let cells = NestedCells::new(&[vec![1, 0, 1, 100], vec![2, 2, 2, 7]], 4, Threads::inline());
        let texts = cells.texts(Threads::inline())?;
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("1-2"), None, Some("1-2"), Some("100-7")]);
        let numbers = cells.numbers::<Int32Type>(|scores| (scores[0] < 10).then(|| i32::from(scores[0])), Threads::inline());
        assert_eq!(numbers.iter().collect::<Vec<_>>(), [Some(1), None, Some(1), None]);
        assert!(NestedCells::new(&[vec![], vec![]], 0, Threads::inline()).texts(Threads::inline())?.is_empty());
        Ok(())
    }
}
