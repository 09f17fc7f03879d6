//! Reads the events of a table that are steps of a funnel.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};

use super::kernel::{Event, NO_GROUP};
use super::observed::{Unit, end_of_day, requested};
use super::spec::FunnelSpec;
use crate::column::key::Key;
use crate::column::key_schema::KeySchema;
use crate::column::time::{Clock, TimeColumn};
use crate::column::value::{ValueColumn, ValueType};
use crate::column::{BLOCK, find_column};
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::group::sort::SortKeys;
use crate::report::Tally;

/// More groups than this are no groups.
const MAX_GROUPS: usize = 10_000;
/// Other names of events that are kept, to propose one for a step that does not occur.
const MAX_NAMES: usize = 1_000;

/// The column of groups, and its values by code.
#[derive(Debug)]
pub(super) struct EventGroups {
    pub(super) value_type: ValueType,
    pub(super) values: Interner,
}

/// What the name of an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Null,
    /// No step.
    Other,
    Step(u8),
}

/// The events that were read so far.
#[derive(Debug)]
pub(super) struct EventsRead<'a> {
    spec: &'a FunnelSpec,
    key: KeySchema,
    ids: Interner,
    clock: Clock,
    pub(super) unit: Unit,
    pub(super) groups: Option<EventGroups>,
    /// The requested end of observation in ticks, and its last local day.
    end: Option<(i64, i32)>,
    last_day: Option<i32>,
    pub(super) events: Vec<Event>,
    /// Events of each step.
    of_steps: Vec<u64>,
    other_names: HashSet<String, RandomState>,
    pub(super) rows: u64,
    pub(super) null_ids: Tally,
    pub(super) null_times: Tally,
    pub(super) null_events: Tally,
    pub(super) after_end: Tally,
    pub(super) others: Tally,
    pub(super) null_groups: Tally,
}

