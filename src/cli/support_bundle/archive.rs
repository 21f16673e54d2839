//! A `.tar.gz`, which every desktop opens: the oldest form of it (ustar), with plain files only.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::core::support::Part;
use crate::words;

/// Everything in a tar comes in pieces of this size.
const BLOCK: usize = 512;
/// Longest name, bytes.
const NAME: usize = 100;

/// The files in a folder of this name; `modified`: seconds since the epoch.
///
/// # Errors
/// A name is longer than the form allows.
pub fn tar_gz(folder: &str, parts: &[Part], modified: u64) -> io::Result<Vec<u8>> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    // a name that somebody chose may be long; what is in it matters more
    let folder: String = folder.chars().filter(char::is_ascii).take(NAME / 2).collect();
    for part in parts {
        let bytes = part.text.as_bytes();
        out.write_all(&header(&format!("{folder}/{}", part.name), bytes.len(), modified)?)?;
        out.write_all(bytes)?;
        out.write_all(&vec![0; bytes.len().next_multiple_of(BLOCK) - bytes.len()])?;
    }
    out.write_all(&[0; 2 * BLOCK])?;
    out.finish()
}

fn header(name: &str, length: usize, modified: u64) -> io::Result<[u8; BLOCK]> {
    if name.len() > NAME {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words::support::name_is_too_long(name)));
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        for (place, byte) in header.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{length:011o}\0").as_bytes());
    put(136, format!("{modified:011o}\0").as_bytes());
    // counted as blanks in its own sum
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    for (place, byte) in header.iter_mut().skip(148).zip(sum.as_bytes()) {
        *place = *byte;
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_is_refused_and_a_long_folder_is_cut() {
        let part = |name: &str| Part { name: name.to_owned(), text: String::new() };
        assert!(tar_gz("f", &[part(&"n".repeat(100))], 0).is_err());
        assert!(tar_gz(&"f".repeat(400), &[part("n")], 0).is_ok());
    }

    /// The system's own tar is the judge.
    #[cfg(unix)]
    #[test]
    fn tar_opens_it() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(513);
        let parts = [("a.txt", "one\n"), ("deep/b.txt", long.as_str()), ("empty", "")];
        let parts = parts.map(|(name, text)| Part { name: name.to_owned(), text: text.to_owned() });
        let file = dir.path().join("x.tar.gz");
        std::fs::write(&file, tar_gz("bundle", &parts, 1_795_000_000).unwrap()).unwrap();
        let mut tar = std::process::Command::new("tar");
        let status = tar.arg("-xzf").arg(&file).arg("-C").arg(dir.path()).status().unwrap();
        assert!(status.success());
        for part in &parts {
            let text = std::fs::read_to_string(dir.path().join("bundle").join(&part.name)).unwrap();
            assert_eq!(text, part.text);
        }
    }
}
