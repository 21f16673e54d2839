//! Snapshots that are pushed to those who watch: the newest one counts, a slow watcher leaves some out.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::{Semaphore, watch};

use super::{BufReader, REQUEST_PATIENCE, gone, listener};
use crate::protocol::Reply;

/// Watchers at once: they may not take all places of those who ask.
const WATCHERS: usize = 8;
/// Between two snapshots for one watcher, at least.
const SPACING: Duration = Duration::from_millis(100);

/// What is pushed; the end when there is nothing more to come.
#[derive(Clone)]
enum Page {
    Blank,
    Line(Arc<[u8]>),
    End,
}

/// Where snapshots are given to watchers.
pub struct News {
    newest: watch::Sender<Page>,
    places: Arc<Semaphore>,
}

impl Default for News {
    fn default() -> Self {
        Self { newest: watch::Sender::new(Page::Blank), places: Arc::new(Semaphore::new(WATCHERS)) }
    }
}

impl News {
    /// Somebody watches.
    pub fn is_watched(&self) -> bool {
        self.newest.receiver_count() > 0
    }

    /// Gives this to everybody who watches.
    pub fn push(&self, reply: &Reply) {
        if let Some(line) = line(reply) {
            self.newest.send_replace(Page::Line(line.into()));
        }
    }

    /// Nothing more comes.
    pub fn end(&self) {
        self.newest.send_replace(Page::End);
    }

    /// A watcher's place, to be taken before it is told how it is: so nothing is missed. Absent: too many watch.
    pub(super) fn watcher(&self) -> Option<Watcher> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        let mut newest = self.newest.subscribe();
        newest.mark_unchanged();
        Some(Watcher { newest, _place: place })
    }
}

/// One who watches.
pub(super) struct Watcher {
    newest: watch::Receiver<Page>,
    _place: tokio::sync::OwnedSemaphorePermit,
}

impl Watcher {
    /// Writes what comes until one side goes away.
    pub(super) async fn follow(mut self, mut stream: BufReader<listener::Stream>, first: &Reply) {
        let Some(first) = line(first) else { return };
        let mut next: Arc<[u8]> = first.into();
        loop {
            let written = tokio::time::timeout(REQUEST_PATIENCE, async {
                stream.get_mut().write_all(&next).await?;
                stream.get_mut().flush().await
            });
            if !matches!(written.await, Ok(Ok(()))) {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(SPACING) => {}
                () = gone(&mut stream) => return,
            }
            let changed = tokio::select! {
                changed = self.newest.changed() => changed.is_ok(),
                () = gone(&mut stream) => return,
            };
            next = match &*self.newest.borrow_and_update() {
                Page::Line(line) if changed => line.clone(),
                _ => break,
            };
        }
        let _ = tokio::time::timeout(REQUEST_PATIENCE, stream.get_mut().shutdown()).await;
    }
}

fn line(reply: &Reply) -> Option<Vec<u8>> {
    let mut bytes = serde_json::to_vec(reply).ok()?;
    bytes.push(b'\n');
    Some(bytes)
}
