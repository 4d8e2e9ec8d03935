//! Upgrades: what made a cluster is another by now, and all that stands on its nodes becomes what the
//! plugins of now make.

use serde_json::Value;
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, Orchestrator, OrchestratorError},
};
use stampede_tests::fake_openstack::UpdateFails;

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    moving_plugins::{Lost, TODAY, today},
    pinning::{changed, later_host, made, refused, resources, spec},
    update::{metadata, rest, told},
};

const UPGRADE: [(&str, &str); 1] = [("stampede.upgrade", "true")];

/// The plugins that are others by now, as the cluster's owner is shown them.
async fn offered(host: &Orchestrator, caller: &Caller) -> Option<(Vec<String>, bool)> {
    let view = host.view(caller, "default").await.unwrap();
    view.upgrade.map(|newer| (newer.plugins, newer.frame))
}

fn later_ones() -> Option<(Vec<String>, bool)> {
    Some((["cluster", "hadoop"].map(str::to_owned).to_vec(), false))
}

async fn digests(world: &LifecycleFixture) -> Vec<String> {
    let pins = spec(world).await.pins.unwrap();
    let all = pins.plugins.into_values();
    all.map(|plugin| plugin.digest).collect()
}

/// What a node is told, once that holds this text.
async fn told_once(
    world: &LifecycleFixture,
    (host, caller): (&Orchestrator, &Caller),
    (stack, node): (&str, &str),
    text: &str,
) -> String {
    eventually(text, async || {
        let parts = metadata(world, stack, node)["stampede_parts"].clone();
        let told = (!parts.is_null()).then(|| told(world, stack, node));
        if let Some(told) = told.filter(|told| told.contains(text)) {
            return Some(told);
        }
        world.cloud.step();
        let _ = host.view(caller, "default").await;
        None
    })
    .await
}

/// What makes a server another one.
fn server_properties(world: &LifecycleFixture, stack: &str) -> Vec<Value> {
    let all = resources(world, stack).into_iter();
    let servers = all.filter(|(_, body)| body["type"] == "OS::Nova::Server");
    servers
        .map(|(_, mut body)| {
            let properties = body["properties"].as_object_mut().unwrap();
            properties.remove("metadata");
            properties.remove("user_data");
            body
        })
        .collect()
}

#[tokio::test]
async fn later_plugins_are_offered_and_an_upgrade_takes_them_with_all_settings() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[("stampede.hadoop.replication", "2")]).await;
    let servers = server_properties(&world, &stack);
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    assert_eq!(offered(&host, &caller).await, later_ones());

    let preview = host
        .preview_update(&caller, "default", pairs(&UPGRADE))
        .await
        .unwrap();
    let titles: Vec<&str> = preview
        .steps
        .iter()
        .map(|step| step.title.as_str())
        .collect();
    assert_eq!(titles.first(), Some(&"bringing what is new"));
    assert!(titles[1].starts_with("new plugins on "), "{titles:?}");
    assert_eq!(titles.last(), Some(&"what the cloud has of it"));
    assert!(preview.attributes.is_empty() && preview.untouched.is_empty());
    let roles: Vec<&str> = preview
        .notified
        .iter()
        .map(|one| one.role.as_str())
        .collect();
    assert_eq!(roles, ["master", "worker"]);
    assert!(preview.notified.iter().all(|one| !one.files.is_empty()));
    assert_eq!(
        offered(&host, &caller).await,
        later_ones(),
        "nothing is done"
    );

    let view = host
        .update(&caller, "default", pairs(&UPGRADE))
        .await
        .unwrap();
    let change = view.change.unwrap();
    assert!(change.ends_with("bringing what is new"), "{change}");
    let both = (&host, &caller);
    let worker = (&*stack, "worker-1");
    let brought = told_once(&world, both, worker, "\nupgrade_bring 1\n").await;
    assert!(
        brought.contains("stampede_file 0644 '/var/lib/stampede/next/files/opt/stampede/scripts/"),
        "{brought}"
    );
    assert_eq!(metadata(&world, &stack, "worker-1")["stampede_stages"], "");
    let turn = told_once(&world, both, worker, "\nupgrade_keep 1\n").await;
    assert!(turn.contains("\nupgrade_take 1 "), "{turn}");
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));

    assert_eq!(offered(&host, &caller).await, None);
    let after = spec(&world).await;
    let pins = after.pins.unwrap();
    assert_eq!(after.frameworks[0].version.as_deref(), Some(TODAY));
    assert_eq!(pins.plugins["hadoop"].settings["replication"], 2);
    assert_eq!(pins.plugins["hadoop"].settings["block_size_mib"], 128);
    let digests = digests(&world).await;
    assert!(digests.iter().all(|digest| digest.starts_with("later-")));
    assert_eq!(server_properties(&world, &stack), servers);
    assert!(!view_attributes(&host, &caller).await.contains("upgrade"));

    goes_on(&world, &(host, caller)).await;
}

/// Asked for once more it changes nothing, and other changes go on.
async fn goes_on(world: &LifecycleFixture, both: &(Orchestrator, Caller)) {
    let (host, caller) = both;
    let updates = || {
        world.cloud.count_of("heat", "PATCH", "/stacks/")
            + world.cloud.count_of("heat", "PUT", "/stacks/")
    };
    let before = updates();
    host.update(caller, "default", pairs(&UPGRADE))
        .await
        .unwrap();
    assert_eq!(updates(), before);
    changed(world, both, &[("stampede.workers", "4")]).await;
    changed(world, both, &[("stampede.hadoop.block_size_mib", "64")]).await;
    assert_eq!(offered(host, caller).await, None);
}

