//! Stacks: created once whatever is lost, updated, signalled, listed and deleted.

use std::time::Duration;

use stampede::openstack::{ClientLimits, CloudError};
use stampede_tests::fake_openstack::{CreateFails, FaultKind, InjectedFault};

use super::{brisk, client, cloud, session, session_with, stack};

#[tokio::test]
async fn a_stack_lives_from_create_to_delete() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    session.validate(&stack("one")).await.expect("valid");
    assert!(
        session
            .find_stack("one")
            .await
            .expect("an answer")
            .is_none(),
        "a check creates nothing"
    );

    let id = session.create_stack(&stack("one")).await.expect("created");
    let begun = session.show_stack(&id).await.expect("shown");
    assert_eq!(
        (begun.status.as_str(), begun.output("master_address")),
        ("CREATE_IN_PROGRESS", None)
    );
    assert_eq!(begun.tags, ["stampede", "stampede.cluster.one"]);

    cloud.finish();
    let done = session
        .find_stack("one")
        .await
        .expect("an answer")
        .expect("a stack");
    assert_eq!(
        (done.status.as_str(), done.stack_id()),
        ("CREATE_COMPLETE", id.clone())
    );
    assert!(done.output("master_address").is_some_and(|value| {
        value
            .as_str()
            .is_some_and(|ip| ip.starts_with("203.0.113."))
    }));
    assert_eq!(
        done.output("inside").and_then(|value| value.as_str()),
        Some("10.77.0.10")
    );
    let resources = session.resources(&id).await.expect("resources");
    assert!(
        resources
            .iter()
            .all(|resource| resource.status == "CREATE_COMPLETE"),
        "{resources:?}"
    );

    session.delete_stack(&id).await.expect("deleting");
    assert_eq!(
        session.show_stack(&id).await.expect("shown").status,
        "DELETE_IN_PROGRESS"
    );
    cloud.finish();
    assert!(
        session
            .find_stack("one")
            .await
            .expect("an answer")
            .is_none()
    );
    assert_eq!(
        session
            .stack(&id.id)
            .await
            .expect("remembered by its id")
            .status,
        "DELETE_COMPLETE"
    );
    session
        .delete_stack(&id)
        .await
        .expect("what is gone is deleted");
}

#[tokio::test]
async fn progress_of_nodes_comes_as_events_page_by_page() {
    let cloud = cloud().await;
    let session = session_with(
        &cloud,
        ClientLimits {
            page_items: 2,
            ..brisk()
        },
    )
    .await;
    let id = session.create_stack(&stack("one")).await.expect("created");
    cloud.step();
    cloud.step();
    cloud.step();
    let first = session
        .events(&id, Some("progress_handle"), None)
        .await
        .expect("events");
    let said: Vec<_> = first
        .iter()
        .filter(|event| event.status == "SIGNAL_COMPLETE")
        .map(|event| event.reason.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "Signal: status:SUCCESS reason:master hadoop setup began",
            "Signal: status:SUCCESS reason:worker hadoop setup began"
        ]
    );

    cloud.step();
    let marker = &first.last().expect("events").id;
    let more = session
        .events(&id, Some("progress_handle"), Some(marker))
        .await
        .expect("events");
    assert_eq!(more.len(), 2, "only what is new: {more:?}");
    assert!(
        more.iter()
            .all(|event| event.reason.contains("hadoop setup done"))
    );
    let all = session
        .events(&id, Some("progress_handle"), None)
        .await
        .expect("events");
    assert_eq!(all[first.len()..], more);
    let dropped = session
        .events(
            &id,
            Some("progress_handle"),
            Some("an-event-that-heat-has-dropped"),
        )
        .await
        .expect("all again");
    assert_eq!(dropped, all);
    let metadata = session
        .resource_metadata(&id, "progress_handle")
        .await
        .expect("metadata");
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["master", "worker"]);
}

