//! Every way in which file and keyring can disagree, with a keyring of the test's own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use secrecy::{ExposeSecret, SecretString};

use super::*;

type Answer = Result<Ready, Obstacle>;

const FIRST: Try = Try { ask_person: true, seen: false };

#[derive(Clone, Default)]
struct Ring {
    accounts: Rc<RefCell<BTreeMap<String, SecretString>>>,
    refuse_get: Rc<RefCell<Option<SecretName>>>,
    refuse_set: Rc<RefCell<bool>>,
    forget: Rc<RefCell<bool>>,
}

impl Vault for Ring {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, KeyringError> {
        if *self.refuse_get.borrow() == Some(name) {
            return Err(KeyringError::Locked("no".to_owned()));
        }
        Ok(self.accounts.borrow().get(name.account()).cloned())
    }

    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), KeyringError> {
        self.keep(name.account(), value)
    }

    fn keep(&self, account: &str, value: &SecretString) -> Result<(), KeyringError> {
        if *self.refuse_set.borrow() {
            return Err(KeyringError::Broken("full".to_owned()));
        }
        if !*self.forget.borrow() {
            self.accounts.borrow_mut().insert(account.to_owned(), value.clone());
        }
        Ok(())
    }
}

struct Scene {
    folder: tempfile::TempDir,
    ring: Ring,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), ring: Ring::default() }
    }

    fn config(&self, backend: Backend) -> SecretsConfig {
        SecretsConfig {
            state_dir: self.folder.path().join("tray"),
            qualifier: "q".to_owned(),
            backend,
            timing: super::super::Timing::default(),
        }
    }

    fn with_ring(&self) -> Answer {
        let ring = self.ring.clone();
        resolve(&self.config(Backend::Auto), FIRST, &move |_| Ok(Box::new(ring.clone())))
    }

    fn with_error(&self, error: fn(String) -> KeyringError) -> Answer {
        resolve(&self.config(Backend::Auto), FIRST, &move |_| Err(error("why".to_owned())))
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("tray/secrets.json")
    }

    fn ring_value(&self, name: SecretName) -> String {
        self.ring.accounts.borrow()[name.account()].expose_secret().to_owned()
    }
}

fn ready(outcome: Answer) -> (Vec<String>, Place, Vec<String>) {
    match outcome {
        Ok(Ready { values, place, notes, .. }) => {
            let all = SecretName::ALL.map(|name| values.get(name).expose_secret().to_owned());
            (all.to_vec(), place, notes)
        }
        other => panic!("expected secrets, got {other:?}"),
    }
}

#[test]
fn made_once_then_the_same() {
    let place = Scene::new();
    let (first, kept, notes) = ready(place.with_ring());
    assert_eq!((kept, notes.len()), (Place::Keyring, 0));
    assert_eq!(ready(place.with_ring()).0, first);
    assert!(!place.file().exists());
}

#[test]
fn a_refusal_in_the_middle_makes_nothing() {
    for name in SecretName::ALL {
        let place = Scene::new();
        *place.ring.refuse_get.borrow_mut() = Some(name);
        assert!(matches!(place.with_ring(), Err(Obstacle::Locked(_))));
        assert!(place.ring.accounts.borrow().is_empty() && !place.file().exists());
    }
}

#[test]
fn only_no_service_leads_to_the_file() {
    let place = Scene::new();
    assert!(matches!(place.with_error(KeyringError::Locked), Err(Obstacle::Locked(_))));
    assert!(matches!(place.with_error(KeyringError::Broken), Err(Obstacle::Failed(_))));
    assert!(!place.file().exists());
    let (_, kept, _) = ready(place.with_error(KeyringError::NoService));
    assert_eq!(kept, Place::File(place.file(), "why".to_owned()));
}

#[test]
fn a_keyring_that_has_them_and_is_away_is_waited_for() {
    let place = Scene::new();
    let (first, ..) = ready(place.with_ring());
    assert!(matches!(place.with_error(KeyringError::NoService), Err(Obstacle::Locked(_))));
    assert!(!place.file().exists());
    assert_eq!(ready(place.with_ring()).0, first);
}

