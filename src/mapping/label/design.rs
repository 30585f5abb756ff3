//! Labels that a mapping file lays out itself: a unit's FNSKU, a pallet's licence plate, a forwarder's own carton mark.

use serde::Deserialize;

use super::canvas::{Align, Canvas, Cell, Ground};
use super::font::{Fonts, Weight};
use super::grid::Grid;
use super::ink::Drawing;
use super::{MAX_LABELS, Print, Release, gs1};
use crate::mapping::model::shape;
use crate::mapping::value::{Each, Fault, Maps, Scope, Template, scopes};
use crate::problem::Problem;

/// The section `[label]` of a mapping file. Measures in millimetres, text sizes in points.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesignMapping {
    pub each: Vec<Each>,
    /// How many of each; one when it is not said.
    pub copies: Option<Template>,
    /// Title of the PDF.
    pub title: Template,
    #[serde(default)]
    pub print: Print,
    /// Width and height of one label.
    pub size: [f32; 2],
    /// Several labels on a sheet of a desk printer; only for PDF.
    pub grid: Option<Grid>,
    pub elements: Vec<Element>,
}

/// One thing on the label: a text, a bar code or a filled rectangle.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// What it is called in messages.
    #[serde(default)]
    pub field: String,
    pub text: Option<Template>,
    pub code128: Option<Template>,
    /// `(00){pallet.sscc}`
    pub gs1: Option<Template>,
    /// A rectangle in black: a rule is one that is low.
    #[serde(default)]
    pub fill: bool,
    /// Upper left corner.
    pub at: [f32; 2],
    pub width: f32,
    /// Of bars and rectangles.
    #[serde(default)]
    pub height: f32,
    /// Largest and smallest size of a text, in points.
    #[serde(default = "usual_points")]
    pub points: [f32; 2],
    #[serde(default)]
    pub bold: bool,
    #[serde(default)]
    pub align: AlignName,
    /// A text for people, that may end in `…`; without it what does not fit is refused.
    #[serde(default)]
    pub cut: bool,
    /// Empty is an error.
    #[serde(default)]
    pub required: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlignName {
    #[default]
    Left,
    Centre,
    Right,
}

fn usual_points() -> [f32; 2] {
    [9.0, 6.0]
}

/// From the smallest label that is sold to a sheet of A3.
const SIDES_MM: std::ops::RangeInclusive<f32> = 10.0..=420.0;

impl Element {
    fn template(&self) -> Option<&Template> {
        self.text.as_ref().or(self.code128.as_ref()).or(self.gs1.as_ref())
    }

    fn is_code(&self) -> bool {
        self.code128.is_some() || self.gs1.is_some()
    }
}

