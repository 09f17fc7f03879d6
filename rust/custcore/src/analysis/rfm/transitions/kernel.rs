//! Who went from which segment to which, and how long customers stay. Segments are positions in the names of a map; the
//! kernel sees customers by their codes.

use std::collections::BTreeMap;

/// The segment of who is no buyer.
pub(crate) const NOWHERE: u16 = u16::MAX;

/// The segments by code that rows of `(code, segment)` tell, for codes below `customers`.
pub(crate) fn by_code(codes: &[u32], segments: &[u16], customers: usize) -> Vec<u16> {
    let mut all = vec![NOWHERE; customers];
    for (&code, &segment) in codes.iter().zip(segments) {
        all[code as usize] = segment;
    }
    all
}

/// Customers who went from one segment to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Move {
    /// Where they were, [`NOWHERE`] for those who were no buyers yet.
    pub from: u16,
    /// Where they are.
    pub to: u16,
    /// How many.
    pub customers: u64,
    /// Their money, in units.
    pub units: i128,
    /// Their part of all who were in `from`, or of all who are new.
    pub share: f64,
}

/// The moves between two dates, and how many were buyers at the first and are none at the second. `before` are segments by
/// code at the first; `codes`, `segments` and `units` tell who is where at the second. New customers come first, then
/// the segments in the order of their positions; there are `n` of them.
pub(crate) fn moves(before: &[u16], codes: &[u32], segments: &[u16], units: &[i128], n: usize) -> (Vec<Move>, u64) {
    // Row 0 are the new ones.
    let mut cells: Vec<Vec<(u64, i128)>> = vec![Vec::new(); n + 1];
    let mut were = vec![0_u64; n + 1];
    let row = |segment: u16| if segment == NOWHERE { 0 } else { usize::from(segment) + 1 };
    for &segment in before {
        were[row(segment)] += 1;
    }
    let mut stayed = 0;
    for ((&code, &to), &units) in codes.iter().zip(segments).zip(units) {
        let from = row(before.get(code as usize).copied().unwrap_or(NOWHERE));
        let cells = &mut cells[from];
        if cells.is_empty() {
            cells.resize(n, (0, 0));
        }
        let cell = &mut cells[usize::from(to)];
        cell.0 += 1;
        cell.1 += units;
        stayed += u64::from(from > 0);
    }
    let left = were[1..].iter().sum::<u64>() - stayed;
    were[0] = cells[0].iter().map(|cell| cell.0).sum();
    let mut moves = Vec::new();
    for ((from, cells), were) in cells.iter().enumerate().zip(were) {
        for (to, &(customers, units)) in cells.iter().enumerate().filter(|(_, cell)| cell.0 > 0) {
            let from = from.checked_sub(1).map_or(NOWHERE, |from| from as u16);
            moves.push(Move { from, to: to as u16, customers, units, share: customers as f64 / were as f64 });
        }
    }
    (moves, left)
}

/// The spells of one segment by their length in days: how many ended, and how many are still open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spells {
    /// Distinct customers.
    pub customers: u64,
    lengths: BTreeMap<i32, (u64, u64)>,
}

impl Spells {
    /// How many were seen to end.
    pub(crate) fn ended(&self) -> u64 {
        self.lengths.values().map(|length| length.0).sum()
    }

    /// How many were open at the last date.
    pub(crate) fn open(&self) -> u64 {
        self.lengths.values().map(|length| length.1).sum()
    }

    /// Mean and median of the Kaplan-Meier curve S of lengths, open spells being censored. The mean is restricted to the
    /// longest spell, ended or open: the area below S up to there; none where no spell lasted from one date to another.
    /// The median is the shortest length at which S is at most 1/2; none where S stays above.
    pub(crate) fn mean_and_median(&self) -> (Option<f64>, Option<i32>) {
        let mut at_risk = self.ended() + self.open();
        // Between two lengths at which spells were cut off, S is `scale * at_risk / start`: what is counted is rounded only there.
        let (mut scale, mut start, mut area) = (1.0, at_risk, 0);
        let (mut mean, mut before, mut median) = (0.0, 0, None);
        for (&length, &(ended, open)) in &self.lengths {
            area += u128::from(at_risk) * u128::from(length.abs_diff(before));
            before = length;
            at_risk -= ended;
            let survival = scale * at_risk as f64 / start as f64;
            // A product of rounded quotients may pass 1/2 by some last bits where its exact value is 1/2.
            if median.is_none() && survival <= 0.5 + 1e-12 {
                median = Some(length);
            }
            at_risk -= open;
            if open > 0 || at_risk == 0 {
                mean += scale * area as f64 / start as f64;
                (scale, start, area) = (survival, at_risk, 0);
            }
        }
        ((before > 0).then_some(mean), median)
    }
}

