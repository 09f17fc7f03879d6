//! Merges of day runs, and runs under other customer codes.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::day_record::DayRecord;
use super::day_run::{DayRun, DayRunBuilder, Group, Piece, SEGMENT};
use crate::exec::par::Threads;
use crate::group::interner::NO_CODE;

/// Pieces with fewer records than this are copied, not shared, so that a run does not fall into ever more of them.
const SHARED: usize = SEGMENT / 4;
/// Records of the longer run that one task merges, at least.
const TASK: usize = 1 << 17;

/// Merges two runs, in parallel if they are long. Runs that are not used elsewhere are freed piece by piece.
pub(super) fn merge(one: Arc<DayRun>, other: Arc<DayRun>, threads: Threads<'_>) -> DayRun {
    let (long, short) = if one.len() >= other.len() { (one, other) } else { (other, one) };
    let records = long.len() + short.len();
    let (long, short) = (Arc::unwrap_or_clone(long), Arc::unwrap_or_clone(short));
    // Each task has consecutive pieces of the long run and those of the short one that overlap their codes.
    let mut tasks: Vec<(Range<u64>, DayRun, DayRun)> = Vec::new();
    let mut pieces = long.into_pieces().into_iter().peekable();
    let mut start = 0;
    let mut short_pieces = short.into_pieces();
    while pieces.peek().is_some() {
        let (mut own, mut len) = (Vec::new(), 0);
        while len < TASK
            && let Some(piece) = pieces.next()
        {
            len += piece.segment.len();
            own.push(piece);
        }
        let end = pieces.peek().map_or(u64::MAX, |next| u64::from(next.first()));
        let to = short_pieces.partition_point(|piece| u64::from(piece.first()) < end);
        let overlapping = short_pieces[..to].to_vec();
        // The last of them may reach into the next range.
        let done = short_pieces.partition_point(|piece| u64::from(piece.last()) < end);
        short_pieces.drain(..done);
        tasks.push((start..end, DayRun::of(own), DayRun::of(overlapping)));
        start = end;
    }
    let merged = threads.if_large(records).par_tasks(tasks, |(codes, long, short)| merge_range(codes, long, &short));
    DayRun::concat(merged.into_iter())
}

/// Merges a run with the customers of another one from one code to before another.
fn merge_range(codes: Range<u64>, long: DayRun, short: &DayRun) -> DayRun {
    let mut others = short.groups_of(codes).peekable();
    let is_shared = |piece: &Piece| piece.segment.len() >= SHARED;
    if others.peek().is_none() && long.pieces().iter().all(is_shared) {
        return long;
    }
    let mut whole = DayRunBuilder::new(long.len() + short.len());
    for piece in long.pieces() {
        let first = others.next_if(|other| other.customer < piece.first());
        if let Some(first) = first {
            whole.append(&first);
            while let Some(other) = others.next_if(|other| other.customer < piece.first()) {
                whole.append(&other);
            }
        }
        if is_shared(piece) && others.peek().is_none_or(|other| other.customer > piece.last()) {
            whole.share(piece.clone());
            continue;
        }
        for group in piece.groups() {
            while let Some(other) = others.next_if(|other| other.customer < group.customer) {
                whole.append(&other);
            }
            match others.next_if(|other| other.customer == group.customer) {
                Some(other) => join(&mut whole, &group, &other),
                None => whole.append(&group),
            }
        }
    }
    others.for_each(|other| whole.append(&other));
    whole.finish()
}

/// Appends the records of one customer in two runs.
fn join(whole: &mut DayRunBuilder, one: &Group<'_>, other: &Group<'_>) {
    let customer = one.customer;
    let (mut a, mut b) = (one.range.clone(), other.range.clone());
    // Updates mostly follow each other in time.
    for (early, late) in [(one, other), (other, one)] {
        if early.segment.day(early.range.end - 1) < late.segment.day(late.range.start) {
            whole.extend(customer, early.segment, early.range.clone());
            return whole.extend(customer, late.segment, late.range.clone());
        }
    }
    while a.start < a.end && b.start < b.end {
        match one.segment.key(a.start).cmp(&other.segment.key(b.start)) {
            Ordering::Greater => whole.push(&other.segment.get(customer, next(&mut b))),
            _ => whole.push(&one.segment.get(customer, next(&mut a))),
        }
    }
    // The first of the rest may be of the same day as the last one.
    for (segment, mut rest) in [(one.segment, a), (other.segment, b)] {
        if rest.start < rest.end {
            whole.push(&segment.get(customer, next(&mut rest)));
        }
        rest.for_each(|at| whole.push(&segment.get(customer, at)));
    }
}

fn next(range: &mut Range<usize>) -> usize {
    range.start += 1;
    range.start - 1
}

/// The records of a run under other customer codes, which `own` gives; those mapped to [`NO_CODE`] are left out.
pub(super) fn mapped(run: &DayRun, own: &mut dyn FnMut(u32) -> u32) -> DayRun {
    // The records of a customer are together, so customers are sorted, not records.
    let mut customers: Vec<(u32, u32, u32)> = Vec::new();
    let mut records = 0;
    for (at, piece) in (0..).zip(run.pieces()) {
        for (rank, &customer) in (0..).zip(piece.segment.customers()) {
            let code = own(piece.base + customer);
            if code != NO_CODE {
                customers.push((code, at, rank));
                records += piece.segment.range(rank as usize).len();
            }
        }
    }
    if !customers.is_sorted() {
        customers.sort_unstable();
    }
    let group = |&(code, at, rank): &(u32, u32, u32)| Some(Group { customer: code, ..run.pieces()[at as usize].group(rank as usize) });
    select(records, &customers, group)
}

/// The records of customers, ascending by their new code, which is the first of each triple.
pub(super) fn select<'a>(records: usize, customers: &[(u32, u32, u32)], group: impl Fn(&(u32, u32, u32)) -> Option<Group<'a>>) -> DayRun {
    let mut moved = DayRunBuilder::new(records);
    for same in customers.chunk_by(|a, b| a.0 == b.0) {
        if let [one] = same {
            group(one).iter().for_each(|group| moved.append(group));
            continue;
        }
        let groups: Vec<Group<'_>> = same.iter().filter_map(&group).collect();
        if let [one, other] = groups.as_slice() {
            join(&mut moved, one, other);
            continue;
        }
        let mut several: Vec<DayRecord> = groups.iter().flat_map(Group::records).collect();
        several.sort_unstable_by_key(DayRecord::key);
        several.iter().for_each(|record| moved.push(record));
    }
    moved.finish()
}

/// The records of runs whose codes follow each other; those of each begin at a number of its own.
pub(super) fn append(parts: Vec<(DayRun, u32)>) -> DayRun {
    let mut whole = DayRunBuilder::new(SEGMENT);
    for (part, start) in parts {
        for piece in part.into_pieces() {
            let moved = Piece { base: piece.base + start, segment: piece.segment };
            if moved.segment.len() >= SHARED {
                whole.share(moved);
            } else {
                moved.groups().for_each(|group| whole.append(&group));
            }
        }
    }
    whole.finish()
}
