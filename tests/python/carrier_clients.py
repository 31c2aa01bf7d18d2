"""The carriers' official clients against the fake carrier, and their validators against its webhooks.

Usage: carrier_clients.py BASE HOOKS NOW
BASE is where the fake carrier listens; HOOKS a JSON file with webhooks that it would post:
[{"kind", "url", "headers": {...}, "body"}]; NOW the present in seconds. Prints one line for each thing
that was done, and, after `hook `, webhooks as the carriers' own libraries spell and sign them.
"""

import base64
import hashlib
import hmac
import json
import sys
import urllib.parse
import warnings

import bandwidth
import bird as bird_platform
import jwt
import messagebird
import twilio.base.exceptions
import twilio.http.http_client
import twilio.rest
from bird._generated import EventWhatsAppReceived as WhatsAppReceived
from bandwidth.models import InboundCallback, MessageRequest, StatusCallback
from messagebird.error import ValidationError
from messagebird.http_client import HttpClient
from messagebird.request_validator import RequestValidator as MessagebirdValidator
from twilio.request_validator import RequestValidator as TwilioValidator

base, hooks, now = sys.argv[1], sys.argv[2], int(sys.argv[3])
ACCOUNT = "AC" + "0" * 31 + "1"
PATIENT, PRACTICE = "+14155550142", "+14155550101"


# The invented keys are short.
warnings.simplefilter("ignore")


def told(*words):
    print(*words)


# Twilio


class ToFake(twilio.http.http_client.TwilioHttpClient):
    """Twilio's client with another host."""

    def request(self, method, url, *rest, **more):
        parts = urllib.parse.urlsplit(url)
        assert parts.hostname == "api.twilio.com", url
        return super().request(method, base + urllib.parse.urlunsplit(("", "") + parts[2:]), *rest, **more)


client = twilio.rest.Client(ACCOUNT, "FAKE", http_client=ToFake())
sent = client.messages.create(
    to=PATIENT,
    from_=PRACTICE,
    body="Gracias 😀 señora + 100 %",
    media_url=["https://example.com/card.vcf", "https://example.com/map.png"],
    status_callback="http://127.0.0.1:9/webhooks/twilio/lakeside/status?ref=lakeside-7",
    validity_period=600,
)
told("twilio create", sent.status, sent.num_media, sent.direction, sent.date_created is not None)
again = client.messages(sent.sid).fetch()
told("twilio fetch", again.sid == sent.sid, again.status, again.body)
template = client.messages.create(
    to=f"whatsapp:{PATIENT}",
    from_=f"whatsapp:{PRACTICE}",
    content_sid="HX" + "0" * 31 + "7",
    content_variables=json.dumps({"1": "Lakeside"}),
)
told("twilio template", template.status, template.to)
listed = client.messages.list(to=PATIENT, from_=PRACTICE, limit=20)
told("twilio list", [it.sid == sent.sid for it in listed])
told("twilio redact", repr(client.messages(sent.sid).update(body="").body))
told("twilio account", client.api.accounts(ACCOUNT).fetch().status)
received = client.messages.list(to=PRACTICE, limit=20)[0]
media = client.messages(received.sid).media.list()
told("twilio media", received.direction, received.num_media, [it.content_type for it in media])
told("twilio media delete", client.messages(received.sid).media(media[0].sid).delete())
told("twilio media again", client.messages(received.sid).media.list())
for name, call in {
    "no body": lambda: client.messages.create(to=PATIENT, from_=PRACTICE),
    "foreign number": lambda: client.messages.create(to=PATIENT, from_="+14155550199", body="x"),
    "too long": lambda: client.messages.create(to=PATIENT, from_=PRACTICE, body="x" * 1601),
    "unknown": lambda: client.messages("SM" + "f" * 32).fetch(),
    "wrong token": lambda: twilio.rest.Client(ACCOUNT, "guess", http_client=ToFake()).messages(sent.sid).fetch(),
}.items():
    try:
        call()
        told("twilio", name, "taken")
    except twilio.base.exceptions.TwilioRestException as refusal:
        told("twilio", name, refusal.status, refusal.code)

for edge, region in [("", ""), ("", "us1"), ("", "ie1"), ("dublin", "ie1"), ("ashburn", ""), ("sydney", "au1")]:
    regional = twilio.rest.Client(ACCOUNT, "FAKE", region=region or None, edge=edge or None)
    told("twilio host", f"{edge}/{region}", urllib.parse.urlsplit(regional.get_hostname("https://api.twilio.com/x")).hostname)

# MessageBird

