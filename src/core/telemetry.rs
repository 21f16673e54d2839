//! Usage events: which of what happens is told to the gateway once the person has turned that on, and in which words. The
//! names and fields are those of the earlier desktop app, so that the dashboard counts them as it did.
//!
//! Limits: what was written, asked, shown, answered or typed is in none of them. An id is passed on only if it has the form
//! of the gateway's own ids, a tool's name only if it is a plain name; everything else is a word of this file. Nothing is
//! kept: an event that cannot be told at once is dropped.

use serde::Serialize;

use crate::core::event::Companion;
use crate::core::place::{SECTIONS, intent};
use crate::core::record::{Record, Subject};
use crate::core::told;
use crate::core::ulid::is_ulid;
use crate::protocol::{Place, Verdict};
use crate::words;

/// So many are on their way at once; of more the newest are dropped.
pub const UNDER_WAY: usize = 4;
/// Longest name of a tool that is passed on, bytes.
const MAX_TOOL_BYTES: usize = 48;

/// One event, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageEvent {
    /// `ux.…`
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What the dashboard counts by.
    pub details: Details,
}

/// What the dashboard counts by; what is not known is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    surface: &'static str,
    source: &'static str,
    locale: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<&'static str>,
}

impl Default for Details {
    fn default() -> Self {
        Self {
            surface: "desktop",
            source: "desktop",
            locale: "en",
            section: None,
            outcome: None,
            tool_name: None,
            session_id: None,
            run_id: None,
            device_id: None,
            intent: None,
        }
    }
}

/// What may be told of an approval: none of its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    tool: Option<String>,
    session_id: Option<String>,
    run_id: Option<String>,
}

impl About {
    /// Of this one.
    pub fn of(record: &Record) -> Self {
        let tool = record.subject_id.strip_prefix("tool:").filter(|_| record.subject_type == Subject::Tool);
        Self {
            tool: tool.filter(|name| is_tool(name)).map(str::to_owned),
            session_id: id(Some(&record.session_id)),
            run_id: id(Some(&record.run_id)),
        }
    }
}

/// A window of ours opens. Absent: it is none.
pub const fn surface(companion: &Companion) -> Option<&'static str> {
    match companion {
        Companion::SetUp => Some("onboarding"),
        Companion::Review(_) => Some("approvals"),
        Companion::Ask(_) | Companion::Draft(_) => Some("chat"),
        Companion::Node(_) => Some("access"),
        Companion::Checks | Companion::About | Companion::Profile => Some("home"),
        Companion::Bundle => None,
    }
}

/// A window of this section was opened.
pub fn surface_opened(section: &'static str) -> UsageEvent {
    let details = Details { section: Some(section), ..Details::default() };
    UsageEvent { name: "ux.surface.opened", summary: words::agent::TRAY_OPENED_WINDOW, details }
}

/// Messages go to another session than before.
pub fn session_resumed(session_id: &str) -> UsageEvent {
    let details = Details { section: Some("chat"), session_id: id(Some(session_id)), ..Details::default() };
    UsageEvent { name: "ux.session.resumed", summary: words::agent::TRAY_MADE_OR_RESUMED_CHAT_SESSION, details }
}

/// A message was accepted.
pub fn prompt_submitted(session_id: &str) -> UsageEvent {
    let details = Details { section: Some("chat"), session_id: id(Some(session_id)), ..Details::default() };
    UsageEvent { name: "ux.chat.prompt_submitted", summary: words::agent::TRAY_SENT_MESSAGE, details }
}

/// A person has decided.
pub fn approval_resolved(verdict: Verdict, about: About) -> UsageEvent {
    let (outcome, summary) = match verdict {
        Verdict::Approve => ("approved", words::agent::APPROVAL_WAS_GIVEN_IN_TRAY),
        Verdict::Deny => ("denied", words::agent::APPROVAL_WAS_DENIED_IN_TRAY),
    };
    let About { tool, session_id, run_id } = about;
    let details = Details {
        section: Some("approvals"),
        outcome: Some(outcome),
        tool_name: tool,
        session_id,
        run_id,
        ..Details::default()
    };
    UsageEvent { name: "ux.approval.resolved", summary, details }
}

/// The browser was sent to the dashboard.
pub fn handoff_opened(place: &Place) -> UsageEvent {
    let wanted = place.section.trim().to_ascii_lowercase();
    let known = SECTIONS.iter().map(|(name, _)| *name).find(|name| *name == wanted);
    let details = Details {
        section: if wanted.is_empty() { Some("overview") } else { known },
        session_id: id(place.session_id.as_deref()),
        run_id: id(place.run_id.as_deref()),
        device_id: id(place.device_id.as_deref()),
        intent: place.intent.as_deref().and_then(intent),
        ..Details::default()
    };
    UsageEvent { name: "ux.handoff.opened", summary: words::agent::TRAY_OPENED_DASHBOARD, details }
}

