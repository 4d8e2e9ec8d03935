//! Clients of the JSON API that are not ours, against a host as a process on the fake OpenStack: what
//! schemathesis makes up from the API's document, and the plugin of the openstack client. Started by
//! `tests/clients/run`, which installs both. `STAMPEDE_API_EXAMPLES` is how many requests are made up
//! for each operation, `STAMPEDE_API_SEED` from which seed.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on panics"
)]

mod document;
mod openstack;

use std::path::PathBuf;
use std::time::Duration;

use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack, StackPace};
use stampede_tests::host::HostProcess;

/// A host and its cloud.
struct ServedCloud {
    cloud: FakeOpenStack,
    host: HostProcess,
    /// The host's, and whatever its clients want to keep.
    folder: tempfile::TempDir,
}

impl ServedCloud {
    /// Stacks go on by themselves.
    async fn start() -> Self {
        let config = FakeConfig {
            pace: StackPace::Tick(Duration::from_millis(50)),
            ..FakeConfig::default()
        };
        let cloud = FakeOpenStack::start(config).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let host = HostProcess::start(&data, &cloud.url(), &[]).await.unwrap();
        Self {
            cloud,
            host,
            folder,
        }
    }
}

/// The Python that has both clients.
fn client_python() -> PathBuf {
    let python = std::env::var_os("STAMPEDE_OPENSTACK_CLIENT");
    PathBuf::from(python.expect("tests/clients/run starts this test: it installs the clients"))
}

/// A program that pip has installed beside that Python.
fn installed(program: &str) -> PathBuf {
    client_python().with_file_name(program)
}
