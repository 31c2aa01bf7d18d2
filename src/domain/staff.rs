//! Staff: who they are at the practice, and what each role may do in the console.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{PracticeId, StaffId};
use crate::domain::phi::Phi;
use crate::policy::words::vocabulary;

vocabulary! {
    /// What somebody does at the practice. Each may see no more than their work needs
    /// (45 CFR 164.514(d)(2)).
    Role, "role" {
        /// Answers for the practice: everything, the accounts of others too.
        Owner = "owner",
        /// Answers patients and decides on what was held.
        Clinician = "clinician",
        /// Answers patients and decides on what was held.
        FrontDesk = "front_desk",
        /// Tunes what the agent says; sees no patient.
        PromptEditor = "prompt_editor",
        /// Proves what happened: conversations, consent and the audit log, without a hand in them.
        Compliance = "compliance",
        /// Reads the audit log and nothing about patients.
        Auditor = "auditor",
    }
}

vocabulary! {
    /// What a page or a button needs.
    Right, "right" {
        /// Read conversations and what was held.
        Read = "read",
        /// Write to patients, take a conversation over and give it back.
        Answer = "answer",
        /// Decide on what was held: send it as the guardrail lets it go, or set it aside.
        Release = "release",
        /// Send what was held as it stands, in their own name and for a reason, where the guardrail
        /// lets the words of staff go.
        Override = "override",
        /// Say "I have it" to an alarm.
        Acknowledge = "acknowledge",
        /// Record that somebody outside was told of a patient.
        Disclose = "disclose",
        /// Read the audit log.
        Audit = "audit",
        /// Answer what patients ask by law, and keep breach worksheets.
        Comply = "comply",
        /// See the versions of policy and prompts, and try one on stored drafts.
        Policy = "policy",
        /// Change what the agent says, and publish it once the suites let it pass.
        Prompts = "prompts",
        /// Invite, change and remove accounts.
        Accounts = "accounts",
    }
}

impl Role {
    /// Whether the role has a right: the one table that every page and button asks.
    pub const fn may(self, right: Right) -> bool {
        use Role::{Auditor, Clinician, Compliance, FrontDesk, Owner, PromptEditor};
        match right {
            Right::Read | Right::Disclose => {
                matches!(self, Owner | Clinician | FrontDesk | Compliance)
            }
            Right::Answer | Right::Release | Right::Acknowledge => {
                matches!(self, Owner | Clinician | FrontDesk)
            }
            Right::Override => matches!(self, Owner | Clinician),
            Right::Comply => matches!(self, Owner | Compliance),
            Right::Audit => matches!(self, Owner | Compliance | Auditor),
            Right::Policy => matches!(self, Owner | PromptEditor | Compliance),
            Right::Prompts => matches!(self, Owner | PromptEditor),
            Right::Accounts => match self {
                Owner => true,
                Clinician | FrontDesk | PromptEditor | Compliance | Auditor => false,
            },
        }
    }

    /// Whether whoever has the role must have a second factor: every role that sees PHI, and the
    /// ones that prove or change what is said.
    pub const fn needs_second_factor(self) -> bool {
        match self {
            Self::Owner
            | Self::Clinician
            | Self::FrontDesk
            | Self::PromptEditor
            | Self::Compliance => true,
            Self::Auditor => false,
        }
    }

    /// As people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Clinician => "Clinician",
            Self::FrontDesk => "Front desk",
            Self::PromptEditor => "Prompt editor",
            Self::Compliance => "Compliance officer",
            Self::Auditor => "Auditor (read-only)",
        }
    }
}

/// A session ends after so long without a click: nobody reads on an unattended screen
/// (45 CFR 164.312(a)(2)(iii), automatic logoff).
pub const IDLE: SignedDuration = SignedDuration::from_mins(15);

/// A session ends after so long whatever happens: a shift.
pub const SHIFT: SignedDuration = SignedDuration::from_hours(12);

/// How long an invitation may be taken.
pub const INVITATION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Wrong passwords or codes in a row that cost nothing but the try.
const FREE_TRIES: u32 = 4;
/// The longest rest after wrong ones: a guesser gets four tries an hour, and nobody is locked out
/// for good by somebody else's guessing.
const REST_MAX: SignedDuration = SignedDuration::from_mins(15);

/// How long an account rests after so many wrong tries in a row.
pub fn rest_after(wrong: u32) -> SignedDuration {
    let Some(over) = wrong.checked_sub(FREE_TRIES) else {
        return SignedDuration::ZERO;
    };
    let doubled = SignedDuration::from_secs(30) * (1_i32 << over.min(10));
    doubled.min(REST_MAX)
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Its number.
    pub id: StaffId,
    /// At which practice.
    pub practice: PracticeId,
    /// What they do.
    pub role: Role,
    /// Whether they may sign in.
    pub active: bool,
    /// Wrong tries in a row.
    pub wrong: u32,
    /// No try counts before this.
    pub resting_until: Option<Timestamp>,
    /// What is sealed of it.
    pub secrets: StaffSecrets,
}

/// What is sealed of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffSecrets {
    /// The name that colleagues and the audit log know.
    pub name: String,
    /// The address that they sign in with, in lower case.
    pub email: String,
    /// The password's argon2id hash; none before the invitation is taken.
    pub password: Option<String>,
    /// The secret of the authenticator app; none before it is set up.
    pub totp: Option<Vec<u8>>,
    /// A secret that was shown and that no code has confirmed yet.
    pub offered: Option<Vec<u8>>,
    /// The last time step whose code was taken: a code counts once (RFC 6238, section 5.2).
    pub last_step: u64,
    /// SHA-256 of the recovery codes that are left.
    pub recovery: Vec<[u8; 32]>,
    /// Issuer and subject of whoever the sign-in provider vouched for first; none without one.
    #[serde(default)]
    pub subject: Option<String>,
}

impl Staff {
    /// Whether the account can be signed in to.
    pub const fn ready(&self) -> bool {
        let own = self.secrets.password.is_some()
            && (self.secrets.totp.is_some() || !self.role.needs_second_factor());
        self.active && (own || self.secrets.subject.is_some())
    }

    /// As the audit log names them.
    pub fn actor(&self) -> String {
        format!("staff/{}", self.id)
    }

    /// How others see them.
    pub fn name(&self) -> Phi<String> {
        Phi::from(self.secrets.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_tries_cost_more_and_more_but_never_lock_for_good() {
        let rests: Vec<i64> = (0..=12).map(|it| rest_after(it).as_secs()).collect();
        assert_eq!(
            rests,
            [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]
        );
        assert_eq!(rest_after(u32::MAX), REST_MAX);
    }

    #[test]
    fn whoever_sees_patients_has_a_second_factor() {
        for role in Role::ALL {
            assert!(
                role.needs_second_factor() || !role.may(Right::Read),
                "{role}"
            );
        }
    }
}