#[test]
fn a_keyring_that_was_seen_is_waited_for() {
    let place = Scene::new();
    let none = |_| Err(KeyringError::NoService("why".to_owned()));
    let again = Try { ask_person: false, seen: true };
    assert!(matches!(resolve(&place.config(Backend::Auto), again, &none), Err(Obstacle::Locked(_))));
    assert!(!place.file().exists());
}

#[test]
fn the_file_moves_into_the_keyring() {
    let place = Scene::new();
    let (first, ..) = ready(place.with_error(KeyringError::NoService));
    let (moved, kept, notes) = ready(place.with_ring());
    assert_eq!((&moved, kept), (&first, Place::Keyring));
    assert_eq!(notes.len(), 1);
    assert!(!place.file().exists());
    assert_eq!(place.ring_value(SecretName::AdminToken), first[0]);
}

#[test]
fn a_move_that_fails_or_lies_keeps_the_file() {
    for lie in [false, true] {
        let place = Scene::new();
        let (first, ..) = ready(place.with_error(KeyringError::NoService));
        *place.ring.refuse_set.borrow_mut() = !lie;
        *place.ring.forget.borrow_mut() = lie;
        let (values, kept, _) = ready(place.with_ring());
        assert_eq!(values, first);
        assert!(matches!(kept, Place::File(..)) && place.file().exists());
    }
}

#[test]
fn a_keyring_that_forgets_gives_no_secrets() {
    let place = Scene::new();
    *place.ring.forget.borrow_mut() = true;
    assert!(matches!(place.with_ring(), Err(Obstacle::Failed(_))));
}

#[test]
fn the_file_wins_and_what_it_replaces_is_kept() {
    let place = Scene::new();
    let (from_file, ..) = ready(place.with_error(KeyringError::NoService));
    let old = generate(SecretName::BrowserStateKey).unwrap();
    place.ring.set(SecretName::BrowserStateKey, &old).unwrap();
    let (values, _, notes) = ready(place.with_ring());
    assert_eq!((&values, notes.len()), (&from_file, 2));
    let accounts = place.ring.accounts.borrow();
    let kept = accounts.iter().find(|(account, _)| account.contains("_replaced_")).unwrap();
    assert!(same(kept.1, &old));
    assert!(!notes.iter().any(|note| note.contains(old.expose_secret())));
}

#[test]
fn a_complete_file_never_asks_a_person() {
    let place = Scene::new();
    ready(place.with_error(KeyringError::NoService));
    let asked = RefCell::new(Vec::new());
    let outcome = resolve(&place.config(Backend::Auto), FIRST, &|ask| {
        asked.borrow_mut().push(ask);
        Err(KeyringError::Locked("locked".to_owned()))
    });
    let (_, kept, _) = ready(outcome);
    assert_eq!(kept, Place::File(place.file(), "locked".to_owned()));
    assert_eq!(*asked.borrow(), [false]);
}

#[test]
fn a_damaged_secret_in_the_keyring_is_not_replaced() {
    let place = Scene::new();
    place.ring.set(SecretName::BrowserStateKey, &SecretString::from("bad")).unwrap();
    let Err(Obstacle::Failed(message)) = place.with_ring() else { panic!("expected a failure") };
    assert!(message.contains("browser state key") && !message.contains("bad"));
    assert_eq!(place.ring.accounts.borrow().len(), 1);
}

#[test]
fn a_newer_file_is_left_alone() {
    let place = Scene::new();
    ready(place.with_error(KeyringError::NoService));
    std::fs::write(place.file(), r#"{"schema_version": 2, "other": {}}"#).unwrap();
    assert!(matches!(place.with_error(KeyringError::NoService), Err(Obstacle::Failed(_))));
    assert!(place.file().exists());
}

#[test]
fn asked_for_the_keyring_alone_there_is_no_file() {
    let place = Scene::new();
    let none = |_| Err(KeyringError::NoService("why".to_owned()));
    assert!(matches!(resolve(&place.config(Backend::Keyring), FIRST, &none), Err(Obstacle::Failed(_))));
    assert!(!place.file().exists());
}
