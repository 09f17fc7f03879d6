use super::*;
use crate::analysis::clv::predict::{Discounting, GeometricPredictor, NbdPredictor, ParetoPredictor};

/// Parameters like those of CDNOW, in weeks.
const PARAMETERS: [(PurchaseFamily, [f64; 4]); 4] = [
    (PurchaseFamily::Nbd, [0.4, 15.0, 0.0, 0.0]),
    (PurchaseFamily::Bgnbd, [0.243, 4.414, 0.793, 2.426]),
    (PurchaseFamily::Mbgnbd, [0.525, 6.183, 0.891, 1.614]),
    (PurchaseFamily::ParetoNbd, [0.553, 10.578, 0.606, 11.669]),
];

fn predictor(family: PurchaseFamily, p: &[f64]) -> Box<dyn Predictor> {
    match family {
        PurchaseFamily::Nbd => Box::new(NbdPredictor::new(p[0], p[1])),
        PurchaseFamily::ParetoNbd => Box::new(ParetoPredictor::new(p[0], p[1], p[2], p[3])),
        _ => Box::new(GeometricPredictor::new(family, p[0], p[1], p[2], p[3])),
    }
}

const PLAIN: Discounting = Discounting::Continuous { delta: 0.0 };

/// Mean and its standard error.
fn mean(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    (mean, (draws.iter().map(|draw| (draw - mean) * (draw - mean)).sum::<f64>() / (n * n)).sqrt())
}

#[test]
fn histories_have_the_expected_purchases() {
    for (family, parameters) in PARAMETERS {
        let mut random = Random::new(3, 1);
        let draws: Vec<f64> = (0..40_000).map(|_| f64::from(simulate_history(family, &parameters, 39.0, &mut random).0)).collect();
        let (found, error) = mean(&draws);
        let expected = predictor(family, &parameters).expected(39.0);
        assert!((found - expected).abs() < 4.0 * error, "{family:?}: {found} -+ {error}, expected {expected}");
    }
}

#[test]
fn what_follows_a_history_is_what_is_predicted_from_it() {
    // Customers with 1 or 2 purchases, and what they bought afterwards, against p_alive times the expectation.
    for (family, parameters) in PARAMETERS {
        let (age, horizon) = (39.0, 30.0);
        let predictor = predictor(family, &parameters);
        let mut random = Random::new(5, 2);
        let mut differences = Vec::new();
        let mut alive_at_end = Vec::new();
        for _ in 0..60_000 {
            let customer = Customer::draw_new(family, &parameters, &mut random);
            let (mut x, mut t_x, mut later) = (0, 0.0, 0.0);
            customer.purchases(age + horizon, &mut random, |time| {
                if time <= age {
                    (x, t_x) = (x + 1, time);
                } else {
                    later += 1.0;
                }
            });
            if x == 1 || x == 2 {
                let p_alive = predictor.p_alive(x, t_x, age);
                let given = predictor.given_alive(x, age, horizon, PLAIN);
                differences.push(later - p_alive * given.purchases);
                alive_at_end.push(f64::from(u8::from(later > 0.0)) - p_alive * given.p_any);
            }
        }
        for draws in [differences, alive_at_end] {
            let (found, error) = mean(&draws);
            assert!(found.abs() < 4.0 * error, "{family:?}: {found} -+ {error} of {}", draws.len());
        }
    }
}

#[test]
fn simulated_futures_have_the_predicted_moments() {
    for (family, parameters) in PARAMETERS {
        let predictor = predictor(family, &parameters);
        for (x, t_x, age, horizon) in [(0, 0.0, 20.0, 39.0), (2, 30.0, 39.0, 39.0), (8, 38.0, 40.0, 10.0)] {
            let p_alive = predictor.p_alive(x, t_x, age);
            let given = predictor.given_alive(x, age, horizon, PLAIN);
            let mut random = Random::new(8, u64::from(x));
            let counts: Vec<u64> =
                (0..40_000).map(|_| simulate_future(family, &parameters, (x, age, p_alive), horizon, &mut random)).collect();
            let check = |name: &str, expected: f64, value: &dyn Fn(u64) -> f64| {
                let (found, error) = mean(&counts.iter().map(|&count| value(count)).collect::<Vec<_>>());
                assert!((found - expected).abs() < 4.0 * error, "{family:?}, x = {x}: {name} {found} -+ {error}, expected {expected}");
            };
            check("purchases", p_alive * given.purchases, &|count| count as f64);
            check("squared", p_alive * given.squared, &|count| (count * count) as f64);
            check("any", p_alive * given.p_any, &|count| f64::from(u8::from(count > 0)));
        }
    }
}

