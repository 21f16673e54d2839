//! Reading and deciding approvals. The gateway lists them oldest first, without a filter for undecided ones, so the inbox
//! is read page by page to the end.
//!
//! Limits: expiry, order and what is news are the caller's business. A decision is sent once; whether a lost one was
//! taken is found out by reading.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Client;
use super::error::{ErrorKind, GatewayError};
use super::http::{Answer, PAGE_BODY};
use super::session::Signed;
use crate::core::inbox::{Look, LookOrder, Sieve};
use crate::core::record::{Outline, Record, Unreadable, is_usable_id};
use crate::protocol::Scope;
use crate::words;

const APPROVALS: &str = "/console/v1/approvals";
/// The largest page that the gateway gives.
const PAGE_LIMIT: usize = 500;
/// So many records are read before others get their turn: about a millisecond.
const TURN: usize = 25;
/// More pages than any real history has: an end for a list that never ends.
const MAX_PAGES: u32 = 5_000;

/// What the gateway holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inbox {
    /// In the gateway's order: oldest first.
    pub records: Vec<Record>,
    /// Those that belong in here but could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Newest request among all that were listed, decided ones too; `None` when nothing was listed.
    pub newest_requested_at: Option<i64>,
    /// Pages read.
    pub pages: u32,
    /// Wall clock before the first page was asked for, milliseconds since the epoch: nothing in here is older news.
    pub as_of: i64,
}

/// Which records are listed.
#[derive(Default)]
struct Window {
    /// Requested since then.
    since: Option<i64>,
    /// And not after that.
    until: Option<i64>,
    /// Those only that stand as allowed.
    allowed: bool,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    approvals: Vec<&'a RawValue>,
    next_after_approval_id: Option<String>,
}

impl Client {
    /// What waits for a decision, plus decided records whose id is in `known` (so that a pending one that somebody decided
    /// is not just missing), and those that were decided at or after `resolved_since`. `since` limits the list to requests at or after it, known ones included: pass the oldest
    /// request of those that are still pending, or `None` for everything.
    pub async fn inbox(
        &self,
        since: Option<i64>,
        known: &BTreeSet<String>,
        resolved_since: Option<i64>,
    ) -> Result<Inbox, GatewayError> {
        self.records(since, |outline| is_wanted(outline, known, resolved_since)).await
    }

    /// What the inbox needs to know, record by record: nothing else is kept.
    pub async fn look(&self, order: &LookOrder) -> Result<Look, GatewayError> {
        let mut sieve = Sieve::new(order);
        let mut take = |text: &str| {
            if sieve.wants(&Outline::of(text)) {
                sieve.take(Record::read(text));
            }
        };
        self.pages(&Window { since: order.since_unix_ms, ..Window::default() }, &mut take).await?;
        if let (Some(since), Some(before)) = (order.late_since_unix_ms, order.since_unix_ms) {
            let window = Window { since: Some(since), until: Some(before.saturating_sub(1)), allowed: true };
            self.pages(&window, &mut take).await?;
        }
        Ok(sieve.look())
    }

    /// Everything that the gateway holds, decided or not.
    pub async fn all_approvals(&self) -> Result<Inbox, GatewayError> {
        self.records(None, |_| true).await
    }

    /// One record as it is now.
    pub async fn approval(&self, approval_id: &str) -> Result<Record, GatewayError> {
        let path = format!("{APPROVALS}/{}", checked(approval_id)?);
        let call = Signed { max_body: PAGE_BODY, ..Signed::get(&path, self.inner.timeouts.list) };
        record(&self.signed(&call).await?)
    }

    /// Decides, once. On an error with `sent`, and any status but 400, 403 and 404, the decision may be stored all the
    /// same: read the record before doing anything else. `ttl_ms` is needed with [`Scope::Timeboxed`], which would
    /// otherwise silently mean once.
    pub async fn decide(
        &self,
        approval_id: &str,
        approved: bool,
        scope: Scope,
        ttl_ms: Option<i64>,
        reason: Option<&str>,
    ) -> Result<Record, GatewayError> {
        let path = format!("{APPROVALS}/{}/decision", checked(approval_id)?);
        if scope == Scope::Timeboxed && ttl_ms.is_none_or(|ttl| ttl <= 0) {
            return Err(refused(words::approvals::TIME_BOX_NEEDS_TIME_ABOVE_ZERO));
        }
        let mut body = json!({ "approved": approved, "decision_scope": scope });
        if let Some(ttl_ms) = ttl_ms {
            body["decision_scope_ttl_ms"] = Value::from(ttl_ms);
        }
        if let Some(reason) = reason {
            body["reason"] = Value::from(reason);
        }
        let call = Signed { max_body: PAGE_BODY, ..Signed::post(&path, &body, self.inner.timeouts.decide) };
        record(&self.signed(&call).await?)
    }

