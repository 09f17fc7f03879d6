//! However rows find their customers, the result is the same table, bit for bit.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray};
use custcore::internals::Strategy as Way;
use custcore::{
    AsOf, BaseSpec, CategoryColumns, CohortSpec, ColumnRoles, Context, CustomerBase, Period, Result, Table, Track, begin_cohort_scan,
    finish_cohort_scan, rfm,
};
use proptest::prelude::*;

/// One purchase: customer, second, cents (negative: a refund), order; an id or an amount can be missing.
type Row = (Option<i64>, i64, Option<i64>, i64);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let id = prop_oneof![6 => (0_i64..40).prop_map(Some), 2 => any::<i64>().prop_map(|id| Some(id / 4)), 1 => Just(None)];
    // Some money and some days are beyond what a packed row can tell, which is 2^43 units of a millionth, and 1900 to 2079.
    let time = prop_oneof![30 => 0_i64..900_000_000, 1 => -3_000_000_000_i64..5_000_000_000];
    let cents = prop_oneof![30 => (-500_i64..5000).prop_map(Some), 1 => (879_609_000..879_610_000_i64).prop_map(Some), 3 => Just(None)];
    let row = (id, time, cents, 0_i64..30);
    prop::collection::vec(row, 1..400)
}

#[derive(Debug, Clone, Copy)]
enum Ids {
    Integers,
    Texts,
    Dictionary,
    /// A dictionary of values that ascend.
    Ascending,
    /// A composite key: a dictionary of a few texts, and numbers.
    Pairs,
}

fn batch(rows: &[Row], ids: Ids) -> Result<RecordBatch> {
    // Long and short names, which share their beginnings, ones that end with a zero, UUIDs, and what is nearly one.
    let name = |id: i64| match (id ^ id >> 20).rem_euclid(8) {
        0 => format!("a customer of a rather long name {id}"),
        1 => format!("{id:016}"),
        2 => format!("{:08x}-89ab-4def-8000-{id:012x}", id.rem_euclid(3)),
        3 => format!("{:08X}-89AB-4DEF-8000-{id:012X}", id.rem_euclid(3)),
        4 => format!("{:08x}-89ab-4DEF-8000-{id:012x}", id.rem_euclid(3)),
        _ => format!("c{id}\0"),
    };
    let texts: Vec<Option<String>> = rows.iter().map(|row| row.0.map(name)).collect();
    let is_pair = matches!(ids, Ids::Pairs);
    let ids: ArrayRef = match ids {
        Ids::Integers => Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Ids::Texts => Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>()),
        Ids::Dictionary => Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>()),
        Ids::Ascending => {
            let values: BTreeSet<&str> = texts.iter().flatten().map(String::as_str).collect();
            let values: Vec<&str> = values.into_iter().collect();
            let code = |text: &Option<String>| text.as_deref().and_then(|text| values.binary_search(&text).ok()).map(|code| code as i32);
            let codes: Int32Array = texts.iter().map(code).collect();
            let array = DictionaryArray::try_new(codes, Arc::new(StringArray::from(values)));
            Arc::new(array.map_err(custcore::Error::internal)?)
        }
        Ids::Pairs => {
            let country = |id: i64| ["DE", "a country of a rather long name", "\0", ""][id.rem_euclid(4) as usize];
            Arc::new(rows.iter().map(|row| row.0.map(country)).collect::<DictionaryArray<Int32Type>>())
        }
    };
    let columns: [(&str, ArrayRef); 4] = [
        ("customer_id", ids),
        ("timestamp", Arc::new(rows.iter().map(|row| Some(row.1)).collect::<TimestampSecondArray>())),
        ("amount", Arc::new(rows.iter().map(|row| row.2.map(|cents| cents as f64 / 100.0)).collect::<Float64Array>())),
        ("order_id", Arc::new(rows.iter().map(|row| Some(row.3)).collect::<Int64Array>())),
    ];
    let number: ArrayRef = Arc::new(rows.iter().map(|row| row.0.map(|id| id / 4)).collect::<Int64Array>());
    let columns = columns.into_iter().chain(is_pair.then_some(("number", number)));
    RecordBatch::try_from_iter(columns).map_err(custcore::Error::internal)
}

fn roles(batches: &[RecordBatch], order_id: Option<&str>) -> ColumnRoles {
    let names = ["customer_id", "number"].into_iter().filter(|name| batches[0].column_by_name(name).is_some());
    ColumnRoles {
        customer_id: names.map(str::to_owned).collect::<Vec<_>>().into(),
        timestamp: "timestamp".to_owned(),
        amount: Some("amount".to_owned()),
        order_id: order_id.map(Into::into),
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    }
}

