//! Frames of a client, as far as it takes to know whether a message is under way (RFC 6455, 5.2). Nothing is checked
//! here: what breaks the rules is found by the codec.

/// The longest head: two bytes, eight of length, four of mask.
const LONGEST_HEAD: usize = 14;

/// See the module.
#[derive(Debug, Default)]
pub struct Frames {
    head: [u8; LONGEST_HEAD],
    /// Bytes of the head that have come.
    have: usize,
    /// Bytes of the payload that are to come.
    left: u64,
    /// The frame under way belongs to a message that it does not end, or to none.
    ends: Option<bool>,
    /// A message has begun in an earlier frame.
    open: bool,
}

impl Frames {
    /// These bytes came. Whether nothing was under way at some moment while they did.
    pub fn pass(&mut self, mut bytes: &[u8]) -> bool {
        let mut rested = self.is_at_rest();
        while let Some((byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                let here = usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.left -= u64::try_from(here).unwrap_or(self.left);
                bytes = bytes.get(here..).unwrap_or_default();
            } else {
                bytes = rest;
                if let Some(slot) = self.head.get_mut(self.have) {
                    *slot = *byte;
                }
                self.have += 1;
                if self.have < self.length_of_head() {
                    continue;
                }
                self.begin();
            }
            if self.left == 0 {
                if let Some(ends) = self.ends.take() {
                    self.open = !ends;
                }
                rested |= self.is_at_rest();
            }
        }
        rested
    }

    /// Whether no message is under way, and no frame.
    pub fn is_at_rest(&self) -> bool {
        self.have == 0 && self.left == 0 && !self.open
    }

    fn length_of_head(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let length = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + length + mask
    }

    /// The head is whole.
    fn begin(&mut self) {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        self.left = match self.head[1] & 0x7f {
            126 => number(&self.head[2..4]),
            127 => number(&self.head[2..10]),
            short => u64::from(short),
        };
        // Control frames may come between those of a message, and are none of it.
        let is_control = self.head[0] & 0x08 != 0;
        self.ends = (!is_control).then_some(self.head[0] & 0x80 != 0);
        self.have = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Fuzz;

    fn frame(first: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
            126..=65535 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        // Looks like the head of a long frame.
        bytes.extend(std::iter::repeat_n(0xff, length));
        bytes
    }

    /// Whether each frame leaves nothing under way, however its bytes are cut.
    fn at_rest(frames: &[(u8, usize)]) -> Vec<bool> {
        let tell = |cut: usize| {
            let mut read = Frames::default();
            let after = frames.iter().map(|(first, length)| {
                for piece in frame(*first, *length).chunks(cut) {
                    read.pass(piece);
                }
                read.is_at_rest()
            });
            after.collect::<Vec<bool>>()
        };
        let whole = tell(usize::MAX);
        for cut in [1, 2, 3, 7, 1000] {
            assert_eq!(tell(cut), whole, "{cut}");
        }
        whole
    }

    #[test]
    fn messages_end_with_their_last_frame() {
        const TEXT: u8 = 0x01;
        const LAST: u8 = 0x80;
        const PING: u8 = 0x89;
        for length in [0, 1, 125, 126, 65535, 65536] {
            assert_eq!(at_rest(&[(TEXT | LAST, length), (PING, 5)]), [true, true]);
            assert_eq!(
                at_rest(&[(TEXT, length), (PING, 0), (0, length), (PING, 125), (LAST, 1)]),
                [false, false, false, false, true]
            );
        }
    }

    /// Bytes by chance, cut by chance: nothing panics, and how they were cut makes no difference.
    #[test]
    fn random_bytes() {
        let mut fuzz = Fuzz::begin();
        while fuzz.goes_on() {
            let bytes: Vec<u8> = (0..fuzz.below(300))
                .map(|_| match fuzz.below(3) {
                    0 => u8::try_from(fuzz.below(256)).unwrap(),
                    1 => [0x01, 0x81, 0x00, 0x80, 0x89, 0x88][fuzz.below(6)],
                    _ => [0x80, 0x81, 0xfe, 0xff, 0x7f, 3][fuzz.below(6)],
                })
                .collect();
            let (mut whole, mut cut) = (Frames::default(), Frames::default());
            let rested = whole.pass(&bytes);
            let mut rested_in_parts = cut.is_at_rest();
            let mut left = bytes.as_slice();
            while !left.is_empty() {
                let (piece, rest) = left.split_at(1 + fuzz.below(left.len()));
                rested_in_parts |= cut.pass(piece);
                left = rest;
            }
            assert_eq!(
                (whole.is_at_rest(), whole.left, rested),
                (cut.is_at_rest(), cut.left, rested_in_parts)
            );
        }
    }

    #[test]
    fn a_rest_within_is_noticed() {
        let mut frames = Frames::default();
        let mut bytes = frame(0x81, 3);
        bytes.push(0x81);
        assert!(frames.pass(&bytes) && !frames.is_at_rest());
        assert!(!frames.pass(&[0x80 | 5, 0, 0, 0, 0, 1]), "no more than begun");
        assert!(frames.pass(&[1, 1, 1, 1]) && frames.is_at_rest());
    }
}
