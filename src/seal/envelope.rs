//! The envelope of one sealed value, and the data key that makes it.

use aes_gcm::Aes256Gcm;
use aes_gcm::KeyInit;
use aes_gcm::Nonce;
use aes_gcm::aead::Aead;
use aes_gcm::aead::Payload;
use hkdf::Hkdf;
use hmac::Hmac;
use hmac::Mac;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::domain::phone::E164;
use crate::seal::SealError;

/// First byte of every envelope; a change of layout takes the next number.
const VERSION: u8 = 1;
/// Bytes of a key's id.
pub const KEY_ID_BYTES: usize = 16;
const SALT_BYTES: usize = 32;
const COMMITMENT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + SALT_BYTES + COMMITMENT_BYTES;
const SEAL_LABEL: &[u8] = b"anteroom seal v1";
const LOOKUP_LABEL: &[u8] = b"anteroom lookup v1";

/// The place a value is kept in; an envelope opens there and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aad<'a> {
    /// Whose it is.
    pub practice: &'a str,
    /// Table.
    pub table: &'a str,
    /// Column.
    pub column: &'a str,
    /// Row, as its key is spelled.
    pub row: &'a str,
}

impl Aad<'_> {
    /// Unambiguous bytes: each part with its length before it, and the header, which names the key.
    fn bytes(&self, header: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        for part in [self.practice, self.table, self.column, self.row] {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(header);
        out
    }
}

/// A key that seals the data of one practice, or of one patient of it.
#[derive(Clone)]
pub struct DataKey {
    id: [u8; KEY_ID_BYTES],
    secret: Zeroizing<[u8; 32]>,
    lookup: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    /// A new random key.
    pub fn generate() -> Result<Self, SealError> {
        let mut id = [0_u8; KEY_ID_BYTES];
        random(&mut id)?;
        let mut secret = Zeroizing::new([0_u8; 32]);
        random(secret.as_mut())?;
        Ok(Self::from_parts(id, secret))
    }

    /// The key with this id and these bytes.
    pub(super) fn from_parts(id: [u8; KEY_ID_BYTES], secret: Zeroizing<[u8; 32]>) -> Self {
        let mut lookup = Zeroizing::new([0_u8; 32]);
        derive(&id, secret.as_ref(), LOOKUP_LABEL, lookup.as_mut());
        Self { id, secret, lookup }
    }

    /// Its id, which is no secret.
    pub const fn id(&self) -> &[u8; KEY_ID_BYTES] {
        &self.id
    }

    pub(super) fn secret(&self) -> &[u8] {
        self.secret.as_ref()
    }

    /// Seals a value for the place it will be kept in.
    pub fn seal(&self, aad: &Aad<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut salt = [0_u8; SALT_BYTES];
        random(&mut salt)?;
        let keys = self.message_keys(&salt);
        let (cipher_key, commitment) = keys.split_at(32);
        let mut out = Vec::with_capacity(HEADER_BYTES + plain.len() + TAG_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&salt);
        out.extend_from_slice(commitment);
        let aad = aad.bytes(&out);
        let body = cipher(cipher_key)?
            .encrypt(
                &fixed_nonce(),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_opaque| SealError::Refused)?;
        out.extend_from_slice(&body);
        Ok(out)
    }

    /// Opens a value from the place it was kept in.
    pub fn open(&self, aad: &Aad<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (header, body) = sealed
            .split_at_checked(HEADER_BYTES)
            .ok_or(SealError::Malformed)?;
        let (version, rest) = header.split_at_checked(1).ok_or(SealError::Malformed)?;
        if version != [VERSION] {
            return Err(SealError::Malformed);
        }
        let (id, rest) = rest
            .split_at_checked(KEY_ID_BYTES)
            .ok_or(SealError::Malformed)?;
        if id != self.id {
            return Err(SealError::OtherKey);
        }
        let (salt, claimed) = rest
            .split_at_checked(SALT_BYTES)
            .ok_or(SealError::Malformed)?;
        let keys = self.message_keys(salt);
        let (cipher_key, commitment) = keys.split_at(32);
        if !bool::from(commitment.ct_eq(claimed)) {
            return Err(SealError::Refused);
        }
        cipher(cipher_key)?
            .decrypt(
                &fixed_nonce(),
                Payload {
                    msg: body,
                    aad: &aad.bytes(header),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_opaque| SealError::Refused)
    }

    /// A keyed hash to find a value by, without keeping the value: HMAC-SHA256 of what kind of
    /// value it is and the value. Practices have different keys, so their hashes do not compare.
    pub fn lookup(&self, kind: &str, value: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.lookup.as_ref())
            .unwrap_or_else(|_any_length_fits| <Hmac<Sha256> as KeyInit>::new(&[0; 64].into()));
        mac.update(&(kind.len() as u64).to_be_bytes());
        mac.update(kind.as_bytes());
        mac.update(value);
        mac.finalize().into_bytes().into()
    }

    /// The keyed hash of a telephone number.
    pub fn lookup_number(&self, number: &E164) -> [u8; 32] {
        self.lookup("number", number.as_str().as_bytes())
    }

    /// The cipher key and the commitment of the message with this salt.
    fn message_keys(&self, salt: &[u8]) -> Zeroizing<[u8; 64]> {
        let mut keys = Zeroizing::new([0_u8; 64]);
        let mut label = Vec::with_capacity(SEAL_LABEL.len() + KEY_ID_BYTES);
        label.extend_from_slice(SEAL_LABEL);
        label.extend_from_slice(&self.id);
        derive(salt, self.secret.as_ref(), &label, keys.as_mut());
        keys
    }
}

/// HKDF-SHA256 (RFC 5869). `out` is far below the 255 blocks that could be refused.
pub(super) fn derive(salt: &[u8], secret: &[u8], label: &[u8], out: &mut [u8]) {
    let refused = Hkdf::<Sha256>::new(Some(salt), secret).expand(label, out);
    debug_assert!(refused.is_ok(), "at most 64 bytes are asked for");
}

pub(super) fn random(out: &mut [u8]) -> Result<(), SealError> {
    getrandom::fill(out).map_err(|_no_detail| SealError::NoRandomness)
}

fn cipher(key: &[u8]) -> Result<Aes256Gcm, SealError> {
    Aes256Gcm::new_from_slice(key).map_err(|_wrong_length| SealError::Refused)
}

/// Every message has its own key, from 256 random bits, so the nonce may be the same always.
fn fixed_nonce() -> Nonce<aes_gcm::aead::consts::U12> {
    [0_u8; 12].into()
}
