//! Categories and channels in updates, merges, edits, past days and files.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};

use super::CustomerBase;
use crate::column::category::CategoryColumns;
use crate::column::chunks::ColumnRoles;
use crate::column::customer_id::CustomerId;
use crate::error::{Error, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;
use crate::group::keys::Keys;
use crate::state::cells::{CellRole, Cells};
use crate::state::spec::{BaseSpec, OrderLines, Track};

/// Customer, day, amount, order, category, discount.
type Line = (i64, i32, i64, i64, Option<&'static str>, i64);
/// Customer, category, day, orders, rows, money, rows with a discount, money with a discount.
type Found = (i64, Option<String>, i32, u64, u64, i128, u64, i128);

const LINES: [Line; 11] = [
    (7, 100, 5, 1, Some("b"), 0),
    (7, 101, 9, 1, Some("a"), 1),
    (7, 101, 2, 1, Some("b"), 1),
    // A refund.
    (7, 103, 50, 2, Some("a"), 0),
    (7, 103, -60, 2, Some("c"), 0),
    (3, 103, 4, 3, None, 0),
    (3, 104, 8, 4, Some("c"), 0),
    (3, 104, 8, 4, None, 0),
    (9, 104, -1, 5, Some("c"), 0),
    (4, 105, 2, 6, Some("a"), 0),
    (4, 110, 30, 6, Some("a"), 2),
];

fn batch(lines: &[Line]) -> Result<RecordBatch> {
    let numbers = |of: fn(&Line) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(lines.iter().map(of))) };
    let columns = [
        ("id", numbers(|line| line.0)),
        ("day", Arc::new(Date32Array::from_iter_values(lines.iter().map(|line| line.1))) as _),
        ("amount", numbers(|line| line.2)),
        ("order", numbers(|line| line.3)),
        ("category", Arc::new(lines.iter().map(|line| line.4).collect::<StringArray>()) as _),
        ("discount", numbers(|line| line.5)),
    ];
    RecordBatch::try_from_iter(columns).map_err(Error::internal)
}

fn spec(track: Track, order_lines: OrderLines, by_day: bool) -> BaseSpec {
    let column = |name: &str| Some(name.to_owned());
    let roles = ColumnRoles {
        customer_id: "id".into(),
        timestamp: "day".into(),
        amount: column("amount"),
        order_id: (track == Track::Orders || order_lines == OrderLines::Adjacent).then(|| "order".into()),
        attributes: Vec::new(),
        categories: CategoryColumns { category: column("category"), promotion: column("discount"), channel: column("category"), by_day },
        start: None,
        returning: None,
    };
    BaseSpec { order_lines, track, ..BaseSpec::new(roles) }
}

fn cells(base: &CustomerBase, until: Option<i32>, role: CellRole) -> Result<Vec<Found>> {
    let view = base.view_of_day(until)?;
    let state = base.state_as_of(until, false, Threads::inline())?.1;
    let Some(cells) = state.accumulators.cells(role).filter(|cells| !cells.is_lost()) else { return Err(Error::internal("no cells")) };
    let (mut reader, mut found) = (cells.reader(), Vec::new());
    for code in view.codes_by_id(&Context::new(1))? {
        let id = match view.ids() {
            Keys::Range { base, .. } => base + i64::from(code),
            Keys::Integers(ids) => ids[code as usize],
            Keys::Bytes(_) => 0,
        };
        for cell in reader.cells(code) {
            let text = |keys: &Keys| {
                if let Keys::Bytes(arena) = keys { String::from_utf8_lossy(&arena.get(cell.category)).into_owned() } else { String::new() }
            };
            let category = (cell.category != NO_CODE).then(|| text(cells.values()));
            let (discounted_rows, discounted_units) = (cell.discounted_rows, cell.discounted_units);
            found.push((id, category, cell.day, cell.orders, cell.rows, cell.units, discounted_rows, discounted_units));
        }
    }
    found.sort();
    Ok(found)
}

fn reloaded(base: &CustomerBase) -> Result<CustomerBase> {
    let bytes = base.to_bytes(&Context::new(1))?;
    let after = CustomerBase::from_bytes(&bytes, &Context::new(1))?;
    assert_eq!(after.to_bytes(&Context::new(1))?, bytes);
    assert_eq!(after.spec(), base.spec());
    Ok(after)
}

#[expect(clippy::unnecessary_wraps, reason = "rows have categories or none")]
fn some(category: &str) -> Option<String> {
    Some(category.to_owned())
}

/// The day of a refund where only the last day is kept.
const NO_DAY: i32 = crate::time::calendar::MIN_DAY;

fn by_orders() -> Vec<Found> {
    vec![
        (3, None, 104, 1, 2, 12, 0, 0),
        (3, some("c"), 104, 1, 1, 8, 0, 0),
        (4, some("a"), 105, 1, 2, 32, 1, 30),
        (7, some("a"), 100, 1, 1, 59, 1, 9),
        (7, some("b"), 100, 1, 2, 7, 1, 2),
        (7, some("c"), NO_DAY, 0, 0, -60, 0, 0),
        (9, some("c"), NO_DAY, 0, 0, -1, 0, 0),
    ]
}

