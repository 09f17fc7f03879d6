//! Exact sums of squared distances, a block at a time.

use super::lanes::{Lanes, Task};
use super::lloyd::{Label, Problem};
use super::points::{Block, Float};
use super::share::Share;
use super::sums::{Steps, Sums};
use crate::column::BLOCK;
use crate::error::Result;

/// What is added up over the rows.
#[derive(Debug, Clone, Copy)]
pub enum Terms<'a> {
    /// A feature.
    Value {
        /// Which.
        feature: usize,
    },
    /// The square of a feature less its mean.
    Square {
        /// Which.
        feature: usize,
        /// Its mean.
        mean: f64,
    },
    /// The squared distance to the own centre.
    Distance {
        /// The centres, one after the other.
        centers: &'a [f64],
    },
}

/// Adds up terms over the rows of a share.
pub struct Spread<'a, 'p, T: Float, L> {
    /// What is clustered.
    pub problem: &'a Problem<'p, T>,
    /// The rows.
    pub share: &'a Share<L>,
    /// The terms.
    pub terms: Terms<'a>,
    /// Weights of the terms.
    pub weights: Option<&'a [f64]>,
    /// Steps for the terms.
    pub steps: Steps,
}

impl<T: Float, L: Label> Task for Spread<'_, '_, T, L> {
    type Output = Result<Sums>;

    #[inline(always)]
    fn run<V: Lanes>(self) -> Result<Sums> {
        let mut sums = Sums::new(1, &[self.steps]);
        let mut terms = vec![0.0; BLOCK];
        let mut start = 0;
        for block in &self.share.blocks {
            self.problem.context.check()?;
            let out = &mut terms[..block.len];
            self.fill(block, start, out);
            match self.weights {
                Some(weights) => {
                    let weights = &weights[self.share.first_row + start..];
                    out.iter().zip(weights).for_each(|(&term, &weight)| sums.add_product(0, weight, term));
                }
                None => add_all(out, self.steps, &mut sums),
            }
            start += block.len;
        }
        Ok(sums)
    }
}

impl<T: Float, L: Label> Spread<'_, '_, T, L> {
    #[inline(always)]
    fn fill(&self, block: &Block, start: usize, out: &mut [f64]) {
        let lanes = self.problem.points.lanes(block);
        match self.terms {
            Terms::Value { feature } => each(&lanes[feature], block, out, |out, x| *out = x),
            Terms::Square { feature, mean } => each(&lanes[feature], block, out, |out, x| *out = (x - mean) * (x - mean)),
            Terms::Distance { centers } => {
                let labels = &self.share.labels[start..start + block.len];
                out.fill(0.0);
                for (f, lane) in lanes.iter().enumerate() {
                    let (values, stride) = lane.from(block.start);
                    let own = centers[f..].iter().step_by(lanes.len());
                    if let Some(bytes) = L::bytes(labels) {
                        // A table of all bytes needs no check of its length.
                        let mut table = [0.0; 256];
                        table.iter_mut().zip(own).for_each(|(slot, &c)| *slot = c);
                        let pairs = out.iter_mut().zip(bytes);
                        let add = |((out, label), x): ((&mut f64, &u8), &T)| {
                            let difference = x.wide() - table[usize::from(*label)];
                            *out += difference * difference;
                        };
                        if stride == 1 { pairs.zip(values).for_each(add) } else { pairs.zip(values.iter().step_by(stride)).for_each(add) }
                    } else {
                        for ((out, label), x) in out.iter_mut().zip(labels).zip(values.iter().step_by(stride)) {
                            let difference = x.wide() - centers[label.index() * lanes.len() + f];
                            *out += difference * difference;
                        }
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn each<T: Float>(lane: &super::points::Lane<T>, block: &Block, out: &mut [f64], f: impl Fn(&mut f64, f64)) {
    let (values, stride) = lane.from(block.start);
    if stride == 1 {
        out.iter_mut().zip(values).for_each(|(out, x)| f(out, x.wide()));
    } else {
        out.iter_mut().zip(values.iter().step_by(stride)).for_each(|(out, x)| f(out, x.wide()));
    }
}

/// Adds some thousand terms exactly.
#[inline(always)]
fn add_all(terms: &[f64], steps: Steps, sums: &mut Sums) {
    let (mut high, mut low, mut partial) = ([0_i64; 8], [0_i64; 8], [0_u64; 8]);
    let chunks = terms.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..8 {
            let (h, l, whole) = steps.split(chunk[i]);
            high[i] += h;
            low[i] += l;
            partial[i] |= u64::from(!whole);
        }
    }
    for &term in rest {
        let (h, l, whole) = steps.split(term);
        high[0] += h;
        low[0] += l;
        partial[0] |= u64::from(!whole);
    }
    sums.add_whole(0, high.iter().sum(), low.iter().sum());
    if partial.iter().any(|&some| some != 0) {
        terms.iter().filter(|&&term| !steps.split(term).2).for_each(|&term| sums.add_rest(0, term));
    }
}
