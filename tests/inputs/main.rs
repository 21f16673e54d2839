//! What comes from outside and is read by us: records of the gateway, requests of clients, lines of sidecars, files. Each
//! check takes any bytes and says what must hold of them.
//!
//! The checks are those of the fuzz targets (`scripts/fuzz`), which include these files. Here they run on the captures and
//! on `seeds/`, where what the fuzzers found is kept, each of them whole, cut and with single bytes changed.

pub mod control;
pub mod log_line;
pub mod record;
pub mod state_file;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Characters that a person would not see, or that change how the ones beside them look: controls, bidirectional marks,
/// spaces that are none, and Unicode's "default ignorable" and blank ones.
pub fn hides(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x202A..=0x202E
            | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x13430..=0x1345F
            | 0x16FE4 | 0x1BCA0..=0x1BCA3 | 0x1D159 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// What can be read is written so that the same is read again.
pub fn same_again<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(text: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(text) else { return };
    let again = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&again).expect("what was written can be read");
    assert_eq!(again, value);
}

#[cfg(test)]
mod replay {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{control, log_line, record, state_file};

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{} is empty", folder.display());
        files
    }

    /// As it is, cut at some places, and with some bytes changed; always the same ones.
    fn variants(data: &[u8]) -> Vec<Vec<u8>> {
        let mut all = vec![data.to_vec()];
        let step = data.len() / 8 + 1;
        for at in (0..data.len()).step_by(step) {
            all.push(data[..at].to_vec());
            for byte in [0, b'"', 0xff] {
                let mut changed = data.to_vec();
                changed[at] = byte;
                all.push(changed);
            }
        }
        all
    }

    fn holds_of(name: &str, check: fn(&[u8])) {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let read = |path: &PathBuf| fs::read(path).expect("a file");
        let captures = files(&tests.join("captures")).into_iter().map(|path| (vec![read(&path)], path));
        let seeds = files(&tests.join("inputs/seeds").join(name)).into_iter();
        for (inputs, path) in captures.chain(seeds.map(|path| (variants(&read(&path)), path))) {
            for input in inputs {
                let ran = std::panic::catch_unwind(|| check(&input));
                assert!(ran.is_ok(), "{name}: {}: {:?}", path.display(), String::from_utf8_lossy(&input));
            }
        }
    }

    #[test]
    fn what_must_hold_of_any_record_holds() {
        holds_of("record", record::check);
    }

    #[test]
    fn what_must_hold_of_any_request_holds() {
        holds_of("control", control::check);
    }

    #[test]
    fn what_must_hold_of_any_log_line_holds() {
        holds_of("log_line", log_line::check);
    }

    #[test]
    fn what_must_hold_of_any_state_file_holds() {
        holds_of("state_file", state_file::check);
    }
}
