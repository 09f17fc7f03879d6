//! What is kept of each customer: 16 bytes while a bound on all that was added proves that they suffice, 32 bytes otherwise.
//!
//! The narrow form holds 64-bit units, 32-bit counts and days of 1900 to 2079. Before a block of rows is added, the sizes of
//! its amounts and its days are looked at; when a sum could leave 64 bits, or a day lies outside, all slots are made wide
//! once and for all. Both forms hold the same numbers, so the form never shows in a result.

use crate::column::BLOCK;
use crate::exec::par::Threads;
use crate::exec::simd::{prefetch, widest};
use crate::group::interner::NO_CODE;

/// What is known of one customer. First and last hold a day only once there was a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct CustomerStats {
    /// Units of money, refunds netted.
    pub units: i128,
    /// Purchases.
    pub orders: u64,
    /// Day of the first purchase.
    pub first: i32,
    /// Day of the last purchase.
    pub last: i32,
}

/// A customer of whom nothing is known.
pub(crate) const EMPTY: CustomerStats = CustomerStats { units: 0, orders: 0, first: i32::MAX, last: i32::MIN };

impl CustomerStats {
    /// Adds what else is known of this customer.
    #[inline]
    pub fn join(&mut self, other: &Self) {
        self.units += other.units;
        self.orders += other.orders;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// A slot in 16 bytes; days are counted from [`FIRST_DAY`].
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
struct NarrowStats {
    units: i64,
    orders: u32,
    first: u16,
    last: u16,
}

const NOTHING: NarrowStats = NarrowStats { units: 0, orders: 0, first: u16::MAX, last: 0 };
/// 1900-01-01, the first day that 16 bits tell, here and in all that is packed.
pub(crate) const FIRST_DAY: i32 = -25_567;
/// 2079-06-05, the last one; what comes after it in 16 bits is no day.
pub(crate) const LAST_DAY: i32 = FIRST_DAY + u16::MAX as i32 - 1;

impl NarrowStats {
    fn widen(self) -> CustomerStats {
        if self.orders == 0 {
            return CustomerStats { units: i128::from(self.units), ..EMPTY };
        }
        let day = |day: u16| FIRST_DAY + i32::from(day);
        CustomerStats { units: i128::from(self.units), orders: u64::from(self.orders), first: day(self.first), last: day(self.last) }
    }

    /// Adds purchases whose sums were proven to fit.
    #[inline]
    fn add(&mut self, units: i64, orders: u32, first: u16, last: u16) {
        self.units = self.units.wrapping_add(units);
        self.orders = self.orders.wrapping_add(orders);
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }
}

/// Units of money of one row.
pub(crate) trait UnitValue: Copy + Into<i128> + PartialOrd + Default {
    /// Whether a unit may need more than 64 bits.
    const IS_WIDE: bool;
    /// The sum of the sizes of all units, or more.
    fn size(units: &[Self]) -> u64;
    /// The smallest; any of none.
    fn least(units: &[Self]) -> Self;
    /// The units where their size is known to fit.
    fn narrow(self) -> i64;
}

impl UnitValue for i64 {
    const IS_WIDE: bool = false;
    fn size(units: &[Self]) -> u64 {
        let (sum, bits) = sizes(units);
        // Each is below 2^bits; a sum of larger ones may have wrapped.
        let each = 64 - bits.leading_zeros();
        if each <= 48 { sum } else { (units.len() as u64).saturating_mul(1_u64.checked_shl(each).unwrap_or(u64::MAX)) }
    }
    #[inline]
    fn least(units: &[Self]) -> Self {
        least_of(units)
    }
    #[inline]
    fn narrow(self) -> i64 {
        self
    }
}

impl UnitValue for i128 {
    const IS_WIDE: bool = true;
    fn size(units: &[Self]) -> u64 {
        let sum = units.iter().fold(0_u128, |sum, units| sum.saturating_add(units.unsigned_abs()));
        u64::try_from(sum).unwrap_or(u64::MAX)
    }
    fn least(units: &[Self]) -> Self {
        units.iter().fold(Self::MAX, |least, &units| least.min(units))
    }
    #[inline]
    fn narrow(self) -> i64 {
        self as i64
    }
}

widest! {
    /// The sum of the sizes, and all bits that one of them has.
    fn sizes(units: &[i64]) -> (u64, u64) {
        units.iter().fold((0_u64, 0), |(sum, bits), units| {
            let size = units.unsigned_abs();
            (sum.wrapping_add(size), bits | size)
        })
    }
}

widest! {
    /// The smallest number.
    fn least_of(units: &[i64]) -> i64 {
        units.iter().fold(i64::MAX, |least, &units| least.min(units))
    }
}

widest! {
    /// The smallest and the largest day.
    pub(crate) fn ends(days: &[i32]) -> (i32, i32) {
        days.iter().fold((i32::MAX, i32::MIN), |(low, high), &day| (low.min(day), high.max(day)))
    }
}

widest! {
    /// How often neighbouring codes differ.
    fn changes(codes: &[u32]) -> u32 {
        let next = codes.get(1..).unwrap_or_default();
        codes.iter().zip(next).fold(0, |changes, (a, b)| changes + u32::from(a != b))
    }
}

widest! {
    /// Whether days ascend among neighbours of one code.
    fn runs_ascend(codes: &[u32], days: &[i32]) -> bool {
        let next = codes.iter().zip(days).skip(1);
        codes.iter().zip(days).zip(next).fold(true, |all, ((code, day), (next_code, next_day))| all & ((code != next_code) | (day <= next_day)))
    }
}

/// Adds a block of purchases, which are runs of one code each with days that ascend. Where runs end is found without a branch,
/// and a run's money is the difference of two running sums, so that nothing hangs on how long runs are.
fn add_runs<U: UnitValue>(slots: &mut [NarrowStats], codes: &[u32], days: &[i32], units: &[U]) {
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
        slots[codes[start] as usize].add(sum.wrapping_sub(before), (end + 1 - start) as u32, day(start), day(end));
        (start, before) = (end + 1, sum);
    }
}

/// Rows ahead whose customers' cache lines are asked for.
const AHEAD: usize = 24;

#[derive(Debug, Clone)]
enum Form {
    Narrow(Vec<NarrowStats>),
    Wide(Vec<CustomerStats>),
}

impl Form {
    fn narrow(&self) -> Option<&[NarrowStats]> {
        if let Self::Narrow(slots) = self { Some(slots) } else { None }
    }
}

/// What lies at each place below `len`, where those of each part begin at its start; by several threads where there are many.
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
        let (slots, start) = parts[*part];
        get(slots, i - start)
    };
    threads.par_map_with(len, || 0, at)
}

