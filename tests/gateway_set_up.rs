//! The client's part of the set-up against the demo gateway, which is held to recordings of the real one by `demo_contract`:
//! keys, signing in, the first message, Discord, and what a person reads when any of it fails.

#[path = "gateway_set_up/ask.rs"]
mod ask;
#[path = "gateway_set_up/discord.rs"]
mod discord;
#[path = "gateway_set_up/message.rs"]
mod message;
#[path = "gateway_set_up/palyra.rs"]
mod palyra;
#[path = "gateway_set_up/providers.rs"]
mod providers;
#[path = "gateway_set_up/sign_in.rs"]
mod sign_in;
#[path = "gateway_set_up/trouble.rs"]
mod trouble;

mod support {
    #[path = "../support/demo.rs"]
    pub mod demo;
    #[path = "../support/http.rs"]
    pub mod http;
}
