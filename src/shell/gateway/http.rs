//! One HTTP exchange with a loopback port: bounded in time and size, and every way in which it can fail told apart.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, RETRY_AFTER, SET_COOKIE};
use reqwest::{Method, redirect, retry};
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{ErrorKind, GatewayError, redact, shorten};
use crate::words;

/// Name of the console's session cookie.
const SESSION_COOKIE: &str = "palyra_console_session";
/// Header that the gateway wants on every call that changes something.
const CSRF_HEADER: &str = "x-palyra-csrf-token";
/// Loopback answers at once; a full accept queue does not.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Longest line of a stream, bytes.
const LINE_MAX: usize = 4 * 1024 * 1024;

/// Largest answer that is read, bytes, unless a call says otherwise.
pub(super) const SMALL_BODY: usize = 256 * 1024;
/// Largest page of approvals that is read, bytes.
pub(super) const PAGE_BODY: usize = 8 * 1024 * 1024;

/// One request.
pub(super) struct Call<'a> {
    pub method: Method,
    pub port: u16,
    pub path: &'a str,
    pub cookie: Option<&'a SecretString>,
    pub csrf: Option<&'a SecretString>,
    pub body: Option<&'a Value>,
    pub timeout: Duration,
    pub max_body: usize,
    /// Not to be repeated in an error, beside cookie and CSRF token.
    pub hide: &'a [&'a str],
}

impl<'a> Call<'a> {
    pub(super) fn get(port: u16, path: &'a str, timeout: Duration) -> Self {
        Self {
            method: Method::GET,
            port,
            path,
            cookie: None,
            csrf: None,
            body: None,
            timeout,
            max_body: SMALL_BODY,
            hide: &[],
        }
    }
}

/// A whole answer, of any status.
pub(super) struct Answer {
    pub status: u16,
    /// May hold a token.
    pub body: Zeroizing<Vec<u8>>,
    /// Fresh session cookie.
    pub cookie: Option<SecretString>,
    retry_after: Option<Duration>,
    is_html: bool,
}

/// A body with a secret in it, wiped when dropped; what the HTTP library makes of it is not.
pub(super) struct Wiped(pub Value);

impl Deref for Wiped {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        for value in self.0.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// Why there is no whole answer.
pub(super) enum Lost {
    /// Nothing listens.
    Refused,
    /// No connection for another reason.
    NoConnection(String),
    /// Too slow; `sent` as in [`GatewayError`].
    Timeout { sent: bool },
    /// The connection was taken, but no HTTP answer began.
    NoAnswer,
    /// The answer broke off.
    Half { status: u16 },
    /// The answer is larger than the call allows.
    Oversized { status: u16 },
    /// The request could not even be made.
    Unmade(String),
}

/// The HTTP client.
pub(super) struct Http {
    client: reqwest::Client,
}

impl Http {
    pub(super) fn new() -> Result<Self, GatewayError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            // No connection is kept: a connection to loopback costs microseconds, while a kept one may be closed by the
            // gateway at the very moment a decision is written to it, whose answer would then be lost. Idle means no
            // socket, no task and no pool timer.
            .pool_max_idle_per_host(0)
            .pool_idle_timeout(None)
            .build()
            .map_err(|error| {
                let message = words::gateway::http_client_could_not_be_made(&error);
                GatewayError::new(ErrorKind::Invalid, None, false, message)
            })?;
        Ok(Self { client })
    }

    /// Sends once and reads the whole answer, whatever its status.
    pub(super) async fn exchange(&self, call: &Call<'_>) -> Result<Answer, Lost> {
        let request = self.request(call)?.timeout(call.timeout);
        read(request.send().await.map_err(|error| Lost::before_answer(&error))?, call.max_body).await
    }