#[tokio::test]
async fn stacks_are_found_by_their_tags_over_many_pages() {
    let cloud = cloud().await;
    let session = session_with(
        &cloud,
        ClientLimits {
            page_items: 2,
            ..brisk()
        },
    )
    .await;
    for name in ["a", "b", "c", "d"] {
        session.create_stack(&stack(name)).await.expect("created");
    }
    assert_eq!(
        session
            .stacks_by_tag(&["stampede"])
            .await
            .expect("found")
            .len(),
        4
    );
    let one = session
        .stacks_by_tag(&["stampede", "stampede.cluster.b"])
        .await
        .expect("found");
    assert_eq!(
        one.iter()
            .map(|stack| stack.name.as_str())
            .collect::<Vec<_>>(),
        ["b"]
    );
    let other = client(&cloud, brisk())
        .session(cloud.issue_token("other").into(), "other")
        .await
        .expect("a session");
    assert!(
        other
            .stacks_by_tag(&["stampede"])
            .await
            .expect("found")
            .is_empty(),
        "another project's are not seen"
    );
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_makes_one_stack() {
    for what in [
        FaultKind::Lost,
        FaultKind::Cut,
        FaultKind::Html,
        FaultKind::Slow(Duration::from_secs(5)),
    ] {
        let cloud = cloud().await;
        let session = session_with(
            &cloud,
            ClientLimits {
                answer_heat_write: Duration::from_millis(300),
                ..brisk()
            },
        )
        .await;
        cloud.fault(InjectedFault::of("heat", 1, what.clone()).only("POST", "/stacks"));
        let id = session
            .create_stack(&stack("one"))
            .await
            .unwrap_or_else(|error| panic!("{what:?}: {error}"));
        assert_eq!(session.show_stack(&id).await.expect("shown").name, "one");
        assert_eq!(
            (
                cloud.stacks().len(),
                cloud.count_of("heat", "POST", "/stacks")
            ),
            (1, 1),
            "{what:?}"
        );
    }
}

#[tokio::test]
async fn a_create_that_was_never_begun_is_not_taken_for_one() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    cloud.fault(InjectedFault::of("heat", 1, FaultKind::Dropped).only("POST", "/stacks"));
    let error = session.create_stack(&stack("one")).await.expect_err("lost");
    assert!(
        matches!(
            error,
            CloudError::Unreachable {
                service: "heat",
                ..
            }
        ),
        "{error}"
    );
    cloud.fault(InjectedFault::of("heat", 1, FaultKind::Status(500, None)).only("POST", "/stacks"));
    let error = session
        .create_stack(&stack("one"))
        .await
        .expect_err("failed");
    assert!(
        matches!(error, CloudError::Fault { status: 500, .. }),
        "{error}"
    );
    assert!(cloud.stacks().is_empty());
    assert_eq!(
        cloud.count_of("heat", "POST", "/stacks"),
        2,
        "neither is repeated blindly"
    );
}

#[tokio::test]
async fn a_lost_create_is_looked_for_as_often_as_the_limit_says() {
    let cloud = cloud().await;
    let session = session_with(
        &cloud,
        ClientLimits {
            attempts: 3,
            ..brisk()
        },
    )
    .await;
    cloud.fault(InjectedFault::of("heat", 1, FaultKind::Status(504, None)).only("POST", "/stacks"));
    session.create_stack(&stack("one")).await.expect_err("lost");
    assert_eq!(cloud.count_of("heat", "GET", "/stacks/one"), 3);
}

#[tokio::test]
async fn a_create_that_heat_puts_off_is_repeated() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    cloud.fault(
        InjectedFault::of("heat", 2, FaultKind::Status(503, Some(0))).only("POST", "/stacks"),
    );
    session
        .create_stack(&stack("one"))
        .await
        .expect("created at the third attempt");
    assert_eq!(
        (
            cloud.stacks().len(),
            cloud.count_of("heat", "POST", "/stacks")
        ),
        (1, 3)
    );
}

#[tokio::test]
async fn a_name_is_taken_over_only_with_the_same_tags() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    let first = session.create_stack(&stack("one")).await.expect("created");
    assert_eq!(
        session.create_stack(&stack("one")).await.expect("the same"),
        first
    );
    for tags in [
        vec!["stampede".to_owned(), "stampede.cluster.two".to_owned()],
        Vec::new(),
    ] {
        let mut other = stack("one");
        other.tags = tags;
        let error = session.create_stack(&other).await.expect_err("another's");
        assert!(
            matches!(&error, CloudError::Conflict { message, .. } if message.contains("(one) already exists")),
            "{error}"
        );
    }
    assert_eq!(cloud.stacks().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_template_is_said_in_heats_words() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    let mut wrong = stack("one");
    wrong.parameters["flavor"] = "m1.huge".into();
    for error in [
        session.validate(&wrong).await.expect_err("refused"),
        session.create_stack(&wrong).await.expect_err("refused"),
    ] {
        assert!(
            matches!(&error, CloudError::BadRequest { message, .. } if message.contains("No Flavor matching {'name': 'm1.huge'}")),
            "{error}"
        );
    }
    let mut wrong = stack("one");
    wrong.template["resources"]["ready"]["type"] = "OS::No::Such".into();
    let error = session.validate(&wrong).await.expect_err("refused");
    assert!(
        error
            .to_string()
            .contains("The Resource Type (OS::No::Such) could not be found"),
        "{error}"
    );
    assert_eq!(
        cloud.count_of("heat", "POST", ""),
        3,
        "a refusal is not asked for again"
    );
}

