//! `stampede list --orphans`, `adopt` and `delete --orphan`.

use serde_json::json;
use stampede::openstack::{CloudClient, CloudConfig, CreateStack};

use super::Terminal;

/// Makes a stack with Stampede's tags, as a host that is no more has left it.
async fn leave(terminal: &Terminal, name: &str, id: &str) {
    let client = CloudClient::new(CloudConfig::new(terminal.cloud.url())).unwrap();
    let token = terminal.cloud.issue_token("demo").into();
    let session = client.session(token, "demo").await.unwrap();
    let own = [
        "stampede".to_owned(),
        "stampede.host.gone".to_owned(),
        format!("stampede.cluster.{id}"),
        format!("stampede.name.{name}"),
    ];
    let stack = CreateStack {
        name: format!("stampede-{name}-{}", &id[..8]),
        template: json!({"heat_template_version": "2018-08-31", "resources": {}}),
        tags: own.to_vec(),
        timeout_mins: 60,
        ..CreateStack::default()
    };
    session.create_stack(&stack).await.unwrap();
}

#[tokio::test]
async fn a_stack_that_no_record_knows_is_found_adopted_and_deleted() {
    let terminal = Terminal::new().await;
    let none = terminal.done(&["list", "--orphans"]).await;
    assert!(none.contains("no stack in project `demo`"), "{none}");
    leave(&terminal, "first", "11111111-0000-4000-8000-000000000001").await;
    leave(&terminal, "second", "22222222-0000-4000-8000-000000000002").await;
    assert!(terminal.done(&["list"]).await.contains("no clusters"));
    let orphans = terminal.done(&["list", "--orphans"]).await;
    for word in ["first", "second", "gone", "RegionOne"] {
        assert!(orphans.contains(word), "{word}: {orphans}");
    }
    let adopted = terminal.done(&["adopt", "stampede-first-11111111"]).await;
    assert!(adopted.contains("`first` is"), "{adopted}");
    assert!(terminal.done(&["list"]).await.contains("first"));
    let left = terminal.json(&["list", "--orphans"]).await;
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["cluster"], "second");
    terminal
        .done(&["delete", "--orphan", "second", "--wait"])
        .await;
    terminal.done(&["delete", "first", "--wait"]).await;
    let stacks = terminal.cloud.stacks();
    assert!(
        stacks.iter().all(|(_, status)| status == "DELETE_COMPLETE"),
        "{stacks:?}"
    );
}
