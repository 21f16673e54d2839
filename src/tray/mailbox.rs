//! What the tray has to do next: the newest view, clicks, the end. Bounded whatever is thrown at it.
//!
//! There is room for one view, so a burst of a thousand costs no memory and one update, and a sender wakes the tray
//! only when the room was empty.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::core::view::View;

/// Time between two updates of the desktop: every one makes the host fetch pictures and menus again.
const PACE: Duration = Duration::from_millis(200);

/// After this the last picture is sent once more. GNOME's extension drops a picture that comes while it still works on the
/// one before, which takes it a second on a busy machine, and would show an old state until the next change.
#[cfg(any(target_os = "linux", test))]
const AGAIN: Duration = Duration::from_secs(2);

/// Clicks that may wait; a person has not made more than these before the first is handled.
const MAX_TOUCHES: usize = 32;

/// Something was clicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// The menu item with this id.
    Item(String),
    /// The icon.
    Icon,
}

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Letter {
    /// End.
    Close,
    /// Look after the future that asked for it.
    Poll,
    /// Judge a click.
    Touch(Touch),
    /// Show this.
    Show(Box<View>),
    /// Send the picture once more.
    Again,
}

/// Keeps updates apart.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    next: Option<Instant>,
    again: Option<Instant>,
}

impl Pacer {
    /// An update was sent now.
    pub(super) fn sent(&mut self, now: Instant) {
        self.next = Some(now + PACE);
    }

    /// A picture was sent now; it will be once more.
    #[cfg(any(target_os = "linux", test))] // only hosts of Linux lose pictures
    pub(super) fn drawn(&mut self, now: Instant) {
        self.again = Some(now + AGAIN);
    }

    /// It was sent once more.
    #[cfg(any(target_os = "linux", test))] // only hosts of Linux lose pictures
    pub(super) fn drawn_again(&mut self) {
        self.again = None;
    }

    /// When the next update may be sent, if not now.
    fn hold(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|&next| next > now)
    }
}

/// Shared by the senders and the one tray.
pub(super) struct Mailbox {
    letters: Mutex<Letters>,
    bell: Condvar,
    ring: Option<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Default)]
struct Letters {
    view: Option<Box<View>>,
    touches: VecDeque<Touch>,
    poll: bool,
    closed: bool,
}

/// What [`Mailbox::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Do this.
    Now(Letter),
    /// Nothing before this time, unless the bell rings.
    At(Instant),
    /// Nothing, unless the bell rings.
    Idle,
}

impl Mailbox {
    /// `ring` is called beside the bell, for a tray that waits in an event loop.
    pub(super) fn new(ring: Option<Box<dyn Fn() + Send + Sync>>) -> Self {
        Self { letters: Mutex::default(), bell: Condvar::new(), ring }
    }

    /// Replaces the view that waits, if any.
    pub(super) fn show(&self, view: View) {
        let mut letters = self.lock();
        if !letters.closed && letters.view.replace(Box::new(view)).is_none() {
            self.wake(letters);
        }
    }

    /// Queues a click; drops it when too many wait.
    pub(super) fn touch(&self, touch: Touch) {
        let mut letters = self.lock();
        if letters.touches.len() < MAX_TOUCHES {
            letters.touches.push_back(touch);
            self.wake(letters);
        }
    }

    /// Asks for a [`Letter::Poll`].
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux watches for a host"))]
    pub(super) fn poll(&self) {
        let mut letters = self.lock();
        letters.poll = true;
        self.wake(letters);
    }

    /// From now on there is only [`Letter::Close`].
    pub(super) fn close(&self) {
        let mut letters = self.lock();
        letters.closed = true;
        letters.view = None;
        self.wake(letters);
    }

