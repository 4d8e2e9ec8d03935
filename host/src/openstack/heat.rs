//! Heat: create, update, show, list, validate, signal and delete stacks, and read their resources
//! and events. A create whose answer was lost is resolved by looking the stack up, never by a
//! second create.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header::LOCATION};
use serde_json::{Map, Value, json};
use tracing::info;

use super::{
    CloudError, CloudSession, CreateStack, HeatStack, ServiceName, StackEvent, StackId,
    StackResource,
    heat_wire::{
        CreateStackResponse, EventsResponse, MetadataResponse, ResourcesResponse,
        ShowResourceResponse, ShowStackResponse, StacksResponse,
    },
    retry::{CallFailure, Delivery, backoff_pause},
};

const HEAT: ServiceName = ServiceName::Heat;
/// The status of a stack of which nothing is left.
const DELETED: &str = "DELETE_COMPLETE";

impl CloudSession {
    /// Creates a stack, never twice: when an answer was lost, or Heat has the name already, the
    /// stack is looked up by its name, and one with the same tags is taken as the answer.
    ///
    /// # Errors
    /// [`CloudError::NeedsTrust`] before Heat is asked; [`CloudError::Conflict`] when another stack
    /// has the name; [`CloudError::BadRequest`] with Heat's explanation; after a lost answer and no
    /// such stack what the create failed with: Heat may be at it still, so look before asking
    /// again.
    pub async fn create_stack(&self, stack: &CreateStack) -> Result<StackId, CloudError> {
        self.refuse_without_trust()?;
        let call = self.build_request(
            HEAT,
            Method::POST,
            &["stacks"],
            format!("create stack `{}`", stack.name),
        )?;
        let mut body = stack_body(stack);
        body["stack_name"] = json!(stack.name);
        let failure = match self.send_with_body(call, body).await {
            Ok(answer) => match answer.json::<CreateStackResponse>() {
                Ok(created) => {
                    return Ok(StackId {
                        name: stack.name.clone(),
                        id: created.stack.id,
                    });
                }
                Err(error) => CallFailure {
                    error,
                    delivery: Delivery::MayHaveActed,
                },
            },
            Err(failure) => failure,
        };
        let looks = match (failure.delivery, &failure.error) {
            // Heat has the name: ours from an earlier attempt whose answer was lost, or another's.
            (_, CloudError::Conflict { .. }) => 1,
            // Heat may still be reading the template: a stack is not shown before that is done.
            (Delivery::MayHaveActed, _) => self.config().limits.attempts,
            _ => return Err(failure.error),
        };
        for look in 1..=looks {
            match self.find_stack(&stack.name).await {
                Ok(Some(found))
                    if !stack.tags.is_empty()
                        && stack.tags.iter().all(|tag| found.tags.contains(tag)) =>
                {
                    info!(stack.id = %found.id, "stack `{}` is there although its create gave no answer", found.name);
                    return Ok(found.stack_id());
                }
                Ok(None) if look < looks => {
                    tokio::time::sleep(backoff_pause(&self.config().limits, look, None, 1.0)).await
                }
                Ok(_) | Err(_) => break,
            }
        }
        Err(failure.error)
    }

