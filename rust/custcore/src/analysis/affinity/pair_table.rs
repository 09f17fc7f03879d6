//! The table of pairs.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::measures::{Count, Counts, Measure};
use super::pair_kernel::Pair;
use crate::baskets::lists::BasketLists;
use crate::error::Result;
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::{Table, TableBuilder, nullable_floats};

/// The metadata entry of a result with the lift that sizes of baskets alone give.
const SIZE_FACTOR: &str = "custcore.size_factor";

/// The pairs of one block of the result.
pub(super) struct PairBlock {
    /// The position of the segment; `None` for all baskets.
    pub(super) segment: Option<u16>,
    pub(super) baskets: u64,
    /// Code and number of baskets of each frequent item.
    pub(super) items: Vec<u32>,
    pub(super) support: Vec<u32>,
    /// In the order of the result; a is less than b.
    pub(super) pairs: Vec<Pair>,
    pub(super) expected: Vec<f64>,
    pub(super) z: Vec<f64>,
    pub(super) p: Vec<f64>,
    pub(super) p_adjusted: Vec<f64>,
    /// The lift within baskets of like size among all baskets.
    pub(super) of_all: Option<Vec<f64>>,
    /// The largest number of baskets of any pair.
    pub(super) most: u32,
}

/// What is the same for all blocks.
pub(super) struct Columns<'a> {
    pub(super) lists: &'a BasketLists<'a>,
    pub(super) segments: Option<&'a [String]>,
    pub(super) size_factor: Option<f64>,
}

/// Measures in the order of their columns; those of one direction are followed by the other one.
const MEASURES: [(&str, bool, Measure); 9] = [
    ("support", false, Counts::support),
    ("confidence", true, Counts::confidence),
    ("lift", false, Counts::lift),
    ("leverage", false, Counts::leverage),
    ("conviction", true, Counts::conviction),
    ("zhang", true, Counts::zhang),
    ("jaccard", false, Counts::jaccard),
    ("cosine", false, Counts::cosine),
    ("phi", false, Counts::phi),
];

impl PairBlock {
    #[inline]
    fn counts(&self, pair: &Pair) -> Counts {
        let of = |position: u32| u64::from(self.support[position as usize]);
        Counts { both: pair.both.into(), a: of(pair.a), b: of(pair.b), baskets: self.baskets }
    }
}

/// The table of some blocks.
pub(super) fn table_of(columns: &Columns<'_>, blocks: &[PairBlock], report: Report, context: &Context) -> Result<Table> {
    let rows = blocks.iter().map(|block| block.pairs.len()).sum();
    let mut table = TableBuilder::default();
    if let Some(names) = columns.segments {
        let name = |block: &PairBlock| block.segment.map(|segment| names[usize::from(segment)].as_str());
        let of_rows = blocks.iter().flat_map(|block| std::iter::repeat_n(name(block), block.pairs.len()));
        table.column("segment", Arc::new(of_rows.collect::<StringArray>()));
    }
    let (item_type, keys) = (columns.lists.item_type()?, columns.lists.item_keys());
    let codes = |of: fn(&Pair) -> u32| -> Vec<Option<u32>> {
        blocks.iter().flat_map(|block| block.pairs.iter().map(move |pair| Some(block.items[of(pair) as usize]))).collect()
    };
    table.values("item_a", item_type, keys, codes(|pair| pair.a).into_iter())?;
    table.values("item_b", item_type, keys, codes(|pair| pair.b).into_iter())?;
    let counts = |of: Count| -> ArrayRef {
        let each = blocks.iter().flat_map(|block| block.pairs.iter().map(move |pair| of(block.counts(pair)) as i64));
        Arc::new(Int64Array::from_iter_values(each))
    };
    table.column("n_ab", counts(|counts| counts.both));
    table.column("n_a", counts(|counts| counts.a));
    table.column("n_b", counts(|counts| counts.b));
    table.column("n_baskets", counts(|counts| counts.baskets));
    let measure = |of: Measure, is_reversed: bool| -> Result<Vec<f64>> {
        context.check()?;
        let mut values = Vec::with_capacity(rows);
        for block in blocks {
            let value = |pair: &Pair| {
                let counts = block.counts(pair);
                of(if is_reversed { counts.reversed() } else { counts })
            };
            values.extend(
                context.run_if_large(block.pairs.len(), |threads| threads.par_map(block.pairs.len(), |row| value(&block.pairs[row])))?,
            );
        }
        Ok(values)
    };
    for (name, has_direction, of) in MEASURES {
        if has_direction {
            table.column(&format!("{name}_ab"), Arc::new(Float64Array::from(measure(of, false)?)));
            table.column(&format!("{name}_ba"), Arc::new(Float64Array::from(measure(of, true)?)));
        } else {
            table.column(name, nullable_floats(measure(of, false)?));
        }
    }
    let concat = |of: fn(&PairBlock) -> &[f64]| -> Vec<f64> { blocks.iter().flat_map(|block| of(block).iter().copied()).collect() };
    let expected = concat(|block| &block.expected);
    let both = blocks.iter().flat_map(|block| &block.pairs).map(|pair| f64::from(pair.both));
    let lift_within: Vec<f64> = both.zip(&expected).map(|(both, expected)| both / expected).collect();
    let of_all = blocks.iter().flat_map(|block| block.of_all.iter().flatten());
    let of_first = blocks.iter().filter(|block| block.of_all.is_none()).map(|block| block.pairs.len()).sum();
    let mut ratio = vec![1.0; of_first];
    ratio.extend(lift_within[of_first..].iter().zip(of_all).map(|(own, all)| own / all));
    table.column("expected_within", Arc::new(Float64Array::from(expected)));
    table.column("lift_within", Arc::new(Float64Array::from(lift_within)));
    table.column("z_within", Arc::new(Float64Array::from(concat(|block| &block.z))));
    table.column("p_value", Arc::new(Float64Array::from(concat(|block| &block.p))));
    table.column("p_adjusted", Arc::new(Float64Array::from(concat(|block| &block.p_adjusted))));
    if columns.segments.is_some() {
        table.column("lift_ratio", nullable_floats(ratio));
    }
    let metadata = columns.size_factor.map(|factor| (SIZE_FACTOR.to_owned(), factor.to_string()));
    table.finish(rows, metadata.into_iter().collect::<Metadata>(), report)
}
