//! Which tokens a link has after a sign-in by it, and what the provider is to revoke of those of before.
//!
//! Each sign-in brings a new grant, and the one of before would be good for ever if nobody revoked it. What a revocation ends differs:
//! RFC 7009 speaks of one token and what was granted by it; many providers end all that the person has granted to the client, and the
//! newest tokens with it. So replaced tokens are revoked at once only where a revocation is known to end one token
//! ([`RevocationScope`]); elsewhere they are kept with the new ones, encrypted as those are, and revoked when the link ends.
use super::encryption::SealFault;
use super::grants::ProviderTokens;
use super::provider_tokens::models::StoredTokens;
use super::providers::RevocationScope;

/// Replaced tokens that are kept of a link, the newest: providers end the oldest ones of more by themselves.
const KEPT: usize = 10;

/// What becomes of the tokens of a link.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenChange {
    /// They stay as they are; that of the sign-in is not needed, and ends by itself.
    Keep,
    /// These take their place; the others are to be revoked, if there are any.
    Replace { tokens: ProviderTokens, ended: Option<EndedTokens> },
}

/// Tokens that are no link's any more.
#[derive(Debug, PartialEq, Eq)]
pub enum EndedTokens {
    Readable(ProviderTokens),
    /// As they are stored: this process does not have their key, and another one revokes them.
    Stored,
}

/// What a sign-in changes. `before` are the stored tokens, as far as this process can read them.
pub fn after_sign_in(
    granted: &ProviderTokens,
    stored: &StoredTokens,
    before: Result<ProviderTokens, SealFault>,
    scope: RevocationScope,
) -> TokenChange {
    let granted = granted.clone();
    let is_refused = stored.refused_at.is_some();
    // A refresh that is in flight spends the stored refresh token, and stores the next one in place of exactly these tokens.
    if granted.refresh.is_none() && stored.is_refreshing && !is_refused {
        return TokenChange::Keep;
    }
    let is_of_other_key = matches!(before, Err(SealFault::UnknownKey(_)));
    let Ok(before) = before else {
        // Tokens that end have a refresh token with them, which the grant does not have: the link would end with its access token.
        if is_of_other_key && granted.refresh.is_none() && stored.expires_at.is_some() && !is_refused {
            return TokenChange::Keep;
        }
        // The grant has all that a link needs: this mends a row whose key is lost.
        let is_revoked = is_of_other_key && scope == RevocationScope::Token && !is_refused;
        return TokenChange::Replace { tokens: granted, ended: is_revoked.then_some(EndedTokens::Stored) };
    };
    let mut tokens = granted;
    // Some providers grant a refresh token with the first agreement alone; the stored one is still good then.
    if tokens.refresh.is_none() && !is_refused {
        tokens.refresh.clone_from(&before.refresh);
    }
    tokens.replaced.clone_from(&before.replaced);
    if is_refused || !outlasts(&before, &tokens, stored.expires_at.is_some()) {
        return TokenChange::Replace { tokens, ended: None };
    }
    match scope {
        RevocationScope::Token => {
            let mut ended = ProviderTokens { replaced: std::mem::take(&mut tokens.replaced), ..before };
            ended.replaced.retain(|token| tokens.refresh.as_ref() != Some(token));
            TokenChange::Replace { tokens, ended: Some(EndedTokens::Readable(ended)) }
        }
        RevocationScope::Grant => {
            keep_replaced(&mut tokens, before.refresh);
            TokenChange::Replace { tokens, ended: None }
        }
    }
}

/// Whether tokens that others replace are good for longer than an access token is, and none of the others.
fn outlasts(before: &ProviderTokens, after: &ProviderTokens, ends: bool) -> bool {
    match &before.refresh {
        Some(refresh) => after.refresh.as_ref() != Some(refresh),
        None => !ends && before.access != after.access,
    }
}

