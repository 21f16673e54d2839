//! Who else is at work here: a Palyra that is not ours on the same runtime root, and whoever holds a port.
//!
//! Linux only, from `/proc`, processes of the same user; elsewhere nothing is known. Nothing is ever done to them.

use std::path::{Path, PathBuf};

/// A Palyra that is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its number.
    pub pid: u32,
    /// Its executable.
    pub executable: PathBuf,
    /// What ties it to this runtime root, as the end of a sentence about it.
    pub why: String,
}

/// Who listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    /// Its executable.
    pub executable: PathBuf,
}

/// A process not in `ours` that has this runtime root's journal open, or is a Palyra program that was given it as state
/// root. `None` also where the system does not tell.
pub fn foreign_palyra(runtime_root: &Path, ours: &[u32]) -> Option<Foreign> {
    #[cfg(target_os = "linux")]
    return linux::foreign_palyra(runtime_root, ours);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (runtime_root, ours);
        None
    }
}

/// The process of this user that holds a TCP port as listener, or a UDP port. `None` also where it is somebody else's or
/// the system does not tell.
pub fn port_holder(port: u16, udp: bool) -> Option<Holder> {
    #[cfg(target_os = "linux")]
    return linux::port_holder(port, udp);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (port, udp);
        None
    }
}

