//! The table of an experiment: one row per customer, with what they did before and after exposure.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::Metadata;
use arrow_select::take::take;

use super::base_attributes::add_attributes;
use super::experiment::{Experiment, ExperimentSpec};
use super::result::{EffectResult, ExperimentFacts, PeriodBatches};
use super::spec::EffectSpec;
use super::windows::{WindowsOfCustomers, day_ranges, last_day, metadata, windows_of, windows_of_scan};
use crate::analysis::rfm::scorer::RfmScorer;
use crate::base::CustomerBase;
use crate::base::view::CustomerStats;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::num::money::{Amount, Money};
use crate::report::Report;
use crate::state::spec::{AsOf, BaseSpec, OrderLines, Track};
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
    let read = read_table(base, assignments, experiment, options, &|name| spec.reads(name), context)?;
    EffectResult::of_batches(&[(read.table.batch, &read.periods)], spec, &read.facts, Some(&read.table.report), context)
}

/// The settings of a base that is kept no longer than this call: it has the totals of the windows only if that is enough, else day records.
pub fn experiment_scan(
    purchases: BaseSpec,
    assignments: &RecordBatch,
    experiment: &ExperimentSpec,
    options: &ExperimentOptions,
    effect: &EffectSpec,
) -> Result<BaseSpec> {
    let windows = experiment.windows.checked()?;
    let counts_days = options.scorer.as_ref().is_some_and(|scorer| scorer.used_columns().iter().any(|name| name == "n_days"));
    let one_day = if purchases.roles.order_id.is_none() && options.every.is_none() && !counts_days {
        experiment.day_of_all(assignments)?
    } else {
        None
    };
    if let Some(day) = one_day {
        return Ok(BaseSpec {
            track: Track::Once,
            day_ranges: Some(day_ranges(windows, day, options.scorer.is_some() || effect.reads_history())),
            ..purchases
        });
    }
    let waits = purchases.roles.order_id.is_some() && purchases.order_lines == OrderLines::Any;
    Ok(BaseSpec { track: if waits { Track::Orders } else { Track::Days }, ..purchases })
}

/// The effect of an experiment on the customers of a base of [`experiment_scan`], which is dropped before the moments are computed.
pub fn effect_of_scan(
    base: CustomerBase,
    assignments: &RecordBatch,
    experiment: &ExperimentSpec,
    options: &ExperimentOptions,
    spec: EffectSpec,
    context: &Context,
) -> Result<EffectResult> {
    let read = read_table(&base, assignments, experiment, options, &|name| spec.reads(name), context)?;
    drop(base);
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
    read_table(base, assignments, spec, options, &|_| true, context)
}

/// The same with the columns of orders and money that are needed.
fn read_table(
    base: &CustomerBase,
    assignments: &RecordBatch,
    spec: &ExperimentSpec,
    options: &ExperimentOptions,
    needs: &dyn Fn(&str) -> bool,
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
    let mut found = match &base.spec().day_ranges {
        Some(_) => windows_of_scan(base, &experiment, windows, context)?,
        None => windows_of(base, &experiment, (windows, options.every), as_of, context)?,
    };
    if !options.others.is_empty() {
        found.facts.overlap = Some(experiment.overlap(&options.others, context)?);
    }
    let mut report = experiment.report.clone();
    let cut_off = found.facts.cut_off.unwrap_or(0);
    if cut_off > 0 {
        report.remarks.push(format!("the window before of {cut_off} customers begins before the data"));
    }
    let needs_ids = options.scorer.is_some() || experiment.key.names().iter().any(needs);
    let ids = if needs_ids {
        context
            .run_if_large(experiment.len(), |threads| id_columns(&experiment.key, experiment.ids.keys(), &experiment.codes, threads))??
    } else {
        Vec::new()
    };
    let strata = match &options.scorer {
        None => None,
        Some(scorer) => Some(strata(base, scorer, &experiment, &found, &ids, context)?),
    };
    let mut table = TableBuilder::default();
    if needs_ids {
        table.id_arrays(&experiment.key, ids);
    }
    let groups = &experiment.groups;
    table.column("group", groups.to_dictionary()?);
    if needs("exposed_on") {
        table.column("exposed_on", Arc::new(Date32Array::from(experiment.exposed_on.clone())));
    }
    add_orders(&mut table, (&found, &experiment), needs, context)?;
    for (name, values) in strata.into_iter().flatten() {
        table.column(&name, values);
    }
    for (name, values) in &experiment.others {
        table.column(name, values.clone());
    }
    add_attributes(&mut table, &options.attributes, base, (&experiment, &found), context)?;
    let mut metadata = metadata(windows);
    metadata.insert(CUSTOMER_ID, experiment.key.names().to_text());
    metadata.insert(AS_OF, date_text(as_of));
    let table = table.finish(experiment.len(), metadata, report)?;
    let periods = periods_of(&table.batch, &found, options.every.unwrap_or(1), &experiment)?;
    Ok(ExperimentTable { table, periods, facts: found.facts })
}

