//! Keys of the world's servers: SSH keys from the seed, so that `known_hosts` stays true over restarts;
//! TLS certificates made anew.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{PrivateKey, ssh_key::LineEnding};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::WorldError;
use super::truth::Draw;

/// An Ed25519 key that belongs to a name and a seed. Good for a play, worthless as a secret.
#[must_use]
pub fn ssh_key(seed: u64, name: &str) -> PrivateKey {
    let mut draw = Draw::new(seed, &["ssh key", name]);
    let mut bytes = [0_u8; 32];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&draw.bits().to_le_bytes());
    }
    PrivateKey::from(Ed25519Keypair::from_seed(&bytes))
}

/// The private key in OpenSSH's file form.
pub fn openssh(key: &PrivateKey) -> Result<String, WorldError> {
    let text = key
        .to_openssh(LineEnding::LF)
        .map_err(WorldError::setup("write the client's SSH key"))?;
    Ok(text.to_string())
}

pub fn known_hosts(port: u16, host_key: &PrivateKey) -> Result<String, WorldError> {
    let public = host_key
        .public_key()
        .to_openssh()
        .map_err(WorldError::setup("write the forwarder's host key"))?;
    Ok(format!("[127.0.0.1]:{port} {public}\n"))
}

/// A certificate for `localhost` and 127.0.0.1, signed by a CA whose PEM is returned beside the server's settings.
pub fn tls() -> Result<(String, Arc<rustls::ServerConfig>), WorldError> {
    const WHAT: &str = "make the mail server's certificate";
    let failed = || WorldError::setup::<rcgen::Error>(WHAT);
    let refused = || WorldError::setup::<rustls::Error>(WHAT);
    let mut ca = CertificateParams::new(Vec::new()).map_err(failed())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name
        .push(DnType::CommonName, "linkstar simulated world");
    let ca_key = KeyPair::generate().map_err(failed())?;
    let ca_certificate = ca.self_signed(&ca_key).map_err(failed())?;
    let issuer = Issuer::new(ca, ca_key);
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut server = CertificateParams::new(names).map_err(failed())?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    let key = KeyPair::generate().map_err(failed())?;
    let certificate = server.signed_by(&key, &issuer).map_err(failed())?;
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(refused())?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(refused())?;
    Ok((ca_certificate.pem(), Arc::new(config)))
}
