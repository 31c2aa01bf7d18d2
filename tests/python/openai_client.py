"""Chats through the gateway with OpenAI's own package.

Usage: openai_client.py BASE_URL KEY CONTEXT
The model server behind it says what the last message asks for. Prints one line for each call.
"""

import asyncio
import json
import sys

import openai

base_url, key, context = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
settings = {"base_url": base_url, "max_retries": 0, "timeout": 20}
client = openai.OpenAI(api_key=key, **settings)
TOOLS = [{"type": "function", "function": {"name": "slots", "parameters": {"type": "object", "properties": {}}}}]
CLEAN = "say See you Wednesday at 3 PM with Dr. Ana Reyes."
CLINICAL = "say Your metformin 500 mg refill is ready."
ADVICE = "say You should stop taking your lisinopril."


def asked(words, **more):
    extra = more.pop("extra_body", {"anteroom": context})
    return {"model": "a-model", "messages": [{"role": "user", "content": words}], "extra_body": extra, **more}


def chat(words, **more):
    return client.chat.completions.create(**asked(words, **more))


def one(words, **more):
    return chat(words, **more).choices[0]


choice = one(CLEAN)
print("plain:", choice.finish_reason, choice.anteroom["verdict"], choice.message.content)
choice = one(CLINICAL)
print("rewritten:", choice.finish_reason, choice.anteroom["verdict"], choice.message.content)
print("behind the link:", choice.anteroom["portal"])
choice = one(ADVICE)
categories = {finding["category"] for finding in choice.anteroom["findings"] if finding["action"] == "hold"}
print("held:", choice.finish_reason, choice.anteroom["verdict"], repr(choice.message.content), *categories)
choice = one("tools", tools=TOOLS)
call = choice.message.tool_calls[0].function
print("tools:", choice.finish_reason, call.name, call.arguments, choice.message.content)


def stream(words, **more):
    """The text, the calls and the end of a stream, and what it used."""
    text, calls, end, used = "", [], None, None
    for chunk in chat(words, stream=True, stream_options={"include_usage": True}, **more):
        used = chunk.usage.total_tokens if chunk.usage else used
        for choice in chunk.choices:
            text += choice.delta.content or ""
            calls += choice.delta.tool_calls or []
            end = choice.finish_reason or end
    return text, calls, end, used


text, _, end, used = stream(CLEAN)
print("stream:", text, end, used)
text, _, end, _ = stream(ADVICE)
print("stream held:", repr(text), end)
_, calls, end, _ = stream("tools", tools=TOOLS)
print("stream tools:", calls[0].function.name, calls[0].function.arguments, end)

with client.chat.completions.stream(**asked(CLEAN)) as events:
    kinds = sorted({event.type for event in events})
    whole = events.get_final_completion().choices[0]
print("stream helper:", whole.message.content, whole.finish_reason, *kinds)

result = {"role": "tool", "tool_call_id": "call_1", "content": CLEAN}
turns = [{"role": "user", "content": "tools"}, choice.message.model_dump(exclude_none=True), result]
choice = client.chat.completions.create(**{**asked(""), "messages": turns, "tools": TOOLS}).choices[0]
print("after a tool:", choice.finish_reason, choice.anteroom["verdict"])

print("choices:", *[choice.finish_reason for choice in chat(CLEAN, n=3).choices])


async def wait():
    async with openai.AsyncOpenAI(api_key=key, **settings) as waiting:
        setting = {"metadata": {"anteroom": json.dumps({"consent": "granted"})}}
        answer = await waiting.chat.completions.create(
            **asked("say We are open Mon-Fri 8:00 AM-6:00 PM.", extra_body={}, **setting)
        )
        return answer.choices[0]


choice = asyncio.run(wait())
print("async:", choice.finish_reason, choice.anteroom["verdict"])


def fails(name, call, *attributes):
    try:
        call()
        print(f"{name}: no error")
    except openai.APIStatusError as error:
        print(" ".join([f"{name}: {type(error).__name__}"] + [str(getattr(error, it)) for it in attributes]))


fails("429", lambda: chat("limit"), "code")
fails("500", lambda: chat("refused 500"))
fails("400", lambda: chat(CLEAN, extra_body={"anteroom": {"consent": "perhaps"}}), "param")
stranger = openai.OpenAI(api_key="not-the-key", **settings)
fails("401", lambda: stranger.chat.completions.create(**asked(CLEAN)))
