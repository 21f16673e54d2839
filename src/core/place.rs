//! Where in the dashboard: a [`Place`] becomes the path that the gateway's hand-off redirects to.
//!
//! Limits: the sections, query names and intents are the dashboard's own; whatever is not among them is dropped rather
//! than passed on.

use std::fmt::Write as _;

use crate::protocol::Place;

/// Where everything unknown goes.
const OVERVIEW: &str = "/#/control/overview";
/// Longest name of a section that is passed on.
const MAX_SECTION_CHARS: usize = 64;
/// Longest value in the query that is passed on; ids have 26 characters.
const MAX_VALUE_CHARS: usize = 256;

/// Sections with a route of their own, in the order in which help lists them.
pub const SECTIONS: [(&str, &str); 13] = [
    ("overview", OVERVIEW),
    ("home", OVERVIEW),
    ("approvals", "/#/control/approvals"),
    ("chat", "/#/chat"),
    ("canvas", "/#/chat/canvas"),
    ("browser", "/#/control/browser"),
    ("channels", "/#/control/channels"),
    ("access", "/#/settings/access"),
    ("auth", "/#/settings/profiles"),
    ("onboarding", "/#/settings/profiles"),
    ("config", "/#/settings/config"),
    ("secrets", "/#/settings/secrets"),
    ("operations", "/#/settings/diagnostics"),
];

/// Intents that the dashboard knows.
pub const INTENTS: [&str; 7] = [
    "approve",
    "inspect-access",
    "inspect-diagnostics",
    "inspect-run",
    "open-workspace",
    "reopen-canvas",
    "resume-session",
];

/// The path, with its query, for the gateway's `redirect_path`. Always begins with exactly one `/` and holds neither a
/// backslash nor a control character.
pub fn redirect_path(place: &Place) -> String {
    let section = place.section.trim();
    if section.starts_with('/') {
        return if is_safe_path(section) { section.to_owned() } else { OVERVIEW.to_owned() };
    }
    let name = section.to_ascii_lowercase();
    if name.is_empty() {
        return with_query(OVERVIEW, place);
    }
    match SECTIONS.iter().find(|(known, _)| *known == name) {
        Some((_, route)) => with_query(route, place),
        None if is_safe_section(&name) => format!("/#/control/{name}"),
        None => OVERVIEW.to_owned(),
    }
}

/// The dashboard's spelling of an intent, or `None` for one that it does not know.
pub fn intent(word: &str) -> Option<&'static str> {
    let word = word.trim().to_ascii_lowercase().replace('_', "-");
    INTENTS.iter().find(|known| **known == word).copied()
}

fn with_query(route: &str, place: &Place) -> String {
    let known_intent = place.intent.as_deref().and_then(intent);
    let values = [
        ("sessionId", place.session_id.as_deref()),
        ("runId", place.run_id.as_deref()),
        ("deviceId", place.device_id.as_deref()),
        ("intent", known_intent),
    ];
    let mut path = route.to_owned();
    let mut separator = '?';
    for (name, value) in values {
        let value = value.map(str::trim).unwrap_or_default();
        if value.is_empty() || value.chars().count() > MAX_VALUE_CHARS {
            continue;
        }
        path.push(separator);
        path.push_str(name);
        path.push('=');
        percent_encode(value, &mut path);
        separator = '&';
    }
    path
}

fn percent_encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn is_safe_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.chars().any(|c| c == '\\' || c.is_control())
}

fn is_safe_section(name: &str) -> bool {
    name.len() <= MAX_SECTION_CHARS && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn full(section: &str) -> Place {
        Place {
            section: section.to_owned(),
            session_id: Some("01S".to_owned()),
            run_id: Some("01R".to_owned()),
            device_id: Some("a b&c=d/é".to_owned()),
            intent: Some("Inspect_Run".to_owned()),
        }
    }

    #[test]
    fn routes_with_the_query_in_order() {
        let query = "?sessionId=01S&runId=01R&deviceId=a%20b%26c%3Dd%2F%C3%A9&intent=inspect-run";
        assert_eq!(redirect_path(&full("chat")), format!("/#/chat{query}"));
        assert_eq!(redirect_path(&full("")), format!("/#/control/overview{query}"));
        assert_eq!(redirect_path(&full(" Operations ")), format!("/#/settings/diagnostics{query}"));
        assert_eq!(redirect_path(&Place::section("approvals")), "/#/control/approvals");
    }

    #[test]
    fn every_section_has_the_documented_route() {
        let routes: Vec<String> =
            SECTIONS.iter().map(|(name, _)| format!("{name} {}", redirect_path(&Place::section(name)))).collect();
        assert_eq!(
            routes,
            [
                "overview /#/control/overview",
                "home /#/control/overview",
                "approvals /#/control/approvals",
                "chat /#/chat",
                "canvas /#/chat/canvas",
                "browser /#/control/browser",
                "channels /#/control/channels",
                "access /#/settings/access",
                "auth /#/settings/profiles",
                "onboarding /#/settings/profiles",
                "config /#/settings/config",
                "secrets /#/settings/secrets",
                "operations /#/settings/diagnostics",
            ]
        );
    }

    #[test]
    fn unknown_intents_and_empty_values_are_dropped() {
        let place =
            Place { intent: Some("review-approvals".to_owned()), run_id: Some("  ".to_owned()), ..full("chat") };
        assert_eq!(redirect_path(&place), "/#/chat?sessionId=01S&deviceId=a%20b%26c%3Dd%2F%C3%A9");
    }

    #[test]
    fn paths_pass_as_they_are_unless_they_leave_the_origin() {
        assert_eq!(redirect_path(&full("/#/settings/config?x=1")), "/#/settings/config?x=1");
        for hostile in ["//evil.example", "/\\evil.example", "/a\r\nb", "/a\tb", "/\u{0}"] {
            assert_eq!(redirect_path(&full(hostile)), OVERVIEW, "{hostile:?}");
        }
    }

    #[test]
    fn other_sections_go_to_control_without_a_query() {
        assert_eq!(redirect_path(&full("Sessions")), "/#/control/sessions");
        for hostile in ["a/b", "a?b", "../x", "https://evil.example", "é", "a b"] {
            assert_eq!(redirect_path(&full(hostile)), OVERVIEW, "{hostile:?}");
        }
    }

    proptest! {
        #[test]
        fn always_stays_on_the_origin(section in ".{0,40}", id in ".{0,40}", intent in ".{0,20}") {
            let place = Place {
                section, session_id: Some(id.clone()), run_id: Some(id), device_id: None, intent: Some(intent),
            };
            let path = redirect_path(&place);
            prop_assert!(is_safe_path(&path), "{path:?}");
        }
    }
}
