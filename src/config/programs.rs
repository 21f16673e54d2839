use super::Environment;
use std::path::{Path, PathBuf};
pub struct Candidate {
    pub folder: PathBuf,
    pub from: &'static str,
    pub problem: Option<String>,
}
pub fn candidates(_: &Environment) -> Vec<Candidate> {
    Vec::new()
}
pub fn check_folder(_: &Path) -> Result<Candidate, String> {
    Err(String::new())
}
