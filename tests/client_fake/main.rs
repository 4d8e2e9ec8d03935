//! The client of the cloud against the fake OpenStack: what a user meets when tokens, services and
//! connections are not as they should be.
#![expect(clippy::expect_used, reason = "a test's way to fail")]

mod connections;
mod discovery;
mod lookups;
mod observer;
mod stacks;
mod tls;
mod tokens;

use std::time::Duration;

use serde_json::json;
use stampede::openstack::{ClientLimits, CloudClient, CloudConfig, CloudSession, CreateStack};
use stampede_tests::fake_openstack::{self, FakeOpenStack};

/// A fake OpenStack whose stacks advance by steps.
async fn cloud() -> FakeOpenStack {
    FakeOpenStack::start(fake_openstack::FakeConfig::default())
        .await
        .expect("a free port")
}

/// Limits that let a test of a failure end at once.
fn brisk() -> ClientLimits {
    ClientLimits {
        backoff: Duration::from_millis(1),
        backoff_max: Duration::from_millis(5),
        token_error_ttl: Duration::ZERO,
        ..ClientLimits::default()
    }
}

fn client(cloud: &FakeOpenStack, limits: ClientLimits) -> CloudClient {
    CloudClient::new(CloudConfig {
        limits,
        ..CloudConfig::new(cloud.url())
    })
    .expect("a client")
}

/// A session of project `demo`.
async fn session(cloud: &FakeOpenStack) -> CloudSession {
    session_with(cloud, brisk()).await
}

async fn session_with(cloud: &FakeOpenStack, limits: ClientLimits) -> CloudSession {
    client(cloud, limits)
        .session(cloud.issue_token("demo").into(), "demo")
        .await
        .expect("a session")
}

/// A small cluster's stack.
fn stack(name: &str) -> CreateStack {
    let handle = || json!({"type": "OS::Heat::WaitConditionHandle", "properties": {"signal_transport": "CFN_SIGNAL"}});
    let node = |name: &str, at: u32| {
        let port = json!({"type": "OS::Neutron::Port", "properties": {"fixed_ips": [{"ip_address": format!("10.77.0.{at}")}]}});
        let server = json!({"type": "OS::Nova::Server", "properties": {"name": name, "flavor": {"get_param": "flavor"},
            "networks": [{"port": {"get_resource": format!("{name}_port")}}], "user_data": {"get_file": format!("node-{name}.sh")}}});
        (port, server)
    };
    let ((master_port, master), (worker_port, worker)) = (node("master", 10), node("worker", 11));
    let template = json!({
        "heat_template_version": "2018-08-31",
        "parameters": {"flavor": {"type": "string", "constraints": [{"custom_constraint": "nova.flavor"}]}},
        "resources": {
            "progress_handle": handle(), "ready_handle": handle(),
            "master_port": master_port, "master_server": master, "worker_port": worker_port, "worker_server": worker,
            "address": {"type": "OS::Neutron::FloatingIP", "properties": {"floating_network": "public"}},
            "ready": {"type": "OS::Heat::WaitCondition", "properties": {"handle": {"get_resource": "ready_handle"}, "count": 2, "timeout": 600}},
        },
        "outputs": {
            "master_address": {"description": "where", "value": {"get_attr": ["address", "floating_ip_address"]}},
            "inside": {"value": {"get_attr": ["master_server", "first_address"]}},
        },
    });
    let script = "cat >'/opt/stampede/scripts/01-hadoop/setup.hadoop.sh'\ncat >'/opt/stampede/scripts/01-hadoop/smoke.hadoop.sh'\n";
    CreateStack {
        name: name.to_owned(),
        template,
        files: [("node-master.sh", script), ("node-worker.sh", script)]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        parameters: [("flavor".to_owned(), json!("m1.large"))]
            .into_iter()
            .collect(),
        tags: vec!["stampede".to_owned(), format!("stampede.cluster.{name}")],
        timeout_mins: 30,
    }
}
