//! Laws of baskets: any order of rows, updates and merges gives the same bytes.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};

use super::Baskets;
use super::spec::{BasketBy, BasketSpec};
use crate::column::category::CategoryColumns;
use crate::column::chunks::ColumnRoles;
use crate::column::customer_id::CustomerId;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::state::spec::BaseSpec;

/// Customer, order, day, item, amount.
type Line = (Option<&'static str>, Option<i64>, i32, Option<&'static str>, i64);

const LINES: [Line; 12] = [
    (Some("ann"), Some(1), 10, Some("milk"), 100),
    (Some("ann"), Some(1), 10, Some("bread"), 200),
    (Some("ann"), Some(1), 11, Some("milk"), -100),
    (Some("ann"), Some(2), 12, Some("bread"), 200),
    (Some("ann"), Some(2), 12, Some("eggs"), -300),
    (Some("bob"), Some(1), 12, Some("eggs"), 300),
    (Some("bob"), Some(1), 13, Some("bread"), -1),
    (Some("bob"), None, 13, Some("milk"), 100),
    (Some("bob"), Some(3), 13, None, 500),
    (Some("bob"), Some(3), 14, Some("tea"), 0),
    (None, Some(9), 14, Some("tea"), 10),
    (None, Some(9), 14, Some("milk"), 10),
];

