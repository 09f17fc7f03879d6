//! The tables of a comparison: moves between segments, the segments, and the customers.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int16Array, Int64Array};
use arrow_schema::Metadata;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::super::transitions::table::segments as segment_column;
use super::joined::Comparison;
use super::scored::{Side, TABLES};
use crate::analysis::moves::NO_SEGMENT;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::ratio;
use crate::table::{CUSTOMER_ID, Table, TableBuilder, money_column};

/// Customers and money before and after.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    customers: [u64; 2],
    units: [i128; 2],
}

impl Sums {
    fn add(&mut self, table: usize, units: Option<i128>) -> Result<()> {
        self.customers[table] += 1;
        let sum = self.units[table].checked_add(units.unwrap_or_default());
        let overflow = || Error::new(ErrorKind::SumOverflow, "the money of all customers does not fit 128 bits. Use larger units");
        self.units[table] = sum.ok_or_else(overflow)?;
        Ok(())
    }
}

impl Comparison {
    /// The segments of a customer.
    fn segments_of(&self, code: usize) -> (u16, u16) {
        (self.before.segment(code), self.after.segment(code))
    }

    fn segment_name(&self, segment: u16) -> &str {
        self.names.get(usize::from(segment)).map_or("none", String::as_str)
    }

    /// Customers and money by segment before and after: those who came first, and of each segment those who left last.
    pub fn moves(&self) -> Result<Table> {
        let mut cells: HashMap<(u16, u16), Sums, RandomState> = HashMap::default();
        let mut from = vec![0_u64; self.names.len() + 1];
        // The segment of customers who are not in the table comes first before, and last after.
        let place = |segment: u16| if segment == NO_SEGMENT { 0 } else { segment + 1 };
        for code in 0..self.ids.len() {
            let (before, after) = self.segments_of(code);
            let cell = cells.entry((place(before), after)).or_default();
            cell.add(0, self.before.units(code))?;
            cell.add(1, self.after.units(code))?;
            from[usize::from(place(before))] += 1;
        }
        let mut moves: Vec<((u16, u16), Sums)> = cells.into_iter().collect();
        moves.sort_unstable_by_key(|(segments, _)| *segments);
        let segment = |place: u16| place.checked_sub(1).unwrap_or(NO_SEGMENT);
        let mut table = TableBuilder::default();
        table.column("from_segment", segment_column(&self.names, moves.iter().map(|((from, _), _)| segment(*from)))?);
        table.column("to_segment", segment_column(&self.names, moves.iter().map(|((_, to), _)| *to))?);
        table.column("customers", counts(moves.iter().map(|(_, sums)| sums.customers[0])));
        if self.money.is_some() {
            let whose = |row: usize| {
                let (from, to) = moves[row].0;
                format!("of customers from '{}' to '{}'", self.segment_name(segment(from)), self.segment_name(to))
            };
            // Customers who are not in a table have no money there.
            let before = moves.iter().map(|((from, _), sums)| (*from != 0).then_some(sums.units[0]));
            table.column("from_monetary", money_column(self.money, before, whose)?);
            let after = moves.iter().map(|((_, to), sums)| (*to != NO_SEGMENT).then_some(sums.units[1]));
            table.column("to_monetary", money_column(self.money, after, whose)?);
        }
        let share = moves.iter().map(|((place, _), sums)| sums.customers[0] as f64 / from[usize::from(*place)] as f64);
        table.column("share", Arc::new(Float64Array::from_iter_values(share)));
        table.finish(moves.len(), Metadata::new(), self.report.clone())
    }

