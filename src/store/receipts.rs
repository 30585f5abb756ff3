//! Receipt events, transit lines, differences.
