//! A rotation that is cut short at every step, with a keyring of the test's own and with the file.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use secrecy::ExposeSecret;

use super::*;
use crate::shell::secrets::attempt::{Ready, Try};

const STEPS: [Step; 6] = [Step::Note, Step::Store(0), Step::Store(1), Step::Store(2), Step::NoteStored, Step::Tell];
const FIRST: Try = Try { ask_person: true, seen: false };

/// What is kept, and how the keyring behaves.
#[derive(Clone, Default)]
struct Ring {
    accounts: Rc<RefCell<BTreeMap<String, SecretString>>>,
    /// Calls that still succeed; after them it has gone away.
    calls_left: Rc<Cell<Option<usize>>>,
    /// Says that it stored, and did not.
    lies: Rc<Cell<bool>>,
    /// Stores, and says that it did not.
    denies: Rc<Cell<bool>>,
}

impl Ring {
    fn call(&self) -> Result<(), KeyringError> {
        match self.calls_left.get() {
            Some(0) => Err(KeyringError::Broken("it went away".to_owned())),
            left => {
                self.calls_left.set(left.map(|left| left - 1));
                Ok(())
            }
        }
    }
}

impl Vault for Ring {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, KeyringError> {
        self.call()?;
        Ok(self.accounts.borrow().get(name.account()).cloned())
    }

    fn set(&self, name: SecretName, value: &SecretString) -> Result<(), KeyringError> {
        self.keep(name.account(), value)
    }

    fn keep(&self, account: &str, value: &SecretString) -> Result<(), KeyringError> {
        self.call()?;
        if !self.lies.get() {
            self.accounts.borrow_mut().insert(account.to_owned(), value.clone());
        }
        if self.denies.get() { Err(KeyringError::Broken("no".to_owned())) } else { Ok(()) }
    }
}

struct Scene {
    folder: tempfile::TempDir,
    ring: Ring,
    config: SecretsConfig,
}

impl Scene {
    fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SecretsConfig {
            state_dir: folder.path().join("tray"),
            qualifier: "q".to_owned(),
            backend,
            timing: super::super::Timing::default(),
        };
        let scene = Self { folder, ring: Ring::default(), config };
        scene.next_start();
        scene
    }

    fn try_start(&self) -> Result<Ready, attempt::Obstacle> {
        let ring = self.ring.clone();
        attempt::run_with(&self.config, FIRST, &move |_| Ok(Box::new(ring.clone())))
    }

    fn next_start(&self) -> Ready {
        self.try_start().unwrap()
    }

    fn rotate(&self, names: &[SecretName], go: &dyn Fn(Step) -> bool) -> Rotation {
        let ring = self.ring.clone();
        change(&self.config, names, true, &move |_| Ok(Box::new(ring.clone())), go)
    }

    /// All values that are kept anywhere.
    fn kept(&self) -> Vec<String> {
        let mut kept: Vec<_> =
            self.ring.accounts.borrow().values().map(|value| value.expose_secret().to_owned()).collect();
        let file: PathBuf = self.config.state_dir.join("secrets.json");
        if let Ok(text) = std::fs::read_to_string(file) {
            let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
            kept.extend(all.values().filter_map(|value| value.as_str().map(str::to_owned)));
        }
        kept.sort_unstable();
        kept
    }

    fn noted(&self) -> Option<Rotating> {
        Record::read(&self.config.state_dir).rotating
    }
}

fn plain(values: &SecretValues) -> Vec<String> {
    let mut all = SecretName::ALL.map(|name| values.get(name).expose_secret().to_owned()).to_vec();
    all.sort_unstable();
    all
}

fn value(values: &SecretValues, name: SecretName) -> String {
    values.get(name).expose_secret().to_owned()
}