#[test]
fn open_orders_merges_and_files() -> Result<()> {
    for cut in 0..=LINES.len() {
        let mut parts = Vec::new();
        for lines in [&LINES[..cut], &LINES[cut..]] {
            let mut base = CustomerBase::new(spec(Track::Orders, OrderLines::Any, false))?;
            base.update(&[batch(lines)?], &Context::new(1))?;
            parts.push(reloaded(&base)?);
        }
        let mut whole = parts.swap_remove(0);
        whole.merge(&parts[0], &Context::new(1))?;
        assert_eq!(cells(&whole, None, CellRole::Category)?, by_orders(), "cut at {cut}");
        // Order 1 is a closed split order.
        whole.seal(105)?;
        assert_eq!(cells(&reloaded(&whole)?, None, CellRole::Category)?, by_orders(), "cut at {cut}");
        whole.relabel(&[(CustomerId::Integer(7), CustomerId::Integer(3)), (CustomerId::Integer(4), CustomerId::Integer(1))])?;
        assert_eq!(whole.remove(&[CustomerId::Integer(9)])?, 1);
        let moved = vec![
            (1, some("a"), 105, 1, 2, 32, 1, 30),
            (3, None, 104, 1, 2, 12, 0, 0),
            (3, some("a"), 100, 1, 1, 59, 1, 9),
            (3, some("b"), 100, 1, 2, 7, 1, 2),
            (3, some("c"), 104, 1, 1, -52, 0, 0),
        ];
        assert_eq!(cells(&reloaded(&whole)?, None, CellRole::Category)?, moved, "cut at {cut}");
    }
    Ok(())
}

#[test]
fn adjacent_lines() -> Result<()> {
    for cut in 0..=LINES.len() {
        for track in [Track::Totals, Track::Days] {
            let mut base = CustomerBase::new(spec(track, OrderLines::Adjacent, false))?;
            for lines in [&LINES[..cut], &LINES[cut..]] {
                base.update(&[batch(lines)?], &Context::new(1))?;
                base = reloaded(&base)?;
            }
            assert_eq!(cells(&base, None, CellRole::Category)?, by_orders(), "cut at {cut}");
        }
    }
    Ok(())
}

#[test]
fn rows_that_are_orders() -> Result<()> {
    let mut base = CustomerBase::new(spec(Track::Totals, OrderLines::Any, false))?;
    for lines in LINES.chunks(4) {
        base.update(&[batch(lines)?], &Context::new(1))?;
        base = reloaded(&base)?;
    }
    let all = vec![
        (3, None, 104, 2, 2, 12, 0, 0),
        (3, some("c"), 104, 1, 1, 8, 0, 0),
        (4, some("a"), 110, 2, 2, 32, 1, 30),
        (7, some("a"), 103, 2, 2, 59, 1, 9),
        (7, some("b"), 101, 2, 2, 7, 1, 2),
        (7, some("c"), NO_DAY, 0, 0, -60, 0, 0),
        (9, some("c"), NO_DAY, 0, 0, -1, 0, 0),
    ];
    assert_eq!(cells(&base, None, CellRole::Category)?, all);
    Ok(())
}

#[test]
fn past_days_are_those_of_a_base_up_to_then() -> Result<()> {
    for until in 99..=111 {
        let mut base = CustomerBase::new(spec(Track::Orders, OrderLines::Any, true))?;
        base.update(&[batch(&LINES)?], &Context::new(1))?;
        let mut past = CustomerBase::new(spec(Track::Orders, OrderLines::Any, true))?;
        let lines: Vec<Line> = LINES.iter().filter(|line| line.1 <= until).copied().collect();
        past.update(&[batch(&lines)?], &Context::new(1))?;
        for role in [CellRole::Category, CellRole::Channel] {
            let expected = cells(&past, None, role)?;
            assert_eq!(cells(&base, Some(until), role)?, expected, "as of {until}");
            let mut sealed = base.clone();
            sealed.seal(108)?;
            assert_eq!(cells(&reloaded(&sealed)?, Some(until), role)?, expected, "sealed, as of {until}");
        }
    }
    Ok(())
}

#[test]
fn the_channel_of_an_order_is_that_of_its_first_line() -> Result<()> {
    let mut base = CustomerBase::new(spec(Track::Orders, OrderLines::Any, false))?;
    // The last line of order 1 first, and a tie in order 4.
    for line in LINES.iter().rev() {
        base.update(&[batch(std::slice::from_ref(line))?], &Context::new(1))?;
    }
    let all = vec![
        (3, None, 103, 1, 1, 4, 0, 0),
        (3, some("c"), 104, 1, 2, 16, 0, 0),
        (4, some("a"), 105, 1, 2, 32, 0, 0),
        (7, some("a"), NO_DAY, 0, 0, -10, 0, 0),
        (7, some("b"), 100, 1, 3, 16, 0, 0),
        (9, some("c"), NO_DAY, 0, 0, -1, 0, 0),
    ];
    assert_eq!(cells(&base, None, CellRole::Channel)?, all);
    Ok(())
}

#[test]
fn past_days_are_lost_unless_cells_are_kept_by_day() -> Result<()> {
    let mut base = CustomerBase::new(spec(Track::Orders, OrderLines::Any, false))?;
    base.update(&[batch(&LINES)?], &Context::new(1))?;
    let state = base.state_as_of(Some(104), false, Threads::inline())?.1;
    assert!(state.accumulators.cells(CellRole::Category).is_some_and(Cells::is_lost));
    assert!(CustomerBase::new(spec(Track::Totals, OrderLines::Any, true)).is_err());
    Ok(())
}
