//! Settings, input schema and tallies of a base as JSON. Equal content gives equal text.

use std::collections::{BTreeMap, BTreeSet};

use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::category_settings::{CategorySettings, ValueText, extension, value_type};
use super::table::order_id_type;
use crate::base::export::BaseMeta;
use crate::column::chunks::{ColumnRoles, InputSchema, Pick};
use crate::column::key::KeyKind;
use crate::column::key_schema::{KeyNames, KeyPart, KeySchema};
use crate::column::time::Clock;
use crate::column::value::ValueType;
use crate::error::Result;
use crate::num::money::Money;
use crate::report::Tally;
use crate::state::customer_state::{RowTallies, State};
use crate::state::daily_tallies::{DailyTallies, DayTallies};
use crate::state::spec::{AsOf, BaseSpec, Late, OnNonfinite, OnNull, OrderLines, Returns, Track};
use crate::state::totals::PurchaseTallies;
use crate::time::zone::Zone;

/// The settings of a base.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaseSettings {
    customer_id: OneOrMore,
    timestamp: String,
    amount: Option<String>,
    order_id: Option<OneOrMore>,
    attributes: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    categories: Option<CategorySettings>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    accumulators: BTreeMap<String, String>,
    track: String,
    returns: String,
    zero_is_purchase: bool,
    amount_decimals: u8,
    timezone: Option<String>,
    on_null: String,
    on_nonfinite: String,
    order_lines: String,
    n_days: bool,
    late: String,
    until: Option<Until>,
}

