//! Transitions and stays from bases as of several days.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type};
use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch};
use custcore::{
    AsOf, BaseSpec, CategoryColumns, ColumnRoles, Context, CustomerBase, Error, ErrorKind, Result, RfmScorer, RfmSpec, ScorerEdges,
    Segments, Table, Track, rfm, time_in_segment, transitions,
};
use proptest::prelude::*;

/// Customer, day, cents.
type Row = (i64, i32, i64);

const DAYS: [i32; 4] = [10, 20, 35, 60];

fn base(rows: &[Row]) -> Result<CustomerBase> {
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int64Array>())),
        ("timestamp", Arc::new(rows.iter().map(|row| Some(row.1)).collect::<Date32Array>())),
        ("amount", Arc::new(rows.iter().map(|row| Some(row.2 as f64 / 100.0)).collect::<Float64Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).map_err(Error::internal)?;
    let roles = ColumnRoles {
        customer_id: "customer_id".into(),
        timestamp: "timestamp".to_owned(),
        amount: Some("amount".to_owned()),
        order_id: None,
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let mut base = CustomerBase::new(BaseSpec { track: Track::Days, ..BaseSpec::new(roles) })?;
    base.update(&[batch], &Context::new(1))?;
    Ok(base)
}

fn sum(table: &Table, day: i32) -> (i64, f64, f64) {
    let column = |name: &str| table.batch[name].clone();
    let (dates, customers) = (column("to_date"), column("customers"));
    let (revenue, share) = (column("revenue"), column("share"));
    let rows: Vec<usize> = (0..table.batch.num_rows()).filter(|&row| dates.as_primitive::<Date32Type>().value(row) == day).collect();
    (
        rows.iter().map(|&row| customers.as_primitive::<Int64Type>().value(row)).sum(),
        rows.iter().map(|&row| revenue.as_primitive::<Float64Type>().value(row)).sum(),
        rows.iter().map(|&row| share.as_primitive::<Float64Type>().value(row)).sum(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn moves_add_up_to_the_customers_of_each_date(
        first in 0_i64..30,
        rows in prop::collection::vec((0_i64..30, 0_i32..70, -300_i64..3000), 1..200),
        refit in any::<bool>(),
    ) {
        // Somebody has bought by the first date, so that there is something to fit on.
        let rows: Vec<Row> = [(first, 0, 100)].into_iter().chain(rows).collect();
        let context = Context::new(1);
        let scorer = RfmScorer::new(RfmSpec::default())?;
        let edges = if refit { ScorerEdges::Refit } else { ScorerEdges::Frozen };
        let base = base(&rows)?;
        let dates = DAYS.map(AsOf::Date);
        let table = transitions(&base, &dates, &scorer, edges, &context)?;
        let lasting = time_in_segment(&base, &dates, &scorer, edges, &context)?;
        for day in &DAYS[1..] {
            let buyers = rfm(&base, Some(AsOf::Date(*day)), true, &context)?.batch;
            let total: f64 = buyers["monetary_total"].as_primitive::<Float64Type>().values().iter().sum();
            let (customers, revenue, share) = sum(&table, *day);
            prop_assert_eq!(customers, buyers.num_rows() as i64);
            prop_assert!((revenue - total).abs() < 1e-6, "{} {}", revenue, total);
            prop_assert!((share - share.round()).abs() < 1e-9);
        }
        let open: i64 = lasting.batch["open"].as_primitive::<Int64Type>().values().iter().sum();
        prop_assert_eq!(open, rfm(&base, Some(dates[3]), true, &context)?.batch.num_rows() as i64);
    }
}

#[test]
fn a_scorer_without_segments_is_refused() -> Result<()> {
    let scorer = RfmScorer::new(RfmSpec { segments: Segments::Off, ..RfmSpec::default() })?;
    let found = transitions(&base(&[(1, 0, 1)])?, &DAYS.map(AsOf::Date), &scorer, ScorerEdges::Frozen, &Context::new(1));
    let error = found.map(drop).map_err(|error| (error.kind(), error.message().contains("segments=")));
    assert_eq!(error, Err((ErrorKind::InvalidArgument, true)));
    Ok(())
}
