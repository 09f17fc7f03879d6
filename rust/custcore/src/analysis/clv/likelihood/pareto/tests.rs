//! Derivatives by differences, both forms of the integral against each other, published values.

use super::*;

/// Histories of three years on the day grid: many cells of small x, few of large x.
fn cells(scale: f64) -> Result<Cells> {
    let row = |i: usize| {
        let age = 30 + (i * 7_919) % 400;
        let x = [0, 0, 1, 1, 1, 2, 2, 3, 5, 12][i % 10] + usize::from(i.is_multiple_of(97)) * 40;
        let t_x = if x == 0 { 0 } else { x.max((i * 104_729) % age).min(age) };
        (x.min(age) as u32, t_x as f64 * scale, age as f64 * scale, 1.0 + (i % 3) as f64)
    };
    Cells::of_times(4_000, row, &Context::new(1))
}

fn one_by_one(cells: &Cells, parameters: &Pareto) -> f64 {
    let of = |x: u32, cell: usize| {
        let (t_x, age) = (cells.times[cells.recency[cell] as usize], cells.times[cells.age[cell] as usize]);
        cells.weight[cell] * log_likelihood_one(parameters, x, t_x, age)
    };
    cells.runs.iter().map(|run| run.cells.clone().map(|cell| of(run.x, cell)).sum::<f64>()).sum()
}

fn off_grid(cells: &Cells) -> ParetoLikelihood<'_> {
    let mut likelihood = ParetoLikelihood::new(cells);
    likelihood.tasks.iter_mut().for_each(|task| task.on_grid = false);
    likelihood.max_grid_x = None;
    likelihood
}

const PARAMETERS: [[f64; 4]; 6] = [
    [0.55, 74.0, 0.6, 81.0],
    [0.8, 70.0, 0.5, 70.0],
    [1.5, 0.3, 2.0, 900.0],
    [0.3, 2e4, 0.7, 0.2],
    [1e5, 1e7, 1e4, 1e6],
    [0.8, 60.0, 1e-9, 1e3],
];

#[test]
fn grid_and_single_cells_agree() -> Result<()> {
    let cells = cells(1.0)?;
    let (grid, single) = (ParetoLikelihood::new(&cells), off_grid(&cells));
    assert!(grid.tasks.iter().any(|task| task.on_grid) && grid.tasks.iter().any(|task| !task.on_grid));
    for parameters in PARAMETERS {
        let logs = parameters.map(ln);
        let (a, b) = (grid.evaluate(&logs, &Context::new(1))?, single.evaluate(&logs, &Context::new(1))?);
        assert!((a.value - b.value).abs() < 2e-13 * a.value.abs(), "{parameters:?}: {} {}", a.value, b.value);
        let [r, alpha, s, beta] = parameters;
        let sum = one_by_one(&cells, &Pareto { r, alpha, s, beta });
        assert!((a.value - sum).abs() < 2e-13 * sum.abs(), "{parameters:?}: {} {sum}", a.value);
        for i in 0..4 {
            let size = a.hessian[i][i].abs().max(1e-3);
            assert!((a.gradient[i] - b.gradient[i]).abs() < 1e-9 * size, "{parameters:?} {i}: {:?} {:?}", a.gradient, b.gradient);
            for j in 0..4 {
                let size = (size * a.hessian[j][j].abs().max(1e-3)).sqrt();
                assert!((a.hessian[i][j] - b.hessian[i][j]).abs() < 1e-7 * size, "{parameters:?} {i} {j}: {a:?} {b:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn derivatives_are_those_of_differences() -> Result<()> {
    let context = Context::new(1);
    let cells = cells(1.0)?;
    for likelihood in [ParetoLikelihood::new(&cells), off_grid(&cells)] {
        for parameters in PARAMETERS {
            let logs = parameters.map(ln);
            let at = likelihood.evaluate(&logs, &context)?;
            let step = 1e-4;
            for i in 0..4 {
                let moved = |by: f64| {
                    let mut moved = logs;
                    moved[i] += by;
                    likelihood.evaluate(&moved, &context)
                };
                let points = [moved(-2.0 * step)?, moved(-step)?, moved(step)?, moved(2.0 * step)?];
                let slope = |of: &dyn Fn(&Derivatives) -> f64| {
                    (of(&points[0]) - 8.0 * of(&points[1]) + 8.0 * of(&points[2]) - of(&points[3])) / (12.0 * step)
                };
                let first = slope(&|point| point.value);
                let size = 1e-8 * at.gradient[i].abs() + 1e-10 * at.value.abs();
                assert!((first - at.gradient[i]).abs() < size, "{parameters:?} {i}: {first} {}", at.gradient[i]);
                for j in 0..4 {
                    let second = slope(&|point| point.gradient[j]);
                    let size = 1e-7 * (at.hessian[i][i] * at.hessian[j][j]).abs().sqrt() + 1e-9 * at.value.abs();
                    assert!((second - at.hessian[i][j]).abs() < size, "{parameters:?} {i} {j}: {second} {}", at.hessian[i][j]);
                }
            }
        }
    }
    Ok(())
}

#[test]
fn the_number_of_threads_changes_no_bit() -> Result<()> {
    let row = |i: usize| {
        let age = 1 + (i * 7_919) % 700;
        let x = ((i * 31) % 23).min(age);
        (x as u32, if x == 0 { 0 } else { x.max((i * 104_729) % age) as u32 }, age as u32)
    };
    let cells = Cells::of_days(200_000, row, &Context::new(1))?;
    assert!(cells.len() > 30_000);
    let likelihood = ParetoLikelihood::new(&cells);
    let logs = PARAMETERS[0].map(ln);
    assert_eq!(likelihood.evaluate(&logs, &Context::new(1))?, likelihood.evaluate(&logs, &Context::new(3))?);
    Ok(())
}

#[test]
fn times_need_no_grid() -> Result<()> {
    // The same histories in weeks: the log-likelihood moves by ln 7 for each purchase (definitions, section 5).
    let (days, weeks) = (cells(1.0)?, cells(1.0 / 7.0)?);
    assert!(!weeks.on_day_grid);
    let at =
        |cells: &Cells, unit: f64| ParetoLikelihood::new(cells).evaluate(&[0.55, 74.0 / unit, 0.6, 81.0 / unit].map(ln), &Context::new(1));
    let (a, b) = (at(&days, 1.0)?, at(&weeks, 7.0)?);
    let moved = a.value + ln(7.0) * days.repeat_purchases();
    assert!((b.value - moved).abs() < 1e-12 * moved.abs(), "{} {moved}", b.value);
    assert!((a.hessian[1][3] - b.hessian[1][3]).abs() < 1e-9 * a.hessian[1][1].abs());
    Ok(())
}

#[test]
fn a_cancelled_evaluation_ends() -> Result<()> {
    let (cells, context) = (cells(1.0)?, Context::new(1));
    context.cancel();
    assert!(ParetoLikelihood::new(&cells).evaluate(&PARAMETERS[0].map(ln), &context).is_err());
    Ok(())
}
