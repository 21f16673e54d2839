use std::path::Path;
use crate::protocol::{RunId, shim::*};
pub enum ProcessReport { Running(RunRecord), Busy, Failed(ExitRecord), Refused{message:String}, Ended{run_id: RunId, exit: Option<ExitRecord>} }
pub enum AdoptReport { Running(RunRecord), NotRunning{last_exit: Option<ExitRecord>, run: Option<RunId>, survivors: Vec<u32>}, Unreadable{message:String}, Ended{run_id: RunId, exit: Option<ExitRecord>} }
pub struct Foreign { pub pid: u32, pub executable: String }
pub struct Holder { pub pid: u32, pub executable: String }
pub fn launch(_: &Path, _: Spec, _: impl Fn(ProcessReport)+Send+'static) {}
pub fn adopt(_: &Path, _: impl Fn(AdoptReport)+Send+'static) {}
pub fn stop(_: &RunRecord) -> Result<(), String> { Ok(()) }
pub fn end_survivors(_: &RunId) -> Vec<u32> { vec![] }
pub fn foreign_palyra(_: &Path, _: &[u32]) -> Option<Foreign> { None }
pub fn port_holder(_: u16, _: bool) -> Option<Holder> { None }
pub fn descends_from(_: u32, _: &[u32]) -> bool { false }
