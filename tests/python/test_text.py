"""What tokens say: `zpdata text`, its stream and `zpdata accuracy` decode as transformers does."""

import io
import json
import unittest
from unittest import mock

from support import Case
from tokenizers import Tokenizer, decoders, models

KEY = "clean_up_tokenization_spaces"
CLEANED = {KEY: True}
ANYHOW = {KEY: True, f"{KEY}_for_bpe_even_though_it_will_corrupt_output": True}
WORDS = ["</s>", "it", "the", "file", ".", "?", "!", ",", "'", "'s", "n't", "'m", "'ve", "'re", "is"]
# Checked with transformers 5.23.
TEXTS = {
    "it is . is it ? the file ! it , the": "it is. is it? the file! it, the",
    "it ' it 's is n't it 'm the 've the 're": "it'it's isn't it'm the've the're",
    "it ' 's , . '": "it''s,. '",
}


def cores():
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    pieces = Tokenizer(models.Unigram([(f"▁{word}" if i else word, -1.0) for i, word in enumerate(WORDS)], unk_id=0))
    pieces.decoder = decoders.Metaspace()
    return {"BPE": Tokenizer(models.BPE(vocabulary, [])), "words": Tokenizer(models.WordLevel(vocabulary, unk_token="</s>")), "pieces": pieces}


class Text(Case):
    def tokenizer(self, core, config):
        core.add_special_tokens(["</s>"])
        core.save(str(self.folder / "tokenizer.json"))
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", **config}
        (self.folder / "tokenizer_config.json").write_text(json.dumps(config))
        return self.folder

    def said(self, tokenizer):
        """What the rows say, by the file, by its stream a token at a time and as answers."""
        ids = [[*(WORDS.index(word) for word in text.split(" ")), 0] for text in TEXTS]
        rows = self.write_rows([{"row": i, "tokens": row, "ended": "eos"} for i, row in enumerate(ids)])
        _, out, err = self.run_zpdata("text", rows, "--tokenizer", tokenizer, "--json")
        self.assertEqual(err, "")
        texts = [json.loads(line)["text"] for line in out.splitlines()]
        lines = [{"prompts": 1}, *({"row": 0, "token": token, "over": not token} for token in ids[0])]
        stream = "".join(json.dumps(line) + "\n" for line in lines)
        with mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stream.encode()))):
            _, out, err = self.run_zpdata("text", "-", "--tokenizer", tokenizer, "--stream")
        self.assertEqual((out, err), (texts[0] + "\n", ""))
        truth = self.write_rows([{"answer": text} for text in texts], "truth.jsonl")
        _, out, err = self.run_zpdata("accuracy", rows, truth, "--target_column", "answer", "--tokenizer", tokenizer)
        self.assertEqual((out.splitlines()[0], err), ("accuracy=100.0", ""))
        return texts

    def test_blanks_before_signs_go_where_the_configuration_says(self):
        for name, core in cores().items():
            for config in ({}, {KEY: False}, CLEANED, ANYHOW):
                with self.subTest(name, config=config):
                    cleaned = config == ANYHOW or config == CLEANED and name != "BPE"
                    self.assertEqual(self.said(self.tokenizer(core, config)), list(TEXTS.values() if cleaned else TEXTS))


if __name__ == "__main__":
    unittest.main()
