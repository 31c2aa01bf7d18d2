"""What schemathesis sends where a body is an e-mail: any bytes, and messages that look like bounces."""

import schemathesis
from hypothesis import strategies as st

NOTICE = (
    "From: MAILER-DAEMON@mail.example.com\r\nTo: bounces@lakeside.example.com\r\nSubject: Undelivered\r\n"
    "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example.com\r\n\r\n"
    "Final-Recipient: rfc822; {to}@example.com\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{id}@lakeside.example.com>\r\n\r\n--b--\r\n"
)

word = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=40)
notice = st.builds(
    NOTICE.format, to=word, action=st.sampled_from(["failed", "delayed", "delivered", "x"]), status=word, id=word
)
schemathesis.openapi.media_type("message/rfc822", st.one_of(st.binary(min_size=1, max_size=4096), notice.map(str.encode)))
