//! Linux: a thread of its own owns the icon, which cannot be sent to another, and follows who shows it.
//!
//! The icon is put up before anything else. The thread sleeps on the mailbox; the future that watches the bus rings
//! there too, so no further thread and no runtime is needed for it.

use std::{
    pin::pin,
    process::ExitCode,
    sync::{Arc, mpsc},
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use super::{listen, touched};
use crate::words;
use crate::{
    config::settings::Panel,
    core::view::View,
    tray::{
        HostState, TrayHandle, TrayReport, host,
        mailbox::{Letter, Mailbox, Pacer},
        surface::Surface,
    },
};

/// How long the icon may take to go; the bus takes it away at the end of the process anyway.
const GOODBYE: Duration = Duration::from_millis(500);

/// See [`crate::tray::run`].
pub(in crate::tray) fn run(
    panel: Panel,
    agent: impl FnOnce(TrayHandle) -> ExitCode + Send + 'static,
    report: impl Fn(TrayReport) + Send + Sync + 'static,
) -> ExitCode {
    let mailbox = Arc::new(Mailbox::new(None));
    let report = Arc::new(report);
    let (alive, ended) = mpsc::channel::<()>();
    let (theirs, reports) = (Arc::clone(&mailbox), Arc::clone(&report));
    let spawned = thread::Builder::new().name("tray".to_owned()).spawn(move || {
        serve(panel, &theirs, &*reports);
        drop(alive);
    });
    if let Err(error) = spawned {
        report(TrayReport::Failed(words::menu::no_thread_for_tray_icon_could(&error)));
    }
    let handle = TrayHandle { mailbox };
    let code = agent(handle.clone());
    handle.close();
    // Nothing is ever sent: it ends when the thread does.
    let _ = ended.recv_timeout(GOODBYE);
    code
}

fn serve(panel: Panel, mailbox: &Arc<Mailbox>, report: &impl Fn(TrayReport)) {
    listen(mailbox);
    let mut surface = put_up(panel).ok();

    let waker = Waker::from(Arc::new(Ring(Arc::clone(mailbox))));
    let (found, states) = mpsc::channel();
    let mut watch = pin!(host::watch(move |state| {
        let _ = found.send(state);
    }));
    let mut watching = true;
    let mut pacer = Pacer::default();
    mailbox.poll();
    loop {
        match mailbox.wait(&pacer, surface.is_some()) {
            Letter::Close => return,
            Letter::Touch(touch) => touched(&touch, surface.as_ref(), report),
            Letter::Show(view) => {
                if let Some(surface) = &mut surface {
                    let before = surface.picture();
                    if surface.show(&view) {
                        pacer.sent(Instant::now());
                    }
                    if surface.picture() != before {
                        pacer.drawn(Instant::now());
                    }
                }
            }
            Letter::Again => {
                pacer.drawn_again();
                if let Some(surface) = &mut surface {
                    surface.draw_again();
                }
            }
            Letter::Poll if watching => {
                watching = matches!(watch.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Pending);
                for state in states.try_iter() {
                    report(TrayReport::Host(state));
                    if surface.is_none() && state != HostState::NoBus {
                        // Whatever was in the way may be gone.
                        surface = put_up(panel).map_err(|error| report(TrayReport::Failed(error))).ok();
                    }
                }
            }
            Letter::Poll => {}
        }
    }
}

fn put_up(panel: Panel) -> Result<Surface, String> {
    Surface::build(panel, &View::default()).map_err(|error| {
        tracing::warn!(%error, "the tray icon could not be put up");
        words::menu::tray_icon_could_not_be_put_up(&error)
    })
}

struct Ring(Arc<Mailbox>);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.0.poll();
    }
}
