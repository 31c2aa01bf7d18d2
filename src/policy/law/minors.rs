//! From which age minors decide on a kind of care alone, and then control what is told of it
//! (45 CFR 164.502(g)(3)(i)).

use crate::policy::law::duties::Duties;
use crate::policy::law::terms::Surface;
use crate::policy::words::vocabulary;

vocabulary! {
    /// Kinds of care that the law of some state lets a minor decide on alone.
    Care, "kind of care" {
        /// Outpatient mental health care.
        MentalHealth = "mental_health",
        /// Care for the use of drugs and alcohol.
        SubstanceUse = "substance_use",
        /// Sexually transmitted infections, HIV among them.
        Sti = "sti",
        /// Contraception, pregnancy and birth.
        Reproductive = "reproductive",
        /// Care after sexual assault and abuse.
        Abuse = "abuse",
        /// Care that affirms a gender.
        GenderAffirming = "gender_affirming",
    }
}

impl Care {
    /// The youngest age at which a state lets minors decide: what a state's file does not say is read
    /// so (Cal. Fam. Code 6924, 6926, 6929: 12; 6925, 6928: any age; 405 ILCS 5/3-550: 12).
    pub const fn youngest(self) -> u8 {
        match self {
            Self::Reproductive | Self::Abuse => 0,
            Self::MentalHealth | Self::SubstanceUse | Self::Sti | Self::GenderAffirming => 12,
        }
    }

    /// What a finding of this category in the reason of a visit makes of it.
    pub fn of_category(category: &str) -> Option<Self> {
        match category {
            "mental_health" => Some(Self::MentalHealth),
            "substance_use" => Some(Self::SubstanceUse),
            "hiv_sti" => Some(Self::Sti),
            "reproductive" | "pregnancy" => Some(Self::Reproductive),
            "abuse" => Some(Self::Abuse),
            "gender_affirming" => Some(Self::GenderAffirming),
            _ => None,
        }
    }
}

impl Duties {
    /// From which age a minor decides on this care alone: as the rules in force say
    /// (`minor_controls` of kind `content_block`), else the youngest age anywhere.
    pub fn minor_decides_from(&self, care: Care, surface: Surface) -> u8 {
        let said = self.surfaces.get(&surface).into_iter();
        let said = said.flat_map(|duty| &duty.minor_controls);
        let mut ages = said.filter(|(word, _)| word.as_str() == care.as_str());
        ages.find_map(|(_, age)| age.0)
            .unwrap_or_else(|| care.youngest())
    }
}
