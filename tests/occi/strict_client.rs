//! A strict client of OCCI takes every entity in every situation, and can send back what it was
//! shown.

use std::collections::BTreeSet;

use stampede::cluster::ClusterState;
use stampede::cluster::progress::StageReport;

use crate::client::{OcciHost, category_line};
use crate::strict_model::{
    CORE, RENDERINGS, assert_takes, read_entity, read_json_entity, read_model,
};

/// A cluster in each situation that clients see.
async fn put_situations(host: &OcciHost) -> Vec<&'static str> {
    let mixin = "Category: tag; scheme=\"http://e.example.org#\"; class=\"mixin\"; title=\"A tag\"";
    assert_eq!(
        host.send(&format!("POST /-/\n{mixin}"), "").await.status,
        200
    );
    host.put_cluster(
        "bare",
        "my.param=hello, occi.core.title=\"My own\", occi.core.summary=\"p, q\"",
    )
    .await;
    let names = [
        "deploying",
        "complete",
        "failed",
        "changing",
        "old",
        "provisioned",
    ];
    let kind = category_line("orchestrator");
    for name in names {
        let hadoop = "hadoop; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"";
        let attributes = "stampede.workers=3, stampede.hadoop.replication=2, my.own-1=\"say \\\"hi\\\"\", stampede.network.access=\"192.0.2.0/24,198.51.100.0/24\"";
        let put = format!(
            "PUT /orchestrator/{name}\n{kind}, {hadoop}, {}\nX-OCCI-Attribute: {attributes}",
            &mixin[10..]
        );
        assert_eq!(host.send(&put, "").await.status, 201);
        assert_eq!(
            host.send(&format!("POST /orchestrator/{name}?action=deploy"), "")
                .await
                .status,
            200
        );
        host.memory.change(name, |view| {
            view.progress = [
                "master hadoop setup done 3 s",
                "worker-1 hadoop setup done 4 s",
                "cluster up",
            ]
            .map(StageReport::parse)
            .into();
            view.stack_status_reason = "Stack CREATE started".to_owned();
        });
    }
    let running = &names[1..];
    show_what_clouds_say(host, running);
    let provision = "POST /orchestrator/provisioned?action=provision";
    assert_eq!(host.send(provision, "").await.status, 200);
    [&["bare"][..], &names].concat()
}

/// What the cloud and the nodes say of those that were created.
fn show_what_clouds_say(host: &OcciHost, running: &[&str]) {
    for name in running {
        host.memory.change(name, |view| {
            (view.state, view.stack_status) =
                (ClusterState::Active, Some("CREATE_COMPLETE".to_owned()));
            view.outputs.insert("p1".to_owned(), "10.0.0.1".into());
            view.outputs
                .insert("list".to_owned(), serde_json::json!([1, {"a": null}]));
            view.outputs.insert("count".to_owned(), 3.into());
            view.endpoints.insert(
                "namenode_ui".to_owned(),
                "http://192.0.2.7:9870/".to_owned(),
            );
        });
    }
    host.memory.change("failed", |view| {
        view.state =
            ClusterState::Failed("worker-1: hadoop setup line 42: no, \"space\"".to_owned());
        view.stack_status = Some("CREATE_FAILED".to_owned());
    });
    host.memory.change("changing", |view| {
        (view.state, view.stack_status) = (
            ClusterState::Updating,
            Some("UPDATE_IN_PROGRESS".to_owned()),
        );
        view.change = Some("step 1 of 2: worker-4".to_owned());
    });
    host.memory.change("old", |view| {
        view.cloud_error = Some("heat does not answer".to_owned());
        view.change = Some("failed, and the cluster is as it was before: no".to_owned());
    });
}

