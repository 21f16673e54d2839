//! The sidecars' config file, watched: when to look at it, whom a change touches, and when that one starts again.
//!
//! Compared is what a running sidecar was started with, not what the last look saw: a change that was taken back touches
//! nobody, and one that a restart has already brought into use is not acted on again. So what we write ourselves, and what
//! the set-up has the gateway write, restarts nothing a second time.

use std::collections::BTreeMap;

use crate::config::palyra::ConfigFacts;
use crate::core::ports::{self, Ports};
use crate::core::text;
use crate::protocol::ServiceId;
use crate::protocol::secrets::SecretName;
use crate::words;

/// A file is looked at when it was left alone for this long, milliseconds: editors write in several steps.
pub const QUIET_MS: u64 = 300;
/// One that is written without a pause is looked at after this time all the same, milliseconds.
pub const QUIET_AT_MOST_MS: u64 = 2_000;
/// The gateway writes these keys itself while it answers a request of the dashboard, and for Discord goes on with it for
/// five seconds: it is left this long to answer, milliseconds.
pub const ANSWERING_MS: u64 = 8_000;
/// While the set-up is open nothing restarts by itself; whether it still is, is looked at this often, milliseconds, and only
/// while something waits for its end.
pub const SET_UP_MS: u64 = 10_000;

/// Keys that the gateway itself writes on a request.
const GATEWAYS_OWN: [&str; 2] = ["model_provider.", "channel_router."];
/// Keys that arguments and environment of ours overrule: nothing changes with them.
const OVERRULED: [&str; 7] = [
    "admin.require_auth",
    "daemon.bind_addr",
    "deployment.mode",
    "gateway.grpc_bind_addr",
    "gateway.quic_bind_addr",
    "tool_call.browser_service.enabled",
    "canvas_host.public_base_url",
];

/// Where in the vault the key of the browser's state lies.
const BROWSER_KEY: &str = "tool_call.browser_service.state_key_vault_ref";

/// What a look at the file found.
#[derive(Clone, Debug)]
pub enum Content {
    /// There is none, and it is ours to make.
    Absent,
    /// It cannot be used, in words.
    Invalid(String),
    /// It can.
    Read(Box<ConfigFacts>),
}

/// One look at the file.
#[derive(Clone, Debug)]
pub struct Look {
    /// What is in it.
    pub content: Content,
    /// Why changes of it are not seen; empty when they are.
    pub blind: String,
    /// The set-up is open: it restarts what it needs itself.
    pub set_up_open: bool,
}

/// A sidecar that runs.
#[derive(Clone, Debug)]
pub struct Living {
    /// What it listens on.
    pub ports: Ports,
    /// When it was started.
    pub started_at_unix_ms: i64,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Look at the file.
    Look,
    /// Start this sidecar again, for this reason.
    Restart(ServiceId, String),
}

/// What is known of the file, and who must start again because of it.
#[derive(Clone, Debug, Default)]
pub struct ConfigWatch {
    /// Why the file cannot be used; empty when it can.
    pub trouble: String,
    /// Why changes of the file are not seen; empty when they are.
    pub blind: String,
    /// Who runs with an older config until a person restarts it, and why.
    pub left: BTreeMap<ServiceId, String>,
    /// Who is going to be restarted, and why.
    pub due: BTreeMap<ServiceId, String>,
    seen: Option<ConfigFacts>,
    told: BTreeMap<ServiceId, ConfigFacts>,
    /// Taken back with an older config than the file is now.
    outdated: bool,
    /// The file was written and not changed: a restart is wanted.
    touched: bool,
    /// Of what is to be looked at: the first sign, and when to look.
    rung: Option<(u64, u64)>,
    last_ring: u64,
    looking: bool,
    act_at: Option<u64>,
}

impl ConfigWatch {
    /// Something happened to the file.
    pub fn ring(&mut self, now_ms: u64) {
        let first = self.rung.map_or(now_ms, |(first, _)| first.min(now_ms));
        self.rung = Some((first, (now_ms + QUIET_MS).min(first + QUIET_AT_MOST_MS)));
        self.last_ring = now_ms;
    }

