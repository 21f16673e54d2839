use crate::config::Environment;
pub struct State {
    pub on: bool,
}
pub fn state(_: &Environment) -> Result<State, String> {
    Err(String::new())
}
pub fn set(_: &Environment, _: bool) -> Result<String, String> {
    Err(String::new())
}
