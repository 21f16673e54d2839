//! The control socket: how the command line, and a second start, talk to the running agent.
//!
//! One request and one answer a connection, one JSON value a line; to whoever watches, an answer each time that something
//! changes. Only processes of the same user are heard. A client
//! that sends garbage gets an error; one that hangs is dropped.

mod news;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::config::Paths;
use crate::protocol::ask::AskRequest;
use crate::protocol::node::NodeRequest;
use crate::protocol::{Envelope, Failure, FailureCode, Reply, Request, VERSION};
use crate::words;
use news::News;

/// Longest request, bytes.
const REQUEST_LIMIT: u64 = 64 * 1024;
/// Longest answer, bytes: a full inbox.
const REPLY_LIMIT: u64 = 64 * 1024 * 1024;
/// A client must have sent its request by then.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// Connections served at once.
const CONNECTIONS: usize = 32;

/// `control.json`: names the socket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ControlFile {
    /// [`VERSION`] of the agent.
    pub version: u32,
    /// Version of the program.
    pub program: String,
    /// The agent.
    pub pid: u32,
    /// Where it listens.
    pub socket: std::path::PathBuf,
}

/// A request to be answered.
#[derive(Debug)]
pub struct Asked {
    /// What.
    pub request: Request,
    /// The client's process, where the kernel tells.
    pub peer: Option<u32>,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Reply>,
}

/// The serving side.
pub struct Server {
    places: Arc<Semaphore>,
    listening: JoinHandle<()>,
    /// Where snapshots are given to those who watch.
    pub news: Arc<News>,
}

impl Server {
    /// Takes no more clients: those that come now are told by the system that nobody is there.
    pub fn close(&self) {
        self.listening.abort();
        self.news.end();
    }

    /// Waits until every answer that was given has been written, at most this long. To be closed before.
    pub async fn drain(&self, limit: Duration) {
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(limit, self.places.acquire_many(all)).await;
    }
}

