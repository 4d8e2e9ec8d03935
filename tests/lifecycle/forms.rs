//! What a form shows of a request that may be incomplete or wrong: the values that will be used and
//! why, quotas, and what would be made, to the byte.

use serde_json::Value;
use stampede::{
    cluster::OperatorDefaults,
    orchestrator::{
        Caller, FormDepth, FormQuota, Orchestrator, OrchestratorError, RequestForm,
        planning::request_values::{RequestValue, ValueChoices, ValueSource},
    },
};
use stampede_tests::fake_openstack::FakeOpenStack;

use crate::{
    bad_requests::plugins,
    fixture::{LifecycleFixture, limits, pairs, problems},
    update::complete,
};

/// A host with plugins, and a caller.
pub(crate) async fn world() -> (LifecycleFixture, Orchestrator, Caller) {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    (world, host, caller)
}

async fn form(
    host: &Orchestrator,
    caller: &Caller,
    name: &str,
    set: &[(&str, &str)],
) -> RequestForm {
    let (forms, given) = (host.forms(), pairs(set));
    let form = forms.new_cluster(caller, name, given, FormDepth::Whole);
    form.await.unwrap()
}

pub(crate) fn value<'a>(form: &'a RequestForm, name: &str) -> &'a RequestValue {
    let found = form.values.iter().find(|value| value.name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

fn told<'a>(form: &'a RequestForm, name: &str) -> (Option<&'a str>, ValueSource, &'a str) {
    let RequestValue {
        value,
        source,
        reason,
        ..
    } = value(form, name);
    (value.as_deref(), *source, reason)
}

fn quota<'a>(form: &'a RequestForm, what: &str) -> &'a FormQuota {
    let mut quotas = form.quotas.iter();
    quotas.find(|quota| quota.need.what == what).unwrap()
}

fn writes(cloud: &FakeOpenStack) -> usize {
    let asked = cloud.requests().into_iter().filter(|asked| {
        asked.method != "GET" && asked.service != "keystone" && !asked.path.ends_with("/validate")
    });
    asked.count()
}

#[tokio::test]
async fn each_value_is_told_with_where_it_comes_from() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let operator = OperatorDefaults::default()
        .with("network.access", "198.51.100.0/24")
        .with("hadoop.replication", "1");
    let host = world.host_with_defaults(operator).await;
    let caller = world.caller(&host, "demo").await;
    let set = [("stampede.workers", "3"), ("stampede.key", "demo-key")];
    let form = form(&host, &caller, "demo", &set).await;
    assert_eq!(form.refusal(), None);
    use ValueSource::{Computed, Given, Host, Operator};
    assert_eq!(told(&form, "workers"), (Some("3"), Given, "as given"));
    let (operators, ours) = ("the operator's default", "stampede's default");
    let access = (Some("198.51.100.0/24"), Operator, operators);
    assert_eq!(told(&form, "network.access"), access);
    assert_eq!(
        told(&form, "hadoop.replication"),
        (Some("1"), Operator, operators)
    );
    assert_eq!(told(&form, "framework"), (Some("hadoop"), Host, ours));
    assert_eq!(told(&form, "timeout"), (Some("3600"), Host, ours));
    assert_eq!(told(&form, "proxy"), (None, Host, "none"));
    assert_eq!(told(&form, "master.count"), (Some("1"), Host, ours));
    assert_eq!(
        told(&form, "image"),
        (Some("debian-12"), Computed, "a Debian, else an Ubuntu")
    );
    let outside = (Some("public"), Computed, "the only one of the cloud");
    assert_eq!(told(&form, "network.external"), outside);
    let (flavor, source, reason) = told(&form, "worker.flavor");
    let worker = form
        .groups
        .iter()
        .find(|group| group.name == "worker")
        .unwrap();
    assert_eq!(
        (flavor, source),
        (
            Some(worker.flavor.as_ref().unwrap().name.as_str()),
            Computed
        )
    );
    assert!(
        reason.starts_with("the smallest that holds ") && reason.contains("MiB"),
        "{reason}"
    );
    assert_eq!(worker.nodes, ["worker-1", "worker-2", "worker-3"]);
    assert!(
        worker.grants["hadoop"]
            .iter()
            .any(|grant| grant.component == "datanode" && grant.memory_mib > 0)
    );
    assert_eq!(value(&form, "worker.flavor").choices, ValueChoices::Flavors);
}

