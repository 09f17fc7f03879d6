//! The answers of a table: their scores and segments, and which of them counts for a customer.

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::kernel::Answers;
use super::spec::{NpsAnswer, NpsSpec};
use crate::column::key::{Key, OwnedKey};
use crate::column::key_schema::KeySchema;
use crate::column::number::{Number, NumberColumn};
use crate::column::time::{Clock, TimeColumn};
use crate::column::value::ValueColumn;
use crate::column::{BLOCK, find_column, flag};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::intern_rows::Remap;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::Tally;

/// The code of a row without a segment.
const NO_SEGMENT: u32 = u32::MAX;

/// A segment of the table.
#[derive(Debug)]
struct Segment {
    key: OwnedKey,
    /// Its place in dictionaries; `None` if it is in none.
    rank: Option<usize>,
}

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answer {
    score: Option<u8>,
    segment: u32,
    /// Where it stands among the answers of a customer.
    at: (i64, u32),
}

/// The answers that were read so far.
#[derive(Debug)]
pub(super) struct AnswersRead<'a> {
    spec: &'a NpsSpec,
    key: Option<KeySchema>,
    clock: Option<Clock>,
    ids: Option<Interner>,
    segments: Vec<Segment>,
    places: HashMap<OwnedKey, u32, RandomState>,
    /// The answer of each customer that counts so far.
    of_customers: Vec<Option<Answer>>,
    all: Answers,
    by_segment: Vec<Answers>,
    pub(super) rows: u64,
    pub(super) null_ids: Tally,
    pub(super) null_times: Tally,
    pub(super) null_segments: Tally,
    /// Answers of customers other than the one that counts.
    pub(super) other_answers: u64,
}

