//! Counting: what cargo's test programs say of themselves, summed up per tier.

use std::time::{Duration, Instant};

/// Passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Count {
    /// Takes in a line if it is a test program's closing line: `test result: ok. 3 passed; 0 failed; 0 ignored; ...`.
    pub(crate) fn take_in(&mut self, line: &str) {
        let Some(result) = line.trim().strip_prefix("test result: ") else { return };
        let numbers = result.split_once(". ").map_or(result, |(_, numbers)| numbers);
        for part in numbers.split("; ") {
            let Some((number, word)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u32>() else { continue };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed }
    }
}

/// One line of the closing table.
pub(crate) struct Row {
    pub(crate) tier: &'static str,
    pub(crate) took: Duration,
    /// Minutes.
    pub(crate) budget: u32,
    pub(crate) count: Count,
}

impl Row {
    /// Runs a tier and notes how long it took.
    pub(crate) fn of(tier: &'static str, budget: u32, work: impl FnOnce() -> Count) -> Self {
        let start = Instant::now();
        let count = work();
        Self { tier, took: start.elapsed(), budget, count }
    }
}

/// The closing table. Over budget is said and is no failure: a slow computer is not a broken one.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<8} {:>8} {:>7} {:>7} {:>7}\n", "tier", "minutes", "budget", "passed", "failed");
    for row in rows {
        let minutes = row.took.as_secs_f64() / 60.0;
        let over = if minutes > f64::from(row.budget) { "  over budget" } else { "" };
        let Count { passed, failed } = row.count;
        text += &format!("{:<8} {minutes:>8.1} {:>7} {passed:>7} {failed:>7}{over}\n", row.tier, row.budget);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed_and_others_ignored() {
        let mut count = Count::default();
        for line in [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.01s",
            "test result: FAILED. 40 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.01s",
            "a program that prints 9 passed; 9 failed",
        ] {
            count.take_in(line);
        }
        assert_eq!(count, Count { passed: 43, failed: 2 });
    }

    #[test]
    fn the_table_tells_what_went_over_its_budget() {
        let row =
            |tier, seconds| Row { tier, took: Duration::from_secs(seconds), budget: 1, count: Count { passed: 5, failed: 0 } };
        let table = table(&[row("quick", 30), row("slow", 90)]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[1], "quick         0.5       1       5       0");
        assert_eq!(lines[2], "slow          1.5       1       5       0  over budget");
    }
}
