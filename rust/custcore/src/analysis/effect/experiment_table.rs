//! The table of an experiment: one row per customer, with what they did before and after exposure.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    UInt32Array,
};
use arrow_schema::Metadata;
use arrow_select::take::take;

use super::base_attributes::add_attributes;
use super::experiment::{Experiment, ExperimentSpec};
use super::result::{EffectResult, ExperimentFacts, PeriodBatches};
use super::spec::EffectSpec;
use super::windows::{CustomerWindows, WindowsOfCustomers, last_day, metadata, windows_of};
use crate::analysis::rfm::scorer::RfmScorer;
use crate::base::CustomerBase;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::{Amount, Money};
use crate::report::Report;
use crate::state::spec::AsOf;
use crate::table::{AS_OF, CUSTOMER_ID, Table, TableBuilder, id_columns, id_text, money_column};
use crate::time::calendar::date_text;

/// The segment and the cell of whoever had not bought the day before exposure.
const NOT_BOUGHT: &str = "none";

/// The customers of an experiment with their windows.
#[derive(Debug)]
pub struct ExperimentTable {
    /// One row per customer, ascending by id.
    pub table: Table,
    /// The same for periods, with the columns of the window after only.
    pub periods: Vec<PeriodBatches>,
    /// What checks need besides.
    pub facts: ExperimentFacts,
}

/// What is computed besides the windows.
#[derive(Debug, Clone, Default)]
pub struct ExperimentOptions {
    /// The scorer of `segment` and `rfm_cell` as of the day before exposure; without it there are no such columns.
    pub scorer: Option<RfmScorer>,
    /// Length of periods in days.
    pub every: Option<i32>,
    /// The last day that is read; by default the last one of the base.
    pub as_of: Option<AsOf>,
    /// Other experiments, in which customers of this one may be.
    pub others: Vec<RecordBatch>,
    /// Attributes of the base of the first purchase, which become columns.
    pub attributes: Vec<String>,
}

/// The effect of an experiment on the customers of a base that has day records.
pub fn effect(
    base: &CustomerBase,
    assignments: &RecordBatch,
    experiment: &ExperimentSpec,
    options: &ExperimentOptions,
    spec: EffectSpec,
    context: &Context,
) -> Result<EffectResult> {
    let read = experiment_table(base, assignments, experiment, options, context)?;
    EffectResult::of_batches(&[(read.table.batch, &read.periods)], spec, &read.facts, Some(&read.table.report), context)
}

/// Reads an experiment and what its customers did, from a base that has day records.
pub fn experiment_table(
    base: &CustomerBase,
    assignments: &RecordBatch,
    spec: &ExperimentSpec,
    options: &ExperimentOptions,
    context: &Context,
) -> Result<ExperimentTable> {
    let windows = spec.windows.checked()?;
    let clock = &base.input_schema()?.clock;
    let as_of = last_day(base, options.as_of.map(|as_of| as_of.day(clock)).transpose()?)?;
    if let Some(every) = options.every.filter(|every| !(1..=windows.days_after).contains(every)) {
        let message = format!("every={every} days; expected 1 to days_after={}", windows.days_after);
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let experiment = Experiment::read(assignments, spec, clock, Some(as_of), context)?;
    let mut found = windows_of(base, &experiment, (windows, options.every), as_of, context)?;
    if !options.others.is_empty() {
        found.facts.overlap = Some(experiment.overlap(&options.others, context)?);
    }
    let mut report = experiment.report.clone();
    let cut_off = found.facts.cut_off.unwrap_or(0);
    if cut_off > 0 {
        report.remarks.push(format!("the window before of {cut_off} customers begins before the data"));
    }
    let ids = context
        .run_if_large(experiment.len(), |threads| id_columns(&experiment.key, experiment.ids.keys(), &experiment.codes, threads))??;
    let strata = match &options.scorer {
        None => None,
        Some(scorer) => Some(strata(base, scorer, &experiment, &found, &ids, context)?),
    };
    let mut table = TableBuilder::default();
    table.id_arrays(&experiment.key, ids);
    let groups = &experiment.groups;
    table.column(
        "group",
        Arc::new(groups.codes.iter().map(|&code| Some(groups.names[usize::from(code)].as_str())).collect::<StringArray>()),
    );
    table.column("exposed_on", Arc::new(Date32Array::from(experiment.exposed_on.clone())));
    let customers = &found.customers;
    add_orders(&mut table, customers, &experiment, found.money)?;
    for (name, values) in strata.into_iter().flatten() {
        table.column(&name, values);
    }
    for (name, values) in &experiment.others {
        table.column(name, values.clone());
    }
    add_attributes(&mut table, &options.attributes, base, (&experiment, customers), context)?;
    let mut metadata = metadata(windows);
    metadata.insert(CUSTOMER_ID, experiment.key.names().to_text());
    metadata.insert(AS_OF, date_text(as_of));
    let table = table.finish(experiment.len(), metadata, report)?;
    let periods = periods_of(&table.batch, &found, options.every.unwrap_or(1), &experiment)?;
    Ok(ExperimentTable { table, periods, facts: found.facts })
}

fn counts(customers: &[CustomerWindows], value: impl Fn(&CustomerWindows) -> u32) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(customers.iter().map(|customer| i64::from(value(customer)))))
}

