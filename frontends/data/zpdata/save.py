"""`zpdata tokenizer`: a tokenizer with the tokens and the template of a chat format, in files as the reference saves them."""

import json
import pathlib

from .errors import diskError
from .tokenizer import NAMES, Tokenizer, tokenText
from .tokenizer_class import RULES
from .whole_file import wholeFile


def saveTokenizer(arguments):
    tokenizer = Tokenizer(arguments.tokenizer, arguments.chat_template_format)
    report = {"tokens": tokenizer.size, "added": [token for token, _ in tokenizer.added]}
    if arguments.output:
        write(pathlib.Path(arguments.output), files(tokenizer))
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        added = ", ".join(report["added"]) or "none"
        print(f"{arguments.output or arguments.tokenizer}: {report['tokens']} tokens; added: {added}")


def files(tokenizer):
    """Name to text. The template is the format's, or what the directory had."""
    decoder = tokenizer.core.get_added_tokens_decoder()
    config = {name: value for name, value in tokenizer.config.items() if name != "chat_template"}
    config.update(tokenizer.special)
    # Of what the configuration listed, a format takes the place; what is a token anyway stays one.
    more = [tokenText(token) for token in config.get("additional_special_tokens") or []]
    more = [token for token in more if tokenizer.core.token_to_id(token) is not None]
    config["additional_special_tokens"] = list(dict.fromkeys(more + tokenizer.further))
    config["added_tokens_decoder"] = {
        str(identity): {key: getattr(token, key) for key in ("content", "lstrip", "normalized", "rstrip", "single_word", "special")}
        for identity, token in sorted(decoder.items())
    }
    config.setdefault("tokenizer_class", "PreTrainedTokenizerFast")
    if tokenizer.rebuilt != (tokenizer.loneClass in RULES):  # a config.json says so, and where this goes there may be none
        config["tokenizer_class"] = tokenizer.className if tokenizer.rebuilt else "PreTrainedTokenizerFast"
    core = tokenizer.core.to_str(pretty=True)
    if tokenizer.rebuilt:  # who knows of no classes reads what the user had, with the tokens that are new
        own = json.loads((tokenizer.directory / "tokenizer.json").read_bytes())
        core = json.dumps({**own, "added_tokens": json.loads(core)["added_tokens"]}, indent=2, ensure_ascii=False)
    texts = {
        "tokenizer.json": core,
        "tokenizer_config.json": json.dumps(config, indent=2, ensure_ascii=False, sort_keys=True) + "\n",
        "special_tokens_map.json": json.dumps(
            {name: tokenizer.special[name] for name in NAMES if name in tokenizer.special}, indent=2, ensure_ascii=False
        )
        + "\n",
    }
    if template := tokenizer.texts.get("default"):
        texts["chat_template.jinja"] = template
    return texts


def write(folder, texts):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise diskError(folder, error) from None
    for name, text in texts.items():
        with wholeFile(folder / name) as file:
            file.write(text.encode())
