//! The columns that follow from the scores of a row: score cell, digits, weighted sum, segment. One pass over the scores writes
//! those that are asked for.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowDictionaryKeyType, Float64Type, Int16Type, Int32Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, DictionaryArray, Int32Array, PrimitiveArray, StringArray, UInt8Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};

use super::new_column::{NewColumn, Slots};
use super::result_columns::ResultColumns;
use super::segments::SegmentMap;
use crate::analysis::score::cells::misses_some;
use crate::error::{Error, Result};
use crate::exec::par::Threads;
use crate::exec::simd::widest;
use crate::table::TableBuilder;

/// The names of the scores.
pub(super) const SCORES: [&str; 3] = ["r_score", "f_score", "m_score"];
/// The names of the columns that depend on all scores.
pub(super) const CELL: &str = "rfm_cell";
pub(super) const DIGITS: &str = "rfm_score";
pub(super) const SUM: &str = "rfm_total";
pub(super) const SEGMENT: &str = "segment";

/// The dictionary of cells has all of up to this many cells, whether or not they occur; of more it has those that occur.
const MAX_LISTED: usize = 1 << 12;
/// Rows per task.
const PIECE: usize = 1 << 14;

/// Source of the segment of a row.
#[derive(Debug)]
pub(super) enum SegmentCodes<'a> {
    /// Looked up by the scores.
    ByCell(&'a SegmentMap),
    /// Given for each row as a position in the names.
    ByRow(Vec<Option<u16>>),
}

/// What the columns depend on besides the scores.
#[derive(Debug)]
pub(super) struct Scoring<'a> {
    /// Bins of R, F and M.
    pub bins: [u8; 3],
    /// Weights of R, F and M.
    pub weights: [f64; 3],
    /// Names of segments, and the source of each row's position in them.
    pub segments: Option<(Vec<&'a str>, SegmentCodes<'a>)>,
}

/// Some rows of the columns that are computed from the scores.
struct Piece<'a> {
    scores: [&'a [u8]; 3],
    cells: Slots<'a, i16>,
    wide_cells: Slots<'a, i32>,
    digits: Slots<'a, i32>,
    sums: Slots<'a, f64>,
    segments: Slots<'a, i16>,
}

