//! The Service Manager's sequence of requests, with its headers and its way of parsing responses, as
//! section 7 of the recorded protocol has them.

use std::sync::atomic::Ordering;

use crate::client::{OcciHost, category_line};

/// What every request of the Service Manager carries besides.
const ITS_HEADERS: &str =
    "User-Agent: python-requests/2.11.0\nAccept-Encoding: gzip, deflate\nContent-type: text/occi";

/// Its first request, by which it is known.
async fn look_first(host: &OcciHost) {
    let root = host.send(&format!("GET /\n{ITS_HEADERS}\nAccept: application/occi+json\nAuthorization: Basic ZGVtbzpwYXNz"), "").await;
    assert_eq!((root.status, root.body.as_str()), (200, "[]"));
}

/// `split(', ')` and `split('=')[1]`, quotes taken off when both are there; an item without `=`
/// ends its thread.
fn parsed(header: &str) -> Vec<(String, String)> {
    let item = |item: &str| {
        let parts: Vec<&str> = item.split('=').collect();
        let value = parts
            .get(1)
            .unwrap_or_else(|| panic!("IndexError at {item}"));
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        (parts[0].to_owned(), bare.to_owned())
    };
    header.split(", ").map(item).collect()
}

/// Asserts that a cluster that runs is shown with its endpoint, its parameters and its state.
async fn assert_shown(host: &OcciHost) {
    let shown = host
        .send(
            &format!("GET /orchestrator/default\n{ITS_HEADERS}\nAccept: text/occi"),
            "",
        )
        .await;
    let attributes = parsed(&shown.joined_header("x-occi-attribute"));
    for wanted in [
        ("mcn.endpoint.p1.RegionOne", "10.0.0.1"),
        ("my.param", "hello"),
        ("occi.mcn.stack.state", "CREATE_COMPLETE"),
    ] {
        assert!(
            attributes
                .iter()
                .any(|(k, v)| (k.as_str(), v.as_str()) == wanted),
            "{wanted:?} is not in {attributes:?}"
        );
    }
}

#[tokio::test]
async fn from_the_first_look_to_destroyed() {
    let host = OcciHost::start().await;
    let state = async || {
        host.fetch_attributes("default").await["occi.mcn.stack.state"]
            .as_str()
            .unwrap()
            .to_owned()
    };

    look_first(&host).await;
    assert_eq!(
        host.memory.authentications.load(Ordering::SeqCst),
        0,
        "the first look must not wait for Keystone"
    );

    let put = format!(
        "PUT /orchestrator/default\n{ITS_HEADERS}\n{}\nAccept: */*\nContent-Length: 0",
        category_line("orchestrator")
    );
    let put = host
        .send(
            &format!("{put}\nX-OCCI-Attribute: activate.integer=1, my.param=hello"),
            "",
        )
        .await;
    assert_eq!((put.status, put.body.as_str()), (201, "OK"));
    assert_eq!(
        put.header("location"),
        Some(format!("http://{}/orchestrator/default", host.api).as_str())
    );
    assert_eq!(state().await, "uninitialized");

    let action = |term: &str| {
        let category = category_line(term);
        format!(
            "POST /orchestrator/default?action={term}\n{ITS_HEADERS}\n{category}\nAccept: */*\nContent-Length: 0"
        )
    };
    let deployed = host
        .send(
            &format!("{}\nX-OCCI-Attribute: a=1, a=1, a=2", action("deploy")),
            "",
        )
        .await;
    assert_eq!(deployed.status, 200, "{}", deployed.body);
    assert_eq!(state().await, "CREATE_IN_PROGRESS");
    host.memory.change("default", |view| {
        view.stack_status = Some("CREATE_COMPLETE".to_owned());
        view.outputs
            .insert("mcn.endpoint.p1".to_owned(), "10.0.0.1".into());
    });
    assert_eq!(state().await, "CREATE_COMPLETE");
    assert_eq!(
        host.fetch_attributes("default").await["a"],
        "2",
        "the last of duplicates wins"
    );

    assert_eq!(host.send(&action("provision"), "").await.status, 200);

    assert_shown(&host).await;

    let update = format!(
        "POST /orchestrator/default\n{ITS_HEADERS}\nContent-Length: 0\nX-OCCI-Attribute: , my.param=good day, new=2"
    );
    assert_eq!(host.send(&update, "").await.status, 200);
    assert_eq!(
        host.fetch_attributes("default").await["my.param"],
        "good day"
    );

    let delete =
        "DELETE /orchestrator/default\nX-OCCI-Attribute: my.param=hello\nContent-Length: 0";
    let deleted = host.send(delete, "").await;
    assert_eq!((deleted.status, deleted.body.as_str()), (200, "OK"));
    assert_eq!(host.send(delete, "").await.status, 404);
    assert_eq!(
        host.send("GET /orchestrator/default", "").await.body,
        "Resource not found: '/orchestrator/default'"
    );
    host.put_cluster("default", "a=1").await;
}

