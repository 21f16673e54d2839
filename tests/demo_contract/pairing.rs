//! Pairing a node with the demo gateway, against what was recorded while the real command line paired with the real one.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::replay::{PAIRING, capture};
use crate::shape::{Bindings, unrecorded};
use crate::support::demo::{Demo, until};

const DEVICE: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";
const ISSUER: &str = "palyra-tray enrolment 01M8A0GW4MA7MC1TPMVN8TPFRE";

fn palyra(root: &std::path::Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palyra-tray"));
    command.args(["demo-sidecar", "node-host", "node"]).args(words);
    command.env("PALYRA_STATE_ROOT", root).env("PALYRA_GATEWAY_IDENTITY_STORE_DIR", root);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn node_rpc(demo: &Demo) -> String {
    let address = demo.will_log("node RPC listener initialized")["node_rpc_listen_addr"].clone();
    format!("https://{}", address.as_str().expect("address"))
}

fn install(demo: &Demo, root: &std::path::Path, pin: &str) -> std::process::Child {
    let url = node_rpc(demo);
    let words =
        ["install", "--json", "--device-id", DEVICE, "--grpc-url", &url, "--method", "pin", "--pairing-code-stdin"];
    let mut child = palyra(root, &words).spawn().expect("palyra");
    writeln!(child.stdin.take().expect("piped"), "{pin}").expect("pin");
    child
}

#[test]
fn a_node_is_paired_and_heard_of_as_recorded() {
    let demo = Demo::gateway(&[("PALYRA_ALLOW_INSECURE_NODE_RPC_WITHOUT_MTLS", "true")]);
    let client = demo.login();
    let root = tempfile::tempdir().expect("temp dir");
    let wish = json!({ "method": "pin", "issued_by": ISSUER, "ttl_ms": 60_000 });
    let code = client.post("/console/v1/pairing/requests/code", wish).json();
    let installing = install(&demo, root.path(), code["code"]["code"].as_str().expect("code"));

    let mut bindings = Bindings::default();
    let list = "/console/v1/pairing/requests?state=pending_approval&limit=500";
    let pending = until("the request", || {
        let listed = client.get(list).json();
        (listed["requests"].as_array().is_some_and(|all| all.len() == 1)).then_some(listed)
    });
    let mut differences = bindings.compare(PAIRING[0], &capture(PAIRING[0])["response"]["body"], &pending);
    let id = pending["requests"][0]["request_id"].as_str().expect("id");
    let verdict = json!({ "reason": "palyra_tray_enrolment" });
    let approved = client.post(&format!("/console/v1/pairing/requests/{id}/approve"), verdict).json();
    differences.extend(bindings.compare(PAIRING[1], &capture(PAIRING[1])["response"]["body"], &approved));
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    let installed = installing.wait_with_output().expect("palyra");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));

    let mut running = palyra(root.path(), &["run", "--json"]).spawn().expect("palyra");
    let path = format!("/console/v1/nodes/{DEVICE}");
    let node = until("the node", || Some(client.get(&path)).filter(|answer| answer.status == 200)).json();
    let mut differences = unrecorded(PAIRING[2], &capture(PAIRING[2])["response"]["body"], &node);
    let removed = client.post(&format!("/console/v1/devices/{DEVICE}/remove"), json!({ "reason": "x" })).json();
    differences.extend(unrecorded(PAIRING[3], &capture(PAIRING[3])["response"]["body"], &removed));
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
    // what it has is of no use any more, as the real one says it
    let ended = until("its end", || running.try_wait().expect("wait"));
    assert!(!ended.success());
    let run = palyra(root.path(), &["run", "--json"]).output().expect("palyra");
    assert!(String::from_utf8_lossy(&run.stderr).contains("client certificate fingerprint is revoked"));
}

#[test]
fn without_the_window_nobody_without_a_certificate_is_let_in() {
    let demo = Demo::gateway(&[]);
    let client = demo.login();
    let root = tempfile::tempdir().expect("temp dir");
    let code = client.post("/console/v1/pairing/requests/code", json!({ "method": "pin" })).json();
    let refused = install(&demo, root.path(), code["code"]["code"].as_str().expect("code")).wait_with_output();
    let refused = refused.expect("palyra");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("CertificateRequired"));
    assert!(client.get("/console/v1/pairing/requests").json()["requests"].as_array().is_some_and(Vec::is_empty));
}