    /// The living stack of this name, or `None` where Heat has none: it said so, and its list
    /// agrees.
    ///
    /// # Errors
    /// When Heat cannot be asked.
    pub async fn find_stack(&self, name: &str) -> Result<Option<HeatStack>, CloudError> {
        match self.stack(name).await {
            Ok(stack) if stack.name == name => Ok(Some(stack)),
            Ok(_) => self.confirm_gone(name, None).await.map(|()| None),
            Err(error) if error.is_not_found() => {
                self.confirm_gone(name, None).await.map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    /// The stack of this id, or `None` where Heat has none. What depends on a stack's end is decided
    /// by this alone: that a stack is gone, or `DELETE_COMPLETE`, is Heat's own word, and its list
    /// agrees.
    ///
    /// # Errors
    /// When Heat cannot be asked, or contradicts itself.
    pub async fn look_for_stack(&self, stack: &StackId) -> Result<Option<HeatStack>, CloudError> {
        let shown = match self.show_stack(stack).await {
            Ok(shown) if shown.status != DELETED => return Ok(Some(shown)),
            Ok(shown) => Some(shown),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        self.confirm_gone(&stack.name, Some(&stack.id)).await?;
        Ok(shown)
    }

    /// That Heat's list has no stack of this name (and id): one answer may be a proxy's, or come
    /// from a Heat that has another database.
    async fn confirm_gone(&self, name: &str, id: Option<&str>) -> Result<(), CloudError> {
        let listed = self
            .list::<StacksResponse>(HEAT, &["stacks"], &[("name", name)], "list stacks", None)
            .await?
            .into_iter()
            .map(HeatStack::from)
            .find(|stack| {
                stack.name == name && stack.status != DELETED && id.is_none_or(|id| stack.id == id)
            });
        match listed {
            None => Ok(()),
            Some(stack) => Err(CloudError::BadAnswer {
                service: HEAT.as_str(),
                action: format!("show stack `{name}`"),
                reason: format!(
                    "it says that the stack is gone, and lists it as {}",
                    stack.status
                ),
                source: None,
            }),
        }
    }

    /// The living stacks of the project that bear all of these tags; without outputs.
    ///
    /// # Errors
    /// When Heat cannot be asked.
    pub async fn stacks_by_tag(&self, tags: &[&str]) -> Result<Vec<HeatStack>, CloudError> {
        let found = self
            .list::<StacksResponse>(
                HEAT,
                &["stacks"],
                &[("tags", &tags.join(","))],
                "list stacks",
                None,
            )
            .await?;
        Ok(found.into_iter().map(HeatStack::from).collect())
    }

    /// A stack with its outputs: by name a living one, by id also a deleted one (status
    /// `DELETE_COMPLETE`) while Heat remembers it.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub async fn stack(&self, name_or_id: &str) -> Result<HeatStack, CloudError> {
        let answer = self
            .get(
                HEAT,
                &["stacks", name_or_id],
                &[],
                format!("show stack `{name_or_id}`"),
            )
            .await?;
        if answer.status != StatusCode::FOUND {
            return Ok(answer.json::<ShowStackResponse>()?.stack.into());
        }
        // The address may be one that only Heat itself can reach, so only its last two parts, name
        // and id, are used.
        let to = answer
            .headers
            .get(LOCATION)
            .and_then(|to| to.to_str().ok())
            .unwrap_or_default();
        let path = to.split(['?', '#']).next().unwrap_or_default();
        let mut parts = path.rsplit('/').map(|part| {
            percent_encoding::percent_decode_str(part)
                .decode_utf8_lossy()
                .into_owned()
        });
        match (parts.next(), parts.next(), parts.next()) {
            // Anything else is no redirect of Heat's: a proxy leads to a page where one logs in.
            (Some(id), Some(name), Some(above))
                if above == "stacks" && (name == name_or_id || id == name_or_id) =>
            {
                self.show_stack(&StackId { name, id }).await
            }
            _ => Err(answer.bad(format!("a redirect to `{to}`, which names no stack"))),
        }
    }

    /// As [`Self::stack`], in one call.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub async fn show_stack(&self, stack: &StackId) -> Result<HeatStack, CloudError> {
        let answer = self
            .get(
                HEAT,
                &stack_path(stack, &[]),
                &[],
                format!("show stack `{}`", stack.name),
            )
            .await?;
        Ok(answer.json::<ShowStackResponse>()?.stack.into())
    }

    /// The template that the stack was made from, or was changed to last.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub async fn stack_template(&self, stack: &StackId) -> Result<Value, CloudError> {
        self.get(
            HEAT,
            &stack_path(stack, &["template"]),
            &[],
            format!("show the template of stack `{}`", stack.name),
        )
        .await?
        .json()
    }

    /// The files that the stack's template names, by name; none where Heat does not tell them.
    ///
    /// # Errors
    /// When Heat cannot be asked.
    pub async fn stack_files(
        &self,
        stack: &StackId,
    ) -> Result<BTreeMap<String, String>, CloudError> {
        let what = format!("show the files of stack `{}`", stack.name);
        match self
            .get(HEAT, &stack_path(stack, &["files"]), &[], what)
            .await
        {
            Ok(answer) => answer.json(),
            Err(error) if error.is_not_found() => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    /// The stack's resources.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub async fn resources(&self, stack: &StackId) -> Result<Vec<StackResource>, CloudError> {
        let answer = self
            .get(
                HEAT,
                &stack_path(stack, &["resources"]),
                &[],
                format!("list the resources of stack `{}`", stack.name),
            )
            .await?;
        Ok(answer
            .json::<ResourcesResponse>()?
            .resources
            .into_iter()
            .map(StackResource::from)
            .collect())
    }

    /// The stack's events after the one whose id is `after`, oldest first; of one resource, if
    /// named. When Heat has dropped that event (it keeps some 1,000 a stack) all that are left come
    /// again.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub async fn events(
        &self,
        stack: &StackId,
        resource: Option<&str>,
        after: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        match self.events_after(stack, resource, after).await {
            Err(CloudError::NotFound { .. } | CloudError::BadRequest { .. }) if after.is_some() => {
                self.events_after(stack, resource, None).await
            }
            outcome => outcome,
        }
    }

    async fn events_after(
        &self,
        stack: &StackId,
        resource: Option<&str>,
        after: Option<&str>,
    ) -> Result<Vec<StackEvent>, CloudError> {
        let path = match resource {
            Some(resource) => stack_path(stack, &["resources", resource, "events"]),
            None => stack_path(stack, &["events"]),
        };
        let action = format!("list the events of stack `{}`", stack.name);
        let found = self
            .list::<EventsResponse>(HEAT, &path, &[("sort_dir", "asc")], &action, after)
            .await?;
        Ok(found.into_iter().map(StackEvent::from).collect())
    }

    /// The metadata of a resource; of a wait condition handle: one key a signal's id, with `data`,
    /// `reason`, `status`. A later signal with the same id takes the place of the earlier one.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub async fn resource_metadata(
        &self,
        stack: &StackId,
        resource: &str,
    ) -> Result<Map<String, Value>, CloudError> {
        let action = format!(
            "show the metadata of `{resource}` in stack `{}`",
            stack.name
        );
        Ok(self
            .get(
                HEAT,
                &stack_path(stack, &["resources", resource, "metadata"]),
                &[],
                action,
            )
            .await?
            .json::<MetadataResponse>()?
            .metadata)
    }

