//! Packed purchase log: customer, day and amount in 10 or 14 bytes. Calendar cohorts need nothing else, and it is a third
//! of the size of an [`super::order_log::OrderRecord`].

pub(crate) use super::stats::{FIRST_DAY, LAST_DAY};
use crate::exec::simd::widest;

/// Capacity of a chunk in rows; eight blocks.
const PIECE: usize = 1 << 14;

/// Purchases in columns.
#[derive(Debug, Clone)]
pub(crate) struct PurchaseChunk {
    /// Codes of the customers.
    pub customers: Vec<u32>,
    /// Days as offsets from [`FIRST_DAY`].
    pub days: Vec<u16>,
    /// Money.
    pub units: PackedUnits,
}

/// Amounts of some purchases.
#[derive(Debug, Clone)]
pub(crate) enum PackedUnits {
    /// Multiples of a number of units, such as whole cents.
    Short(Vec<i32>, i64),
    /// Units.
    Long(Vec<i64>),
}

/// All purchases.
#[derive(Debug, Clone)]
pub(crate) struct PurchaseLog {
    pieces: Vec<PurchaseChunk>,
    /// The scale of the last block.
    scale: i64,
    short: Vec<i32>,
}

impl Default for PurchaseLog {
    fn default() -> Self {
        Self { pieces: Vec::new(), scale: 10_000, short: Vec::new() }
    }
}

impl PurchaseLog {
    /// Appends purchases. All days must be in the 16-bit range.
    pub(crate) fn add(&mut self, customers: &[u32], days: &[i32], units: &[i64]) {
        if customers.is_empty() {
            return;
        }
        let scale = self.shorten(units);
        let fits = |piece: &PurchaseChunk| {
            let same = match &piece.units {
                PackedUnits::Short(_, of) => scale == Some(*of),
                PackedUnits::Long(_) => scale.is_none(),
            };
            same && piece.customers.len() + customers.len() <= PIECE
        };
        if !self.pieces.last().is_some_and(fits) {
            // The first chunk grows on demand: most tables are small.
            let room = if self.pieces.is_empty() { customers.len() } else { PIECE };
            let units =
                scale.map_or_else(|| PackedUnits::Long(Vec::with_capacity(room)), |of| PackedUnits::Short(Vec::with_capacity(room), of));
            self.pieces.push(PurchaseChunk { customers: Vec::with_capacity(room), days: Vec::with_capacity(room), units });
        }
        let Some(piece) = self.pieces.last_mut() else { return };
        piece.customers.extend_from_slice(customers);
        piece.days.extend(days.iter().map(|day| (day - FIRST_DAY) as u16));
        match &mut piece.units {
            PackedUnits::Short(sums, _) => sums.extend_from_slice(&self.short),
            PackedUnits::Long(sums) => sums.extend_from_slice(units),
        }
    }

    /// Writes units to `short` as 32-bit multiples of a scale. Returns the scale, `None` if none fits all units.
    fn shorten(&mut self, units: &[i64]) -> Option<i64> {
        self.short.clear();
        self.short.resize(units.len(), 0);
        let other = if self.scale == 1 { 10_000 } else { 1 };
        for scale in [self.scale, other] {
            if multiples(units, scale as f64, (scale as f64).recip(), &mut self.short) {
                self.scale = scale;
                return Some(scale);
            }
        }
        None
    }

    /// The purchases.
    pub(crate) fn pieces(&self) -> &[PurchaseChunk] {
        &self.pieces
    }

    /// Appends the purchases of another part; `own` maps its customer codes.
    pub(crate) fn append(&mut self, mut other: Self, own: impl Fn(u32) -> u32) {
        other.pieces.iter_mut().flat_map(|piece| &mut piece.customers).for_each(|customer| *customer = own(*customer));
        let open = self.pieces.pop();
        self.pieces.append(&mut other.pieces);
        self.pieces.extend(open);
    }

    /// Size in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let of = |piece: &PurchaseChunk| {
            let units = match &piece.units {
                PackedUnits::Short(sums, _) => 4 * sums.capacity(),
                PackedUnits::Long(sums) => 8 * sums.capacity(),
            };
            size_of::<PurchaseChunk>() + 4 * piece.customers.capacity() + 2 * piece.days.capacity() + units
        };
        self.pieces.iter().map(of).sum::<usize>() + 4 * self.short.capacity()
    }

    /// Number of purchases.
    pub(crate) fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.customers.len()).sum()
    }
}

impl PackedUnits {
    /// The amount of one purchase in units.
    pub(crate) fn get(&self, row: usize) -> i64 {
        match self {
            Self::Short(sums, of) => i64::from(sums[row]) * of,
            Self::Long(sums) => sums[row],
        }
    }
}

widest! {
    /// Units as 32-bit multiples of `of`. Returns whether all are multiples; if not, `out` is unspecified.
    ///
    /// Exact: units below 2^51 are exact in f64. The product with the reciprocal is off by less than a half, so rounding
    /// finds the only candidate, and multiplying back verifies it.
    fn multiples(units: &[i64], of: f64, by: f64, out: &mut [i32]) -> bool {
        const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52: from here on, the low bits of a float are an integer
        let (mut all, mut bits) = (true, 0);
        for (entry, &units) in out.iter_mut().zip(units) {
            bits |= units ^ (units >> 63);
            let whole = f64::from_bits((units.wrapping_add(ROUND.to_bits() as i64)) as u64) - ROUND;
            let raised = whole * by + ROUND;
            let multiple = raised - ROUND;
            // Both are integers below 2^53, so the difference is exact.
            all &= ((multiple * of - whole).abs() < 0.5) & (multiple.abs() < 2_147_483_648.0);
            *entry = raised.to_bits() as i32;
        }
        all && bits < 1 << 50
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_trip() {
        let mut purchase_log = PurchaseLog::default();
        let blocks: [&[i64]; 5] =
            [&[12_340_000, -50_000, 0], &[12_340_001, 5], &[i64::MAX, 3], &[21_474_836_470_000], &[-21_474_836_480_000, 1 << 50]];
        for units in blocks {
            purchase_log.add(&vec![1; units.len()], &vec![LAST_DAY; units.len()], units);
        }
        let found: Vec<i64> = purchase_log.pieces().iter().flat_map(|p| (0..p.customers.len()).map(|row| p.units.get(row))).collect();
        assert_eq!(found, blocks.concat());
        assert!(matches!(purchase_log.pieces()[0].units, PackedUnits::Short(_, 10_000)));
        assert!(purchase_log.pieces().iter().flat_map(|piece| &piece.days).all(|&day| FIRST_DAY + i32::from(day) == LAST_DAY));
    }
}
