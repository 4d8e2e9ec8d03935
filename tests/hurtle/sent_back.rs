//! What a client was shown it can send back, in every rendering and in every situation of a real
//! cluster: nothing changes by it, and nothing is asked of the cloud.

use stampede_tests::fake_openstack::{CreateFails, FakeConfig, FakeOpenStack, UpdateFails};
use stampede_tests::host::HostProcess;
use stampede_tests::{http_client, wait_until};

const KIND: &str =
    "orchestrator; scheme=\"http://schemas.mobile-cloud-networking.eu/occi/service#\"";

struct SentBack {
    cloud: FakeOpenStack,
    host: HostProcess,
    token: String,
    _data: tempfile::TempDir,
}

impl SentBack {
    async fn start() -> Self {
        let cloud = FakeOpenStack::start(FakeConfig::default()).await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let host = HostProcess::start(data.path(), &cloud.url(), &[])
            .await
            .unwrap();
        let token = cloud.issue_token("demo");
        Self {
            cloud,
            host,
            token,
            _data: data,
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> reqwest::Response {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = http_client()
            .unwrap()
            .request(
                method,
                format!("{}/orchestrator/default{path}", self.host.url),
            )
            .header("X-Auth-Token", &self.token)
            .header("X-Tenant-Name", "demo")
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap()
    }

    async fn attributes(&self) -> serde_json::Map<String, serde_json::Value> {
        let accept = [("Accept".to_owned(), "application/occi+json".to_owned())];
        let answer = self.send("GET", "", &accept, "").await;
        assert_eq!(answer.status(), 200);
        let json: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        json["attributes"].as_object().unwrap().clone()
    }

    /// Sends back each rendering; what the client has given stays what it was.
    async fn assert_sent_back(&self, situation: &str) {
        let given = async || {
            let all = self.attributes().await;
            let own = [
                "my.",
                "stampede.workers",
                "stampede.framework",
                "stampede.hadoop.",
            ];
            all.into_iter()
                .filter(|(name, _)| own.iter().any(|own| name.starts_with(own)))
                .collect::<serde_json::Map<_, _>>()
        };
        let (before, updates) = (
            given().await,
            self.cloud.count_of("heat", "PUT", "/stacks/"),
        );
        for accept in [
            "text/plain",
            "text/occi",
            "application/occi+json",
            "application/json",
        ] {
            let ask = [("Accept".to_owned(), accept.to_owned())];
            let shown = self.send("GET", "", &ask, "").await;
            assert_eq!(shown.status(), 200, "{situation} {accept}");
            let mut back = vec![("Content-Type".to_owned(), accept.to_owned())];
            for name in ["category", "link", "x-occi-attribute"] {
                let lines = shown.headers().get_all(name).iter();
                back.extend(lines.map(|line| (name.to_owned(), line.to_str().unwrap().to_owned())));
            }
            let body = shown.text().await.unwrap();
            let answer = self.send("POST", "", &back, &body).await;
            let status = answer.status();
            assert_eq!(
                status,
                200,
                "{situation} {accept}: {}",
                answer.text().await.unwrap()
            );
            assert_eq!(given().await, before, "{situation} {accept}");
        }
        assert_eq!(
            self.cloud.count_of("heat", "PUT", "/stacks/"),
            updates,
            "{situation}"
        );
    }

    async fn until(&self, status: &str) {
        wait_until(30, status, async || {
            self.cloud.finish();
            Ok(self.attributes().await["occi.mcn.stack.state"] == status)
        })
        .await
        .unwrap();
    }

    async fn create(&self) {
        let hadoop = "hadoop; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"";
        let attributes =
            "stampede.workers=2, stampede.hadoop.replication=2, my.param=\"say \\\"hi\\\", 50%\"";
        let headers = [
            ("Category".to_owned(), format!("{KIND}, {hadoop}")),
            ("X-OCCI-Attribute".to_owned(), attributes.to_owned()),
        ];
        assert_eq!(self.send("PUT", "", &headers, "").await.status(), 201);
        self.assert_sent_back("requested").await;
        assert_eq!(
            self.send("POST", "?action=deploy", &[], "").await.status(),
            200
        );
        self.assert_sent_back("deploying").await;
    }

    async fn ask_for(&self, workers: u32) {
        let ask = [(
            "X-OCCI-Attribute".to_owned(),
            format!("stampede.workers={workers}"),
        )];
        let answer = self.send("POST", "", &ask, "").await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }
}

#[tokio::test]
async fn before_during_and_after_a_change_and_after_one_that_failed() {
    let world = SentBack::start().await;
    world.create().await;
    world.until("CREATE_COMPLETE").await;
    world.assert_sent_back("complete").await;
    world.ask_for(3).await;
    world.assert_sent_back("changing").await;
    world.until("UPDATE_COMPLETE").await;
    assert_eq!(world.attributes().await["stampede.workers"], "3");
    world.assert_sent_back("changed").await;
    world.cloud.next_update_fails(UpdateFails::Node {
        node: "worker-4".to_owned(),
        text: "hadoop setup line 42: no, \"space\"".to_owned(),
    });
    world.ask_for(4).await;
    wait_until(60, "it is taken back", async || {
        world.cloud.finish();
        let shown = world.attributes().await;
        let change = shown.get("stampede.update").and_then(|text| text.as_str());
        Ok(shown["stampede.state"] == "active"
            && change.is_some_and(|text| text.contains("as it was before")))
    })
    .await
    .unwrap();
    world.assert_sent_back("taken back").await;
    assert_eq!(world.attributes().await["stampede.workers"], "3");
    assert_eq!(
        world
            .send("POST", "?action=provision", &[], "")
            .await
            .status(),
        200
    );
    world.assert_sent_back("provisioned").await;
}

#[tokio::test]
async fn after_a_deployment_that_failed() {
    let world = SentBack::start().await;
    world.cloud.next_create_fails(CreateFails::Node {
        node: "worker-1".to_owned(),
        text: "hadoop setup line 42: curl: 404, not found".to_owned(),
    });
    world.create().await;
    world.until("CREATE_FAILED").await;
    world.assert_sent_back("failed").await;
}