#[test]
fn purchases_of_a_day_count_once() {
    let mut random = Random::new(1, 1);
    for (family, parameters) in PARAMETERS {
        // About ten purchases a day while the customer lasts.
        let often = [10.0, 1.0, parameters[2], parameters[3]];
        for _ in 0..500 {
            let (x, t_x) = simulate_history_days(family, &often, 30, &mut random);
            assert!(x <= t_x && t_x <= 30 && (x == 0) == (t_x == 0));
            assert_eq!(simulate_history_days(family, &parameters, 0, &mut random), (0, 0));
        }
    }
    assert_eq!(simulate_history_days(PurchaseFamily::Nbd, &[1e6, 1e4], 30, &mut random), (30, 30));
}

fn cells() -> Result<Cells> {
    let rows: Vec<(u32, u32, u32)> = (0..400).map(|i| (i % 4, if i % 4 == 0 { 0 } else { 5 + i % 20 }, 30 + i % 7)).collect();
    Cells::of_days(rows.len(), |i| rows[i], &Context::new(1))
}

#[test]
fn totals_have_the_predicted_mean_and_variance_on_any_number_of_threads() -> Result<()> {
    let cells = cells()?;
    for (family, parameters) in PARAMETERS {
        let of = |parameters: &[f64]| predictor(family, parameters);
        let simulation = Simulation { family, parameters: &parameters, covariance: None, horizon: 39.0, seed: 11, predictor: &of };
        let totals = simulate_totals(&simulation, &cells, 400, &Context::new(1))?;
        assert_eq!(totals, simulate_totals(&simulation, &cells, 400, &Context::new(3))?);
        assert_eq!(totals[..3], simulate_totals(&simulation, &cells, 3, &Context::new(1))?);
        let (mut expected, mut variance) = (0.0, 0.0);
        let predictor = of(&parameters);
        for run in &cells.runs {
            for i in run.cells.clone() {
                let age = cells.times[cells.age[i] as usize];
                let p_alive = predictor.p_alive(run.x, cells.times[cells.recency[i] as usize], age);
                let given = predictor.given_alive(run.x, age, 39.0, PLAIN);
                expected += cells.weight[i] * p_alive * given.purchases;
                variance += cells.weight[i] * (p_alive * given.squared - (p_alive * given.purchases).powi(2));
            }
        }
        let draws: Vec<f64> = totals.iter().map(|&total| total as f64).collect();
        let (found, error) = mean(&draws);
        assert!((found - expected).abs() < 4.0 * error, "{family:?}: {found} -+ {error}, expected {expected}");
        // The standard error of a variance over 400 draws is about 7 %.
        let spread = error * error * 400.0;
        assert!((spread / variance - 1.0).abs() < 0.28, "{family:?}: {spread}, expected {variance}");
    }
    Ok(())
}

#[test]
fn drawn_parameters_widen_totals_by_the_delta_rule() -> Result<()> {
    let cells = cells()?;
    let (family, parameters) = PARAMETERS[0];
    let parameters = &parameters[..2];
    // Logarithms of r and alpha that vary together, by 20 %: totals vary with (r + x)/(alpha + T).
    let covariance = [vec![Some(0.04), Some(0.02)], vec![Some(0.02), Some(0.04)]];
    let of = |parameters: &[f64]| predictor(family, parameters);
    let total = |parameters: &[f64]| -> f64 {
        let each = |run: &super::super::cells::Run, i: usize| {
            cells.weight[i] * (parameters[0] + f64::from(run.x)) / (parameters[1] + cells.times[cells.age[i] as usize]) * 39.0
        };
        cells.runs.iter().map(|run| run.cells.clone().map(|i| each(run, i)).sum::<f64>()).sum()
    };
    let slope = |i: usize| {
        let mut moved = parameters.to_vec();
        moved[i] *= 1.0 + 1e-6;
        (total(&moved) - total(parameters)) / 1e-6
    };
    let (u, v) = (slope(0), slope(1));
    let by_parameters = 0.04 * u * u + 0.04 * v * v + 2.0 * 0.02 * u * v;
    let simulation = |covariance| Simulation { family, parameters, covariance, horizon: 39.0, seed: 4, predictor: &of };
    let spread = |simulation: &Simulation<'_>| -> Result<f64> {
        let totals: Vec<f64> =
            simulate_totals(simulation, &cells, 1_000, &Context::new(2))?.into_iter().map(|total| total as f64).collect();
        Ok(mean(&totals).1.powi(2) * 1_000.0)
    };
    let (fixed, drawn) = (spread(&simulation(None))?, spread(&simulation(Some(&covariance)))?);
    let expected = fixed + by_parameters;
    assert!((drawn / expected - 1.0).abs() < 0.2, "{drawn}, expected {expected}");
    assert!(drawn > 1.5 * fixed);
    Ok(())
}

#[test]
fn a_cholesky_factor_gives_the_covariance_back() {
    let covariance = [vec![Some(4.0), Some(2.0), None], vec![Some(2.0), Some(5.0), None], vec![None, None, None]];
    let factor = cholesky(&covariance, 3);
    assert_eq!(factor, [vec![2.0, 0.0, 0.0], vec![1.0, 2.0, 0.0], vec![0.0, 0.0, 0.0]]);
}