fn id(text: Option<&str>) -> Option<String> {
    text.filter(|text| is_ulid(text)).map(str::to_owned)
}

/// A name as tools have them, in which nothing looks like a secret.
fn is_tool(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_TOOL_BYTES).contains(&name.len()) && name.bytes().all(plain) && told::redacted(name) == name
}

/// What is on its way, and what was told last.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    under_way: usize,
    /// Section of the window that was told last.
    surface: Option<&'static str>,
}

impl Telemetry {
    /// It is to be sent now; absent: it is dropped.
    pub fn tell(&mut self, event: UsageEvent) -> Option<UsageEvent> {
        let section = event.details.section.filter(|_| event.name == "ux.surface.opened");
        if self.under_way >= UNDER_WAY || (section.is_some() && section == self.surface) {
            return None;
        }
        self.surface = section.or(self.surface);
        self.under_way += 1;
        Some(event)
    }

    /// One was taken, or was not: it is over.
    pub fn over(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// How many are on their way.
    pub const fn under_way(&self) -> usize {
        self.under_way
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

    fn sent(event: &UsageEvent) -> serde_json::Value {
        serde_json::to_value(event).unwrap()
    }

    fn record(subject_id: &str, session_id: &str) -> Record {
        let mut raw: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/captures/51-record-tool-call.json")).unwrap();
        let raw = raw.pointer_mut("/response/body/approval").unwrap();
        raw["subject_id"] = json!(subject_id);
        raw["session_id"] = json!(session_id);
        Record::from_value(raw.take()).unwrap()
    }

    #[test]
    fn an_event_has_the_names_that_the_dashboard_counts() {
        let place = Place::run(Some(ID.to_owned()), ID);
        assert_eq!(
            sent(&handoff_opened(&place)),
            json!({
                "name": "ux.handoff.opened", "summary": "Palyra Tray opened the dashboard",
                "details": {
                    "surface": "desktop", "source": "desktop", "locale": "en", "section": "chat",
                    "sessionId": ID, "runId": ID, "intent": "inspect-run",
                },
            })
        );
        let about = About::of(&record("tool:custom.noop", ID));
        let told = sent(&approval_resolved(Verdict::Deny, about));
        assert_eq!((&told["name"], &told["details"]["outcome"]), (&json!("ux.approval.resolved"), &json!("denied")));
        assert_eq!((&told["details"]["toolName"], &told["details"]["sessionId"]), (&json!("custom.noop"), &json!(ID)));
    }

    #[test]
    fn what_is_no_id_and_no_plain_name_is_not_passed_on() {
        let place = Place {
            section: "sk-proj-plantedABCDEFGH0123456789".to_owned(),
            session_id: Some("hunter2".to_owned()),
            run_id: Some("tell nobody".to_owned()),
            device_id: Some(ID.to_lowercase()),
            intent: Some("rm -rf".to_owned()),
        };
        let plain = json!({ "surface": "desktop", "source": "desktop", "locale": "en" });
        assert_eq!(sent(&handoff_opened(&place))["details"], plain);
        for (subject, session) in [
            ("tool:rm -rf /", "s1"),
            ("tool:ghp_plantedABCDEFGHIJKLMNOPQRSTUV0123", "ghp_plantedABCDEFGHIJKLMNOPQRSTUV0123"),
            ("tool:sk-proj-plantedabcdefgh0123456789", ""),
            ("shell.exec", "../x"),
            ("tool:", "s"),
            (&format!("tool:{}", "x".repeat(MAX_TOOL_BYTES + 1)), "s"),
        ] {
            let about = About::of(&record(subject, session));
            assert_eq!((about.tool, about.session_id), (None, None), "{subject}");
        }
        let mut other = record("tool:custom.noop", ID);
        other.subject_type = Subject::ChannelSend;
        assert_eq!(About::of(&other).tool, None, "only of a tool");
        assert_eq!(sent(&session_resumed("my secret"))["details"]["sessionId"], serde_json::Value::Null);
    }

    #[test]
    fn a_window_is_told_once_until_it_is_another_and_what_cannot_be_told_is_dropped() {
        let mut telemetry = Telemetry::default();
        assert!(telemetry.tell(surface_opened("chat")).is_some());
        assert!(telemetry.tell(surface_opened("chat")).is_none());
        assert!(telemetry.tell(session_resumed(ID)).is_some());
        assert!(telemetry.tell(prompt_submitted(ID)).is_some() && telemetry.tell(prompt_submitted(ID)).is_some());
        assert_eq!(telemetry.under_way(), UNDER_WAY);
        assert!(telemetry.tell(surface_opened("approvals")).is_none(), "too many are under way");
        telemetry.over();
        assert!(telemetry.tell(surface_opened("approvals")).is_some(), "it was not told when it was dropped");
        for _ in 0..10 {
            telemetry.over();
        }
        assert!(telemetry.tell(surface_opened("chat")).is_some());
        assert_eq!(telemetry.under_way(), 1);
    }
}
