//! Feature scaling: (x - center) / scale, optionally of the signed logarithm sign(x) log(1 + |x|), which is log(1 + x) where
//! x is not negative. It is defined and ascending everywhere, so customers with more refunds than purchases keep their order.

use serde::{Deserialize, Serialize};

use super::points::{FeatureValues, Features, Float, Points, each_float};
use super::scan::each_chunk;
use crate::analysis::model::StoredModel;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::exact;

/// The scaling method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalerMethod {
    /// Mean and population standard deviation.
    Standard,
    /// Median and interquartile range (type 7).
    Robust,
}

/// Fitted centres and scales.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaler {
    /// The scaling method.
    pub how: ScalerMethod,
    /// The feature names, if any.
    pub names: Option<Vec<String>>,
    /// The offset subtracted from each feature.
    pub centers: Vec<f64>,
    /// The divisor of each feature; 1 for a constant feature.
    pub scales: Vec<f64>,
    /// Whether the signed logarithm is taken first, per feature.
    pub log1p: Vec<bool>,
}

impl Scaler {
    /// Fits a scaler; `log1p` names the features whose signed logarithm is taken first.
    pub fn fit(features: &Features, how: ScalerMethod, log1p: &[String], context: &Context) -> Result<Self> {
        let n = features.n_features();
        let names: Vec<String> = (0..n).map(|feature| features.name(feature)).collect();
        if let Some(unknown) = log1p.iter().find(|name| !names.contains(name)) {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            let message = format!("log1p names '{unknown}', which is not a feature; {}", crate::error::suggestion(unknown, &all));
            return Err(Error::new(ErrorKind::ColumnNotFound, message).in_column(unknown));
        }
        if features.rows() == 0 {
            return Err(super::points::not_enough("there are no rows to fit a scaler on"));
        }
        super::scan::ranges(features, context)?;
        let log: Vec<bool> = names.iter().map(|name| log1p.contains(name)).collect();
        let plain = Self { how, names: features.names.clone(), centers: vec![0.0; n], scales: vec![1.0; n], log1p: log };
        let (mut centers, mut scales) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for feature in 0..n {
            context.check()?;
            let column = plain.column(features, feature, context)?;
            let (center, scale) = match how {
                ScalerMethod::Standard => standard(&column),
                ScalerMethod::Robust => robust(column),
            };
            centers.push(center);
            // The scale of a constant feature is rounding error, and dividing by it would amplify noise.
            let noise = 10.0 * f64::EPSILON * center.abs();
            scales.push(if scale.is_finite() && scale > noise { scale } else { 1.0 });
        }
        Ok(Self { centers, scales, ..plain })
    }

    /// Checks that the parameters are consistent.
    pub fn checked(self) -> Result<Self> {
        let n = self.centers.len();
        let sound = n > 0
            && self.scales.len() == n
            && self.log1p.len() == n
            && self.names.as_ref().is_none_or(|names| names.len() == n)
            && self.centers.iter().all(|x| x.is_finite())
            && self.scales.iter().all(|x| x.is_finite() && *x > 0.0);
        if sound {
            return Ok(self);
        }
        Err(Error::new(ErrorKind::InvalidArgument, "invalid scaler parameters: lists differ in length, or scales are not positive"))
    }

    /// The names of the features whose signed logarithm is taken.
    pub fn log1p_names(&self) -> Vec<String> {
        let name = |feature: usize| self.names.as_ref().map_or_else(|| feature.to_string(), |names| names[feature].clone());
        (0..self.log1p.len()).filter(|&feature| self.log1p[feature]).map(name).collect()
    }

    fn check_width(&self, row: &[f64]) -> Result<()> {
        if row.len() == self.centers.len() { Ok(()) } else { Err(feature_count_mismatch(row.len(), self.centers.len())) }
    }

    /// Scales a row.
    pub fn row(&self, row: &[f64]) -> Result<Vec<f64>> {
        let mut scaled = vec![0.0; row.len()];
        self.row_into(row, &mut scaled)?;
        Ok(scaled)
    }

    /// Scales a row into `out`, which has the same length.
    pub fn row_into(&self, row: &[f64], out: &mut [f64]) -> Result<()> {
        self.check_width(row)?;
        for (feature, (&x, out)) in row.iter().zip(out).enumerate() {
            *out = self.value(feature, x);
        }
        Ok(())
    }

    /// Transforms a scaled row back to original units.
    pub fn inverse_row(&self, row: &[f64]) -> Result<Vec<f64>> {
        self.check_width(row)?;
        Ok(row.iter().enumerate().map(|(feature, &x)| self.inverse(feature, x)).collect())
    }

    /// Scales a value.
    #[inline]
    pub fn value(&self, feature: usize, x: f64) -> f64 {
        let x = if self.log1p[feature] { signed_ln_1p(x) } else { x };
        (x - self.centers[feature]) / self.scales[feature]
    }

    /// Transforms a scaled value back to its original unit.
    pub fn inverse(&self, feature: usize, x: f64) -> f64 {
        let x = x * self.scales[feature] + self.centers[feature];
        if self.log1p[feature] { x.abs().exp_m1().copysign(x) } else { x }
    }

    /// Scales all rows.
    pub fn transform(&self, features: &Features, context: &Context) -> Result<Features> {
        if features.n_features() != self.centers.len() {
            return Err(feature_count_mismatch(features.n_features(), self.centers.len()));
        }
        let columns = (0..features.n_features()).map(|feature| self.column(features, feature, context)).collect::<Result<Vec<_>>>()?;
        Ok(Features { names: features.names.clone(), values: FeatureValues::F64(Points::of_columns(columns, features.rows())) })
    }

