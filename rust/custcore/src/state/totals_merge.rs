//! Merge of the totals of parts: by codes, by joined ids, or end to end.

use super::stats::CustomerStatsTable;
use super::totals::{Codes, RangeTotals, Totals};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;
use crate::group::key_union::KeyUnion;

impl Totals {
    /// Merges another part; `codes` maps its customer codes, [`NO_CODE`] drops a customer.
    /// Requires [`Totals::grow`].
    pub(crate) fn merge(&mut self, other: &Self, codes: Codes<'_>, rows_before: u64, threads: Threads<'_>) {
        if self.absent.is_some() {
            return;
        }
        match codes {
            Codes::Same => self.stats.join_all(&other.stats, threads),
            Codes::Map(codes) => {
                for (from, &code) in (0..).zip(&codes[..other.stats.len()]).filter(|(_, code)| **code != NO_CODE) {
                    self.stats.join(code, &other.stats.get(from));
                }
            }
        }
        let own = |code: u32| match codes {
            Codes::Same => code as usize,
            Codes::Map(codes) => codes[code as usize] as usize,
        };
        if let (Some(rows), Some(from)) = (&mut self.rows, &other.rows) {
            for (code, &from) in (0..).zip(from).filter(|(_, from)| **from > 0) {
                if let Some(rows) = rows.get_mut(own(code)) {
                    *rows += from;
                }
            }
        }
        for (&code, &(first_row, refund_rows)) in &other.refunds_before_purchase {
            let customer = own(code) as u32;
            if customer != NO_CODE {
                self.add_refunds(customer, (first_row.saturating_add(rows_before), refund_rows));
            }
        }
        for (own, other) in self.ranges.iter_mut().zip(&other.ranges) {
            own.totals.merge(&other.totals, codes, rows_before, threads);
        }
    }

    /// Merges several parts by their joined ids; `codes` is the number of codes of each part.
    pub(crate) fn gather(parts: &[&Self], codes: &[usize], joined: &KeyUnion, threads: Threads<'_>) -> Self {
        let rows = joined.keys.len();
        if parts.iter().any(|part| part.absent.is_some()) {
            return Self { absent: Some(rows), ..Self::default() };
        }
        if parts.iter().any(|part| !part.ranges.is_empty()) {
            return Self::by_range(parts, |parts| Self::gather(parts, codes, joined, threads));
        }
        let stats: Vec<(&CustomerStatsTable, &[(u32, u32)])> =
            parts.iter().zip(&joined.sources).map(|(part, sources)| (&part.stats, sources.as_slice())).collect();
        let mut whole =
            Self { stats: CustomerStatsTable::gather(&stats, rows, threads), ..Self::new(parts.iter().any(|part| part.rows.is_some())) };
        for (i, part) in parts.iter().enumerate() {
            if part.rows.is_none() && part.refunds_before_purchase.is_empty() {
                continue;
            }
            let positions = joined.positions(i, codes[i]);
            if let (Some(rows), Some(from)) = (&mut whole.rows, &part.rows) {
                rows.resize(whole.stats.len(), 0);
                for (&position, &from) in positions.iter().zip(from).filter(|(position, _)| **position != NO_CODE) {
                    rows[position as usize] += from;
                }
            }
            for (&code, &refunds) in &part.refunds_before_purchase {
                whole.add_refunds(positions[code as usize], refunds);
            }
        }
        whole
    }

    /// The totals of each range, which `combine` makes of those of several parts.
    fn by_range(parts: &[&Self], combine: impl Fn(&[&Self]) -> Self) -> Self {
        let of_range = |(at, range): (usize, &RangeTotals)| {
            let totals: Vec<&Self> = parts.iter().filter_map(|part| part.ranges.get(at)).map(|range| &range.totals).collect();
            RangeTotals { days: range.days.clone(), totals: combine(&totals) }
        };
        let ranges = parts.first().map_or(&[][..], |part| &part.ranges);
        Self { ranges: ranges.iter().enumerate().map(of_range).collect(), ..Self::default() }
    }

    /// Concatenates parts as [`Totals::concat`] does, and frees the ranges of days of all parts one by one, to keep the peak low.
    pub(super) fn concat_parts(mut parts: Vec<(Self, usize)>, len: usize, threads: Threads<'_>) -> Self {
        let ranges = parts.first().map_or(0, |(part, _)| part.ranges.len());
        let concat =
            |parts: &[(Self, usize)]| Self::concat(&parts.iter().map(|(part, start)| (part, *start)).collect::<Vec<_>>(), len, threads);
        if ranges == 0 {
            return concat(&parts);
        }
        let range = |at: usize| {
            let days = parts[0].0.ranges[at].days.clone();
            let of_range: Vec<(Self, usize)> =
                parts.iter_mut().map(|(part, start)| (std::mem::take(&mut part.ranges[at].totals), *start)).collect();
            RangeTotals { days, totals: concat(&of_range) }
        };
        Self { ranges: (0..ranges).map(range).collect(), ..Self::default() }
    }

    /// Concatenates parts with disjoint customers; the codes of each part begin at its start, `len` codes in
    /// total.
    pub(crate) fn concat(parts: &[(&Self, usize)], len: usize, threads: Threads<'_>) -> Self {
        if parts.iter().any(|(part, _)| part.absent.is_some()) {
            return Self { absent: Some(len), ..Self::default() };
        }
        let stats: Vec<(&CustomerStatsTable, usize)> = parts.iter().map(|(part, start)| (&part.stats, *start)).collect();
        let has_rows = parts.iter().any(|(part, _)| part.rows.is_some());
        let mut whole = Self { stats: CustomerStatsTable::concat(&stats, len, threads), ..Self::new(has_rows) };
        if let Some(rows) = &mut whole.rows {
            rows.resize(len, 0);
            for (from, start) in parts.iter().filter_map(|(part, start)| Some((part.rows.as_ref()?, *start))) {
                rows[start..start + from.len()].copy_from_slice(from);
            }
        }
        for (part, start) in parts {
            for (&code, &refunds) in &part.refunds_before_purchase {
                whole.add_refunds(code + *start as u32, refunds);
            }
        }
        whole
    }
}
