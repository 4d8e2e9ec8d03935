//! What a session asks of Heat.

use serde_json::{Map, Value};

use super::{CreateStack, Error, Event, Resource, Session, Stack, StackId, session::unfinished};

impl Session {
    /// Creates a stack. Never repeated blindly: after a lost answer the stack is looked up by its name and, when it is there with the same
    /// tags, taken as the answer.
    ///
    /// # Errors
    /// [`Error::NeedsTrust`] before Heat is asked; [`Error::Conflict`] when another stack has the name; [`Error::BadRequest`] in Heat's words.
    pub async fn create_stack(&self, _stack: &CreateStack) -> Result<StackId, Error> {
        Err(unfinished())
    }

    /// The stack of this name, or `None`.
    ///
    /// # Errors
    /// When Heat cannot be asked.
    pub async fn find_stack(&self, _name: &str) -> Result<Option<Stack>, Error> {
        Err(unfinished())
    }

    /// The stacks of the project that bear all of these tags; without outputs.
    ///
    /// # Errors
    /// When Heat cannot be asked.
    pub async fn stacks_by_tag(&self, _tags: &[&str]) -> Result<Vec<Stack>, Error> {
        Err(unfinished())
    }

    /// A stack by name or id, with its outputs.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn stack(&self, _name_or_id: &str) -> Result<Stack, Error> {
        Err(unfinished())
    }

    /// The stack's resources.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resources(&self, _stack: &StackId) -> Result<Vec<Resource>, Error> {
        Err(unfinished())
    }

    /// The stack's events after the one whose id is `after`, oldest first; of one resource, if named.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn events(&self, _stack: &StackId, _resource: Option<&str>, _after: Option<&str>) -> Result<Vec<Event>, Error> {
        Err(unfinished())
    }

    /// The metadata of a resource; of a wait condition handle: one key a signal's id, with `data`, `reason`, `status`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resource_metadata(&self, _stack: &StackId, _resource: &str) -> Result<Map<String, Value>, Error> {
        Err(unfinished())
    }

    /// Replaces the stack's template and parameters; Heat works on after the answer.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] while Heat is busy with it, [`Error::BadRequest`] in Heat's words.
    pub async fn update_stack(&self, _stack: &StackId, _to: &CreateStack) -> Result<(), Error> {
        Err(unfinished())
    }

    /// What Heat would create: `(resource, type)` each.
    ///
    /// # Errors
    /// [`Error::BadRequest`] in Heat's words.
    pub async fn preview(&self, _stack: &CreateStack) -> Result<Vec<(String, String)>, Error> {
        Err(unfinished())
    }

    /// Lets Heat check template, files and parameters (of `stack`, whose name and tags do not matter); it creates nothing.
    ///
    /// # Errors
    /// [`Error::BadRequest`] in Heat's words.
    pub async fn validate(&self, _stack: &CreateStack) -> Result<(), Error> {
        Err(unfinished())
    }

    /// Asks Heat to delete the stack; one that is gone is a success.
    ///
    /// # Errors
    /// When Heat cannot be asked or refuses.
    pub async fn delete_stack(&self, _stack: &StackId) -> Result<(), Error> {
        Err(unfinished())
    }
}
