//! Names, forms and making of the secrets.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::protocol::secrets::SecretName;
use crate::words;

/// Crockford's base 32: no letter that reads like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// All secrets. Redacted in `Debug`, wiped when dropped.
#[derive(Clone, Debug)]
pub struct SecretValues {
    admin_token: SecretString,
    browser_token: SecretString,
    browser_state_key: SecretString,
}

impl SecretValues {
    pub(super) fn new(admin_token: SecretString, browser_token: SecretString, browser_state_key: SecretString) -> Self {
        Self { admin_token, browser_token, browser_state_key }
    }

    /// One of them.
    pub const fn get(&self, name: SecretName) -> &SecretString {
        match name {
            SecretName::AdminToken => &self.admin_token,
            SecretName::BrowserToken => &self.browser_token,
            SecretName::BrowserStateKey => &self.browser_state_key,
        }
    }
}

/// Names a state root without telling it: two roots never share secrets.
pub fn qualifier(state_root: &Path) -> String {
    let path = std::fs::canonicalize(state_root).unwrap_or_else(|_| state_root.to_owned());
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a secret of 256 random bits; fails only when the system has no randomness to give.
pub(super) fn generate(name: SecretName) -> Result<SecretString, String> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| words::secrets::no_was_made(name.label(), error))?;
    Ok(match name {
        SecretName::AdminToken | SecretName::BrowserToken => SecretString::from(base32(&bytes)),
        SecretName::BrowserStateKey => SecretString::from(STANDARD.encode(bytes.as_slice())),
    })
}

/// Is this what it should be? Says what is wrong, never what it holds.
pub(super) fn check(name: SecretName, value: &SecretString) -> Result<(), &'static str> {
    let value = value.expose_secret();
    match name {
        SecretName::AdminToken | SecretName::BrowserToken => {
            if value.len() < 16 || value.len() > 4096 {
                Err(words::secrets::ITS_LENGTH_IS_IMPOSSIBLE)
            } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                Err(words::secrets::IT_HOLDS_CHARACTERS_THAT_TOKEN_CANNOT)
            } else {
                Ok(())
            }
        }
        SecretName::BrowserStateKey => match STANDARD.decode(value).map(Zeroizing::new) {
            Ok(bytes) if bytes.len() == 32 => Ok(()),
            _ => Err(words::secrets::IT_IS_NOT_BASE_OF_BYTES),
        },
    }
}

/// Whether this can be the browser's state key; what is wrong, never what it holds.
///
/// # Errors
/// It cannot.
pub fn check_browser_key(value: &SecretString) -> Result<(), &'static str> {
    check(SecretName::BrowserStateKey, value)
}

pub(super) fn same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

fn base32(bytes: &[u8; 32]) -> String {
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| (byte >> (7 - index % 8)) & 1);
    (0..52)
        .map(|digit| {
            let index = (0..5).fold(0_usize, |value, place| value << 1 | usize::from(bit(digit * 5 + place)));
            char::from(ALPHABET[index])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_52_characters_of_the_whole_randomness() {
        assert_eq!(base32(&[0; 32]), "0".repeat(52));
        // 255 = 51 * 5: the last character holds one bit and four zeros.
        assert_eq!(base32(&[0xFF; 32]), format!("{}G", "Z".repeat(51)));
        let mut last = [0; 32];
        last[31] = 1;
        assert_eq!(base32(&last), format!("{}G", "0".repeat(51)));
    }

    #[test]
    fn what_is_made_passes_its_own_check_and_is_never_the_same() {
        for name in SecretName::ALL {
            let (a, b) = (generate(name).unwrap(), generate(name).unwrap());
            assert_eq!(check(name, &a), Ok(()));
            assert!(!same(&a, &b));
        }
    }

    #[test]
    fn damaged_values_are_seen() {
        let text = |text: &str| SecretString::from(text);
        assert!(check(SecretName::AdminToken, &text("short")).is_err());
        assert!(check(SecretName::AdminToken, &text("a token with spaces in it")).is_err());
        assert!(check(SecretName::BrowserStateKey, &text("c2hvcnQ=")).is_err());
        assert!(check(SecretName::BrowserStateKey, &text(&STANDARD.encode([7; 33]))).is_err());
    }

    #[test]
    fn debug_tells_nothing() {
        let value = || SecretString::from("plainly-visible");
        let shown = format!("{:?}", SecretValues::new(value(), value(), value()));
        assert!(!shown.contains("visible"), "{shown}");
    }

    #[test]
    fn roots_have_different_qualifiers() {
        assert_ne!(qualifier(Path::new("/one")), qualifier(Path::new("/two")));
        assert_eq!(qualifier(Path::new("/one")).len(), 16);
    }
}
