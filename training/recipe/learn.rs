//! Multinomial logistic regression over hashed features, by `AdaGrad`; the same input gives the same bits.

use anteroom::policy::tagger::LANES;
use anteroom::policy::tagger::Model;

/// A word to learn from.
pub(crate) struct Word {
    pub(crate) features: Vec<u32>,
    pub(crate) label: usize,
    /// What the sum of its weights is multiplied by: 1, or less where texts of any length are compared.
    pub(crate) scale: f32,
}

/// How to learn.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) bits: u32,
    pub(crate) rounds: usize,
    pub(crate) rate: f32,
    /// How strongly weights are drawn to zero at each step.
    pub(crate) decay: f32,
    pub(crate) labels: usize,
    pub(crate) seed: u64,
}

/// The weights before they are made small.
pub(crate) struct Weights {
    pub(crate) rows: Vec<[f32; LANES]>,
}

/// A small generator of numbers (`SplitMix64`): the seed decides all.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `most`.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        (self.roll() % most.max(1) as u64) as usize
    }

    /// True once in `n`.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at + 1));
        }
    }
}

/// The exponential from basic operations only: the library's may differ between machines.
fn exp(x: f32) -> f32 {
    let x = x.clamp(-30.0, 30.0) / 1024.0;
    let mut y = 1.0 + x * (1.0 + x * (0.5 + x / 6.0));
    for _ in 0..10 {
        y *= y;
    }
    y
}

fn softmax(sums: &[f32; LANES], labels: usize) -> [f32; LANES] {
    let top = sums[..labels].iter().copied().fold(f32::MIN, f32::max);
    let mut out = [0.0; LANES];
    let mut total = 0.0;
    for label in 0..labels {
        out[label] = exp(sums[label] - top);
        total += out[label];
    }
    for value in &mut out {
        *value /= total;
    }
    out
}

pub(crate) fn learn(words: &[Word], how: Settings) -> Weights {
    let size = 1_usize << how.bits;
    let mask = (size - 1) as u32;
    let mut rows = vec![[0.0_f32; LANES]; size];
    let mut seen = vec![[1e-4_f32; LANES]; size];
    let mut order: Vec<usize> = (0..words.len()).collect();
    let mut dice = Dice(how.seed);
    for _ in 0..how.rounds {
        dice.shuffle(&mut order);
        for at in &order {
            let word = &words[*at];
            let mut sums = [0.0; LANES];
            for feature in &word.features {
                let row = &rows[(feature & mask) as usize];
                for lane in 0..LANES {
                    sums[lane] += row[lane];
                }
            }
            let mut wrong = softmax(&sums.map(|sum| sum * word.scale), how.labels);
            wrong[word.label] -= 1.0;
            let wrong = wrong.map(|it| it * word.scale);
            for feature in &word.features {
                let at = (feature & mask) as usize;
                let (row, past) = (&mut rows[at], &mut seen[at]);
                for lane in 0..how.labels {
                    let slope = wrong[lane] + how.decay * row[lane];
                    past[lane] += slope * slope;
                    row[lane] -= how.rate * slope / past[lane].sqrt();
                }
            }
        }
    }
    Weights { rows }
}

impl Weights {
    /// The model with weights of one byte; the scale is such that few are cut off.
    pub(crate) fn small(&self, thresholds: [i32; LANES]) -> Option<Model> {
        let mut sizes: Vec<f32> = self.rows.iter().flatten().map(|it| it.abs()).collect();
        sizes.sort_by(f32::total_cmp);
        let top = sizes[sizes.len() - 1 - sizes.len() / 20_000].max(1e-6);
        let scale = 127.0 / top;
        let rows = self
            .rows
            .iter()
            .map(|row| row.map(|it| (it * scale).round().clamp(-127.0, 127.0) as i8))
            .collect();
        Model::new(rows, thresholds)
    }
}
