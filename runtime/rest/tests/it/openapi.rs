//! The description is what is served.

use std::collections::HashSet;

use insta::assert_json_snapshot;
use serde_json::json;

use crate::fixture::TestApi;

#[tokio::test(start_paused = true)]
async fn the_description_is_as_committed() {
    let api = TestApi::start().await;
    let mut answer = api.get("/openapi.json").await;
    answer["body"]["info"]["version"] = json!("[version]");
    assert_json_snapshot!("openapi", answer["body"]);
}

#[tokio::test(start_paused = true)]
async fn every_operation_has_a_name_of_its_own() {
    let api = TestApi::start().await;
    let described = api.get("/openapi.json").await["body"]["paths"].clone();
    let operations = described.as_object().unwrap().values();
    let operations = operations.flat_map(|path| path.as_object().unwrap().values());
    let mut names = HashSet::new();
    for operation in operations {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_path_that_is_described_is_served() {
    let api = TestApi::start().await;
    let described = api.get("/openapi.json").await["body"]["paths"].clone();
    for (path, operations) in described.as_object().unwrap() {
        let path = path.replace(['{', '}'], "").replace("/task/", "/0/");
        for method in operations.as_object().unwrap().keys() {
            let answer = api.call(&method.to_uppercase(), &path, None).await;
            let missing = answer["body"]["message"] == "HTTP 404 Not Found";
            assert!(
                !missing && answer["status"] != 405,
                "{method} {path}: {answer}"
            );
        }
    }
}
