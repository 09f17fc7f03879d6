//! Open orders: who owns an order id, and removals.

use super::*;
use crate::column::key::KeyKind;
use crate::state::order_lines::OrderLine;

fn line(customer: u32, day: i32, units: i128, row: u64) -> OrderLine {
    OrderLine { customer, day, units, row, amount_is_null: false, marks: 0 }
}

#[test]
fn orders_of_removed_customers_are_gone_and_the_others_are_found() -> Result<()> {
    // Each order id belongs to up to three customers; every fourth order has lines on two days.
    let whole = |is_sparse: bool| -> Result<OpenOrders> {
        let mut orders = OpenOrders::new(Interner::new(KeyKind::Signed), true);
        (0..20).try_for_each(|id| orders.ids.intern_integer(id).map(drop))?;
        if is_sparse {
            orders.make_sparse();
        }
        for row in 0..60_u64 {
            let (customer, code) = ((row * 7 % 11) as u32, (row % 20) as u32);
            orders.add(code, &line(customer, 1, 5, row).order())?;
            if row % 4 == 0 {
                orders.add(code, &line(customer, 2, 7, row).order())?;
            }
        }
        Ok(orders)
    };
    let of = |orders: &OpenOrders, at: usize| (orders.codes[at], orders.orders.get(at), orders.parts(at).to_vec());
    for (is_sparse, removed) in [(false, vec![0]), (false, vec![3, 4, 10]), (true, vec![1, 2]), (false, (0..11).collect())] {
        let before = whole(is_sparse)?;
        let mut after = before.clone();
        let left = after.remove(|customer| removed.contains(&customer)).unwrap_or_default();
        let stays = |at: &usize| !removed.contains(&before.orders.customer(*at));
        assert_eq!(left.len(), (0..before.orders.len()).filter(stays).count());
        for (at, &was) in left.iter().enumerate() {
            assert_eq!(of(&after, at), of(&before, was as usize));
            assert_eq!(after.position(after.codes[at], after.orders.customer(at)), Some(at));
        }
        for at in (0..before.orders.len()).filter(|at| !stays(at)) {
            assert_eq!(after.position(before.codes[at], before.orders.customer(at)), None);
        }
        assert!(after.remove(|customer| removed.contains(&customer)).is_none());
    }
    Ok(())
}

#[test]
fn order_id_of_two_customers_is_two_orders() -> Result<()> {
    let mut orders = OpenOrders::new(Interner::new(KeyKind::Signed), false);
    for (customer, row) in [(0, 0), (1, 1), (0, 2), (1, 3)] {
        orders.add(0, &line(customer, row as i32, 5, row).order())?;
    }
    assert_eq!(orders.orders().len(), 2);
    assert_eq!(orders.orders().get(1), Order { customer: 1, day: 1, units: 10, lines: 2, first_row: 1, amount_is_null: false, marks: 0 });
    Ok(())
}
