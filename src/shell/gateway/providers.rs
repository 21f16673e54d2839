use super::{Client, GatewayError};
use crate::protocol::Secret;
use crate::protocol::setup::*;
#[allow(missing_docs, unused)]
impl Client {
    fn nope<T>() -> Result<T, GatewayError> {
        Err(GatewayError::new(super::http::ErrorKind::Invalid, None, false, "seam"))
    }
    pub async fn provider(&self, p: Provider) -> Result<ProviderFacts, GatewayError> {
        Self::nope()
    }
    pub async fn set_provider_key(&self, p: Provider, k: &Secret) -> Result<String, GatewayError> {
        Self::nope()
    }
    pub async fn begin_sign_in(
        &self,
        p: Provider,
        i: Option<&str>,
        s: Option<&Secret>,
    ) -> Result<SignIn, GatewayError> {
        Self::nope()
    }
    pub async fn sign_in_state(&self, p: Provider, a: &str) -> Result<SignInState, GatewayError> {
        Self::nope()
    }
    pub async fn test_provider(&self, p: Provider) -> Result<String, GatewayError> {
        Self::nope()
    }
    pub async fn first_message(&self, t: &str) -> Result<FirstAnswer, GatewayError> {
        Self::nope()
    }
    pub async fn discord_probe(&self, t: &Secret) -> Result<DiscordAnswer, GatewayError> {
        Self::nope()
    }
    pub async fn discord_apply(&self, t: &Secret) -> Result<DiscordAnswer, GatewayError> {
        Self::nope()
    }
    pub async fn discord_verify(&self, t: &str) -> Result<DiscordAnswer, GatewayError> {
        Self::nope()
    }
    pub async fn discord_state(&self) -> Result<String, GatewayError> {
        Self::nope()
    }
}
