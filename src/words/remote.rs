//! A remote profile: the gateway on another machine.

use std::fmt::Display;

// --- its config ---

pub fn in_config(config: impl Display, why: impl Display) -> String {
    format!("in the config {config}, {why}")
}

pub fn is_not_text(key: impl Display) -> String {
    format!("gateway_access.{key} is not a text")
}

pub fn is_not_fingerprint(key: impl Display) -> String {
    format!("gateway_access.{key} is not a SHA-256 of 64 hexadecimal digits")
}

pub fn address_is_missing(key: impl Display) -> String {
    format!("gateway_access.{key} is missing: where the gateway is")
}

pub fn address(key: impl Display, why: impl Display) -> String {
    format!("gateway_access.{key} {why}")
}

pub const IS_NOT_ADDRESS: &str = "is not an address";
pub const IS_NOT_HTTPS: &str = "does not begin with https://";
pub const NAMES_NO_HOST: &str = "names no host";
pub const CARRIES_USER_NAME: &str = "carries a user name or password; take it out";
pub const HAS_PART_BEHIND: &str = "has a part behind ? or #; take it out";

pub fn both_pins(one: impl Display, other: impl Display) -> String {
    format!("gateway_access has both {one} and {other}; keep one of them")
}

// --- what a look told ---

pub fn no_answer_within(seconds: impl Display) -> String {
    format!("no answer within {seconds} s")
}

pub const ADDRESS_CANNOT_BE_USED: &str = "the address of the remote gateway cannot be used";

pub fn no_connection(why: impl Display) -> String {
    format!("no connection ({why})")
}

pub fn no_encryption(why: impl Display) -> String {
    format!("no encryption ({why})")
}

pub fn no_encrypted_connection(why: impl Display) -> String {
    format!("no encrypted connection ({why})")
}

pub fn no_whole_answer(why: impl Display) -> String {
    format!("no whole answer ({why})")
}

pub const ANSWER_CUT_OFF: &str = "its answer was cut off, or is too large";

pub fn another_program(what: impl Display) -> String {
    format!("another program answers there: {what}")
}

pub const ANOTHER_CERTIFICATE: &str = "it shows another certificate than the pinned one";
pub const AUTHORITY_NOT_SHOWN: &str = "the pinned authority's certificate is not among those that it shows";

pub fn not_by_authority(why: impl Display) -> String {
    format!("its certificate is not good by the pinned authority ({why})")
}

pub const NOT_ITS_KEY: &str = "it does not have the key of the certificate that it shows";
pub const NOT_PINNED: &str = "its health is not asked for, because no certificate is pinned and anybody could answer";

// --- how it stands ---

pub const THE_REMOTE_GATEWAY: &str = "The remote gateway";
pub const REMOTE_GATEWAY: &str = "the remote gateway";

pub fn the_gateway(host: impl Display) -> String {
    format!("The gateway {host}")
}

pub fn reconnecting(host: impl Display, why: impl Display) -> String {
    format!("Reconnecting to {host}: {why}")
}

pub fn reconnecting_next_try(host: impl Display, next: impl Display, why: impl Display) -> String {
    format!("Reconnecting to {host}, next try in {next}: {why}")
}

pub fn healthy(version: impl Display, host: impl Display) -> String {
    format!("Healthy: palyrad {version} on {host}")
}

pub fn healthy_up(version: impl Display, host: impl Display, up: impl Display) -> String {
    format!("Healthy: palyrad {version} on {host}, up {up}")
}

pub const LOOKING: &str = "Looking for the remote gateway";

pub fn not_known(host: impl Display) -> String {
    format!("Not known how {host} is: {NOT_PINNED}")
}

// --- menu ---

pub fn shows_pinned_certificate(host: impl Display) -> String {
    format!("{host}: it shows the pinned certificate")
}

pub fn certificate_pinned(host: impl Display) -> String {
    format!("{host}: certificate pinned")
}

pub fn no_certificate_pinned(host: impl Display) -> String {
    format!("{host}: no certificate is pinned")
}

pub const QUIT: &str = "Quit";

// --- status ---

pub const CERTIFICATE_SHOWN: &str = "the pinned one";
pub const CERTIFICATE_OTHER: &str = "not the pinned one, so nothing is sent there";
pub const CERTIFICATE_PINNED: &str = "pinned, not seen now";
pub const CERTIFICATE_NOT_PINNED: &str = "not pinned, so nobody is asked how it is";

pub fn dashboard(url: impl Display) -> String {
    format!("  Dashboard  {url} (palyra-tray open)\n")
}

pub fn certificate(told: impl Display) -> String {
    format!("  Certificate {told}\n")
}

// --- told ---

pub fn is_not_trusted(name: impl Display) -> String {
    format!("{name} is not trusted")
}

pub fn not_trusted_because(name: impl Display, why: impl Display) -> String {
    format!("{name} is not trusted: {why}")
}

pub fn cannot_be_reached_because(name: impl Display, why: impl Display) -> String {
    format!("{name} cannot be reached: {why}")
}

pub fn nothing_was_sent(why: impl Display) -> String {
    format!(
        "{why} Nothing was sent to it, and its dashboard is not opened. If its certificate is a new one, put the new \
         fingerprint into the config of this profile."
    )
}

pub fn cannot_be_reached(name: impl Display) -> String {
    format!("{name} cannot be reached")
}

pub fn tried_again_by_itself(why: impl Display) -> String {
    format!("{why} It is tried again by itself.")
}

pub fn answers_again(name: impl Display) -> String {
    format!("{name} answers again")
}

pub fn could_not_be_reached_for(duration: impl Display) -> String {
    format!("It could not be reached for {duration}.")
}

pub const LOOKED_AT_AGAIN: &str = "It is looked at again.";
pub const DOES_NOT_ANSWER: &str = "it does not answer";

/// Why something is not to be had.
pub const NOT_HERE: &str = "this is a remote profile: all that is to be done in it is done in its dashboard";
pub const OPEN_IT: &str = "Open it: palyra-tray open";
pub const HEALTH_AND_DASHBOARD_ONLY: &str = "remote: health and dashboard only";

// --- checks ---

pub const NOTHING_OF_IT_RUNS_HERE: &str = "in a remote profile nothing of it is here";

pub fn shows_certificate_and_answers(host: impl Display, version: impl Display) -> String {
    format!("{host} shows the pinned certificate and answers, version {version}")
}

pub fn host_because(host: impl Display, why: impl Display) -> String {
    format!("{host}: {why}")
}

pub const PIN_ITS_CERTIFICATE: &str = "Pin its certificate: write its SHA-256 to \
     gateway_access.pinned_server_cert_fingerprint_sha256 of the profile's config";
pub const ASK_WHO_RUNS_IT: &str = "Ask who runs it whether its certificate is a new one; only then put the new \
     fingerprint into the profile's config";
pub const SEE_NETWORK_AND_ADDRESS: &str =
    "See whether this machine is connected, and whether the address in the profile's config is right";

pub const LEADS_THERE: &str = "leads to the remote gateway";
pub const IS_NOT_CONNECTED: &str = "this machine is not connected, or cannot look up names";
pub const CONNECT_IT: &str = "Connect it to the network in which the remote gateway is";

pub fn correct_config(config: impl Display) -> String {
    format!("Correct {config}, or have the palyra command line write it")
}

pub fn config_names(config: impl Display, url: impl Display) -> String {
    format!("{config} names {url}")
}
