//! Steps from one option of a segment to the next on the concave hull of cost and value.

/// A step: customers of a segment get `to` instead of the option before, or of none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// The options, by their rows.
    pub(super) from: Option<usize>,
    pub(super) to: usize,
    /// What it costs more, for a customer.
    pub(super) cost: f64,
    /// What it brings more.
    pub(super) value: f64,
    /// Value per cost; infinite where it costs nothing.
    pub(super) slope: f64,
    /// The cost of `to`.
    whole_cost: f64,
}

/// The steps of all segments by falling slope; of equal ones the option that costs less first, then the one in the earlier row.
///
/// `segments` has the rows of each segment's options.
pub(super) fn steps(segments: &[Vec<usize>], cost: &[f64], value: &[f64]) -> Vec<Step> {
    let mut found = Vec::with_capacity(cost.len());
    for options in segments {
        append_steps(options, cost, value, &mut found);
    }
    found.sort_by(|a, b| b.slope.total_cmp(&a.slope).then(a.whole_cost.total_cmp(&b.whole_cost)).then(a.to.cmp(&b.to)));
    found
}

fn append_steps(options: &[usize], cost: &[f64], value: &[f64], steps: &mut Vec<Step>) {
    let mut order = options.to_vec();
    order.sort_by(|&a, &b| cost[a].total_cmp(&cost[b]).then(value[b].total_cmp(&value[a])).then(a.cmp(&b)));
    let mut hull: Vec<Option<usize>> = vec![None];
    let point = |at: Option<usize>| at.map_or((0.0, 0.0), |i| (cost[i], value[i]));
    for next in order {
        let new = (cost[next], value[next]);
        if new.1 <= point(hull.last().copied().flatten()).1 {
            continue; // it costs as much as another, or more, and brings less
        }
        while let [.., first, second] = hull[..] {
            let (first, second) = (point(first), point(second));
            // Options on a straight line stay: they are smaller steps.
            if (new.1 - second.1) * (second.0 - first.0) > (second.1 - first.1) * (new.0 - second.0) {
                hull.pop();
            } else {
                break;
            }
        }
        hull.push(Some(next));
    }
    // Rounding may not turn the order of steps on a line.
    let mut last = f64::INFINITY;
    for ends in hull.windows(2) {
        let ((from_cost, from_value), (to_cost, to_value)) = (point(ends[0]), point(ends[1]));
        if let Some(to) = ends[1] {
            let (cost, value) = (to_cost - from_cost, to_value - from_value);
            last = (value / cost).min(last);
            steps.push(Step { from: ends[0], to, cost, value, slope: last, whole_cost: to_cost });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_a_hull() {
        let cost = [5.0, 0.8, 0.05, 3.0, 0.8];
        let value = [9.0, 4.0, 0.6, 4.5, 3.9];
        let found = steps(&[vec![0, 1, 2, 3, 4]], &cost, &value);
        let places: Vec<(Option<usize>, usize)> = found.iter().map(|step| (step.from, step.to)).collect();
        assert_eq!(places, [(None, 2), (Some(2), 1), (Some(1), 0)]);
        assert!((found[2].cost - 4.2).abs() < 1e-12 && (found[2].value - 5.0).abs() < 1e-12);
    }

    #[test]
    fn options_on_a_line_stay_and_losses_go() {
        let found = steps(&[vec![0, 1], vec![2], vec![3]], &[2.0, 1.0, 1.0, 0.0], &[4.0, 2.0, -1.0, 0.5]);
        let places: Vec<(Option<usize>, usize)> = found.iter().map(|step| (step.from, step.to)).collect();
        assert_eq!(places, [(None, 3), (None, 1), (Some(1), 0)]);
        assert!(found[0].slope.is_infinite());
    }
}
