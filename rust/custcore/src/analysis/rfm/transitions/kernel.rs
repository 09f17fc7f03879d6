//! Kernel of segment transitions and time in segment. Segments are positions in the names of a segment map; customers are
//! codes.

use crate::analysis::survival::DurationCounts;

/// The segment of a customer who is not a buyer.
pub(crate) const NO_SEGMENT: u16 = u16::MAX;

/// Scatters `segments` of `codes` into a vector by code, for codes below `customers`.
pub(crate) fn by_code(codes: &[u32], segments: &[u16], customers: usize) -> Vec<u16> {
    let mut all = vec![NO_SEGMENT; customers];
    for (&code, &segment) in codes.iter().zip(segments) {
        all[code as usize] = segment;
    }
    all
}

/// Customers who moved from one segment to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Move {
    /// Previous segment, [`NO_SEGMENT`] for customers who were not buyers.
    pub from: u16,
    /// New segment.
    pub to: u16,
    /// Number of customers.
    pub customers: u64,
    /// Their revenue in units.
    pub units: i128,
    /// Share of the customers in `from`, or of all new buyers.
    pub share: f64,
}

/// The moves between two dates, counted customer by customer.
#[derive(Debug, Clone)]
pub(crate) struct MoveCounts {
    /// Customers and revenue by previous and new segment. Row 0 holds new buyers, then the segments follow in order of position.
    cells: Vec<Vec<(u64, i128)>>,
    /// Customers of each segment at the first date, in the rows of the cells.
    previous: Vec<u64>,
    /// Buyers at both dates.
    retained: u64,
}

impl MoveCounts {
    /// No customers yet, of `n` segments.
    pub(crate) fn new(n: usize) -> Self {
        Self { cells: vec![Vec::new(); n + 1], previous: vec![0; n + 1], retained: 0 }
    }

    /// Adds customers. `before` holds their segments by code at the first date; `codes`, `segments` and `units` are the buyers at
    /// the second.
    pub(crate) fn add(&mut self, before: &[u16], codes: &[u32], segments: &[u16], units: &[i128]) {
        let n = self.previous.len() - 1;
        let row = |segment: u16| if segment == NO_SEGMENT { 0 } else { usize::from(segment) + 1 };
        for &segment in before {
            self.previous[row(segment)] += 1;
        }
        for ((&code, &to), &units) in codes.iter().zip(segments).zip(units) {
            let from = row(before.get(code as usize).copied().unwrap_or(NO_SEGMENT));
            let cells = &mut self.cells[from];
            if cells.is_empty() {
                cells.resize(n, (0, 0));
            }
            let cell = &mut cells[usize::from(to)];
            cell.0 += 1;
            cell.1 += units;
            self.retained += u64::from(from > 0);
        }
    }

    /// The moves, those of new buyers first, and the number of buyers at the first date who are not buyers at the second.
    pub(crate) fn finish(mut self) -> (Vec<Move>, u64) {
        let left = self.previous[1..].iter().sum::<u64>() - self.retained;
        self.previous[0] = self.cells[0].iter().map(|cell| cell.0).sum();
        let mut moves = Vec::new();
        for ((from, cells), previous) in self.cells.iter().enumerate().zip(self.previous) {
            for (to, &(customers, units)) in cells.iter().enumerate().filter(|(_, cell)| cell.0 > 0) {
                let from = from.checked_sub(1).map_or(NO_SEGMENT, |from| from as u16);
                moves.push(Move { from, to: to as u16, customers, units, share: customers as f64 / previous as f64 });
            }
        }
        (moves, left)
    }
}

/// Durations of the spells in one segment.
#[derive(Debug, Clone, Default)]
pub(crate) struct SpellDurations {
    /// Distinct customers.
    pub customers: u64,
    /// Ended and open spells; those that are open at the last date are censored there.
    pub lengths: DurationCounts,
}

impl SpellDurations {
    /// Adds the spells of other customers.
    pub(crate) fn add(&mut self, other: &Self) {
        self.customers += other.customers;
        self.lengths.merge(&other.lengths);
    }
}

/// Current segment of each customer, since when, and all segments so far; updated date by date.
#[derive(Debug)]
pub(crate) struct TimeInSegment {
    segments: Vec<SpellDurations>,
    current: Vec<u16>,
    since: Vec<i32>,
    /// Bitmap of visited segments, `words` words per customer.
    visited: Vec<u64>,
    words: usize,
    last: i32,
}

