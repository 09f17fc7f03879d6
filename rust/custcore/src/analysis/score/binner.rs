//! One set of bins: value edges, or (value, customer id) edges of equal-size tiles.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::ids::{CustomerKey, IdColumns};
use super::spec::{Dimension, Method};
use crate::column::key::Key;
use crate::column::number::{NumberColumn, NumberForm, Numbers};
use crate::exec::par::Threads;
use crate::order_statistics::quantile::{BinEdges, Closed, Number};
use crate::order_statistics::rank::Spread;

/// A fitted set of bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binner {
    kind: Kind,
    /// Minimum and maximum fitted value.
    pub range: (f64, f64),
    /// Fitted customers per score, starting at score 1.
    pub counts: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Edges(BinEdges),
    Tiles(Tiles),
}

/// The first (value, id) of each tile except the first; fewer entries if there are fewer customers than bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tiles {
    firsts: Vec<(Number, CustomerKey)>,
}

/// One end of a bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinBound {
    /// The edge, in the type of the fitted values.
    pub value: Number,
    /// Whether the edge itself is in the bin; in a tile, whether it is for the id of this customer.
    pub is_closed: bool,
}

impl Binner {
    /// Fits bins on the given rows, or on all rows if `rows` is `None`. Returns `None` if no row has a value.
    pub fn fit(
        method: &Method,
        values: &NumberColumn,
        ids: Option<&IdColumns>,
        rows: Option<&[u32]>,
        dimension: &Dimension,
        threads: Threads<'_>,
    ) -> Option<Self> {
        let picked;
        let column = match rows {
            None => values,
            Some(rows) => {
                picked = values.take(rows);
                &picked
            }
        };
        let spread = Spread::of(column, threads)?;
        let (least, most) = spread.ends();
        let range = (least.to_f64(), most.to_f64());
        let bins = usize::from(dimension.bins);
        let edges = match method {
            Method::Type7 => BinEdges::type7_of(column, bins, &spread, threads).map(Kind::Edges),
            Method::RParity => BinEdges::r_parity(column, bins, threads).map(Kind::Edges),
            Method::Cuts(cuts, closed) => Some(Kind::Edges(BinEdges::explicit(Numbers::Floats(cuts.clone()), *closed))),
            Method::Split => Tiles::fit(values, ids, rows, bins).map(Kind::Tiles),
        };
        edges.map(|kind| Self { kind, range, counts: vec![0; bins] })
    }

    /// Whether deserialized bins are consistent.
    pub fn is_sound(&self, bins: usize) -> bool {
        let kind = match &self.kind {
            Kind::Edges(edges) => edges.bins() == bins && edges.is_sound(),
            Kind::Tiles(tiles) => {
                let parts = |(_, id): &(Number, CustomerKey)| id.len();
                tiles.firsts.len() < bins
                    && tiles.firsts.iter().all(|first| parts(first) == parts(&tiles.firsts[0]))
                    && tiles.firsts.is_sorted_by(|(a, a_id), (b, b_id)| a.compare(*b).then(a_id.cmp(b_id)).is_le())
            }
        };
        // Bounded, so that sums of counts cannot overflow.
        let counts = self.counts.len() == bins && self.counts.iter().all(|&count| count < 1 << 48);
        kind && counts && self.range.0 <= self.range.1
    }

    /// The bin of every row; 0 for null.
    pub fn bin_rows(&self, values: &NumberColumn, ids: Option<&IdColumns>, threads: Threads<'_>) -> Vec<u8> {
        match &self.kind {
            Kind::Edges(edges) => edges.bin_rows(values, threads),
            Kind::Tiles(tiles) => {
                let mut id = Vec::new();
                let bin = |row: usize| {
                    let Some(value) = values.get(row) else { return 0 };
                    if let Some(ids) = ids {
                        ids.parts(row, &mut id);
                    }
                    tiles.bin(value, ids.map(|_| id.as_slice()))
                };
                (0..values.len()).map(bin).collect()
            }
        }
    }

