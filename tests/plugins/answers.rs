//! Answers of plugins that break the contract, and requests that plugins refuse.

use stampede::plugin::{GenerateError, PluginFault};

use super::{ask, ask_of, bad, evil};

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

#[tokio::test]
async fn as_many_things_as_may_be_are_taken_and_one_more_is_refused_before_any_work() {
    let registry = evil();
    for (kind, most) in [
        ("resources", 1_000),
        ("parameters", 1_000),
        ("conditions", 1_000),
        ("outputs", 1_000),
        ("files", 500),
        ("scripts", 100),
        ("endpoints", 100),
        ("services", 100),
        ("taken", 100),
    ] {
        let taken = ask_of(&registry, "many", most, kind).await;
        assert!(taken.is_ok(), "{most} {kind}: {taken:?}");
        let Err(GenerateError::Failed(error)) = ask_of(&registry, "many", most + 1, kind).await
        else {
            panic!("{} {kind} are taken", most + 1)
        };
        let word = if kind == "taken" { "shares" } else { kind };
        assert_eq!(
            error.fault.to_string(),
            format!(
                "broke the contract: it has {} {word}, at most {most} are taken",
                most + 1
            )
        );
    }
}

#[tokio::test]
async fn a_drain_script_is_taken_where_it_runs_and_refused_where_it_never_would() {
    let registry = evil();
    assert!(ask_of(&registry, "drain", 0, "master").await.is_ok());
    let Err(GenerateError::Failed(error)) = ask_of(&registry, "drain", 0, "worker").await else {
        panic!("taken")
    };
    assert!(
        error.to_string().contains(
            "its script evil of stage drain is for role worker, where it would never run"
        ),
        "{error}"
    );
}
