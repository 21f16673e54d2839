//! macOS and Windows: the main thread runs the desktop's event loop and owns the icon, the agent runs beside it.

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use tao::{
    event::{Event, StartCause},
    event_loop::{ControlFlow, EventLoopBuilder},
    platform::run_return::EventLoopExtRunReturn,
};

use super::{listen, touched};
use crate::words;
use crate::{
    config::settings::Panel,
    core::view::View,
    tray::{
        TrayHandle, TrayReport,
        mailbox::{Letter, Mailbox, Next, Pacer},
        surface::Surface,
    },
};

/// See [`crate::tray::run`].
pub(in crate::tray) fn run(
    panel: Panel,
    agent: impl FnOnce(TrayHandle) -> ExitCode + Send + 'static,
    report: impl Fn(TrayReport) + Send + Sync + 'static,
) -> ExitCode {
    let mut event_loop = EventLoopBuilder::<()>::with_user_event().build();
    #[cfg(target_os = "macos")]
    {
        use tao::platform::macos::{ActivationPolicy, EventLoopExtMacOS};
        event_loop.set_activation_policy(ActivationPolicy::Accessory);
    }
    let bell = event_loop.create_proxy();
    let mailbox = Arc::new(Mailbox::new(Some(Box::new(move || {
        // It fails only when the loop has ended.
        let _ = bell.send_event(());
    }))));

    let ended = Arc::new(Mutex::new(None));
    let (handle, code) = (TrayHandle { mailbox: Arc::clone(&mailbox) }, Arc::clone(&ended));
    let spawned = thread::Builder::new().name("agent".to_owned()).spawn(move || {
        // Also when the agent panics: without it nobody could end the loop.
        let closing = Closing(handle.clone());
        let result = agent(handle);
        *code.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        drop(closing);
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for the agent could be started");
        return ExitCode::FAILURE;
    }

    listen(&mailbox);
    let mut surface = None;
    let mut pacer = Pacer::default();
    event_loop.run_return(|event, _, flow| match event {
        Event::NewEvents(StartCause::Init) => match Surface::build(panel, &View::default()) {
            Ok(built) => surface = Some(built),
            Err(error) => report(TrayReport::Failed(words::menu::tray_icon_could_not_be_put(&error))),
        },
        Event::MainEventsCleared => *flow = attend(&mailbox, &mut pacer, &mut surface, &report),
        _ => {}
    });
    drop(surface);
    ended.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(ExitCode::FAILURE)
}

/// Does all there is to do and tells how long to sleep.
fn attend(
    mailbox: &Mailbox,
    pacer: &mut Pacer,
    surface: &mut Option<Surface>,
    report: &impl Fn(TrayReport),
) -> ControlFlow {
    loop {
        match mailbox.next(pacer, surface.is_some(), Instant::now()) {
            Next::Idle => return ControlFlow::Wait,
            Next::At(at) => return ControlFlow::WaitUntil(at),
            Next::Now(Letter::Close) => return ControlFlow::Exit,
            Next::Now(Letter::Poll | Letter::Again) => {}
            Next::Now(Letter::Touch(touch)) => touched(&touch, surface.as_ref(), report),
            Next::Now(Letter::Show(view)) => {
                if surface.as_mut().is_some_and(|surface| surface.show(&view)) {
                    pacer.sent(Instant::now());
                }
            }
        }
    }
}

struct Closing(TrayHandle);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}