#[tokio::test]
async fn what_can_be_chosen_is_told_and_what_means_nothing_is_not() {
    let (_world, host, caller) = world().await;
    let form = form(&host, &caller, "demo", &[]).await;
    // What means nothing to a new cluster, or to this one, is not there.
    for absent in ["workers.remove", "spark.version", "framework.version"] {
        assert!(
            form.values.iter().all(|value| value.name != absent),
            "{absent}"
        );
    }
    let spark = form
        .frameworks
        .iter()
        .find(|one| one.name == "spark")
        .unwrap();
    assert!(
        !spark.is_chosen && spark.works_with.contains(&"hadoop".to_owned()),
        "{spark:?}"
    );
    assert!(form.choices.keys.contains(&"demo-key".to_owned()));
    let flavors: Vec<&str> = form
        .choices
        .flavors
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert!(flavors.contains(&"m1.large"), "{flavors:?}");
    assert_eq!(form.choices.networks, ["public"]);
}

#[tokio::test]
async fn what_is_shown_is_byte_for_byte_what_a_deploy_sends() {
    let (world, host, caller) = world().await;
    let set = [
        ("stampede.framework", "hadoop,spark"),
        ("stampede.network.access", "198.51.100.0/24"),
        ("stampede.network.open", "hadoop_namenode"),
        ("stampede.key", "demo-key"),
    ];
    let form = form(&host, &caller, "demo", &set).await;
    assert_eq!(form.refusal(), None, "{:?}", form.problems);
    assert_eq!((world.records().await.len(), writes(&world.cloud)), (0, 0));
    assert_eq!(world.cloud.count_of("heat", "POST", "/validate"), 1);
    let shown = form.preview.unwrap();
    host.request(&caller, "demo", pairs(&set)).await.unwrap();
    host.deploy(&caller, "demo", vec![]).await.unwrap();
    let stack = world.cloud.stacks()[0].0.clone();
    let (template, files) = world.cloud.template(&stack).unwrap();
    assert_eq!(shown.template.to_string(), template.to_string());
    assert_eq!(shown.files, files);
    let from = |port: &str| -> Vec<Option<&str>> {
        let open = shown.ports.iter().filter(|open| open.ports == port);
        open.map(|open| open.from.as_deref()).collect()
    };
    assert_eq!(from("22"), [Some("198.51.100.0/24")]);
    assert_eq!(from("9870"), [Some("198.51.100.0/24")]);
    let opened = shown
        .endpoints
        .iter()
        .find(|one| one.name == "hadoop_namenode")
        .unwrap();
    assert_eq!(opened.port, 9870);
    let hadoop = shown
        .downloads
        .iter()
        .find(|one| one.what.ends_with(".tar.gz") && one.plugin == "hadoop")
        .unwrap();
    assert!(
        hadoop.checksum.starts_with("sha512:") && !hadoop.from.is_empty(),
        "{hadoop:?}"
    );
    let mut on_worker = shown.contents["worker"].iter();
    let site = on_worker.find(|file| file.path.ends_with("/core-site.xml"));
    assert!(site.unwrap().content.contains("fs.defaultFS"));
    assert_eq!(shown.resources["OS::Nova::Server"], 3);
}

#[tokio::test]
async fn a_form_without_a_name_shows_all_but_what_the_name_is_for() {
    let (_world, host, caller) = world().await;
    let form = form(&host, &caller, "", &[("stampede.workers", "3")]).await;
    let paths: Vec<&str> = form
        .problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(paths, ["name"]);
    assert_eq!(told(&form, "worker.flavor").1, ValueSource::Computed);
    assert_eq!(quota(&form, "servers").need.needed, 4);
    assert!(form.preview.is_some());
}