/// The codes of some rows.
fn of_rows(sources: &[(u32, u32)], first: usize, rows: usize) -> &[(u32, u32)] {
    let start = sources.partition_point(|(row, _)| (*row as usize) < first);
    &sources[start..start + sources[start..].partition_point(|(row, _)| (*row as usize) < first + rows)]
}

/// Slots by customer code.
#[derive(Debug, Clone)]
pub(crate) struct CustomerStatsTable {
    form: Form,
    /// No sum of units can be larger than this.
    size: u64,
    /// No count of orders can be larger than this.
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
            Form::Narrow(slots) => slots.len(),
            Form::Wide(slots) => slots.len(),
        }
    }

    /// Bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.form {
            Form::Narrow(slots) => slots.capacity() * size_of::<NarrowStats>(),
            Form::Wide(slots) => slots.capacity() * size_of::<CustomerStats>(),
        }
    }

    /// Makes room for the codes below `customers`.
    pub(crate) fn grow(&mut self, customers: usize) {
        if customers > self.len() {
            match &mut self.form {
                Form::Narrow(slots) => slots.resize(customers, NOTHING),
                Form::Wide(slots) => slots.resize(customers, EMPTY),
            }
        }
    }

    /// Whether all units of money fit 64 bits.
    pub(crate) fn is_narrow(&self) -> bool {
        matches!(self.form, Form::Narrow(_))
    }

    /// What is known of a customer; nothing of one that there is no room for yet.
    #[inline]
    pub(crate) fn get(&self, code: u32) -> CustomerStats {
        match &self.form {
            Form::Narrow(slots) => slots.get(code as usize).map_or(EMPTY, |slot| slot.widen()),
            Form::Wide(slots) => slots.get(code as usize).copied().unwrap_or(EMPTY),
        }
    }

    /// The first and the last day of all purchases.
    pub(crate) fn days(&self, threads: Threads<'_>) -> Option<(i32, i32)> {
        let runs = threads.par_chunks(self.len(), |run| {
            let mut ends: Option<(i32, i32)> = None;
            for slot in run.map(|code| self.get(code as u32)).filter(|slot| slot.orders > 0) {
                ends = Some(ends.map_or((slot.first, slot.last), |(first, last)| (first.min(slot.first), last.max(slot.last))));
            }
            ends
        });
        runs.into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Purchases of a customer.
    #[inline]
    pub(crate) fn orders(&self, code: u32) -> u64 {
        match &self.form {
            Form::Narrow(slots) => u64::from(slots[code as usize].orders),
            Form::Wide(slots) => slots[code as usize].orders,
        }
    }

    /// Adds `more` to what is known of a customer.
    #[inline]
    pub(crate) fn join(&mut self, code: u32, more: &CustomerStats) {
        let size = u64::try_from(more.units.unsigned_abs()).unwrap_or(u64::MAX);
        let days = if more.orders > 0 { (more.first, more.last) } else { (FIRST_DAY, FIRST_DAY) };
        self.make_room(size, more.orders, days);
        match &mut self.form {
            Form::Narrow(slots) => {
                let slot = &mut slots[code as usize];
                if more.orders > 0 {
                    slot.add(more.units as i64, more.orders as u32, (more.first - FIRST_DAY) as u16, (more.last - FIRST_DAY) as u16);
                } else {
                    slot.units = slot.units.wrapping_add(more.units as i64);
                }
            }
            Form::Wide(slots) => slots[code as usize].join(more),
        }
    }

    /// Adds all that another part knows, code by code.
    pub(crate) fn join_all(&mut self, other: &Self, threads: Threads<'_>) {
        self.grow(other.len());
        if let (Form::Narrow(_), Form::Narrow(from)) = (&self.form, &other.form) {
            self.make_room(other.size, other.orders, (FIRST_DAY, FIRST_DAY));
            if let Form::Narrow(slots) = &mut self.form {
                threads.par_fill(&mut slots[..from.len()], |first, slots| {
                    slots.iter_mut().zip(&from[first..]).for_each(|(slot, from)| slot.add(from.units, from.orders, from.first, from.last));
                });
                return;
            }
        }
        for code in 0..other.len() as u32 {
            self.join(code, &other.get(code));
        }
    }

    /// The sums of the slots of several parts in `rows` rows; beside each part its codes, (row, code), ascending by row.
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
            Form::Narrow(slots) => threads.par_fill(slots, |first, slots| {
                for (part, sources) in parts {
                    let Form::Narrow(from) = &part.form else { continue };
                    let sources = of_rows(sources, first, slots.len());
                    for (i, &(row, code)) in sources.iter().enumerate() {
                        if let Some(&(_, ahead)) = sources.get(i + AHEAD) {
                            prefetch(from, ahead as usize);
                        }
                        let NarrowStats { units, orders, first: from, last } = from.get(code as usize).copied().unwrap_or(NOTHING);
                        slots[row as usize - first].add(units, orders, from, last);
                    }
                }
            }),
            Form::Wide(slots) => threads.par_fill(slots, |first, slots| {
                for (part, sources) in parts {
                    for &(row, code) in of_rows(sources, first, slots.len()) {
                        slots[row as usize - first].join(&part.get(code));
                    }
                }
            }),
        }
        whole
    }

    /// Adds a block of purchases of one row each. Rows of code [`NO_CODE`] are passed over if `holes` says that there are any.
    #[inline]
    pub(crate) fn add_block<U: UnitValue>(&mut self, codes: &[u32], days: &[i32], units: &[U], holes: bool) {
        self.make_room(U::size(units), codes.len() as u64, ends(days));
        let slots = match &mut self.form {
            Form::Narrow(slots) => slots,
            Form::Wide(slots) => {
                for (i, ((&code, &day), &units)) in codes.iter().zip(days).zip(units).enumerate() {
                    if let Some(&ahead) = codes.get(i + AHEAD) {
                        prefetch(slots, ahead as usize);
                    }
                    if code != NO_CODE {
                        slots[code as usize].join(&CustomerStats { units: units.into(), orders: 1, first: day, last: day });
                    }
                }
                return;
            }
        };
        let day = |day: i32| (day - FIRST_DAY) as u16;
        if changes(codes) as usize * 2 < codes.len() {
            // Rows of one customer lie together: each run is added up before its slot is touched.
            if !holes && codes.len() <= BLOCK && runs_ascend(codes, days) {
                add_runs(slots, codes, days, units);
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
                    slots[code as usize].add(sum, (end - start) as u32, day(low), day(high));
                }
                start = end;
            }
        } else {
            for (i, ((&code, &at), &units)) in codes.iter().zip(days).zip(units).enumerate() {
                if let Some(&ahead) = codes.get(i + AHEAD) {
                    prefetch(slots, ahead as usize);
                }
                if holes && code == NO_CODE {
                    continue;
                }
                slots[code as usize].add(units.narrow(), 1, day(at), day(at));
            }
        }
    }

    /// The slots of several parts: those of each begin where it is said, and all are below `len`.
    pub(crate) fn concat(parts: &[(&Self, usize)], len: usize, threads: Threads<'_>) -> Self {
        let mut whole = Self::default();
        for (part, _) in parts {
            whole.make_room(part.size, part.orders, (FIRST_DAY, FIRST_DAY));
        }
        let narrow: Option<Vec<(&[NarrowStats], usize)>> = parts.iter().map(|(part, start)| Some((part.form.narrow()?, *start))).collect();
        whole.form = match (&whole.form, narrow) {
            (Form::Narrow(_), Some(parts)) => {
                Form::Narrow(end_to_end(&parts, len, threads, |slots, i| slots.get(i).copied().unwrap_or(NOTHING)))
            }
            _ => Form::Wide(end_to_end(parts, len, threads, |slots, i| if i < slots.len() { slots.get(i as u32) } else { EMPTY })),
        };
        whole
    }

    /// Asks for the cache line of a customer.
    #[inline]
    pub(crate) fn prefetch(&self, code: u32) {
        match &self.form {
            Form::Narrow(slots) => prefetch(slots, code as usize),
            Form::Wide(slots) => prefetch(slots, code as usize),
        }
    }

    /// Notes what is about to be added, and turns to wide slots when narrow ones might not hold it.
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
        if let Form::Narrow(slots) = &self.form {
            self.form = Form::Wide(slots.iter().map(|slot| slot.widen()).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same rows into both forms.
    fn both(codes: &[u32], days: &[i32], units: &[i64]) -> [Vec<CustomerStats>; 2] {
        [false, true].map(|wide| {
            let mut slots = CustomerStatsTable::default();
            slots.grow(4);
            if wide {
                slots.widen();
            }
            slots.add_block(codes, days, units, true);
            (0..4).map(|code| slots.get(code)).collect()
        })
    }

    #[test]
    fn both_forms_hold_the_same() {
        let (codes, days) = ([0, 0, 0, 0, NO_CODE, 2, 2, 1], [19_000, 18_000, 20_000, 1, 5, FIRST_DAY, LAST_DAY, 0]);
        let [narrow, wide] = both(&codes, &days, &[1, 2, 3, i64::from(i32::MAX), 7, 8, 9, 10]);
        assert_eq!(narrow, wide);
        assert_eq!(narrow[2], CustomerStats { units: 17, orders: 2, first: FIRST_DAY, last: LAST_DAY });
        assert_eq!(narrow[3], EMPTY);
    }

    #[test]
    fn runs_are_added_up_whether_their_days_ascend_or_not() {
        let codes = [3, 3, 3, 1, 1, 1, 1, 0, 0, 0, 0, 0];
        let units: Vec<i64> = (1..=12).collect();
        for days in [[5, 5, 9, 2, 3, 4, 4, 1, 1, 1, 2, 7], [5, 9, 5, 2, 3, 4, 4, 1, 1, 1, 2, 7]] {
            let [narrow, wide] = both(&codes, &days, &units);
            assert_eq!(narrow, wide);
            assert_eq!(narrow[3], CustomerStats { units: 6, orders: 3, first: 5, last: 9 });
            assert_eq!(narrow[0], CustomerStats { units: 50, orders: 5, first: 1, last: 7 });
        }
    }

    #[test]
    fn what_does_not_fit_makes_all_wide() {
        let big = i64::MAX / 2;
        let [narrow, wide] = both(&[1, 1, 1, 0], &[0, 0, 0, 0], &[big, big, big, 1]);
        assert_eq!(narrow, wide);
        assert_eq!(narrow[1].units, 3 * i128::from(big));
        let [narrow, wide] = both(&[1, 2], &[FIRST_DAY - 1, LAST_DAY + 1], &[1, 1]);
        assert_eq!(narrow, wide);
        assert_eq!((narrow[1].first, narrow[2].last), (FIRST_DAY - 1, LAST_DAY + 1));
    }

    #[test]
    fn parts_are_gathered_by_their_codes() {
        let mut parts = [CustomerStatsTable::default(), CustomerStatsTable::default()];
        for (i, part) in (1..).zip(&mut parts) {
            part.grow(2);
            part.join(0, &CustomerStats { units: i, orders: 1, first: 10 * i as i32, last: 10 * i as i32 });
            part.join(1, &CustomerStats { units: -i, ..EMPTY });
        }
        let gathered = CustomerStatsTable::gather(&[(&parts[0], &[(0, 1), (1, 0)]), (&parts[1], &[(1, 0), (2, 1)])], 3, Threads::inline());
        assert_eq!(gathered.get(0), CustomerStats { units: -1, ..EMPTY });
        assert_eq!(gathered.get(1), CustomerStats { units: 3, orders: 2, first: 10, last: 20 });
        assert_eq!(gathered.get(2), CustomerStats { units: -2, ..EMPTY });
    }
}
