//! What a policy's life came to, counted in whole numbers so that no order of adding shows.

/// One item's days of one quarter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cell {
    pub days: i64,
    pub demand: i64,
    pub sold: i64,
    /// Days that began with nothing to sell.
    pub out_days: i64,
    /// Sum of the units on hand at each day's end.
    pub stock_days: i64,
    /// Sum of the units under way.
    pub way_days: i64,
    /// Decisions whose interval ended within the days seen, and those whose position covered it.
    pub decisions: i64,
    pub covered: i64,
    pub orders: i64,
    pub ordered: i64,
}

impl Cell {
    pub fn add(&mut self, other: &Self) {
        self.days += other.days;
        self.demand += other.demand;
        self.sold += other.sold;
        self.out_days += other.out_days;
        self.stock_days += other.stock_days;
        self.way_days += other.way_days;
        self.decisions += other.decisions;
        self.covered += other.covered;
        self.orders += other.orders;
        self.ordered += other.ordered;
    }
}

/// All items' quarters, in the order of the world's items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    pub cells: Vec<Vec<Cell>>,
}

impl Tally {
    #[must_use]
    pub fn new(items: usize, quarters: usize) -> Self {
        Self {
            cells: vec![vec![Cell::default(); quarters]; items],
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.cells.iter_mut().zip(&other.cells) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.add(theirs);
            }
        }
    }

    pub(super) fn cell(&mut self, item: usize, quarter: Option<usize>) -> Option<&mut Cell> {
        self.cells.get_mut(item)?.get_mut(quarter?)
    }
}
