//! The model of the statistical tagger: one row of small weights for each hashed feature.
//!
//! A file of the policy like the lists, so that its digest covers it. How it is trained is told in
//! `docs/tagger.md`.

use crate::policy::PolicyError;

/// What the tagger says of a word; the order is that of the weights in a row.
pub const LABELS: &[&str] = &[
    "none",
    "name",
    "provider",
    "place",
    "other",
    "condition",
    "medicine",
];
/// The weights of a row: one for each label, and spare ones that are zero.
pub const LANES: usize = 8;
/// The feature scheme that this program reads; a model of another is refused.
pub const SCHEME: u32 = 1;

const MAGIC: &str = "anteroom tagger";
const HEADER_MAX: usize = 512;
const REMEDY: &str = "restore guardrails/tagger.model or train it again with `make tagger`";

/// The weights, and how sure a label must be before it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    rows: Box<[[i8; LANES]]>,
    mask: u32,
    thresholds: [i32; LANES],
}

impl Model {
    /// A model from weights; `rows` is a power of two.
    pub fn new(rows: Vec<[i8; LANES]>, thresholds: [i32; LANES]) -> Option<Self> {
        let mask = u32::try_from(rows.len()).ok()?.checked_sub(1)?;
        rows.len().is_power_of_two().then(|| Self {
            rows: rows.into(),
            mask,
            thresholds,
        })
    }

    /// Reads a model file; `file` is its name for people.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, PolicyError> {
        let refuse = |message: &str| PolicyError::at(file, 1, "tagger", message, REMEDY);
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
            .strip_prefix(MAGIC)
            .ok_or_else(|| refuse("it is no tagger model"))?
            .split_ascii_whitespace();
        let mut field = |name: &str| {
            let found = fields.next() == Some(name);
            fields
                .next()
                .filter(|_| found)
                .ok_or_else(|| refuse(&format!("its header lacks `{name}`")))
        };
        let scheme = field("scheme")?;
        if scheme != SCHEME.to_string() {
            let message = format!("it is of feature scheme {scheme}, and {SCHEME} is wanted");
            return Err(refuse(&message));
        }
        if field("labels")? != LABELS.join(",") {
            return Err(refuse("its labels are not those of this program"));
        }
        let bits: usize = field("bits")?
            .parse()
            .ok()
            .filter(|bits| (8..=20).contains(bits))
            .ok_or_else(|| refuse("`bits` is not 8 to 20"))?;
        let mut thresholds = [0; LANES];
        let given = field("thresholds")?.split(',').map(str::parse::<i32>);
        for (slot, value) in thresholds.iter_mut().zip(given) {
            *slot = value.map_err(|_number| refuse("a threshold is no number"))?;
        }
        let sum = field("sum")?;
        let body = body.get(1..).unwrap_or(&[]);
        let (cells, rest) = body.as_chunks::<LABELS_LEN>();
        if cells.len() != 1 << bits || !rest.is_empty() {
            let message = format!(
                "it holds {} bytes of weights, not {}",
                body.len(),
                LABELS_LEN << bits
            );
            return Err(refuse(&message));
        }
        if sum != format!("{:016x}", checksum(body)) {
            return Err(refuse(
                "its weights do not match the checksum in its header",
            ));
        }
        let rows = cells.iter().copied().map(widen).collect();
        Self::new(rows, thresholds).ok_or_else(|| refuse("its rows are no power of two"))
    }

    /// The model as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let body: Vec<u8> = self
            .rows
            .iter()
            .flat_map(|row| {
                row.iter()
                    .take(LABELS_LEN)
                    .map(|weight| weight.cast_unsigned())
            })
            .collect();
        let thresholds: Vec<String> = self.thresholds.iter().map(i32::to_string).collect();
        let header = format!(
            "{MAGIC} scheme {SCHEME} labels {} bits {} thresholds {} sum {:016x}\n",
            LABELS.join(","),
            self.rows.len().trailing_zeros(),
            thresholds.join(","),
            checksum(&body)
        );
        let mut out = header.into_bytes();
        out.extend(body);
        out
    }

    /// Adds the weights of a feature to the sums of a word.
    #[inline]
    pub fn add(&self, feature: u32, sums: &mut [i32; LANES]) {
        let at = usize::try_from(feature & self.mask).unwrap_or(0);
        if let Some(row) = self.rows.get(at) {
            for (sum, weight) in sums.iter_mut().zip(row) {
                // A few dozen small numbers: they cannot leave their type, and are added at once.
                *sum = sum.wrapping_add(i32::from(*weight));
            }
        }
    }

    /// By how much a label must lead the next best one before it is told; the order is that of [`LABELS`].
    pub const fn thresholds(&self) -> &[i32; LANES] {
        &self.thresholds
    }
}

const LABELS_LEN: usize = LABELS.len();

fn widen(cell: [u8; LABELS_LEN]) -> [i8; LANES] {
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
