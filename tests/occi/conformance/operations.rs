//! Section 3 of the recorded protocol: what each request does.

use super::ExpectedResponse::{
    Begins, Body, Clusters, Has, Header, HeaderHas, Json, Lacks, NoHeader, Status,
};
use super::RulePrecondition::{Complete, Deployed, Failed, Initialised, Nothing, Provisioned};
use super::{ConformanceRule, RuleStep, differs, same};

const ACTION: &str = "An action without a Category is named by the query";
const SENTENCE: &str = "What is not there is told in one sentence by every verb";
const APPLICABLE: &str = "`Not applicable atm.` is followed by a line that says why";
const UPDATE: &str = "An update is accepted once it is recorded and Heat has its first step";
const JSON: &str = "GET /orchestrator/default\nAccept: application/occi+json";
const STATE: &str = "/attributes/occi.mcn.stack.state";

pub(super) const RULES: &[ConformanceRule] = &[
    same(
        "GET before init is 404",
        Nothing,
        &[
            RuleStep(
                "GET /orchestrator/default\nAccept: text/occi",
                "",
                &[
                    Status(404),
                    Body("Resource not found: '/orchestrator/default'"),
                ],
            ),
            RuleStep(
                JSON,
                "",
                &[Status(404), Header("content-type", "text/plain")],
            ),
        ],
    ),
    same(
        "GET afterwards is 200 in every state",
        Failed,
        &[RuleStep(
            "GET /orchestrator/default",
            "",
            &[Status(200), Has("occi.mcn.stack.state=\"CREATE_FAILED\"")],
        )],
    ),
    same(
        "PUT with the kind is 201, an absolute Location, the body `OK`",
        Nothing,
        &[RuleStep(
            "PUT /orchestrator/default\nContent-Type: text/occi\n{KIND}\nAccept: */*",
            "",
            &[
                Status(201),
                Body("OK"),
                Header("location", "http://{HOST}/orchestrator/default"),
                Header("content-type", "text/plain"),
            ],
        )],
    ),
    differs(
        "JSON clients get the entity with their 201",
        "so it is in JSON",
        Nothing,
        &[RuleStep(
            "PUT /orchestrator/default\n{KIND}\nAccept: application/occi+json",
            "",
            &[Status(201), Json(STATE, "\"uninitialized\"")],
        )],
    ),
    same(
        "PUT again is 200 with the rendering, changes nothing and drops the attributes, in every state",
        Complete,
        &[RuleStep(
            "PUT /orchestrator/default\nContent-Type: text/occi\n{KIND}\nX-OCCI-Attribute: a=2, b=3",
            "",
            &[
                Status(200),
                Begins("\nCategory: orchestrator; "),
                Has("a=\"1\""),
                Lacks("b=\"3\""),
                Has("CREATE_COMPLETE"),
            ],
        )],
    ),
    same(
        "PUT without a Category, or with an action's, is 400 `Could not find a valid kind.`, also where there is an instance",
        Initialised,
        &[
            RuleStep(
                "PUT /orchestrator/default\nContent-Type: text/occi",
                "",
                &[Status(400), Body("Could not find a valid kind.")],
            ),
            RuleStep(
                "PUT /orchestrator/new\nContent-Type: text/occi\n{DEPLOY}",
                "",
                &[Status(400), Body("Could not find a valid kind.")],
            ),
        ],
    ),
    same(
        "an unknown Category is 400 with its identifier",
        Initialised,
        &[
            RuleStep(
                "PUT /orchestrator/new\nContent-Type: text/occi\nCategory: nosuch; scheme=\"{S}\"",
                "",
                &[
                    Status(400),
                    Body(
                        "The following category is not registered within this service (See Query interfaces): {S}nosuch",
                    ),
                ],
            ),
            RuleStep(
                "POST /orchestrator/default?action=deploy\nCategory: nosuch; scheme=\"{S}\"",
                "",
                &[Status(400), Has("{S}nosuch")],
            ),
        ],
    ),
    same(
        "actions before init are 404",
        Nothing,
        &[
            RuleStep(
                "POST /orchestrator/default?action=deploy\n{DEPLOY}",
                "",
                &[Status(404)],
            ),
            RuleStep(
                "POST /orchestrator/default?action=provision\n{PROVISION}",
                "",
                &[Status(404)],
            ),
        ],
    ),
    differs(
        SENTENCE,
        "their 404, that of an update and of DELETE is the path in quotes alone",
        Nothing,
        &[
            RuleStep(
                "POST /orchestrator/default?action=deploy\n{DEPLOY}",
                "",
                &[Body("Resource not found: '/orchestrator/default'")],
            ),
            RuleStep(
                "POST /orchestrator/default\nX-OCCI-Attribute: a.b=\"c\"",
                "",
                &[Status(404), Has("'/orchestrator/default'")],
            ),
            RuleStep(
                "DELETE /orchestrator/default",
                "",
                &[Status(404), Has("'/orchestrator/default'")],
            ),
        ],
    ),
    same(
        "deploy of an initialised one is 200 with the rendering",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default?action=deploy\nContent-Type: text/occi\n{DEPLOY}",
            "",
            &[Status(200), Begins("\nCategory: orchestrator; ")],
        )],
    ),
    same(
        "deploy of a deployed or provisioned one is 400 `Not applicable atm.`",
        Provisioned,
        &[RuleStep(
            "POST /orchestrator/default?action=deploy\n{DEPLOY}",
            "",
            &[Status(400), Begins("Not applicable atm.")],
        )],
    ),
    differs(
        APPLICABLE,
        "nothing follows that sentence",
        Deployed,
        &[RuleStep(
            "POST /orchestrator/default?action=deploy\n{DEPLOY}",
            "",
            &[Status(400), Begins("Not applicable atm.\nit is")],
        )],
    ),
    same(
        "provision of an initialised one is 400 `Not applicable atm.`",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default?action=provision\n{PROVISION}",
            "",
            &[Status(400), Begins("Not applicable atm.")],
        )],
    ),
    same(
        "provision of a deployed one is 200 while the stack is in progress",
        Deployed,
        &[RuleStep(
            "POST /orchestrator/default?action=provision\n{PROVISION}",
            "",
            &[Status(200), Has("CREATE_IN_PROGRESS")],
        )],
    ),
    same(
        "and when it has failed",
        Failed,
        &[RuleStep(
            "POST /orchestrator/default?action=provision\n{PROVISION}",
            "",
            &[Status(200)],
        )],
    ),
    same(
        "provision twice is 400 `Not applicable atm.`",
        Provisioned,
        &[RuleStep(
            "POST /orchestrator/default?action=provision\n{PROVISION}",
            "",
            &[Status(400), Begins("Not applicable atm.")],
        )],
    ),
    differs(
        UPDATE,
        "an update is always 404 `'hash'`, though its attributes are merged",
        Complete,
        &[
            RuleStep(
                "POST /orchestrator/default\nContent-Type: text/occi\nX-OCCI-Attribute: b=\"2\"",
                "",
                &[Status(200), Has("b=\"2\"")],
            ),
            RuleStep(
                "POST /orchestrator/default\nContent-Type: text/occi",
                "",
                &[Status(200)],
            ),
        ],
    ),
    same(
        "DELETE is 200 `OK`; then GET and DELETE are 404, and PUT starts again",
        Provisioned,
        &[
            RuleStep(
                "DELETE /orchestrator/default",
                "",
                &[Status(200), Body("OK"), Clusters(&[])],
            ),
            RuleStep("GET /orchestrator/default", "", &[Status(404)]),
            RuleStep("DELETE /orchestrator/default", "", &[Status(404)]),
            RuleStep("PUT /orchestrator/default\n{KIND}", "", &[Status(201)]),
            RuleStep(JSON, "", &[Json(STATE, "\"uninitialized\"")]),
        ],
    ),
    same(
        "OPTIONS, PATCH, TRACE and unknown methods are 405 `Method not supported.`",
        Initialised,
        &[
            RuleStep(
                "OPTIONS /orchestrator/default",
                "",
                &[Status(405), Body("Method not supported.")],
            ),
            RuleStep(
                "PATCH /orchestrator/default",
                "",
                &[Status(405), Body("Method not supported.")],
            ),
            RuleStep(
                "TRACE /orchestrator/default",
                "",
                &[Status(405), Body("Method not supported.")],
            ),
            RuleStep(
                "FOO /orchestrator/default",
                "",
                &[Status(405), Body("Method not supported.")],
            ),
        ],
    ),
    differs(
        "HEAD is GET without its body",
        "so is HEAD, with a body",
        Initialised,
        &[RuleStep(
            "HEAD /orchestrator/default",
            "",
            &[Status(200), Body(""), Header("content-type", "text/plain")],
        )],
    ),
    same(
        "the Category alone chooses the action; the query must only hold `=`",
        Initialised,
        &[
            RuleStep(
                "POST /orchestrator/default?action=whatever\n{DEPLOY}",
                "",
                &[Status(200)],
            ),
            RuleStep(
                "POST /orchestrator/default?action=deploy\n{PROVISION}",
                "",
                &[Status(200)],
            ),
            RuleStep("GET /orchestrator/default", "", &[Lacks("Link:")]),
        ],
    ),
    same(
        "`?deploy` is an update",
        Initialised,
        &[
            RuleStep(
                "POST /orchestrator/default?deploy\n{DEPLOY}",
                "",
                &[Lacks("CREATE")],
            ),
            RuleStep(JSON, "", &[Json(STATE, "\"uninitialized\"")]),
        ],
    ),
    differs(
        ACTION,
        "an action without a Category is 500",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default?action=deploy",
            "",
            &[Status(200)],
        )],
    ),
    same(
        "attributes of an action are parsed: 400 when they are malformed",
        Initialised,
        &[RuleStep(
            "POST /orchestrator/default?action=deploy\n{DEPLOY}\nX-OCCI-Attribute: noequals",
            "",
            &[Status(400)],
        )],
    ),
    differs(
        "Attributes that come with an action count",
        "and otherwise ignored",
        Initialised,
        &[
            RuleStep(
                "POST /orchestrator/default?action=deploy\n{DEPLOY}\nX-OCCI-Attribute: b=2",
                "",
                &[Status(200)],
            ),
            RuleStep(JSON, "", &[Json("/attributes/b", "\"2\"")]),
        ],
    ),
    same(
        "term and scheme tell a category; class and others may be there or not",
        Nothing,
        &[RuleStep(
            "PUT /orchestrator/default\nCategory: orchestrator; class=\"kind\"; scheme=\"{S}\"; title=\"x\"; location=\"http://h/o/\"",
            "",
            &[Status(201)],
        )],
    ),
    same(
        "a Category without `scheme=\"...\"` is 400 `Could not determine the value for: scheme`",
        Nothing,
        &[
            RuleStep(
                "PUT /orchestrator/default\nCategory: orchestrator",
                "",
                &[
                    Status(400),
                    Has("Could not determine the value for: scheme"),
                ],
            ),
            RuleStep(
                "PUT /orchestrator/default\nCategory: orchestrator; scheme=x#",
                "",
                &[
                    Status(400),
                    Has("Could not determine the value for: scheme"),
                ],
            ),
        ],
    ),
    same(
        "POST of the kind to the collection is 201 with a Location that ends in a UUID",
        Nothing,
        &[RuleStep(
            "POST /orchestrator/\n{KIND}",
            "",
            &[
                Status(201),
                Body("OK"),
                HeaderHas("location", "http://{HOST}/orchestrator/"),
                HeaderHas("location", "-4"),
            ],
        )],
    ),
    same(
        "an action on the collection is done to all, and is 400 when one of them does not allow it",
        Initialised,
        &[
            RuleStep(
                "POST /orchestrator/?action=deploy\n{DEPLOY}",
                "",
                &[Status(200)],
            ),
            RuleStep(JSON, "", &[Json(STATE, "\"CREATE_IN_PROGRESS\"")]),
            RuleStep(
                "POST /orchestrator/?action=deploy\n{DEPLOY}",
                "",
                &[Status(400), Begins("Not applicable atm.")],
            ),
        ],
    ),
    same(
        "DELETE of the collection deletes all",
        Initialised,
        &[RuleStep(
            "DELETE /orchestrator/",
            "",
            &[Status(200), Clusters(&[])],
        )],
    ),
    same(
        "GET of the collection is filtered by Category and by attribute",
        Initialised,
        &[
            RuleStep(
                "GET /orchestrator/\nAccept: text/occi\n{KIND}\nX-OCCI-Attribute: a=1",
                "",
                &[HeaderHas("x-occi-location", "/orchestrator/default")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: text/occi\nX-OCCI-Attribute: a=2",
                "",
                &[Status(200), NoHeader("x-occi-location")],
            ),
            RuleStep(
                "GET /orchestrator/\nAccept: text/occi\n{PROVISION}",
                "",
                &[Status(200), NoHeader("x-occi-location")],
            ),
        ],
    ),
];