    /// Blocks until there is something to do. Views wait while not `showing`.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "elsewhere an event loop waits"))]
    pub(super) fn wait(&self, pacer: &Pacer, showing: bool) -> Letter {
        let mut letters = self.lock();
        loop {
            let now = Instant::now();
            letters = match letters.next(pacer, showing, now) {
                Next::Now(letter) => return letter,
                Next::Idle => self.bell.wait(letters).unwrap_or_else(PoisonError::into_inner),
                Next::At(at) => {
                    let left = at.saturating_duration_since(now);
                    self.bell.wait_timeout(letters, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// As [`wait`](Self::wait), without waiting.
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "the thread of the tray waits itself"))]
    pub(super) fn next(&self, pacer: &Pacer, showing: bool, now: Instant) -> Next {
        self.lock().next(pacer, showing, now)
    }

    fn lock(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, letters: MutexGuard<'_, Letters>) {
        drop(letters);
        self.bell.notify_one();
        if let Some(ring) = &self.ring {
            ring();
        }
    }
}

impl Letters {
    fn next(&mut self, pacer: &Pacer, showing: bool, now: Instant) -> Next {
        if self.closed {
            return Next::Now(Letter::Close);
        }
        if std::mem::take(&mut self.poll) {
            return Next::Now(Letter::Poll);
        }
        if let Some(touch) = self.touches.pop_front() {
            return Next::Now(Letter::Touch(touch));
        }
        if self.view.is_none() || !showing {
            return match pacer.again {
                Some(at) if at <= now => Next::Now(Letter::Again),
                Some(at) => Next::At(at),
                None => Next::Idle,
            };
        }
        match (pacer.hold(now), self.view.take()) {
            (Some(at), held) => {
                self.view = held;
                Next::At(at)
            }
            (None, Some(view)) => Next::Now(Letter::Show(view)),
            (None, None) => Next::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn view(tooltip: &str) -> View {
        View { tooltip: tooltip.to_owned(), ..View::default() }
    }

    fn next(mailbox: &Mailbox, pacer: &Pacer, now: Instant) -> Next {
        mailbox.lock().next(pacer, true, now)
    }

    #[test]
    fn the_first_view_goes_at_once_and_the_newest_follows_after_the_pace() {
        let (mailbox, mut pacer, start) = (Mailbox::new(None), Pacer::default(), Instant::now());
        mailbox.show(view("1"));
        assert_eq!(next(&mailbox, &pacer, start), Next::Now(Letter::Show(Box::new(view("1")))));
        pacer.sent(start);
        mailbox.show(view("2"));
        mailbox.show(view("3"));
        assert_eq!(next(&mailbox, &pacer, start), Next::At(start + PACE));
        assert_eq!(next(&mailbox, &pacer, start + PACE), Next::Now(Letter::Show(Box::new(view("3")))));
        assert_eq!(next(&mailbox, &pacer, start + PACE), Next::Idle);
    }

    #[test]
    fn a_picture_is_sent_once_more_after_the_last_change_and_then_there_is_no_timer() {
        let (mailbox, mut pacer, start) = (Mailbox::new(None), Pacer::default(), Instant::now());
        pacer.drawn(start);
        pacer.drawn(start + PACE);
        assert_eq!(next(&mailbox, &pacer, start + AGAIN), Next::At(start + PACE + AGAIN));
        mailbox.show(view("1"));
        let late = start + PACE + AGAIN;
        assert_eq!(next(&mailbox, &pacer, late), Next::Now(Letter::Show(Box::new(view("1")))), "the newest goes first");
        assert_eq!(next(&mailbox, &pacer, late), Next::Now(Letter::Again));
        pacer.drawn_again();
        assert_eq!(next(&mailbox, &pacer, late), Next::Idle);
    }

    #[test]
    fn without_a_view_there_is_no_timer() {
        let (mailbox, mut pacer, start) = (Mailbox::new(None), Pacer::default(), Instant::now());
        pacer.sent(start);
        assert_eq!(next(&mailbox, &pacer, start), Next::Idle);
        mailbox.show(view("1"));
        assert_eq!(mailbox.lock().next(&pacer, false, start), Next::Idle);
    }

    #[test]
    fn a_burst_rings_once() {
        let rings = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&rings);
        let mailbox = Mailbox::new(Some(Box::new(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        })));
        for n in 0..1000 {
            mailbox.show(view(&n.to_string()));
        }
        assert_eq!(rings.load(Ordering::Relaxed), 1);
        assert_eq!(next(&mailbox, &Pacer::default(), Instant::now()), Next::Now(Letter::Show(Box::new(view("999")))));
    }

    #[test]
    fn clicks_are_bounded_and_kept_in_order() {
        let (mailbox, pacer) = (Mailbox::new(None), Pacer::default());
        for n in 0..1000 {
            mailbox.touch(Touch::Item(n.to_string()));
        }
        let mut seen = Vec::new();
        while let Next::Now(Letter::Touch(Touch::Item(id))) = next(&mailbox, &pacer, Instant::now()) {
            seen.push(id);
        }
        assert_eq!(seen, (0..MAX_TOUCHES).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn clicks_come_before_views_and_closing_before_all() {
        let (mailbox, pacer) = (Mailbox::new(None), Pacer::default());
        mailbox.show(view("1"));
        mailbox.touch(Touch::Icon);
        assert_eq!(next(&mailbox, &pacer, Instant::now()), Next::Now(Letter::Touch(Touch::Icon)));
        mailbox.touch(Touch::Icon);
        mailbox.close();
        mailbox.show(view("2"));
        assert_eq!(next(&mailbox, &pacer, Instant::now()), Next::Now(Letter::Close));
    }
}
