//! Intervals and tests of a difference of two arms.

use super::spec::Alternative;
use crate::num::normal::normal_quantile;
use crate::num::special::{exp, ln};
use crate::num::student::{student_t_quantile, student_t_sf, student_t_two_sided};

/// An estimate of an arm, and the terms of its variance with their degrees of freedom.
#[derive(Debug, Clone, Default)]
pub(super) struct ArmEstimate {
    pub n: u64,
    pub value: f64,
    pub terms: Vec<(f64, f64)>,
}

impl ArmEstimate {
    /// The variance of the estimate.
    pub(super) fn variance(&self) -> f64 {
        self.terms.iter().map(|(variance, _)| variance).sum()
    }
}

/// A difference of two arms; NaN is null.
#[derive(Debug, Clone, Copy)]
pub(super) struct Difference {
    pub control: f64,
    pub treatment: f64,
    pub effect: f64,
    pub se: f64,
    pub df: f64,
    pub low: f64,
    pub high: f64,
    pub p_value: f64,
    pub relative: f64,
    pub relative_low: f64,
    pub relative_high: f64,
}

impl Difference {
    /// Null in all.
    pub(super) const NULL: Self = Self {
        control: f64::NAN,
        treatment: f64::NAN,
        effect: f64::NAN,
        se: f64::NAN,
        df: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
        p_value: f64::NAN,
        relative: f64::NAN,
        relative_low: f64::NAN,
        relative_high: f64::NAN,
    };
}

/// How intervals are computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct IntervalRule {
    pub level: f64,
    pub alternative: Alternative,
    pub sequential: Option<f64>,
}

impl IntervalRule {
    /// The share that an interval leaves out beyond each of its finite bounds.
    fn tail(self) -> f64 {
        match self.alternative {
            Alternative::TwoSided => (1.0 - self.level) / 2.0,
            Alternative::Greater | Alternative::Less => 1.0 - self.level,
        }
    }

    /// The quantile of the normal distribution for the level.
    pub(super) fn normal(self) -> f64 {
        -normal_quantile(self.tail())
    }

    /// Bounds at `half` from an estimate.
    pub(super) fn bounds(self, effect: f64, half: f64) -> (f64, f64) {
        match self.alternative {
            Alternative::TwoSided => (effect - half, effect + half),
            Alternative::Greater => (effect - half, f64::INFINITY),
            Alternative::Less => (f64::NEG_INFINITY, effect + half),
        }
    }

    /// Welch's (1947) interval and test of two arms, Satterthwaite's degrees of freedom over all terms, and Fieller's (1954) interval of the
    /// relative difference.
    pub(super) fn welch(self, treatment: &ArmEstimate, control: &ArmEstimate) -> Difference {
        let (v_t, v_c) = (treatment.variance(), control.variance());
        let variance = v_t + v_c;
        if treatment.n < 2 || control.n < 2 || variance.is_nan() || treatment.value.is_nan() || control.value.is_nan() {
            return Difference::NULL;
        }
        let (effect, se) = (treatment.value - control.value, variance.sqrt());
        let mut all = Difference { control: control.value, treatment: treatment.value, effect, se, ..Difference::NULL };
        let quantile;
        if se == 0.0 {
            (all.low, all.high, quantile) = (effect, effect, 0.0);
        } else if let Some(planned) = self.sequential {
            let bound = AlwaysValid::new(1.0 - self.level, planned, (treatment.n + control.n) as f64);
            quantile = bound.quantile();
            (all.low, all.high) = self.bounds(effect, quantile * se);
            all.p_value = bound.p_value(effect / se);
        } else {
            let terms = treatment.terms.iter().chain(&control.terms);
            all.df = variance * variance / terms.filter(|(term, _)| *term > 0.0).map(|(term, df)| term * term / df).sum::<f64>();
            quantile = student_t_quantile(1.0 - self.tail(), all.df);
            (all.low, all.high) = self.bounds(effect, quantile * se);
            let t = effect / se;
            all.p_value = match self.alternative {
                Alternative::TwoSided => student_t_two_sided(t, all.df),
                Alternative::Greater => student_t_sf(t, all.df),
                Alternative::Less => student_t_sf(-t, all.df),
            };
        }
        self.set_relative(&mut all, (v_t, v_c), quantile);
        all
    }

    /// The relative difference and Fieller's interval; null unless the mean of control is clearly above 0.
    pub(super) fn set_relative(self, all: &mut Difference, (v_t, v_c): (f64, f64), q: f64) {
        let (m_t, m_c) = (all.treatment, all.control);
        let (squared, scale) = (q * q, m_c * m_c - q * q * v_c);
        if !(m_c > 0.0 && scale > 0.0) {
            return;
        }
        all.relative = all.effect / m_c;
        let product = m_t * m_c;
        let root = (product * product - scale * (m_t * m_t - squared * v_t)).max(0.0).sqrt();
        let (low, high) = ((product - root) / scale - 1.0, (product + root) / scale - 1.0);
        (all.relative_low, all.relative_high) = match self.alternative {
            Alternative::TwoSided => (low, high),
            Alternative::Greater => (low, f64::INFINITY),
            Alternative::Less => (f64::NEG_INFINITY, high),
        };
    }
}

/// The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021), as in `GrowthBook`: valid at every look.
struct AlwaysValid {
    alpha: f64,
    k: f64,
}

impl AlwaysValid {
    /// For `n` customers of both groups, tightest at `planned`.
    fn new(alpha: f64, planned: f64, n: f64) -> Self {
        let two_ln = -2.0 * ln(alpha);
        Self { alpha, k: n * (two_ln + ln(1.0 + two_ln)) / planned }
    }

    fn quantile(&self) -> f64 {
        let more = self.k + 1.0;
        (2.0 * more / self.k * ln(more.sqrt() / self.alpha)).sqrt()
    }

    fn p_value(&self, z: f64) -> f64 {
        let more = self.k + 1.0;
        (more.sqrt() * exp(-z * z * self.k / (2.0 * more))).min(1.0)
    }
}