impl<'a> EventsRead<'a> {
    /// Checks settings and columns.
    pub(super) fn new(schema: &Schema, spec: &'a FunnelSpec) -> Result<Self> {
        spec.check()?;
        spec.customer_id.check("customer_id")?;
        let key = KeySchema::of(schema, &spec.customer_id, "customer_id")?;
        let time = schema.field(find_column(schema, &spec.timestamp, "timestamp")?);
        let clock = Clock::of(time.name(), time.data_type(), None)?;
        TimeColumn::new(time.name(), &arrow_array::new_empty_array(time.data_type()), &clock)?;
        let unit =
            if matches!(time.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _)) { Unit::NANOSECOND } else { Unit::MICROSECOND };
        let event = schema.field(find_column(schema, &spec.event, "event")?);
        ValueColumn::new(event.name(), "event", &arrow_array::new_empty_array(event.data_type()))?;
        let groups = match &spec.by {
            None => None,
            Some(by) => {
                let value_type = ValueType::of(schema.field(find_column(schema, by, "by")?), "by")?;
                let values = Interner::new(value_type.kind.stored());
                Some(EventGroups { value_type, values })
            }
        };
        let end = requested(spec, &clock)?.map(|(micros, day)| (unit.of_micros(micros), day));
        Ok(Self {
            spec,
            ids: Interner::new(key.kind()),
            key,
            clock,
            unit,
            groups,
            end,
            last_day: None,
            events: Vec::new(),
            of_steps: vec![0; spec.steps.len()],
            other_names: HashSet::default(),
            rows: 0,
            null_ids: Tally::default(),
            null_times: Tally::default(),
            null_events: Tally::default(),
            after_end: Tally::default(),
            others: Tally::default(),
            null_groups: Tally::default(),
        })
    }

    /// Reads a batch.
    pub(super) fn push(&mut self, batch: &RecordBatch, context: &Context) -> Result<()> {
        let spec = self.spec;
        let schema = batch.schema();
        let column = |name: &str, role: &str| -> Result<&ArrayRef> { Ok(batch.column(find_column(&schema, name, role)?)) };
        let columns = spec.customer_id.iter().map(|name| column(name, "customer_id").cloned()).collect::<Result<Vec<_>>>()?;
        let keys = context.run_if_large(batch.num_rows(), |threads| self.key.read(&columns, "customer_id", threads))??;
        let times = TimeColumn::new(&spec.timestamp, column(&spec.timestamp, "timestamp")?, &self.clock)?;
        let names = self.names(&ValueColumn::new(&spec.event, "event", column(&spec.event, "event")?)?, batch.num_rows());
        let groups = match (&spec.by, &mut self.groups) {
            (Some(by), Some(groups)) => {
                let at = find_column(&schema, by, "by")?;
                groups.value_type.widen(&ValueType::of(schema.field(at), "by")?);
                Some(groups.value_type.read(by, "by", batch.column(at))?)
            }
            _ => None,
        };
        let (mut codes, mut remap) = (Vec::with_capacity(BLOCK), Remap::default());
        let (mut group_codes, mut group_remap) = (Vec::new(), Remap::default());
        let mut days = [0_i32; BLOCK];
        for start in (0..batch.num_rows()).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(batch.num_rows() - start);
            self.ids.intern_block(&keys, (start, len), &mut codes, &mut remap)?;
            if let (Some(column), Some(groups)) = (&groups, &mut self.groups) {
                groups.values.intern_block(column, (start, len), &mut group_codes, &mut group_remap)?;
                if groups.values.len() > MAX_GROUPS {
                    let by = spec.by.as_deref().unwrap_or_default();
                    let message = format!("column '{by}' (by) has more than 10,000 values; expected groups");
                    return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(by));
                }
            }
            if !times.read(start, &mut days[..len])
                && let Some(row) = times.first_out_of_range(start, len)
            {
                return Err(TimeColumn::out_of_range(&spec.timestamp, row as u64));
            }
            for row in start..start + len {
                let whole_row = self.rows + row as u64;
                let customer = codes[row - start];
                if customer == NO_CODE {
                    self.null_ids.add(0, whole_row);
                    continue;
                }
                if times.nulls().is_some_and(|nulls| nulls.is_null(row)) {
                    self.null_times.add(0, whole_row);
                    continue;
                }
                let time = self.unit.ticks(times.instant(row)).ok_or_else(|| TimeColumn::out_of_range(&spec.timestamp, row as u64))?;
                if self.end.is_some_and(|(end, _)| time >= end) {
                    self.after_end.add(0, whole_row);
                    continue;
                }
                self.last_day = self.last_day.max(Some(days[row - start]));
                let step = match names[row] {
                    Name::Step(step) => step,
                    Name::Other => {
                        self.others.add(0, whole_row);
                        continue;
                    }
                    Name::Null => {
                        self.null_events.add(0, whole_row);
                        continue;
                    }
                };
                let group = group_codes.get(row - start).filter(|&&code| code != NO_CODE).map_or(NO_GROUP, |&code| code as u16);
                if group == NO_GROUP && groups.is_some() {
                    self.null_groups.add(0, whole_row);
                }
                self.of_steps[usize::from(step)] += 1;
                self.events.push(Event { customer, time, group, step });
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// What the name of each row says.
    fn names(&mut self, values: &ValueColumn, rows: usize) -> Vec<Name> {
        let steps: HashMap<&str, u8, RandomState> = (0..).zip(&self.spec.steps).map(|(at, name)| (name.as_str(), at)).collect();
        let others = &mut self.other_names;
        let mut name = |key: Key<'_>| {
            let mut of_text = |text: &str| {
                if let Some(&step) = steps.get(text) {
                    return Name::Step(step);
                }
                if others.len() < MAX_NAMES && !others.contains(text) {
                    others.insert(text.to_owned());
                }
                Name::Other
            };
            match key {
                Key::Null => Name::Null,
                Key::Text(text) => of_text(text),
                other => other.text().map_or(Name::Null, |text| of_text(&text)),
            }
        };
        let dictionary: Option<Vec<Name>> = values.dictionary().map(|keys| keys.iter().map(|key| name(key.borrow())).collect());
        let of_row = |row: usize| match (&dictionary, values.stored.index(row)) {
            (Some(names), Some(index)) => names[index],
            (Some(_), None) => Name::Null,
            (None, _) => name(values.key(row)),
        };
        (0..rows).map(of_row).collect()
    }

    /// The end of observation in ticks, and its last local day; `None` if there are no rows and none was requested.
    pub(super) fn end(&self) -> Option<(i64, i32)> {
        let of_data = || self.last_day.map(|day| (self.unit.of_micros(end_of_day(day, &self.clock)), day));
        self.end.or_else(of_data)
    }

    /// Puts the groups in the order of their values. Returns the code of each group in turn.
    pub(super) fn order_groups(&mut self) -> Vec<u32> {
        let Some(groups) = &self.groups else { return Vec::new() };
        let keys = groups.values.keys();
        let codes: Vec<u32> = (0..keys.len() as u32).collect();
        let sorted = SortKeys::of(&[keys], Threads::inline()).sort(keys, &codes, Threads::inline());
        let codes: Vec<u32> = sorted.into_iter().map(|(_, code)| code).collect();
        let mut ranks = vec![0; codes.len()];
        (0..).zip(&codes).for_each(|(rank, &code)| ranks[code as usize] = rank);
        let grouped = self.events.iter_mut().filter(|event| event.group != NO_GROUP);
        grouped.for_each(|event| event.group = ranks[usize::from(event.group)]);
        codes
    }

    /// Number of codes of customers.
    pub(super) fn customers(&self) -> usize {
        self.ids.len()
    }

    /// Remarks on steps that no event has.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut names: Vec<&str> = self.other_names.iter().map(String::as_str).collect();
        names.sort_unstable();
        let absent = self.spec.steps.iter().zip(&self.of_steps).filter(|(_, count)| **count == 0);
        let remark = |step: &str| {
            let near = nearest(step, names.iter().copied());
            let near = near.first().map_or_else(String::new, |name| format!("; did you mean '{name}'?"));
            format!("no event is named '{step}'{near}")
        };
        absent.map(|(step, _)| remark(step)).collect()
    }
}
