//! Where each secret is, with a keyring of the test's own.

use std::time::Instant;

use secrecy::SecretString;

use super::super::keyring::Vault;
use super::super::values::generate;
use super::*;

struct Holds(Vec<SecretName>);

impl Vault for Holds {
    fn get(&self, name: SecretName) -> Result<Option<SecretString>, KeyringError> {
        Ok(self.0.contains(&name).then(|| generate(name).unwrap()))
    }

    fn set(&self, _: SecretName, _: &SecretString) -> Result<(), KeyringError> {
        panic!("a look writes nothing")
    }

    fn keep(&self, _: &str, _: &SecretString) -> Result<(), KeyringError> {
        panic!("a look writes nothing")
    }
}

fn config(folder: &Path, backend: Backend) -> SecretsConfig {
    let timing = super::super::Timing::default();
    SecretsConfig { state_dir: folder.to_owned(), qualifier: "q".to_owned(), backend, timing }
}

#[test]
fn missing_and_unavailable_are_different() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), Backend::Auto);
    let some = held(&config, &|ask| {
        assert!(!ask, "a look opens no dialog");
        Ok(Box::new(Holds(vec![SecretName::AdminToken])))
    });
    assert_eq!(some.map(|(_, held)| held), [Held::Keyring, Held::Missing, Held::Missing]);
    for error in [KeyringError::Locked, KeyringError::Broken] {
        let all = held(&config, &|_| Err(error("why".to_owned())));
        assert!(all.iter().all(|(_, held)| *held == Held::Unavailable("why".to_owned())), "{all:?}");
    }
    let none: Opener<'_> = &|_| Err(KeyringError::NoService("why".to_owned()));
    assert!(held(&config, none).iter().all(|(_, held)| *held == Held::Missing));
    // a keyring that holds them and does not run
    FileStore::open(folder.path()).unwrap().mark_in_keyring().unwrap();
    assert!(held(&config, none).iter().all(|(_, held)| matches!(held, Held::Unavailable(_))));
}

#[test]
fn a_keyring_that_does_not_answer_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let kept = within(&config(folder.path(), Backend::Auto), Duration::from_millis(100), |_| {
        loop {
            thread::park();
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(kept.iter().all(|kept| matches!(&kept.held, Held::Unavailable(why) if why.contains("does not answer"))));
}

#[cfg(unix)]
#[test]
fn a_file_is_told_with_its_mode_and_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), Backend::File);
    let file = FileStore::open(folder.path()).unwrap();
    let all = SecretName::ALL.map(|name| (name, generate(name).unwrap()));
    file.save(&all.clone().into()).unwrap();
    let kept = look(&config);
    let path = file.path().display().to_string();
    assert!(kept.iter().all(|kept| kept.held == Held::File { path: path.clone(), mode: Some(0o600) }), "{kept:?}");
    let told = format!("{kept:?}");
    assert!(all.iter().all(|(_, value)| !told.contains(secrecy::ExposeSecret::expose_secret(value))));
}
