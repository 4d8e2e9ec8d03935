//! The pages on which clusters are asked for and changed, over the orchestrator: what they show, what
//! their buttons do, and that nothing is overwritten that was not seen.

use serde_json::Value;
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, JournalQuery, Orchestrator},
    ui::forms::{FormAnswer, FormDesk, FormPath, FormRequest},
};

use crate::{
    fixture::{LifecycleFixture, pairs},
    forms::world,
    update::{complete, rest},
};

/// As browsers send it, but for bytes that they would not have to encode.
fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Sends a form, or looks at its page where there are no fields.
async fn send(
    (orchestrator, caller): (&Orchestrator, &Caller),
    path: FormPath,
    fields: &[(&str, &str)],
) -> FormAnswer {
    let encoded = fields
        .iter()
        .map(|(name, text)| format!("{}={}", encode(name), encode(text)));
    let encoded = encoded.collect::<Vec<_>>().join("&");
    let request = FormRequest {
        path,
        base: "/ui",
        fields: encoded.as_bytes(),
        is_sent: !fields.is_empty(),
        is_partial: false,
    };
    let desk = FormDesk {
        orchestrator,
        caller,
    };
    desk.answer(&request).await.unwrap()
}

fn page(answer: FormAnswer) -> (u16, &'static str, Value) {
    match answer {
        FormAnswer::Page {
            status,
            template,
            data,
        } => {
            if let Ok(d) = std::env::var("DUMP") {
                let n = std::fs::read_dir(&d).unwrap().count();
                std::fs::write(format!("{d}/{n:02}-{template}.json"), data.to_string()).unwrap();
            }
            (status.as_u16(), template, data)
        }
        other => panic!("no page but {other:?}"),
    }
}

fn file(answer: FormAnswer) -> (String, String) {
    match answer {
        FormAnswer::File { name, text } => (name, text),
        other => panic!("no file but {other:?}"),
    }
}

fn place(answer: FormAnswer) -> String {
    match answer {
        FormAnswer::SeeOther(place) => place,
        other => panic!("leads nowhere but {other:?}"),
    }
}

/// The field of an attribute, wherever it stands.
fn field<'a>(data: &'a Value, attribute: &str) -> &'a Value {
    let sections = data["form"]["sections"].as_array().unwrap();
    let folded = sections
        .iter()
        .flat_map(|section| [&section["basic"], &section["advanced"]]);
    let all = [
        &data["form"]["sizes"],
        &data["form"]["basic"],
        &data["form"]["strays"],
    ];
    let mut fields = all
        .into_iter()
        .chain(folded)
        .flat_map(|list| list.as_array().unwrap());
    let found = fields.find(|field| field["attribute"] == attribute);
    found.unwrap_or_else(|| panic!("no field {attribute}"))
}

const SOUND: &[(&str, &str)] = &[
    ("name", "demo"),
    ("frameworks_shown", "1"),
    ("framework", "hadoop"),
    ("framework", "spark"),
    ("set.workers", "3"),
    ("set.key", "demo-key"),
];

