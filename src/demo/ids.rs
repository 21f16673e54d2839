//! Random ids and credentials in the shapes that the real gateway uses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::process;
use crate::core::ulid;

/// A fresh ULID. Two of the same millisecond are in random order, as the real ones are.
pub fn ulid() -> String {
    ulid_at(process::unix_ms())
}

/// A fresh ULID with the given time, milliseconds since the epoch.
pub fn ulid_at(unix_ms: i64) -> String {
    let mut random = [0; 16];
    random[6..].copy_from_slice(&random_bytes::<10>());
    ulid::encode(unix_ms, u128::from_be_bytes(random))
}

/// A credential: 43 characters, base64url of 32 random bytes.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// What is kept of a credential.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Lower-case hexadecimal of the SHA-256 of `bytes`.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A sidecar without randomness must not go on handing out guessable credentials.
#[expect(clippy::disallowed_methods, reason = "there is nobody to return an error to, and no safe way on")]
fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Err(error) = getrandom::fill(&mut bytes) {
        process::refuse(1, &format!("the operating system gives no random bytes: {error}"));
        std::process::exit(1);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_43_characters() {
        assert_eq!(token().len(), 43);
        assert_ne!(token(), token());
    }
}