    /// Customers and money of each segment before and after.
    pub fn segments(&self) -> Result<Table> {
        let mut segments = vec![Sums::default(); self.names.len()];
        let mut all = Sums::default();
        for code in 0..self.ids.len() {
            for (table, (side, segment)) in
                [&self.before, &self.after].into_iter().zip(<[u16; 2]>::from(self.segments_of(code))).enumerate()
            {
                if segment != NO_SEGMENT {
                    segments[usize::from(segment)].add(table, side.units(code))?;
                    all.add(table, side.units(code))?;
                }
            }
        }
        let mut table = TableBuilder::default();
        table.column("segment", segment_column(&self.names, 0..self.names.len() as u16)?);
        for (at, name) in TABLES.iter().enumerate() {
            table.column(&format!("customers_{name}"), counts(segments.iter().map(|sums| sums.customers[at])));
        }
        let change = segments.iter().map(|sums| sums.customers[1] as i64 - sums.customers[0] as i64);
        table.column("customers_change", Arc::new(Int64Array::from_iter_values(change)));
        for (at, name) in TABLES.iter().enumerate() {
            let part = |sums: &Sums| (all.customers[at] > 0).then(|| sums.customers[at] as f64 / all.customers[at] as f64);
            table.column(&format!("share_{name}"), Arc::new(segments.iter().map(part).collect::<Float64Array>()));
        }
        if self.money.is_some() {
            let whose = |row: usize| format!("of segment '{}'", self.names[row]);
            for (at, name) in TABLES.iter().enumerate() {
                let units = segments.iter().map(|sums| Some(sums.units[at]));
                table.column(&format!("monetary_{name}"), money_column(self.money, units, whose)?);
            }
            let change = segments.iter().map(|sums| Some(sums.units[1] - sums.units[0]));
            table.column("monetary_change", money_column(self.money, change, whose)?);
            for (at, name) in TABLES.iter().enumerate() {
                let whole = all.units[at];
                // A share of a sum that is not positive means nothing.
                let part = |sums: &Sums| (whole > 0).then(|| ratio(sums.units[at], whole));
                table.column(&format!("monetary_share_{name}"), Arc::new(segments.iter().map(part).collect::<Float64Array>()));
            }
        }
        table.finish(segments.len(), Metadata::new(), self.report.clone())
    }

    /// One row per customer of either table, ascending by id.
    pub fn customers(&self, context: &Context) -> Result<Table> {
        let keys = self.ids.keys();
        let mut codes: Vec<u32> = (0..self.ids.len() as u32).collect();
        context.run_if_large(codes.len(), |threads| threads.par_sort_unstable_by(&mut codes, |&a, &b| keys.compare(a, b)))?;
        context.check()?;
        let mut table = TableBuilder::default();
        context.run_if_large(codes.len(), |threads| table.ids(&self.key, keys, &codes, threads))??;
        let segments = |side: &Side| codes.iter().map(|&code| side.segment(code as usize)).collect::<Vec<_>>();
        table.column("from_segment", segment_column(&self.names, segments(&self.before).into_iter())?);
        table.column("to_segment", segment_column(&self.names, segments(&self.after).into_iter())?);
        for (at, letter) in ["r", "f", "m"].into_iter().enumerate() {
            let (Some(before), Some(after)) = (&self.before.scores[at], &self.after.scores[at]) else { continue };
            let score = |scores: &[u8], code: u32| scores.get(code as usize).copied().filter(|&score| score > 0).map(i16::from);
            let change = |&code: &u32| Some(score(after, code)? - score(before, code)?);
            table.column(&format!("{letter}_change"), Arc::new(codes.iter().map(change).collect::<Int16Array>()));
        }
        if self.money.is_some() {
            let whose = |_: usize| "of a customer".to_owned();
            for (name, side) in [("from_monetary", &self.before), ("to_monetary", &self.after)] {
                table.column(name, money_column(self.money, codes.iter().map(|&code| side.units(code as usize)), whose)?);
            }
        }
        let mut metadata = Metadata::new();
        metadata.insert(CUSTOMER_ID, self.key.names().to_text());
        table.finish(codes.len(), metadata, self.report.clone())
    }
}

fn counts(counts: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(counts.map(|count| count as i64)))
}
