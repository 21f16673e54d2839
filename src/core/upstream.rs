//! What goes wrong between the gateway and who is behind it, the model's provider or Discord: read out of the gateway's
//! words, told in ours, with what to do.
//!
//! Limits: the gateway has no codes for most of this, so its sentences are searched for the parts that were recorded. What is
//! not recognised is handed on as it is.

use crate::words;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The key is not one.
    Key,
    /// The key is one, but not for this.
    Access,
    /// No credit.
    Spent,
    /// Too many requests.
    Busy,
    /// No way there.
    Unreachable,
    /// It answered that it has trouble of its own.
    Down,
    /// One of the two before: the gateway does not tell them apart.
    Away,
    /// It took too long.
    Slow,
    /// It failed so often that the gateway does not ask for a while.
    Resting,
    /// The gateway has no key to use.
    NoKey,
    /// Something else, in the gateway's words.
    Other(String),
}

/// What a person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Enter a key, or another one.
    Key,
    /// The same again, later.
    Again,
}

/// Parts of what the gateway says when a run fails, most telling first: `class=…` comes before whatever the provider said.
const OF_A_RUN: [(&str, Trouble); 15] = [
    ("class=auth_invalid", Trouble::Key),
    ("class=auth_expired", Trouble::Key),
    ("class=permission_denied", Trouble::Access),
    ("class=quota_exceeded", Trouble::Spent),
    ("class=rate_limited", Trouble::Busy),
    ("class=network_unavailable", Trouble::Unreachable),
    ("class=provider_timeout", Trouble::Slow),
    ("class=transient_upstream", Trouble::Down),
    ("circuit breaker is open", Trouble::Resting),
    ("provider requires PALYRA_MODEL_PROVIDER", Trouble::NoKey),
    ("API key is missing", Trouble::NoKey),
    // From here on, of a gateway that names no class.
    ("returned HTTP 401", Trouble::Key),
    ("returned HTTP 429", Trouble::Busy),
    ("error sending request", Trouble::Unreachable),
    ("credential not found", Trouble::NoKey),
];

impl Trouble {
    /// Out of the words with which a run failed.
    pub fn of_run(words: &str) -> Self {
        let known = OF_A_RUN.iter().find(|(part, _)| words.contains(part));
        known.map_or_else(|| Self::Other(words.to_owned()), |(_, trouble)| trouble.clone())
    }

    /// Out of a refused key or token: status of the gateway's answer, its code and its words. `None` when the gateway speaks
    /// of itself and not of the provider.
    pub fn of_check(status: u16, code: &str, words: &str) -> Option<Self> {
        let about_the_check = words.contains("credential validation") || words.contains("discord");
        match status {
            400 if code == "invalid_credential" || words.contains("token validation failed") => Some(Self::Key),
            429 if words.contains("validation was rate limited") => Some(Self::Busy),
            500 if words.contains("credential validation failed") && !words.contains("error sending request") => {
                Some(Self::Other(words.to_owned()))
            }
            503 if words.contains("status=429") => Some(Self::Busy),
            503 if words.contains("identity lookup failed") => Some(Self::Down),
            503 if words.contains("validation is temporarily unavailable") => Some(Self::Away),
            500 | 503 if about_the_check || words.contains("OAuth code request failed") => Some(Self::Unreachable),
            _ => None,
        }
    }

    /// Out of a test of the connection: the state that the gateway gives it, and its words. `None`: it works.
    pub fn of_probe(state: &str, words: &str) -> Option<Self> {
        match state {
            "ok" | "partial" => None,
            "auth_failed" => Some(Self::Key),
            "missing_auth" | "unsupported" | "disabled" | "endpoint_missing" => Some(Self::NoKey),
            "rate_limited" => Some(Self::Busy),
            "degraded" => Some(Self::Slow),
            "endpoint_failed" if words.contains("returned HTTP 5") => Some(Self::Down),
            "endpoint_failed" => Some(Self::Unreachable),
            _ => Some(Self::Other(words.to_owned())),
        }
    }

    /// What can be done.
    pub const fn remedy(&self) -> Remedy {
        match self {
            Self::Key | Self::Access | Self::NoKey => Remedy::Key,
            _ => Remedy::Again,
        }
    }

    /// For a person: what, why, what to do. `who` is the provider's name.
    pub fn sentence(&self, who: &str) -> String {
        match self {
            Self::Key => words::gateway::does_not_accept_this_key(who),
            Self::Access => words::gateway::does_not_let_this_key_use(who),
            Self::Spent => words::gateway::account_at_has_no_credit_left(who),
            Self::Busy => words::gateway::gets_too_many_requests_right_now_wait(who),
            Self::Unreachable => words::gateway::cannot_be_reached_check(who),
            Self::Down => words::gateway::has_trouble_of_its_own_right(who),
            Self::Away => words::gateway::cannot_be_reached_or_has_trouble(who),
            Self::Slow => words::gateway::took_too_long_to_answer(who),
            Self::Resting => words::gateway::failed_several_times(who),
            Self::NoKey => words::gateway::palyra_has_no_key(who),
            Self::Other(words) => words::gateway::did_not_answer_as_it_should(who, words),
        }
    }
}

