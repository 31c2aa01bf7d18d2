//! The draft: a template for each thing asked, filled from what tools gave.

use serde::Serialize;
use serde_json::Value;

use crate::agent::prompts::Prompts;
use crate::agent::sayings::{
    self, HandedOver, Hours, Lab, Late, Nothing, Numbered, Offer, Phone, Results, Saying, Told,
    Visit, Visits,
};
use crate::llm::offline::Turn;
use crate::llm::offline::intent::{Topic, Understood};
use crate::llm::offline::plan;

/// Everything asked, answered in order; none when there is nothing to say.
pub(super) fn words(turn: &Turn<'_>, asked: &Understood, prompts: &Prompts) -> Option<String> {
    let mut reply = Reply {
        turn,
        asked,
        prompts,
        parts: Vec::new(),
    };
    reply.deeds();
    for topic in &asked.topics {
        reply.topic(topic);
    }
    reply.staff();
    if reply.parts.is_empty() {
        reply.say(sayings::HELLO, &Nothing {});
    }
    (!reply.parts.is_empty()).then(|| reply.parts.join(" "))
}

struct Reply<'a> {
    turn: &'a Turn<'a>,
    asked: &'a Understood,
    prompts: &'a Prompts,
    parts: Vec<String>,
}

impl Reply<'_> {
    fn say<C: Serialize>(&mut self, saying: Saying<C>, context: &C) {
        if let Ok(part) = self
            .prompts
            .say(self.turn.request.language, saying, context)
            && !part.is_empty()
            && !self.parts.contains(&part)
        {
            self.parts.push(part);
        }
    }

    /// What tools have done or offered in this turn.
    fn deeds(&mut self) {
        for (tool, json) in &self.turn.results {
            let visit = json.get("appointment").map(words_of);
            match (*tool, error(json), visit) {
                (_, "not_on_file", _) => {
                    let phone = text(json, "phone");
                    self.say(sayings::NOT_ON_FILE, &Phone { phone });
                }
                ("confirm_appointment", "", Some(visit)) => self.say(sayings::CONFIRMED, &visit),
                ("reschedule_appointment", "", Some(visit)) => self.say(sayings::MOVED, &visit),
                ("book_appointment", "", Some(visit)) => self.say(sayings::BOOKED, &visit),
                ("join_waitlist" | "leave_waitlist", "" | "enough_places", _) => {
                    let value = match error(json) {
                        "" => text(json, "waitlist"),
                        full => full.to_owned(),
                    };
                    self.say(sayings::WAITLIST, &Told { value });
                }
                ("set_language", "", _) => self.language(json),
                ("visit_preparation", "", _) if json.get("portal").is_some() => {
                    self.say(sayings::PREPARATION, &Nothing {});
                }
                ("cancel_appointment", "", Some(visit)) if json.get("late_notice_h").is_some() => {
                    let hours = json.get("late_notice_h").and_then(Value::as_u64);
                    let (when, hours) = (visit.when, hours.unwrap_or_default());
                    self.say(sayings::CANCEL_LATE, &Late { when, hours });
                }
                ("cancel_appointment", "", Some(visit)) if json.get("needs").is_some() => {
                    self.say(sayings::CANCEL_ASK, &visit);
                }
                ("cancel_appointment", "", Some(visit)) => self.say(sayings::CANCELLED, &visit),
                ("find_slots", "", _)
                | ("reschedule_appointment" | "book_appointment", "taken", _) => {
                    self.offer(json);
                }
                (_, "not_found" | "conflict", _) => self.say(sayings::NOT_FOUND, &Nothing {}),
                _ => {}
            }
        }
    }

    fn offer(&mut self, json: &Value) {
        let offers: Vec<Numbered> = array(json, "slots")
            .iter()
            .map(|slot| Numbered {
                number: slot.get("number").and_then(Value::as_u64).unwrap_or(0),
                when: text(slot, "when"),
            })
            .collect();
        if offers.is_empty() {
            return self.say(sayings::OFFER_NONE, &Nothing {});
        }
        let exact = json.get("on_wished_days").and_then(Value::as_bool) == Some(true);
        let taken = error(json) == "taken";
        self.say(
            sayings::OFFER,
            &Offer {
                exact,
                taken,
                new: json.get("new_visit").and_then(Value::as_bool) == Some(true),
                offers,
            },
        );
    }

    fn topic(&mut self, topic: &Topic) {
        match topic {
            Topic::When => self.when(),
            Topic::Place => self.about(|visit| !visit.place.is_empty(), sayings::VISIT_PLACE),
            Topic::Who => self.about(|visit| !visit.provider.is_empty(), sayings::VISIT_PROVIDER),
            Topic::Move(_) | Topic::Cancel | Topic::Confirm | Topic::Preparation => {
                if self.listed().is_some_and(<[Value]>::is_empty) {
                    self.say(sayings::VISIT_NONE, &Nothing {});
                }
            }
            Topic::Fact(name) => self.fact(name),
            Topic::Results => self.results(),
            Topic::Assistant => {
                if let Some(value) = self.told("name").map(|json| text(json, "value")) {
                    self.say(sayings::ASSISTANT, &Told { value });
                }
            }
            Topic::Keep if self.turn.offered_freed() => {
                let value = "kept".to_owned();
                self.say(sayings::WAITLIST, &Told { value });
            }
            Topic::Keep => self.say(sayings::KEPT, &Nothing {}),
            Topic::Thanks => self.say(sayings::THANKS, &Nothing {}),
            Topic::Hello => self.say(sayings::HELLO, &Nothing {}),
            Topic::Book(_) | Topic::Waitlist(_) | Topic::Language(_) | Topic::Staff(_) => {}
        }
    }

    fn listed(&self) -> Option<&[Value]> {
        let json = self.turn.result("list_appointments")?;
        json.get("appointments")?.as_array().map(Vec::as_slice)
    }

    fn when(&mut self) {
        let Some(listed) = self.listed() else { return };
        let visits: Vec<Visit> = listed.iter().map(words_of).collect();
        let named = !self.asked.days.is_empty();
        match visits.as_slice() {
            [] => self.say(sayings::VISIT_NONE, &Nothing {}),
            [_, _, ..] if !named => self.say(sayings::VISITS, &Visits { visits }),
            _ => self.about(|_| true, sayings::VISIT),
        }
    }

    /// The visit meant, by `saying` where it knows enough for it.
    fn about(&mut self, enough: fn(&Visit) -> bool, saying: Saying<Visit>) {
        match plan::visit(self.turn, self.asked, false).map(words_of) {
            Some(visit) if enough(&visit) => self.say(saying, &visit),
            Some(visit) => self.say(sayings::VISIT, &visit),
            None if self.listed().is_some() => self.say(sayings::VISIT_NONE, &Nothing {}),
            None => {}
        }
    }

    fn told(&self, topic: &str) -> Option<&Value> {
        let of_topic = |json: &&Value| json.get("topic").and_then(Value::as_str) == Some(topic);
        let mut results = self.turn.results.iter().map(|(_, json)| json);
        results.find(of_topic)
    }

    fn fact(&mut self, name: &str) {
        let Some(json) = self.told(name) else { return };
        // A template closes the sentence itself.
        let value = text(json, "value").trim_end_matches('.').to_owned();
        let phone = text(json, "phone");
        match name {
            _ if value.is_empty() => self.say(sayings::NOT_TOLD, &Phone { phone }),
            "hours" => {
                let days = text(json, "days");
                let open = json.get("open").and_then(Value::as_bool) == Some(true);
                self.say(sayings::HOURS, &Hours { value, days, open });
            }
            "languages" => self.say(sayings::LANGUAGES, &Told { value }),
            "address" => self.say(sayings::ADDRESS, &Told { value }),
            "phone" => self.say(sayings::PHONE, &Told { value }),
            "parking" => self.say(sayings::PARKING, &Told { value }),
            "insurance" => self.say(sayings::INSURANCE, &Told { value }),
            _ => self.say(sayings::TOLD, &Told { value }),
        }
    }

    fn results(&mut self) {
        let Some(json) = self.turn.result("results_status") else {
            return;
        };
        if !error(json).is_empty() {
            return;
        }
        let mut results: Vec<Lab> = array(json, "released")
            .iter()
            .map(|lab| Lab {
                name: text(lab, "name"),
                value: text(lab, "value"),
            })
            .collect();
        let named = |lab: &Lab| {
            let name = lab.name.to_lowercase();
            let mut asked = self
                .turn
                .texts
                .iter()
                .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
            asked.any(|word| {
                in_english(word).chars().count() > 2 && name.contains(&in_english(word))
            })
        };
        if results.iter().any(named) {
            results.retain(named);
        } else if self.names_a_test() {
            results.clear();
        }
        if results.is_empty() {
            self.say(sayings::RESULTS_NONE, &Nothing {});
        } else {
            self.say(sayings::RESULTS, &Results { results });
        }
    }

    /// Whether the patient asks for one certain test, so that another one's result is no answer.
    fn names_a_test(&self) -> bool {
        const TESTS: &[&str] = &[
            "biops",
            "a1c",
            "pathology",
            "mammogram",
            "mamograf",
            "pap",
            "covid",
            "strep",
            "urine",
            "orina",
        ];
        let mut texts = self.turn.texts.iter().map(|text| text.to_lowercase());
        texts.any(|text| TESTS.iter().any(|test| text.contains(test)))
    }

    fn staff(&mut self) {
        let mut results = self.turn.results.iter().rev().map(|(_, json)| json);
        if let Some(json) = results.find(|json| json.get("passed_to").is_some()) {
            let words = HandedOver {
                reason: text(json, "reason"),
                answering: text(json, "answering"),
                phone: text(json, "phone"),
            };
            self.say(sayings::HANDED_OVER, &words);
        }
    }

    /// In the language that is spoken from now on.
    fn language(&mut self, json: &Value) {
        let chosen = text(json, "language").parse();
        let language = chosen.unwrap_or(self.turn.request.language);
        if let Ok(part) = self.prompts.say(language, sayings::LANGUAGE, &Nothing {}) {
            self.parts.push(part);
        }
    }
}

/// Names of results in the record are English; these words of patients differ most.
fn in_english(word: &str) -> String {
    match word.to_lowercase().as_str() {
        "biopsia" => "biopsy".to_owned(),
        "colesterol" => "cholesterol".to_owned(),
        "tiroides" => "thyroid".to_owned(),
        "glucosa" => "glucose".to_owned(),
        other => other.to_owned(),
    }
}

fn words_of(visit: &Value) -> Visit {
    Visit {
        when: text(visit, "when"),
        provider: text(visit, "provider"),
        place: text(visit, "location"),
    }
}

fn error(json: &Value) -> &str {
    json.get("error")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn text(json: &Value, key: &str) -> String {
    json.get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn array<'a>(json: &'a Value, key: &str) -> &'a [Value] {
    json.get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
