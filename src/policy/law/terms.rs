//! The closed vocabularies of the law files: a word outside of them is refused at load.

use serde::Deserialize;

pub use crate::policy::law::class::Class;
use crate::policy::words::vocabulary;

vocabulary! {
    /// What a rule is about; decides the shape of its `params` and how two of them are merged.
    Kind, "kind" {
        /// A consent that must be on record.
        Consent = "consent",
        /// What revokes consent, and how fast it acts.
        OptOut = "opt_out",
        /// How far one revocation reaches.
        OptOutScope = "opt_out_scope",
        /// The hours in which a class of texts may leave.
        SendWindow = "send_window",
        /// How many texts of a class may leave in a span of time.
        FrequencyCap = "frequency_cap",
        /// What never leaves by a channel.
        ContentBlock = "content_block",
        /// What an AI may not do at some practices.
        ProhibitAi = "prohibit_ai",
        /// What the patient must be told, and when.
        Disclosure = "disclosure",
        /// What a signed authorization must hold.
        Authorization = "authorization",
        /// By when something must be done.
        Deadline = "deadline",
        /// How long records are kept.
        Retention = "retention",
        /// In which countries data may lie.
        DataResidency = "data_residency",
        /// What leaves the model's path at once, and which fixed text answers it.
        Route = "route",
        /// What must be translated by people.
        Language = "language",
        /// What the practice's staff must have done.
        Workforce = "workforce",
        /// A statement about the jurisdiction; binds nothing by itself.
        Status = "status",
        /// A permission that the law gives under conditions; off unless everyone enables it.
        Exemption = "exemption",
    }
}

vocabulary! {
    /// Where a rule has its force from. Only `policy` may be relaxed.
    Basis, "basis" {
        /// An act of a legislature.
        Statute = "statute",
        /// A regulation of an agency.
        Regulation = "regulation",
        /// An agency's reading of its rules.
        Guidance = "guidance",
        /// What the carriers demand of their senders.
        Carrier = "carrier",
        /// The practice's own rule.
        Policy = "policy",
    }
}

vocabulary! {
    /// How well a rule was checked against its source.
    Confidence, "confidence" {
        /// A lawyer approved the rule.
        CounselApproved = "counsel-approved",
        /// The text of the law was quoted when the rule was written.
        VerifiedPrimaryQuote = "verified-primary-quote",
        /// As before, for a part of it.
        VerifiedPrimaryQuotePartial = "verified-primary-quote-partial",
        /// The text of the law was read.
        VerifiedPrimary = "verified-primary",
        /// Secondary public material confirms it.
        VerifiedSecondary = "verified-secondary",
        /// As before, for a part of it.
        VerifiedSecondaryPartial = "verified-secondary-partial",
        /// The practice's own rule: there is nothing to verify.
        Policy = "policy",
        /// Written from memory; not checked.
        Memory = "memory",
        /// Sources conflict, or the outcome is unknown.
        Low = "low",
    }
}

impl Confidence {
    /// Whether somebody has seen a source that says so.
    pub const fn standing(self) -> Standing {
        match self {
            Self::CounselApproved
            | Self::VerifiedPrimaryQuote
            | Self::VerifiedPrimaryQuotePartial
            | Self::VerifiedPrimary => Standing::Verified,
            Self::VerifiedSecondary | Self::VerifiedSecondaryPartial => Standing::Secondary,
            Self::Policy => Standing::House,
            Self::Memory | Self::Low => Standing::Unverified,
        }
    }
}

vocabulary! {
    /// A [`Confidence`] in a word.
    Standing, "standing" {
        /// Seen in the law's own text.
        Verified = "verified",
        /// Seen in secondary material.
        Secondary = "secondary",
        /// From memory, or in conflict.
        Unverified = "unverified",
        /// The practice's own rule.
        House = "house",
    }
}

