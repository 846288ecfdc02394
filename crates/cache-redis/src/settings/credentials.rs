//! What a server is logged in to with.

use layered_settings::Secret;

/// A password, and the user that it belongs to.
///
/// The password is wiped from memory when it is dropped, and prints as `***`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    user: Option<String>,
    password: Secret,
}

impl Credentials {
    pub(super) fn new(user: Option<String>, password: Secret) -> Self {
        Self { user, password }
    }

    /// The user; none for the server's default user.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password.
    pub fn password(&self) -> &Secret {
        &self.password
    }
}
