//! The union of keys of several parts: each part is sorted, and the sorted runs are merged. The union is sorted, so results
//! need no further sort.

use super::arena::ByteArena;
use super::interner::NO_CODE;
use super::keys::Keys;
use super::sort::{SortKey, SortKeys};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;

/// The distinct ids of several parts, ascending, with their source codes.
#[derive(Debug)]
pub(crate) struct KeyUnion {
    /// The distinct ids.
    pub keys: Keys,
    /// The source codes of each part: (position in the union, code), ascending by position. A dictionary with duplicates has a
    /// position more than once. The size is that of the parts' codes, not parts times ids.
    pub sources: Vec<Vec<(u32, u32)>>,
}

/// The union of one range of the ids.
struct UnionPiece {
    ids: Vec<i64>,
    arena: ByteArena,
    sources: Vec<Vec<(u32, u32)>>,
}

/// The union of the given codes of each part.
pub(crate) fn join(parts: &[(&Keys, Vec<u32>)], threads: Threads<'_>) -> Result<KeyUnion> {
    let all: Vec<&Keys> = parts.iter().map(|(keys, _)| *keys).collect();
    let sort_keys = SortKeys::of(&all, threads);
    let rows: usize = parts.iter().map(|(_, codes)| codes.len()).sum();
    let threads = threads.if_large(rows);
    let sort = |(keys, codes): &(&Keys, Vec<u32>)| sort_keys.sort(keys, codes, threads);
    let sorted: Vec<Vec<SortKey>> = threads.par_tasks(parts, sort);
    // Range-partition at ids of the largest part, so that the ranges can be merged in parallel.
    let Some(largest) = (0..parts.len()).max_by_key(|&part| sorted[part].len()) else {
        return Err(Error::internal("no parts to join"));
    };
    let n_ranges = if threads.count() == 1 { 1 } else { 4 * threads.count() };
    let cut = |range: usize, part: usize| match range {
        0 => 0,
        range if range == n_ranges => sorted[part].len(),
        range => {
            let at = (all[largest], sorted[largest][sorted[largest].len() * range / n_ranges]);
            sorted[part].partition_point(|&key| sort_keys.compare((all[part], key), at).is_lt())
        }
    };
    let piece = |range: usize| {
        let slices: Vec<&[SortKey]> = (0..parts.len()).map(|part| &sorted[part][cut(range, part)..cut(range + 1, part)]).collect();
        merge_range(&all, &sort_keys, slices)
    };
    let pieces: Vec<UnionPiece> = threads.par_tasks(0..n_ranges, piece);
    concat_pieces(pieces, all[0], parts.len())
}

fn merge_range(keys: &[&Keys], sort_keys: &SortKeys, mut rest: Vec<&[SortKey]>) -> UnionPiece {
    let mut piece = UnionPiece {
        ids: Vec::new(),
        arena: ByteArena::default(),
        sources: rest.iter().map(|run| Vec::with_capacity(run.len())).collect(),
    };
    let mut position = 0;
    loop {
        let mut least: Option<(usize, SortKey)> = None;
        for (part, remaining) in rest.iter().enumerate() {
            if let Some(&key) = remaining.first()
                && least.is_none_or(|(other, best)| sort_keys.compare((keys[part], key), (keys[other], best)).is_lt())
            {
                least = Some((part, key));
            }
        }
        let Some((owner, first)) = least else { return piece };
        match keys[owner] {
            Keys::Range { base, .. } => piece.ids.push(base + i64::from(first.1)),
            Keys::Integers(ids) => piece.ids.push(ids[first.1 as usize]),
            Keys::Bytes(arena) => piece.arena.push_from(arena, first.1),
        }
        for (part, (sources, remaining)) in piece.sources.iter_mut().zip(&mut rest).enumerate() {
            while let Some((&next, after)) = remaining.split_first()
                && sort_keys.compare((keys[part], next), (keys[owner], first)).is_eq()
            {
                sources.push((position, next.1));
                *remaining = after;
            }
        }
        position += 1;
    }
}

fn concat_pieces(pieces: Vec<UnionPiece>, kind: &Keys, parts: usize) -> Result<KeyUnion> {
    let rows: usize = pieces.iter().map(|piece| piece.ids.len() + piece.arena.len()).sum();
    if rows >= NO_CODE as usize - 33 {
        return Err(Error::new(ErrorKind::OutOfRange, "more than 4,294,967,262 distinct ids; split the data by a range of ids"));
    }
    let (mut ids, mut arena) = (Vec::new(), ByteArena::default());
    let codes = |part: usize| pieces.iter().map(|piece| piece.sources[part].len()).sum();
    let mut sources: Vec<Vec<(u32, u32)>> = (0..parts).map(|part| Vec::with_capacity(codes(part))).collect();
    for piece in pieces {
        let before = (ids.len() + arena.len()) as u32;
        for (sources, more) in sources.iter_mut().zip(piece.sources) {
            sources.extend(more.into_iter().map(|(position, code)| (position + before, code)));
        }
        ids.extend(piece.ids);
        arena.append(piece.arena);
    }
    let keys = if matches!(kind, Keys::Bytes(_)) { Keys::Bytes(arena) } else { Keys::Integers(ids) };
    Ok(KeyUnion { keys, sources })
}

impl KeyUnion {
    /// The position in the union of every code of a part; [`NO_CODE`] for codes that were not joined.
    pub(crate) fn positions(&self, part: usize, codes: usize) -> Vec<u32> {
        let mut positions = vec![NO_CODE; codes];
        for &(position, code) in &self.sources[part] {
            positions[code as usize] = position;
        }
        positions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ids_of_two_parts_are_one() -> Result<()> {
        let (a, b) = (Keys::Integers(vec![7, -3, 9]), Keys::Integers(vec![9, 7, 7, 100]));
        let joined = join(&[(&a, vec![0, 1, 2]), (&b, vec![0, 1, 2, 3])], Threads::inline())?;
        assert!(matches!(&joined.keys, Keys::Integers(ids) if *ids == [-3, 7, 9, 100]));
        assert_eq!(joined.sources[0], [(0, 1), (1, 0), (2, 2)]);
        assert_eq!(joined.positions(1, 4), [2, 1, 1, 3]);
        assert_eq!(joined.sources[1].iter().map(|(position, _)| *position).collect::<Vec<_>>(), [1, 1, 2, 3]);
        Ok(())
    }

    #[test]
    fn ranges_join_with_other_integers() -> Result<()> {
        let (a, b) = (Keys::Range { base: 5, len: 3 }, Keys::Integers(vec![i64::MIN, 6]));
        let joined = join(&[(&a, vec![0, 1, 2]), (&b, vec![0, 1])], Threads::inline())?;
        assert!(matches!(&joined.keys, Keys::Integers(ids) if *ids == [i64::MIN, 5, 6, 7]));
        Ok(())
    }
}
