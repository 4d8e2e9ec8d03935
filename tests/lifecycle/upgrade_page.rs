//! The page of an upgrade, as a browser asks for it: offered where plugins are others by now, seen
//! before it is begun, and begun over what was seen alone.

use reqwest::Method;
use serde_json::json;
use stampede::server::ServerLimits;
use stampede_tests::fake_openstack::PASSWORD;

use crate::{
    api_client::ApiHost,
    fixture::{LifecycleFixture, eventually, pairs},
    moving_plugins::{Lost, later},
    pinning::made,
};

const CLUSTER: &str = "/ui/clusters/default";
const UPGRADE: &str = "/ui/clusters/default/upgrade";
const BEGIN: &str = "/ui/clusters/default/upgrade/begin";
/// What is said of plugins that are others by now.
const OFFER: &str = "are others by now than when this cluster was made.";
/// What begins it.
const BUTTON: &str = "<button class=\"primary\">Upgrade</button>";

/// A browser of somebody who has signed in.
struct Visitor<'a> {
    host: &'a ApiHost,
    cookie: String,
}

struct Page {
    status: u16,
    location: String,
    text: String,
}

impl<'a> Visitor<'a> {
    async fn of(host: &'a ApiHost, user: &str) -> Self {
        let mut visitor = Self {
            host,
            cookie: String::new(),
        };
        let body = format!("user={user}&password={PASSWORD}&project={user}");
        let request = visitor.request(Method::POST, "/ui/sign-in", body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        visitor.cookie = cookie.split(';').next().unwrap().to_owned();
        visitor
    }

    fn request(&self, method: Method, path: &str, body: String) -> reqwest::RequestBuilder {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        http.request(method, self.host.url(path))
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let answer = request.send().await.unwrap();
        let location = answer.headers().get("location");
        let location = location.map_or("", |value| value.to_str().unwrap());
        Page {
            status: answer.status().as_u16(),
            location: location.to_owned(),
            text: answer.text().await.unwrap().replace("&#x2f;", "/"),
        }
    }

    async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path, String::new()))
            .await
    }

    /// Presses the button of a page that showed this revision.
    async fn begin(&self, revision: &str) -> Page {
        let body = format!("revision={revision}");
        self.send(self.request(Method::POST, BEGIN, body)).await
    }
}

impl Page {
    fn revision(&self) -> &str {
        let marked = self.text.split_once("name=\"revision\" value=\"");
        let behind = marked.unwrap_or_else(|| panic!("no revision: {}", self.text));
        behind.1.split('"').next().unwrap()
    }

    fn has(&self, words: &[&str]) {
        for words in words {
            assert!(self.text.contains(words), "{words} is not in {}", self.text);
        }
    }

    fn has_none_of(&self, words: &[&str]) {
        for words in words {
            assert!(!self.text.contains(words), "{words} is in {}", self.text);
        }
    }
}

/// A cluster that was made by the plugins of today, on a host that has others or the same.
async fn host_after(lost: Option<Lost>) -> ApiHost {
    let mut world = LifecycleFixture::new().await;
    made(&mut world, &[]).await;
    if let Some(lost) = lost {
        world.use_plugins(later(lost));
    }
    ApiHost::start_in(world, ServerLimits::default()).await
}

