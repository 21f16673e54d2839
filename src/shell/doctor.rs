use crate::config::{Environment, Paths};
pub fn findings_for_set_up(_: &Environment, _: &Paths) -> Vec<crate::core::onboarding::Finding> {
    Vec::new()
}
