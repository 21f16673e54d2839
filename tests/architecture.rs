//! Who may import whom, what the core may not know, that production code never ends the process by a panic, and that what a
//! person reads is in `src/words`.
//!
//! Reads the sources as text: comments, literals and everything under `#[cfg(test)]` are left out, `crate::`, `self::` and
//! `super::` paths are resolved, and each must be an arrow that [`allowed`] knows. Limits: a path through a re-export or a
//! macro is not followed, so modules re-export nothing of others.

use std::path::Path;

use reader::{lex, panics, paths, production};

#[path = "architecture/reader.rs"]
mod reader;
#[path = "architecture/sentences.rs"]
mod sentences;

/// Shell modules that every other shell module may use. Each needs a reason, and may use none of the others itself.
///
/// `store`: private directories, atomic and appended files; a second way to write files would be a second set of mistakes.
///
/// `memory`: giving back what a start needed; agent and shim do the same.
const SHARED_IN_SHELL: &[&str] = &["memory", "store"];

/// Shell modules that the checks look through. A second way to tell who holds a lock or a port, or whether a remote gateway is
/// to be trusted, would one day tell something else than the part that acts on it.
const LOOKED_THROUGH_BY_DOCTOR: &[&str] = &["lock", "process", "gateway"];

/// What the command line may use of the shell: it asks the running agent, or becomes it; and what needs no agent at all:
/// dialogs, start on login, checks, the preferences, the set-up's own record, and Palyra's export for a support bundle.
const SHELL_OF_THE_COMMAND_LINE: &[&str] =
    &["autostart", "control", "dialog", "doctor", "lock", "logging", "palyra_cli", "settings", "store"];

/// What the core may not name, as path prefixes. The world is an argument there.
const CORE_BANS: &[&str] = &[
    "std::time::Instant",
    "std::time::SystemTime",
    "std::env",
    "std::fs",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    // The order of these differs from run to run, and so would the effects.
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
    "std::hash::RandomState",
    "tokio",
    "zbus",
    "rand",
    "getrandom",
    "reqwest",
    "nix",
];

#[test]
fn every_import_is_an_arrow_that_is_allowed() {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 5, "the sources are not where they should be");
    let found = violations(&files);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// A part of the crate between which arrows run.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Main,
    /// `lib.rs`: declares the parts, uses none.
    Lib,
    Cli,
    Config,
    Paths,
    Protocol,
    Core,
    /// `shell/mod.rs`: declares the shell's modules.
    ShellRoot,
    Run,
    Shell(String),
    Tray,
    Demo,
    /// What a person reads: nothing but words, for everybody.
    Words,
    Unknown(String),
}

impl Part {
    fn of(module: &[String]) -> Self {
        let first = module.first().map_or("", String::as_str);
        match (first, module.get(1).map(String::as_str)) {
            ("", _) => Self::Lib,
            ("main", _) => Self::Main,
            ("cli", _) => Self::Cli,
            ("config", _) => Self::Config,
            ("paths", _) => Self::Paths,
            ("protocol", _) => Self::Protocol,
            ("core", _) => Self::Core,
            ("tray", _) => Self::Tray,
            ("demo", _) => Self::Demo,
            ("words", _) => Self::Words,
            ("shell", None) => Self::ShellRoot,
            ("shell", Some("run")) => Self::Run,
            ("shell", Some(name)) => Self::Shell(name.to_owned()),
            (other, _) => Self::Unknown(other.to_owned()),
        }
    }
}

