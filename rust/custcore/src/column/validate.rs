//! Validates imported Arrow data before use: offsets, UTF-8, dictionary indices, views.
//!
//! The checks take plain slices and return the first invalid row with the reason. A buffer that is shorter than its
//! array declares cannot be detected: the C data interface carries no buffer sizes.

/// The first invalid row, and what is wrong with it.
pub type ContentFault = (usize, String);

/// Offsets must not be negative or decrease. `offsets` has one more entry than there are rows.
pub fn offsets<T: Copy + PartialOrd + Default + std::fmt::Display>(offsets: &[T]) -> Result<(), ContentFault> {
    match offsets.first() {
        Some(&first) if first < T::default() => return Err((0, format!("offset {first} is negative"))),
        _ => {}
    }
    // One branch-free pass; the row is searched for only after a failure.
    if offsets.windows(2).fold(true, |ok, pair| ok & (pair[0] <= pair[1])) {
        return Ok(());
    }
    let row = offsets.windows(2).position(|pair| pair[0] > pair[1]).unwrap_or(0);
    Err((row, format!("offsets decrease from {} to {}", offsets[row], offsets[row + 1])))
}

/// The rows between `offsets` in `values` must be UTF-8; the offsets must have been validated.
pub fn utf8<T: Copy + Into<i64>>(offsets: &[T], values: &[u8]) -> Result<(), ContentFault> {
    let at = |i: usize| usize::try_from(offsets[i].into()).unwrap_or(0);
    let (Some(rows), true) = (offsets.len().checked_sub(1), !offsets.is_empty()) else { return Ok(()) };
    let region = &values[at(0)..at(rows)];
    // Validating the whole region at once is fast; each row must then begin at a character boundary.
    if region.is_ascii() {
        return Ok(());
    }
    if let Ok(text) = std::str::from_utf8(region) {
        let base = at(0);
        if (0..=rows).all(|i| text.is_char_boundary(at(i) - base)) {
            return Ok(());
        }
    }
    match (0..rows).find_map(|row| std::str::from_utf8(&values[at(row)..at(row + 1)]).err().map(|e| (row, e))) {
        Some((row, e)) => Err((row, format!("invalid UTF-8: {e}"))),
        None => Ok(()),
    }
}

/// Dictionary indices of the valid rows must be inside the dictionary. `widen` sign-extends, so that a negative index becomes
/// a huge one.
pub fn indices<T: Copy>(
    indices: &[T],
    widen: impl Fn(T) -> u64,
    valid: impl Fn(usize) -> bool,
    n_values: usize,
) -> Result<(), ContentFault> {
    let inside = |index: T| widen(index) < n_values as u64;
    if indices.iter().fold(true, |ok, &index| ok & inside(index)) {
        return Ok(());
    }
    match indices.iter().enumerate().find(|&(row, &index)| !inside(index) && valid(row)) {
        Some((row, &index)) => {
            Err((row, format!("dictionary index {} is outside the dictionary of {n_values} values", widen(index) as i64)))
        }
        None => Ok(()),
    }
}

/// Views of strings or binary: a long view must be inside its buffer and repeat the first four bytes; text must be UTF-8.
/// Null rows are not checked, since they are never read.
pub fn views(views: &[u128], valid: impl Fn(usize) -> bool, buffers: &[&[u8]], text: bool) -> Result<(), ContentFault> {
    for (row, &view) in views.iter().enumerate().filter(|(row, _)| valid(*row)) {
        let bytes = view.to_le_bytes();
        let word = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]) as usize;
        let length = word(0);
        if length > i32::MAX as usize {
            return Err((row, format!("view length {} is negative", length as u32 as i32)));
        }
        let value = if length <= 12 {
            if bytes[4 + length..].iter().any(|&b| b != 0) {
                return Err((row, "a short view is not padded with zeros".to_owned()));
            }
            &bytes[4..4 + length]
        } else {
            let (index, offset) = (word(8), word(12));
            let Some(buffer) = buffers.get(index) else {
                return Err((row, format!("view points to buffer {index} of {}", buffers.len())));
            };
            match buffer.get(offset..offset + length) {
                Some(value) if value[..4] == bytes[4..8] => value,
                Some(_) => return Err((row, "the prefix of a view differs from its value".to_owned())),
                None => return Err((row, format!("view {offset}..{} is outside its buffer of {} bytes", offset + length, buffer.len()))),
            }
        };
        if text && let Err(e) = std::str::from_utf8(value) {
            return Err((row, format!("invalid UTF-8: {e}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_must_not_be_negative_or_decrease() {
        assert!(offsets(&[0_i32, 2, 2, 5]).is_ok());
        assert!(offsets::<i32>(&[]).is_ok());
        assert_eq!(offsets(&[-1_i32, 2]).map_err(|f| f.0), Err(0));
        assert_eq!(offsets(&[0_i64, 5, 3]).map_err(|f| f.0), Err(1));
    }

    #[test]
    fn utf8_is_checked_row_by_row() {
        let text = "aé".as_bytes();
        assert!(utf8(&[0_i32, 1, 3], text).is_ok());
        assert_eq!(utf8(&[0_i32, 2, 3], text).map_err(|f| f.0), Err(0), "a character cut in two");
        assert_eq!(utf8(&[0_i32, 1, 2], b"a\xff").map_err(|f| f.0), Err(1));
    }

    #[test]
    fn indices_of_null_rows_do_not_matter() {
        let widen = |index: i8| i64::from(index) as u64;
        assert!(indices(&[0, 9], widen, |row| row == 0, 1).is_ok());
        assert_eq!(indices(&[0, 9], widen, |_| true, 1).map_err(|f| f.0), Err(1));
        assert_eq!(indices(&[-1], widen, |_| true, 1).map_err(|f| f.0), Err(0));
    }

    #[test]
    fn views_must_lie_in_their_buffers() {
        let buffer: &[u8] = b"a value longer than twelve";
        let long = |index: u32, offset: u32, prefix: &[u8; 4]| {
            let mut bytes = [0_u8; 16];
            bytes[..4].copy_from_slice(&20_u32.to_le_bytes());
            bytes[4..8].copy_from_slice(prefix);
            bytes[8..12].copy_from_slice(&index.to_le_bytes());
            bytes[12..].copy_from_slice(&offset.to_le_bytes());
            u128::from_le_bytes(bytes)
        };
        assert!(views(&[0, long(0, 0, b"a va")], |_| true, &[buffer], true).is_ok());
        assert!(views(&[long(1, 0, b"a va")], |_| true, &[buffer], true).is_err());
        assert!(views(&[long(0, 20, b"a va")], |_| true, &[buffer], true).is_err());
        assert!(views(&[long(0, 0, b"zzzz")], |_| true, &[buffer], true).is_err());
    }
}
