//! Predictions of single customers, for services: the same bits as in tables.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow_schema::Metadata;

use super::spec::{PredictSpec, Spend};
use super::table::expectations;
use crate::analysis::clv::model::{PurchaseModel, predictor};
use crate::analysis::clv::predict::{Discounting, Predictor, purchase_quantiles};
use crate::analysis::clv::summary::{LARGEST_SPEND, to_whole_day};
use crate::column::key::OwnedKey;
use crate::error::{Error, ErrorKind, Result};
use crate::report::Report;
use crate::table::{Table, TableBuilder, nullable_floats};

/// The history of one customer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    /// Repeat purchase days.
    pub x: u32,
    /// Days from the first to the last purchase.
    pub t_x: f64,
    /// Days from the first purchase to now.
    pub age: f64,
    /// Mean spend on repeat purchase days.
    pub m_x: Option<f64>,
}

/// What is to come of one customer over one horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// Probability of not having dropped out.
    pub p_alive: f64,
    /// Expected purchase days; `None` without an end.
    pub expected_purchases: Option<f64>,
    /// Probability of any; `None` without an end.
    pub p_purchase: Option<f64>,
    /// Probability of not having dropped out at the end; `None` without one.
    pub p_alive_end: Option<f64>,
    /// Expected spend of a purchase day.
    pub expected_spend: Option<f64>,
    /// Expected revenue.
    pub expected_revenue: Option<f64>,
    /// Present value of the purchase days.
    pub discounted_purchases: f64,
    /// Present value of the customer.
    pub clv: Option<f64>,
    /// Interval of the number of purchase days.
    pub interval: Option<(u32, u32)>,
}

impl History {
    fn check(&self) -> Result<()> {
        let Self { x, t_x, age, m_x } = *self;
        let wrong = if m_x.is_some_and(|mean| mean.abs() > LARGEST_SPEND) {
            "expected money, at most 1e100 a day"
        } else if !(t_x >= 0.0 && t_x.is_finite() && age >= 0.0 && age.is_finite()) {
            "expected finite times, 0 or more"
        } else if t_x > age {
            "t_x > T: the last purchase is after now"
        } else if x == 0 && t_x > 0.0 {
            "x = 0 with t_x > 0: a customer without repeat purchases has no time of the last one"
        } else if x > 0 && t_x == 0.0 {
            "x > 0 with t_x = 0: repeat purchases on the day of the first one are the same day"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Summary, format!("x={x}, t_x={t_x}, T={age}: {wrong}")))
    }
}