    fn request(&self, call: &Call<'_>) -> Result<reqwest::RequestBuilder, Lost> {
        let url = format!("http://127.0.0.1:{}{}", call.port, call.path);
        let mut request = self.client.request(call.method.clone(), url);
        if let Some(cookie) = call.cookie {
            let line = format!("{SESSION_COOKIE}={}", cookie.expose_secret());
            request = request.header(COOKIE, secret_header(&line)?);
        }
        if let Some(csrf) = call.csrf {
            request = request.header(CSRF_HEADER, secret_header(csrf.expose_secret())?);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Ok(request)
    }

    /// Sends once; for a 2xx, gives its body as it comes. [`Call::timeout`] limits the wait for the answer to begin and, for
    /// an error, to end; how long the body may be silent is said with every piece.
    pub(super) async fn open(&self, call: &Call<'_>) -> Result<Stream, GatewayError> {
        let began = async {
            let response = self.request(call)?.send().await.map_err(|error| Lost::before_answer(&error))?;
            if response.status().is_success() {
                let cookie = session_cookie(response.headers());
                return Ok(Ok(Stream { response, line: Vec::new(), read: 0, limit: call.max_body, cookie }));
            }
            read(response, SMALL_BODY).await.map(Err)
        };
        match tokio::time::timeout(call.timeout, began).await {
            Ok(Ok(Ok(stream))) => Ok(stream),
            Ok(Ok(Err(refusal))) => Err(refusal.into_error(call)),
            Ok(Err(lost)) => Err(lost.into_error(call)),
            Err(_) => Err(Lost::Timeout { sent: true }.into_error(call)),
        }
    }

    /// Sends once; anything but a 2xx is an error.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, GatewayError> {
        let answer = self.exchange(call).await.map_err(|lost| lost.into_error(call))?;
        match answer.status {
            200..=299 => Ok(answer),
            _ => Err(answer.into_error(call)),
        }
    }
}

/// A body that comes line by line, for as long as the gateway likes.
pub(super) struct Stream {
    response: reqwest::Response,
    /// What came after the last line end.
    line: Vec<u8>,
    read: usize,
    limit: usize,
    /// Fresh session cookie.
    pub cookie: Option<SecretString>,
}

/// Why there is no next line.
pub(super) enum Cut {
    /// Nothing came for so long.
    Silence(Duration),
    /// The connection broke off.
    Half,
    /// More came than the call allows.
    Oversized,
}

impl Stream {
    /// The next line, without its end; `None` after the last one.
    pub(super) async fn next_line(&mut self, silence: Duration) -> Result<Option<Vec<u8>>, Cut> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.line[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.line.split_off(searched + end + 1);
                let mut line = std::mem::replace(&mut self.line, rest);
                line.pop();
                return Ok(Some(line));
            }
            searched = self.line.len();
            if searched > LINE_MAX {
                return Err(Cut::Oversized);
            }
            match tokio::time::timeout(silence, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    self.read = self.read.saturating_add(chunk.len());
                    if self.read > self.limit {
                        return Err(Cut::Oversized);
                    }
                    self.line.extend_from_slice(&chunk);
                }
                Ok(Ok(None)) if self.line.is_empty() => return Ok(None),
                Ok(Ok(None)) => return Ok(Some(std::mem::take(&mut self.line))),
                Ok(Err(_)) => return Err(Cut::Half),
                Err(_) => return Err(Cut::Silence(silence)),
            }
        }
    }
}

async fn read(mut response: reqwest::Response, max_body: usize) -> Result<Answer, Lost> {
    let status = response.status().as_u16();
    let cookie = session_cookie(response.headers());
    let is_html = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    let seconds = response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
    let retry_after = seconds.map(Duration::from_secs);
    // whole at once, where its length is told: what it grew out of would be left unwiped, and in pieces between what stays
    let told = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Zeroizing::new(Vec::with_capacity(told.unwrap_or_default().min(max_body)));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= max_body => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(Lost::Oversized { status }),
            Ok(None) => return Ok(Answer { status, body, cookie, retry_after, is_html }),
            Err(error) if error.is_timeout() => return Err(Lost::Timeout { sent: true }),
            Err(_) => return Err(Lost::Half { status }),
        }
    }
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, GatewayError> {
        serde_json::from_slice(&self.body).map_err(|_| self.not_ours())
    }

    /// The error for a body that is not what it should be.
    pub(super) fn not_ours(&self) -> GatewayError {
        let what =
            if self.is_html { words::gateway::WEB_PAGE } else { words::gateway::SOMETHING_THAT_IS_NOT_ITS_PROTOCOL };
        let message = words::gateway::gateway_answered_with_is_another(what);
        GatewayError::protocol(self.status, message)
    }

    fn into_error(self, call: &Call<'_>) -> GatewayError {
        let kind = match self.status {
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            412 => ErrorKind::NotBound,
            429 => ErrorKind::RateLimited,
            400..=499 => ErrorKind::Invalid,
            500..=599 => ErrorKind::Server,
            _ => ErrorKind::Protocol,
        };
        let (said, code) = self.said();
        let said = shorten(&redact(&said, &call.secrets()));
        let message = if said.is_empty() {
            words::gateway::gateway_answered_without_reason(self.status)
        } else {
            words::gateway::gateway_answered(self.status, &said)
        };
        let error = GatewayError::new(kind, Some(self.status), true, message);
        GatewayError { said, code, retry_after: self.retry_after, ..error }
    }

    /// The gateway's words and the code of what was wrong: its envelope, or the framework's plain text. A page is no message.
    fn said(&self) -> (String, String) {
        #[derive(Deserialize)]
        struct Envelope {
            error: String,
            #[serde(default)]
            validation_errors: Vec<Finding>,
        }
        #[derive(Deserialize)]
        struct Finding {
            code: String,
            message: String,
        }
        match serde_json::from_slice::<Envelope>(&self.body) {
            // The gateway's redaction takes its own sentence about a credential for one; the finding still has it.
            Ok(Envelope { error, validation_errors }) => match validation_errors.into_iter().next() {
                Some(finding) if error == "<redacted>" => (finding.message, finding.code),
                Some(finding) => (error, finding.code),
                None => (error, String::new()),
            },
            Err(_) if self.is_html || self.body.first().is_some_and(|byte| matches!(byte, b'<' | b'{' | b'[')) => {
                (String::new(), String::new())
            }
            Err(_) => (String::from_utf8_lossy(&self.body).into_owned(), String::new()),
        }
    }
}

