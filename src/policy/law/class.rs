//! The classes of content that rules keep away from a channel, and how the guardrail finds them.

use crate::policy::words::vocabulary;

vocabulary! {
    /// A class of content that a rule keeps away from a channel.
    Class, "content class" {
        /// A condition.
        Diagnosis = "diagnosis",
        /// A laboratory or imaging result.
        TestResult = "test_result",
        /// A medicine by name.
        MedicationName = "medication_name",
        /// A procedure or treatment.
        Procedure = "procedure",
        /// Mental health.
        MentalHealth = "mental_health",
        /// Substance use.
        Sud = "sud",
        /// HIV.
        Hiv = "hiv",
        /// Sexually transmitted infections.
        Sti = "sti",
        /// Both of the former.
        HivSti = "hiv_sti",
        /// Any reportable communicable disease.
        CommunicableDisease = "communicable_disease",
        /// Reproductive care.
        Reproductive = "reproductive",
        /// Contraception.
        Contraception = "contraception",
        /// Abortion.
        Abortion = "abortion",
        /// Gender-affirming care.
        GenderAffirming = "gender_affirming",
        /// Genetic tests.
        Genetic = "genetic",
        /// Abuse and neglect.
        Abuse = "abuse",
        /// Violence by a partner.
        IntimatePartnerViolence = "intimate_partner_violence",
        /// Developmental disability.
        DevelopmentalDisability = "developmental_disability",
        /// Notes of psychotherapy (45 CFR 164.501).
        PsychotherapyNotes = "psychotherapy_notes",
        /// The name of a program that alone tells what is treated.
        ProgramName = "program_name",
        /// Biometric data.
        Biometric = "biometric",
        /// Data of the nervous system.
        Neural = "neural",
        /// Social security number.
        Ssn = "ssn",
        /// Card number.
        PaymentCard = "payment_card",
        /// Member number of a health plan.
        InsuranceId = "insurance_id",
        /// The notice of a breach, or what was breached.
        BreachNotice = "breach_notice",
        /// An offer.
        Promotion = "promotion",
        /// Names a condition as the patient's.
        DiagnosisStatement = "diagnosis_statement",
        /// Advises a treatment.
        TreatmentAdvice = "treatment_advice",
        /// Advises a dose.
        DoseAdvice = "dose_advice",
        /// Says that it can wait.
        TriageReassurance = "triage_reassurance",
        /// Claims a license for the AI.
        LicensedTitleClaim = "licensed_title_claim",
        /// Claims to be human.
        HumanClaim = "human_claim",
        /// Asks unbidden how the patient feels.
        EmotionalProbe = "emotional_probe",
    }
}

impl Class {
    /// The guardrail's categories that this class is found by; none when other means keep it away.
    pub const fn categories(self) -> &'static [&'static str] {
        match self {
            Self::Diagnosis | Self::DevelopmentalDisability | Self::CommunicableDisease => {
                &["diagnosis"]
            }
            Self::TestResult => &["lab", "lab_value", "imaging"],
            Self::MedicationName => &["medication", "dose"],
            Self::Procedure => &["procedure", "treatment"],
            Self::MentalHealth | Self::PsychotherapyNotes => &["mental_health"],
            Self::Sud => &["substance_use"],
            Self::Hiv | Self::Sti | Self::HivSti => &["hiv_sti"],
            Self::Reproductive | Self::Contraception | Self::Abortion => {
                &["reproductive", "pregnancy"]
            }
            Self::GenderAffirming => &["gender_affirming"],
            Self::Genetic => &["genetic"],
            Self::Abuse | Self::IntimatePartnerViolence => &["abuse"],
            Self::Biometric => &["biometric"],
            Self::Ssn => &["ssn"],
            Self::PaymentCard => &["account"],
            Self::InsuranceId => &["health_plan"],
            Self::DiagnosisStatement
            | Self::TreatmentAdvice
            | Self::DoseAdvice
            | Self::TriageReassurance => &["medical_advice"],
            Self::LicensedTitleClaim => &["license_claim"],
            Self::HumanClaim => &["human_claim"],
            Self::ProgramName
            | Self::Neural
            | Self::BreachNotice
            | Self::Promotion
            | Self::EmotionalProbe => &[],
        }
    }
}