    async fn records(&self, since: Option<i64>, keep: impl Fn(&Outline) -> bool) -> Result<Inbox, GatewayError> {
        let mut inbox = Inbox { as_of: now_unix_ms(), ..Inbox::default() };
        inbox.pages = self.pages(&Window { since, ..Window::default() }, |text| inbox.take(text, &keep)).await?;
        Ok(inbox)
    }

    /// Reads to the end, one page after the other; how many there were.
    async fn pages(&self, window: &Window, mut take: impl FnMut(&str)) -> Result<u32, GatewayError> {
        let mut pages = 0;
        let mut cursors = BTreeSet::new();
        let (mut answer, mut limit) = self.portion(window, None, PAGE_LIMIT).await?;
        loop {
            pages += 1;
            let page: Page<'_> = serde_json::from_slice(&answer.body).map_err(|_| answer.not_ours())?;
            let Some(next) = page.next_after_approval_id else {
                each(&page.approvals, &mut take).await;
                return Ok(pages);
            };
            if !is_usable_id(&next) || !cursors.insert(next.clone()) || pages >= MAX_PAGES {
                let message = words::approvals::GATEWAYS_LIST_OF_APPROVALS_DOES;
                return Err(GatewayError::protocol(answer.status, message));
            }
            limit = (limit * 10).min(PAGE_LIMIT);
            // the gateway makes the next page while this one is read
            let next = self.portion(window, Some(&next), limit);
            let (next, ()) = tokio::join!(next, each(&page.approvals, &mut take));
            (answer, limit) = next?;
        }
    }

    /// A page of at most `limit` records. A few huge ones must not hide all others: they are read in smaller portions, of the
    /// size that comes with the answer.
    async fn portion(
        &self,
        window: &Window,
        after: Option<&str>,
        mut limit: usize,
    ) -> Result<(Answer, usize), GatewayError> {
        loop {
            match self.page(window, after, limit).await {
                Err(error) if error.oversized && limit > 1 => limit = (limit / 10).max(1),
                other => return other.map(|answer| (answer, limit)),
            }
        }
    }

    async fn page(&self, window: &Window, after: Option<&str>, limit: usize) -> Result<Answer, GatewayError> {
        let mut path = format!("{APPROVALS}?limit={limit}");
        for (name, limit) in [("since", window.since), ("until", window.until)] {
            if let Some(limit) = limit {
                path.push_str(&format!("&{name}_unix_ms={limit}"));
            }
        }
        if window.allowed {
            path.push_str("&decision=allow");
        }
        if let Some(after) = after {
            path.push_str(&format!("&after_approval_id={after}"));
        }
        let call = Signed { max_body: PAGE_BODY, ..Signed::get(&path, self.inner.timeouts.list) };
        self.signed(&call).await
    }
}

impl Inbox {
    fn take(&mut self, text: &str, keep: impl Fn(&Outline) -> bool) {
        let outline = Outline::of(text);
        self.newest_requested_at = self.newest_requested_at.max(outline.requested_at_unix_ms);
        if !keep(&outline) {
            return;
        }
        match Record::read(text) {
            Ok(record) => self.records.push(record),
            Err(unreadable) => self.unreadable.push(unreadable),
        }
    }
}

/// Gives others their turn now and then.
async fn each(records: &[&RawValue], take: &mut impl FnMut(&str)) {
    for some in records.chunks(TURN) {
        some.iter().for_each(|raw| take(raw.get()));
        tokio::task::yield_now().await;
    }
}

fn is_wanted(outline: &Outline, known: &BTreeSet<String>, resolved_since: Option<i64>) -> bool {
    !outline.decided
        || outline.approval_id.as_ref().is_some_and(|id| known.contains(id))
        || resolved_since.is_some_and(|since| outline.resolved_at_unix_ms >= Some(since))
}

fn record(answer: &Answer) -> Result<Record, GatewayError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        approval: &'a RawValue,
    }
    let body: Body<'_> = serde_json::from_slice(&answer.body).map_err(|_| answer.not_ours())?;
    Record::read(body.approval.get()).map_err(|unreadable| {
        GatewayError::protocol(answer.status, words::approvals::gateways_record_cannot_be_used(&unreadable.why))
    })
}

fn checked(approval_id: &str) -> Result<&str, GatewayError> {
    if is_usable_id(approval_id) { Ok(approval_id) } else { Err(refused(words::approvals::THAT_IS_NOT_ID_OF_APPROVAL)) }
}

fn refused(message: &str) -> GatewayError {
    GatewayError::new(ErrorKind::Invalid, None, false, message)
}

fn now_unix_ms() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
