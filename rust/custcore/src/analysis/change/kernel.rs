//! Kernel of a change of revenue: to which source a customer belongs, and how much he adds to it.

use super::spec::ChangeSpec;
use crate::analysis::purchase_days::Buyer;

/// Where revenue came from or went, in the order of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// First purchase in the later period.
    New,
    /// Bought in the later period and before it, but not in the earlier period.
    Reactivated,
    /// Bought in the earlier period only.
    Lost,
    /// Bought in both, and spent as much or more.
    KeptUp,
    /// Bought in both, and spent less.
    KeptDown,
    /// Bought in neither, but got money back for earlier purchases.
    Refunds,
}

/// Names of sources.
pub(super) const SOURCES: [(Source, &str); 6] = [
    (Source::New, "new"),
    (Source::Reactivated, "reactivated"),
    (Source::Lost, "lost"),
    (Source::KeptUp, "kept_up"),
    (Source::KeptDown, "kept_down"),
    (Source::Refunds, "refunds"),
];

/// Customers and money of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SourceSum {
    pub(super) customers: u64,
    /// Change of the revenue in units.
    pub(super) units: i128,
}

/// Customers and money of each source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SourceSums([SourceSum; SOURCES.len()]);

impl SourceSums {
    /// Adds a customer.
    pub(super) fn add(&mut self, buyer: &Buyer<'_>, spec: &ChangeSpec) {
        let Some((source, units)) = source_of(buyer, spec) else { return };
        let sum = &mut self.0[source as usize];
        sum.customers += 1;
        sum.units += units;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            sum.customers += more.customers;
            sum.units += more.units;
        }
    }

    pub(super) fn get(&self, source: Source) -> SourceSum {
        self.0[source as usize]
    }

    /// The whole change in units.
    pub(super) fn change(&self) -> i128 {
        self.0.iter().map(|sum| sum.units).sum()
    }
}

/// The source of a customer, and the change of his revenue; `None` without orders in either period.
fn source_of(buyer: &Buyer<'_>, spec: &ChangeSpec) -> Option<(Source, i128)> {
    let (mut change, mut any) = (0, false);
    for (&day, &units) in buyer.all_days.iter().zip(buyer.all_units) {
        if spec.before.has(day) {
            (change, any) = (change - units, true);
        } else if spec.after.has(day) {
            (change, any) = (change + units, true);
        }
    }
    if !any {
        return None;
    }
    let bought = |first: i32, last: i32| {
        let at = buyer.days.partition_point(|&day| day < first);
        buyer.days.get(at).is_some_and(|&day| day <= last)
    };
    let source = match (bought(spec.before.first, spec.before.last), bought(spec.after.first, spec.after.last)) {
        (false, true) if buyer.days.first().is_some_and(|&day| day >= spec.after.first) => Source::New,
        (false, true) => Source::Reactivated,
        (true, false) => Source::Lost,
        (true, true) if change >= 0 => Source::KeptUp,
        (true, true) => Source::KeptDown,
        (false, false) => Source::Refunds,
    };
    Some((source, change))
}

#[cfg(test)]
mod tests {
    use super::super::spec::DayRange;
    use super::*;

    #[test]
    fn sources_of_customers() {
        let (before, after) = (DayRange { first: 10, last: 19 }, DayRange { first: 30, last: 39 });
        let spec = ChangeSpec { before, after, are_calendar: false, by: None, overlap: None };
        let of = |days: &[(i32, u64, i128)]| {
            let all_days: Vec<i32> = days.iter().map(|day| day.0).collect();
            let all_units: Vec<i128> = days.iter().map(|day| day.2).collect();
            let (bought, orders): (Vec<i32>, Vec<u64>) = days.iter().filter(|day| day.1 > 0).map(|day| (day.0, day.1)).unzip();
            let total = all_units.iter().sum();
            source_of(&Buyer { code: 0, days: &bought, orders: &orders, total, all_days: &all_days, all_units: &all_units }, &spec)
        };
        assert_eq!(of(&[(30, 1, 7), (35, 1, 1), (45, 1, 9)]), Some((Source::New, 8)));
        assert_eq!(of(&[(25, 1, 7), (39, 1, 2)]), Some((Source::Reactivated, 2)));
        assert_eq!(of(&[(10, 1, 7), (25, 1, 2)]), Some((Source::Lost, -7)));
        assert_eq!(of(&[(19, 1, 7), (31, 1, 7)]), Some((Source::KeptUp, 0)));
        assert_eq!(of(&[(19, 1, 7), (31, 1, 6)]), Some((Source::KeptDown, -1)));
        assert_eq!(of(&[(5, 1, 7), (31, 0, -6)]), Some((Source::Refunds, -6)));
        assert_eq!(of(&[(5, 1, 7), (15, 0, -6)]), Some((Source::Refunds, 6)));
        assert_eq!(of(&[(15, 1, 7), (31, 0, -6)]), Some((Source::Lost, -13)));
        assert_eq!(of(&[(20, 1, 7)]), None);
    }
}