/// Why a sign-in came to nothing, out of the gateway's words. `who` is the provider's name.
pub fn failed_sign_in(words: &str, who: &str) -> String {
    let lower = words.to_lowercase();
    if lower.contains("expired before") {
        return words::gateway::sign_in_at_took_too_long(who);
    }
    if lower.contains("access_denied") || lower.contains("denied") {
        return words::gateway::sign_in_was_refused_on_s(who);
    }
    if lower.contains("temporarily unavailable") || lower.contains("request failed") {
        return words::gateway::cannot_be_reached(who);
    }
    if lower.contains("rate limited") {
        return words::gateway::gets_too_many_requests_right_now(who);
    }
    words::gateway::sign_in_at_failed(who, words)
}

/// What a person has to do on the provider's page besides signing in, out of the gateway's words at the beginning.
pub fn sign_in_note(words: &str, who: &str) -> String {
    let code = words.split_once("Enter code ").map(|(_, rest)| rest.split(' ').next().unwrap_or_default());
    match code.filter(|code| !code.is_empty() && code.len() <= 32) {
        Some(code) => words::gateway::enter_code_on_s_page(code, who),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_run_is_told_with_what_to_do() {
        let run = |class: &str, said: &str| {
            format!(
                "model provider request failed after 2 retries (retryable=true, class={class}, action=retry): {said}"
            )
        };
        for (words, trouble) in [
            (run("auth_invalid", "endpoint returned HTTP 401: {\"message\": \"class=rate_limited\"}"), Trouble::Key),
            (run("auth_expired", ""), Trouble::Key),
            (run("permission_denied", ""), Trouble::Access),
            (run("quota_exceeded", "returned HTTP 429"), Trouble::Spent),
            (run("rate_limited", ""), Trouble::Busy),
            (run("network_unavailable", ""), Trouble::Unreachable),
            (run("provider_timeout", "error sending request"), Trouble::Slow),
            (run("transient_upstream", ""), Trouble::Down),
            ("model provider circuit breaker is open; retry after 29000ms".to_owned(), Trouble::Resting),
            ("openai-compatible provider requires PALYRA_MODEL_PROVIDER_OPENAI_API_KEY, …".to_owned(), Trouble::NoKey),
            ("anthropic model provider API key is missing".to_owned(), Trouble::NoKey),
            ("the moon is full".to_owned(), Trouble::Other("the moon is full".to_owned())),
        ] {
            assert_eq!(Trouble::of_run(&words), trouble, "{words}");
        }
        assert_eq!(Trouble::Key.remedy(), Remedy::Key);
        assert_eq!(Trouble::Down.remedy(), Remedy::Again);
    }

    #[test]
    fn a_refused_key_is_not_confused_with_a_gateway_in_trouble() {
        let openai = "OpenAI credential validation is temporarily unavailable";
        let anthropic = "Anthropic credential validation failed: error sending request for url (https://x/v1/models)";
        let strange = "Anthropic credential validation failed: Anthropic endpoint returned HTTP 418: teapot";
        let discord = "failed to reach discord identity endpoint: error sending request for url (https://discord.com)";
        for (status, code, words, expected) in [
            (400, "invalid_credential", "OpenAI credential is invalid", Some(Trouble::Key)),
            (400, "", "discord token validation failed (status=401): 401: Unauthorized", Some(Trouble::Key)),
            (400, "required", "api_key is required", None),
            (429, "", "MiniMax credential validation was rate limited", Some(Trouble::Busy)),
            (429, "", "console request rate limit exceeded", None),
            (503, "", openai, Some(Trouble::Away)),
            (500, "", anthropic, Some(Trouble::Unreachable)),
            (500, "", strange, Some(Trouble::Other(strange.to_owned()))),
            (503, "", discord, Some(Trouble::Unreachable)),
            (503, "", "discord identity lookup failed (status=429): slow down", Some(Trouble::Busy)),
            (503, "", "discord identity lookup failed (status=500): oops", Some(Trouble::Down)),
            (503, "", "MiniMax OAuth code request failed: error sending request", Some(Trouble::Unreachable)),
            (500, "", "failed to persist config /x: no space left on device", None),
        ] {
            assert_eq!(Trouble::of_check(status, code, words), expected, "{words}");
        }
    }

    #[test]
    fn a_sign_in_that_failed_says_why() {
        for (words, part) in [
            ("OpenAI OAuth attempt expired before the callback completed.", "expired"),
            ("access_denied: The person said no.", "refused"),
            ("OpenAI credential validation is temporarily unavailable.", "internet"),
            ("OpenAI OAuth token exchange request failed for host auth.example", "internet"),
            ("OpenAI rate limited credential validation for the OAuth callback.", "Wait"),
            ("odd", "It said: odd"),
        ] {
            assert!(failed_sign_in(words, "OpenAI").contains(part), "{words}: {}", failed_sign_in(words, "OpenAI"));
        }
        let minimax = "MiniMax OAuth user code issued. Enter code ABCD-1234 in the MiniMax portal.";
        assert_eq!(sign_in_note(minimax, "MiniMax"), "Enter the code ABCD-1234 on MiniMax's page.");
        assert_eq!(sign_in_note("OpenAI OAuth authorization URL issued.", "OpenAI"), "");
    }
}
