//! Thirty secrets, each different, are planted wherever secrets come by: config, environment, store, drafts and answers of the
//! model, log lines. Afterwards none of them may be found on any surface.
//!
//! What somebody asked for is no such surface: `send` prints the answer as it came, `drafts show` a draft as it was written.
//! Of both, notifications, menu, lists, logs, JSON and bundle show nothing that is a secret. In Palyra's own books and in the
//! person's own words on the disk (`state.json`, mode 0600) they stand as they were said.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use palyra_tray::config::{Environment, Paths};
use palyra_tray::protocol::{Reply, Request};
use palyra_tray::shell::control;
use serde_json::{Value, json};

use super::agent::{PATIENCE, Site, files};
use super::keyring::Session;

/// Kinds of secrets that somebody gave the agent to know: by its config, its environment or its own store. They are hidden
/// wherever they stand, in every form.
const KNOWN: &[(&str, &str)] = &[
    ("browser token of the config", "bt-9fK2xQ7mZr4Lw8Vn3Hs6"),
    ("OpenAI key of the config", "planted+openai/9aXk2mQ7"),
    ("Anthropic key of the config", "planted?anthropic&4Zr8Lw"),
    ("Discord token of the config", "MTA5planted.Gq3dXy.7VbNkR2sLw0"),
    ("password of an address in the config", "pa55/wo+rd-9x"),
    ("key in a list of the config", "planted-listed-k3y-01"),
    ("OpenAI key of the environment", "envplanted-openai-77Qz"),
    ("secret of the environment", "env planted \"quoted\" \\ 5ecret"),
    ("password of the environment", "p@ss:w/rd äöü 99"),
    ("token of the environment", "envplanted-token-Zq81"),
    ("AWS secret of the environment", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYplantedK"),
];

/// What is known by its shape or by what stands around it: the line of a log that it stands in, with `{}` for it.
const SHAPED: &[(&str, &str, &str)] = &[
    (
        "session cookie",
        "c00kie-3nVq8Lx2Rk7Zs9Wd4Hf6Tb1Yp5Mg0Ja_planted",
        "Set-Cookie: palyra_console_session={}; Path=/",
    ),
    ("cookie of a request", "c00kie-planted-two-8Kq", "> Cookie: a=b; palyra_console_session={}"),
    ("CSRF token", "csrf-planted-5Rk7Zs9Wd4Hf6", "x-palyra-csrf-token: {}"),
    ("CSRF token in JSON", "csrf-planted-json-4Hf6", r#"{"ok":true,"csrf_token":"{}","n":1}"#),
    ("hand-off", "hand0ff-planted-9Wd4Hf6Tb1", "GET /console/v1/auth/browser-handoff?desktop_handoff_token={}&x=1"),
    ("hand-off, encoded", "hand0ff-planted-enc-6Tb1", "to=%2Fa%3Fdesktop_handoff_token%3D{}%26y%3D2"),
    ("bearer header", "bearer.planted-7Zs9Wd4Hf6", "-H 'Authorization: Bearer {}' -v"),
    ("bearer in prose", "bearerplanted~prose-1Yp5", "sent with Bearer {} to it"),
    ("basic header", "dXNlcjpwbGFudGVkOTk=", "Proxy-Authorization: Basic {}"),
    ("web token", "eyJhbGciOiJIUzI1NiJ9.eyJwbGFudGVkIjoxfQ.c2lnbmF0dXJlLXBs", "it has {} in it"),
    ("password in an address", "url-planted-pw-3Kd8", "connect postgres://ada:{}@db.example/x failed"),
    ("OpenAI key by its shape", "sk-proj-plantedABCDEFGH0123456789", "using {} now"),
    ("Slack token by its shape", "xoxb-123456789012-plantedAbC", "using {} now"),
    ("GitHub token by its shape", "ghp_plantedABCDEFGHIJKLMNOPQRSTUV0123", "using {} now"),
    ("AWS key id by its shape", "AKIAPLANTED7EXAMPLE0", "using {} now"),
    ("password in a structure", "struct-planted-pw", "Login { user: \"ada\", password: Some(\"{}\") }"),
    ("secret behind escapes", "esc-planted-5ecret", r#"{"m":"{\"client_secret\":\"{}\",\"n\":1}"}"#),
];

/// A part of each line of a key block.
const KEY_BLOCK: [&str; 3] = [
    "MIIEplantedBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us",
    "8cKjMzEfYyjiWA4R4plantedM2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJ",
    "lastplantedline9QE=",
];

/// As the gateway makes them; only what is sent to others hides these without a word around them.
const DRAWN_BY_LOT: [&str; 2] =
    ["Zk3vT0aQ9sLw2XbNf7RyUe4HcJ1mPoDiG5tKqV8xS6c", "7QK2M9ZC4T1XV8B5N3HR6PDWGEJ0SFYA7QK2M9ZC4T1XV8B5N3HP"];

/// Without capitals among its own digits, as some write it.
fn lower_percent(text: &str) -> String {
    let upper = percent(text);
    let mut parts = upper.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        out.push_str(&format!("%{}{rest}", digits.to_lowercase()));
    }
    out
}

fn percent(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn escaped(text: &str) -> String {
    json!(text).to_string().trim_matches('"').to_owned()
}

fn key_block() -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", KEY_BLOCK.join("\n"))
}

/// As somebody would find it again.
fn forms(secret: &str) -> BTreeSet<String> {
    let inner = |encoded: String| encoded.trim_end_matches('=').to_owned();
    [
        secret.to_owned(),
        percent(secret),
        lower_percent(secret),
        escaped(secret),
        inner(STANDARD.encode(secret)),
        inner(URL_SAFE_NO_PAD.encode(secret)),
    ]
    .into()
}

/// Lines as a careless sidecar would log them.
fn lines(known: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, secret) in known {
        let name = name.replace(' ', "_");
        out.push_str(&format!("plain {secret} end\nin a URL http://h/{name}?x={}\n", percent(secret)));
        out.push_str(&format!(
            "lower http://h/?x={}\njson {{\"said\":\"{}\"}}\n",
            lower_percent(secret),
            escaped(secret)
        ));
        out.push_str(&format!("b64 {} b64u {}\n", STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)));
        out.push_str(&format!("inside {}\n", STANDARD.encode(format!("{name}:{secret}@"))));
    }
    for (_, secret, line) in SHAPED {
        out.push_str(&line.replace("{}", secret));
        out.push('\n');
    }
    out.push_str(&key_block());
    // across every place at which a line can be cut
    for (n, (_, secret)) in known.iter().enumerate() {
        let before = 16 * 1024 - 5 - n % 9;
        out.push_str(&format!("{}{secret}{}\n", "x".repeat(before), "y".repeat(40_000)));
    }
    out.push_str(&format!("{} token={}{}\n", "z".repeat(16_370), "longplantedtoken".repeat(4), " end"));
    out
}

