//! Which ports a service should listen on: what it had, else the defaults, else the first free block of the pool.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::palyra::PalyraConfig;
use crate::protocol::ServiceId;

/// Ports by purpose: `http`, `grpc`, `node_rpc` (TCP) and `quic` (UDP).
pub type Ports = BTreeMap<String, u16>;

/// First and last port that are tried when the wanted ones are taken.
pub const POOL: (u16, u16) = (7142, 7241);

/// Purpose of a port that the gateway does not listen on but was told.
const TOLD: &str = "browser_grpc";

/// One thing to bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bind {
    /// TCP on loopback.
    Tcp(u16),
    /// UDP on loopback.
    Udp(u16),
}

/// The usual ports of a service; empty for one that listens on none.
pub fn defaults(service: ServiceId) -> Ports {
    match service {
        ServiceId::Gateway => gateway(7142, 7443, 7444),
        ServiceId::Browserd => browserd(7143, 7543),
        ServiceId::NodeHost => Ports::new(),
    }
}

/// The gateway's ports: node RPC always listens one above gRPC.
pub fn gateway(http: u16, grpc: u16, quic: u16) -> Ports {
    [("http", http), ("grpc", grpc), ("node_rpc", grpc.saturating_add(1)), ("quic", quic)]
        .into_iter()
        .map(|(purpose, port)| (purpose.to_owned(), port))
        .collect()
}

/// The browser service's ports.
pub fn browserd(http: u16, grpc: u16) -> Ports {
    [("http", http), ("grpc", grpc)].into_iter().map(|(purpose, port)| (purpose.to_owned(), port)).collect()
}

/// The ports that the sidecars' config names for a service; nothing when it names none of them.
pub fn from_config(service: ServiceId, config: &PalyraConfig) -> Option<Ports> {
    let usual = defaults(service);
    let port = |own: Option<u16>, purpose: &str| own.unwrap_or_else(|| usual.get(purpose).copied().unwrap_or(0));
    match service {
        ServiceId::Gateway if config.http.or(config.grpc).or(config.quic).is_some() => {
            Some(gateway(port(config.http, "http"), port(config.grpc, "grpc"), port(config.quic, "quic")))
        }
        ServiceId::Browserd if config.browser_grpc.or(config.browser_http).is_some() => {
            let grpc = port(config.browser_grpc, "grpc");
            let derived = if grpc == 7543 { 7143 } else { grpc.saturating_sub(1).max(1) };
            Some(browserd(config.browser_http.unwrap_or(derived), grpc))
        }
        _ => None,
    }
}

/// What a service binds with these ports.
pub fn binds(ports: &Ports) -> BTreeSet<Bind> {
    let listened = ports.iter().filter(|(purpose, _)| *purpose != TOLD);
    listened.map(|(purpose, port)| if purpose == "quic" { Bind::Udp(*port) } else { Bind::Tcp(*port) }).collect()
}

/// Whether two sets of ports are the same to listen on, each for its purpose.
pub fn same(one: &Ports, other: &Ports) -> bool {
    let listened = |ports: &Ports| -> Ports {
        ports.iter().filter(|(purpose, _)| *purpose != TOLD).map(|(purpose, port)| (purpose.clone(), *port)).collect()
    };
    listened(one) == listened(other)
}

/// The first of wanted, default and pool ports that are all free. `others` are kept clear of: they belong to our other
/// services. `None` when the whole pool is taken.
pub fn choose(
    service: ServiceId,
    wanted: &Ports,
    others: &BTreeSet<Bind>,
    is_free: &dyn Fn(Bind) -> bool,
) -> Option<Ports> {
    let free = |ports: &Ports| binds(ports).into_iter().all(|bind| !others.contains(&bind) && is_free(bind));
    let pool = (POOL.0..=POOL.1).filter_map(|first| match service {
        ServiceId::Gateway if first + 2 <= POOL.1 => Some(gateway(first, first + 1, first + 2)),
        ServiceId::Browserd if first < POOL.1 => Some(browserd(first, first + 1)),
        _ => None,
    });
    let wanted = if wanted.is_empty() { defaults(service) } else { wanted.clone() };
    [wanted, defaults(service)].into_iter().chain(pool).find(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_then_defaults_then_the_first_free_block() {
        let none = BTreeSet::new();
        let wanted = gateway(9000, 9001, 9002);
        assert_eq!(choose(ServiceId::Gateway, &wanted, &none, &|_| true), Some(wanted.clone()));
        let taken = |bind| bind != Bind::Udp(9002);
        assert_eq!(choose(ServiceId::Gateway, &wanted, &none, &taken), Some(defaults(ServiceId::Gateway)));
        let taken = |bind| !matches!(bind, Bind::Tcp(9000 | 7142 | 7146));
        assert_eq!(choose(ServiceId::Gateway, &wanted, &none, &taken), Some(gateway(7143, 7144, 7145)));
    }

    #[test]
    fn the_ports_of_our_other_services_are_left_alone() {
        let others = binds(&browserd(7143, 7144));
        let taken = |bind| bind != Bind::Tcp(7142);
        assert_eq!(choose(ServiceId::Gateway, &Ports::new(), &others, &taken), Some(gateway(7145, 7146, 7147)));
    }

    #[test]
    fn a_taken_node_rpc_port_moves_the_gateway_too() {
        let taken = |bind| bind != Bind::Tcp(7444);
        assert_ne!(
            choose(ServiceId::Gateway, &Ports::new(), &BTreeSet::new(), &taken),
            Some(defaults(ServiceId::Gateway))
        );
    }

    #[test]
    fn a_full_pool_is_no_ports_at_all() {
        assert_eq!(choose(ServiceId::Browserd, &Ports::new(), &BTreeSet::new(), &|_| false), None);
    }
}
