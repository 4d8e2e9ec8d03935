//! What an operator allows projects: refused by name with all the rest, left out of forms, and no
//! hindrance to what is there already.

use stampede::{
    cluster::{ClusterState, OperatorDefaults},
    orchestrator::{Caller, FormDepth, Orchestrator, OrchestratorError},
    system::clock::unix_now_s,
};

use crate::{
    fixture::{LifecycleFixture, pairs, problems},
    update::{complete, rest},
};

async fn governed(world: &LifecycleFixture, policy: &str) -> (Orchestrator, Caller) {
    let defaults = OperatorDefaults::from_operator_toml(policy).unwrap();
    let host = world.host_with_defaults(defaults).await;
    let caller = world.caller(&host, "demo").await;
    (host, caller)
}

#[tokio::test]
async fn all_that_is_not_allowed_is_refused_at_once_and_nothing_is_kept() {
    let world = LifecycleFixture::new().await;
    let policy = "[policy]\nmax_workers = 3\nmax_age = '8h'\nflavors = ['m1.large']";
    let (host, caller) = governed(&world, policy).await;
    let given = pairs(&[
        ("stampede.workers", "4"),
        ("stampede.expires", "9h"),
        ("stampede.worker.flavor", "m1.huge"),
        ("stampede.timeout", "1"),
    ]);
    let is_told = |refused: &OrchestratorError, begins: &[&str]| {
        let told = problems(refused);
        for begin in begins {
            let is_it = |one: &String| one.starts_with(begin);
            assert!(told.iter().any(is_it), "{begin}: {told:?}");
        }
    };
    let begins = [
        "timeout: ",
        "workers: the operator allows at most 3 workers",
        "expires: the operator allows clusters an age of at most 8h",
        "worker.flavor: the operator does not allow `m1.huge`",
    ];
    let refused = host.request(&caller, "default", given.clone()).await;
    // Which flavor is meant the cloud knows, which is not asked before a deploy.
    is_told(&refused.unwrap_err(), &begins[..3]);
    assert!(world.records().await.is_empty());
    let allowed = pairs(&[("stampede.workers", "3")]);
    host.request(&caller, "default", allowed).await.unwrap();
    let refused = host.deploy(&caller, "default", given).await;
    is_told(&refused.unwrap_err(), &begins);
    assert!(world.cloud.stacks().is_empty());
}

