//! Lists and look-ups of Nova, Glance, Neutron and Cinder: pages, names, ids, quotas.

use stampede::openstack::{ClientLimits, CloudError, ResourceQuota};
use stampede_tests::fake_openstack::{FakeFlavor, FaultKind, InjectedFault};

use super::{brisk, cloud, session, session_with, stack};

#[tokio::test]
async fn flavors_come_smallest_first_over_many_pages_without_disabled_ones() {
    let cloud = cloud().await;
    let off = FakeFlavor {
        id: "off".to_owned(),
        name: "off".to_owned(),
        vcpus: 1,
        ram: 1,
        disk: 1,
        disabled: true,
    };
    cloud.edit(|fixtures| fixtures.flavors.insert(0, off));
    let session = session_with(
        &cloud,
        ClientLimits {
            page_items: 3,
            ..brisk()
        },
    )
    .await;
    let names: Vec<_> = session
        .flavors()
        .await
        .expect("flavors")
        .into_iter()
        .map(|flavor| flavor.size.name)
        .collect();
    assert_eq!(
        names,
        [
            "m1.tiny",
            "m1.small",
            "m1.medium",
            "m1.large",
            "m1.xlarge",
            "m1.2xlarge"
        ]
    );
    assert_eq!(cloud.count("nova"), 3);
}

#[tokio::test]
async fn a_list_of_the_limit_is_whole_and_one_above_is_refused() {
    let cloud = cloud().await;
    let flavors = |limits| async { session_with(&cloud, limits).await.flavors().await };
    assert_eq!(
        flavors(ClientLimits {
            page_items: 5,
            pages: 2,
            ..brisk()
        })
        .await
        .expect("two pages")
        .len(),
        6
    );
    let error = flavors(ClientLimits {
        page_items: 5,
        pages: 1,
        ..brisk()
    })
    .await
    .expect_err("two pages");
    assert!(
        matches!(&error, CloudError::BadAnswer { service: "nova", reason, .. } if reason.contains("limit of 1 pages")),
        "{error}"
    );
}

#[tokio::test]
async fn pages_smaller_than_asked_for_are_followed() {
    let cloud = cloud().await;
    cloud.edit(|fixtures| fixtures.largest_page = 1);
    let session = session(&cloud).await;
    assert_eq!(
        (
            session.flavors().await.expect("flavors").len(),
            session.images().await.expect("images").len()
        ),
        (6, 2)
    );
}

#[tokio::test]
async fn a_service_that_gives_its_first_page_again_and_again_is_told_after_two() {
    let cloud = cloud().await;
    cloud.edit(|fixtures| {
        fixtures.largest_page = 1;
        fixtures.ignores_markers = true;
    });
    let session = session(&cloud).await;
    let before = cloud.count("nova");
    let error = session.flavors().await.expect_err("no end");
    assert!(
        matches!(&error, CloudError::BadAnswer { service: "nova", reason, .. } if reason.contains("the same page again")),
        "{error}"
    );
    assert_eq!(cloud.count("nova") - before, 2);
}

#[tokio::test]
async fn an_image_is_found_by_name_or_id_and_two_of_a_name_are_told() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    let plain = session
        .find_image("debian-12-plain")
        .await
        .expect("an answer")
        .expect("an image");
    assert_eq!(
        session.find_image(&plain.id).await.expect("an answer"),
        Some(plain.clone())
    );
    assert_eq!(
        session
            .find_image("no such & thing")
            .await
            .expect("an answer"),
        None
    );
    assert_eq!(
        session
            .find_image("00000000-0000-4000-8000-000000000000")
            .await
            .expect("an answer"),
        None
    );

    cloud.edit(|fixtures| fixtures.images[0].name = "debian-12-plain".to_owned());
    let error = session
        .find_image("debian-12-plain")
        .await
        .expect_err("two");
    assert!(
        matches!(&error, CloudError::Ambiguous { what: "image", ids, .. } if ids.contains(&plain.id)),
        "{error}"
    );
    cloud.edit(|fixtures| fixtures.images[0].status = "queued".to_owned());
    assert_eq!(
        session
            .find_image("debian-12-plain")
            .await
            .expect("an answer"),
        Some(plain),
        "the active one"
    );
    assert_eq!(session.images().await.expect("images").len(), 1);
}

