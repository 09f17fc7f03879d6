//! Filling pieces by price: each is filled to where its slope has fallen to one price, at which the money is just spent (the conditions
//! of Karush, Kuhn and Tucker, which are sufficient for concave curves).

use super::piece::{EXACT, Form, Hint, Piece};
use crate::num::special::{exp, ln};

/// The most steps for the price; bisection alone needs about 60.
const MAX_STEPS: usize = 200;
/// The relative difference between money to spend and spent at which the price is settled. What is left is distributed.
const SETTLED: f64 = 1e-13;

/// The error of spends in steps that are far from the price: the money differs by more than [`CLOSE`].
const ROUGH: f64 = 1e-8;
const CLOSE: f64 = 1e-3;

/// Pieces, filled.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    /// Where spend ends in each piece, `from..=to`.
    pub(super) spend: Vec<f64>,
    /// The slope at which the last money was spent; 0 if the money fills all pieces. Without money, the highest slope.
    pub(super) price: f64,
    /// Whether money is left, or just enough. The price alone does not tell: slopes may be below the smallest float.
    pub(super) is_full: bool,
}

/// Fills pieces with `money` beyond where they begin, down to the slope `floor` at the lowest. Straight pieces of one slope, the last, are
/// filled in order.
pub(super) fn fill(all: &[Piece], money: f64, floor: f64) -> Filled {
    let steps = Steps::of(all, floor);
    let mut arcs = Arcs::of(all);
    let log_floor = if floor > 0.0 { ln(floor) } else { f64::NEG_INFINITY };
    let mut spend: Vec<f64> = all.iter().map(|piece| piece.from).collect();
    if money >= arcs.at(all, log_floor).0 + steps.all.last().map_or(0.0, |step| step.after) {
        steps.fill(all, steps.order.len(), &mut spend);
        arcs.write(&mut spend);
        return Filled { spend, price: 0.0, is_full: true };
    }
    // The first slope down to which all pieces together take the money.
    let at = first(steps.all.len(), |i| arcs.at(all, ln(steps.all[i].slope)).0 + steps.all[i].after >= money);
    let jump = steps.all.get(at).filter(|step| arcs.at(all, ln(step.slope)).0 + step.before <= money);
    let price = if let Some(step) = jump {
        steps.fill(all, step.begin, &mut spend);
        let mut left = money - step.before - arcs.money();
        for &i in &steps.order[step.begin..step.end] {
            spend[i] = if left >= all[i].length() { all[i].to } else { all[i].from + left };
            left = (left - all[i].length()).max(0.0);
        }
        arcs.write(&mut spend);
        step.slope
    } else {
        let above = at.checked_sub(1).and_then(|before| steps.all.get(before));
        steps.fill(all, above.map_or(0, |step| step.end), &mut spend);
        let log_above = above.map_or(f64::INFINITY, |step| ln(step.slope));
        let below = steps.all.get(at).map_or(log_floor, |step| ln(step.slope));
        let money = money - above.map_or(0.0, |step| step.after);
        let log = arcs.price(all, money, (below, log_above));
        arcs.distribute(all, money);
        arcs.write(&mut spend);
        exp(log)
    };
    let price = last_slope(all, &spend, price);
    Filled { spend, price, is_full: false }
}

/// The lowest slope at which money was spent. It differs from `price`, the slope of pieces that are partly filled, only where there
/// are none.
fn last_slope(all: &[Piece], spend: &[f64], price: f64) -> f64 {
    let slope = |piece: &Piece, log: f64| if let Form::Straight(slope) = piece.form { slope } else { exp(log) };
    let mut last = f64::INFINITY;
    for (piece, &spend) in all.iter().zip(spend).filter(|(piece, spend)| **spend > piece.from) {
        if spend < piece.to {
            return price;
        }
        last = last.min(slope(piece, piece.end()));
    }
    if last < f64::INFINITY {
        return last;
    }
    all.iter().filter(|piece| piece.length() > 0.0).map(|piece| slope(piece, piece.start())).fold(0.0, f64::max)
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
    slope: f64,
    /// Their places in the order by slope.
    begin: usize,
    end: usize,
    /// The length of all straight pieces of higher slope, and with those of this one.
    before: f64,
    after: f64,
}

/// The straight pieces by falling slope.
struct Steps {
    order: Vec<usize>,
    all: Vec<Step>,
}

impl Steps {
    fn of(pieces: &[Piece], floor: f64) -> Self {
        let mut sorted: Vec<(f64, usize)> = Vec::new();
        for (i, piece) in pieces.iter().enumerate() {
            if let Form::Straight(slope) = piece.form
                && slope >= floor
                && piece.length() > 0.0
            {
                sorted.push((slope, i));
            }
        }
        sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut all: Vec<Step> = Vec::with_capacity(sorted.len());
        let mut length = 0.0;
        for (place, &(slope, i)) in sorted.iter().enumerate() {
            if all.last().is_none_or(|step| step.slope > slope) {
                all.push(Step { slope, begin: place, end: place, before: length, after: length });
            }
            length += pieces[i].length();
            if let Some(step) = all.last_mut() {
                (step.end, step.after) = (place + 1, length);
            }
        }
        Self { order: sorted.into_iter().map(|(_, i)| i).collect(), all }
    }

    /// Fills the first `n` pieces.
    fn fill(&self, pieces: &[Piece], n: usize, spend: &mut [f64]) {
        for &i in &self.order[..n] {
            spend[i] = pieces[i].to;
        }
    }
}

