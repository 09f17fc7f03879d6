//! The groups that measures are split by: the values of an attribute, or the segments of a table.

use super::labels::{Label, ViewGroups};
use super::segments::CustomerSegments;
use super::spec::MeasuresSpec;
use crate::analysis::cohort::values::{Groups, Values};
use crate::analysis::moves::NO_SEGMENT;
use crate::analysis::rfm::transitions::table::segments;
use crate::base::view::BaseView;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::group::interner::{Interner, Keys};
use crate::table::TableBuilder;

/// The column of groups of a result.
#[derive(Debug, Clone)]
pub(crate) enum GroupColumn {
    /// Values of an attribute of this name.
    Attribute(String, ValueType),
    /// Segments: the name of the column, and theirs in order.
    Segments(String, Vec<String>),
}

impl GroupColumn {
    /// Adds the column to a table, each row of which is in one of `labels`.
    pub(crate) fn add_to(
        &self,
        table: &mut TableBuilder,
        labels: &[Label],
        groups: impl ExactSizeIterator<Item = usize> + Clone,
    ) -> Result<()> {
        match self {
            Self::Attribute(name, value_type) => {
                let (keys, codes) = keys_of(labels, value_type)?;
                table.values(name, value_type, keys.keys(), groups.map(|group| codes[group]))
            }
            Self::Segments(name, names) => {
                let segment = |group: usize| if let Label::Segment(segment) = labels[group] { segment } else { NO_SEGMENT };
                table.column(name, segments(names, groups.map(segment))?);
                Ok(())
            }
        }
    }
}

/// How customers are grouped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grouping<'a> {
    /// They are not.
    None,
    /// By an attribute of the base.
    Attribute(&'a str),
    /// By a table of segments.
    Segments(&'a CustomerSegments),
}

/// More groups than this are no groups.
const MAX_GROUPS: usize = 10_000;

impl<'a> Grouping<'a> {
    /// By the attribute of the settings, or by segments.
    pub(super) fn new(spec: &'a MeasuresSpec, segments: Option<&'a CustomerSegments>) -> Result<Self> {
        match (segments, &spec.by) {
            (Some(segments), _) => {
                MeasuresSpec::check_column(&segments.column)?;
                Ok(Self::Segments(segments))
            }
            (None, Some(name)) => {
                MeasuresSpec::check_column(name)?;
                Ok(Self::Attribute(name))
            }
            (None, None) => Ok(Self::None),
        }
    }

    /// By an attribute or by segments; without them, not at all.
    pub(crate) fn by(name: Option<&'a str>, segments: Option<&'a CustomerSegments>) -> Self {
        segments.map_or_else(|| name.map_or(Self::None, Self::Attribute), Self::Segments)
    }

    /// The column of the result.
    pub(crate) fn column(self, view: &BaseView<'_>) -> Result<Option<GroupColumn>> {
        Ok(match self {
            Self::None => None,
            Self::Attribute(name) => {
                let attribute = view.attribute(view.first_attribute(name)?);
                Some(GroupColumn::Attribute(name.to_owned(), attribute.value_type().clone()))
            }
            Self::Segments(segments) => Some(GroupColumn::Segments(segments.column.clone(), segments.names.clone())),
        })
    }

    /// The groups of the buyers of a view.
    pub(crate) fn of(self, view: &BaseView<'_>, threads: Threads<'_>) -> Result<ViewGroups> {
        match self {
            Self::None => Ok(ViewGroups::new(vec![Label::All], Vec::new())),
            Self::Attribute(name) => {
                let at = view.first_attribute(name)?;
                let groups = Groups::of(Some(at), view)?;
                let number = groups.number();
                if number > MAX_GROUPS {
                    let message = format!("by='{name}' has {number} values; expected groups, at most 10,000");
                    return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name));
                }
                let keys = groups.values.as_ref().map(Values::keys);
                let label = |group: usize| match (groups.value(group), keys) {
                    (Some(code), Some(keys)) => match keys {
                        Keys::Range { base, .. } => Label::Integer(base + i64::from(code)),
                        Keys::Integers(values) => Label::Integer(values[code as usize]),
                        Keys::Bytes(arena) => Label::Bytes(arena.get(code).to_vec()),
                    },
                    _ => Label::Null,
                };
                let totals = view.totals();
                let of = |code: usize| if totals.orders(code as u32) > 0 { groups.group(view, code as u32) as u16 } else { 0 };
                Ok(ViewGroups::new((0..number).map(label).collect(), threads.par_map(view.customers(), of)))
            }
            Self::Segments(segments) => segments.groups(view, threads),
        }
    }
}

/// The values of labels as keys, and the code of each; `None` for null.
fn keys_of(labels: &[Label], value_type: &ValueType) -> Result<(Interner, Vec<Option<u32>>)> {
    let mut interner = Interner::new(value_type.kind.stored());
    let codes = labels.iter().map(|label| match label {
        Label::Integer(value) => interner.intern_integer(*value).map(Some),
        Label::Bytes(value) => interner.intern_bytes(value).map(Some),
        Label::All | Label::Segment(_) | Label::Null => Ok(None),
    });
    let codes = codes.collect::<Result<_>>()?;
    Ok((interner, codes))
}
