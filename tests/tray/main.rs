//! The tray icon on a real session bus, without a display: what a host gets to see, and what its clicks do.
#![cfg(target_os = "linux")]

#[path = "../support/bus.rs"]
mod bus;
mod desk;
mod views;

use std::{
    io::BufRead,
    process::ExitCode,
    time::{Duration, Instant},
};

use palyra_tray::config::settings::Panel;
use palyra_tray::tray::{self, TrayHandle, TrayReport};

use desk::{Bus, Item, Pixmap, REPORT, ROLE, Row, Tray, Watcher, pause, within_deadline};

/// Not a test: what [`Tray`] starts.
#[test]
fn tray_process() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let agent = |handle: TrayHandle| {
        for order in std::io::stdin().lock().lines().map_while(Result::ok) {
            match order.split_once(' ') {
                Some(("show", name)) => handle.show(views::named(name)),
                Some(("burst", count)) => {
                    for n in 0..count.parse().expect("a number") {
                        handle.show(views::numbered(n));
                    }
                    println!("{REPORT}burst over");
                }
                _ => panic!("unknown order {order}"),
            }
        }
        ExitCode::from(7)
    };
    let report = |report| match report {
        TrayReport::Clicked(action) => println!("{REPORT}clicked {}", serde_json::to_string(&action).expect("JSON")),
        TrayReport::Activated => println!("{REPORT}activated"),
        TrayReport::Host(state) => println!("{REPORT}host {state:?}"),
        TrayReport::Failed(error) => println!("{REPORT}failed {error}"),
    };
    let code = tray::run(Panel::Dark, agent, report);
    let same = format!("{code:?}") == format!("{:?}", ExitCode::from(7));
    println!("{REPORT}ended {}", if same { "7" } else { "otherwise" });
}

async fn shown(bus: &Bus, view: &str) -> (Watcher, Tray, Item) {
    let mut watcher = Watcher::start(bus, true).await;
    let mut tray = Tray::start(&bus.address());
    let item = Item::new(bus, watcher.item().await).await;
    assert_eq!(tray.report().await, "host Present");
    tray.order(&format!("show {view}"));
    item.menu_becomes(&views::rows(view)).await;
    (watcher, tray, item)
}

fn row<'a>(rows: &'a [Row], label: &str) -> &'a Row {
    rows.iter()
        .flat_map(|row| std::iter::once(row).chain(&row.rows))
        .find(|row| row.label == label)
        .unwrap_or_else(|| panic!("no {label} in {rows:?}"))
}

#[test]
fn a_host_sees_the_whole_view() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, tray, item) = shown(&bus, "plain").await;
        assert_eq!(item.property::<String>("Id").await, "palyra-tray");
        assert_eq!(item.property::<String>("Title").await, "Palyra");
        assert_eq!(item.property::<String>("Status").await, "Active");
        assert!(!item.property::<bool>("ItemIsMenu").await);
        let pixmaps: Vec<Pixmap> = item.property("IconPixmap").await;
        let sizes: Vec<_> = pixmaps.iter().map(|(width, height, data)| (*width, *height, data.len())).collect();
        assert_eq!(sizes, [(48, 48, 48 * 48 * 4)]);
        assert_eq!(item.tooltip().await, "A &amp; B &lt;c&gt;");
        tray.end().await;
    });
}

#[test]
fn clicks_become_actions_of_the_view_that_is_shown() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, mut tray, item) = shown(&bus, "plain").await;
        let menu = item.menu().await;
        item.click(row(&menu, "Open Dashboard").id).await;
        assert_eq!(tray.report().await, format!("clicked {}", views::json(&views::open("overview"))));
        item.click(row(&menu, "Review approval 1").id).await;
        assert_eq!(tray.report().await, format!("clicked {}", views::json(&views::open("approvals"))));
        item.activate().await;
        assert_eq!(tray.report().await, "activated");
        tray.end().await;
    });
}

#[test]
fn disabled_items_and_decisions_are_not_clickable() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, mut tray, item) = shown(&bus, "plain").await;
        let menu = item.menu().await;
        for label in ["Quit", "Approve", "Hidden away"] {
            item.click(row(&menu, label).id).await;
        }
        item.activate().await;
        // Reports keep their order, so nothing came of the clicks.
        assert_eq!(tray.report().await, "activated");
        tray.end().await;
    });
}

#[test]
fn a_tick_stays_as_the_view_has_it() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, mut tray, item) = shown(&bus, "plain").await;
        item.click(row(&item.menu().await, "Browser").id).await;
        assert_eq!(tray.report().await, format!("clicked {}", views::json(&views::browser_off())));
        item.menu_becomes(&views::rows("plain")).await;
        tray.end().await;
    });
}

