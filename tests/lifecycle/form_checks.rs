//! What forms check: as often as it costs little, and the same as what they ask for.

use stampede::orchestrator::{Caller, FormDepth, Orchestrator, OrchestratorError};

use crate::{
    fixture::{LifecycleFixture, pairs},
    forms::{value, world},
    update::complete,
};

#[tokio::test]
async fn who_types_asks_the_cloud_once_in_a_few_seconds_and_a_preview_anew() {
    let (world, host, caller) = world().await;
    let calls = || {
        let asked = world.cloud.requests().into_iter();
        let asked = asked.filter(|asked| !asked.path.ends_with("/validate"));
        asked.count()
    };
    let ask = async |workers: &str, depth| {
        let before = calls();
        let given = pairs(&[("stampede.workers", workers)]);
        let forms = host.forms();
        let form = forms.new_cluster(&caller, "demo", given, depth).await;
        let form = form.unwrap();
        assert!(!form.choices.flavors.is_empty() && form.obstacle.is_none());
        (form.problems.len(), calls() - before)
    };
    let (_, first) = ask("2", FormDepth::Typing).await;
    assert!(first >= 6, "flavors, images, networks, quotas: {first}");
    assert_eq!(ask("3", FormDepth::Typing).await, (0, 0));
    assert_eq!(ask("four", FormDepth::Typing).await, (1, 0));
    let (_, whole) = ask("3", FormDepth::Whole).await;
    assert!(
        whole >= 6,
        "what is made is checked against the cloud: {whole}"
    );
}

/// What a dry run, the change itself and the form say of one request.
async fn told_by_each(host: &Orchestrator, caller: &Caller, set: &[(&str, &str)]) -> [String; 3] {
    let given = || pairs(set);
    let words = |error: OrchestratorError| error.to_string();
    let dry = host.preview_update(caller, "default", given()).await;
    let form = host.forms().change(caller, "default", given()).await;
    let real = host.update(caller, "default", given()).await;
    [
        dry.err().map(words).unwrap_or_default(),
        real.err().map(words).unwrap_or_default(),
        form.unwrap().refusal().map(words).unwrap_or_default(),
    ]
}

#[tokio::test]
async fn a_dry_run_the_change_and_the_form_refuse_with_the_same_words() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    world.cloud.edit(|cloud| cloud.quota.instances = 3);
    let refused: [&[(&str, &str)]; 5] = [
        &[("stampede.workers", "0"), ("stampede.frobnicate", "x")],
        &[("stampede.workers", "3")],
        &[("stampede.image", "other"), ("stampede.key", "other")],
        &[("stampede.workers.remove", "worker-9")],
        &[("stampede.network.access", "198.51.100.0/33")],
    ];
    for set in refused {
        let [dry, real, form] = told_by_each(&host, &caller, set).await;
        assert!(!real.is_empty(), "{set:?} is taken");
        assert_eq!((&dry, &form), (&real, &real), "{set:?}");
    }
    // Under way: nothing else can be changed, and all say so.
    world.cloud.edit(|cloud| cloud.quota.instances = 9);
    let more = pairs(&[("stampede.workers", "3")]);
    host.update(&caller, "default", more).await.unwrap();
    let other = [("stampede.workers", "5")];
    let [dry, real, form] = told_by_each(&host, &caller, &other).await;
    assert!(real.contains("under way"), "{real}");
    assert_eq!((&dry, &form), (&real, &real));
}

#[tokio::test]
async fn a_cluster_that_is_not_deployed_yet_can_be_changed_in_everything() {
    let (_world, host, caller) = world().await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let given = [("stampede.image", "debian-12"), ("stampede.workers", "4")];
    let form = host.forms().change(&caller, "default", pairs(&given)).await;
    let form = form.unwrap();
    assert_eq!(form.refusal(), None);
    assert_eq!(form.change.as_ref().unwrap().attributes.len(), 2);
    assert!(value(&form, "image").may_change);
    let [dry, real, form] = told_by_each(&host, &caller, &[("stampede.workers", "0")]).await;
    assert!(!real.is_empty());
    assert_eq!((&dry, &form), (&real, &real));
}