impl PurchaseModel {
    /// The prediction of one customer, of a group or of all.
    pub fn predict_one(&self, history: History, group: Option<&OwnedKey>, spec: &PredictSpec) -> Result<Prediction> {
        spec.check()?;
        history.check()?;
        // As in tables.
        let history = History { t_x: to_whole_day(history.t_x), age: to_whole_day(history.age), ..history };
        if group.is_some() && self.options.by.is_none() {
            let message = "group= is given, but the model has no groups; fit it with by=, or leave group out";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let fit = self.parameters_of(group)?;
        let predictor = predictor(self.family, &fit.fit.parameters);
        let spend = match &spec.spend {
            Spend::None => None,
            Spend::Model(model) => model.expected(history.x, history.m_x),
            Spend::OwnMean => history.m_x.filter(|mean| history.x > 0 && *mean > 0.0),
        };
        let horizon = spec.horizons.first().copied().flatten();
        Ok(prediction(predictor.as_ref(), history, horizon, spec, spend))
    }

    /// Predictions of a customer who buys for the first time now: a row for all customers, then one for each group with parameters of
    /// its own, and for each horizon.
    pub fn new_customers(&self, spec: &PredictSpec, include_first: bool) -> Result<Table> {
        spec.check()?;
        let spend = match &spec.spend {
            Spend::None => None,
            Spend::Model(model) => model.expected(0, None),
            Spend::OwnMean => {
                let message = "spend='own_mean' has no mean of a new customer; pass a GammaGamma model";
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
        };
        let history = History { x: 0, t_x: 0.0, age: 0.0, m_x: None };
        let (mut labels, mut horizons, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for (label, fit) in self.fits() {
            let predictor = predictor(self.family, &fit.fit.parameters);
            for &horizon in &spec.horizons {
                let mut one = prediction(predictor.as_ref(), history, horizon, spec, spend);
                if include_first {
                    one = with_first(one, spec.margin);
                }
                labels.push(label.and_then(|label| label.borrow().text()));
                horizons.push(horizon);
                found.push(one);
            }
        }
        let mut table = TableBuilder::default();
        if let Some(by) = &self.options.by {
            table.column(by, Arc::new(labels.into_iter().collect::<StringArray>()));
        }
        table.column("horizon_days", Arc::new(horizons.into_iter().collect::<Float64Array>()));
        let column = |value: &dyn Fn(&Prediction) -> Option<f64>| -> ArrayRef {
            nullable_floats(found.iter().map(|one| value(one).unwrap_or(f64::NAN)).collect())
        };
        table.column("p_alive", column(&|one| Some(one.p_alive)));
        table.column("expected_purchases", column(&|one| one.expected_purchases));
        table.column("p_purchase", column(&|one| one.p_purchase));
        table.column("p_alive_end", column(&|one| one.p_alive_end));
        table.column("expected_spend", column(&|one| one.expected_spend));
        table.column("expected_revenue", column(&|one| one.expected_revenue));
        table.column("discounted_purchases", column(&|one| Some(one.discounted_purchases)));
        table.column("clv", column(&|one| one.clv));
        if spec.level.is_some() {
            let bound = |value: &dyn Fn((u32, u32)) -> u32| -> ArrayRef {
                Arc::new(found.iter().map(|one| one.interval.map(|interval| i64::from(value(interval)))).collect::<Int64Array>())
            };
            table.column("purchases_low", bound(&|interval| interval.0));
            table.column("purchases_high", bound(&|interval| interval.1));
        }
        table.finish(found.len(), Metadata::new(), Report::default())
    }
}

/// Adds the first purchase, which happens now and is not discounted.
fn with_first(one: Prediction, margin: f64) -> Prediction {
    let discounted_purchases = one.discounted_purchases + 1.0;
    let expected_purchases = one.expected_purchases.map(|purchases| purchases + 1.0);
    Prediction {
        expected_purchases,
        p_purchase: one.p_purchase.map(|_| 1.0),
        expected_revenue: expected_purchases.zip(one.expected_spend).map(|(purchases, spend)| purchases * spend),
        discounted_purchases,
        clv: one.expected_spend.map(|spend| margin * spend * discounted_purchases),
        interval: one.interval.map(|(low, high)| (low + 1, high + 1)),
        ..one
    }
}

fn prediction(predictor: &dyn Predictor, history: History, horizon: Option<f64>, spec: &PredictSpec, spend: Option<f64>) -> Prediction {
    let History { x, t_x, age, .. } = history;
    let discounting: Discounting = spec.discounting;
    let p_alive = predictor.p_alive(x, t_x, age);
    let given = predictor.given_alive(x, age, horizon.unwrap_or(f64::INFINITY), discounting);
    let [purchases, p_purchase, p_alive_end, discounted] = expectations(p_alive, &given);
    let interval = spec.level.zip(horizon).map(|(level, days)| {
        let mut distribution = Vec::new();
        predictor.distribution(x, age, days, &mut distribution);
        purchase_quantiles(p_alive, &distribution, level)
    });
    Prediction {
        p_alive,
        expected_purchases: horizon.map(|_| purchases),
        p_purchase: horizon.map(|_| p_purchase),
        p_alive_end: horizon.map(|_| p_alive_end),
        expected_spend: spend,
        expected_revenue: spend.filter(|_| horizon.is_some()).map(|spend| purchases * spend),
        discounted_purchases: discounted,
        clv: spend.map(|spend| spec.margin * spend * discounted),
        interval,
    }
}