#[tokio::test]
async fn what_is_typed_stays_beside_its_problem_and_the_rest_is_worked_out() {
    let (_world, host, caller) = world().await;
    let wrong = [
        ("stampede.workers", "three"),
        ("stampede.hadoop.replication", "many"),
        ("stampede.worker.flavor", "m1.lagre"),
        ("stampede.frobnicate", "x"),
    ];
    let form = form(&host, &caller, "demo", &wrong).await;
    let paths: Vec<&str> = form
        .problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    for (name, typed) in &wrong[..3] {
        let name = name.trim_start_matches("stampede.");
        assert!(paths.contains(&name), "{name}: {paths:?}");
        assert_eq!(
            told(&form, name),
            (Some(*typed), ValueSource::Given, "as given")
        );
    }
    assert!(paths.contains(&"frobnicate"), "{paths:?}");
    // What Hadoop needs of a node is not known while it cannot be asked.
    let (flavor, _, reason) = told(&form, "master.flavor");
    assert_eq!(flavor, None);
    assert!(
        reason.contains("once what is wrong with") && reason.contains("Hadoop"),
        "{reason}"
    );
    let master = form.groups.iter().find(|group| group.name == "master");
    assert_eq!(master.unwrap().flavor, None);
    assert_eq!(told(&form, "image").0, Some("debian-12"));
    assert!(form.preview.is_none());
}

#[tokio::test]
async fn what_is_wrong_beside_the_plugins_hides_no_flavor() {
    let (_world, host, caller) = world().await;
    let wrong = [("stampede.workers", "three"), ("stampede.frobnicate", "x")];
    let form = form(&host, &caller, "demo", &wrong).await;
    assert_eq!(form.problems.len(), 2, "{:?}", form.problems);
    assert_eq!(told(&form, "master.flavor").1, ValueSource::Computed);
}

#[tokio::test]
async fn every_quota_is_told_as_it_is_and_as_it_would_be() {
    let (world, host, caller) = world().await;
    world.cloud.edit(|cloud| {
        let quota = &mut cloud.quota;
        (quota.instances, quota.port, quota.volumes, quota.gigabytes) = (2, 3, 4, 100);
    });
    let set = [("stampede.worker.volume_gib", "60")];
    let form = form(&host, &caller, "demo", &set).await;
    let told = |what: &str| {
        let FormQuota {
            need,
            after,
            is_exceeded,
            sentence,
        } = quota(&form, what);
        (
            need.used,
            *after,
            need.limit,
            *is_exceeded,
            sentence.clone(),
        )
    };
    let sentence = |text: &str| text.to_owned();
    assert_eq!(
        told("servers"),
        (
            Some(0),
            Some(3),
            Some(2),
            true,
            sentence("3 servers needed, 2 free")
        )
    );
    assert_eq!(
        told("volumes"),
        (
            Some(0),
            Some(2),
            Some(4),
            false,
            sentence("2 volumes needed, 4 free")
        )
    );
    assert_eq!(
        told("GiB of volumes"),
        (
            Some(0),
            Some(120),
            Some(100),
            true,
            sentence("120 GiB of volumes needed, 100 free")
        )
    );
    assert!(quota(&form, "ports").is_exceeded);
    let refused = problems(&form.refusal().unwrap());
    assert!(
        refused[0].starts_with("quota: needs 3 servers, 2 are free"),
        "{refused:?}"
    );
    assert!(form.preview.is_some(), "it can be looked at all the same");
}

#[tokio::test]
async fn a_cloud_that_does_not_answer_leaves_a_form_with_what_is_known() {
    let (world, host, caller) = world().await;
    world.cloud.edit(|cloud| cloud.without.push("compute"));
    let caller = {
        drop(caller);
        world.caller(&host, "demo").await
    };
    let form = form(&host, &caller, "demo", &[("stampede.workers", "three")]).await;
    assert!(
        form.problems
            .iter()
            .any(|problem| problem.path == "workers")
    );
    let form = self::form(&host, &caller, "demo", &[]).await;
    assert!(
        matches!(form.refusal(), Some(OrchestratorError::Cloud(_))),
        "{:?}",
        form.refusal()
    );
    assert_eq!(told(&form, "timeout").0, Some("3600"));
    assert!(form.frameworks.len() > 2);
}

