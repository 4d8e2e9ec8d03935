//! Cinder: a project's limits of volumes and their GiB.

use serde_json::json;

use super::{cloud::FakeCloud, reply::FakeReply, request::FakeRequest};

pub(super) fn answer(cloud: &FakeCloud, call: &FakeRequest, project: &str) -> FakeReply {
    match (call.method.as_str(), call.parts().as_slice()) {
        ("GET", ["v3", of, "limits"]) if *of == project => show_limits(cloud, project),
        _ => FakeReply::not_found("cinder"),
    }
}

fn show_limits(cloud: &FakeCloud, project: &str) -> FakeReply {
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
            "maxTotalBackupGigabytes": -1, "totalVolumesUsed": cloud.count_resources(project, "OS::Cinder::Volume"),
            "totalGigabytesUsed": gigabytes, "totalSnapshotsUsed": 0, "totalBackupsUsed": 0, "totalBackupGigabytesUsed": 0}}}),
    )
}
