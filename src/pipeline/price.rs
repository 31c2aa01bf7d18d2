//! Price: what a text is likely to cost. An estimate for people, never a bill: carriers bill by
//! contract, and only they know the network that a phone is on.

use crate::domain::practice::{CarrierKind, Sender};
use crate::policy::words::Channel;

/// What a carrier asks for one text in the United States, in millionths of a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPrice {
    /// Who carries.
    pub carrier: CarrierKind,
    /// How.
    pub channel: Channel,
    /// For each segment; for each message where [`Self::by_segment`] is false.
    pub micro_usd: i64,
    /// Whether it is asked for each segment.
    pub by_segment: bool,
    /// Where it is published.
    pub source: &'static str,
    /// When it was read there.
    pub seen: &'static str,
}

/// Published list prices, without discounts. Carriers that publish none are missing: there the
/// practice's own `price` is needed.
pub const PRICES: &[ListPrice] = &[
    ListPrice {
        carrier: CarrierKind::Twilio,
        channel: Channel::Sms,
        micro_usd: 8_300,
        by_segment: true,
        source: "https://www.twilio.com/en-us/sms/pricing/us",
        seen: "2026-07",
    },
    ListPrice {
        carrier: CarrierKind::Twilio,
        channel: Channel::Mms,
        micro_usd: 22_000,
        by_segment: false,
        source: "https://www.twilio.com/en-us/sms/pricing/us",
        seen: "2026-07",
    },
    // Twilio's own part. Meta asks nothing for free text within the 24-hour window; what it asks
    // for a template depends on the template's category.
    ListPrice {
        carrier: CarrierKind::Twilio,
        channel: Channel::Whatsapp,
        micro_usd: 5_000,
        by_segment: false,
        source: "https://www.twilio.com/whatsapp/pricing",
        seen: "2026-07",
    },
];

/// What the phone's network adds to each SMS segment of a registered number, passed on by every
/// carrier: 4,500 at T-Mobile and Verizon, 3,500 at AT&T. The highest, for an estimate must not be
/// too low.
pub const NETWORK_FEE: ListPrice = ListPrice {
    carrier: CarrierKind::Bandwidth,
    channel: Channel::Sms,
    micro_usd: 4_500,
    by_segment: true,
    source: "https://www.bandwidth.com/support/en/articles/13123714",
    seen: "2026-01",
};

/// What a text of so many segments is likely to cost, in millionths of a dollar; none where neither
/// the carrier nor the practice says. The practice's own price holds everything. What the simulator
/// takes is shown at Twilio's price, so that a trial tells what texting will cost.
pub fn estimate(sender: &Sender, segments: i64) -> Option<i64> {
    let segments = segments.max(1);
    if let Some(own) = sender.price {
        let each = own * 1e6;
        // Prices are a few thousand of these; what is out of range is no price.
        if !(0.0..1e9).contains(&each) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
        let each = each.round() as i64;
        return Some(each * segments);
    }
    let carrier = if sender.carrier == CarrierKind::Simulator {
        CarrierKind::Twilio
    } else {
        sender.carrier
    };
    let price = PRICES
        .iter()
        .find(|it| it.carrier == carrier && it.channel == sender.channel)?;
    let times = if price.by_segment { segments } else { 1 };
    let fee = match sender.channel {
        Channel::Sms => NETWORK_FEE.micro_usd * segments,
        Channel::Mms | Channel::Whatsapp | Channel::Webchat => 0,
    };
    Some(price.micro_usd * times + fee)
}

/// Dollars as people read them: `0.0128`.
pub fn dollars(micro_usd: i64) -> String {
    let (whole, part) = (micro_usd / 1_000_000, (micro_usd % 1_000_000).abs());
    let part = format!("{part:06}");
    let part = part.trim_end_matches('0');
    format!("{whole}.{part:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(more: &str) -> Sender {
        toml::from_str(&format!("number = \"+14155550101\"\n{more}")).unwrap()
    }

    #[test]
    fn a_text_is_estimated_by_its_segments_its_carrier_and_its_practice() {
        for (sending, segments, want) in [
            ("carrier = \"twilio\"", 1, Some("0.0128")),
            ("carrier = \"twilio\"", 3, Some("0.0384")),
            ("carrier = \"twilio\"\nchannel = \"mms\"", 3, Some("0.022")),
            (
                "carrier = \"twilio\"\nchannel = \"whatsapp\"",
                3,
                Some("0.005"),
            ),
            ("carrier = \"twilio\"\nprice = 0.01", 2, Some("0.02")),
            ("carrier = \"simulator\"", 2, Some("0.0256")),
            ("carrier = \"bandwidth\"", 1, None),
            ("carrier = \"bandwidth\"\nprice = 0.0085", 2, Some("0.017")),
            ("carrier = \"bird\"\nprice = 0.0", 2, Some("0.00")),
            ("carrier = \"bird\"\nprice = -1.0", 2, None),
        ] {
            let got = estimate(&sender(sending), segments).map(dollars);
            assert_eq!(got.as_deref(), want, "{sending}, {segments}");
        }
    }

    #[test]
    fn every_price_says_where_and_when_it_was_read() {
        for price in PRICES.iter().chain([&NETWORK_FEE]) {
            assert!(price.source.starts_with("https://"), "{price:?}");
            assert!(price.seen >= "2026", "{price:?}");
        }
        assert_eq!(dollars(1_250_000), "1.25");
        assert_eq!(dollars(3_000_000), "3.00");
    }
}
