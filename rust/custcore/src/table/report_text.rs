//! A report as JSON has it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::num::money::{Amount, Money};
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit};

/// Serialized form of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportText {
    n_rows: u64,
    as_of: Option<i32>,
    remarks: Vec<String>,
    entries: Vec<EntryText>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryText {
    name: String,
    kind: KindText,
    unit: UnitText,
    count: u64,
    rows: u64,
    first_row: Option<u64>,
    /// As decimal digits, because not every JSON reader supports 128-bit integers.
    units: Option<String>,
    money: Option<MoneyText>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindText {
    LeftOut,
    Note,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnitText {
    Rows,
    Orders,
    Customers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MoneyText {
    Float(u8),
    Integer,
    Decimal(i8),
}

impl ReportText {
    /// The text of a report.
    pub(crate) fn of(report: &Report) -> Self {
        let entries = report.entries.iter().map(EntryText::of).collect();
        Self { n_rows: report.n_rows, as_of: report.as_of, remarks: report.remarks.clone(), entries }
    }

    /// The report; `None` for a sum that is no number.
    pub(crate) fn report(self) -> Option<Report> {
        let entries = self.entries.into_iter().map(EntryText::entry).collect::<Option<_>>()?;
        Some(Report { entries, n_rows: self.n_rows, as_of: self.as_of, remarks: self.remarks })
    }
}

impl EntryText {
    fn of(entry: &ReportEntry) -> Self {
        Self {
            name: entry.name.to_string(),
            kind: match entry.kind {
                EntryKind::LeftOut => KindText::LeftOut,
                EntryKind::Note => KindText::Note,
            },
            unit: match entry.unit {
                ReportUnit::Rows => UnitText::Rows,
                ReportUnit::Orders => UnitText::Orders,
                ReportUnit::Customers => UnitText::Customers,
            },
            count: entry.count,
            rows: entry.rows,
            first_row: entry.first_row,
            units: entry.sum.map(|sum| sum.units.to_string()),
            money: entry.sum.map(|sum| match sum.money {
                Money::Float { decimals } => MoneyText::Float(decimals),
                Money::Integer => MoneyText::Integer,
                Money::Decimal { scale } => MoneyText::Decimal(scale),
            }),
        }
    }

    /// The entry; `None` for a sum that is no number.
    fn entry(self) -> Option<ReportEntry> {
        let sum = match (self.units, self.money) {
            (None, None) => None,
            (Some(units), Some(money)) => {
                let money = match money {
                    MoneyText::Float(decimals) => Money::Float { decimals },
                    MoneyText::Integer => Money::Integer,
                    MoneyText::Decimal(scale) => Money::Decimal { scale },
                };
                Some(Amount { units: units.parse().ok()?, money })
            }
            _ => return None,
        };
        Some(ReportEntry {
            name: Cow::Owned(self.name),
            kind: match self.kind {
                KindText::LeftOut => EntryKind::LeftOut,
                KindText::Note => EntryKind::Note,
            },
            unit: match self.unit {
                UnitText::Rows => ReportUnit::Rows,
                UnitText::Orders => ReportUnit::Orders,
                UnitText::Customers => ReportUnit::Customers,
            },
            count: self.count,
            rows: self.rows,
            sum,
            first_row: self.first_row,
        })
    }
}
