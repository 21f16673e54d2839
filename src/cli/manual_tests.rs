//! The manual page against the commands and options that there are: each way round.

use std::collections::BTreeSet;

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
