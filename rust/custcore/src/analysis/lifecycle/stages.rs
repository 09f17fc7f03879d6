//! The stage of a customer at the end of a day, and the day on which it began.

use super::rhythm::{OwnGaps, Prior};

/// Stages, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Listed, without a purchase yet.
    Prospect,
    /// Active, with one order.
    New,
    /// Active, with several orders.
    Repeat,
    /// Active, with many orders.
    Loyal,
    /// Pauses for longer than an active customer.
    AtRisk,
    /// Pauses for too long.
    Lost,
}

/// Language of the names of stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StageLanguage {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// Number of stages.
pub(crate) const STAGES: usize = 6;

const NAMES: [[&str; STAGES]; 2] = [
    ["prospect", "new", "repeat", "loyal", "at_risk", "lost"],
    ["潜在客户", "初次购买客户", "重复购买客户", "忠实客户", "流失预警客户", "流失客户"],
];

impl StageLanguage {
    /// The names of the stages.
    pub fn names(self) -> [&'static str; STAGES] {
        NAMES[self as usize]
    }
}

/// The windows of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Windows {
    /// In days.
    Days {
        /// The longest gap of an active customer.
        active: i32,
        /// The longest gap of one who is not lost.
        loss: i32,
    },
    /// In typical gaps of the customer.
    Multiples {
        /// The longest gap of an active customer.
        active: f64,
        /// The longest gap of one who is not lost.
        loss: f64,
        /// What typical gaps are shrunk to.
        prior: Prior,
    },
}

/// The rules by which a customer is in a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rules {
    /// Windows.
    pub windows: Windows,
    /// Orders from which on an active customer is loyal.
    pub loyal_orders: u64,
}

/// Where a customer stands at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    /// Stage.
    pub stage: Stage,
    /// Days since the last purchase.
    pub gap: i32,
    /// Purchases.
    pub orders: u64,
    /// The day on which the stage began; `None` where the purchase days are not known.
    pub since: Option<i32>,
    /// The typical gap of the customer in days; 0 if the rhythm is that of all.
    pub typical: f64,
}

/// Which windows a gap is longer than.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    Active,
    Loss,
}

impl Windows {
    /// What typical gaps are shrunk to; `None` if they are not needed.
    pub(crate) fn prior(&self) -> Option<Prior> {
        match self {
            Self::Days { .. } => None,
            Self::Multiples { prior, .. } => Some(*prior),
        }
    }

    fn pause(&self, gap: i32, typical: f64) -> Pause {
        let (beyond_loss, beyond_active) = match *self {
            Self::Days { active, loss } => (gap > loss, gap > active),
            Self::Multiples { active, loss, .. } => {
                let overdue = f64::from(gap) / typical;
                (overdue > loss, overdue > active)
            }
        };
        if beyond_loss {
            Pause::Loss
        } else if beyond_active {
            Pause::Active
        } else {
            Pause::None
        }
    }

    /// The shortest gap in days that is longer than the window of `pause`.
    fn first_gap_beyond(&self, pause: Pause, typical: f64) -> i32 {
        match *self {
            Self::Days { active, loss } => if pause == Pause::Loss { loss } else { active }.saturating_add(1),
            Self::Multiples { active, loss, .. } => {
                let window = if pause == Pause::Loss { loss } else { active };
                // The product may be rounded across a whole day.
                let mut gap = (window * typical).floor().min(f64::from(i32::MAX - 2)) as i32 - 1;
                while f64::from(gap) / typical <= window {
                    gap += 1;
                }
                gap
            }
        }
    }
}

impl Rules {
    /// The stage of a buyer with this gap, and the window that the gap is beyond.
    #[inline]
    fn stage(&self, gap: i32, orders: u64, typical: f64) -> (Stage, Pause) {
        let pause = self.windows.pause(gap, typical);
        let stage = match pause {
            Pause::Loss => Stage::Lost,
            Pause::Active => Stage::AtRisk,
            Pause::None if orders >= self.loyal_orders => Stage::Loyal,
            Pause::None if orders > 1 => Stage::Repeat,
            Pause::None => Stage::New,
        };
        (stage, pause)
    }

    /// The stage alone.
    #[inline]
    pub(crate) fn stage_of(&self, gap: i32, orders: u64, typical: f64) -> Stage {
        self.stage(gap, orders, typical).0
    }

    /// Where a buyer stands of whom only the first and the last purchase day and the number of orders are known. The typical gap does
    /// not matter where the rhythm is that of all.
    pub(crate) fn of_totals(&self, (first, last): (i32, i32), orders: u64, as_of: i32, typical: f64) -> Standing {
        let gap = as_of - last;
        let (stage, pause) = self.stage(gap, orders, typical);
        let since = match stage {
            Stage::New => Some(first),
            Stage::AtRisk | Stage::Lost => Some(last.saturating_add(self.windows.first_gap_beyond(pause, typical))),
            Stage::Prospect | Stage::Repeat | Stage::Loyal => None,
        };
        Standing { stage, gap, orders, since, typical }
    }

