//! Buffered purchases of one row each, in 12 bytes, and their sort by customer.

use super::stats::{FIRST_DAY, LAST_DAY};

/// Day and amount of a purchase. The day is in the high bits, so that purchases are sorted by day as numbers.
pub(crate) type PurchaseRow = u64;

const UNITS_BITS: u32 = 48;
/// Amounts from this on, and days outside the 16-bit encoding, are not buffered here.
const MOST_UNITS: i128 = 1 << UNITS_BITS;

/// A purchase as a row; `None` if it does not fit. Refunds do not.
#[inline]
pub(crate) fn purchase_row(day: i32, units: i128) -> Option<PurchaseRow> {
    let fits = (0..MOST_UNITS).contains(&units) && (FIRST_DAY..=LAST_DAY).contains(&day);
    fits.then(|| row_of(day, units as i64))
}

/// Whether rows of these days, first and last, and non-negative amounts of this sum fit.
pub(super) fn rows_fit((first, last): (i32, i32), sum: u64) -> bool {
    first >= FIRST_DAY && last <= LAST_DAY && sum < 1 << UNITS_BITS
}

/// A row that fits.
#[inline]
pub(super) fn row_of(day: i32, units: i64) -> PurchaseRow {
    ((day - FIRST_DAY) as u64) << UNITS_BITS | units as u64
}

/// The day as offset from the first day of the 16-bit encoding.
#[inline]
pub(super) fn day_of(row: PurchaseRow) -> u16 {
    (row >> UNITS_BITS) as u16
}

/// The amount.
#[inline]
pub(super) fn units_of(row: PurchaseRow) -> i64 {
    (row & ((1 << UNITS_BITS) - 1)) as i64
}

/// Buffered purchases with their customers. They are in chunks, so that a growing buffer neither moves nor holds room that is not
/// needed: at level days it is most of the memory of an update.
#[derive(Debug, Default, Clone)]
pub(super) struct PurchaseRows {
    full: Vec<Chunk>,
    last: Chunk,
    len: usize,
}

#[derive(Debug, Default, Clone)]
struct Chunk {
    customers: Vec<u32>,
    rows: Vec<PurchaseRow>,
}

/// Maximum number of rows of a chunk.
const CHUNK: usize = 1 << 13;
/// Codes are sorted by one counting sort if there are at most this many for each row.
const CODES_PER_ROW: usize = 8;
/// Or so few in all.
const FEW_CODES: usize = 1 << 12;
/// Rows that are read for an estimate, about.
const SAMPLE: usize = 1 << 11;
/// Bits of a digit of the radix sort.
const DIGIT_BITS: u32 = 11;

impl PurchaseRows {
    #[inline]
    pub(super) fn push(&mut self, customer: u32, row: PurchaseRow) {
        self.make_room(1);
        self.last.customers.push(customer);
        self.last.rows.push(row);
        self.len += 1;
    }

    /// Adds as many rows as customers, at most a block.
    pub(super) fn extend(&mut self, customers: &[u32], rows: impl Iterator<Item = PurchaseRow>) {
        self.make_room(customers.len());
        self.last.customers.extend_from_slice(customers);
        self.last.rows.extend(rows);
        self.len += customers.len();
    }

    /// Begins a chunk if so many rows do not fit the last one.
    #[inline]
    fn make_room(&mut self, rows: usize) {
        if self.last.rows.len() + rows > CHUNK {
            let next = Chunk { customers: Vec::with_capacity(CHUNK), rows: Vec::with_capacity(CHUNK) };
            self.full.push(std::mem::replace(&mut self.last, next));
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> usize {
        self.chunks().map(|chunk| 4 * chunk.customers.capacity() + 8 * chunk.rows.capacity()).sum()
    }

    fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        self.full.iter().chain([&self.last])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, PurchaseRow)> + '_ {
        self.chunks().flat_map(|chunk| chunk.customers.iter().copied().zip(chunk.rows.iter().copied()))
    }