bird = messagebird.Client("FAKE", HttpClient(base + "/", "FAKE", "anteroom-tests"))
told("messagebird balance", bird.balance().payment)
message = bird.message_create(
    PRACTICE, [PATIENT], "Gracias 😀", {"reference": "lakeside-8", "reportUrl": "http://127.0.0.1:9/r"}
)
told("messagebird create", message.direction, message.reference, message.recipients["items"][0].recipient)
state = bird.message(message.id)
told("messagebird fetch", state.recipients["items"][0].status, state.createdDatetime is not None)
page = bird.message_list(limit=10)
told("messagebird list", [it.id == message.id for it in page.items if it.reference == "lakeside-8"])
picture = bird.mms_create(
    PRACTICE, [PATIENT], "Our card", ["https://example.com/card.vcf"], reference="lakeside-10"
)
told("messagebird mms", picture.direction, picture.reference, picture.mediaUrls)
for name, call in {
    "unknown": lambda: bird.message("f" * 32),
    "wrong key": lambda: messagebird.Client("x", HttpClient(base + "/", "x", "t")).balance(),
}.items():
    try:
        call()
        told("messagebird", name, "taken")
    except messagebird.client.ErrorException as refusal:
        told("messagebird", name, [it.code for it in refusal.errors])

# Bird's platform

platform = bird_platform.Bird(api_key="bk_us_FAKE", base_url=base, max_retries=0, webhook_secret="whsec_RkFLRQ==")
sms = platform.sms.send(
    to=PATIENT,
    from_=PRACTICE,
    text="Gracias 😀",
    category="transactional",
    metadata={"reference": "lakeside-11"},
    options={"idempotency_key": "lakeside-11"},
)
told("bird create", sms.status.value, sms.direction.value, sms.metadata["reference"])
again = platform.sms.send(
    to=PATIENT, from_=PRACTICE, text="Gracias 😀", category="transactional", options={"idempotency_key": "lakeside-11"}
)
told("bird once", again.id == sms.id)
told("bird fetch", platform.sms.get(sms.id).status.value)
told("bird list", [it.id == sms.id for it in platform.sms.list() if it.metadata and it.metadata["reference"] == "lakeside-11"])
free = platform.whatsapp.send(to=PATIENT, from_=PRACTICE, text={"body": "Hola"})
told("bird whatsapp", free.status.value, free.to.phone_number, free.text.body)
approved = platform.whatsapp.send(
    to=PATIENT,
    from_=PRACTICE,
    template="ask_to_write",
    language="en",
    components=[{"type": "body", "parameters": [{"type": "text", "text": "Lakeside"}]}],
)
told("bird template", approved.template.slug, approved.template.components[0].parameters[0].text)
told("bird whatsapp fetch", platform.whatsapp.get(approved.id).status.value)
received = next(it for it in platform.whatsapp.list() if it.direction.value == "inbound" and it.image)
media = platform.whatsapp.messages.media(received.id, received.image.id)
told("bird media", received.image.caption, media.data.endswith(b"picture"))
for name, call in {
    "unknown": lambda: platform.whatsapp.get("wam_" + "0" * 25 + "z"),
    "foreign number": lambda: platform.sms.send(to=PATIENT, from_="+14155550199", text="x", category="transactional"),
    "wrong key": lambda: bird_platform.Bird(api_key="bk_us_x", base_url=base, max_retries=0).sms.get(sms.id),
}.items():
    try:
        call()
        told("bird", name, "taken")
    except bird_platform.APIStatusError as refusal:
        told("bird", name, refusal.status_code, refusal.type, refusal.name)

# Bandwidth


class ToFakeBandwidth(bandwidth.ApiClient):
    """Bandwidth's client with another host."""

    def call_api(self, method, url, *rest, **more):
        prefix = "https://messaging.bandwidth.com"
        assert url.startswith(prefix), url
        return super().call_api(method, base + url[len(prefix) :], *rest, **more)


api = ToFakeBandwidth(bandwidth.Configuration(username="api", password="FAKE"))
messages, files = bandwidth.MessagesApi(api), bandwidth.MediaApi(api)
request = MessageRequest(
    applicationId="fake",
    to=[PATIENT],
    **{"from": PRACTICE},
    text="Gracias 😀",
    media=["https://example.com/card.vcf"],
    tag="lakeside-9",
)
one = messages.create_message("9900000", request)
told("bandwidth create", one.direction.value, one.tag, one.media, one.segment_count)
found = messages.list_messages("9900000", source_tn=PRACTICE, destination_tn=PATIENT)
told("bandwidth list", [it.message_status.value for it in found.messages if it.message_id == one.id])
for name, call in {
    "no text": lambda: messages.create_message(
        "9900000", MessageRequest(applicationId="other", to=[PATIENT], **{"from": PRACTICE}, text="x")
    ),
    "no media": lambda: files.get_media("9900000", "none"),
}.items():
    try:
        call()
        told("bandwidth", name, "taken")
    except bandwidth.ApiException as refusal:
        told("bandwidth", name, refusal.status, json.loads(refusal.body)["type"])

# What the fake carrier posts, before the validators and models of the carriers' own packages

