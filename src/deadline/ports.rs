//! Whose clock a port keeps: a deadline is told in the time of those who must meet it.

use chrono_tz::Tz;

/// Ports in countries of several zones that goods of this trade pass (UN/LOCODE).
const PORTS: [(&str, Tz); 22] = [
    ("USLAX", Tz::America__Los_Angeles),
    ("USLGB", Tz::America__Los_Angeles),
    ("USOAK", Tz::America__Los_Angeles),
    ("USSEA", Tz::America__Los_Angeles),
    ("USTIW", Tz::America__Los_Angeles),
    ("USHOU", Tz::America__Chicago),
    ("USMSY", Tz::America__Chicago),
    ("USMOB", Tz::America__Chicago),
    ("USCHI", Tz::America__Chicago),
    ("USNYC", Tz::America__New_York),
    ("USEWR", Tz::America__New_York),
    ("USSAV", Tz::America__New_York),
    ("USCHS", Tz::America__New_York),
    ("USORF", Tz::America__New_York),
    ("USBAL", Tz::America__New_York),
    ("USMIA", Tz::America__New_York),
    ("USBOS", Tz::America__New_York),
    ("AUSYD", Tz::Australia__Sydney),
    ("AUMEL", Tz::Australia__Melbourne),
    ("AUBNE", Tz::Australia__Brisbane),
    ("AUFRE", Tz::Australia__Perth),
    ("CAVAN", Tz::America__Vancouver),
];

/// Countries with one zone for all their ports.
const COUNTRIES: [(&str, Tz); 16] = [
    ("CN", Tz::Asia__Shanghai),
    ("HK", Tz::Asia__Hong_Kong),
    ("TW", Tz::Asia__Taipei),
    ("JP", Tz::Asia__Tokyo),
    ("KR", Tz::Asia__Seoul),
    ("SG", Tz::Asia__Singapore),
    ("VN", Tz::Asia__Ho_Chi_Minh),
    ("TH", Tz::Asia__Bangkok),
    ("GB", Tz::Europe__London),
    ("DE", Tz::Europe__Berlin),
    ("NL", Tz::Europe__Amsterdam),
    ("BE", Tz::Europe__Brussels),
    ("FR", Tz::Europe__Paris),
    ("IT", Tz::Europe__Rome),
    ("PL", Tz::Europe__Warsaw),
    ("ES", Tz::Europe__Madrid),
];

/// `None` for what is no UN/LOCODE, and for ports of large countries that are not listed.
#[must_use]
pub fn zone_of(port: &str) -> Option<Tz> {
    let port = port.trim().to_ascii_uppercase();
    if port.len() != 5 || !port.is_ascii() {
        return None;
    }
    let listed = PORTS.iter().find(|(code, _)| *code == port);
    let country = || COUNTRIES.iter().find(|(code, _)| port.starts_with(code));
    listed.or_else(country).map(|(_, zone)| *zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_keep_their_own_clock_and_what_is_not_known_is_not_guessed() {
        assert_eq!(zone_of("CNYTN"), Some(Tz::Asia__Shanghai));
        assert_eq!(zone_of("uslgb"), Some(Tz::America__Los_Angeles));
        assert_eq!(zone_of("USXXX"), None);
        assert_eq!(zone_of("Yantian"), None);
        assert_eq!(zone_of(""), None);
    }
}
