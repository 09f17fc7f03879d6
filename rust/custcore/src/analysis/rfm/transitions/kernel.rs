//! Kernel of time in segment. Segments are positions in the names of a segment map; customers are codes.

use crate::analysis::moves::NO_SEGMENT;
use crate::analysis::survival::DurationCounts;

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