/// The arrows of the crate.
fn allowed(from: &Part, to: &Part) -> bool {
    use Part::*;
    if from == to || *to == Words {
        return true;
    }
    match from {
        Main => matches!(to, Cli | ShellRoot | Run | Shell(_) | Tray | Demo),
        Cli => match to {
            Core | Protocol | Config | Paths | Run => true,
            Shell(name) => SHELL_OF_THE_COMMAND_LINE.contains(&name.as_str()),
            _ => false,
        },
        Run => matches!(to, Core | Shell(_) | Tray | Protocol | Config | Paths),
        Shell(name) => match to {
            Core | Protocol | Config | Paths => true,
            // the two halves of the shim contract
            Shell(other) if name == "process" && other == "shim" => true,
            Shell(other) if name == "doctor" => {
                LOOKED_THROUGH_BY_DOCTOR.contains(&other.as_str()) || SHARED_IN_SHELL.contains(&other.as_str())
            }
            Shell(other) => SHARED_IN_SHELL.contains(&other.as_str()) && !SHARED_IN_SHELL.contains(&name.as_str()),
            _ => false,
        },
        Tray => matches!(to, Core | Protocol | Config),
        Core => matches!(to, Protocol | Config),
        Demo => matches!(to, Protocol | Core),
        Config => matches!(to, Protocol | Paths),
        Paths => matches!(to, Protocol | Config),
        Lib | ShellRoot | Protocol | Words | Unknown(_) => false,
    }
}

/// One source file: its path below `src`, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn module(&self) -> Vec<String> {
        let mut parts: Vec<String> =
            self.path.trim_end_matches(".rs").split('/').map(|part| part.trim_start_matches("r#").to_owned()).collect();
        if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
            parts.pop();
        }
        parts
    }
}

