//! The secrets that are kept for the sidecars: who uses which, which of them can be made anew here, and a rotation on its
//! way. No value is ever in here.
//!
//! A rotation is safe wherever it is cut short. The shell notes on disk what it is about to change, stores the new values,
//! and notes that they are stored; then the services that used the old ones start again; then the note goes. A note that is
//! found at a start is acted on: values that may not all be stored are made once more, and whoever lived through it is
//! restarted. Only one value of each secret is ever kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::core::text;
use crate::core::time::Now;
use crate::protocol::secrets::SecretName;
use crate::protocol::{Failure, FailureCode, RunId, ServiceId};
use crate::words;

/// Where a secret is, as a look has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// In the system's keyring.
    Keyring,
    /// In this file.
    File {
        /// Which.
        path: String,
        /// Its permissions, where there are such.
        mode: Option<u32>,
    },
    /// The place that would hold it answered that it has none.
    Missing,
    /// Nobody can tell now, for this reason.
    Unavailable(String),
}

/// One secret of ours, as a look has found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub name: SecretName,
    /// Where.
    pub held: Held,
    /// When it was made, if that was noted.
    pub since_unix_ms: Option<i64>,
}

/// Everything that a look has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Ours.
    pub kept: Vec<Kept>,
    /// What Palyra keeps by itself: what it is, and the folder.
    pub of_palyra: Vec<(&'static str, String)>,
}

/// What came of making new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// These are new and stored.
    Stored(Vec<SecretName>),
    /// Nothing was changed, for this reason.
    Not(String),
    /// Some may have been changed: it is finished at the next start, or by rotating again.
    Unfinished(String),
}

/// A rotation on its way.
#[derive(Clone, Debug, Default)]
pub struct Rotation {
    /// New values are being made and stored.
    pub making: bool,
    /// It is noted on disk that it is not over.
    noted: bool,
    /// Who still runs with an old value; without a run: whether it lives has not been looked at yet.
    stale: BTreeMap<ServiceId, Option<RunId>>,
    /// Who used what was changed since this agent runs.
    touched: BTreeSet<ServiceId>,
}

impl Rotation {
    /// New values are stored: who uses them must start again.
    pub fn stored(&mut self, names: &[SecretName]) -> Vec<ServiceId> {
        self.making = false;
        self.noted = true;
        let services = services(names);
        self.touched.extend(&services);
        services
    }

    /// This run has an old value.
    pub fn outlived_by(&mut self, id: ServiceId, run: Option<RunId>) {
        self.stale.insert(id, run);
    }

    /// It lived before this agent knew it, and may have an old value.
    pub fn may_have_old(&self, id: ServiceId) -> bool {
        self.touched.contains(&id)
    }

    /// Everybody with an old value, and in which run as far as that is known.
    pub fn stale(&self) -> Vec<(ServiceId, Option<RunId>)> {
        self.stale.iter().map(|(id, run)| (*id, run.clone())).collect()
    }

    /// It has no old value any more.
    pub fn renewed(&mut self, id: ServiceId) {
        self.stale.remove(&id);
    }

    /// Nobody has an old value any more: true once, when that is to be noted.
    pub fn is_over(&mut self) -> bool {
        self.stale.is_empty() && std::mem::take(&mut self.noted)
    }
}

/// The services that are told a secret.
pub const fn used_by(name: SecretName) -> &'static [ServiceId] {
    match name {
        SecretName::AdminToken => &[ServiceId::Gateway],
        SecretName::BrowserToken => &[ServiceId::Gateway, ServiceId::Browserd],
        SecretName::BrowserStateKey => &[ServiceId::Browserd],
    }
}

/// The services that are told any of these, in start order.
pub fn services(names: &[SecretName]) -> Vec<ServiceId> {
    let all: BTreeSet<_> = names.iter().flat_map(|name| used_by(*name)).copied().collect();
    all.into_iter().collect()
}

/// Which secrets are to be made anew: those that were named, or all that are ours. `named`: what the config gives, and by
/// which key.
///
/// # Errors
/// One that was asked for is not ours to make, or means a loss that nobody agreed to.
pub fn plan(
    names: &[SecretName],
    lose_profiles: bool,
    named: &BTreeMap<SecretName, &'static str>,
) -> Result<Vec<SecretName>, Failure> {
    let wanted: BTreeSet<_> = if names.is_empty() {
        SecretName::ALL.into_iter().filter(|name| !named.contains_key(name)).collect()
    } else {
        names.iter().copied().collect()
    };
    if wanted.is_empty() {
        return Err(Failure::new(
            FailureCode::Refused,
            words::secrets::ALL_OF_THEM_COME_FROM_PALYRAS,
            words::secrets::FROM_CONFIG,
        ));
    }
    if let Some((name, key)) = wanted.iter().find_map(|name| Some((name, named.get(name)?))) {
        let why = words::secrets::comes_from_palyras_config(name.label(), key);
        return Err(Failure::new(FailureCode::Refused, why, words::secrets::FROM_CONFIG));
    }
    if wanted.contains(&SecretName::BrowserStateKey) && !lose_profiles {
        let why = words::secrets::WITH_ANOTHER_BROWSER_STATE_KEY_STORED;
        return Err(Failure::new(FailureCode::Refused, why, words::secrets::IF_YOU_WANT));
    }
    Ok(wanted.into_iter().collect())
}

