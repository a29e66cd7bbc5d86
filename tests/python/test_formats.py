"""Chat formats, what is appended and what is counted, where that is more than the reference does."""

import json
import shutil
import unittest

from safetensors.numpy import load_file
from support import TOKENIZER, Case
from zpdata.templates import FORMATS, compileTemplate, render
from zpdata.tokenizer import Tokenizer

CHAT = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "open the path"},
    {"role": "assistant", "content": "the file"},
]
PLAIN = """{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"""


class Templates(unittest.TestCase):
    def rendered(self, name, messages=CHAT, **variables):
        text, names, _ = FORMATS[name]
        return render(compileTemplate(text), messages, **{"add_generation_prompt": False, **names, **variables})

    def test_chatml(self):
        text, spans = self.rendered("chatml")
        self.assertEqual(
            text,
            "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nopen the path<|im_end|>\n"
            "<|im_start|>assistant\nthe file<|im_end|>\n",
        )
        self.assertEqual([text[a:b] for a, b in spans], ["the file<|im_end|>"])
        self.assertEqual(
            self.rendered("chatml", CHAT[:1], add_generation_prompt=True)[0],
            "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>assistant\n",
        )

    def test_zephyr(self):
        text, spans = self.rendered("zephyr")
        self.assertEqual(text, "<|system|>\nbe brief</s>\n<|user|>\nopen the path</s>\n<|assistant|>\nthe file</s>\n")
        self.assertEqual([text[a:b] for a, b in spans], ["the file</s>"])
        self.assertEqual(
            self.rendered("zephyr", CHAT[:1], add_generation_prompt=True)[0],
            "<|system|>\nbe brief</s>\n<|assistant|>\n",
        )

    def test_whitespace_of_a_message_is_kept(self):
        self.assertIn("\n  a \n\n<|im_end|>\n", self.rendered("chatml", [{"role": "user", "content": "  a \n\n"}])[0])

    def test_blocks_are_trimmed_as_hub_templates_expect(self):
        template = compileTemplate(
            "{% for m in messages %}\n  {% if true %}\n{{ m['content'] }}\n  {% endif %}\n{% endfor %}\n"
        )
        self.assertEqual(render(template, CHAT[1:])[0], "open the path\nthe file\n")

    def test_the_sandbox_holds(self):
        for attack in ("{{ ''.__class__.__mro__ }}", "{{ messages.append(1) }}", "{{ messages[0].update({}) }}"):
            with self.assertRaises(Exception) as caught:
                render(compileTemplate(attack), CHAT)
            self.assertEqual(type(caught.exception).__name__, "SecurityError", attack)

    def test_every_letter_is_kept(self):
        """Private letters once were our marks, and vanished."""
        content = "a\U000f5a50b\U000f5a51\ue000\U0010fffd"
        text, spans = self.rendered("chatml", [{"role": "assistant", "content": content}])
        self.assertEqual(text, f"<|im_start|>assistant\n{content}<|im_end|>\n")
        self.assertEqual([text[a:b] for a, b in spans], [f"{content}<|im_end|>"])


class Eos(Case):
    def last_tokens(self, *words, rows=({"messages": CHAT},)):
        ids = self.segments(self.tokens(list(rows), *words))[0][0]
        return Tokenizer(TOKENIZER, "chatml").core.decode(ids[-3:], skip_special_tokens=False)

    def test_a_closed_turn_is_not_closed_again(self):
        self.assertTrue(self.last_tokens("--chat_template_format", "chatml").endswith("<|im_end|>\n"))

    def test_the_reference_closes_it_again(self):
        self.assertTrue(
            self.last_tokens("--chat_template_format", "chatml", "--reference_eos").endswith("<|im_end|>\n<|im_end|>")
        )

    def test_rows_of_which_nothing_counts(self):
        """The flag that is named is the one that leaves tokens out."""
        path = self.write_rows([{"messages": CHAT}])
        for words, named in ((["--assistant_only_loss"], "assistant"), ([], "completion")):
            if not words:
                path = self.write_rows([{"prompt": "open the path", "completion": " key"}])
            said = ["leaves no row with a counted token in its first 3", f"check the rows with --{named}_only_loss false"]
            self.assert_fails(4, 3009, said, path, "--tokenizer", TOKENIZER, "--max_length", 3, *words, "-o", self.output)

    def test_a_tokenizer_without_one_is_said(self):
        """Once, and only where one would have been appended."""
        model = self.folder / "model"
        shutil.copytree(TOKENIZER, model)
        config = json.loads((model / "tokenizer_config.json").read_text())
        (model / "tokenizer_config.json").write_text(json.dumps({**config, "eos_token": None}))
        (model / "chat_template.jinja").write_text(PLAIN)
        for row, said in (
            ({"text": "open"}, 1),
            ({"prompt": "open", "completion": " key"}, 1),
            ({"messages": CHAT}, 0),
            ({"input_ids": [5, 6]}, 0),
        ):
            code, _, err = self.run_zpdata(self.write_rows([row] * 3), "--tokenizer", model, "-o", self.output)
            self.assertEqual((code, err.count("\n"), err.count("names no eos_token")), (0, said, said), err)
        code, _, err = self.run_zpdata("prompts", self.write_rows([{"text": "open"}]), "--tokenizer", model, "-o", self.output)
        self.assertEqual((code, err), (0, ""))

    def test_text_gets_one_eos(self):
        for text in ("the file", "the file</s>"):
            ids = self.segments(self.tokens([{"text": text}]))[0][0]
            self.assertEqual((ids[-1], ids.count(2)), (2, 1), text)

    def test_a_text_beside_a_completion_takes_its_eos(self):
        """As in the reference (golden/cases.json, completion_beside_text), and it is said."""
        row = {"prompt": "open", "completion": " key"}
        for text, ends in (("the file", False), ("the file</s>", True), (None, True)):
            path = self.write_rows([{**row, "text": text}] * 2)
            code, _, err = self.run_zpdata(path, "--tokenizer", TOKENIZER, "-o", self.output)
            self.assertEqual((code, err.count("warning"), err.count("column text beside")), (0, not ends, not ends), err)
            self.assertEqual(self.segments(load_file(self.output))[0][0][-1] == 2, ends, text)
        ids = self.segments(self.tokens([{**row, "text": "x"}], "--dataset_text_field", "content"))[0][0]
        self.assertEqual(ids[-1], 2)


