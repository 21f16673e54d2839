//! The manual page, and what a person is told to type, against the commands and options that there are; and what these
//! say of themselves against `words::help`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../packaging/palyra-tray.1");

/// One entry of the page: the words of its first line, and the long options anywhere in it.
struct Entry {
    tag: BTreeSet<String>,
    options: BTreeSet<String>,
}

/// Words without markup and punctuation.
fn words(text: &str) -> BTreeSet<String> {
    let plain = text.replace("\\-", "-").replace("\\fI", " ").replace("\\fR", " ").replace("\\fB", " ");
    let splits = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
    plain.split(splits).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The entries of the section of commands.
fn entries() -> Vec<Entry> {
    let section = PAGE.split("\n.SH ").find(|section| section.starts_with("COMMANDS\n")).unwrap();
    let ends = |line: &str| [".TP", ".SS", ".PP"].iter().any(|macro_| line.starts_with(macro_));
    let lines: Vec<_> = section.lines().collect();
    lines
        .split(|line| ends(line))
        .skip(1)
        .filter_map(|entry| {
            let (tag, _) = entry.split_first()?;
            let options =
                words(&entry.join(" ")).into_iter().filter_map(|word| Some(word.strip_prefix("--")?.to_owned()));
            Some(Entry { tag: words(tag), options: options.collect() })
        })
        .collect()
}

/// Every command that is no mere group, as the words that lead to it, with its long options.
fn commands() -> Vec<(Vec<String>, BTreeSet<String>)> {
    fn walk(command: &clap::Command, path: &[String], found: &mut Vec<(Vec<String>, BTreeSet<String>)>) {
        let shown: Vec<_> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
        for sub in &shown {
            let mut path = path.to_vec();
            path.push(sub.get_name().to_owned());
            walk(sub, &path, found);
        }
        if shown.is_empty() {
            let options = command.get_arguments().filter(|argument| !argument.is_hide_set());
            let long = options.filter_map(|argument| argument.get_long().map(str::to_owned));
            found.push((path.to_vec(), long.collect()));
        }
    }
    let mut found = Vec::new();
    walk(&super::command(), &[], &mut found);
    found
}

#[test]
fn every_command_and_option_is_in_the_manual_page_and_nothing_else() {
    let (entries, commands) = (entries(), commands());
    assert!(commands.len() > 10 && entries.len() > 10, "the page or the commands were not understood");
    let covers = |entry: &Entry, path: &[String]| path.iter().all(|word| entry.tag.contains(word));
    let mut wrong = Vec::new();
    for (path, options) in &commands {
        let of_it: Vec<_> = entries.iter().filter(|entry| covers(entry, path)).collect();
        if of_it.is_empty() {
            wrong.push(format!("not in the page: {}", path.join(" ")));
            continue;
        }
        for option in options {
            if !of_it.iter().any(|entry| entry.options.contains(option)) {
                wrong.push(format!("not in the page: {} --{option}", path.join(" ")));
            }
        }
    }
    for entry in &entries {
        let of_it: Vec<_> = commands.iter().filter(|(path, _)| covers(entry, path)).collect();
        if of_it.is_empty() && !entry.tag.contains("help") && !entry.tag.iter().all(|word| *word == "Palyra") {
            wrong.push(format!("in the page, but no command: {:?}", entry.tag));
        }
        for option in entry.options.iter().filter(|option| *option != "help") {
            if !of_it.iter().any(|(_, options)| options.contains(option)) {
                wrong.push(format!("in the page, but no option of {:?}: --{option}", entry.tag));
            }
        }
    }
    assert!(wrong.is_empty(), "packaging/palyra-tray.1 and the command line differ:\n{}", wrong.join("\n"));
}

/// What follows each "palyra-tray " in a text: the words up to the first that cannot be one of a command line.
fn named(text: &str) -> Vec<Vec<&str>> {
    let word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'));
    let mut named = Vec::new();
    for rest in text.split("palyra-tray ").skip(1) {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_ ".contains(c))).unwrap_or(rest.len());
        named.push(rest[..end].split(' ').take_while(word).filter(|word| !word.is_empty()).collect());
    }
    named
}

/// Whether these words begin with a command, and its subcommand where it has some; and every option is one of it.
fn exists(words: &[&str]) -> bool {
    let mut command = super::command();
    let mut words = words.iter();
    while command.has_subcommands() {
        let Some(found) = words.next().and_then(|word| command.find_subcommand(word)) else { return false };
        command = found.clone();
    }
    words
        .filter_map(|word| word.strip_prefix("--"))
        .all(|option| command.get_arguments().any(|argument| argument.get_long() == Some(option)))
}

#[test]
fn what_a_person_is_told_to_type_exists() {
    assert!(exists(&["approvals", "list"]) && exists(&["quit", "--keep-running"]));
    assert!(!exists(&["approvals"]) && !exists(&["quit", "--keep"]) && !exists(&["repair"]));
    let (mut seen, mut wrong) = (0, Vec::new());
    for (path, source) in sources("words") {
        // a literal that goes on in the next line is one text; the systemd unit has our name
        let text = source.replace("\\\n", " ").replace("-u palyra-tray", "").replace("{task}", "enroll");
        let all = named(&text).into_iter().filter(|words| !matches!(words.as_slice(), [] | ["command", ..]));
        for words in all {
            seen += 1;
            if !exists(&words) {
                wrong.push(format!("{}: palyra-tray {}", path.display(), words.join(" ")));
            }
        }
    }
    assert!(seen > 100, "the texts were not understood: {seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files in a folder of `src`, at any depth.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let (mut folders, mut sources) = (vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let source = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
                sources.push((path, source));
            }
        }
    }
    sources
}

