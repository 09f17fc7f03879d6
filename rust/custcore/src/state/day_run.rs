//! Runs of day records: pieces of ascending customers, which share their segments with other runs.

use std::ops::Range;
use std::sync::Arc;

use super::day_record::{DayRecord, DaysOfCustomer};
use super::day_segment::DaySegment;
use super::purchase_rows::PurchaseRow;
use super::stats::{CustomerStats, EMPTY};

/// A segment gets no further customers once it has this many records: some hundred KiB, so that the columns of a new segment fit
/// where buffers or older segments were freed, and that a change of few customers leaves most segments as they are.
pub(super) const SEGMENT: usize = 5 << 12;

/// A segment with the number that is added to its customers. So states whose customers follow each other share their segments with
/// the state of all of them.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Added to the numbers of the customers.
    pub base: u32,
    /// The records.
    pub segment: Arc<DaySegment>,
}

/// The records of one customer in a run.
#[derive(Debug, Clone)]
pub(crate) struct Group<'a> {
    /// The code of the customer.
    pub customer: u32,
    /// The segment of its records.
    pub segment: &'a DaySegment,
    /// Their positions in it.
    pub range: Range<usize>,
}

impl Group<'_> {
    /// The records, ascending by day.
    #[inline]
    pub(crate) fn records(&self) -> impl Iterator<Item = DayRecord> + '_ {
        self.range.clone().map(|at| self.segment.get(self.customer, at))
    }

    /// The records up to a day.
    #[inline]
    pub(crate) fn until(&self, day: i32) -> Self {
        let len = partition_point(self.range.len(), |at| self.segment.day(self.range.start + at) <= day);
        Self { range: self.range.start..self.range.start + len, ..*self }
    }

    /// The sum of the records.
    pub(crate) fn sum(&self) -> DaysOfCustomer {
        let mut sum = DaysOfCustomer { customer: self.customer, stats: EMPTY, rows: 0, refund_rows: 0 };
        self.records().for_each(|record| sum.add(&record));
        sum
    }

    /// The same for a segment of purchases of one row each; not without records.
    #[inline]
    pub(crate) fn sum_of_purchases(&self) -> DaysOfCustomer {
        let (orders, units) = self.segment.sums(self.range.clone());
        let (first, last) = (self.segment.day(self.range.start), self.segment.day(self.range.end - 1));
        DaysOfCustomer { customer: self.customer, stats: CustomerStats { units, orders, first, last }, rows: orders, refund_rows: 0 }
    }
}

/// The number of positions below `len` before the first that does not satisfy a condition, which holds up to some position. Most
/// customers have few records, which are fewer steps one by one.
#[inline]
fn partition_point(len: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, len);
    while high - low > 16 {
        let middle = low.midpoint(high);
        if holds(middle) { low = middle + 1 } else { high = middle }
    }
    (low..high).find(|&at| !holds(at)).unwrap_or(high)
}

impl Piece {
    /// The code of the first customer.
    pub(crate) fn first(&self) -> u32 {
        self.base + self.segment.customers().first().copied().unwrap_or(0)
    }

    /// The code of the last customer.
    pub(crate) fn last(&self) -> u32 {
        self.base + self.segment.customers().last().copied().unwrap_or(0)
    }

    /// The records of the customer at a position.
    #[inline]
    pub(crate) fn group(&self, rank: usize) -> Group<'_> {
        Group { customer: self.base + self.segment.customers()[rank], segment: &self.segment, range: self.segment.range(rank) }
    }

    /// The records of all customers.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        (0..self.segment.customers().len()).map(|rank| self.group(rank))
    }

    /// The number of customers before a code.
    pub(super) fn rank(&self, code: u64) -> usize {
        self.segment.customers().partition_point(|&customer| u64::from(self.base) + u64::from(customer) < code)
    }
}

/// Records sorted by customer and day.
#[derive(Debug, Default, Clone)]
pub(crate) struct DayRun {
    /// None is empty, and their customers ascend.
    pieces: Vec<Piece>,
    len: usize,
}

impl PartialEq for DayRun {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.records().eq(other.records())
    }
}

impl DayRun {
    /// A run of pieces whose customers ascend.
    pub(super) fn of(pieces: Vec<Piece>) -> Self {
        let len = pieces.iter().map(|piece| piece.segment.len()).sum();
        Self { pieces, len }
    }

    /// A run of others whose customers follow each other.
    pub(crate) fn concat(runs: impl Iterator<Item = Self>) -> Self {
        Self::of(runs.flat_map(Self::into_pieces).collect())
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The pieces.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    pub(super) fn into_pieces(self) -> Vec<Piece> {
        self.pieces
    }

    /// The records of each customer.
    pub(crate) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.pieces.iter().flat_map(Piece::groups)
    }

