//! One combination of files, variables and a Keystone, and what Stampede makes of it.

use std::path::{Path, PathBuf};

use stampede::openstack::{
    ClientEnvironment, ClientLimits, CloudClient, CloudConfig, CloudCredentials,
};

use crate::{
    compare::CredentialReading,
    keystone::{StandIn, StandInKind},
};

/// Stands for the stand-in's address in files and variables.
pub(crate) const KEYSTONE: &str = "KEYSTONE";
/// Stands for the case's own folder.
pub(crate) const FOLDER: &str = "FOLDER";

/// As it is written down. Commands are run in `FOLDER/work`; `HOME` is `FOLDER/home`.
#[derive(Clone, Default)]
pub(crate) struct CredentialCase {
    pub(crate) name: String,
    pub(crate) variables: Vec<(String, String)>,
    /// Paths below the folder.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) keystone: StandInKind,
    /// The deviation that this case is to show.
    pub(crate) deviation: Option<&'static str>,
}

/// With its files written and its Keystone listening.
pub(crate) struct PreparedCase {
    folder: tempfile::TempDir,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) keystone: StandIn,
    pub(crate) name: String,
}

impl CredentialCase {
    pub(crate) async fn prepare(&self) -> PreparedCase {
        let folder = tempfile::tempdir().expect("a folder");
        let keystone = StandIn::start(self.keystone, self.regions()).await;
        let root = folder.path().to_str().expect("a path").to_owned();
        let fill = |text: &str| {
            text.replace(KEYSTONE, keystone.url())
                .replace(FOLDER, &root)
        };
        for dir in ["work", "home"] {
            std::fs::create_dir_all(folder.path().join(dir)).expect("a folder");
        }
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, fill(text)).expect("write");
        }
        // The client wants them to be there, though nothing of them is used without TLS.
        for file in ["home/c.pem", "c.pem", "k.pem"] {
            std::fs::write(folder.path().join(file), "").expect("write");
        }
        let home = ("HOME".to_owned(), format!("{root}/home"));
        let given = self.variables.iter();
        let variables = std::iter::once(home)
            .chain(given.map(|(name, value)| (name.clone(), fill(value))))
            .collect();
        PreparedCase {
            variables,
            keystone,
            name: self.name.clone(),
            folder,
        }
    }

    /// The regions of the catalog. Where a case says nothing of regions there is one: of several
    /// Stampede wants one named, which would hide all else that the case shows.
    fn regions(&self) -> &'static [&'static str] {
        let says = |text: &String| text.to_lowercase().contains("region");
        let variables = self
            .variables
            .iter()
            .any(|(name, value)| says(name) || says(value));
        let files = self.files.iter().any(|(_, text)| says(text));
        if variables || files || self.deviation == Some("one region") {
            &["One", "Two"]
        } else {
            &["One"]
        }
    }

    /// For messages.
    pub(crate) fn shown(&self) -> String {
        let variables = self
            .variables
            .iter()
            .map(|(name, value)| format!("    {name}={value}"));
        let files = self
            .files
            .iter()
            .map(|(path, text)| format!("    {path}: {text}"));
        variables.chain(files).collect::<Vec<_>>().join("\n")
    }

    /// Whether the variable holds something.
    pub(crate) fn sets(&self, variable: &str) -> bool {
        let mut variables = self.variables.iter();
        variables.any(|(name, value)| name == variable && !value.is_empty())
    }
}

impl PreparedCase {
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The same without what differs from run to run.
    pub(crate) fn without_place(&self, text: &str) -> String {
        let root: &Path = self.folder.path();
        text.replace(root.to_str().expect("a path"), FOLDER)
            .replace(self.keystone.url(), KEYSTONE)
    }

    /// What Stampede makes of it.
    pub(crate) async fn read_ours(&self) -> CredentialReading {
        self.keystone.take();
        let environment = ClientEnvironment::new(self.variables.clone(), self.work());
        let credentials = match CloudCredentials::from_environment(None, &environment) {
            Ok(credentials) => credentials,
            Err(error) => return CredentialReading::Refused(error.to_string()),
        };
        let config = credentials.config();
        let file = |path: &PathBuf| self.without_place(path.to_str().expect("a path"));
        let verify = match (&config.ca_file, config.verify_certificates) {
            (_, false) => "false".to_owned(),
            (Some(path), true) => file(path),
            (None, true) => "true".to_owned(),
        };
        let certificate = config.client_certificate.iter();
        let certificate = certificate
            .flat_map(|files| std::iter::once(&files.certificate).chain(&files.key))
            .map(file)
            .collect();
        // The stand-in speaks no TLS, and the files of the cases are no certificates.
        let client = CloudClient::new(CloudConfig {
            ca_file: None,
            client_certificate: None,
            limits: ClientLimits {
                attempts: 1,
                ..ClientLimits::default()
            },
            ..config.clone()
        });
        let session = match client {
            Ok(client) => client.login(&credentials).await,
            Err(error) => return CredentialReading::Refused(error.to_string()),
        };
        let session = match session {
            Ok(session) => session,
            Err(error) => return CredentialReading::Refused(error.to_string()),
        };
        let heat = session.find_stack("x").await;
        let nova = session.flavors().await;
        let seen = self.keystone.take();
        let base = |end: &str| {
            let at = seen.paths.iter().find_map(|path| path.split_once(end));
            at.map(|(base, _)| base.to_owned())
        };
        match (base("/stacks/x"), base("/flavors/detail")) {
            (Some(heat), Some(nova)) => CredentialReading::LoggedIn {
                logins: seen.logins,
                verify,
                certificate,
                heat,
                nova,
                region: config.region.clone().unwrap_or_default(),
            },
            _ => CredentialReading::Refused(format!("{:?} {:?}", heat.err(), nova.err())),
        }
    }
}
