//! What the contract says about the gateway beyond the captures.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::demo::{Client, DEVICE, Demo, PRINCIPAL, TOKEN, until};

const LOGIN: &str = "/console/v1/auth/login";

#[test]
fn deciding_twice_overwrites_and_keeps_the_first_time() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let id = demo.approvals(json!({})).remove(0);
    let first = client.decide(&id, true);
    assert_eq!(first["resolved_at_unix_ms"], first["updated_at_unix_ms"]);
    let second = until("a later decision", || {
        let again = client.decide(&id, false);
        (again["updated_at_unix_ms"] != first["updated_at_unix_ms"]).then_some(again)
    });
    assert_eq!(second["decision"], "deny");
    assert_eq!(second["decision_reason"], "denied_by_console");
    assert_eq!(second["resolved_at_unix_ms"], first["resolved_at_unix_ms"]);
}

#[test]
fn pairing_decisions_say_what_became_of_the_pairing() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let id = demo.approvals(json!({ "kind": "device_pairing" })).remove(0);
    let answer = client.post(&format!("/console/v1/approvals/{id}/decision"), json!({ "approved": false })).json();
    assert_eq!(answer["dm_pairing"], "denied");
}

#[test]
fn paging_finds_the_one_pending_behind_a_thousand_decided() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    assert_eq!(demo.approvals(json!({ "count": 1000, "decision": "deny", "age_ms": 60_000 })).len(), 1000);
    let pending = demo.approvals(json!({})).remove(0);
    let (mut pages, mut seen, mut undecided, mut after) = (0, Vec::new(), Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/console/v1/approvals?limit=400{after}")).json();
        for record in page["approvals"].as_array().expect("approvals") {
            let id = record["approval_id"].as_str().expect("id").to_owned();
            if record.get("decision").is_none() {
                undecided.push(id.clone());
            }
            seen.push(id);
        }
        pages += 1;
        assert_eq!(page["page"]["has_more"], page["next_after_approval_id"].is_string());
        match page["next_after_approval_id"].as_str() {
            Some(next) => after = format!("&after_approval_id={next}"),
            None => break,
        }
    }
    assert_eq!((pages, seen.len()), (3, 1001));
    assert!(seen.is_sorted(), "oldest id first");
    assert_eq!(undecided, [pending]);
    assert_eq!(client.get("/console/v1/approvals?limit=9999").json()["page"]["limit"], 500);
}

#[test]
fn filters_narrow_the_list() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let old = demo.approvals(json!({ "age_ms": 100_000, "decision": "allow" })).remove(0);
    let new = demo.approvals(json!({ "kind": "device_pairing" })).remove(0);
    let since = client.approval(&new)["requested_at_unix_ms"].as_i64().expect("time");
    let ids = |query: &str| -> Vec<String> {
        let list = client.get(&format!("/console/v1/approvals?{query}")).json();
        let records = list["approvals"].as_array().expect(query).clone();
        records.iter().map(|record| record["approval_id"].as_str().expect("id").to_owned()).collect()
    };
    assert_eq!(ids("limit=10"), [old.clone(), new.clone()]);
    assert_eq!(ids(&format!("since_unix_ms={since}")), std::slice::from_ref(&new));
    assert_eq!(ids(&format!("until_unix_ms={}", since - 1)), std::slice::from_ref(&old));
    assert_eq!(ids("decision=allow"), std::slice::from_ref(&old));
    assert_eq!(ids("subject_type=device_pairing"), std::slice::from_ref(&new));
    assert_eq!(ids("principal=system:node-pairing"), [new]);
    for query in ["decision=maybe", "subject_type=toaster", "after_approval_id=xyz"] {
        let answer = client.get(&format!("/console/v1/approvals?{query}"));
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("validation_error")), "{query}");
    }
    let scope = json!({ "approved": true, "decision_scope": "for_ever" });
    assert_eq!(client.post(&format!("/console/v1/approvals/{old}/decision"), scope).status, 400);
}

#[test]
fn a_handoff_works_once() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let minted =
        client.post("/console/v1/auth/browser-handoff", json!({ "redirect_path": "/#/control/approvals" })).json();
    let url = minted["handoff_url"].as_str().expect("url");
    let (base, token) = url.split_once("?token=").expect("token");
    assert!(base.ends_with("/console/v1/auth/browser-handoff/consume"), "{base}");
    assert_eq!(token.len(), 43);
    let consume = format!("/console/v1/auth/browser-handoff/consume?token={token}");
    for _ in 0..2 {
        let answer = demo.call("GET", &consume, None, &[]).expect("consume");
        let place = format!("/?desktop_handoff_token={token}#/control/approvals");
        assert_eq!((answer.status, answer.header("location")), (303, Some(place.as_str())));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
    let exchange = |token: &str| {
        demo.call("POST", "/console/v1/auth/browser-handoff/session", Some(json!({ "token": token })), &[])
            .expect("exchange")
    };
    assert_eq!(exchange("").status, 400);
    assert_eq!(exchange(&"x".repeat(43)).status, 403);
    let browser = exchange(token);
    assert_eq!(browser.json()["principal"], PRINCIPAL);
    let browser = Client::from(&demo, &browser);
    let id = demo.approvals(json!({})).remove(0);
    assert_eq!(browser.decide(&id, true)["decision"], "allow");
    assert_eq!(exchange(token).status, 403, "the second time");
    assert_eq!(demo.call("GET", &consume, None, &[]).expect("consume").status, 403, "and its link is dead");
    for path in ["//evil", "/\\evil", "evil", "/a\r\nb: c", "/é"] {
        let answer = client.post("/console/v1/auth/browser-handoff", json!({ "redirect_path": path }));
        assert_eq!(answer.status, 400, "{path:?}");
    }
}

