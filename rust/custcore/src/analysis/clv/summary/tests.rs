use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};

use super::*;
use crate::base::CustomerBase;
use crate::column::category::CategoryColumns;
use crate::column::chunks::ColumnRoles;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::spec::{AsOf, BaseSpec, Track};

fn table(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).map_err(Error::internal)
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn read(columns: Vec<(&str, ArrayRef)>) -> Result<ClvSummary> {
    ClvSummary::read(&[table(columns)?], &SummaryColumns::default(), &Context::new(1))
}

fn rows(summary: &ClvSummary) -> Vec<(u32, f64, f64)> {
    (0..summary.rows()).map(|row| (summary.x(row), summary.t_x.get(row), summary.age.get(row))).collect()
}

#[test]
fn rows_are_sorted_by_id_whatever_the_names() -> Result<()> {
    for names in SummaryNames::ALL {
        let names = names.columns();
        let summary = read(vec![
            ("customer_id", Arc::new(StringArray::from(vec!["b", "c", "a"]))),
            (names.x, floats(&[1.0, 0.0, 2.0])),
            (names.t_x, floats(&[5.0, 0.0, 8.0])),
            (names.age, floats(&[9.0, 7.0, 9.0])),
            (names.m_x, Arc::new(Float64Array::from(vec![Some(3.5), None, Some(1.0)]))),
        ])?;
        assert_eq!(rows(&summary), [(2, 8.0, 9.0), (1, 5.0, 9.0), (0, 0.0, 7.0)]);
        assert_eq!(summary.ids[0].as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(summary.m_x.as_ref().is_some_and(|m_x| (m_x.get(0), m_x.get(1)) == (1.0, 3.5) && m_x.get(2).is_nan()));
        assert_eq!(summary.repeat_customers(), 2);
        assert!(matches!(summary.age, Times::Days(_)));
    }
    Ok(())
}

#[test]
fn weeks_are_days() -> Result<()> {
    let week = |days: f64| days / 7.0;
    let batch = table(vec![
        ("frequency", floats(&[1.0, 0.0])),
        ("recency", floats(&[week(30.0), 0.0])),
        ("T", floats(&[week(39.0), week(273.0)])),
    ])?;
    let columns = SummaryColumns { unit_days: Some(7.0), ..SummaryColumns::default() };
    let summary = ClvSummary::read(std::slice::from_ref(&batch), &columns, &Context::new(1))?;
    assert_eq!(rows(&summary), [(1, 30.0, 39.0), (0, 0.0, 273.0)]);
    assert!(matches!(summary.t_x, Times::Days(_)) && !summary.has_ids());
    let error = ClvSummary::read(&[batch], &SummaryColumns::default(), &Context::new(1)).map(drop);
    assert!(error.is_err_and(|error| error.kind() == ErrorKind::Summary && error.message().contains("unit='week'")));
    Ok(())
}

#[test]
fn impossible_rows_are_refused_with_their_row() {
    let columns = |x: f64, t_x: f64, age: f64| {
        vec![
            ("customer_id", Arc::new(Int64Array::from(vec![2, 1])) as ArrayRef),
            ("x", floats(&[1.0, x])),
            ("t_x", floats(&[2.0, t_x])),
            ("T", floats(&[3.0, age])),
        ]
    };
    assert!(read(columns(1.0, 2.0, 3.0)).is_ok());
    let cases = [
        (-1.0, 2.0, 3.0, "x"),
        (1.5, 2.0, 3.0, "x"),
        (f64::INFINITY, 2.0, 3.0, "x"),
        (f64::NAN, 2.0, 3.0, "x"),
        (1.0, -2.0, 3.0, "t_x"),
        (1.0, 4.0, 3.0, "t_x"),
        (0.0, 2.0, 3.0, "t_x"),
        (1.0, 0.0, 3.0, "t_x"),
        (1.0, 2.0, f64::INFINITY, "T"),
    ];
    for (x, t_x, age, column) in cases {
        let error = read(columns(x, t_x, age)).map(drop);
        let expected = |error: &Error| (error.kind(), error.column().map(str::to_owned), error.row());
        assert_eq!(error.as_ref().map_err(expected), Err((ErrorKind::Summary, Some(column.to_owned()), Some(1))), "{x} {t_x} {age}");
    }
    let twice = read(vec![
        ("customer_id", Arc::new(Int64Array::from(vec![7, 7]))),
        ("x", floats(&[1.0, 0.0])),
        ("t_x", floats(&[2.0, 0.0])),
        ("T", floats(&[3.0, 4.0])),
    ]);
    assert!(twice.is_err_and(|error| error.message().contains("customer customer_id=7 has two rows")));
}

#[test]
fn days_of_a_base_are_summed_up() -> Result<()> {
    let roles = ColumnRoles {
        customer_id: "customer_id".into(),
        timestamp: "timestamp".into(),
        amount: Some("amount".into()),
        order_id: None,
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let mut base = CustomerBase::new(BaseSpec { track: Track::Days, ..BaseSpec::new(roles) })?;
    // Customer 3 buys on days 0, 4 (twice, and a refund), 7 and 9; 5 on day 2 only; 6 after calibration only.
    let batch = table(vec![
        ("customer_id", Arc::new(Int64Array::from(vec![3, 3, 3, 3, 3, 3, 5, 6, 3]))),
        ("timestamp", Arc::new(Date32Array::from(vec![0, 4, 4, 4, 7, 9, 2, 9, 5]))),
        ("amount", floats(&[9.0, 2.0, 3.0, -1.0, 8.0, 6.0, 1.0, 4.0, -2.0])),
    ])?;
    let context = Context::new(1);
    base.update(&[batch], &context)?;
    let tables = clv_summary(&base, Some(AsOf::Date(7)), None, SummaryNames::Custcore, &context)?;
    let batch = &tables[0].batch;
    let ints = |name: &str| batch.column_by_name(name).map(|column| column.as_primitive::<Int32Type>().values().to_vec());
    let means = |name: &str| batch.column_by_name(name).map(|column| column.as_primitive::<Float64Type>().iter().collect::<Vec<_>>());
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values().to_vec(), [3, 5]);
    assert_eq!((ints("x"), ints("t_x"), ints("T")), (Some(vec![2, 0]), Some(vec![7, 0]), Some(vec![7, 5])));
    // The refund of day 5 is on no purchase day.
    assert_eq!(means("m_x"), Some(vec![Some(6.0), None]));
    assert_eq!((ints("x_holdout"), means("m_holdout")), (Some(vec![1, 0]), Some(vec![Some(6.0), None])));
    assert_eq!((ints("holdout_days"), ints("x_before")), (Some(vec![2, 2]), Some(vec![1, 0])));
    let later = tables[0].report.entries.iter().find(|entry| entry.name == "first_bought_in_holdout");
    assert_eq!(later.map(|entry| entry.count), Some(1));
    let summary = ClvSummary::read(std::slice::from_ref(batch), &SummaryColumns::default(), &context)?;
    assert_eq!((summary.calibration_end(), summary.holdout_days()), (Some("1970-01-08".to_owned()), Some(2.0)));
    assert_eq!(rows(&summary.shifted_to(10)?), [(2, 7.0, 10.0), (0, 0.0, 8.0)]);
    assert!(summary.shifted_to(6).is_err());
    Ok(())
}
