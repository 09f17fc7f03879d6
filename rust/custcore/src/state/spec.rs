//! The settings of a customer base, fixed when it is created: columns, rules for refunds, nulls and amounts.

use std::collections::BTreeMap;
use std::ops::Range;

use super::accumulators;
use crate::column::bounds::ObservationWindow;
use crate::column::chunks::ColumnRoles;
use crate::column::key_schema::KeyNames;
use crate::column::time::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::time::calendar::{DAY_SECONDS, date_text};

/// Treatment of orders with a negative amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Returns {
    /// It lowers the sums and is not a purchase.
    #[default]
    Net,
    /// It is left out and counted in the report.
    Exclude,
    /// It is a purchase.
    Count,
}

/// Treatment of nulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnNull {
    /// Rows without id or timestamp are left out and counted; a null amount adds 0 and is counted.
    #[default]
    Drop,
    /// An error with the number of the first such row.
    Error,
}

/// How the lines of an order are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderLines {
    /// By customer and order id, in any row order.
    #[default]
    Any,
    /// The lines of an order are adjacent; memory is per customer only.
    Adjacent,
}

/// The level of detail that a base keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Track {
    /// One update, whose orders are closed at its end; for a single call.
    #[default]
    Once,
    /// Totals of each customer.
    Totals,
    /// Totals and day records, for snapshots as of past days.
    Days,
    /// Totals, day records, and open orders, which may get more lines.
    Orders,
}

impl Track {
    /// Whether snapshots as of past days are available.
    pub fn looks_back(self) -> bool {
        matches!(self, Self::Days | Self::Orders)
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Once | Self::Totals => "totals",
            Self::Days => "days",
            Self::Orders => "orders",
        }
    }
}

/// Treatment of late lines (lines of sealed orders).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Late {
    /// An error with the row number.
    #[default]
    Error,
    /// It is left out and counted in the report.
    Report,
}

/// Treatment of infinite amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnNonfinite {
    /// An error with the number of the first such row.
    #[default]
    Error,
    /// The row is left out and counted.
    Drop,
}

/// The last day of a snapshot, as given by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// A date; valid for all timestamps.
    Date(i32),
    /// The day of a naive datetime; valid for naive timestamps only.
    Naive(i32),
    /// An instant (UTC seconds); valid for zoned timestamps only.
    Instant(i64),
}

impl AsOf {
    /// The local day.
    pub fn day(self, clock: &Clock) -> Result<i32> {
        let wrong = |message: String| Err(Error::new(ErrorKind::InvalidType, message));
        match (self, clock) {
            (Self::Date(day), _) | (Self::Naive(day), Clock::Naive) => Ok(day),
            (Self::Instant(seconds), Clock::Zoned(zone)) => {
                let local = seconds.saturating_add(zone.reader().offset_at(seconds));
                i32::try_from(local.div_euclid(DAY_SECONDS)).map_err(Error::internal)
            }
            (Self::Naive(day), Clock::Zoned(zone)) => wrong(format!(
                "as_of is a time without a zone, but the timestamps are in zone {}; pass the date {}, or a time with a zone",
                zone.name(),
                date_text(day)
            )),
            (Self::Instant(_), Clock::Naive) => {
                wrong("as_of is a time with a zone, but the timestamps have none; pass a date, or a time without a zone".to_owned())
            }
        }
    }
}

/// Ranges of days whose totals are kept, in days from a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRanges {
    /// The day from which the ranges are counted.
    pub from: AsOf,
    /// The ranges, which may overlap.
    pub ranges: Vec<Range<i32>>,
}

impl DayRanges {
    /// The ranges as local days.
    pub(crate) fn days(&self, clock: &Clock) -> Result<Vec<Range<i32>>> {
        let from = self.from.day(clock)?;
        Ok(self.ranges.iter().map(|range| from.saturating_add(range.start)..from.saturating_add(range.end)).collect())
    }
}