/// The text that is hidden inside of base64, for those that stand between others there.
fn inside_of_base64(text: &str, secret: &str) -> bool {
    let is = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    text.split(|c: char| !is(c)).filter(|run| run.len() >= 16).any(|run| {
        let whole = &run[..run.len() / 4 * 4];
        STANDARD.decode(whole).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(secret))
    })
}

/// Its beginning, of at least eight bytes, where a text was cut.
fn begins_before_a_cut(text: &str, secret: &str) -> bool {
    let beginnings = || (8..secret.len()).filter_map(|length| secret.get(..length));
    let mut pieces: Vec<_> = text.split('…').collect();
    pieces.pop();
    pieces.iter().any(|piece| beginnings().any(|beginning| piece.ends_with(beginning)))
}

fn set_up() -> Site {
    let mut site = Site::new();
    site.env("PALYRA_ORCHESTRATOR_RUNLOOP_V1_ENABLED", "true");
    let known: BTreeMap<_, _> = KNOWN.iter().copied().collect();
    site.write_config(&format!(
        "auth_token = {:?}\n[model_provider]\nopenai_api_key = {:?}\nopenai_base_url = {:?}\n\
         [model_provider.anthropic]\nanthropic_api_key = {:?}\n[discord]\nbot_token = {:?}\n[[extra.keys]]\nvalue = {:?}\n",
        known["browser token of the config"],
        known["OpenAI key of the config"],
        format!("https://ada:{}@models.example/v1", percent(known["password of an address in the config"])),
        known["Anthropic key of the config"],
        known["Discord token of the config"],
        known["key in a list of the config"],
    ));
    for (name, variable) in [
        ("OpenAI key of the environment", "OPENAI_API_KEY"),
        ("secret of the environment", "PLANTED_CLIENT_SECRET"),
        ("password of the environment", "PLANTED_PASSWORD"),
        ("token of the environment", "DISCORD_BOT_TOKEN"),
        ("AWS secret of the environment", "AWS_SECRET_ACCESS_KEY"),
    ] {
        site.env(variable, known[name]);
    }
    site
}

