//! How many customers of each segment have each value.

use super::attributes::{self, Values};
use super::members::Members;
use super::rows::{Codes, id_names, read_ids};
use super::spec::{AttributeNulls, AttributeTable, PortraitSpec};
use crate::column::invalid_type;
use crate::column::key_schema::KeySchema;
use crate::error::{Error, ErrorKind, Result, suggestion};
use crate::exec::context::Context;
use crate::group::interner::NO_CODE;
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};

/// Rows of the largest result.
const MAX_CELLS: usize = 20_000_000;

/// The customers of segments by the values of an attribute.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    /// The values as text; `None` is null.
    pub(super) values: Vec<Option<String>>,
    /// Customers with a known value, by segment.
    pub(super) known: Vec<u64>,
    /// Customers by value and segment: those of the segments of a value are adjacent.
    pub(super) counts: Vec<u64>,
}

impl Attribute {
    /// The customers of a value, by segment.
    pub(super) fn of_value(&self, value: usize) -> &[u64] {
        let segments = self.known.len();
        &self.counts[value * segments..(value + 1) * segments]
    }
}

/// The customers of all tables who are in no segment, and the other way round.
#[derive(Debug, Default)]
struct Unmatched {
    null_ids: Tally,
    not_in_segments: Tally,
    not_in_attributes: Tally,
}

/// Counts all attributes of all tables.
pub(super) fn count(
    tables: &[AttributeTable<'_>],
    members: &mut Members,
    spec: &PortraitSpec,
    report: &mut Report,
    context: &Context,
) -> Result<Vec<Attribute>> {
    let mut found: Vec<Attribute> = Vec::new();
    let mut unmatched = Unmatched::default();
    for (at, table) in tables.iter().enumerate() {
        let attributes = read_table(table, at, members, spec, (report, &mut unmatched), context);
        for attribute in attributes.map_err(|error| error.said_of(&table.said(at)))? {
            if found.iter().any(|other| other.name == attribute.name) {
                let name = &attribute.name;
                let message =
                    format!("two attributes are named '{name}'; rename a column, or name the tables: attributes={{\"{name}\": ...}}");
                return Err(Error::new(ErrorKind::DuplicateColumn, message).in_column(name));
            }
            found.push(attribute);
        }
    }
    let names: Vec<&str> = found.iter().map(|attribute| attribute.name.as_str()).collect();
    if let Some((name, _)) = spec.bins.iter().find(|(name, _)| !names.contains(&name.as_str())) {
        let list = suggestion(name, &names).replace("columns are", "attributes are");
        return Err(Error::new(ErrorKind::InvalidArgument, format!("bins names '{name}', which is no attribute; {list}")));
    }
    let entry = |name, kind, unit, tally: &Tally| ReportEntry::new(name, kind, unit, tally, None);
    report.entries.push(entry("null_attribute_id", EntryKind::LeftOut, ReportUnit::Rows, &unmatched.null_ids));
    report.entries.push(entry("not_in_segments", EntryKind::LeftOut, ReportUnit::Customers, &unmatched.not_in_segments));
    report.entries.push(entry("not_in_attributes", EntryKind::Note, ReportUnit::Customers, &unmatched.not_in_attributes));
    Ok(found)
}

fn read_table(
    table: &AttributeTable<'_>,
    at: usize,
    members: &mut Members,
    spec: &PortraitSpec,
    (report, unmatched): (&mut Report, &mut Unmatched),
    context: &Context,
) -> Result<Vec<Attribute>> {
    let Some(first) = table.batches.first() else { return Err(Error::internal("a table without a batch")) };
    let schema = first.schema();
    let (names, is_first) = match &spec.customer_id {
        Some(names) => (names.clone(), false),
        None => id_names(&schema, &members.key.names())?,
    };
    let key = KeySchema::of(&schema, &names, "customer_id")?;
    check_kinds(&members.key, &key)?;
    // pandas exports an index without a name as a column of this name.
    let is_attribute = |name: &&str| !key.has(name) && !name.starts_with("__index_level_");
    let mut columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).filter(is_attribute).collect();
    let is_segment = |name: &&str| *name == spec.segment;
    if columns.iter().any(is_segment) {
        columns.retain(|name| !is_segment(name));
        report.remarks.push(format!("{}: column '{}' is that of the segments, and no attribute", table.said(at), spec.segment));
    }
    if is_first && let Some(name) = names.iter().next() {
        report.remarks.push(format!("{}: the ids are in its first column, '{name}'", table.said(at)));
    }
    if columns.is_empty() {
        let message = format!("the table has no column of an attribute beside its id, {names}");
        return Err(Error::new(ErrorKind::ColumnNotFound, message));
    }
    let Codes { codes, repeated, nulls } = read_ids(table.batches, &key, &mut members.ids, context)?;
    let name = table.name.as_deref().filter(|_| columns.len() == 1);
    let is_list = table.is_list || (repeated.is_some() && columns.len() == 1);
    if let Some(repeated) = repeated.filter(|_| !is_list || columns.len() > 1) {
        return Err(repeated.error(
            "Keep one row of each, or, if a customer may have several values, pass each column as a table of its own, of the id and the \
             column: long={'NAME': table}",
        ));
    }
    report.n_rows += codes.len() as u64;
    unmatched.null_ids.add_many(nulls.rows, 0);
    let in_table = match_customers(&codes, members, unmatched);
    let mut attributes = Vec::new();
    for column in columns {
        let name = name.unwrap_or(column);
        let is_counted = |row: usize| codes[row] != NO_CODE && members.segment(codes[row]).is_some();
        let values = attributes::read(table.batches, column, name, spec, is_counted, context)?;
        let remark = values.remark.clone();
        let attribute = if is_list {
            count_list(name, &codes, values, members, spec, context)?
        } else {
            count_customers(name, &codes, values, members, spec)?
        };
        report.remarks.push(known_remark(&attribute, members, is_list.then_some(in_table)));
        report.remarks.extend(remark.map(|remark| format!("attribute '{name}': {remark}")));
        attributes.push(attribute);
    }
    Ok(attributes)
}

