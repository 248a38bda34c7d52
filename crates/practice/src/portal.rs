//! The portal: what a person uses, as a page with forms, and the same doings as JSON for programs.
//!
//! Nobody signs in: whoever can reach loopback may use it. So that no page from elsewhere can (by DNS rebinding, or by sending
//! a form), requests with a foreign `Host` or `Origin` are refused. What may not live here: HTML (`page`), rules (`rules`).

use crate::error::{PracticeError, Refusal};
use crate::faults::Fault;
use crate::kinds::KeyKind;
use crate::page::{Notice, Page, Prefill, STYLE};
use crate::practice::Practice;
use crate::reply::{Reply, parse};
use crate::rules::{IssueRequest, Issued, default_days};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Form, Path, Query, Request, State as Shared};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

/// Nothing but the page itself and its style sheet; forms go back here only; nobody may frame it.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn routes() -> Router<Practice> {
    Router::new()
        .route("/", get(front))
        .route("/page.css", get(|| std::future::ready(([(header::CONTENT_TYPE, "text/css")], STYLE))))
        .route("/make", post(make_by_form))
        .route("/regenerate/{id}", post(regenerate_by_form))
        .route("/revoke/{id}", post(revoke_by_form))
        .route("/disable/{id}", post(disable_by_form))
        .route("/enable/{id}", post(enable_by_form))
        .route("/portal/keys", get(keys).post(make))
        .route("/portal/keys/{id}", delete(revoke))
        .route("/portal/keys/{id}/regenerate", post(regenerate))
        .route("/portal/keys/{id}/disable", post(disable))
        .route("/portal/keys/{id}/enable", post(enable))
        .route("/portal/faults", get(faults).post(set_fault).delete(clear_faults))
        .route_layer(from_fn(guard))
}