/// A piece whose slope falls, as it was last asked.
struct Arc {
    piece: usize,
    hint: Hint,
    spend: f64,
    rise: f64,
    from: f64,
}

/// Pieces whose slope falls.
struct Arcs(Vec<Arc>);

impl Arcs {
    fn of(all: &[Piece]) -> Self {
        let falls = |piece: &Piece| !piece.is_straight() && piece.length() > 0.0;
        let arc = |(i, piece): (usize, &Piece)| Arc { piece: i, hint: Hint::NONE, spend: piece.from, rise: 0.0, from: piece.from };
        Self(all.iter().enumerate().filter(|(_, piece)| falls(piece)).map(arc).collect())
    }

    /// The money that they take down to a slope, and by how much it rises per unit by which the logarithm of the slope falls.
    fn at(&mut self, all: &[Piece], log: f64) -> (f64, f64) {
        self.near(all, log, EXACT)
    }

    /// The same within a relative error of the logarithms of spends.
    fn near(&mut self, all: &[Piece], log: f64, error: f64) -> (f64, f64) {
        let (mut money, mut rise) = (0.0, 0.0);
        for arc in &mut self.0 {
            (arc.spend, arc.rise) = all[arc.piece].spend_at(log, &mut arc.hint, error);
            money += arc.spend - arc.from;
            rise += arc.rise;
        }
        (money, rise)
    }

    /// The money that they took when they were last asked.
    fn money(&self) -> f64 {
        self.0.iter().map(|arc| arc.spend - arc.from).sum()
    }

    /// Writes the spends of that time.
    fn write(&self, spend: &mut [f64]) {
        for arc in &self.0 {
            spend[arc.piece] = arc.spend;
        }
    }

    /// Changes the spends of that time, whose sum is nearly `money`, so that it is: logarithms have a smallest step, and so has the sum.
    fn distribute(&mut self, all: &[Piece], money: f64) {
        let rise: f64 = self.0.iter().map(|arc| arc.rise).sum();
        let more = (money - self.money()) / rise;
        if more.is_finite() {
            for arc in self.0.iter_mut().filter(|arc| arc.rise > 0.0) {
                arc.spend = (arc.spend + more * arc.rise).clamp(arc.from, all[arc.piece].to);
            }
        }
    }

    /// The logarithm of the slope, between two, at which `money` is spent: Newton steps within a bracket.
    fn price(&mut self, all: &[Piece], money: f64, (mut low, above): (f64, f64)) -> f64 {
        let steepest = self.0.iter().map(|arc| all[arc.piece].start()).fold(f64::NEG_INFINITY, f64::max);
        let mut high = steepest.min(above);
        if money <= 0.0 {
            self.at(all, high);
            return high;
        }
        let between = |low: f64, high: f64, width: f64| match (low.is_finite(), high.is_finite()) {
            (true, true) => 0.5 * (low + high),
            (true, false) => low + width,
            (false, true) => high - width,
            (false, false) => 0.0,
        };
        let mut width = 1.0;
        // Slopes are money per money: near 1.
        let mut log = if low.is_finite() {
            low
        } else if high > 0.0 {
            0.0
        } else {
            high - width
        };
        let mut last = f64::INFINITY;
        for _ in 0..MAX_STEPS {
            let (mut found, mut rise) = self.near(all, log, ROUGH);
            // Far from the price, spends need not be exact to say on which side of it this slope is.
            if (found - money).abs() <= CLOSE * money {
                (found, rise) = self.at(all, log);
            }
            let more = found - money;
            if more.abs() <= SETTLED * money {
                break;
            }
            if more > 0.0 {
                low = log;
            } else {
                high = log;
            }
            // Far from the price spend is nearer to an exponential function of its logarithm, as of Hill's curve, than to a line.
            let ratio = found / money;
            let newton = if (0.5..2.0).contains(&ratio) { log + more / rise } else { log + found * ln(ratio) / rise };
            let converges = more.abs() < 0.5 * last;
            last = more.abs();
            if converges && newton > low && newton < high {
                log = newton;
            } else {
                width *= 2.0;
                log = between(low, high, width);
            }
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
        let filled = fill(&pieces, 23.0, 0.0);
        assert_eq!((filled.spend, filled.price), (vec![10.0, 22.0, 0.0, 1.0], 2.0));
        let filled = fill(&pieces, 11.0, 0.0);
        assert_eq!((filled.spend, filled.price), (vec![10.0, 10.0, 0.0, 1.0], 4.0));
        assert_eq!((fill(&pieces, 36.0, 0.0).price, fill(&pieces, 0.0, 0.0).price, fill(&[], 5.0, 0.0).price), (0.0, 9.0, 0.0));
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
            let filled = fill(&pieces, money, 0.0);
            let spent: f64 = pieces.iter().zip(&filled.spend).map(|(piece, spend)| spend - piece.from).sum();
            assert!((spent - money).abs() <= 1e-12 * money, "{money}: {spent}");
            let log = filled.price.ln();
            for (piece, &spend) in pieces.iter().zip(&filled.spend) {
                let (expected, _) = piece.spend_at(log, &mut { Hint::NONE }, EXACT);
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
        let filled = fill(&pieces, 1.0, 0.0);
        assert_eq!(filled.spend, [1.0, 0.0]);
        assert!((filled.price - 1f64.exp()).abs() < 1e-9);
        assert!((fill(&pieces, 0.0, 0.0).price - 2f64.exp()).abs() < 1e-12);
        assert_eq!((fill(&pieces, 2.0, 0.0).price, fill(&pieces, 9.0, 0.0).price), (0.0, 0.0));
    }
}