fn counts(n: usize, count: impl Fn(usize) -> u64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values((0..n).map(|at| count(at) as i64)))
}

fn flags(n: usize, flag: impl Fn(usize) -> bool) -> ArrayRef {
    Arc::new(BooleanArray::from(BooleanBuffer::collect_bool(n, flag)))
}

/// The amounts of customers in their output type.
fn money(units: impl Iterator<Item = i128>, experiment: &Experiment, money: Option<Money>) -> Result<ArrayRef> {
    let whose = |row: usize| format!("of customer {}", id_text(&experiment.key, experiment.ids.keys(), experiment.codes[row]));
    money_column(money, units.map(Some), whose)
}

/// Computes a column.
type Build<'a> = Box<dyn Fn() -> Result<ArrayRef> + Send + Sync + 'a>;

fn add_orders(
    table: &mut TableBuilder,
    (found, experiment): (&WindowsOfCustomers<'_>, &Experiment),
    needs: &dyn Fn(&str) -> bool,
    context: &Context,
) -> Result<()> {
    let n = found.len();
    let (before, after) = (|at: usize| found.before(at).orders, |at: usize| found.after(at).orders);
    let churned = || {
        let is_known = NullBuffer::new(BooleanBuffer::collect_bool(n, |at| before(at) > 0));
        BooleanArray::new(BooleanBuffer::collect_bool(n, |at| after(at) == 0), Some(is_known))
    };
    let recency = |(at, day): (usize, &i32)| {
        let history = found.history(at);
        (history.orders > 0).then(|| day - 1 - history.last)
    };
    let columns: [(&str, Build<'_>); 12] = [
        ("orders_before", Box::new(|| Ok(counts(n, before)))),
        ("orders_after", Box::new(|| Ok(counts(n, after)))),
        ("revenue_before", Box::new(|| money((0..n).map(|at| found.before(at).units), experiment, found.money))),
        ("revenue_after", Box::new(|| money((0..n).map(|at| found.after(at).units), experiment, found.money))),
        ("active_before", Box::new(|| Ok(flags(n, |at| before(at) > 0)))),
        ("active_after", Box::new(|| Ok(flags(n, |at| after(at) > 0)))),
        ("repeat_before", Box::new(|| Ok(flags(n, |at| before(at) > 1)))),
        ("repeat_after", Box::new(|| Ok(flags(n, |at| after(at) > 1)))),
        ("churned", Box::new(|| Ok(Arc::new(churned())))),
        ("n_orders", Box::new(|| Ok(counts(n, |at| found.history(at).orders)))),
        ("monetary_total", Box::new(|| money((0..n).map(|at| found.history(at).units), experiment, found.money))),
        ("recency_days", Box::new(|| Ok(Arc::new(experiment.exposed_on.iter().enumerate().map(recency).collect::<Int32Array>())))),
    ];
    let is_money = |name: &str| name.starts_with("revenue") || name == "monetary_total";
    let asked: Vec<(&str, Build<'_>)> =
        columns.into_iter().filter(|(name, _)| needs(name) && (found.money.is_some() || !is_money(name))).collect();
    build(asked, n, table, context)
}

/// Adds columns of `n` values, which are computed side by side.
fn build(columns: Vec<(&str, Build<'_>)>, n: usize, table: &mut TableBuilder, context: &Context) -> Result<()> {
    let built = context.run_if_large(n, |threads| threads.par_tasks(columns, |(name, build)| (name, build())))?;
    built.into_iter().try_for_each(|(name, column)| {
        table.column(name, column?);
        Ok(())
    })
}

/// The tables of the periods: the columns of what was before are shared.
fn periods_of(whole: &RecordBatch, found: &WindowsOfCustomers<'_>, every: i32, experiment: &Experiment) -> Result<Vec<PeriodBatches>> {
    let n = found.n_periods;
    let mut sums = vec![(0_u32, 0_i128); found.len()];
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
    found: &WindowsOfCustomers<'_>,
    ids: &[ArrayRef],
    context: &Context,
) -> Result<Vec<(String, ArrayRef)>> {
    let buyers: Vec<u32> = (0..found.len() as u32).filter(|&at| found.history(at as usize).orders > 0).collect();
    if buyers.is_empty() {
        let labels: ArrayRef = Arc::new(StringArray::from(vec![NOT_BOUGHT; found.len()]));
        return Ok(vec![("segment".to_owned(), labels.clone()), ("rfm_cell".to_owned(), labels)]);
    }
    let first = experiment.exposed_on.iter().copied().min().unwrap_or(0);
    let scorer = match &base.spec().day_ranges {
        Some(_) => scorer.fitted_as_of(&base.of_ranges_before(first, context)?, first - 1, context)?,
        None => scorer.fitted_as_of(base, first - 1, context)?,
    };
    let (n, used) = (buyers.len(), scorer.used_columns());
    let history = |row: usize| found.history(buyers[row] as usize);
    let recency = |row: usize| experiment.exposed_on[buyers[row] as usize] - 1 - history(row).last;
    let mean = |row: usize, of_base: Money| {
        let CustomerStats { units, orders, .. } = history(row);
        Amount { units, money: of_base }.to_f64() / orders as f64
    };
    let means = |of_base: Money| Float64Array::from_iter_values((0..n).map(|row| mean(row, of_base)));
    let columns: [(&str, Build<'_>); 6] = [
        ("recency_days", Box::new(|| Ok(Arc::new(Int32Array::from_iter_values((0..n).map(recency)))))),
        ("n_orders", Box::new(|| Ok(counts(n, |row| history(row).orders)))),
        ("n_days", Box::new(|| Ok(counts(n, |row| found.n_days(buyers[row] as usize).unwrap_or(0))))),
        ("n_rows", Box::new(|| Ok(counts(n, |row| found.n_rows(buyers[row] as usize))))),
        ("monetary_total", Box::new(|| money((0..n).map(|row| history(row).units), experiment, found.money))),
        (
            "monetary_mean",
            Box::new(|| {
                found.money.map_or_else(|| Err(Error::internal("a mean without money")), |of_base| Ok(Arc::new(means(of_base)) as ArrayRef))
            }),
        ),
    ];
    let known = columns.each_ref().map(|(name, _)| *name);
    let is_asked = |name: &str| used.iter().any(|used| used == name) && (found.money.is_some() || !name.starts_with("monetary"));
    let columns = columns.into_iter().filter(|(name, _)| is_asked(name)).collect();
    let mut table = TableBuilder::default();
    let rows = UInt32Array::from(buyers.clone());
    let ids = ids.iter().map(|column| take(column, &rows, None).map_err(Error::internal)).collect::<Result<Vec<_>>>()?;
    table.id_arrays(&experiment.key, ids);
    build(columns, n, &mut table, context)?;
    if let Some(other) = used.iter().find(|name| !known.contains(&name.as_str()) && !experiment.key.has(name)) {
        let message = format!(
            "the scorer uses the column '{other}', which is not known as of the day before exposure. Pass a scorer of recency, frequency and money only"
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(other));
    }
    let mut metadata = Metadata::new();
    metadata.insert(CUSTOMER_ID, experiment.key.names().to_text());
    let batch = table.finish(buyers.len(), metadata, Report::default())?.batch;
    let scored = scorer.cells_and_segments(&batch, context)?;
    let mut place = vec![None; found.len()];
    (0..).zip(&buyers).for_each(|(row, &at): (u32, _)| place[at as usize] = Some(row));
    let mut columns = Vec::new();
    for name in ["segment", "rfm_cell"] {
        let Some(values) = scored.column_by_name(name) else { continue };
        let texts = take(values, &UInt32Array::from(place.clone()), None).map_err(Error::internal)?;
        columns.push((name.to_owned(), with_not_bought(&texts, &place)?));
    }
    Ok(columns)
}

/// The labels of a column of dictionaries, with one for whoever had not bought.
fn with_not_bought(labels: &ArrayRef, place: &[Option<u32>]) -> Result<ArrayRef> {
    let dictionary = labels.as_any_dictionary_opt().ok_or_else(|| Error::internal("labels without a dictionary"))?;
    let known = dictionary.values().as_string_opt::<i32>().ok_or_else(|| Error::internal("labels that are no strings"))?;
    let names: StringArray = known.iter().chain([Some(NOT_BOUGHT)]).collect();
    let not_bought = known.len() as i32;
    let keys = dictionary.normalized_keys();
    let code = |row: usize| {
        if place[row].is_none() {
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
