"""What the assistant writes, found in templates that don't mark it: held to the same templates with {% generation %} blocks."""

import json
import pathlib
import random
import shutil
import unittest

from safetensors.numpy import load_file
from support import TOKENIZER, Case

TOKENS = ["<|user|>", "<|bot|>", "<|end|>", "<|stop|>", "<|return|>", "<think>", "</think>"]
USER = "{% if m.role != 'assistant' %}{{ '<|user|>' + m.content + '<|end|>\n' }}{% else %}"
LOOP = "{% for m in messages %}" + USER + "{}{% endif %}{% endfor %}"
ASK = "{% if add_generation_prompt %}{{ '{}' }}{% endif %}"
# What the assistant writes is in [ ]. All but the first write a message otherwise when more follow, or ask for it otherwise.
TEMPLATES = {
    "plain": (LOOP.replace("{}", "{{ '<|bot|>\n' }}[{{ m.content + '<|end|>\n' }}]", 1) + ASK.replace("{}", "<|bot|>\n")),
    "an_end_of_the_last": (
        LOOP.replace("{}", "{{ '<|bot|>\n' }}[{{ m.content + '<|end|>\n' }}{% if loop.last and not add_generation_prompt %}{{ '<|stop|>' }}{% endif %}]", 1)
        + ASK.replace("{}", "<|bot|>\n")
    ),
    "thinking_of_the_last": (
        LOOP.replace(
            "{}",
            "{{ '<|bot|>\n' }}[{% if loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
            "{{ m.content.split('</think>')[-1].lstrip('\n') + '<|end|>\n' }}]",
            1,
        )
        + ASK.replace("{}", "<|bot|>\n")
    ),
    "asked_to_think": (
        LOOP.replace("{}", "{{ '<|bot|>' }}[{{ m.content.split('</think>')[-1].strip() + '<|stop|>' }}]", 1) + ASK.replace("{}", "<|bot|><think>\n")
    ),
}
WORDS = ["open", "the", "path", " file", "\n", "<", "<|", "key", "é", "*", "<think>\nsorted\n</think>\n\n"]


def marked(template):
    return template.replace("[{", "{% generation %}{", 1).replace("}]", "}{% endgeneration %}", 1)


def plain(template):
    return template.replace("[{", "{", 1).replace("}]", "}", 1)


def chat(rng):
    messages = [{"role": "system", "content": "be brief"}] * (rng.random() < 0.3)
    for _ in range(rng.randint(1, 4)):
        asked, told = ("".join(rng.choices(some, k=rng.randint(1, 6))) + rng.choice([".", ". ", ".\n"]) for some in (WORDS[:-1], WORDS))
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]
    return messages + [{"role": "user", "content": "more"}] * (rng.random() < 0.2)


class Assistant(Case):
    def model(self, template):
        model = self.folder / "model"
        if not model.exists():
            shutil.copytree(TOKENIZER, model)
            path = pathlib.Path(model / "tokenizer_config.json")
            path.write_text(json.dumps({**json.loads(path.read_text()), "extra_special_tokens": TOKENS}))
        (model / "chat_template.jinja").write_text(template)
        return model

    def made(self, rows, template):
        """Tokens and labels."""
        path = self.write_rows(rows)
        words = ["--tokenizer", self.model(template), "--assistant_only_loss", "--max_length", 256, "-o", self.output]
        code, _, err = self.run_zpdata(path, *words)
        self.assertEqual(code, 0, err)
        tensors = load_file(self.output)
        return tensors["input_ids"].tolist(), tensors["labels"].tolist()

    def refused(self, messages, template):
        path = self.write_rows([{"messages": messages}])
        words = ["--tokenizer", self.model(template), "--assistant_only_loss", "-o", self.output]
        self.assert_fails(4, 3009, ["rows.jsonl:1", "otherwise when more follow", "{% generation %}"], path, *words)

    def test_as_if_marked(self):
        rows = [{"messages": chat(random.Random(seed))} for seed in range(150)]
        for name, template in TEMPLATES.items():
            with self.subTest(name):
                self.assertEqual(self.made(rows, plain(template)), self.made(rows, marked(template)))

    def test_prompt_and_completion(self):
        template = TEMPLATES["an_end_of_the_last"]
        messages = chat(random.Random(1))[:4]
        rows = [{"prompt": messages[:-1], "completion": messages[-1:]}] if messages[-1]["role"] == "assistant" else []
        self.assertTrue(rows)
        self.assertEqual(self.made(rows, plain(template)), self.made(rows, marked(template)))

    TWICE = [{"role": role, "content": word} for role, word in (("user", "open"), ("assistant", "key"), ("user", "more"), ("assistant", "no"))]

    def test_what_cannot_be_told_apart(self):
        stop = "{{ '<|stop|>' if loop.last else '' }}"
        end = "{{ '<|end|>' if not loop.last else '<|return|>' }}"
        for reason, template in (
            ("another end token", LOOP.replace("{}", "{{ '<|bot|>' + m.content }}" + end, 1)),
            ("no token where renderings part", LOOP.replace("{}", "{{ 'bot: ' + m.content }}{{ '\nnext' if not loop.last else '\nnever' }}", 1)),
            ("a mark is a letter", LOOP.replace("{}", "{{ m.content | length }}{{ m.content + '<|end|>' }}" + stop, 1)),
            ("answers are left out", "{% for m in messages %}{% if loop.last or m.role == 'user' %}{{ m.content }}<|end|>{% endif %}{% endfor %}"),
            ("answers come twice", LOOP.replace("{}", "{{ m.content + m.content + '<|end|>' }}" + stop, 1)),
        ):
            with self.subTest(reason):
                self.refused(self.TWICE, template)

    def test_an_answer_without_words(self):
        self.refused([*self.TWICE[:1], {"role": "assistant", "content": " "}, *self.TWICE[2:]], plain(TEMPLATES["an_end_of_the_last"]))

    def test_letters_like_marks(self):
        self.refused([{"role": "user", "content": "a \U000f6001 b"}, *self.TWICE[1:]], plain(TEMPLATES["an_end_of_the_last"]))


if __name__ == "__main__":
    unittest.main()