async fn view_attributes(host: &Orchestrator, caller: &Caller) -> String {
    let view = host.view(caller, "default").await.unwrap();
    format!("{:?} {:?}", view.attributes, view.brought)
}

#[tokio::test]
async fn what_fails_is_put_back_by_the_nodes_and_offered_again() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[]).await;
    let before = digests(&world).await;
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    let preview = host
        .preview_update(&caller, "default", pairs(&UPGRADE))
        .await
        .unwrap();
    // Behind what brings the files.
    let node = preview.steps[1].nodes[0].clone();
    host.update(&caller, "default", pairs(&UPGRADE))
        .await
        .unwrap();
    world.cloud.next_update_fails(UpdateFails::Answer {
        node: node.clone(),
        text: "hadoop ready line 7: no".into(),
    });
    let both = (&host, &caller);
    told_once(&world, both, (&stack, &node), "\nupgrade_back 1\n").await;
    let view = rest(&world, &host, &caller).await;
    let why =
        format!("failed, and the cluster is as it was before: {node}: hadoop ready line 7: no");
    assert_eq!((view.state, view.change), (ClusterState::Active, Some(why)));
    assert_eq!(digests(&world).await, before);
    assert_eq!(offered(&host, &caller).await, later_ones());
}

#[tokio::test]
async fn plugins_that_change_once_more_in_its_middle_are_not_needed_on_the_way_back() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[]).await;
    let before = digests(&world).await;
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    host.update(&caller, "default", pairs(&UPGRADE))
        .await
        .unwrap();
    // The turn of the master, behind what brings the files.
    world.cloud.next_update_fails(UpdateFails::Silence);
    told_once(
        &world,
        (&host, &caller),
        (&stack, "master"),
        "\nupgrade_keep 1\n",
    )
    .await;
    drop((host, caller));
    world.cloud.expire_tokens();
    world.plugins_are_idle().await;
    world.cloud.finish();
    let words = "master change 2 failed hadoop ready line 7: no";
    let handle = "progress_handle";
    assert!(
        world
            .cloud
            .signal(&stack, handle, "change-master", "SUCCESS", words)
    );
    // What made the cluster has this version no more: it can plan nothing of it.
    let lost = Lost {
        version: true,
        ..Lost::default()
    };
    let (host, caller) = later_host(&mut world, lost).await;
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.state, ClusterState::Active);
    let change = view.change.unwrap();
    assert!(
        change.starts_with("failed, and the cluster is as it was before"),
        "{change}"
    );
    let back = told(&world, &stack, "master");
    assert!(back.contains("\nupgrade_back 1\n"), "{back}");
    assert_eq!(digests(&world).await, before);
}

#[tokio::test]
async fn another_host_goes_on_with_it() {
    let mut world = LifecycleFixture::new().await;
    made(&mut world, &[]).await;
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    host.update(&caller, "default", pairs(&UPGRADE))
        .await
        .unwrap();
    drop((host, caller));
    world.cloud.expire_tokens();
    world.plugins_are_idle().await;
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    let digests = digests(&world).await;
    assert!(digests.iter().all(|digest| digest.starts_with("later-")));
}

#[tokio::test]
async fn what_cannot_be_upgraded_is_refused_by_its_name() {
    let mut world = LifecycleFixture::new().await;
    made(&mut world, &[]).await;
    {
        let host = world.host().await;
        let caller = world.caller(&host, "demo").await;
        assert_eq!(offered(&host, &caller).await, None, "nothing is another");
    }
    let both = later_host(&mut world, Lost::default()).await;
    let with_more = [UPGRADE[0], ("stampede.workers", "4")];
    let told = refused(&both, &with_more).await;
    assert!(told[0].starts_with("upgrade: comes by itself"), "{told:?}");
    let told = refused(&both, &[("stampede.upgrade", "perhaps")]).await;
    assert_eq!(told, ["upgrade: must be true or false, got `perhaps`"]);
    let (host, caller) = &both;
    host.update(caller, "default", pairs(&[("stampede.upgrade", "false")]))
        .await
        .unwrap();
    assert_eq!(offered(host, caller).await, later_ones());
    drop(both);
    let lost = Lost {
        version: true,
        ..Lost::default()
    };
    let both = later_host(&mut world, lost).await;
    let told = refused(&both, &UPGRADE).await;
    assert!(told[0].starts_with("hadoop.version: "), "{told:?}");
    assert_eq!(offered(&both.0, &both.1).await, later_ones());
}

#[tokio::test]
async fn a_new_cluster_takes_no_upgrade() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(today());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let asked = host.request(&caller, "default", pairs(&UPGRADE)).await;
    let words = match asked {
        Err(OrchestratorError::Invalid(problems)) => problems[0].to_string(),
        other => panic!("{other:?}"),
    };
    assert!(
        words.contains("only an update of a running cluster"),
        "{words}"
    );
    host.request(&caller, "default", vec![]).await.unwrap();
    let asked = host.update(&caller, "default", pairs(&UPGRADE)).await;
    assert!(
        matches!(asked, Err(OrchestratorError::Invalid(_))),
        "{asked:?}"
    );
}
