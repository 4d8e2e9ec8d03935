//! Previews of an update and of a deploy: what they say, and that nothing is changed by them.

use stampede::{
    cli::{
        line_printer::LinePrinter,
        preview::{print_change, print_deploy},
    },
    orchestrator::{ChangePreview, DeployPreview, OrchestratorError},
};

use crate::{
    fixture::{LifecycleFixture, pairs, problems},
    update::complete,
};

/// All that was asked of the cloud but reads, validation and logins.
fn writes(world: &LifecycleFixture) -> Vec<String> {
    let asked = world.cloud.requests().into_iter().filter(|asked| {
        asked.method != "GET" && asked.service != "keystone" && !asked.path.ends_with("/validate")
    });
    asked
        .map(|asked| format!("{} {}", asked.method, asked.path))
        .collect()
}

fn change_text(preview: &ChangePreview) -> String {
    let mut out = Vec::new();
    print_change(&mut LinePrinter::new(&mut out), preview).unwrap();
    String::from_utf8(out).unwrap()
}

fn deploy_text(preview: &DeployPreview) -> String {
    let mut out = Vec::new();
    print_deploy(&mut LinePrinter::new(&mut out), preview).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_preview_of_an_update_says_what_the_update_then_does_and_changes_nothing() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let set = pairs(&[
        ("stampede.workers.remove", "worker-1"),
        ("stampede.hadoop.replication", "1"),
    ]);
    let (before, asked) = (world.records().await, writes(&world));
    let preview = host
        .preview_update(&caller, "default", set.clone())
        .await
        .unwrap();
    assert_eq!(world.records().await, before);
    assert_eq!(writes(&world), asked);
    let wanted = "\
`default` would change in 5 steps

attributes
  hadoop.replication: - -> 1
  workers: 2 -> 1

nodes
  removed, drained first: worker-1
  new files, on_master may restart: master
    /etc/replication
  new files, on_worker may restart: worker-2
    /etc/replication

steps, each when the one before it is done
   1  new settings on master (master: runs setup, ready)
   2  new settings on worker-2 (worker-2: runs setup, ready)
   3  letting go of worker-1 (master: runs drain)
   4  taking away worker-1 (no node is told)
   5  going on without worker-1 (master: runs members)

resources of the stack
  new 1 OS::Heat::Value: stampede_change_master
  changed 2 OS::Nova::Server: master_server, worker_2_server
  deleted 1 OS::Nova::Server: worker_1_server
  left alone 3
";
    assert_eq!(without_digests(&change_text(&preview)), wanted);
    assert_eq!(
        host.preview_update(&caller, "default", set.clone())
            .await
            .unwrap(),
        preview,
        "and the same once more"
    );
    let view = host.update(&caller, "default", set).await.unwrap();
    assert_eq!(
        view.change.as_deref(),
        Some("step 1 of 5: new settings on master")
    );
}

/// What nodes are told is called by its digest.
fn without_digests(text: &str) -> String {
    const NAME: &str = "stampede_change_master";
    let mut parts = text.split(NAME);
    let first = parts.next().unwrap_or_default().to_owned();
    let cut = |part: &str| part.get(1 + 8..).unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + NAME + &cut(part))
}

#[tokio::test]
async fn a_preview_of_more_workers_counts_the_quota_and_leaves_the_others_alone() {
    let world = LifecycleFixture::new().await;
    world.cloud.edit(|fixtures| fixtures.quota.instances = 4);
    let (host, caller, _) = complete(&world).await;
    let preview = host
        .preview_update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let text = change_text(&preview);
    for line in [
        "  added: worker-3\n",
        "  new variables, nothing restarts: master\n",
        "  left alone: worker-1, worker-2\n",
        "   1  adding worker-3 (no node is told)\n",
        "  new 1 OS::Nova::Server: worker_3_server\n",
        "  1 servers, 1 are free\n",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    for (set, words) in [
        (
            ("stampede.workers", "4"),
            "quota: needs 2 servers, 1 are free",
        ),
        (
            ("stampede.image", "other"),
            "image: cannot be changed in a running cluster",
        ),
        (
            ("stampede.workers.remove", "worker-9"),
            "workers.remove: there is no worker `worker-9`",
        ),
    ] {
        let previewed = host.preview_update(&caller, "default", pairs(&[set])).await;
        let updated = host.update(&caller, "default", pairs(&[set])).await;
        let said = previewed.unwrap_err();
        assert!(problems(&said)[0].starts_with(words), "{said}");
        assert_eq!(said, updated.unwrap_err(), "as the update itself says it");
    }
    let nothing = host
        .preview_update(&caller, "default", pairs(&[("my.own", "value")]))
        .await
        .unwrap();
    let wanted = "`default`: nothing in the cloud would change\n\nattributes\n  my.own: - -> value\n\n\
                  nodes\n  left alone: master, worker-1, worker-2\n";
    assert_eq!(change_text(&nothing), wanted);
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let busy = host
        .preview_update(&caller, "default", pairs(&[("stampede.workers", "2")]))
        .await
        .unwrap_err();
    assert!(
        matches!(&busy, OrchestratorError::Conflict(words) if words.contains("adding worker-3")),
        "{busy:?}"
    );
}

#[tokio::test]
async fn a_preview_of_a_deploy_says_what_would_be_made_and_makes_nothing() {
    let world = LifecycleFixture::new().await;
    world.cloud.edit(|fixtures| fixtures.quota.instances = 10);
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let set = pairs(&[
        ("stampede.framework", "hadoop"),
        ("stampede.hadoop.replication", "1"),
    ]);
    let preview = host
        .preview_deploy(&caller, "demo", set.clone())
        .await
        .unwrap();
    assert!(world.records().await.is_empty());
    assert_eq!(writes(&world), Vec::<String>::new());
    assert_eq!(world.cloud.count_of("heat", "POST", "/validate"), 1);
    let text = deploy_text(&preview);
    let wanted = "\
`demo` would be made in project `demo`, region `RegionOne`

framework     Hadoop 3.5.0
image         debian-12
network       10.77.0.0/22
outside       public
floating IPs  0
timeouts      3600 s for the nodes, 90 min for Heat

parameters that are not the default
  hadoop.replication: - -> 1

NODE      FLAVOR     VCPUS  MIB   DISK GIB
master    m1.large   2      2048  20
worker-1  m1.medium  2      1024  10
worker-2  m1.medium  2      1024  10

6 resources
  1 OS::Heat::WaitCondition
  2 OS::Heat::WaitConditionHandle
  3 OS::Nova::Server

quota
  3 servers, 10 are free
  6 vCPUs, no limit is known
  4096 MiB of memory, no limit is known
";
    assert_eq!(text, wanted);
    world.cloud.edit(|fixtures| fixtures.quota.instances = 2);
    let refused = host.preview_deploy(&caller, "demo", set).await.unwrap_err();
    assert!(
        problems(&refused)[0].starts_with("quota: needs 3 servers, 2 are free"),
        "{refused}"
    );
    world.cloud.edit(|fixtures| fixtures.quota.instances = 10);
    host.request(&caller, "default", vec![]).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let twice = host
        .preview_deploy(&caller, "default", vec![])
        .await
        .unwrap_err();
    assert!(
        matches!(&twice, OrchestratorError::NotApplicable(words) if words.contains("deployed already")),
        "{twice:?}"
    );
}
