//! Every sentence that a person reads is in `src/words`: a literal that looks like one anywhere else is found.
//!
//! It looks like one when it has two words or more beside its `{}`. Left out are attributes but those of [`READ`], what
//! goes to the log of the developer (`tracing`), what a text is compared with or searched for, and what [`ELSEWHERE`] lists
//! with its reason. That no doc comment becomes a help text is tested beside the commands, in `src/cli/manual_tests.rs`.

use std::path::Path;

use super::reader::{Kind, Token, lex, production};
use super::{Source, sources};

/// Attributes that a person reads: what an error says, and help texts.
const READ: [&str; 4] = ["error", "command", "arg", "value"];

/// Files, or folders with a slash at the end, and how the literal begins (empty: any), each with its reason.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("demo/", "", "the stand-ins say what the real sidecars say"),
    ("core/simulate.rs", "", "what a pretended world says, and its printouts"),
    ("core/simulate/", "", "the same"),
    ("core/agent/sizes.rs", "", "names of lists that a test measures"),
    ("core/agent/events.rs", "restarts while away", "the same"),
    ("core/agent/watch.rs", "denied by the pause", "the same"),
    ("core/ask/mod.rs", "messages ", "the same"),
    ("core/ask/mod.rs", "runs of ours", "the same"),
    ("core/inbox.rs", "", "the same"),
    ("core/cause.rs", "", "by what the sidecars say it is known why they ended"),
    ("core/discord.rs", "", "the same for the gateway's words about Discord"),
    ("core/node/mod.rs", "", "the same for its words about certificates"),
    ("core/upstream.rs", "", "the same for its words about providers"),
    ("core/notices/room.rs", "Xfce Notify Daemon", "by its name a server is known"),
    ("shell/gateway/config.rs", "", "the same for its words about a config"),
    ("shell/shim/pump.rs", "", "by what is written on a panic it is known"),
    ("core/autostart/entries.rs", "", "a launch agent in the language of macOS"),
    ("shell/handoff/request.rs", "", "HTTP"),
    ("shell/handoff/mod.rs", "503", "HTTP"),
];

#[test]
fn what_a_person_reads_is_in_one_place() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let (found, unused) = misplaced(&files, ELSEWHERE);
    assert!(found.is_empty(), "put these into src/words:\n{}\n", found.join("\n"));
    assert!(unused.is_empty(), "nothing is excused by: {unused:?}");
}

/// Sentences in the wrong place, one line each, and excuses that nothing needs.
fn misplaced<'a>(
    files: &[Source],
    elsewhere: &'a [(&'a str, &'a str, &'a str)],
) -> (Vec<String>, Vec<&'a (&'a str, &'a str, &'a str)>) {
    let mut used = vec![false; elsewhere.len()];
    let mut test_modules: Vec<Vec<String>> = Vec::new();
    let mut parsed = Vec::new();
    for file in files.iter().filter(|file| !file.path.ends_with("_tests.rs") && !file.path.starts_with("words/")) {
        let (tokens, tests) = production(lex(&file.text));
        let module = file.module();
        test_modules.extend(tests.into_iter().map(|name| module.iter().cloned().chain([name]).collect()));
        parsed.push((file, module, tokens));
    }
    parsed.retain(|(_, module, _)| !test_modules.iter().any(|test| module.starts_with(test)));
    let mut found = Vec::new();
    for (file, _, tokens) in &parsed {
        for (line, text) in sentences(tokens) {
            let excuse = elsewhere.iter().position(|(path, begins, _)| {
                (file.path == *path || path.ends_with('/') && file.path.starts_with(path)) && text.starts_with(begins)
            });
            match excuse {
                Some(excuse) => used[excuse] = true,
                None => found.push(format!("src/{}:{line}: {text:?}", file.path)),
            }
        }
    }
    let unused = elsewhere.iter().zip(used).filter(|(_, used)| !used).map(|(excuse, _)| excuse).collect();
    (found, unused)
}

/// Literals that look like words for a person, with their lines.
fn sentences(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // What each open bracket belongs to: whether a person reads what is in it.
    let mut open = vec![true];
    for (i, token) in tokens.iter().enumerate() {
        let before = |back: usize| i.checked_sub(back).and_then(|at| tokens.get(at));
        match &token.kind {
            Kind::Sign('(' | '[' | '{') => {
                let says = tokens.get(i + 1).is_some_and(|next| READ.iter().any(|name| next.is_word(name)));
                let is_attribute = is_attribute(token, &before) && !says;
                let is_read = !is_attribute && !is_for_developers(&before) && !is_compared(&before);
                open.push(is_read && *open.last().unwrap_or(&true));
            }
            Kind::Sign(')' | ']' | '}') => {
                open.pop();
            }
            Kind::Text(text) if open.last() == Some(&true) && !is_pattern(tokens, i) => {
                let text = unbroken(text);
                if is_sentence(&text) {
                    found.push((token.line, text));
                }
            }
            _ => {}
        }
    }
    found
}

