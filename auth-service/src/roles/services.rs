//! Checks which decisions are allowed: the table at the top of this feature, as a calculation.
use axum::http::StatusCode;

use super::models::AccountState;
use crate::core::api::errors::Error;
use crate::core::app::identity::{Role, Status};

fn conflict(sentence: &'static str) -> Error {
    Error::Refused(StatusCode::CONFLICT, sentence)
}

/// The refusal of a decision that is not for the caller to make.
pub fn forbidden(sentence: &'static str) -> Error {
    Error::Refused(StatusCode::FORBIDDEN, sentence)
}

/// Whether an account can have a role; `admins` is how many have the highest one now.
pub fn check_role(target: &AccountState, role: Role, admins: usize) -> Result<(), Error> {
    if target.role == Role::Admin && role < Role::Admin && admins < 2 {
        return Err(conflict("The last administrator keeps the role"));
    }
    if role > Role::User && matches!(target.status, Status::Muted | Status::Banned) {
        return Err(conflict("A muted or banned user has no role"));
    }
    Ok(())
}

/// Whether `by` may set the status of `target`.
pub fn check_status(by: &AccountState, target: &AccountState) -> Result<(), Error> {
    if by.id == target.id {
        return Err(forbidden("Nobody decides about themselves"));
    }
    match (by.role, target.role) {
        (Role::User, _) => Err(forbidden("Only moderators can do this")),
        (_, Role::Admin) => Err(forbidden("An administrator loses the role first")),
        (Role::Moderator, Role::Moderator) => Err(forbidden("Only administrators decide about moderators")),
        (_, Role::User) | (Role::Admin, Role::Moderator) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn state(role: Role, status: Status) -> AccountState {
        AccountState { id: Uuid::now_v7(), role, status }
    }

    #[test]
    fn who_decides_about_whose_status() {
        use Role::{Admin, Moderator, User};
        let mut allowed = Vec::new();
        for by in [User, Moderator, Admin] {
            for target in [User, Moderator, Admin] {
                let outcome = check_status(&state(by, Status::Active), &state(target, Status::Muted));
                if outcome.is_ok() {
                    allowed.push((by, target));
                }
            }
        }
        assert_eq!(allowed, [(Moderator, User), (Admin, User), (Admin, Moderator)]);
        let myself = state(Admin, Status::Active);
        assert!(check_status(&myself, &myself).is_err());
    }

    #[test]
    fn one_administrator_is_left_and_who_is_kept_from_writing_has_no_role() {
        let admin = state(Role::Admin, Status::Active);
        assert!(check_role(&admin, Role::Moderator, 1).is_err());
        assert!(check_role(&admin, Role::Admin, 1).is_ok());
        assert!(check_role(&admin, Role::User, 2).is_ok());
        for status in [Status::Muted, Status::Banned] {
            assert!(check_role(&state(Role::User, status), Role::Moderator, 1).is_err());
            assert!(check_role(&state(Role::User, status), Role::User, 1).is_ok());
        }
        assert!(check_role(&state(Role::User, Status::Inactive), Role::Moderator, 1).is_ok());
    }
}
