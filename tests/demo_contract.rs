//! The demo sidecars against what was recorded from the real ones, and against what the rest of the contract says.

#[path = "demo_contract/behaviour.rs"]
mod behaviour;
#[path = "demo_contract/faults.rs"]
mod faults;
#[path = "demo_contract/pairing.rs"]
mod pairing;
#[path = "demo_contract/process.rs"]
mod process;
#[path = "demo_contract/replay.rs"]
mod replay;
#[path = "demo_contract/runs.rs"]
mod runs;
#[path = "demo_contract/shape.rs"]
mod shape;

mod support {
    #[path = "../support/demo.rs"]
    pub mod demo;
    #[path = "../support/http.rs"]
    pub mod http;
}
