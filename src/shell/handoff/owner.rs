//! Whose socket is at the other end of a loopback connection.
//!
//! On Linux the kernel lists both ends in `/proc/net/tcp` (and `tcp6`), each with its owner. Root counts as us: it can
//! read our memory anyway, and forwarders of virtual machines run as root. Where the kernel tells nothing (no `/proc`,
//! or a table without even our own end, as in some sandboxes) and on other systems, everybody is allowed: there the
//! random path, its 15 s and the alarm on a second hit have to do.

use std::net::SocketAddr;

/// Whether the connection from `peer` to our `listener` was made by our own user, or the kernel does not tell.
#[cfg(target_os = "linux")]
pub(super) fn is_ours(peer: SocketAddr, listener: SocketAddr) -> bool {
    let uid = nix::unistd::geteuid().as_raw();
    // The table is not read in one piece, so that a row can be missed once.
    for _ in 0..2 {
        match linux::verdict(&linux::tables(), peer, listener, uid) {
            linux::Owner::Ours | linux::Owner::Untold => return true,
            linux::Owner::Other => return false,
            linux::Owner::Missing => {}
        }
    }
    false
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_ours(_peer: SocketAddr, _listener: SocketAddr) -> bool {
    true
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::Read as _;
    use std::net::{Ipv4Addr, SocketAddr};

    /// Far more than a desktop's connections need, bytes.
    const MAX_TABLE_BYTES: u64 = 8 * 1024 * 1024;
    /// `TCP_ESTABLISHED` in the table.
    const ESTABLISHED: &str = "01";

    #[derive(Debug, PartialEq, Eq)]
    pub(super) enum Owner {
        Ours,
        Other,
        /// Our end is listed and the other is not.
        Missing,
        /// The kernel lists neither.
        Untold,
    }

    pub(super) fn tables() -> String {
        let mut text = String::new();
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            if let Ok(file) = File::open(path) {
                // A table that cannot be read to its end tells what it told.
                let _ = file.take(MAX_TABLE_BYTES).read_to_string(&mut text);
            }
        }
        text
    }

    pub(super) fn verdict(table: &str, peer: SocketAddr, listener: SocketAddr, uid: u32) -> Owner {
        let mut is_our_end_listed = false;
        for line in table.lines() {
            let Some((local, remote, state, owner)) = row(line) else { continue };
            if local == peer && remote == listener {
                // A socket that its process has closed is listed as root's.
                let is_ours = owner == uid || (owner == 0 && state == ESTABLISHED);
                return if is_ours { Owner::Ours } else { Owner::Other };
            }
            is_our_end_listed |= local == listener && remote == peer;
        }
        if is_our_end_listed { Owner::Missing } else { Owner::Untold }
    }

    fn row(line: &str) -> Option<(SocketAddr, SocketAddr, &str, u32)> {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let local = address(columns.next()?)?;
        let remote = address(columns.next()?)?;
        let state = columns.next()?;
        let owner = columns.nth(3)?.parse().ok()?;
        Some((local, remote, state, owner))
    }

    /// An IPv4 address, also one that is mapped into IPv6; the kernel prints words in its own byte order.
    fn address(text: &str) -> Option<SocketAddr> {
        let (ip, port) = text.split_once(':')?;
        let mapped = format!("{:08X}{:08X}{:08X}", 0, 0, 0x0000_ffff_u32.to_be());
        let word = match ip.len() {
            8 => ip,
            _ => ip.strip_prefix(&mapped).filter(|word| word.len() == 8)?,
        };
        let ip = Ipv4Addr::from(u32::from_str_radix(word, 16).ok()?.to_ne_bytes());
        Some((ip, u16::from_str_radix(port, 16).ok()?).into())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const PEER: ([u8; 4], u16) = ([127, 0, 0, 1], 0xA000);
        const LISTENER: ([u8; 4], u16) = ([127, 0, 0, 1], 0x1BE6);

        fn told(table: &str) -> Owner {
            verdict(table, PEER.into(), LISTENER.into(), 1000)
        }

        #[cfg(target_endian = "little")]
        #[test]
        fn the_owner_of_the_other_end_counts() {
            const HEAD: &str =
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
            const OURS: &str =
                "   1: 0100007F:1BE6 0100007F:A000 01 00000000:00000000 00:00000000 00000000  1000        0 11 1 0\n";
            let theirs = |state: &str, uid: u32| {
                format!(
                    "   2: 0100007F:A000 0100007F:1BE6 {state} 00000000:00000000 00:00000000 00000000 {uid:5}        0 12 1 0\n"
                )
            };
            assert_eq!(told(&format!("{HEAD}{OURS}{}", theirs("01", 1000))), Owner::Ours);
            assert_eq!(told(&format!("{HEAD}{OURS}{}", theirs("01", 1001))), Owner::Other);
            assert_eq!(told(&format!("{HEAD}{}{OURS}", theirs("01", 0))), Owner::Ours);
            assert_eq!(told(&format!("{HEAD}{OURS}{}", theirs("04", 0))), Owner::Other);
            assert_eq!(told(&format!("{HEAD}{OURS}")), Owner::Missing);
            assert_eq!(told(HEAD), Owner::Untold);
            assert_eq!(told(""), Owner::Untold);
            let six = theirs("01", 1001).replace("0100007F:", "0000000000000000FFFF00000100007F:");
            assert_eq!(told(&format!("{HEAD}{OURS}{six}")), Owner::Other);
        }

        #[test]
        fn the_kernel_tells_of_a_real_connection() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (_server, peer) = listener.accept().unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
            let uid = nix::unistd::geteuid().as_raw();
            let (listener, tables) = (listener.local_addr().unwrap(), tables());
            assert_eq!(verdict(&tables, peer, listener, uid), Owner::Ours);
            assert_eq!(verdict(&tables.replace(&format!(" {uid:5} "), " 54321 "), peer, listener, uid), Owner::Other);
        }
    }
}
