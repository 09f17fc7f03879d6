//! Customers who were alike the day before: exact strata.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::cells::{ARMS, FeatureSums, Moments, outcome, outcome_and_baseline};
use super::customer::{Customer, Part};
use super::features::MatchFeature;
use super::spec::{Baseline, BeforeAfterSpec, MOST_COLUMNS, MatchColumn};
use crate::column::number::{NumberColumn, Numbers};
use crate::exec::par::Threads;
use crate::num::money::{Money, units_to_f64};
use crate::order_statistics::quantile::BinEdges;

/// Monetary scores.
const SCORES: usize = 5;

/// Wave and classes.
pub(super) type Key = [i64; MOST_COLUMNS + 1];

/// The customers of a stratum, controls and treated.
#[derive(Debug, Clone)]
pub(super) struct Stratum {
    pub key: Key,
    pub features: [FeatureSums; ARMS],
    /// By metric.
    pub outcomes: [Vec<Moments>; ARMS],
}

impl Stratum {
    /// Customers of an arm.
    pub(super) fn n(&self, arm: usize) -> u64 {
        self.features[arm].n
    }

    pub(super) fn is_matched(&self) -> bool {
        self.n(0) > 0 && self.n(1) > 0
    }
}

/// All that is compared.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// Ascending by key.
    pub strata: Vec<Stratum>,
    /// Customers known before treatment, matched or not.
    pub known: [FeatureSums; ARMS],
    /// Of all treated, by metric: the windows after and of the baseline.
    pub baseline: Vec<Moments>,
    /// Their windows after and before.
    pub treated: Vec<Moments>,
    /// Orders of all treated in the window after.
    pub orders_after: u64,
    /// Decimal places of money.
    pub money_scale: i32,
    /// Whether the window of the baseline is as long as that after.
    pub is_year_before: bool,
}

/// The strata of customers, collected wave by wave.
pub(super) struct StrataBuilder<'a> {
    spec: &'a BeforeAfterSpec,
    money: Option<Money>,
    places: HashMap<Key, usize, RandomState>,
    sample: Sample,
}

impl<'a> StrataBuilder<'a> {
    pub(super) fn new(spec: &'a BeforeAfterSpec, money: Option<Money>) -> Self {
        let moments = vec![Moments::default(); spec.metrics.len()];
        let sample = Sample {
            baseline: moments.clone(),
            treated: moments,
            money_scale: money.map_or(0, scale_of),
            is_year_before: spec.baseline == Baseline::YearBefore,
            ..Sample::default()
        };
        Self { spec, money, places: HashMap::default(), sample }
    }

    /// Adds the customers of a wave; the result is the stratum of each, as a position in the order of their first customer.
    pub(super) fn add(&mut self, wave: i64, customers: &[Customer], threads: Threads<'_>) -> Vec<Option<u32>> {
        let scores = self.scores(customers, threads);
        let classes = Classes::new(self.spec, self.sample.money_scale);
        let keys: Vec<Key> = threads.par_map(customers.len(), |at| {
            let score = scores.as_ref().map_or(0, |scores| scores[at]);
            classes.key(wave, &customers[at], score)
        });
        let mut places = Vec::with_capacity(customers.len());
        for (customer, key) in customers.iter().zip(keys) {
            places.push(self.add_one(customer, key));
        }
        places
    }

    /// Whether a stratum has customers of both arms so far.
    pub(super) fn is_matched(&self, place: u32) -> bool {
        self.sample.strata.get(place as usize).is_some_and(Stratum::is_matched)
    }

    fn add_one(&mut self, customer: &Customer, key: Key) -> Option<u32> {
        let arm = match customer.part {
            Part::Other => return None,
            Part::Control => 0,
            Part::Treated => 1,
        };
        if arm == 1 {
            for (at, &metric) in self.spec.metrics.iter().enumerate() {
                self.sample.baseline[at].add(outcome_and_baseline(metric, customer));
                self.sample.treated[at].add(outcome(metric, customer));
            }
            self.sample.orders_after += u64::from(customer.orders_after);
        }
        if !customer.is_known() {
            return None;
        }
        self.sample.known[arm].add(customer);
        let strata = &mut self.sample.strata;
        let place = *self.places.entry(key).or_insert_with(|| {
            let outcomes = std::array::from_fn(|_| vec![Moments::default(); self.spec.metrics.len()]);
            strata.push(Stratum { key, features: [FeatureSums::default(); ARMS], outcomes });
            strata.len() - 1
        });
        let stratum = &mut strata[place];
        stratum.features[arm].add(customer);
        for (moments, &metric) in stratum.outcomes[arm].iter_mut().zip(&self.spec.metrics) {
            moments.add(outcome(metric, customer));
        }
        Some(place as u32)
    }

    /// The monetary score of each customer, by the quantiles of all who had bought; `None` if it is not matched on.
    fn scores(&self, customers: &[Customer], threads: Threads<'_>) -> Option<Vec<u8>> {
        let money = self.money.filter(|_| self.spec.matching.iter().any(|column| column.feature == MatchFeature::MonetaryScore))?;
        let totals = |wants: &dyn Fn(&Customer) -> bool| -> NumberColumn {
            let units = customers.iter().filter(|customer| wants(customer)).map(|customer| customer.total);
            NumberColumn::from_numbers(match money {
                Money::Float { decimals } => Numbers::Floats(units.map(|units| units_to_f64(units, decimals.into())).collect()),
                Money::Integer => Numbers::Decimals(units.collect(), 0),
                Money::Decimal { scale } => Numbers::Decimals(units.collect(), scale),
            })
        };
        let edges = BinEdges::type7(&totals(&Customer::is_known), SCORES, threads)?;
        Some(edges.bin_rows(&totals(&|_| true), threads))
    }

    /// The strata in the order of their keys, and the position there of each position of [`StrataBuilder::add`].
    pub(super) fn finish(mut self) -> (Sample, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.sample.strata.len() as u32).collect();
        order.sort_unstable_by_key(|&at| self.sample.strata[at as usize].key);
        let mut places = vec![0; order.len()];
        (0..).zip(&order).for_each(|(to, &from)| places[from as usize] = to);
        self.sample.strata.sort_unstable_by_key(|stratum| stratum.key);
        (self.sample, places)
    }
}

/// Decimal places of money.
pub(super) fn scale_of(money: Money) -> i32 {
    match money {
        Money::Float { decimals } => decimals.into(),
        Money::Integer => 0,
        Money::Decimal { scale } => scale.into(),
    }
}

/// The classes of the columns that are matched on.
struct Classes<'a> {
    columns: &'a [MatchColumn],
    money_scale: i32,
}

impl<'a> Classes<'a> {
    fn new(spec: &'a BeforeAfterSpec, money_scale: i32) -> Self {
        Self { columns: &spec.matching, money_scale }
    }

    fn key(&self, wave: i64, customer: &Customer, score: u8) -> Key {
        let mut key = [0; MOST_COLUMNS + 1];
        key[0] = wave;
        for (slot, column) in key[1..].iter_mut().zip(self.columns) {
            let value = column.feature.of(customer, score);
            *slot = match &column.edges {
                None => value.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
                Some(edges) => {
                    let scale =
                        if column.feature.is_money() && column.feature != MatchFeature::MonetaryScore { self.money_scale } else { 0 };
                    let value = units_to_f64(value, scale);
                    edges.partition_point(|&edge| edge < value) as i64
                }
            };
        }
        key
    }
}