/// All `.rs` files below a folder, in a fixed order.
fn sources(root: &Path) -> Vec<Source> {
    let mut folders = vec![root.to_path_buf()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable source folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root).expect("a path below the root");
                let name = below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
                files.push(Source { path: name, text: std::fs::read_to_string(&path).expect("UTF-8") });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// What is wrong, one line each, as `src/file.rs:LINE: what`.
fn violations(files: &[Source]) -> Vec<String> {
    let mut parsed = Vec::new();
    let mut test_modules: Vec<Vec<String>> = Vec::new();
    // Such a file is declared by `#[cfg(test)] #[path]`, which hides its name from the reader.
    for file in files.iter().filter(|file| !file.path.ends_with("_tests.rs")) {
        let module = file.module();
        let (tokens, tests) = production(lex(&file.text));
        test_modules.extend(tests.into_iter().map(|name| child(&module, &name)));
        parsed.push((file, module, tokens));
    }
    // Declared by `#[cfg(test)] mod name;`: the file is a test from its first line.
    parsed.retain(|(_, module, _)| !test_modules.iter().any(|test| module.starts_with(test)));

    let mut found = Vec::new();
    for (file, module, tokens) in &parsed {
        let mut report = |line: usize, what: String| found.push(format!("src/{}:{line}: {what}", file.path));
        let from = Part::of(module);
        if let Part::Unknown(name) = &from {
            report(1, format!("`{name}` is no part of the crate's map; give it a place in tests/architecture.rs"));
        }
        for (line, path) in paths(tokens, module) {
            match path.split_first() {
                Some((root, target)) if root == "crate" && !target.is_empty() => {
                    // An item of `shell` itself and a module in it look alike; only a module is a part.
                    let to = Part::of(target);
                    let to = match &to {
                        Part::Shell(name) if !is_module(files, &["shell", name]) => Part::ShellRoot,
                        _ => to,
                    };
                    // Items at the root of the crate belong to nobody.
                    let known = !matches!(to, Part::Unknown(_)) || is_module(files, &[&target[0]]);
                    if known && !allowed(&from, &to) {
                        report(line, format!("{from:?} may not use {to:?} (crate::{})", target.join("::")));
                    }
                }
                _ if from == Part::Core => {
                    let name = path.join("::");
                    if let Some(ban) = core_ban(&name) {
                        report(line, format!("the core may not know {ban} ({name})"));
                    }
                }
                _ => {}
            }
        }
        for (line, what) in panics(tokens) {
            report(line, format!("{what} ends the process; return an error"));
        }
    }
    found
}

fn is_module(files: &[Source], path: &[&str]) -> bool {
    files.iter().any(|file| {
        let module = file.module();
        module.len() >= path.len() && module.iter().zip(path).all(|(a, b)| a == b)
    })
}

fn core_ban(name: &str) -> Option<&'static str> {
    // The module itself, or all that is in it, would let the banned items in by another name.
    if matches!(name, "std" | "std::*" | "std::time" | "std::time::*" | "std::collections" | "std::collections::*") {
        return Some("a whole module of std that holds banned items");
    }
    CORE_BANS
        .iter()
        .copied()
        .find(|ban| name.strip_prefix(ban).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")))
}

fn child(module: &[String], name: &str) -> Vec<String> {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

// --- that all of this can fail ---

/// What is wrong with these files, beside modules that are there so that names are modules.
fn check(files: &[(&str, &str)]) -> Vec<String> {
    let mut all: Vec<Source> = files.iter().map(|(path, text)| Source::new(path, text)).collect();
    for path in [
        "lib.rs",
        "config.rs",
        "paths.rs",
        "protocol/mod.rs",
        "core/mod.rs",
        "shell/mod.rs",
        "shell/run.rs",
        "shell/control.rs",
        "shell/lock.rs",
        "shell/shim/mod.rs",
        "shell/shim/log.rs",
        "tray/mod.rs",
        "demo/mod.rs",
        "cli/mod.rs",
        "words/mod.rs",
    ] {
        if !files.iter().any(|(own, _)| *own == path) {
            all.push(Source::new(path, ""));
        }
    }
    violations(&all)
}

#[test]
fn arrows_of_the_map_are_let_through() {
    let found = check(&[
        ("main.rs", "use palyra_tray::{cli, shell::{run, shim}, tray, demo};"),
        ("cli/status.rs", "use crate::protocol::Request; use crate::shell::control::{self, Client}; use super::args;"),
        ("shell/run.rs", "use crate::{core::agent, shell::{lock, shim}, tray, protocol::Event, config::Config};"),
        ("shell/lock.rs", "use crate::core::view::View; use crate::paths::Paths; fn f() -> self::Lock { Lock }"),
        ("shell/shim/mod.rs", "mod log; use log::Writer; use self::log::Limits; use crate::protocol::shim::Spec;"),
        ("shell/shim/log.rs", "use super::Spec; use crate::shell::shim::Limits; use std::fs::File;"),
        ("tray/mod.rs", "use crate::core::view::View; use crate::protocol::Action;"),
        ("config.rs", "use crate::words;"),
        (
            "core/mod.rs",
            "use crate::protocol::Action; use crate::words; use std::{time::Duration, collections::{BTreeMap, VecDeque}};",
        ),
        ("demo/gateway.rs", "use crate::protocol::shim; use crate::core::record; use tokio::net::TcpListener;"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_other_arrow_is_found() {
    let bad = [
        ("main.rs", "use palyra_tray::core::agent;", "Main may not use Core"),
        ("cli/status.rs", "use crate::shell::shim;", "Cli may not use Shell(\"shim\")"),
        ("cli/status.rs", "use crate::tray;", "Cli may not use Tray"),
        ("shell/lock.rs", "use crate::shell::control::write;", "Shell(\"lock\") may not use Shell(\"control\")"),
        (
            "shell/lock.rs",
            "fn f() { crate::shell::control::write() }",
            "Shell(\"lock\") may not use Shell(\"control\")",
        ),
        ("shell/lock.rs", "use super::control;", "Shell(\"lock\") may not use Shell(\"control\")"),
        ("shell/shim/log.rs", "use super::super::lock::Lock;", "Shell(\"shim\") may not use Shell(\"lock\")"),
        ("shell/lock.rs", "mod inner { use super::super::control; }", "Shell(\"lock\") may not use Shell(\"control\")"),
        ("shell/lock.rs", "use crate::{config::Config, shell::{shim}};", "Shell(\"lock\") may not use Shell(\"shim\")"),
        ("shell/lock.rs", "use crate::shell::run;", "Shell(\"lock\") may not use Run"),
        ("shell/lock.rs", "use crate::shell::Shared;", "Shell(\"lock\") may not use ShellRoot"),
        ("shell/lock.rs", "use crate::tray::Tray;", "Shell(\"lock\") may not use Tray"),
        ("tray/menu.rs", "use crate::shell::control;", "Tray may not use Shell(\"control\")"),
        ("core/agent.rs", "use crate::shell::run::Loop;", "Core may not use Run"),
        ("core/agent.rs", "use crate::demo;", "Core may not use Demo"),
        ("protocol/mod.rs", "use crate::config::Config;", "Protocol may not use Config"),
        ("demo/mod.rs", "use crate::shell::shim;", "Demo may not use Shell(\"shim\")"),
        ("demo/mod.rs", "use crate::cli;", "Demo may not use Cli"),
        ("words/menu.rs", "use crate::core::view::View;", "Words may not use Core"),
        ("util.rs", "", "`util` is no part of the crate's map"),
    ];
    for (path, text, expected) in bad {
        let found = check(&[(path, text)]);
        assert!(
            found.len() == 1 && found[0].starts_with(&format!("src/{path}:1: ")) && found[0].contains(expected),
            "{path}: {text}\nexpected: {expected}\nfound: {found:?}"
        );
    }
}

#[test]
fn the_core_is_kept_from_the_world() {
    let bad = [
        "use std::time::Instant;",
        "use std::time::{Duration, SystemTime};",
        "use std::time;",
        "use std::time::*;",
        "fn f() -> bool { std::env::var_os(\"HOME\").is_some() }",
        "use std::{fmt, fs};",
        "use std::process::Command;",
        "use std::thread;",
        "use std::collections::HashMap;",
        "use std::collections::{BTreeMap, hash_map::Entry};",
        "fn f() -> std::collections::HashSet<u8> { todo() }",
        "use tokio::sync::mpsc;",
        "use zbus;",
        "fn f() { rand::random::<u8>(); }",
    ];
    for text in bad {
        let found = check(&[("core/service.rs", text)]);
        assert!(found.len() == 1 && found[0].contains("the core may not know"), "{text}: {found:?}");
        // Everybody else may, as far as this test goes.
        assert_eq!(check(&[("shell/lock.rs", text)]), Vec::<String>::new(), "{text}");
    }
    for text in ["use std::time::Duration;", "/* std::fs */ // tokio::spawn\nconst A: &str = \"std::env::var\";"] {
        assert_eq!(check(&[("core/service.rs", text)]), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn panics_are_found_in_production_code_only() {
    for text in ["x.unwrap()", "x\n.expect(\"y\")", "panic!(\"no\")", "todo!()", "unimplemented!{}"] {
        let source = format!("fn f() {{ {text}; }}");
        let found = check(&[("shell/lock.rs", &source)]);
        assert!(found.len() == 1 && found[0].contains("ends the process"), "{text}: {found:?}");
    }
    let fine = r##"
        // x.unwrap()
        /* panic!() /* nested */ still todo!() */
        #[expect(unsafe_code, reason = "x.unwrap()")]
        fn f<'a>(x: &'a str) -> u8 { x.unwrap_or(b'"'); x.unwrap_or_default(); r#"y.unwrap()"#; '\''; '"'; 1 }
        #[cfg(test)]
        use std::{fs, env};
        #[cfg(test)]
        #[derive(Debug)]
        struct OnlyThere { x: u8 }
        #[cfg(all(test, unix))]
        fn helper() { x.unwrap() }
        #[cfg(test)]
        mod tests { fn f() { if true { x.unwrap(); } panic!() } }
        fn last() {}
    "##;
    assert_eq!(check(&[("shell/lock.rs", fine)]), Vec::<String>::new());
    // What follows a test module counts again, on its own line.
    let after = "#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { x.unwrap() }";
    assert_eq!(
        check(&[("shell/lock.rs", after)]),
        ["src/shell/lock.rs:3: .unwrap() ends the process; return an error"]
    );
    // The same for code that is there without tests.
    assert_eq!(check(&[("shell/lock.rs", "#[cfg(not(test))]\nfn g() { x.unwrap() }")]).len(), 1);
    assert_eq!(check(&[("shell/lock.rs", "#[cfg(any(test, unix))]\nfn g() { x.unwrap() }")]).len(), 1);
}

#[test]
fn a_file_that_is_a_test_module_is_left_out() {
    let files = [
        ("core/mod.rs", "#[cfg(test)]\nmod simulate;"),
        ("core/simulate.rs", "use std::fs; fn f() { x.unwrap() }"),
        ("core/simulate/script.rs", "use std::fs;"),
    ];
    assert_eq!(check(&files), Vec::<String>::new());
    let files = [("core/mod.rs", "mod simulate;"), ("core/simulate.rs", "use std::fs;")];
    assert_eq!(check(&files).len(), 1);
}