/// `#[…]`, `#![…]`.
fn is_attribute<'a>(bracket: &Token, before: &impl Fn(usize) -> Option<&'a Token>) -> bool {
    let is = |back, sign| before(back).is_some_and(|token| token.is(sign));
    bracket.is('[') && (is(1, '#') || (is(1, '!') && is(2, '#')))
}

/// `tracing::warn!(…)` and the like.
fn is_for_developers<'a>(before: &impl Fn(usize) -> Option<&'a Token>) -> bool {
    const MACROS: [&str; 7] = ["trace", "debug", "info", "warn", "error", "assert", "debug_assert"];
    before(1).is_some_and(|token| token.is('!'))
        && before(2).is_some_and(|token| MACROS.iter().any(|name| token.is_word(name)))
}

/// `.contains(…)` and the like: what others say, not we.
fn is_compared<'a>(before: &impl Fn(usize) -> Option<&'a Token>) -> bool {
    const METHODS: [&str; 9] = [
        "contains",
        "starts_with",
        "ends_with",
        "find",
        "split_once",
        "strip_prefix",
        "strip_suffix",
        "trim_start_matches",
        "trim_end_matches",
    ];
    before(2).is_some_and(|token| token.is('.'))
        && before(1).is_some_and(|token| METHODS.iter().any(|name| token.is_word(name)))
}

/// In an arm of a `match`, or beside `==`.
fn is_pattern(tokens: &[Token], i: usize) -> bool {
    let is = |at: Option<usize>, sign| at.and_then(|at| tokens.get(at)).is_some_and(|token: &Token| token.is(sign));
    let (back, on) = (i.checked_sub(1), Some(i + 1));
    let arm = is(on, '=') && is(Some(i + 2), '>') || is(on, '|') || is(back, '|') && is(i.checked_sub(3), '|');
    let equal = is(back, '=') && (is(i.checked_sub(2), '=') || is(i.checked_sub(2), '!'));
    arm || equal
}

/// Without the line breaks that only the source has, and with others as they are read.
fn unbroken(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |all, line| all + line.trim_start()).replace("\\n", "\n").replace("\\\"", "\"")
}

fn is_sentence(text: &str) -> bool {
    let mut outside = String::new();
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    let words: Vec<&str> = outside
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| ".,:;!?()“”\"'…`".contains(c)))
        .filter(|word| word.starts_with(char::is_alphabetic))
        .filter(|word| word.chars().all(|c| c.is_alphabetic() || "'’-".contains(c)))
        .collect();
    words.len() >= 2 && words.iter().any(|word| word.chars().count() >= 3)
}

// --- that all of this can fail ---

#[test]
fn a_sentence_in_the_wrong_place_is_found() {
    for text in [
        r#"fn f() -> String { "The gateway is not ready.".to_owned() }"#,
        r#"fn f(why: &str) -> String { format!("{why}: try again") }"#,
        "const A: &str = \"nothing was \\\n    decided\";",
        "fn f() { g(r#\"not \"known\" here\"#) }",
        r#"fn f() -> Option<&'static str> { x.then_some("Open Dashboard") }"#,
        r#"#[derive(Error)] #[error("nothing listens on port {0}")] struct E(u16);"#,
        r#"#[derive(Args)] struct A { #[arg(long, help = "Ask in a window")] dialog: bool }"#,
        r#"#[derive(Subcommand)] enum A { #[command(about = "Make new ones")] Rotate }"#,
    ] {
        let (found, _) = misplaced(&[Source::new("core/x.rs", text)], &[]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        // where it belongs it is none of this test's business
        assert_eq!(misplaced(&[Source::new("words/x.rs", text)], &[]).0, Vec::<String>::new());
    }
}

#[test]
fn what_no_person_reads_may_stay() {
    for text in [
        r#"fn f() { tracing::warn!(%why, "the file could not be written"); }"#,
        r#"#[expect(unsafe_code, reason = "there is no safe call for it")] fn f() {}"#,
        r#"fn f(x: &str) -> bool { x.contains("request failed") || x == "not found here" }"#,
        r#"fn f(x: &str) -> u8 { match x { "one two" | "three four" => 1, _ => 2 } }"#,
        r#"fn f() { g("palyra-tray", "{x:>5}  {y}", "--flag value=1", "X-Header: {}", "a b") }"#,
        r#"#[cfg(test)] mod tests { fn f() { assert_eq!(g(), "It is ready.") } }"#,
    ] {
        assert_eq!(misplaced(&[Source::new("core/x.rs", text)], &[]).0, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn an_excuse_is_for_its_place_and_must_be_needed() {
    let file = |path: &str| Source::new(path, r#"const A: &str = "out of memory";"#);
    let excuse = [("core/cause.rs", "out of", "said by others")];
    assert_eq!(misplaced(&[file("core/cause.rs")], &excuse), (Vec::new(), Vec::new()));
    let (found, unused) = misplaced(&[file("core/other.rs")], &excuse);
    assert_eq!((found.len(), unused.len()), (1, 1));
}
