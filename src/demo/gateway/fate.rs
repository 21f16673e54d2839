//! What becomes of a key or token, by what it contains. The table is in [`crate::demo`].

use serde::{Deserialize, Serialize};

/// How the pretended provider, or Discord, takes a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is taken.
    Good,
    /// `wrong`
    Wrong,
    /// `busy`
    Busy,
    /// `down`
    Down,
    /// `offline`
    Offline,
}

impl Fate {
    /// When it is checked: what stands behind `later-` does not count yet.
    pub fn at_check(credential: &str) -> Self {
        Self::of(credential.split("later-").next().unwrap_or_default())
    }

    /// When it is used.
    pub fn in_use(credential: &str) -> Self {
        Self::of(credential)
    }

    fn of(text: &str) -> Self {
        let fates = [("wrong", Self::Wrong), ("busy", Self::Busy), ("down", Self::Down), ("offline", Self::Offline)];
        fates.into_iter().find(|(word, _)| text.contains(word)).map_or(Self::Good, |(_, fate)| fate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_is_not_now() {
        assert_eq!(Fate::at_check("sk-wrong"), Fate::Wrong);
        assert_eq!((Fate::at_check("sk-later-busy"), Fate::in_use("sk-later-busy")), (Fate::Good, Fate::Busy));
        assert_eq!(Fate::in_use("sk-1"), Fate::Good);
    }
}