impl TimeInSegment {
    /// An empty tracker of `n` segments.
    pub(crate) fn new(n: usize) -> Self {
        Self {
            segments: vec![SpellDurations::default(); n],
            current: Vec::new(),
            since: Vec::new(),
            visited: Vec::new(),
            words: n.div_ceil(64).max(1),
            last: i32::MIN,
        }
    }

    /// Adds the segments by code at the next date.
    pub(crate) fn observe(&mut self, day: i32, segments: &[u16]) {
        if segments.len() > self.current.len() {
            self.current.resize(segments.len(), NO_SEGMENT);
            self.since.resize(segments.len(), day);
            self.visited.resize(segments.len() * self.words, 0);
        }
        let seen = segments.iter().copied().chain(std::iter::repeat(NO_SEGMENT));
        for (code, (current, now)) in self.current.iter_mut().zip(seen).enumerate() {
            if *current == now {
                continue;
            }
            if *current != NO_SEGMENT {
                self.segments[usize::from(*current)].lengths.add_ended(day - self.since[code], 1);
            }
            if now != NO_SEGMENT {
                self.since[code] = day;
                let (word, bit) = (code * self.words + usize::from(now) / 64, 1 << (now % 64));
                self.segments[usize::from(now)].customers += u64::from(self.visited[word] & bit == 0);
                self.visited[word] |= bit;
            }
            *current = now;
        }
        self.last = day;
    }

    /// The spell durations of each segment; open spells are censored at the last date.
    pub(crate) fn finish(mut self) -> Vec<SpellDurations> {
        for (&current, &since) in self.current.iter().zip(&self.since).filter(|(current, _)| **current != NO_SEGMENT) {
            self.segments[usize::from(current)].lengths.add_open(self.last - since, 1);
        }
        self.segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u16 = NO_SEGMENT;

    #[test]
    fn moves_have_customers_revenue_and_share() {
        // 0 remains in A, 1 moves from A to B, 2 was in B and is not a buyer any more, 3 is new.
        let mut counts = MoveCounts::new(2);
        counts.add(&[0, 0, 1, N], &[0, 1, 3], &[0, 1, 1], &[10, -20, 5]);
        let (moves, left) = counts.finish();
        assert_eq!(left, 1);
        let expected = |from, to, units, share| Move { from, to, customers: 1, units, share };
        assert_eq!(moves, [expected(N, 1, 5, 1.0), expected(0, 0, 10, 0.5), expected(0, 1, -20, 0.5)]);
    }

    #[test]
    fn spells_end_where_the_segment_changes() {
        let mut times = TimeInSegment::new(2);
        times.observe(0, &[0, N, 1]);
        times.observe(10, &[0, 0, 0]);
        times.observe(30, &[1, 0, N]);
        times.observe(60, &[1, 0, 0]);
        let [a, b] = times.finish().try_into().unwrap_or_else(|_| unreachable!());
        // A: customer 0 for 30 days (ended), 1 for 50 (open), 2 for 20 (ended) and 0 (open, from the last date on).
        assert_eq!((a.customers, a.lengths.ended(), a.lengths.open()), (3, 2, 2));
        // S: 1 until 20, 2/3 until 30, 1/3 until 50.
        let (mean, median) = a.lengths.mean_and_median();
        assert_eq!((mean.map(|mean| (mean * 3.0).round()), median), (Some(100.0), Some(30)));
        // B: customer 2 for 10 days (ended), 0 for 30 (open): 1 until 10, then 1/2.
        assert_eq!((b.customers, b.lengths.ended(), b.lengths.open()), (2, 1, 1));
        assert_eq!(b.lengths.mean_and_median(), (Some(20.0), Some(10)));
    }

    #[test]
    fn spells_seen_once_have_no_duration() {
        let mut times = TimeInSegment::new(100);
        times.observe(0, &[N]);
        times.observe(10, &[99]);
        let spells = times.finish();
        assert_eq!((spells[99].lengths.open(), spells[99].lengths.mean_and_median()), (1, (None, None)));
        assert_eq!((spells[0].customers, spells[0].lengths.mean_and_median()), (0, (None, None)));
    }
}
