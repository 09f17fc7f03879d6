//! The names of the columns of a summary.

/// The names of the columns of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryNames {
    /// `x`, `t_x`, `T`, `m_x`.
    Custcore,
    /// `frequency`, `recency`, `T`, `monetary_value`.
    Lifetimes,
    /// `x`, `t.x`, `T.cal`, `m.x`.
    Btyd,
}

/// The column names of one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColumnNames {
    /// Repeat purchase days.
    pub x: &'static str,
    /// Time from the first to the last purchase.
    pub t_x: &'static str,
    /// Time from the first purchase to the end of calibration.
    pub age: &'static str,
    /// Mean spend on repeat purchase days.
    pub m_x: &'static str,
    /// Purchase days in the hold-out.
    pub x_holdout: &'static str,
    /// Mean spend on them.
    pub m_holdout: &'static str,
    /// Length of the hold-out.
    pub holdout_days: &'static str,
}

/// Purchase days in the days before the hold-out, as many as it has.
pub(crate) const X_BEFORE: &str = "x_before";
/// Mean spend on them.
pub(crate) const M_BEFORE: &str = "m_before";

/// The names of lifetimes after its split into calibration and hold-out.
pub(crate) const LIFETIMES_SPLIT: ColumnNames = ColumnNames {
    x: "frequency_cal",
    t_x: "recency_cal",
    age: "T_cal",
    m_x: "monetary_value_cal",
    x_holdout: "frequency_holdout",
    m_holdout: "monetary_value_holdout",
    holdout_days: "duration_holdout",
};

impl SummaryNames {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Custcore, Self::Lifetimes, Self::Btyd];

    /// Its columns.
    pub(crate) const fn columns(self) -> ColumnNames {
        let own = ColumnNames {
            x: "x",
            t_x: "t_x",
            age: "T",
            m_x: "m_x",
            x_holdout: "x_holdout",
            m_holdout: "m_holdout",
            holdout_days: "holdout_days",
        };
        match self {
            Self::Custcore => own,
            Self::Lifetimes => ColumnNames {
                x: "frequency",
                t_x: "recency",
                age: "T",
                m_x: "monetary_value",
                x_holdout: LIFETIMES_SPLIT.x_holdout,
                m_holdout: LIFETIMES_SPLIT.m_holdout,
                holdout_days: LIFETIMES_SPLIT.holdout_days,
            },
            Self::Btyd => ColumnNames { t_x: "t.x", age: "T.cal", m_x: "m.x", x_holdout: "x.star", m_holdout: "m.star", ..own },
        }
    }
}