#[tokio::test]
async fn a_flavor_is_allowed_by_its_name_and_by_its_id_whichever_the_operator_has_written() {
    let world = LifecycleFixture::new().await;
    let ids = |cloud: &mut stampede_tests::fake_openstack::CloudFixtures| {
        let named = |name: &str| {
            let mut flavors = cloud.flavors.iter();
            flavors.find(|one| one.name == name).unwrap().id.clone()
        };
        [named("m1.large"), named("m1.xlarge")]
    };
    let mut found = None;
    world.cloud.edit(|cloud| found = Some(ids(cloud)));
    let [large, xlarge] = found.unwrap();
    for (at, policy) in ["m1.large", &large].into_iter().enumerate() {
        let policy = format!("[policy]\nflavors = ['{policy}']");
        let (host, caller) = governed(&world, &policy).await;
        let forms = host.forms();
        let form = forms.new_cluster(&caller, "form", vec![], FormDepth::Typing);
        let offered = form.await.unwrap().choices.flavors;
        let offered: Vec<&str> = offered.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(offered, ["m1.large"], "{policy}");
        for (named, asked) in [("name", "m1.large"), ("id", &large), ("none", "")] {
            let name = format!("{named}-{at}");
            let flavors = [
                ("stampede.worker.flavor", asked),
                ("stampede.master.flavor", asked),
            ];
            let given = pairs(if asked.is_empty() { &[] } else { &flavors });
            host.request(&caller, &name, given).await.unwrap();
            host.deploy(&caller, &name, vec![]).await.unwrap();
        }
        for asked in ["m1.xlarge", &xlarge] {
            let name = format!("refused-{at}");
            host.request(&caller, &name, vec![]).await.unwrap();
            let given = pairs(&[("stampede.worker.flavor", asked)]);
            let refused = host.deploy(&caller, &name, given).await.unwrap_err();
            let told = problems(&refused);
            let begin = format!("worker.flavor: the operator does not allow `{asked}`");
            assert!(told.iter().any(|one| one.starts_with(&begin)), "{told:?}");
            host.delete(&caller, &name).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_cluster_grows_by_a_flavor_that_is_allowed_by_another_name() {
    let world = LifecycleFixture::new().await;
    let (host, _, _) = complete(&world).await;
    drop(host);
    let id_of = |flavor: &str| {
        let mut id = String::new();
        world.cloud.edit(|cloud| {
            let mut all = cloud.flavors.iter();
            id = all.find(|one| one.name == flavor).unwrap().id.clone();
        });
        id
    };
    let grow = || pairs(&[("stampede.workers", "3")]);
    let (host, caller) = governed(&world, "[policy]\nflavors = ['m1.tiny']").await;
    let refused = host.update(&caller, "default", grow()).await.unwrap_err();
    let told = problems(&refused);
    let flavor = told[0].split('`').nth(1).unwrap().to_owned();
    assert!(
        told[0].starts_with("worker.flavor: the operator does not"),
        "{told:?}"
    );
    drop(host);
    let policy = format!("[policy]\nflavors = ['{}']", id_of(&flavor));
    let (host, caller) = governed(&world, &policy).await;
    host.update(&caller, "default", grow()).await.unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.node_counts["worker"], 3);
}

#[tokio::test]
async fn a_default_end_that_a_project_may_not_have_is_its_greatest_age() {
    let world = LifecycleFixture::new().await;
    let policy = "expires = '30d'\n[policy.projects.demo]\nmax_age = '7d'";
    let (host, caller) = governed(&world, policy).await;
    let hours = |view: &stampede::orchestrator::ClusterView| {
        view.ends_s
            .map(|ends_s| (ends_s - unix_now_s() + 1_800) / 3_600)
    };
    host.request(&caller, "said", pairs(&[("stampede.expires", "8h")]))
        .await
        .unwrap();
    let said = host.deploy(&caller, "said", vec![]).await.unwrap();
    assert_eq!(hours(&said), Some(8), "the deploy says nothing of it");
    host.request(&caller, "unsaid", vec![]).await.unwrap();
    let unsaid = host.deploy(&caller, "unsaid", vec![]).await.unwrap();
    assert_eq!(hours(&unsaid), Some(7 * 24));
}

#[tokio::test]
async fn a_project_has_as_many_clusters_as_the_operator_allows() {
    let world = LifecycleFixture::new().await;
    let policy = "[policy]\nmax_clusters = 1\n[policy.projects.other]\nmax_clusters = 2";
    let (host, caller) = governed(&world, policy).await;
    host.request(&caller, "one", vec![]).await.unwrap();
    let form = host
        .forms()
        .new_cluster(&caller, "two", vec![], FormDepth::Typing)
        .await
        .unwrap();
    let bar = &form.quotas[0];
    assert_eq!(bar.need.what, "clusters");
    assert_eq!((bar.need.used, bar.need.limit), (Some(1), Some(1)));
    assert!(bar.is_exceeded, "{bar:?}");
    let refused = host.request(&caller, "two", vec![]).await.unwrap_err();
    let OrchestratorError::TooMany(words) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        words,
        "the operator allows at most 1 clusters in a project; this one has 1: delete one, or ask the operator"
    );
    host.delete(&caller, "one").await.unwrap();
    host.request(&caller, "two", vec![]).await.unwrap();
    let other = world.caller(&host, "other").await;
    for (name, is_taken) in [("one", true), ("two", true), ("three", false)] {
        let asked = host.request(&other, name, vec![]).await;
        assert_eq!(asked.is_ok(), is_taken, "{name}");
    }
}

#[tokio::test]
async fn flavors_that_are_not_allowed_are_neither_offered_nor_chosen() {
    let world = LifecycleFixture::new().await;
    let (free, caller) = governed(&world, "").await;
    let form = free
        .forms()
        .new_cluster(&caller, "demo", vec![], FormDepth::Typing)
        .await
        .unwrap();
    let offered: Vec<String> = form
        .choices
        .flavors
        .iter()
        .map(|one| one.name.clone())
        .collect();
    let value = |form: &stampede::orchestrator::RequestForm| {
        let found = form.values.iter().find(|one| one.name == "worker.flavor");
        found.unwrap().value.clone().unwrap()
    };
    let chosen = value(&form);
    let larger = offered.iter().rfind(|name| **name != chosen).unwrap();
    let policy = format!("[policy]\nflavors = ['{larger}']");
    let (host, caller) = governed(&world, &policy).await;
    let form = host
        .forms()
        .new_cluster(&caller, "demo", vec![], FormDepth::Typing)
        .await
        .unwrap();
    let offered: Vec<&str> = form
        .choices
        .flavors
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(offered, [larger.as_str()]);
    assert_eq!(value(&form), *larger);
}

#[tokio::test]
async fn a_cluster_over_a_later_policy_runs_on_and_does_not_grow() {
    let world = LifecycleFixture::new().await;
    let (host, _, _) = complete(&world).await;
    drop(host);
    let policy = "[policy]\nmax_workers = 1\nmax_age = '8h'\nmax_clusters = 1";
    let (host, caller) = governed(&world, policy).await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!((view.state, view.ends_s), (ClusterState::Active, None));
    let grow = pairs(&[("stampede.workers", "3")]);
    let refused = host.update(&caller, "default", grow).await.unwrap_err();
    let told = problems(&refused);
    assert!(
        told[0].starts_with("workers: the operator allows at most 1 workers"),
        "{told:?}"
    );
    let shrink = pairs(&[("stampede.workers", "1")]);
    host.update(&caller, "default", shrink).await.unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.node_counts["worker"], 1);
    host.delete(&caller, "default").await.unwrap();
}

#[tokio::test]
async fn the_greatest_age_is_the_end_of_who_says_none_and_cannot_be_put_off_beyond() {
    let world = LifecycleFixture::new().await;
    let (host, caller) = governed(&world, "expires = '2h'\n[policy]\nmax_age = '8h'").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let view = host.deploy(&caller, "default", vec![]).await.unwrap();
    let left = |ends_s: Option<u64>| ends_s.unwrap() - unix_now_s();
    assert!(left(view.ends_s) <= 2 * 3_600, "the operator's default");
    let update = async |text: &str| {
        let given = pairs(&[("stampede.expires", text)]);
        host.update(&caller, "default", given).await
    };
    update("7h").await.unwrap();
    for beyond in ["9h", "never"] {
        let refused = update(beyond).await.unwrap_err();
        let told = problems(&refused);
        assert!(told[0].contains("may live until"), "{beyond}: {told:?}");
    }
    let (host, caller) = governed(&world, "[policy]\nmax_age = '8h'").await;
    host.request(&caller, "other", vec![]).await.unwrap();
    let view = host.view(&caller, "other").await.unwrap();
    assert!((1..=8 * 3_600).contains(&left(view.ends_s)));
}
