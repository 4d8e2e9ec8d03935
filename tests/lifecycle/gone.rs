//! What counts as "the stack is gone": Heat's own word, which its list confirms. Nothing else that
//! answers 404, and no Heat that contradicts itself, makes the host forget a cluster.

use stampede::{cluster::ClusterState, orchestrator::OrchestratorError};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::{complete, rest},
};

/// What stands before Heat, or is found at an address that moved, and answers without knowing.
const STRANGERS: [(u16, &str); 7] = [
    (
        404,
        "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>",
    ),
    (404, "default backend - 404"),
    (404, "404 page not found\n"),
    (404, ""),
    (410, "{\"message\": \"gone\"}"),
    (
        404,
        r#"{"error": {"code": 404, "message": "The Stack (x) could not be found.", "title": "Not Found"}}"#,
    ),
    (
        404,
        r#"{"code": 404, "title": "Not Found", "explanation": "The resource could not be found.", "error": {"type": "HTTPNotFound", "traceback": null, "message": "The resource could not be found."}}"#,
    ),
];
const UNKNOWN: &str = r#"{"code": 404, "title": "Not Found", "explanation": "The resource could not be found.", "error": {"type": "EntityNotFound", "traceback": null, "message": "The Stack (x) could not be found."}}"#;

fn everywhere(what: FaultKind) -> InjectedFault {
    InjectedFault::of("heat", u32::MAX, what)
}

/// Heats that say that the stack is gone and cannot be believed: the list shows it, or fails.
fn contradictions() -> [Vec<InjectedFault>; 3] {
    let shows = || everywhere(FaultKind::Proxy(404, UNKNOWN)).only("GET", "/stacks/stampede-");
    let lists = |what| everywhere(what).only("GET", "/stacks?");
    [
        vec![shows()],
        vec![shows(), lists(FaultKind::Status(503, None))],
        vec![shows(), lists(FaultKind::Proxy(404, UNKNOWN))],
    ]
}

/// All of the above.
fn unbelievable() -> Vec<Vec<InjectedFault>> {
    let strangers = STRANGERS
        .into_iter()
        .map(|(status, body)| vec![everywhere(FaultKind::Proxy(status, body))]);
    strangers.chain(contradictions()).collect()
}

fn inject(world: &LifecycleFixture, faults: &[InjectedFault]) {
    for fault in faults {
        world.cloud.fault(fault.clone());
    }
}

#[tokio::test]
async fn a_cluster_at_rest_stays_what_it_was_and_its_reader_is_told_why_it_may_be_old() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    for faults in unbelievable() {
        inject(&world, &faults);
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(view.state, ClusterState::Active, "{faults:?}");
        assert!(
            view.cloud_error.is_some_and(|why| why.contains("heat")),
            "{faults:?}"
        );
        world.cloud.heal();
        assert_eq!(
            host.view(&caller, "default").await.unwrap().cloud_error,
            None
        );
    }
}

#[tokio::test]
async fn a_delete_that_waits_for_heat_forgets_nothing_and_is_done_afterwards() {
    for faults in unbelievable() {
        let world = LifecycleFixture::new().await;
        let (host, caller, stack) = complete(&world).await;
        inject(&world, &faults);
        host.delete(&caller, "default").await.unwrap();
        let asked = world.cloud.count("heat");
        eventually("heat is asked again", async || {
            (world.cloud.count("heat") > asked + 10).then_some(())
        })
        .await;
        assert_eq!(world.records().await.len(), 1, "{faults:?}");
        world.cloud.heal();
        eventually("it is deleted", async || {
            world.cloud.finish();
            let records = world.records().await;
            records.is_empty().then_some(())
        })
        .await;
        assert_eq!(
            world.cloud.stacks(),
            [(stack, "DELETE_COMPLETE".to_owned())],
            "{faults:?}"
        );
    }
}

#[tokio::test]
async fn a_change_under_way_is_neither_ended_nor_taken_back() {
    for faults in unbelievable() {
        let world = LifecycleFixture::new().await;
        let (host, caller, _) = complete(&world).await;
        host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
            .await
            .unwrap();
        inject(&world, &faults);
        let asked = world.cloud.count("heat");
        eventually("heat is asked again", async || {
            (world.cloud.count("heat") > asked + 10).then_some(())
        })
        .await;
        assert_eq!(
            host.view(&caller, "default").await.unwrap().state,
            ClusterState::Updating,
            "{faults:?}"
        );
        world.cloud.heal();
        let view = rest(&world, &host, &caller).await;
        assert_eq!(
            (
                view.state,
                view.attributes["stampede.workers"].as_str(),
                view.change
            ),
            (ClusterState::Active, "3", None),
            "{faults:?}"
        );
    }
}

#[tokio::test]
async fn a_stack_whose_create_gave_no_answer_is_not_made_twice_by_a_proxys_404() {
    let world = LifecycleFixture::new().await;
    let proxy = FaultKind::Proxy(404, STRANGERS[0].1);
    world
        .cloud
        .fault(everywhere(proxy.clone()).only("GET", "/stacks"));
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    // The list of stacks is asked before there is a cluster, too.
    let refused = host.request(&caller, "default", vec![]).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Cloud(_))),
        "{refused:?}"
    );
    world.cloud.heal();
    host.request(&caller, "default", vec![]).await.unwrap();
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, FaultKind::Lost).only("POST", "/stacks"));
    world.cloud.fault(everywhere(proxy).only("GET", "/stacks"));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let asked = world.cloud.count("heat");
    eventually("heat is asked again", async || {
        (world.cloud.count("heat") > asked + 10).then_some(())
    })
    .await;
    world.cloud.heal();
    eventually("the stack is found", async || {
        host.view(&caller, "default").await.unwrap().stack_id
    })
    .await;
    assert_eq!((world.creates(), world.cloud.stacks().len()), (1, 1));
}

/// How far the change has come when somebody deletes the stack.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    StepSent,
    StepToBeSent,
}

#[tokio::test]
async fn a_stack_that_is_deleted_behind_a_changes_back_ends_the_change() {
    for moment in [Moment::StepSent, Moment::StepToBeSent] {
        for (fails, forgets, state) in [
            (false, false, ClusterState::Deleted),
            (false, true, ClusterState::Deleted),
            (true, false, ClusterState::Failed("it stays".to_owned())),
        ] {
            let world = LifecycleFixture::new().await;
            let (host, caller, stack) = complete(&world).await;
            if moment == Moment::StepToBeSent {
                let away = FaultKind::Status(503, None);
                world.cloud.fault(everywhere(away).only("PUT", "/stacks/"));
            }
            host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
                .await
                .unwrap();
            world.cloud.delete_outside(&stack, fails);
            world.cloud.finish();
            if forgets {
                world.cloud.vanish(&stack);
            }
            let view = eventually("the change has ended", async || {
                let view = host.view(&caller, "default").await.unwrap();
                view.change.is_none().then_some(view)
            })
            .await;
            let what = (moment, fails, forgets);
            assert_eq!(view.state.as_str(), state.as_str(), "{what:?}");
            assert!(view.failure.is_some(), "{what:?}");
            // Whoever asks for the next change is told, and nothing runs on.
            let refused = host
                .update(&caller, "default", pairs(&[("stampede.workers", "4")]))
                .await;
            assert!(
                matches!(refused, Err(OrchestratorError::NotApplicable(_))),
                "{what:?} {refused:?}"
            );
            drop((host, caller));
            world.idle().await;
        }
    }
}
