//! Filling pieces by price: each is filled to where its slope has fallen to one price, at which the money is just spent (the conditions
//! of Karush, Kuhn and Tucker, which are sufficient for concave curves).

use super::piece::{Form, Piece};
use crate::num::special::exp;

/// The most steps for the price; bisection alone needs about 60.
const MAX_STEPS: usize = 200;
/// The relative difference between money to spend and spent at which the price is settled. What is left is distributed.
const SETTLED: f64 = 1e-13;

/// Pieces, filled.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    /// Where spend ends in each piece, `from..=to`.
    pub(super) spend: Vec<f64>,
    /// The slope at which the last money was spent; 0 if all pieces are full. Without money, the highest slope.
    pub(super) price: f64,
}

/// Fills pieces with `money` beyond where they begin. Straight pieces of one slope, the last, are filled in order.
pub(super) fn fill(all: &[Piece], money: f64) -> Filled {
    let total: f64 = all.iter().map(Piece::length).sum();
    if money >= total {
        return Filled { spend: all.iter().map(|piece| piece.to).collect(), price: 0.0 };
    }
    let mut spend: Vec<f64> = all.iter().map(|piece| piece.from).collect();
    let steps = Step::of(all);
    let mut arcs = Arcs::of(all);
    // The first slope down to which all pieces together take the money.
    let at = first(steps.len(), |i| arcs.at(all, steps[i].log).0 + steps[i].after >= money);
    for &i in steps[..at].iter().flat_map(|step| &step.pieces) {
        spend[i] = all[i].to;
    }
    let jump = steps.get(at).filter(|step| arcs.at(all, step.log).0 + step.before <= money);
    let price = if let Some(step) = jump {
        let mut left = money - step.before - arcs.at(all, step.log).0;
        arcs.spend_at(all, step.log, &mut spend);
        for &i in &step.pieces {
            spend[i] = if left >= all[i].length() { all[i].to } else { all[i].from + left };
            left = (left - all[i].length()).max(0.0);
        }
        step.slope
    } else {
        let before = if at == 0 { 0.0 } else { steps[at - 1].after };
        let above = if at == 0 { f64::INFINITY } else { steps[at - 1].log };
        let below = steps.get(at).map_or(f64::NEG_INFINITY, |step| step.log);
        exp(arcs.fill(all, money - before, below, above, &mut spend))
    };
    let price = last_slope(all, &spend, price);
    Filled { spend, price }
}

/// The lowest slope at which money was spent. It differs from `price`, the slope of pieces that are partly filled, only where there
/// are none.
fn last_slope(all: &[Piece], spend: &[f64], price: f64) -> f64 {
    let slope = |piece: &Piece, log: f64| if let Form::Straight(slope) = piece.form { slope } else { exp(log) };
    let touched = all.iter().zip(spend).filter(|(piece, spend)| **spend > piece.from);
    let last = touched.map(|(piece, &spend)| if spend < piece.to { price } else { slope(piece, piece.end) }).fold(f64::INFINITY, f64::min);
    if last < f64::INFINITY {
        return last;
    }
    all.iter().filter(|piece| piece.length() > 0.0).map(|piece| slope(piece, piece.start)).fold(0.0, f64::max)
}