/// Lets the cloud go on until the change is at its end.
async fn rest(host: &ApiHost) {
    eventually("the cluster rests", async || {
        host.world.cloud.step();
        let shown = host.get("/api/v1/clusters/default").await.body;
        let is_at_rest = shown["state"] == "active" && shown["change"].is_null();
        is_at_rest.then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_is_offered_seen_and_begun_and_then_offered_no_more() {
    let host = host_after(Some(Lost::default())).await;
    let visitor = Visitor::of(&host, "demo").await;
    let link = "<a href=\"/ui/clusters/default/upgrade\">See what an upgrade would change</a>";
    let offer = format!("The plugins cluster and hadoop {OFFER}");
    visitor.get(CLUSTER).await.has(&[&offer, link]);

    let seen = visitor.get(UPGRADE).await;
    assert_eq!(seen.status, 200);
    seen.has(&[
        &offer,
        "Versions of frameworks and settings stay",
        "<pre tabindex=\"0\">stampede cluster upgrade default</pre>",
        "action=\"/ui/clusters/default/upgrade/begin\"",
        BUTTON,
        // What becomes of nodes, of their files, and of the stack.
        "<dt>Restart</dt>",
        "worker-1, worker-2, worker-3",
        "<li class=\"mono\">/opt/stampede/scripts/01-hadoop/setup.namenode.sh</li>",
        "<ol><li>bringing what is new</li><li>new plugins on master ",
        "(master runs setup, ready)",
        "resources stay as they are",
        "OS::Nova::Server: master_server",
    ]);
    assert_eq!(
        visitor.get(BEGIN).await.status,
        405,
        "a link begins nothing"
    );

    // Of another site, without having seen it, or over somebody else's change nobody begins it.
    let foreign = visitor.request(Method::POST, BEGIN, "revision=x".to_owned());
    let foreign = visitor.send(foreign.header("origin", "http://evil.example"));
    assert_eq!(foreign.await.status, 403);
    let unseen = visitor.begin("").await;
    assert_eq!(unseen.status, 409);
    unseen.has(&[
        "Somebody else has changed this cluster",
        "role=\"alert\"",
        BUTTON,
    ]);
    let more = json!({"attributes": {"workers": 4}});
    let path = "/api/v1/clusters/default";
    let grown = host.ask("PATCH", path, Some(more.to_string()), &[]).await;
    assert!(grown.status < 300, "{grown:?}");
    let busy = visitor.get(UPGRADE).await;
    assert_eq!(busy.status, 200);
    busy.has(&["is under way"]);
    busy.has_none_of(&[BUTTON, OFFER, "nothing to upgrade"]);
    visitor.get(CLUSTER).await.has_none_of(&[OFFER, link]);
    rest(&host).await;
    let late = visitor.begin(seen.revision()).await;
    assert_eq!(late.status, 409);
    late.has(&["Somebody else has changed this cluster", "worker-4", BUTTON]);
    assert_ne!(late.revision(), seen.revision());
    assert!(host.get(path).await.body["change"].is_null(), "not begun");

    let begun = visitor.begin(late.revision()).await;
    assert_eq!((begun.status, begun.location.as_str()), (303, CLUSTER));
    let running = visitor.get(CLUSTER).await;
    running.has(&["changing", "<b>Last change:</b> step 1 of "]);
    running.has_none_of(&[OFFER]);
    rest(&host).await;
    visitor.get(CLUSTER).await.has_none_of(&[OFFER, link]);
    let nothing = visitor.get(UPGRADE).await;
    nothing.has(&["There is nothing to upgrade", ">Back to default</a>"]);
    nothing.has_none_of(&[BUTTON, OFFER]);
}

#[tokio::test]
async fn nothing_is_offered_by_the_plugins_that_made_it_or_to_another_project() {
    let host = host_after(None).await;
    let visitor = Visitor::of(&host, "demo").await;
    visitor
        .get(CLUSTER)
        .await
        .has_none_of(&["by now than when", UPGRADE]);
    let nothing = visitor.get(UPGRADE).await;
    assert_eq!(nothing.status, 200);
    nothing.has(&["There is nothing to upgrade"]);
    nothing.has_none_of(&[BUTTON, "stampede cluster upgrade"]);
    let other = Visitor::of(&host, "other").await;
    for path in [CLUSTER, UPGRADE] {
        let answer = other.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        answer.has_none_of(&["by now", "nothing to upgrade"]);
    }
    assert_eq!(other.begin(nothing.revision()).await.status, 404);
}

#[tokio::test]
async fn what_later_plugins_refuse_is_told_and_not_begun() {
    let host = host_after(Some(Lost {
        version: true,
        ..Lost::default()
    }))
    .await;
    let visitor = Visitor::of(&host, "demo").await;
    let refused = visitor.get(UPGRADE).await;
    assert_eq!(refused.status, 200);
    let told = ["One thing is in the way", "hadoop.version: ", OFFER];
    refused.has(&told);
    refused.has_none_of(&[BUTTON, "href=\"#field-"]);
    let pressed = visitor.begin(refused.revision()).await;
    assert_eq!(pressed.status, 422);
    pressed.has(&told);
    assert!(host.get("/api/v1/clusters/default").await.body["change"].is_null());
}

#[tokio::test]
async fn a_cluster_that_is_not_deployed_has_nothing_to_upgrade() {
    let world = LifecycleFixture::new().await;
    let before = world.host().await;
    let caller = world.caller(&before, "demo").await;
    before
        .request(&caller, "default", pairs(&[]))
        .await
        .unwrap();
    drop((before, caller));
    world.idle().await;
    let host = ApiHost::start_in(world, ServerLimits::default()).await;
    let visitor = Visitor::of(&host, "demo").await;
    let page = visitor.get(UPGRADE).await;
    assert_eq!(page.status, 200);
    page.has(&["the cluster is not deployed yet"]);
    page.has_none_of(&[BUTTON]);
    assert_eq!(visitor.begin(page.revision()).await.status, 422);
}