    /// The records of the customers from one code to before another.
    pub(super) fn groups_of(&self, codes: Range<u64>) -> impl Iterator<Item = Group<'_>> {
        let first = self.pieces.partition_point(|piece| u64::from(piece.last()) < codes.start);
        let end = codes.end;
        let pieces = self.pieces[first..].iter().take_while(move |piece| u64::from(piece.first()) < end);
        pieces.flat_map(move |piece| (piece.rank(codes.start)..piece.rank(codes.end)).map(|rank| piece.group(rank)))
    }

    /// The records of these customers, whose codes ascend.
    pub(super) fn groups_at<'a>(&'a self, customers: &'a [u32]) -> impl Iterator<Item = Group<'a>> + 'a {
        let mut at = 0;
        customers.iter().filter_map(move |&customer| {
            at += self.pieces[at..].partition_point(|piece| piece.last() < customer);
            let piece = self.pieces.get(at)?;
            let rank = piece.segment.customers().binary_search(&customer.checked_sub(piece.base)?).ok()?;
            Some(piece.group(rank))
        })
    }

    /// The records in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = DayRecord> + '_ {
        self.groups().flat_map(|group| group.range.map(move |at| group.segment.get(group.customer, at)))
    }

    /// The first and the last day of a record; `None` without any.
    pub(crate) fn ends(&self) -> Option<(i32, i32)> {
        let ends = self.pieces.iter().filter_map(|piece| piece.segment.ends_of_days());
        ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Removes the records of these customers, whose codes ascend.
    pub(super) fn remove(&mut self, customers: &[u32]) {
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for piece in self.pieces.drain(..) {
            let from = customers.partition_point(|&customer| customer < piece.first());
            let here = &customers[from..customers.partition_point(|&customer| customer <= piece.last())];
            let held = |customer: u32| piece.segment.customers().binary_search(&(customer - piece.base)).is_ok();
            if !here.iter().any(|&customer| held(customer)) {
                pieces.push(piece);
                continue;
            }
            let mut left = DayRunBuilder::new(piece.segment.len());
            for group in piece.groups().filter(|group| here.binary_search(&group.customer).is_err()) {
                left.append(&group);
            }
            pieces.extend(left.finish().pieces);
        }
        *self = Self::of(pieces);
    }

    /// The largest absolute amount of a record.
    pub(super) fn largest_units(&self) -> u128 {
        self.pieces.iter().map(|piece| piece.segment.largest_units()).max().unwrap_or(0)
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.pieces.capacity() * size_of::<Piece>() + self.pieces.iter().map(|piece| piece.segment.bytes()).sum::<usize>()
    }
}

/// Builds a run of records that are added in order.
#[derive(Debug, Default)]
pub(crate) struct DayRunBuilder {
    pieces: Vec<Piece>,
    current: DaySegment,
    /// Records that will be added, about.
    expected: usize,
}

/// Number of customers of a segment that room is made for.
const CUSTOMERS: usize = SEGMENT / 8;

impl DayRunBuilder {
    /// A run of about so many records.
    pub(crate) fn new(records: usize) -> Self {
        Self { expected: records, ..Self::default() }
    }

    /// Begins a segment where the current one is long enough. To be called before the first record of a customer.
    #[inline]
    fn make_room(&mut self) {
        if self.current.len() >= SEGMENT || self.current.len() == 0 {
            self.begin();
        }
    }

    fn begin(&mut self) {
        self.close();
        let records = self.expected.min(SEGMENT + SEGMENT / 16);
        self.current = DaySegment::with_capacity(records.min(CUSTOMERS), records);
    }

    fn close(&mut self) {
        let mut segment = std::mem::take(&mut self.current);
        if segment.len() > 0 {
            self.expected = self.expected.saturating_sub(segment.len());
            segment.shrink();
            self.pieces.push(Piece { base: 0, segment: Arc::new(segment) });
        }
    }

    /// Whether the last record is of this customer.
    fn is_last(&self, customer: u32) -> bool {
        self.current.customers().last() == Some(&customer)
    }

    /// Appends a record that sorts after all others, or adds it to the last one if customer and day are equal.
    pub(crate) fn push(&mut self, record: &DayRecord) {
        if !self.is_last(record.customer) {
            self.make_room();
        }
        self.current.push(record);
    }

    /// Appends the purchases of a customer after the last one.
    #[inline]
    pub(super) fn add_purchases(&mut self, customer: u32, purchases: &mut [PurchaseRow]) {
        self.make_room();
        self.current.add_purchases(customer, purchases);
    }

    /// Appends the records of a customer after the last one.
    #[inline]
    pub(crate) fn append(&mut self, group: &Group<'_>) {
        self.make_room();
        self.current.append(group.customer, group.segment, group.range.clone());
    }

    /// Appends records of the last customer, or of one after it, which sort after all others and differ from the last one.
    pub(super) fn extend(&mut self, customer: u32, segment: &DaySegment, range: Range<usize>) {
        if !self.is_last(customer) {
            self.make_room();
        }
        self.current.append(customer, segment, range);
    }

    /// Appends a piece after the last customer.
    pub(crate) fn share(&mut self, piece: Piece) {
        self.close();
        self.pieces.push(piece);
    }

    /// Number of customers and the last record.
    pub(crate) fn last(&self) -> Option<DayRecord> {
        let (piece, last);
        let (base, segment) = if self.current.len() > 0 {
            (0, &self.current)
        } else {
            piece = self.pieces.last()?;
            (piece.base, &*piece.segment)
        };
        last = segment.customers().last()?;
        Some(segment.get(base + last, segment.len() - 1))
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.current.bytes() + self.pieces.iter().map(|piece| piece.segment.bytes()).sum::<usize>()
    }

    /// The run.
    pub(crate) fn finish(mut self) -> DayRun {
        self.close();
        DayRun::of(self.pieces)
    }
}
