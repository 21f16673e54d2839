//! What the gateway keeps on disk: approvals, chat sessions and runs. Everything else lives in memory only.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::books::Booked;
use super::chat::Session;
use super::journal::{Entry, Journal};
use super::record::Record;
use crate::demo::process;

/// Approvals and chat sessions, each change written to the journal before it can be seen.
pub struct Store {
    inner: Mutex<Inner>,
}

struct Inner {
    journal: Journal,
    approvals: BTreeMap<String, Record>,
    sessions: BTreeMap<String, Session>,
    runs: BTreeMap<String, Booked>,
    waiters: HashMap<String, oneshot::Sender<Record>>,
}

/// A person's answer.
pub struct Decision {
    /// Yes or no.
    pub approved: bool,
    /// Why.
    pub reason: String,
    /// `once`, `session` or `timeboxed`.
    pub scope: String,
    /// For a time box, milliseconds.
    pub ttl_ms: Option<i64>,
}

/// Figures for the heartbeat.
pub struct JournalFacts {
    /// Absolute.
    pub path: String,
    /// Of the newest entry.
    pub hash: String,
    /// Entries so far.
    pub events: u64,
}

impl Store {
    /// Opens the journal under `state_root` and takes up what is in it.
    pub fn open(state_root: &Path) -> io::Result<Self> {
        let (journal, entries) = Journal::open(state_root)?;
        let (mut approvals, mut sessions) = (BTreeMap::new(), BTreeMap::new());
        let mut runs: BTreeMap<String, Booked> = BTreeMap::new();
        for entry in entries {
            match entry {
                Entry::Approval(record) => drop(approvals.insert(record.approval_id.clone(), *record)),
                Entry::Session(session) => drop(sessions.insert(session.session_id.clone(), *session)),
                Entry::Run(run) => drop(runs.insert(run.run_id.clone(), *run)),
                Entry::Event(_) => {}
            }
        }
        let orphans: Vec<_> = runs.values().filter(|run| run.is_active()).cloned().collect();
        let inner = Inner { journal, approvals, sessions, runs, waiters: HashMap::new() };
        let store = Self { inner: Mutex::new(inner) };
        for orphan in orphans {
            store.put_run(orphan.orphaned());
        }
        Ok(store)
    }

    /// Adds an approval. `false` if the id is taken.
    pub fn create(&self, record: Record) -> bool {
        let mut inner = self.lock();
        if inner.approvals.contains_key(&record.approval_id) {
            return false;
        }
        inner.put(record);
        true
    }

    /// One approval.
    pub fn approval(&self, id: &str) -> Option<Record> {
        self.lock().approvals.get(id).cloned()
    }

    /// At most `limit` approvals with greater ids than `after` that `wanted` accepts, oldest id first, and whether there
    /// are more.
    pub fn page(&self, after: Option<&str>, limit: usize, wanted: impl Fn(&Record) -> bool) -> (Vec<Record>, bool) {
        let inner = self.lock();
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found =
            inner.approvals.range::<str, _>((start, Bound::Unbounded)).map(|(_, r)| r).filter(|r| wanted(r));
        let page = found.by_ref().take(limit).cloned().collect();
        (page, found.next().is_some())
    }

    /// Approvals without a decision.
    pub fn pending(&self, wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
        self.page(None, usize::MAX, |record| record.decision.is_none() && wanted(record)).0
    }

    /// Decides, also what is decided already: only the time of the first decision stays. Tells a run that waits.
    pub fn decide(&self, id: &str, decision: &Decision) -> Option<Record> {
        let mut inner = self.lock();
        let mut record = inner.approvals.get(id)?.clone();
        let now = process::unix_ms();
        record.decision = Some(if decision.approved { "allow" } else { "deny" }.to_owned());
        record.decision_scope = Some(decision.scope.clone());
        record.decision_reason = Some(decision.reason.clone());
        record.decision_scope_ttl_ms = decision.ttl_ms;
        record.resolved_at_unix_ms.get_or_insert(now);
        record.updated_at_unix_ms = now;
        inner.put(record.clone());
        if let Some(waiter) = inner.waiters.remove(id) {
            let _ = waiter.send(record.clone());
        }
        Some(record)
    }

    /// Hears the next decision on `id`. Dropping the receiver is fine.
    pub fn wait_for(&self, id: &str) -> oneshot::Receiver<Record> {
        let (tell, hear) = oneshot::channel();
        self.lock().waiters.insert(id.to_owned(), tell);
        hear
    }

    /// The second write that a waiting run makes when it hears of its decision.
    pub fn touch(&self, id: &str) {
        let mut inner = self.lock();
        if let Some(mut record) = inner.approvals.get(id).cloned() {
            record.updated_at_unix_ms = process::unix_ms();
            inner.put(record);
        }
    }

    /// Writes a chat session.
    pub fn put_session(&self, session: Session) {
        let mut inner = self.lock();
        inner.note(&Entry::Session(Box::new(session.clone())));
        inner.sessions.insert(session.session_id.clone(), session);
    }

    /// One chat session.
    pub fn session(&self, id: &str) -> Option<Session> {
        self.lock().sessions.get(id).cloned()
    }

    /// The chat sessions that `wanted` accepts.
    pub fn sessions(&self, wanted: impl Fn(&Session) -> bool) -> Vec<Session> {
        self.lock().sessions.values().filter(|session| wanted(session)).cloned().collect()
    }

    /// Writes a run.
    pub fn put_run(&self, run: Booked) {
        let mut inner = self.lock();
        inner.note(&Entry::Run(Box::new(run.clone())));
        inner.runs.insert(run.run_id.clone(), run);
    }

    /// The runs that `wanted` accepts, oldest first.
    pub fn runs(&self, wanted: impl Fn(&Booked) -> bool) -> Vec<Booked> {
        self.lock().runs.values().filter(|run| wanted(run)).cloned().collect()
    }

    /// Writes an event to the journal.
    pub fn note_event(&self, event: Value) {
        self.lock().note(&Entry::Event(event));
    }

    /// For the heartbeat.
    pub fn journal_facts(&self) -> JournalFacts {
        let inner = self.lock();
        JournalFacts {
            path: inner.journal.path().display().to_string(),
            hash: inner.journal.hash().to_owned(),
            events: inner.journal.events(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn put(&mut self, record: Record) {
        self.note(&Entry::Approval(Box::new(record.clone())));
        self.approvals.insert(record.approval_id.clone(), record);
    }

    fn note(&mut self, entry: &Entry) {
        if let Err(error) = self.journal.append(entry) {
            process::log(super::TARGET, "journal write failed", json!({ "error": error.to_string() }));
        }
    }
}