#[test]
fn the_dashboard_says_that_it_is_a_demo_and_knows_the_handoff() {
    let demo = Demo::gateway(&[]);
    let page = demo.call("GET", "/?desktop_handoff_token=x", None, &[]).expect("page");
    assert_eq!((page.status, page.header("x-frame-options")), (200, Some("DENY")));
    for part in ["DEMO", "Palyra demo", "desktop_handoff_token", "history.replaceState", "browser-handoff/session"] {
        assert!(page.text().contains(part), "{part}");
    }
    assert!(!page.text().contains("innerHTML"), "texts of records must not become markup");
}

#[test]
fn framework_refusals_are_plain_text() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let raw = |body: &[u8]| {
        let mut headers = client.headers().to_vec();
        headers.push(("content-type", "application/json"));
        let path = "/console/v1/auth/browser-handoff";
        crate::support::http::request(demo.port(), "POST", path, &headers, Some(body)).expect(path)
    };
    let long = format!("{{\"redirect_path\":\"/{}\"}}", "a".repeat(65_536));
    for (body, status) in [(&b"{nonsense"[..], 400), (b"{\"redirect_path\":7}", 422), (long.as_bytes(), 413)] {
        let answer = raw(body);
        assert_eq!((answer.status, answer.header("content-type")), (status, Some("text/plain; charset=utf-8")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn credentials_are_checked() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let [cookie, _] = client.headers();
    let wrong = [cookie, ("x-palyra-csrf-token", "wrong")];
    let answer = demo.call("POST", "/console/v1/auth/logout", Some(json!({})), &wrong).expect("logout");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("forbidden")));
    let stranger = [("cookie", "palyra_console_session=stranger")];
    assert_eq!(demo.call("GET", "/console/v1/approvals", None, &stranger).expect("list").status, 403);
    let login = |body: Value| demo.call("POST", LOGIN, Some(body), &[]).expect("login").status;
    assert_eq!(login(json!({ "principal": "admin:x", "device_id": DEVICE })), 401);
    assert_eq!(login(json!({ "admin_token": " ", "principal": "admin:x", "device_id": DEVICE })), 400);
    assert_eq!(login(json!({ "admin_token": TOKEN, "principal": "", "device_id": DEVICE })), 400);

    let unbound = Demo::gateway(&[("PALYRA_ADMIN_BOUND_PRINCIPAL", "")]);
    let body = json!({ "admin_token": TOKEN, "principal": "admin:x", "device_id": DEVICE });
    let answer = unbound.call("POST", LOGIN, Some(body), &[]).expect("login");
    assert_eq!((answer.status, answer.json()["category"].as_str()), (412, Some("dependency")));
}

#[test]
fn acp_failures_answer_200_and_say_so() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let call = |change: &dyn Fn(&mut Value)| {
        let mut body = json!({
            "client": {
                "protocol_version": 1, "client_id": "test", "transport": "http", "owner_principal": PRINCIPAL,
                "device_id": DEVICE, "scopes": ["approvals:write"], "capabilities": ["approval_bridge"],
            },
            "command": { "request_id": "r", "command": "approval.request", "params": { "session_id": DEVICE } },
        });
        change(&mut body);
        client.post("/console/v1/acp/command", body)
    };
    let changes: [&dyn Fn(&mut Value); 6] = [
        &|body| body["client"]["owner_principal"] = json!("admin:x"),
        &|body| body["client"]["channel"] = json!("web"),
        &|body| body["client"]["scopes"] = json!([]),
        &|body| body["command"]["params"] = json!({}),
        &|body| body["command"]["params"]["run_id"] = json!("nope"),
        &|body| body["command"]["command"] = json!("other"),
    ];
    for change in changes {
        let answer = call(change);
        assert_eq!((answer.status, answer.json()["ok"].as_bool()), (200, Some(false)), "{}", answer.text());
        assert!(answer.json()["error"]["recovery_hint"].is_string());
    }
    assert_eq!(call(&|body| body["client"]["extra"] = json!(1)).status, 422, "unknown fields are refused");
    let approval = call(&|body| {
        body["command"]["params"]["approval_id"] = json!("01BX5ZZKBKACTAV9WEVGEMMVRZ");
        body["command"]["params"]["timeout_seconds"] = json!(1);
        body["command"]["params"]["risk_level"] = json!("terrible");
    });
    let approval = &approval.json()["result"]["approval"];
    assert_eq!(approval["approval_id"], "01BX5ZZKBKACTAV9WEVGEMMVRZ");
    assert_eq!(
        (&approval["prompt"]["timeout_seconds"], &approval["prompt"]["risk_level"]),
        (&json!(5), &json!("medium"))
    );
    let limited = (0..125).map(|_| call(&|_| {}).json()).find(|answer| answer["ok"] == false).expect("120 a minute");
    assert_eq!(limited["error"]["code"], "rate_limited");
}

