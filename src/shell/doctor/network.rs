//! Whether this machine is set up to reach others, by the kernel's tables and the resolver's file. Nobody is contacted.
//!
//! Limits: a network that is set up may still lead nowhere; only a real request shows that, and the gateway makes those.

use std::fs;
use std::io;

use crate::core::doctor::facts::{Fact, Network};
use crate::words;

/// A route that is there to refuse.
const REJECT: u32 = 0x200;

/// Looks.
pub(super) fn look() -> Fact<Network> {
    // a kernel without IPv6 has no such table
    let v6 = read("/proc/net/ipv6_route").unwrap_or_default();
    let route = leads_out(&read("/proc/net/route")?) || leads_out_by_v6(&v6);
    Ok(Network { route, name_server: names_a_server(&read("/etc/resolv.conf")?) })
}

fn read(path: &str) -> Fact<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        outcome => outcome.map_err(|error| words::checks::cannot_be_read(path, &error)),
    }
}

/// A line for everything that no other line is for: `eth0 00000000 0100A8C0 0003 0 0 100 00000000 …`.
fn leads_out(table: &str) -> bool {
    table.lines().skip(1).any(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, "00000000", _, flags, _, _, _, "00000000", ..] = fields[..] else { return false };
        u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & REJECT == 0)
    })
}

/// The same for IPv6: destination, length of its prefix, …, flags, interface.
fn leads_out_by_v6(table: &str) -> bool {
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [destination, "00", .., flags, interface] = fields[..] else { return false };
        destination.bytes().all(|digit| digit == b'0')
            && interface != "lo"
            && u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & REJECT == 0)
    })
}

fn names_a_server(resolver: &str) -> bool {
    resolver.lines().any(|line| line.split_ascii_whitespace().next() == Some("nameserver"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_that_lead_out() {
        let head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
        let table = |line: &str| format!("{head}{line}\n");
        assert!(leads_out(&table("eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0")));
        assert!(!leads_out(&table("eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0")));
        assert!(!leads_out(&table("*\t00000000\t00000000\t0201\t0\t0\t100\t00000000\t0\t0\t0")), "it refuses");
        assert!(!leads_out(head) && !leads_out(""));

        let (all, none) = ("0".repeat(32), "00");
        let line = |prefix: &str, flags: &str, interface: &str| {
            format!(
                "{all} {prefix} {all} {none} fe80{} 00000400 00000001 00000000 {flags} {interface}\n",
                "0".repeat(28)
            )
        };
        assert!(leads_out_by_v6(&line("00", "00000003", "wlan0")));
        assert!(!leads_out_by_v6(&line("40", "00000001", "wlan0")));
        assert!(!leads_out_by_v6(&line("00", "00200200", "lo")), "every machine has this one");
        assert!(!leads_out_by_v6(&line("00", "00200200", "wlan0")), "it refuses");
    }

    #[test]
    fn name_servers() {
        assert!(names_a_server("# by hand\nsearch example\nnameserver 127.0.0.53\n"));
        assert!(!names_a_server("# nameserver 127.0.0.53\nsearch nameserver\n"));
    }
}
