//! The health of a gateway on another machine, over https, asked only of who shows the pinned certificate.
//!
//! The pin is the whole of the trust: no authority of the system is asked, and a name or a date in a certificate that is pinned
//! itself says nothing that its fingerprint does not. With the pin of an authority, the server's certificate has to be issued
//! by it, for this name and for today, and the authority's own has to be sent along. Nothing is sent before that is known, no
//! redirect is followed, and nothing secret is sent at all.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::health::{self, Health};
use super::{GATEWAY, HealthError};
use crate::config::remote::{Pin, Target};
use crate::core::remote::{Trouble, TroubleKind};
use crate::words::remote as words;

/// A name, a connection, a handshake and an answer take no longer.
pub const LIMIT: Duration = Duration::from_secs(10);
/// Largest answer that is read, bytes.
const MAX_BODY: usize = 64 * 1024;

/// Asks the one that a config names: that, and how it answers. The config is read each time, so what it says now holds.
pub async fn look(config: &Path, limit: Duration) -> (Option<Target>, Result<Health, Trouble>) {
    match Target::read(config) {
        Ok(target) => {
            let health = ask(&target, limit).await;
            (Some(target), health)
        }
        Err(error) => (None, Err(Trouble::new(TroubleKind::Config, error.0))),
    }
}

/// Asks it.
///
/// # Errors
/// No certificate is pinned, it shows another one, does not answer within `limit`, or not well.
pub async fn ask(target: &Target, limit: Duration) -> Result<Health, Trouble> {
    let Some(pin) = &target.pin else { return Err(Trouble::new(TroubleKind::Unpinned, words::NOT_PINNED)) };
    match tokio::time::timeout(limit, exchange(target, pin)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Trouble::new(TroubleKind::Unreachable, words::no_answer_within(limit.as_secs().max(1)))),
    }
}

async fn exchange(target: &Target, pin: &Pin) -> Result<Health, Trouble> {
    let lost = |why: String| Trouble::new(TroubleKind::Unreachable, why);
    let unusable = || Trouble::new(TroubleKind::Config, words::ADDRESS_CANNOT_BE_USED);
    let uri: Uri = target.health_url().parse().map_err(|_| unusable())?;
    let host = uri.host().ok_or_else(unusable)?;
    let bare = host.trim_matches(['[', ']']);
    let name = match bare.parse::<IpAddr>() {
        Ok(address) => ServerName::IpAddress(address.into()),
        Err(_) => ServerName::try_from(bare.to_owned()).map_err(|_| unusable())?,
    };
    let stream = TcpStream::connect((bare, uri.port_u16().unwrap_or(443)))
        .await
        .map_err(|error| lost(words::no_connection(error)))?;
    let (config, distrust) = tls(pin).map_err(|error| lost(words::no_encryption(error)))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| {
        let why = distrust.lock().unwrap_or_else(PoisonError::into_inner).take();
        why.map_or_else(
            || lost(words::no_encrypted_connection(error)),
            |why| Trouble::new(TroubleKind::Distrusted, why),
        )
    })?;
    let broken = |error: hyper::Error| lost(words::no_whole_answer(error));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // it ends with the sender, or with the whole of this
    let mut connection = std::pin::pin!(connection);
    let asking = async {
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let request = Request::get(uri.path())
            .header(HOST, authority)
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("palyra-tray/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())
            .map_err(|_| unusable())?;
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), MAX_BODY).collect().await;
        let body = body.map_err(|_| lost(words::ANSWER_CUT_OFF.to_owned()))?;
        health::read(status, &body.to_bytes(), GATEWAY).map_err(|error| lost(told(&error)))
    };
    tokio::pin!(asking);
    tokio::select! {
        biased;
        outcome = &mut asking => outcome,
        // what came before its end counts
        _ = &mut connection => asking.await,
    }
}

fn told(error: &HealthError) -> String {
    match error {
        HealthError::WrongService(what) => words::another_program(what),
        other => other.to_string(),
    }
}

/// Why whoever answered is not trusted.
type Distrust = Arc<Mutex<Option<String>>>;

fn tls(pin: &Pin) -> Result<(ClientConfig, Distrust), Error> {
    let provider = Arc::new(ring::default_provider());
    let distrust = Distrust::default();
    let pinned = Pinned { pin: pin.clone(), provider: Arc::clone(&provider), distrust: Arc::clone(&distrust) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    Ok((config, distrust))
}

/// Knows the gateway by the pin.
#[derive(Debug)]
struct Pinned {
    pin: Pin,
    provider: Arc<CryptoProvider>,
    distrust: Distrust,
}

impl Pinned {
    fn refuse(&self, why: impl Into<String>) -> Error {
        *self.distrust.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.into());
        Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is = |certificate: &CertificateDer<'_>, pin: &[u8; 32]| Sha256::digest(certificate)[..] == pin[..];
        match &self.pin {
            Pin::Server(pin) if is(end_entity, pin) => Ok(ServerCertVerified::assertion()),
            Pin::Server(_) => Err(self.refuse(words::ANOTHER_CERTIFICATE)),
            Pin::GatewayCa(pin) => {
                let Some(authority) = intermediates.iter().find(|certificate| is(certificate, pin)) else {
                    return Err(self.refuse(words::AUTHORITY_NOT_SHOWN));
                };
                let refused = |error: &dyn std::fmt::Display| self.refuse(words::not_by_authority(error));
                let mut roots = RootCertStore::empty();
                roots.add(authority.clone().into_owned()).map_err(|error| refused(&error))?;
                let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
                    .build()
                    .map_err(|error| refused(&error))?;
                verifier
                    .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                    .map_err(|error| refused(&error))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
            .map_err(|_| self.refuse(words::NOT_ITS_KEY))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
            .map_err(|_| self.refuse(words::NOT_ITS_KEY))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