/// The first of `n` for which `is_reached`, which stays true once it is.
fn first(n: usize, mut is_reached: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_reached(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Straight pieces of one slope.
struct Step {
    log: f64,
    slope: f64,
    pieces: Vec<usize>,
    /// The length of all straight pieces of higher slope, and with those of this one.
    before: f64,
    after: f64,
}

impl Step {
    /// The straight pieces, by falling slope.
    fn of(all: &[Piece]) -> Vec<Self> {
        let mut order: Vec<(f64, f64, usize)> = Vec::new();
        for (i, piece) in all.iter().enumerate().filter(|(_, piece)| piece.length() > 0.0) {
            if let Form::Straight(slope) = piece.form {
                order.push((slope, piece.start, i));
            }
        }
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
        let mut steps: Vec<Self> = Vec::new();
        let mut length = 0.0;
        for (slope, log, i) in order {
            if steps.last().is_none_or(|step| step.slope > slope) {
                steps.push(Self { log, slope, pieces: Vec::new(), before: length, after: length });
            }
            length += all[i].length();
            if let Some(step) = steps.last_mut() {
                step.pieces.push(i);
                step.after = length;
            }
        }
        steps
    }
}

/// Pieces whose slope falls, each with what its inverse starts from.
struct Arcs(Vec<(usize, f64)>);

impl Arcs {
    fn of(all: &[Piece]) -> Self {
        let falls = |piece: &Piece| !piece.is_straight() && piece.length() > 0.0;
        Self(all.iter().enumerate().filter(|(_, piece)| falls(piece)).map(|(i, _)| (i, f64::NAN)).collect())
    }

    /// The money that they take down to a slope, and by how much it rises per unit by which the logarithm of the slope falls.
    fn at(&mut self, all: &[Piece], log: f64) -> (f64, f64) {
        let (mut money, mut rise) = (0.0, 0.0);
        for (i, hint) in &mut self.0 {
            let piece = &all[*i];
            let (spend, more) = piece.spend_at(log, hint);
            money += spend - piece.from;
            rise += more;
        }
        (money, rise)
    }

    fn spend_at(&mut self, all: &[Piece], log: f64, spend: &mut [f64]) {
        for (i, hint) in &mut self.0 {
            spend[*i] = all[*i].spend_at(log, hint).0;
        }
    }

    /// Spends `money`, which the arcs take at a slope between two; returns the logarithm of that slope.
    fn fill(&mut self, all: &[Piece], money: f64, below: f64, above: f64, spend: &mut [f64]) -> f64 {
        let log = self.price(all, money, below, above);
        let (found, rise) = self.at(all, log);
        self.spend_at(all, log, spend);
        // The logarithm has a smallest step, and so has the sum; spend is nearly linear in it.
        if rise > 0.0 && found.is_finite() {
            let more = (money - found) / rise;
            for (i, hint) in &mut self.0 {
                let piece = &all[*i];
                spend[*i] = (spend[*i] + more * piece.spend_at(log, hint).1).clamp(piece.from, piece.to);
            }
        }
        log
    }

    /// The logarithm of the slope at which `money` is spent: Newton steps within a bracket.
    fn price(&mut self, all: &[Piece], money: f64, below: f64, above: f64) -> f64 {
        let steepest = self.0.iter().map(|(i, _)| all[*i].start).fold(f64::NEG_INFINITY, f64::max).min(above);
        let (mut low, mut high) = (below, steepest);
        let mut width = 1.0;
        if high == f64::INFINITY {
            // Hill's curve with k < 1 begins vertically.
            high = self.0.iter().map(|(i, _)| all[*i].middle()).fold(f64::NEG_INFINITY, f64::max);
            while self.at(all, high).0 > money {
                low = high;
                high += width;
                width *= 2.0;
            }
        } else if self.at(all, high).0 >= money {
            return high;
        }
        width = 1.0;
        if low == f64::NEG_INFINITY {
            low = high - width;
            while self.at(all, low).0 < money && low > f64::NEG_INFINITY {
                high = low;
                width *= 2.0;
                low -= width;
            }
        }
        if low == f64::NEG_INFINITY {
            return low; // all are full: the sum was rounded
        }
        let (mut log, mut last) = (0.5 * (low + high), f64::INFINITY);
        for _ in 0..MAX_STEPS {
            let (found, rise) = self.at(all, log);
            let more = found - money;
            if more.abs() <= SETTLED * money {
                break;
            }
            if more > 0.0 {
                low = log;
            } else {
                high = log;
            }
            let newton = log + more / rise;
            let converges = more.abs() < 0.5 * last;
            last = more.abs();
            log = if converges && newton > low && newton < high { newton } else { 0.5 * (low + high) };
            if log <= low || log >= high {
                break;
            }
        }
        log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn straight(cell: usize, from: f64, to: f64, slope: f64) -> Piece {
        Piece::new(cell, from, to, Form::Straight(slope))
    }

    fn exp_arc(cell: usize, top: f64, rate: f64, to: f64) -> Piece {
        Piece::new(cell, 0.0, to, Form::Exp { top, rate })
    }

    #[test]
    fn steps_are_filled_by_slope_and_in_order_where_slopes_are_equal() {
        let pieces = [straight(0, 0.0, 10.0, 4.0), straight(0, 10.0, 30.0, 2.0), straight(1, 0.0, 5.0, 2.0), straight(2, 0.0, 1.0, 9.0)];
        let filled = fill(&pieces, 23.0);
        assert_eq!((filled.spend, filled.price), (vec![10.0, 22.0, 0.0, 1.0], 2.0));
        let filled = fill(&pieces, 11.0);
        assert_eq!((filled.spend, filled.price), (vec![10.0, 10.0, 0.0, 1.0], 4.0));
        assert_eq!((fill(&pieces, 36.0).price, fill(&pieces, 0.0).price, fill(&[], 5.0).price), (0.0, 9.0, 0.0));
    }

    #[test]
    fn all_the_money_is_spent_at_one_price() {
        let mut pieces = vec![straight(9, 0.0, 40.0, 2.0), straight(8, 0.0, 25.0, 0.3)];
        for i in 0..7 {
            let (k, rate) = (0.4 + 0.1 * i as f64, 0.01 + 0.02 * i as f64);
            pieces.push(exp_arc(i, 0.3 * i as f64, rate, if i == 3 { 11.0 } else { f64::INFINITY }));
            pieces.push(Piece::new(10 + i, 0.0, 500.0, Form::Hill { top: 0.5, c: 30.0, k }));
        }
        for money in [1e-9, 0.1, 5.0, 60.0, 100.0, 333.0, 1000.0, 2500.0, 1e5, 1e9] {
            let filled = fill(&pieces, money);
            let spent: f64 = pieces.iter().zip(&filled.spend).map(|(piece, spend)| spend - piece.from).sum();
            assert!((spent - money).abs() <= 1e-12 * money, "{money}: {spent}");
            let log = filled.price.ln();
            for (piece, &spend) in pieces.iter().zip(&filled.spend) {
                let (expected, _) = piece.spend_at(log, &mut { f64::NAN });
                assert!(
                    piece.is_straight() || (spend - expected).abs() <= 1e-6 * (1.0 + expected),
                    "{money} {piece:?}: {spend} {expected}"
                );
            }
        }
    }

    #[test]
    fn the_price_where_no_piece_is_partly_filled() {
        let pieces = [exp_arc(0, 2.0, 1.0, 1.0), exp_arc(1, 0.5, 1.0, 1.0)];
        let filled = fill(&pieces, 1.0);
        assert_eq!(filled.spend, [1.0, 0.0]);
        assert!((filled.price - 1f64.exp()).abs() < 1e-9);
        assert!((fill(&pieces, 0.0).price - 2f64.exp()).abs() < 1e-12);
        assert_eq!((fill(&pieces, 2.0).price, fill(&pieces, 9.0).price), (0.0, 0.0));
    }
}