#[tokio::test]
async fn every_entity_is_what_the_query_interface_describes() {
    let host = OcciHost::start().await;
    let names = put_situations(&host).await;
    for rendering in RENDERINGS {
        let model = read_model(&host.send(&format!("GET /-/\n{rendering}"), "").await);
        for core in ["entity", "resource", "link"] {
            assert!(
                model.contains_key(&format!("{CORE}{core}")),
                "{rendering}: {core}"
            );
        }
        for name in &names {
            let answer = host
                .send(&format!("GET /orchestrator/{name}\n{rendering}"), "")
                .await;
            assert_takes(
                &model,
                &read_entity(&answer),
                &format!("{name}, {rendering}"),
            );
        }
        if rendering.contains("json") {
            let json = host
                .send(&format!("GET /orchestrator/\n{rendering}"), "")
                .await
                .json();
            let all = json
                .get("resources")
                .unwrap_or(&json)
                .as_array()
                .unwrap()
                .clone();
            assert_eq!(all.len(), names.len());
            for entity in all {
                assert_takes(&model, &read_json_entity(&entity), rendering);
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_a_clusters_own_says_that_it_cannot_be_set() {
    let host = OcciHost::start().await;
    put_situations(&host).await;
    for rendering in RENDERINGS {
        let model = read_model(&host.send(&format!("GET /-/\n{rendering}"), "").await);
        let mutable = |name: &str| {
            let found: Vec<_> = model
                .values()
                .filter_map(|listed| listed.attributes.get(name))
                .collect();
            assert_eq!(found.len(), 1, "{rendering}: {name} is defined once");
            found[0]["mutable"].as_bool().unwrap()
        };
        for name in [
            "stampede.workers",
            "stampede.image",
            "stampede.hadoop.replication",
            "my.param",
            "occi.core.title",
            "occi.core.summary",
        ] {
            assert!(mutable(name), "{rendering}: {name}");
        }
        for name in [
            "occi.core.id",
            "occi.mcn.stack.state",
            "occi.mcn.stack.id",
            "stampede.state",
            "stampede.failure",
            "stampede.update",
            "stampede.stack.reason",
            "stampede.cloud.error",
            "stampede.progress.master",
            "stampede.progress.worker-1",
            "stampede.endpoint.namenode_ui",
            "namenode_ui.RegionOne",
            "list.RegionOne",
        ] {
            assert!(!mutable(name), "{rendering}: {name}");
        }
    }
}

#[tokio::test]
async fn every_location_is_one_categorys_and_lists_its_entities() {
    let host = OcciHost::start().await;
    let names = put_situations(&host).await;
    for rendering in RENDERINGS {
        let model = read_model(&host.send(&format!("GET /-/\n{rendering}"), "").await);
        let mut seen = BTreeSet::new();
        for (identifier, listed) in &model {
            let Some(location) = &listed.location else {
                assert!(
                    listed.class == "action"
                        || identifier.contains("#entity")
                        || listed.class.is_empty() && !identifier.contains("cluster#"),
                    "{identifier} has no location"
                );
                continue;
            };
            assert!(seen.insert(location.clone()), "{rendering}: {location}");
            let base = format!("http://{}", host.api);
            let path = location.strip_prefix(&base).unwrap_or(location);
            assert!(path.starts_with('/') && path.ends_with('/'), "{location}");
            let list = host
                .send(&format!("GET {path}\nAccept: text/uri-list"), "")
                .await;
            assert_eq!(list.status, 200, "{path}: {}", list.body);
            let here: BTreeSet<&str> = list
                .body
                .lines()
                .skip(1)
                .filter_map(|url| url.rsplit('/').next())
                .collect();
            let all: BTreeSet<&str> = names.iter().copied().collect();
            let wanted = match identifier.split_once('#').unwrap().1 {
                "link" => BTreeSet::new(),
                "hadoop" | "tag" => all.iter().copied().filter(|name| *name != "bare").collect(),
                _ => all,
            };
            assert_eq!(here, wanted, "{rendering}: {path}");
        }
    }
    for (request, status) in [
        ("PUT /framework/hadoop/", 405),
        ("DELETE /framework/hadoop/", 405),
        ("POST /framework/hadoop/", 405),
        ("GET /framework/nosuch/", 404),
        ("POST /framework/hadoop/?action=provision", 400),
        ("POST /link/?action=deploy", 200),
    ] {
        assert_eq!(host.send(request, "").await.status, status, "{request}");
    }
    let taken =
        "POST /-/\nCategory: t; scheme=\"http://e#\"; class=\"mixin\"; location=\"/framework/t/\"";
    assert_eq!(host.send(taken, "").await.status, 400);
}

#[tokio::test]
async fn what_a_client_was_shown_it_can_send_back_and_nothing_changes() {
    let host = OcciHost::start().await;
    for name in put_situations(&host).await {
        let (before, given) = (host.fetch_attributes(name).await, host.memory.given(name));
        for rendering in RENDERINGS {
            let shown = host
                .send(&format!("GET /orchestrator/{name}\n{rendering}"), "")
                .await;
            let kind = shown.header("content-type").unwrap();
            let headers: Vec<String> = ["category", "link", "x-occi-attribute"]
                .into_iter()
                .flat_map(|header| {
                    shown
                        .headers
                        .iter()
                        .filter(move |(found, _)| found == header)
                })
                .map(|(header, value)| format!("{header}: {value}"))
                .collect();
            let post = format!(
                "POST /orchestrator/{name}\nContent-Type: {kind}\n{}",
                headers.join("\n")
            );
            let back = host.send(&post, &shown.body).await;
            assert_eq!(back.status, 200, "{name} {rendering}: {}", back.body);
            assert_eq!(
                host.fetch_attributes(name).await,
                before,
                "{name} {rendering}"
            );
            assert_eq!(
                host.memory.given(name),
                given,
                "{name} {rendering}: what is shown is not kept as given"
            );
        }
        // A change in what was shown is a wish, the rest of it is none.
        let shown = host
            .send(
                &format!("GET /orchestrator/{name}\nAccept: application/json"),
                "",
            )
            .await;
        let mut json = shown.json();
        json["attributes"]["my.param"] = "changed".into();
        let post = format!("POST /orchestrator/{name}\nContent-Type: application/json");
        let back = host.send(&post, &json.to_string()).await;
        assert_eq!(back.status, 200, "{}", back.body);
        assert_eq!(
            host.memory.last_update(),
            [("my.param".to_owned(), "changed".to_owned())]
        );
    }
}
