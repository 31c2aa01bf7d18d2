//! Hours: when a text that the practice begins may leave.

use jiff::Timestamp;

use crate::domain::conversation::{Conversation, OutboxRow};
use crate::domain::message::OutboundKind;
use crate::domain::practice::Practice;
use crate::domain::record::Patient;
use crate::domain::waiting::{Errand, Waiting};
use crate::pipeline::house::House;
use crate::pipeline::remind::Fate;
use crate::policy::law::terms::MessageClass;
use crate::policy::law::window::{Clocks, Opening, opening};
use crate::policy::law::zones;
use crate::policy::words::Jurisdiction;

impl House {
    /// When a cleared text may leave, if not now.
    pub(crate) fn opening_for(
        &self,
        row: &OutboxRow,
        conversation: &Conversation,
        practice: &Practice,
        now: Timestamp,
    ) -> Opening {
        // Who has written since is in a live conversation: the notice answers them.
        let wrote = conversation.last_inbound.is_some_and(|at| at >= row.at);
        match row.kind {
            OutboundKind::Initiated => {}
            OutboundKind::Invitation if !wrote => {}
            OutboundKind::Invitation
            | OutboundKind::Notice
            | OutboundKind::Reply
            | OutboundKind::Safety
            | OutboundKind::OptOutConfirmation
            | OutboundKind::Help
            | OutboundKind::Interim => return Opening::Open,
        }
        let residence = row.law.state.unwrap_or(Jurisdiction::UNKNOWN);
        self.opening(practice, residence, now)
    }

    /// When a text that the practice begins may leave, if not now (47 CFR 64.1200(c)(1), kept as
    /// house policy for every such text, and the stricter hours of the states).
    pub(crate) fn opening(
        &self,
        practice: &Practice,
        residence: Jurisdiction,
        now: Timestamp,
    ) -> Opening {
        let governed = self.governed(practice, residence, now);
        let clocks = Clocks {
            recipient: zones::possible(None, residence),
            practice: zones::possible(Some(&practice.timezone), practice.state),
        };
        opening(
            &governed.duties,
            MessageClass::OutboundInitiated,
            now,
            &clocks,
        )
    }

    /// What becomes of an errand while no hour is open; none while one is. What is made from the record
    /// is made when it may leave, so that nothing lies overnight that the record has changed by then.
    pub(crate) fn closed_hours(
        &self,
        practice: &Practice,
        patient: &Patient,
        waiting: &Waiting,
        now: Timestamp,
    ) -> Option<Fate> {
        if matches!(waiting.errand, Errand::Words { .. }) {
            return None;
        }
        let end = |outcome| {
            Some(Fate::End {
                outcome,
                staff: true,
            })
        };
        match self.opening(practice, patient.state, now) {
            Opening::Open => None,
            _ if now >= waiting.expires => end("too late, and no hour was open"),
            Opening::At(until, _) => Some(Fate::Wait(until.min(waiting.expires))),
            Opening::Never(_) => end("no open hour"),
        }
    }
}