#[test]
fn only_what_was_named_is_new_and_the_old_one_is_nowhere() {
    for backend in [Backend::Auto, Backend::File] {
        let scene = Scene::new(backend);
        let old = scene.next_start().values;
        let Rotation::Stored(new, names) = scene.rotate(&[SecretName::BrowserToken], &|_| true) else { panic!() };
        assert_eq!(names, [SecretName::BrowserToken]);
        for name in SecretName::ALL {
            assert_eq!(value(&new, name) != value(&old, name), name == SecretName::BrowserToken, "{name:?}");
        }
        assert_eq!(scene.kept(), plain(&new));
        let made = Record::read(&scene.config.state_dir).made;
        assert!(made[&SecretName::BrowserToken] >= made[&SecretName::AdminToken]);
        // what was stored is told to the next start until it is over
        let next = scene.next_start();
        assert_eq!((plain(&next.values), next.rotated), (plain(&new), names));
        over(&scene.config.state_dir).unwrap();
        assert_eq!((scene.noted(), scene.next_start().rotated), (None, Vec::new()));
        let names: Vec<_> = std::fs::read_dir(&scene.config.state_dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(names.iter().all(|name| name.starts_with("secrets.")), "{names:?}");
        drop(scene.folder);
    }
}

#[test]
fn cut_short_before_any_step_the_next_start_finishes_it() {
    for backend in [Backend::Auto, Backend::File] {
        for step in STEPS {
            let scene = Scene::new(backend);
            let old = scene.next_start().values;
            let killed = Cell::new(false);
            let rotation = scene.rotate(&SecretName::ALL, &|at| {
                killed.set(killed.get() || at == step);
                at != step
            });
            let runs_with = match rotation {
                Rotation::Stored(values, _) => values,
                // nobody was told anything: who runs has the old ones
                _ => scene_values(&old),
            };
            let next = scene.next_start();
            assert_eq!(scene.kept(), plain(&next.values), "{step:?}: what is kept is what is used, and nothing else");
            let told = SecretName::ALL.iter().all(|name| next.rotated.contains(name));
            let same = plain(&next.values) == plain(&runs_with);
            assert!(same || told, "{step:?}: somebody runs with another value, and is not restarted");
            if killed.get() && step != Step::Note {
                assert!(
                    told && plain(&next.values).iter().all(|new| !plain(&old).contains(new)),
                    "{step:?}: all are new"
                );
            }
            over(&scene.config.state_dir).unwrap();
            let settled = scene.next_start();
            assert_eq!((plain(&settled.values), settled.rotated), (plain(&next.values), Vec::new()));
        }
    }
}

fn scene_values(values: &SecretValues) -> SecretValues {
    values.clone()
}

#[test]
fn a_keyring_that_goes_away_at_any_call_leaves_no_stranger() {
    let mut outcomes = (0, 0, 0);
    for calls in 0..10 {
        let scene = Scene::new(Backend::Auto);
        let old = scene.next_start().values;
        scene.ring.calls_left.set(Some(calls));
        let rotation = scene.rotate(&SecretName::ALL, &|_| true);
        match &rotation {
            Rotation::Not(why) => {
                outcomes.0 += 1;
                assert!(why.contains("went away"), "{why}");
                assert_eq!((scene.kept(), scene.noted()), (plain(&old), None));
            }
            Rotation::Unfinished(_) => {
                outcomes.1 += 1;
                assert!(scene.noted().is_some_and(|noted| !noted.stored));
                // while it is away nothing is started with what may not stay
                assert!(matches!(scene.try_start(), Err(attempt::Obstacle::Locked(_) | attempt::Obstacle::Failed(_))));
            }
            Rotation::Stored(..) => outcomes.2 += 1,
        }
        scene.ring.calls_left.set(None);
        let next = scene.next_start();
        assert_eq!(scene.kept(), plain(&next.values));
        if matches!(rotation, Rotation::Unfinished(_)) {
            assert_eq!(next.rotated, SecretName::ALL);
            assert!(plain(&next.values).iter().all(|new| !plain(&old).contains(new)));
        }
    }
    assert!(outcomes.0 > 0 && outcomes.1 > 0 && outcomes.2 > 0, "{outcomes:?}");
}

#[test]
fn a_keyring_that_lies_changes_nothing_and_one_that_denies_is_not_believed() {
    let scene = Scene::new(Backend::Auto);
    let old = scene.next_start().values;
    scene.ring.lies.set(true);
    assert!(matches!(scene.rotate(&SecretName::ALL, &|_| true), Rotation::Not(_)));
    assert_eq!((scene.kept(), scene.noted()), (plain(&old), None));
    scene.ring.lies.set(false);
    scene.ring.denies.set(true);
    let Rotation::Stored(new, _) = scene.rotate(&SecretName::ALL, &|_| true) else { panic!("it was stored") };
    assert_eq!(scene.kept(), plain(&new));
}

#[test]
fn a_keyring_without_access_is_no_reason_for_a_file() {
    for error in [KeyringError::Locked, KeyringError::Broken, KeyringError::NoService] {
        let scene = Scene::new(Backend::Auto);
        let old = scene.kept();
        let open = |_: bool| -> Result<Box<dyn Vault>, KeyringError> { Err(error("why".to_owned())) };
        let Rotation::Not(why) = change(&scene.config, &SecretName::ALL, true, &open, &|_| true) else { panic!() };
        assert!(why.contains("why"), "{why}");
        assert_eq!((scene.kept(), scene.noted()), (old, None));
        assert!(!scene.config.state_dir.join("secrets.json").exists());
    }
}

#[test]
fn the_browsers_old_state_is_put_aside_once_and_only_for_a_new_key() {
    let scene = Scene::new(Backend::File);
    let folder = &scene.config.state_dir;
    let state = scene.folder.path().join("browserd");
    let make = |text: &str| {
        std::fs::create_dir_all(&state).unwrap();
        std::fs::write(state.join("profiles.enc"), text).unwrap();
    };
    // a first start has nothing to put aside
    assert_eq!(super::super::put_aside(folder, &state), Ok(None));
    make("old");
    scene.rotate(&[SecretName::AdminToken, SecretName::BrowserToken], &|_| true);
    assert_eq!(super::super::put_aside(folder, &state), Ok(None));
    scene.rotate(&[SecretName::BrowserStateKey], &|_| true);
    over(folder).unwrap();
    let aside = super::super::put_aside(folder, &state).unwrap().expect("it was encrypted with the old key");
    assert_eq!(std::fs::read_to_string(aside.join("profiles.enc")).unwrap(), "old");
    make("new");
    assert_eq!(super::super::put_aside(folder, &state), Ok(None));
    assert!(state.exists());
}
