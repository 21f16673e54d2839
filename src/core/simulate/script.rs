//! Runs a script and gives the exact timeline, icon and menu. One command a line, `#` begins a comment:
//!
//! | command | what it does |
//! |---|---|
//! | `wait 5s` | lets time pass (`ms`, `s`, `min`, `h`) |
//! | `crash gateway 3` | the process exits with that code |
//! | `hang browserd` / `heal browserd` | it lives but does not answer / answers again |
//! | `offline gateway` / `online gateway` | it cannot start without a network / can again |
//! | `doom gateway` | from now on it exits 20 ms after each start |
//! | `freeze 1min` | nobody on this machine runs for so long (a machine under load) |
//! | `suspend 8h` | the machine sleeps: only the wall clock goes on |
//! | `lose gateway` | it and its shim vanish, nobody sees how |
//! | `approval ID RISK TIMEOUT WHAT` | the gateway gets a record, e.g. `approval a1 high 300s git push` |
//! | `run SESSION ID STATE` | a run of that session is in this state now, e.g. `run s1 r1 in_progress` |
//! | `elsewhere ID allow` | somebody else decides it |
//! | `click LABEL` | the first enabled button of a notification with this label |
//! | `menu LABEL` | the first menu entry with this label |
//! | `notifications NAME` / `notifications none` | which notification server is there |
//! | `lock` / `unlock` | the keyring |
//! | `lock screen` / `unlock screen` | the screen |
//! | `config KEY = VALUE; …` | the sidecars' config file is written anew, with these lines |
//! | `touch config` / `remove config` | it is written without a change / is gone |
//! | `set-up open` / `set-up closed` | whether somebody is in the set-up |
//! | `rotate SECRET…` | a client asks for new secrets (`admin-token`, …), or for all |
//! | `kill agent` | it is killed, and another one starts |
//! | `show menu` | prints the menu |

use super::{START_MS, World, print_menu, server};
use crate::core::event::{Desktop, Event, Secrets, Setup};
use crate::protocol::ServiceId;
use crate::protocol::secrets::SecretName;
use crate::protocol::shim::ExitCause;

/// Runs a script, gives what happened line by line.
///
/// # Errors
/// A line that is not understood, or a click on what is not there.
pub fn run(script: &str, setup: Setup) -> Result<String, String> {
    let mut world = World::new(setup);
    for (number, line) in script.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            command(&mut world, line).map_err(|why| format!("line {}: {why}: {line}", number + 1))?;
        }
    }
    if let Some(fault) = world.faults.first() {
        return Err(fault.clone());
    }
    Ok(world.timeline.join("\n") + "\n")
}

fn command(world: &mut World, line: &str) -> Result<(), String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let mut words = rest.split_whitespace();
    let mut next = || words.next().ok_or("something is missing");
    match word {
        "wait" => world.pass(duration(next()?)?),
        "freeze" => world.freeze(duration(next()?)?),
        "suspend" => world.suspend(duration(next()?)?),
        "crash" => {
            let service = service(next()?)?;
            let code = next()?.parse().map_err(|_| "not a code")?;
            world.end(service, Some(ExitCause::Code { code }));
        }
        "lose" => world.end(service(next()?)?, None),
        "hang" | "heal" => world.behaviour.entry(service(next()?)?).or_default().hangs = word == "hang",
        "offline" | "online" => world.behaviour.entry(service(next()?)?).or_default().offline = word == "offline",
        "doom" => world.behaviour.entry(service(next()?)?).or_default().doomed = true,
        "approval" => {
            let (id, risk, timeout) = (next()?, next()?, duration(next()?)? / 1_000);
            let what: Vec<_> = words.collect();
            world.ask(id, risk, timeout, &what.join(" "));
        }
        "run" => {
            let (session, run, state) = (next()?, next()?, next()?);
            world.run(session, run, state, 0);
        }
        "elsewhere" => {
            let (id, decision) = (next()?.to_owned(), next()?.to_owned());
            world.decide_elsewhere(&id, &decision);
        }
        "click" if !world.click(rest) => return Err("no such button".to_owned()),
        "menu" if !world.menu(rest) => return Err("no such menu entry".to_owned()),
        "click" | "menu" => {}
        "notifications" => {
            let notifications = if rest == "none" { None } else { Some(server(rest)) };
            world.give(Event::Desktop(Desktop { notifications, ..world.agent.desktop.clone() }));
        }
        "lock" | "unlock" if rest == "screen" => world.give(Event::Locked(word == "lock")),
        "lock" => world.give(Event::Secrets(Secrets::Waiting("the keyring is locked".to_owned()))),
        "unlock" => world.give(Event::Secrets(Secrets::Ready { place: "keyring".to_owned(), warning: String::new() })),
        "config" => {
            let text = format!("{}\n", rest.replace("; ", "\n"));
            world.write_config(Some(&text));
        }
        "touch" if rest == "config" => {
            let text = world.config.0.clone();
            world.write_config(text.as_deref());
        }
        "remove" if rest == "config" => world.write_config(None),
        "rotate" => {
            let secret = |word| SecretName::ALL.into_iter().find(|name| name.word() == word).ok_or("no such secret");
            let names: Vec<_> = words.map(secret).collect::<Result<_, _>>()?;
            world.rotate(1, &names);
        }
        "kill" if rest == "agent" => {
            let setup = world.agent.setup.clone();
            world.kill_agent();
            world.pass(START_MS);
            world.next_agent(setup);
        }
        "set-up" => world.set_up_open = rest == "open",
        "show" if rest == "menu" => {
            let menu = print_menu(&world.view().menu, 1);
            world.timeline.push(format!("          menu:\n{}", menu.trim_end()));
        }
        _ => return Err("no such command".to_owned()),
    }
    Ok(())
}

fn service(name: &str) -> Result<ServiceId, String> {
    ServiceId::ALL.into_iter().find(|id| id.name() == name).ok_or_else(|| "no such service".to_owned())
}

fn duration(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "not a time")?;
    match &text[digits.len()..] {
        "ms" => Ok(number),
        "s" => Ok(number * 1_000),
        "min" => Ok(number * 60_000),
        "h" => Ok(number * 3_600_000),
        _ => Err("a time ends in ms, s, min or h".to_owned()),
    }
}