fn flags(customers: &[CustomerWindows], value: impl Fn(&CustomerWindows) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::from(customers.iter().map(value).collect::<Vec<bool>>()))
}

/// The amounts of customers in their output type.
fn money(units: impl Iterator<Item = i128>, experiment: &Experiment, money: Option<Money>) -> Result<ArrayRef> {
    let whose = |row: usize| format!("of customer {}", id_text(&experiment.key, experiment.ids.keys(), experiment.codes[row]));
    money_column(money, units.map(Some), whose)
}

fn add_orders(table: &mut TableBuilder, customers: &[CustomerWindows], experiment: &Experiment, of_base: Option<Money>) -> Result<()> {
    table.column("orders_before", counts(customers, |customer| customer.orders_before));
    table.column("orders_after", counts(customers, |customer| customer.orders_after));
    if of_base.is_some() {
        table.column("revenue_before", money(customers.iter().map(|customer| customer.units_before), experiment, of_base)?);
        table.column("revenue_after", money(customers.iter().map(|customer| customer.units_after), experiment, of_base)?);
    }
    table.column("active_before", flags(customers, |customer| customer.orders_before > 0));
    table.column("active_after", flags(customers, |customer| customer.orders_after > 0));
    table.column("repeat_before", flags(customers, |customer| customer.orders_before > 1));
    table.column("repeat_after", flags(customers, |customer| customer.orders_after > 1));
    let churned = customers.iter().map(|customer| (customer.orders_before > 0).then_some(customer.orders_after == 0));
    table.column("churned", Arc::new(churned.collect::<BooleanArray>()));
    table.column("n_orders", counts(customers, |customer| customer.n_orders));
    if of_base.is_some() {
        table.column("monetary_total", money(customers.iter().map(|customer| customer.units_total), experiment, of_base)?);
    }
    let recency =
        customers.iter().zip(&experiment.exposed_on).map(|(customer, day)| (customer.n_orders > 0).then(|| day - 1 - customer.last_day));
    table.column("recency_days", Arc::new(recency.collect::<Int32Array>()));
    Ok(())
}

/// The tables of the periods: the columns of what was before are shared.
fn periods_of(whole: &RecordBatch, found: &WindowsOfCustomers, every: i32, experiment: &Experiment) -> Result<Vec<PeriodBatches>> {
    let n = found.n_periods;
    let mut sums = vec![(0_u32, 0_i128); found.customers.len()];
    let mut periods = Vec::with_capacity(n);
    for period in 0..n {
        let own: Vec<(u32, i128)> = found.periods.iter().skip(period).step_by(n).copied().collect();
        sums.iter_mut().zip(&own).for_each(|(sum, own)| *sum = (sum.0 + own.0, sum.1 + own.1));
        let of = |values: &[(u32, i128)]| replaced(whole, values, found.money, experiment);
        let first = period as i32 * every;
        periods.push(PeriodBatches { days: (first, first + every - 1), own: of(&own)?, cumulative: of(&sums)? });
    }
    Ok(periods)
}

/// The table with other orders and money after exposure.
fn replaced(whole: &RecordBatch, values: &[(u32, i128)], of_base: Option<Money>, experiment: &Experiment) -> Result<RecordBatch> {
    let schema = whole.schema();
    let mut columns = whole.columns().to_vec();
    columns[schema.index_of("orders_after").map_err(Error::internal)?] =
        Arc::new(Int64Array::from_iter_values(values.iter().map(|value| i64::from(value.0))));
    if of_base.is_some() {
        columns[schema.index_of("revenue_after").map_err(Error::internal)?] =
            money(values.iter().map(|value| value.1), experiment, of_base)?;
    }
    RecordBatch::try_new(schema, columns).map_err(Error::internal)
}

