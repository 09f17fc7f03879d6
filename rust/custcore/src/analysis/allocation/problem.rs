//! An allocation to cells: bounds in money, budgets of groups, and the plan that fills the hulls of the curves by price.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::curve::invalid;
use super::fill::fill;
use super::groups::groups;
use super::hull::append_hull;
use super::piece::{Form, Piece};
use super::spec::{AllocationCell, AllocationObjective, AllocationSpec, SpendLimit, check_budget};
use crate::error::Result;
use crate::num::exact::exact_sum;
use crate::num::special::ln;

/// Sums of bounds may exceed a budget by rounding.
const ROUNDING: f64 = 1e-12;

/// Cells, checked, and their settings.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) cells: Vec<AllocationCell>,
    pub(super) spec: AllocationSpec,
    /// The group with a budget that a cell is in, by its place among the budgets.
    group: Vec<Option<usize>>,
}

/// Bounds in money, and the hulls of the curves between them, for one budget.
pub(super) struct Hulls {
    budget: Option<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    group_budget: Vec<f64>,
    pieces: Vec<Piece>,
}

/// What the cells get.
#[derive(Debug, Clone)]
pub(super) struct Spends {
    pub(super) spend: Vec<f64>,
    pub(super) price: f64,
    /// The price of each group that has a budget, on its own.
    pub(super) group_price: Vec<f64>,
}

/// Where the spend of a cell lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    None,
    Low,
    Inside,
    High,
}

impl At {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Inside => "inside",
            Self::High => "high",
        }
    }
}

impl Problem {
    /// Checks cells and settings.
    pub(super) fn new(cells: Vec<AllocationCell>, spec: AllocationSpec) -> Result<Self> {
        if let Some(budget) = spec.budget {
            check_budget(budget)?;
        }
        let mut seen: HashMap<_, usize, RandomState> = HashMap::with_capacity_and_hasher(cells.len(), RandomState::default());
        for (row, cell) in cells.iter().enumerate() {
            if let Some(first) = seen.insert((cell.segment.as_str(), cell.channel.as_deref()), row) {
                let name = cell.name();
                return Err(invalid(format!(
                    "the cell {name} is given twice, at {first} and {row} counted from 0; expected one curve for each cell"
                )));
            }
            if let Some(se) = cell.se.filter(|se| !(*se >= 0.0 && se.is_finite())) {
                return Err(invalid(format!("se={se:?} of the cell {} is invalid; expected a standard error, 0 or more", cell.name())));
            }
        }
        drop(seen);
        let group = groups(&cells, &spec)?;
        Ok(Self { cells, spec, group })
    }

    /// The hulls where `budget` is to be spent.
    pub(super) fn hulls(&self, budget: Option<f64>) -> Result<Hulls> {
        let bound = |own: Option<SpendLimit>, default: Option<SpendLimit>, which: &str, cell: &AllocationCell, otherwise: f64| match own
            .or(default)
        {
            Some(limit) => limit.money(budget, || format!("{which} of the cell {}", cell.name())),
            None => Ok(otherwise),
        };
        let (mut low, mut high) = (Vec::with_capacity(self.cells.len()), Vec::with_capacity(self.cells.len()));
        let mut pieces = Vec::with_capacity(self.cells.len());
        for (i, cell) in self.cells.iter().enumerate() {
            let least = bound(cell.low, self.spec.low, "low", cell, 0.0)?;
            let most = bound(cell.high, self.spec.high, "high", cell, f64::INFINITY)?;
            if least > most || least == f64::INFINITY {
                return Err(invalid(format!("low={least:?} of the cell {} exceeds its high={most:?}; expected low <= high", cell.name())));
            }
            append_hull(i, &cell.curve, least, most, &mut pieces);
            low.push(least);
            high.push(most.min(cell.curve.end()).max(least));
        }
        let money = |(name, limit): &(String, SpendLimit)| limit.money(budget, || format!("group_budget of '{}'", name.escape_debug()));
        let group_budget = self.spec.group_budget.iter().map(money).collect::<Result<Vec<f64>>>()?;
        let hulls = Hulls { budget, low, high, group_budget, pieces };
        hulls.check(self)?;
        Ok(hulls)
    }

    /// The smallest budget that the lower bounds allow.
    pub(super) fn least_budget(&self) -> f64 {
        let (mut money, mut share) = (0.0, 0.0);
        for cell in &self.cells {
            match cell.low.or(self.spec.low) {
                Some(SpendLimit::Money(amount)) => money += amount,
                Some(SpendLimit::Share(part)) => share += part,
                None => {}
            }
        }
        if share < 1.0 { money / (1.0 - share) } else { money }
    }