fn check_kinds(key: &KeySchema, other: &KeySchema) -> Result<()> {
    for (part, other) in key.parts().iter().zip(other.parts()) {
        if part.kind != other.kind {
            let expected = format!("{}, as in the segments", part.kind.name());
            let remedy = "Ids of different kinds are never equal: cast one of the columns";
            return Err(invalid_type(&other.name, "customer_id", &other.value_type, &expected, remedy));
        }
    }
    Ok(())
}

/// Counts the customers who are in the table only, or in the segments only; the result is how many are in both.
fn match_customers(codes: &[u32], members: &Members, unmatched: &mut Unmatched) -> u64 {
    let mut is_seen = vec![false; members.ids.len()];
    let (mut both, mut outside) = (0, 0);
    for &code in codes.iter().filter(|&&code| code != NO_CODE) {
        let is_known = std::mem::replace(&mut is_seen[code as usize], true);
        let is_member = members.segment(code).is_some();
        both += u64::from(!is_known && is_member);
        outside += u64::from(!is_known && !is_member);
        unmatched.not_in_segments.rows += u64::from(!is_member);
    }
    unmatched.not_in_segments.count += outside;
    unmatched.not_in_attributes.count += members.customers() - both;
    both
}

fn check_cells(values: usize, segments: usize, name: &str) -> Result<()> {
    if values.saturating_mul(segments) <= MAX_CELLS {
        return Ok(());
    }
    let message = format!(
        "attribute '{name}' has {values} values in {segments} segments, more than {MAX_CELLS} rows of a portrait. Leave it out, or give \
         it fewer values"
    );
    Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name))
}

/// Counts the values of customers who have one each.
fn count_customers(name: &str, codes: &[u32], values: Values, members: &Members, spec: &PortraitSpec) -> Result<Attribute> {
    let segments = members.names.len();
    let mut texts = values.texts;
    check_cells(texts.len() + 1, segments, name)?;
    let mut counts = vec![0_u64; texts.len() * segments];
    let mut known = vec![0_u64; segments];
    for (&code, &value) in codes.iter().zip(&values.codes) {
        if code == NO_CODE || value == NO_CODE {
            continue;
        }
        if let Some(segment) = members.segment(code) {
            counts[value as usize * segments + segment] += 1;
            known[segment] += 1;
        }
    }
    if spec.nulls == AttributeNulls::Value {
        counts.extend(members.sizes.iter().zip(&known).map(|(size, known)| size - known));
        texts.push(None);
        known.clone_from(&members.sizes);
    }
    Ok(Attribute { name: name.to_owned(), values: texts, known, counts })
}

/// Counts the values of a list, of which a customer may have several; each counts once.
fn count_list(name: &str, codes: &[u32], values: Values, members: &Members, spec: &PortraitSpec, context: &Context) -> Result<Attribute> {
    let segments = members.names.len();
    let mut texts = values.texts;
    let null = texts.len() as u64;
    if spec.nulls == AttributeNulls::Value {
        texts.push(None);
    }
    check_cells(texts.len(), segments, name)?;
    let pair = |(&code, &value): (&u32, &u32)| {
        let value = if value == NO_CODE { null } else { u64::from(value) };
        let is_counted = code != NO_CODE && value < texts.len() as u64 && members.segment(code).is_some();
        is_counted.then_some(u64::from(code) << 32 | value)
    };
    let mut pairs: Vec<u64> = codes.iter().zip(&values.codes).filter_map(pair).collect();
    context.check()?;
    context.run_if_large(pairs.len(), |threads| threads.par_sort_unstable_by(&mut pairs, Ord::cmp))?;
    pairs.dedup();
    let mut counts = vec![0_u64; texts.len() * segments];
    for pair in pairs {
        if let Some(segment) = members.segment((pair >> 32) as u32) {
            counts[(pair & u64::from(u32::MAX)) as usize * segments + segment] += 1;
        }
    }
    // Who is not in the list has none of its values.
    Ok(Attribute { name: name.to_owned(), values: texts, known: members.sizes.clone(), counts })
}

/// What the report says of an attribute; `in_list` is the number of customers of a list.
fn known_remark(attribute: &Attribute, members: &Members, in_list: Option<u64>) -> String {
    let (name, all) = (&attribute.name, members.customers());
    let share = |part: u64| if all == 0 { String::new() } else { format!(" ({:.1} %)", 100.0 * part as f64 / all as f64) };
    if let Some(listed) = in_list {
        return format!(
            "attribute '{name}': a list, of which a customer may have several values; {listed} of {all} customers{} are in it, the others \
             have none of its values",
            share(listed)
        );
    }
    let known = attribute.known.iter().sum();
    format!("attribute '{name}': known for {known} of {all} customers{}", share(known))
}
