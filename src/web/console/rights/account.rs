//! The accounting of disclosures as the patient gets it (45 CFR 164.528): a page to print, or CSV.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::store::disclosures::Recorded;
use crate::web::console::export::field;
use crate::web::console::inbox::{filled, unavailable};
use crate::web::console::rights::{Whose, name, since};
use crate::web::console::seat::{Seat, desk};
use crate::web::console::versions::zone;
use crate::web::problem::Problem;
use crate::web::router::Door;

/// The accounting of the last six years. That it was made is audited.
pub(in crate::web::console) async fn account(
    State(door): State<Door>,
    Extension(seat): Extension<Seat>,
    Path(word): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let house = desk(&door)?;
    let whose = Whose::of(house, &seat, &word).await?;
    let practice = house.practice(&seat.staff.practice);
    let practice = practice.ok_or_else(Problem::not_found)?;
    let (now, zone) = (house.clock().now(), zone(house, &seat));
    let today = now.to_zoned(zone.clone()).date();
    let first = since(now, &zone);
    let all = house.store().disclosures(&practice.id, &whose.id, first);
    let all = all.await.map_err(unavailable)?;
    let told: Vec<&Recorded> = all.iter().filter(|it| is_told(it, today)).collect();
    let withheld = all.iter().filter(|it| it.struck.is_none()).count() - told.len();
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes());
    let csv = pairs
        .into_iter()
        .any(|(name, value)| name == "format" && value == "csv");
    let detail = json!({
        "format": if csv { "csv" } else { "page" }, "lines": told.len(), "left_out": withheld,
    });
    let looked = ("accounting.made", detail);
    let noted = house.store().note_look(&seat.staff, &whose.id, looked, now);
    noted.await.map_err(unavailable)?;
    if csv {
        let headers = [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/csv; charset=utf-8"),
            ),
            (
                CONTENT_DISPOSITION,
                HeaderValue::from_static("attachment; filename=\"accounting-of-disclosures.csv\""),
            ),
        ];
        return Ok((StatusCode::OK, headers, file(&told)).into_response());
    }
    let rows: Vec<Value> = told
        .iter()
        .map(|it| {
            let told = &it.disclosure;
            json!({
                "on": told.on.strftime("%B %-d, %Y").to_string(), "recipient": told.recipient,
                "address": told.address, "what": told.what, "purpose": told.purpose,
                "repeated": told.repeated, "kind": it.kind.told(), "cite": it.kind.cite(),
            })
        })
        .collect();
    let long = |day: Date| day.strftime("%B %-d, %Y").to_string();
    let more = json!({
        "word": whose.word, "rows": rows, "withheld": withheld,
        "from": long(first.to_zoned(zone).date()), "to": long(today), "name": name(&whose.patient),
        "born": whose.patient.birth_date.as_ref().map(|it| long(*it.expose())),
        "practice": {
            "name": practice.name, "phone": practice.phone.display_us(), "address": practice.address,
        },
    });
    let page = ("compliance", "console_accounting.html", StatusCode::OK);
    filled(&door, &seat, page, more).await
}

/// Whether an accounting of that day tells of a disclosure: it stands, and no agency has it left out.
fn is_told(it: &Recorded, today: Date) -> bool {
    let withheld = it
        .disclosure
        .withheld_until
        .is_some_and(|until| until >= today);
    it.struck.is_none() && !withheld
}

fn file(told: &[&Recorded]) -> String {
    let mut text = "date,recipient,address,what,purpose,repeated,basis\r\n".to_owned();
    for it in told {
        let own = &it.disclosure;
        let basis = format!("{}, 45 CFR {}", it.kind.told(), it.kind.cite());
        let on = own.on.to_string();
        let fields = [
            &on,
            &own.recipient,
            &own.address,
            &own.what,
            &own.purpose,
            &own.repeated,
            &basis,
        ];
        let quoted: Vec<String> = fields.iter().map(|it| field(it)).collect();
        text.push_str(&quoted.join(","));
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::ids::StaffId;
    use crate::domain::rights::{Disclosure, DisclosureKind};

    #[test]
    fn an_accounting_leaves_out_what_was_struck_and_what_an_agency_keeps_back() {
        let at = "2026-11-26T12:00:00Z".parse().unwrap();
        let told = |withheld, struck| Recorded {
            id: 1,
            recorded: at,
            staff: StaffId(1),
            kind: DisclosureKind::Oversight,
            disclosure: Disclosure {
                on: date(2026, 11, 20),
                recipient: "State board, \"licensing\"".to_owned(),
                address: String::new(),
                what: "=1+1".to_owned(),
                purpose: "Inspection".to_owned(),
                repeated: String::new(),
                withheld_until: withheld,
            },
            struck,
        };
        let today = date(2026, 11, 26);
        for (line, is) in [
            (told(None, None), true),
            (told(Some(today), None), false),
            (told(Some(date(2026, 11, 25)), None), true),
            (
                told(None, Some((at, StaffId(1), "twice".to_owned()))),
                false,
            ),
        ] {
            assert_eq!(is_told(&line, today), is, "{line:?}");
        }
        let text = file(&[&told(None, None)]);
        let line = text.lines().nth(1).unwrap();
        assert_eq!(
            line,
            "2026-11-20,\"State board, \"\"licensing\"\"\",,'=1+1,Inspection,,\"Health oversight agency, 45 CFR 164.512(d)\""
        );
    }
}
