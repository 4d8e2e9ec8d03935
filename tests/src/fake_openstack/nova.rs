//! Nova: flavors, key pairs, availability zones and limits of servers, processors and memory.

use serde_json::json;

use super::{cloud::FakeCloud, reply::FakeReply, request::FakeRequest};

pub(super) fn answer(cloud: &FakeCloud, call: &FakeRequest, project: &str) -> FakeReply {
    match (call.method.as_str(), call.parts().as_slice()) {
        ("GET", ["v2.1", "flavors", "detail"]) => list_flavors(cloud, call),
        ("GET", ["v2.1", "os-keypairs"]) => {
            let pair = |name: &String| json!({"keypair": {"name": name, "public_key": "ssh-ed25519 AAAA", "fingerprint": "00:11"}});
            FakeReply::json(
                200,
                &json!({"keypairs": cloud.fixtures.keypairs.iter().map(pair).collect::<Vec<_>>()}),
            )
        }
        ("GET", ["v2.1", "os-availability-zone"]) => {
            let zone = |(name, available): &(String, bool)| json!({"zoneName": name, "zoneState": {"available": available}, "hosts": null});
            let zones: Vec<_> = cloud.fixtures.zones.iter().map(zone).collect();
            FakeReply::json(200, &json!({"availabilityZoneInfo": zones}))
        }
        ("GET", ["v2.1", "limits"]) => show_limits(cloud, project),
        _ => FakeReply::not_found("nova"),
    }
}

fn list_flavors(cloud: &FakeCloud, call: &FakeRequest) -> FakeReply {
    let (flavors, more) = call.faulty_page(
        cloud.fixtures.flavors.iter().collect(),
        &cloud.fixtures,
        |flavor| &flavor.id,
    );
    let flavor = |f: &&super::FakeFlavor| {
        json!({"id": f.id, "name": f.name, "ram": f.ram, "disk": f.disk, "swap": "", "OS-FLV-EXT-DATA:ephemeral": 0,
            "OS-FLV-DISABLED:disabled": f.disabled, "vcpus": f.vcpus, "os-flavor-access:is_public": true, "rxtx_factor": 1.0,
            "links": [{"rel": "self", "href": format!("{}/compute/v2.1/flavors/{}", cloud.url, f.id)}]})
    };
    let mut body = json!({"flavors": flavors.iter().map(flavor).collect::<Vec<_>>()});
    if more {
        body["flavors_links"] = json!([{"rel": "next", "href": format!("{}/compute/v2.1/flavors/detail?marker=...", cloud.url)}]);
    }
    FakeReply::json(200, &body)
}

fn show_limits(cloud: &FakeCloud, project: &str) -> FakeReply {
    let quota = &cloud.fixtures.quota;
    let servers = cloud.count_resources(project, "OS::Nova::Server");
    let measure = |measure: fn(&super::FakeFlavor) -> u32| -> u64 {
        let stacks = cloud.stacks.iter().filter(|stack| stack.project == project);
        let names = stacks.flat_map(|stack| stack.server_flavors());
        names
            .filter_map(|name| {
                cloud
                    .fixtures
                    .flavors
                    .iter()
                    .find(|f| f.name == name || f.id == name)
            })
            .map(|f| u64::from(measure(f)))
            .sum()
    };
    FakeReply::json(
        200,
        &json!({"limits": {"rate": [], "absolute": {
            "maxTotalInstances": quota.instances, "maxTotalCores": quota.cores, "maxTotalRAMSize": quota.ram, "maxServerMeta": 128,
            "maxTotalKeypairs": -1, "maxServerGroups": quota.server_group, "maxServerGroupMembers": quota.server_group_members,
            "totalInstancesUsed": servers,
            "totalCoresUsed": measure(|f| f.vcpus), "totalRAMUsed": measure(|f| f.ram),
            "totalServerGroupsUsed": cloud.count_resources(project, "OS::Nova::ServerGroup")}}}),
    )
}