/// Adds the columns that are asked for. `scores` are the R, F and, with amounts, M scores; 0 is a missing one.
pub(super) fn add_scores(
    table: &mut TableBuilder,
    scores: Vec<Vec<u8>>,
    scoring: Scoring<'_>,
    asked: &ResultColumns,
    threads: Threads<'_>,
) -> Result<()> {
    let rows = scores.first().map_or(0, Vec::len);
    let missing = scores.iter().any(|scores| misses_some(scores, threads));
    let nulls = missing.then(|| NullBuffer::new(BooleanBuffer::collect_bool(rows, |row| scores.iter().all(|scores| scores[row] > 0))));
    let Scoring { bins, weights, segments } = scoring;
    let bins = &bins[..scores.len()];
    let cells: usize = bins.iter().map(|&bins| usize::from(bins)).product();
    let is_narrow = i16::try_from(cells).is_ok();
    // With more than 9 bins a score may have two digits and the concatenation is ambiguous (1110: 1-11-0 or 11-1-0): null.
    let one_digit = bins.iter().all(|&bins| bins <= 9);
    let map = match &segments {
        Some((_, SegmentCodes::ByCell(map))) if asked.has(SEGMENT) => Some(*map),
        _ => None,
    };
    let mut new = [NewColumn::<i32>::new(rows, asked.has(CELL) && !is_narrow), NewColumn::<i32>::new(rows, asked.has(DIGITS) && one_digit)];
    let [wide_cells, digits] = &mut new;
    let mut narrow = [NewColumn::<i16>::new(rows, asked.has(CELL) && is_narrow), NewColumn::<i16>::new(rows, map.is_some())];
    let [narrow_cells, segment_codes] = &mut narrow;
    let mut sums = NewColumn::<f64>::new(rows, asked.has(SUM));
    let starts = (0..rows).step_by(PIECE);
    let pieces = starts
        .zip(narrow_cells.pieces(PIECE))
        .zip(wide_cells.pieces(PIECE))
        .zip(digits.pieces(PIECE))
        .zip(sums.pieces(PIECE))
        .zip(segment_codes.pieces(PIECE));
    let pieces: Vec<Piece<'_>> = pieces
        .map(|(((((start, cells), wide_cells), digits), sums), segments)| {
            let end = rows.min(start + PIECE);
            let of = |dimension: usize| scores.get(dimension).map_or(&[][..], |scores| &scores[start..end]);
            Piece { scores: [of(0), of(1), of(2)], cells, wide_cells, digits, sums, segments }
        })
        .collect();
    threads.if_large(rows).par_tasks(pieces, |piece| fill(piece, bins, weights, map));
    let ([wide_cells, digits], [narrow_cells, segment_codes]) = (new, narrow);
    // SAFETY: the pieces of each wanted column cover all rows, and `fill` writes every row of a piece that is not empty.
    let (narrow_cells, wide_cells, digits, sums, segment_codes) =
        unsafe { (narrow_cells.filled(), wide_cells.filled(), digits.filled(), sums.filled(), segment_codes.filled()) };
    let valid = nulls.as_ref();
    let cell_column = match (narrow_cells, wide_cells) {
        (Some(codes), _) => Some(cell_column::<Int16Type>(codes, bins, valid)?),
        (_, Some(codes)) => Some(cell_column::<Int32Type>(codes, bins, valid)?),
        _ => None,
    };
    for (name, scores) in SCORES.into_iter().zip(scores).filter(|(name, _)| asked.has(name)) {
        let missing = missing && misses_some(&scores, threads);
        let valid = missing.then(|| NullBuffer::new(BooleanBuffer::collect_bool(rows, |row| scores[row] > 0)));
        table.column(name, Arc::new(UInt8Array::new(scores.into(), valid)));
    }
    table.column_if(CELL, cell_column);
    if asked.has(DIGITS) {
        let column = digits.map_or_else(|| Int32Array::new_null(rows), |digits| numbers(digits, valid));
        table.column(DIGITS, Arc::new(column));
    }
    table.column_if(SUM, sums.map(|sums| Arc::new(numbers::<Float64Type>(sums, valid)) as ArrayRef));
    if let Some((names, source)) = segments.filter(|_| asked.has(SEGMENT)) {
        let codes = match source {
            SegmentCodes::ByCell(_) => segment_codes_of(segment_codes.unwrap_or_default(), names.len(), valid),
            SegmentCodes::ByRow(codes) => codes.into_iter().map(|code| code.map(|code| code as i16)).collect(),
        };
        table.column(SEGMENT, dictionary::<Int16Type>(codes, Arc::new(StringArray::from(names)))?);
    }
    Ok(())
}

/// Fills the rows of a piece.
fn fill(piece: Piece<'_>, bins: &[u8], weights: [f64; 3], map: Option<&SegmentMap>) {
    let Piece { scores: [r, f, m], cells, wide_cells, digits, sums, segments } = piece;
    let bins_of = |dimension: usize| bins.get(dimension).map_or(1, |&bins| i32::from(bins));
    let (f_bins, m_bins) = (bins_of(1), bins_of(2));
    let cell = |r: u8, f: u8, m: u8| ((i32::from(r) - 1) * f_bins + i32::from(f) - 1) * m_bins + i32::from(m) - 1;
    let has_money = bins.len() > 2;
    // Without M the score 1 stands for it in cells, and nothing in numbers.
    each(cells, r, f, m, |r, f, m| cell(r, f, m.unwrap_or(1)) as i16);
    each(wide_cells, r, f, m, |r, f, m| cell(r, f, m.unwrap_or(1)));
    if has_money {
        each(digits, r, f, m, |r, f, m| (i32::from(r) * 10 + i32::from(f)) * 10 + i32::from(m.unwrap_or(0)));
        each(sums, r, f, m, |r, f, m| weights[0] * f64::from(r) + weights[1] * f64::from(f) + weights[2] * f64::from(m.unwrap_or(0)));
    } else {
        each(digits, r, f, m, |r, f, _| i32::from(r) * 10 + i32::from(f));
        each(sums, r, f, m, |r, f, _| weights[0] * f64::from(r) + weights[1] * f64::from(f));
    }
    if let Some(map) = map {
        each(segments, r, f, m, |r, f, m| map.segment(r, f, m.unwrap_or(1)).map_or(NO_CODE, |code| code as i16));
    }
}

/// Marks a row without a segment.
const NO_CODE: i16 = -1;

