//! Certificates: the cloud's own authority is named by a file, and nothing switches the check off.

use std::{path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use stampede::openstack::{CloudClient, CloudConfig, CloudError};
use stampede_tests::fake_openstack::FakeOpenStack;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::{brisk, cloud};

/// An authority, and what it writes.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let pem = params.self_signed(&key).expect("a certificate").pem();
    Authority {
        pem,
        issuer: Issuer::new(params, key),
    }
}

/// Speaks TLS for `host`, certified by `by`, before the fake OpenStack; its address.
async fn before(cloud: &FakeOpenStack, by: &Authority, host: &str) -> String {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new([host.to_owned()])
        .expect("a host")
        .signed_by(&key, &by.issuer)
        .expect("signed");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("a server");
    let (acceptor, listener) = (
        TlsAcceptor::from(Arc::new(config)),
        TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
    );
    let address = listener.local_addr().expect("an address");
    let inner = cloud.url().trim_start_matches("http://").to_owned();
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
    format!("https://{address}")
}

async fn open(
    cloud: &FakeOpenStack,
    url: &str,
    ca_file: Option<PathBuf>,
) -> Result<(), CloudError> {
    let client = CloudClient::new(CloudConfig {
        ca_file,
        limits: brisk(),
        ..CloudConfig::new(url)
    })?;
    client
        .session(cloud.issue_token("demo").into(), "demo")
        .await
        .map(|_| ())
}

#[tokio::test]
async fn the_clouds_own_authority_is_trusted_by_its_file_and_no_other() {
    let cloud = cloud().await;
    let (ours, others) = (authority(), authority());
    let url = before(&cloud, &ours, "127.0.0.1").await;
    let dir = tempfile::tempdir().expect("a folder");
    let file = |name: &str, authority: &Authority| {
        let path = dir.path().join(name);
        std::fs::write(&path, &authority.pem).expect("write");
        Some(path)
    };
    open(&cloud, &url, file("ours.pem", &ours))
        .await
        .expect("trusted");
    for ca_file in [None, file("others.pem", &others)] {
        let error = open(&cloud, &url, ca_file).await.expect_err("not trusted");
        assert!(
            matches!(&error, CloudError::Untrusted { service: "keystone", url: at, .. } if *at == url),
            "{error}"
        );
        assert!(error.to_string().contains("CA file"), "{error}");
    }
    let elsewhere = before(&cloud, &ours, "cloud.example").await;
    let error = open(&cloud, &elsewhere, file("ours.pem", &ours))
        .await
        .expect_err("another host's certificate");
    assert!(matches!(error, CloudError::Untrusted { .. }), "{error}");
}