/// The columns `segment` and `rfm_cell` as of the day before exposure.
fn strata(
    base: &CustomerBase,
    scorer: &RfmScorer,
    experiment: &Experiment,
    found: &WindowsOfCustomers,
    ids: &[ArrayRef],
    context: &Context,
) -> Result<Vec<(String, ArrayRef)>> {
    let buyers: Vec<u32> = (0..found.customers.len() as u32).filter(|&at| found.customers[at as usize].n_orders > 0).collect();
    if buyers.is_empty() {
        let labels: ArrayRef = Arc::new(StringArray::from(vec![NOT_BOUGHT; found.customers.len()]));
        return Ok(vec![("segment".to_owned(), labels.clone()), ("rfm_cell".to_owned(), labels)]);
    }
    let first = experiment.exposed_on.iter().copied().min().unwrap_or(0);
    let scorer = scorer.fitted_as_of(base, first - 1, context)?;
    let customers: Vec<CustomerWindows> = buyers.iter().map(|&at| found.customers[at as usize]).collect();
    let mut table = TableBuilder::default();
    let rows = UInt32Array::from(buyers.clone());
    let ids = ids.iter().map(|column| take(column, &rows, None).map_err(Error::internal)).collect::<Result<Vec<_>>>()?;
    table.id_arrays(&experiment.key, ids);
    let recency = buyers.iter().zip(&customers).map(|(&at, customer)| experiment.exposed_on[at as usize] - 1 - customer.last_day);
    table.column("recency_days", Arc::new(Int32Array::from_iter_values(recency)));
    table.column("n_orders", counts(&customers, |customer| customer.n_orders));
    table.column("n_days", counts(&customers, |customer| customer.n_days));
    table.column("n_rows", counts(&customers, |customer| customer.n_rows));
    if let Some(of_base) = found.money {
        table.column("monetary_total", money(customers.iter().map(|customer| customer.units_total), experiment, found.money)?);
        let mean = |customer: &CustomerWindows| {
            Some(Amount { units: customer.units_total, money: of_base }.to_f64() / f64::from(customer.n_orders))
        };
        table.column("monetary_mean", Arc::new(customers.iter().map(mean).collect::<Float64Array>()));
    }
    let schema_names =
        |name: &String| ["recency_days", "n_orders", "n_days", "n_rows", "monetary_total", "monetary_mean"].contains(&name.as_str());
    if let Some(other) = scorer.used_columns().iter().find(|name| !schema_names(name) && !experiment.key.has(name)) {
        let message = format!(
            "the scorer uses the column '{other}', which is not known as of the day before exposure. Pass a scorer of recency, frequency and money only"
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(other));
    }
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, experiment.key.names().to_text());
    let batch = table.finish(buyers.len(), metadata, Report::default())?.batch;
    let scored = scorer.cells_and_segments(&batch, context)?;
    let mut place = vec![None; found.customers.len()];
    (0..).zip(&buyers).for_each(|(row, &at): (u32, _)| place[at as usize] = Some(row));
    let mut columns = Vec::new();
    for name in ["segment", "rfm_cell"] {
        let Some(values) = scored.column_by_name(name) else { continue };
        let texts = take(values, &UInt32Array::from(place.clone()), None).map_err(Error::internal)?;
        columns.push((name.to_owned(), with_not_bought(&texts, &found.customers)?));
    }
    Ok(columns)
}

/// The labels of a column of dictionaries, with one for whoever had not bought.
fn with_not_bought(labels: &ArrayRef, customers: &[CustomerWindows]) -> Result<ArrayRef> {
    let dictionary = labels.as_any_dictionary_opt().ok_or_else(|| Error::internal("labels without a dictionary"))?;
    let known = dictionary.values().as_string_opt::<i32>().ok_or_else(|| Error::internal("labels that are no strings"))?;
    let names: StringArray = known.iter().chain([Some(NOT_BOUGHT)]).collect();
    let not_bought = known.len() as i32;
    let keys = dictionary.normalized_keys();
    let code = |row: usize| {
        if customers[row].n_orders == 0 {
            Some(not_bought)
        } else if labels.is_valid(row) {
            Some(keys[row] as i32)
        } else {
            None
        }
    };
    let codes: Int32Array = (0..labels.len()).map(code).collect();
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, Arc::new(names)).map_err(Error::internal)?))
}