    /// Where a buyer stands with these purchase days, ascending, and the orders of each. `gaps` is reused from customer to customer.
    pub(crate) fn of_days(&self, days: &[i32], orders: &[u64], as_of: i32, gaps: &mut OwnGaps) -> Standing {
        let prior = self.windows.prior();
        let (first, last) = (days[0], days[days.len() - 1]);
        // The first purchase day after the last gap beyond the active window.
        let mut resumed = first;
        gaps.clear();
        for pair in days.windows(2) {
            let gap = pair[1] - pair[0];
            if self.windows.pause(gap, prior.map_or(0.0, |prior| gaps.typical(prior))) != Pause::None {
                resumed = pair[1];
            }
            if prior.is_some() {
                gaps.push(gap);
            }
        }
        let typical = prior.map_or(0.0, |prior| gaps.typical(prior));
        let standing = self.of_totals((first, last), orders.iter().sum(), as_of, typical);
        let needed = match standing.stage {
            Stage::Repeat => 2,
            Stage::Loyal => self.loyal_orders,
            Stage::Prospect | Stage::New | Stage::AtRisk | Stage::Lost => return standing,
        };
        let mut sum = 0;
        let reached = days.iter().zip(orders).find(|(_, orders)| {
            sum += **orders;
            sum >= needed
        });
        Standing { since: reached.map(|(&day, _)| day.max(resumed)), ..standing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { windows: Windows::Days { active: 30, loss: 60 }, loyal_orders: 4 };

    fn at(days: &[i32], orders: &[u64], as_of: i32) -> (Stage, i32, Option<i32>) {
        let standing = RULES.of_days(days, orders, as_of, &mut OwnGaps::default());
        (standing.stage, standing.gap, standing.since)
    }

    #[test]
    fn stages_by_hand() {
        assert_eq!(at(&[100], &[1], 130), (Stage::New, 30, Some(100)));
        assert_eq!(at(&[100], &[1], 131), (Stage::AtRisk, 31, Some(131)));
        assert_eq!(at(&[100], &[1], 160), (Stage::AtRisk, 60, Some(131)));
        assert_eq!(at(&[100], &[9], 161), (Stage::Lost, 61, Some(161)));
        // Two orders on one day are repeat from that day on.
        assert_eq!(at(&[100], &[2], 100), (Stage::Repeat, 0, Some(100)));
        assert_eq!(at(&[100, 110], &[1, 1], 120), (Stage::Repeat, 10, Some(110)));
        // After a gap beyond the window the stage begins anew.
        assert_eq!(at(&[100, 110, 150], &[1, 1, 1], 160), (Stage::Repeat, 10, Some(150)));
        assert_eq!(at(&[100, 110, 150, 155], &[1, 1, 1, 1], 160), (Stage::Loyal, 5, Some(155)));
        assert_eq!(at(&[100, 110, 115, 150, 155], &[1, 2, 1, 1, 1], 160), (Stage::Loyal, 5, Some(150)));
    }

    #[test]
    fn totals_know_no_days_between() {
        let of = |first, last, orders, as_of| {
            let standing = RULES.of_totals((first, last), orders, as_of, 0.0);
            (standing.stage, standing.since)
        };
        assert_eq!(of(100, 100, 1, 110), (Stage::New, Some(100)));
        assert_eq!(of(100, 120, 2, 130), (Stage::Repeat, None));
        assert_eq!(of(100, 120, 4, 130), (Stage::Loyal, None));
        assert_eq!(of(100, 120, 4, 151), (Stage::AtRisk, Some(151)));
        assert_eq!(of(100, 120, 4, 200), (Stage::Lost, Some(181)));
    }

    #[test]
    fn own_rhythm_by_hand() {
        let prior = Prior { days: 10, gaps: 1 };
        let rules = Rules { windows: Windows::Multiples { active: 2.0, loss: 4.0, prior }, loyal_orders: 9 };
        let mut gaps = OwnGaps::default();
        // One gap of 4: typical (4 + 10) / 2 = 7, active up to 14 days.
        let at = |as_of, gaps: &mut OwnGaps| {
            let standing = rules.of_days(&[100, 104], &[1, 1], as_of, gaps);
            assert_eq!(standing.typical.to_bits(), 7_f64.to_bits());
            (standing.stage, standing.since)
        };
        assert_eq!(at(118, &mut gaps), (Stage::Repeat, Some(104)));
        assert_eq!(at(119, &mut gaps), (Stage::AtRisk, Some(119)));
        assert_eq!(at(133, &mut gaps), (Stage::Lost, Some(133)));
        // The first gap is measured against the prior: 20 is not beyond, 21 is.
        let since = |second, gaps: &mut OwnGaps| rules.of_days(&[100, second, second + 1], &[1, 1, 1], second + 1, gaps).since;
        assert_eq!((since(120, &mut gaps), since(121, &mut gaps)), (Some(120), Some(121)));
        let (thrice, late) = (rules.of_days(&[100, 105, 126], &[1, 1, 1], 126, &mut gaps).since, 126);
        assert_eq!(thrice, Some(late));
    }

    #[test]
    fn the_first_gap_beyond_a_multiple_is_exact() {
        let prior = Prior { days: 1, gaps: 1 };
        for (window, typical) in [(0.1_f64, 30.0), (0.7, 10.0), (3.0, 1.0 / 3.0), (2.2, 5.0), (0.01, 3.0)] {
            let windows = Windows::Multiples { active: window, loss: 1e9, prior };
            let gap = windows.first_gap_beyond(Pause::Active, typical);
            assert!(f64::from(gap) / typical > window && f64::from(gap - 1) / typical <= window, "{window} {typical} {gap}");
        }
    }
}