/// Serves clients until the process ends.
///
/// # Errors
/// The socket cannot be made.
pub fn serve(paths: &Paths, ask: impl Fn(Asked) + Send + Sync + 'static) -> io::Result<Server> {
    let listener = listener::Listener::bind(&paths.socket)?;
    let ask = Arc::new(ask);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let free = places.clone();
    let news = Arc::new(News::default());
    let pushed = news.clone();
    let listening = tokio::spawn(async move {
        let mut listener = listener;
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let (ask, pushed) = (ask.clone(), pushed.clone());
                    tokio::spawn(async move {
                        converse(stream, peer, &*ask, &pushed).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // descriptors may be short for a while; never spin on it
                    tracing::warn!(%error, "a control connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    });
    Ok(Server { places: free, listening, news })
}

async fn converse(stream: listener::Stream, peer: Option<u32>, ask: &(dyn Fn(Asked) + Send + Sync), news: &News) {
    let mut stream = BufReader::new(stream);
    // a key may be in it
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    let mut limited = (&mut stream).take(REQUEST_LIMIT);
    let read = tokio::time::timeout(REQUEST_PATIENCE, limited.read_until(b'\n', &mut line)).await;
    if !matches!(read, Ok(Ok(n)) if n > 0) {
        return;
    }
    let mut watcher = None;
    let reply = match understand(&line).and_then(|request| {
        if request == Request::Watch {
            watcher = Some(news.watcher().ok_or_else(too_many_watch)?);
        }
        Ok(request)
    }) {
        Err(failure) => Reply::Error(failure),
        Ok(request) => {
            let may_be_cancelled = matches!(
                request,
                Request::Node(NodeRequest::Do { .. })
                    | Request::Message(AskRequest::Answer { .. } | AskRequest::Send(_) | AskRequest::SendDraft { .. })
            );
            let (sender, receiver) = oneshot::channel();
            ask(Asked { request, peer, reply: sender });
            // one that goes away while it waits is told by the receiver's end, or noticed when the answer is written
            tokio::select! {
                reply = receiver => match reply {
                    Ok(reply) => reply,
                    Err(_) => return,
                },
                () = gone(&mut stream), if may_be_cancelled => return,
            }
        }
    };
    if let Some(watcher) = watcher {
        return watcher.follow(stream, &reply).await;
    }
    if let Ok(mut bytes) = serde_json::to_vec(&reply) {
        bytes.push(b'\n');
        let _ = tokio::time::timeout(REQUEST_PATIENCE, async {
            let stream = stream.get_mut();
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        })
        .await;
    }
}

/// Waits for the client to close the connection: it has nothing more to say.
async fn gone(stream: &mut BufReader<listener::Stream>) {
    let mut byte = [0];
    while matches!(stream.read(&mut byte).await, Ok(1..)) {}
}

/// What a client's line asks for.
///
/// # Errors
/// It is no request, or one of another version.
pub fn understand(line: &[u8]) -> Result<Request, Failure> {
    #[derive(Deserialize)]
    struct VersionOnly {
        version: u32,
    }
    let usage = |message: String| Failure::new(FailureCode::Usage, message, words::agent::USE_COMMAND_OF_SAME_VERSION);
    match serde_json::from_slice::<Envelope>(line) {
        Ok(envelope) if envelope.version == VERSION => Ok(envelope.request),
        Ok(Envelope { version, .. }) => Err(usage(differs(version))),
        Err(error) => match serde_json::from_slice::<VersionOnly>(line) {
            Ok(VersionOnly { version }) if version != VERSION => Err(usage(differs(version))),
            // The parser's words may quote the request, and with it a secret: only the place is told.
            _ => Err(usage(words::agent::request_was_not_understood_column(error.column()))),
        },
    }
}

fn too_many_watch() -> Failure {
    Failure::new(FailureCode::Refused, words::agent::TOO_MANY_WATCH_ALREADY, words::agent::END_ONE_OF_OTHERS)
}

fn differs(version: u32) -> String {
    words::agent::command_speaks_version_of_control_protocol(version, VERSION)
}

/// Asks the running agent, and waits for its answer.
///
/// # Errors
/// No agent runs, or it does not answer.
pub fn ask(paths: &Paths, request: Request, patience: Duration) -> Result<Reply, Failure> {
    Connection::open(paths, request, patience)?.next()
}

/// A conversation with the agent, seen from the client.
pub struct Connection(std::io::BufReader<listener::Client>);

impl Connection {
    /// Asks.
    ///
    /// # Errors
    /// No agent runs.
    pub fn open(paths: &Paths, request: Request, patience: Duration) -> Result<Self, Failure> {
        open(paths, request, patience)
    }

    /// Waits for an answer, with the patience of [`Connection::open`] (on Windows as long as it takes).
    ///
    /// # Errors
    /// The agent went away, or does not answer.
    #[expect(clippy::should_implement_trait, reason = "there is no end: the last one is an error")]
    pub fn next(&mut self) -> Result<Reply, Failure> {
        use std::io::{BufRead, Read};
        let mut answer = Vec::new();
        (&mut self.0).take(REPLY_LIMIT).read_until(b'\n', &mut answer).map_err(lost)?;
        if answer.is_empty() {
            return Err(lost(io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_slice(&answer).map_err(|_| {
            Failure::new(
                FailureCode::Failed,
                words::common::AGENTS_ANSWER_WAS_NOT_UNDERSTOOD,
                words::agent::IS_IT_OF_ANOTHER_VERSION,
            )
        })
    }
}

fn lost(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            Failure::new(FailureCode::Failed, words::agent::AGENT_DID_NOT_ANSWER_IN_TIME, words::agent::SEE_ITS_LOG)
        }
        io::ErrorKind::UnexpectedEof => {
            Failure::new(FailureCode::NoAgent, words::agent::WENT_AWAY, words::common::START_PALYRA_TRAY)
        }
        _ => Failure::new(FailureCode::NoAgent, words::agent::went_away(&error), words::common::START_PALYRA_TRAY),
    }
}

fn open(paths: &Paths, request: Request, patience: Duration) -> Result<Connection, Failure> {
    use std::io::Write;
    let none = |why: &str| {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let message = words::agent::no_agent_runs(paths.state_root.display(), &why);
        Failure::new(FailureCode::NoAgent, message, words::common::START_PALYRA_TRAY)
    };
    // Where the address file is missing or torn, as on a full disk, the usual place is tried.
    let told = std::fs::read(paths.control_file()).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => String::new(),
        _ => words::agent::its_address_file_cannot_be_read(&error),
    });
    let told = told.and_then(|text| {
        serde_json::from_slice::<ControlFile>(&text).map_err(|_| words::agent::ITS_ADDRESS_FILE_IS_CORRUPT.to_owned())
    });
    let socket = told.as_ref().map_or(&paths.socket, |control| &control.socket);
    let mut stream = listener::connect(socket, patience).map_err(|error| match &told {
        Ok(_) => none(&error.to_string()),
        Err(why) => none(why),
    })?;
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    serde_json::to_writer(&mut *line, &Envelope { version: VERSION, request })
        .map_err(|error| Failure::new(FailureCode::Failed, error.to_string(), ""))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(lost)?;
    Ok(Connection(std::io::BufReader::new(stream)))
}

/// Writes the address file.
///
/// # Errors
/// It cannot be written.
pub fn publish(paths: &Paths, program: &str) -> io::Result<()> {
    let file = ControlFile {
        version: VERSION,
        program: program.to_owned(),
        pid: std::process::id(),
        socket: paths.socket.clone(),
    };
    crate::shell::store::write_passing(&paths.control_file(), &serde_json::to_vec(&file)?)
}

/// Takes address file and socket away again.
pub fn unpublish(paths: &Paths) {
    let _ = std::fs::remove_file(paths.control_file());
    if cfg!(unix) {
        let _ = std::fs::remove_file(Path::new(&paths.socket));
    }
}

#[cfg(unix)]
mod listener {
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    use crate::words;
    use tokio::net::{UnixListener, UnixStream};

    pub type Stream = UnixStream;
    pub type Client = std::os::unix::net::UnixStream;

    pub struct Listener(UnixListener);

    impl Listener {
        /// The agent's lock is held: a socket that lies there is of a dead agent.
        pub fn bind(path: &Path) -> io::Result<Self> {
            if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
                crate::shell::store::private_dir(folder)?;
            }
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = UnixListener::bind(path)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
            Ok(Self(listener))
        }

        /// The next client of the same user; others are turned away.
        pub async fn accept(&mut self) -> io::Result<(Stream, Option<u32>)> {
            loop {
                let (stream, _) = self.0.accept().await?;
                let peer = stream.peer_cred()?;
                if peer.uid() == nix::unistd::geteuid().as_raw() {
                    return Ok((stream, peer.pid().and_then(|pid| u32::try_from(pid).ok())));
                }
                tracing::warn!(uid = peer.uid(), "a control client of another user was turned away");
            }
        }
    }

    pub fn connect(path: &Path, patience: Duration) -> io::Result<std::os::unix::net::UnixStream> {
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::symlink_metadata(path)?);
        if owner != nix::unistd::geteuid().as_raw() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, words::agent::SOCKET_BELONGS_TO_ANOTHER_USER));
        }
        let stream = std::os::unix::net::UnixStream::connect(path)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        Ok(stream)
    }
}

