//! Pictures from patients: what is kept of them, and where they may be fetched from.

#![cfg(test)]

use std::net::IpAddr;

use anteroom::carrier::exchange::{FetchFault, Patience, client};
use anteroom::carrier::media::{Kind, MEDIA_BYTES_MAX, fetch, is_public, strip};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], length.as_slice(), content].concat()
}

/// An EXIF block with an orientation and a place.
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    block.extend_from_slice(b"\x01\x12\0\x03\0\0\0\x01\0");
    block.push(orientation);
    block.extend_from_slice(b"\0\0");
    block.extend_from_slice(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26");
    block.extend_from_slice(b"\0\0\0\0GPS 37.7749 -122.4194 Maria Sample");
    block
}

fn jpeg(notes: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    file.extend(segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"));
    file.extend(notes.concat());
    file.extend(segment(0xdb, &[0; 65]));
    file.extend(segment(0xda, &[1, 1, 0, 0, 63, 0]));
    file.extend_from_slice(&[0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56]);
    file.extend_from_slice(&[0xff, 0xd9]);
    file
}

#[test]
fn a_photo_loses_its_notes_and_keeps_its_picture_and_which_side_is_up() {
    let plain = jpeg(&[]);
    assert_eq!(strip(Kind::Jpeg, &plain).unwrap(), plain);
    let icc = segment(0xe2, b"ICC_PROFILE\0\x01\x01profile");
    let noted = jpeg(&[
        segment(0xe1, &exif(6)),
        segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0Maria Sample"),
        icc.clone(),
        segment(0xed, b"Photoshop 3.0\0Maria Sample"),
        segment(0xfe, b"Maria Sample"),
    ]);
    // A second picture with notes of its own hangs behind the first.
    let noted = [noted, jpeg(&[segment(0xe1, &exif(1))])].concat();
    let kept = strip(Kind::Jpeg, &noted).unwrap();
    let seen = String::from_utf8_lossy(&kept).into_owned();
    assert!(!seen.contains("Maria") && !seen.contains("GPS"), "{seen}");
    assert!(kept.windows(icc.len()).any(|it| it == icc));
    assert!(
        kept.windows(7)
            .any(|it| it == [0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56])
    );
    assert_eq!(kept.iter().position(|it| *it == 0xd9), Some(kept.len() - 1));
    let side = kept.windows(4).position(|it| it == b"Exif").unwrap();
    assert_eq!(kept[side + 25], 6, "which side is up");
    assert_eq!(strip(Kind::Jpeg, &kept).unwrap(), kept, "once is enough");
    for cut in [3, 20, 60, plain.len() - 1] {
        assert_eq!(strip(Kind::Jpeg, &plain[..cut]), None, "cut at {cut}");
    }
}

#[test]
fn other_pictures_lose_their_notes_too() {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [length.as_slice(), name, content, &[0; 4]].concat()
    };
    let head = b"\x89PNG\r\n\x1a\n".to_vec();
    let drawn = [chunk(b"IHDR", &[0; 13]), chunk(b"IDAT", b"pixels")].concat();
    let notes = [
        chunk(b"eXIf", b"Maria"),
        chunk(b"tEXt", b"Maria"),
        chunk(b"tIME", &[0; 7]),
    ]
    .concat();
    let png = [
        head.clone(),
        drawn.clone(),
        notes,
        chunk(b"IEND", b""),
        b"Maria".to_vec(),
    ]
    .concat();
    assert_eq!(
        strip(Kind::Png, &png).unwrap(),
        [head, drawn, chunk(b"IEND", b"")].concat()
    );

    let part = |name: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [name.as_slice(), length.as_slice(), content].concat()
    };
    let riff = |parts: &[Vec<u8>]| {
        let body = parts.concat();
        let length = u32::try_from(body.len() + 4).unwrap().to_le_bytes();
        [b"RIFF".as_slice(), &length, b"WEBP", &body].concat()
    };
    let flags = |flags: u8| part(b"VP8X", &[flags, 0, 0, 0, 1, 0, 0, 1, 0, 0]);
    let picture = part(b"VP8 ", b"pixels");
    let webp = riff(&[
        flags(0b0010_1100),
        picture.clone(),
        part(b"EXIF", b"Maria!"),
        part(b"XMP ", b"Maria!"),
    ]);
    assert_eq!(
        strip(Kind::Webp, &webp).unwrap(),
        riff(&[flags(0b0010_0000), picture])
    );

    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    let frame = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0".to_vec();
    let loops = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0".to_vec();
    let comment = b"\x21\xfe\x05Maria\0".to_vec();
    let gif = [
        head.clone(),
        loops.clone(),
        comment,
        frame.clone(),
        b"\x3bMaria".to_vec(),
    ]
    .concat();
    assert_eq!(
        strip(Kind::Gif, &gif).unwrap(),
        [head, loops, frame, vec![0x3b]].concat()
    );
}

