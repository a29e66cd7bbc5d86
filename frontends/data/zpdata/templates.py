"""Chat templates: Jinja as the model hubs write it, in a sandbox, since a template comes with the model.

`render` gives the text and, for templates with {% generation %} blocks, the character spans that the model generates.
"""

import datetime
import json
import re

import jinja2
import jinja2.ext
import jinja2.sandbox

# The two formats of the PEFT guide's scripts. Each names its special tokens; those that the tokenizer lacks are added.
CHATML = """{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\n' }}
{%- if message['role'] == 'assistant' %}
{%- generation %}{{- message['content'] + '<|im_end|>' }}{%- endgeneration %}
{%- else %}
{{- message['content'] + '<|im_end|>' }}
{%- endif %}
{{- '\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"""

ZEPHYR = """{%- for message in messages %}
{%- if message['role'] in ['user', 'system'] %}
{{- '<|' + message['role'] + '|>\n' + message['content'] + eos_token + '\n' }}
{%- elif message['role'] == 'assistant' %}
{{- '<|assistant|>\n' }}
{%- generation %}{{- message['content'] + eos_token }}{%- endgeneration %}
{{- '\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>\n' }}{%- endif %}"""

# name -> (template, special tokens by role in the tokenizer, further special tokens in order)
FORMATS = {
    "chatml": (
        CHATML,
        {"bos_token": "<s>", "eos_token": "<|im_end|>", "pad_token": "<pad>"},
        ["<|im_start|>user", "<|im_start|>assistant", "<|im_start|>system"],
    ),
    "zephyr": (
        ZEPHYR,
        {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"},
        ["<|user|>", "<|assistant|>", "<|system|>"],
    ),
}

# Marks around generated text while rendering: halves of letters, which no whole text holds. Who renders refuses texts that do.
BEGIN, END = "\udc50", "\udc51"


class GenerationBlock(jinja2.ext.Extension):
    """{% generation %} … {% endgeneration %}: the text that the model itself writes."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("mark"), [], [], body).set_lineno(line)

    def mark(self, caller):
        return BEGIN + caller() + END


def compileTemplate(text):
    """A template, or jinja2.TemplateError."""
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationBlock, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = toJson
    environment.globals["raise_exception"] = raiseException
    environment.globals["strftime_now"] = lambda format: datetime.datetime.now().strftime(format)
    return environment.from_string(text)


def toJson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    # Jinja's own filter escapes HTML, which has no place in a prompt.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def raiseException(message):
    raise jinja2.TemplateError(message)


def render(template, messages, **variables):
    """(text, generated spans) of a conversation. Keys whose value is None are left out, as templates expect."""
    messages = [{key: value for key, value in message.items() if value is not None} for message in messages]
    for message in messages:
        aliasReasoning(message)
    marked = template.render(messages=messages, **variables)
    text, spans, starts = [], [], []
    length = 0
    for piece in re.split(f"([{BEGIN}{END}])", marked):
        if piece == BEGIN:
            starts.append(length)
        elif piece == END:
            spans.append((starts.pop(), length))
        else:
            text.append(piece)
            length += len(piece)
    return "".join(text), [span for span in spans if span[0] < span[1]]


def markIn(value):
    """The mark that a text of the value holds, at any depth, or None."""
    if isinstance(value, str):
        return next((mark for mark in (BEGIN, END) if mark in value), None)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return next(filter(None, map(markIn, value)), None) if isinstance(value, list) else None


def aliasReasoning(message):
    """A message's reasoning is found under its standard name and under the one that gpt-oss templates read."""
    reasoning = next((message[k] for k in ("reasoning_content", "thinking", "reasoning") if k in message), None)
    if reasoning is not None:
        message["reasoning_content"] = reasoning
        message.setdefault("thinking", reasoning)