#[tokio::test]
async fn all_that_heat_says_about_a_mistake_is_passed_on_up_to_the_limit() {
    let cloud = cloud().await;
    let mut wrong = stack("one");
    let kind = format!("OS::No::{}", "Such".repeat(500));
    wrong.template["resources"]["ready"]["type"] = kind.as_str().into();
    let words = format!("The Resource Type ({kind}) could not be found.");
    let told = async |refusal_chars| {
        let session = session_with(
            &cloud,
            ClientLimits {
                refusal_chars,
                ..brisk()
            },
        )
        .await;
        session
            .validate(&wrong)
            .await
            .expect_err("refused")
            .to_string()
    };
    assert!(told(words.len()).await.ends_with(&words));
    assert!(!told(words.len() - 2).await.contains(&words));
    let session = session(&cloud).await;
    assert!(
        session
            .validate(&wrong)
            .await
            .expect_err("refused")
            .to_string()
            .contains(&words),
        "more than a line by default"
    );
}

#[tokio::test]
async fn a_failed_stack_carries_the_nodes_own_reason() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    cloud.next_create_fails(CreateFails::Node {
        node: "worker".to_owned(),
        text: "hadoop setup line 42: curl: 404".to_owned(),
    });
    let id = session.create_stack(&stack("one")).await.expect("created");
    cloud.finish();
    let failed = session.show_stack(&id).await.expect("shown");
    assert_eq!(failed.status, "CREATE_FAILED");
    assert_eq!(
        failed.status_reason,
        "Resource CREATE failed: WaitConditionFailure: resources.ready: worker hadoop setup line 42: curl: 404"
    );
    let ready = session
        .resources(&id)
        .await
        .expect("resources")
        .into_iter()
        .find(|resource| resource.name == "ready")
        .expect("it");
    assert_eq!(ready.status, "CREATE_FAILED");
}

#[tokio::test]
async fn a_delete_that_fails_can_be_asked_for_again() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    let id = session.create_stack(&stack("one")).await.expect("created");
    cloud.next_deletes_fail(1);
    session
        .delete_stack(&id)
        .await
        .expect("asked, in the middle of the create");
    cloud.finish();
    assert_eq!(
        session.show_stack(&id).await.expect("shown").status,
        "DELETE_FAILED"
    );
    session.delete_stack(&id).await.expect("asked again");
    cloud.finish();
    assert!(
        session
            .find_stack("one")
            .await
            .expect("an answer")
            .is_none()
    );
}

#[tokio::test]
async fn an_update_brings_what_is_new() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    let id = session.create_stack(&stack("one")).await.expect("created");
    cloud.finish();
    let mut larger = stack("one");
    larger.template["resources"]["volume"] =
        serde_json::json!({"type": "OS::Cinder::Volume", "properties": {"size": 1}});
    session.update_stack(&id, &larger).await.expect("updating");
    assert_eq!(
        session.show_stack(&id).await.expect("shown").status,
        "UPDATE_IN_PROGRESS"
    );
    cloud.finish();
    assert_eq!(
        session.show_stack(&id).await.expect("shown").status,
        "UPDATE_COMPLETE"
    );
    assert!(
        session
            .resources(&id)
            .await
            .expect("resources")
            .iter()
            .any(|resource| resource.name == "volume")
    );
}

#[tokio::test]
async fn a_redirect_that_is_not_heats_own_says_nothing_of_a_stack() {
    for to in [
        "https://sso.example.org/login/auth",
        "https://sso.example.org/stacks/login/auth",
        "https://sso.example.org/",
        "",
    ] {
        let cloud = cloud().await;
        let session = session(&cloud).await;
        session.create_stack(&stack("one")).await.expect("created");
        cloud.fault(
            InjectedFault::of("heat", 1, FaultKind::Redirect(to)).only("GET", "/stacks/one"),
        );
        let error = session.find_stack("one").await.expect_err("not Heat");
        assert!(
            matches!(&error, CloudError::BadAnswer { .. }) && error.is_transient(),
            "`{to}`: {error}"
        );
    }
}