#[test]
fn a_kind_is_known_by_its_bytes_alone() {
    for (bytes, kind) in [
        (b"\xff\xd8\xff\xe0".as_slice(), Some(Kind::Jpeg)),
        (b"%PDF-1.7", Some(Kind::Pdf)),
        (b"RIFF\0\0\0\0WEBPVP8 ", Some(Kind::Webp)),
        (b"<!DOCTYPE html><html>", None),
        (b"<svg xmlns=", None),
        (b"PK\x03\x04", None),
        (b"MZ", None),
        (b"", None),
    ] {
        assert_eq!(Kind::of(bytes), kind, "{bytes:?}");
    }
}

#[test]
fn only_addresses_of_the_public_internet_are_fetched_from() {
    for (address, public) in [
        ("8.8.8.8", true),
        ("52.1.2.3", true),
        ("2600:1f18::1", true),
        ("127.0.0.1", false),
        ("127.8.8.8", false),
        ("10.0.0.1", false),
        ("172.16.0.1", false),
        ("172.31.255.255", false),
        ("192.168.1.1", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("0.0.0.0", false),
        ("192.0.0.8", false),
        ("198.18.0.1", false),
        ("203.0.113.9", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("::1", false),
        ("::", false),
        ("fe80::1", false),
        ("fc00::1", false),
        ("fd12::1", false),
        ("ff02::1", false),
        ("::ffff:10.0.0.1", false),
        ("::ffff:8.8.8.8", true),
        ("64:ff9b::10.0.0.1", false),
        ("64:ff9b::8.8.8.8", true),
        ("2002:7f00:1::1", false),
        ("2001:db8::1", false),
        ("2001::1", false),
    ] {
        let parsed: IpAddr = address.parse().unwrap();
        assert_eq!(is_public(parsed), public, "{address}");
    }
}

#[tokio::test]
async fn what_a_carrier_gives_is_read_within_limits_and_it_sends_us_nowhere_inside() {
    let server = MockServer::start().await;
    let big = vec![0; MEDIA_BYTES_MAX + 1];
    for (name, template) in [
        (
            "fits",
            ResponseTemplate::new(200).set_body_bytes(vec![1, 2, 3]),
        ),
        ("big", ResponseTemplate::new(200).set_body_bytes(big)),
        ("gone", ResponseTemplate::new(404)),
        ("later", ResponseTemplate::new(503)),
        (
            "inside",
            ResponseTemplate::new(307).insert_header("Location", "https://127.0.0.1/x"),
        ),
        (
            "meta",
            ResponseTemplate::new(302).insert_header("Location", "https://169.254.169.254/"),
        ),
        (
            "plain",
            ResponseTemplate::new(302).insert_header("Location", "http://example.com/x"),
        ),
        (
            "name",
            ResponseTemplate::new(302).insert_header("Location", "https://localhost/x"),
        ),
        (
            "port",
            ResponseTemplate::new(302).insert_header("Location", "https://example.com:8443/"),
        ),
        (
            "file",
            ResponseTemplate::new(302).insert_header("Location", "file:///etc/passwd"),
        ),
        (
            "user",
            ResponseTemplate::new(302).insert_header("Location", "https://a:b@example.com/"),
        ),
        ("nowhere", ResponseTemplate::new(302)),
    ] {
        Mock::given(path(format!("/{name}")))
            .respond_with(template)
            .mount(&server)
            .await;
    }
    let http = client(Patience::default()).unwrap();
    for (name, expected) in [
        ("fits", Ok(vec![1, 2, 3])),
        ("big", Err(FetchFault::TooLarge)),
        ("gone", Err(FetchFault::Gone)),
        ("later", Err(FetchFault::Later)),
        ("inside", Err(FetchFault::Elsewhere)),
        ("meta", Err(FetchFault::Elsewhere)),
        ("plain", Err(FetchFault::Elsewhere)),
        ("name", Err(FetchFault::Elsewhere)),
        ("port", Err(FetchFault::Elsewhere)),
        ("file", Err(FetchFault::Elsewhere)),
        ("user", Err(FetchFault::Elsewhere)),
        ("nowhere", Err(FetchFault::Elsewhere)),
    ] {
        let address = format!("{}/{name}", server.uri()).parse().unwrap();
        let got = fetch(&http, address, |request| request).await;
        assert_eq!(got, expected, "{name}");
    }
}