#[test]
fn what_keeps_its_place_is_changed_in_place() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, mut tray, mut item) = shown(&bus, "plain").await;
        let before = item.menu().await;
        item.signals();
        tray.order("show changed");
        let after = item.menu_becomes(&views::rows("changed")).await;
        let ids = |rows: &[Row]| -> Vec<i32> {
            rows.iter().flat_map(|row| std::iter::once(row.id).chain(row.rows.iter().map(|row| row.id))).collect()
        };
        assert_eq!(ids(&after), ids(&before));
        let mut signals = item.signals();
        while !["NewIcon", "ItemsPropertiesUpdated"].iter().all(|name| signals.iter().any(|signal| signal == name)) {
            pause().await;
            signals.extend(item.signals());
        }
        assert!(!signals.iter().any(|signal| signal == "LayoutUpdated"), "{signals:?}");

        tray.order("show grown");
        item.menu_becomes(&views::rows("grown")).await;
        while !item.signals().iter().any(|signal| signal == "LayoutUpdated") {
            pause().await;
        }
        tray.end().await;
    });
}

#[test]
fn an_equal_view_sends_nothing() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, mut tray, mut item) = shown(&bus, "plain").await;
        // Whatever follows is applied after what came before.
        tray.order("show changed");
        item.menu_becomes(&views::rows("changed")).await;
        while item.tooltip().await != "changed" {
            pause().await;
        }
        item.signals();
        tray.order("show changed");
        tray.order("show changed");
        item.activate().await;
        assert_eq!(tray.report().await, "activated");
        tokio::time::timeout(Duration::from_millis(600), async {
            loop {
                assert_eq!(item.signals(), Vec::<String>::new());
                pause().await;
            }
        })
        .await
        .expect_err("only the time ends it");
        tray.end().await;
    });
}

#[test]
fn a_burst_makes_few_updates_and_ends_with_the_last_view() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, mut tray, mut item) = shown(&bus, "plain").await;
        item.signals();
        let (memory, start) = (tray.memory(), Instant::now());
        tray.order("burst 1000");
        assert_eq!(tray.report().await, "burst over");
        // Reading the tooltip in between could take the place of its signal, so the menu is watched.
        item.menu_becomes(&[Row { label: "999".to_owned(), ..views::rows("plain").remove(4) }]).await;
        assert_eq!(item.tooltip().await, "number 999");
        let most = usize::try_from(start.elapsed().as_millis() / 200 + 2).expect("a small number");
        let updates = item.signals().iter().filter(|signal| *signal == "NewToolTip").count();
        assert!((1..=most).contains(&updates), "{updates} updates in {:?}", start.elapsed());
        let grown = tray.memory().saturating_sub(memory);
        assert!(grown < 4096, "{grown} KiB more");
        tray.end().await;
    });
}

#[test]
fn hosts_may_come_later_and_restart() {
    let bus = Bus::start();
    within_deadline(async {
        let mut tray = Tray::start(&bus.address());
        assert_eq!(tray.report().await, "host NoWatcher");
        tray.order("show plain");

        let mut watcher = Watcher::start(&bus, false).await;
        let name = watcher.item().await;
        assert_eq!(tray.report().await, "host NoHost");
        watcher.show().await;
        assert_eq!(tray.report().await, "host Present");
        let item = Item::new(&bus, name.clone()).await;
        item.menu_becomes(&views::rows("plain")).await;

        watcher.stop().await;
        assert_eq!(tray.report().await, "host NoWatcher");
        tray.order("show grown");
        let mut watcher = Watcher::start(&bus, true).await;
        assert_eq!(watcher.item().await, name);
        assert_eq!(tray.report().await, "host Present");
        item.menu_becomes(&views::rows("grown")).await;
        tray.end().await;
    });
}

#[test]
fn without_a_bus_the_agent_runs_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    within_deadline(async {
        let mut tray = Tray::start(&format!("unix:path={}/nobody", folder.path().display()));
        assert_eq!(tray.report().await, "host NoBus");
        tray.order("show plain");
        tray.end().await;
    });
}

#[test]
fn the_agent_outlives_the_bus() {
    let mut bus = Bus::start();
    within_deadline(async {
        let (_watcher, mut tray, _item) = shown(&bus, "plain").await;
        bus.kill();
        assert_eq!(tray.report().await, "host NoBus");
        tray.order("show changed");
        tray.order("burst 10");
        assert_eq!(tray.report().await, "burst over");
        tray.end().await;
    });
}

#[test]
fn an_idle_tray_never_wakes_up() {
    let bus = Bus::start();
    within_deadline(async {
        let (_watcher, tray, item) = shown(&bus, "plain").await;
        while item.tooltip().await != "A &amp; B &lt;c&gt;" {
            pause().await;
        }
        let start = Instant::now();
        loop {
            // Threads that helped to start end within the first second.
            let before = tray.switches();
            tokio::time::sleep(Duration::from_secs(2)).await;
            let after = tray.switches();
            if before == after {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(12), "woke up: {before:?} {after:?}");
        }
        tray.end().await;
    });
}
