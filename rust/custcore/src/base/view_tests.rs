//! Tests of views: totals, days and attributes, as of the last day and of earlier days.

use std::sync::Arc;

use arrow_array::{Date32Array, Int64Array, RecordBatch, StringArray};

use super::*;
use crate::column::category::CategoryColumns;
use crate::column::chunks::ColumnRoles;
use crate::group::interner::NO_CODE;
use crate::state::spec::Track;

/// (customer, day, amount, order, country)
type TestLine = (i64, i32, i64, i64, Option<&'static str>);

/// Orders, first and last day, units.
type Total = (u64, Option<(i32, i32)>, i128);

/// Day, orders, rows, units.
type Day = (i32, u64, u64, i128);

const LINES: [TestLine; 7] = [
    (9, 100, 50, 1, Some("de")),
    (4, 101, 30, 2, None),
    // Order 1 continues: a split order.
    (9, 103, -20, 1, Some("at")),
    (4, 104, 7, 3, Some("fr")),
    (4, 104, 5, 4, Some("fr")),
    // A refund by a customer without purchases, and a separate refund order.
    (6, 105, -3, 5, None),
    (4, 106, -12, 6, None),
];

fn base(track: Track, updates: &[&[TestLine]]) -> Result<CustomerBase> {
    let roles = ColumnRoles {
        customer_id: "id".into(),
        timestamp: "day".into(),
        amount: Some("amount".into()),
        order_id: (track == Track::Orders).then(|| "order".into()),
        attributes: vec![("country".into(), Pick::First)],
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let mut base = CustomerBase::new(BaseSpec { track, ..BaseSpec::new(roles) })?;
    for lines in updates {
        let numbers = |of: fn(&TestLine) -> i64| Arc::new(Int64Array::from_iter_values(lines.iter().map(of)));
        let batch = RecordBatch::try_from_iter([
            ("id", numbers(|line| line.0) as _),
            ("day", Arc::new(Date32Array::from_iter_values(lines.iter().map(|line| line.1))) as _),
            ("amount", numbers(|line| line.2) as _),
            ("order", numbers(|line| line.3) as _),
            ("country", Arc::new(lines.iter().map(|line| line.4).collect::<StringArray>()) as _),
        ]);
        base.update(&[batch.map_err(Error::internal)?], &Context::new(1))?;
    }
    Ok(base)
}

/// Totals of all customers by id.
fn totals(view: &BaseView<'_>) -> Result<Vec<Total>> {
    let codes = view.codes_by_id(&Context::new(1))?;
    let totals = codes.into_iter().map(|code| view.totals().get(code));
    Ok(totals.map(|entry| (entry.orders, (entry.orders > 0).then_some((entry.first, entry.last)), entry.units)).collect())
}

/// Days of all customers by id.
fn days(view: &BaseView<'_>) -> Result<Vec<Vec<Day>>> {
    let days = view.days()?;
    let of = |code: u32| {
        let found = days.range(code..code + 1);
        assert_eq!(found.offsets, [0, found.days.len()]);
        (0..found.days.len()).map(|i| (found.days[i], found.orders[i], found.rows[i], found.units[i])).collect()
    };
    Ok(view.codes_by_id(&Context::new(1))?.into_iter().map(of).collect())
}

#[test]
fn totals_have_no_day_records() -> Result<()> {
    let base = base(Track::Totals, &[&LINES])?;
    let view = base.view(None)?;
    assert_eq!(totals(&view)?, [(3, Some((101, 104)), 30), (0, None, -3), (1, Some((100, 100)), 30)]);
    let error = view.days().map(drop).err().map(|error| (error.kind(), error.message().to_owned()));
    let Some((kind, message)) = error else { return Err(Error::internal("days of totals")) };
    assert_eq!(kind, ErrorKind::StateMismatch);
    assert!(message.contains("level 'totals'") && message.contains("track='days'"), "{message}");
    assert_eq!(base.view(Some(AsOf::Date(103))).map(drop).map_err(|error| error.kind()), Err(ErrorKind::StateMismatch));
    Ok(())
}

#[test]
fn days_are_seen_as_of_any_day() -> Result<()> {
    let base = base(Track::Days, &[&LINES[3..], &LINES[..3]])?;
    let view = base.view(None)?;
    assert_eq!((view.as_of(), view.observed(), view.codes_by_id(&Context::new(1))?.len()), (Some(106), Some((100, 106)), base.len()));
    let expected =
        [vec![(101, 1, 1, 30), (104, 2, 2, 12), (106, 0, 0, -12)], vec![(105, 0, 0, -3)], vec![(100, 1, 1, 50), (103, 0, 0, -20)]];
    assert_eq!(days(&view)?, expected);
    let view = base.view(Some(AsOf::Date(103)))?;
    assert_eq!(view.as_of(), Some(103));
    assert_eq!(totals(&view)?, [(1, Some((101, 101)), 30), (1, Some((100, 100)), 30)]);
    assert_eq!(days(&view)?, [vec![(101, 1, 1, 30)], vec![(100, 1, 1, 50), (103, 0, 0, -20)]]);
    Ok(())
}

#[test]
fn open_orders_count_with_lines_up_to_the_day() -> Result<()> {
    let mut base = base(Track::Orders, &[&LINES[..2], &LINES[2..]])?;
    for sealed in [false, true] {
        if sealed {
            // Order 1 is closed now, and keeps its lines of two days.
            base.seal(104)?;
        }
        let view = base.view(None)?;
        assert_eq!(days(&view)?[2], [(100, 1, 2, 30)], "an order counts on its first day");
        let view = base.view(Some(AsOf::Date(101)))?;
        assert_eq!(days(&view)?, [vec![(101, 1, 1, 30)], vec![(100, 1, 1, 50)]], "later lines do not count");
        assert_eq!(totals(&view)?[1], (1, Some((100, 100)), 50));
    }
    Ok(())
}

#[test]
fn ranges_cover_all_customers_once() -> Result<()> {
    let base = base(Track::Days, &[&LINES])?;
    let view = base.view(None)?;
    let days = view.days()?;
    let whole = days.range(0..view.customers() as u32);
    for n in 1..=5 {
        let ranges: Vec<_> = view.ranges(n).collect();
        let mut joined = CustomerDays { offsets: vec![0], ..CustomerDays::default() };
        for range in ranges {
            let part = days.range(range);
            let before = joined.days.len();
            joined.offsets.extend(part.offsets[1..].iter().map(|offset| offset + before));
            joined.days.extend(part.days);
            joined.orders.extend(part.orders);
            joined.rows.extend(part.rows);
            joined.units.extend(part.units);
        }
        assert_eq!(joined, whole, "{n} ranges");
    }
    Ok(())
}

#[test]
fn attributes_come_from_the_first_purchase() -> Result<()> {
    let base = base(Track::Totals, &[&LINES])?;
    let view = base.view(None)?;
    let Some(country) = view.attributes().next() else { return Err(Error::internal("no attribute")) };
    assert_eq!((country.name(), country.pick(), country.data_type()), ("country", Pick::First, &DataType::Utf8));
    let value = |code| {
        country.get(code).map(|value| {
            (value != NO_CODE).then(|| match country.values() {
                Keys::Bytes(arena) => arena.get(value).to_vec(),
                _ => Vec::new(),
            })
        })
    };
    let found: Vec<_> = view.codes_by_id(&Context::new(1))?.into_iter().map(value).collect();
    // The first purchase of customer 4 has no country; customer 6 has no purchase.
    assert_eq!(found, [Some(None), None, Some(Some(b"de".to_vec()))]);
    Ok(())
}
