//! Team: who has an account, what they may do, and invitations.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::domain::ids::StaffId;
use crate::domain::staff::{Right, Role, Staff};
use crate::pipeline::accounts::AccountError;
use crate::web::console::inbox::{frame, unavailable};
use crate::web::console::seat::{Fields, Seat, desk};
use crate::web::pages;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// What the page says besides the accounts.
#[derive(Default)]
struct Said {
    fault: String,
    done: String,
    link: String,
    name: String,
    email: String,
    role: String,
}

/// The accounts.
pub(crate) async fn page(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
) -> Result<Response, Problem> {
    show(&door, &seat, StatusCode::OK, &Said::default()).await
}

async fn show(
    door: &Door,
    seat: &Seat,
    status: StatusCode,
    said: &Said,
) -> Result<Response, Problem> {
    let desk = desk(door)?;
    let all = desk.store().all_staff(&seat.staff.practice).await;
    let all = all.map_err(unavailable)?;
    let mut values = frame(door, seat, "team").await?;
    let roles: Vec<Value> = Role::ALL
        .iter()
        .map(|role| {
            let rights = Right::ALL.iter().filter(|right| role.may(**right));
            let rights: Vec<&str> = rights.map(|right| in_words(*right)).collect();
            json!({ "id": role.as_str(), "title": role.title(), "rights": rights.join(", ") })
        })
        .collect();
    let rows: Vec<Value> = all.iter().map(|it| row(it, seat)).collect();
    if let Some(fields) = values.as_object_mut() {
        fields.insert("roles".to_owned(), roles.into());
        fields.insert("staff".to_owned(), rows.into());
        for (name, value) in [
            ("fault", &said.fault),
            ("done", &said.done),
            ("link", &said.link),
            ("name", &said.name),
            ("email", &said.email),
            ("role", &said.role),
        ] {
            fields.insert(name.to_owned(), value.as_str().into());
        }
    }
    Ok(pages::console("console_team.html", status, &values))
}

fn row(staff: &Staff, seat: &Seat) -> Value {
    let state = match staff {
        it if !it.active => "off",
        it if it.ready() => "in use",
        it if it.secrets.password.is_some() => "no second factor yet",
        _ => "invited",
    };
    json!({
        "id": staff.id.0, "name": staff.secrets.name, "email": staff.secrets.email,
        "role": staff.role.as_str(), "title": staff.role.title(), "active": staff.active,
        "state": state, "self": staff.id == seat.staff.id,
        "codes": staff.secrets.recovery.len(),
    })
}

const fn in_words(right: Right) -> &'static str {
    match right {
        Right::Read => "read conversations",
        Right::Answer => "answer",
        Right::Release => "decide on held drafts",
        Right::Override => "send what was held, with a reason",
        Right::Acknowledge => "take alarms",
        Right::Disclose => "record disclosures",
        Right::Audit => "read the audit log and the agreements",
        Right::Comply => "answer requests of law",
        Right::Policy => "try versions of the policy",
        Right::Prompts => "change and publish prompts",
        Right::Accounts => "manage accounts",
    }
}

/// Invites somebody; the link is shown once.
pub(crate) async fn invite(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let (name, email) = (fields.get("name"), fields.get("email"));
    let Ok(role) = fields.get("role").parse::<Role>() else {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY));
    };
    let by = seat.staff.actor();
    let invited = desk
        .invite(&seat.staff.practice, (name, email), role, &by)
        .await;
    match invited {
        Ok(invited) => {
            let said = Said {
                done: format!("{name} is invited as {}.", role.title()),
                link: link(&door, &invited.token.secret),
                ..Said::default()
            };
            show(&door, &seat, StatusCode::OK, &said).await
        }
        Err(AccountError::Store(error)) => Err(unavailable(error)),
        Err(error) => {
            let said = Said {
                fault: error.to_string(),
                name: name.to_owned(),
                email: email.to_owned(),
                role: role.as_str().to_owned(),
                ..Said::default()
            };
            show(&door, &seat, StatusCode::UNPROCESSABLE_ENTITY, &said).await
        }
    }
}

fn link(door: &Door, token: &str) -> String {
    let base = door.settings.public_url.as_str().trim_end_matches('/');
    format!("{base}/console/join/{token}")
}

/// Changes a role, takes an account out of use, or makes a new link.
pub(crate) async fn change(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(id): Path<i64>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let desk = desk(&door)?;
    let (practice, by, id) = (&seat.staff.practice, seat.staff.actor(), StaffId(id));
    let role: Option<Role> = fields.get("role").parse().ok();
    let mut new_link = String::new();
    let (words, done) = match (fields.get("do"), role) {
        ("role", Some(role)) => (
            "The role is changed; they sign in again.",
            desk.change_staff(practice, id, (role, true), &by).await,
        ),
        ("off", Some(role)) => (
            "The account is off; its sessions have ended.",
            desk.change_staff(practice, id, (role, false), &by).await,
        ),
        ("on", Some(role)) => (
            "The account is on again.",
            desk.change_staff(practice, id, (role, true), &by).await,
        ),
        ("reset", _) => (
            "Password and second factor are chosen anew by this link.",
            match desk.invite_again(practice, id, &by).await {
                Ok(invited) => {
                    new_link = link(&door, &invited.token.secret);
                    Ok(())
                }
                Err(error) => Err(error),
            },
        ),
        _ => return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY)),
    };
    match done {
        Ok(()) => {
            let said = Said {
                done: words.to_owned(),
                link: new_link,
                ..Said::default()
            };
            show(&door, &seat, StatusCode::OK, &said).await
        }
        Err(AccountError::Store(error)) => Err(unavailable(error)),
        Err(error) => {
            let said = Said {
                fault: error.to_string(),
                ..Said::default()
            };
            show(&door, &seat, StatusCode::UNPROCESSABLE_ENTITY, &said).await
        }
    }
}
