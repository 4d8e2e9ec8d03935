//! Each way in which a request is refused before anything is created, on the real cloud.

use anyhow::Result;
use reqwest::StatusCode;

use stampede_tests::client::OcciClient;
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::KEYSTONE;
use stampede_tests::testbed::cluster::{borrow_pairs, hadoop_attributes, occi_client};
use stampede_tests::{must, verified};

use crate::TestbedContext;

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    let host = HostProcess::start(&testbed.scratch.join("refusals"), KEYSTONE, &[]).await?;
    let demo = occi_client(&host.url, &testbed.cloud.demo)?;
    // what is changed in a good request, and words that the answer must hold
    let bad: [(&str, &str, &[&str]); 12] = [
        ("stampede.framework", "hadop", &["hadop", "hadoop"]),
        (
            "stampede.hadoop.replicaton",
            "2",
            &["replicaton", "replication"],
        ),
        (
            "stampede.hadoop.replication",
            "two",
            &["hadoop.replication", "two"],
        ),
        ("stampede.workers", "0", &["workers", "1", "250"]),
        ("stampede.workers", "251", &["workers", "250"]),
        (
            "stampede.worker.flavor",
            "m1.tiny",
            &["m1.tiny", "m1.large"],
        ),
        (
            "stampede.worker.flavor",
            "m9.none",
            &["m9.none", "m1.xlarge"],
        ),
        ("stampede.image", "debian-99", &["debian-99", "debian-12"]),
        ("stampede.key", "no-such-key", &["no-such-key"]),
        (
            "stampede.network.external",
            "nowhere",
            &["nowhere", "public"],
        ),
        ("stampede.framework.version", "1.0.0", &["1.0.0", "3.5.0"]),
        (
            "stampede.mirror",
            "ftp://example.invalid/",
            &["mirror", "http"],
        ),
    ];
    for (number, (name, value, words)) in bad.iter().enumerate() {
        let attributes = hadoop_attributes(&testbed.cloud, "3.5.0", &[(name, value)])?;
        let message = refused(&demo, &format!("bad-{number}"), &borrow_pairs(&attributes)).await?;
        for word in *words {
            must!(
                message.contains(word),
                "{name}={value}: no `{word}` in: {message}"
            );
        }
        verified!("{name}={value}: {}", message.replace('\n', " | "));
    }
    tokens(testbed, &host).await?;
    must!(
        testbed.cloud.demo.list_holdings().await?.is_empty(),
        "something was created: {:?}",
        testbed.cloud.demo.list_holdings().await?
    );
    verified!("the project is as empty as before");
    Ok(())
}

/// PUT, then deploy: one of them must refuse; its message.
async fn refused(client: &OcciClient, name: &str, attributes: &[(&str, &str)]) -> Result<String> {
    let (status, text) = client.put(name, attributes).await?;
    if status == StatusCode::BAD_REQUEST {
        must!(
            client.fetch_cluster(name).await?.is_none(),
            "a refused PUT created {name}"
        );
        return Ok(text);
    }
    must!(status == StatusCode::CREATED, "PUT {name}: {status} {text}");
    let (status, text) = client.action(name, "deploy", &[]).await?;
    must!(
        matches!(status, StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN),
        "deploy {name}: {status} {text}"
    );
    Ok(text)
}

async fn tokens(testbed: &TestbedContext, host: &HostProcess) -> Result<()> {
    let wrong_project = testbed.cloud.other.for_project("demo");
    let (status, text) = occi_client(&host.url, &wrong_project)?
        .put("theirs", &[])
        .await?;
    must!(
        status == StatusCode::FORBIDDEN,
        "a token of another project: {status} {text}"
    );
    verified!("a token of another project: {status}, {text}");

    let expired = testbed.cloud.fresh_demo().await?;
    testbed.cloud.revoke_token(&expired).await?;
    let (status, text) = occi_client(&host.url, &expired)?.put("late", &[]).await?;
    must!(
        status == StatusCode::UNAUTHORIZED,
        "a token that is no longer valid: {status} {text}"
    );
    verified!("a token that is no longer valid: {status}, {text}");

    let credential = testbed.cloud.application_credential().await?;
    let attributes = hadoop_attributes(&testbed.cloud, "3.5.0", &[])?;
    let message = refused(
        &occi_client(&host.url, &credential)?,
        "trustless",
        &borrow_pairs(&attributes),
    )
    .await?;
    must!(message.contains("application credential"), "{message}");
    verified!("an application credential's token: {message}");
    Ok(())
}
