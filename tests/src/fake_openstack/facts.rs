//! Answers for Nova, Glance, Neutron and Cinder, as far as a request is checked against them.

use serde_json::{Value, json};

use super::{
    cloud::FakeCloud,
    routes::{FakeReply, RoutedCall},
};

pub(super) fn answer(
    cloud: &FakeCloud,
    ask: &RoutedCall,
    service: &str,
    project: &str,
) -> FakeReply {
    match (service, ask.method.as_str(), ask.parts().as_slice()) {
        ("nova", "GET", ["v2.1", "flavors", "detail"]) => flavors(cloud, ask),
        ("nova", "GET", ["v2.1", "os-keypairs"]) => {
            let pair = |name: &String| json!({"keypair": {"name": name, "public_key": "ssh-ed25519 AAAA", "fingerprint": "00:11"}});
            FakeReply::json(
                200,
                &json!({"keypairs": cloud.fixtures.keypairs.iter().map(pair).collect::<Vec<_>>()}),
            )
        }
        ("nova", "GET", ["v2.1", "limits"]) => limits(cloud, project),
        ("cinder", "GET", ["v3", of, "limits"]) if *of == project => volumes(cloud, project),
        ("glance", "GET", ["v2", "images"]) => images(cloud, ask),
        ("glance", "GET", ["v2", "images", id]) => {
            match cloud.fixtures.images.iter().find(|image| image.id == *id) {
                Some(found) => FakeReply::json(200, &image(found)),
                None => FakeReply::fault_of(
                    "glance",
                    404,
                    "Not Found",
                    &format!("No image found with ID {id}"),
                ),
            }
        }
        ("neutron", "GET", ["v2.0", "networks"]) => networks(cloud, ask),
        ("neutron", "GET", ["v2.0", "quotas", of, "details.json"]) if *of == project => {
            quotas(cloud, project)
        }
        _ => FakeReply::fault_of(
            service,
            404,
            "itemNotFound",
            "The resource could not be found.",
        ),
    }
}

fn flavors(cloud: &FakeCloud, ask: &RoutedCall) -> FakeReply {
    let (flavors, more) = ask.page(
        cloud.fixtures.flavors.iter().collect(),
        cloud.fixtures.largest_page,
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

fn image(image: &super::FakeImage) -> Value {
    json!({"os_version": image.os_version, "os_distro": image.os_distro, "name": image.name, "disk_format": "raw", "container_format": "bare",
        "visibility": "public", "size": 32, "virtual_size": 32, "status": image.status, "protected": false, "min_ram": image.min_ram,
        "min_disk": image.min_disk, "owner": "e85423d84efa47248bebb3204589d237", "os_hidden": false, "id": image.id,
        "created_at": "2026-11-23T06:37:11Z", "updated_at": "2026-11-23T06:37:11Z", "tags": [], "self": format!("/v2/images/{}", image.id)})
}

fn images(cloud: &FakeCloud, ask: &RoutedCall) -> FakeReply {
    let fits = |name: &str, value: &str| ask.query(name).is_none_or(|wanted| wanted == value);
    let found = cloud
        .fixtures
        .images
        .iter()
        .filter(|image| fits("name", &image.name) && fits("status", &image.status))
        .collect();
    let (page, more) = ask.page(found, cloud.fixtures.largest_page, |image| &image.id);
    let page: Vec<Value> = page.into_iter().map(image).collect();
    let mut body = json!({"images": page, "first": "/v2/images", "schema": "/v2/schemas/images"});
    if more {
        body["next"] = json!("/v2/images?marker=...");
    }
    FakeReply::json(200, &body)
}

fn networks(cloud: &FakeCloud, ask: &RoutedCall) -> FakeReply {
    let fits = |name: &str, value: &str| ask.query(name).is_none_or(|wanted| wanted == value);
    let found = cloud.fixtures.networks.iter().filter(|network| {
        fits("name", &network.name)
            && fits("id", &network.id)
            && fits(
                "router:external",
                if network.external { "true" } else { "false" },
            )
    });
    let network = |network: &super::FakeNetwork| {
        json!({"id": network.id, "name": network.name, "tenant_id": "e85423d84efa47248bebb3204589d237", "admin_state_up": true, "mtu": 1500,
            "status": "ACTIVE", "subnets": [], "shared": false, "router:external": network.external, "is_default": network.is_default})
    };
    FakeReply::json(
        200,
        &json!({"networks": found.map(network).collect::<Vec<_>>()}),
    )
}

fn limits(cloud: &FakeCloud, project: &str) -> FakeReply {
    let quota = &cloud.fixtures.quota;
    let servers = used(cloud, project, "OS::Nova::Server");
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
            "totalServerGroupsUsed": used(cloud, project, "OS::Nova::ServerGroup")}}}),
    )
}

fn volumes(cloud: &FakeCloud, project: &str) -> FakeReply {
    let quota = &cloud.fixtures.quota;
    let there = cloud
        .stacks
        .iter()
        .filter(|stack| stack.project == project)
        .flat_map(|stack| {
            let made = stack.resources.iter().filter(|resource| {
                resource.kind == "OS::Cinder::Volume" && !resource.physical_id.is_empty()
            });
            made.map(|volume| {
                stack.template["resources"][&volume.name]["properties"]["size"]
                    .as_u64()
                    .unwrap_or(0)
            })
        });
    let gigabytes: u64 = there.sum();
    FakeReply::json(
        200,
        &json!({"limits": {"rate": [], "absolute": {
            "maxTotalVolumes": quota.volumes, "maxTotalVolumeGigabytes": quota.gigabytes, "maxTotalSnapshots": -1, "maxTotalBackups": -1,
            "maxTotalBackupGigabytes": -1, "totalVolumesUsed": used(cloud, project, "OS::Cinder::Volume"),
            "totalGigabytesUsed": gigabytes, "totalSnapshotsUsed": 0, "totalBackupsUsed": 0, "totalBackupGigabytesUsed": 0}}}),
    )
}

fn quotas(cloud: &FakeCloud, project: &str) -> FakeReply {
    let quota = &cloud.fixtures.quota;
    let of = |limit: i64, kind: &str| json!({"limit": limit, "used": used(cloud, project, kind), "reserved": 0});
    FakeReply::json(
        200,
        &json!({"quota": {
            "network": of(quota.network, "OS::Neutron::Net"), "subnet": of(quota.subnet, "OS::Neutron::Subnet"),
            "port": of(quota.port, "OS::Neutron::Port"), "router": of(quota.router, "OS::Neutron::Router"),
            "floatingip": of(quota.floatingip, "OS::Neutron::FloatingIP"),
            "security_group": of(quota.security_group, "OS::Neutron::SecurityGroup"),
            "security_group_rule": of(quota.security_group_rule, "OS::Neutron::SecurityGroupRule")}}),
    )
}

fn used(cloud: &FakeCloud, project: &str, kind: &str) -> usize {
    cloud
        .stacks
        .iter()
        .filter(|stack| stack.project == project)
        .map(|stack| stack.made(kind))
        .sum()
}
