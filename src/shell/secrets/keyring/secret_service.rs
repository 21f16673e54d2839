//! The Secret Service of the Linux desktops.

use std::collections::HashMap;
use std::io::ErrorKind;

use futures_util::StreamExt;
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, Proxy};
use zbus_secret_service_keyring_store::Store;

use super::{KeyringError, Vault, service_name};
use crate::protocol::secrets::SecretName;
use crate::words;

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
/// What the bus says for a service that has gone without an answer.
const NO_REPLY: &str = "org.freedesktop.DBus.Error.NoReply";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";

struct SecretService {
    store: std::sync::Arc<Store>,
    service: String,
}

/// Connects and makes sure that the keyring is unlocked; only when `ask_person` it may open a dialog, and then blocks
/// until that is answered.
pub(in super::super) fn open(qualifier: &str, ask_person: bool) -> Result<Box<dyn Vault>, KeyringError> {
    zbus::block_on(unlocked(ask_person))?;
    let store = Store::new().map_err(|error| explain(&error))?;
    Ok(Box::new(SecretService { store, service: service_name(qualifier) }))
}

impl SecretService {
    fn entry(&self, account: &str, label: &str) -> Result<Entry, KeyringError> {
        let label = words::secrets::palyra_tray(label);
        let modifiers = HashMap::from([("label", label.as_str())]);
        self.store.build(&self.service, account, Some(&modifiers)).map_err(|error| explain(&error))
    }
}

impl Vault for SecretService {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, KeyringError> {
        match self.entry(name.account(), name.label())?.get_password() {
            Ok(value) => Ok(Some(SecretString::from(value))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(explain(&error)),
        }
    }

    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), KeyringError> {
        let entry = self.entry(name.account(), name.label())?;
        entry.set_password(value.expose_secret()).map_err(|error| explain(&error))
    }

    fn keep(&self, account: &str, value: &SecretString) -> Result<(), KeyringError> {
        let entry = self.entry(account, words::secrets::REPLACED_SECRET)?;
        entry.set_password(value.expose_secret()).map_err(|error| explain(&error))
    }
}

async fn unlocked(ask_person: bool) -> Result<(), KeyringError> {
    let bus = zbus::connection::Builder::session().map_err(no_bus)?.build().await.map_err(no_bus)?;
    let service = Proxy::new(&bus, NAME, PATH, SERVICE).await.map_err(bus_error)?;
    let default: OwnedObjectPath = service.call("ReadAlias", &("default",)).await.map_err(bus_error)?;
    if default.as_str() == "/" {
        // Other collections may hold our secrets; making new ones will fail, and say so.
        return Ok(());
    }
    if !locked(&bus, &default).await? {
        return Ok(());
    }
    if !ask_person {
        return Err(still_locked());
    }
    let (open, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
        service.call("Unlock", &(vec![&default],)).await.map_err(bus_error)?;
    if open.is_empty() && prompt.as_str() != "/" {
        ask(&bus, &prompt).await?;
    }
    if locked(&bus, &default).await? {
        return Err(still_locked());
    }
    Ok(())
}

async fn locked(bus: &Connection, collection: &OwnedObjectPath) -> Result<bool, KeyringError> {
    let properties = Proxy::new(bus, NAME, collection, "org.freedesktop.DBus.Properties").await.map_err(bus_error)?;
    let value: OwnedValue = properties.call("Get", &(COLLECTION, "Locked")).await.map_err(bus_error)?;
    bool::try_from(value).map_err(|_| KeyringError::Broken(words::secrets::IT_DOES_NOT_SAY_WHETHER.to_owned()))
}

/// Opens the service's dialog and waits for the person, or for the end of the service.
async fn ask(bus: &Connection, prompt: &OwnedObjectPath) -> Result<(), KeyringError> {
    let prompt = Proxy::new(bus, NAME, prompt, PROMPT).await.map_err(bus_error)?;
    let mut completed = prompt.receive_signal("Completed").await.map_err(bus_error)?;
    let mut owners = prompt.receive_owner_changed().await.map_err(bus_error)?;
    prompt.call_method("Prompt", &("",)).await.map_err(bus_error)?;
    loop {
        tokio::select! {
            message = completed.next() => {
                let Some(message) = message else { break };
                let body = message.body();
                let dismissed = body.deserialize::<(bool, OwnedValue)>().map_or(true, |(dismissed, _)| dismissed);
                if dismissed {
                    return Err(still_locked());
                }
                return Ok(());
            }
            owner = owners.next() => match owner {
                Some(Some(_)) => {}
                Some(None) | None => break,
            },
        }
    }
    Err(KeyringError::Locked(words::secrets::IT_STOPPED_WHILE_IT_WAS_BEING.to_owned()))
}

/// In the same words however it was found out: only news is reported.
fn still_locked() -> KeyringError {
    KeyringError::Locked(words::secrets::IT_IS_LOCKED.to_owned())
}

fn no_bus(error: zbus::Error) -> KeyringError {
    let absent = match &error {
        zbus::Error::Address(_) => true,
        zbus::Error::InputOutput(error) | zbus::Error::Connection(error, _) => {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
        }
        _ => false,
    };
    if absent {
        KeyringError::NoService(words::secrets::there_is_no_session_bus(&error))
    } else {
        KeyringError::Broken(words::secrets::session_bus_cannot_be_reached(&error))
    }
}

fn bus_error(error: zbus::Error) -> KeyringError {
    match &error {
        zbus::Error::MethodError(name, ..)
            if matches!(
                name.as_str(),
                "org.freedesktop.DBus.Error.ServiceUnknown" | "org.freedesktop.DBus.Error.NameHasNoOwner"
            ) =>
        {
            KeyringError::NoService(words::secrets::NO_KEYRING_SERVICE_RUNS.to_owned())
        }
        zbus::Error::MethodError(name, ..) if name.as_str() == NO_REPLY => gone(),
        _ => KeyringError::Broken(error.to_string()),
    }
}

/// It died while it was asked. It was there, and comes back: it is waited for, as a locked one is.
fn gone() -> KeyringError {
    KeyringError::Locked(words::secrets::IT_STOPPED_WHILE_IT_WAS_ASKED.to_owned())
}

/// `Debug` of some of these errors holds the secret; `Display` never does.
fn explain(error: &Error) -> KeyringError {
    match error {
        Error::NoStorageAccess(_) => KeyringError::Locked(words::secrets::IT_IS_LOCKED_OR_HAS_NO_DEFAULT.to_owned()),
        Error::Ambiguous(_) => KeyringError::Broken(words::secrets::IT_HOLDS_SAME_SECRET_MORE.to_owned()),
        // the library tells it in words only
        _ if error.to_string().contains(NO_REPLY) => gone(),
        _ => KeyringError::Broken(error.to_string()),
    }
}