/// Writes `value` of the scores of each row; nothing if the column is not wanted.
#[inline]
fn each<T>(out: Slots<'_, T>, r: &[u8], f: &[u8], m: &[u8], value: impl Fn(u8, u8, Option<u8>) -> T) {
    let rows = out.iter_mut().zip(r).zip(f);
    if m.is_empty() {
        rows.for_each(|((slot, &r), &f)| _ = slot.write(value(r, f, None)));
    } else {
        rows.zip(m).for_each(|(((slot, &r), &f), &m)| _ = slot.write(value(r, f, Some(m))));
    }
}

/// A column of numbers that depend on all scores; the values of null rows are 0.
fn numbers<T: ArrowPrimitiveType>(mut values: Vec<T::Native>, valid: Option<&NullBuffer>) -> PrimitiveArray<T> {
    if let Some(valid) = valid {
        values.iter_mut().zip(valid).filter(|(_, is_valid)| !is_valid).for_each(|(value, _)| *value = T::Native::default());
    }
    PrimitiveArray::new(values.into(), valid.cloned())
}

/// The codes of segments; a row without one is null.
fn segment_codes_of(codes: Vec<i16>, n: usize, valid: Option<&NullBuffer>) -> PrimitiveArray<Int16Type> {
    if valid.is_none() && all_below(&codes, n) {
        return PrimitiveArray::new(codes.into(), None);
    }
    let has_code = |code: i16| usize::try_from(code).is_ok_and(|code| code < n);
    let valid = NullBuffer::new(BooleanBuffer::collect_bool(codes.len(), |row| {
        has_code(codes[row]) && valid.is_none_or(|valid| valid.is_valid(row))
    }));
    numbers(codes, Some(&valid))
}

widest! {
    /// Whether all codes are positions below `n`.
    fn all_below(codes: &[i16], n: usize) -> bool {
        let n = u16::try_from(n).unwrap_or(u16::MAX);
        codes.iter().fold(true, |all, &code| all & ((code as u16) < n))
    }
}

/// A dictionary of cells, ascending by R, F and M. It has all cells, if they are few, so that it does not depend on the data.
fn cell_column<K: ArrowDictionaryKeyType>(codes: Vec<K::Native>, bins: &[u8], valid: Option<&NullBuffer>) -> Result<ArrayRef>
where
    K::Native: TryFrom<usize> + TryInto<usize>,
{
    let cells: usize = bins.iter().map(|&bins| usize::from(bins)).product();
    let codes = numbers::<K>(codes, valid);
    if cells <= MAX_LISTED {
        return dictionary(codes, Arc::new(cell_texts(0..cells, bins)));
    }
    let position = |code: K::Native| code.try_into().unwrap_or(0);
    let mut places = vec![None; cells];
    codes.iter().flatten().for_each(|code| places[position(code)] = Some(K::Native::default()));
    let found: Vec<usize> = places.iter().enumerate().filter(|(_, place)| place.is_some()).map(|(cell, _)| cell).collect();
    found.iter().enumerate().for_each(|(position, &cell)| places[cell] = K::Native::try_from(position).ok());
    let codes: PrimitiveArray<K> = codes.iter().map(|code| code.and_then(|code| places[position(code)])).collect();
    dictionary(codes, Arc::new(cell_texts(found.into_iter(), bins)))
}

/// A dictionary array; codes of 16 bits are checked many at a time.
fn dictionary<K: ArrowDictionaryKeyType>(codes: PrimitiveArray<K>, texts: ArrayRef) -> Result<ArrayRef> {
    let narrow = (&codes as &dyn Array).as_primitive_opt::<Int16Type>();
    if narrow.is_some_and(|codes| all_below(codes.values(), texts.len())) {
        // SAFETY: all codes, also those of null rows, were just found to be positions in the texts.
        return Ok(Arc::new(unsafe { DictionaryArray::<K>::new_unchecked(codes, texts) }));
    }
    Ok(Arc::new(DictionaryArray::<K>::try_new(codes, texts).map_err(Error::internal)?))
}

/// The scores of each cell, joined by `-`.
fn cell_texts(cells: impl Iterator<Item = usize>, bins: &[u8]) -> StringArray {
    let numbers: Vec<String> = (1..=bins.iter().copied().max().unwrap_or(0)).map(|score| score.to_string()).collect();
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for cell in cells {
        text.clear();
        let mut scale: usize = bins.iter().map(|&bins| usize::from(bins)).product();
        for &bins in bins {
            scale /= usize::from(bins);
            if !text.is_empty() {
                text.push('-');
            }
            text.push_str(&numbers[cell / scale % usize::from(bins)]);
        }
        texts.append_value(&text);
    }
    texts.finish()
}

