//! The picture of the icon: a drawn base with a badge composed over it.
//!
//! Pure: the same [`Picture`] always gives the same pixels. Digits come from a small bitmap font whose strokes are whole
//! pixels, because a scaled-down vector digit is a blur at panel sizes. A ring of nothing around a badge keeps it
//! apart from the base on any panel.

use crate::config::settings::Panel;
use crate::core::view::{Base, Icon};

/// What makes two icons look different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Picture {
    base: Base,
    /// 10 stands for more than nine.
    count: u8,
    critical: bool,
    active: bool,
    paused: bool,
}

/// A square of straight (not premultiplied) RGBA pixels, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rgba {
    /// Pixels along a side.
    pub size: u32,
    /// Four bytes each.
    pub pixels: Vec<u8>,
}

/// Sizes that are drawn, in pixels along a side.
pub const SIZES: [u32; 6] = [16, 22, 24, 32, 48, 64];

const WHITE: [u8; 3] = [0xff, 0xff, 0xff];
/// Of contours on a dark panel.
const GREY: [u8; 3] = [0x60, 0x60, 0x60];
const BLACK: [u8; 3] = [0x1c, 0x1c, 0x1c];
const RED: [u8; 3] = [0xd0, 0x21, 0x1c];
const BLUE: [u8; 3] = [0x1f, 0x5f, 0xd6];

