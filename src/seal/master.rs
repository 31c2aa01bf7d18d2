//! The master key: its file, the keys it wraps, the secrets derived from it.

use std::fs;
use std::io::Read;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::seal::Aad;
use crate::seal::DataKey;
use crate::seal::SealError;
use crate::seal::envelope;
use crate::seal::envelope::KEY_ID_BYTES;

const WRAP_LABEL: &[u8] = b"anteroom wrap v1";
/// All wrapped keys name the master key so; a second master key would take another id.
const WRAP_KEY_ID: [u8; KEY_ID_BYTES] = *b"anteroom-master1";
/// Longest key file that is read.
const FILE_BYTES_MAX: u64 = 1_024;

/// The key that wraps all others. It stays outside the database and its backups.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// A new random key.
    pub fn generate() -> Result<Self, SealError> {
        let mut secret = Zeroizing::new([0_u8; 32]);
        envelope::random(secret.as_mut())?;
        Ok(Self(secret))
    }

    /// The key written as 64 hexadecimal digits, surrounding white space aside.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut secret = Zeroizing::new([0_u8; 32]);
        hex::decode_to_slice(text.trim(), secret.as_mut()).ok()?;
        Some(Self(secret))
    }

    /// The key in the file at `path`. When there is no file and `may_create` (nothing has been
    /// sealed yet), a new key is written there, readable by its owner only.
    pub fn load_or_create(path: &Path, may_create: bool) -> Result<Self, SealError> {
        match fs::File::open(path) {
            Ok(file) => Self::read(path, file),
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
                if may_create {
                    Self::create(path)
                } else {
                    Err(SealError::KeyMissing {
                        path: path.to_owned(),
                    })
                }
            }
            Err(cause) => Err(key_file(path, cause)),
        }
    }

    fn read(path: &Path, file: fs::File) -> Result<Self, SealError> {
        let status = file.metadata().map_err(|cause| key_file(path, cause))?;
        let mode = status.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SealError::KeyExposed {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|cause| {
                if cause.kind() == std::io::ErrorKind::InvalidData {
                    SealError::KeyMalformed {
                        path: path.to_owned(),
                    }
                } else {
                    key_file(path, cause)
                }
            })?;
        Self::from_hex(&text).ok_or_else(|| SealError::KeyMalformed {
            path: path.to_owned(),
        })
    }

    fn create(path: &Path) -> Result<Self, SealError> {
        let key = Self::generate()?;
        let text = Zeroizing::new(format!(
            "{}\n",
            *Zeroizing::new(hex::encode(key.0.as_ref()))
        ));
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| sync_folder(path));
        written.map_err(|cause| key_file(path, cause))?;
        Ok(key)
    }

    /// Wraps a data key for its row in the database.
    pub fn wrap(&self, owner: &str, patient: &str, key: &DataKey) -> Result<Vec<u8>, SealError> {
        self.wrapper()
            .seal(&wrap_aad(owner, &row(patient, key.id())), key.secret())
    }

    /// Unwraps a data key from its row.
    pub fn unwrap_key(
        &self,
        owner: &str,
        patient: &str,
        id: &[u8],
        wrapped: &[u8],
    ) -> Result<DataKey, SealError> {
        let id: [u8; KEY_ID_BYTES] = id.try_into().map_err(|_length| SealError::Malformed)?;
        let opened = self
            .wrapper()
            .open(&wrap_aad(owner, &row(patient, &id)), wrapped)
            .map_err(|refusal| {
                if matches!(refusal, SealError::Refused | SealError::OtherKey) {
                    SealError::WrongMaster
                } else {
                    refusal
                }
            })?;
        let mut secret = Zeroizing::new([0_u8; 32]);
        if opened.len() != secret.len() {
            return Err(SealError::Malformed);
        }
        secret.copy_from_slice(&opened);
        Ok(DataKey::from_parts(id, secret))
    }

    /// A secret for another use, such as the signing key of the audit log. Different labels give
    /// unrelated secrets.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0_u8; 32]);
        envelope::derive(
            b"anteroom derive v1",
            self.0.as_ref(),
            label.as_bytes(),
            out.as_mut(),
        );
        out
    }

    fn wrapper(&self) -> DataKey {
        let mut secret = Zeroizing::new([0_u8; 32]);
        envelope::derive(&WRAP_KEY_ID, self.0.as_ref(), WRAP_LABEL, secret.as_mut());
        DataKey::from_parts(WRAP_KEY_ID, secret)
    }
}

fn wrap_aad<'a>(owner: &'a str, row: &'a str) -> Aad<'a> {
    Aad {
        practice: owner,
        table: "data_key",
        column: "wrapped",
        row,
    }
}

fn row(patient: &str, id: &[u8; KEY_ID_BYTES]) -> String {
    format!("{}/{patient}", hex::encode(id))
}

fn key_file(path: &Path, cause: std::io::Error) -> SealError {
    SealError::KeyFile {
        path: path.to_owned(),
        cause,
    }
}

/// A new file survives a power cut only when its folder is synchronised too.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::File::open(folder)?.sync_all(),
        _ => fs::File::open(".")?.sync_all(),
    }
}