/// What is said of the columns of a key: a text for a single column, else a list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn of(texts: impl Iterator<Item = String>) -> Self {
        let mut texts: Vec<String> = texts.collect();
        if texts.len() == 1 { Self::One(texts.remove(0)) } else { Self::More(texts) }
    }

    fn into_texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::More(texts) => texts,
        }
    }

    fn names(names: &KeyNames) -> Self {
        Self::of(names.iter().map(str::to_owned))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Until {
    Date(i32),
    Naive(i32),
    Instant(i64),
}

const RETURNS: [(Returns, &str); 3] = [(Returns::Net, "net"), (Returns::Exclude, "exclude"), (Returns::Count, "count")];
const TRACKS: [(Track, &str); 3] = [(Track::Totals, "totals"), (Track::Days, "days"), (Track::Orders, "orders")];
const NULLS: [(OnNull, &str); 2] = [(OnNull::Drop, "drop"), (OnNull::Error, "error")];
const NONFINITES: [(OnNonfinite, &str); 2] = [(OnNonfinite::Drop, "drop"), (OnNonfinite::Error, "error")];
const LINES: [(OrderLines, &str); 2] = [(OrderLines::Any, "any"), (OrderLines::Adjacent, "adjacent")];
const LATES: [(Late, &str); 2] = [(Late::Error, "error"), (Late::Report, "report")];
const PICKS: [(Pick, &str); 2] = [(Pick::First, "first"), (Pick::Last, "last")];
const KINDS: [(KeyKind, &str); 4] =
    [(KeyKind::Signed, "signed"), (KeyKind::Unsigned, "unsigned"), (KeyKind::Text, "text"), (KeyKind::Binary, "binary")];

fn name_of<T: PartialEq>(names: &[(T, &str)], value: &T) -> String {
    names.iter().find(|(of, _)| of == value).map_or_else(String::new, |(_, name)| (*name).to_owned())
}

fn named<T: Copy>(names: &[(T, &str)], name: &str) -> Option<T> {
    names.iter().find(|(_, of)| *of == name).map(|(value, _)| *value)
}

impl BaseSettings {
    /// The settings in their JSON form; `None` for a base that cannot be stored.
    pub(crate) fn of(spec: &BaseSpec) -> Option<Self> {
        if spec.track == Track::Once || spec.window.is_some() || spec.roles.start.is_some() || spec.roles.returning.is_some() {
            return None;
        }
        let ColumnRoles { customer_id, timestamp, amount, order_id, attributes, categories, .. } = spec.roles.clone();
        Some(Self {
            customer_id: OneOrMore::names(&customer_id),
            timestamp,
            amount,
            order_id: order_id.as_ref().map(OneOrMore::names),
            attributes: attributes.into_iter().map(|(name, pick)| (name, name_of(&PICKS, &pick))).collect(),
            categories: CategorySettings::of(categories),
            accumulators: spec.accumulators.clone(),
            track: name_of(&TRACKS, &spec.track),
            returns: name_of(&RETURNS, &spec.returns),
            zero_is_purchase: spec.zero_is_purchase,
            amount_decimals: spec.amount_decimals,
            timezone: spec.timezone.clone(),
            on_null: name_of(&NULLS, &spec.on_null),
            on_nonfinite: name_of(&NONFINITES, &spec.on_nonfinite),
            order_lines: name_of(&LINES, &spec.order_lines),
            n_days: spec.n_days,
            late: name_of(&LATES, &spec.late),
            until: spec.until.map(|until| match until {
                AsOf::Date(day) => Until::Date(day),
                AsOf::Naive(day) => Until::Naive(day),
                AsOf::Instant(second) => Until::Instant(second),
            }),
        })
    }

    /// The parsed settings; `None` for an unknown name.
    pub(crate) fn spec(self) -> Option<BaseSpec> {
        let pick = |(name, pick): (String, String)| Some((name, named(&PICKS, &pick)?));
        let attributes = self.attributes.into_iter().map(pick).collect::<Option<_>>()?;
        let roles = ColumnRoles {
            customer_id: self.customer_id.into_texts().into(),
            timestamp: self.timestamp,
            amount: self.amount,
            order_id: self.order_id.map(|names| names.into_texts().into()),
            attributes,
            categories: self.categories.map(CategorySettings::columns).unwrap_or_default(),
            start: None,
            returning: None,
        };
        Some(BaseSpec {
            accumulators: self.accumulators,
            track: named(&TRACKS, &self.track)?,
            returns: named(&RETURNS, &self.returns)?,
            zero_is_purchase: self.zero_is_purchase,
            amount_decimals: self.amount_decimals,
            timezone: self.timezone,
            on_null: named(&NULLS, &self.on_null)?,
            on_nonfinite: named(&NONFINITES, &self.on_nonfinite)?,
            order_lines: named(&LINES, &self.order_lines)?,
            n_days: self.n_days,
            late: named(&LATES, &self.late)?,
            until: self.until.map(|until| match until {
                Until::Date(day) => AsOf::Date(day),
                Until::Naive(day) => AsOf::Naive(day),
                Until::Instant(second) => AsOf::Instant(second),
            }),
            ..BaseSpec::new(roles)
        })
    }
}

/// The input schema, fixed by the first update.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindNames {
    id: OneOrMore,
    zone: Option<String>,
    money: Option<MoneyKind>,
    order: Option<OneOrMore>,
    attributes: Vec<String>,
    /// The extension types of attributes that have one, by position.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<usize, BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<ValueText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<ValueText>,
    /// Whether amounts are written in 128 bits.
    pub wide: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MoneyKind {
    Float(u8),
    Integer,
    Decimal(i8),
}

impl KindNames {
    /// The input schema in its JSON form.
    pub(crate) fn of(input_schema: &InputSchema, wide: bool) -> Self {
        Self {
            id: OneOrMore::of(input_schema.id.parts().iter().map(|part| part.value_type.to_string())),
            zone: input_schema.clock.zone().map(|zone| zone.name().to_owned()),
            money: input_schema.money.map(|money| match money {
                Money::Float { decimals } => MoneyKind::Float(decimals),
                Money::Integer => MoneyKind::Integer,
                Money::Decimal { scale } => MoneyKind::Decimal(scale),
            }),
            // Order ids are in no result: their widths and layouts are not stored.
            order: input_schema.order.as_ref().map(|key| OneOrMore::of(key.parts().iter().map(|part| name_of(&KINDS, &part.kind)))),
            attributes: input_schema.attributes.iter().map(|value_type| value_type.data_type.to_string()).collect(),
            extensions: input_schema.attributes.iter().map(extension).enumerate().filter(|(_, entries)| !entries.is_empty()).collect(),
            category: input_schema.category.as_ref().map(ValueText::of),
            channel: input_schema.channel.as_ref().map(ValueText::of),
            wide,
        }
    }

    /// The parsed input schema; `None` for an unknown name.
    pub(crate) fn kinds(self, spec: &BaseSpec) -> Result<Option<InputSchema>> {
        let value = |(at, name): (usize, &String)| -> Option<ValueType> {
            value_type(name, self.extensions.get(&at).cloned().unwrap_or_default(), "attributes")
        };
        let clock = match &self.zone {
            Some(zone) => Clock::Zoned(Zone::named(zone)?),
            None => Clock::Naive,
        };
        let order_type = |kind: &str| named(&KINDS, kind).map(order_id_type);
        let order = match (self.order, &spec.roles.order_id) {
            (None, None) => None,
            (Some(kinds), Some(names)) => match key_schema(names, kinds, order_type) {
                None => return Ok(None),
                order => order,
            },
            _ => return Ok(None),
        };
        let id = key_schema(&spec.roles.customer_id, self.id, |name| name.parse().ok());
        let (Some(id), Some(attributes)) = (id, self.attributes.iter().enumerate().map(value).collect::<Option<Vec<_>>>()) else {
            return Ok(None);
        };
        let category = self.category.and_then(|text| text.value_type("categories"));
        let channel = self.channel.and_then(|text| text.value_type("channel"));
        let columns = &spec.roles.categories;
        let fits = attributes.len() == spec.roles.attributes.len()
            && self.money.is_some() == spec.roles.amount.is_some()
            && category.is_some() == columns.category.is_some()
            && channel.is_some() == columns.channel.is_some();
        Ok(fits.then(|| InputSchema {
            id,
            clock,
            money: self.money.map(|money| match money {
                MoneyKind::Float(decimals) => Money::Float { decimals },
                MoneyKind::Integer => Money::Integer,
                MoneyKind::Decimal(scale) => Money::Decimal { scale },
            }),
            order,
            attributes,
            category,
            channel,
        }))
    }
}

/// The key of these columns; `None` for an unknown type.
fn key_schema(names: &KeyNames, types: OneOrMore, value_type: impl Fn(&str) -> Option<DataType>) -> Option<KeySchema> {
    let types = types.into_texts();
    if types.len() != names.iter().len() {
        return None;
    }
    let part = |(name, text): (&str, &String)| KeyPart::new(name, "id", &value_type(text)?).ok();
    names.iter().zip(&types).map(part).collect::<Option<Vec<_>>>().map(KeySchema::new)
}

/// What a base holds except its customers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountText {
    n_rows: u64,
    first_day: Option<i32>,
    last_day: Option<i32>,
    sealed: Option<i32>,
    batch_ids: BTreeSet<String>,
    report: Tallies,
    /// By local day, if the base has snapshots as of past days.
    #[serde(rename = "notes")]
    daily_tallies: Option<BTreeMap<i32, Tallies>>,
}

