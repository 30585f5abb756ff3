//! The certificate of the mail server.

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::{Certificate, TlsParameters};

use super::SmtpSettings;

/// A larger file is not a certificate.
const MAX_CA_BYTES: u64 = 4 * 1024 * 1024;

pub(super) async fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let shown = path.display();
        let about = tokio::fs::metadata(path)
            .await
            .map_err(|error| format!("read the CA file {shown}: {error}"))?;
        if about.len() > MAX_CA_BYTES {
            return Err(format!("the CA file {shown} has {} bytes", about.len()));
        }
        let pem = tokio::fs::read(path)
            .await
            .map_err(|error| format!("read the CA file {shown}: {error}"))?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| format!("the CA file {shown} is no PEM certificate: {error}"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder
        .build_rustls()
        .map_err(|error| format!("prepare TLS for {}: {error}", settings.host))
}

/// A certificate that does not verify stays wrong until a person acts; other TLS trouble may pass.
pub(super) fn certificate_error(error: &SmtpError) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let tls = error.downcast_ref::<rustls::Error>().or_else(|| {
            error
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref)
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        });
        if let Some(tls) = tls {
            return matches!(tls, rustls::Error::InvalidCertificate(_)).then_some(tls);
        }
        cause = error.source();
    }
    None
}
