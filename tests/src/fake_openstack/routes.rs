//! Routes a request to its service by the path, after checking its token. One request at a time,
//! under the lock of the whole cloud.

use super::{
    cinder, cloud::FakeCloud, glance, heat, keystone, neutron, nova, reply::FakeReply,
    request::FakeRequest,
};

/// The answer of the service that the path names.
pub(super) fn answer_request(cloud: &mut FakeCloud, call: &FakeRequest) -> FakeReply {
    if call.service == "keystone" {
        return keystone::answer(cloud, call);
    }
    let Some(project) = call
        .token
        .as_ref()
        .and_then(|token| cloud.tokens.get(token))
        .map(|token| token.project.clone())
    else {
        return FakeReply::unauthorized(call.service);
    };
    let Some(project) = project else {
        return FakeReply::error(call.service, 403, "Forbidden", "the token has no project");
    };
    match call.service {
        "heat" => heat::answer(cloud, call, &project),
        "nova" => nova::answer(cloud, call, &project),
        "glance" => glance::answer(cloud, call),
        "neutron" => neutron::answer(cloud, call, &project),
        "cinder" => cinder::answer(cloud, call, &project),
        service => FakeReply::not_found(service),
    }
}
