//! What each type's text becomes, in a required column and in an optional one.

mod golden;
mod hostile;
mod round_trip;
