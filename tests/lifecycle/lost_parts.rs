//! What a cluster was made of and is no longer there: in the cloud, or in the plugins. It is missed
//! by new workers alone.

use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, Orchestrator},
};
use stampede_tests::fake_openstack::FakeImage;

use crate::{
    fixture::LifecycleFixture,
    moving_plugins::{Lost, today},
    pinning::{changed, deleted, differing, later_host, made, refused, resources, spec},
    update::servers,
};

/// The image, the flavor and the key pair of the cluster are gone, and others are there.
async fn with_others(world: &mut LifecycleFixture) -> (Orchestrator, Caller) {
    world.use_plugins(today());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    world.cloud.edit(|cloud| {
        let kept = cloud.images.pop().unwrap();
        cloud.images = vec![FakeImage {
            name: "debian-13-with-java".into(),
            ..kept
        }];
        cloud.flavors.retain(|flavor| flavor.name == "m1.2xlarge");
        cloud.keypairs = vec!["other".into()];
    });
    (host, caller)
}

/// What new workers may be made of instead.
const OTHERS: [(&str, &str); 3] = [
    ("stampede.image", "debian-13-with-java"),
    ("stampede.worker.flavor", "m1.2xlarge"),
    ("stampede.key", "other"),
];

#[tokio::test]
async fn what_is_gone_is_missed_by_new_workers_alone() {
    let mut world = LifecycleFixture::new().await;
    made(&mut world, &[]).await;
    let host = with_others(&mut world).await;
    let said = refused(&host, &[("stampede.workers", "4")]).await;
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0].starts_with("image: new workers need image `debian-12` (")
            && said[0].contains("in the same update"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("worker.flavor: new workers need flavor `m1.xlarge` (")
            && said[1].contains("m1.2xlarge"),
        "{said:?}"
    );
    assert!(
        said[2].starts_with("key: new workers need key pair `demo-key`"),
        "{said:?}"
    );
    assert_eq!(
        host.0.view(&host.1, "default").await.unwrap().state,
        ClusterState::Active
    );
    let said = refused(&host, &OTHERS).await;
    assert!(
        said.iter().all(|said| said.contains("but for new workers")),
        "{said:?}"
    );
    changed(&world, &host, &[("stampede.hadoop.replication", "2")]).await;
    changed(&world, &host, &[("stampede.workers", "2")]).await;
    deleted(&world, host).await;
}

#[tokio::test]
async fn new_workers_may_be_given_something_else_and_the_others_keep_what_they_have() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[("stampede.hadoop.replication", "2")]).await;
    let old = resources(&world, &stack)["worker_1_server"].clone();
    let host = with_others(&mut world).await;
    changed(&world, &host, &[("stampede.workers", "2")]).await;
    changed(
        &world,
        &host,
        &[&OTHERS[..], &[("stampede.workers", "3")]].concat(),
    )
    .await;
    let now = resources(&world, &stack);
    let server = |name: &str| now[name]["properties"].clone();
    for property in ["image", "flavor", "key_name"] {
        assert_eq!(
            server("worker_1_server")[property],
            old["properties"][property],
            "{property}"
        );
    }
    let new = server("worker_4_server");
    assert_eq!(new["key_name"], "other");
    world.cloud.edit(|cloud| {
        assert_eq!(new["image"], cloud.images[0].id.as_str());
        assert_eq!(new["flavor"], cloud.flavors[0].id.as_str());
    });
    // What new workers are made of from now on.
    changed(&world, &host, &[("stampede.workers", "4")]).await;
    let now = resources(&world, &stack);
    assert_eq!(now["worker_5_server"]["properties"]["image"], new["image"]);
    deleted(&world, host).await;
}

#[tokio::test]
async fn an_image_that_is_renamed_or_doubled_is_known_by_its_id() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[("stampede.hadoop.replication", "2")]).await;
    let id = spec(&world).await.pins.unwrap().groups["worker"]
        .image_id
        .clone()
        .unwrap();
    world.cloud.edit(|cloud| {
        for image in cloud.images.iter_mut().filter(|image| image.id == id) {
            image.name = "debian-12-of-last-month".into();
        }
        for (at, image) in cloud.images.clone().into_iter().enumerate() {
            let (id, name) = (format!("{at}-new"), "debian-12".to_owned());
            cloud.images.push(FakeImage { id, name, ..image });
        }
    });
    let host = later_host(&mut world, Lost::default()).await;
    changed(&world, &host, &[("stampede.workers", "4")]).await;
    changed(&world, &host, &[("stampede.workers", "2")]).await;
    let (template, _) = world.cloud.template(&stack).unwrap();
    assert_eq!(template["parameters"]["image"]["default"], id.as_str());
}

#[tokio::test]
async fn a_plugin_that_has_dropped_the_version_leaves_a_cluster_that_can_be_made_smaller() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[("stampede.hadoop.replication", "2")]).await;
    let before = resources(&world, &stack);
    let lost = Lost {
        version: true,
        ..Lost::default()
    };
    let host = later_host(&mut world, lost).await;
    assert_eq!(
        host.0.view(&host.1, "default").await.unwrap().state,
        ClusterState::Active
    );
    changed(&world, &host, &[("theirs", "kept")]).await;
    let said = refused(&host, &[("stampede.workers", "4")]).await;
    assert!(said[0].contains("hadoop.version: "), "{said:?}");
    changed(&world, &host, &[("stampede.workers", "2")]).await;
    assert_eq!(servers(&world, &stack), ["master", "worker-1", "worker-2"]);
    let gone = |name: &String| !name.contains("worker_3_");
    let others: Vec<String> = differing(&before, &world, &stack)
        .into_iter()
        .filter(gone)
        .collect();
    assert_eq!(others, Vec::<String>::new());
    deleted(&world, host).await;
}

#[tokio::test]
async fn a_plugin_that_is_stricter_or_has_less_blocks_what_needs_it_and_nothing_else() {
    let mut world = LifecycleFixture::new().await;
    let set = [("stampede.hadoop.drain_s", "900")];
    let stack = made(&mut world, &set).await;
    let lost = Lost {
        parameter: true,
        ..Lost::default()
    };
    let host = later_host(&mut world, lost).await;
    changed(&world, &host, &[("stampede.hadoop.replication", "2")]).await;
    changed(&world, &host, &[("stampede.workers", "2")]).await;
    let said = refused(&host, &[("stampede.workers", "3")]).await;
    assert!(
        said[0].starts_with("hadoop.drain_s: new workers would be made without it"),
        "{said:?}"
    );
    let given_up = [("stampede.workers", "3"), ("stampede.hadoop.drain_s", "")];
    changed(&world, &host, &given_up).await;
    assert_eq!(servers(&world, &stack).len(), 4);
    deleted(&world, host).await;

    let mut world = LifecycleFixture::new().await;
    made(&mut world, &[("stampede.hadoop.replication", "3")]).await;
    let lost = Lost {
        copies: true,
        ..Lost::default()
    };
    let host = later_host(&mut world, lost).await;
    changed(&world, &host, &[("stampede.workers", "2")]).await;
    let said = refused(&host, &[("stampede.workers", "3")]).await;
    assert!(said[0].starts_with("hadoop.replication: "), "{said:?}");
    let mended = [
        ("stampede.workers", "3"),
        ("stampede.hadoop.replication", "2"),
    ];
    changed(&world, &host, &mended).await;
}
