//! The key of the browser's state that the config keeps in Palyra's vault: read anew at each start of the browser service,
//! by the `palyra` command line, whose answer comes over a pipe.
//!
//! The gateway only checks the reference, and the browser service does not know of it: whoever starts the browser service has
//! to read the key. One that cannot be had is never replaced by another, for what the browser keeps could then not be read.

use std::time::{Duration, Instant};

use secrecy::SecretString;
use serde_json::Value;

use crate::core::cause::Class;
use crate::core::text;
use crate::shell::palyra_cli;
use crate::shell::secrets::check_browser_key;
use crate::shell::sidecars::{Refusal, Sidecars};
use crate::words;

/// A vault in a keyring may wait for its password.
const LIMIT: Duration = Duration::from_secs(20);

/// Reads it. Blocks.
pub(super) fn read(sidecars: &Sidecars, reference: &str) -> Result<SecretString, Refusal> {
    let refusal = |why: &str, hopeless| {
        let why = text::browser_key_unreadable(reference, why);
        Refusal { class: Class::Refused, why, hopeless }
    };
    let Some((scope, key)) = reference.split_once('/') else {
        return Err(refusal(words::agent::IT_IS_NOT_OF_FORM_SCOPE, true));
    };
    let begun = Instant::now();
    let command = sidecars.palyra(&["secrets", "get", "--json", "--reveal", "--", scope, key]);
    let read = command.and_then(|command| palyra_cli::run(command, None, LIMIT, &palyra_cli::stopper()));
    // one that only waited may be lucky the next time
    let mut document = read.map_err(|why| refusal(&why, begun.elapsed() < LIMIT))?;
    let value = match document.get_mut("value").map(Value::take) {
        // as `palyra browser start` does: what was stored from a file ends with its line
        Some(Value::String(value)) => SecretString::from(value.trim()),
        _ => return Err(refusal(words::common::PALYRA_GAVE_ANSWER, true)),
    };
    check_browser_key(&value).map_err(|why| refusal(why, true))?;
    Ok(value)
}