/// Keeps refresh tokens with those that have replaced them, none twice and none that is in use.
pub fn keep_replaced(tokens: &mut ProviderTokens, replaced: impl IntoIterator<Item = String>) {
    for token in replaced {
        if tokens.refresh.as_ref() != Some(&token) && !tokens.replaced.contains(&token) {
            tokens.replaced.push(token);
        }
    }
    let surplus = tokens.replaced.len().saturating_sub(KEPT);
    tokens.replaced.drain(..surplus);
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use uuid::Uuid;

    use super::*;
    use crate::core::contract::timestamp::Timestamp;

    fn tokens(access: &str, refresh: Option<&str>, replaced: &[&str]) -> ProviderTokens {
        let replaced = replaced.iter().map(|token| (*token).to_owned()).collect();
        ProviderTokens { access: access.to_owned(), refresh: refresh.map(str::to_owned), replaced }
    }

    /// Stored tokens that end, are accepted, and are not being refreshed.
    fn stored() -> StoredTokens {
        StoredTokens {
            id: Uuid::nil(),
            subject: String::new(),
            scopes: String::new(),
            tokens: Vec::new(),
            key_id: String::new(),
            expires_at: Some(Timestamp(Utc::now())),
            refused_at: None,
            version: 0,
            is_refreshing: false,
        }
    }

    fn replace(tokens: ProviderTokens, ended: Option<ProviderTokens>) -> TokenChange {
        TokenChange::Replace { tokens, ended: ended.map(EndedTokens::Readable) }
    }

    /// The old refresh token ends where a revocation ends one token, and is kept where it may end all.
    #[test]
    fn a_replaced_refresh_token_is_revoked_or_kept() {
        let (granted, before) = (tokens("a2", Some("r2"), &[]), tokens("a1", Some("r1"), &["r0"]));
        let change = |scope| after_sign_in(&granted, &stored(), Ok(before.clone()), scope);
        assert_eq!(change(RevocationScope::Token), replace(granted.clone(), Some(before.clone())));
        assert_eq!(change(RevocationScope::Grant), replace(tokens("a2", Some("r2"), &["r0", "r1"]), None));
    }

    /// Whatever the scope, no token is revoked or put aside that is in use.
    #[test]
    fn what_is_in_use_is_never_revoked() {
        for scope in [RevocationScope::Token, RevocationScope::Grant] {
            // The same refresh token again, or none: the stored one goes on.
            for granted in [tokens("a2", Some("r1"), &[]), tokens("a2", None, &[])] {
                let change = after_sign_in(&granted, &stored(), Ok(tokens("a1", Some("r1"), &[])), scope);
                assert_eq!(change, replace(tokens("a2", Some("r1"), &[]), None), "{scope:?}");
            }
            // The same access token of a provider without refresh tokens.
            let lasting = StoredTokens { expires_at: None, ..stored() };
            let change = after_sign_in(&tokens("a1", None, &[]), &lasting, Ok(tokens("a1", None, &[])), scope);
            assert_eq!(change, replace(tokens("a1", None, &[]), None), "{scope:?}");
        }
        // Another one of such a provider ends, unless it ends by itself.
        let change = |stored: &StoredTokens| {
            after_sign_in(&tokens("a2", None, &[]), stored, Ok(tokens("a1", None, &[])), RevocationScope::Token)
        };
        let lasting = StoredTokens { expires_at: None, ..stored() };
        assert_eq!(change(&lasting), replace(tokens("a2", None, &[]), Some(tokens("a1", None, &[]))));
        assert_eq!(change(&stored()), replace(tokens("a2", None, &[]), None));
    }

    /// What this process cannot read is not destroyed: it stays, or another process revokes it.
    #[test]
    fn tokens_of_an_unknown_key_are_not_lost() {
        let unknown = || Err(SealFault::UnknownKey("x".to_owned()));
        let (bare, whole) = (tokens("a2", None, &[]), tokens("a2", Some("r2"), &[]));
        for scope in [RevocationScope::Token, RevocationScope::Grant] {
            assert_eq!(after_sign_in(&bare, &stored(), unknown(), scope), TokenChange::Keep, "{scope:?}");
        }
        let change = after_sign_in(&whole, &stored(), unknown(), RevocationScope::Token);
        assert_eq!(change, TokenChange::Replace { tokens: whole.clone(), ended: Some(EndedTokens::Stored) });
        // Tokens that the provider has refused are no loss.
        let refused = StoredTokens { refused_at: Some(Timestamp(Utc::now())), ..stored() };
        let change = after_sign_in(&bare, &refused, unknown(), RevocationScope::Token);
        assert_eq!(change, replace(bare.clone(), None));
        // Nor does a refresh that is in flight lose what it brings.
        let refreshing = StoredTokens { is_refreshing: true, ..stored() };
        let change = after_sign_in(&bare, &refreshing, Ok(tokens("a1", Some("r1"), &[])), RevocationScope::Token);
        assert_eq!(change, TokenChange::Keep);
    }

    #[test]
    fn the_newest_replaced_tokens_are_kept() {
        let mut kept = tokens("a", Some("r"), &[]);
        keep_replaced(&mut kept, (0..12).map(|n| format!("r{n}")).chain(["r".to_owned(), "r11".to_owned()]));
        assert_eq!((kept.replaced.len(), kept.replaced[0].as_str(), kept.replaced[9].as_str()), (10, "r2", "r11"));
    }
}
