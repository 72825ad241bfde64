//! The page of a sign-in: the one that people open, and the one that takes the place of a page that needs it.
use askama::Template;

use super::refusals::Refusal;
use super::typed::KeptForm;
use crate::api::linked::Provider;
use crate::frame::Frame;

#[derive(Template)]
#[template(path = "signin.html")]
pub struct SignIn<'a> {
    pub page: Frame,
    pub error: Option<Refusal>,
    /// Where it leads to.
    pub next: &'a str,
    pub email: &'a str,
    pub providers: Vec<Provider>,
    /// What was typed when the session had ended, for after the sign-in.
    pub kept: Option<KeptForm>,
}

impl SignIn<'_> {
    /// Whether it leads to the links of the account, which need a fresh sign-in: a provider is then asked for one.
    fn is_fresh(&self) -> bool {
        self.next == "/settings/accounts"
    }
}
