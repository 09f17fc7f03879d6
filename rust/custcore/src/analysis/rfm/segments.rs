//! Segment maps: ordered rules of a name and score ranges, validated on construction, looked up by RFM cell.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Inclusive score range.
pub type ScoreRange = (u8, u8);

/// A rule of a segment map: a name and score ranges; no range matches every score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentRule {
    /// Segment name.
    pub name: String,
    /// Ranges of R, F and M scores.
    pub ranges: [Option<ScoreRange>; 3],
}

/// An RFM cell: R, F and M score.
pub(crate) type SegmentCell = [u8; 3];

/// A segment map for given numbers of bins. The first matching rule wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Rules", try_from = "Rules")]
pub struct SegmentMap {
    bins: [u8; 3],
    rules: Vec<SegmentRule>,
    names: Vec<String>,
    rest: Option<String>,
    /// Position in `names` by cell, R outermost.
    lookup: Vec<u16>,
    uncovered: Vec<SegmentCell>,
}

/// Serialized form of a segment map.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    bins: [u8; 3],
    rules: Vec<SegmentRule>,
    rest: Option<String>,
}

impl From<SegmentMap> for Rules {
    fn from(map: SegmentMap) -> Self {
        Self { bins: map.bins, rules: map.rules, rest: map.rest }
    }
}

impl TryFrom<Rules> for SegmentMap {
    type Error = Error;

    fn try_from(Rules { bins, rules, rest }: Rules) -> Result<Self> {
        Self::new(rules, bins, rest)
    }
}

/// Most cells times rules, which bounds the time to build a map.
const MAX_CHECKS: u64 = 1 << 28;
/// Marks a cell without a segment in `lookup`.
const NONE: u16 = u16::MAX;

impl SegmentMap {
    /// Validates and builds a map. The bins of M are used only if a rule has an M range; otherwise `bins[2]` is 1. An uncovered
    /// cell is an error unless `rest` names a segment for it.
    pub fn new(rules: Vec<SegmentRule>, bins: [u8; 3], rest: Option<String>) -> Result<Self> {
        let invalid = |message: String| Error::new(ErrorKind::InvalidArgument, message);
        if rules.is_empty() {
            return Err(invalid("a segment map needs at least one rule (name, R range, F range, M range)".to_owned()));
        }
        if rules.len() > 10_000 {
            return Err(invalid(format!("{} rules are more than a segment map can hold (10,000)", rules.len())));
        }
        if let Some(bins) = bins.iter().find(|bins| !(1..=100).contains(*bins)) {
            return Err(invalid(format!("a segment map of {bins} bins is outside the range 1 to 100")));
        }
        let uses_money = rules.iter().any(|rule| rule.ranges[2].is_some());
        let bins = [bins[0], bins[1], if uses_money { bins[2] } else { 1 }];
        for rule in &rules {
            for ((range, &bins), dimension) in rule.ranges.iter().zip(&bins).zip(["R", "F", "M"]) {
                if let Some((low, high)) = *range
                    && (low < 1 || low > high || high > bins)
                {
                    return Err(invalid(format!(
                        "segment '{}': the {dimension} range {low} to {high} is not within 1 to {bins}",
                        rule.name
                    )));
                }
            }
        }
        let cells: u64 = bins.iter().map(|&bins| u64::from(bins)).product();
        if cells * rules.len() as u64 > MAX_CHECKS {
            return Err(invalid(format!("{} rules for {cells} cells are more than a segment map can hold", rules.len())));
        }
        let mut names: Vec<String> = Vec::new();
        for name in rules.iter().map(|rule| &rule.name).chain(&rest) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let mut map = Self { bins, rules, names, rest, lookup: Vec::new(), uncovered: Vec::new() };
        map.fill();
        if map.rest.is_none() && !map.uncovered.is_empty() {
            let cells: Vec<String> = map.uncovered.iter().take(10).map(|cell| map.cell_text(*cell)).collect();
            let more = if map.uncovered.len() > 10 { ", ..." } else { "" };
            return Err(invalid(format!(
                "{} cells belong to no segment: {}{more}. Add rules for them, or name a segment for all other cells with rest='...'",
                map.uncovered.len(),
                cells.join(", ")
            )));
        }
        Ok(map)
    }

    fn fill(&mut self) {
        let position = |name: &String| self.names.iter().position(|n| n == name).map_or(NONE, |i| i as u16);
        let codes: Vec<u16> = self.rules.iter().map(|rule| position(&rule.name)).collect();
        let rest = self.rest.as_ref().map_or(NONE, position);
        let [r_bins, f_bins, m_bins] = self.bins;
        for cell in cells(r_bins, f_bins, m_bins) {
            let hit = self.rules.iter().position(|rule| rule.matches(cell));
            self.lookup.push(hit.map_or(rest, |i| codes[i]));
            if hit.is_none() {
                self.uncovered.push(cell);
            }
        }
    }

    /// The default map of 5 R by 5 F bins.
    pub fn rf10() -> Result<Self> {
        const RULES: [(&str, ScoreRange, ScoreRange); 10] = [
            ("hibernating", (1, 2), (1, 2)),
            ("at_risk", (1, 2), (3, 4)),
            ("cant_lose", (1, 2), (5, 5)),
            ("about_to_sleep", (3, 3), (1, 2)),
            ("need_attention", (3, 3), (3, 3)),
            ("loyal_customers", (3, 4), (4, 5)),
            ("promising", (4, 4), (1, 1)),
            ("new_customers", (5, 5), (1, 1)),
            ("potential_loyalists", (4, 5), (2, 3)),
            ("champions", (5, 5), (4, 5)),
        ];
        let rule = |&(name, r, f): &(&str, ScoreRange, ScoreRange)| SegmentRule { name: name.to_owned(), ranges: [Some(r), Some(f), None] };
        Self::new(RULES.iter().map(rule).collect(), [5, 5, 5], None)
    }