/// "The admin token and the browser token are new."
pub fn are_new(names: &[SecretName]) -> String {
    let labels: Vec<_> = names.iter().map(|name| words::secrets::the_one(name.label())).collect();
    match &labels[..] {
        [one] => text::capitalise(&words::secrets::is_new(one)),
        [others @ .., last] => text::capitalise(&words::secrets::and_are_new(others.join(", "), last)),
        [] => words::secrets::NOTHING_IS_NEW.to_owned(),
    }
}

/// What a look has found, as JSON. `named`: what the config gives, and by which key.
pub fn document(look: &Look, named: &BTreeMap<SecretName, &'static str>, unfinished: bool, now: Now) -> Value {
    let secrets: Vec<_> = look.kept.iter().map(|kept| one(kept, named.get(&kept.name).copied())).collect();
    let of_palyra: Vec<_> =
        look.of_palyra.iter().map(|(what, folder)| json!({ "what": what, "folder": folder })).collect();
    json!({
        "secrets": secrets,
        "kept_by_palyra": of_palyra,
        "rotation_under_way": unfinished,
        "as_of_unix_ms": now.unix_ms,
    })
}

fn one(kept: &Kept, key: Option<&str>) -> Value {
    let mut one = json!({
        "name": kept.name,
        "label": kept.name.label(),
        "used_by": used_by(kept.name),
        "can_be_rotated": key.is_none() && !matches!(kept.held, Held::Unavailable(_)),
        "since_unix_ms": kept.since_unix_ms.filter(|_| key.is_none()),
    });
    let (place, details) = match (&kept.held, key) {
        (_, Some(key)) => ("config", json!({ "key": key })),
        (Held::Keyring, _) => ("keyring", json!({})),
        (Held::File { path, mode }, _) => {
            ("file", json!({ "path": path, "mode": mode.map(|mode| format!("{mode:04o}")) }))
        }
        (Held::Missing, _) => ("missing", json!({})),
        (Held::Unavailable(why), _) => ("unavailable", json!({ "why": why })),
    };
    if let (Value::Object(one), Value::Object(details)) = (&mut one, details) {
        one.insert("place".to_owned(), place.into());
        one.extend(details);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_who_is_told_a_secret_uses_it() {
        use crate::core::launch::{Confidential, Places, environment};
        use crate::core::ports;
        let told = |id: ServiceId, value: &str| {
            let confidential = Confidential {
                admin_token: "AdminToken".to_owned().into(),
                browser_token: "BrowserToken".to_owned().into(),
                browser_key: Some("BrowserStateKey".to_owned().into()),
            };
            let env = environment(id, &Places::default(), &confidential, "p", &ports::defaults(id), Some(1));
            env.values().flatten().any(|secret| secret.expose() == value)
        };
        for name in SecretName::ALL {
            let value = format!("{name:?}");
            let users: Vec<_> = ServiceId::ALL.into_iter().filter(|id| told(*id, &value)).collect();
            assert_eq!(users, used_by(name), "{name:?}");
        }
    }

    #[test]
    fn what_the_config_gives_is_left_or_refused_with_the_key() {
        let named = BTreeMap::from([(SecretName::AdminToken, "admin.auth_token")]);
        let refused = plan(&[SecretName::AdminToken], true, &named).unwrap_err();
        assert_eq!(refused.code, FailureCode::Refused);
        assert!(refused.message.contains("admin.auth_token") && refused.hint.contains("Change it there"));
        assert_eq!(plan(&[], true, &named).unwrap(), [SecretName::BrowserToken, SecretName::BrowserStateKey]);
        let all = SecretName::ALL.map(|name| (name, "k")).into();
        assert!(plan(&[], true, &all).is_err());
    }

    #[test]
    fn profiles_are_not_lost_unasked() {
        for names in [&[][..], &[SecretName::BrowserStateKey]] {
            let refused = plan(names, false, &BTreeMap::new()).unwrap_err();
            assert!(refused.message.contains("profiles"), "{refused:?}");
            assert!(plan(names, true, &BTreeMap::new()).is_ok());
        }
        assert!(plan(&[SecretName::AdminToken, SecretName::BrowserToken], false, &BTreeMap::new()).is_ok());
    }
}