class Tokens(Case):
    def test_new_tokens_come_in_the_reference_order(self):
        # 1 is <s>; the others are new, first the named ones, then the roles
        plain = Tokenizer(TOKENIZER).size
        self.assertEqual(
            Tokenizer(TOKENIZER, "chatml").added,
            [
                (token, plain + i)
                for i, token in enumerate(
                    ["<|im_end|>", "<pad>", "<|im_start|>user", "<|im_start|>assistant", "<|im_start|>system"]
                )
            ],
        )

    def test_role_and_start_are_one_token(self):
        tokenizer = Tokenizer(TOKENIZER, "chatml")
        (encoding,) = tokenizer.encode(["<|im_start|>user\nthe"], True)
        self.assertEqual(encoding.tokens[:2], ["<s>", "<|im_start|>user"])

    def test_padding_is_the_formats_own(self):
        tensors = self.tokens([{"messages": CHAT}], "--chat_template_format", "chatml", "--max_length", 128)
        self.assertEqual(tensors["input_ids"][0, -1], Tokenizer(TOKENIZER, "chatml").core.token_to_id("<pad>"))

    def test_a_model_that_is_too_small_is_named(self):
        directory = self.folder / "model"
        shutil.copytree(TOKENIZER, directory)
        (directory / "config.json").write_text(json.dumps({"vocab_size": Tokenizer(TOKENIZER).size}))
        words = [self.write_rows([{"messages": CHAT}]), "--tokenizer", directory, "-o", self.output]
        self.assertEqual(self.run_zpdata(*words)[2], "")
        _, _, err = self.run_zpdata(*words, "--chat_template_format", "chatml")
        self.assertIn("rows of embeddings", err)


class AssistantOnly(Case):
    def counted(self, rows, *words, template=None):
        directory = TOKENIZER
        if template:
            directory = self.folder / "model"
            shutil.copytree(TOKENIZER, directory)
            (directory / "chat_template.jinja").write_text(template)
        tensors = self.tokens(rows, "--assistant_only_loss", "--max_length", 128, *words, tokenizer=directory)
        labels = tensors["labels"][0]
        return Tokenizer(TOKENIZER, "chatml").core.decode(labels[labels >= 0].tolist(), skip_special_tokens=False)

    def test_chatml(self):
        self.assertEqual(self.counted([{"messages": CHAT}], "--chat_template_format", "chatml"), "the file<|im_end|>")

    def test_a_template_without_marks(self):
        twice = CHAT + [{"role": "user", "content": "more"}, {"role": "assistant", "content": "no"}]
        self.assertEqual(self.counted([{"messages": twice}], template=PLAIN), "assistant: the file\nassistant: no\n")

    def test_a_row_without_the_assistant_is_refused(self):
        self.assert_fails(
            4,
            3009,
            ["rows.jsonl:1", "assistant"],
            self.write_rows([{"messages": CHAT[:2]}]),
            "--tokenizer",
            TOKENIZER,
            "--assistant_only_loss",
            "-o",
            self.output,
        )


if __name__ == "__main__":
    unittest.main()
