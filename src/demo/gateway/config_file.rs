//! The config file: read anew at each look, as the real gateway does, and rewritten without its comments, as it does too.
//!
//! Limits: no backups. A file outside the state root's own tree is not written: a double never writes into a person's data.

use std::io;
use std::path::{Component, Path, PathBuf};

use toml_edit::visit_mut::{VisitMut, visit_table_like_kv_mut, visit_table_mut, visit_value_mut};
use toml_edit::{DocumentMut, Item, KeyMut, Table, Value};

/// Which provider is chosen.
#[derive(Clone, PartialEq, Eq)]
pub struct Chosen {
    /// `model_provider.auth_profile_id`
    pub profile: String,
    /// `model_provider.auth_provider_kind`
    pub provider: String,
    /// The chosen model.
    pub model: Option<String>,
}

/// Where the file is.
pub struct ConfigFile {
    path: PathBuf,
    /// Only below this it is written.
    tree: PathBuf,
}

impl ConfigFile {
    /// `PALYRA_CONFIG`, or a file of the demo's own in the state root.
    pub fn new(named: Option<PathBuf>, state_root: &Path) -> Self {
        // The desktop keeps the config beside the runtime root, under the root of both.
        let desktop = state_root.parent().filter(|parent| parent.ends_with("desktop-control-center"));
        let tree = desktop.and_then(Path::parent).unwrap_or(state_root).to_owned();
        Self { path: named.unwrap_or_else(|| state_root.join("palyra.toml")), tree }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which provider it chooses now.
    pub fn chosen(&self) -> Option<Chosen> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        let document: toml::Table = text.parse().ok()?;
        let section = document.get("model_provider")?;
        let word = |key: &str| section.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let provider = word("auth_provider_kind").unwrap_or_else(|| "openai".to_owned());
        let model = word(if provider == "openai" { "openai_model" } else { "anthropic_model" });
        Some(Chosen { profile: word("auth_profile_id")?, provider, model })
    }

    /// Chooses a provider.
    pub fn choose(&self, profile: &str, provider: &str) -> io::Result<()> {
        self.rewrite(|document| {
            let section = document.entry("model_provider").or_insert(Item::Table(Table::new()));
            let section = section.as_table_like_mut().ok_or("model_provider is not a table")?;
            let kind = if provider == "openai" { "openai_compatible" } else { "anthropic" };
            let (prefix, address, model) = match provider {
                "openai" => ("openai", "https://api.openai.com/v1", "gpt-4o-mini"),
                "anthropic" => ("anthropic", "https://api.anthropic.com", "claude-3-5-sonnet-latest"),
                _ => ("anthropic", "https://api.minimax.io/anthropic", "MiniMax-M2.7"),
            };
            for (key, value) in [("auth_profile_id", profile), ("auth_provider_kind", provider), ("kind", kind)] {
                section.insert(key, toml_edit::value(value));
            }
            for (key, value) in [("base_url", address), ("model", model)] {
                let key = format!("{prefix}_{key}");
                // Only MiniMax's replace what is there: the real gateway's trap on the way back to Anthropic.
                if provider == "minimax" || section.get(&key).is_none() {
                    section.insert(&key, toml_edit::value(value));
                }
            }
            Ok(())
        })
    }

    /// Lets a bot's messages through.
    pub fn route_discord(&self) -> io::Result<()> {
        self.rewrite(|document| {
            let section = document.entry("channel_router").or_insert(Item::Table(Table::new()));
            let section = section.as_table_like_mut().ok_or("channel_router is not a table")?;
            section.insert("enabled", toml_edit::value(true));
            Ok(())
        })
    }

    fn rewrite(&self, change: impl FnOnce(&mut DocumentMut) -> Result<(), &'static str>) -> io::Result<()> {
        let leaves = self.path.components().any(|part| part == Component::ParentDir);
        if leaves || !self.path.starts_with(&self.tree) {
            return Err(io::Error::other("the demo writes only below its own state root"));
        }
        let text = match std::fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => "version = 1\n".to_owned(),
            other => other?,
        };
        let mut document: DocumentMut = text.parse().map_err(io::Error::other)?;
        change(&mut document).map_err(io::Error::other)?;
        document.set_trailing("");
        Bare.visit_document_mut(&mut document);
        std::fs::write(&self.path, document.to_string().trim_start())
    }
}

/// Takes comments and spacing away.
struct Bare;

impl VisitMut for Bare {
    fn visit_table_mut(&mut self, table: &mut Table) {
        table.decor_mut().clear();
        visit_table_mut(self, table);
    }

    fn visit_table_like_kv_mut(&mut self, mut key: KeyMut<'_>, value: &mut Item) {
        key.leaf_decor_mut().clear();
        visit_table_like_kv_mut(self, key, value);
    }

    fn visit_value_mut(&mut self, value: &mut Value) {
        value.decor_mut().clear();
        visit_value_mut(self, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewrite_keeps_the_values_and_loses_the_comments() {
        let dir = tempfile::tempdir().unwrap();
        let config = ConfigFile::new(None, dir.path());
        assert!(config.chosen().is_none());
        std::fs::write(
            config.path(),
            "# mine\nversion = 1\n\n[orchestrator] # x\nrunloop_v1_enabled = true # yes\n# end\n",
        )
        .unwrap();
        config.choose("p", "minimax").unwrap();
        let text = std::fs::read_to_string(config.path()).unwrap();
        assert!(!text.contains('#') && text.contains("runloop_v1_enabled = true"), "{text}");
        assert!(config.chosen().is_some_and(|chosen| chosen.provider == "minimax" && chosen.profile == "p"));
        config.choose("q", "anthropic").unwrap();
        let text = std::fs::read_to_string(config.path()).unwrap();
        assert!(text.contains("api.minimax.io") && text.contains("auth_profile_id = \"q\""), "{text}");
    }

    #[test]
    fn a_persons_config_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("palyra/desktop-control-center/runtime");
        std::fs::create_dir_all(&root).unwrap();
        let beside = dir.path().join("palyra/config.toml");
        assert!(ConfigFile::new(Some(beside), &root).choose("p", "openai").is_ok());
        let other = tempfile::tempdir().unwrap();
        assert!(ConfigFile::new(Some(other.path().join("x.toml")), &root).choose("p", "openai").is_err());
        assert!(!other.path().join("x.toml").exists());
        assert!(ConfigFile::new(Some(root.join("../../../x.toml")), &root).choose("p", "openai").is_err());
        assert!(!dir.path().join("x.toml").exists());
    }
}