    /// The map of R's package rfm 0.3.0 (its `rfm_segment` example), for 5 bins each.
    pub fn r_vignette() -> Result<Self> {
        const RULES: [(&str, [ScoreRange; 3]); 10] = [
            ("Champions", [(5, 5), (5, 5), (5, 5)]),
            ("Potential Loyalist", [(3, 5), (3, 5), (2, 5)]),
            ("Loyal Customers", [(2, 4), (2, 4), (2, 4)]),
            ("Promising", [(3, 4), (1, 3), (3, 5)]),
            ("New Customers", [(4, 5), (1, 3), (1, 5)]),
            ("Can't Lose Them", [(1, 2), (3, 4), (4, 5)]),
            ("At Risk", [(1, 2), (2, 5), (4, 5)]),
            ("Need Attention", [(1, 3), (3, 5), (3, 5)]),
            ("About To Sleep", [(2, 3), (1, 3), (1, 4)]),
            ("Lost", [(1, 1), (1, 5), (1, 5)]),
        ];
        let rule = |(name, ranges): &(&str, [ScoreRange; 3])| SegmentRule { name: (*name).to_owned(), ranges: ranges.map(Some) };
        Self::new(RULES.iter().map(rule).collect(), [5, 5, 5], Some("Others".to_owned()))
    }

    /// Bins of R, F and M; 1 for M if no rule uses it.
    pub fn bins(&self) -> [u8; 3] {
        self.bins
    }

    /// The rules in order.
    pub fn rules(&self) -> &[SegmentRule] {
        &self.rules
    }

    /// The segment of cells that no rule matches.
    pub fn rest(&self) -> Option<&str> {
        self.rest.as_deref()
    }

    /// The segment names in order, `rest` last.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Cells that no rule matches; they belong to `rest`.
    pub fn uncovered(&self) -> &[SegmentCell] {
        &self.uncovered
    }

    /// Cells matched by several segments, with these segments; the first one wins.
    pub fn overlaps(&self) -> Vec<(SegmentCell, Vec<&str>)> {
        let [r, f, m] = self.bins;
        let several = |cell: SegmentCell| {
            let mut names: Vec<&str> = Vec::new();
            for rule in self.rules.iter().filter(|rule| rule.matches(cell)) {
                if !names.contains(&rule.name.as_str()) {
                    names.push(&rule.name);
                }
            }
            (names.len() > 1).then_some((cell, names))
        };
        cells(r, f, m).filter_map(several).collect()
    }

    /// The segment of a cell as a position in [`SegmentMap::names`]; `None` for scores outside the bins.
    #[inline]
    pub fn segment(&self, r: u8, f: u8, m: u8) -> Option<u16> {
        let [r_bins, f_bins, m_bins] = self.bins;
        let m = if m_bins == 1 { 1 } else { m };
        if r < 1 || f < 1 || m < 1 || r > r_bins || f > f_bins || m > m_bins {
            return None;
        }
        let cell = (usize::from(r - 1) * usize::from(f_bins) + usize::from(f - 1)) * usize::from(m_bins) + usize::from(m - 1);
        self.lookup.get(cell).copied().filter(|&code| code != NONE)
    }

    /// The first rule that matches a cell, as a position in [`SegmentMap::rules`]; `None` if it belongs to `rest`.
    pub fn rule(&self, r: u8, f: u8, m: u8) -> Option<usize> {
        let cell = [r, f, if self.bins[2] == 1 { 1 } else { m }];
        self.rules.iter().position(|rule| rule.matches(cell))
    }

    fn cell_text(&self, [r, f, m]: SegmentCell) -> String {
        if self.bins[2] == 1 { format!("R{r} F{f}") } else { format!("R{r} F{f} M{m}") }
    }
}

impl SegmentRule {
    fn matches(&self, cell: SegmentCell) -> bool {
        self.ranges.iter().zip(cell).all(|(range, score)| range.is_none_or(|(low, high)| (low..=high).contains(&score)))
    }
}

fn cells(r: u8, f: u8, m: u8) -> impl Iterator<Item = SegmentCell> {
    (1..=r).flat_map(move |r| (1..=f).flat_map(move |f| (1..=m).map(move |m| [r, f, m])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, r: ScoreRange, f: ScoreRange) -> SegmentRule {
        SegmentRule { name: name.to_owned(), ranges: [Some(r), Some(f), None] }
    }

    #[test]
    fn rf10_covers_each_cell_once() -> Result<()> {
        let map = SegmentMap::rf10()?;
        assert!(map.uncovered().is_empty() && map.overlaps().is_empty());
        assert_eq!(map.segment(5, 5, 1).map(|i| map.names()[usize::from(i)].as_str()), Some("champions"));
        assert_eq!(map.segment(6, 1, 1), None);
        Ok(())
    }

    #[test]
    fn uncovered_cells_need_rest_and_overlaps_are_reported() -> Result<()> {
        let rules = || vec![rule("a", (1, 2), (1, 1)), rule("b", (2, 2), (1, 2))];
        assert_eq!(SegmentMap::new(rules(), [2, 2, 1], None).map_err(|e| e.kind()), Err(ErrorKind::InvalidArgument));
        let map = SegmentMap::new(rules(), [2, 2, 1], Some("others".to_owned()))?;
        assert_eq!(map.uncovered(), [[1, 2, 1]]);
        assert_eq!(map.overlaps().len(), 1);
        assert_eq!(map.names(), ["a", "b", "others"]);
        Ok(())
    }
}