#[cfg(windows)]
mod listener {
    use std::io;
    use std::path::Path;
    use std::time::Duration;

    use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};

    pub type Stream = NamedPipeServer;
    pub type Client = std::fs::File;

    /// A named pipe. Its default rights let only the same user (and administrators) write to it.
    pub struct Listener {
        name: std::ffi::OsString,
        next: NamedPipeServer,
    }

    impl Listener {
        pub fn bind(path: &Path) -> io::Result<Self> {
            let name = path.as_os_str().to_owned();
            let next = ServerOptions::new().first_pipe_instance(true).reject_remote_clients(true).create(&name)?;
            Ok(Self { name, next })
        }

        pub async fn accept(&mut self) -> io::Result<(Stream, Option<u32>)> {
            self.next.connect().await?;
            let fresh = ServerOptions::new().reject_remote_clients(true).create(&self.name)?;
            Ok((std::mem::replace(&mut self.next, fresh), None))
        }
    }

    pub fn connect(path: &Path, _patience: Duration) -> io::Result<std::fs::File> {
        std::fs::OpenOptions::new().read(true).write(true).open(path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::config::Environment;

    fn talk(server: impl Fn(Asked) + Send + Sync + 'static, client: impl FnOnce(&Paths) + Send + 'static) {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::find(&Environment::of(&[("PALYRA_STATE_ROOT", dir.path())], Path::new("/x/y"))).unwrap();
        crate::shell::store::private_dir(&paths.own).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            serve(&paths, server).unwrap();
            publish(&paths, "1").unwrap();
            let paths = paths.clone();
            tokio::task::spawn_blocking(move || client(&paths)).await.unwrap();
        });
    }

    fn answer(asked: Asked) {
        let text = format!("{:?}", asked.request);
        let _ = asked.reply.send(Reply::Done(text));
    }

    #[test]
    fn a_request_is_answered() {
        talk(answer, |paths| {
            let reply = ask(paths, Request::Status, Duration::from_secs(5)).unwrap();
            assert_eq!(reply, Reply::Done("Status".to_owned()));
        });
    }

    #[test]
    fn garbage_gets_an_error_and_the_next_client_is_served() {
        talk(answer, |paths| {
            for garbage in [&b"\xff\xfe nonsense\n"[..], b"{\"version\":99,\"request\":{\"ask\":\"newer\"}}\n", b"{}\n"]
            {
                let mut stream = UnixStream::connect(&paths.socket).unwrap();
                stream.write_all(garbage).unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                assert!(text.contains("usage"), "{text}");
            }
            let mut endless = UnixStream::connect(&paths.socket).unwrap();
            let _ = endless.write_all(&vec![b'x'; 200_000]);
            drop(endless);
            assert!(ask(paths, Request::Status, Duration::from_secs(5)).is_ok());
        });
    }

    #[test]
    fn clients_that_hang_do_not_keep_others_out() {
        talk(answer, |paths| {
            let hanging: Vec<_> = (0..8).map(|_| UnixStream::connect(&paths.socket).unwrap()).collect();
            assert!(ask(paths, Request::Status, Duration::from_secs(5)).is_ok());
            drop(hanging);
        });
    }

    #[test]
    fn no_agent_is_its_own_exit_code() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::find(&Environment::of(&[("PALYRA_STATE_ROOT", dir.path())], Path::new("/x/y"))).unwrap();
        let failure = ask(&paths, Request::Status, Duration::from_secs(1)).unwrap_err();
        assert_eq!(failure.code.exit_code(), 3);
        assert!(
            failure.message.contains(&dir.path().display().to_string()) && failure.hint.contains("palyra-tray run")
        );
    }

    #[test]
    fn the_socket_is_private() {
        use std::os::unix::fs::PermissionsExt;
        talk(answer, |paths| {
            let mode = std::fs::metadata(&paths.socket).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        });
    }
}