    /// One of a resource's attributes, as a template would get it; `None` where it has no value. It
    /// may be a secret, and is logged nowhere.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub async fn resource_attribute(
        &self,
        stack: &StackId,
        resource: &str,
        attribute: &str,
    ) -> Result<Option<Value>, CloudError> {
        let action = format!(
            "show the attribute `{attribute}` of `{resource}` in stack `{}`",
            stack.name
        );
        let answer = self
            .get(
                HEAT,
                &stack_path(stack, &["resources", resource]),
                &[("with_attr", attribute)],
                action,
            )
            .await?;
        let mut attributes = answer.json::<ShowResourceResponse>()?.resource.attributes;
        let value = attributes.get_mut(attribute).map(Value::take);
        Ok(value.filter(|value| !value.is_null()))
    }

    /// Replaces the stack's template and parameters; Heat works on after the answer.
    ///
    /// # Errors
    /// [`CloudError::NotFound`], [`CloudError::Conflict`] while Heat is busy with it,
    /// [`CloudError::BadRequest`] with Heat's explanation.
    pub async fn update_stack(&self, stack: &StackId, to: &CreateStack) -> Result<(), CloudError> {
        self.refuse_without_trust()?;
        let call = self.build_request(
            HEAT,
            Method::PUT,
            &stack_path(stack, &[]),
            format!("update stack `{}`", stack.name),
        )?;
        self.send_with_body(call, stack_body(to)).await?;
        Ok(())
    }

    /// A signal to a resource, as a node would send it.
    ///
    /// # Errors
    /// [`CloudError::NotFound`], [`CloudError::BadRequest`] with Heat's explanation.
    pub async fn signal_resource(
        &self,
        stack: &StackId,
        resource: &str,
        signal: &Value,
    ) -> Result<(), CloudError> {
        let action = format!("signal `{resource}` in stack `{}`", stack.name);
        let call = self.build_request(
            HEAT,
            Method::POST,
            &stack_path(stack, &["resources", resource, "signal"]),
            action,
        )?;
        self.send_with_body(call, signal.clone()).await?;
        Ok(())
    }

    /// Lets Heat check template, files and parameters of `stack` (not its name and tags); it
    /// creates nothing.
    ///
    /// # Errors
    /// [`CloudError::BadRequest`] with Heat's explanation.
    pub async fn validate(&self, stack: &CreateStack) -> Result<(), CloudError> {
        let call = self.build_request(
            HEAT,
            Method::POST,
            &["validate"],
            format!("validate the template of `{}`", stack.name),
        )?;
        self.send_with_body(call, json!({"template": stack.template, "files": stack.files, "parameters": stack.parameters})).await?;
        Ok(())
    }

    /// Asks Heat to delete the stack, whatever it is doing; one that is gone is a success. Heat
    /// works on after the answer.
    ///
    /// # Errors
    /// When Heat cannot be asked or refuses.
    pub async fn delete_stack(&self, stack: &StackId) -> Result<(), CloudError> {
        let call = self.build_request(
            HEAT,
            Method::DELETE,
            &stack_path(stack, &[]),
            format!("delete stack `{}`", stack.name),
        )?;
        match self.send_request(&call).await {
            Err(failure) if !failure.error.is_not_found() => Err(failure.error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Heat creates a trust for each stack, for what it does later in the user's name. Keystone
    /// does not let a token of an application credential create one, and Heat would only say 500.
    pub(crate) fn refuse_without_trust(&self) -> Result<(), CloudError> {
        if self.application_credential() && !self.config().allow_application_credentials {
            Err(CloudError::NeedsTrust)
        } else {
            Ok(())
        }
    }
}

fn stack_path<'a>(stack: &'a StackId, rest: &[&'a str]) -> Vec<&'a str> {
    let mut path = vec!["stacks", stack.name.as_str(), stack.id.as_str()];
    path.extend(rest);
    path
}

/// What create and update send alike.
fn stack_body(stack: &CreateStack) -> Value {
    json!({
        "template": stack.template,
        "files": stack.files,
        "parameters": stack.parameters,
        "tags": stack.tags.join(","),
        "timeout_mins": stack.timeout_mins,
        // What failed must stay to be looked at.
        "disable_rollback": true,
    })
}