/// Every text that clap shows as help, with where it belongs. A command or an argument without one has an empty one.
fn help_texts(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
    let path = format!("{path}{} ", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let further = [
        command.get_long_about(),
        command.get_before_help(),
        command.get_before_long_help(),
        command.get_after_help(),
        command.get_after_long_help(),
    ];
    let further = further.into_iter().flatten().map(ToString::to_string);
    found.extend([about].into_iter().chain(further).map(|text| (path.clone(), text)));
    for argument in command.get_arguments() {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let values = argument.get_possible_values();
        let further = values.iter().filter_map(|value| value.get_help()).chain(argument.get_long_help());
        let further = further.map(ToString::to_string).chain(argument.get_help_heading().map(str::to_owned));
        let path = format!("{path}{}", argument.get_id());
        found.extend([help].into_iter().chain(further).map(|text| (path.clone(), text)));
    }
    for sub in command.get_subcommands() {
        help_texts(sub, &path, found);
    }
}

#[test]
fn every_help_text_is_a_constant_of_the_words_and_each_of_these_is_one() {
    let words = include_str!("../words/help.rs").replace("\r\n", "\n");
    let constants: BTreeSet<String> = words
        .split("\npub const ")
        .skip(1)
        .map(|constant| {
            let literal = constant.split_once('"').and_then(|(_, rest)| rest.rsplit_once("\";")).unwrap().0;
            // as the compiler joins a literal that goes on in the next line
            literal.split("\\\n").enumerate().map(|(i, part)| if i == 0 { part } else { part.trim_start() }).collect()
        })
        .collect();
    let mut shown = Vec::new();
    help_texts(&super::command(), "", &mut shown);
    let mut wrong: Vec<_> = shown
        .iter()
        .filter(|(_, text)| !constants.contains(text))
        .map(|(path, text)| format!("not in words/help.rs: {path}: {text:?}"))
        .collect();
    let unused = constants.iter().filter(|constant| !shown.iter().any(|(_, text)| text == *constant));
    wrong.extend(unused.map(|constant| format!("nothing shows {constant:?}")));
    // clap takes help from doc comments, too: one that reads like a constant would not follow it into another language
    for (path, source) in sources("cli") {
        let lines: Vec<_> = source.lines().map(|line| line.trim().strip_prefix("///").map(str::trim)).collect();
        let docs = lines.split(Option::is_none).map(|doc| doc.iter().flatten().copied().collect::<Vec<_>>().join(" "));
        let docs: BTreeSet<_> = docs.map(|doc| doc.trim_end_matches('.').to_owned()).collect();
        let copied = |text: &&String| docs.contains(*text) || source.contains(&format!("\"{text}\""));
        wrong.extend(constants.iter().filter(copied).map(|text| format!("{}: a copy: {text:?}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
