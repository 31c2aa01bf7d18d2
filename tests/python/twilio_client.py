"""Posts webhooks as Twilio does, signed by Twilio's own package.

Usage: twilio_client.py SERVER PUBLIC_URL AUTH_TOKEN ACCOUNT_SID
Prints one line for each call: its name, the status, the content type.
"""

import hashlib
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from twilio.request_validator import RequestValidator

server, public_url, token, account = sys.argv[1:]
public_url = public_url.rstrip("/")
validator = RequestValidator(token)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def text(number, body, **more):
    """The fields of a text, as Twilio documents them."""
    return {
        "ToCountry": "US",
        "MessageSid": f"SM{number:032x}",
        "SmsMessageSid": f"SM{number:032x}",
        "SmsSid": f"SM{number:032x}",
        "SmsStatus": "received",
        "AccountSid": account,
        "From": "+14155550142",
        "To": "+14155550101",
        "FromCity": "",
        "NumMedia": "0",
        "NumSegments": "1",
        "ApiVersion": "2010-04-01",
        "Body": body,
        **more,
    }


def send(name, path, body, content_type, signature):
    headers = {"Content-Type": content_type, "User-Agent": "TwilioProxy/1.1"}
    if signature is not None:
        headers["X-Twilio-Signature"] = signature
    request = urllib.request.Request(server + path, body, headers, method="POST")
    try:
        answer = opener.open(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    print(" ".join(filter(None, [name, str(answer.status), answer.headers.get("Content-Type")])))


def post(name, path, fields):
    body = urllib.parse.urlencode(fields).encode()
    signature = validator.compute_signature(public_url + path, fields)
    send(name, path, body, "application/x-www-form-urlencoded", signature)


inbound = "/webhooks/twilio/lakeside"
post("text", inbound, text(1, "Can I move my visit to Friday?"))
post("text again", inbound, text(1, "Can I move my visit to Friday?"))
post("unicode", inbound, text(2, "Gracias 😀 señora + 100 %"))
post(
    "whatsapp",
    inbound,
    text(
        3,
        "Confirm",
        From="whatsapp:+14155550142",
        To="whatsapp:+14155550103",
        ButtonPayload='{"appt":"FAKE-9"}',
        ProfileName="Ana 🌸",
    ),
)
post("query", inbound + "?tenant=acme&x=%2B1%20a", text(4, "con consulta"))

payload = json.dumps(text(5, "from JSON")).encode()
path = f"{inbound}?bodySHA256={hashlib.sha256(payload).hexdigest()}"
send("json", path, payload, "application/json", validator.compute_signature(public_url + path, {}))

post(
    "report",
    inbound + "/status",
    {
        "MessageSid": f"SM{'0' * 30}42",
        "MessageStatus": "delivered",
        "AccountSid": account,
        "From": "+14155550101",
        "To": "+14155550142",
        "ApiVersion": "2010-04-01",
    },
)

fields = text(6, "forged")
form = urllib.parse.urlencode(fields).encode()
guess = RequestValidator("guess").compute_signature(public_url + inbound, fields)
send("forged", inbound, form, "application/x-www-form-urlencoded", guess)
send("unsigned", inbound, form, "application/x-www-form-urlencoded", None)