#[tokio::test]
async fn what_no_attribute_can_mend_is_told_as_what_is_in_the_way() {
    let world = LifecycleFixture::new().await;
    let few = stampede::orchestrator::OrchestratorLimits {
        clusters_per_project: 1,
        ..limits()
    };
    let host = world.host_with(few).await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let full = form(&host, &caller, "other", &[]).await;
    assert!(matches!(
        full.refusal(),
        Some(OrchestratorError::TooMany(_))
    ));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let twice = form(&host, &caller, "default", &[]).await;
    assert!(matches!(
        twice.refusal(),
        Some(OrchestratorError::NotApplicable(_))
    ));
    let token = world.cloud.issue_application_credential_token("demo");
    let caller = host.authenticate(token.into(), "demo").await.unwrap();
    let refused = form(&host, &caller, "default", &[]).await.refusal();
    assert!(refused.is_some());
    world.cloud.expire_tokens();
    let forms = host.forms();
    let ended = forms
        .new_cluster(&caller, "third", vec![], FormDepth::Typing)
        .await;
    assert!(
        matches!(ended, Err(OrchestratorError::Unauthorized(_))),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_change_is_shown_with_what_it_does_and_by_which_revision_it_is_asked_for() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    world.cloud.edit(|cloud| cloud.quota.instances = 3);
    let forms = host.forms();
    let still = forms.change(&caller, "default", vec![]).await.unwrap();
    let revision = still.revision.clone().unwrap();
    assert_eq!(
        (still.refusal(), still.change.as_ref().unwrap().steps.len()),
        (None, 0)
    );
    let flavor = told(&still, "worker.flavor");
    assert_eq!(
        flavor,
        (
            Some("m1.medium"),
            ValueSource::Running,
            "as the cluster has it"
        )
    );
    assert!(!value(&still, "image").may_change && value(&still, "workers").may_change);
    let more = pairs(&[("stampede.workers", "3")]);
    let form = forms
        .change(&caller, "default", more.clone())
        .await
        .unwrap();
    let servers = quota(&form, "servers");
    assert_eq!(
        (servers.need.needed, servers.after, servers.is_exceeded),
        (1, Some(4), true)
    );
    assert_eq!(form.revision, still.revision);
    assert!(form.problems.iter().any(|problem| problem.path == "quota"));
    world.cloud.edit(|cloud| cloud.quota.instances = 4);
    let change = form.change.unwrap();
    assert_eq!(
        (change.added, change.attributes[0].after.as_deref()),
        (vec!["worker-3".to_owned()], Some("3"))
    );
    assert_eq!(writes(&world.cloud), 1, "of the deploy");
    let wrong = pairs(&[("stampede.image", "other"), ("stampede.workers", "0")]);
    let form = forms.change(&caller, "default", wrong).await.unwrap();
    assert!(form.change.is_none() && !form.problems.is_empty());
    // Somebody else asks for something first.
    let other = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update_at(&caller, "default", other, Some(&revision))
        .await
        .unwrap();
    let late = host
        .update_at(&caller, "default", more, Some(&revision))
        .await;
    assert!(
        matches!(late, Err(OrchestratorError::Superseded(_))),
        "{late:?}"
    );
    let now = forms.change(&caller, "default", vec![]).await.unwrap();
    assert_ne!(now.revision, Some(revision));
    assert!(
        matches!(now.refusal(), Some(OrchestratorError::Conflict(_))),
        "under way"
    );
    let at = now.revision;
    crate::update::rest(&world, &host, &caller).await;
    let then = forms.change(&caller, "default", vec![]).await.unwrap();
    assert_eq!(
        (then.revision, then.obstacle),
        (at, None),
        "what came of it is no other wish"
    );
    assert_eq!(then.preview.map(|preview| preview.template), None::<Value>);
}
