//! The JSON of a catalog in Keystone's v3 and v2.0, and one form of both.

use serde::Deserialize;

use super::{
    EndpointInterface,
    service_catalog::{CatalogEndpoint, ServiceCatalog},
};

/// A service in a v3 catalog.
#[derive(Deserialize)]
pub(super) struct ServiceV3 {
    #[serde(rename = "type")]
    service_type: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    endpoints: Vec<EndpointV3>,
}

#[derive(Deserialize)]
struct EndpointV3 {
    interface: String,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    region: Option<String>,
    url: String,
}

/// A service in a v2.0 catalog.
#[derive(Deserialize)]
pub(super) struct ServiceV2 {
    #[serde(rename = "type")]
    service_type: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    endpoints: Vec<EndpointV2>,
}

#[derive(Deserialize)]
struct EndpointV2 {
    #[serde(default)]
    region: String,
    #[serde(rename = "publicURL")]
    public_url: Option<String>,
    #[serde(rename = "internalURL")]
    internal_url: Option<String>,
    #[serde(rename = "adminURL")]
    admin_url: Option<String>,
}

impl From<Vec<ServiceV3>> for ServiceCatalog {
    fn from(services: Vec<ServiceV3>) -> Self {
        let endpoints = services.into_iter().flat_map(|service| {
            service
                .endpoints
                .into_iter()
                .map(move |endpoint| CatalogEndpoint {
                    service_type: service.service_type.clone(),
                    service_name: service.name.clone().unwrap_or_default(),
                    region: endpoint.region_id.or(endpoint.region).unwrap_or_default(),
                    interface: endpoint.interface,
                    url: endpoint.url,
                })
        });
        Self {
            endpoints: endpoints.collect(),
        }
    }
}

impl From<Vec<ServiceV2>> for ServiceCatalog {
    fn from(services: Vec<ServiceV2>) -> Self {
        let endpoints = services.into_iter().flat_map(|service| {
            service.endpoints.into_iter().flat_map(move |endpoint| {
                let urls = [
                    (EndpointInterface::Public, endpoint.public_url),
                    (EndpointInterface::Internal, endpoint.internal_url),
                    (EndpointInterface::Admin, endpoint.admin_url),
                ];
                let (service_type, region) = (service.service_type.clone(), endpoint.region);
                let service_name = service.name.clone().unwrap_or_default();
                urls.into_iter().filter_map(move |(interface, url)| {
                    let interface = interface.as_str().to_owned();
                    Some(CatalogEndpoint {
                        service_type: service_type.clone(),
                        service_name: service_name.clone(),
                        region: region.clone(),
                        interface,
                        url: url?,
                    })
                })
            })
        });
        Self {
            endpoints: endpoints.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_catalog_are_read() {
        let v3: Vec<ServiceV3> = serde_json::from_str(
            r#"[{"type": "compute", "name": "nova", "id": "x", "endpoints": [{"id": "1", "interface": "public", "region_id": "One", "region": "One", "url": "http://n"}]}]"#,
        )
        .expect("v3");
        let v2: Vec<ServiceV2> = serde_json::from_str(
            r#"[{"type": "compute", "name": "nova", "endpoints_links": [], "endpoints": [{"region": "One", "publicURL": "http://n", "id": "1"}]}]"#,
        )
        .expect("v2.0");
        assert_eq!(ServiceCatalog::from(v3), ServiceCatalog::from(v2));
    }
}