/// 1 to 9: seven rows of five pixels, the left one in the highest bit.
const DIGITS: [[u8; 7]; 9] = [
    [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
    [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
    [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
    [0b01110, 0b10000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000],
    [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
    [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00001, 0b01110],
];
/// A nine and a plus in rows of three pixels, so that both together take no more room than one digit.
const MORE_THAN_NINE: [[u8; 7]; 2] =
    [[0b111, 0b101, 0b101, 0b111, 0b001, 0b001, 0b111], [0b000, 0b000, 0b010, 0b111, 0b010, 0b000, 0b000]];

macro_rules! drawings {
    ($panel:literal, $state:literal) => {
        [
            include_bytes!(concat!("../../assets/icons/png/", $panel, "/", $state, "-16.png")).as_slice(),
            include_bytes!(concat!("../../assets/icons/png/", $panel, "/", $state, "-22.png")),
            include_bytes!(concat!("../../assets/icons/png/", $panel, "/", $state, "-24.png")),
            include_bytes!(concat!("../../assets/icons/png/", $panel, "/", $state, "-32.png")),
            include_bytes!(concat!("../../assets/icons/png/", $panel, "/", $state, "-48.png")),
            include_bytes!(concat!("../../assets/icons/png/", $panel, "/", $state, "-64.png")),
        ]
    };
    ($panel:literal) => {
        [
            drawings!($panel, "healthy"),
            drawings!($panel, "stopped"),
            drawings!($panel, "degraded"),
            drawings!($panel, "starting"),
            drawings!($panel, "down"),
            drawings!($panel, "fatal"),
        ]
    };
}

/// By panel, state (in the order of [`Base`]) and size (in the order of [`SIZES`]).
static DRAWINGS: [[[&[u8]; SIZES.len()]; 6]; 2] = [drawings!("light"), drawings!("dark")];

impl From<Icon> for Picture {
    fn from(icon: Icon) -> Self {
        let badge = icon.badge;
        let count = u8::try_from(badge.approvals.min(10)).unwrap_or(10);
        Self {
            base: icon.base,
            count,
            critical: count > 0 && badge.critical,
            active: count == 0 && badge.active,
            paused: badge.paused,
        }
    }
}

/// Draws `picture`, in the smallest of [`SIZES`] that is at least `size`, or the largest.
///
/// The drawings show the state in the lower right; the number or the dot goes to the upper right and the bars to the
/// lower left, so that everything can be seen at once, and the letter is narrow enough to stay one.
pub fn compose(panel: Panel, size: u32, picture: Picture) -> Rgba {
    let mut canvas = base(panel, size, picture.base);
    if picture.paused {
        match panel {
            Panel::Dark => bars(&mut canvas, WHITE, GREY),
            Panel::Light => bars(&mut canvas, BLACK, WHITE),
        }
    }
    if picture.count > 0 {
        number(&mut canvas, picture.count, if picture.critical { RED } else { BLUE });
    } else if picture.active {
        let side = canvas.size * 3 / 8;
        let area = Area { x: canvas.size - side, y: 0, width: side, height: side };
        canvas.plate(area, side / 2, BLUE);
    }
    canvas
}

/// With a contour, as the letter has, so that they are seen on a panel of the other brightness too.
fn bars(canvas: &mut Rgba, colour: [u8; 3], contour: [u8; 3]) {
    let (width, rim) = ((canvas.size + 4) / 8, (canvas.size / 24).max(1));
    let height = 3 * width;
    let y = canvas.size.saturating_sub(height + 2 * rim);
    let all = Area { x: 0, y, width: 2 * width + 3 * rim, height: height + 2 * rim };
    canvas.clear(all, 0);
    canvas.fill(all, 0, contour);
    for x in [rim, width + 2 * rim] {
        canvas.fill(Area { x, y: y + rim, width, height }, 0, colour);
    }
}

/// A disc about half as high as the icon: below it is the state, beside it the letter.
fn number(canvas: &mut Rgba, count: u8, colour: [u8; 3]) {
    let unit = (canvas.size + 12) / 22;
    let (glyphs, columns) = match usize::from(count) {
        one @ 1..=9 => (&DIGITS[one - 1..one], 5),
        _ => (&MORE_THAN_NINE[..], 3),
    };
    let text = unit * if count > 9 { 7 } else { 5 };
    let padding = (canvas.size / 2).saturating_sub(7 * unit) / 2;
    let padding = padding.clamp(unit, 2 * unit);
    let height = 7 * unit + 2 * padding;
    let width = (text + 2 * padding).max(height).min(canvas.size);
    let x = canvas.size - width;
    canvas.plate(Area { x, y: 0, width, height }, height / 2, colour);
    let left = x + (width - text.min(width)) / 2;
    for (position, glyph) in (0..).zip(glyphs) {
        canvas.glyph(left + position * (columns + 1) * unit, padding, unit, columns, glyph);
    }
}

fn base(panel: Panel, size: u32, base: Base) -> Rgba {
    let size_index = SIZES.iter().position(|&drawn| drawn >= size).unwrap_or(SIZES.len() - 1);
    let panel = match panel {
        Panel::Light => 0,
        Panel::Dark => 1,
    };
    let state = match base {
        Base::Healthy => 0,
        Base::Stopped => 1,
        Base::Degraded => 2,
        Base::Starting => 3,
        Base::Down => 4,
        Base::Fatal => 5,
    };
    decode(DRAWINGS[panel][state][size_index]).unwrap_or_else(|| {
        tracing::error!(?base, "a built-in icon cannot be read");
        let size = SIZES[size_index];
        Rgba { size, pixels: [0x80, 0x80, 0x80, 0xff].repeat((size * size) as usize) }
    })
}

fn decode(bytes: &[u8]) -> Option<Rgba> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut pixels).ok()?;
    pixels.truncate(info.buffer_size());
    if info.color_type == png::ColorType::GrayscaleAlpha {
        pixels = pixels.chunks_exact(2).flat_map(|grey| [grey[0], grey[0], grey[0], grey[1]]).collect();
    }
    let square = info.width == info.height && pixels.len() == (info.width * info.height * 4) as usize;
    square.then_some(Rgba { size: info.width, pixels })
}

/// A rectangle, in pixels; what lies outside of the canvas is not drawn.
#[derive(Clone, Copy)]
struct Area {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

impl Rgba {
    /// A rounded area with a ring of nothing around it.
    fn plate(&mut self, area: Area, radius: u32, colour: [u8; 3]) {
        self.clear(area, radius);
        self.fill(area, radius, colour);
    }

    fn clear(&mut self, area: Area, radius: u32) {
        let ring = (self.size / 16).max(1) as f32;
        self.cover(area, radius, ring, |pixel, coverage| pixel[3] = mix(pixel[3], 0, coverage));
    }

    fn fill(&mut self, area: Area, radius: u32, colour: [u8; 3]) {
        self.cover(area, radius, 0.0, |pixel, coverage| {
            // What is below was cleared or is covered whole, so the colours need not be weighted by their alpha.
            for (channel, colour) in pixel.iter_mut().zip(colour) {
                *channel = colour;
            }
            pixel[3] = mix(pixel[3], 0xff, coverage);
        });
    }

    /// Strokes are half a unit wider than their grid where that is a whole pixel: hosts scale the larger pictures down.
    fn glyph(&mut self, x: u32, y: u32, unit: u32, columns: u32, rows: &[u8; 7]) {
        for (down, row) in (0..).zip(rows) {
            for across in (0..columns).filter(|across| row >> (columns - 1 - across) & 1 == 1) {
                let side = unit + unit / 2;
                self.fill(Area { x: x + across * unit, y: y + down * unit, width: side, height: side }, 0, WHITE);
            }
        }
    }

    /// Calls `paint` with the share (0 to 1) of each pixel that lies in the rounded `area`, widened by `ring`.
    fn cover(&mut self, area: Area, radius: u32, ring: f32, paint: impl Fn(&mut [u8], f32)) {
        let (left, top) = (area.x as f32 - ring, area.y as f32 - ring);
        let (right, bottom) = ((area.x + area.width) as f32 + ring, (area.y + area.height) as f32 + ring);
        let radius = radius as f32 + if radius > 0 { ring } else { 0.0 };
        let inside = |x: f32, y: f32| {
            let dx = (left + radius - x).max(x - (right - radius)).max(0.0);
            let dy = (top + radius - y).max(y - (bottom - radius)).max(0.0);
            let in_box = x >= left && x < right && y >= top && y < bottom;
            in_box && (radius == 0.0 || dx * dx + dy * dy <= radius * radius)
        };
        let side = self.size as usize;
        for (index, pixel) in self.pixels.chunks_exact_mut(4).enumerate() {
            let (x, y) = ((index % side) as f32, (index / side) as f32);
            let hits = (0..16).filter(|&sample| {
                let (across, down) = ((sample % 4) as f32, (sample / 4) as f32);
                inside(x + (across + 0.5) / 4.0, y + (down + 0.5) / 4.0)
            });
            let coverage = hits.count() as f32 / 16.0;
            if coverage > 0.0 {
                paint(pixel, coverage);
            }
        }
    }
}

fn mix(from: u8, to: u8, share: f32) -> u8 {
    (f32::from(from) + (f32::from(to) - f32::from(from)) * share).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::view::Badge;

    const BASES: [Base; 6] = [Base::Healthy, Base::Stopped, Base::Degraded, Base::Starting, Base::Down, Base::Fatal];

    fn icon(approvals: u32, critical: bool, active: bool, paused: bool) -> Picture {
        Picture::from(Icon { base: Base::Healthy, badge: Badge { approvals, critical, active, paused } })
    }

    fn has(picture: &Rgba, colour: [u8; 3]) -> bool {
        picture.pixels.chunks_exact(4).any(|pixel| pixel[..3] == colour && pixel[3] == 0xff)
    }

    #[test]
    fn every_drawing_is_readable_and_of_the_size_in_its_name() {
        for panel in [Panel::Light, Panel::Dark] {
            for base in BASES {
                for size in SIZES {
                    let plain = Picture::from(Icon { base, badge: Badge::default() });
                    let picture = compose(panel, size, plain);
                    assert_eq!((picture.size, picture.pixels.len()), (size, (size * size * 4) as usize));
                    assert!(picture.pixels.chunks_exact(4).any(|pixel| pixel[3] > 0), "{panel:?} {base:?} {size}");
                }
            }
        }
    }

    #[test]
    fn every_state_looks_different() {
        for (n, base) in BASES.into_iter().enumerate() {
            for other in &BASES[n + 1..] {
                let draw = |base| compose(Panel::Dark, 22, Picture::from(Icon { base, badge: Badge::default() }));
                assert_ne!(draw(base), draw(*other), "{base:?} {other:?}");
            }
        }
    }

    #[test]
    fn every_badge_looks_different_in_every_size() {
        for size in SIZES {
            let mut pictures = vec![compose(Panel::Dark, size, icon(0, false, false, false))];
            for count in 1..=10 {
                pictures.push(compose(Panel::Dark, size, icon(count, false, false, false)));
                pictures.push(compose(Panel::Dark, size, icon(count, true, false, false)));
                pictures.push(compose(Panel::Dark, size, icon(count, true, false, true)));
            }
            pictures.push(compose(Panel::Dark, size, icon(0, false, true, false)));
            pictures.push(compose(Panel::Dark, size, icon(0, false, false, true)));
            for (n, picture) in pictures.iter().enumerate() {
                assert!(!pictures[n + 1..].contains(picture), "{size} {n}");
            }
        }
    }

    #[test]
    fn no_badge_hides_the_state() {
        for size in SIZES {
            let corner = |picture: Rgba| -> Vec<u8> {
                let row = |y| &picture.pixels[((y * size + size / 2) * 4) as usize..((y + 1) * size * 4) as usize];
                ((2 * size).div_ceil(3)..size).flat_map(row).copied().collect()
            };
            let plain = corner(compose(Panel::Dark, size, icon(0, false, false, false)));
            for badge in [icon(10, true, false, true), icon(8, false, false, false), icon(0, false, true, true)] {
                assert_eq!(corner(compose(Panel::Dark, size, badge)), plain, "{size} {badge:?}");
            }
        }
    }

    /// Without the right side of its bowl a P is an F.
    #[test]
    fn a_number_leaves_the_letter_a_p() {
        for size in SIZES {
            for count in 1..=10 {
                let picture = compose(Panel::Dark, size, icon(count, false, false, false));
                // halfway down the bowl: the stem, the hole, the right side
                let row = size * 7 / 32 * size;
                let white = |from: u32, to: u32| {
                    (size * from / 32..=size * to / 32).any(|x| {
                        let pixel = &picture.pixels[((row + x) * 4) as usize..][..4];
                        pixel[0] > 0xc0 && pixel[3] > 0x80
                    })
                };
                assert!(white(3, 5) && white(10, 12), "{size} {count}");
            }
        }
    }

    #[test]
    fn the_badge_is_red_only_when_critical() {
        let plain = compose(Panel::Dark, 48, icon(3, false, false, false));
        let critical = compose(Panel::Dark, 48, icon(3, true, false, false));
        assert!(has(&plain, BLUE) && !has(&plain, RED));
        assert!(has(&critical, RED) && !has(&critical, BLUE));
    }

    #[test]
    fn what_is_not_seen_makes_no_other_picture() {
        assert_eq!(icon(10, false, false, false), icon(4000, false, true, false));
        assert_eq!(icon(0, false, false, false), icon(0, true, false, false));
        assert_ne!(icon(9, false, false, false), icon(10, false, false, false));
    }

    #[test]
    fn strokes_of_digits_are_whole_pixels() {
        let mut canvas = Rgba { size: 22, pixels: vec![0; 22 * 22 * 4] };
        canvas.glyph(4, 4, 1, 5, &DIGITS[3]);
        assert!(canvas.pixels.chunks_exact(4).all(|pixel| pixel[3] == 0 || pixel == [0xff; 4]));
        assert_eq!(canvas.pixels.chunks_exact(4).filter(|pixel| pixel[3] > 0).count(), 14);
    }

    #[test]
    fn an_unknown_size_takes_the_next_drawing() {
        let side = |size| compose(Panel::Light, size, icon(1, false, false, false)).size;
        assert_eq!((side(1), side(20), side(44), side(500)), (16, 22, 48, 64));
    }

    #[test]
    fn a_broken_drawing_is_seen_as_such() {
        assert_eq!(decode(b"no picture"), None);
    }
}