/// What is kept for Palyra, as its processes got it.
fn ours(site: &Site) -> Vec<(String, String)> {
    let mut found = BTreeMap::new();
    for (pid, _) in site.processes() {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        for variable in String::from_utf8_lossy(&environment).split('\0') {
            if let Some((name @ ("PALYRA_ADMIN_TOKEN" | "PALYRA_BROWSERD_STATE_ENCRYPTION_KEY"), value)) =
                variable.split_once('=')
            {
                found.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    assert_eq!(found.len(), 2, "{:?}", found.keys());
    found.into_iter().collect()
}

/// Things to say to the model, and it says them again: a secret in each, at its start and behind a line.
fn said(known: &[(String, String)]) -> Vec<String> {
    let plain = known.iter().map(|(_, secret)| format!("It is {secret}, and {}.", percent(secret)));
    let shaped = SHAPED.iter().map(|(_, secret, line)| format!("Look:\n{}", line.replace("{}", secret)));
    plain.chain(shaped).chain([format!("A key:\n{}", key_block())]).collect()
}

#[test]
fn no_planted_secret_is_found_anywhere() {
    look_everywhere(set_up(), None);
}

#[test]
fn nor_one_that_the_keyring_keeps_or_a_notification_would_show() {
    let mut site = set_up();
    let session = Session::start(&mut site);
    look_everywhere(site, Some(session));
}

fn look_everywhere(mut site: Site, session: Option<Session>) {
    // what is kept for Palyra is made by the first start
    let place = site.start_healthy()["secrets"]["place"].clone();
    assert_eq!(place, if session.is_some() { "keyring" } else { "file" });
    let mut known: Vec<_> = KNOWN.iter().map(|(name, secret)| ((*name).to_owned(), (*secret).to_owned())).collect();
    known.extend(ours(&site));
    // drafts: there is no gateway to send them to
    site.ok(&["stop"]);
    for (_, secret) in &known {
        site.fails(5, &["send", "--no-wait", &format!("Mind {secret} for me")]);
    }
    site.ok(&["quit"]);
    site.agent_ended();
    let all: BTreeSet<_> =
        known.iter().map(|(_, secret)| secret.as_str()).chain(SHAPED.iter().map(|one| one.1)).collect();
    assert!(all.len() >= 30, "{} different secrets", all.len());

    let told = site.root().with_file_name("told.txt");
    fs::write(&told, lines(&known)).unwrap();
    let tray = env!("CARGO_BIN_EXE_palyra-tray");
    let told = told.display();
    site.script("palyrad", &format!("cat '{told}'; cat '{told}' >&2; exec '{tray}' demo-sidecar gateway \"$@\""));
    // its last words are told as the reason of its end, in menu, notifications and files
    site.script(
        "palyra-browserd",
        &format!("tail -n 90 '{told}' | cut -c -900 >&2; cat '{told}' | head -n 60 >&2; exit 7"),
    );
    let mut export = json!({ "drawn": DRAWN_BY_LOT, "block": key_block(), "log": lines(&known) });
    for (name, secret) in &known {
        export[name] = json!({ "api_key": secret, "said": format!("with {secret}") });
    }
    let exported = site.root().with_file_name("export.json");
    fs::write(&exported, export.to_string()).unwrap();
    let palyra = site.script("palyra", &format!("cp '{}' \"$4\"", exported.display()));
    site.env("PALYRA_DESKTOP_PALYRA_BIN", &palyra.display().to_string());

    match &session {
        Some(_) => site.start_as(&["run", "--no-set-up"]),
        None => site.start(&[]),
    };
    site.until("given up", |status| {
        status["browserd_process"]["state"] == "given_up" && status["gateway_process"]["state"] == "ready"
    });
    let all = said(&known);
    for text in &all {
        site.ok(&["send", "--no-wait", "--new", text]);
    }
    site.until("answered", |status| {
        let told = status["companion"]["notifications"].as_array().expect("a list");
        told.iter().filter(|one| one["title"].as_str().unwrap_or_default().starts_with("Palyra answered")).count()
            == all.len()
    });
    let answer = site.ok(&["send", "--new", &all[1]]);
    assert!(answer.contains(&known[1].1), "who asks gets it as it is: {answer}");
    let mut surfaces: BTreeMap<String, String> = BTreeMap::new();
    surfaces.extend(session.as_ref().map(|session| ("notifications".to_owned(), session.notifications())));
    for arguments in [
        &["recent"][..],
        &["recent", "--json"],
        &["config", "list", "--json"],
        &["about"],
        &["status"],
        &["status", "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["logs", "gateway", "-n", "100000"],
        &["logs", "browserd", "-n", "100000"],
        &["logs", "tray", "-n", "100000"],
        &["secrets", "status", "--json"],
        &["approvals", "list", "--json"],
    ] {
        let output = site.cli(arguments);
        let text = [output.stdout, output.stderr].concat();
        surfaces.insert(arguments.join(" "), String::from_utf8_lossy(&text).into_owned());
    }
    let paths = Paths::find(&Environment::of(&[("PALYRA_STATE_ROOT", &site.root())], Path::new(tray))).unwrap();
    let Ok(Reply::Data(menu)) = control::ask(&paths, Request::Menu, PATIENCE) else { panic!("no menu") };
    surfaces.insert("menu".to_owned(), menu.to_string());

    let bundle = site.root().with_file_name("bundle.tar.gz");
    let said = site.ok(&["support-bundle", "--output", &bundle.display().to_string()]);
    surfaces.insert("support-bundle".to_owned(), said);
    let unpacked = site.root().with_file_name("unpacked");
    fs::create_dir(&unpacked).unwrap();
    assert!(Command::new("tar").arg("-xzf").arg(&bundle).arg("-C").arg(&unpacked).status().unwrap().success());
    let parts = files(&unpacked);
    for needed in
        ["snapshot.json", "doctor.json", "config-keys.txt", "gateway.log", "browserd.json", "palyra-export.json"]
    {
        assert!(parts.iter().any(|part| part.ends_with(needed)), "no {needed} in {parts:?}");
    }
    for path in parts.into_iter().chain(files(&site.root())) {
        // the person's own file, and the store itself, which nobody else may read
        let name = path.to_string_lossy();
        if name.ends_with("config/palyra.toml")
            || name.ends_with("tray/secrets.json")
            || name.contains("/runtime/data/")
        {
            continue;
        }
        let mut text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
        if name.contains("tray/state.json") {
            let mut state: Value = serde_json::from_str(&text).expect("JSON");
            let drafts = state["profiles"]["desktop-local"]["drafts"].take();
            assert_eq!(drafts.as_array().map(Vec::len), Some(known.len()), "{name}");
            text = state.to_string();
        }
        surfaces.insert(path.display().to_string(), text);
    }
    for (pid, line) in site.processes() {
        surfaces.insert(format!("arguments of {pid}"), line);
    }

    let mut leaks = BTreeSet::new();
    for (surface, text) in &surfaces {
        let place = surface.rsplit('/').next().unwrap_or(surface);
        for (name, secret) in &known {
            if forms(secret).iter().any(|form| text.contains(form)) || inside_of_base64(text, secret) {
                leaks.insert(format!("{place}: {name}"));
            }
            if begins_before_a_cut(text, secret) {
                leaks.insert(format!("{place}: the beginning of {name}"));
            }
        }
        for (name, secret, _) in SHAPED.iter().filter(|(_, secret, _)| text.contains(secret)) {
            leaks.insert(format!("{place}: {name} ({secret})"));
        }
        for line in KEY_BLOCK.iter().filter(|line| text.contains(*line)) {
            leaks.insert(format!("{place}: key block ({line})"));
        }
        if text.contains("longplantedtoken") {
            leaks.insert(format!("{place}: a token across a cut"));
        }
        if surface.contains("/unpacked/") && DRAWN_BY_LOT.iter().any(|secret| text.contains(secret)) {
            leaks.insert(format!("{place}: drawn by lot"));
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.into_iter().collect::<Vec<_>>().join("\n"));
    // what helps is still there
    let log =
        &surfaces[surfaces.keys().find(|name| name.contains("/unpacked/") && name.ends_with("gateway.log")).unwrap()];
    assert!(log.contains("daemon listening") && log.contains("<redacted>"), "{log}");
}