impl<'a> AnswersRead<'a> {
    /// Checks the columns.
    pub(super) fn new(schema: &Schema, spec: &'a NpsSpec) -> Result<Self> {
        let field = schema.field(find_column(schema, &spec.score, "score")?);
        NumberColumn::new(field.name(), "score", &arrow_array::new_empty_array(field.data_type()))?;
        if let Some(by) = &spec.by {
            let field = schema.field(find_column(schema, by, "by")?);
            ValueColumn::new(by, "by", &arrow_array::new_empty_array(field.data_type()))?;
        }
        let names = spec.customer_id.as_ref();
        names.map_or(Ok(()), |names| names.check("customer_id"))?;
        let key = names.map(|names| KeySchema::of(schema, names, "customer_id")).transpose()?;
        let clock = match &spec.timestamp {
            None => None,
            Some(_) if key.is_none() => {
                let message = "timestamp orders the answers of each customer; name their column, too: customer_id=...";
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
            Some(name) => {
                let field = schema.field(find_column(schema, name, "timestamp")?);
                let clock = Clock::of(name, field.data_type(), None)?;
                TimeColumn::new(name, &arrow_array::new_empty_array(field.data_type()), &clock)?;
                Some(clock)
            }
        };
        let ids = key.as_ref().map(|key| Interner::new(key.kind()));
        Ok(Self {
            spec,
            key,
            clock,
            ids,
            segments: Vec::new(),
            places: HashMap::default(),
            of_customers: Vec::new(),
            all: Answers::default(),
            by_segment: Vec::new(),
            rows: 0,
            null_ids: Tally::default(),
            null_times: Tally::default(),
            null_segments: Tally::default(),
            other_answers: 0,
        })
    }

    /// Reads a batch.
    pub(super) fn push(&mut self, batch: &RecordBatch, context: &Context) -> Result<()> {
        let schema = batch.schema();
        let column = |name: &str, role: &str| -> Result<_> { Ok(batch.column(find_column(&schema, name, role)?)) };
        let scores = NumberColumn::new(&self.spec.score, "score", column(&self.spec.score, "score")?)?;
        let segments = match &self.spec.by {
            Some(by) => Some(self.segments_of(&ValueColumn::new(by, "by", column(by, "by")?)?, batch.num_rows())?),
            None => None,
        };
        let times = match (&self.spec.timestamp, &self.clock) {
            (Some(name), Some(clock)) => Some(TimeColumn::new(name, column(name, "timestamp")?, clock)?),
            _ => None,
        };
        let keys = match &self.key {
            Some(key) => {
                let columns = key.names().iter().map(|name| column(name, "customer_id").cloned()).collect::<Result<Vec<_>>>()?;
                Some(context.run_if_large(batch.num_rows(), |threads| key.read(&columns, "customer_id", threads))??)
            }
            None => None,
        };
        let (mut codes, mut remap) = (Vec::with_capacity(BLOCK), Remap::default());
        for start in (0..batch.num_rows()).step_by(BLOCK) {
            context.check()?;
            let len = BLOCK.min(batch.num_rows() - start);
            if let (Some(keys), Some(ids)) = (&keys, &mut self.ids) {
                let mut flags = vec![0; len];
                if let Some(nulls) = keys.nulls() {
                    flags.iter_mut().enumerate().filter(|(i, _)| nulls.is_null(start + i)).for_each(|(_, flag)| *flag |= flag::NULL_ID);
                }
                ids.intern_rows(keys, start, &mut flags, &mut codes, &mut remap)?;
                self.of_customers.resize(ids.len(), None);
            }
            for row in start..start + len {
                let score = scores.get(row).map(|value| whole(value, &self.spec.score, row)).transpose()?;
                let segment = segments.as_ref().map_or(NO_SEGMENT, |segments| segments[row]);
                let customer = keys.is_some().then(|| codes[row - start]);
                let whole_row = self.rows + row as u64;
                let Some(customer) = customer else {
                    self.count(Answer { score, segment, at: (0, 0) }, whole_row);
                    continue;
                };
                if customer == NO_CODE {
                    self.null_ids.add(0, whole_row);
                    continue;
                }
                let at = match &times {
                    None => (0, 0),
                    Some(times) if times.nulls().is_some_and(|nulls| nulls.is_null(row)) => {
                        self.null_times.add(0, whole_row);
                        continue;
                    }
                    Some(times) => times.instant(row),
                };
                self.offer(customer, Answer { score, segment, at });
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Keeps the answer that counts of a customer: a missing one only where there is no other.
    fn offer(&mut self, customer: u32, new: Answer) {
        let slot = &mut self.of_customers[customer as usize];
        let Some(kept) = slot else {
            *slot = Some(new);
            return;
        };
        if kept.score.is_some() && new.score.is_some() {
            self.other_answers += 1;
        }
        // Of two at the same time the lower one counts, so that the order of rows does not matter.
        let segment = |at: u32| self.segments.get(at as usize).map(|segment| &segment.key);
        let is_tie = self.clock.is_some() && kept.at == new.at && kept.score.is_some() == new.score.is_some();
        let is_better = match (kept.score.is_some(), new.score.is_some()) {
            (true, false) => false,
            (false, true) => true,
            _ if is_tie => (new.score, segment(new.segment)) < (kept.score, segment(kept.segment)),
            _ => match self.spec.which {
                NpsAnswer::Last => new.at >= kept.at,
                NpsAnswer::First => new.at < kept.at,
            },
        };
        if is_better {
            *kept = new;
        }
    }

    fn count(&mut self, answer: Answer, row: u64) {
        self.all.add(answer.score);
        if self.spec.by.is_none() {
            return;
        }
        match self.by_segment.get_mut(answer.segment as usize) {
            Some(answers) => answers.add(answer.score),
            None => self.null_segments.add(0, row),
        }
    }

    /// All answers that count, and those of each segment in order with its text.
    pub(super) fn finish(mut self) -> (Answers, Vec<(String, Answers)>, Self) {
        for answer in std::mem::take(&mut self.of_customers).into_iter().flatten() {
            self.count(answer, u64::MAX);
        }
        let mut order: Vec<usize> = (0..self.segments.len()).collect();
        let sort_key = |at: usize| (self.segments[at].rank.is_none(), self.segments[at].rank, &self.segments[at].key);
        order.sort_by(|&a, &b| sort_key(a).cmp(&sort_key(b)));
        let text = |at: usize| self.segments[at].key.borrow().text().unwrap_or_default();
        let segments = order.into_iter().map(|at| (text(at), self.by_segment[at]));
        // Categories that nobody has are not listed.
        let segments = segments.filter(|(_, answers)| *answers != Answers::default()).collect();
        (self.all, segments, self)
    }

    /// The segment of each row, as a position.
    fn segments_of(&mut self, values: &ValueColumn, rows: usize) -> Result<Vec<u32>> {
        let dictionary = values.dictionary();
        let of_values: Option<Vec<u32>> =
            dictionary.map(|keys| keys.iter().map(|key| self.place(key.borrow(), true)).collect::<Result<_>>()).transpose()?;
        let place = |row: usize| match (&of_values, values.stored.index(row)) {
            (Some(places), Some(index)) => Ok(places[index]),
            (Some(_), None) => Ok(NO_SEGMENT),
            (None, _) => self.place(values.key(row), false),
        };
        (0..rows).map(place).collect()
    }

    fn place(&mut self, key: Key<'_>, is_ordered: bool) -> Result<u32> {
        if key == Key::Null {
            return Ok(NO_SEGMENT);
        }
        let at = if let Some(&at) = self.places.get(&key) {
            at
        } else {
            let at = u32::try_from(self.segments.len()).ok().filter(|&at| at < NO_SEGMENT);
            let at = at.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "there are more than 2^32 segments"))?;
            self.segments.push(Segment { key: key.to_owned(), rank: None });
            self.by_segment.push(Answers::default());
            self.places.insert(key.to_owned(), at);
            at
        };
        if is_ordered && self.segments[at as usize].rank.is_none() {
            let rank = self.segments.iter().filter(|segment| segment.rank.is_some()).count();
            self.segments[at as usize].rank = Some(rank);
        }
        Ok(at)
    }
}

/// An answer from 0 to 10.
fn whole(value: Number, column: &str, row: usize) -> Result<u8> {
    let score = match value {
        Number::Integer(score) => u8::try_from(score).ok(),
        Number::Float(score) if score.fract() == 0.0 && (0.0..=10.0).contains(&score) => Some(score as u8),
        Number::Decimal(units, scale) => whole_decimal(units, scale),
        Number::Float(_) => None,
    };
    score.filter(|score| *score <= 10).ok_or_else(|| {
        let message = format!(
            "column '{column}' is {value} at row {row}; expected a whole number from 0 to 10, or null. Set what is no answer to null, or \
             convert another scale first"
        );
        Error::new(ErrorKind::OutOfRange, message).in_column(column).at_row(row as u64)
    })
}

fn whole_decimal(units: i128, scale: i8) -> Option<u8> {
    let power = 10_i128.checked_pow(u32::from(scale.unsigned_abs()))?;
    let whole = if scale < 0 {
        units.checked_mul(power)?
    } else if units % power == 0 {
        units / power
    } else {
        return None;
    };
    u8::try_from(whole).ok()
}
