//! Mail through SMTP with STARTTLS and AUTH.
