//! What the companion state and its preferences name, on the command line and in files: rollout flags and kinds of
//! notifications.

use serde::{Deserialize, Serialize};

use crate::words;

/// A rollout flag. The names are those of the earlier desktop app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::enum_variant_names, reason = "files of the earlier app have these names")]
pub enum Flag {
    /// Asking Palyra from here, and what comes with it: drafts, sessions in the menu, the list of recent events.
    CompanionShellEnabled,
    /// Asking in a window of our own, where the earlier app had its quick panel. Without it the chat opens in the dashboard.
    AmbientCompanionEnabled,
    /// Notifications of the desktop.
    DesktopNotificationsEnabled,
    /// A message that cannot be sent becomes a draft.
    OfflineDraftsEnabled,
    /// Kept only.
    VoiceCaptureEnabled,
    /// Kept only.
    VoiceOverlayEnabled,
    /// Kept only.
    VoiceSilenceDetectionEnabled,
    /// Kept only.
    TtsPlaybackEnabled,
}

impl Flag {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::CompanionShellEnabled,
        Self::AmbientCompanionEnabled,
        Self::DesktopNotificationsEnabled,
        Self::OfflineDraftsEnabled,
        Self::VoiceCaptureEnabled,
        Self::VoiceOverlayEnabled,
        Self::VoiceSilenceDetectionEnabled,
        Self::TtsPlaybackEnabled,
    ];

    /// Its name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CompanionShellEnabled => "companion_shell_enabled",
            Self::AmbientCompanionEnabled => "ambient_companion_enabled",
            Self::DesktopNotificationsEnabled => "desktop_notifications_enabled",
            Self::OfflineDraftsEnabled => "offline_drafts_enabled",
            Self::VoiceCaptureEnabled => "voice_capture_enabled",
            Self::VoiceOverlayEnabled => "voice_overlay_enabled",
            Self::VoiceSilenceDetectionEnabled => "voice_silence_detection_enabled",
            Self::TtsPlaybackEnabled => "tts_playback_enabled",
        }
    }

    /// How it stands when nobody has set it, as in the earlier app.
    pub const fn default(self) -> bool {
        !matches!(self, Self::VoiceCaptureEnabled | Self::VoiceSilenceDetectionEnabled | Self::TtsPlaybackEnabled)
    }

    /// What it switches here, in a few words; absent: it is kept and switches nothing.
    pub const fn switches(self) -> Option<&'static str> {
        match self {
            Self::CompanionShellEnabled => Some(words::companion::ASK_PALYRA_SESSIONS),
            Self::AmbientCompanionEnabled => Some(words::companion::ASK_PALYRA_IN_WINDOW),
            Self::DesktopNotificationsEnabled => Some(words::common::NOTIFICATIONS),
            Self::OfflineDraftsEnabled => Some(words::companion::DRAFTS_WHILE_PALYRA_IS_NOT_REACHED),
            _ => None,
        }
    }
}

/// What a notification is about; each kind can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An approval that waits, or a decision that was not made.
    Approval,
    /// Somebody else may have decided, or asks too often.
    Alarm,
    /// A sidecar is down, given up, back again, or has other ports.
    Service,
    /// A run finished or failed, with its answer.
    Run,
    /// A message became a draft.
    Draft,
    /// What happened while the screen was locked.
    Away,
    /// Palyra's config.
    Config,
    /// The node host.
    Node,
    /// The agent itself: what it cannot keep, open or do.
    Agent,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Approval,
        Self::Alarm,
        Self::Service,
        Self::Run,
        Self::Draft,
        Self::Away,
        Self::Config,
        Self::Node,
        Self::Agent,
    ];

    /// Its name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Alarm => "alarm",
            Self::Service => "service",
            Self::Run => "run",
            Self::Draft => "draft",
            Self::Away => "away",
            Self::Config => "config",
            Self::Node => "node",
            Self::Agent => "agent",
        }
    }

    /// Its entry in the menu.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Approval => words::companion::NOTIFY_OF_APPROVALS,
            Self::Alarm => words::companion::NOTIFY_OF_ALARMS,
            Self::Service => words::companion::NOTIFY_OF_SERVICES_THAT_FAIL,
            Self::Run => words::companion::NOTIFY_OF_ANSWERS_AND_RUNS,
            Self::Draft => words::companion::NOTIFY_OF_DRAFTS,
            Self::Away => words::companion::NOTIFY_OF_WHAT_HAPPENED_BEHIND_LOCKED,
            Self::Config => words::companion::NOTIFY_OF_CONFIG,
            Self::Node => words::companion::NOTIFY_OF_NODE_HOST,
            Self::Agent => words::companion::NOTIFY_OF_TRAYS_OWN_TROUBLES,
        }
    }
}
