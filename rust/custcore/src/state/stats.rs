//! Customer stats: 16 bytes per customer (narrow layout) while a bound proves that no field overflows, else 32 bytes (wide).
//!
//! The narrow layout has 64-bit units, 32-bit counts and days from 1900 to 2079. Before a block of rows is added, the absolute
//! amounts and the days of the block are checked. If a sum could exceed 64 bits, or a day is out of range, all entries are
//! widened, and stay wide. Both layouts hold the same numbers, so results do not depend on the layout.

use super::block_kernels::{UnitValue, changes, ends, runs_ascend};
use crate::column::BLOCK;
use crate::exec::par::Threads;
use crate::exec::simd::prefetch;
use crate::group::interner::NO_CODE;

/// The stats of one customer. `first` and `last` are valid only if `orders > 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct CustomerStats {
    /// Amount in units, net of refunds.
    pub units: i128,
    /// Purchases.
    pub orders: u64,
    /// Day of the first purchase.
    pub first: i32,
    /// Day of the last purchase.
    pub last: i32,
}

/// The stats of a customer without orders.
pub(crate) const EMPTY: CustomerStats = CustomerStats { units: 0, orders: 0, first: i32::MAX, last: i32::MIN };

impl CustomerStats {
    /// Adds other stats of the same customer.
    #[inline]
    pub fn join(&mut self, other: &Self) {
        self.units += other.units;
        self.orders += other.orders;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// An entry in 16 bytes. Days are offsets from [`FIRST_DAY`].
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
struct NarrowStats {
    units: i64,
    orders: u32,
    first: u16,
    last: u16,
}

const NOTHING: NarrowStats = NarrowStats { units: 0, orders: 0, first: u16::MAX, last: 0 };
/// 1900-01-01, the first day of the 16-bit encoding, here and in the packed purchase log.
pub(crate) const FIRST_DAY: i32 = -25_567;
/// 2079-06-05, the last day of the 16-bit encoding. The next 16-bit value is not a day.
pub(crate) const LAST_DAY: i32 = FIRST_DAY + u16::MAX as i32 - 1;

impl NarrowStats {
    fn widen(self) -> CustomerStats {
        if self.orders == 0 {
            return CustomerStats { units: i128::from(self.units), ..EMPTY };
        }
        let day = |day: u16| FIRST_DAY + i32::from(day);
        CustomerStats { units: i128::from(self.units), orders: u64::from(self.orders), first: day(self.first), last: day(self.last) }
    }

    /// Adds purchases. The caller has proven that the sums fit.
    #[inline]
    fn add(&mut self, units: i64, orders: u32, first: u16, last: u16) {
        self.units = self.units.wrapping_add(units);
        self.orders = self.orders.wrapping_add(orders);
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }
}

/// Adds a block of purchases: runs of equal codes with ascending days. The ends of the runs are found without a branch,
/// and the amount of a run is the difference of two prefix sums, so the cost does not depend on the length of the runs.
fn add_runs<U: UnitValue>(entries: &mut [NarrowStats], codes: &[u32], days: &[i32], units: &[U]) {
    let (mut ends, mut sums, mut runs, mut sum) = ([0_u32; BLOCK], [0_i64; BLOCK], 0, 0_i64);
    let last = codes.len().saturating_sub(1);
    for (row, &units) in units.iter().enumerate().take(codes.len()) {
        sum = sum.wrapping_add(units.narrow());
        ends[runs] = row as u32;
        sums[runs] = sum;
        runs += usize::from(row == last || codes[row] != codes[row + 1]);
    }
    let (mut start, mut before) = (0, 0);
    for (&end, &sum) in ends[..runs].iter().zip(&sums) {
        let end = end as usize;
        let day = |row: usize| (days[row] - FIRST_DAY) as u16;
        entries[codes[start] as usize].add(sum.wrapping_sub(before), (end + 1 - start) as u32, day(start), day(end));
        (start, before) = (end + 1, sum);
    }
}

/// Prefetch distance in rows.
const AHEAD: usize = 24;

#[derive(Debug, Clone)]
enum Form {
    Narrow(Vec<NarrowStats>),
    Wide(Vec<CustomerStats>),
}

impl Form {
    fn narrow(&self) -> Option<&[NarrowStats]> {
        if let Self::Narrow(entries) = self { Some(entries) } else { None }
    }
}

/// The entries of the positions below `len`; each part begins at its start. Parallel if there are many.
fn end_to_end<P: Copy + Sync, T: Send>(
    parts: &[(P, usize)],
    len: usize,
    threads: Threads<'_>,
    get: impl Fn(P, usize) -> T + Sync + Send,
) -> Vec<T> {
    let at = |part: &mut usize, i: usize| {
        while parts.get(*part + 1).is_some_and(|(_, start)| *start <= i) {
            *part += 1;
        }
        let (entries, start) = parts[*part];
        get(entries, i - start)
    };
    threads.par_map_with(len, || 0, at)
}

/// The (row, code) pairs of a range of rows.
fn of_rows(sources: &[(u32, u32)], first: usize, rows: usize) -> &[(u32, u32)] {
    let start = sources.partition_point(|(row, _)| (*row as usize) < first);
    &sources[start..start + sources[start..].partition_point(|(row, _)| (*row as usize) < first + rows)]
}

/// Customer stats by code.
#[derive(Debug, Clone)]
pub(crate) struct CustomerStatsTable {
    form: Form,
    /// Upper bound of every sum of units.
    size: u64,
    /// Upper bound of every count of orders.
    orders: u64,
}

impl Default for CustomerStatsTable {
    fn default() -> Self {
        Self { form: Form::Narrow(Vec::new()), size: 0, orders: 0 }
    }
}

impl CustomerStatsTable {
    /// Number of codes.
    pub(crate) fn len(&self) -> usize {
        match &self.form {
            Form::Narrow(entries) => entries.len(),
            Form::Wide(entries) => entries.len(),
        }
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.form {
            Form::Narrow(entries) => entries.capacity() * size_of::<NarrowStats>(),
            Form::Wide(entries) => entries.capacity() * size_of::<CustomerStats>(),
        }
    }

    /// Grows to `customers` codes.
    pub(crate) fn grow(&mut self, customers: usize) {
        if customers > self.len() {
            match &mut self.form {
                Form::Narrow(entries) => entries.resize(customers, NOTHING),
                Form::Wide(entries) => entries.resize(customers, EMPTY),
            }
        }
    }

    /// Whether all units of money fit 64 bits.
    pub(crate) fn is_narrow(&self) -> bool {
        matches!(self.form, Form::Narrow(_))
    }

    /// The stats of a customer; [`EMPTY`] beyond the last code.
    #[inline]
    pub(crate) fn get(&self, code: u32) -> CustomerStats {
        match &self.form {
            Form::Narrow(entries) => entries.get(code as usize).map_or(EMPTY, |entry| entry.widen()),
            Form::Wide(entries) => entries.get(code as usize).copied().unwrap_or(EMPTY),
        }
    }

    /// Number of customers with a purchase.
    pub(crate) fn buyers(&self) -> usize {
        match &self.form {
            Form::Narrow(entries) => entries.iter().filter(|entry| entry.orders > 0).count(),
            Form::Wide(entries) => entries.iter().filter(|entry| entry.orders > 0).count(),
        }
    }

    /// An upper bound of the absolute amount of every customer: the largest one, unless all fit 64 bits.
    pub(crate) fn largest_units(&self) -> u128 {
        match &self.form {
            Form::Narrow(_) => u128::from(u64::MAX),
            Form::Wide(entries) => entries.iter().map(|entry| entry.units.unsigned_abs()).max().unwrap_or(0),
        }
    }

    /// The first and the last day of all purchases.
    pub(crate) fn days(&self, threads: Threads<'_>) -> Option<(i32, i32)> {
        let runs = threads.par_chunks(self.len(), |run| {
            let mut ends: Option<(i32, i32)> = None;
            for entry in run.map(|code| self.get(code as u32)).filter(|entry| entry.orders > 0) {
                ends = Some(ends.map_or((entry.first, entry.last), |(first, last)| (first.min(entry.first), last.max(entry.last))));
            }
            ends
        });
        runs.into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The number of purchases of a customer.
    #[inline]
    pub(crate) fn orders(&self, code: u32) -> u64 {
        match &self.form {
            Form::Narrow(entries) => u64::from(entries[code as usize].orders),
            Form::Wide(entries) => entries[code as usize].orders,
        }
    }

    /// Adds `more` to the stats of a customer.
    #[inline]
    pub(crate) fn join(&mut self, code: u32, more: &CustomerStats) {
        let size = u64::try_from(more.units.unsigned_abs()).unwrap_or(u64::MAX);
        let days = if more.orders > 0 { (more.first, more.last) } else { (FIRST_DAY, FIRST_DAY) };
        self.make_room(size, more.orders, days);
        match &mut self.form {
            Form::Narrow(entries) => {
                let entry = &mut entries[code as usize];
                if more.orders > 0 {
                    entry.add(more.units as i64, more.orders as u32, (more.first - FIRST_DAY) as u16, (more.last - FIRST_DAY) as u16);
                } else {
                    entry.units = entry.units.wrapping_add(more.units as i64);
                }
            }
            Form::Wide(entries) => entries[code as usize].join(more),
        }
    }

    /// Empties an entry.
    pub(crate) fn clear(&mut self, code: u32) {
        match &mut self.form {
            Form::Narrow(entries) => entries.get_mut(code as usize).into_iter().for_each(|entry| *entry = NOTHING),
            Form::Wide(entries) => entries.get_mut(code as usize).into_iter().for_each(|entry| *entry = EMPTY),
        }
    }

    /// Adds all entries of another table of the same codes.
    pub(crate) fn join_all(&mut self, other: &Self, threads: Threads<'_>) {
        self.grow(other.len());
        if let (Form::Narrow(_), Form::Narrow(from)) = (&self.form, &other.form) {
            self.make_room(other.size, other.orders, (FIRST_DAY, FIRST_DAY));
            if let Form::Narrow(entries) = &mut self.form {
                threads.par_fill(&mut entries[..from.len()], |first, entries| {
                    entries
                        .iter_mut()
                        .zip(&from[first..])
                        .for_each(|(entry, from)| entry.add(from.units, from.orders, from.first, from.last));
                });
                return;
            }
        }
        for code in 0..other.len() as u32 {
            self.join(code, &other.get(code));
        }
    }

    /// The sums of the entries of several parts, as `rows` rows. The codes of each part are given as (row, code), ascending by row.
    pub(crate) fn gather(parts: &[(&Self, &[(u32, u32)])], rows: usize, threads: Threads<'_>) -> Self {
        let mut whole = Self::default();
        for (part, _) in parts {
            whole.make_room(part.size, part.orders, (FIRST_DAY, FIRST_DAY));
            if matches!(part.form, Form::Wide(_)) {
                whole.widen();
            }
        }
        whole.grow(rows);
        match &mut whole.form {
            Form::Narrow(entries) => threads.par_fill(entries, |first, entries| {
                for (part, sources) in parts {
                    let Form::Narrow(from) = &part.form else { continue };
                    let sources = of_rows(sources, first, entries.len());
                    for (i, &(row, code)) in sources.iter().enumerate() {
                        if let Some(&(_, ahead)) = sources.get(i + AHEAD) {
                            prefetch(from, ahead as usize);
                        }
                        let NarrowStats { units, orders, first: from, last } = from.get(code as usize).copied().unwrap_or(NOTHING);
                        entries[row as usize - first].add(units, orders, from, last);
                    }
                }
            }),
            Form::Wide(entries) => threads.par_fill(entries, |first, entries| {
                for (part, sources) in parts {
                    for &(row, code) in of_rows(sources, first, entries.len()) {
                        entries[row as usize - first].join(&part.get(code));
                    }
                }
            }),
        }
        whole
    }

    /// Adds a block of purchases of one row each. Rows of code [`NO_CODE`] are skipped; `holes` is set if there are any.
    #[inline]
    pub(crate) fn add_block<U: UnitValue>(&mut self, codes: &[u32], days: &[i32], units: &[U], holes: bool) {
        self.make_room(U::size(units), codes.len() as u64, ends(days));
        let entries = match &mut self.form {
            Form::Narrow(entries) => entries,
            Form::Wide(entries) => {
                for (i, ((&code, &day), &units)) in codes.iter().zip(days).zip(units).enumerate() {
                    if let Some(&ahead) = codes.get(i + AHEAD) {
                        prefetch(entries, ahead as usize);
                    }
                    if code != NO_CODE {
                        entries[code as usize].join(&CustomerStats { units: units.into(), orders: 1, first: day, last: day });
                    }
                }
                return;
            }
        };
        let day = |day: i32| (day - FIRST_DAY) as u16;
        if changes(codes) as usize * 2 < codes.len() {
            // Rows are clustered by customer: each run is summed up before its entry is accessed.
            if !holes && codes.len() <= BLOCK && runs_ascend(codes, days) {
                add_runs(entries, codes, days, units);
                return;
            }
            let mut start = 0;
            while start < codes.len() {
                let code = codes[start];
                let (first, mut end) = (days[start], start + 1);
                let (mut low, mut high, mut sum) = (first, first, units[start].narrow());
                while end < codes.len() && codes[end] == code {
                    low = low.min(days[end]);
                    high = high.max(days[end]);
                    sum = sum.wrapping_add(units[end].narrow());
                    end += 1;
                }
                if code != NO_CODE {
                    entries[code as usize].add(sum, (end - start) as u32, day(low), day(high));
                }
                start = end;
            }
        } else {
            for (i, ((&code, &at), &units)) in codes.iter().zip(days).zip(units).enumerate() {
                if let Some(&ahead) = codes.get(i + AHEAD) {
                    prefetch(entries, ahead as usize);
                }
                if holes && code == NO_CODE {
                    continue;
                }
                entries[code as usize].add(units.narrow(), 1, day(at), day(at));
            }
        }
    }

    /// The entries of several parts, each from its start position on; `len` in total.
    pub(crate) fn concat(parts: &[(&Self, usize)], len: usize, threads: Threads<'_>) -> Self {
        let mut whole = Self::default();
        for (part, _) in parts {
            whole.make_room(part.size, part.orders, (FIRST_DAY, FIRST_DAY));
        }
        let narrow: Option<Vec<(&[NarrowStats], usize)>> = parts.iter().map(|(part, start)| Some((part.form.narrow()?, *start))).collect();
        whole.form = match (&whole.form, narrow) {
            (Form::Narrow(_), Some(parts)) => {
                Form::Narrow(end_to_end(&parts, len, threads, |entries, i| entries.get(i).copied().unwrap_or(NOTHING)))
            }
            _ => Form::Wide(end_to_end(parts, len, threads, |entries, i| if i < entries.len() { entries.get(i as u32) } else { EMPTY })),
        };
        whole
    }

    /// Prefetches the cache line of a customer.
    #[inline]
    pub(crate) fn prefetch(&self, code: u32) {
        match &self.form {
            Form::Narrow(entries) => prefetch(entries, code as usize),
            Form::Wide(entries) => prefetch(entries, code as usize),
        }
    }

    /// Raises the bounds by what is about to be added, and widens the table if narrow entries might overflow.
    #[inline]
    fn make_room(&mut self, size: u64, orders: u64, (low, high): (i32, i32)) {
        self.size = self.size.saturating_add(size);
        self.orders = self.orders.saturating_add(orders);
        let fits = i64::try_from(self.size).is_ok() && u32::try_from(self.orders).is_ok() && low >= FIRST_DAY && high <= LAST_DAY;
        if !fits {
            self.widen();
        }
    }

    #[cold]
    fn widen(&mut self) {
        if let Form::Narrow(entries) = &self.form {
            self.form = Form::Wide(entries.iter().map(|entry| entry.widen()).collect());
        }
    }
}

#[cfg(test)]
#[path = "stats_tests.rs"]
mod tests;
