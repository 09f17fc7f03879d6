//! What shapes a customer base, fixed when it is built: columns, rules for refunds, nulls and money.

use std::collections::BTreeMap;

use super::accumulators;
use crate::column::bounds::ObservationWindow;
use crate::column::chunks::ColumnRoles;
use crate::column::time::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::time::calendar::{DAY_SECONDS, date_text};

/// What an order with a negative amount means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Returns {
    /// It lowers the sums and makes no purchase of its own.
    #[default]
    Net,
    /// It is left out and counted in the report.
    Exclude,
    /// It counts as it stands.
    Count,
}

/// What a null means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnNull {
    /// Rows without id or time are left out and counted; a null amount adds 0 and is counted.
    #[default]
    Drop,
    /// An error that names the first row.
    Error,
}

/// How the lines of one order are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderLines {
    /// By customer and order id, whatever the order of the rows.
    #[default]
    Any,
    /// They follow each other; memory is per customer only.
    Adjacent,
}

/// What a base keeps, and so what it can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Track {
    /// One update, whose orders are closed at its end: what a single call needs.
    #[default]
    Once,
    /// Totals of each customer.
    Totals,
    /// And what happened on each of his days, so that the base can look back.
    Days,
    /// And his orders, whose lines may come late.
    Orders,
}

impl Track {
    /// Whether past days can be asked for.
    pub fn looks_back(self) -> bool {
        matches!(self, Self::Days | Self::Orders)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Once | Self::Totals => "totals",
            Self::Days => "days",
            Self::Orders => "orders",
        }
    }
}

/// What a line means whose order was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Late {
    /// An error that names its row.
    #[default]
    Error,
    /// It is left out and counted in the report.
    Report,
}

/// What an infinite amount means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnNonfinite {
    /// An error that names the first row.
    #[default]
    Error,
    /// The row is left out and counted.
    Drop,
}

/// The last day that counts, as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// A date, which goes with every kind of time.
    Date(i32),
    /// The day of a date and time without a zone, which goes with naive times only.
    Naive(i32),
    /// An instant (UTC seconds), which goes with zoned times only.
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
    /// The zone that zoned times are read in; the column's own if not given.
    pub timezone: Option<String>,
    /// Nulls.
    pub on_null: OnNull,
    /// Infinite amounts.
    pub on_nonfinite: OnNonfinite,
    /// How lines of one order are found.
    pub order_lines: OrderLines,
    /// Whether distinct purchase days are counted.
    pub n_days: bool,
    /// What is kept.
    pub track: Track,
    /// Accumulators besides attributes, and their options; see `state/accumulator.rs`.
    pub accumulators: BTreeMap<String, String>,
    /// Lines of orders that were sealed.
    pub late: Late,
    /// The last local day that counts; later rows are left out before anything else is done with them.
    pub until: Option<AsOf>,
    /// Set where every order is written down besides, for cohorts; says what is observed.
    pub window: Option<ObservationWindow>,
}

/// Names that results give to what they compute.
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
        }
    }

    /// Whether it is kept what happened on each day.
    pub fn keeps_days(&self) -> bool {
        self.n_days || self.track.looks_back()
    }

    /// Whether data may come in more than one update.
    pub fn check_second_update(&self) -> Result<()> {
        if self.track != Track::Once || self.roles.order_id.is_none() && self.roles.attributes.is_empty() && self.window.is_none() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::StateMismatch,
            "a base that is kept for one call takes its data in one update; pass all batches to it together",
        ))
    }

    /// Whether an order may go on from one batch to the next and its lines are found by that alone.
    pub fn in_sequence(&self) -> bool {
        self.order_lines == OrderLines::Adjacent && self.roles.order_id.is_some()
    }

    /// An error where the level cannot keep what is asked of it.
    fn check_track(&self) -> Result<()> {
        let unfit = |message: &str| Err(Error::new(ErrorKind::StateMismatch, message));
        match (self.track, self.roles.order_id.is_some(), self.order_lines) {
            (Track::Totals | Track::Days, true, OrderLines::Any) => unfit(
                "a base with order_id keeps the orders whose lines may still come: choose track='orders'. Where the lines of an \
                 order follow each other, order_lines='adjacent' goes with track='totals' and 'days'",
            ),
            (Track::Orders, false, _) => unfit("track='orders' needs order_id; without it every row is an order: choose track='days'"),
            (Track::Orders, true, OrderLines::Adjacent) => {
                unfit("order_lines='adjacent' keeps no orders: choose track='totals' or 'days', or order_lines='any'")
            }
            _ => Ok(()),
        }
    }

    /// What is unlike in other settings, in words.
    pub fn difference(&self, other: &Self) -> String {
        let flag = |on: bool| if on { "True".to_owned() } else { "False".to_owned() };
        let word = |choice: &dyn std::fmt::Debug| format!("'{}'", format!("{choice:?}").to_lowercase());
        let column = |name: &Option<String>| name.as_ref().map_or("None".to_owned(), |name| format!("'{name}'"));
        let attributes = |spec: &Self| {
            let entries = spec.roles.attributes.iter().map(|(name, pick)| format!("'{name}': '{}'", format!("{pick:?}").to_lowercase()));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        };
        let settings: [(&str, String, String); 16] = [
            ("customer_id", format!("'{}'", self.roles.customer_id), format!("'{}'", other.roles.customer_id)),
            ("timestamp", format!("'{}'", self.roles.timestamp), format!("'{}'", other.roles.timestamp)),
            ("amount", column(&self.roles.amount), column(&other.roles.amount)),
            ("order_id", column(&self.roles.order_id), column(&other.roles.order_id)),
            ("track", self.track.name().to_owned(), other.track.name().to_owned()),
            ("attributes", attributes(self), attributes(other)),
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

    /// The settings, checked.
    pub fn checked(self) -> Result<Self> {
        let names: Vec<&str> = std::iter::once(&self.roles.customer_id)
            .chain(self.roles.attributes.iter().map(|(name, _)| name))
            .map(String::as_str)
            .collect();
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) || RESULT_COLUMNS.contains(name) {
                let message = format!("the result would have two columns named '{name}'; rename that column of the input first");
                return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(*name));
            }
        }
        self.check_decimals()?;
        self.check_track()?;
        accumulators::check_names(&self.accumulators)?;
        Ok(self)
    }

    /// An error where amounts would be read at too many places.
    pub(crate) fn check_decimals(&self) -> Result<()> {
        if self.amount_decimals > 12 {
            return Err(Error::new(ErrorKind::OutOfRange, format!("amount_decimals={} is outside 0 to 12", self.amount_decimals)));
        }
        Ok(())
    }
}
