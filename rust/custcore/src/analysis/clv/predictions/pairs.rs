//! The distinct pairs of x and T: what is to come of a customer who has not dropped out depends on these only.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// A dense table of more entries than this is a hash table instead.
const MAX_DENSE: usize = 1 << 22;
/// The number of no pair.
const NONE: u32 = u32::MAX;

/// The distinct pairs of some rows, numbered in the order of their first rows.
#[derive(Debug)]
pub(crate) struct Pairs {
    /// x and T in days of each pair.
    pub pairs: Vec<(u32, f64)>,
    places: Places,
}

#[derive(Debug)]
enum Places {
    /// By x, then by whole days.
    Dense {
        width: usize,
        places: Vec<u32>,
    },
    Hashed(HashMap<(u32, u64), u32, RandomState>),
}

impl Pairs {
    /// The pairs of `rows` rows, whose x and T `row` returns.
    pub(crate) fn of(rows: usize, row: impl Fn(usize) -> (u32, f64)) -> Self {
        let (mut max_x, mut max_age, mut whole) = (0, 0.0_f64, true);
        for (x, age) in (0..rows).map(&row) {
            max_x = max_x.max(x as usize);
            max_age = max_age.max(age);
            whole &= age.fract() == 0.0;
        }
        let mut pairs = Vec::new();
        let size = (max_age as usize + 1).checked_mul(max_x + 1).filter(|&size| whole && size <= MAX_DENSE);
        let places = if let Some(size) = size {
            let width = max_age as usize + 1;
            let mut places = vec![NONE; size];
            for (x, age) in (0..rows).map(&row) {
                let place = &mut places[x as usize * width + age as usize];
                if *place == NONE {
                    *place = pairs.len() as u32;
                    pairs.push((x, age));
                }
            }
            Places::Dense { width, places }
        } else {
            let mut places: HashMap<(u32, u64), u32, RandomState> = HashMap::default();
            for (x, age) in (0..rows).map(&row) {
                places.entry((x, age.to_bits())).or_insert_with(|| {
                    pairs.push((x, age));
                    pairs.len() as u32 - 1
                });
            }
            Places::Hashed(places)
        };
        Self { pairs, places }
    }

    /// The number of the pair of a row that [`Pairs::of`] has seen.
    #[inline]
    pub(crate) fn place(&self, x: u32, age: f64) -> usize {
        match &self.places {
            Places::Dense { width, places } => places[x as usize * width + age as usize] as usize,
            Places::Hashed(places) => places.get(&(x, age.to_bits())).map_or(0, |&place| place as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_found_again() {
        for rows in [vec![(3, 7.0), (0, 2.0), (3, 7.0), (0, 7.0)], vec![(3, 7.5), (0, 2.0), (3, 7.5)], vec![(4_000_000, 5.0), (0, 900.0)]] {
            let found = Pairs::of(rows.len(), |at| rows[at]);
            for &(x, age) in &rows {
                assert_eq!(found.pairs[found.place(x, age)], (x, age));
            }
            let mut distinct = rows.clone();
            distinct.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            distinct.dedup();
            assert_eq!(found.pairs.len(), distinct.len());
        }
    }
}