/// Gives the cluster values that a parser may stumble over, and more than headers can carry.
fn add_hard_values(host: &OcciHost) {
    host.memory.change("default", |view| {
        let values = [
            "p, q",
            "x=y",
            "\"",
            "a\r\nX-Injected: 1",
            "\0",
            "caf\u{e9}",
            "50%",
            "\\",
            "",
            " ",
        ];
        for (number, value) in values.into_iter().enumerate() {
            view.attributes
                .insert(format!("value.{number}"), value.to_owned());
            view.attributes
                .insert(format!("key {value},{number}"), "1".to_owned());
        }
        view.stack_id = Some(("RegionOne".to_owned(), "id".to_owned()));
        view.outputs.insert(
            "list".to_owned(),
            serde_json::json!([1, "two", {"three": null}]),
        );
        for node in 0..250 {
            view.attributes.insert(
                format!("long.{node}"),
                "hadoop setup done, 34 s; ".repeat(20),
            );
        }
        view.outputs
            .insert("huge".to_owned(), "h".repeat(200_000).into());
    });
}

#[tokio::test]
async fn its_parser_survives_every_value_and_header_line() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    add_hard_values(&host);
    let answer = host
        .send("GET /orchestrator/default\nAccept: text/occi", "")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-injected"), None);
    assert!(
        answer.headers.len() <= 100,
        "httplib takes 100 headers, not {}",
        answer.headers.len()
    );
    assert!(
        answer
            .headers
            .iter()
            .all(|(name, value)| name.len() + value.len() + 4 <= 65_536),
        "httplib takes lines of 65536 bytes"
    );
    let attributes = parsed(&answer.joined_header("x-occi-attribute"));
    let value = |name: &str| {
        attributes
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(value("value.0"), Some("p%2C q"));
    assert_eq!(value("value.3"), Some("a%0D%0AX-Injected: 1"));
    assert_eq!(
        attributes.len(),
        2 * 10 + 250 + 1 + 2 + 4,
        "each attribute once"
    );

    let whole = host.fetch_attributes("default").await;
    assert_eq!(whole["value.3"], "a\r\nX-Injected: 1");
    assert_eq!(
        whole["list.RegionOne"],
        serde_json::json!([1, "two", {"three": null}])
    );
    assert_eq!(whole["huge.RegionOne"].as_str().unwrap().len(), 200_000);
}

