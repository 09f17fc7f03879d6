//! Counts of answers, the net promoter score and its interval.

use super::spec::NpsInterval;

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The answers of a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// Without an answer.
    pub(super) missing: u64,
    /// 9 and 10.
    pub(super) promoters: u64,
    /// 7 and 8.
    pub(super) passives: u64,
    /// 0 to 6.
    pub(super) detractors: u64,
}

impl Answers {
    /// Counts an answer from 0 to 10; `None` is missing.
    pub(super) fn add(&mut self, score: Option<u8>) {
        let count = match score {
            None => &mut self.missing,
            Some(9..) => &mut self.promoters,
            Some(7..) => &mut self.passives,
            Some(_) => &mut self.detractors,
        };
        *count += 1;
    }

    /// Number of answers.
    pub(super) fn answers(&self) -> u64 {
        self.promoters + self.passives + self.detractors
    }

    /// The score in points, and its 95 % interval; `None` without an answer.
    pub(super) fn nps(&self, interval: NpsInterval) -> Option<(f64, f64, f64)> {
        let answers = self.answers();
        if answers == 0 {
            return None;
        }
        let (promoters, detractors, n) = (self.promoters as f64, self.detractors as f64, answers as f64);
        let (added, n_added) = match interval {
            NpsInterval::Adjusted => (0.75, n + 3.0),
            NpsInterval::Wald => (0.0, n),
        };
        let (p, d) = ((promoters + added) / n_added, (detractors + added) / n_added);
        let difference = p - d;
        let half = Z * ((p + d - difference * difference).max(0.0) / n_added).sqrt();
        let bound = |value: f64| (100.0 * value).clamp(-100.0, 100.0);
        // One division: 100 (P - D) may be exact.
        Some((100.0 * (promoters - detractors) / n, bound(difference - half), bound(difference + half)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_alike() {
        let mut answers = Answers::default();
        (0..15).for_each(|_| answers.add(Some(3)));
        answers.add(None);
        assert_eq!((answers.answers(), answers.missing), (15, 1));
        assert_eq!(answers.nps(NpsInterval::Wald), Some((-100.0, -100.0, -100.0)));
        let (nps, low, high) = answers.nps(NpsInterval::Adjusted).unwrap_or_default();
        assert!((nps + 100.0).abs() + (low + 100.0).abs() < 1e-12 && (high + 61.555_955_727_332_744).abs() < 1e-9, "{low} {high}");
        assert_eq!(Answers::default().nps(NpsInterval::Adjusted), None);
    }

    #[test]
    fn bounds_of_answers() {
        let mut answers = Answers::default();
        (0..=10).for_each(|score| answers.add(Some(score)));
        assert_eq!((answers.promoters, answers.passives, answers.detractors), (2, 2, 7));
    }
}