fn batch(lines: &[Line]) -> Result<RecordBatch> {
    let columns: [(&str, ArrayRef); 5] = [
        ("customer", Arc::new(lines.iter().map(|line| line.0).collect::<StringArray>())),
        ("order", Arc::new(lines.iter().map(|line| line.1).collect::<Int64Array>())),
        ("day", Arc::new(lines.iter().map(|line| Some(line.2)).collect::<Date32Array>())),
        ("item", Arc::new(lines.iter().map(|line| line.3).collect::<StringArray>())),
        ("amount", Arc::new(lines.iter().map(|line| Some(line.4)).collect::<Int64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).map_err(Error::internal)
}

fn empty(by: BasketBy, anonymous: bool) -> Result<Baskets> {
    let roles = ColumnRoles {
        customer_id: "customer".into(),
        timestamp: "day".to_owned(),
        amount: Some("amount".to_owned()),
        order_id: Some("order".into()),
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    Baskets::new(BasketSpec { anonymous, ..BasketSpec::new("item".to_owned(), BaseSpec::new(roles), by) })
}

fn of(lines: &[Line], by: BasketBy) -> Result<Baskets> {
    let mut baskets = empty(by, by == BasketBy::Order)?;
    baskets.update(&[batch(lines)?], &Context::new(1))?;
    Ok(baskets)
}

/// The items of each basket, sorted, as text.
fn contents(baskets: &Baskets) -> Result<Vec<String>> {
    let lists = baskets.lists(&Context::new(1))?;
    let keys = lists.item_keys();
    let text = |item: &u32| match keys {
        crate::group::interner::Keys::Bytes(arena) => String::from_utf8_lossy(&arena.get(*item)).into_owned(),
        _ => String::new(),
    };
    let mut all: Vec<String> = (0..lists.len())
        .map(|basket| {
            let mut items: Vec<String> = lists.items(basket).iter().map(text).collect();
            items.sort();
            items.join(" ")
        })
        .collect();
    all.sort();
    Ok(all)
}

#[test]
fn items_are_in_a_basket_unless_their_lines_sum_to_less_than_0() -> Result<()> {
    assert_eq!(contents(&of(&LINES, BasketBy::Order)?)?, ["bread milk", "eggs", "milk", "milk tea", "tea"]);
    assert_eq!(contents(&of(&LINES, BasketBy::Day)?)?, ["bread", "bread milk", "eggs", "milk", "tea"]);
    assert_eq!(contents(&of(&LINES, BasketBy::Customer)?)?, ["bread milk", "eggs milk tea"]);
    let report = of(&LINES, BasketBy::Order)?.report(&Context::new(1))?;
    let counts: Vec<(&str, u64)> = report.entries.iter().map(|entry| (&*entry.name, entry.count)).filter(|entry| entry.1 > 0).collect();
    assert_eq!(counts, [("null_item", 1), ("refunds", 1), ("returned_items", 1), ("null_order_id", 1)]);
    Ok(())
}

#[test]
fn any_order_and_any_split_give_the_same_bytes() -> Result<()> {
    let context = Context::new(1);
    for by in [BasketBy::Order, BasketBy::Day, BasketBy::Customer] {
        let whole = of(&LINES, by)?;
        let bytes = whole.to_bytes(&context)?;
        let mut reversed = LINES;
        reversed.reverse();
        assert_eq!(of(&reversed, by)?.to_bytes(&context)?, bytes);
        for cut in 0..=LINES.len() {
            let (first, second) = (of(&LINES[..cut], by)?, of(&LINES[cut..], by)?);
            let (mut ahead, mut back) = (first.clone(), second.clone());
            ahead.merge(&second, &context)?;
            back.merge(&first, &context)?;
            assert_eq!(ahead.to_bytes(&context)?, bytes);
            assert_eq!(back.to_bytes(&context)?, bytes);
            let mut updated = first;
            updated.update(&[batch(&LINES[cut..])?], &context)?;
            assert_eq!(updated.to_bytes(&context)?, bytes);
        }
        let read = Baskets::from_bytes(&bytes, &context)?;
        assert_eq!(read.to_bytes(&context)?, bytes);
        assert_eq!((contents(&read)?, read.rows()), (contents(&whole)?, whole.rows()));
    }
    assert_eq!(Baskets::from_bytes(&empty(BasketBy::Day, false)?.to_bytes(&context)?, &context)?.rows(), 0);
    Ok(())
}

#[test]
fn new_ids_are_those_of_the_same_data_with_the_new_ids() -> Result<()> {
    let context = Context::new(1);
    let renamed = LINES.map(|line| if line.0 == Some("bob") { (Some("ann"), line.1, line.2, line.3, line.4) } else { line });
    for by in [BasketBy::Order, BasketBy::Day, BasketBy::Customer] {
        let mut baskets = of(&LINES, by)?;
        baskets.relabel(&[(CustomerId::Text("bob".to_owned()), CustomerId::Text("ann".to_owned()))], &context)?;
        assert_eq!(baskets.to_bytes(&context)?, of(&renamed, by)?.to_bytes(&context)?);
    }
    Ok(())
}

#[test]
fn removed_customers_leave_no_basket() -> Result<()> {
    let context = Context::new(1);
    let mut baskets = of(&LINES, BasketBy::Order)?;
    let ids = ["bob", "eve", "bob"].map(|id| CustomerId::Text(id.to_owned()));
    assert_eq!(baskets.remove(&ids, &context)?, 1);
    assert_eq!(contents(&baskets)?, ["bread milk", "milk tea"]);
    assert_eq!(baskets.remove(&ids, &context)?, 0);
    let report = baskets.report(&context)?;
    let removed = report.entries.iter().find(|entry| entry.name == "removed").map(|entry| (entry.count, entry.sum.map(|sum| sum.units)));
    assert_eq!(removed, Some((3, Some(799))));
    Ok(())
}

#[test]
fn sealed_baskets_keep_their_items() -> Result<()> {
    let context = Context::new(1);
    for by in [BasketBy::Order, BasketBy::Day] {
        let (open, mut sealed) = (of(&LINES, by)?, of(&LINES, by)?);
        sealed.seal(13, &context)?;
        assert_eq!(contents(&sealed)?, contents(&open)?);
        let (one, other) = (open.report(&context)?, sealed.report(&context)?);
        assert_eq!(one.entries.len(), other.entries.len());
        for (one, other) in one.entries.iter().zip(&other.entries) {
            assert_eq!((&one.name, one.count, one.sum), (&other.name, other.count, other.sum));
        }
        let late = [(Some("ann"), Some(7), 12, Some("milk"), 1)];
        assert_eq!(sealed.update(&[batch(&late)?], &context).map_err(|error| error.kind()), Err(ErrorKind::StateMismatch));
        let mut more = of(&[(Some("ann"), Some(7), 13, Some("milk"), 1)], by)?;
        more.merge(&sealed, &context)?;
        sealed.update(&[batch(&[(Some("ann"), Some(7), 13, Some("milk"), 1)])?], &context)?;
        assert_eq!(more.to_bytes(&context)?, sealed.to_bytes(&context)?);
        assert_eq!(Baskets::from_bytes(&sealed.to_bytes(&context)?, &context)?.to_bytes(&context)?, sealed.to_bytes(&context)?);
    }
    let mut customers = of(&LINES, BasketBy::Customer)?;
    assert_eq!(customers.seal(13, &context).map_err(|error| error.kind()), Err(ErrorKind::StateMismatch));
    Ok(())
}
