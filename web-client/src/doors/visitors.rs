//! Who asks for a page: a visitor, who may be signed in, or a member, who is.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use uuid::Uuid;

use crate::api::Caller;
use crate::api::failures::Failure;
use crate::app::App;
use crate::frame::{Choices, Frame};
use crate::ground::returns::page_around;
use crate::session::cookies::{self, Brought};
use crate::session::outcome::{Change, Outcome};
use crate::session::refreshes::Refreshes;

/// A caller without a page: what forms are sent by. It has a token, or the request is sent to the sign-in.
pub struct Sender(pub Caller);

/// A visitor's frame of a page and their calls; signed in or not.
pub struct Visitor(pub Frame, pub Caller);

/// As a visitor, and signed in.
pub struct Member(pub Frame, pub Caller);

impl Member {
    /// Their own id.
    pub fn id(&self) -> Uuid {
        self.0.me.as_ref().map(|me| me.profile.card.id).unwrap_or_default()
    }
}

/// The address of the browser: that of the connection, or what a trusted proxy says.
fn address(parts: &Parts, app: &App) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(peer)| peer.ip());
    let trusted = |address: &IpAddr| app.settings.trusted_proxies.iter().any(|net| net.contains(address));
    if !trusted(&peer) {
        return peer;
    }
    let lines = parts.headers.get_all("x-forwarded-for").into_iter().filter_map(|line| line.to_str().ok());
    let hops: Vec<IpAddr> = lines.flat_map(|line| line.split(',')).map_while(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| !trusted(hop)).unwrap_or(peer)
}

fn said(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The trace that the gateway has begun, or a new one.
fn trace(headers: &HeaderMap) -> String {
    let valid = |trace: &&str| trace.len() == 55 && trace.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    said(headers, "traceparent").filter(valid).map_or_else(
        || {
            let id = Uuid::now_v7().simple().to_string();
            format!("00-{id}-{}-01", &id[16..])
        },
        str::to_owned,
    )
}

/// The frame of the page that is asked for, or of the page that a form or a part of a page stands on.
fn frame(parts: &Parts) -> Frame {
    let (choices, is_read) = (Choices::of(parts), parts.method == Method::GET);
    if is_read && !parts.headers.contains_key("hx-request") {
        return Frame::new(choices, parts.uri.clone());
    }
    let mut page = Frame::answering(choices, page_around(&parts.headers, parts.uri.path()));
    page.is_part = is_read;
    page
}

/// The caller with the token that the browser has brought, or with a new one where that has ended.
pub async fn caller(parts: &Parts, app: &App) -> Result<(Caller, Brought), Failure> {
    let brought = cookies::brought(&parts.headers, app.settings.environment);
    let agent = said(&parts.headers, header::USER_AGENT).unwrap_or("unknown").to_owned();
    let (address, trace) = (address(parts, app), trace(&parts.headers));
    let mut caller = Caller {
        http: app.http.clone(),
        api: app.settings.api_url.clone(),
        token: brought.access.clone(),
        address,
        agent,
        trace,
    };
    if caller.token.is_none()
        && let Some(refresh) = &brought.refresh
    {
        renew(&mut caller, parts, refresh, &app.refreshes).await?;
    }
    Ok((caller, brought))
}

/// Gives the caller the next token of the session; none when the session has ended.
async fn renew(caller: &mut Caller, parts: &Parts, refresh: &str, refreshes: &Refreshes) -> Result<(), Failure> {
    let outcome = parts.extensions.get::<Outcome>().cloned().unwrap_or_default();
    match refreshes.next(caller, refresh).await {
        Ok(tokens) => {
            caller.token = Some(tokens.access_token.clone());
            outcome.set(Change::Begun(tokens));
        }
        Err(failure) if failure.is(StatusCode::UNAUTHORIZED) => {
            caller.token = None;
            outcome.set(Change::Ended);
        }
        // The session may be good: it is kept, and the page says that it cannot be shown now.
        Err(failure) => return Err((*failure).clone()),
    }
    Ok(())
}

impl<S: Send + Sync> FromRequestParts<S> for Sender
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let (caller, _) = caller(parts, &App::from_ref(state)).await?;
        if caller.token.is_none() { Err(Failure::SignedOut) } else { Ok(Sender(caller)) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let app = App::from_ref(state);
        let (mut caller, brought) = caller(parts, &app).await?;
        let mut frame = frame(parts);
        if caller.token.is_none() {
            return Ok(Visitor(frame, caller));
        }
        let mut loaded = frame.load(&caller).await;
        if matches!(loaded, Err(Failure::SignedOut)) {
            // It was revoked, or has ended between two clocks.
            caller.token = None;
            if let Some(refresh) = &brought.refresh {
                renew(&mut caller, parts, refresh, &app.refreshes).await?;
            }
            loaded = if caller.token.is_some() { frame.load(&caller).await } else { Ok(()) };
        }
        match loaded {
            Err(Failure::SignedOut) => {
                caller.token = None;
                parts.extensions.get::<Outcome>().cloned().unwrap_or_default().set(Change::Ended);
            }
            other => other?,
        }
        Ok(Visitor(frame, caller))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Member
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let Visitor(frame, caller) = Visitor::from_request_parts(parts, state).await?;
        if frame.me.is_none() { Err(Failure::SignedOut) } else { Ok(Member(frame, caller)) }
    }
}