#[tokio::test]
async fn three_answers_make_a_cluster_that_was_seen_before() {
    let (world, host, caller) = world().await;
    let at = (&host, &caller);
    let (status, template, data) = page(send(at, FormPath::New, &[]).await);
    assert_eq!(
        (status, template, &data["asked"]),
        (200, "new.html", &Value::Bool(false))
    );
    let cards = data["form"]["cards"].as_array().unwrap();
    let hadoop = cards.iter().find(|card| card["name"] == "hadoop").unwrap();
    assert_eq!(hadoop["is_chosen"], true);
    let (_, _, data) = page(send(at, FormPath::New, SOUND).await);
    assert_eq!(
        (&data["form"]["is_sound"], &data["form"]["problems"]),
        (&true.into(), &Value::Array(vec![]))
    );
    let command = data["form"]["command"].as_str().unwrap();
    assert_eq!(
        command,
        "stampede deploy hadoop,spark \\\n  --name demo \\\n  --set key=demo-key \\\n  --workers 3"
    );
    let flavor = field(&data, "worker.flavor");
    assert!(
        flavor["reason"]
            .as_str()
            .unwrap()
            .starts_with("the smallest that holds")
    );
    assert_eq!(flavor["typed"], "");
    let (_, template, data) = page(send(at, FormPath::Preview, SOUND).await);
    assert_eq!(template, "preview.html");
    assert_eq!(data["drawing"]["nodes"].as_array().unwrap().len(), 4);
    let carried: Vec<(String, String)> = serde_json::from_value(data["fields"].clone()).unwrap();
    let carried: Vec<(&str, &str)> = carried
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let of = |name: &str| FormPath::PreviewFile(name.to_owned());
    let (_, template) = file(send(at, of("template.json"), &carried).await);
    let (_, script) = file(send(at, of("node-worker.sh"), &carried).await);
    let (_, yaml) = file(send(at, of("template.yaml"), &carried).await);
    assert!(yaml.starts_with("heat_template_version"), "{}", &yaml[..80]);
    assert_eq!((world.creates(), world.records().await.len()), (0, 0));
    assert_eq!(
        place(send(at, FormPath::Create, &carried).await),
        "/ui/clusters/demo"
    );
    let view = host.view(&caller, "demo").await.unwrap();
    assert_eq!(view.state, ClusterState::Deploying);
    let sent = world.cloud.template(&world.cloud.stacks()[0].0).unwrap();
    assert_eq!(
        (template, &script),
        (sent.0.to_string(), &sent.1["node-worker.sh"])
    );
    let (status, _, data) = page(send(at, FormPath::Create, &carried).await);
    let told = data["notice"].as_str().unwrap();
    assert!(
        status == 422 && told.contains("there is a cluster `demo` already"),
        "{told}"
    );
    assert_eq!(world.creates(), 1);
}

#[tokio::test]
async fn what_is_refused_leaves_no_cluster_and_what_was_typed_with_its_problems() {
    let (world, host, caller) = world().await;
    let at = (&host, &caller);
    let wrong = [
        ("name", "demo"),
        ("framework", "hadoop"),
        ("set.workers", "many"),
        ("set.hadoop.replication", "<b>"),
        ("set.image", "windows"),
        ("set.frobnicate", "x"),
    ];
    for path in [FormPath::Preview, FormPath::Create] {
        let (status, template, data) = page(send(at, path, &wrong).await);
        assert_eq!((status, template), (422, "new.html"));
        for (name, typed) in &wrong[2..] {
            let field = field(&data, name.trim_start_matches("set."));
            assert_eq!(field["typed"], *typed);
            assert!(!field["problems"].as_array().unwrap().is_empty(), "{field}");
        }
        let problems = data["form"]["problems"].as_array().unwrap();
        assert!(
            problems.iter().all(|problem| problem["field"] != ""),
            "{problems:?}"
        );
        assert_eq!(data["form"]["command"], "");
    }
    assert_eq!((world.creates(), world.records().await.len()), (0, 0));
    world.cloud.edit(|cloud| cloud.quota.instances = 2);
    let (status, _, data) = page(send(at, FormPath::Create, SOUND).await);
    let quotas = data["form"]["quotas"].as_array().unwrap();
    let servers = quotas
        .iter()
        .find(|quota| quota["label"] == "servers")
        .unwrap();
    assert_eq!(
        (status, &servers["problem"]),
        (422, &"4 servers needed, 2 free".into())
    );
    assert_eq!(servers["spoken"], "servers: 0 now, 4 with this, at most 2");
    assert_eq!((world.creates(), world.records().await.len()), (0, 0));
}

#[tokio::test]
async fn a_request_is_kept_as_a_file_and_fills_a_form_again() {
    let (_world, host, caller) = world().await;
    let at = (&host, &caller);
    let name = FormPath::PreviewFile("request.toml".to_owned());
    let (_, kept) = file(send(at, name, SOUND).await);
    let (_, _, data) = page(send(at, FormPath::Import, &[("file", &kept)]).await);
    assert_eq!(
        (&data["form"]["name"], &field(&data, "workers")["typed"]),
        (&"demo".into(), &"3".into())
    );
    let (status, _, data) = page(send(at, FormPath::Import, &[("file", "x = [")]).await);
    assert!(status == 422 && data["notice"].as_str().unwrap().contains("not TOML"));
    place(send(at, FormPath::Create, SOUND).await);
    let (name, exported) = file(send(at, FormPath::Export("demo".to_owned()), &[]).await);
    assert_eq!((name.as_str(), &exported), ("demo.toml", &kept));
    let request = FormRequest {
        path: FormPath::New,
        base: "/ui",
        fields: b"like=demo",
        is_sent: false,
        is_partial: false,
    };
    let desk = FormDesk {
        orchestrator: &host,
        caller: &caller,
    };
    let (_, _, data) = page(desk.answer(&request).await.unwrap());
    assert_eq!(
        (&data["form"]["name"], &field(&data, "workers")["typed"]),
        (&"".into(), &"3".into())
    );
}