/// Lets in only what a page of this very server, or a program, sends.
async fn guard(request: Request, next: Next) -> Response {
    if !is_at_home(request.headers()) {
        return Reply::error(StatusCode::FORBIDDEN, "the portal answers only on loopback and only to its own pages")
            .into_response();
    }
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        // Not `no-referrer`: browsers would then send the portal's own forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// `Host` names loopback, and `Origin`, when there is one, is this server. A page of another port is foreign too.
fn is_at_home(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(host) = text(header::HOST) else { return false };
    let loopback = host
        .parse::<Authority>()
        .is_ok_and(|authority| matches!(authority.host().to_ascii_lowercase().as_str(), "127.0.0.1" | "localhost" | "[::1]"));
    loopback && text(header::ORIGIN).is_none_or(|origin| origin.eq_ignore_ascii_case(&format!("http://{host}")))
}

// The page and its forms.

async fn front(Shared(practice): Shared<Practice>, Query(prefill): Query<Prefill>) -> Result<Response, PracticeError> {
    show(&practice, prefill, None, StatusCode::OK).await
}

#[derive(Deserialize)]
struct MakeForm {
    kind: KeyKind,
    #[serde(default)]
    name: String,
    #[serde(default = "default_days")]
    days: u32,
    #[serde(default)]
    created_days_ago: u32,
}

async fn make_by_form(Shared(practice): Shared<Practice>, Form(form): Form<MakeForm>) -> Result<Response, PracticeError> {
    let MakeForm { kind, name, days, created_days_ago } = form;
    let prefill = Prefill { kind: Some(kind.to_string()), name: Some(name.clone()), days: Some(days.to_string()) };
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    let request = IssueRequest { kind, name, days, created_days_ago, scopes: None };
    let result = practice.transact_off_thread(move |state, now| state.issue(&request, now)).await;
    show_issued(&practice, prefill, result).await
}

async fn regenerate_by_form(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Response, PracticeError> {
    let result = practice.transact_off_thread(move |state, now| state.regenerate(&id, now)).await;
    show_issued(&practice, Prefill::default(), result).await
}

async fn revoke_by_form(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Response, PracticeError> {
    let result = practice.transact_off_thread(move |state, now| state.revoke(&id, now)).await;
    show_changed(&practice, result).await
}

async fn disable_by_form(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Response, PracticeError> {
    let result = practice.transact_off_thread(move |state, now| state.set_enabled(&id, false, now)).await;
    show_changed(&practice, result.map(drop)).await
}

async fn enable_by_form(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Response, PracticeError> {
    let result = practice.transact_off_thread(move |state, now| state.set_enabled(&id, true, now)).await;
    show_changed(&practice, result.map(drop)).await
}

/// Back to the page, which shows what a key has become.
async fn show_changed(practice: &Practice, result: Result<(), PracticeError>) -> Result<Response, PracticeError> {
    match result {
        Ok(()) => Ok(Redirect::to("/").into_response()),
        Err(PracticeError::Refused(refusal)) => show_refused(practice, Prefill::default(), refusal).await,
        Err(error) => Err(error),
    }
}

async fn show_issued(
    practice: &Practice,
    prefill: Prefill,
    result: Result<Issued, PracticeError>,
) -> Result<Response, PracticeError> {
    match result {
        Ok(issued) => show(practice, prefill, Some(Notice::Issued(issued)), StatusCode::CREATED).await,
        Err(PracticeError::Refused(refusal)) => show_refused(practice, prefill, refusal).await,
        Err(error) => Err(error),
    }
}

async fn show_refused(practice: &Practice, prefill: Prefill, refusal: Refusal) -> Result<Response, PracticeError> {
    let status = refusal.status();
    show(practice, prefill, Some(Notice::Refused(refusal)), status).await
}

async fn show(
    practice: &Practice,
    prefill: Prefill,
    notice: Option<Notice>,
    status: StatusCode,
) -> Result<Response, PracticeError> {
    let rows = practice.transact_off_thread(|state, now| Ok(state.rows(now))).await?;
    Ok((status, Html(Page { rows, prefill, notice }.to_string())).into_response())
}

// JSON for programs.

async fn keys(Shared(practice): Shared<Practice>) -> Result<Reply, PracticeError> {
    let rows = practice.transact_off_thread(|state, now| Ok(state.rows(now))).await?;
    Ok(Reply::ok(json!({ "keys": rows })))
}

async fn make(Shared(practice): Shared<Practice>, body: Bytes) -> Result<Reply, PracticeError> {
    let request: IssueRequest = parse(&body)?;
    let issued = practice.transact_off_thread(move |state, now| state.issue(&request, now)).await?;
    Ok(Reply::issued(&issued))
}

async fn regenerate(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Reply, PracticeError> {
    let issued = practice.transact_off_thread(move |state, now| state.regenerate(&id, now)).await?;
    Ok(Reply::issued(&issued))
}

async fn revoke(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Reply, PracticeError> {
    practice.transact_off_thread(move |state, now| state.revoke(&id, now)).await?;
    Ok(Reply::no_content())
}

async fn disable(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Reply, PracticeError> {
    let row = practice.transact_off_thread(move |state, now| state.set_enabled(&id, false, now)).await?;
    Ok(Reply::ok(json!(row)))
}

async fn enable(Shared(practice): Shared<Practice>, Path(id): Path<String>) -> Result<Reply, PracticeError> {
    let row = practice.transact_off_thread(move |state, now| state.set_enabled(&id, true, now)).await?;
    Ok(Reply::ok(json!(row)))
}

async fn faults(Shared(practice): Shared<Practice>) -> Result<Reply, PracticeError> {
    let faults = practice.transact_off_thread(|state, _| Ok(state.faults.clone())).await?;
    Ok(Reply::ok(json!({ "faults": faults })))
}

async fn set_fault(Shared(practice): Shared<Practice>, body: Bytes) -> Result<Reply, PracticeError> {
    let fault: Fault = parse(&body)?;
    let shown: Value = json!(fault);
    practice.transact_off_thread(move |state, _| Ok(state.add_fault(fault)?)).await?;
    Ok(Reply::created(shown))
}

async fn clear_faults(Shared(practice): Shared<Practice>) -> Result<Reply, PracticeError> {
    practice
        .transact_off_thread(|state, _| {
            state.faults.clear();
            Ok(())
        })
        .await?;
    Ok(Reply::no_content())
}
