//! The file of a linear model: one row of small weights for each hashed feature, its labels, and how
//! sure each must be before it is told.
//!
//! The statistical readers share it: the tagger of words ([`crate::policy::tagger`]) and the readers
//! of sentences ([`crate::policy::sentence`]).

use crate::policy::PolicyError;

/// The weights of a row: one for each label, and spare ones that are zero.
pub const LANES: usize = 8;

const HEADER_MAX: usize = 512;

/// What a model file must be: a file of another kind, scheme or other labels is refused.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How the file begins.
    pub magic: &'static str,
    /// The feature scheme that this program reads.
    pub scheme: u32,
    /// What the model says; the order is that of the weights in a row.
    pub labels: &'static [&'static str],
    /// The rule that a refusal names.
    pub rule: &'static str,
    /// How a refused file is mended.
    pub remedy: &'static str,
}

/// The weights, and how sure a label must be before it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    rows: Box<[[i8; LANES]]>,
    mask: u32,
    thresholds: [i32; LANES],
    /// From here a label is worth a look by a person; zero where that is not asked.
    lower: [i32; LANES],
}

impl Model {
    /// A model from weights; `rows` is a power of two.
    pub fn new(rows: Vec<[i8; LANES]>, thresholds: [i32; LANES]) -> Option<Self> {
        let mask = u32::try_from(rows.len()).ok()?.checked_sub(1)?;
        rows.len().is_power_of_two().then(|| Self {
            rows: rows.into(),
            mask,
            thresholds,
            lower: [0; LANES],
        })
    }

    /// The same model with thresholds of two heights.
    #[must_use]
    pub const fn with_thresholds(mut self, high: [i32; LANES], lower: [i32; LANES]) -> Self {
        self.thresholds = high;
        self.lower = lower;
        self
    }

    /// Reads a model file of this shape; `file` is its name for people.
    pub fn read(shape: &Shape, file: &str, bytes: &[u8]) -> Result<Self, PolicyError> {
        let refuse = |message: &str| PolicyError::at(file, 1, shape.rule, message, shape.remedy);
        let end = bytes
            .iter()
            .take(HEADER_MAX)
            .position(|byte| *byte == b'\n');
        let (header, body) = end
            .and_then(|end| bytes.split_at_checked(end))
            .ok_or_else(|| refuse("it has no header line"))?;
        let header =
            std::str::from_utf8(header).map_err(|_utf8| refuse("its header is no text"))?;
        let mut fields = header
            .strip_prefix(shape.magic)
            .ok_or_else(|| {
                let kind = shape.magic.trim_start_matches("anteroom ");
                refuse(&format!("it is no {kind} model"))
            })?
            .split_ascii_whitespace();
        let mut field = |name: &str| {
            let found = fields.next() == Some(name);
            fields
                .next()
                .filter(|_| found)
                .ok_or_else(|| refuse(&format!("its header lacks `{name}`")))
        };
        let (scheme, wanted) = (field("scheme")?, shape.scheme);
        if scheme != wanted.to_string() {
            let message = format!("it is of feature scheme {scheme}, and {wanted} is wanted");
            return Err(refuse(&message));
        }
        if field("labels")? != shape.labels.join(",") {
            return Err(refuse("its labels are not those of this program"));
        }
        let bits: usize = field("bits")?
            .parse()
            .ok()
            .filter(|bits| (8..=20).contains(bits))
            .ok_or_else(|| refuse("`bits` is not 8 to 20"))?;
        let (mut thresholds, mut lower) = ([0; LANES], [0; LANES]);
        let given = field("thresholds")?.split(',').map(str::parse::<i32>);
        for (slot, value) in thresholds.iter_mut().chain(&mut lower).zip(given) {
            *slot = value.map_err(|_number| refuse("a threshold is no number"))?;
        }
        let sum = field("sum")?;
        let body = body.get(1..).unwrap_or(&[]);
        let width = shape.labels.len();
        if body.len() != width << bits {
            let message = format!(
                "it holds {} bytes of weights, not {}",
                body.len(),
                width << bits
            );
            return Err(refuse(&message));
        }
        if sum != format!("{:016x}", checksum(body)) {
            return Err(refuse(
                "its weights do not match the checksum in its header",
            ));
        }
        let rows = body.chunks(width).map(widen).collect();
        Self::new(rows, thresholds)
            .map(|model| model.with_thresholds(thresholds, lower))
            .ok_or_else(|| refuse("its rows are no power of two"))
    }

    /// The model as a file of this shape.
    pub fn write(&self, shape: &Shape) -> Vec<u8> {
        let cells = |row: &[i8; LANES]| row.map(i8::cast_unsigned);
        let width = shape.labels.len();
        let body: Vec<u8> = self
            .rows
            .iter()
            .flat_map(|row| cells(row).into_iter().take(width))
            .collect();
        let two = self.lower != [0; LANES];
        let lower = self.lower.iter().filter(|_| two);
        let thresholds: Vec<String> = self
            .thresholds
            .iter()
            .chain(lower)
            .map(i32::to_string)
            .collect();
        let header = format!(
            "{} scheme {} labels {} bits {} thresholds {} sum {:016x}\n",
            shape.magic,
            shape.scheme,
            shape.labels.join(","),
            self.rows.len().trailing_zeros(),
            thresholds.join(","),
            checksum(&body)
        );
        let mut out = header.into_bytes();
        out.extend(body);
        out
    }

    /// Adds the weights of a feature to the sums.
    #[inline]
    pub fn add(&self, feature: u32, sums: &mut [i32; LANES]) {
        let at = usize::try_from(feature & self.mask).unwrap_or(0);
        if let Some(row) = self.rows.get(at) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                // Hundreds of small numbers: they cannot leave their type, and are added at once.
                *sum = sum.wrapping_add(i32::from(*weight));
            }
        }
    }

    /// How sure each label must be before it is told; the order is that of the labels.
    pub const fn thresholds(&self) -> &[i32; LANES] {
        &self.thresholds
    }

    /// From where a label is worth a look by a person.
    pub const fn lower(&self) -> &[i32; LANES] {
        &self.lower
    }
}

fn widen(cell: &[u8]) -> [i8; LANES] {
    let mut row = [0; LANES];
    for (slot, byte) in row.iter_mut().zip(cell) {
        *slot = byte.cast_signed();
    }
    row
}

/// FNV-1a over words of eight bytes: finds a torn or edited file, and costs little at load.
fn checksum(body: &[u8]) -> u64 {
    let (words, rest) = body.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().map(|byte| u64::from(*byte));
    words.chain(rest).fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(17)
    })
}