#[cfg(test)]
mod tests {
    use arrow_schema::Metadata;

    use super::*;
    use crate::exec::context::Context;
    use crate::report::Report;

    const WEIGHTS: [f64; 3] = [100.0, 10.0, 0.5];

    fn table(scores: &[Vec<u8>], bins: [u8; 3], map: Option<&SegmentMap>, asked: &ResultColumns) -> Result<arrow_array::RecordBatch> {
        let rows = scores[0].len();
        let segments = map.map(|map| (map.names().iter().map(String::as_str).collect(), SegmentCodes::ByCell(map)));
        let scoring = Scoring { bins, weights: WEIGHTS, segments };
        let build = |threads: Threads<'_>| {
            let mut table = TableBuilder::default();
            add_scores(&mut table, scores.to_vec(), scoring, asked, threads)?;
            table.finish(rows, Metadata::new(), Report::default()).map(|table| table.batch)
        };
        Context::new(2).install(build)?
    }

    fn texts(column: &ArrayRef) -> Vec<Option<String>> {
        let dictionary = column.as_any_dictionary();
        let values = dictionary.values().as_string::<i32>();
        let keys = dictionary.normalized_keys();
        (0..column.len()).map(|row| column.is_valid(row).then(|| values.value(keys[row]).to_owned())).collect()
    }

    #[test]
    fn rows_with_missing_scores_are_null() -> Result<()> {
        let scores = [vec![1, 0, 5, 3], vec![2, 2, 5, 3], vec![4, 1, 5, 0]];
        let map = SegmentMap::rf10()?;
        let found = table(&scores, [5; 3], Some(&map), &ResultColumns::all())?;
        let column = |name: &str| found.column_by_name(name).cloned().ok_or_else(|| Error::internal(name));
        assert_eq!(texts(&column(CELL)?), [Some("1-2-4".to_owned()), None, Some("5-5-5".to_owned()), None]);
        assert_eq!(texts(&column(SEGMENT)?), [Some("hibernating".to_owned()), None, Some("champions".to_owned()), None]);
        let digits = column(DIGITS)?;
        assert_eq!(digits.as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), [Some(124), None, Some(555), None]);
        let sums = column(SUM)?;
        assert_eq!(sums.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), [Some(122.0), None, Some(552.5), None]);
        // The values of null rows do not depend on the scores that are there.
        assert_eq!(digits.as_primitive::<Int32Type>().values()[1], 0);
        assert_eq!((column("r_score")?.null_count(), column("f_score")?.null_count(), column("m_score")?.null_count()), (1, 0, 1));
        Ok(())
    }

    #[test]
    fn many_cells_are_listed_if_they_occur() -> Result<()> {
        let rows = 70_000;
        let scores: Vec<Vec<u8>> = [7, 11, 13].map(|step| (0..rows).map(|row| (row * step % 97 + 1) as u8).collect()).into();
        let columns = ResultColumns::named(vec![CELL.to_owned(), DIGITS.to_owned()])?;
        let found = table(&scores, [97; 3], None, &columns)?;
        let expected: Vec<_> = (0..rows).map(|row| Some(format!("{}-{}-{}", scores[0][row], scores[1][row], scores[2][row]))).collect();
        assert_eq!(texts(found.column(0)), expected);
        assert_eq!(found.column(0).as_any_dictionary().values().len(), 97);
        assert_eq!(found.column(1).null_count(), rows, "two digits a score");
        assert_eq!(found.num_columns(), 2);
        Ok(())
    }

    #[test]
    fn without_money_cells_have_two_scores() -> Result<()> {
        let found = table(&[vec![9, 1], vec![3, 2]], [9, 9, 2], None, &ResultColumns::all())?;
        assert_eq!(texts(found.column(2)), [Some("9-3".to_owned()), Some("1-2".to_owned())]);
        assert_eq!(found.column(3).as_primitive::<Int32Type>().values(), &[93, 12]);
        assert_eq!(found.column(4).as_primitive::<Float64Type>().values(), &[930.0, 120.0]);
        assert_eq!(table(&[vec![], vec![]], [5; 3], None, &ResultColumns::all())?.num_rows(), 0);
        Ok(())
    }
}