vocabulary! {
    /// A class of texts, for windows and caps.
    MessageClass, "class of texts" {
        /// Sells something.
        Solicitation = "solicitation",
        /// Begun by the practice: a reminder, a notice.
        OutboundInitiated = "outbound_initiated",
        /// An answer in a live conversation.
        Reply = "reply",
        /// 911, 988 or Poison Help.
        Safety = "safety",
        /// The confirmation of STOP.
        OptOutConfirmation = "opt_out_confirmation",
    }
}

vocabulary! {
    /// Where content may not go.
    Surface, "channel" {
        /// Every one of the others.
        Any = "any",
        /// Plain text message.
        Sms = "sms",
        /// Multimedia message.
        Mms = "mms",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// The practice's web chat.
        Webchat = "webchat",
        /// E-mail.
        Email = "email",
        /// What the model is shown.
        ModelPrompt = "model_prompt",
        /// What any other vendor is shown.
        Vendor = "vendor",
        /// What staff are shown.
        StaffView = "staff_view",
    }
}

vocabulary! {
    /// Who wrote a text.
    Writer, "author" {
        /// The AI, and nobody read it.
        Ai = "ai",
        /// The AI, and a licensed person read it.
        AiReviewed = "ai_reviewed",
        /// A person.
        Human = "human",
        /// An approved fixed text.
        Template = "template",
    }
}

vocabulary! {
    /// What a text is about, for disclosures.
    Content, "content" {
        /// The patient's health.
        Clinical = "clinical",
        /// Appointments.
        Scheduling = "scheduling",
        /// Money.
        Billing = "billing",
        /// Anything else of the office.
        Clerical = "clerical",
        /// An offer.
        Marketing = "marketing",
    }
}

vocabulary! {
    /// What becomes of blocked content, mildest first.
    Instead, "instead" {
        /// Goes behind a link to the portal.
        SecureLink = "secure_link",
        /// Is left out.
        Omit = "omit",
        /// A person answers.
        Handoff = "handoff",
    }
}

vocabulary! {
    /// What an AI may be barred from.
    Act, "act" {
        /// Talks as a therapist would.
        TherapeuticCommunication = "therapeutic_communication",
        /// Decides on a therapy.
        TherapeuticDecision = "therapeutic_decision",
        /// Makes a treatment plan that nobody approved.
        UnapprovedTreatmentPlan = "unapproved_treatment_plan",
        /// Infers an emotion or a state of mind.
        DetectEmotionOrMentalState = "detect_emotion_or_mental_state",
        /// Is held out as able to give mental or behavioral care.
        RepresentAsProvider = "represent_as_provider",
        /// Gives direct care.
        DirectCare = "direct_care",
    }
}

vocabulary! {
    /// What an AI may still do where [`Act`]s are barred.
    Support, "allowed work" {
        /// Appointments.
        Scheduling = "scheduling",
        /// Reminders.
        Reminders = "reminders",
        /// Money.
        Billing = "billing",
        /// Drafts of logistics.
        LogisticsDraft = "logistics_draft",
        /// Notes that a person reads.
        Records = "records",
        /// Numbers about the practice, of nobody in particular.
        Analytics = "analytics",
    }
}

vocabulary! {
    /// How logistics may be written where AI is barred from therapy, mildest first.
    LogisticsMode, "logistics mode" {
        /// By the AI.
        Free = "free",
        /// From a template, or by the AI and approved by a person.
        TemplateOrHumanApproved = "template_or_human_approved",
        /// From a template.
        TemplateOnly = "template_only",
    }
}

vocabulary! {
    /// What the patient is told.
    Element, "disclosure" {
        /// That an AI writes, not a person.
        AiIdentity = "ai_identity",
        /// That an AI wrote this text, and how to reach a person.
        AiGeneratedAndHumanContact = "ai_generated_and_human_contact",
        /// That AI is used in the patient's care.
        AiInCare = "ai_in_care",
        /// That AI was used in a diagnosis.
        AiInDiagnosis = "ai_in_diagnosis",
        /// That automated means weigh in a decision about the patient.
        AutomatedDecision = "automated_decision",
        /// How long records are kept.
        RetentionPeriod = "retention_period",
        /// That records are disclosed electronically.
        ElectronicDisclosure = "electronic_disclosure",
    }
}

