//! How much text each notification server is known to show whole. Only what is shown whole may be approved in it.
//!
//! Measured on the versions named here, in their default look, and used with a margin for other fonts. A server that is not
//! listed shows an unknown part, so there is only Review; so it is for "Notification Daemon", of which GNOME's leaves on the
//! screen what was taken back, and MATE's, of the same name, pushes the start of a long title off the screen.

use super::Server;

/// What is shown of a notification, in characters of usual width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Of the body, below a title of one line. More is cut, by some without a trace.
    lines: usize,
    /// In a line of the body.
    columns: usize,
    /// Of the title.
    title: usize,
}

/// By the name that a server gives itself.
const MEASURED: [(&str, Room); 6] = [
    ("gnome-shell", Room { lines: 6, columns: 58, title: 50 }), // 43.9, opened; closed it shows one line and no button
    ("Plasma", Room { lines: 9, columns: 40, title: 34 }),      // 5.27.5; below that it scrolls
    ("Xfce Notify Daemon", Room { lines: 6, columns: 54, title: 50 }), // 0.7.3
    ("dunst", Room { lines: 20, columns: 47, title: 47 }),      // 1.9.0; cuts in the middle
    ("mako", Room { lines: 4, columns: 35, title: 35 }),        // 1.7.1
    ("lxqt-notificationd", Room { lines: 20, columns: 33, title: 30 }), // 1.2.0; cuts long words without a trace
];

impl Room {
    /// Of this server; absent: nobody knows.
    pub(super) fn of(server: &Server) -> Option<Self> {
        MEASURED.iter().find(|(name, _)| name.eq_ignore_ascii_case(&server.name)).map(|(_, room)| *room)
    }

    /// All of it is shown, as it is: no word is broken, where most would put a hyphen that is not there.
    pub(super) fn shows(self, title: &str, body: &str) -> bool {
        // a quarter for people with larger letters
        let columns = self.columns * 3 / 4;
        width(title) <= self.title && lines(body, columns).is_some_and(|lines| lines <= self.lines)
    }
}

/// Lines that a text takes; absent: one of its words is longer than a line.
fn lines(text: &str, columns: usize) -> Option<usize> {
    let mut lines = 0;
    for paragraph in text.split('\n') {
        lines += 1;
        let mut used = 0;
        for word in paragraph.split_inclusive([' ', '/', '-']) {
            let needed = width(word.trim_end());
            if needed > columns {
                return None;
            }
            if used + needed > columns {
                lines += 1;
                used = 0;
            }
            used += width(word);
        }
    }
    Some(lines)
}

/// Characters of usual width that a text takes. A capital can be as wide as two; beyond the Latin alphabets one can be as wide
/// as several.
fn width(text: &str) -> usize {
    let wide = |c: char| match c {
        'm' | 'w' | '@' | '%' => 2,
        '“' | '”' => 1,
        c if c.is_uppercase() => 2,
        c if u32::from(c) < 0x250 => 1,
        _ => 4,
    };
    text.chars().map(wide).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn room(name: &str) -> Room {
        Room::of(&Server { name: name.to_owned(), actions: true, withdraws: true }).expect("measured")
    }

    const ASKED: &str = "Asked by admin:desktop-control-center. Time to answer: 15 min.";

    #[test]
    fn what_a_server_cuts_does_not_fit() {
        // each as it was seen to be cut there: who asks is gone
        let what = format!("command: “{}”", "git push origin main and then ".repeat(4));
        assert!(!room("mako").shows("High risk: shell.exec", &format!("{what}\n{ASKED}")));
        assert!(room("dunst").shows("High risk: shell.exec", &format!("{what}\n{ASKED}")));
        let lines = |count: usize| "line\n".repeat(count - 1) + "line";
        for (name, seen) in [("gnome-shell", 6), ("Plasma", 9), ("mako", 4), ("dunst", 20)] {
            assert!(room(name).shows("x", &lines(seen)) && !room(name).shows("x", &lines(seen + 1)), "{name}");
        }
    }

    #[test]
    fn a_broken_word_or_a_cut_title_does_not_fit() {
        for (name, _) in MEASURED {
            assert!(!room(name).shows("High risk: x", &format!("cat {}", "W".repeat(30))), "{name}: cut or hyphenated");
            assert!(!room(name).shows(&"T".repeat(38), "ls"), "{name}");
            assert!(room(name).shows("High risk: shell.exec", "command: “ls”\nAsked by admin."), "{name}");
        }
        assert!(room("gnome-shell").shows("x", &"a/b-c/".repeat(20)), "broken where nothing is put in");
    }

    #[test]
    fn nobody_knows_what_others_show() {
        for name in ["", "Notification Daemon", "notify-osd", "Windows"] {
            assert_eq!(Room::of(&Server { name: name.to_owned(), actions: true, withdraws: true }), None);
        }
    }
}
