#![no_main]

#[allow(dead_code, reason = "each target uses one of them")]
#[path = "../../tests/inputs/main.rs"]
mod inputs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| inputs::control::check(data));