    fn column(&self, features: &Features, feature: usize, context: &Context) -> Result<Vec<f64>> {
        each_float!(&features.values, points => self.column_of(points, feature, context))
    }

    fn column_of<T: Float>(&self, points: &Points<T>, feature: usize, context: &Context) -> Result<Vec<f64>> {
        let blocks = points.blocks();
        let mut column = vec![0.0; points.rows()];
        let mut rest = column.as_mut_slice();
        let mut pieces = Vec::with_capacity(blocks.len());
        for block in &blocks {
            let (own, others) = std::mem::take(&mut rest).split_at_mut(block.len);
            rest = others;
            pieces.push((block, own));
        }
        let work = |(block, out): (&super::points::PointBlock, &mut [f64])| {
            context.check()?;
            let (values, stride) = points.lanes(block)[feature].from(block.start);
            for (row, out) in out.iter_mut().enumerate() {
                *out = self.value(feature, values[row * stride].wide());
            }
            Ok(())
        };
        each_chunk(pieces, (context, points.rows()), work, |(), ()| ())?;
        Ok(column)
    }
}

/// Settings of a scaler, and its parameters if fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalerModel {
    /// The requested features; `None` for all columns of the table.
    pub columns: Option<Vec<String>>,
    /// The scaling method.
    pub how: ScalerMethod,
    /// The features whose signed logarithm is taken first.
    pub log1p: Vec<String>,
    /// The fitted parameters.
    pub fitted: Option<Scaler>,
}

impl ScalerModel {
    /// Checks that settings and parameters are consistent.
    pub fn checked(mut self) -> Result<Self> {
        self.fitted = self.fitted.map(Scaler::checked).transpose()?;
        let mismatch =
            self.fitted.as_ref().is_some_and(|fitted| fitted.how != self.how || (self.columns.is_some() && fitted.names != self.columns));
        let unknown = self.columns.as_ref().is_some_and(|columns| self.log1p.iter().any(|name| !columns.contains(name)));
        if mismatch || unknown {
            return Err(Error::new(ErrorKind::InvalidArgument, "the settings of the scaler are inconsistent with its fitted parameters"));
        }
        Ok(self)
    }
}

/// sign(x) log(1 + |x|).
fn signed_ln_1p(x: f64) -> f64 {
    x.abs().ln_1p().copysign(x)
}

pub(super) fn feature_count_mismatch(found: usize, expected: usize) -> Error {
    let message = format!("X has {found} features, but the model is expecting {expected} features as input");
    Error::new(ErrorKind::InvalidArgument, message)
}

fn standard(column: &[f64]) -> (f64, f64) {
    let mean = exact_mean(column, |x| x);
    let largest = column.iter().map(|x| (x - mean).abs()).fold(0.0, f64::max);
    // Very large and very small deviations are divided by a power of two first, as their squares are not representable.
    let unit =
        if largest == 0.0 || (1e-140..1e140).contains(&largest) { 1.0 } else { 2_f64.powi((largest.log2() as i32).clamp(-1000, 1000)) };
    let variance = exact_mean(column, |x| {
        let deviation = (x - mean) / unit;
        deviation * deviation
    });
    (mean, variance.sqrt() * unit)
}

fn exact_mean(column: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut sum = Vec::new();
    column.iter().for_each(|&x| exact::grow(&mut sum, term(x)));
    exact::quotient(&sum, &[column.len() as f64])
}

fn robust(mut column: Vec<f64>) -> (f64, f64) {
    column.sort_unstable_by(f64::total_cmp);
    let quantile = |quarter: usize| {
        // Type 7: rank (n - 1) * quarter / 4.
        let at = (column.len() - 1) * quarter;
        let (below, above) = (column[at / 4], column[(at / 4 + 1).min(column.len() - 1)]);
        below + (above - below) * ((at % 4) as f64 / 4.0)
    };
    (quantile(2), quantile(3) - quantile(1))
}

impl StoredModel for ScalerModel {
    const KIND: &'static str = "scaler";
    type Body = Self;

    fn body(&self) -> Self {
        self.clone()
    }

    fn restore(body: Self) -> Result<Self> {
        body.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_logarithm_is_odd_and_is_inverted() {
        let scaler = Scaler { how: ScalerMethod::Standard, names: None, centers: vec![0.0], scales: vec![1.0], log1p: vec![true] };
        for x in [0.0, 0.5, 1.0, 4287.63, 1e300] {
            assert_eq!(scaler.value(0, x), x.ln_1p());
            assert_eq!(scaler.value(0, -x), -x.ln_1p());
            assert!((scaler.inverse(0, scaler.value(0, -x)) + x).abs() <= 1e-12 * x);
        }
    }

    #[test]
    fn deviations_whose_squares_are_not_representable_are_scaled() {
        for unit in [1e200, 1e-200, 1e-310] {
            let column: Vec<f64> = [0.0, 1.0, 10.0, 11.0].iter().map(|x| x * unit).collect();
            let (center, scale) = standard(&column);
            assert!((center / unit - 5.5).abs() < 1e-9, "{unit}: {center}");
            assert!((scale / unit - 25.25_f64.sqrt()).abs() < 1e-9, "{unit}: {scale}");
        }
        assert_eq!(standard(&[7.0, 7.0]), (7.0, 0.0));
    }
}