fn result(batches: &[RecordBatch], order_id: Option<&str>, way: Way, threads: usize) -> Result<Table> {
    table(batches, batches.len(), order_id, way, threads)
}

/// The same where so many of the batches were announced, so that their ids were known before the first was pushed.
fn table(batches: &[RecordBatch], ahead: usize, order_id: Option<&str>, way: Way, threads: usize) -> Result<Table> {
    let mut base = CustomerBase::new(BaseSpec::new(roles(batches, order_id)))?;
    let context = Context::new(threads);
    let mut fold = base.begin(&batches[0].schema())?;
    fold.force(way);
    if ahead > 0 {
        fold.read_ahead(&batches[..ahead], &context)?;
    }
    for batch in batches {
        fold.push(std::slice::from_ref(batch), &context)?;
    }
    base.commit(fold.finish(&context)?, None, &context)?;
    rfm(&base, None, true, &context)
}

/// All tables of cohorts; with `rfm` totals are kept besides, and nothing of that may show.
fn cohorts(batches: &[RecordBatch], order_id: Option<&str>, way: Way, threads: usize, rfm: bool) -> Result<Vec<(RecordBatch, String)>> {
    let spec = CohortSpec { period: Period::Year, cohort_period: Period::Year, rfm, ..CohortSpec::default() };
    let context = Context::new(threads);
    let mut fold = begin_cohort_scan(&spec.scan(BaseSpec::new(roles(batches, order_id)))?, &batches[0].schema())?;
    fold.force(way);
    for batch in batches {
        fold.push(std::slice::from_ref(batch), &context)?;
    }
    let found = finish_cohort_scan(spec, fold, &context)?;
    let tables = [found.cells(&context)?, found.movement(&context)?, found.revenue_retention(true, &context)?, found.customers(&context)?];
    Ok(tables.into_iter().map(|table| (table.batch, format!("{:?}", table.report))).collect())
}

/// Tables and their reports.
type Tables = Vec<(RecordBatch, String)>;

/// The file of a base that keeps days, and the tables of its last day and of past days.
fn days(batches: &[RecordBatch], order_id: Option<&str>, way: Way, threads: usize) -> Result<(Vec<u8>, Tables)> {
    let track = if order_id.is_some() { Track::Orders } else { Track::Days };
    let mut base = CustomerBase::new(BaseSpec { track, n_days: true, ..BaseSpec::new(roles(batches, order_id)) })?;
    let context = Context::new(threads);
    let mut fold = base.begin(&batches[0].schema())?;
    fold.force(way);
    for batch in batches {
        fold.push(std::slice::from_ref(batch), &context)?;
    }
    base.commit(fold.finish(&context)?, None, &context)?;
    let bytes = if cfg!(feature = "bases") { base.to_bytes(&context)? } else { Vec::new() };
    let as_of = [None, Some(AsOf::Date(5_000)), Some(AsOf::Date(20)), Some(AsOf::Date(-20_000))];
    let tables = as_of.map(|as_of| rfm(&base, as_of, true, &context).map(|table| (table.batch, format!("{:?}", table.report))));
    Ok((bytes, tables.into_iter().collect::<Result<_>>()?))
}

fn check(rows: &[Row], cut: usize, ids: Ids, order_id: Option<&str>) -> Result<()> {
    let whole = batch(rows, ids)?;
    let cut = cut % rows.len();
    // Slices of one batch share their dictionary, two batches do not.
    let slices = [whole.slice(0, cut), whole.slice(cut, rows.len() - cut)];
    let apart = [batch(&rows[..cut], ids)?, batch(&rows[cut..], ids)?];
    let want = result(std::slice::from_ref(&whole), order_id, Way::Auto, 1)?;
    let want_days = days(std::slice::from_ref(&whole), order_id, Way::Table, 1)?;
    let want_cohorts = cohorts(&[whole], order_id, Way::Auto, 1, true)?;
    for way in WAYS {
        // A range over all integers there are would be a long array.
        if way == Way::Direct && matches!(ids, Ids::Integers) && rows.iter().any(|row| row.0.is_some_and(|id| !(0..4000).contains(&id))) {
            continue;
        }
        // What was not announced matters to ranks only.
        let unannounced = matches!(way, Way::Ranks | Way::RankPartitions).then_some((&apart, 0));
        for (batches, ahead) in [(&slices, 2), (&apart, 1)].into_iter().chain(unannounced) {
            let got = table(batches, ahead, order_id, way, 1)?;
            assert_eq!(got.batch, want.batch, "{way:?} {ids:?} {order_id:?} {ahead}");
            assert_eq!(format!("{:?}", got.report), format!("{:?}", want.report), "{way:?} {ids:?} {order_id:?} {ahead}");
        }
        assert!(days(&apart, order_id, way, 1)? == want_days, "{way:?} {ids:?} {order_id:?}");
        assert_eq!(cohorts(&apart, order_id, way, 1, false)?, want_cohorts, "{way:?} {ids:?} {order_id:?}");
    }
    Ok(())
}

