//! Isolation of projects: two that use one host neither see nor change each other's clusters.

use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};
use stampede_tests::host::HostProcess;
use stampede_tests::projects::{TestUser, check_isolation};

#[tokio::test]
async fn neither_sees_changes_or_deletes_what_is_the_others() {
    let cloud = FakeOpenStack::start(FakeConfig::default()).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let host = HostProcess::start(data.path(), &cloud.url(), &[])
        .await
        .unwrap();
    let who = |project: &str| TestUser {
        token: cloud.issue_token(project),
        project: project.to_owned(),
    };
    let (demo, other) = (who("demo"), who("other"));
    let client = OcciClient::new(&host.url, &demo.token, "demo").unwrap();
    client
        .put("mine", &[("secret.mark", "only-demo-reads-this")])
        .await
        .unwrap();
    let tried = check_isolation(&host.url, &demo, &other, "mine", &["only-demo-reads-this"])
        .await
        .unwrap();
    assert!(
        tried > 100,
        "{tried} requests are not all renderings by all verbs"
    );

    client
        .create("running", &[("secret.mark", "only-demo-reads-this")])
        .await
        .unwrap();
    cloud.finish();
    let seen = client.fetch_cluster("running").await.unwrap().unwrap();
    check_isolation(
        &host.url,
        &demo,
        &other,
        "running",
        &["only-demo-reads-this", seen.stack_id()],
    )
    .await
    .unwrap();
}
