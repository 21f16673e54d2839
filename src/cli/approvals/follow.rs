//! Follows a record while a person looks at it, so that its dialog goes when it is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::cli;
use crate::config::Paths;
use crate::core::review::Shown;
use crate::protocol::{FailureCode, Reply, Request, Standing};
use crate::shell::dialog::Over;

/// After an answer that could not be understood.
const PAUSE: Duration = Duration::from_secs(2);

/// Follows until it is dropped.
pub struct Following {
    over: Over,
    done: Arc<AtomicBool>,
}

impl Following {
    /// `in_window`: a lock of the screen ends it too.
    ///
    /// # Errors
    /// The system gives no thread or no descriptors for it.
    pub fn start(paths: &Paths, shown: &Shown, in_window: bool) -> std::io::Result<Self> {
        let following = Self { over: Over::new()?, done: Arc::default() };
        let (over, done) = (following.over.clone(), Arc::clone(&following.done));
        let paths = paths.clone();
        let request =
            Request::Follow { approval_id: shown.id().to_owned(), digest: shown.digest().to_owned(), in_window };
        thread::Builder::new().name("follow".to_owned()).spawn(move || {
            while !done.load(Ordering::Relaxed) {
                match cli::ask(&paths, request.clone(), cli::SHORT) {
                    Ok(Reply::Data(value)) => match serde_json::from_value(value) {
                        Ok(Standing::Waits) => {}
                        Ok(standing) => return over.tell(standing),
                        Err(_) => thread::sleep(PAUSE),
                    },
                    Err(failure) if failure.code == FailureCode::NoAgent => return over.tell(Standing::Ending),
                    // what is answered is checked by the agent all the same
                    Ok(_) | Err(_) => thread::sleep(PAUSE),
                }
            }
        })?;
        Ok(following)
    }

    /// Ends dialogs, once it is over.
    pub fn over(&self) -> Over {
        self.over.clone()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}
