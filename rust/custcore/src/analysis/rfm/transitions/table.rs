//! Arrow tables of segment transitions and time in segment.

use std::sync::Arc;

use arrow_array::types::Int16Type;
use arrow_array::{ArrayRef, Date32Array, DictionaryArray, Float64Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::edges::ScorerEdges;
use super::kernel::SpellDurations;
use crate::analysis::moves::{Move, NO_SEGMENT};
use crate::error::{Error, Result};
use crate::num::money::Money;
use crate::report::Report;
use crate::table::{Table, TableBuilder, money_column};
use crate::time::calendar::date_text;

/// The moves between two dates.
#[derive(Debug)]
pub(super) struct Step {
    /// First date.
    pub from: i32,
    /// Second date.
    pub to: i32,
    /// Moves.
    pub moves: Vec<Move>,
}

/// The table of transitions: one row per move, dates ascending.
pub(super) fn transitions_table(
    steps: &[Step],
    names: &[String],
    money: Option<Money>,
    edges: ScorerEdges,
    report: Report,
) -> Result<Table> {
    let moves = || steps.iter().flat_map(|step| step.moves.iter().map(move |moved| (step, moved)));
    let rows = moves().count();
    let name = |segment: u16| names.get(usize::from(segment)).map_or("none", String::as_str);
    let mut table = TableBuilder::default();
    table.column("from_date", Arc::new(Date32Array::from_iter_values(moves().map(|(step, _)| step.from))));
    table.column("to_date", Arc::new(Date32Array::from_iter_values(moves().map(|(step, _)| step.to))));
    table.column("from_segment", segments(names, moves().map(|(_, moved)| moved.from))?);
    table.column("to_segment", segments(names, moves().map(|(_, moved)| moved.to))?);
    table.column("customers", Arc::new(Int64Array::from_iter_values(moves().map(|(_, moved)| moved.customers as i64))));
    if money.is_some() {
        let whose = |row: usize| {
            let (step, moved) = moves().nth(row)?;
            Some(format!("of customers from '{}' to '{}' until {}", name(moved.from), name(moved.to), date_text(step.to)))
        };
        let units = moves().map(|(_, moved)| Some(moved.units));
        table.column("revenue", money_column(money, units, |row| whose(row).unwrap_or_default())?);
    }
    table.column("share", Arc::new(Float64Array::from_iter_values(moves().map(|(_, moved)| moved.share))));
    table.column("scorer", Arc::new(StringArray::from_iter_values(std::iter::repeat_n(edges.word(), rows))));
    table.finish(rows, Metadata::new(), report)
}

/// The table of time in segment: one row per segment.
pub(super) fn time_in_segment_table(spells: &[SpellDurations], names: &[String], report: Report) -> Result<Table> {
    let counts = |count: &dyn Fn(&SpellDurations) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(spells.iter().map(|spells| count(spells) as i64)))
    };
    let (means, medians): (Vec<_>, Vec<_>) = spells.iter().map(|spells| spells.lengths.mean_and_median()).unzip();
    let mut table = TableBuilder::default();
    table.column("segment", segments(names, 0..names.len() as u16)?);
    table.column("customers", counts(&|spells| spells.customers));
    table.column("spells", counts(&|spells| spells.lengths.ended() + spells.lengths.open()));
    table.column("ended", counts(&|spells| spells.lengths.ended()));
    table.column("open", counts(&|spells| spells.lengths.open()));
    table.column("mean_days", Arc::new(Float64Array::from(means)));
    table.column("median_days", Arc::new(medians.into_iter().map(|days| days.map(f64::from)).collect::<Float64Array>()));
    table.finish(spells.len(), Metadata::new(), report)
}

/// Segments as a dictionary column in the order of the map; [`NO_SEGMENT`] is null.
pub(crate) fn segments(names: &[String], segments: impl Iterator<Item = u16>) -> Result<ArrayRef> {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    let codes =
        segments.map(|segment| (segment != NO_SEGMENT).then_some(segment as i16)).collect::<arrow_array::PrimitiveArray<Int16Type>>();
    Ok(Arc::new(DictionaryArray::try_new(codes, names).map_err(Error::internal)?))
}
