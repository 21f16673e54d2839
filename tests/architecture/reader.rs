//! Reads Rust, as far as the architecture test needs it: words and signs, what is production code, paths, panics.

/// What a token is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Word(String),
    Sign(char),
    /// `::`
    Colons,
    /// What is between the quotes of a literal text, as it is written.
    Text(String),
    /// Any other literal, or a lifetime.
    Other,
}

/// A word or sign and where it stands.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
}

impl Token {
    pub fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }
}

/// Words, signs and literals; comments are gone.
pub fn lex(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let start = i;
        let kind = match at(i) {
            c if c.is_whitespace() => {
                i += 1;
                None
            }
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
                None
            }
            '/' if at(i + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        _ => i += 1,
                    }
                    if depth == 0 || i >= chars.len() {
                        break;
                    }
                }
                None
            }
            '"' => {
                i = quoted(&chars, i + 1, '"');
                Some(Kind::Text(chars[start + 1..(i - 1).min(chars.len())].iter().collect()))
            }
            '\'' => {
                // A lifetime is a quote and a word without a second quote right after one character.
                if at(i + 1) != '\\' && at(i + 2) != '\'' {
                    i += 1;
                    while at(i).is_alphanumeric() || at(i) == '_' {
                        i += 1;
                    }
                } else {
                    i = quoted(&chars, i + 1, '\'');
                }
                Some(Kind::Other)
            }
            c if c.is_alphanumeric() || c == '_' => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
                let word: String = chars[start..i].iter().collect();
                let raw = matches!(word.as_str(), "r" | "br" | "cr");
                if raw && (at(i) == '"' || (at(i) == '#' && matches!(at(i + 1), '"' | '#'))) {
                    i = raw_quoted(&chars, i);
                    let text: String = chars[start..i.min(chars.len())].iter().collect();
                    Some(Kind::Text(text.trim_start_matches(['b', 'c', 'r', '#']).trim_matches(['"', '#']).to_owned()))
                } else if word == "r" && at(i) == '#' {
                    i += 1; // r#type: the word itself follows
                    None
                } else if matches!(word.as_str(), "b" | "c") && at(i) == '"' {
                    i = quoted(&chars, i + 1, '"');
                    Some(Kind::Other)
                } else if word == "b" && at(i) == '\'' {
                    i = quoted(&chars, i + 1, '\'');
                    Some(Kind::Other)
                } else if c.is_numeric() {
                    Some(Kind::Other)
                } else {
                    Some(Kind::Word(word))
                }
            }
            ':' if at(i + 1) == ':' => {
                i += 2;
                Some(Kind::Colons)
            }
            c => {
                i += 1;
                Some(Kind::Sign(c))
            }
        };
        tokens.extend(kind.map(|kind| Token { kind, line }));
        line += chars[start..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

/// Where a quoted text ends; `i` is behind its first quote.
fn quoted(chars: &[char], mut i: usize, quote: char) -> usize {
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// The same for `"…"` or `#"…"#` behind an `r`.
fn raw_quoted(chars: &[char], mut i: usize) -> usize {
    let mut hashes = 0;
    while chars.get(i) == Some(&'#') {
        (hashes, i) = (hashes + 1, i + 1);
    }
    i += 1;
    while i < chars.len() {
        if chars[i] == '"' && (0..hashes).all(|n| chars.get(i + 1 + n) == Some(&'#')) {
            return i + 1 + hashes;
        }
        i += 1;
    }
    i
}

/// The tokens without items under `#[cfg(test)]`, and the names that `#[cfg(test)] mod name;` declares.
pub fn production(tokens: Vec<Token>) -> (Vec<Token>, Vec<String>) {
    let mut kept = Vec::new();
    let mut tests = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if !tokens[i].is('#') {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        let inner = tokens.get(i + 1).is_some_and(|token| token.is('!'));
        let end = group_end(&tokens, i + 1 + usize::from(inner));
        let is_test = is_cfg_test(&tokens[i..end]);
        if is_test && inner {
            return (Vec::new(), tests);
        }
        if !is_test {
            kept.extend_from_slice(&tokens[i..end]);
            i = end;
            continue;
        }
        // The attributes that follow, then the item itself.
        i = end;
        while tokens.get(i).is_some_and(|token| token.is('#')) {
            i = group_end(&tokens, i + 1);
        }
        let item = i;
        let is_use = tokens[item..].iter().take(4).any(|token| token.is_word("use"));
        while i < tokens.len() {
            if tokens[i].is(';') {
                i += 1;
                break;
            }
            let opens = ['{', '(', '['].iter().any(|sign| tokens[i].is(*sign));
            let block = tokens[i].is('{') && !is_use;
            i = if opens { group_end(&tokens, i) } else { i + 1 };
            if block {
                break;
            }
        }
        if let Some(name) = declared_module(&tokens[item..i]) {
            tests.push(name);
        }
    }
    (kept, tests)
}

/// `cfg(test)`, or `cfg(all(test, …))`.
fn is_cfg_test(attribute: &[Token]) -> bool {
    let words: Vec<&str> = attribute
        .iter()
        .filter_map(|token| match &token.kind {
            Kind::Word(word) => Some(word.as_str()),
            _ => None,
        })
        .collect();
    matches!(words.as_slice(), ["cfg", "test", ..] | ["cfg", "all", "test", ..])
}

fn declared_module(item: &[Token]) -> Option<String> {
    let place = item.iter().position(|token| token.is_word("mod"))?;
    match (&item.get(place + 1)?.kind, item.get(place + 2)?) {
        (Kind::Word(name), end) if end.is(';') => Some(name.clone()),
        _ => None,
    }
}

/// Behind the bracket that closes the one at `i`; all kinds are counted as one, since sources balance.
fn group_end(tokens: &[Token], mut i: usize) -> usize {
    let mut depth = 0;
    while i < tokens.len() {
        match tokens[i].kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        i += 1;
        if depth == 0 {
            break;
        }
    }
    i
}

/// All paths of two words or more, with the line of their first word. Those into our own crate start with `crate`; groups are
/// taken apart, so `use std::{fs, env};` is two paths.
pub fn paths(tokens: &[Token], module: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    // Names of inline modules around, with the depth of their braces.
    let mut inline: Vec<(String, usize)> = Vec::new();
    let (mut depth, mut i) = (0_usize, 0);
    while i < tokens.len() {
        match &tokens[i].kind {
            Kind::Sign('{') => depth += 1,
            Kind::Sign('}') => {
                depth = depth.saturating_sub(1);
                inline.retain(|(_, own)| *own <= depth);
            }
            Kind::Word(word) if word == "mod" => {
                if let (Some(Kind::Word(name)), Some(true)) =
                    (tokens.get(i + 1).map(|token| &token.kind), tokens.get(i + 2).map(|token| token.is('{')))
                {
                    inline.push((name.clone(), depth + 1));
                }
            }
            Kind::Word(_) => {
                let mut expanded = Vec::new();
                let end = expand(tokens, i, &[], &mut expanded);
                let own: Vec<String> =
                    module.iter().cloned().chain(inline.iter().map(|(name, _)| name.clone())).collect();
                let leads = end > i + 1 || (i > 0 && tokens[i - 1].is_word("use"));
                if leads {
                    found.extend(expanded.into_iter().map(|path| (tokens[i].line, resolve(path, &own))));
                }
                i = end;
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Takes the path or the tree of a `use` at `i` apart; gives where it ends.
fn expand(tokens: &[Token], mut i: usize, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match tokens.get(i).map(|token| &token.kind) {
            Some(Kind::Word(word)) => {
                // `a::{self}` is `a`
                if word != "self" || path.is_empty() {
                    path.push(word.clone());
                }
                i += 1;
            }
            Some(Kind::Sign('*')) if !path.is_empty() => {
                path.push("*".to_owned());
                i += 1;
            }
            Some(Kind::Sign('{')) => {
                i += 1;
                while i < tokens.len() && !tokens[i].is('}') {
                    let next = expand(tokens, i, &path, found);
                    i = next.max(i + 1);
                    // `name as other`
                    while i < tokens.len() && !tokens[i].is(',') && !tokens[i].is('}') {
                        i += 1;
                    }
                    if tokens.get(i).is_some_and(|token| token.is(',')) {
                        i += 1;
                    }
                }
                return i + 1;
            }
            _ => break,
        }
        match tokens.get(i).map(|token| &token.kind) {
            Some(Kind::Colons) if !matches!(tokens.get(i + 1).map(|token| &token.kind), Some(Kind::Sign('<'))) => {
                i += 1
            }
            _ => break,
        }
    }
    if path.len() > prefix.len() || !prefix.is_empty() {
        found.push(path);
    }
    i
}

/// `self`, `super` and our own name become `crate`.
fn resolve(path: Vec<String>, module: &[String]) -> Vec<String> {
    let supers = path.iter().take_while(|word| *word == "super").count();
    let (base, rest) = match path.first().map(String::as_str) {
        Some("palyra_tray") => (&module[..0], &path[1..]),
        Some("self") => (module, &path[1..]),
        Some("super") => (&module[..module.len().saturating_sub(supers)], &path[supers..]),
        _ => return path,
    };
    ["crate".to_owned()].into_iter().chain(base.iter().cloned()).chain(rest.iter().cloned()).collect()
}

/// Calls and macros that end the process.
pub fn panics(tokens: &[Token]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for window in tokens.windows(3) {
        if let [first, second, third] = window {
            let name = |token: &Token, names: &[&'static str]| names.iter().copied().find(|name| token.is_word(name));
            if first.is('.')
                && third.is('(')
                && let Some(name) = name(second, &["unwrap", "expect", "unwrap_err", "expect_err"])
            {
                found.push((second.line, format!(".{name}()")));
            }
            if second.is('!')
                && (third.is('(') || third.is('{') || third.is('['))
                && let Some(name) = name(first, &["panic", "todo", "unimplemented"])
            {
                found.push((first.line, format!("{name}!")));
            }
        }
    }
    found
}