    /// Look without waiting.
    pub fn look_now(&mut self, now_ms: u64) {
        self.rung = Some((now_ms, now_ms));
    }

    /// A sidecar is being started: it reads the file anew.
    pub fn launched(&mut self, id: ServiceId) {
        self.told.remove(&id);
        self.due.remove(&id);
        self.left.remove(&id);
        if id == ServiceId::Gateway {
            (self.touched, self.outdated) = (false, false);
        }
    }

    /// What a sidecar is being started with.
    pub fn told(&mut self, id: ServiceId, facts: ConfigFacts, now_ms: u64) {
        if self.seen.as_ref().is_some_and(|seen| seen.content != facts.content) {
            // which of the two is the newer one only another look can tell
            self.ring(now_ms);
        }
        self.told.insert(id, facts);
    }

    /// Ports that the file names for a service, if it names any.
    pub fn ports(&self, id: ServiceId) -> Option<Ports> {
        ports::from_config(id, &self.seen.as_ref()?.config)
    }

    /// Secrets that the file gives, by the key that does so; absent: it was never read.
    pub fn secrets_named(&self) -> Option<&BTreeMap<SecretName, &'static str>> {
        self.seen.as_ref().map(|seen| &seen.config.secrets_named)
    }

    /// The file was read at least once.
    pub fn is_known(&self) -> bool {
        self.seen.is_some()
    }

    /// Takes in a look. `living`: the sidecars that run and are not being stopped. `restarts`: they may be restarted by
    /// themselves. Gives whether there is news: another content, a write, or the file can be used again.
    pub fn looked(&mut self, look: Look, living: &BTreeMap<ServiceId, Living>, restarts: bool, now_ms: u64) -> bool {
        self.looking = false;
        self.blind = look.blind;
        // a gateway that would not be started with it is not ended for it
        let unusable = match &look.content {
            Content::Read(facts) if living.contains_key(&ServiceId::Gateway) => facts.config.unusable(),
            _ => None,
        };
        let facts = match unusable.map_or(look.content, Content::Invalid) {
            Content::Read(facts) => *facts,
            Content::Absent if self.seen.is_none() => return false,
            content => {
                self.trouble = match content {
                    Content::Invalid(why) => why,
                    _ => words::settings::CONFIG_GONE.to_owned(),
                };
                self.due.clear();
                self.act_at = None;
                return false;
            }
        };
        let mended = !std::mem::take(&mut self.trouble).is_empty();
        let before = self.seen.replace(facts.clone());
        let same = before.as_ref().is_some_and(|before| before.content == facts.content);
        let touched = same && !mended && before.as_ref().is_some_and(|before| before.written != facts.written);
        if touched {
            // unless it started after that
            let read = self.told.get(&ServiceId::Gateway).is_some_and(|told| told.written == facts.written);
            self.touched |= !read;
        }
        self.compare(&facts, before.as_ref().unwrap_or(&facts), living);
        if restarts {
            self.touched &= living.contains_key(&ServiceId::Gateway);
            if self.touched {
                self.due.entry(ServiceId::Gateway).or_insert_with(|| words::settings::CONFIG_TOUCHED.to_owned());
            }
        } else {
            self.touched = false;
            self.left.append(&mut self.due);
        }
        self.act_at = match (self.due.is_empty(), look.set_up_open) {
            (true, _) => None,
            (false, true) => {
                self.rung = Some((now_ms + SET_UP_MS, now_ms + SET_UP_MS));
                None
            }
            (false, false) if self.touched || !self.gateway_may_answer(&facts, living) => Some(now_ms),
            (false, false) => Some(now_ms.max(self.last_ring + ANSWERING_MS)),
        };
        !same || mended || touched
    }

    /// When [`ConfigWatch::step`] next has something to do.
    pub fn deadline(&self) -> Option<u64> {
        match self.rung {
            _ if self.looking => None,
            Some((_, look_at)) => Some(look_at),
            None => self.act_at,
        }
    }

    /// Does what is due. Nobody is restarted while the file is still being written.
    pub fn step(&mut self, now_ms: u64) -> Vec<Order> {
        if self.deadline().is_none_or(|at| now_ms < at) {
            return Vec::new();
        }
        if self.rung.take().is_some() {
            self.looking = true;
            return vec![Order::Look];
        }
        self.act_at = None;
        std::mem::take(&mut self.due).into_iter().map(|(id, why)| Order::Restart(id, why)).collect()
    }

    /// `before`: what the look before this one saw.
    fn compare(&mut self, facts: &ConfigFacts, before: &ConfigFacts, living: &BTreeMap<ServiceId, Living>) {
        self.due.clear();
        self.left.clear();
        for (id, one) in living {
            if !self.told.contains_key(id) {
                // taken back from an earlier agent; only the gateway reads the file itself
                self.outdated |= *id == ServiceId::Gateway && facts.modified_unix_ms > one.started_at_unix_ms;
            }
            let told = self.told.entry(*id).or_insert_with(|| before.clone());
            let keys: Vec<_> = touching(*id, told, facts, &one.ports).collect();
            if !keys.is_empty() {
                self.due.insert(*id, text::config_changed(&keys));
            }
        }
        let restarts = self.touched || self.due.contains_key(&ServiceId::Gateway);
        if self.outdated && !restarts && living.contains_key(&ServiceId::Gateway) {
            self.left.insert(ServiceId::Gateway, words::settings::CONFIG_OUTDATED.to_owned());
        }
    }

    /// All that is to be restarted is so because of what the gateway may just be writing.
    fn gateway_may_answer(&self, facts: &ConfigFacts, living: &BTreeMap<ServiceId, Living>) -> bool {
        self.due.keys().all(|id| match (self.told.get(id), living.get(id)) {
            (Some(told), Some(one)) => touching(*id, told, facts, &one.ports)
                .all(|key| GATEWAYS_OWN.iter().any(|prefix| key.starts_with(prefix))),
            _ => false,
        })
    }
}