impl DesignMapping {
    /// Everything wrong with the mapping itself, before any order meets it.
    #[must_use]
    pub fn faults(&self, file: &str, maps: &Maps) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut fault = |place: &str, field: &str, found: String, wanted: &str| {
            problems.push(Problem::new(file, place, field, found, wanted));
        };
        if !self.size.iter().all(|side| SIDES_MM.contains(side)) {
            fault(
                "[label]",
                "size",
                format!("{:?}", self.size),
                "sides from 10 to 420 mm",
            );
        }
        if self.elements.is_empty() {
            fault("[label]", "elements", String::new(), "at least one element");
        }
        if self.grid.is_some() && self.print != Print::Pdf {
            fault(
                "[label]",
                "grid",
                "zpl".to_owned(),
                "`print = \"pdf\"`: a label printer has no sheets",
            );
        }
        for (no, element) in self.elements.iter().enumerate() {
            let place = format!("[label] element {} {}", no + 1, element.field);
            let kinds = [
                element.text.is_some(),
                element.code128.is_some(),
                element.gs1.is_some(),
                element.fill,
            ];
            if kinds.iter().filter(|kind| **kind).count() != 1 {
                fault(
                    &place,
                    "",
                    String::new(),
                    "one of `text`, `code128`, `gs1` and `fill`",
                );
            }
            let [x, y] = element.at;
            let low = if element.text.is_some() {
                0.0
            } else {
                element.height
            };
            let inside = x >= 0.0
                && y >= 0.0
                && element.width > 0.0
                && x + element.width <= self.size[0] + 0.01
                && y + low <= self.size[1] + 0.01
                && (element.text.is_some() || element.height > 0.0);
            if !inside {
                let found = format!("at {x}, {y}, {} × {}", element.width, element.height);
                let wanted = format!("a place within {} × {} mm", self.size[0], self.size[1]);
                fault(&place, "at", found, &wanted);
            }
            if element.is_code() && element.height < 5.0 {
                fault(
                    &place,
                    "height",
                    element.height.to_string(),
                    "bars at least 5 mm high",
                );
            }
            let [max, min] = element.points;
            if !(4.0..=200.0).contains(&max) || !(4.0..=max).contains(&min) {
                let wanted = "largest and smallest size, from 4 to 200 points";
                fault(&place, "points", format!("{:?}", element.points), wanted);
            }
        }
        if let Some(grid) = &self.grid {
            problems.extend(grid.faults(file, self.size));
        }
        problems.extend(self.path_faults(file, maps));
        problems
    }

    fn path_faults(&self, file: &str, maps: &Maps) -> Vec<Problem> {
        let around = Scope::new(shape(), maps);
        let said = |fault: &Fault, place: &str| fault.problem(file, &format!("[label] {place}"));
        let mut problems: Vec<Problem> = self
            .title
            .faults(&around)
            .iter()
            .map(|fault| said(fault, "title"))
            .collect();
        match scopes(&self.each, &around) {
            Err(fault) => problems.push(said(&fault, "each")),
            Ok(scopes) => {
                for scope in scopes.iter().take(1) {
                    let places = self
                        .elements
                        .iter()
                        .filter_map(|element| Some((element.field.as_str(), element.template()?)))
                        .chain(self.copies.iter().map(|copies| ("copies", copies)));
                    for (place, template) in places {
                        problems.extend(template.faults(scope).iter().map(|fault| said(fault, place)));
                    }
                }
            }
        }
        problems
    }

    /// Writes the labels.
    ///
    /// # Errors
    /// Everything that is missing, that font or bars cannot hold, or that does not fit; then no bytes.
    pub fn write(&self, file: &str, scope: &Scope<'_>, fonts: &Fonts) -> Result<Vec<u8>, Vec<Problem>> {
        let title = self
            .title
            .fill(scope)
            .map_err(|fault| vec![fault.problem(file, "[label] title")])?;
        let (drawings, problems) = self.drawings(file, scope, fonts);
        let release = Release {
            file,
            title: &title.unwrap_or_default(),
            noun: "label",
            print: self.print,
            grid: self.grid.as_ref(),
            fonts,
        };
        release.go(&drawings, problems)
    }

    /// Checks a written file against the model: as many labels as it asks for.
    #[must_use]
    pub fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let labels = match scopes(&self.each, scope) {
            Ok(scopes) => scopes
                .iter()
                .map(|scope| self.copies(name, "[label]", scope, &mut problems))
                .sum(),
            Err(fault) => return vec![fault.problem(name, "[label] each")],
        };
        problems.extend(super::check_count(
            name,
            bytes,
            labels,
            self.print,
            self.grid.as_ref(),
        ));
        problems
    }

    /// The labels in the order of their list, each as often as it says, and everything that is wrong with them.
    pub fn drawings(&self, file: &str, scope: &Scope<'_>, fonts: &Fonts) -> (Vec<Drawing>, Vec<Problem>) {
        let (mut drawings, mut problems) = (Vec::new(), Vec::new());
        let scopes = scopes(&self.each, scope).unwrap_or_else(|fault| {
            problems.push(fault.problem(file, "[label] each"));
            Vec::new()
        });
        for (scope, no) in scopes.iter().zip(1_usize..) {
            let place = format!("label {no}");
            let drawing = self.draw(file, &place, scope, fonts, &mut problems);
            let copies = self.copies(file, &place, scope, &mut problems);
            if drawings.len().saturating_add(copies) > MAX_LABELS {
                problems.push(too_many(file, &place, drawings.len().saturating_add(copies)));
                break;
            }
            drawings.extend(std::iter::repeat_n(drawing, copies));
        }
        if drawings.is_empty() && problems.is_empty() {
            problems.push(too_many(file, "[label] each", 0));
        }
        (drawings, problems)
    }

    fn copies(&self, file: &str, place: &str, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> usize {
        let Some(template) = &self.copies else { return 1 };
        match template.fill(scope) {
            Ok(text) => {
                let text = text.unwrap_or_default();
                text.parse().unwrap_or_else(|_| {
                    let wanted = "how many labels, as a whole number";
                    problems.push(Problem::new(file, place, "copies", text, wanted));
                    0
                })
            }
            Err(fault) => {
                problems.push(fault.problem(file, place));
                0
            }
        }
    }

    fn draw(
        &self,
        file: &str,
        place: &str,
        scope: &Scope<'_>,
        fonts: &Fonts,
        problems: &mut Vec<Problem>,
    ) -> Drawing {
        let mut canvas = Canvas::new(self.size[0], self.size[1], fonts);
        for element in &self.elements {
            let filled = match element.template().map(|template| template.fill(scope)) {
                None => None,
                Some(Ok(text)) => text,
                Some(Err(fault)) => {
                    problems.push(fault.problem(file, place));
                    continue;
                }
            };
            if filled.is_none() && (element.required || element.is_code()) {
                let source = element.template().map_or("", Template::source);
                let wanted = format!("a value for `{}`", element.field);
                problems.push(Problem::new(file, place, source, "", wanted));
                continue;
            }
            canvas.element(element, filled.as_deref().unwrap_or_default());
        }
        problems.extend(
            canvas
                .misfits
                .into_iter()
                .map(|misfit| misfit.problem(file, place)),
        );
        canvas.drawing
    }
}

impl Canvas<'_> {
    fn element(&mut self, element: &Element, text: &str) {
        let field = element.field.clone();
        let ground = Ground {
            x: element.at[0],
            width: element.width,
            top: element.at[1],
            height: element.height,
        };
        if element.fill {
            self.fill(ground.x, ground.top, ground.width, ground.height, 0);
        } else if element.code128.is_some() {
            self.bars(field, text, ground);
        } else if element.gs1.is_some() {
            match gs1::message(text) {
                Ok(message) => self.bars(field, &message, ground),
                Err(error) => self.misfit(field, text, error.to_string()),
            }
        } else {
            let [max, min] = element.points;
            let cell = Cell {
                x: element.at[0],
                // A line's letters reach about nine tenths of its size above the baseline.
                y: element.at[1] + max * 0.9 / super::ink::POINTS_PER_MM,
                width: element.width,
                max,
                min,
                weight: if element.bold {
                    Weight::Bold
                } else {
                    Weight::Regular
                },
                align: match element.align {
                    AlignName::Left => Align::Left,
                    AlignName::Centre => Align::Centre,
                    AlignName::Right => Align::Right,
                },
            };
            if element.cut {
                self.prose(field, text, cell);
            } else {
                self.id(field, text, cell);
            }
        }
    }
}

fn too_many(file: &str, place: &str, found: usize) -> Problem {
    let wanted = format!("between 1 and {MAX_LABELS} labels");
    Problem::new(file, place, "labels", found.to_string(), wanted)
}
