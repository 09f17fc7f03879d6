//! Squared distances and the nearest centre, in float64.

/// The squared distance: the sum of (x - c)^2 over the features in order, in float64. All labels are defined by it.
#[inline(always)]
pub(crate) fn squared_distance(x: &[f64], c: &[f64]) -> f64 {
    x.iter().zip(c).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c))
}

/// The index of the nearest centre (ties to the lowest index), and the squared distances to it and to the second nearest.
#[inline]
pub(crate) fn nearest(x: &[f64], centers: &[f64]) -> (usize, f64, f64) {
    let (mut best, mut first, mut second) = (0, f64::INFINITY, f64::INFINITY);
    for (j, center) in centers.chunks_exact(x.len()).enumerate() {
        let distance = squared_distance(x, center);
        if distance < first {
            (best, second, first) = (j, first, distance);
        } else if distance < second {
            second = distance;
        }
    }
    (best, first, second)
}