/// Nonzero tallies by name.
type Tallies = BTreeMap<String, TallyText>;

/// A tally. Its first row number depends on the order of updates and is not stored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TallyText {
    count: u64,
    rows: u64,
    /// As decimal digits, because not every JSON reader supports 128-bit integers.
    units: String,
}

fn row_tallies(rows: &mut RowTallies) -> [(&'static str, &mut Tally); 9] {
    let RowTallies { null_id, null_time, nonfinite, after, null_amount, rounded_amount, null_order, late, removed } = rows;
    [
        ("null_customer_id", null_id),
        ("null_timestamp", null_time),
        ("nonfinite_amount", nonfinite),
        ("after_as_of", after),
        ("null_amount", null_amount),
        ("rounded_amount", rounded_amount),
        ("null_order_id", null_order),
        ("late_lines", late),
        ("removed", removed),
    ]
}

fn purchase_tallies(purchases: &mut PurchaseTallies) -> [(&'static str, &mut Tally); 3] {
    let PurchaseTallies { excluded_refunds, netted_refunds, zero_orders } = purchases;
    [("excluded_refunds", excluded_refunds), ("netted_refunds", netted_refunds), ("zero_orders", zero_orders)]
}

fn day_tallies(tallies: &mut DayTallies) -> impl Iterator<Item = (&'static str, &mut Tally)> {
    let DayTallies { null_amount, rounded_amount, null_order, purchases } = tallies;
    let rows = [("null_amount", null_amount), ("rounded_amount", rounded_amount), ("null_order_id", null_order)];
    rows.into_iter().chain(purchase_tallies(purchases))
}

fn write<'a>(tallies: impl Iterator<Item = (&'static str, &'a mut Tally)>) -> Tallies {
    let text = |tally: &Tally| TallyText { count: tally.count, rows: tally.rows, units: tally.units.to_string() };
    let counted = |tally: &Tally| tally.count != 0 || tally.rows != 0 || tally.units != 0;
    tallies.filter(|(_, tally)| counted(tally)).map(|(name, tally)| (name.to_owned(), text(tally))).collect()
}

/// Reads tallies; `None` for an unknown name or an invalid number.
fn read<'a>(mut from: Tallies, tallies: impl Iterator<Item = (&'static str, &'a mut Tally)>) -> Option<()> {
    for (name, tally) in tallies {
        if let Some(TallyText { count, rows, units }) = from.remove(name) {
            *tally = Tally { count, rows, units: units.parse().ok()?, ..Tally::default() };
        }
    }
    from.is_empty().then_some(())
}

