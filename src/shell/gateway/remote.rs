//! The health of a gateway on another machine, over https, asked only of who shows the pinned certificate.
//!
//! The pin is the whole of the trust: no authority of the system is asked, and a name or a date in a certificate that is pinned
//! itself says nothing that its fingerprint does not. With the pin of an authority, the server's certificate has to be issued
//! by it, for this name and for today, and the authority's own has to be sent along. Nothing is sent before that is known, no
//! redirect is followed, and nothing secret is sent at all.

use std::net::IpAddr;
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

/// A name, a connection, a handshake and an answer take no longer.
pub const LIMIT: Duration = Duration::from_secs(10);
/// Largest answer that is read, bytes.
const MAX_BODY: usize = 64 * 1024;
/// A certificate can be copied, its key cannot.
const NOT_ITS_KEY: &str = "it does not have the key of the certificate that it shows";

/// Asks it.
///
/// # Errors
/// It shows another certificate, does not answer within `limit`, or not well.
pub async fn look(target: &Target, limit: Duration) -> Result<Health, Trouble> {
    let unreachable = |why: String| Trouble::new(TroubleKind::Unreachable, why);
    match tokio::time::timeout(limit, exchange(target)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(unreachable(format!("no answer within {} s", limit.as_secs().max(1)))),
    }
}

async fn exchange(target: &Target) -> Result<Health, Trouble> {
    let lost = |why: String| Trouble::new(TroubleKind::Unreachable, why);
    let unusable = || Trouble::new(TroubleKind::Config, "the address of the remote gateway cannot be used");
    let uri: Uri = target.health_url().parse().map_err(|_| unusable())?;
    let host = uri.host().ok_or_else(unusable)?;
    let bare = host.trim_matches(['[', ']']);
    let name = match bare.parse::<IpAddr>() {
        Ok(address) => ServerName::IpAddress(address.into()),
        Err(_) => ServerName::try_from(bare.to_owned()).map_err(|_| unusable())?,
    };
    let stream = TcpStream::connect((bare, uri.port_u16().unwrap_or(443)))
        .await
        .map_err(|error| lost(format!("no connection ({error})")))?;
    let (config, distrust) = tls(&target.pin).map_err(|error| lost(format!("no encryption ({error})")))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| {
        let why = distrust.lock().unwrap_or_else(PoisonError::into_inner).take();
        why.map_or_else(
            || lost(format!("no encrypted connection ({error})")),
            |why| Trouble::new(TroubleKind::Distrusted, why),
        )
    })?;
    let broken = |error: hyper::Error| lost(format!("no whole answer ({error})"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // it ends with the sender, or with the whole of this
    let mut connection = std::pin::pin!(connection);
    let ask = async {
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
        let body = body.map_err(|_| lost("its answer was cut off, or is too large".to_owned()))?;
        health::read(status, &body.to_bytes(), GATEWAY).map_err(|error| lost(told(&error)))
    };
    tokio::pin!(ask);
    tokio::select! {
        biased;
        outcome = &mut ask => outcome,
        // what came before its end counts
        _ = &mut connection => ask.await,
    }
}

fn told(error: &HealthError) -> String {
    match error {
        HealthError::WrongService(what) => format!("another program answers there: {what}"),
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
            Pin::Server(_) => Err(self.refuse("it shows another certificate than the pinned one")),
            Pin::GatewayCa(pin) => {
                let Some(authority) = intermediates.iter().find(|certificate| is(certificate, pin)) else {
                    return Err(self.refuse("the pinned authority's certificate is not among those that it shows"));
                };
                let refused = |error: &dyn std::fmt::Display| {
                    self.refuse(format!("its certificate is not good by the pinned authority ({error})"))
                };
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
            .map_err(|_| self.refuse(NOT_ITS_KEY))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
            .map_err(|_| self.refuse(NOT_ITS_KEY))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