    /// The plan of hulls, whose curves are multiplied by factors if there are any.
    pub(super) fn spends(&self, hulls: &Hulls, factors: Option<&[f64]>) -> Spends {
        let mut pieces = hulls.pieces.clone();
        if let Some(factors) = factors {
            let logs: Vec<f64> = factors.iter().map(|&factor| if factor > 0.0 { ln(factor) } else { 0.0 }).collect();
            for piece in &mut pieces {
                let factor = factors[piece.cell];
                *piece = if factor > 0.0 { piece.scaled(factor, logs[piece.cell]) } else { piece.cut(piece.from) };
            }
        }
        // Where profit is counted, money that brings less than itself is not spent.
        let floor = if self.spec.objective == AllocationObjective::Profit { 1.0 } else { 0.0 };
        let mut is_used_up = vec![false; hulls.group_budget.len()];
        let mut group_price = Vec::with_capacity(hulls.group_budget.len());
        for (group, &most) in hulls.group_budget.iter().enumerate() {
            let of_group: Vec<usize> = (0..pieces.len()).filter(|&i| self.group[pieces[i].cell] == Some(group)).collect();
            let part: Vec<Piece> = of_group.iter().map(|&i| pieces[i]).collect();
            let filled = fill(&part, hulls.room_of_group(self, group, most), floor);
            is_used_up[group] = !filled.is_full;
            if is_used_up[group] {
                for (&i, &to) in of_group.iter().zip(&filled.spend) {
                    pieces[i] = pieces[i].cut(to);
                }
            }
            group_price.push(filled.price);
        }
        let room = hulls.budget.map_or(f64::INFINITY, |budget| rest(budget, hulls.low.iter().copied()));
        let filled = fill(&pieces, room, floor);
        let mut spend = hulls.low.clone();
        for (piece, &to) in pieces.iter().zip(&filled.spend) {
            if to > piece.from {
                spend[piece.cell] = to;
            }
        }
        // With money left one more unit is not spent: it brings less than itself, or there is no cell that could take it.
        let could_take = |piece: &Piece, to: f64| to < piece.to && self.group[piece.cell].is_none_or(|group| !is_used_up[group]);
        let is_left = filled.is_full && pieces.iter().zip(&filled.spend).any(|(piece, &to)| could_take(piece, to));
        Spends { spend, price: if is_left { 1.0 } else { filled.price }, group_price }
    }
}

/// A budget less the lower bounds, rounded once: where curves begin steeply the order of the cells would matter.
fn rest(budget: f64, low: impl Iterator<Item = f64>) -> f64 {
    let terms: Vec<f64> = std::iter::once(budget).chain(low.map(|low| -low)).collect();
    exact_sum(&terms).unwrap_or(0.0).max(0.0)
}

impl Hulls {
    /// The lower bounds of the cells of a group.
    fn low_of_group(&self, problem: &Problem, group: usize) -> impl Iterator<Item = f64> {
        self.low.iter().zip(&problem.group).filter(move |(_, of)| **of == Some(group)).map(|(&low, _)| low)
    }

    /// What is left of the budget of a group after the lower bounds.
    fn room_of_group(&self, problem: &Problem, group: usize, most: f64) -> f64 {
        if most.is_finite() { rest(most, self.low_of_group(problem, group)) } else { most }
    }

    fn check(&self, problem: &Problem) -> Result<()> {
        let least: f64 = self.low.iter().sum();
        if let Some(budget) = self.budget.filter(|budget| least > budget * (1.0 + ROUNDING)) {
            return Err(invalid(format!(
                "budget={budget:?} is below the sum of the lower bounds, {least:?}; lower them, or raise the budget"
            )));
        }
        for (group, (&most, (name, _))) in self.group_budget.iter().zip(&problem.spec.group_budget).enumerate() {
            let least: f64 = self.low_of_group(problem, group).sum();
            if least > most * (1.0 + ROUNDING) {
                let name = name.escape_debug();
                return Err(invalid(format!(
                    "group_budget of '{name}' is {most:?}, below the sum of the lower bounds of its cells, {least:?}; lower them, or raise it"
                )));
            }
        }
        if self.budget.is_none() && problem.spec.objective == AllocationObjective::Return {
            let is_endless = |&cell: &usize| {
                self.high[cell] == f64::INFINITY && problem.group[cell].is_none_or(|group| self.group_budget[group] == f64::INFINITY)
            };
            if let Some(cell) = (0..self.high.len()).find(is_endless) {
                return Err(invalid(format!(
                    "budget=None with objective='return' spends without end on the cell {}; pass a budget, high=, or objective='profit'",
                    problem.cells[cell].name()
                )));
            }
        }
        Ok(())
    }

    /// Where the spend of a cell lies.
    pub(super) fn at(&self, cell: usize, spend: f64) -> At {
        if spend <= 0.0 {
            At::None
        } else if spend <= self.low[cell] {
            At::Low
        } else if spend >= self.high[cell] {
            At::High
        } else {
            At::Inside
        }
    }

    /// What the hulls have more than the curves at these spends.
    pub(super) fn gap(&self, problem: &Problem, spend: &[f64]) -> f64 {
        let above = |piece: &Piece| {
            let (x, curve) = (spend[piece.cell], &problem.cells[piece.cell].curve);
            match piece.form {
                Form::Straight(slope) if x > piece.from && x < piece.to => {
                    (curve.value(piece.from) + slope * (x - piece.from) - curve.value(x)).max(0.0)
                }
                _ => 0.0,
            }
        };
        self.pieces.iter().map(above).sum()
    }
}