impl AccountText {
    /// The content of a state except its customers, in its JSON form.
    pub(super) fn of(state: &State, account: BaseMeta) -> Self {
        let (mut rows, mut purchases) = (state.rows, state.purchases);
        let daily_tallies = state.daily_tallies.as_ref().map(|daily_tallies| {
            let by_day = daily_tallies.days().map(|(day, tallies)| (day, write(day_tallies(&mut tallies.clone()))));
            by_day.filter(|(_, tallies)| !tallies.is_empty()).collect()
        });
        Self {
            n_rows: account.rows,
            first_day: Some(state.first_day).filter(|&day| day != i32::MAX),
            last_day: Some(state.last_day).filter(|&day| day != i32::MIN),
            sealed: account.sealed,
            batch_ids: account.batches,
            report: write(row_tallies(&mut rows).into_iter().chain(purchase_tallies(&mut purchases))),
            daily_tallies,
        }
    }

    /// Fills a state; `None` if the content is invalid.
    pub(super) fn fill(self, state: &mut State) -> Option<BaseMeta> {
        (state.first_day, state.last_day) = (self.first_day.unwrap_or(i32::MAX), self.last_day.unwrap_or(i32::MIN));
        read(self.report, row_tallies(&mut state.rows).into_iter().chain(purchase_tallies(&mut state.purchases)))?;
        match (self.daily_tallies, &mut state.daily_tallies) {
            (Some(by_day), Some(daily_tallies)) => fill_daily_tallies(by_day, daily_tallies)?,
            (None, None) => {}
            _ => return None,
        }
        Some(BaseMeta { rows: self.n_rows, batches: self.batch_ids, sealed: self.sealed })
    }
}

fn fill_daily_tallies(by_day: BTreeMap<i32, Tallies>, daily_tallies: &mut DailyTallies) -> Option<()> {
    by_day.into_iter().try_for_each(|(day, tallies)| read(tallies, day_tallies(daily_tallies.on(day))))
}
