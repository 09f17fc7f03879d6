//! Scores of categories for a customer who has some.

use super::counts::PairCounts;
use super::spec::NextMethod;

/// A recommendation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Suggestion {
    pub category: u32,
    pub score: f64,
    /// The category of the customer that adds most to the score.
    pub because: Option<u32>,
}

/// Weights of pairs, and categories by popularity. Shared by threads.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    method: NextMethod,
    counts: &'a [u32],
    pairs: &'a PairCounts,
    /// Beside the partners of the pairs.
    weights: Vec<f64>,
    /// Descending by customers, then ascending by category.
    popular: Vec<u32>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(method: NextMethod, counts: &'a [u32], pairs: &'a PairCounts) -> Self {
        let mut weights = Vec::with_capacity(pairs.partners.len());
        for (category, &customers) in (0..).zip(counts) {
            let (partners, both) = pairs.of(category);
            match method {
                NextMethod::Cosine => weights.extend(partners.iter().zip(both).map(|(&other, &both)| {
                    let product = f64::from(customers) * f64::from(counts[other as usize]);
                    f64::from(both) / product.sqrt()
                })),
                NextMethod::Confidence => weights.extend(both.iter().map(|&both| f64::from(both) / f64::from(customers))),
                NextMethod::Popularity => {}
            }
        }
        let mut popular: Vec<u32> = (0..counts.len() as u32).collect();
        popular.sort_by_key(|&category| std::cmp::Reverse(counts[category as usize]));
        Self { method, counts, pairs, weights, popular }
    }

    fn of(&self, category: u32) -> (&[u32], &[f64]) {
        let range = self.pairs.starts[category as usize]..self.pairs.starts[category as usize + 1];
        (&self.pairs.partners[range.clone()], &self.weights[range])
    }

    /// The weight of a pair; 0 if no customer has both.
    fn weight(&self, owned: u32, category: u32) -> f64 {
        let (partners, weights) = self.of(owned);
        partners.binary_search(&category).map_or(0.0, |at| weights[at])
    }
}

/// Scores the categories of one customer after the other.
#[derive(Debug)]
pub(super) struct Scoring<'a> {
    weights: &'a Weights<'a>,
    scores: Vec<f64>,
    is_owned: Vec<bool>,
    candidates: Vec<u32>,
    found: Vec<Suggestion>,
}

impl<'a> Scoring<'a> {
    pub(super) fn new(weights: &'a Weights<'a>) -> Self {
        let n = weights.counts.len();
        Self { weights, scores: vec![0.0; n], is_owned: vec![false; n], candidates: Vec::new(), found: Vec::new() }
    }

    /// The best `k` categories of a customer who has these, ascending; by score descending, then by category. Of what is owned, none,
    /// unless asked. The most popular ones for a customer who has nothing at all, which is not the same as nothing that the model knows:
    /// then all scores are 0.
    pub(super) fn top(&mut self, owned: &[u32], has_any: bool, k: usize, exclude_owned: bool) -> &[Suggestion] {
        self.found.clear();
        if exclude_owned {
            owned.iter().for_each(|&category| self.is_owned[category as usize] = true);
        }
        if !has_any || self.weights.method == NextMethod::Popularity {
            let free = self.weights.popular.iter().filter(|category| !self.is_owned[**category as usize]);
            let score = |category: u32| f64::from(self.weights.counts[category as usize]);
            let suggest = |&category: &u32| Suggestion { category, score: score(category), because: None };
            self.found.extend(free.take(k).map(suggest));
        } else {
            self.score(owned);
            self.choose(k);
            let weights = self.weights;
            for suggestion in &mut self.found {
                let added =
                    owned.iter().map(|&own| (own, if own == suggestion.category { 0.0 } else { weights.weight(own, suggestion.category) }));
                // The first of those that add most.
                let most = added.reduce(|best, next| if next.1 > best.1 { next } else { best });
                suggestion.because = most.filter(|(_, weight)| *weight > 0.0).map(|(own, _)| own);
            }
        }
        if exclude_owned {
            owned.iter().for_each(|&category| self.is_owned[category as usize] = false);
        }
        &self.found
    }

    /// Sums are added in the order of categories, so that they do not depend on anything else.
    fn score(&mut self, owned: &[u32]) {
        self.scores.iter_mut().for_each(|score| *score = 0.0);
        for &own in owned {
            let (partners, weights) = self.weights.of(own);
            for (&other, weight) in partners.iter().zip(weights) {
                self.scores[other as usize] += weight;
            }
        }
        if self.weights.method == NextMethod::Confidence {
            let n = owned.len().max(1) as f64;
            self.scores.iter_mut().for_each(|score| *score /= n);
        }
    }

    fn choose(&mut self, k: usize) {
        let (scores, is_owned) = (&self.scores, &self.is_owned);
        self.candidates.clear();
        self.candidates.extend((0..scores.len() as u32).filter(|&category| !is_owned[category as usize]));
        let order = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
        if k < self.candidates.len() {
            self.candidates.select_nth_unstable_by(k, order);
            self.candidates.truncate(k);
        }
        self.candidates.sort_unstable_by(order);
        let suggest = |&category: &u32| Suggestion { category, score: scores[category as usize], because: None };
        self.found.extend(self.candidates.iter().map(suggest));
    }
}

#[cfg(test)]
mod tests {
    use super::super::owned::Lists;
    use super::*;
    use crate::error::Result;
    use crate::exec::context::Context;

    #[test]
    fn scores_are_those_of_the_formula() -> Result<()> {
        let mut lists = Lists::default();
        for items in [&[0, 1][..], &[0, 1], &[0, 2], &[1], &[3]] {
            lists.push(items.iter().copied());
        }
        let pairs = PairCounts::count(&lists, 4, &Context::new(1))?;
        let counts = [3, 3, 1, 1];
        let cosine = Weights::new(NextMethod::Cosine, &counts, &pairs);
        let mut scoring = Scoring::new(&cosine);
        let found: Vec<Suggestion> = scoring.top(&[0], true, 3, true).to_vec();
        let suggestion = |category, score, because| Suggestion { category, score, because };
        assert_eq!(found, [suggestion(1, 2.0 / 3.0, Some(0)), suggestion(2, 1.0 / 3.0_f64.sqrt(), Some(0)), suggestion(3, 0.0, None)]);
        let confidence = Weights::new(NextMethod::Confidence, &counts, &pairs);
        let mut scoring = Scoring::new(&confidence);
        assert_eq!(scoring.top(&[1, 2], true, 1, true), [suggestion(0, (2.0 / 3.0 + 1.0) / 2.0, Some(2))]);
        assert_eq!(scoring.top(&[0, 1], true, 1, false), [suggestion(0, 1.0 / 3.0, Some(1))]);
        assert_eq!(scoring.top(&[], true, 2, true), [suggestion(0, 0.0, None), suggestion(1, 0.0, None)]);
        assert_eq!(
            scoring.top(&[], false, 9, true).iter().map(|found| (found.category, found.score)).collect::<Vec<_>>(),
            [(0, 3.0), (1, 3.0), (2, 1.0), (3, 1.0)]
        );
        let none = PairCounts { starts: vec![0; 5], ..PairCounts::default() };
        let popularity = Weights::new(NextMethod::Popularity, &counts, &none);
        assert_eq!(Scoring::new(&popularity).top(&[0], true, 1, true), [suggestion(1, 3.0, None)]);
        Ok(())
    }
}
