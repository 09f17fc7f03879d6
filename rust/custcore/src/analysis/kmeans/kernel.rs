//! The arithmetic of distances; it sees slices and numbers.

/// Sum over the features, in order, of (x - c)^2, in float64: the one definition of a squared distance.
#[inline(always)]
pub fn squared_distance(x: &[f64], c: &[f64]) -> f64 {
    x.iter().zip(c).fold(0.0, |sum, (x, c)| sum + (x - c) * (x - c))
}

/// The nearest of the centres (ties: the first), and the squared distances to it and to the second nearest.
#[inline]
pub fn nearest(x: &[f64], centers: &[f64]) -> (usize, f64, f64) {
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
