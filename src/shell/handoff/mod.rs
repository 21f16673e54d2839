//! The one-shot address: what the browser's command line holds, and with it everybody who can read command lines, is an
//! address of ours that works once and for 15 s. The gateway's hand-off is minted when it is hit, so that no unused
//! credential exists anywhere, and a second hit tells that somebody else read the address.
//!
//! Limits: whoever hits first wins; that is why the connecting socket must be ours where the kernel tells (see
//! [`owner`]). Requests that a browser makes by itself (prefetch, HEAD) and wrong ones do not use the address up.

mod owner;
mod request;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use request::Verdict;

use crate::words;

/// How long the address works.
pub const LIFE: Duration = Duration::from_secs(15);
/// Longest wait for a request, and for its answer to be taken.
const TALK_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the mint.
const MINT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at one time; browsers open some that they never use.
const MAX_TALKS: usize = 16;
/// After the system refused a connection (no descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What became of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The browser was sent on.
    Served,
    /// The browser was shown why not: the sentence of the mint.
    Failed(String),
    /// Somebody hit it again: an alarm, the address may have been stolen.
    SecondHit,
    /// Another user of this machine knew the address: an alarm. They got nothing and the address still works.
    Stranger,
    /// Nobody came.
    Expired,
}

/// An address that works once.
pub struct OneShot {
    /// To be opened in the browser at once.
    pub url: String,
}

impl OneShot {
    /// Listens on a port of its own. At the first good hit `mint` is run and its address sent to the browser; an error is
    /// one sentence that the browser shows. Must be called on a tokio runtime, where it goes on by itself for [`LIFE`].
    pub async fn open<M, F>(mint: M, report: impl Fn(Report) + Send + Sync + 'static) -> io::Result<Self>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<SecretString, String>> + Send + 'static,
    {
        Self::open_for(LIFE, mint, report).await
    }

    /// As [`OneShot::open`], with another life.
    pub async fn open_for<M, F>(
        life: Duration,
        mint: M,
        report: impl Fn(Report) + Send + Sync + 'static,
    ) -> io::Result<Self>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<SecretString, String>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let path = BASE64_URL_SAFE_NO_PAD.encode(random);
        let url = format!("http://127.0.0.1:{}/{path}", address.port());
        let shared = Shared { address, path, phase: Mutex::new(Phase::Fresh(mint)), report: Box::new(report) };
        tokio::spawn(listen(listener, Arc::new(shared), life));
        Ok(Self { url })
    }
}

impl fmt::Debug for OneShot {
    /// Without the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneShot(<redacted>)")
    }
}

struct Shared<M> {
    address: SocketAddr,
    path: String,
    phase: Mutex<Phase<M>>,
    report: Box<dyn Fn(Report) + Send + Sync>,
}

enum Phase<M> {
    Fresh(M),
    Burnt,
    Expired,
}

impl<M> Shared<M> {
    /// Moves on to `next`, and says where it was; never back to where a hit could count again.
    fn leave_fresh(&self, next: Phase<M>) -> Phase<M> {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        match *phase {
            Phase::Fresh(_) => std::mem::replace(&mut phase, next),
            Phase::Burnt => Phase::Burnt,
            Phase::Expired => Phase::Expired,
        }
    }
}

async fn listen<M, F>(listener: TcpListener, shared: Arc<Shared<M>>, life: Duration)
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<SecretString, String>> + Send + 'static,
{
    let end = Instant::now() + life;
    let mut talks = JoinSet::new();
    loop {
        tokio::select! {
            () = sleep_until(end) => break,
            accepted = listener.accept(), if talks.len() < MAX_TALKS => match accepted {
                Ok((stream, peer)) => {
                    talks.spawn(talk(stream, peer, Arc::clone(&shared)));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = talks.join_next(), if !talks.is_empty() => {}
        }
    }
    drop(listener);
    if let Phase::Fresh(_) = shared.leave_fresh(Phase::Expired) {
        (shared.report)(Report::Expired);
    }
    // A browser that came in time still gets its answer; each talk is bounded.
    while talks.join_next().await.is_some() {}
}

async fn talk<M, F>(mut stream: TcpStream, peer: SocketAddr, shared: Arc<Shared<M>>)
where
    M: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<SecretString, String>> + Send + 'static,
{
    let Ok(Ok(head)) = timeout(TALK_TIMEOUT, request::read_head(&mut stream)).await else { return };
    let answer = match request::judge(&head, &shared.path, shared.address.port()) {
        Verdict::Refuse(answer) => Zeroizing::new(answer.to_owned()),
        Verdict::Good if !owner::is_ours(peer, shared.address) => {
            (shared.report)(Report::Stranger);
            Zeroizing::new(request::FORBIDDEN.to_owned())
        }
        Verdict::Good => match shared.leave_fresh(Phase::Burnt) {
            Phase::Fresh(mint) => hand_over(mint, &shared).await,
            Phase::Burnt => {
                (shared.report)(Report::SecondHit);
                Zeroizing::new(request::gone())
            }
            Phase::Expired => Zeroizing::new(request::gone()),
        },
    };
    let _ = timeout(TALK_TIMEOUT, answer_and_close(&mut stream, &answer)).await;
}

async fn hand_over<M, F>(mint: M, shared: &Shared<M>) -> Zeroizing<String>
where
    M: FnOnce() -> F,
    F: Future<Output = Result<SecretString, String>>,
{
    let minted = match timeout(MINT_TIMEOUT, mint()).await {
        Ok(minted) => minted,
        Err(_) => Err(words::gateway::GATEWAY_TOOK_TOO_LONG_TO_HAND.to_owned()),
    };
    let redirect = minted.and_then(|url| {
        request::redirect(url.expose_secret())
            .ok_or_else(|| words::gateway::GATEWAYS_HAND_OFF_ADDRESS_CANNOT.to_owned())
    });
    match redirect {
        Ok(answer) => {
            (shared.report)(Report::Served);
            answer
        }
        Err(sentence) => {
            let answer = Zeroizing::new(request::page("503 Service Unavailable", &sentence));
            (shared.report)(Report::Failed(sentence));
            answer
        }
    }
}

async fn answer_and_close(stream: &mut TcpStream, answer: &str) -> io::Result<()> {
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // Closing with unread bytes would reset the connection and lose the answer.
    let mut rest = [0; 1024];
    for _ in 0..64 {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}