/// The keys that differ and mean something to a sidecar that runs with `told` and these ports.
fn touching<'a>(
    id: ServiceId,
    told: &'a ConfigFacts,
    facts: &'a ConfigFacts,
    bound: &'a Ports,
) -> impl Iterator<Item = &'a str> {
    let gone = told.keys.keys().filter(|key| !facts.keys.contains_key(*key));
    let differs = facts.keys.iter().filter(|(key, value)| told.keys.get(*key) != Some(value)).map(|(key, _)| key);
    let named = gone.chain(differs).map(String::as_str).filter(move |key| touches(id, key, told, facts, bound));
    named.chain((id == ServiceId::Browserd && has_other_key(told, facts)).then_some(BROWSER_KEY))
}

/// There is another key in the vault under the same name. One that could not be read now is no other one.
fn has_other_key(told: &ConfigFacts, facts: &ConfigFacts) -> bool {
    told.config.browser_key_ref == facts.config.browser_key_ref
        && told.browser_key.zip(facts.browser_key).is_some_and(|(told, now)| told != now)
}

fn touches(id: ServiceId, key: &str, told: &ConfigFacts, facts: &ConfigFacts, bound: &Ports) -> bool {
    // ports that are no longer named stay as they are
    let elsewhere =
        |service| ports::from_config(service, &facts.config).is_some_and(|wanted| !ports::same(&wanted, bound));
    match (id, key) {
        (ServiceId::Gateway, "canvas_host.public_base_url") => {
            facts.config.canvas_elsewhere || told.config.canvas_elsewhere
        }
        (_, key) if OVERRULED.contains(&key) => false,
        (_, "daemon.port" | "gateway.grpc_port" | "gateway.quic_port") => {
            id == ServiceId::Gateway && elsewhere(ServiceId::Gateway)
        }
        (ServiceId::Browserd, "tool_call.browser_service.endpoint" | "tool_call.browser_service.health_base_url") => {
            elsewhere(ServiceId::Browserd)
        }
        // it learns of another gRPC port when that is bound; of the other one never
        (_, "tool_call.browser_service.endpoint" | "tool_call.browser_service.health_base_url") => false,
        (_, BROWSER_KEY) => id == ServiceId::Browserd,
        (_, key) if key.starts_with("tool_call.browser_service.auth_token") => id != ServiceId::NodeHost,
        (_, "gateway.identity_store_dir") => id != ServiceId::Browserd,
        _ => id == ServiceId::Gateway,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    fn facts(text: &str, written: u64) -> ConfigFacts {
        ConfigFacts::of_text(text, written).unwrap()
    }

    /// Who must start again when the config changes from one text to another, all of them running on the default ports.
    fn who(old: &str, new: &str) -> Vec<ServiceId> {
        let (old, new) = (facts(old, 1), facts(new, 2));
        let touched = |id: &ServiceId| touching(*id, &old, &new, &ports::defaults(*id)).next().is_some();
        ServiceId::ALL.into_iter().filter(touched).collect()
    }

    #[test]
    fn only_who_reads_a_key_is_touched_by_it() {
        use ServiceId::{Browserd, Gateway, NodeHost};
        let browser = |key: &str| format!("[tool_call.browser_service]\n{key}\n");
        for (new, expected) in [
            ("orchestrator.runloop_v1_enabled = true", vec![Gateway]),
            ("something.new = 1", vec![Gateway]),
            ("[[list]]\na = 1", vec![Gateway]),
            ("admin.auth_token = \"x\"", vec![Gateway]),
            ("admin.bound_principal = \"admin:y\"", vec![Gateway]),
            ("storage.vault_dir = \"v\"", vec![Gateway]),
            ("gateway.identity_store_dir = \"i\"", vec![Gateway, NodeHost]),
            // resolved and taken up by the gateway alone
            (&browser("state_key_secret_ref = { kind = \"env\", variable = \"X\" }"), vec![Gateway]),
            ("# a comment", vec![]),
            ("daemon.bind_addr = \"0.0.0.0\"", vec![]),
            ("daemon.port = 7142", vec![]),
            ("daemon.port = 9142", vec![Gateway]),
            ("gateway.quic_port = 9444", vec![Gateway]),
            (&browser("auth_token = \"x\""), vec![Gateway, Browserd]),
            // followed by the gateway alone: one that went on would have another
            (&browser("auth_token_secret_ref = { kind = \"env\", variable = \"X\" }"), vec![Gateway, Browserd]),
            (&browser("state_key_vault_ref = \"global/k\""), vec![Browserd]),
            (&browser("enabled = false"), vec![]),
            (&browser("request_timeout_ms = 5"), vec![Gateway]),
            (&browser("endpoint = \"http://127.0.0.1:7543\""), vec![]),
            (&browser("endpoint = \"http://127.0.0.1:9543\""), vec![Browserd]),
            (&browser("health_base_url = \"http://127.0.0.1:9143\""), vec![Browserd]),
            ("canvas_host.public_base_url = \"http://127.0.0.1:9142\"", vec![]),
            ("canvas_host.public_base_url = \"https://canvas.example\"", vec![Gateway]),
        ] {
            assert_eq!(who("version = 1", &format!("version = 1\n{new}")), expected, "{new}");
            // taken out again: what is bound stays, the rest is as much of a change
            let named_port = new.contains("port = ") || new.contains("endpoint") || new.contains("health_base");
            let expected = if named_port { vec![] } else { expected };
            assert_eq!(who(&format!("version = 1\n{new}"), "version = 1"), expected, "{new} taken out");
        }
    }

    fn living(ids: &[ServiceId]) -> BTreeMap<ServiceId, Living> {
        let one = |id: &ServiceId| (*id, Living { ports: ports::defaults(*id), started_at_unix_ms: 5 });
        ids.iter().map(one).collect()
    }

    fn look(text: &str, written: u64) -> Look {
        Look { content: Content::Read(Box::new(facts(text, written))), blind: String::new(), set_up_open: false }
    }

    fn running_with(text: &str) -> (ConfigWatch, BTreeMap<ServiceId, Living>) {
        let mut watch = ConfigWatch::default();
        let living = living(&[ServiceId::Gateway, ServiceId::Browserd]);
        for id in living.keys() {
            watch.told(*id, facts(text, 1), 0);
        }
        watch.looked(look(text, 1), &living, true, 0);
        assert_eq!(watch.deadline(), None);
        (watch, living)
    }

    fn restarts(watch: &mut ConfigWatch, now_ms: u64) -> Vec<ServiceId> {
        let ids = watch.step(now_ms).into_iter().map(|order| match order {
            Order::Restart(id, _) => id,
            Order::Look => panic!("it looks"),
        });
        ids.collect()
    }

    #[test]
    fn a_burst_of_writes_is_looked_at_once_and_one_without_end_all_the_same() {
        let mut watch = ConfigWatch::default();
        for at in [0, 100, 399] {
            watch.ring(at);
            assert_eq!(watch.step(at), []);
        }
        assert_eq!(watch.deadline(), Some(699));
        assert_eq!(watch.step(699), [Order::Look]);
        assert_eq!((watch.step(5_000), watch.deadline()), (vec![], None), "one look at a time");
        let mut busy = ConfigWatch::default();
        let looked = (0..100).map(|n| n * 100).find(|at| {
            busy.ring(*at);
            !busy.step(*at).is_empty()
        });
        assert_eq!(looked, Some(QUIET_AT_MOST_MS));
    }

    #[test]
    fn a_change_that_was_taken_back_and_a_mended_file_touch_nobody() {
        let (mut watch, living) = running_with("a = 1");
        watch.looked(Look { content: Content::Invalid("no".to_owned()), ..look("", 0) }, &living, true, 10);
        assert!(watch.trouble == "no" && watch.deadline().is_none());
        assert!(watch.looked(look("a = 1", 2), &living, true, 20), "told of as news");
        assert!(watch.trouble.is_empty() && watch.deadline().is_none());
        watch.looked(look("model_provider.a = 2", 3), &living, true, 30);
        watch.looked(look("a = 1 # back", 4), &living, true, 40);
        assert_eq!(watch.deadline(), None);
    }

    #[test]
    fn a_touch_restarts_the_gateway_once_and_only_one_that_it_has_not_read() {
        let (mut watch, living) = running_with("a = 1");
        watch.looked(look("a = 1", 2), &living, true, 10);
        assert_eq!(restarts(&mut watch, 10), [ServiceId::Gateway]);
        watch.launched(ServiceId::Gateway);
        watch.told(ServiceId::Gateway, facts("a = 1", 3), 10);
        watch.looked(look("a = 1", 3), &living, true, 20);
        assert_eq!(watch.deadline(), None, "it was started after that write");
    }

    #[test]
    fn another_key_in_the_vault_under_the_same_name_is_seen_by_whoever_was_started_with_it() {
        let text = "tool_call.browser_service.state_key_vault_ref = \"global/k\"";
        let with = |text: &str, written, key: Option<&str>| {
            let facts = facts(text, written);
            key.map_or(facts.clone(), |key| facts.with_browser_key(&SecretString::from(key)))
        };
        let (mut watch, living) = running_with(text);
        watch.told(ServiceId::Browserd, with(text, 1, Some("first")), 0);
        let mut looked = |text: &str, key| {
            let content = Content::Read(Box::new(with(text, 2, key)));
            watch.looked(Look { content, ..look("", 0) }, &living, true, 10);
            watch.touched = false;
            watch.due.keys().copied().filter(|id| *id == ServiceId::Browserd).count() == 1
        };
        let reformatted = format!("{text} # said differently");
        for (text, key, expected) in [
            (text, Some("first"), false),
            (text, Some("second"), true),
            (text, None, false), // the vault cannot be read now
            (reformatted.as_str(), Some("first"), false),
            (reformatted.as_str(), Some("second"), true),
            ("", None, true),
        ] {
            assert_eq!(looked(text, key), expected, "{text} {key:?}");
        }
    }

    #[test]
    fn what_the_gateway_writes_itself_waits_for_its_answer_and_in_the_set_up_for_the_end() {
        let (mut watch, living) = running_with("a = 1");
        watch.ring(1_000);
        watch.step(1_300);
        watch.looked(look("a = 1\nmodel_provider.kind = \"x\"", 2), &living, true, 1_310);
        assert_eq!(watch.deadline(), Some(1_000 + ANSWERING_MS));
        assert_eq!(restarts(&mut watch, 1_000 + ANSWERING_MS), [ServiceId::Gateway]);

        let (mut watch, living) = running_with("a = 1");
        let open = |text| Look { set_up_open: true, ..look(text, 2) };
        watch.looked(open("a = 1\nmodel_provider.kind = \"x\""), &living, true, 1_000);
        let again = watch.deadline().unwrap();
        assert_eq!(watch.step(again), [Order::Look]);
        watch.looked(open("a = 1\nmodel_provider.kind = \"x\""), &living, true, again);
        // the set-up restarts it
        watch.launched(ServiceId::Gateway);
        watch.told(ServiceId::Gateway, facts("a = 1\nmodel_provider.kind = \"x\"", 2), again);
        let again = watch.deadline().unwrap();
        watch.step(again);
        watch.looked(open("a = 1\nmodel_provider.kind = \"x\""), &living, true, again);
        assert_eq!(watch.deadline(), None);
    }

    #[test]
    fn switched_off_it_is_left_to_the_person() {
        let (mut watch, living) = running_with("a = 1");
        watch.looked(look("a = 2", 2), &living, false, 10);
        assert_eq!((watch.deadline(), watch.left.len()), (None, 1));
        watch.looked(look("a = 2", 3), &living, false, 20);
        assert_eq!(watch.left.len(), 1, "a touch asks for nothing then");
        watch.looked(look("a = 2", 3), &living, true, 30);
        assert!(watch.left.is_empty());
        assert_eq!(restarts(&mut watch, 30), [ServiceId::Gateway]);

        let (mut watch, living) = running_with("a = 1");
        watch.looked(look("a = 1", 2), &living, false, 10);
        watch.looked(look("a = 1", 2), &living, true, 20);
        assert_eq!(watch.deadline(), None, "what was written meanwhile asks for nothing afterwards");
    }

    #[test]
    fn a_gateway_that_was_taken_back_is_not_restarted_for_an_older_change() {
        let mut watch = ConfigWatch::default();
        let living = living(&[ServiceId::Gateway, ServiceId::Browserd]);
        let mut newer = facts("a = 1", 1);
        newer.modified_unix_ms = 6;
        let newer = Look { content: Content::Read(Box::new(newer)), ..look("", 0) };
        watch.looked(newer, &living, true, 0);
        assert_eq!((watch.deadline(), watch.left.keys().collect::<Vec<_>>()), (None, vec![&ServiceId::Gateway]));
        watch.launched(ServiceId::Gateway);
        assert!(watch.left.is_empty());
    }

    #[test]
    fn what_changes_after_a_look_restarts_also_one_that_was_taken_back_after_it() {
        let mut watch = ConfigWatch::default();
        watch.looked(look("a = 1", 1), &BTreeMap::new(), true, 0);
        let living = living(&[ServiceId::Gateway, ServiceId::Browserd]);
        watch.looked(look("a = 2", 2), &living, true, 10);
        assert_eq!(restarts(&mut watch, 10), [ServiceId::Gateway]);
    }
}