for hook in json.load(open(hooks)):
    kind, url, headers, body = hook["kind"], hook["url"], hook["headers"], hook["body"]
    if kind == "twilio":
        fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        check = TwilioValidator("FAKE").validate
        given = headers["x-twilio-signature"]
        changed = {**fields, "To": "+14155550199"}
        told(kind, "webhook", check(url, fields, given), check(url, changed, given))
    elif kind == "messagebird":
        token, validator = headers["messagebird-signature-jwt"], MessagebirdValidator("FAKE")
        # The validator has the present for a clock; the webhook was signed at another.
        real = jwt.decode
        at_any_time = {"verify_exp": False, "verify_nbf": False}
        jwt.decode = lambda *a, **k: real(*a, **{**k, "options": {**k["options"], **at_any_time}})
        claims = validator.validate_signature(token, url, body.encode())
        try:
            validator.validate_signature(token, url + "&x=1", body.encode())
            told(kind, "webhook", "believes another address")
        except ValidationError as refusal:
            told(kind, "webhook", claims["iss"], claims["exp"] - claims["nbf"], str(refusal))
        jwt.decode = real
    elif kind == "bandwidth":
        events = json.loads(body)
        for event in events:
            model = InboundCallback if event["type"] == "message-received" else StatusCallback
            read = model.from_dict(event)
            told(kind, "webhook", read.type.value, read.message.direction.value, read.message.owner)
    elif kind == "bird":
        # The webhook was signed at another time than now.
        read = platform.webhooks.unwrap(body, headers, tolerance=10**12).root
        words = getattr(read.data, "text", None)
        told(kind, "webhook", read.type, getattr(words, "body", words))
        try:
            platform.webhooks.unwrap(body + " ", headers, tolerance=10**12)
            told(kind, "webhook", "believes another body")
        except bird_platform.WebhookVerificationError as refusal:
            told(kind, "webhook", str(refusal))

# What the carriers' own packages spell and sign, for our webhooks

message = {
    "id": "14762070468292kw2fuqty55yp2b2",
    "owner": PRACTICE,
    "applicationId": "fake",
    "time": "2026-12-01T18:00:00.000Z",
    "segmentCount": 1,
    "direction": "in",
    "to": [PRACTICE],
    "from": PATIENT,
    "text": "¿Cuándo? 😀",
    "media": [],
    "channel": "SMS",
}
event = {"time": message["time"], "to": PRACTICE, "description": "told", "message": message}
received = InboundCallback.from_dict({"type": "message-received", **event})
failed = StatusCallback.from_dict(
    {
        "type": "message-failed",
        "errorCode": 4775,
        **event,
        "to": PATIENT,
        "message": {**message, "direction": "out", "text": "", "tag": "lakeside-7"},
    }
)
spell = lambda it: json.loads(json.dumps(it.to_dict(), default=lambda time: time.isoformat()))
hook = {"kind": "bandwidth", "url": "http://127.0.0.1:9/webhooks/bandwidth/lakeside", "jwt": ""}
hook["authorization"] = "Basic " + base64.b64encode(b"hook:FAKE").decode()
print("hook", json.dumps({**hook, "body": json.dumps([spell(received), spell(failed)])}))

body = json.dumps({"id": "a" * 32, "originator": PATIENT[1:], "recipient": PRACTICE[1:], "body": "¿Cuándo? 😀"})
url = "http://127.0.0.1:9/webhooks/messagebird/lakeside"
digest = lambda text: hashlib.sha256(text.encode()).hexdigest()
claims = {"iss": "MessageBird", "nbf": now, "exp": now + 60, "jti": "once", "url_hash": digest(url), "payload_hash": digest(body)}
token = jwt.encode(claims, "FAKE", "HS256")
print("hook", json.dumps({"kind": "messagebird", "url": url, "authorization": "", "jwt": token, "body": body}))

# Bird's own model of what a patient presses, and its documented signature.
pressed = WhatsAppReceived.model_validate(
    {
        "type": "whatsapp.received",
        "timestamp": "2026-12-01T18:00:00Z",
        "data": {
            "whatsapp_id": "wam_01krdgeqcxet5s7t44vh8rt9mg",
            "workspace_id": "ws_01krdgeqcxet5s7t44vh8rt9mg",
            "direction": "inbound",
            "from": {"phone_number": PATIENT, "bsuid": "US.1", "display_name": "Tom"},
            "to": {"phone_number": PRACTICE},
            "tags": None,
            "metadata": None,
            "interactive_reply": {"type": "button", "button": {"slug": "consent.yes", "text": "Sí 😀"}},
        },
    }
)
body = pressed.model_dump_json(by_alias=True)
secret = base64.b64decode("RkFLRQ==")
signature = base64.b64encode(hmac.new(secret, f"msg_1.{now}.{body}".encode(), hashlib.sha256).digest()).decode()
url = "http://127.0.0.1:9/webhooks/bird/lakeside"
standard = {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": "v1," + signature}
print("hook", json.dumps({"kind": "bird", "url": url, "authorization": "", "jwt": "", "body": body, **standard}))