#[tokio::test]
async fn networks_and_keys_are_found() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    let public = session
        .external_networks()
        .await
        .expect("networks")
        .pop()
        .expect("one");
    assert_eq!(
        session.find_network("public").await.expect("an answer"),
        Some(public.clone())
    );
    assert_eq!(
        session.find_network(&public.id).await.expect("an answer"),
        Some(public)
    );
    assert_eq!(
        session.find_network("private").await.expect("an answer"),
        None
    );
    assert_eq!(session.keypairs().await.expect("keys"), ["demo-key"]);
    assert!(session.has_service("cloudformation") && !session.has_service("object-store"));
}

#[tokio::test]
async fn quotas_tell_what_is_free_and_nothing_where_the_cloud_does_not() {
    let cloud = cloud().await;
    cloud.edit(|fixtures| (fixtures.quota.port, fixtures.quota.cores) = (5, 20));
    let session = session(&cloud).await;
    session.create_stack(&stack("one")).await.expect("created");
    cloud.finish();
    let quotas = session.quotas().await.expect("quotas");
    assert_eq!(
        quotas.ports,
        Some(ResourceQuota {
            limit: Some(5),
            used: 2
        })
    );
    assert_eq!(quotas.vcpus.and_then(ResourceQuota::free), Some(16));
    assert_eq!(
        quotas.servers,
        Some(ResourceQuota {
            limit: None,
            used: 2
        })
    );

    cloud.fault(InjectedFault::of(
        "neutron",
        1,
        FaultKind::Status(403, None),
    ));
    let quotas = session.quotas().await.expect("quotas");
    assert_eq!(
        (quotas.ports, quotas.servers.map(|quota| quota.used)),
        (None, Some(2))
    );
}

#[tokio::test]
async fn volumes_and_server_groups_are_counted_and_a_cinder_that_does_not_tell_is_no_failure() {
    let cloud = cloud().await;
    cloud.edit(|fixtures| {
        (fixtures.quota.volumes, fixtures.quota.gigabytes) = (10, 100);
        (
            fixtures.quota.server_group,
            fixtures.quota.server_group_members,
        ) = (3, 10);
    });
    let session = session(&cloud).await;
    let mut spread = stack("one");
    spread.template["resources"]["group"] = serde_json::json!({"type": "OS::Nova::ServerGroup"});
    for (name, gib) in [("a", 30), ("b", 5)] {
        spread.template["resources"][name] =
            serde_json::json!({"type": "OS::Cinder::Volume", "properties": {"size": gib}});
    }
    session.create_stack(&spread).await.expect("created");
    cloud.finish();
    let of = |limit, used| {
        Some(ResourceQuota {
            limit: Some(limit),
            used,
        })
    };
    assert_eq!(
        session.volume_quotas().await.expect("quotas"),
        (of(10, 2), of(100, 35))
    );
    let quotas = session.quotas().await.expect("quotas");
    assert_eq!(
        (quotas.server_groups, quotas.server_group_members),
        (of(3, 1), of(10, 0))
    );
    cloud.fault(InjectedFault::of("cinder", 1, FaultKind::Status(403, None)));
    assert_eq!(
        session.volume_quotas().await.expect("an answer"),
        (None, None)
    );
}

#[tokio::test]
async fn a_catalog_without_cinder_has_no_volumes() {
    let cloud = cloud().await;
    assert!(session(&cloud).await.has_volumes());
    cloud.edit(|fixtures| fixtures.without.push("volumev3"));
    assert!(!session(&cloud).await.has_volumes());
}
