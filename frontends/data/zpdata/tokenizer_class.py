"""The class that transformers 5 takes for a tokenizer's files. Most read tokenizer.json as it stands. Some take its vocabulary and make the
rest by their own rules, whatever it says: those with RULES here, as their models' files say something else (a blank behind every special token
in Llama 2's, digits apart in SmolLM's, blanks at a text's end in mT0's). Qwen's and BART's say what their classes make."""

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from .errors import warn
from .special_tokens import LISTED

LLAMA = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
ROBERTA = {**LLAMA, "sep_token": "</s>", "cls_token": "<s>", "pad_token": "<pad>", "mask_token": "<mask>"}

# A class's special tokens where a configuration is silent.
SPECIAL = {
    "LlamaTokenizer": LLAMA,
    "CodeLlamaTokenizer": {
        **LLAMA,
        "prefix_token": "▁<PRE>",
        "middle_token": "▁<MID>",
        "suffix_token": "▁<SUF>",
        "eot_token": "▁<EOT>",
        "fill_token": "<FILL_ME>",
    },
    "GPT2Tokenizer": dict.fromkeys(("unk_token", "bos_token", "eos_token"), "<|endoftext|>"),
    "Qwen2Tokenizer": dict.fromkeys(("unk_token", "eos_token", "pad_token"), "<|endoftext|>"),
    "RobertaTokenizer": ROBERTA,
    "BartTokenizer": ROBERTA,
    "T5Tokenizer": {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
}

# By model_type. A model's own class goes over what the configuration says where that is known to be wrong on the hub, else under it.
ALWAYS = {"qwen2": "Qwen2Tokenizer"}
ELSE = {"qwen3": "Qwen2Tokenizer", "qwen3_moe": "Qwen2Tokenizer", "bart": "RobertaTokenizer", "t5": "T5Tokenizer", "mt5": "T5Tokenizer"}
AS_WRITTEN = ("mistral", "mistral3", "mixtral", "ministral", "ministral3", "phi3")  # whatever class their files name


def classOf(config, modelConfig, words):
    """The class's name, or None for tokenizer.json as it stands. `words`: the bytes of tokenizer.json."""
    kind = str(modelConfig.get("model_type"))
    if kind in AS_WRITTEN:
        return None
    said = config.get("tokenizer_class") or modelConfig.get("tokenizer_class")
    said = said.removesuffix("Fast") if isinstance(said, str) else None
    if kind in ALWAYS:
        return ALWAYS[kind]
    if said == "LlamaTokenizer" and b'"ByteLevel"' in words:  # Llama 3's files under Llama 2's name
        return None
    name = said or ELSE.get(kind)
    return name if name in SPECIAL else None


def defaultsOf(name, config):
    """What the class says of special tokens where a configuration doesn't."""
    count = config.get("extra_ids", 100)
    if name != "T5Tokenizer" or LISTED in config or type(count) is not int:
        return SPECIAL.get(name, {})
    return {**SPECIAL[name], "additional_special_tokens": [f"<extra_id_{i}>" for i in range(count)]}


def rebuilt(core, name, config):
    """A tokenizer of the same vocabulary with the class's rules, without added tokens; None where the class makes what tokenizer.json says."""
    if name not in RULES:
        return None
    model, rules = RULES[name]
    if not isinstance(core.model, model):
        warn(
            f"tokenizer.json has a {type(core.model).__name__} model where {name} expects {model.__name__}, of which the reference makes something "
            "else: it is read as it stands; save the tokenizer again with its own tokenizer_class"
        )
        return None
    made = Tokenizer(core.model)
    made.post_processor = core.post_processor
    rules(made, config, core)
    return made


def asLlama(core, config, _):
    setBytePairs(core, byteFallback=True)
    prefix = beginsWithBlank(config)
    always = "always" if config.get("legacy") else "first"
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=always if prefix else "never", split=False)
    core.decoder = sentencePieces(prefix)


def asCodeLlama(core, config, _):
    setBytePairs(core, byteFallback=True)
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first" if beginsWithBlank(config) else "never", split=False)
    core.decoder = sentencePieces(True)


def asGpt2(core, config, _):
    setBytePairs(core, byteFallback=False)
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=bool(config.get("add_prefix_space")))
    core.decoder = decoders.ByteLevel()


def asT5(core, _, file):
    """Of what tokenizer.json does before words are split, sentencepiece's own map stays."""
    given = file.normalizer
    given = [given[i] for i in range(len(given))] if isinstance(given, normalizers.Sequence) else [given]
    core.normalizer = next((one for one in given if isinstance(one, normalizers.Precompiled)), None)
    core.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    core.decoder = decoders.Metaspace()


def setBytePairs(core, byteFallback):
    core.model.fuse_unk = core.model.byte_fallback = byteFallback
    core.model.unk_token, core.model.ignore_merges = None, False


def beginsWithBlank(config):
    prefix = config.get("add_prefix_space")
    return True if prefix is None else bool(prefix)


def sentencePieces(strips):
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(parts + [decoders.Strip(content=" ", left=1)] * strips)


# A class's model and rules.
RULES = {
    "LlamaTokenizer": (models.BPE, asLlama),
    "CodeLlamaTokenizer": (models.BPE, asCodeLlama),
    "GPT2Tokenizer": (models.BPE, asGpt2),
    "T5Tokenizer": (models.Unigram, asT5),
}
