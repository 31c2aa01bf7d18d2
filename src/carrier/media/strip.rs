//! What the camera wrote about place, time and person is taken out; what is seen stays as it is.

use crate::carrier::media::Kind;

/// The file without its notes; none when it is broken, for then nobody can say what is in it.
pub fn strip(kind: Kind, bytes: &[u8]) -> Option<Vec<u8>> {
    match kind {
        Kind::Jpeg => jpeg(bytes),
        Kind::Png => png(bytes),
        Kind::Gif => gif(bytes),
        Kind::Webp => webp(bytes),
        Kind::Pdf => Some(bytes.to_vec()),
    }
}

/// Keeps the segments that draw; of the notes only which side is up. Whatever follows the end of
/// the picture is cut: phones hang a second picture with notes of its own there.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = vec![0xff, 0xd8];
    let mut at = 2;
    let mut seen_orientation = false;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        while *bytes.get(at + 1)? == 0xff {
            at += 1; // fill bytes
        }
        let marker = *bytes.get(at + 1)?;
        if marker == 0xd9 {
            kept.extend_from_slice(&[0xff, 0xd9]);
            return Some(kept);
        }
        let length = usize::from(u16::from_be_bytes([
            *bytes.get(at + 2)?,
            *bytes.get(at + 3)?,
        ]));
        let segment = bytes.get(at..at + 2 + length)?;
        let content = segment.get(4..)?;
        let drawn = match marker {
            // JFIF, and Adobe's note on colours.
            0xe0 | 0xee => true,
            0xe2 => content.starts_with(b"ICC_PROFILE\0"),
            0xe1..=0xef | 0xfe => false,
            _ => true,
        };
        if drawn {
            kept.extend_from_slice(segment);
        } else if marker == 0xe1
            && !seen_orientation
            && let Some(side) = content.strip_prefix(b"Exif\0\0").and_then(orientation)
        {
            seen_orientation = true;
            kept.extend_from_slice(&only_orientation(side));
        }
        at += 2 + length;
        if marker == 0xda {
            let end = end_of_scan(bytes, at)?;
            kept.extend_from_slice(bytes.get(at..end)?);
            at = end;
        }
    }
}

/// Where the next marker stands after the coded picture: `ff00` is a byte of it, `ffd0` to `ffd7`
/// are its restarts.
fn end_of_scan(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        at += rest.iter().position(|byte| *byte == 0xff)?;
        match *bytes.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// Which side is up, 2 to 8: the one note that changes what is seen (TIFF 6.0, tag 274).
fn orientation(tiff: &[u8]) -> Option<u8> {
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let pair = [*tiff.get(at)?, *tiff.get(at + 1)?];
        Some(if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        })
    };
    let (low, high) = if little { (4, 6) } else { (6, 4) };
    let first = usize::from(short(low)?) | usize::from(short(high)?) << 16;
    for entry in 0..usize::from(short(first)?) {
        let at = first + 2 + entry * 12;
        if short(at)? == 0x0112 {
            let side = u8::try_from(short(at + 8)?).ok()?;
            return (2..=8).contains(&side).then_some(side);
        }
    }
    None
}

/// An APP1 segment that holds nothing but the orientation.
fn only_orientation(side: u8) -> Vec<u8> {
    let mut segment = vec![0xff, 0xe1, 0, 34];
    segment.extend_from_slice(b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    segment.extend_from_slice(&[side, 0, 0, 0, 0, 0, 0]);
    segment
}

/// Chunks that draw (PNG third edition; APNG among them).
const PNG_CHUNKS: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
    b"bKGD", b"pHYs", b"cICP", b"acTL", b"fcTL", b"fdAT",
];

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = bytes.get(..8)?.to_vec();
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        let end = at + 12 + usize::try_from(length).ok()?;
        let chunk = bytes.get(at..end)?;
        let name = chunk.get(4..8)?;
        if PNG_CHUNKS.iter().any(|known| known.as_slice() == name) {
            kept.extend_from_slice(chunk);
        }
        if name == b"IEND" {
            return Some(kept);
        }
        at = end;
    }
}

/// Keeps the frames and the loop; comments and what programs wrote for themselves go.
fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let flags = *bytes.get(10)?;
    let mut at = 13 + colours(flags);
    let mut kept = bytes.get(..at)?.to_vec();
    loop {
        let start = at;
        match *bytes.get(at)? {
            0x3b => {
                kept.push(0x3b);
                return Some(kept);
            }
            0x2c => {
                let flags = *bytes.get(at + 9)?;
                at = sub_blocks(bytes, at + 10 + colours(flags) + 1)?;
                kept.extend_from_slice(bytes.get(start..at)?);
            }
            0x21 => {
                let label = *bytes.get(at + 1)?;
                at = sub_blocks(bytes, at + 2)?;
                let block = bytes.get(start..at)?;
                let loops = block
                    .get(3..14)
                    .is_some_and(|name| name == b"NETSCAPE2.0" || name == b"ANIMEXTS1.0");
                if label == 0xf9 || (label == 0xff && loops) {
                    kept.extend_from_slice(block);
                }
            }
            _ => return None,
        }
    }
}

/// Bytes of a colour table, by the flags before it.
const fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

fn sub_blocks(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    let body = bytes.get(12..8 + usize::try_from(size).ok()?)?;
    let mut chunks = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let length = u32::from_le_bytes(body.get(at + 4..at + 8)?.try_into().ok()?);
        let length = usize::try_from(length).ok()?;
        let end = (at + 8 + length + (length & 1)).min(body.len());
        let chunk = body.get(at..end)?;
        match chunk.get(..4)? {
            b"VP8X" => {
                let mut header = chunk.to_vec();
                // It no longer says that notes follow.
                *header.get_mut(8)? &= !0b0000_1100;
                chunks.extend_from_slice(&header);
            }
            b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ANMF" | b"ICCP" => {
                chunks.extend_from_slice(chunk);
            }
            // EXIF, XMP, and what nobody knows.
            _ => {}
        }
        at = end;
    }
    let mut kept = b"RIFF".to_vec();
    kept.extend_from_slice(&u32::try_from(chunks.len() + 4).ok()?.to_le_bytes());
    kept.extend_from_slice(b"WEBP");
    kept.extend_from_slice(&chunks);
    Some(kept)
}
