//! Shares of what was counted, with their intervals.

use serde::{Deserialize, Serialize};

/// A share of cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
}

/// The quantile of the normal distribution that 95 % intervals use.
const Z: f64 = 1.959_963_984_540_054;

impl Share {
    /// Counts one more.
    pub fn add(&mut self, hit: bool) {
        self.of += 1;
        self.hits += u64::from(hit);
    }

    /// The share, or none of nothing.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn ratio(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// The 95 % interval after Wilson (1927); from 0 to 1 when nothing was counted.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn interval(self) -> (f64, f64) {
        let Some(share) = self.ratio() else {
            return (0.0, 1.0);
        };
        let n = self.of as f64;
        let z2 = Z * Z;
        let middle = share + z2 / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
        let whole = 1.0 + z2 / n;
        (
            ((middle - half) / whole).max(0.0),
            ((middle + half) / whole).min(1.0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        // Worked examples: 0 of 10 and 10 of 10 keep a doubt, 81 of 263 as in Newcombe (1998).
        let cases = [
            (Share { hits: 0, of: 10 }, (0.0, 0.2775)),
            (Share { hits: 10, of: 10 }, (0.7225, 1.0)),
            (Share { hits: 81, of: 263 }, (0.2553, 0.3662)),
            (Share { hits: 0, of: 0 }, (0.0, 1.0)),
        ];
        for (share, (low, high)) in cases {
            let (got_low, got_high) = share.interval();
            assert!(
                (got_low - low).abs() < 1e-4 && (got_high - high).abs() < 1e-4,
                "{share:?}: {got_low} {got_high}"
            );
        }
    }
}
