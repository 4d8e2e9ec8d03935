//! Glance: lists images by name and status, and shows one by its id.

use serde_json::{Value, json};

use super::{cloud::FakeCloud, reply::FakeReply, request::FakeRequest};

pub(super) fn answer(cloud: &FakeCloud, call: &FakeRequest) -> FakeReply {
    match (call.method.as_str(), call.parts().as_slice()) {
        ("GET", ["v2", "images"]) => list_images(cloud, call),
        ("GET", ["v2", "images", id]) => {
            match cloud.fixtures.images.iter().find(|image| image.id == *id) {
                Some(found) => FakeReply::json(200, &image_json(found)),
                None => FakeReply::error(
                    "glance",
                    404,
                    "Not Found",
                    &format!("No image found with ID {id}"),
                ),
            }
        }
        _ => FakeReply::not_found("glance"),
    }
}

fn image_json(image: &super::FakeImage) -> Value {
    json!({"os_version": image.os_version, "os_distro": image.os_distro, "name": image.name, "disk_format": "raw", "container_format": "bare",
        "visibility": "public", "size": 32, "virtual_size": 32, "status": image.status, "protected": false, "min_ram": image.min_ram,
        "min_disk": image.min_disk, "owner": "e85423d84efa47248bebb3204589d237", "os_hidden": false, "id": image.id,
        "created_at": "2026-11-23T06:37:11Z", "updated_at": "2026-11-23T06:37:11Z", "tags": [], "self": format!("/v2/images/{}", image.id)})
}

fn list_images(cloud: &FakeCloud, call: &FakeRequest) -> FakeReply {
    let fits = |name: &str, value: &str| call.query(name).is_none_or(|wanted| wanted == value);
    let found = cloud
        .fixtures
        .images
        .iter()
        .filter(|image| fits("name", &image.name) && fits("status", &image.status))
        .collect();
    let (page, more) = call.faulty_page(found, &cloud.fixtures, |image| &image.id);
    let page: Vec<Value> = page.into_iter().map(image_json).collect();
    let mut body = json!({"images": page, "first": "/v2/images", "schema": "/v2/schemas/images"});
    if more {
        body["next"] = json!("/v2/images?marker=...");
    }
    FakeReply::json(200, &body)
}
