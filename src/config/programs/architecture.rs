//! What kind of machine a program is for, by the first bytes of its file: ELF, Mach-O, PE, or a script.
//!
//! Limits: says nothing about libraries that are missing or too old; only running the program tells that.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::words;

/// Enough for every header but a PE's, which says itself where it is.
const HEAD_BYTES: u64 = 4096;
/// More architectures than any universal Mach-O file has; what claims more is something else with the same first bytes.
const MOST_SLICES: u32 = 16;

/// What a program's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Machine code of this family of systems, for these machines (several only in a universal Mach-O file).
    Machine {
        /// Which systems start it.
        format: Format,
        /// As [`std::env::consts::ARCH`] names them.
        machines: Vec<String>,
    },
    /// A script, started by this program.
    Script {
        /// Absolute.
        interpreter: PathBuf,
    },
    /// Nothing that a system starts: empty, cut off, or another kind of file.
    NoProgram,
}

/// Family of executable files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Linux and its like.
    Elf,
    /// macOS.
    MachO,
    /// Windows.
    Pe,
}

impl Format {
    const fn of_this_system() -> Self {
        if cfg!(windows) {
            Self::Pe
        } else if cfg!(target_os = "macos") {
            Self::MachO
        } else {
            Self::Elf
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elf => "Linux",
            Self::MachO => "macOS",
            Self::Pe => "Windows",
        })
    }
}

/// Reads it.
///
/// # Errors
/// The file cannot be read.
pub fn of(path: &Path) -> io::Result<Architecture> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    (&mut file).take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(if head.starts_with(b"\x7fELF") {
        elf(&head)
    } else if head.starts_with(b"MZ") {
        let at = bytes(&head, 0x3c).map(u32::from_le_bytes).unwrap_or_default();
        let mut header = Vec::new();
        file.seek(SeekFrom::Start(u64::from(at)))?;
        (&mut file).take(8).read_to_end(&mut header)?;
        pe(&header)
    } else if head.starts_with(b"#!") {
        script(&head)
    } else {
        mach_o(&head)
    }
    .unwrap_or(Architecture::NoProgram))
}

impl Architecture {
    /// Whether this machine can start it.
    ///
    /// # Errors
    /// It cannot: why, as the end of a sentence about the file.
    pub fn runs_here(&self) -> Result<(), String> {
        self.runs_on(Format::of_this_system(), std::env::consts::ARCH)
    }

    fn runs_on(&self, system: Format, machine: &str) -> Result<(), String> {
        match self {
            Self::NoProgram => Err(words::programs::IS_NO_PROGRAM.to_owned()),
            Self::Script { interpreter } if system != Format::Pe && !interpreter.exists() => {
                Err(words::programs::is_script(interpreter.display()))
            }
            Self::Script { .. } => Ok(()),
            Self::Machine { format, .. } if *format != system => {
                Err(words::programs::is_for_another_system(format, system))
            }
            Self::Machine { machines, .. } if machines.iter().any(|one| starts(system, machine, one)) => Ok(()),
            Self::Machine { machines, .. } => {
                Err(words::programs::is_for_another_machine(machines.join(" and "), machine))
            }
        }
    }
}

/// Machines start programs of their own kind, and those that they are known to emulate.
fn starts(system: Format, machine: &str, program: &str) -> bool {
    machine == program
        || (machine == "x86_64" && program == "x86")
        || (system != Format::Elf && matches!((machine, program), ("aarch64", "x86_64" | "x86")))
        // this program may be the emulated one
        || (system != Format::Elf && (machine, program) == ("x86_64", "aarch64"))
}

fn elf(head: &[u8]) -> Option<Architecture> {
    let number = bytes(head, 18)?;
    let machine = match head.get(5)? {
        1 => u16::from_le_bytes(number),
        2 => u16::from_be_bytes(number),
        _ => return None,
    };
    let name = match machine {
        3 => "x86",
        21 => "powerpc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 if head.get(4) == Some(&1) => "riscv32",
        243 => "riscv64",
        258 => "loongarch64",
        other => return Some(known(Format::Elf, words::programs::machine(other))),
    };
    Some(known(Format::Elf, name.to_owned()))
}

fn pe(header: &[u8]) -> Option<Architecture> {
    if !header.starts_with(b"PE\0\0") {
        return None;
    }
    let name = match u16::from_le_bytes(bytes(header, 4)?) {
        0x014c => "x86",
        0x8664 => "x86_64",
        0xaa64 => "aarch64",
        other => return Some(known(Format::Pe, words::programs::machine(other))),
    };
    Some(known(Format::Pe, name.to_owned()))
}