/// Where each customer is, since when, and where he ever was; read date after date.
#[derive(Debug)]
pub(crate) struct Stays {
    segments: Vec<Spells>,
    current: Vec<u16>,
    since: Vec<i32>,
    /// A bit for each segment, `words` words a customer.
    ever: Vec<u64>,
    words: usize,
    last: i32,
}

impl Stays {
    /// Nobody yet, in `n` segments.
    pub(crate) fn new(n: usize) -> Self {
        Self {
            segments: vec![Spells::default(); n],
            current: Vec::new(),
            since: Vec::new(),
            ever: Vec::new(),
            words: n.div_ceil(64).max(1),
            last: i32::MIN,
        }
    }

    /// The segments by code at the next date.
    pub(crate) fn see(&mut self, day: i32, segments: &[u16]) {
        if segments.len() > self.current.len() {
            self.current.resize(segments.len(), NOWHERE);
            self.since.resize(segments.len(), day);
            self.ever.resize(segments.len() * self.words, 0);
        }
        let seen = segments.iter().copied().chain(std::iter::repeat(NOWHERE));
        for (code, (current, now)) in self.current.iter_mut().zip(seen).enumerate() {
            if *current == now {
                continue;
            }
            if *current != NOWHERE {
                self.segments[usize::from(*current)].lengths.entry(day - self.since[code]).or_default().0 += 1;
            }
            if now != NOWHERE {
                self.since[code] = day;
                let (word, bit) = (code * self.words + usize::from(now) / 64, 1 << (now % 64));
                self.segments[usize::from(now)].customers += u64::from(self.ever[word] & bit == 0);
                self.ever[word] |= bit;
            }
            *current = now;
        }
        self.last = day;
    }

    /// The spells of each segment; those that are open are cut off at the last date.
    pub(crate) fn finish(mut self) -> Vec<Spells> {
        for (&current, &since) in self.current.iter().zip(&self.since).filter(|(current, _)| **current != NOWHERE) {
            self.segments[usize::from(current)].lengths.entry(self.last - since).or_default().1 += 1;
        }
        self.segments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u16 = NOWHERE;

    #[test]
    fn moves_are_counted_with_their_money_and_share() {
        // 0 stays in A, 1 goes from A to B, 2 was in B and is no buyer any more, 3 is new.
        let (moves, left) = moves(&[0, 0, 1, N], &[0, 1, 3], &[0, 1, 1], &[10, -20, 5], 2);
        assert_eq!(left, 1);
        let expected = |from, to, units, share| Move { from, to, customers: 1, units, share };
        assert_eq!(moves, [expected(N, 1, 5, 1.0), expected(0, 0, 10, 0.5), expected(0, 1, -20, 0.5)]);
    }

    #[test]
    fn spells_end_where_the_segment_changes() {
        let mut stays = Stays::new(2);
        stays.see(0, &[0, N, 1]);
        stays.see(10, &[0, 0, 0]);
        stays.see(30, &[1, 0, N]);
        stays.see(60, &[1, 0, 0]);
        let [a, b] = stays.finish().try_into().unwrap_or_else(|_| unreachable!());
        // A: customer 0 for 30 days (ended), 1 for 50 (open), 2 for 20 (ended) and 0 (open, from the last date on).
        assert_eq!((a.customers, a.ended(), a.open()), (3, 2, 2));
        // S: 1 until 20, 2/3 until 30, 1/3 until 50.
        let (mean, median) = a.mean_and_median();
        assert_eq!((mean.map(|mean| (mean * 3.0).round()), median), (Some(100.0), Some(30)));
        // B: customer 2 for 10 days (ended), 0 for 30 (open): 1 until 10, then 1/2.
        assert_eq!((b.customers, b.ended(), b.open()), (2, 1, 1));
        assert_eq!(b.mean_and_median(), (Some(20.0), Some(10)));
    }

    #[test]
    fn what_was_not_seen_to_last_has_no_length() {
        let mut stays = Stays::new(100);
        stays.see(0, &[N]);
        stays.see(10, &[99]);
        let spells = stays.finish();
        assert_eq!((spells[99].open(), spells[99].mean_and_median()), (1, (None, None)));
        assert_eq!((spells[0].customers, spells[0].mean_and_median()), (0, (None, None)));
    }
}