#[tokio::test]
async fn its_polling_ends_at_a_failure_and_everybody_still_sees_why() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    let poll = async || {
        host.send("GET /orchestrator/default\nUser-Agent: python-requests/2.11.0\nAccept: application/occi+json", "").await
    };
    look_first(&host).await;
    assert_eq!(poll().await.status, 200);
    host.memory.change("default", |view| {
        view.state = stampede::cluster::ClusterState::Failed(
            "worker-1: hadoop setup line 42: no space".to_owned(),
        );
        view.stack_status = Some("CREATE_FAILED".to_owned());
    });
    let ended = poll().await;
    assert_eq!(
        (ended.status, ended.reason.as_str()),
        (
            424,
            "CREATE_FAILED: worker-1: hadoop setup line 42: no space"
        )
    );
    assert_eq!(
        ended.json()["attributes"]["occi.mcn.stack.state"],
        "CREATE_FAILED",
        "even then the entity is whole"
    );

    // Its own client's GET goes through it as text/occi, and must find the attributes.
    let shown = host
        .send(
            &format!("GET /orchestrator/default\n{ITS_HEADERS}\nAccept: text/occi"),
            "",
        )
        .await;
    let attributes = parsed(&shown.joined_header("x-occi-attribute"));
    for wanted in [
        ("occi.mcn.stack.state", "CREATE_FAILED"),
        (
            "stampede.failure",
            "worker-1: hadoop setup line 42: no space",
        ),
    ] {
        assert!(
            attributes
                .iter()
                .any(|(k, v)| (k.as_str(), v.as_str()) == wanted),
            "{wanted:?} is not in {attributes:?}"
        );
    }
    for (agent, accept) in [
        ("curl/8.5.0", "application/occi+json"),
        ("python-requests/2.32.3", "application/occi+json"),
        ("Mozilla/5.0", "text/html"),
    ] {
        let seen = host
            .send(
                &format!("GET /orchestrator/default\nUser-Agent: {agent}\nAccept: {accept}"),
                "",
            )
            .await;
        assert!(
            seen.status == 200 && seen.body.contains("no space"),
            "{agent}: {seen:?}"
        );
    }
    assert_eq!(
        host.send(&format!("DELETE /orchestrator/default\n{ITS_HEADERS}"), "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn other_python_programs_are_not_taken_for_it() {
    let host = OcciHost::start().await;
    look_first(&host).await;
    for agent in ["python-requests/2.25.1", "python-requests/2.11.0"] {
        for (project, name) in [("other", "default"), ("demo", "mine")] {
            let send = async |head: &str| {
                host.send_as(project, &format!("{head}\nUser-Agent: {agent}"), "")
                    .await
            };
            let kind = category_line("orchestrator");
            let entity = format!("/orchestrator/{name}");
            let workers = "X-OCCI-Attribute: stampede.workers";
            send(&format!("PUT {entity}\n{kind}\n{workers}=2")).await;
            send(&format!("POST {entity}?action=deploy")).await;
            assert_eq!(
                send(&format!("POST {entity}\n{workers}=3")).await.status,
                200
            );
            assert_eq!(
                send(&format!("POST {entity}\n{workers}=2")).await.status,
                200
            );
            let shown =
                async || send(&format!("GET {entity}\nAccept: application/occi+json")).await;
            assert_eq!(
                shown().await.json()["attributes"]["stampede.workers"],
                "2",
                "what {agent} asks for is done"
            );
            host.memory.change_in(project, name, |view| {
                view.state = stampede::cluster::ClusterState::Failed("no space".to_owned());
                view.stack_status = Some("CREATE_FAILED".to_owned());
            });
            assert_eq!(shown().await.status, 200, "{agent}");
            send(&format!("DELETE {entity}")).await;
        }
    }
}

#[tokio::test]
async fn its_repetitions_change_nothing_and_its_clients_wishes_do() {
    let host = OcciHost::start().await;
    let its = |head: &str| format!("{head}\n{ITS_HEADERS}\nContent-Length: 0");
    let kind = category_line("orchestrator");
    let set = "my.param=hello, stampede.workers=2";
    let put = format!("PUT /orchestrator/default\n{kind}\nX-OCCI-Attribute: {set}");
    assert_eq!(host.send(&its(&put), "").await.status, 201);
    let update = async |attributes: &str| {
        let post = format!("POST /orchestrator/default\nX-OCCI-Attribute: {attributes}");
        let answer = host.send(&its(&post), "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        host.fetch_attributes("default").await["stampede.workers"].clone()
    };
    assert_eq!(update(&format!(", {set}, stampede.workers=3")).await, "3");
    assert_eq!(update(&format!(", {set}, other=1")).await, "3", "repeated");
    assert_eq!(update(&format!(", {set}, stampede.workers=2")).await, "2");
    // From then on its token is known, and with its service's own parameters there is no comma.
    assert_eq!(
        update(", stampede.workers=4").await,
        "4",
        "not the whole set"
    );
    assert_eq!(
        update(&format!("update.param=1, {set}, other=2")).await,
        "4"
    );
}
