//! Elementary and special functions that give the same bits on every machine: those of the standard library call the platform's C
//! library, which differs between machines. The crates libm and special hold 3e-16 against exact values.

use special::Gamma;

/// Natural logarithm.
#[inline]
pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x).
#[inline]
pub(crate) fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// e^x.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// e^x - 1.
#[inline]
pub(crate) fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// ln(1 + e^z), without overflow.
#[inline]
pub(crate) fn ln_1p_exp(z: f64) -> f64 {
    z.max(0.0) + ln_1p(exp(-z.abs()))
}

/// The complementary error function, 2/√π ∫ from x to ∞ of e^(-t²) dt.
#[inline]
pub(crate) fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// ln Γ(x), x > 0.
#[inline]
pub(crate) fn ln_gamma(x: f64) -> f64 {
    Gamma::ln_gamma(x).0
}

/// ψ(x), the derivative of ln Γ(x), x > 0.
#[inline]
pub(crate) fn digamma(x: f64) -> f64 {
    Gamma::digamma(x)
}

/// ψ'(x), x > 0.
#[inline]
pub(crate) fn trigamma(x: f64) -> f64 {
    Gamma::trigamma(&x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_tables() {
        // NIST DLMF 5.4, 5.17; Abramowitz and Stegun, table 6.1.
        assert!((ln_gamma(0.5) - 0.572_364_942_924_700_1).abs() < 1e-15);
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-15);
        assert!((trigamma(1.0) - 1.644_934_066_848_226_4).abs() < 1e-14);
        assert_eq!((ln_1p_exp(800.0), ln_1p_exp(-800.0)), (800.0, 0.0));
        assert!((ln_1p_exp(0.0) - 2.0_f64.ln()).abs() < 1e-16);
    }
}
