//! A folder of CSV files as the planner's input.
