//! The clipboard, by the program that the desktop has for it. On Linux whoever offers a text has to stay: these programs do,
//! in the background, until something else is copied.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program that takes the text on its standard input, and its arguments.
pub type Program = &'static [&'static str];

/// It answers at once, or something is wrong with its display.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(20);

/// Those that could work here, best first.
pub fn programs(wayland: bool, x11: bool) -> Vec<Program> {
    if cfg!(target_os = "macos") {
        return vec![&["pbcopy"]];
    }
    if cfg!(windows) {
        return vec![&["clip.exe"]];
    }
    let mut programs: Vec<Program> = Vec::new();
    if wayland {
        programs.push(&["wl-copy", "--type", "text/plain"]);
    }
    if x11 {
        programs.push(&["xclip", "-selection", "clipboard"]);
        programs.push(&["xsel", "--clipboard", "--input"]);
    }
    programs
}

/// Puts the text there by the first program that takes it. Whether one did. Takes up to some seconds.
pub fn put(programs: &[Program], text: &str) -> bool {
    programs.iter().any(|program| match give(program, text) {
        Ok(taken) => taken,
        Err(error) => {
            tracing::debug!(program = program[0], %error, "not a clipboard");
            false
        }
    })
}

fn give(program: Program, text: &str) -> std::io::Result<bool> {
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // one that ends before it has read everything is judged by its end
        let _ = input.write_all(text.as_bytes());
    }
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_first_program_that_takes_it_is_used() {
        let start = Instant::now();
        assert!(!put(&[&["/nowhere/xclip"], &["false"]], "text"));
        assert!(put(&[&["/nowhere/xclip"], &["sh", "-c", "test \"$(cat)\" = text"]], "text"));
        assert!(!put(&[&["sh", "-c", "test \"$(cat)\" = text"]], "other"));
        assert!(!put(&[&["sh", "-c", "exec 0<&-; exit 1"]], &"x".repeat(1_000_000)));
        assert!(!put(&[], "text"));
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    }

    #[test]
    fn one_that_hangs_is_ended() {
        assert!(!put(&[&["sh", "-c", "cat >/dev/null; exec sleep 60"]], "text"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_display_decides_who_is_asked() {
        let names = |wayland, x11| programs(wayland, x11).into_iter().map(|program| program[0]).collect::<Vec<_>>();
        assert_eq!(names(true, true), ["wl-copy", "xclip", "xsel"]);
        assert_eq!(names(false, true), ["xclip", "xsel"]);
        assert_eq!(names(false, false), [""; 0]);
    }
}
