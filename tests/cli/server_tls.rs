//! The certificate of a host behind TLS is checked, and the cloud's CA file counts.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use stampede_tests::host::HostProcess;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::{Terminal, end_of};

/// TLS in front of this address; its URL, and the authority in PEM.
async fn proxy_with_tls(inner: String) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Those who do not trust the certificate hang up here.
            if let (Ok(mut outer), Ok(mut inner)) = (
                acceptor.accept(stream).await,
                TcpStream::connect(&inner).await,
            ) {
                tokio::spawn(
                    async move { tokio::io::copy_bidirectional(&mut outer, &mut inner).await },
                );
            }
        }
    });
    (format!("https://{address}"), authority)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hosts_certificate_is_checked_by_the_clouds_authority() {
    let mut terminal = Terminal::new().await;
    let data = terminal.home.path().join("host");
    let keystone = terminal.cloud.url();
    let host = HostProcess::start(&data, &keystone, &[]).await;
    let host = host.unwrap();
    let inner = host.url.trim_start_matches("http://").to_owned();
    let (url, authority) = proxy_with_tls(inner).await;
    terminal.server = Some(url);
    let refused = terminal.run(&["list"]).await;
    assert_eq!(refused.code, Some(5), "{refused:?}");
    let file = terminal.home.path().join("authority.pem");
    std::fs::write(&file, authority).unwrap();
    let mut command = terminal.command(&["list"]);
    command.env("OS_CACERT", &file);
    let ended = end_of(command.spawn().unwrap()).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("no clusters"), "{ended:?}");
}
