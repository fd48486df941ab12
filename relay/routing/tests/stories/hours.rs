//! Business hours, holidays, and the days clocks change (X09).

use yingke_routing::hours::{Date, Hours, Span, SpecialDay, Transition, Zone};
use yingke_routing::{AfterHours, Department, Fact};

use crate::story::{MINUTE, Story, calm};

const HOUR: u64 = 60 * MINUTE;

fn utc(year: i32, month: u8, day: u8, hour: u64, minute: u64) -> u64 {
    let days = u64::try_from(Date { year, month, day }.days()).unwrap_or(0);
    days * 24 * HOUR + hour * HOUR + minute * MINUTE
}

/// Berlin in 2026.
fn berlin() -> Zone {
    let summer = Transition { at: utc(2026, 3, 29, 1, 0), offset_s: 7_200 };
    let winter = Transition { at: utc(2026, 10, 25, 1, 0), offset_s: 3_600 };
    Zone { offset_s: 3_600, transitions: vec![summer, winter] }
}

fn at_work(after_hours: AfterHours) -> Department {
    // From midnight of a Thursday, which is when stories begin.
    let hours = Hours::workdays(Zone::default(), Span::new((0, 0), (1, 0)));
    Department { hours: Some(hours), after_hours, ..calm("sales") }
}

#[test]
fn x09_open_from_nine_to_six_as_the_wall_shows_it() {
    let hours = Hours::workdays(Zone::fixed(8 * 3_600), Span::new((9, 0), (18, 0)));
    // Monday, Shanghai.
    assert!(!hours.is_open(utc(2026, 11, 23, 0, 59)));
    assert!(hours.is_open(utc(2026, 11, 23, 1, 0)));
    assert!(hours.is_open(utc(2026, 11, 23, 9, 59)));
    assert!(!hours.is_open(utc(2026, 11, 23, 10, 0)));
    assert_eq!(hours.next_change(utc(2026, 11, 23, 10, 0)), Some(utc(2026, 11, 24, 1, 0)));
    // Friday evening to Monday morning.
    assert_eq!(hours.next_change(utc(2026, 11, 27, 10, 0)), Some(utc(2026, 11, 30, 1, 0)));
}

#[test]
fn x09_a_holiday_is_closed_and_a_made_up_saturday_open() {
    let mut hours = Hours::workdays(Zone::default(), Span::new((9, 0), (18, 0)));
    let day = |day| Date { year: 2026, month: 10, day };
    hours.special.push(SpecialDay { date: day(1), spans: Vec::new() });
    hours.special.push(SpecialDay { date: day(10), spans: vec![Span::new((10, 0), (12, 0))] });
    assert!(!hours.is_open(utc(2026, 10, 1, 10, 0)));
    assert!(hours.is_open(utc(2026, 10, 2, 10, 0)));
    assert!(hours.is_open(utc(2026, 10, 10, 11, 59)));
    assert!(!hours.is_open(utc(2026, 10, 10, 12, 0)));
    let before = utc(2026, 9, 30, 18, 0);
    assert_eq!(hours.next_change(before), Some(utc(2026, 10, 2, 9, 0)));
}

#[test]
fn x09_on_the_day_clocks_go_forward_nine_o_clock_is_an_hour_earlier() {
    let hours = Hours { week: [const { Vec::new() }; 7], zone: berlin(), special: Vec::new() };
    let mut hours = hours;
    hours.week[6] = vec![Span::new((2, 30), (9, 0))];
    hours.week[5] = vec![Span::new((9, 0), (10, 0))];
    // The night of 29 March has no 02:30: it opens with 03:00, which follows 01:59.
    assert_eq!(hours.next_change(utc(2026, 3, 28, 9, 0)), Some(utc(2026, 3, 29, 1, 0)));
    assert_eq!(hours.next_change(utc(2026, 3, 29, 1, 0)), Some(utc(2026, 3, 29, 7, 0)));
}

#[test]
fn x09_on_the_day_clocks_go_back_the_hour_that_comes_twice_is_open_twice() {
    let mut hours = Hours { zone: berlin(), ..Hours::default() };
    hours.week[6] = vec![Span::new((2, 0), (2, 30))];
    let opens = utc(2026, 10, 25, 0, 0);
    assert_eq!(hours.next_change(utc(2026, 10, 24, 12, 0)), Some(opens));
    assert_eq!(hours.next_change(opens), Some(utc(2026, 10, 25, 0, 30)));
    assert_eq!(hours.next_change(utc(2026, 10, 25, 0, 30)), Some(utc(2026, 10, 25, 1, 0)));
    assert_eq!(hours.next_change(utc(2026, 10, 25, 1, 0)), Some(utc(2026, 10, 25, 1, 30)));
}

#[test]
fn x09_the_department_closes_with_people_in_line_and_still_serves_them() {
    let mut story = Story::with(at_work(AfterHours::ServeLine)).agent("ana", 1);
    story.is_served("a", "ana");
    story.arrives("b", "b AllFull");
    story.passes(HOUR, "");
    assert!(!story.router.is_open(&"sales".into()));
    // Who comes now is told that it is closed; who waited is served.
    story.arrives("late", "late Closed");
    story.over("a", "b to ana");
    story.done("");
    story.over("b", "");
    story.passes(24 * HOUR, "late to ana");
}

#[test]
fn x09_the_department_closes_and_the_line_with_it() {
    let closing = Department { file_after_ms: Some(5 * MINUTE), ..at_work(AfterHours::CloseLine) };
    let mut story = Story::with(closing).agent("ana", 1);
    story.is_served("a", "ana");
    story.arrives("b", "b AllFull");
    story.passes(58 * MINUTE, "b Closed");
    story.over("a", "");
    story.passes(5 * MINUTE, "b filed");
}

#[test]
fn p05_the_wall_clock_is_set_and_only_opening_hours_follow() {
    let mut story = Story::with(at_work(AfterHours::ServeLine)).agent("ana", 1);
    story.on(Fact::WallClock { ahead_ms: 5 * 3_600_000 }, "");
    assert!(!story.router.is_open(&"sales".into()));
    story.arrives("a", "a Closed");
    story.on(Fact::WallClock { ahead_ms: 0 }, "a to ana");
}