/// Whether anybody at all, of any user, listens on a TCP port or has a UDP port; the port itself is not touched. `None`
/// where the system does not tell.
pub fn port_is_taken(port: u16, udp: bool) -> Option<bool> {
    #[cfg(target_os = "linux")]
    return linux::port_is_taken(port, udp);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (port, udp);
        None
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};

    use super::super::survivors::{carries, is_own};
    use super::{Foreign, Holder};
    use crate::protocol::shim::{COMMAND_LINE, RUN_ID_VARIABLE};
    use crate::shell::shim::tree;
    use crate::words;

    const JOURNAL: &str = "data/journal.sqlite3";
    /// State of a listening TCP socket in `/proc/net/tcp`.
    const LISTENS: &str = "0A";

    pub fn foreign_palyra(runtime_root: &Path, ours: &[u32]) -> Option<Foreign> {
        // Links in /proc name the real path.
        let root = fs::canonicalize(runtime_root).unwrap_or_else(|_| runtime_root.to_owned());
        let journal = root.join(JOURNAL);
        let mut wal = journal.clone().into_os_string();
        wal.push("-wal");
        let journals = [journal, PathBuf::from(wal)];
        let roots = [state_root_variable(runtime_root), state_root_variable(&root)];
        others(ours).find_map(|pid| {
            let executable = executable(pid)?;
            if open_files(pid).any(|file| journals.contains(&file)) {
                return Some(Foreign { pid, executable, why: words::services::has_open(journals[0].display()) });
            }
            let palyra = is_palyra(&executable) && roots.iter().any(|variable| carries(pid, variable.as_bytes()));
            let asked_by_us = || carries(pid, format!("{RUN_ID_VARIABLE}={COMMAND_LINE}").as_bytes());
            (palyra && !asked_by_us()).then(|| Foreign {
                pid,
                executable,
                why: words::services::runs_on(root.display()),
            })
        })
    }

    pub fn port_holder(port: u16, udp: bool) -> Option<Holder> {
        let sockets: Vec<PathBuf> = tables(udp)
            .flat_map(|table| inodes(&table, port, udp))
            .map(|inode| PathBuf::from(format!("socket:[{inode}]")))
            .collect();
        if sockets.is_empty() {
            return None;
        }
        let pid = tree::processes().into_iter().find(|pid| open_files(*pid).any(|file| sockets.contains(&file)))?;
        Some(Holder { pid, executable: executable(pid)? })
    }

    pub fn port_is_taken(port: u16, udp: bool) -> Option<bool> {
        let tables: Vec<_> = tables(udp).collect();
        (!tables.is_empty()).then(|| tables.iter().any(|table| !inodes(table, port, udp).is_empty()))
    }

    fn tables(udp: bool) -> impl Iterator<Item = String> {
        let names = if udp { ["udp", "udp6"] } else { ["tcp", "tcp6"] };
        names.into_iter().filter_map(|name| fs::read_to_string(format!("/proc/net/{name}")).ok())
    }

    /// Inodes of the sockets bound to a port in a table of `/proc/net`.
    fn inodes(table: &str, port: u16, udp: bool) -> Vec<u64> {
        let wanted = format!("{port:04X}");
        let entries = table.lines().skip(1).filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let local = fields.nth(1)?;
            let state = fields.nth(1)?;
            let inode = fields.nth(5)?.parse().ok()?;
            let bound = local.rsplit_once(':')?.1 == wanted && (udp || state == LISTENS);
            bound.then_some(inode)
        });
        entries.filter(|inode| *inode != 0).collect()
    }

    fn others(ours: &[u32]) -> impl Iterator<Item = u32> {
        let own = std::process::id();
        // what a sidecar of ours started is ours too
        let family: Vec<u32> = ours.iter().flat_map(|pid| tree::descendants(*pid)).collect();
        let known = move |pid: &u32| *pid == own || ours.contains(pid) || family.contains(pid);
        tree::processes().into_iter().filter(move |pid| !known(pid) && is_own(*pid))
    }

    fn executable(pid: u32) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{pid}/exe")).ok()
    }

    fn open_files(pid: u32) -> impl Iterator<Item = PathBuf> {
        let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        entries.filter_map(|entry| fs::read_link(entry.path()).ok())
    }

    /// Palyra's own programs, but not this agent, its shims and its command line.
    fn is_palyra(executable: &Path) -> bool {
        let name = executable.file_name().unwrap_or_default().as_bytes();
        // The kernel says so behind the name of a file that was replaced by an upgrade.
        let name = name.strip_suffix(b" (deleted)").unwrap_or(name);
        name.starts_with(b"palyra") && name != b"palyra-tray"
    }

    fn state_root_variable(root: &Path) -> OsString {
        let mut variable = OsString::from("PALYRA_STATE_ROOT=");
        variable.push(root);
        variable
    }

    #[cfg(test)]
    mod tests {
        use std::net::{TcpListener, UdpSocket};

        use super::*;

        #[test]
        fn our_own_ports_are_found() {
            let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
            let udp = UdpSocket::bind("[::1]:0").or_else(|_| UdpSocket::bind("127.0.0.1:0")).expect("a port");
            let own = std::env::current_exe().expect("a test has a program").canonicalize().expect("it exists");
            let expected = Some(Holder { pid: std::process::id(), executable: own });
            let tcp_port = tcp.local_addr().expect("bound").port();
            assert_eq!(port_holder(tcp_port, false), expected);
            assert_eq!(port_is_taken(tcp_port, false), Some(true));
            assert_eq!(port_holder(udp.local_addr().expect("bound").port(), true), expected);
            drop(tcp);
            assert_eq!(port_holder(tcp_port, false), None);
            assert_eq!(port_is_taken(tcp_port, false), Some(false));
        }

        #[test]
        fn tables_are_read_by_local_port_and_state() {
            let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                0: 0100007F:1BE6 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 100\n\
                1: 0100007F:1BE6 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0 100\n\
                2: 0100007F:C350 0100007F:1BE6 01 00000000:00000000 00:00000000 00000000  1000        0 4244 1 0 100\n\
                torn\n";
            assert_eq!(inodes(table, 7142, false), [4242]);
            assert_eq!(inodes(table, 7142, true), [4242, 4243]);
        }

        #[test]
        fn what_our_sidecars_start_is_not_foreign() {
            let dir = tempfile::tempdir().expect("a folder");
            let helper = dir.path().join("palyra-helper");
            fs::copy("/bin/sleep", &helper).expect("copied");
            let mut sidecar = std::process::Command::new("/bin/sh")
                .args(["-c", "\"$0\" 30 & echo; wait", &helper.to_string_lossy()])
                .env("PALYRA_STATE_ROOT", dir.path())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("a shell");
            let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
            let mut stranger = None;
            while stranger.is_none() && std::time::Instant::now() < end {
                stranger = foreign_palyra(dir.path(), &[]);
            }
            let ours = foreign_palyra(dir.path(), &[sidecar.id()]);
            for pid in tree::descendants(sidecar.id()) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::SIGKILL);
            }
            sidecar.wait().expect("ended");
            assert_eq!((stranger.map(|found| found.executable), ours), (Some(helper), None));
        }

        #[test]
        fn a_command_line_that_we_run_is_not_foreign() {
            let dir = tempfile::tempdir().expect("a folder");
            let palyra = dir.path().join("palyra");
            fs::copy("/bin/sleep", &palyra).expect("copied");
            for (run, foreign) in [("gateway-1", true), (COMMAND_LINE, false)] {
                let mut command = std::process::Command::new(&palyra);
                command.arg("30").env("PALYRA_STATE_ROOT", dir.path()).env(RUN_ID_VARIABLE, run);
                let mut child = command.spawn().expect("started");
                let found = foreign_palyra(dir.path(), &[]);
                child.kill().expect("killed");
                child.wait().expect("ended");
                assert_eq!(found.map(|found| found.pid), foreign.then_some(child.id()), "{run}");
            }
        }

        #[test]
        fn our_own_programs_are_not_foreign() {
            for (name, foreign) in
                [("palyrad", true), ("palyra-browserd", true), ("palyra", true), ("palyra-tray", false), ("sh", false)]
            {
                assert_eq!(is_palyra(&Path::new("/opt/x").join(name)), foreign, "{name}");
            }
            assert!(!is_palyra(Path::new("/opt/palyra-tray (deleted)")));
        }
    }
}