/// The settings of a customer base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseSpec {
    /// The columns.
    pub roles: ColumnRoles,
    /// Refunds.
    pub returns: Returns,
    /// Whether an order of amount 0 is a purchase.
    pub zero_is_purchase: bool,
    /// Decimal places at which float amounts are read, 0 to 12.
    pub amount_decimals: u8,
    /// The zone for zoned timestamps; by default that of the column.
    pub timezone: Option<String>,
    /// Nulls.
    pub on_null: OnNull,
    /// Infinite amounts.
    pub on_nonfinite: OnNonfinite,
    /// Grouping of order lines.
    pub order_lines: OrderLines,
    /// Whether distinct purchase days are counted.
    pub n_days: bool,
    /// Level of detail.
    pub track: Track,
    /// Accumulators besides attributes, and their options; see `state/accumulator.rs`.
    pub accumulators: BTreeMap<String, String>,
    /// Late lines: lines of sealed orders.
    pub late: Late,
    /// The last local day; later rows are left out before any other check.
    pub until: Option<AsOf>,
    /// The observation window, if an order log is kept for cohorts.
    pub window: Option<ObservationWindow>,
    /// Ranges of days whose totals are kept instead of those of all days, in a base for a single call of orders of one row.
    pub day_ranges: Option<DayRanges>,
}

/// Names of computed result columns.
const RESULT_COLUMNS: [&str; 9] =
    ["first_date", "last_date", "recency_days", "tenure_days", "n_orders", "n_rows", "n_days", "monetary_total", "monetary_mean"];

impl BaseSpec {
    /// The default settings for these columns.
    pub fn new(roles: ColumnRoles) -> Self {
        Self {
            roles,
            returns: Returns::default(),
            zero_is_purchase: true,
            amount_decimals: 6,
            timezone: None,
            on_null: OnNull::default(),
            on_nonfinite: OnNonfinite::default(),
            order_lines: OrderLines::default(),
            n_days: false,
            track: Track::default(),
            accumulators: BTreeMap::new(),
            late: Late::default(),
            until: None,
            window: None,
            day_ranges: None,
        }
    }

    /// Whether day records are kept.
    pub fn keeps_days(&self) -> bool {
        self.n_days || self.track.looks_back()
    }

    /// Whether values of customers are kept besides totals and days.
    pub fn keeps_values(&self) -> bool {
        !self.roles.attributes.is_empty() || !self.accumulators.is_empty() || self.roles.categories.is_kept()
    }

    /// An error if the base takes only one update.
    pub fn check_second_update(&self) -> Result<()> {
        let keeps_none = self.roles.order_id.is_none() && !self.keeps_values() && self.window.is_none() && self.day_ranges.is_none();
        if self.track != Track::Once || keeps_none {
            return Ok(());
        }
        Err(Error::new(ErrorKind::StateMismatch, "a base for a single call takes one update; pass all batches in one call"))
    }

    /// Whether orders are grouped by adjacent lines, so that an order may continue in the next batch.
    pub fn in_sequence(&self) -> bool {
        self.order_lines == OrderLines::Adjacent && self.roles.order_id.is_some()
    }

    /// An error if `track` and the order settings are incompatible.
    fn check_track(&self) -> Result<()> {
        let unfit = |message: &str| Err(Error::new(ErrorKind::StateMismatch, message));
        match (self.track, self.roles.order_id.is_some(), self.order_lines) {
            (Track::Totals | Track::Days, true, OrderLines::Any) => unfit(
                "a base with order_id keeps open orders: use track='orders'. If the lines of an \
                 order are adjacent, use order_lines='adjacent' with track='totals' or 'days'",
            ),
            (Track::Orders, false, _) => unfit("track='orders' needs order_id; without it every row is an order: use track='days'"),
            (Track::Orders, true, OrderLines::Adjacent) => {
                unfit("order_lines='adjacent' keeps no open orders: use track='totals' or 'days', or order_lines='any'")
            }
            _ => Ok(()),
        }
    }