    /// The bin of one value; without an id it sorts before equal values.
    #[inline]
    pub fn bin_one(&self, value: Number, id: Option<&[Key<'_>]>) -> u8 {
        match &self.kind {
            Kind::Edges(edges) => edges.bin_one(value),
            Kind::Tiles(tiles) => tiles.bin(value, id),
        }
    }

    /// The ends of a bin; in a tile, whether they are closed depends on the id.
    pub(super) fn bounds(&self, bin: u8, id: Option<&[Key<'_>]>) -> (Option<BinBound>, Option<BinBound>) {
        let edges = [usize::from(bin).checked_sub(2), usize::from(bin).checked_sub(1)];
        let [lower, upper] = match &self.kind {
            Kind::Edges(values) => {
                let closed = [values.closed() == Closed::Left, values.closed() == Closed::Right];
                [0, 1].map(|end| edges[end].and_then(|edge| values.edge(edge)).map(|value| BinBound { value, is_closed: closed[end] }))
            }
            Kind::Tiles(tiles) => [0, 1].map(|end| {
                let (value, first) = edges[end].and_then(|edge| tiles.firsts.get(edge))?;
                let is_reached = id.is_some_and(|id| first.compare(id).is_le());
                Some(BinBound { value: *value, is_closed: is_reached == (end == 0) })
            }),
        };
        (lower, upper)
    }

    /// The lowest and the highest bin of customers with this value: they differ if ids decide.
    pub(super) fn bins_by_id(&self, value: Number) -> (u8, u8) {
        match &self.kind {
            Kind::Edges(edges) => {
                let bin = edges.bin_one(value);
                (bin, bin)
            }
            Kind::Tiles(tiles) => {
                let before = tiles.firsts.partition_point(|(first, _)| first.compare(value).is_lt());
                let up_to = tiles.firsts.partition_point(|(first, _)| first.compare(value).is_le());
                (1 + before as u8, 1 + up_to as u8)
            }
        }
    }

    /// The type of the fitted values, if there is an edge.
    pub(super) fn form(&self) -> Option<NumberForm> {
        let edge = match &self.kind {
            Kind::Edges(edges) => edges.edge(0),
            Kind::Tiles(tiles) => tiles.firsts.first().map(|(value, _)| *value),
        };
        edge.map(Number::form)
    }

    /// The id of the first tile edge, if ids decide among equal values.
    pub(super) fn first_id(&self) -> Option<&CustomerKey> {
        match &self.kind {
            Kind::Edges(_) => None,
            Kind::Tiles(tiles) => tiles.firsts.first().map(|(_, id)| id),
        }
    }

    /// The edges between bins, ascending; for tiles, the first value of each tile except the first.
    pub fn edges(&self) -> Vec<f64> {
        match &self.kind {
            Kind::Edges(edges) => edges.to_f64(),
            Kind::Tiles(tiles) => tiles.firsts.iter().map(|(value, _)| value.to_f64()).collect(),
        }
    }
}

impl Tiles {
    /// SQL's NTILE: the first n mod B tiles have one more row than the others.
    fn fit(values: &NumberColumn, ids: Option<&IdColumns>, rows: Option<&[u32]>, bins: usize) -> Option<Self> {
        let ids = ids?;
        let mut rows: Vec<u32> = match rows {
            Some(rows) => rows.to_vec(),
            None => (0..values.len() as u32).filter(|&row| values.is_valid(row as usize)).collect(),
        };
        let value = |row: u32| values.get(row as usize);
        rows.sort_unstable_by(|&a, &b| match (value(a), value(b)) {
            (Some(x), Some(y)) => x.compare(y).then_with(|| ids.compare(a as usize, b as usize)),
            (x, y) => x.is_some().cmp(&y.is_some()),
        });
        let n = rows.len();
        let start = |tile: usize| tile * (n / bins) + tile.min(n % bins);
        let starts = (1..bins).map(start).take_while(|&at| at < n);
        Some(Self { firsts: starts.filter_map(|at| Some((value(rows[at])?, ids.owned(rows[at] as usize)))).collect() })
    }

    fn bin(&self, value: Number, id: Option<&[Key<'_>]>) -> u8 {
        let reached = |(first, first_id): &(Number, CustomerKey)| match (first.compare(value), id) {
            (Ordering::Less, _) => true,
            (Ordering::Equal, Some(id)) => first_id.compare(id).is_le(),
            _ => false,
        };
        1 + self.firsts.partition_point(reached) as u8
    }
}
