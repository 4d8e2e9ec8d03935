//! TLS: a CA file makes the cloud's own authority trusted; only the command line's user switches the
//! check off; a client's certificate is shown to those who ask for it.

use std::{path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use stampede::openstack::{ClientCertificate, CloudClient, CloudConfig, CloudError};
use stampede_tests::fake_openstack::FakeOpenStack;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
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

impl Authority {
    /// A certificate for this host or user, and its key.
    fn certify(&self, name: &str) -> (Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        (params.signed_by(&key, &self.issuer).expect("signed"), key)
    }
}

/// A TLS proxy for `host`, certified by `by`, before the fake OpenStack; returns its address.
async fn before(cloud: &FakeOpenStack, by: &Authority, host: &str) -> String {
    before_clients(cloud, by, host, false).await
}

/// The same; it may ask clients for a certificate of the same authority.
async fn before_clients(cloud: &FakeOpenStack, by: &Authority, host: &str, asks: bool) -> String {
    let (certificate, key) = by.certify(host);
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(by.pem.as_bytes()).expect("PEM");
    roots.add(authority).expect("an authority");
    let verifier = if asks {
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .expect("a verifier")
    } else {
        WebPkiClientVerifier::no_client_auth()
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocols")
        .with_client_cert_verifier(verifier)
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
    let config = CloudConfig {
        ca_file,
        ..CloudConfig::new(url)
    };
    open_with(cloud, config).await
}

async fn open_with(cloud: &FakeOpenStack, config: CloudConfig) -> Result<(), CloudError> {
    let client = CloudClient::new(CloudConfig {
        limits: brisk(),
        ..config
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
    // A folder as `/etc/ssl/certs`: several files, a second name for one, others that are none.
    let folder = dir.path().join("certs");
    std::fs::create_dir(&folder).expect("a folder");
    for (name, authority) in [("a.pem", &others), ("b.pem", &ours)] {
        std::fs::write(folder.join(name), &authority.pem).expect("write");
    }
    std::os::unix::fs::symlink("b.pem", folder.join("0a1b2c3d.0")).expect("a link");
    std::os::unix::fs::symlink("gone.pem", folder.join("4e5f6071.0")).expect("a link");
    std::fs::write(folder.join("README"), "no certificate").expect("write");
    open(&cloud, &url, Some(folder.clone()))
        .await
        .expect("trusted by a folder");
    std::fs::remove_file(folder.join("b.pem")).expect("remove");
    let error = open(&cloud, &url, Some(folder.clone())).await;
    let error = error.expect_err("not trusted by the folder any more");
    assert!(matches!(error, CloudError::Untrusted { .. }), "{error}");
    std::fs::remove_file(folder.join("a.pem")).expect("remove");
    let error = open(&cloud, &url, Some(folder)).await.expect_err("empty");
    assert!(
        error.to_string().contains("holds no certificate"),
        "{error}"
    );
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

#[tokio::test]
async fn whoever_switches_the_check_off_reaches_a_cloud_that_nobody_vouches_for() {
    let cloud = cloud().await;
    let url = before(&cloud, &authority(), "cloud.example").await;
    let config = CloudConfig {
        verify_certificates: false,
        ..CloudConfig::new(url)
    };
    assert!(
        CloudConfig::new("https://k").verify_certificates,
        "on unless switched off"
    );
    open_with(&cloud, config).await.expect("not checked");
}

#[tokio::test]
async fn a_clients_certificate_is_shown_with_its_key_in_one_file_or_two() {
    let cloud = cloud().await;
    let ours = authority();
    let url = before_clients(&cloud, &ours, "127.0.0.1", true).await;
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("write");
        path
    };
    let ca_file = write("ca.pem", ours.pem.clone());
    let (certificate, key) = ours.certify("user");
    let (certificate, key) = (certificate.pem(), key.serialize_pem());
    let both = write("both.pem", format!("{certificate}{key}"));
    let (alone, key) = (write("certificate.pem", certificate), write("key.pem", key));
    let with = |certificate: PathBuf, key: Option<PathBuf>| CloudConfig {
        ca_file: Some(ca_file.clone()),
        client_certificate: Some(ClientCertificate { certificate, key }),
        ..CloudConfig::new(url.clone())
    };
    open_with(&cloud, with(both, None))
        .await
        .expect("in one file");
    open_with(&cloud, with(alone.clone(), Some(key)))
        .await
        .expect("in two files");
    open(&cloud, &url, Some(ca_file.clone()))
        .await
        .expect_err("it asks for one");
    for (file, key) in [(alone, None), (dir.path().join("none.pem"), None)] {
        let name = file.display().to_string();
        let error = open_with(&cloud, with(file, key))
            .await
            .expect_err("not usable");
        assert!(
            matches!(error, CloudError::Config(_)) && error.to_string().contains(&name),
            "{error}"
        );
    }
}

#[tokio::test]
async fn nodes_are_given_the_authority_and_never_what_else_is_in_its_file() {
    let cloud = cloud().await;
    let ours = authority();
    let url = before(&cloud, &ours, "127.0.0.1").await;
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("ours.pem");
    let key = ours.issuer.key().serialize_pem();
    std::fs::write(&path, format!("{key}{}{key}", ours.pem)).expect("write");
    let certificates = async |ca_file: Option<PathBuf>, url: &str| {
        let client = CloudClient::new(CloudConfig {
            ca_file,
            limits: brisk(),
            ..CloudConfig::new(url)
        })
        .expect("a client");
        let session = client
            .session(cloud.issue_token("demo").into(), "demo")
            .await
            .expect("a session");
        session.node_access().await.certificates
    };
    let given = certificates(Some(path), &url).await;
    assert_eq!(given.trim(), ours.pem.replace('\r', "").trim());
    assert_eq!(certificates(None, &cloud.url()).await, "");
}
