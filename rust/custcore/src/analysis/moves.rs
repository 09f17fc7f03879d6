//! Moves of customers between segments or stages from one date to the next. Segments are positions in a list of names; customers
//! are codes.

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

    /// Adds a customer who was in `from`, or not a buyer, at the first date and is in `to`, or not a buyer any more, at the second.
    #[inline]
    pub(crate) fn add_one(&mut self, from: u16, to: u16, units: i128) {
        let n = self.previous.len() - 1;
        let from = row(from);
        self.previous[from] += 1;
        if to != NO_SEGMENT {
            self.count(n, from, to, units);
        }
    }

    fn count(&mut self, n: usize, from: usize, to: u16, units: i128) {
        let cells = &mut self.cells[from];
        if cells.is_empty() {
            cells.resize(n, (0, 0));
        }
        let cell = &mut cells[usize::from(to)];
        cell.0 += 1;
        cell.1 += units;
        self.retained += u64::from(from > 0);
    }

    /// Adds other customers between the same dates.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (own, more) in self.cells.iter_mut().zip(&other.cells) {
            if own.is_empty() {
                own.clone_from(more);
            } else {
                own.iter_mut().zip(more).for_each(|(own, more)| *own = (own.0 + more.0, own.1 + more.1));
            }
        }
        self.previous.iter_mut().zip(&other.previous).for_each(|(own, more)| *own += more);
        self.retained += other.retained;
    }

    /// Adds customers. `before` holds their segments by code at the first date; `codes`, `segments` and `units` are the buyers at
    /// the second.
    pub(crate) fn add(&mut self, before: &[u16], codes: &[u32], segments: &[u16], units: &[i128]) {
        let n = self.previous.len() - 1;
        for &segment in before {
            self.previous[row(segment)] += 1;
        }
        for ((&code, &to), &units) in codes.iter().zip(segments).zip(units) {
            self.count(n, row(before.get(code as usize).copied().unwrap_or(NO_SEGMENT)), to, units);
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

/// The row of the cells of a segment at the first date.
#[inline]
fn row(segment: u16) -> usize {
    if segment == NO_SEGMENT { 0 } else { usize::from(segment) + 1 }
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
    fn customers_one_by_one_and_in_parts_are_the_same_moves() {
        let mut whole = MoveCounts::new(2);
        whole.add(&[0, 0, 1, N, N], &[0, 1, 3], &[0, 1, 1], &[10, -20, 5]);
        let (mut left, mut right) = (MoveCounts::new(2), MoveCounts::new(2));
        left.add_one(0, 0, 10);
        left.add_one(0, 1, -20);
        right.add_one(1, N, 7);
        right.add_one(N, 1, 5);
        right.add_one(N, N, 0);
        left.merge(&right);
        assert_eq!(left.finish(), whole.finish());
    }
}