#[test]
fn budgets_answer_429() {
    let demo = Demo::gateway(&[]);
    // Windows are a second long and a loaded machine is slow: several windows may pass before one is full.
    let body = json!({ "admin_token": "wrong", "principal": "admin:x", "device_id": DEVICE });
    let refused = until("30 refusals in a second", || {
        let answer = demo.call("POST", LOGIN, Some(body.clone()), &[]).expect("login");
        (answer.status != 401).then_some(answer)
    });
    assert_eq!((refused.status, refused.json()["code"].as_str()), (429, Some("rate_limited")));
    assert_eq!(refused.json()["retryable"], true);

    let call = "GET /console/v1/nope HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1500);
    until("1000 calls in a second", || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, demo.port())).expect("connect");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
        let mut writer = stream.try_clone().expect("clone");
        let call = call.clone();
        let writing = std::thread::spawn(move || writer.write_all(call.as_bytes()));
        let (mut bytes, mut chunk) = (Vec::new(), vec![0; 65_536]);
        let count = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).filter(|window| *window == what).count();
        while count(&bytes, b"HTTP/1.1 ") < 1500 {
            match stream.read(&mut chunk).expect("read") {
                0 => break,
                read => bytes.extend_from_slice(&chunk[..read]),
            }
        }
        writing.join().expect("writer").expect("write");
        (count(&bytes, b"HTTP/1.1 429 ") > 0).then_some(())
    });
}

#[test]
fn the_wal_rings_for_writes_only() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let facts = client.get("/console/v1/system/heartbeat").json();
    let journal = std::path::PathBuf::from(facts["storage"]["journal_db_path"].as_str().expect("path"));
    assert_eq!(journal, demo.root().canonicalize().expect("root").join("data/journal.sqlite3"));
    let wal = journal.with_file_name("journal.sqlite3-wal");
    let state = || {
        [&journal, &wal]
            .map(|path| std::fs::metadata(path).ok().map(|meta| (meta.len(), meta.modified().expect("time"))))
    };
    let read = |id: &str| {
        client.get("/console/v1/approvals");
        client.get("/console/v1/system/heartbeat");
        client.get(&format!("/console/v1/approvals/{id}"));
    };
    read(DEVICE);
    assert_eq!(state()[1], None, "no -wal before the first write");
    let id = demo.approvals(json!({})).remove(0);
    let created = state();
    assert!(created[1].is_some());
    read(&id);
    assert_eq!(state(), created, "reads write nothing");
    client.decide(&id, true);
    let decided = state();
    assert!(decided[0] > created[0] && decided[1] > created[1]);
    std::fs::remove_file(&wal).expect("checkpoint");
    client.decide(&id, false);
    assert!(state()[1].is_some(), "the -wal comes back");
}

#[test]
fn a_restart_keeps_approvals_and_loses_sessions() {
    let root = tempfile::TempDir::new().expect("temp dir");
    let (id, kept, cookie) = {
        let demo = Demo::gateway_on(root.path(), &[]);
        demo.ready();
        let client = demo.login();
        let id = demo.approvals(json!({})).remove(0);
        (id.clone(), client.decide(&id, true), client.headers()[0].1.to_owned())
    };
    let demo = Demo::gateway_on(root.path(), &[]);
    demo.ready();
    assert!(!root.path().join("data/journal.sqlite3-wal").exists());
    let answer = demo.call("GET", "/console/v1/approvals", None, &[("cookie", &cookie)]).expect("list");
    assert_eq!(answer.status, 403, "the old session is lost");
    assert_eq!(demo.login().approval(&id), kept);
}

#[test]
fn seeded_approvals_appear_by_themselves() {
    let demo = Demo::gateway(&[("PALYRA_DEMO_SEED", "1")]);
    let client = demo.login();
    assert_eq!(client.get("/console/v1/approvals").json()["page"]["returned"], 0);
    let first = until("the first seeded approval", || {
        client.get("/console/v1/approvals").json()["approvals"].get_mut(0).map(Value::take)
    });
    assert_eq!(first["prompt"]["risk_level"], "low");
}
