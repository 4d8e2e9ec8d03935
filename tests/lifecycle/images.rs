//! Images that nodes cannot run on are refused before anything is made, by what they say.

use stampede::orchestrator::{Caller, Orchestrator};
use stampede_tests::fake_openstack::{CloudFixtures, FakeImage};

use crate::{
    fixture::{LifecycleFixture, pairs, problems},
    moving_plugins::today,
};

/// A host with the plugins as they are shipped, and a cluster that is asked for, on a cloud with
/// these images.
async fn asked(images: &[(&str, &str, &str)]) -> (LifecycleFixture, Orchestrator, Caller) {
    let mut world = LifecycleFixture::new().await;
    let of = |cloud: &mut CloudFixtures| {
        let one = cloud.images[0].clone();
        let image = |(name, distro, version): &(&str, &str, &str)| FakeImage {
            id: uuid::Uuid::new_v4().to_string(),
            name: (*name).to_owned(),
            os_distro: (*distro).to_owned(),
            os_version: (*version).to_owned(),
            ..one.clone()
        };
        cloud.images = images.iter().map(image).collect();
    };
    world.cloud.edit(of);
    world.use_plugins(today());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    (world, host, caller)
}

async fn refused(host: &Orchestrator, caller: &Caller, set: &[(&str, &str)]) -> Vec<String> {
    problems(
        &host
            .deploy(caller, "default", pairs(set))
            .await
            .unwrap_err(),
    )
}

#[tokio::test]
async fn a_debian_13_is_refused_for_its_java_and_taken_where_it_has_one_inside() {
    let (world, host, caller) = asked(&[("debian-13", "debian", "13")]).await;
    for set in [&[][..], &[("stampede.image", "debian-13")]] {
        let said = refused(&host, &caller, set).await;
        assert!(said.len() == 1 && said[0].starts_with("image: `debian-13` is debian 13, which packages Java 21 and 25; Apache Hadoop 3.5.0 needs Java 17"), "{said:?}");
    }
    assert_eq!(world.creates(), 0);
    let inside = [
        ("stampede.image", "debian-13"),
        ("stampede.image.has_java", "true"),
    ];
    host.deploy(&caller, "default", pairs(&inside))
        .await
        .unwrap();
    assert_eq!(world.creates(), 1);
}

#[tokio::test]
async fn of_two_debians_the_one_with_the_frameworks_java_is_chosen() {
    let images = [("a", "debian", "13"), ("debian-12", "debian", "12")];
    let (world, host, caller) = asked(&images).await;
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let records = world.store().await.all().await.unwrap().records;
    let spec = records[0].spec.clone().unwrap();
    assert_eq!(spec.image.as_deref(), Some("debian-12"));
}

#[tokio::test]
async fn another_distribution_is_refused_whether_it_is_named_or_the_only_one() {
    let (world, host, caller) = asked(&[("rocky-9", "rocky", "9")]).await;
    for set in [&[][..], &[("stampede.image", "rocky-9")]] {
        let said = refused(&host, &caller, set).await;
        assert!(
            said[0].contains("`rocky-9` is a rocky (os_distro), nodes need Debian or Ubuntu"),
            "{said:?}"
        );
    }
    assert_eq!(world.creates(), 0);
}

#[tokio::test]
async fn an_image_that_says_nothing_of_itself_is_taken_where_it_is_the_only_one() {
    let (world, host, caller) = asked(&[("mine", "", "")]).await;
    host.deploy(&caller, "default", vec![]).await.unwrap();
    assert_eq!(world.creates(), 1);
}

#[tokio::test]
async fn nodes_of_flavors_without_a_disk_boot_from_volumes_of_a_size_that_is_set() {
    let (world, host, caller) = asked(&[("debian-12", "debian", "12")]).await;
    world.cloud.edit(|cloud| {
        cloud.flavors.retain(|flavor| flavor.ram >= 4096);
        cloud.flavors.iter_mut().for_each(|flavor| flavor.disk = 0);
        cloud.quota.volumes = 2;
    });
    let caller_set = |gib: &'static str| {
        [
            ("stampede.cluster.root_volume_gib", gib),
            ("stampede.cluster.availability_zone", "az2"),
        ]
    };
    let said = refused(&host, &caller, &caller_set("1")).await;
    assert!(
        said[0].starts_with("cluster.root_volume_gib: 1 GiB, a node needs "),
        "{said:?}"
    );
    let said = refused(&host, &caller, &caller_set("30")).await;
    assert!(
        said[0].starts_with("quota: needs 3 volumes, 2 are free"),
        "{said:?}"
    );
    world.cloud.edit(|cloud| cloud.quota.volumes = 3);
    let set = pairs(&caller_set("30"));
    host.deploy(&caller, "default", set).await.unwrap();
    let stack = world.cloud.stacks()[0].0.clone();
    let (template, _) = world.cloud.template(&stack).unwrap();
    let server = &template["resources"]["worker_1_server"]["properties"];
    assert_eq!(server.get("image"), None);
    assert_eq!(server["block_device_mapping_v2"][0]["volume_size"], 30);
    assert_eq!(server["availability_zone"], "az2");
}