vocabulary! {
    /// The consents that are told apart.
    ConsentName, "consent" {
        /// To be texted at all.
        SmsContact = "sms_contact",
        /// To get health information by text.
        PhiBySms = "phi_by_sms",
        /// To AI in supplementary support of therapy.
        AiSupplementarySupport = "ai_supplementary_support",
        /// To health data of somebody who is no patient being collected.
        ConsumerHealthCollect = "consumer_health_collect",
        /// To its being shared.
        ConsumerHealthShare = "consumer_health_share",
        /// To records being released at all.
        RecordsRelease = "records_release",
        /// To marketing.
        Marketing = "marketing",
    }
}

vocabulary! {
    /// What a missing consent does, mildest first.
    OnMissing, "on_missing" {
        /// Collect little, delete soon.
        MinimizeAndDelete = "minimize_and_delete",
        /// The text goes without health information.
        DowngradeToNoPhi = "downgrade_to_no_phi",
        /// A person decides.
        Hold = "hold",
        /// Nothing goes.
        Block = "block",
    }
}

vocabulary! {
    /// How far a revocation reaches, narrowest first.
    Scope, "scope" {
        /// The program that the text was of.
        Program = "program",
        /// Everything that the practice sends.
        AllPrograms = "all_programs",
    }
}

vocabulary! {
    /// What starts a clock or asks for one.
    Event, "event" {
        /// Unsecured health information was acquired, accessed, used or disclosed.
        Breach = "breach",
        /// The patient asked for the record.
        AccessRequest = "access_request",
        /// The patient asked for a correction.
        AmendmentRequest = "amendment_request",
        /// The patient asked who got the record.
        AccountingRequest = "accounting_request",
        /// The patient asked to be left alone by the model, or for a person to look again.
        HumanReviewRequest = "human_review_request",
        /// The patient asked that consumer health data be deleted.
        DeletionRequest = "deletion_request",
    }
}

vocabulary! {
    /// Whom a deadline runs toward.
    Recipient, "recipient" {
        /// The person.
        Individual = "individual",
        /// The state's attorney general, or who stands for them in the breach law.
        AttorneyGeneral = "attorney_general",
        /// The Secretary of Health and Human Services.
        HhsSecretary = "hhs_secretary",
        /// Media of the state.
        Media = "media",
        /// The state's health department.
        StateHealthDepartment = "state_health_department",
        /// Another agency of the state.
        StateAgency = "state_agency",
        /// Consumer reporting agencies.
        ConsumerReportingAgencies = "consumer_reporting_agencies",
        /// The practice, from its vendor.
        CoveredEntity = "covered_entity",
    }
}

vocabulary! {
    /// What a number of a deadline counts.
    Unit, "unit" {
        /// Hours.
        Hour = "hour",
        /// Days of the calendar.
        CalendarDay = "calendar_day",
        /// Monday to Friday but for federal holidays.
        BusinessDay = "business_day",
        /// As `business_day`; the word that some statutes use.
        WorkingDay = "working_day",
    }
}

vocabulary! {
    /// What a deadline runs from.
    From, "from" {
        /// Somebody knew, or would have known (45 CFR 164.404(a)(2)).
        Discovered = "discovered",
        /// Somebody noticed.
        Detected = "detected",
        /// It was established that there was a breach.
        Determined = "determined",
        /// The investigation ended.
        InvestigationEnded = "investigation_ended",
        /// The people were told.
        IndividualNoticeSent = "individual_notice_sent",
        /// Health and Human Services was told.
        HhsNotified = "hhs_notified",
        /// The request came in.
        Requested = "requested",
    }
}

vocabulary! {
    /// Whose clock decides.
    ClockOf, "clock" {
        /// The one who reads.
        Recipient = "recipient",
        /// The practice's.
        Practice = "practice",
    }
}

/// Days on which a window is shut all day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShutOn {
    /// Sundays.
    Sunday,
    /// Federal holidays, standing for the state's.
    Holidays,
}