    /// An estimate of the number of days of all customers, from those of some customers.
    pub(super) fn estimate_distinct(&self) -> f64 {
        let every = (self.len() / SAMPLE).max(1) as u32;
        let sample = self.iter().filter(|(customer, _)| customer.is_multiple_of(every));
        let mut sample: Vec<(u32, u16)> = sample.map(|(customer, row)| (customer, day_of(row))).collect();
        let rows = sample.len();
        sample.sort_unstable();
        sample.dedup();
        if rows == 0 { self.len() as f64 } else { self.len() as f64 * sample.len() as f64 / rows as f64 }
    }

    /// Keeps the rows of some customers.
    pub(super) fn retain(&mut self, is_kept: impl Fn(u32) -> bool) {
        let mut kept = Self::default();
        self.iter().filter(|(customer, _)| is_kept(*customer)).for_each(|(customer, row)| kept.push(customer, row));
        *self = kept;
    }

    /// Calls `each` with the rows of each customer, ascending by customer, in their order.
    pub(super) fn by_customer(self, mut each: impl FnMut(u32, &mut [PurchaseRow])) {
        let len = self.len;
        let Some(last) = self.chunks().filter_map(|chunk| chunk.customers.iter().max()).max().copied() else { return };
        let chunks = self.full.into_iter().chain([self.last]);
        if last as usize >= FEW_CODES.max(CODES_PER_ROW * len) {
            let (mut customers, mut rows) = (Vec::with_capacity(len), Vec::with_capacity(len));
            for chunk in chunks {
                customers.extend(chunk.customers);
                rows.extend(chunk.rows);
            }
            let (customers, mut rows) = radix_sort(customers, rows, last);
            let mut start = 0;
            for same in customers.chunk_by(|a, b| a == b) {
                each(same[0], &mut rows[start..start + same.len()]);
                start += same.len();
            }
            return;
        }
        let chunks: Vec<Chunk> = chunks.collect();
        let mut next = starts(chunks.iter().flat_map(|chunk| &chunk.customers), last as usize + 1, |&customer| customer as usize);
        let mut sorted = vec![0; len];
        for Chunk { customers, rows } in chunks {
            for (&customer, row) in customers.iter().zip(rows) {
                let next = &mut next[customer as usize];
                sorted[*next as usize] = row;
                *next += 1;
            }
        }
        let mut start = 0;
        for (customer, end) in (0..).zip(next) {
            if end > start {
                each(customer, &mut sorted[start as usize..end as usize]);
                start = end;
            }
        }
    }
}

/// Where the values of each digit begin.
fn starts<'a>(values: impl IntoIterator<Item = &'a u32>, digits: usize, digit: impl Fn(&u32) -> usize) -> Vec<u32> {
    let mut starts = vec![0_u32; digits];
    values.into_iter().for_each(|value| starts[digit(value)] += 1);
    let mut sum = 0;
    for start in &mut starts {
        sum += std::mem::replace(start, sum);
    }
    starts
}

/// Sorts by customer, in passes of a digit each; keeps the order of the rows of a customer.
fn radix_sort(mut customers: Vec<u32>, mut rows: Vec<PurchaseRow>, last: u32) -> (Vec<u32>, Vec<PurchaseRow>) {
    let (mut to_customers, mut to_rows) = (vec![0; rows.len()], vec![0; rows.len()]);
    let bits = u32::BITS - last.leading_zeros();
    for shift in (0..bits).step_by(DIGIT_BITS as usize) {
        let digit = |customer: &u32| (customer >> shift) as usize % (1 << DIGIT_BITS);
        let mut next = starts(&customers, 1 << DIGIT_BITS, digit);
        for (&customer, &row) in customers.iter().zip(&rows) {
            let next = &mut next[digit(&customer)];
            (to_customers[*next as usize], to_rows[*next as usize]) = (customer, row);
            *next += 1;
        }
        std::mem::swap(&mut customers, &mut to_customers);
        std::mem::swap(&mut rows, &mut to_rows);
    }
    (customers, rows)
}
