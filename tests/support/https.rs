//! A gateway elsewhere: its health over https, with certificates that are made here.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ALL_VERSIONS, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use sha2::{Digest as _, Sha256};

/// What a healthy gateway says.
pub const HEALTHY: &str =
    r#"{"service":"palyrad","status":"ok","version":"9.9.9","git_hash":"abc","uptime_seconds":120}"#;

/// A certificate, the chain behind it, and the key that a server uses with it.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Identity {
    /// Signed by itself.
    pub fn own(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        Self { chain: vec![certificate.der().clone()], key: key.serialize_der() }
    }

    /// With the key of another: what somebody has who has copied the certificate.
    pub fn with_key_of(&self, other: &Self) -> Self {
        Self { chain: self.chain.clone(), key: other.key.clone() }
    }

    /// With another's authority in its chain.
    pub fn with_authority_of(&self, other: &Self) -> Self {
        Self { chain: vec![self.chain[0].clone(), other.chain[1].clone()], key: self.key.clone() }
    }

    /// Without its authority.
    pub fn alone(&self) -> Self {
        Self { chain: self.chain[..1].to_vec(), key: self.key.clone() }
    }

    /// SHA-256 of the certificate at this place of the chain, in hexadecimal digits.
    pub fn fingerprint(&self, place: usize) -> String {
        Sha256::digest(&self.chain[place]).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// An authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name; of days long gone if `expired`.
    pub fn issue(&self, name: &str, expired: bool) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity { chain: vec![certificate.der().clone(), self.0.der().clone()], key: key.serialize_der() }
    }
}

/// How it answers a request.
#[derive(Clone)]
pub enum Answer {
    /// With this status line and body.
    Http(&'static str, String),
    /// Not at all.
    Silence,
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server, until it is dropped.
pub struct Https {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    over: AtomicBool,
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
    answer: Mutex<Answer>,
    config: Mutex<Arc<ServerConfig>>,
}

fn config(identity: &Identity, versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let provider = ring::default_provider();
    let key = provider.key_provider.load_private_key(PrivateKeyDer::try_from(identity.key.clone()).unwrap()).unwrap();
    // no check that the two belong together
    let certified = Arc::new(CertifiedKey::new(identity.chain.clone(), key));
    let config = ServerConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(versions).unwrap();
    Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(Always(certified))))
}

impl Https {
    /// On a port of its own, or on this one.
    pub fn start(identity: &Identity, port: Option<u16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).unwrap();
        let state = Arc::new(State {
            over: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            requests: Mutex::default(),
            answer: Mutex::new(Answer::Http("200 OK", HEALTHY.to_owned())),
            config: Mutex::new(config(identity, ALL_VERSIONS)),
        });
        let port = listener.local_addr().unwrap().port();
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        Self { port, state }
    }

    pub fn answer(&self, answer: Answer) {
        *self.state.answer.lock().unwrap() = answer;
    }

    /// Shows another certificate from now on.
    pub fn show(&self, identity: &Identity) {
        self.show_by(identity, ALL_VERSIONS);
    }

    /// The same, and speaks these versions of TLS only.
    pub fn show_by(&self, identity: &Identity, versions: &[&'static SupportedProtocolVersion]) {
        *self.state.config.lock().unwrap() = config(identity, versions);
    }

    /// Connections that came.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// First lines of the requests that came.
    pub fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }
}

impl State {
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        let config = Arc::clone(&self.config.lock().unwrap());
        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                // a client that does not trust us has gone
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        self.requests.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
        let answer = self.answer.lock().unwrap().clone();
        match answer {
            Answer::Http(status, body) => {
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
            Answer::Silence => std::thread::sleep(Duration::from_secs(20)),
        }
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