fn mach_o(head: &[u8]) -> Option<Architecture> {
    let machine = |cpu: u32| match cpu {
        7 => "x86".to_owned(),
        0x0100_0007 => "x86_64".to_owned(),
        0x0100_000c => "aarch64".to_owned(),
        other => words::programs::machine(other),
    };
    match u32::from_be_bytes(bytes(head, 0)?) {
        0xcffa_edfe | 0xcefa_edfe => Some(known(Format::MachO, machine(u32::from_le_bytes(bytes(head, 4)?)))),
        0xcafe_babe => {
            let slices = u32::from_be_bytes(bytes(head, 4)?);
            let each = (0..slices.min(MOST_SLICES)).map(|n| Some(8 + usize::try_from(n).ok()? * 20));
            let machines: Option<Vec<_>> =
                each.map(|at| bytes(head, at?).map(|cpu| machine(u32::from_be_bytes(cpu)))).collect();
            (1..=MOST_SLICES)
                .contains(&slices)
                .then(|| Some(Architecture::Machine { format: Format::MachO, machines: machines? }))?
        }
        _ => None,
    }
}

fn script(head: &[u8]) -> Option<Architecture> {
    let line = head.get(2..)?.split(|byte| *byte == b'\n').next()?;
    let name = std::str::from_utf8(line).ok()?.split_ascii_whitespace().next()?;
    Some(Architecture::Script { interpreter: PathBuf::from(name) })
}

fn known(format: Format, machine: String) -> Architecture {
    Architecture::Machine { format, machines: vec![machine] }
}

fn bytes<const N: usize>(from: &[u8], at: usize) -> Option<[u8; N]> {
    from.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8]) -> Architecture {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        of(file.path()).unwrap()
    }

    fn elf_for(machine: u16) -> Vec<u8> {
        let mut head = b"\x7fELF\x02\x01\x01".to_vec();
        head.resize(18, 0);
        head.extend(machine.to_le_bytes());
        head.resize(64, 0);
        head
    }

    #[test]
    fn this_very_program_runs_here() {
        let own = of(&std::env::current_exe().unwrap()).unwrap();
        assert_eq!(own.runs_here(), Ok(()));
        let Architecture::Machine { format, machines } = own else { panic!("{own:?}") };
        assert_eq!((format, machines), (Format::of_this_system(), vec![std::env::consts::ARCH.to_owned()]));
    }

    #[test]
    fn another_machine_is_named_with_this_one() {
        let other = read(&elf_for(183));
        let why = other.runs_on(Format::Elf, "x86_64").unwrap_err();
        assert!(why.starts_with("is for aarch64, this machine is x86_64"), "{why}");
        assert_eq!(other.runs_on(Format::Elf, "aarch64"), Ok(()));
        assert_eq!(read(&elf_for(3)).runs_on(Format::Elf, "x86_64"), Ok(()));
        assert!(read(&elf_for(62)).runs_on(Format::Elf, "x86").is_err());
    }

    #[test]
    fn programs_of_other_systems_are_told_apart() {
        let mut pe = b"MZ".to_vec();
        pe.resize(0x3c, 0);
        pe.extend(0x80_u32.to_le_bytes());
        pe.resize(0x80, 0);
        pe.extend(b"PE\0\0\x64\x86");
        pe.resize(256, 0);
        let why = read(&pe).runs_on(Format::Elf, "x86_64").unwrap_err();
        assert_eq!(why, "is for Windows, this machine runs Linux");
        assert_eq!(read(&pe).runs_on(Format::Pe, "x86_64"), Ok(()));

        let universal =
            [&b"\xca\xfe\xba\xbe\0\0\0\x02"[..], &[1, 0, 0, 7], &[0; 16], &[1, 0, 0, 12], &[0; 16]].concat();
        let Architecture::Machine { format: Format::MachO, machines } = read(&universal) else { panic!() };
        assert_eq!(machines, ["x86_64", "aarch64"]);
        // compiled Java begins with the same four bytes
        assert_eq!(read(b"\xca\xfe\xba\xbe\0\0\0\x41rest of a class file"), Architecture::NoProgram);
    }

    #[test]
    fn what_no_system_starts_is_no_program() {
        for content in [&b""[..], b"\x7fELF", b"MZ", b"<!DOCTYPE html>", b"\xca\xfe\xba\xbe\0\0\0\x02", b"#!"] {
            let read = read(content);
            assert_eq!(read, Architecture::NoProgram, "{content:?}");
            assert!(read.runs_here().is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_script_needs_its_interpreter() {
        assert_eq!(read(b"#!/bin/sh\nexit\n").runs_here(), Ok(()));
        assert_eq!(read(b"#! /usr/bin/env sh -e").runs_here(), Ok(()));
        let why = read(b"#!/nowhere/sh\n").runs_here().unwrap_err();
        assert!(why.contains("/nowhere/sh"), "{why}");
    }
}
