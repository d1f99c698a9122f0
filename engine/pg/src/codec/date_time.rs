//! Dates and times: days and microseconds since 2000-01-01, in the proleptic Gregorian calendar.

use crate::codec::Error;

const DAY: i64 = 86_400_000_000;

/// Days from 0000-03-01, where the arithmetic below begins, to 2000-01-01.
const EPOCH: i64 = 730_425;

const INFINITY: &[u8] = b"\"infinity\"";
const MINUS_INFINITY: &[u8] = b"\"-infinity\"";

/// Writes `"2024-01-02"`.
pub(super) fn write_date(days: i32, out: &mut Vec<u8>) {
    match days {
        i32::MAX => return out.extend_from_slice(INFINITY),
        i32::MIN => return out.extend_from_slice(MINUS_INFINITY),
        _ => {}
    }
    out.push(b'"');
    let before_christ = calendar(i64::from(days), out);
    end(before_christ, out);
}

/// Writes `"2024-01-02T03:04:05.678"`, with `zone` behind it.
pub(super) fn write_timestamp(micros: i64, zone: &[u8], out: &mut Vec<u8>) {
    match micros {
        i64::MAX => return out.extend_from_slice(INFINITY),
        i64::MIN => return out.extend_from_slice(MINUS_INFINITY),
        _ => {}
    }
    out.push(b'"');
    let before_christ = calendar(micros.div_euclid(DAY), out);
    out.push(b'T');
    clock(micros.rem_euclid(DAY), out);
    out.extend_from_slice(zone);
    end(before_christ, out);
}

/// Writes `"03:04:05.678"`; the end of the day is `"24:00:00"`.
pub(super) fn write_time(micros: i64, out: &mut Vec<u8>) -> Result<(), Error> {
    if !(0..=DAY).contains(&micros) {
        return Err(Error::Malformed("time"));
    }
    out.push(b'"');
    clock(micros, out);
    out.push(b'"');
    Ok(())
}

/// Writes `"03:04:05.678+05:30"` from microseconds and seconds west of Greenwich.
pub(super) fn write_time_tz(bytes: &[u8; 12], out: &mut Vec<u8>) -> Result<(), Error> {
    let [t1, t2, t3, t4, t5, t6, t7, t8, z1, z2, z3, z4] = *bytes;
    let micros = i64::from_be_bytes([t1, t2, t3, t4, t5, t6, t7, t8]);
    let west = i32::from_be_bytes([z1, z2, z3, z4]);
    let seconds = west.unsigned_abs();
    // Postgres allows zones up to 15:59:59.
    if !(0..=DAY).contains(&micros) || seconds >= 16 * 3600 {
        return Err(Error::Malformed("time with time zone"));
    }
    out.push(b'"');
    clock(micros, out);
    out.push(if west <= 0 { b'+' } else { b'-' });
    let seconds = i64::from(seconds);
    two(seconds / 3600, out);
    if seconds % 3600 != 0 {
        out.push(b':');
        two(seconds / 60 % 60, out);
    }
    if seconds % 60 != 0 {
        out.push(b':');
        two(seconds % 60, out);
    }
    out.push(b'"');
    Ok(())
}

/// Writes year, month and day, and says whether the year is before Christ.
fn calendar(days: i64, out: &mut Vec<u8>) -> bool {
    // Years begin in March here, so that the leap day is the last; eras are 400 years.
    let days = days + EPOCH;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    // Year 0 is 1 BC.
    let (shown, before_christ) = if year > 0 { (year, false) } else { (1 - year, true) };
    if shown < 10_000 {
        two(shown / 100, out);
        two(shown % 100, out);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(shown).as_bytes());
    }
    out.push(b'-');
    two(month, out);
    out.push(b'-');
    two(day, out);
    before_christ
}

/// Writes hours, minutes, seconds and, without trailing zeros, microseconds.
fn clock(micros: i64, out: &mut Vec<u8>) {
    let seconds = micros / 1_000_000;
    two(seconds / 3600, out);
    out.push(b':');
    two(seconds / 60 % 60, out);
    out.push(b':');
    two(seconds % 60, out);
    let fraction = micros % 1_000_000;
    if fraction > 0 {
        out.push(b'.');
        two(fraction / 10_000, out);
        two(fraction / 100 % 100, out);
        two(fraction % 100, out);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

fn end(before_christ: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if before_christ { b" BC\"" } else { b"\"" });
}

/// Two digits of a number below 100.
fn two(number: i64, out: &mut Vec<u8>) {
    let digit = |digit: i64| b'0' + u8::try_from(digit % 10).unwrap_or(0);
    out.extend_from_slice(&[digit(number / 10), digit(number)]);
}