    /// The differing settings as text.
    pub fn difference(&self, other: &Self) -> String {
        let flag = |on: bool| if on { "True".to_owned() } else { "False".to_owned() };
        let word = |choice: &dyn std::fmt::Debug| format!("'{}'", format!("{choice:?}").to_lowercase());
        let column = |name: &Option<String>| name.as_ref().map_or("None".to_owned(), |name| format!("'{name}'"));
        let key = |names: &Option<KeyNames>| names.as_ref().map_or("None".to_owned(), KeyNames::to_string);
        let attributes = |spec: &Self| {
            let entries = spec.roles.attributes.iter().map(|(name, pick)| format!("'{name}': '{}'", format!("{pick:?}").to_lowercase()));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        };
        let columns = (&self.roles.categories, &other.roles.categories);
        let settings: [(&str, String, String); 20] = [
            ("customer_id", self.roles.customer_id.to_string(), other.roles.customer_id.to_string()),
            ("timestamp", format!("'{}'", self.roles.timestamp), format!("'{}'", other.roles.timestamp)),
            ("amount", column(&self.roles.amount), column(&other.roles.amount)),
            ("order_id", key(&self.roles.order_id), key(&other.roles.order_id)),
            ("track", self.track.name().to_owned(), other.track.name().to_owned()),
            ("attributes", attributes(self), attributes(other)),
            ("categories", column(&columns.0.category), column(&columns.1.category)),
            ("promotion", column(&columns.0.promotion), column(&columns.1.promotion)),
            ("channel", column(&columns.0.channel), column(&columns.1.channel)),
            ("category_days", flag(columns.0.by_day), flag(columns.1.by_day)),
            ("returns", word(&self.returns), word(&other.returns)),
            ("zero_is_purchase", flag(self.zero_is_purchase), flag(other.zero_is_purchase)),
            ("order_lines", word(&self.order_lines), word(&other.order_lines)),
            ("amount_decimals", self.amount_decimals.to_string(), other.amount_decimals.to_string()),
            ("timezone", column(&self.timezone), column(&other.timezone)),
            ("n_days", flag(self.n_days), flag(other.n_days)),
            ("on_null", word(&self.on_null), word(&other.on_null)),
            ("on_nonfinite", word(&self.on_nonfinite), word(&other.on_nonfinite)),
            ("late", word(&self.late), word(&other.late)),
            ("accumulators", format!("{:?}", self.accumulators), format!("{:?}", other.accumulators)),
        ];
        let unlike: Vec<String> = settings
            .iter()
            .filter(|(_, own, other)| own != other)
            .map(|(name, own, other)| format!("{name} is {own} here and {other} there"))
            .collect();
        unlike.join(", ")
    }

    /// Validates the settings.
    pub fn checked(self) -> Result<Self> {
        self.check_keys()?;
        let attributes = self.roles.attributes.iter().map(|(name, _)| name.as_str());
        let names: Vec<&str> = self.roles.customer_id.iter().chain(attributes).collect();
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) || RESULT_COLUMNS.contains(name) {
                let message = format!("the result would have two columns named '{name}'; rename that column of the input first");
                return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(*name));
            }
        }
        self.check_decimals()?;
        self.check_track()?;
        self.roles.categories.check()?;
        if self.roles.categories.by_day && !self.track.looks_back() {
            let message =
                "category_days=True answers past days, which a base of level 'totals' does not keep; use track='days' or 'orders'";
            return Err(Error::new(ErrorKind::StateMismatch, message));
        }
        accumulators::check_names(&self.accumulators)?;
        if self.day_ranges.is_some() && (self.track != Track::Once || self.roles.order_id.is_some() || self.window.is_some()) {
            return Err(Error::internal("ranges of days are kept by a base for a single call, of orders of one row"));
        }
        Ok(self)
    }

    /// An error if a key has no columns, or one twice.
    pub(crate) fn check_keys(&self) -> Result<()> {
        self.roles.customer_id.check("customer_id")?;
        self.roles.order_id.as_ref().map_or(Ok(()), |names| names.check("order_id"))
    }

    /// An error if `amount_decimals` is out of range.
    pub(crate) fn check_decimals(&self) -> Result<()> {
        if self.amount_decimals > 12 {
            return Err(Error::new(ErrorKind::OutOfRange, format!("amount_decimals={} is outside 0 to 12", self.amount_decimals)));
        }
        Ok(())
    }
}
