//! Requests that are refused before anything is created.

use secrecy::SecretString;
use stampede::{
    cluster::ClusterState,
    orchestrator::{LifecyclePhase, OrchestratorError},
};

use crate::fixture::{LifecycleFixture, pairs, problems};

#[tokio::test]
async fn names_that_the_cloud_does_not_know_are_told_all_at_once_and_nothing_is_created() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let wrong = pairs(&[
        ("stampede.image", "windows"),
        ("stampede.worker.flavor", "m1.tiny"),
        ("stampede.master.flavor", "m1.lagre"),
        ("stampede.key", "no-such-key"),
        ("stampede.network.external", "no-such-network"),
    ]);
    let refused = problems(&host.deploy(&caller, "default", wrong).await.unwrap_err());
    let paths: Vec<&str> = refused
        .iter()
        .filter_map(|problem| problem.split(": ").next())
        .collect();
    assert_eq!(
        paths,
        [
            "image",
            "master.flavor",
            "worker.flavor",
            "key",
            "network.external"
        ]
    );
    assert!(
        refused[1].contains("did you mean `m1.large`?"),
        "{refused:?}"
    );
    assert!(
        refused[2].contains("`m1.tiny` has 256 MiB")
            && refused[2].contains("the smallest that fits is `m1.medium`"),
        "{refused:?}"
    );
    assert_eq!((world.creates(), world.cloud.stacks().len()), (0, 0));
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.phase, view.state, view.attributes.len()),
        (LifecyclePhase::Initialised, ClusterState::Requested, 0)
    );
}

#[tokio::test]
async fn what_the_quota_does_not_hold_is_told_with_numbers() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world
        .cloud
        .edit(|cloud| (cloud.quota.instances, cloud.quota.ram) = (2, 4_095));
    let refused = problems(&host.deploy(&caller, "default", vec![]).await.unwrap_err());
    assert!(
        refused[0].starts_with("quota: needs 3 servers, 2 are free"),
        "{refused:?}"
    );
    assert!(
        refused[1].starts_with("quota: needs 4096 MiB of memory, 4095 are free"),
        "{refused:?}"
    );
    world
        .cloud
        .edit(|cloud| (cloud.quota.instances, cloud.quota.ram) = (3, 4_096));
    host.deploy(&caller, "default", vec![]).await.unwrap();
}

#[tokio::test]
async fn volumes_are_counted_where_they_are_asked_for_and_refused_where_there_are_none() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let volumes = pairs(&[("stampede.hadoop.data_volume_gib", "10")]);
    world
        .cloud
        .edit(|cloud| (cloud.quota.volumes, cloud.quota.gigabytes) = (1, 19));
    let refused = problems(
        &host
            .deploy(&caller, "default", volumes.clone())
            .await
            .unwrap_err(),
    );
    assert!(
        refused[0].starts_with("quota: needs 2 volumes, 1 are free"),
        "{refused:?}"
    );
    assert!(
        refused[1].starts_with("quota: needs 20 GiB of volumes, 19 are free"),
        "{refused:?}"
    );

    world.cloud.edit(|cloud| cloud.without.push("volumev3"));
    let caller = world.caller(&host, "demo").await;
    let refused = problems(
        &host
            .deploy(&caller, "default", volumes.clone())
            .await
            .unwrap_err(),
    );
    assert!(
        refused[0].contains("no volume service (Cinder) in region `RegionOne`")
            && refused[0].contains("GROUP.volume_gib"),
        "{refused:?}"
    );
    assert_eq!(world.creates(), 0);

    world.cloud.edit(|cloud| {
        (cloud.quota.volumes, cloud.quota.gigabytes, cloud.without) = (2, 20, Vec::new())
    });
    let caller = world.caller(&host, "demo").await;
    host.deploy(&caller, "default", volumes).await.unwrap();
}

#[tokio::test]
async fn a_cloud_without_volumes_is_none_the_worse_for_a_cluster_without_them() {
    let world = LifecycleFixture::new().await;
    world.cloud.edit(|cloud| cloud.without.push("volumev3"));
    assert_eq!(world.deployed().await.2.state, ClusterState::Deploying);
    assert_eq!(world.cloud.count("cinder"), 0);
}

#[tokio::test]
async fn what_is_wrong_in_itself_is_refused_at_the_request() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let cases = [
        ("stampede.framework", "hadop", "hadoop"),
        ("stampede.workers", "0", "workers"),
        ("stampede.workers", "251", "250"),
        ("stampede.workers", "two", "two"),
        ("stampede.hadoop.replicaton", "2", "hadoop.replication"),
    ];
    for (name, value, wanted) in cases {
        let refused = problems(
            &host
                .request(&caller, "default", pairs(&[(name, value)]))
                .await
                .unwrap_err(),
        );
        assert!(
            refused.len() == 1 && refused[0].contains(wanted),
            "{name}={value}: {refused:?}"
        );
    }
    assert_eq!(
        host.view(&caller, "default").await,
        Err(OrchestratorError::NotFound("default".into()))
    );
    for name in ["", "Default", "a b", "a/b", "ü", "-a", "a-", "$(id)"] {
        assert!(
            matches!(
                host.request(&caller, name, vec![]).await,
                Err(OrchestratorError::Invalid(_))
            ),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_token_of_an_application_credential_is_refused_in_words_and_a_users_token_may_deploy_after_it()
 {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let token = world.cloud.issue_application_credential_token("demo");
    let caller = host
        .authenticate(SecretString::from(token), "demo")
        .await
        .unwrap();
    host.request(&caller, "default", vec![]).await.unwrap();
    let refused = host.deploy(&caller, "default", vec![]).await.unwrap_err();
    assert!(
        matches!(&refused, OrchestratorError::Forbidden(words) if words.as_str().contains("application credential")),
        "{refused:?}"
    );
    assert_eq!(world.creates(), 0);
    let caller = world.caller(&host, "demo").await;
    assert_eq!(
        host.deploy(&caller, "default", vec![]).await.unwrap().state,
        ClusterState::Deploying
    );
}

#[tokio::test]
async fn a_cloud_without_a_choice_is_told_what_to_name() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world.cloud.edit(|cloud| {
        let network = cloud
            .networks
            .iter()
            .find(|network| network.external)
            .unwrap()
            .clone();
        cloud
            .networks
            .iter_mut()
            .for_each(|network| network.is_default = false);
        cloud
            .networks
            .push(stampede_tests::fake_openstack::FakeNetwork {
                id: "second".into(),
                name: "second".into(),
                is_default: false,
                ..network
            });
        for image in &mut cloud.images {
            image.os_distro = String::new();
        }
        let image = cloud.images[0].clone();
        cloud
            .images
            .push(stampede_tests::fake_openstack::FakeImage {
                id: "other".into(),
                name: "other".into(),
                ..image
            });
    });
    let refused = problems(&host.deploy(&caller, "default", vec![]).await.unwrap_err());
    assert!(
        refused[0].starts_with("image: none is given") && refused[0].contains("other"),
        "{refused:?}"
    );
    assert!(
        refused[1].starts_with("network.external: none is given") && refused[1].contains("second"),
        "{refused:?}"
    );
}