const WAYS: [Way; 7] = [Way::Auto, Way::Direct, Way::Table, Way::HashPartitions, Way::RangePartitions, Way::Ranks, Way::RankPartitions];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn every_way_gives_the_same_table(rows in rows(), cut in any::<prop::sample::Index>(), by_order in any::<bool>()) {
        let cut = cut.index(rows.len());
        for ids in [Ids::Integers, Ids::Texts, Ids::Dictionary, Ids::Ascending, Ids::Pairs] {
            check(&rows, cut, ids, by_order.then_some("order_id")).map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        // Integers with gaps, in a range that offsets and ranks allow.
        let narrow: Vec<Row> = rows.iter().map(|row| (row.0.map(|id| id.rem_euclid(500) * 7 + 3), row.1, row.2, row.3)).collect();
        check(&narrow, cut, Ids::Integers, by_order.then_some("order_id")).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

/// Enough rows for several threads, and for partitioning to be chosen automatically.
#[test]
fn many_customers_give_the_same_table() -> Result<()> {
    many(&[Ids::Integers, Ids::Texts, Ids::Dictionary, Ids::Ascending, Ids::Pairs], |i| {
        i.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64) >> 40 << 20
    })
}

/// Ids in a narrow range.
#[test]
fn many_ids_of_a_range_give_the_same_table() -> Result<()> {
    many(&[Ids::Integers], |i| i + 1000)
}

/// Ids with gaps: every third one, and a few of a wide range.
#[test]
fn many_ids_with_gaps_give_the_same_table() -> Result<()> {
    many(&[Ids::Integers], |i| i * 3 - 77)?;
    many(&[Ids::Integers], |i| (i % 40_000) * 401 + i64::MAX / 2)
}

fn many(kinds: &[Ids], id: impl Fn(i64) -> i64) -> Result<()> {
    let row = |i: i64| (Some(id(i * 7 % 300_007)), i * 1000, Some(i * 37 % 9000 - 500), i / 3);
    let rows: Vec<Row> = (0..320_000).map(row).collect();
    for &ids in kinds {
        let batch = batch(&rows, ids)?;
        let halves = [batch.slice(0, 300_000), batch.slice(300_000, 20_000)];
        let want = result(&halves, None, Way::Table, 1)?;
        let want_cohorts = cohorts(&halves, None, Way::Table, 1, true)?;
        // Ranks are of integers, and texts have no range.
        let ways: &[(Way, usize)] = match ids {
            Ids::Integers => &[
                (Way::Auto, 2),
                (Way::HashPartitions, 3),
                (Way::RangePartitions, 1),
                (Way::RangePartitions, 3),
                (Way::Ranks, 3),
                (Way::RankPartitions, 1),
                (Way::RankPartitions, 3),
            ],
            Ids::Dictionary | Ids::Ascending => &[(Way::Auto, 2), (Way::Direct, 3), (Way::RangePartitions, 3)],
            Ids::Texts | Ids::Pairs => &[(Way::Auto, 2), (Way::HashPartitions, 3)],
        };
        for &(way, threads) in ways {
            let got = result(&halves, None, way, threads)?;
            assert_eq!(got.batch, want.batch, "{way:?} {ids:?} {threads}");
            assert_eq!(format!("{:?}", got.report), format!("{:?}", want.report), "{way:?} {ids:?} {threads}");
            if matches!(way, Way::Ranks | Way::RankPartitions) {
                let got = table(&halves, 0, None, way, threads)?;
                assert_eq!(got.batch, want.batch, "{way:?} {ids:?} {threads}, not announced");
            }
            if threads > 1 {
                assert!(cohorts(&halves, None, way, threads, false)? == want_cohorts, "{way:?} {ids:?} {threads}");
            }
        }
    }
    Ok(())
}

/// Few and many customers, one of them with a fourth of all rows; rows that are no purchases, and days and money beyond packed rows;
/// rows by time and in any order.
#[test]
fn days_are_the_same_every_way() -> Result<()> {
    for (customers, by_time, ids) in
        [(3, false, Ids::Dictionary), (4_001, true, Ids::Texts), (4_001, false, Ids::Integers), (90_001, true, Ids::Integers)]
    {
        let row = |i: i64| {
            let customer = if i % 4 == 0 { 1 } else { i * 7_919 % customers };
            let at = if by_time { i } else { i * 104_729 % 150_000 };
            let time = if i % 5_003 == 0 { -2_500_000_000 - i } else { at * 150 };
            let cents = if i % 6_007 == 0 { 879_609_000_000 } else { i * 37 % 9_000 - i % 20 * 25 };
            (Some(customer), time, (i % 1_009 != 0).then_some(cents), i)
        };
        let rows: Vec<Row> = (0..150_000).map(row).collect();
        let batch = batch(&rows, ids)?;
        let thirds = [batch.slice(0, 70_000), batch.slice(70_000, 70_000), batch.slice(140_000, 10_000)];
        let want = days(&thirds, None, Way::Table, 1)?;
        for (way, threads) in [
            (Way::Auto, 1),
            (Way::Auto, 2),
            (Way::Direct, 2),
            (Way::HashPartitions, 2),
            (Way::RangePartitions, 2),
            (Way::RankPartitions, 2),
        ] {
            for batches in [&thirds[..], std::slice::from_ref(&batch)] {
                let found = days(batches, None, way, threads)?;
                assert!(found == want, "{customers} customers, {way:?} {ids:?} {threads}, {} batches", batches.len());
            }
        }
    }
    Ok(())
}

/// More rows than are scattered at once.
#[test]
fn days_of_many_rows_at_once_are_the_same() -> Result<()> {
    const ROWS: i64 = 4_250_000;
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new((0..ROWS).map(|i| i * 7_919 % 100_003).collect::<Int64Array>())),
        ("timestamp", Arc::new(TimestampSecondArray::from_iter_values((0..ROWS).map(|i| i * 20)))),
        ("amount", Arc::new((0..ROWS).map(|i| (i * 37 % 9_000 - i % 40 * 10) as f64 / 100.0).collect::<Float64Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).map_err(custcore::Error::internal)?;
    let want = days(std::slice::from_ref(&batch), None, Way::Table, 1)?;
    assert!(days(std::slice::from_ref(&batch), None, Way::Auto, 2)? == want);
    // The same without days.
    let batch = batch.slice(0, 1_100_000);
    let want = result(std::slice::from_ref(&batch), None, Way::Direct, 2)?;
    assert_eq!(result(&[batch], None, Way::RangePartitions, 2)?.batch, want.batch);
    Ok(())
}

/// Lines of an order lie far apart, so that several threads have some of them; some order ids are of two customers. Few orders of many
/// customers are closed by ranges of customers.
#[test]
fn orders_whose_lines_several_threads_have_are_one() -> Result<()> {
    for (orders, ids) in [(70_001, Ids::Integers), (7_001, Ids::Integers), (7_001, Ids::Ascending), (7_001, Ids::Dictionary)] {
        let customer = |order: i64, i: i64| (order * 7 % 30_011 + i64::from(i % 97 == 0)) * 3;
        let row = |i: i64| (Some(customer(i % orders, i)), i * 1000, Some(i * 37 % 9000 - 2500), i % orders);
        let rows: Vec<Row> = (0..250_000).map(row).collect();
        let batch = batch(&rows, ids)?;
        let halves = [batch.slice(0, 200_000), batch.slice(200_000, 50_000)];
        let want = result(&halves, Some("order_id"), Way::Table, 1)?;
        let want_cohorts = cohorts(&halves, Some("order_id"), Way::Table, 1, true)?;
        for (way, threads) in [(Way::Auto, 1), (Way::Auto, 3), (Way::Direct, 3), (Way::Ranks, 3), (Way::Table, 3)] {
            let got = result(&halves, Some("order_id"), way, threads)?;
            assert_eq!(got.batch, want.batch, "{orders} {ids:?} {way:?} {threads}");
            assert_eq!(format!("{:?}", got.report), format!("{:?}", want.report), "{orders} {ids:?} {way:?} {threads}");
            assert!(cohorts(&halves, Some("order_id"), way, threads, false)? == want_cohorts, "{orders} {ids:?} {way:?} {threads}");
        }
    }
    Ok(())
}
