pub fn set_run_loop(_: &std::path::Path, _: bool) -> std::io::Result<bool> {
    Ok(true)
}
