//! Budgets of groups: which cells are in which.

use super::curve::invalid;
use super::spec::{AllocationCell, AllocationSpec, BudgetGroup};
use crate::error::{Error, Result, nearest};

/// The group with a budget that each cell is in, by its place among the budgets.
pub(super) fn groups(cells: &[AllocationCell], spec: &AllocationSpec) -> Result<Vec<Option<usize>>> {
    let n = spec.group_budget.len();
    if n == 0 {
        return Ok(vec![None; cells.len()]);
    }
    let place = |name: &str| spec.group_budget.iter().position(|(group, _)| group == name);
    let segments: Vec<Option<usize>> = cells.iter().map(|cell| place(&cell.segment)).collect();
    let channels: Vec<Option<usize>> = cells.iter().map(|cell| cell.channel.as_deref().and_then(place)).collect();
    let outside = |column: &[Option<usize>]| (0..n).find(|&group| !column.contains(&Some(group)));
    let (no_segment, no_channel) = (outside(&segments), outside(&channels));
    if let Some(unknown) = (0..n).find(|&group| !segments.contains(&Some(group)) && !channels.contains(&Some(group))) {
        return Err(unknown_group(cells, &spec.group_budget[unknown].0));
    }
    match (spec.group, no_segment, no_channel) {
        (Some(BudgetGroup::Segment) | None, None, Some(_)) | (Some(BudgetGroup::Segment), None, None) => Ok(segments),
        (Some(BudgetGroup::Channel) | None, Some(_), None) | (Some(BudgetGroup::Channel), None, None) => Ok(channels),
        (None, None, None) => {
            Err(invalid("group_budget names values of both columns, segment and channel; say which is meant: group='channel'".to_owned()))
        }
        (Some(group), _, _) if n == 1 => {
            let (asked, other) = if group == BudgetGroup::Segment { ("segment", "channel") } else { ("channel", "segment") };
            let name = spec.group_budget[0].0.escape_debug();
            Err(invalid(format!("group_budget names '{name}', which is a {other} and no {asked}; pass group='{other}'")))
        }
        _ => Err(invalid(
            "group_budget has budgets of segments and of channels, which cross; filling by price takes those of one column. Solve both \
             with an LP solver such as HiGHS (scipy.optimize.linprog), over the points of the curves"
                .to_owned(),
        )),
    }
}

fn unknown_group(cells: &[AllocationCell], name: &str) -> Error {
    let mut known: Vec<&str> =
        cells.iter().flat_map(|cell| std::iter::once(cell.segment.as_str()).chain(cell.channel.as_deref())).collect();
    known.sort_unstable();
    known.dedup();
    let hint = nearest(name, known).first().map_or_else(String::new, |near| format!("; did you mean '{}'?", near.escape_debug()));
    invalid(format!("group_budget names '{}', which is neither a segment nor a channel of the cells{hint}", name.escape_debug()))
}