impl Lost {
    fn before_answer(error: &reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Unmade(words::gateway::REQUEST_COULD_NOT_BE_BUILT.to_owned());
        }
        if error.is_timeout() {
            return Self::Timeout { sent: !error.is_connect() };
        }
        if !error.is_connect() {
            return Self::NoAnswer;
        }
        match io_error(error) {
            Some(cause) if cause.kind() == io::ErrorKind::ConnectionRefused => Self::Refused,
            Some(cause) => Self::NoConnection(cause.to_string()),
            None => Self::NoConnection(words::gateway::NO_CONNECTION.to_owned()),
        }
    }

    fn into_error(self, call: &Call<'_>) -> GatewayError {
        let port = call.port;
        match self {
            Self::Refused => {
                let message = words::gateway::gateway_cannot_be_reached(port);
                GatewayError::new(ErrorKind::Unreachable, None, false, message)
            }
            Self::NoConnection(why) => {
                let message = words::gateway::gateway_on_cannot_be_reached(port, &why);
                GatewayError::new(ErrorKind::Unreachable, None, false, message)
            }
            Self::Timeout { sent } => {
                let message = words::gateway::gateway_did_not_answer_within_ms(call.timeout.as_millis());
                GatewayError::new(ErrorKind::Timeout, None, sent, message)
            }
            Self::NoAnswer => {
                let message = words::gateway::connection_to_ended_without_http_answer(port);
                GatewayError::new(ErrorKind::Unreachable, None, true, message)
            }
            Self::Half { status } => {
                GatewayError::protocol(status, words::gateway::GATEWAYS_ANSWER_BROKE_OFF_IN_MIDDLE)
            }
            Self::Oversized { status } => {
                let message = words::gateway::gateways_answer_is_larger_than_kib(call.max_body / 1024);
                GatewayError { oversized: true, ..GatewayError::protocol(status, message) }
            }
            Self::Unmade(why) => {
                let message = words::gateway::request_to_gateway_was_not_sent(&why);
                GatewayError::new(ErrorKind::Invalid, None, false, message)
            }
        }
    }
}

impl Call<'_> {
    pub(super) fn secrets(&self) -> Vec<&str> {
        let own = [self.cookie, self.csrf].into_iter().flatten().map(|secret| secret.expose_secret());
        own.chain(self.hide.iter().copied()).collect()
    }
}

impl fmt::Debug for Call<'_> {
    /// Method and path only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

fn io_error(error: &reqwest::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(found) = cause.downcast_ref::<io::Error>() {
            return Some(found);
        }
        source = cause.source();
    }
    None
}

fn secret_header(text: &str) -> Result<HeaderValue, Lost> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Lost::Unmade(words::gateway::SESSION_HOLDS_CHARACTERS_THAT_NO_HEADER.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn session_cookie(headers: &HeaderMap) -> Option<SecretString> {
    headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()).find_map(|line| {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        (name.trim() == SESSION_COOKIE && !value.is_empty()).then(|| SecretString::from(value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_session_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("other=1; Path=/"));
        headers.append(SET_COOKIE, HeaderValue::from_static("palyra_console_session=abc; Max-Age=1800; HttpOnly"));
        assert_eq!(session_cookie(&headers).unwrap().expose_secret(), "abc");
    }
}
