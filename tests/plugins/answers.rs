//! Answers of plugins that break the contract, and requests that plugins refuse.

use stampede::plugin::{GenerateError, PluginFault};

use super::{ask, bad, evil};

#[tokio::test]
async fn an_answer_that_breaks_the_contract_is_refused_in_words() {
    let registry = evil();
    for (deed, words) in [
        (
            "lie about the role",
            "a script is for the role \"queen\", which it does not run on",
        ),
        (
            "climb",
            "the path of its file \"/opt/../etc/passwd\" is not absolute and plain",
        ),
        (
            "two scripts",
            "it has two scripts evil of stage setup for role worker",
        ),
        (
            "no template",
            "its template is not JSON: EOF while parsing an object at line 1 column 15",
        ),
        ("no object", "its template is not a JSON object"),
        (
            "refuse silently",
            "it refuses the request without a problem",
        ),
    ] {
        let error = bad(&registry, deed, 0).await;
        assert_eq!(
            error.fault.to_string(),
            format!("broke the contract: {words}"),
            "{deed}"
        );
    }
}

#[tokio::test]
async fn a_refusal_is_the_users_to_mend_and_has_a_bound() {
    let registry = evil();
    let Err(GenerateError::Problems(problems)) = ask(&registry, "refuse", 0).await else {
        panic!("not refused")
    };
    assert_eq!(problems[0].to_string(), "evil.deed: is not nice (be nice)");
    let Err(GenerateError::Problems(problems)) = ask(&registry, "refuse at length", 100).await
    else {
        panic!("not refused")
    };
    assert_eq!(problems.len(), 100);
    assert!(matches!(
        bad(&registry, "refuse at length", 101).await.fault,
        PluginFault::Contract(_)
    ));
}