#[tokio::test]
async fn a_change_is_seen_applied_once_and_never_over_another() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let at = (&host, &caller);
    let (change, apply) = (
        FormPath::Change("default".to_owned()),
        FormPath::Apply("default".to_owned()),
    );
    let (_, template, data) = page(send(at, change.clone(), &[]).await);
    assert_eq!(
        (template, &data["form"]["is_change"]),
        ("change.html", &true.into())
    );
    let revision = data["form"]["revision"].as_str().unwrap().to_owned();
    assert_ne!(field(&data, "image")["fixed"], "");
    let more = [("revision", revision.as_str()), ("set.workers", "3")];
    let (_, _, data) = page(send(at, change.clone(), &more).await);
    assert_eq!(data["change"]["added"], serde_json::json!(["worker-3"]));
    assert_eq!(
        data["form"]["command"],
        "stampede update default \\\n  --workers 3"
    );
    // Without having seen the cluster nobody changes it.
    let (status, _, _) = page(send(at, apply.clone(), &[("set.workers", "3")]).await);
    assert_eq!(status, 409);
    let other = pairs(&[("my.own", "x")]);
    host.update(&caller, "default", other).await.unwrap();
    let (status, _, data) = page(send(at, apply.clone(), &more).await);
    assert!(
        status == 409
            && data["notice"]
                .as_str()
                .unwrap()
                .starts_with("Somebody else")
    );
    assert_eq!(
        field(&data, "workers")["typed"],
        "3",
        "what was typed stays"
    );
    let seen = data["form"]["revision"].as_str().unwrap().to_owned();
    assert_ne!(seen, revision);
    let now = [("revision", seen.as_str()), ("set.workers", "3")];
    assert_eq!(place(send(at, apply, &now).await), "/ui/clusters/default");
    let view = host.view(&caller, "default").await.unwrap();
    assert!(view.change.is_some());
    let (_, _, data) = page(send(at, change, &[]).await);
    assert!(
        data["form"]["obstacle"]
            .as_str()
            .unwrap()
            .contains("under way"),
        "{data}"
    );
}

#[tokio::test]
async fn the_way_back_to_a_former_request_is_a_filled_form_that_changes_nothing_by_itself() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let grow = pairs(&[("stampede.workers", "3")]);
    host.update(&caller, "default", grow).await.unwrap();
    rest(&world, &host, &caller).await;
    let query = JournalQuery {
        limit: 9,
        ..JournalQuery::default()
    };
    let page_of = host.journal().of_project(&caller, query).await.unwrap();
    let [grown, deployed, _] = page_of.entries.as_slice() else {
        panic!("three requests: {page_of:?}")
    };
    let desk = FormDesk {
        orchestrator: &host,
        caller: &caller,
    };
    let back_to = async |number: i64| {
        let fields = format!("request={number}");
        let request = FormRequest {
            path: FormPath::Change("default".to_owned()),
            base: "/ui",
            fields: fields.as_bytes(),
            is_sent: false,
            is_partial: false,
        };
        page(desk.answer(&request).await.unwrap())
    };
    // Nobody said how many workers it should have; two is what it had.
    let (status, template, data) = back_to(deployed.number).await;
    assert_eq!((status, template), (200, "change.html"));
    assert_eq!(field(&data, "workers")["typed"], "2");
    assert_eq!(data["change"]["removed"], serde_json::json!(["worker-3"]));
    assert!(data["notice"].as_str().unwrap().contains("Nothing changes"));
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    for number in [grown.number, grown.number + 1] {
        assert_eq!(back_to(number).await.0, 404);
    }
}
